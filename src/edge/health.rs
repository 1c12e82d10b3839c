//! How the program is: what fails now, and what was lost since it started. Nothing fails silently.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::time::Wall;

/// A part that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// What is kept.
    Store,
    /// Who is told.
    Notifications,
    /// The rules.
    Rules,
    /// The configuration.
    Configuration,
    /// The key that makes tags of numbers.
    Key,
    /// Recordings that appear in a folder.
    Folder,
    /// The recogniser.
    Speech,
    /// Lines that are not screened.
    Lines,
    /// The exchange whose calls are screened.
    Exchange,
    /// The hold, as the exchange keeps it.
    ExchangeHold,
}

impl Part {
    /// The name in the status.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Notifications => "notifications",
            Self::Rules => "rules",
            Self::Configuration => "configuration",
            Self::Key => "key",
            Self::Folder => "folder",
            Self::Speech => "speech",
            Self::Lines => "lines",
            Self::Exchange => "exchange",
            Self::ExchangeHold => "exchange-hold",
        }
    }
}

/// What is wrong with a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What, and what to do.
    pub message: String,
    /// Since when.
    pub since: Wall,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Calls that were watched.
    Calls,
    /// Calls that were refused.
    CallsRefused,
    /// Utterances that were heard.
    Utterances,
    /// Lines of a feed that were not understood.
    BadLines,
    /// Answers that a source did not take in time.
    Untold,
    /// Changes that could not be kept, and had to be let go.
    Lost,
    /// Rows of the database that could not be read after a restart.
    Unreadable,
    /// Sounds of live calls that came too fast to be screened, and legs that could not be heard.
    Unheard,
    /// Prompts that an exchange could not play.
    Unsaid,
    /// Connections that brought no sound of a call.
    BadSound,
}

impl Count {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Calls,
        Self::CallsRefused,
        Self::Utterances,
        Self::BadLines,
        Self::Untold,
        Self::Lost,
        Self::Unreadable,
        Self::Unheard,
        Self::Unsaid,
        Self::BadSound,
    ];

    /// The name in the status.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::CallsRefused => "calls_refused",
            Self::Utterances => "utterances",
            Self::BadLines => "bad_lines",
            Self::Untold => "untold",
            Self::Lost => "lost",
            Self::Unreadable => "unreadable",
            Self::Unheard => "unheard",
            Self::Unsaid => "unsaid",
            Self::BadSound => "bad_sound",
        }
    }
}

/// Shared by all parts.
#[derive(Debug, Default)]
pub struct Health {
    problems: Mutex<BTreeMap<Part, Problem>>,
    counts: [AtomicU64; Count::ALL.len()],
}

impl Health {
    /// A part fails. It is logged once, until it says something else.
    pub fn fails(&self, part: Part, message: &str, wall: Wall) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        let before = problems.get(&part);
        if before.is_some_and(|before| before.message == message) {
            return;
        }
        tracing::error!(part = part.name(), "{message}");
        let since = before.map_or(wall, |before| before.since);
        problems.insert(part, Problem { message: message.to_owned(), since });
    }

    /// A part works.
    pub fn works(&self, part: Part) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        if problems.remove(&part).is_some() {
            tracing::info!(part = part.name(), "works again");
        }
    }

    /// What fails now.
    pub fn problems(&self) -> BTreeMap<Part, Problem> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts.
    pub fn count(&self, what: Count, by: u64) {
        self.counts[what as usize].fetch_add(by, Ordering::Relaxed);
    }

    /// What was counted since the start.
    pub fn counted(&self, what: Count) -> u64 {
        self.counts[what as usize].load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_keeps_its_beginning_until_it_is_over() {
        let health = Health::default();
        health.fails(Part::Store, "disk full", Wall(5));
        health.fails(Part::Store, "disk full", Wall(6));
        health.fails(Part::Store, "read only", Wall(7));
        let problem = health.problems().remove(&Part::Store).expect("a problem");
        assert_eq!((problem.message.as_str(), problem.since), ("read only", Wall(5)));
        health.works(Part::Store);
        assert!(health.problems().is_empty());
    }
}
