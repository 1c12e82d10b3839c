//! Why a call is judged as it is: turn by turn what was found, what was cancelled, and what it
//! came to. Pure: the ways of telling it are elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::pack::Maturity;
use super::phrases::{NearMiss, PhraseEar, PhraseFound, Phrases};
use super::reading::Finding;
use super::rulebook::Rulebook;
use super::score::{self, Level};
use super::screen::{Screen, Verdict};
use super::stage::Stage;
use crate::call::{Origin, Signal, Sound, Utterance};
use crate::config::Levels;
use crate::time::CallTime;

/// What was heard at a turn of the call.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// Words.
    Speech(Utterance),
    /// Something that is not a word.
    Signal(Signal),
}

/// A rule that was found at a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What the engine found; a signal's has an empty span.
    pub finding: Finding,
    /// Which of the rule's phrases matched, from 0; none for a signal.
    pub phrase: Option<usize>,
    /// When the rule was first found, if that was at an earlier turn: a rule counts once.
    pub since: Option<CallTime>,
}

/// One turn of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// What was heard.
    pub told: Told,
    /// What the rules found in it, cancelled phrases included.
    pub found: Vec<Found>,
    /// Every phrase in it, of a rule that has several too.
    pub phrases: Vec<PhraseFound>,
    /// What nearly matched. None for words that may still be revised.
    pub near: Vec<NearMiss>,
    /// The level and the score before.
    pub before: (Level, f64),
    /// Decibans that faded since the turn before, ahead of the caps.
    pub faded: f64,
    /// The call so far.
    pub verdict: Verdict,
}

impl Turn {
    /// Whether it can no longer be revised.
    pub const fn is_settled(&self) -> bool {
        match &self.told {
            Told::Speech(utterance) => utterance.is_final,
            Told::Signal(_) => true,
        }
    }
}

/// A call, explained.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The rules that judged it.
    pub book: Arc<Rulebook>,
    /// What was known before anyone spoke.
    pub origin: Origin,
    /// What that adds, in decibans.
    pub start: f64,
    /// Where the levels begin.
    pub levels: Levels,
    /// From the first word to the last.
    pub turns: Vec<Turn>,
    /// The call at its end.
    pub last: Verdict,
    /// The moment of the highest score, at the highest level: what the call is reported as.
    pub worst: Verdict,
}

/// How the evidence of one stage adds up, in decibans.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StageSum {
    /// The stage.
    pub stage: Stage,
    /// The sum of its rules.
    pub heard: f64,
    /// The most that it may add.
    pub cap: f64,
}

impl StageSum {
    /// What it adds.
    pub fn counts(&self) -> f64 {
        self.heard.min(self.cap)
    }
}

/// How demands are held back while no reason was given for them, in decibans.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PretextSum {
    /// The evidence of the stages before extraction, as it was when it was heard.
    pub heard: f64,
    /// How much of it makes a pretext.
    pub least: f64,
    /// What extraction and the stages after it come to.
    pub demands: f64,
    /// The most that they may add without a pretext.
    pub cap: f64,
}

impl PretextSum {
    /// Whether a reason was given.
    pub fn is_given(&self) -> bool {
        self.heard >= self.least
    }

    /// What is cut from the demands.
    pub fn cuts(&self) -> f64 {
        if self.is_given() { 0.0 } else { (self.demands - self.cap).max(0.0) }
    }
}

/// How a score adds up, in decibans.
#[derive(Debug, Clone, PartialEq)]
pub struct Sums {
    /// Every stage that was reached.
    pub stages: Vec<StageSum>,
    /// The pretext, where a pack asks for one.
    pub pretext: Option<PretextSum>,
    /// What its sequences add.
    pub sequences: f64,
    /// What speaks for an honest call: 0 or less.
    pub reassurance: f64,
}

/// Hears a call and keeps what explains it.
#[derive(Debug)]
pub struct Explainer<'a> {
    ear: PhraseEar<'a>,
    screen: Screen,
    /// When each rule was first found.
    first: BTreeMap<usize, CallTime>,
    call: Explanation,
}

impl<'a> Explainer<'a> {
    /// Starts on a call.
    pub fn new(book: &Arc<Rulebook>, phrases: &'a Phrases, levels: Levels, origin: Origin) -> Self {
        let screen = Screen::new(Arc::clone(book), levels, origin);
        let verdict = screen.verdict();
        let call = Explanation {
            book: Arc::clone(book),
            origin,
            start: score::start(&levels, origin),
            levels,
            turns: Vec::new(),
            last: verdict.clone(),
            worst: verdict,
        };
        Self { ear: phrases.listen(levels), screen, first: BTreeMap::new(), call }
    }

    /// Takes in an utterance.
    pub fn hear(&mut self, utterance: Utterance) {
        let heard = self.screen.hear(&utterance);
        let (phrases, mut near) = self.ear.hear(&utterance);
        near.retain(|near| utterance.is_final && !self.first.contains_key(&near.rule));
        let found = heard.findings.into_iter().map(|finding| Found {
            phrase: phrase_of(&finding, &phrases),
            since: self.first.get(&finding.rule).copied(),
            finding,
        });
        let found: Vec<Found> = found.collect();
        if utterance.is_final {
            self.remember(&found, utterance.end);
        }
        self.turn(Told::Speech(utterance), found, phrases, near, heard.verdict);
    }

    /// Takes in what was heard.
    pub fn take(&mut self, sound: Sound) {
        match sound {
            Sound::Speech(utterance) => self.hear(utterance),
            Sound::Signal(signal) => self.note(signal),
        }
    }

    /// Takes in a signal.
    pub fn note(&mut self, signal: Signal) {
        let (verdict, rules) = self.screen.note(&signal);
        let found = rules.into_iter().map(|rule| Found {
            finding: Finding::of_signal(rule),
            phrase: None,
            since: self.first.get(&rule).copied(),
        });
        let found: Vec<Found> = found.collect();
        self.remember(&found, signal.at);
        self.turn(Told::Signal(signal), found, Vec::new(), Vec::new(), verdict);
    }

    /// The call ends.
    pub fn end(mut self) -> Explanation {
        self.call.last = self.screen.verdict();
        self.settle(&self.call.last.clone());
        self.call
    }

    fn remember(&mut self, found: &[Found], at: CallTime) {
        for one in found.iter().filter(|one| one.finding.keeps > 0.0) {
            self.first.entry(one.finding.rule).or_insert(at);
        }
    }

    fn turn(
        &mut self,
        told: Told,
        found: Vec<Found>,
        phrases: Vec<PhraseFound>,
        near: Vec<NearMiss>,
        verdict: Verdict,
    ) {
        let before = &self.call.last;
        let faded = faded(&self.call.book, before, &verdict);
        let before = (before.level, before.score);
        let turn = Turn { told, found, phrases, near, before, faded, verdict };
        self.call.last = turn.verdict.clone();
        if turn.is_settled() {
            self.settle(&turn.verdict);
        }
        self.call.turns.push(turn);
    }

    fn settle(&mut self, verdict: &Verdict) {
        let worst = &mut self.call.worst;
        if verdict.level > worst.level || verdict.score > worst.score {
            *worst = Verdict { level: verdict.level.max(worst.level), ..verdict.clone() };
        }
    }
}

/// The phrase that a finding is: the one with its span, or else one that counts as much.
fn phrase_of(finding: &Finding, phrases: &[PhraseFound]) -> Option<usize> {
    let of_rule = || phrases.iter().filter(|found| found.rule == finding.rule);
    let exact = of_rule().find(|found| found.span == finding.span);
    let alike = || of_rule().max_by(|left, right| left.keeps.total_cmp(&right.keeps));
    exact.or_else(alike).map(|found| found.phrase)
}

/// How much lighter what was heard before has become. Revised words do not fade: they go.
fn faded(book: &Rulebook, before: &Verdict, now: &Verdict) -> f64 {
    let counts = |rule: usize| book.rules[rule].maturity == Maturity::Stable;
    let lost = before.hits.iter().filter(|hit| counts(hit.rule)).filter_map(|old| {
        let new = now.hits.iter().find(|new| new.rule == old.rule)?;
        Some((old.weight - new.weight).max(0.0))
    });
    lost.sum()
}

impl Explanation {
    /// When the call first was at `level` or above, in words that can no longer be revised: the
    /// index of the turn.
    pub fn reached(&self, level: Level) -> Option<usize> {
        self.turns.iter().position(|turn| turn.is_settled() && turn.verdict.level >= level)
    }

    /// How the score of a verdict of this call adds up.
    pub fn sums(&self, verdict: &Verdict) -> Sums {
        let sums = &verdict.sums;
        let heard = |stage: &Stage| sums.stages[*stage as usize] > 0.0;
        let stage_sum = |stage: Stage| StageSum {
            stage,
            heard: sums.stages[stage as usize],
            cap: self.book.limits(stage).cap,
        };
        let stages: Vec<StageSum> = Stage::ALL.into_iter().filter(heard).map(stage_sum).collect();
        let pretext = self.book.pretext.map(|bound| PretextSum {
            heard: sums.pretext,
            least: bound.least,
            demands: demands(&stages),
            cap: bound.cap_without,
        });
        Sums {
            stages,
            pretext,
            sequences: sums.sequences.min(self.book.sequence_limits.cap),
            reassurance: sums.reassurance.max(-self.book.reassurance),
        }
    }

    /// What a rule weighed when it was heard, by the moment of a verdict: before it faded.
    pub fn when_heard(&self, rule: usize, verdict: &Verdict) -> f64 {
        let until = |turn: &&Turn| turn.verdict.at <= verdict.at;
        let found = self.turns.iter().filter(until).flat_map(|turn| &turn.found);
        let shares = found.filter(|one| one.finding.rule == rule).map(|one| one.finding.keeps);
        self.book.rules[rule].weight * shares.fold(0.0, f64::max)
    }
}

fn demands(stages: &[StageSum]) -> f64 {
    stages.iter().filter(|sum| sum.stage >= Stage::Extraction).map(StageSum::counts).sum()
}
