//! How a command ends.

use std::process::ExitCode;

use crate::edge::client::ClientError;
use crate::edge::daemon::DaemonError;
use crate::edge::files::FileError;
use crate::edge::hear::HearError;
use crate::edge::ingest::corpus::CorpusError;
use crate::edge::ingest::recording::RecordingError;
use crate::edge::ingest::scripts::ScriptFileError;
use crate::edge::models::ModelError;
use crate::edge::picture::PictureError;
use crate::measure::tune::TuneError;
use crate::rules::{Level, RuleErrors};
use crate::speech::SpeechError;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Status {
    /// The highest level of any call.
    pub level: Level,
    /// Something could not be read.
    pub failed: bool,
}

impl Status {
    /// Nothing to tell.
    pub const OK: Self = Self { level: Level::Quiet, failed: false };

    /// As the process ends with it.
    pub fn code(self) -> ExitCode {
        ExitCode::from(self.level as u8 * 10 + u8::from(self.failed))
    }
}

/// Why a command failed as a whole.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Hear(#[from] HearError),
    #[error(transparent)]
    Speech(#[from] SpeechError),
    #[error(transparent)]
    Recording(#[from] RecordingError),
    #[error("{0}: {1}")]
    Corpus(String, CorpusError),
    #[error(transparent)]
    Rules(#[from] RuleErrors),
    #[error(transparent)]
    Script(#[from] ScriptFileError),
    #[error("no rule is named '{0}': `lineclear rules list` names them")]
    NoRule(String),
    #[error("no pack has the id '{0}': there are {1}")]
    NoPack(String, String),
    #[error("SIGHUP cannot be listened to: {0}")]
    Hangup(std::io::Error),
    #[error(transparent)]
    Tune(#[from] TuneError),
    #[error("with {0} left out: {1}")]
    LeftOut(String, TuneError),
    #[error(
        "the packs that are built in cannot be changed: name the directory of those to change with \
         --rules, or a new one with --out"
    )]
    BuiltIn,
    #[error("no pack is named: name files, or a directory with --rules")]
    NoPacks,
    #[error(transparent)]
    Config(crate::config::ConfigError),
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Picture(#[from] PictureError),
    #[error("the output cannot be written: {0}")]
    Output(#[from] std::io::Error),
}
