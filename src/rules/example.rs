//! The examples of packs, held against their rules.

use super::error::{Code, Place, Problem};
use super::pack::{Pack, Speaker};
use super::reading::Reader;
use super::row::Row;
use super::rulebook::Rulebook;
use super::score::PLAIN;
use crate::call::Leg;

/// The examples that their rules contradict; `known` is what is wrong already.
pub(super) fn contradicted(
    packs: &[(&str, Pack)],
    book: &Rulebook,
    known: &[Problem],
) -> Vec<Problem> {
    let mut examples = Examples { book, reader: Reader::default(), wrong: Vec::new() };
    for (file, pack) in packs {
        examples.check(file, pack, known);
    }
    examples.wrong
}

/// Reads an example, which may name its leg: "protected: words".
pub(super) fn read(book: &Rulebook, reader: &mut Reader, example: &str, speaker: Speaker) {
    let (leg, said) = said(example, speaker);
    let mut row = row(book, said);
    reader.read(book, leg, &mut row, None);
}

/// Who says an example, and the words.
fn said(example: &str, speaker: Speaker) -> (Leg, &str) {
    let named =
        example.split_once(": ").and_then(|(leg, words)| Some((Leg::from_name(leg)?, words)));
    named.unwrap_or(match speaker {
        Speaker::Protected => (Leg::Protected, example),
        Speaker::Remote | Speaker::Any => (Leg::Remote, example),
    })
}

/// The words of an example.
pub(super) fn words_of(book: &Rulebook, example: &str) -> Row {
    row(book, said(example, Speaker::Any).1)
}

/// Words as a row to find phrases in.
pub(super) fn row(book: &Rulebook, said: &str) -> Row {
    let mut row = Row::default();
    row.push(said);
    row.next(book.vocabulary(), 0);
    row
}

struct Examples<'a> {
    book: &'a Rulebook,
    reader: Reader,
    wrong: Vec<Problem>,
}

impl Examples<'_> {
    /// Checks the examples of a pack; not of what has a problem already.
    fn check(&mut self, file: &str, pack: &Pack, known: &[Problem]) {
        let is_sick = |id: &str| known.iter().any(|problem| problem.place.name == id);
        let ids = self.book.rules.iter().enumerate().map(|(at, rule)| (rule.id.as_str(), at));
        let by_id: std::collections::HashMap<&str, usize> = ids.collect();
        for (index, text) in pack.rules.iter().enumerate() {
            let Some(rule) = by_id.get(text.id.as_str()).copied() else { continue };
            if !self.book.rules[rule].is_on() || is_sick(&text.id) {
                continue;
            }
            let place = Place::nth("rule", index, &text.id);
            let book = self.book;
            let found = |reader: &Reader| {
                let found = reader.findings.iter().find(|one| one.rule == rule)?;
                let phrase = &book.phrases[found.phrase? as usize].text;
                let why = match found.cue.filter(|_| found.keeps < PLAIN) {
                    Some(cue) => format!("a cue takes it back: {}", book.cues[cue].title),
                    None => format!("the phrase \"{phrase}\" finds it"),
                };
                Some((found.keeps >= PLAIN, why))
            };
            let examples = [&text.must_match, &text.must_not_match];
            self.each(file, &place, text.speaker, examples, found);
        }
        for (index, text) in pack.suppressions.iter().enumerate() {
            let known = self.book.suppressions.iter().position(|one| one.id == text.id);
            let Some(known) = known.filter(|_| !is_sick(&text.id)) else { continue };
            let place = Place::nth("suppression", index, &text.id);
            let examples = [&text.must_match, &text.must_not_match];
            let found = |reader: &Reader| {
                reader.suppressions.contains(&known).then(|| (true, "it is found".to_owned()))
            };
            self.each(file, &place, text.speaker, examples, found);
        }
    }

    fn each(
        &mut self,
        file: &str,
        place: &Place,
        speaker: Speaker,
        examples: [&Vec<String>; 2],
        found: impl Fn(&Reader) -> Option<(bool, String)>,
    ) {
        let kinds = [("must-match", true), ("must-not-match", false)];
        for ((key, should), sentences) in kinds.into_iter().zip(examples) {
            for (item, example) in sentences.iter().enumerate() {
                read(self.book, &mut self.reader, example, speaker);
                let found = found(&self.reader);
                if found.as_ref().is_some_and(|(counts, _)| *counts) == should {
                    continue;
                }
                let message = match should {
                    true => "a must-match example does not match",
                    false => "a must-not-match example matches",
                };
                let help = found.map(|(_, why)| why);
                let place = place.item(key, item, example);
                let problem = Problem::new(Code::Example, file, place, message);
                self.wrong.push(problem.helped(help));
            }
        }
    }
}
