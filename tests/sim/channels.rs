//! The ways to reach people: some are slow, some dead, some take a notification and then fail.

use std::collections::{BTreeMap, BTreeSet};

use lineclear::alert::outbox::{Attempt, Outcome};
use lineclear::alert::record::Address;

/// How a channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// It takes what comes, and says so after so many milliseconds.
    Slow(u64),
    /// It says at once that it takes nothing.
    Dead,
    /// It takes nothing and says nothing.
    Silent,
    /// It takes what comes, and says that it failed.
    TakesAndFails,
    /// It says that it never will take it.
    Refuses,
}

/// An answer to come.
#[derive(Debug, Clone)]
pub struct Answer {
    pub key: String,
    pub outcome: Outcome,
    /// When the receiver has it, if it gets it.
    taken: Option<u64>,
}

#[derive(Debug, Default)]
pub struct Channels {
    moods: BTreeMap<Address, Mood>,
    /// By the time at which they come.
    answers: BTreeMap<(u64, u64), Answer>,
    count: u64,
    /// What the people have on their screens. Whoever gets a key twice shows it once.
    shown: BTreeSet<String>,
    refused: BTreeSet<String>,
    /// Since then all is well, and remains so.
    pub well_since: Option<u64>,
}

impl Channels {
    pub fn set(&mut self, to: Address, mood: Mood) {
        self.moods.insert(to, mood);
    }

    pub fn all_well(&mut self, truth: u64) {
        self.moods.clear();
        self.well_since = Some(truth);
    }

    /// An attempt is made.
    pub fn deliver(&mut self, attempt: &Attempt, truth: u64) {
        let note = &attempt.notification;
        let key = note.notice.key.clone();
        let mood = self.moods.get(&note.to).copied().unwrap_or(Mood::Well);
        let later = Outcome::Later("it did not work".to_owned());
        let (delay, taken, outcome) = match mood {
            Mood::Well => (200, Some(100), Outcome::Delivered),
            Mood::Slow(delay) => (delay, Some(delay / 2), Outcome::Delivered),
            Mood::Dead => (50, None, later),
            Mood::Silent => return,
            Mood::TakesAndFails => (3_000, Some(1_000), later),
            Mood::Refuses => {
                self.refused.insert(key.clone());
                (300, None, Outcome::Never("no such place".to_owned()))
            }
        };
        let taken = taken.map(|delay| truth + delay);
        self.push(truth + delay, Answer { key, outcome, taken });
    }

    fn push(&mut self, at: u64, answer: Answer) {
        self.count += 1;
        // Now and then an answer is heard twice, the second time late.
        if self.count.is_multiple_of(16) {
            self.answers.insert((at + 2_500, self.count), answer.clone());
            self.count += 1;
        }
        self.answers.insert((at, self.count), answer);
    }

    pub fn next(&self) -> Option<u64> {
        self.answers.keys().next().map(|(at, _)| *at)
    }

    /// The next answer that has come.
    pub fn answer(&mut self, truth: u64) -> Option<Answer> {
        let entry = self.answers.first_entry().filter(|entry| entry.key().0 <= truth)?;
        let answer = entry.remove();
        if answer.taken.is_some() {
            self.shown.insert(answer.key.clone());
        }
        Some(answer)
    }

    /// The program died: what it was told is lost, what was taken is taken.
    pub fn crash(&mut self, truth: u64) {
        for answer in std::mem::take(&mut self.answers).into_values() {
            if answer.taken.is_some_and(|taken| taken <= truth) {
                self.shown.insert(answer.key);
            }
        }
    }

    pub fn is_shown(&self, key: &str) -> bool {
        self.shown.contains(key)
    }

    pub fn is_refused(&self, key: &str) -> bool {
        self.refused.contains(key)
    }
}
