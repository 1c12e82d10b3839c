//! `lineclear status`, `lineclear hold` and `lineclear incidents`: how a running daemon and its
//! lines stand, and what people decide about them.

use clap::{Args, Subcommand};

use super::paint::{self, BOLD, DIM, say, styled};
use super::status::{CliError, Status};
use super::table::Table;
use crate::config::Config;
use crate::edge::client::Client;
use crate::rules::Level;
use crate::wire::api::{Done, IncidentView, LineView, Minutes, NotAScamView, StatusView};

/// How to answer.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What to do with holds.
#[derive(Debug, Subcommand)]
pub(super) enum Hold {
    /// Show which lines are held, and for how long
    Status {
        /// One line; all if left out
        line: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Keep a line clear
    Start {
        /// The line
        line: String,
        /// For how long; as configured if left out
        #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1440))]
        minutes: Option<u64>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Keep a line clear for longer
    Extend {
        /// The line
        line: String,
        /// For how much longer
        #[arg(long, default_value = "5", value_parser = clap::value_parser!(u64).range(1..=1440))]
        minutes: u64,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Let calls through again
    End {
        /// The line
        line: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// Which line's call is to end.
#[derive(Debug, Args)]
pub(super) struct EndCall {
    /// The line
    line: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Which incidents.
#[derive(Debug, Args)]
pub(super) struct Incidents {
    /// Of this line only
    #[arg(long)]
    line: Option<String>,
    /// At most so many
    #[arg(long, default_value = "20")]
    limit: u32,
    /// Say of the incident with this id that it is no scam
    #[arg(long, value_name = "ID")]
    not_a_scam: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn status(options: &Options, config: &Config) -> Result<Status, CliError> {
    let status: StatusView = Client::new(config).get("/v1/status")?;
    if options.json {
        return json(&status);
    }
    let colour = if status.health == "green" { Level::Quiet } else { Level::Danger };
    say(&format!(
        "{}  lineclear {}",
        styled(paint::level(colour), &status.health),
        status.version
    ))?;
    for problem in &status.problems {
        say(&format!("  {}: {} (since {})", problem.part, problem.message, problem.since))?;
    }
    let simulated = if status.rules.simulated { ", simulated: nobody is warned" } else { "" };
    let (rules, source) = (status.rules.rules, &status.rules.source);
    say(&format!("{} calls, {rules} rules ({source}){simulated}", status.calls))?;
    let lost = status.counts.get("lost").copied().unwrap_or_default();
    if lost > 0 {
        say(&format!("{lost} changes could not be kept, and were let go"))?;
    }
    say(&format!("{} notifications wait", status.notifications_waiting))?;
    show(&status.lines)?;
    Ok(Status { failed: status.health != "green", ..Status::OK })
}

pub(super) fn hold(action: &Hold, config: &Config) -> Result<Status, CliError> {
    let client = Client::new(config);
    let path = |line: &str| format!("/v1/lines/{line}/hold");
    let (done, as_json): (Done, bool) = match action {
        Hold::Status { line: Some(line), json: as_json } => {
            let view: LineView = client.get(&format!("/v1/lines/{line}"))?;
            return if *as_json { json(&view) } else { shown(&[view]) };
        }
        Hold::Status { line: None, json: as_json } => {
            let lines: Vec<LineView> = client.get("/v1/lines")?;
            return if *as_json { json(&lines) } else { shown(&lines) };
        }
        Hold::Start { line, minutes, json } => {
            (client.post(&path(line), &Minutes { minutes: *minutes })?, *json)
        }
        Hold::Extend { line, minutes, json } => {
            (client.patch(&path(line), &Minutes { minutes: Some(*minutes) })?, *json)
        }
        Hold::End { line, json } => (client.delete(&path(line))?, *json),
    };
    if as_json {
        return json(&done);
    }
    if !done.kept {
        say("It counts, but could not be written to the disk: see `lineclear status`.")?;
    }
    shown(&[done.line])
}

pub(super) fn incidents(options: &Incidents, config: &Config) -> Result<Status, CliError> {
    let client = Client::new(config);
    if let Some(id) = &options.not_a_scam {
        let path = format!("/v1/incidents/{id}/not-a-scam");
        let answer: NotAScamView = client.post(&path, &serde_json::Map::new())?;
        return match answer {
            answer if options.json => json(&answer),
            NotAScamView::Incident(incident) => show_incidents(&[*incident]),
            NotAScamView::Done(done) => shown(&[done.line]),
        };
    }
    let mut path = format!("/v1/incidents?limit={}", options.limit);
    path.extend(options.line.iter().map(|line| format!("&line={line}")));
    let incidents: Vec<IncidentView> = client.get(&path)?;
    if options.json { json(&incidents) } else { show_incidents(&incidents) }
}

pub(super) fn end_call(options: &EndCall, config: &Config) -> Result<Status, CliError> {
    let path = format!("/v1/lines/{}/end-call", options.line);
    let done: Done = Client::new(config).post(&path, &serde_json::Map::new())?;
    if options.json { json(&done) } else { shown(&[done.line]) }
}

fn show_incidents(incidents: &[IncidentView]) -> Result<Status, CliError> {
    let mut table = Table::new("opened|line|level|kind|stage|incident");
    for incident in incidents {
        let note = match (&incident.not_a_scam, incident.simulated) {
            (Some(by), _) => format!("{} (no scam, says {by})", incident.level),
            (None, true) => format!("{} (simulated)", incident.level),
            (None, false) => incident.level.clone(),
        };
        table.row([
            incident.opened.clone(),
            incident.line.clone(),
            note,
            incident.family.clone().unwrap_or_default(),
            incident.stage.clone().unwrap_or_default(),
            incident.incident.clone(),
        ]);
    }
    table.print(&mut anstream::stdout())?;
    Ok(Status::OK)
}

fn shown(lines: &[LineView]) -> Result<Status, CliError> {
    show(lines)?;
    Ok(Status::OK)
}

fn show(lines: &[LineView]) -> Result<(), CliError> {
    for line in lines {
        let state = match (&line.hold, line.off_seconds) {
            _ if !line.screened => "not screened: nobody's consent is configured".to_owned(),
            (Some(hold), _) => {
                let left = hold.remaining_seconds;
                let again = match hold.restarts {
                    0 => String::new(),
                    1 => ", started again once".to_owned(),
                    times => format!(", started again {times} times"),
                };
                format!("kept clear for another {}:{:02}{again}", left / 60, left % 60)
            }
            (None, Some(off)) => format!("screening off for {} minutes", off.div_ceil(60)),
            (None, None) => "screened".to_owned(),
        };
        let name = styled(DIM, format!("({})", line.name));
        say(&format!("{} {name}  {state}", styled(BOLD, &line.line)))?;
    }
    Ok(())
}

fn json(value: &impl serde::Serialize) -> Result<Status, CliError> {
    say(&serde_json::to_string(value).map_err(std::io::Error::from)?)?;
    Ok(Status::OK)
}
