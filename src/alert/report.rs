//! What the desk needs to know of a verdict: no words, and no index into a rulebook that may
//! change.

use crate::rules::{Level, Rulebook, Stage, Verdict};

/// A verdict, told by names.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// How dangerous the call is.
    pub level: Level,
    /// Decibans.
    pub score: f64,
    /// The furthest stage of the script.
    pub stage: Option<Stage>,
    /// The id of the pack with the most evidence.
    pub family: Option<String>,
    /// Its title, in plain English.
    pub family_title: Option<String>,
    /// Ids of the rules that were heard, heaviest first. Never empty from `caution` on.
    pub rules: Vec<String>,
}

/// What an incident names in place of a rule when somebody dialled, or a dial tone was heard, while
/// the far leg was up.
const TRICK: &str = "far-leg-still-up";

impl Report {
    /// Of a call of which nothing else is known than that trick.
    pub fn of_trick() -> Self {
        let rules = vec![TRICK.to_owned()];
        let (score, stage, family, family_title) = (0.0, None, None, None);
        Self { level: Level::Warning, score, stage, family, family_title, rules }
    }

    /// What is known, and that trick.
    #[must_use]
    pub fn with_trick(&self) -> Self {
        let mut report = Self { level: self.level.max(Level::Warning), ..self.clone() };
        report.rules.push(TRICK.to_owned());
        report
    }

    /// What a verdict says.
    pub fn new(verdict: &Verdict, book: &Rulebook) -> Self {
        let pack = verdict.family.and_then(|family| book.packs.get(family));
        let rules = verdict.hits.iter().filter_map(|hit| book.rules.get(hit.rule));
        Self {
            level: verdict.level,
            score: verdict.score,
            stage: verdict.stage,
            family: pack.map(|pack| pack.id.clone()),
            family_title: pack.map(|pack| pack.title.clone()),
            rules: rules.map(|rule| rule.id.clone()).collect(),
        }
    }
}
