//! What is told of: calls, and what stands behind every verdict.

use std::sync::Arc;

use clap::ValueEnum;

use crate::alert::watch::Outcome;
use crate::call::Origin;
use crate::config::Advice;
use crate::rules::{Level, Rulebook, Verdict};
use crate::time::CallTime;

/// A call that is being screened.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// The file, or `-`.
    pub file: String,
    /// Its own name, or the file's.
    pub name: String,
    /// `recording` or `transcript`.
    pub source: &'static str,
    /// How long it lasts, where that is known.
    pub duration: Option<CallTime>,
    /// The rules that judge it, to its end: what is told of it must not be read in others.
    pub book: Arc<Rulebook>,
}

impl Call {
    /// The family of a verdict, in plain English.
    pub fn family(&self, verdict: &Verdict) -> Option<&str> {
        verdict.family.and_then(|at| self.book.packs.get(at)).map(|pack| pack.title.as_str())
    }
}

/// What the person is told at `level`; nothing at `quiet`.
pub(super) fn advice(advice: &Advice, level: Level) -> Option<&str> {
    match level {
        Level::Quiet => None,
        Level::Caution => Some(&advice.caution),
        Level::Warning => Some(&advice.warning),
        Level::Danger => Some(&advice.danger),
    }
}

/// One row of the summary of several files.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// The call.
    pub name: String,
    /// None: the file could not be screened.
    pub outcome: Option<Outcome>,
    /// In plain English.
    pub family: Option<String>,
}

/// What is known of the number at the other end, on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum OriginName {
    /// An incoming call from a number that nobody vouched for
    Unknown,
    /// An incoming call from the household's address book
    KnownContact,
    /// The protected person dialled
    Outgoing,
}

impl From<OriginName> for Origin {
    fn from(name: OriginName) -> Self {
        match name {
            OriginName::Unknown => Self::Unknown,
            OriginName::KnownContact => Self::KnownContact,
            OriginName::Outgoing => Self::Outgoing,
        }
    }
}
