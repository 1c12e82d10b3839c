//! `lineclear config`: is it right, and what counts?

use std::path::Path;

use clap::{Args, Subcommand};

use super::paint::say;
use super::status::{CliError, Status};
use crate::config::{self, Config, Person};
use crate::edge::files;
use crate::edge::notify::{self, Channels};

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Say whether the configuration can be used, and by whom nobody would be told
    Check,
    /// Print the configuration
    Show(Show),
}

/// What to print.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Every key with the value that counts, each line's own included; numbers and the settings of
    /// channels are not shown
    #[arg(long)]
    effective: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(
    action: &Action,
    path: Option<&Path>,
    config: &Config,
) -> Result<Status, CliError> {
    match action {
        Action::Check => check(config),
        Action::Show(show) => print(show, path),
    }
}

fn check(config: &Config) -> Result<Status, CliError> {
    let (_, problems) = Channels::open(&config.people);
    for problem in &problems {
        super::paint::complain(problem);
    }
    let unscreened = config.lines.iter().filter(|line| line.consent.is_none());
    for line in unscreened {
        let text =
            "is not screened until somebody agrees: add consent = { by = \"…\", on = \"…\" }";
        say(&format!("line {} {text}", line.id))?;
    }
    for untold in untold(config) {
        say(&untold)?;
    }
    if problems.is_empty() {
        let (lines, people) = (config.lines.len(), config.people.len());
        say(&format!("the configuration can be used: {lines} lines, {people} people"))?;
    }
    Ok(Status { failed: !problems.is_empty(), ..Status::OK })
}

/// Who would never be told, and of which lines nobody would be.
fn untold(config: &Config) -> Vec<String> {
    let person = |person: &Person| {
        let why = match (person.channels.is_empty(), person.tell.is_empty()) {
            (true, _) => "cannot be told: add a way to reach them, [[people.channels]]",
            (_, true) => "is told of nothing: name what in `tell`, or leave the key out",
            _ => return None,
        };
        Some(format!("{} {why}", person.id))
    };
    let is_told =
        |id: &String| config.people.iter().any(|person| person.id == *id && is_reached(person));
    let lines = config.lines.iter().filter(|line| !line.people.iter().any(is_told));
    let line = |line: &config::Line| format!("line {} has nobody who is told", line.id);
    config.people.iter().filter_map(person).chain(lines.map(line)).collect()
}

/// Whether somebody is told of anything, over a channel that can be opened.
fn is_reached(person: &Person) -> bool {
    let mut channels = person.channels.iter().enumerate();
    let opens = |(index, channel)| notify::open(&person.id, index, channel).is_ok();
    !person.tell.is_empty() && channels.any(opens)
}

fn print(show: &Show, path: Option<&Path>) -> Result<Status, CliError> {
    let text = files::config_text(path)?;
    let mut table = match show.effective {
        true => config::effective(&text).map_err(CliError::Config)?,
        false => toml::from_str(&text)
            .map_err(|error| CliError::Config(config::ConfigError::Syntax(error.to_string())))?,
    };
    redact(&mut table);
    let text = match show.json {
        true => serde_json::to_string_pretty(&table).map_err(std::io::Error::from)?,
        false => toml::to_string_pretty(&table).unwrap_or_default(),
    };
    say(text.trim_end())?;
    Ok(Status::OK)
}

/// Numbers of contacts, and whatever channels need, are nobody else's business.
fn redact(table: &mut toml::Table) {
    let private = || toml::Value::String("[private]".to_owned());
    let tables = |table: &mut toml::Table, key: &str| -> Vec<toml::Table> {
        let list = table.get(key).and_then(toml::Value::as_array).cloned().unwrap_or_default();
        list.into_iter().filter_map(|value| value.as_table().cloned()).collect()
    };
    let mut lines = tables(table, "lines");
    for line in &mut lines {
        if let Some(toml::Value::Array(contacts)) = line.get_mut("contacts") {
            contacts.iter_mut().for_each(|contact| *contact = private());
        }
    }
    let mut people = tables(table, "people");
    for person in &mut people {
        let mut channels = tables(person, "channels");
        for channel in &mut channels {
            let settings = channel.iter_mut().filter(|(key, _)| *key != "kind");
            settings.for_each(|(_, value)| *value = private());
        }
        let channels = channels.into_iter().map(toml::Value::Table).collect();
        person.insert("channels".to_owned(), toml::Value::Array(channels));
    }
    for (key, list) in [("lines", lines), ("people", people)] {
        if table.contains_key(key) {
            let list = list.into_iter().map(toml::Value::Table).collect();
            table.insert(key.to_owned(), toml::Value::Array(list));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(anna: &str, of_the_line: &str) -> Vec<String> {
        let text = format!(
            "[[people]]\nid = \"anna\"\nname = \"Anna\"\n{anna}\n\
             [[lines]]\nid = \"home\"\nname = \"Mum\"\npeople = [{of_the_line}]\n"
        );
        untold(&Config::parse(&text).expect("valid"))
    }

    #[test]
    fn whoever_is_never_told_is_named_and_so_are_their_lines() {
        let reaches = "channels = [{ kind = \"command\", run = [\"/bin/true\"] }]";
        assert!(said(reaches, "\"anna\"").is_empty());
        assert_eq!(said(reaches, ""), ["line home has nobody who is told"]);
        let both = said("", "\"anna\"");
        assert!(both[0].starts_with("anna cannot be told"), "{both:?}");
        assert_eq!(both[1..], ["line home has nobody who is told"]);
        let both = said(&format!("tell = []\n{reaches}"), "\"anna\"");
        assert!(both[0].starts_with("anna is told of nothing"), "{both:?}");
        assert_eq!(both[1..], ["line home has nobody who is told"]);
        // What is wrong with a channel is told beside this.
        let pigeon = said("channels = [{ kind = \"pigeon\" }]", "\"anna\"");
        assert_eq!(pigeon, ["line home has nobody who is told"]);
    }
}
