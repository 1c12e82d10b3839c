//! `lineclear data`: what is kept about a line, for whoever it is about.

use clap::Subcommand;

use super::paint::say;
use super::status::{CliError, Status};
use crate::config::Config;
use crate::edge::client::Client;
use crate::wire::api::ErasedView;

/// What to do with what is kept.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Print everything that is kept about a line, as JSON
    Export {
        /// The line
        line: String,
    },
    /// Erase everything that is kept about a line; a hold that is running goes on
    Erase {
        /// The line
        line: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub(super) fn run(action: &Action, config: &Config) -> Result<Status, CliError> {
    let client = Client::new(config);
    match action {
        Action::Export { line } => {
            let data: serde_json::Value = client.get(&format!("/v1/lines/{line}/data"))?;
            say(&serde_json::to_string_pretty(&data).map_err(std::io::Error::from)?)?;
        }
        Action::Erase { line, yes } => {
            if !yes && !agrees(line)? {
                say("Nothing was erased.")?;
                return Ok(Status { failed: true, ..Status::OK });
            }
            let erased: ErasedView = client.delete(&format!("/v1/lines/{line}/data"))?;
            say(&format!("{} rows about line {line} are erased.", erased.rows))?;
            for file in &erased.left_in {
                say(&format!("{file} is damaged and may hold more of it: delete it by hand."))?;
            }
        }
    }
    Ok(Status::OK)
}

fn agrees(line: &str) -> Result<bool, CliError> {
    say(&format!("Erase everything that is kept about line {line}? Type yes:"))?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}
