//! Packs → rulebook: everything is checked, and all that is wrong is told at once.

use std::collections::{HashMap, HashSet};

use super::automaton::{Automaton, AutomatonError, Lists};
use super::error::{Code, Place, Problem};
use super::index::Index;
use super::pack::{Families, Pack, RuleText, StageLimits};
use super::pattern::{self, Node};
use super::ready;
use super::rulebook::{Group, Owner, Phrase, Rulebook};
use super::select;
use super::sequence::Sequence;
use super::stage::Stage;
use super::suggest;
use super::vocabulary::Vocabulary;
use crate::call::SignalKind;

/// The bounds of a rule's weight, in decibans: a hundred times the odds is the most that one phrase
/// may claim.
pub const WEIGHTS: std::ops::RangeInclusive<f64> = 0.5..=20.0;

/// The bounds of the weight of what honest callers say. Scammers can say it too, so it is small.
pub const REASSURANCES: std::ops::RangeInclusive<f64> = -10.0..=-0.5;

/// The bounds of caps, in decibans.
const CAPS: std::ops::RangeInclusive<f64> = 0.1..=60.0;

/// The pack id of a file of local rules, the only one that may hold overrides.
pub const LOCAL_PACK: &str = "local";

/// Compiles packs, given with the names of their files. The rulebook is of use if there is no
/// problem; with some, it holds what could be compiled.
pub fn compile(packs: &[(&str, Pack)]) -> (Rulebook, Vec<Problem>) {
    let mut compiler = Compiler::new();
    for (file, pack) in packs {
        compiler.file = (*file).to_owned();
        compiler.lists(pack);
        compiler.limits(pack);
        compiler.book.packs.push(pack.pack.clone());
    }
    for (number, (file, pack)) in packs.iter().enumerate() {
        compiler.file = (*file).to_owned();
        compiler.rules(number, pack);
        compiler.cues(pack);
    }
    // What names other rules comes after all rules are known.
    for (file, pack) in packs {
        compiler.file = (*file).to_owned();
        compiler.overrides(pack);
        compiler.suppressions(pack);
        compiler.sequences(pack);
    }
    for (file, pack) in packs {
        compiler.file = (*file).to_owned();
        compiler.phrases(pack);
    }
    compiler.finish()
}

struct Compiler {
    file: String,
    book: Rulebook,
    lists: Lists,
    /// The index of every rule, by its id.
    by_id: HashMap<String, usize>,
    suppressions: HashSet<String>,
    /// Cues and suppressions whose phrases were read.
    read_cues: usize,
    read_suppressions: usize,
    problems: Vec<Problem>,
}

impl Compiler {
    fn new() -> Self {
        let book = Rulebook {
            packs: Vec::new(),
            rules: Vec::new(),
            cues: Vec::new(),
            suppressions: Vec::new(),
            groups: Vec::new(),
            sequences: Vec::new(),
            families: Families { second: 1.0, others: 1.0 },
            reassurance: 0.0,
            sequence_limits: StageLimits { cap: 0.0, floor: 0.0 },
            pretext: None,
            phrases: Vec::new(),
            notes: Vec::new(),
            limits: HashMap::new(),
            steps: Vec::new(),
            index: Index::default(),
            vocabulary: Vocabulary::default(),
        };
        Self {
            file: String::new(),
            book,
            lists: Lists::new(),
            by_id: HashMap::new(),
            suppressions: HashSet::new(),
            read_cues: 0,
            read_suppressions: 0,
            problems: Vec::new(),
        }
    }

    fn finish(mut self) -> (Rulebook, Vec<Problem>) {
        self.book.vocabulary.settle();
        let phrases = self.book.phrases.iter().map(|phrase| &phrase.automaton);
        self.book.index = Index::build(phrases, &self.book.vocabulary);
        (self.book, self.problems)
    }

    fn wrong(&mut self, code: Code, place: Place, message: impl Into<String>) {
        self.problems.push(Problem::new(code, &self.file, place, message));
    }

    /// A name that there is not, with the one that may be meant.
    fn unknown<'a>(
        &mut self,
        place: Place,
        message: String,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) {
        let help = suggest::did_you_mean(name, known);
        let problem = Problem::new(Code::Unknown, &self.file, place, message).helped(help);
        self.problems.push(problem);
    }

    fn check(&mut self, is_right: bool, place: Place, message: impl FnOnce() -> String) {
        if !is_right {
            self.wrong(Code::Value, place, message());
        }
    }

    fn lists(&mut self, pack: &Pack) {
        for (name, phrases) in &pack.lists {
            let place = Place::named("lists", name);
            let mut options = Vec::new();
            for (item, phrase) in phrases.iter().enumerate() {
                options.extend(self.parse(phrase, place.item("", item, phrase)));
            }
            if phrases.is_empty() {
                self.wrong(Code::Value, place.clone(), "the list is empty");
            }
            if self.lists.insert(name.clone(), Node::Choice(options)).is_some() {
                self.wrong(Code::Duplicate, place, "another list has this name");
            }
        }
    }

    fn parse(&mut self, phrase: &str, place: Place) -> Option<Node> {
        match pattern::parse(phrase) {
            Ok(node) => Some(node),
            Err(error) => {
                let place = place.column(error.column);
                let problem = Problem::new(Code::Phrase, &self.file, place, error.problem);
                self.problems.push(problem.helped(error.help));
                None
            }
        }
    }

    fn limits(&mut self, pack: &Pack) {
        for (stage, limits) in &pack.stages {
            let place = Place::named("stages", stage.name());
            self.stage_limits(*limits, &place);
            if self.book.limits.insert(*stage, *limits).is_some() {
                self.wrong(Code::Duplicate, place, "another pack sets its limits already");
            }
        }
        if let Some(limits) = pack.sequences {
            let place = Place::named("sequences", "");
            self.stage_limits(limits, &place);
            self.book.sequence_limits = limits;
        }
        if let Some(families) = pack.families {
            let place = Place::named("families", "");
            let are_shares =
                (0.0..=1.0).contains(&families.others) && families.others <= families.second;
            self.check(are_shares && families.second <= 1.0, place, || {
                "0 ≤ others ≤ second ≤ 1 must hold".into()
            });
            self.book.families = families;
        }
        if let Some(limits) = pack.reassurance {
            let place = Place::named("reassurance", "cap");
            self.check(CAPS.contains(&limits.cap), place, || bounds("cap", &CAPS));
            self.book.reassurance = limits.cap;
        }
        for (name, limits) in &pack.groups {
            let place = Place::named("groups", name);
            self.check(CAPS.contains(&limits.cap), place.key("cap"), || bounds("cap", &CAPS));
            if self.book.groups.iter().any(|group| group.name == *name) {
                self.wrong(Code::Duplicate, place, "another group has this name");
            }
            self.book.groups.push(Group { name: name.clone(), cap: limits.cap });
        }
        if let Some(pretext) = pack.pretext {
            let place = Place::named("pretext", "");
            let are_right = CAPS.contains(&pretext.least) && CAPS.contains(&pretext.cap_without);
            self.check(are_right, place.clone(), || bounds("least and cap-without", &CAPS));
            if self.book.pretext.replace(pretext).is_some() {
                self.wrong(Code::Duplicate, place, "another pack sets it already");
            }
        }
    }

    fn stage_limits(&mut self, limits: StageLimits, place: &Place) {
        self.check(CAPS.contains(&limits.cap), place.key("cap"), || bounds("cap", &CAPS));
        let is_share = (0.0..=1.0).contains(&limits.floor);
        self.check(is_share, place.key("floor"), || "floor must be from 0 to 1".into());
    }

    fn rules(&mut self, number: usize, pack: &Pack) {
        for (index, text) in pack.rules.iter().enumerate() {
            let place = Place::nth("rule", index, &text.id);
            self.check_rule(&pack.pack.id, text, &place);
            if self.by_id.insert(text.id.clone(), self.book.rules.len()).is_some() {
                self.wrong(Code::Duplicate, place.key("id"), "another rule has this id");
            }
            let group = text.group.as_ref().and_then(|name| {
                let known = self.book.groups.iter().position(|group| group.name == *name);
                if known.is_none() {
                    let message = format!("there is no group '{name}': define [groups.{name}]");
                    let groups: Vec<String> =
                        self.book.groups.iter().map(|group| group.name.clone()).collect();
                    let known = groups.iter().map(String::as_str);
                    self.unknown(place.key("group"), message, name, known);
                }
                known
            });
            let signal = text.signal.as_ref().and_then(|name| self.signal(name, &place));
            let rule = ready::rule(text, number, group, signal);
            self.book.rules.push(rule);
            self.book.steps.push(Vec::new());
        }
    }

    fn signal(&mut self, name: &str, place: &Place) -> Option<SignalKind> {
        let kind = SignalKind::ALL.into_iter().find(|kind| kind.name() == name);
        if kind.is_none() {
            let known = SignalKind::ALL.map(SignalKind::name).join(", ");
            let message = format!("no signal '{name}': there are {known}");
            let known = SignalKind::ALL.map(SignalKind::name);
            self.unknown(place.key("signal"), message, name, known);
        }
        kind
    }

    fn check_rule(&mut self, pack: &str, rule: &RuleText, place: &Place) {
        let begins = rule.id.strip_prefix(pack).is_some_and(|rest| rest.starts_with('.'));
        self.check(begins, place.key("id"), || format!("the id must begin with {pack}."));
        self.check(is_weight(rule.weight), place.key("weight"), || {
            format!("weight is {}, {}", rule.weight, weights("it"))
        });
        self.check((1.0..=86_400.0).contains(&rule.half_life), place.key("half-life"), || {
            "half-life must be from 1 second to a day".into()
        });
        let kinds = usize::from(!rule.phrases.is_empty())
            + usize::from(rule.signal.is_some())
            + usize::from(rule.sequence.is_some());
        self.check(kinds == 1, place.clone(), || {
            "a rule has either phrases, or a signal, or a sequence".into()
        });
        let has_examples = !rule.must_match.is_empty() && !rule.must_not_match.is_empty();
        self.check(rule.phrases.is_empty() || has_examples, place.clone(), || {
            "give at least one sentence in must-match and one in must-not-match".into()
        });
        let is_share = rule.tolerance.is_none_or(|share| (0.1..=1.0).contains(&share));
        self.check(is_share, place.key("tolerance"), || "tolerance must be from 0.1 to 1".into());
        let are_bounds = rule.bounds.is_none_or(|[low, high]| {
            low <= high && is_weight(low) && is_weight(high) && low * high > 0.0
        });
        self.check(are_bounds, place.key("bounds"), || {
            weights("bounds must be [least, most] of one sign, and each")
        });
        if !self.book.limits.contains_key(&rule.stage) && rule.sequence.is_none() {
            let message = format!("no pack has [stages.{}] limits for it", rule.stage);
            self.wrong(Code::Unknown, place.key("stage"), message);
        }
    }

    fn cues(&mut self, pack: &Pack) {
        for (index, cue) in pack.cues.iter().enumerate() {
            let place = Place::nth("cue", index, &cue.title);
            self.check((0.0..1.0).contains(&cue.keeps), place.key("keeps"), || {
                "keeps must be from 0 to below 1".into()
            });
            self.check((0.0..=3600.0).contains(&cue.lasts), place.key("lasts"), || {
                "lasts must be at most 3600 seconds".into()
            });
            self.check(cue.reach <= 100, place.key("reach"), || {
                "reach must be at most 100 words".into()
            });
            self.check(!cue.phrases.is_empty(), place, || "there must be a phrase".into());
            self.book.cues.push(ready::cue(cue));
        }
    }

    fn overrides(&mut self, pack: &Pack) {
        for (index, change) in pack.overrides.iter().enumerate() {
            let place = Place::nth("override", index, &change.rule);
            let is_local = pack.pack.id == LOCAL_PACK;
            self.check(is_local, place.clone(), || {
                "overrides stand in a file of local rules, whose [pack] id is \"local\"".into()
            });
            let is_right = change.weight.is_none_or(is_weight);
            self.check(is_right, place.key("weight"), || weights("weight"));
            let found = select::rules(&change.rule, &self.book.rules);
            if found.is_empty() {
                let message = "there is no such rule (any more): it changes nothing";
                let code = Code::IdleOverride;
                let note = Problem::new(code, &self.file, place.key("rule"), message);
                let ids = self.book.rules.iter().map(|rule| rule.id.as_str());
                let help = suggest::did_you_mean(&change.rule, ids);
                self.book.notes.push(note.helped(help));
            }
            for rule in found {
                ready::change(&mut self.book.rules[rule], change);
            }
        }
    }

    fn suppressions(&mut self, pack: &Pack) {
        for (index, text) in pack.suppressions.iter().enumerate() {
            let place = Place::nth("suppression", index, &text.id);
            if !self.suppressions.insert(text.id.clone()) || self.by_id.contains_key(&text.id) {
                self.wrong(Code::Duplicate, place.key("id"), "something else has this id");
            }
            self.check((0.0..1.0).contains(&text.keeps), place.key("keeps"), || {
                "keeps must be from 0 to below 1".into()
            });
            self.check((1.0..=86_400.0).contains(&text.lasts), place.key("lasts"), || {
                "lasts must be from 1 second to a day".into()
            });
            let has_examples = !text.must_match.is_empty() && !text.must_not_match.is_empty();
            self.check(has_examples && !text.phrases.is_empty(), place.clone(), || {
                "give phrases, and at least one sentence in must-match and in must-not-match".into()
            });
            let mut of = vec![false; self.book.rules.len()];
            for (item, selector) in text.of.iter().enumerate() {
                for rule in self.select(selector, place.item("of", item, selector)) {
                    of[rule] = true;
                }
            }
            self.book.suppressions.push(ready::suppression(text, of));
        }
    }

    /// The rules that a selector names. That there are none is a problem.
    fn select(&mut self, selector: &str, place: Place) -> Vec<usize> {
        let found = select::rules(selector, &self.book.rules);
        if found.is_empty() {
            let message = format!("'{selector}' is no stage, and no rule has this id");
            let ids: Vec<String> = self.by_id.keys().cloned().collect();
            let stages = Stage::ALL.map(Stage::name);
            let known = ids.iter().map(String::as_str).chain(stages);
            self.unknown(place, message, selector, known);
        }
        found
    }

    fn sequences(&mut self, pack: &Pack) {
        for (index, rule) in pack.rules.iter().enumerate() {
            let Some(text) = &rule.sequence else { continue };
            let place = Place::nth("rule", index, &rule.id);
            let Some(own) = self.by_id.get(&rule.id).copied() else { continue };
            self.check((2..=8).contains(&text.steps.len()), place.key("sequence.steps"), || {
                "a sequence has from 2 to 8 steps".into()
            });
            self.check(
                (1.0..=86_400.0).contains(&text.within),
                place.key("sequence.within"),
                || "within must be from 1 second to a day".into(),
            );
            let number = self.book.sequences.len() as u32;
            for (step, selector) in text.steps.iter().enumerate().rev() {
                for part in self.select(selector, place.item("sequence.steps", step, selector)) {
                    self.book.steps[part].push((number, step as u32));
                }
            }
            self.book.sequences.push(Sequence {
                rule: own,
                steps: text.steps.len(),
                ordered: text.ordered,
                within_ms: (text.within * 1000.0) as u64,
            });
        }
    }

    fn phrases(&mut self, pack: &Pack) {
        for (index, text) in pack.rules.iter().enumerate() {
            let Some(rule) = self.by_id.get(&text.id).copied() else { continue };
            if self.book.rules[rule].local.as_ref().is_some_and(|local| !local.enabled) {
                continue;
            }
            let place = Place::nth("rule", index, &text.id);
            let tolerant = text.tolerance.is_some();
            self.add_phrases(&place, Owner::Rule(rule), tolerant, &text.phrases);
        }
        for (index, text) in pack.cues.iter().enumerate() {
            let place = Place::nth("cue", index, &text.title);
            self.add_phrases(&place, Owner::Cue(self.read_cues), false, &text.phrases);
            self.read_cues += 1;
        }
        for (index, text) in pack.suppressions.iter().enumerate() {
            let place = Place::nth("suppression", index, &text.id);
            let owner = Owner::Suppression(self.read_suppressions);
            self.add_phrases(&place, owner, false, &text.phrases);
            self.read_suppressions += 1;
        }
    }

    fn add_phrases(&mut self, place: &Place, owner: Owner, tolerant: bool, phrases: &[String]) {
        for (item, text) in phrases.iter().enumerate() {
            let place = place.item("phrases", item, text);
            let Some(node) = self.parse(text, place.clone()) else { continue };
            let vocabulary = &mut self.book.vocabulary;
            match Automaton::compile(&node, &self.lists, tolerant, vocabulary) {
                Ok(automaton) => {
                    let text = text.clone();
                    self.book.phrases.push(Phrase { owner, text, automaton });
                }
                Err(error) => self.unmatchable(place, text, &error),
            }
        }
    }

    fn unmatchable(&mut self, place: Place, phrase: &str, error: &AutomatonError) {
        let mut problem = Problem::new(Code::Unmatchable, &self.file, place, error.to_string());
        if let AutomatonError::UnknownList(name) = error {
            problem.help = suggest::did_you_mean(name, self.lists.keys().map(String::as_str));
            problem.place.column = column_of_list(phrase, name);
        }
        self.problems.push(problem);
    }
}

/// The column of a list's name in a phrase, if it stands there and not within another list.
fn column_of_list(phrase: &str, name: &str) -> Option<usize> {
    let wanted = format!("@{name}");
    let goes_on = |at: usize| {
        phrase[at + wanted.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '-')
    };
    let found = phrase.match_indices(&wanted).map(|(at, _)| at).find(|at| !goes_on(*at));
    found.map(|at| phrase[..at].chars().count() + 1)
}

fn is_weight(weight: f64) -> bool {
    WEIGHTS.contains(&weight) || REASSURANCES.contains(&weight)
}

fn weights(what: &str) -> String {
    let reassuring = format!("{} to {}", REASSURANCES.start(), REASSURANCES.end());
    format!("{}, or from {reassuring} for what honest callers say", bounds(what, &WEIGHTS))
}

fn bounds(what: &str, range: &std::ops::RangeInclusive<f64>) -> String {
    format!("{what} must be from {} to {} decibans", range.start(), range.end())
}
