//! What a screening tells, to people or to programs.

use std::io;

use super::{json::Json, people::People};
use crate::alert::watch::{Event, Outcome};
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
    pub outcome: Result<Outcome, String>,
}

/// The two ways of telling.
pub(super) enum Report<'a> {
    People(People<'a>),
    Json(Json<'a>),
}

impl<'a> Report<'a> {
    pub fn new(json: bool, context: Context<'a>) -> Self {
        if json { Self::Json(Json::new(context)) } else { Self::People(People::new(context)) }
    }

    /// A call begins.
    pub fn begin(&mut self, call: &Call) -> io::Result<()> {
        match self {
            Self::People(people) => people.begin(call),
            Self::Json(json) => json.begin(call),
        }
    }

    /// Something happened; it became known at `at`.
    pub fn event(&mut self, call: &Call, event: &Event, at: CallTime) -> io::Result<()> {
        match self {
            Self::People(people) => people.event(call, event),
            Self::Json(json) => json.event(call, event, at),
        }
    }

    /// A call ended.
    pub fn end(&mut self, call: &Call, outcome: &Outcome) -> io::Result<()> {
        match self {
            Self::People(people) => people.end(outcome),
            Self::Json(json) => json.end(call, outcome),
        }
    }

    /// Something could not be read.
    pub fn error(&mut self, file: &str, message: &str) -> io::Result<()> {
        super::paint::complain(&format_args!("{file}: {message}"));
        match self {
            Self::People(_) => Ok(()),
            Self::Json(json) => json.error(file, message),
        }
    }

    /// All files are screened.
    pub fn summary(&mut self, rows: &[Row]) -> io::Result<()> {
        match self {
            Self::People(people) if rows.len() > 1 => people.summary(rows),
            _ => Ok(()),
        }
    }
}
