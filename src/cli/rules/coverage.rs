//! Which rules and phrases the tests reach.

use std::collections::BTreeSet;
use std::io;

use serde::Serialize;

use crate::call::{Leg, Utterance};
use crate::cli::paint::{BOLD, DIM, styled};
use crate::cli::text::{self, line};
use crate::cli::workbench::Workbench;
use crate::config::Levels;
use crate::rules::explain::Explanation;
use crate::rules::pack::{RuleText, Speaker};
use crate::rules::phrases::MATCHES;
use crate::time::CallTime;

/// What was reached so far.
pub(super) struct Coverage<'a> {
    bench: &'a Workbench,
    /// Scripted calls that were heard.
    calls: usize,
    in_calls: BTreeSet<usize>,
    in_examples: BTreeSet<usize>,
    phrases: BTreeSet<(usize, usize)>,
}

#[derive(Serialize)]
struct Told<'a> {
    kind: &'static str,
    rules: usize,
    rules_in_calls: usize,
    rules_in_examples: usize,
    in_no_call: Vec<&'a str>,
    nowhere: Vec<&'a str>,
    phrases: usize,
    phrases_matched: usize,
    unmatched: Vec<Phrase<'a>>,
}

#[derive(Serialize)]
struct Phrase<'a> {
    rule: &'a str,
    /// From 1.
    phrase: usize,
    pattern: &'a str,
}

impl<'a> Coverage<'a> {
    pub fn new(bench: &'a Workbench) -> Self {
        Self {
            bench,
            calls: 0,
            in_calls: BTreeSet::new(),
            in_examples: BTreeSet::new(),
            phrases: BTreeSet::new(),
        }
    }

    /// What the examples of a rule reach of the rule itself.
    pub fn examples(&mut self, rule: &RuleText, levels: Levels) {
        let Some(number) = self.bench.book.rules.iter().position(|one| one.id == rule.id) else {
            return;
        };
        for example in &rule.must_match {
            let named = example
                .split_once(": ")
                .and_then(|(leg, words)| Some((Leg::from_name(leg)?, words)));
            let own = if rule.speaker == Speaker::Protected { Leg::Protected } else { Leg::Remote };
            let (leg, text) = named.unwrap_or((own, example));
            let utterance = Utterance {
                leg,
                start: CallTime::START,
                end: CallTime::START,
                text: text.to_owned().into(),
                confidence: None,
                is_final: true,
            };
            let (found, _) = self.bench.phrases.listen(levels).hear(&utterance);
            for one in found.iter().filter(|one| one.rule == number && one.keeps >= MATCHES) {
                self.in_examples.insert(number);
                self.phrases.insert((number, one.phrase));
            }
        }
    }

    /// What a scripted call reaches.
    pub fn call(&mut self, call: &Explanation) {
        self.calls += 1;
        for turn in call.turns.iter().filter(|turn| turn.is_settled()) {
            let rules = turn.found.iter().filter(|one| one.finding.keeps >= MATCHES);
            self.in_calls.extend(rules.map(|one| one.finding.rule));
            let phrases = turn.phrases.iter().filter(|one| one.keeps >= MATCHES);
            self.phrases.extend(phrases.map(|one| (one.rule, one.phrase)));
        }
    }

    fn told(&self) -> Told<'_> {
        let rules = || self.bench.book.rules.iter().enumerate();
        let ids = |reached: &dyn Fn(usize) -> bool| {
            rules().filter(|(at, _)| !reached(*at)).map(|(_, rule)| rule.id.as_str()).collect()
        };
        let mut phrases = 0;
        let mut unmatched = Vec::new();
        for (at, rule) in rules() {
            let Some((_, text)) = self.bench.texts.rule(&rule.id) else { continue };
            phrases += text.phrases.len();
            let missed = text.phrases.iter().enumerate();
            let missed = missed.filter(|(phrase, _)| !self.phrases.contains(&(at, *phrase)));
            let rule = rule.id.as_str();
            unmatched.extend(missed.map(|(at, pattern)| Phrase { rule, phrase: at + 1, pattern }));
        }
        Told {
            kind: "coverage",
            rules: rules().count(),
            rules_in_calls: self.in_calls.len(),
            rules_in_examples: self.in_examples.len(),
            in_no_call: ids(&|at| self.in_calls.contains(&at)),
            nowhere: ids(&|at| self.in_calls.contains(&at) || self.in_examples.contains(&at)),
            phrases,
            phrases_matched: phrases - unmatched.len(),
            unmatched,
        }
    }

    pub fn tell(&self, json: bool) -> io::Result<()> {
        let told = self.told();
        if json {
            return text::json_line(&told);
        }
        line("")?;
        line(&styled(BOLD, "Coverage"))?;
        let Told { rules, rules_in_calls: in_calls, rules_in_examples: in_examples, .. } = told;
        line(&format!(
            "  {rules} rules: {in_calls} reached by scripted calls, {in_examples} by their examples"
        ))?;
        line(&format!(
            "  {} phrases: {} matched by a call or an example",
            told.phrases, told.phrases_matched
        ))?;
        if self.calls > 0 {
            list("Rules that no scripted call reaches", &told.in_no_call)?;
        }
        list("Rules that nothing reaches", &told.nowhere)?;
        if told.unmatched.is_empty() {
            return Ok(());
        }
        line("")?;
        line("Phrases that nothing matches")?;
        let mut rule = "";
        for phrase in &told.unmatched {
            if phrase.rule != rule {
                rule = phrase.rule;
                line(&format!("  {rule}"))?;
            }
            line(&styled(DIM, format!("  {:>4}  {}", phrase.phrase, phrase.pattern)))?;
        }
        Ok(())
    }
}

fn list(title: &str, ids: &[&str]) -> io::Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    line("")?;
    line(title)?;
    ids.iter().try_for_each(|id| line(&format!("  {id}")))
}
