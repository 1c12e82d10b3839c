//! How the daemon is reached, and where it keeps what it keeps.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// `[api]`: the HTTP interface.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Who may use it. On a loopback address nobody needs one unless there are some.
    pub tokens: Vec<Token>,
}

/// `[[api.tokens]]`: who may use the interface.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Who has it: the audit log names them.
    pub name: String,
    /// SHA-256 of the token, in hexadecimal digits.
    pub sha256: String,
    /// What they may do.
    pub role: Role,
    /// Which lines; all if the key is left out.
    #[serde(default)]
    pub lines: Option<Vec<String>>,
}

/// What the holder of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Feed calls and ask the gate: an exchange, a recogniser.
    Exchange,
    /// See lines and incidents, end and extend holds.
    Carer,
    /// Everything.
    Operator,
}

/// `[feed]`: transcripts of live calls over sockets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Feed {
    /// A Unix socket; empty for none.
    pub socket: PathBuf,
    /// A TCP address on loopback; empty for none.
    pub tcp: String,
    /// Seconds without a word after which a call is taken to be over.
    pub idle: u64,
    /// Calls at a time; more are refused, and counted.
    pub max_calls: usize,
}

impl Feed {
    /// How long a call may be silent.
    pub const fn idle(&self) -> Duration {
        Duration::from_secs(self.idle)
    }
}

/// `[speech]`: what live sound is heard with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Speech {
    /// The speech model: `tiny` or `base`.
    pub model: String,
    /// Threads that hear. Each has models of its own.
    pub threads: usize,
}

/// `[folder]`: a folder in which recordings of calls appear.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// Where; empty for none.
    pub path: PathBuf,
    /// The line that they are of.
    pub line: String,
}

/// `[store]`: what is kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// The folder of the database; empty for the state directory of the service or the user.
    pub directory: PathBuf,
    /// Days after which incidents, holds, notifications and the audit log are deleted.
    pub retention: u64,
}

impl Store {
    /// For how long anything is kept.
    pub const fn retention(&self) -> Duration {
        Duration::from_secs(self.retention.saturating_mul(86_400))
    }
}
