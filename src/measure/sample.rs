//! What is kept of a call that was screened: scores and hits, not words.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rules::Level;
use crate::time::CallTime;

/// What a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// A scam.
    Scam,
    /// An honest call.
    Legit,
}

impl Label {
    /// The name used in corpora and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scam => "scam",
            Self::Legit => "legit",
        }
    }
}

/// A labelled call, as the rules saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its name.
    pub id: String,
    /// What it is.
    pub label: Label,
    /// What kind of scam or honest call, as its corpus says.
    pub kind: String,
    /// Near-duplicates share a group, and count as one call.
    pub group: String,
    /// When money, card, code or access is first asked for, where that is marked.
    pub ask: Option<CallTime>,
    /// The highest score while the call went on, in decibans.
    pub score: f64,
    /// When each level was first reached, by `Level as usize`.
    pub reached: [Option<CallTime>; Level::ALL.len()],
    /// What counted when the call ended: the rule, and the share of its weight (0…1) that cues and
    /// time had left.
    pub hits: Vec<(usize, f64)>,
    /// Rules without which nobody would have been warned, where that was looked for.
    pub decisive: Vec<usize>,
}

impl Sample {
    /// The highest level that was reached.
    pub fn level(&self) -> Level {
        let reached = |level: &Level| self.reached[*level as usize].is_some();
        Level::ALL.into_iter().rev().find(reached).unwrap_or_default()
    }

    /// When the protected person was first told.
    pub fn warned_at(&self) -> Option<CallTime> {
        self.reached[Level::Warning as usize..].iter().flatten().min().copied()
    }
}

/// The calls of one corpus.
#[derive(Debug, Clone, PartialEq)]
pub struct Corpus {
    /// Its name.
    pub name: String,
    /// Its calls, in the order in which they stand in it.
    pub samples: Vec<Sample>,
}

/// A group of near-duplicates.
pub type Group<'a> = Vec<&'a Sample>;

/// The groups of some calls of one corpus, in order of name.
pub fn groups<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<&str, Group<'_>> = BTreeMap::new();
    for sample in samples {
        groups.entry(&sample.group).or_default().push(sample);
    }
    groups.into_values().collect()
}

/// The mean over the calls of a group.
pub fn mean(group: &[&Sample], value: impl Fn(&Sample) -> f64) -> f64 {
    group.iter().map(|sample| value(sample)).sum::<f64>() / group.len().max(1) as f64
}
