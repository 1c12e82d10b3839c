//! What was promised, kept apart from the desk: on lines, and of calls that became suspicious.

use std::collections::{BTreeMap, BTreeSet};

use lineclear::alert::record::Id;
use lineclear::rules::Level;

use super::clock::Promise;
use super::script::{By, Other};

/// A line that was promised to be kept clear.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    pub id: Id,
    pub incident: Option<Id>,
    pub promise: Promise,
    /// What is waited for again after a new attempt.
    pub length: u64,
    /// Who is kept away; nobody in particular if it was asked for by hand.
    pub scammer: Option<Other>,
}

#[derive(Debug, Clone, Default)]
pub struct LineState {
    pub hold: Option<Held>,
    /// Everybody may ring until then.
    pub callbacks: Option<Promise>,
    /// Nobody is warned until then.
    pub disabled: Option<u64>,
}

/// A call that became suspicious.
#[derive(Debug, Clone)]
pub struct Case {
    pub call: usize,
    pub line: usize,
    pub scammer: Other,
    pub highest: Level,
    /// The highest level that the people were told of.
    pub told: Level,
    pub off: Option<By>,
    pub simulated: bool,
    pub is_open: bool,
}

#[derive(Debug, Clone)]
struct Memory {
    lines: Vec<LineState>,
    cases: BTreeMap<Id, Case>,
}

/// What is promised now, and what a crash would leave of it.
#[derive(Debug)]
pub struct Model {
    live: Memory,
    kept: Memory,
    changed_lines: BTreeSet<usize>,
    changed_cases: BTreeSet<Id>,
}

impl Model {
    pub fn new(lines: usize) -> Self {
        let live = Memory { lines: vec![LineState::default(); lines], cases: BTreeMap::new() };
        let (changed_lines, changed_cases) = (BTreeSet::new(), BTreeSet::new());
        Self { kept: live.clone(), live, changed_lines, changed_cases }
    }

    pub fn line(&self, line: usize) -> &LineState {
        &self.live.lines[line]
    }

    pub fn lines(&self) -> impl Iterator<Item = (usize, &LineState)> {
        self.live.lines.iter().enumerate()
    }

    pub fn line_mut(&mut self, line: usize) -> &mut LineState {
        self.changed_lines.insert(line);
        &mut self.live.lines[line]
    }

    pub fn case(&self, id: Id) -> Option<&Case> {
        self.live.cases.get(&id)
    }

    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.live.cases.values()
    }

    pub fn open_case(&mut self, id: Id, case: Case) {
        self.changed_cases.insert(id);
        self.live.cases.insert(id, case);
    }

    pub fn case_mut(&mut self, id: Id) -> Option<&mut Case> {
        self.changed_cases.insert(id);
        self.live.cases.get_mut(&id)
    }

    /// All of it is on the disk.
    pub fn commit(&mut self) {
        for line in std::mem::take(&mut self.changed_lines) {
            self.kept.lines[line] = self.live.lines[line].clone();
        }
        for id in std::mem::take(&mut self.changed_cases) {
            if let Some(case) = self.live.cases.get(&id) {
                self.kept.cases.insert(id, case.clone());
            }
        }
    }

    pub fn crash(&mut self) {
        self.live = self.kept.clone();
        self.changed_lines.clear();
        self.changed_cases.clear();
    }

    /// The case of a call that is not over.
    pub fn case_of(&self, call: usize) -> Option<Id> {
        let mut cases = self.live.cases.iter();
        cases.find(|(_, case)| case.call == call && case.is_open).map(|(id, _)| *id)
    }
}
