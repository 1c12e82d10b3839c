//! What a configuration must hold, beyond its syntax.

use super::settings::{Config, ConfigError};

pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let levels = &config.levels;
    bound(
        "levels.caution",
        levels.caution,
        levels.caution > 0.0 && levels.caution <= 100.0,
        "it must be above 0 and at most 100 decibans",
    )?;
    bound(
        "levels.warning",
        levels.warning,
        levels.warning >= levels.caution && levels.warning <= 100.0,
        "it must not be less than levels.caution, and at most 100 decibans",
    )?;
    bound(
        "levels.danger",
        levels.danger,
        levels.danger >= levels.warning && levels.danger <= 100.0,
        "it must not be less than levels.warning, and at most 100 decibans",
    )?;
    bound(
        "levels.hysteresis",
        levels.hysteresis,
        (0.0..=20.0).contains(&levels.hysteresis),
        "it must be from 0 to 20 decibans",
    )?;
    bound(
        "levels.known-contact",
        levels.known_contact,
        (-30.0..=0.0).contains(&levels.known_contact),
        "it must be from -30 to 0 decibans: caller ID can be forged",
    )?;
    bound(
        "levels.outgoing",
        levels.outgoing,
        (-30.0..=0.0).contains(&levels.outgoing),
        "it must be from -30 to 0 decibans",
    )?;
    bound(
        "levels.after-suspicious",
        levels.after_suspicious,
        (0.0..=20.0).contains(&levels.after_suspicious),
        "it must be from 0 to 20 decibans",
    )?;
    check_hold(config)?;
    bound(
        "recordings.max-minutes",
        f64::from(config.recordings.max_minutes),
        (1..=1440).contains(&config.recordings.max_minutes),
        "it must be from 1 to 1440 minutes",
    )
}

fn check_hold(config: &Config) -> Result<(), ConfigError> {
    let hold = &config.hold;
    bound(
        "hold.line-clear",
        hold.line_clear as f64,
        (10..=3600).contains(&hold.line_clear),
        "it must be from 10 seconds to an hour",
    )?;
    for needed in ["141", "1470"] {
        if !hold.prefixes.iter().any(|prefix| prefix == needed) {
            return Err(ConfigError::Value {
                key: "hold.prefixes",
                value: format!("{:?}", hold.prefixes),
                bound: "141 and 1470 must be among them: people dial them before 999 too",
            });
        }
    }
    for needed in ["999", "112", "18000"] {
        if !hold.emergency.iter().any(|number| number == needed) {
            return Err(ConfigError::Value {
                key: "hold.emergency",
                value: format!("{:?}", hold.emergency),
                bound: "999, 112 and 18000 must be among them",
            });
        }
    }
    let digits =
        |number: &&String| number.is_empty() || !number.chars().all(|c| c.is_ascii_digit());
    match hold.emergency.iter().chain(&hold.prefixes).find(digits) {
        None => Ok(()),
        Some(number) => Err(ConfigError::Value {
            key: "hold.emergency or hold.prefixes",
            value: format!("{number:?}"),
            bound: "write digits only",
        }),
    }
}

fn bound(
    key: &'static str,
    value: f64,
    holds: bool,
    bound: &'static str,
) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(ConfigError::Value { key, value: value.to_string(), bound }) }
}
