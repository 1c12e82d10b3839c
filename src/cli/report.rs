//! What a screening tells, to people or to programs.

use std::io;

use super::json::Json;
use super::people::People;
use super::subject::{Call, Row};
use super::text;
use crate::alert::watch::{Event, Outcome};
use crate::config::Advice;
use crate::edge::hear::Hearing;
use crate::edge::reload::{Change, PackStatus};
use crate::time::CallTime;

/// The two ways of telling.
pub(super) enum Report<'a> {
    People(People<'a>),
    Json(Json<'a>),
}

impl<'a> Report<'a> {
    pub fn new(json: bool, advice: &'a Advice) -> Self {
        if json { Self::Json(Json::new(advice)) } else { Self::People(People::new(advice)) }
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

    /// What the line of a recording was like.
    pub fn audio(&mut self, call: &Call, hearing: &Hearing) -> io::Result<()> {
        match self {
            Self::People(people) => people.audio(hearing),
            Self::Json(json) => json.audio(call, hearing),
        }
    }

    /// A call ended.
    pub fn end(&mut self, call: &Call, outcome: &Outcome) -> io::Result<()> {
        match self {
            Self::People(people) => people.end(call, outcome),
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

    /// The rules were loaded again, or could not be.
    pub fn rules(&mut self, change: Change, status: &PackStatus) -> io::Result<()> {
        match change {
            Change::Reloaded => super::paint::note(&format_args!(
                "{} loaded from {} in {}; calls in progress keep theirs",
                text::count(status.rules, "rule"),
                text::count(status.packs.len(), "pack"),
                status.source
            )),
            Change::Refused => super::paint::complain(&format_args!(
                "{}; the rules of before stay in use",
                status.last_error.as_deref().unwrap_or_default()
            )),
        }
        match self {
            Self::People(_) => Ok(()),
            Self::Json(json) => json.rules(change, status),
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
