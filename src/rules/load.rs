//! Packs from their text: parsed, compiled, and held against their own examples.

use super::error::RuleError;
use super::pack::{Pack, RuleText, Speaker};
use super::reading::Reader;
use super::rulebook::Rulebook;
use super::words::words;
use crate::call::Leg;

/// Loads packs, given as (file name, text).
///
/// # Errors
/// On the first thing that is wrong in any of them; if only examples are, on all of those.
pub fn load(sources: &[(String, String)]) -> Result<Rulebook, RuleError> {
    let mut packs = Vec::new();
    for (file, text) in sources {
        let pack: Pack = toml::from_str(text).map_err(|error| RuleError::Toml {
            file: file.clone(),
            problem: error.to_string().trim_end().to_owned(),
        })?;
        packs.push((file.as_str(), pack));
    }
    let book = Rulebook::compile(&packs)?;
    let mut wrong = Vec::new();
    for (file, pack) in &packs {
        check_examples(&book, file, pack, &mut wrong);
    }
    match wrong.len() {
        0 => Ok(book),
        1 => Err(wrong.remove(0)),
        _ => Err(RuleError::Examples(wrong)),
    }
}

/// A pack's examples, held against its rules. An example may name its leg: "protected: words".
fn check_examples(book: &Rulebook, file: &str, pack: &Pack, wrong: &mut Vec<RuleError>) {
    let mut reader = Reader::default();
    for text in &pack.rules {
        let Some(rule) = book.rules.iter().position(|rule| rule.id == text.id) else { continue };
        let expected = text.must_match.iter().map(|example| (example, true));
        let excluded = text.must_not_match.iter().map(|example| (example, false));
        for (example, should) in expected.chain(excluded) {
            if matches(&mut reader, book, rule, text, example) == should {
                continue;
            }
            wrong.push(RuleError::Example {
                file: file.to_owned(),
                rule: text.id.clone(),
                problem: match should {
                    true => "a must-match example does not match",
                    false => "a must-not-match example matches",
                },
                example: example.clone(),
            });
        }
    }
}

fn matches(
    reader: &mut Reader,
    book: &Rulebook,
    rule: usize,
    text: &RuleText,
    example: &str,
) -> bool {
    let named =
        example.split_once(": ").and_then(|(leg, words)| Some((Leg::from_name(leg)?, words)));
    let (leg, said) = named.unwrap_or(match text.speaker {
        Speaker::Protected => (Leg::Protected, example),
        Speaker::Remote | Speaker::Any => (Leg::Remote, example),
    });
    let (findings, _) = reader.read(book, leg, &words(said), 0, None);
    findings.iter().any(|finding| finding.rule == rule && finding.keeps >= 0.5)
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
        assert!(problem("id = \"p.cash\"", "id = \"cash\"").contains("begin with the pack's"));
        assert!(
            problem("stage = \"extraction\"", "stage = \"hook\"").contains("no pack has [stages]")
        );
        assert!(problem("title = \"Cash\"", "titel = \"Cash\"").contains("titel"));
        assert!(problem("withdraw <4> (cash|#amount)", "cash?").contains("every word is optional"));
    }
}
