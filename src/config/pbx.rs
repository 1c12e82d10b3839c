//! `[pbx]`: the exchanges whose calls are screened as they go on.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

/// `[pbx]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pbx {
    /// Asterisk.
    pub asterisk: Asterisk,
}

/// `[pbx.asterisk]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Asterisk {
    /// Its HTTP server; empty if there is no Asterisk.
    pub url: String,
    /// The user of `ari.conf`.
    pub user: String,
    /// The file that holds the user's password.
    pub secret_file: PathBuf,
    /// Where the manager interface listens; empty if no hold is to be kept in AstDB.
    pub ami: String,
    /// The user of `manager.conf`.
    pub ami_user: String,
    /// The file that holds that user's secret.
    pub ami_secret_file: PathBuf,
    /// Where Asterisk brings the sound to.
    pub audio: SocketAddr,
    /// The folder of the prompts among Asterisk's sounds.
    pub sounds: String,
    /// What the protected person keys to end a call; empty for nothing.
    pub end_call_key: String,
    /// How a call is listened to.
    pub tap: Tap,
    /// Which telephones and trunks belong to which line.
    pub lines: Vec<AsteriskLine>,
}

impl Asterisk {
    /// Whether there is one.
    pub const fn is_used(&self) -> bool {
        !self.url.is_empty()
    }
}

/// How a call is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tap {
    /// Each party by itself.
    Legs,
    /// Both in one: half the work, and rules cannot know who spoke.
    Mixed,
}

/// `[[pbx.asterisk.lines]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsteriskLine {
    /// The line.
    pub line: String,
    /// The protected person's telephones: `PJSIP/elder`.
    #[serde(default)]
    pub telephones: Vec<String>,
    /// Trunks all of whose calls are the line's.
    #[serde(default)]
    pub trunks: Vec<String>,
}
