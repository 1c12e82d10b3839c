//! What is no mistake in a pack, and may be better: the warnings of `lineclear rules check`.

use std::collections::{BTreeSet, HashMap};

use super::automaton::{Lists, Threads};
use super::error::{Code, Place, Problem};
use super::example;
use super::pack::{Pack, RuleText, Speaker, SuppressionText};
use super::pattern::{self, Node};
use super::reading::Reader;
use super::row::Row;
use super::rulebook::{Owner, Phrase, Rulebook};
use super::sample::{self, Token};
use super::score::PLAIN;
use super::vocabulary::Vocabulary;
use super::words::words;

/// Examples of which a rule should have this many at least.
const EXAMPLES: [(&str, usize); 2] = [("must-match", 3), ("must-not-match", 2)];

/// Everything in sound packs that may be better.
pub(super) fn warnings(packs: &[(&str, Pack)], book: &Rulebook) -> Vec<Problem> {
    let lists = packs.iter().flat_map(|(_, pack)| &pack.lists);
    let parsed = |(name, phrases): (&String, &Vec<String>)| {
        let options = phrases.iter().filter_map(|phrase| pattern::parse(phrase).ok());
        (name.clone(), Node::Choice(options.collect()))
    };
    let lists: Lists = lists.map(parsed).collect();
    let mut phrases: HashMap<Owner, Vec<&Phrase>> = HashMap::new();
    for phrase in &book.phrases {
        phrases.entry(phrase.owner).or_default().push(phrase);
    }
    let mut lint = Lint { file: "", book, lists, phrases, warnings: book.notes.clone() };
    let (mut rule, mut suppression) = (0, 0);
    for (file, pack) in packs {
        lint.file = file;
        for (index, text) in pack.rules.iter().enumerate() {
            lint.rule(&Place::nth("rule", index, &text.id), Owner::Rule(rule), text);
            rule += 1;
        }
        for (index, text) in pack.suppressions.iter().enumerate() {
            let place = Place::nth("suppression", index, &text.id);
            lint.suppression(&place, Owner::Suppression(suppression), text);
            suppression += 1;
        }
        lint.cues(pack);
    }
    lint.unused_lists(packs);
    lint.overlaps(packs);
    lint.warnings
}

struct Lint<'a> {
    file: &'a str,
    book: &'a Rulebook,
    lists: Lists,
    /// The phrases of each rule, cue and suppression, in the order of the pack.
    phrases: HashMap<Owner, Vec<&'a Phrase>>,
    warnings: Vec<Problem>,
}

impl<'a> Lint<'a> {
    fn warn(&mut self, code: Code, place: Place, message: impl Into<String>, help: &str) {
        let help = Some(help.to_owned()).filter(|help| !help.is_empty());
        self.warnings.push(Problem::new(code, self.file, place, message).helped(help));
    }

    fn rule(&mut self, place: &Place, owner: Owner, text: &RuleText) {
        for (key, is_empty, help) in [
            ("references", text.references.is_empty(), "say where the phrase is documented"),
            ("false-positives", text.false_positives.is_empty(), "say who says it honestly"),
        ] {
            if is_empty {
                let message = format!("it has no {key}");
                self.warn(Code::Undocumented, place.key("id"), message, help);
            }
        }
        if text.phrases.is_empty() {
            return;
        }
        self.few_examples(place, [text.must_match.len(), text.must_not_match.len()]);
        let tolerant = text.tolerance.is_some();
        for (item, phrase) in self.phrases_of(owner).into_iter().enumerate() {
            let place = place.item("phrases", item, &phrase.text);
            self.slow(&place, phrase);
            self.one_word(&place, phrase, tolerant);
            self.never(&place, phrase);
        }
        self.untested(place, owner, &text.must_match);
    }

    fn suppression(&mut self, place: &Place, owner: Owner, text: &SuppressionText) {
        self.few_examples(place, [text.must_match.len(), text.must_not_match.len()]);
        if text.keeps == 0.0 && text.speaker != Speaker::Protected {
            let message = "a scammer who says these words silences the rules for good";
            let help = "let it keep some of their weight: keeps = 0.3";
            self.warn(Code::Evasion, place.key("keeps"), message, help);
        }
        for (item, phrase) in self.phrases_of(owner).into_iter().enumerate() {
            let place = place.item("phrases", item, &phrase.text);
            self.slow(&place, phrase);
            self.one_word(&place, phrase, false);
            self.never(&place, phrase);
        }
        self.untested(place, owner, &text.must_match);
    }

    fn cues(&mut self, pack: &Pack) {
        for (index, cue) in pack.cues.iter().enumerate() {
            if cue.keeps == 0.0 {
                let place = Place::nth("cue", index, &cue.title).key("keeps");
                let message = "a scammer who says these words silences what follows them";
                let help = "let it keep some of the weight: keeps = 0.1";
                self.warn(Code::Evasion, place, message, help);
            }
        }
    }

    fn phrases_of(&self, owner: Owner) -> Vec<&'a Phrase> {
        self.phrases.get(&owner).cloned().unwrap_or_default()
    }

    fn few_examples(&mut self, place: &Place, given: [usize; 2]) {
        for ((key, least), given) in EXAMPLES.into_iter().zip(given) {
            if given < least {
                let message = format!("it has {given} of at least {least} sentences in {key}");
                self.warn(Code::FewExamples, place.key("id"), message, "");
            }
        }
    }

    fn slow(&mut self, place: &Place, phrase: &Phrase) {
        let vocabulary = self.book.vocabulary();
        let is_everywhere = |set: &Vec<_>| set.iter().all(|word| vocabulary.is_everywhere(*word));
        if phrase.automaton.needed().iter().all(is_everywhere) {
            let message = "all words that it needs are common words or numbers: it is slow, and \
                 says little";
            let help = "add a word that only this kind of call has";
            self.warn(Code::Slow, place.clone(), message, help);
        }
    }

    fn one_word(&mut self, place: &Place, phrase: &Phrase, tolerant: bool) {
        if !phrase.automaton.can_be_one_word() {
            return;
        }
        let Ok(node) = pattern::parse(&phrase.text) else { return };
        let ways = sample::ways(&node, &self.lists, 0);
        let lone: Vec<&Vec<Token<'_>>> = ways.iter().filter(|way| way.len() == 1).collect();
        let Some(first) = lone.first() else { return };
        let message = format!("one word is enough: \"{}\"", sample::spoken(first, false));
        let is_misheard = |way: &&Vec<Token<'_>>| match way[0] {
            Token::Misheard(_) => true,
            Token::Word(word) => tolerant && Vocabulary::can_be_misheard(word),
            Token::Exact(_) | Token::Class(_) => false,
        };
        let misheard = lone.iter().find(|way| is_misheard(way)).map(|way| {
            format!("what is misheard for one word is enough: \"{}\"", sample::spoken(way, false))
        });
        self.warn(Code::LoneWord, place.clone(), message, "add what is said before or after it");
        if let Some(message) = misheard {
            let help = "leave out tolerance and ~, or add a second word";
            self.warn(Code::TolerantWord, place.clone(), message, help);
        }
    }

    /// Parts of a phrase that can never be heard.
    fn never(&mut self, place: &Place, phrase: &Phrase) {
        let Ok(node) = pattern::parse(&phrase.text) else { return };
        let mut unheard = BTreeSet::new();
        exact_words(&node, &mut |word| {
            let heard = words(word);
            if heard.len() != 1 || heard[0].text != *word {
                let heard: Vec<&str> = heard.iter().map(|word| word.text.as_str()).collect();
                unheard.insert((word.to_owned(), heard.join(" ")));
            }
        });
        for (word, heard) in &unheard {
            let text = phrase.text.to_lowercase();
            let at = ["=", "~"].iter().find_map(|sign| text.find(&format!("{sign}{word}")));
            let column = at.map(|at| text[..at].chars().count() + 1);
            let place = Place { column, ..place.clone() };
            let message = format!("'{word}' can never be heard: speech is read as '{heard}'");
            self.warn(Code::Never, place, message, &format!("write {heard} without a sign"));
        }
        let mut threads = Threads::default();
        let mut is_found = |way: &[Token<'_>], in_letters| {
            let row = example::row(self.book, &sample::spoken(way, in_letters));
            matches(phrase, &row, &mut threads)
        };
        let picks = [0, 1, 2].map(|pick| sample::ways(&node, &self.lists, pick));
        let is_known = |token: &Token<'_>| match token {
            Token::Exact(word) | Token::Misheard(word) => {
                unheard.iter().any(|(known, _)| known == word)
            }
            _ => false,
        };
        let never = (0..picks[0].len()).find(|alternative| {
            let ways = picks.iter().filter_map(|ways| ways.get(*alternative));
            let mut sound = ways.filter(|way| !way.iter().any(is_known)).peekable();
            sound.peek().is_some()
                && !sound.any(|way| [true, false].iter().any(|letters| is_found(way, *letters)))
        });
        let Some(way) = never.map(|alternative| &picks[0][alternative]) else { return };
        let said = sample::spoken(way, true);
        let read: Vec<String> = words(&said).into_iter().map(|word| word.text.into()).collect();
        let message =
            format!("it never finds \"{said}\": speech is read as \"{}\"", read.join(" "));
        let help = "numbers are joined before phrases see them: write them as one";
        self.warn(Code::Never, place.clone(), message, help);
    }

    fn untested(&mut self, place: &Place, owner: Owner, examples: &[String]) {
        let rows: Vec<Row> =
            examples.iter().map(|example| example::words_of(self.book, example)).collect();
        let mut threads = Threads::default();
        let phrases = self.phrases_of(owner).into_iter().enumerate();
        let untested = |(_, phrase): &(usize, &Phrase)| {
            !rows.iter().any(|row| matches(phrase, row, &mut threads))
        };
        let untested: Vec<(usize, &Phrase)> = phrases.filter(untested).collect();
        // One warning a rule, at the first: a rule may have many.
        let Some(&(item, first)) = untested.first() else { return };
        let place = place.item("phrases", item, &first.text);
        let message = match untested.len() {
            1 => "no sentence of must-match contains this phrase".to_owned(),
            all => format!("{all} phrases are in no sentence of must-match; this is the first"),
        };
        self.warn(Code::Untested, place, message, "add one that does");
    }

    fn unused_lists(&mut self, packs: &[(&'a str, Pack)]) {
        let mut used = BTreeSet::new();
        let nodes = self.book.phrases.iter().filter_map(|phrase| pattern::parse(&phrase.text).ok());
        for node in nodes.chain(self.lists.values().cloned()) {
            lists_in(&node, &mut used);
        }
        for (file, pack) in packs {
            self.file = file;
            for name in pack.lists.keys().filter(|name| !used.contains(*name)) {
                let message = format!("no phrase uses @{name}");
                self.warn(Code::UnusedList, Place::named("lists", name), message, "");
            }
        }
    }

    /// Rules of one stage that find the same.
    fn overlaps(&mut self, packs: &[(&'a str, Pack)]) {
        let rules = packs.iter().flat_map(|(file, pack)| {
            pack.rules.iter().enumerate().map(move |(index, text)| (*file, index, text))
        });
        let mut reader = Reader::default();
        let mut known: HashMap<String, &str> = HashMap::new();
        for (number, (file, index, text)) in rules.enumerate() {
            self.file = file;
            let place = Place::nth("rule", index, &text.id);
            for (item, phrase) in text.phrases.iter().enumerate() {
                let key = format!("{} {:?}", text.stage, pattern::parse(phrase));
                if let Some(other) = known.insert(key, &text.id) {
                    let message = format!("{other} has the same phrase: it would count twice");
                    let place = place.item("phrases", item, phrase);
                    self.warn(Code::Overlap, place, message, "leave it out of one of them");
                }
            }
            for other in self.also_found(&mut reader, number, text) {
                let message = format!("{other}, of the same stage, finds all its examples too");
                let help = "make one rule of them, or give both the same group";
                self.warn(Code::Overlap, place.key("id"), message, help);
            }
        }
    }

    /// The rules of the same stage, and not of the same group, that find every example of a rule.
    fn also_found(&self, reader: &mut Reader, own: usize, text: &RuleText) -> Vec<&'a str> {
        // One sentence may be both by chance.
        if text.must_match.len() < 2 || !self.book.rules[own].is_on() {
            return Vec::new();
        }
        let (book, rule) = (self.book, &self.book.rules[own]);
        let is_rival = |other: &usize| {
            let other = &book.rules[*other];
            other.stage == rule.stage && (rule.group.is_none() || other.group != rule.group)
        };
        let mut all: BTreeSet<usize> =
            (0..book.rules.len()).filter(|other| *other != own).filter(is_rival).collect();
        for sentence in &text.must_match {
            example::read(book, reader, sentence, text.speaker);
            let counts = |at: &usize| {
                reader.findings.iter().any(|found| found.rule == *at && found.keeps >= PLAIN)
            };
            all.retain(counts);
        }
        all.into_iter().map(|other| book.rules[other].id.as_str()).collect()
    }
}

fn matches(phrase: &Phrase, row: &Row, threads: &mut Threads) -> bool {
    let mut found = false;
    phrase.automaton.matches(row, 0, row.words().len(), threads, |_, _, _| found = true);
    found
}

/// The words of a phrase that are written in just one form.
fn exact_words(node: &Node, found: &mut impl FnMut(&str)) {
    match node {
        Node::Exact(word) | Node::Misheard(word) => found(word),
        Node::Sequence(nodes) | Node::Choice(nodes) => {
            nodes.iter().for_each(|node| exact_words(node, found));
        }
        Node::Optional(node) => exact_words(node, found),
        Node::Word(_) | Node::Class(_) | Node::List(_) | Node::Gap(..) => {}
    }
}

fn lists_in(node: &Node, found: &mut BTreeSet<String>) {
    match node {
        Node::List(name) => {
            found.insert(name.clone());
        }
        Node::Sequence(nodes) | Node::Choice(nodes) => {
            nodes.iter().for_each(|node| lists_in(node, found));
        }
        Node::Optional(node) => lists_in(node, found),
        Node::Word(_) | Node::Exact(_) | Node::Misheard(_) | Node::Class(_) | Node::Gap(..) => {}
    }
}
