//! One call's conversation, scored as it unfolds.

use std::sync::Arc;

use super::reading::{Finding, Lasting, Reader, may_say};
use super::rulebook::Rulebook;
use super::score::{self, Evidence, Hit, Level, Score};
use super::stage::Stage;
use super::words::{Word, words};
use crate::call::{Leg, Origin, Signal, Utterance};
use crate::config::Levels;
use crate::private::Private;
use crate::time::CallTime;

/// A phrase may go on in the next utterance of the same leg if the pause is no longer than this.
const SAME_BREATH_MS: u64 = 8_000;

/// The words of one utterance that are read; a person says some 40 in 12 seconds.
const MAX_WORDS: usize = 4_000;

/// The bytes of earlier words that are kept for phrases that go on, whatever a "word" may be.
const MAX_TAIL: usize = 4_096;

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
    /// Every rule that counts, heaviest first.
    pub hits: Vec<Hit>,
}

/// The answer to one utterance.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The call so far.
    pub verdict: Verdict,
    /// What this utterance contains, cancelled phrases included.
    pub findings: Vec<Finding>,
}

/// Screens one call.
///
/// Memory is bounded by the number of rules: words are forgotten once no phrase can begin in them.
#[derive(Debug)]
pub struct Screen {
    book: Arc<Rulebook>,
    levels: Levels,
    start: f64,
    /// The level of what is settled: a partial utterance leaves no trace in it.
    level: Level,
    now: CallTime,
    settled: Vec<Evidence>,
    legs: [LegState; 3],
    reader: Reader,
}

/// What is remembered of one leg.
#[derive(Debug, Default)]
struct LegState {
    /// The last words of the final utterances, for phrases and numbers that go on.
    tail: Private<String>,
    tail_end: CallTime,
    has_spoken: bool,
    /// A cue that still works, and until when.
    lasting: Option<(Lasting, CallTime)>,
    /// What the last partial utterance contains: dropped when it is revised.
    partial: Vec<Evidence>,
}

impl Screen {
    /// Starts on a call.
    pub fn new(book: Arc<Rulebook>, levels: Levels, origin: Origin) -> Self {
        Self {
            start: score::start(&levels, origin),
            book,
            levels,
            level: Level::Quiet,
            now: CallTime::START,
            settled: Vec::new(),
            legs: Default::default(),
            reader: Reader::default(),
        }
    }

    /// Takes in an utterance. A partial one is replaced by the next of the same leg.
    pub fn hear(&mut self, utterance: &Utterance) -> Heard {
        let leg = &mut self.legs[utterance.leg as usize];
        if utterance.start.ms_since(leg.tail_end) > SAME_BREATH_MS {
            leg.tail = Private::default();
        }
        let (mut text, before) = leg.continued(utterance);
        let mut all = words(&text);
        if all.len() > MAX_WORDS {
            // What is not read must not stand in front of the next utterance.
            all.truncate(MAX_WORDS);
            text.truncate(all.last().map_or(0, |word| word.span.end));
        }
        let lasting =
            leg.lasting.filter(|(_, until)| utterance.start < *until).map(|(lasting, _)| lasting);
        let (findings, next) = self.reader.read(&self.book, utterance.leg, &all, before, lasting);

        let evidence = findings
            .iter()
            .filter(|finding| finding.keeps > 0.0)
            .map(|finding| Evidence::new(finding.rule, utterance.end, finding.keeps));
        if utterance.is_final {
            leg.partial.clear();
            evidence.for_each(|new| score::merge(&self.book, &mut self.settled, new));
            leg.remember(&self.book, &text, &all, utterance.end, next);
        } else {
            leg.partial = evidence.collect();
        }
        self.now = self.now.max(utterance.end);
        if !utterance.is_final {
            return Heard { verdict: self.verdict(), findings };
        }
        let verdict = self.judge(&self.settled);
        self.level = verdict.level;
        Heard { verdict, findings }
    }

    /// Takes in a signal. Returns the verdict and the rules that it triggered.
    ///
    /// A signal tells nothing of the other party before that party has spoken (an exchange plays
    /// dial tone at the start of an outgoing call), nor on a leg that is both parties'.
    pub fn note(&mut self, signal: &Signal) -> (Verdict, Vec<usize>) {
        let book = Arc::clone(&self.book);
        let can_tell = signal.leg != Leg::Mixed && self.legs[signal.leg as usize].has_spoken;
        let may = |rule: &usize| can_tell && may_say(book.rules[*rule].speaker, signal.leg);
        let rules: Vec<usize> = book.on_signal(signal.kind).filter(may).collect();
        for &rule in &rules {
            score::merge(&book, &mut self.settled, Evidence::new(rule, signal.at, 1.0));
        }
        self.now = self.now.max(signal.at);
        let verdict = self.judge(&self.settled);
        self.level = verdict.level;
        (verdict, rules)
    }

    /// The call so far, words that may still be revised included.
    pub fn verdict(&self) -> Verdict {
        let mut evidence = self.settled.clone();
        for partial in self.legs.iter().flat_map(|leg| &leg.partial) {
            score::merge(&self.book, &mut evidence, *partial);
        }
        self.judge(&evidence)
    }

    fn judge(&self, evidence: &[Evidence]) -> Verdict {
        let Score { total, hits, stage, family } =
            score::add_up(&self.book, evidence, self.start, self.now);
        let level = score::level(&self.levels, total, self.level);
        Verdict { at: self.now, level, score: total, stage, family, hits }
    }
}

impl LegState {
    /// The utterance behind what the leg said before, and where it begins there.
    fn continued(&self, utterance: &Utterance) -> (String, usize) {
        let text = utterance.text.reveal();
        let tail = self.tail.reveal();
        if tail.is_empty() { (text.clone(), 0) } else { (format!("{tail} {text}"), tail.len() + 1) }
    }

    fn remember(
        &mut self,
        book: &Rulebook,
        text: &str,
        all: &[Word],
        end: CallTime,
        next: Option<Lasting>,
    ) {
        let first = all.len().saturating_sub(book.reach());
        let oldest = text.len().saturating_sub(MAX_TAIL);
        let from = all[first..].iter().map(|word| word.span.start).find(|start| *start >= oldest);
        let from = from.unwrap_or(text.len());
        self.tail = text[from..].to_owned().into();
        self.tail_end = end;
        self.has_spoken = true;
        if let Some(lasting) = next {
            let ms = (book.cues[lasting.cue].lasts * 1000.0) as u64;
            self.lasting = Some((lasting, CallTime(end.0.saturating_add(ms))));
        }
    }
}
