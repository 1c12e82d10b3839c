//! An explanation for people: under every turn a tree of what it added, and the sum at the end.

use std::io;

use crate::call::Origin;
use crate::cli::paint::{self, BOLD, DIM, styled};
use crate::cli::text::{self, cut, line, printable};
use crate::rules::explain::{Explanation, Found, Sums, Told, Turn};
use crate::rules::pack::Maturity;
use crate::rules::phrases::NearMiss;
use crate::rules::{Finding, Level, Verdict};

/// Columns before the words of a turn: its number, the time, and the leg.
const INDENT: usize = 26;

/// Columns before the tree under a turn.
const TREE: usize = 5;

/// Columns of the tree before the title of a rule: its stage, and the weight.
const TITLE: usize = 21;

/// Decibans below which a change is not worth a line.
const SLIGHT: f64 = 0.05;

pub(super) fn write(name: &str, call: &Explanation) -> io::Result<()> {
    let page = Page { call, width: text::width(), has_colour: paint::has_colour() };
    let start = format!("{}, {:.1} to begin with", origin(call.origin), call.start);
    line(&format!("{}  {}", styled(BOLD, printable(name)), styled(DIM, start)))?;
    for (number, turn) in call.turns.iter().enumerate() {
        page.turn(number + 1, turn)?;
    }
    page.verdict()
}

struct Page<'a> {
    call: &'a Explanation,
    width: usize,
    has_colour: bool,
}

/// One thing under a turn: a row, and rows that tell more of it.
type Branch = Vec<String>;

impl Page<'_> {
    fn turn(&self, number: usize, turn: &Turn) -> io::Result<()> {
        let (leg, start, rows) = match &turn.told {
            Told::Speech(said) => {
                let findings: Vec<Finding> =
                    turn.found.iter().map(|one| one.finding.clone()).collect();
                let width = self.width - INDENT;
                let rows = text::rows(said.text.reveal(), &findings, width, self.has_colour);
                (said.leg, said.start, rows)
            }
            Told::Signal(signal) => {
                let name = format!("({})", signal.kind.name().replace('-', " "));
                (signal.leg, signal.at, vec![name])
            }
        };
        let head = styled(DIM, format!("{number:>4}  {:>8}", start.to_string()));
        let leg = styled(paint::leg(leg), format!("{leg:9}"));
        for (at, words) in rows.iter().enumerate() {
            match at {
                0 => line(&format!("{head} {leg}  {words}"))?,
                _ => line(&format!("{:INDENT$}{words}", ""))?,
            }
        }
        self.tree(&self.branches(turn))
    }

    fn tree(&self, branches: &[Branch]) -> io::Result<()> {
        for (at, branch) in branches.iter().enumerate() {
            let is_last = at + 1 == branches.len();
            for (row, text) in branch.iter().enumerate() {
                let sign = match (row, is_last) {
                    (0, true) => "└ ",
                    (0, false) => "├ ",
                    (_, true) => "  ",
                    (_, false) => "│ ",
                };
                line(&format!("{:TREE$}{}{text}", "", styled(DIM, sign)))?;
            }
        }
        Ok(())
    }

    fn branches(&self, turn: &Turn) -> Vec<Branch> {
        let found = turn.found.iter().map(|one| self.found(turn, one));
        let mut branches: Vec<Branch> =
            found.chain(turn.near.iter().map(|near| self.near(turn, near))).collect();
        let moved = (turn.verdict.score - turn.before.1).abs() >= 1.0;
        if !turn.found.is_empty() || moved || turn.verdict.level != turn.before.0 {
            branches.push(self.score(turn));
        }
        if !turn.is_settled() {
            branches.push(vec![styled(DIM, "these words may still be revised")]);
        }
        branches
    }

    fn found(&self, turn: &Turn, found: &Found) -> Branch {
        let finding = &found.finding;
        let rule = &self.call.book.rules[finding.rule];
        let weight = rule.weight * finding.keeps;
        let mut branch = vec![self.row(rule.stage.name(), &signed(weight), &rule.title)];
        let phrase = found.phrase.map(|phrase| format!(", phrase {}", phrase + 1));
        let said = words(turn, &finding.span).map(|words| format!(": \"{words}\""));
        let detail =
            format!("{}{}{}", rule.id, phrase.unwrap_or_default(), said.unwrap_or_default());
        branch.extend(self.below(&detail).map(dim));
        if let Some(cue) = finding.cue {
            let (cue, share) = (&self.call.book.cues[cue].title, finding.keeps * 100.0);
            let told = format!("keeps {share:.0} % of {:.1}: {cue}", rule.weight);
            branch.extend(self.below(&told));
        }
        if finding.misheard > 0 {
            branch.extend(self.below("may be misheard: keeps less of its weight").map(dim));
        }
        if let Some(since) = found.since {
            let told = format!("counts once: first heard at {since}");
            branch.extend(self.below(&told).map(dim));
        }
        if rule.maturity == Maturity::Experimental {
            branch.extend(self.below("experimental: shown, but does not count"));
        }
        branch
    }

    fn near(&self, turn: &Turn, near: &NearMiss) -> Branch {
        let rule = &self.call.book.rules[near.rule];
        let (phrase, missing) = (near.phrase + 1, &near.missing);
        let said = words(turn, &near.span).unwrap_or_default();
        let told = format!("{}, phrase {phrase}: \"{said}\" lacks {missing}", rule.id);
        let head = styled(DIM, self.row(rule.stage.name(), "near", &rule.title));
        std::iter::once(head).chain(self.below(&told).map(dim)).collect()
    }

    fn score(&self, turn: &Turn) -> Branch {
        let (now, before) = (&turn.verdict, turn.before);
        let change = now.score - before.1;
        let faded = match turn.faded >= SLIGHT {
            true => format!(", {:.1} faded", turn.faded),
            false => String::new(),
        };
        let level = match now.level.cmp(&before.0) {
            std::cmp::Ordering::Equal => String::new(),
            order => {
                let arrow = if order.is_gt() { "▲" } else { "▼" };
                let told = format!("{arrow} {}", now.level.name().to_uppercase());
                format!("  {}", styled(paint::level(now.level), told))
            }
        };
        let score = styled(BOLD, format!("score {:.1}", now.score));
        let mut branch = vec![format!("{score} ({}{faded}){level}", signed(change))];
        let touched = |stage| {
            let mut rules = turn.found.iter().map(|one| &self.call.book.rules[one.finding.rule]);
            rules.any(|rule| rule.stage == stage)
        };
        let sums = self.call.sums(now);
        for sum in sums.stages.iter().filter(|sum| touched(sum.stage)) {
            if sum.heard > sum.cap + SLIGHT {
                let (stage, heard, cap) = (sum.stage, sum.heard, sum.cap);
                branch.push(format!("  {stage}: {heard:.1} heard, {cap:.1} at most"));
            }
        }
        branch.extend(held(&sums).map(|told| format!("  {told}")));
        branch
    }

    fn row(&self, stage: &str, weight: &str, title: &str) -> String {
        cut(&format!("{stage:12} {weight:>6}  {title}"), self.width - TREE - 2)
    }

    /// What is told below, in line with the title.
    fn below(&self, text: &str) -> impl Iterator<Item = String> {
        let rows = text::rows(text, &[], self.width - TREE - 2 - TITLE, false);
        rows.into_iter().map(|row| format!("{:TITLE$}{row}", ""))
    }

    fn verdict(&self) -> io::Result<()> {
        let worst = &self.call.worst;
        let level = styled(paint::level(worst.level), worst.level.name().to_uppercase());
        let family = worst.family.map(|pack| self.call.book.packs[pack].title.as_str());
        let told = match (worst.level, family, worst.stage) {
            (Level::Quiet, _, _) | (_, _, None) => "nothing to warn of was heard".to_owned(),
            (_, family, Some(stage)) => {
                let family = family.map(|family| format!("{family}, "));
                format!("{}as far as: {stage}", family.unwrap_or_default())
            }
        };
        line("")?;
        line(&format!("{}  {level}  {told}", styled(BOLD, "Verdict")))?;
        line(&format!("         score {:.1} at {}", worst.score, worst.at))?;
        self.reasons(worst)?;
        self.sum(worst)?;
        let last = &self.call.last;
        if last.level != worst.level || (last.score - worst.score).abs() >= SLIGHT {
            line("")?;
            line(&format!("At the end, {}: {}, score {:.1}", last.at, last.level, last.score))?;
        }
        line("")
    }

    fn reasons(&self, worst: &Verdict) -> io::Result<()> {
        if worst.hits.is_empty() {
            return Ok(());
        }
        line("")?;
        let note = styled(DIM, "(of what it was before it faded)");
        line(&format!("{}  {note}", styled(BOLD, "Reasons")))?;
        for hit in &worst.hits {
            let rule = &self.call.book.rules[hit.rule];
            let heard = self.call.when_heard(hit.rule, worst);
            let faded = match heard - hit.weight >= SLIGHT {
                true => format!("of {heard:.1}"),
                false => String::new(),
            };
            let weight = signed(hit.weight);
            let (at, stage) = (hit.at.to_string(), rule.stage.name());
            let told = format!("  {weight:>6} {faded:7} {at:>8}  {stage:12} {}", rule.title);
            line(&cut(&told, self.width))?;
            if let Some(number) = hit.suppression {
                let suppression = &self.call.book.suppressions[number];
                let (share, title) = (suppression.keeps * 100.0, &suppression.title);
                line(&cut(&format!("{:18}keeps {share:.0} %: {title}", ""), self.width))?;
            }
        }
        Ok(())
    }

    /// How the score adds up, with what the caps cut.
    fn sum(&self, worst: &Verdict) -> io::Result<()> {
        let sums = self.call.sums(worst);
        line("")?;
        line(&styled(BOLD, "How it adds up"))?;
        line(&format!("  {:>6.1}  {}", self.call.start, origin(self.call.origin)))?;
        for sum in &sums.stages {
            let cut = match sum.heard > sum.cap + SLIGHT {
                true => format!(" of {:.1}: the cap of its stage", sum.heard),
                false => String::new(),
            };
            line(&format!("  {:>6.1}  {}{cut}", sum.counts(), sum.stage))?;
        }
        if let Some(pretext) = sums.pretext.filter(|pretext| pretext.cuts() >= SLIGHT) {
            let held = held(&sums).unwrap_or_default();
            line(&format!("  {:>6}  {held}", signed(-pretext.cuts())))?;
        }
        for (part, what) in [(sums.sequences, "sequences"), (sums.reassurance, "reassurance")] {
            if part.abs() >= SLIGHT {
                line(&format!("  {part:>6.1}  {what}"))?;
            }
        }
        let levels = &self.call.levels;
        let begin = format!(
            "caution begins at {}, warning at {}, danger at {}",
            levels.caution, levels.warning, levels.danger
        );
        let total = styled(BOLD, format!("{:>6.1}", worst.score));
        line(&format!("  {total}  {}", styled(DIM, begin)))
    }
}

/// Why demands are held back, if they are.
fn held(sums: &Sums) -> Option<String> {
    let pretext = sums.pretext.filter(|pretext| pretext.cuts() >= SLIGHT)?;
    Some(format!(
        "no reason given ({:.1} of {:.1}): {:.1} of {:.1} demanded",
        pretext.heard, pretext.least, pretext.cap, pretext.demands
    ))
}

/// The words of a turn that matched.
fn words(turn: &Turn, span: &std::ops::Range<usize>) -> Option<String> {
    let Told::Speech(said) = &turn.told else { return None };
    said.text.reveal().get(span.clone()).map(|words| printable(words).trim().to_owned())
}

const fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Unknown => "unknown number",
        Origin::KnownContact => "known contact",
        Origin::Outgoing => "outgoing call",
    }
}

fn dim(row: String) -> String {
    styled(DIM, row)
}

fn signed(value: f64) -> String {
    let sign = if value < 0.0 { "−" } else { "+" };
    format!("{sign}{:.1}", value.abs())
}
