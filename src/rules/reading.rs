//! One utterance read with the rules: what was found, who may say it, and what takes its sting out.

use std::ops::Range;

use super::pack::{CueKind, Speaker};
use super::row::Row;
use super::rulebook::{Match, Owner, Rulebook, Scratch};
use crate::call::Leg;

/// A rule's phrase in an utterance.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Index of the rule in [`Rulebook::rules`].
    pub rule: usize,
    /// Index of the phrase in [`Rulebook::phrases`]; `None` for a signal.
    pub phrase: Option<u32>,
    /// The bytes of the utterance's text that matched; a match that began in the utterance before
    /// starts at 0.
    pub span: Range<usize>,
    /// The share of the rule's weight that counts: 1 unless a cue or a mishearing took some of it.
    pub keeps: f64,
    /// The cue that took it, as an index into [`Rulebook::cues`].
    pub cue: Option<usize>,
    /// How many of the words were misheard.
    pub misheard: u8,
}

impl Finding {
    /// A rule that a signal triggered.
    pub const fn of_signal(rule: usize) -> Self {
        Self { rule, phrase: None, span: 0..0, keeps: 1.0, cue: None, misheard: 0 }
    }
}

/// A cue that goes on working after its utterance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lasting {
    /// Index into [`Rulebook::cues`].
    pub cue: usize,
}

/// Reads utterances; keeps its buffers.
#[derive(Debug, Default)]
pub struct Reader {
    scratch: Scratch,
    matches: Vec<Match>,
    /// What was found, the best of each rule, in order of place.
    pub findings: Vec<Finding>,
    /// The suppressions that were found.
    pub suppressions: Vec<usize>,
}

impl Reader {
    /// Reads the fresh words of a row into `findings` and `suppressions`. `lasting` is a cue from
    /// earlier that still works on this leg. Returns the cue that goes on working after
    /// them.
    pub fn read(
        &mut self,
        book: &Rulebook,
        leg: Leg,
        row: &mut Row,
        lasting: Option<Lasting>,
    ) -> Option<Lasting> {
        self.findings.clear();
        self.suppressions.clear();
        book.find(row, &mut self.scratch, &mut self.matches);
        let is_cue = |found: &&Match| matches!(found.owner, Owner::Cue(_));
        row.cues.extend(self.matches.iter().filter(is_cue));
        let mut next = None;
        for found in &self.matches {
            match found.owner {
                Owner::Rule(rule) if may_say(book.rules[rule].speaker, leg) => {
                    let finding = finding(book, row, found, rule, lasting);
                    self.findings.push(finding);
                }
                Owner::Suppression(at) if may_say(book.suppressions[at].speaker, leg) => {
                    self.suppressions.push(at);
                }
                Owner::Cue(cue) if book.cues[cue].lasts > 0.0 => next = Some(Lasting { cue }),
                _ => {}
            }
        }
        keep_best(book, &mut self.findings);
        next
    }
}

fn finding(
    book: &Rulebook,
    row: &Row,
    found: &Match,
    rule: usize,
    lasting: Option<Lasting>,
) -> Finding {
    let (mut keeps, cue) = discount(book, row, found, rule, lasting);
    if found.misheard > 0 {
        keeps *= book.rules[rule].tolerance;
    }
    Finding {
        rule,
        phrase: Some(found.phrase),
        span: row.span(found.start, found.end),
        keeps,
        cue,
        misheard: found.misheard,
    }
}

/// The share of its weight that a match keeps, and the cue that took the rest.
fn discount(
    book: &Rulebook,
    row: &Row,
    found: &Match,
    rule: usize,
    lasting: Option<Lasting>,
) -> (f64, Option<usize>) {
    let near = row.cues.iter().filter_map(|other| match other.owner {
        Owner::Cue(cue) if reaches(book, row, other, cue, found) => Some(cue),
        _ => None,
    });
    let negatable = book.rules[rule].negatable;
    let applies = |cue: &usize| negatable || book.cues[*cue].kind != CueKind::Negation;
    near.chain(lasting.map(|lasting| lasting.cue))
        .filter(applies)
        .map(|cue| (book.cues[cue].keeps, Some(cue)))
        .min_by(|left, right| left.0.total_cmp(&right.0))
        .unwrap_or((1.0, None))
}

/// Whether the cue at `at` works on the phrase `found`.
fn reaches(book: &Rulebook, row: &Row, at: &Match, cue: usize, found: &Match) -> bool {
    let cue = &book.cues[cue];
    let begins_inside = found.start >= at.start && found.start < at.end;
    if begins_inside {
        return at.start < found.start;
    }
    found.start >= at.end
        && found.start - at.end <= cue.reach
        && !(cue.same_sentence
            && row.words()[at.end - 1..found.start].iter().any(|word| word.ends_sentence))
}

/// A mixed leg may be either party.
pub(super) const fn may_say(speaker: Speaker, leg: Leg) -> bool {
    match (speaker, leg) {
        (Speaker::Any, _) | (_, Leg::Mixed) => true,
        (Speaker::Remote, leg) => matches!(leg, Leg::Remote),
        (Speaker::Protected, leg) => matches!(leg, Leg::Protected),
    }
}

/// Of several findings of one rule, the one that counts most; the widest of equals.
fn keep_best(book: &Rulebook, findings: &mut Vec<Finding>) {
    if findings.len() < 2 {
        return;
    }
    findings.sort_by(|left, right| {
        let width = |finding: &Finding| finding.span.len();
        (left.rule.cmp(&right.rule))
            .then(right.keeps.total_cmp(&left.keeps))
            .then(width(right).cmp(&width(left)))
            .then(left.span.start.cmp(&right.span.start))
    });
    findings.dedup_by_key(|finding| finding.rule);
    // In order of place; what is at one place, in the order of the script, whatever that of the
    // packs.
    let key = |finding: &Finding| {
        let rule = &book.rules[finding.rule];
        (finding.span.start, rule.stage, &rule.id)
    };
    findings.sort_by(|left, right| key(left).cmp(&key(right)));
}
