//! Packs from their text: parsed, compiled, and held against their own examples.

use super::compile::compile;
use super::error::{Problem, RuleErrors};
use super::example;
use super::lint;
use super::pack::Pack;
use super::parse::parse;
use super::rulebook::Rulebook;

/// Loads packs, given as (file name, text).
///
/// # Errors
/// On everything that is wrong in any of them.
pub fn load(sources: &[(String, String)]) -> Result<Rulebook, RuleErrors> {
    let (packs, mut problems) = parse_all(sources);
    let Some(packs) = packs else { return Err(RuleErrors(problems)) };
    let book = read(&packs, &mut problems);
    if problems.is_empty() { Ok(book) } else { Err(RuleErrors(problems)) }
}

/// Everything that is wrong with packs; if nothing is, everything that may be better.
pub fn check(sources: &[(String, String)]) -> Vec<Problem> {
    let (packs, mut problems) = parse_all(sources);
    let Some(packs) = packs else { return problems };
    let book = read(&packs, &mut problems);
    if problems.is_empty() { lint::warnings(&packs, &book) } else { problems }
}

type Packs<'a> = Vec<(&'a str, Pack)>;

/// All packs, unless one of them cannot be read on.
fn parse_all(sources: &[(String, String)]) -> (Option<Packs<'_>>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut pack_of = |(file, text): &'_ (String, String)| {
        let (pack, wrong) = parse(file, text);
        problems.extend(wrong);
        pack
    };
    let packs: Vec<Option<Pack>> = sources.iter().map(&mut pack_of).collect();
    let files = sources.iter().map(|(file, _)| file.as_str());
    let packs = files.zip(packs).map(|(file, pack)| Some((file, pack?))).collect();
    (packs, problems)
}

fn read(packs: &[(&str, Pack)], problems: &mut Vec<Problem>) -> Rulebook {
    let (book, wrong) = compile(packs);
    problems.extend(wrong);
    // A cue or a list that is wrong shows in the examples of any rule; a rule only in its own.
    let is_own = |problem: &Problem| matches!(problem.place.table, "rule" | "suppression");
    if !problems.iter().all(is_own) {
        return book;
    }
    let wrong = example::contradicted(packs, &book, problems);
    problems.extend(wrong);
    book
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
        assert!(
            error.starts_with(
                "p.toml: rule p.cash: weight is 50, it must be from 0.5 to 20 decibans"
            ),
            "{error}"
        );
        assert!(problem("<4>", "<40>").contains(
            "a gap is written <n>, with n from 1 to 12: \
            column 10 of \"withdraw <40> (cash|#amount)\" (write <12>)"
        ));
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
