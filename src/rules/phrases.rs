//! Rules as they were written, phrase by phrase: which phrase of a rule matched, and which nearly
//! did.
//!
//! The engine says which rule matched. Here every phrase is made a rule of its own, and so is every
//! phrase with one of its words left out; two more [`Screen`]s then hear the call with those.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::compile;
use super::error::RuleErrors;
use super::inflect::is_common;
use super::pack::{Header, Pack, RuleText};
use super::rulebook::Rulebook;
use super::screen::Screen;
use crate::call::{Origin, Utterance};
use crate::config::Levels;

/// A finding that keeps less than this share of its rule's weight is not a match: a rule's own
/// examples are held to the same.
pub use super::score::PLAIN as MATCHES;

/// Phrases that nearly matched, told of one utterance.
const MOST_NEAR: usize = 3;

/// The packs as they were written.
#[derive(Debug)]
pub struct Texts {
    packs: Vec<(String, Pack)>,
}

impl Texts {
    /// Reads packs, given as (file name, text).
    ///
    /// # Errors
    /// On the first that is not TOML, or has not the keys of a pack.
    pub fn parse(sources: &[(String, String)]) -> Result<Self, RuleErrors> {
        let read = |(file, text): &(String, String)| match toml::from_str(text) {
            Ok(pack) => Ok((file.clone(), pack)),
            Err(error) => Err(RuleErrors::syntax(file, &error)),
        };
        Ok(Self { packs: sources.iter().map(read).collect::<Result<_, _>>()? })
    }

    /// The book of these packs, not held against its own examples.
    ///
    /// # Errors
    /// On the first thing that is wrong in any of them.
    pub fn compile(&self) -> Result<Rulebook, RuleErrors> {
        compile(&self.packs)
    }

    /// Every rule with its pack, in the order in which they were written.
    pub fn rules(&self) -> impl Iterator<Item = (&Header, &RuleText)> {
        self.packs.iter().flat_map(|(_, pack)| pack.rules.iter().map(|rule| (&pack.pack, rule)))
    }

    /// The rule with this id, and its pack.
    pub fn rule(&self, id: &str) -> Option<(&Header, &RuleText)> {
        self.rules().find(|(_, rule)| rule.id == id)
    }
}

fn compile(packs: &[(String, Pack)]) -> Result<Rulebook, RuleErrors> {
    let named: Vec<_> = packs.iter().map(|(file, pack)| (file.as_str(), pack.clone())).collect();
    let (book, problems) = compile::compile(&named);
    if problems.is_empty() { Ok(book) } else { Err(RuleErrors(problems)) }
}

/// A phrase that was found in an utterance.
#[derive(Debug, Clone, PartialEq)]
pub struct PhraseFound {
    /// Index of its rule in [`Rulebook::rules`].
    pub rule: usize,
    /// Which of the rule's phrases, from 0.
    pub phrase: usize,
    /// The bytes of the utterance's text that matched.
    pub span: Range<usize>,
    /// The share of the rule's weight that counts.
    pub keeps: f64,
}

/// A phrase all of whose words but one were found in an utterance.
#[derive(Debug, Clone, PartialEq)]
pub struct NearMiss {
    /// Index of its rule in [`Rulebook::rules`].
    pub rule: usize,
    /// Which of the rule's phrases, from 0.
    pub phrase: usize,
    /// The bytes of the utterance's text in which the others were found.
    pub span: Range<usize>,
    /// The word that was not, as the phrase has it: `(cash|money)`.
    pub missing: String,
}

/// The phrases of a book, each a rule of its own.
#[derive(Debug)]
pub struct Phrases {
    single: Split,
    lacking: Split,
}

/// A book in which phrases are rules, and what each stands for.
#[derive(Debug)]
struct Split {
    book: Arc<Rulebook>,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    rule: usize,
    phrase: usize,
    missing: String,
    /// Words that the phrase needs: of two that nearly match, the longer one tells more.
    needs: usize,
}

impl Phrases {
    /// Splits the rules of `texts`, of which `book` was made.
    ///
    /// # Errors
    /// On what is wrong in a pack.
    pub fn new(texts: &Texts, book: &Rulebook) -> Result<Self, RuleErrors> {
        let whole = |phrase: &str| vec![(phrase.to_owned(), String::new())];
        Ok(Self {
            single: Split::new(texts, book, whole)?,
            lacking: Split::new(texts, book, with_one_word_less)?,
        })
    }

    /// Starts to hear a call phrase by phrase.
    pub fn listen(&self, levels: Levels) -> PhraseEar<'_> {
        let screen = |split: &Split| Screen::new(Arc::clone(&split.book), levels, Origin::Unknown);
        PhraseEar { phrases: self, single: screen(&self.single), lacking: screen(&self.lacking) }
    }
}

impl Split {
    /// `variants` gives the phrases to make of one, each with the word that it lacks.
    fn new(
        texts: &Texts,
        book: &Rulebook,
        variants: impl Fn(&str) -> Vec<(String, String)>,
    ) -> Result<Self, RuleErrors> {
        let numbers: BTreeMap<&str, usize> =
            book.rules.iter().enumerate().map(|(at, rule)| (rule.id.as_str(), at)).collect();
        let (mut packs, mut parts) = (Vec::new(), Vec::new());
        for (file, pack) in &texts.packs {
            // What names rules by their ids has no place among their phrases.
            let mut split = Pack {
                rules: Vec::new(),
                suppressions: Vec::new(),
                overrides: Vec::new(),
                ..pack.clone()
            };
            for rule in &pack.rules {
                let Some(&number) = numbers.get(rule.id.as_str()) else { continue };
                for (phrase, text) in rule.phrases.iter().enumerate() {
                    let needs = tokens(text).iter().filter(|token| is_needed(token)).count();
                    for (text, missing) in variants(text) {
                        let id = format!("{}#{}", rule.id, parts.len());
                        split.rules.push(RuleText { id, phrases: vec![text], ..rule.clone() });
                        parts.push(Part { rule: number, phrase, missing, needs });
                    }
                }
            }
            packs.push((file.clone(), split));
        }
        Ok(Self { book: Arc::new(compile(&packs)?), parts })
    }
}

/// Hears one call phrase by phrase, beside the [`Screen`] that judges it.
#[derive(Debug)]
pub struct PhraseEar<'a> {
    phrases: &'a Phrases,
    single: Screen,
    lacking: Screen,
}

impl PhraseEar<'_> {
    /// The phrases in an utterance, and those that nearly are; of a rule that was found, none is
    /// near. The engine hears what one party said last together with what it says next, so every
    /// utterance must pass here.
    pub fn hear(&mut self, utterance: &Utterance) -> (Vec<PhraseFound>, Vec<NearMiss>) {
        let found = self.single.hear(utterance).findings.into_iter().map(|one| {
            let part = &self.phrases.single.parts[one.rule];
            PhraseFound { rule: part.rule, phrase: part.phrase, span: one.span, keeps: one.keeps }
        });
        let found: Vec<PhraseFound> = found.collect();
        let lacking = self.lacking.hear(utterance).findings;
        let mut near: Vec<_> = lacking
            .into_iter()
            .filter(|one| one.keeps >= MATCHES)
            .map(|one| (&self.phrases.lacking.parts[one.rule], one.span))
            .filter(|(part, _)| found.iter().all(|whole| whole.rule != part.rule))
            .collect();
        near.sort_by_key(|(part, span)| (std::cmp::Reverse(part.needs), span.len()));
        let mut told: Vec<NearMiss> = Vec::new();
        for (part, span) in near {
            if told.len() < MOST_NEAR && told.iter().all(|other| other.rule != part.rule) {
                let (rule, phrase, missing) = (part.rule, part.phrase, part.missing.clone());
                told.push(NearMiss { rule, phrase, span, missing });
            }
        }
        (found, told)
    }
}

/// A phrase with each of its words left out in turn, and that word. What remains must have two
/// words that say something: with one, nearly everything would nearly match.
fn with_one_word_less(phrase: &str) -> Vec<(String, String)> {
    let tokens = tokens(phrase);
    let mut variants = Vec::new();
    for (at, missing) in tokens.iter().enumerate().filter(|(_, token)| is_needed(token)) {
        let others = tokens.iter().enumerate().filter(|(other, _)| *other != at);
        if others.filter(|(_, token)| is_telling(token)).count() < 2 {
            continue;
        }
        let mut rest = tokens.clone();
        // Another word may stand in its place.
        rest[at] = "<1>";
        let is_gap = |token: &&str| token.starts_with('<');
        let first = rest.iter().position(|token| !is_gap(token)).unwrap_or(0);
        let last = rest.iter().rposition(|token| !is_gap(token)).unwrap_or(0);
        variants.push((rest[first..=last].join(" "), (*missing).to_owned()));
    }
    variants
}

/// The parts of a phrase that stand one after the other; none where it is a choice as a whole.
fn tokens(phrase: &str) -> Vec<&str> {
    let (mut tokens, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, sign) in phrase.char_indices() {
        match sign {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => return Vec::new(),
            ' ' if depth == 0 => {
                tokens.push(&phrase[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    tokens.push(&phrase[start..]);
    tokens.retain(|token| !token.is_empty());
    tokens
}

/// Neither a gap nor optional, as a whole or within.
fn is_needed(token: &str) -> bool {
    !token.starts_with('<') && !token.contains('?')
}

fn is_telling(token: &str) -> bool {
    let words = token.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty());
    is_needed(token)
        && (token.contains(['@', '#']) || words.into_iter().all(|word| !is_common(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_falls_into_its_words() {
        let phrase = "(read|tell me) <3> your pin? @card";
        assert_eq!(tokens(phrase), ["(read|tell me)", "<3>", "your", "pin?", "@card"]);
        assert!(tokens("safe keeping|safekeeping").is_empty());
        assert_eq!(tokens("((a|b) c) d"), ["((a|b) c)", "d"]);
    }

    #[test]
    fn a_word_is_left_out_where_enough_remains() {
        let variants = with_one_word_less("withdraw <4> cash <2> branch");
        let texts: Vec<_> = variants.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["cash <2> branch", "withdraw <4> <1> <2> branch", "withdraw <4> cash"]);
        let missing: Vec<_> = variants.iter().map(|(_, missing)| missing.as_str()).collect();
        assert_eq!(missing, ["withdraw", "cash", "branch"]);
        assert!(with_one_word_less("withdraw <4> cash").is_empty());
        assert!(with_one_word_less("what is your pin").is_empty(), "common words tell nothing");
    }
}
