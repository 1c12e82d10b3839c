//! Where the levels begin, as it stands in the file.

use serde::Deserialize;

/// `[levels]`: where the levels begin, in decibans of evidence on a call from an unknown number.
///
/// The odds before anyone speaks are part of the thresholds: with one scam in three hundred calls
/// (−25 decibans), 25 decibans of evidence make even odds.
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
    /// Added at the start of a call that follows a suspicious one on the same line.
    pub after_suspicious: f64,
}
