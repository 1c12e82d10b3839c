//! Packs compiled into one book of rules, with an index from words to the phrases they begin.

use std::collections::{HashMap, HashSet};

use super::automaton::{Automaton, AutomatonError, Lists, Threads, Vocabulary, WordId};
use super::error::RuleError;
use super::pack::{
    CueKind, CueText, Header, Maturity, Pack, Pretext, RuleText, Speaker, StageLimits,
};
use super::pattern::{self, Node, PatternError};
use super::stage::Stage;
use super::words::Word;
use crate::call::SignalKind;

/// The bounds of a rule's weight, in decibans: a hundred times the odds is the most that one phrase
/// may claim.
pub const WEIGHTS: std::ops::RangeInclusive<f64> = 0.5..=20.0;

/// A rule, ready to score.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Unique over all packs.
    pub id: String,
    /// What was heard, as told to a person.
    pub title: String,
    /// The index of its pack in [`Rulebook::packs`].
    pub pack: usize,
    /// The stage of the script.
    pub stage: Stage,
    /// Decibans.
    pub weight: f64,
    /// What fitting may make of the weight, lowest and highest, in decibans.
    pub bounds: Option<[f64; 2]>,
    /// Who must say it.
    pub speaker: Speaker,
    /// Seconds.
    pub half_life: f64,
    /// Whether a negation cancels it.
    pub negatable: bool,
    /// How far it is to be trusted.
    pub maturity: Maturity,
    signal: Option<SignalKind>,
}

/// Words that change what the phrases after them mean.
#[derive(Debug, Clone)]
pub struct Cue {
    /// What kind of change.
    pub kind: CueKind,
    /// Shown as the reason.
    pub title: String,
    /// Words after the cue within which a phrase must begin.
    pub reach: usize,
    /// Whether the end of the sentence ends the reach.
    pub same_sentence: bool,
    /// The share of the weight that remains, 0…1.
    pub keeps: f64,
    /// Seconds for which the same party's later words are changed too.
    pub lasts: f64,
}

/// What a phrase belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// The index of a rule.
    Rule(usize),
    /// The index of a cue.
    Cue(usize),
}

/// A phrase found in a row of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Match {
    /// The rule or cue.
    pub owner: Owner,
    /// The first word.
    pub start: usize,
    /// The word after the last.
    pub end: usize,
}

/// All rules of all packs, compiled and checked against their own examples.
#[derive(Debug)]
pub struct Rulebook {
    /// The packs, in the order in which they were given.
    pub packs: Vec<Header>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// The cues.
    pub cues: Vec<Cue>,
    /// What a demand without a pretext may add, if any pack says.
    pub pretext: Option<Pretext>,
    limits: HashMap<Stage, StageLimits>,
    phrases: Vec<(Owner, Automaton)>,
    index: HashMap<WordId, Vec<u32>>,
    vocabulary: Vocabulary,
    longest: usize,
}

/// Buffers of [`Rulebook::find`], kept from utterance to utterance.
#[derive(Debug, Default)]
pub struct Scratch {
    ids: Vec<Vec<WordId>>,
    candidates: Vec<(u32, usize)>,
    threads: Threads,
}

impl Rulebook {
    /// Compiles packs, given with the names of their files.
    ///
    /// # Errors
    /// On the first thing that is wrong in any of them.
    pub fn compile(packs: &[(&str, Pack)]) -> Result<Self, RuleError> {
        let mut book = Self::empty();
        let lists = parse_lists(packs)?;
        let mut ids = HashSet::new();
        for (file, pack) in packs {
            book.add_pack(file, pack, &lists, &mut ids)?;
        }
        book.check_limits()?;
        Ok(book)
    }

    fn empty() -> Self {
        Self {
            packs: Vec::new(),
            rules: Vec::new(),
            cues: Vec::new(),
            pretext: None,
            limits: HashMap::new(),
            phrases: Vec::new(),
            index: HashMap::new(),
            vocabulary: Vocabulary::default(),
            longest: 0,
        }
    }

    fn add_pack(
        &mut self,
        file: &str,
        pack: &Pack,
        lists: &Lists,
        ids: &mut HashSet<String>,
    ) -> Result<(), RuleError> {
        let number = self.packs.len();
        self.packs.push(pack.pack.clone());
        for (stage, limits) in &pack.stages {
            self.add_limits(file, *stage, *limits)?;
        }
        if let Some(pretext) = pack.pretext {
            self.add_pretext(file, pretext)?;
        }
        for cue in &pack.cues {
            self.add_cue(file, cue, lists)?;
        }
        for rule in &pack.rules {
            check_rule(file, &pack.pack, rule)?;
            if !ids.insert(rule.id.clone()) {
                return Err(RuleError::value(file, &rule.id, "another rule has this id"));
            }
            self.add_rule(file, number, rule, lists)?;
        }
        Ok(())
    }

    fn add_limits(
        &mut self,
        file: &str,
        stage: Stage,
        limits: StageLimits,
    ) -> Result<(), RuleError> {
        let place = format!("stage {stage}");
        if !(limits.cap > 0.0 && limits.cap <= 60.0) {
            return Err(RuleError::value(
                file,
                &place,
                "cap must be above 0 and at most 60 decibans",
            ));
        }
        if !(0.0..=1.0).contains(&limits.floor) {
            return Err(RuleError::value(file, &place, "floor must be from 0 to 1"));
        }
        if self.limits.insert(stage, limits).is_some() {
            return Err(RuleError::value(file, &place, "another pack sets its limits already"));
        }
        Ok(())
    }

    fn add_pretext(&mut self, file: &str, pretext: Pretext) -> Result<(), RuleError> {
        let bounds = 0.1..=60.0;
        if !bounds.contains(&pretext.least) || !bounds.contains(&pretext.cap_without) {
            let problem = "least and cap-without must be from 0.1 to 60 decibans";
            return Err(RuleError::value(file, "pretext", problem));
        }
        match self.pretext.replace(pretext) {
            None => Ok(()),
            Some(_) => Err(RuleError::value(file, "pretext", "another pack sets it already")),
        }
    }

    fn check_limits(&self) -> Result<(), RuleError> {
        let used = self.rules.iter().map(|rule| rule.stage);
        match used.into_iter().find(|stage| !self.limits.contains_key(stage)) {
            None => Ok(()),
            Some(stage) => {
                let place = format!("stage {stage}");
                Err(RuleError::value("all packs", &place, "no pack has [stages] limits for it"))
            }
        }
    }

    fn add_cue(&mut self, file: &str, cue: &CueText, lists: &Lists) -> Result<(), RuleError> {
        let place = format!("cue \"{}\"", cue.title);
        let is_bounded = (0.0..1.0).contains(&cue.keeps)
            && (0.0..=3600.0).contains(&cue.lasts)
            && cue.reach <= 100
            && !cue.phrases.is_empty();
        if !is_bounded {
            let problem = "keeps must be from 0 to below 1, lasts at most 3600 seconds, reach at \
                           most 100 words, and there must be a phrase";
            return Err(RuleError::value(file, &place, problem));
        }
        let owner = Owner::Cue(self.cues.len());
        self.cues.push(Cue {
            kind: cue.kind,
            title: cue.title.clone(),
            reach: cue.reach,
            same_sentence: cue.same_sentence,
            keeps: cue.keeps,
            lasts: cue.lasts,
        });
        self.add_phrases(file, &place, owner, &cue.phrases, lists)
    }

    fn add_rule(
        &mut self,
        file: &str,
        pack: usize,
        rule: &RuleText,
        lists: &Lists,
    ) -> Result<(), RuleError> {
        let signal = match &rule.signal {
            None => None,
            Some(name) if name == SignalKind::DialTone.name() => Some(SignalKind::DialTone),
            Some(name) => {
                let problem = format!("no signal '{name}': there is 'dial-tone'");
                return Err(RuleError::value(file, &rule.id, &problem));
            }
        };
        let owner = Owner::Rule(self.rules.len());
        self.rules.push(Rule {
            id: rule.id.clone(),
            title: rule.title.clone(),
            pack,
            stage: rule.stage,
            weight: rule.weight,
            bounds: rule.bounds,
            speaker: rule.speaker,
            half_life: rule.half_life,
            negatable: rule.negatable,
            maturity: rule.maturity,
            signal,
        });
        self.add_phrases(file, &format!("rule {}", rule.id), owner, &rule.phrases, lists)
    }

    fn add_phrases(
        &mut self,
        file: &str,
        place: &str,
        owner: Owner,
        phrases: &[String],
        lists: &Lists,
    ) -> Result<(), RuleError> {
        for phrase in phrases {
            let error = |problem: String| RuleError::phrase(file, place, phrase, problem);
            let node = pattern::parse(phrase).map_err(|e: PatternError| error(e.to_string()))?;
            let automaton = Automaton::compile(&node, lists, &mut self.vocabulary)
                .map_err(|e: AutomatonError| error(e.to_string()))?;
            let number = self.phrases.len() as u32;
            for id in automaton.anchor() {
                self.index.entry(*id).or_default().push(number);
            }
            self.longest = self.longest.max(automaton.longest());
            self.phrases.push((owner, automaton));
        }
        Ok(())
    }

    /// The limits of a stage.
    pub fn limits(&self, stage: Stage) -> StageLimits {
        self.limits.get(&stage).copied().unwrap_or(StageLimits { cap: 0.0, floor: 0.0 })
    }

    /// How many words back a new utterance must look: the longest match, and a cue before it.
    pub fn reach(&self) -> usize {
        self.longest + self.cues.iter().map(|cue| cue.reach).max().unwrap_or(0)
    }

    /// The rules that a signal triggers.
    pub fn on_signal(&self, kind: SignalKind) -> impl Iterator<Item = usize> + '_ {
        (0..self.rules.len()).filter(move |at| self.rules[*at].signal == Some(kind))
    }

    /// All matches in `words`, each owner's once per place, in order of place.
    ///
    /// The cost grows with the words and with the phrases whose rarest word occurs, not with the
    /// number of rules.
    pub fn find(&self, words: &[Word], scratch: &mut Scratch, matches: &mut Vec<Match>) {
        matches.clear();
        self.look_up(words, scratch);
        scratch.candidates.sort_unstable();
        scratch.candidates.dedup();
        let mut at = 0;
        while at < scratch.candidates.len() {
            let (phrase, anchor) = scratch.candidates[at];
            let (owner, automaton) = &self.phrases[phrase as usize];
            let reach = automaton.longest() - 1;
            let from = anchor.saturating_sub(reach);
            let mut to = (anchor + reach + 1).min(words.len());
            at += 1;
            // Windows that overlap are run once, so that repetition cannot make the work quadratic.
            while let Some(&(_, next)) =
                scratch.candidates.get(at).filter(|(p, next)| *p == phrase && *next < to + reach)
            {
                to = (next + reach + 1).min(words.len());
                at += 1;
            }
            automaton.matches(&scratch.ids, from, to, &mut scratch.threads, |start, end| {
                matches.push(Match { owner: *owner, start, end });
            });
        }
        matches.sort_unstable_by_key(|found| (found.start, found.end, found.owner));
        matches.dedup();
    }

    fn look_up(&self, words: &[Word], scratch: &mut Scratch) {
        scratch.candidates.clear();
        scratch.ids.resize(words.len().max(scratch.ids.len()), Vec::new());
        scratch.ids.truncate(words.len());
        for (at, word) in words.iter().enumerate() {
            self.vocabulary.look_up(word, &mut scratch.ids[at]);
            for id in &scratch.ids[at] {
                let phrases = self.index.get(id).into_iter().flatten();
                scratch.candidates.extend(phrases.map(|phrase| (*phrase, at)));
            }
        }
    }
}

fn check_rule(file: &str, pack: &Header, rule: &RuleText) -> Result<(), RuleError> {
    let problem = if !rule.id.starts_with(&format!("{}.", pack.id)) {
        format!("the id must begin with the pack's: {}.…", pack.id)
    } else if !WEIGHTS.contains(&rule.weight) {
        let (low, high) = (WEIGHTS.start(), WEIGHTS.end());
        format!("weight is {}, it must be from {low} to {high} decibans", rule.weight)
    } else if rule.bounds.is_some_and(|bounds| !are_bounds(bounds, rule.weight)) {
        let (low, high) = (WEIGHTS.start(), WEIGHTS.end());
        format!("bounds must be two numbers from {low} to {high} decibans, the weight between them")
    } else if !(1.0..=86_400.0).contains(&rule.half_life) {
        "half-life must be from 1 second to a day".to_owned()
    } else if rule.phrases.is_empty() == rule.signal.is_none() {
        "a rule has either phrases or a signal".to_owned()
    } else if rule.signal.is_none()
        && (rule.must_match.is_empty() || rule.must_not_match.is_empty())
    {
        "give at least one sentence in must-match and one in must-not-match".to_owned()
    } else {
        return Ok(());
    };
    Err(RuleError::value(file, &format!("rule {}", rule.id), &problem))
}

fn are_bounds([low, high]: [f64; 2], weight: f64) -> bool {
    WEIGHTS.contains(&low) && WEIGHTS.contains(&high) && (low..=high).contains(&weight)
}

fn parse_lists(packs: &[(&str, Pack)]) -> Result<Lists, RuleError> {
    let mut lists = Lists::new();
    for (file, pack) in packs {
        for (name, phrases) in &pack.lists {
            let place = format!("list {name}");
            let mut options = Vec::new();
            for phrase in phrases {
                let node = pattern::parse(phrase)
                    .map_err(|error| RuleError::phrase(file, &place, phrase, error.to_string()))?;
                options.push(node);
            }
            if options.is_empty() {
                return Err(RuleError::value(file, &place, "the list is empty"));
            }
            if lists.insert(name.clone(), Node::Choice(options)).is_some() {
                return Err(RuleError::value(file, &place, "another list has this name"));
            }
        }
    }
    Ok(lists)
}
