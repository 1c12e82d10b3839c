//! The configuration file: parse, then check.

mod check;

use std::time::Duration;

use serde::Deserialize;

/// The default configuration, which is also its documentation.
pub const DEFAULT: &str = include_str!("../../config/lineclear.toml");

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the levels begin.
    pub levels: Levels,
    /// How the line is kept clear.
    pub hold: Hold,
    /// What recordings are accepted.
    pub recordings: Recordings,
    /// What the person is told.
    pub advice: Advice,
}

/// `[levels]`: where the levels begin, in decibans of evidence on a call from an unknown number.
///
/// The odds before anyone speaks are part of the thresholds: with one scam in a thousand calls
/// (−30 decibans), 30 decibans of evidence make even odds.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Levels {
    /// Where `caution` begins.
    pub caution: f64,
    /// Where `warning` begins.
    pub warning: f64,
    /// Where `danger` begins.
    pub danger: f64,
    /// How far the score must fall below a threshold before the level does.
    pub hysteresis: f64,
    /// Added at the start of a call from a known contact.
    pub known_contact: f64,
    /// Added at the start of an outgoing call.
    pub outgoing: f64,
}

/// `[hold]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hold {
    /// Seconds for which the line is kept clear.
    pub line_clear: u64,
    /// Numbers that always pass.
    pub emergency: Vec<String>,
    /// Prefixes that are dialled before a number.
    pub prefixes: Vec<String>,
}

impl Hold {
    /// For how long the line is kept clear.
    pub const fn length(&self) -> Duration {
        Duration::from_secs(self.line_clear)
    }
}

/// `[recordings]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recordings {
    /// The longest recording, in minutes.
    pub max_minutes: u32,
}

/// `[advice]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Advice {
    /// At `caution`.
    pub caution: String,
    /// At `warning`.
    pub warning: String,
    /// At `danger`.
    pub danger: String,
    /// After the call.
    pub afterwards: String,
    /// Whom to ring.
    pub contacts: Vec<Contact>,
}

/// `[[advice.contacts]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Contact {
    /// Who answers.
    pub name: String,
    /// The number to ring.
    pub number: String,
    /// In which case.
    pub when: String,
    /// Where the number is published.
    pub source: String,
    /// Year and month in which that was last read.
    pub checked: String,
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// Not TOML, an unknown key, or a value of the wrong kind.
    #[error("{0}")]
    Syntax(String),
    /// A value out of its bounds.
    #[error("{key} is {value}: {bound}")]
    Value {
        /// The key, with its table.
        key: &'static str,
        /// The value as given.
        value: String,
        /// What it must be.
        bound: &'static str,
    },
}

impl Config {
    /// Parses and checks a configuration; keys that are left out have the values of [`DEFAULT`].
    ///
    /// # Errors
    /// On unknown keys and on values out of bounds.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut table: toml::Table = toml::from_str(DEFAULT).map_err(syntax)?;
        overlay(&mut table, toml::from_str(text).map_err(syntax)?);
        let config: Self = table.try_into().map_err(syntax)?;
        check::check(&config)?;
        Ok(config)
    }
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

fn syntax(error: toml::de::Error) -> ConfigError {
    ConfigError::Syntax(error.to_string().trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_defaults_and_an_empty_file_are_the_same() {
        let defaults = Config::parse(DEFAULT).expect("the file of defaults is valid");
        assert_eq!(Config::parse(""), Ok(defaults.clone()));
        assert_eq!(defaults.hold.length(), Duration::from_secs(300));
        assert!(defaults.advice.contacts.len() >= 4);
    }

    #[test]
    fn unknown_keys_are_refused() {
        let error = Config::parse("[hold]\nline-cleer = 3").expect_err("unknown key").to_string();
        assert!(error.contains("line-cleer") && error.contains("line-clear"), "{error}");
    }

    #[test]
    fn values_out_of_bounds_name_key_value_and_bound() {
        let error = Config::parse("[levels]\nwarning = 10.0").expect_err("too low").to_string();
        assert!(error.starts_with("levels.warning is 10"), "{error}");
        assert!(Config::parse("[hold]\nline-clear = 5").is_err());
        let error = Config::parse("[hold]\nemergency = [\"112\"]").expect_err("no 999").to_string();
        assert!(error.contains("999 and 112 must be among them"), "{error}");
    }

    #[test]
    fn a_key_that_is_given_leaves_its_neighbours_alone() {
        let config = Config::parse("[hold]\nline-clear = 600").expect("valid");
        assert_eq!(config.hold.length(), Duration::from_secs(600));
        assert_eq!(config.hold.emergency, ["999", "112", "18000"]);
    }
}
