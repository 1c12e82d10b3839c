//! One call's conversation, scored as it unfolds.

use std::sync::Arc;

use super::pack::Context;
use super::reading::{Finding, Lasting, Reader, may_say};
use super::row::Row;
use super::rulebook::Rulebook;
use super::score::{self, Evidence, Hit, Ledger, Level, Score, Sums};
use super::stage::Stage;
use crate::call::{Leg, Origin, Signal, Utterance};
use crate::config::Levels;
use crate::time::CallTime;

/// A phrase may go on in the next utterance of the same leg if the pause is no longer than this.
const SAME_BREATH_MS: u64 = 8_000;

/// What the rules make of a call so far. It always carries its reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The moment in the call that it speaks of.
    pub at: CallTime,
    /// How dangerous the call is.
    pub level: Level,
    /// Decibans.
    pub score: f64,
    /// The furthest stage of the script that was reached.
    pub stage: Option<Stage>,
    /// Index into [`Rulebook::packs`].
    pub family: Option<usize>,
    /// Every rule that was heard, heaviest first.
    pub hits: Vec<Hit>,
    /// What the score is the sum of.
    pub sums: Sums,
}

/// The answer to one utterance.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The call so far.
    pub verdict: Verdict,
    /// What this utterance contains, cancelled phrases included.
    pub findings: Vec<Finding>,
    /// The suppressions that it contains, as indices into [`Rulebook::suppressions`].
    pub suppressions: Vec<usize>,
}

/// Screens one call.
///
/// Memory is bounded by the number of rules: words are forgotten once no phrase can begin in them.
#[derive(Debug)]
pub struct Screen {
    book: Arc<Rulebook>,
    levels: Levels,
    origin: Origin,
    start: f64,
    is_after_suspicious: bool,
    /// The level of what is settled: a partial utterance leaves no trace in it.
    level: Level,
    now: CallTime,
    settled: Ledger,
    legs: [LegState; 3],
    reader: Reader,
}

/// What is remembered of one leg.
#[derive(Debug, Default)]
struct LegState {
    /// The last words of the final utterances, for phrases and numbers that go on.
    row: Row,
    row_end: CallTime,
    has_spoken: bool,
    /// A cue that still works, and until when.
    lasting: Option<(Lasting, CallTime)>,
    /// What the last partial utterance contains: dropped when it is revised.
    partial: Vec<Evidence>,
    partly_suppressed: Vec<(usize, CallTime)>,
}

impl Screen {
    /// Starts on a call.
    pub fn new(book: Arc<Rulebook>, levels: Levels, origin: Origin) -> Self {
        Self {
            start: score::start(&levels, origin),
            book,
            levels,
            origin,
            is_after_suspicious: false,
            level: Level::Quiet,
            now: CallTime::START,
            settled: Ledger::default(),
            legs: Default::default(),
            reader: Reader::default(),
        }
    }

    /// A suspicious call was on this line not long before: scammers ring back.
    #[must_use]
    pub fn after_suspicious(mut self) -> Self {
        self.start += self.levels.after_suspicious;
        self.is_after_suspicious = true;
        self
    }

    /// The rules that the call is screened with: the same from its beginning to its end.
    pub const fn book(&self) -> &Arc<Rulebook> {
        &self.book
    }

    /// Takes in an utterance. A partial one is replaced by the next of the same leg.
    pub fn hear(&mut self, utterance: &Utterance) -> Heard {
        let (findings, suppressions) = self.read(utterance);
        let evidence = findings
            .iter()
            .filter(|finding| finding.keeps > 0.0)
            .map(|finding| Evidence::new(finding.rule, utterance.end, finding.keeps));
        let leg = &mut self.legs[utterance.leg as usize];
        leg.partial.clear();
        leg.partly_suppressed.clear();
        self.now = self.now.max(utterance.end);
        let suppressed = suppressions.iter().map(|one| (*one, utterance.end));
        if !utterance.is_final {
            leg.partial.extend(evidence);
            leg.partly_suppressed.extend(suppressed);
            return Heard { verdict: self.verdict(), findings, suppressions };
        }
        evidence.for_each(|new| self.settled.add(&self.book, new));
        suppressed.for_each(|(one, at)| self.settled.suppress(one, at));
        let verdict = self.judge(&self.settled);
        self.level = verdict.level;
        Heard { verdict, findings, suppressions }
    }

    /// What an utterance contains. A final one is remembered, a partial one is not.
    fn read(&mut self, utterance: &Utterance) -> (Vec<Finding>, Vec<usize>) {
        let leg = &mut self.legs[utterance.leg as usize];
        if utterance.start.ms_since(leg.row_end) > SAME_BREATH_MS {
            leg.row.clear();
        }
        let lasting = leg.lasting.filter(|(_, until)| utterance.start < *until);
        let mut lasting = lasting.map(|(lasting, _)| lasting);
        let before = (!utterance.is_final).then(|| leg.row.clone());
        let (mut findings, mut suppressions, mut next) = (Vec::new(), Vec::new(), None);
        leg.row.push(utterance.text.reveal());
        while leg.row.next(&self.book.vocabulary, self.book.reach()) {
            next = self.reader.read(&self.book, utterance.leg, &mut leg.row, lasting).or(next);
            lasting = next.or(lasting);
            findings.append(&mut self.reader.findings);
            suppressions.append(&mut self.reader.suppressions);
        }
        let context = Known { origin: self.origin, after_suspicious: self.is_after_suspicious };
        findings.retain(|finding| context.allows(&self.book.rules[finding.rule].context));
        if let Some(before) = before {
            leg.row = before;
            return (findings, suppressions);
        }
        leg.row_end = utterance.end;
        leg.has_spoken = true;
        if let Some(lasting) = next {
            let ms = (self.book.cues[lasting.cue].lasts * 1000.0) as u64;
            leg.lasting = Some((lasting, CallTime(utterance.end.0.saturating_add(ms))));
        }
        (findings, suppressions)
    }

    /// A voice was heard on a leg; what it said is not known.
    pub const fn voice(&mut self, leg: Leg) {
        self.legs[leg as usize].has_spoken = true;
    }

    /// Takes in a signal. Returns the verdict and the rules that it triggered.
    ///
    /// A signal tells nothing of the other party before that party has spoken (an exchange plays
    /// dial tone at the start of an outgoing call), nor on a leg that is both parties'.
    pub fn note(&mut self, signal: &Signal) -> (Verdict, Vec<usize>) {
        let book = Arc::clone(&self.book);
        let can_tell = signal.leg != Leg::Mixed && self.legs[signal.leg as usize].has_spoken;
        let context = Known { origin: self.origin, after_suspicious: self.is_after_suspicious };
        let may = |rule: &usize| {
            let rule = &book.rules[*rule];
            can_tell && may_say(rule.speaker, signal.leg) && context.allows(&rule.context)
        };
        let rules: Vec<usize> = book.on_signal(signal.kind).filter(may).collect();
        for &rule in &rules {
            self.settled.add(&book, Evidence::new(rule, signal.at, 1.0));
        }
        self.now = self.now.max(signal.at);
        let verdict = self.judge(&self.settled);
        self.level = verdict.level;
        (verdict, rules)
    }

    /// The call so far, words that may still be revised included.
    pub fn verdict(&self) -> Verdict {
        if self.legs.iter().all(|leg| leg.partial.is_empty() && leg.partly_suppressed.is_empty()) {
            return self.judge(&self.settled);
        }
        let mut ledger = self.settled.clone();
        for leg in &self.legs {
            leg.partial.iter().for_each(|partial| ledger.add(&self.book, *partial));
            leg.partly_suppressed.iter().for_each(|(one, at)| ledger.suppress(*one, *at));
        }
        self.judge(&ledger)
    }

    fn judge(&self, ledger: &Ledger) -> Verdict {
        let Score { total, hits, stage, family, sums } =
            ledger.add_up(&self.book, self.start, self.now);
        let level = score::level(&self.levels, total, self.level);
        Verdict { at: self.now, level, score: total, stage, family, hits, sums }
    }
}

/// What is known of a call, as rules ask for it.
#[derive(Debug, Clone, Copy)]
struct Known {
    origin: Origin,
    after_suspicious: bool,
}

impl Known {
    /// Whether a rule that asks for any of `wanted` counts in this call.
    fn allows(self, wanted: &[Context]) -> bool {
        let is_so = |context: &Context| match context {
            Context::Incoming => self.origin != Origin::Outgoing,
            Context::Outgoing => self.origin == Origin::Outgoing,
            Context::UnknownNumber => self.origin == Origin::Unknown,
            Context::KnownContact => self.origin == Origin::KnownContact,
            Context::AfterSuspicious => self.after_suspicious,
        };
        wanted.is_empty() || wanted.iter().any(is_so)
    }
}
