//! What is told of: calls, and what stands behind every verdict.

use crate::alert::watch::Outcome;
use crate::config::Advice;
use crate::rules::{Level, Rulebook};
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
}

/// What is behind everything that is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub book: &'a Rulebook,
    pub advice: &'a Advice,
}

impl Context<'_> {
    /// What the person is told at `level`; nothing at `quiet`.
    pub fn advice(&self, level: Level) -> Option<&str> {
        match level {
            Level::Quiet => None,
            Level::Caution => Some(&self.advice.caution),
            Level::Warning => Some(&self.advice.warning),
            Level::Danger => Some(&self.advice.danger),
        }
    }

    /// The family of a verdict, in plain English.
    pub fn family(&self, family: Option<usize>) -> Option<&str> {
        family.and_then(|at| self.book.packs.get(at)).map(|pack| pack.title.as_str())
    }
}

/// One row of the summary of several files.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub call: Call,
    /// None: the file could not be screened.
    pub outcome: Option<Outcome>,
}
