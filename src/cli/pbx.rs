//! `lineclear pbx`: whether the exchange has what the daemon needs of it.

use clap::Subcommand;
use serde::Serialize;

use super::paint::{self, BOLD, say, styled};
use super::status::{CliError, Status};
use crate::config::Config;
use crate::edge::pbx::asterisk::check::{self, Finding, State};
use crate::rules::Level;

/// What to do with the exchange.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Connect to the exchange, and say what is missing
    #[command(after_help = CHECK)]
    Check {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

const CHECK: &str = "\
Nothing is changed but a key of Asterisk's database, which is deleted again, and one global
variable. Ends with 1 if anything is missing.

  lineclear --config /etc/lineclear/lineclear.toml pbx check";

#[derive(Serialize)]
struct Line<'a> {
    check: &'static str,
    state: &'static str,
    message: &'a str,
}

pub(super) fn run(action: &Action, config: &Config) -> Result<Status, CliError> {
    let Action::Check { json } = action;
    let (mut shown, mut missing) = (Ok(()), 0);
    check::check(config, &mut |finding| {
        missing += usize::from(finding.state == State::Missing);
        if shown.is_ok() {
            shown = show(&finding, *json);
        }
    });
    shown?;
    if !json {
        say(&match missing {
            0 => styled(BOLD, "Nothing is missing.").to_string(),
            1 => styled(BOLD, "One thing is missing.").to_string(),
            more => styled(BOLD, format!("{more} things are missing.")).to_string(),
        })?;
    }
    Ok(Status { level: Level::Quiet, failed: missing > 0 })
}

fn show(finding: &Finding, json: bool) -> Result<(), CliError> {
    let Finding { what, state, message } = finding;
    if json {
        let state = match state {
            State::Fine => "fine",
            State::Note => "note",
            State::Missing => "missing",
        };
        let line = Line { check: what, state, message };
        return Ok(say(&serde_json::to_string(&line).map_err(std::io::Error::from)?)?);
    }
    let mark = match state {
        State::Fine => styled(paint::level(Level::Quiet), "fine   ").to_string(),
        State::Note => "note   ".to_owned(),
        State::Missing => styled(paint::level(Level::Danger), "missing").to_string(),
    };
    Ok(say(&format!("{mark}  {what:<13}  {message}"))?)
}
