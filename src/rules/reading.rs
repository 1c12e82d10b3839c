//! One utterance read with the rules: what was found, who may say it, and what takes its sting out.

use std::ops::Range;

use super::pack::{CueKind, Speaker};
use super::rulebook::{Match, Owner, Rulebook, Scratch};
use super::words::Word;
use crate::call::Leg;

/// A rule's phrase in an utterance.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Index of the rule in [`Rulebook::rules`].
    pub rule: usize,
    /// The bytes of the utterance's text that matched; a match that began in the utterance before
    /// starts at 0.
    pub span: Range<usize>,
    /// The share of the rule's weight that counts: 1 unless a cue took some of it.
    pub keeps: f64,
    /// The cue that took it, as an index into [`Rulebook::cues`].
    pub cue: Option<usize>,
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
}

impl Reader {
    /// Reads the words that end behind byte `before` of the text; those in front of it were read
    /// already, and a phrase may begin in them. Spans count from `before`.
    ///
    /// `lasting` is a cue from earlier that still works on this leg. Returns the findings, and the
    /// cue that goes on working after this utterance.
    pub fn read(
        &mut self,
        book: &Rulebook,
        leg: Leg,
        all: &[Word],
        before: usize,
        lasting: Option<Lasting>,
    ) -> (Vec<Finding>, Option<Lasting>) {
        book.find(all, &mut self.scratch, &mut self.matches);
        let mut findings: Vec<Finding> = Vec::new();
        for found in &self.matches {
            let Owner::Rule(rule) = found.owner else { continue };
            let end = all[found.end - 1].span.end;
            if end <= before || !may_say(book.rules[rule].speaker, leg) {
                continue;
            }
            let (keeps, cue) = self.discount(book, all, found, rule, lasting);
            let span = all[found.start].span.start.saturating_sub(before)..end - before;
            findings.push(Finding { rule, span, keeps, cue });
        }
        keep_best(&mut findings);
        (findings, self.lasting(book, all, before))
    }

    /// The share of its weight that a match keeps, and the cue that took the rest.
    fn discount(
        &self,
        book: &Rulebook,
        all: &[Word],
        found: &Match,
        rule: usize,
        lasting: Option<Lasting>,
    ) -> (f64, Option<usize>) {
        let near = self.matches.iter().filter_map(|other| match other.owner {
            Owner::Cue(cue) if reaches(book, all, other, cue, found) => Some(cue),
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

    fn lasting(&self, book: &Rulebook, all: &[Word], before: usize) -> Option<Lasting> {
        let is_new = |found: &Match| all[found.end - 1].span.end > before;
        self.matches.iter().rev().find_map(|found| match found.owner {
            Owner::Cue(cue) if is_new(found) && book.cues[cue].lasts > 0.0 => Some(Lasting { cue }),
            _ => None,
        })
    }
}

/// Whether the cue at `at` works on the phrase `found`.
fn reaches(book: &Rulebook, all: &[Word], at: &Match, cue: usize, found: &Match) -> bool {
    let cue = &book.cues[cue];
    let begins_inside = found.start >= at.start && found.start < at.end;
    if begins_inside {
        return at.start < found.start;
    }
    found.start >= at.end
        && found.start - at.end <= cue.reach
        && !(cue.same_sentence
            && all[at.end - 1..found.start].iter().any(|word| word.ends_sentence))
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
fn keep_best(findings: &mut Vec<Finding>) {
    findings.sort_by(|left, right| {
        let width = |finding: &Finding| finding.span.len();
        (left.rule.cmp(&right.rule))
            .then(right.keeps.total_cmp(&left.keeps))
            .then(width(right).cmp(&width(left)))
    });
    findings.dedup_by_key(|finding| finding.rule);
    findings.sort_by_key(|finding| finding.span.start);
}
