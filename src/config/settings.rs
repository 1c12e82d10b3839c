//! What can be configured, as it stands in the file.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::levels::Levels;
use super::lines::{Hold, Line, Outbox, Person, Warn};
use super::pbx::Pbx;
use super::service::{Api, Feed, Folder, Speech, Store};

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the levels begin.
    pub levels: Levels,
    /// Which rules are used, and whether anybody is told.
    pub rules: Rules,
    /// What is done while a call goes on.
    pub warn: Warn,
    /// How the line is kept clear.
    pub hold: Hold,
    /// The protected lines.
    pub lines: Vec<Line>,
    /// Those who are told.
    pub people: Vec<Person>,
    /// How long is tried to reach them.
    pub outbox: Outbox,
    /// The HTTP interface.
    pub api: Api,
    /// Transcripts of live calls over sockets.
    pub feed: Feed,
    /// Exchanges whose calls are screened as they go on.
    pub pbx: Pbx,
    /// What live sound is heard with.
    pub speech: Speech,
    /// A folder in which recordings appear.
    pub folder: Folder,
    /// What is kept.
    pub store: Store,
    /// What recordings are accepted.
    pub recordings: Recordings,
    /// What the person is told.
    pub advice: Advice,
}

/// `[rules]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rules {
    /// The file of local rules; empty if there is none.
    pub local: PathBuf,
    /// Rules that are marked experimental count.
    pub experimental: bool,
    /// Nobody is warned, and what is told is marked as a simulation.
    pub simulate: bool,
}

impl Rules {
    /// The file of local rules, if there is one.
    pub fn local_file(&self) -> Option<&Path> {
        Some(self.local.as_path()).filter(|path| !path.as_os_str().is_empty())
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
        key: String,
        /// The value as given.
        value: String,
        /// What it must be.
        bound: String,
    },
}
