//! Packs from their text: parsed, compiled, and held against their own examples.

use super::compile::compile;
use super::error::{Code, Place, Problem, RuleErrors};
use super::pack::{Pack, Speaker};
use super::reading::Reader;
use super::row::Row;
use super::rulebook::Rulebook;
use super::score::PLAIN;
use crate::call::Leg;

/// Loads packs, given as (file name, text).
///
/// # Errors
/// On everything that is wrong in any of them; examples are looked at once the rest is right.
pub fn load(sources: &[(String, String)]) -> Result<Rulebook, RuleErrors> {
    let (mut packs, mut problems) = (Vec::new(), Vec::new());
    for (file, text) in sources {
        match toml::from_str::<Pack>(text) {
            Ok(pack) => packs.push((file.as_str(), pack)),
            Err(error) => problems.append(&mut RuleErrors::syntax(file, &error).0),
        }
    }
    if !problems.is_empty() {
        return Err(RuleErrors(problems));
    }
    let book = compile(&packs)?;
    let mut examples = Examples { book: &book, reader: Reader::default(), wrong: Vec::new() };
    for (file, pack) in &packs {
        examples.check(file, pack);
    }
    if examples.wrong.is_empty() { Ok(book) } else { Err(RuleErrors(examples.wrong)) }
}

/// The examples of packs, held against their rules.
struct Examples<'a> {
    book: &'a Rulebook,
    reader: Reader,
    wrong: Vec<Problem>,
}

impl Examples<'_> {
    fn check(&mut self, file: &str, pack: &Pack) {
        let ids = self.book.rules.iter().enumerate().map(|(at, rule)| (rule.id.as_str(), at));
        let by_id: std::collections::HashMap<&str, usize> = ids.collect();
        for (index, text) in pack.rules.iter().enumerate() {
            let Some(rule) = by_id.get(text.id.as_str()).copied() else { continue };
            if !self.book.rules[rule].is_on() {
                continue;
            }
            let place = Place::nth("rule", index, &text.id);
            let found = |reader: &Reader| {
                reader.findings.iter().any(|one| one.rule == rule && one.keeps >= PLAIN)
            };
            let examples = [&text.must_match, &text.must_not_match];
            self.each(file, &place, text.speaker, examples, found);
        }
        for (index, text) in pack.suppressions.iter().enumerate() {
            let known = self.book.suppressions.iter().position(|one| one.id == text.id);
            let Some(known) = known else { continue };
            let place = Place::nth("suppression", index, &text.id);
            let examples = [&text.must_match, &text.must_not_match];
            let found = |reader: &Reader| reader.suppressions.contains(&known);
            self.each(file, &place, text.speaker, examples, found);
        }
    }

    /// An example may name its leg: "protected: words".
    fn each(
        &mut self,
        file: &str,
        place: &Place,
        speaker: Speaker,
        examples: [&Vec<String>; 2],
        found: impl Fn(&Reader) -> bool,
    ) {
        let kinds = [("must-match", true), ("must-not-match", false)];
        for ((key, should), sentences) in kinds.into_iter().zip(examples) {
            for (item, example) in sentences.iter().enumerate() {
                self.read(example, speaker);
                if found(&self.reader) == should {
                    continue;
                }
                let problem = match should {
                    true => "a must-match example does not match",
                    false => "a must-not-match example matches",
                };
                self.wrong.push(Problem {
                    code: Code::Example,
                    file: file.to_owned(),
                    place: place.item(key, item),
                    message: format!("{problem}: \"{example}\""),
                });
            }
        }
    }

    fn read(&mut self, example: &str, speaker: Speaker) {
        let named =
            example.split_once(": ").and_then(|(leg, words)| Some((Leg::from_name(leg)?, words)));
        let (leg, said) = named.unwrap_or(match speaker {
            Speaker::Protected => (Leg::Protected, example),
            Speaker::Remote | Speaker::Any => (Leg::Remote, example),
        });
        let mut row = Row::default();
        row.push(said);
        row.next(self.book.vocabulary(), 0);
        self.reader.read(self.book, leg, &mut row, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACK: &str = r#"
        [pack]
        id = "p"
        title = "P"
        version = "1"
        [stages.extraction]
        cap = 20.0
        floor = 0.5
        [[cue]]
        kind = "negation"
        title = "never asks"
        phrases = ["never <2> ask"]
        reach = 6
        [[rule]]
        id = "p.cash"
        title = "Cash"
        stage = "extraction"
        weight = 12.0
        phrases = ["withdraw <4> (cash|#amount)"]
        must-match = ["You withdrew the cash.", "withdraw about three thousand pounds"]
        must-not-match = ["We never ask you to withdraw cash.", "protected: I withdraw cash"]
    "#;

    fn problem(from: &str, to: &str) -> String {
        assert!(PACK.contains(from), "{from}");
        let sources = [("p.toml".to_owned(), PACK.replace(from, to))];
        load(&sources).expect_err("a bad pack").to_string()
    }

    #[test]
    fn a_sound_pack_loads() {
        let book = load(&[("p.toml".to_owned(), PACK.to_owned())]).expect("a sound pack");
        assert_eq!((book.rules.len(), book.cues.len()), (1, 1));
    }

    #[test]
    fn a_rule_that_fails_its_own_examples_does_not_load() {
        let error = problem("You withdrew the cash.", "You took the cash.");
        assert!(error.contains("p.cash") && error.contains("does not match"), "{error}");
        let error = problem("We never ask you", "We ask you");
        assert!(error.contains("a must-not-match example matches"), "{error}");
    }

    #[test]
    fn mistakes_name_file_place_and_bound() {
        let error = problem("weight = 12.0", "weight = 50.0");
        assert_eq!(error, "p.toml: rule p.cash: weight is 50, it must be from 0.5 to 20 decibans");
        let error = problem("weight = 12.0", "weight = 12.0\nbounds = [4.0, 11.0]");
        assert!(error.contains("bounds must be two numbers from 0.5 to 20"), "{error}");
        assert!(problem("<4>", "<40>").contains("column 10: a gap is written <n>"));
        assert!(problem("#amount", "@nowhere").contains("no list is named '@nowhere'"));
        assert!(problem("id = \"p.cash\"", "id = \"cash\"").contains("must begin with p."));
        assert!(
            problem("stage = \"extraction\"", "stage = \"hook\"")
                .contains("no pack has [stages.hook]")
        );
        assert!(problem("title = \"Cash\"", "titel = \"Cash\"").contains("titel"));
        assert!(problem("withdraw <4> (cash|#amount)", "cash?").contains("every word is optional"));
    }
}
