//! The configuration file: parse, then check.

mod check;
mod levels;
mod lines;
mod pbx;
mod service;
mod settings;

pub use levels::Levels;
pub use lines::{
    Channel, Consent, Hold, LevelName, Line, Mode, Outbox, OverrideBy, Person, Share, Tell,
    TurnAway, Warn,
};
pub use pbx::{Asterisk, AsteriskLine, Pbx, Tap};
pub use service::{Api, Feed, Folder, Role, Speech, Store, Token};
pub use settings::{Advice, Config, ConfigError, Contact, Recordings, Rules};

/// The default configuration, which is also its documentation.
pub const DEFAULT: &str = include_str!("../../config/lineclear.toml");

/// The tables of which a line may have its own version.
const OF_A_LINE: [&str; 3] = ["levels", "warn", "hold"];

impl Config {
    /// Parses and checks a configuration; keys that are left out have the values of [`DEFAULT`].
    ///
    /// # Errors
    /// On unknown keys and on values out of bounds.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = effective(text)?.try_into().map_err(|error| syntax(&error))?;
        check::check(&config)?;
        Ok(config)
    }
}

/// Every key with the value that counts: defaults, the file's, and each line's own.
///
/// # Errors
/// When it is not TOML. Keys and bounds are checked by [`Config::parse`].
pub fn effective(text: &str) -> Result<toml::Table, ConfigError> {
    let mut table: toml::Table = toml::from_str(DEFAULT).map_err(|error| syntax(&error))?;
    overlay(&mut table, toml::from_str(text).map_err(|error| misspelt(text, &error))?);
    let common: Vec<_> = OF_A_LINE.map(|key| (key, table.get(key).cloned())).into();
    let lines = table.get_mut("lines").and_then(toml::Value::as_array_mut);
    for line in lines.into_iter().flatten().filter_map(toml::Value::as_table_mut) {
        for (key, value) in &common {
            let Some(value) = value else { continue };
            let own = line.insert((*key).to_owned(), value.clone());
            let own = own.map(|own| toml::Table::from_iter([((*key).to_owned(), own)]));
            own.into_iter().for_each(|own| overlay(line, own));
        }
    }
    Ok(table)
}

/// Lays `upper` over `lower`, key by key; an array replaces the whole array.
fn overlay(lower: &mut toml::Table, upper: toml::Table) {
    for (key, value) in upper {
        match (lower.get_mut(&key), value) {
            (Some(toml::Value::Table(lower)), toml::Value::Table(upper)) => overlay(lower, upper),
            (_, value) => {
                lower.insert(key, value);
            }
        }
    }
}

/// What is no TOML, with its place. The line itself may hold a number or a secret, and messages are
/// logged.
fn misspelt(text: &str, error: &toml::de::Error) -> ConfigError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
    let problem = without_values(error.message());
    ConfigError::Syntax(format!("line {line}, column {column}: {problem}"))
}

/// What has the wrong type or name.
fn syntax(error: &toml::de::Error) -> ConfigError {
    let message = error.to_string();
    let mut problem = without_values(message.trim_end());
    if let Some(nearest) = nearest(&message) {
        problem.push_str(&format!("\ndid you mean `{nearest}`?"));
    }
    ConfigError::Syntax(problem)
}

/// A message without the text and the numbers that it quotes; the names of keys remain.
fn without_values(message: &str) -> String {
    let quoted = match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last => {
            format!("{}…{}", &message[..=first], &message[last..])
        }
        _ => message.to_owned(),
    };
    let is_number = |part: &str| part.starts_with(|first: char| "+-0123456789".contains(first));
    let parts = quoted.split('`').enumerate();
    let parts = parts.map(|(at, part)| if at % 2 == 1 && is_number(part) { "…" } else { part });
    parts.collect::<Vec<_>>().join("`")
}

/// Of the keys that a message says are expected, the one most like the unknown one.
fn nearest(problem: &str) -> Option<&str> {
    let (_, rest) = problem.split_once("unknown field `")?;
    let mut quoted = rest.split('`');
    let unknown = quoted.next()?;
    let known = quoted.skip(1).step_by(2);
    let closeness = |name: &str| strsim::jaro_winkler(unknown, name);
    let best = known.max_by(|a, b| closeness(a).total_cmp(&closeness(b)))?;
    (closeness(best) > 0.7).then_some(best)
}

#[cfg(test)]
mod tests;
