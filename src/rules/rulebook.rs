//! The book of all rules, compiled, and how phrases are found with it.

use std::collections::HashMap;

use super::automaton::{Automaton, Threads};
use super::error::Problem;
pub use super::found::{Match, Owner};
use super::index::{Candidates, Index};
use super::pack::{Context, CueKind, Families, Header, Maturity, Pretext, Speaker, StageLimits};
use super::row::Row;
use super::sequence::Sequence;
use super::stage::Stage;
use super::vocabulary::Vocabulary;
use crate::call::SignalKind;

/// A rule, ready to score.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Unique over all packs.
    pub id: String,
    /// What was heard, as told to a person.
    pub title: String,
    /// The index of its pack in [`Rulebook::packs`].
    pub pack: usize,
    /// The stage of the script.
    pub stage: Stage,
    /// Decibans.
    pub weight: f64,
    /// The bounds of tuning, in decibans, where the pack states them.
    pub bounds: Option<[f64; 2]>,
    /// Who must say it.
    pub speaker: Speaker,
    /// In which calls it counts; in all if empty.
    pub context: Vec<Context>,
    /// The share of the weight that counts if a word was misheard, 0…1.
    pub tolerance: f64,
    /// The index of its group in [`Rulebook::groups`].
    pub group: Option<usize>,
    /// Seconds.
    pub half_life: f64,
    /// Whether a negation cancels it.
    pub negatable: bool,
    /// How far it is to be trusted.
    pub maturity: Maturity,
    /// What the local rules changed, if they did.
    pub local: Option<Local>,
    /// It follows from other rules: see [`Rulebook::sequences`].
    pub is_sequence: bool,
    pub(super) signal: Option<SignalKind>,
}

impl Rule {
    /// The local rules did not switch it off.
    pub fn is_on(&self) -> bool {
        self.local.as_ref().is_none_or(|local| local.enabled)
    }

    /// It raises the level; an experimental rule is only shown.
    pub fn counts(&self) -> bool {
        self.maturity == Maturity::Stable
    }
}

/// What the file of local rules changed in a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Local {
    /// False if the rule is switched off.
    pub enabled: bool,
    /// The pack's own weight, in decibans.
    pub shipped_weight: f64,
    /// Why.
    pub reason: String,
}

/// Words that change what the phrases after them mean.
#[derive(Debug, Clone)]
pub struct Cue {
    /// What kind of change.
    pub kind: CueKind,
    /// Shown as the reason.
    pub title: String,
    /// Words after the cue within which a phrase must begin.
    pub reach: usize,
    /// Whether the end of the sentence ends the reach.
    pub same_sentence: bool,
    /// The share of the weight that remains, 0…1.
    pub keeps: f64,
    /// Seconds for which the same party's later words are changed too.
    pub lasts: f64,
}

/// Words that show that a call is honest, and the rules that then count less.
#[derive(Debug, Clone)]
pub struct Suppression {
    /// Unique over all packs.
    pub id: String,
    /// Shown as the reason.
    pub title: String,
    /// Who must say it.
    pub speaker: Speaker,
    /// Whether each rule, by its index, counts less.
    pub of: Vec<bool>,
    /// The share of the weight that remains, 0…1.
    pub keeps: f64,
    /// Seconds before and after in which the rules count less.
    pub lasts: f64,
}

/// An evidence group.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The most that its rules add together, in decibans.
    pub cap: f64,
}

/// A phrase of a rule, cue or suppression.
#[derive(Debug)]
pub struct Phrase {
    /// Whose it is.
    pub owner: Owner,
    /// As it is written in the pack.
    pub text: String,
    pub(super) automaton: Automaton,
}

/// All rules of all packs, compiled and checked against their own examples.
#[derive(Debug)]
pub struct Rulebook {
    /// The packs, in the order in which they were given.
    pub packs: Vec<Header>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// The cues.
    pub cues: Vec<Cue>,
    /// The suppressions.
    pub suppressions: Vec<Suppression>,
    /// The evidence groups.
    pub groups: Vec<Group>,
    /// The rules that follow from others.
    pub sequences: Vec<Sequence>,
    /// How much several families add to each other.
    pub families: Families,
    /// The most that reassuring rules take away together, in decibans.
    pub reassurance: f64,
    /// What sequences add at most, and how far it fades.
    pub sequence_limits: StageLimits,
    /// What a demand without a pretext may add, if any pack says.
    pub pretext: Option<Pretext>,
    /// All phrases.
    pub phrases: Vec<Phrase>,
    /// What is odd and does no harm: an override of a rule that there is no more.
    pub notes: Vec<Problem>,
    pub(super) limits: HashMap<Stage, StageLimits>,
    pub(super) steps: Vec<Vec<(u32, u32)>>,
    pub(super) index: Index,
    pub(super) vocabulary: Vocabulary,
}

/// Buffers of [`Rulebook::find`], kept from utterance to utterance.
#[derive(Debug, Default)]
pub struct Scratch {
    candidates: Candidates,
    threads: Threads,
}

impl Rulebook {
    /// The limits of a stage.
    pub fn limits(&self, stage: Stage) -> StageLimits {
        self.limits.get(&stage).copied().unwrap_or(StageLimits { cap: 0.0, floor: 0.0 })
    }

    /// How many words back a new utterance must look: the longest match, and a cue before it.
    pub fn reach(&self) -> usize {
        self.index.longest() + self.cues.iter().map(|cue| cue.reach).max().unwrap_or(0)
    }

    /// The words that phrases mention.
    pub const fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The rules that a signal triggers.
    pub fn on_signal(&self, kind: SignalKind) -> impl Iterator<Item = usize> + '_ {
        let is_triggered = move |rule: &Rule| rule.signal == Some(kind) && rule.is_on();
        (0..self.rules.len()).filter(move |at| is_triggered(&self.rules[*at]))
    }

    /// The steps of sequences that a rule is, as (sequence, step).
    pub fn steps_of(&self, rule: usize) -> &[(u32, u32)] {
        &self.steps[rule]
    }

    /// Lets experimental rules count.
    pub fn trust_experimental(&mut self) {
        for rule in &mut self.rules {
            rule.maturity = Maturity::Stable;
        }
    }

    /// All matches that end among the fresh words of `row`, in order of place.
    ///
    /// The cost grows with the words and with the phrases whose rarest words occur, not with the
    /// number of rules.
    pub fn find(&self, row: &Row, scratch: &mut Scratch, matches: &mut Vec<Match>) {
        matches.clear();
        let Scratch { candidates, threads } = scratch;
        self.index.look_up(row, candidates);
        let (fresh, end) = (row.fresh(), row.words().len());
        let mut at = 0;
        while let Some(&(number, anchor)) = candidates.found.get(at) {
            let phrase = &self.phrases[number as usize];
            let (anchor, reach) = (anchor as usize, phrase.automaton.longest() - 1);
            let from = anchor.saturating_sub(reach);
            let mut to = (anchor + reach + 1).min(end);
            at += 1;
            // Windows that overlap are run once, so that repetition cannot make the work quadratic.
            while let Some(&(_, next)) = candidates
                .found
                .get(at)
                .filter(|(other, next)| *other == number && (*next as usize) < to + reach)
            {
                to = (next as usize + reach + 1).min(end);
                at += 1;
            }
            if to <= fresh || !phrase.automaton.may_match(row, from, to, fresh) {
                continue;
            }
            phrase.automaton.matches(row, from, to, threads, |start, end, misheard| {
                if end > fresh {
                    let owner = phrase.owner;
                    matches.push(Match { start, end, owner, misheard, phrase: number });
                }
            });
        }
        matches.sort_unstable();
        matches.dedup_by_key(|found| (found.start, found.end, found.owner));
    }
}
