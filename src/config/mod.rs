//! The configuration file: parse, then check.

mod check;
mod settings;

pub use settings::{Advice, Config, ConfigError, Contact, Hold, Levels, Recordings, Rules};

/// The default configuration, which is also its documentation.
pub const DEFAULT: &str = include_str!("../../config/lineclear.toml");

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
    use std::time::Duration;

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
        assert!(error.contains("999, 112 and 18000 must be among them"), "{error}");
    }

    #[test]
    fn a_key_that_is_given_leaves_its_neighbours_alone() {
        let config = Config::parse("[hold]\nline-clear = 600").expect("valid");
        assert_eq!(config.hold.length(), Duration::from_secs(600));
        assert_eq!(config.hold.emergency, ["999", "112", "18000"]);
    }
}
