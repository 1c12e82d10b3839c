//! `lineclear rules test`: the rules' own examples, and scripted calls that say what is expected.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::coverage::Coverage;
use crate::call::Origin;
use crate::cli::paint::{self, BOLD, DIM, styled};
use crate::cli::status::{CliError, Status};
use crate::cli::text::{self, line, printable};
use crate::cli::workbench::Workbench;
use crate::config::{Config, Levels};
use crate::edge::files::Selection;
use crate::edge::ingest::scripts;
use crate::rules::explain::{Explainer, Explanation, Told};
use crate::rules::script::{Claim, Failure, Script};
use crate::rules::{Level, RuleErrors, Verdict};

/// What to test.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Options {
    /// Scripted calls, or directories of them (*.txt, *.jsonl); without any, only the rules' own
    /// examples are run
    #[arg(value_name = "FILE|DIR")]
    scripts: Vec<PathBuf>,
    /// One JSON object a test
    #[arg(long)]
    json: bool,
    /// Tell which rules and phrases no test and no example reaches
    #[arg(long)]
    coverage: bool,
}

const EXAMPLES: &str = "\
A scripted call is a transcript with expectations in its comments:
  # expect: warning before ask
  # expect: no rule bank.*
  remote: This is the police. Please keep this between us.
  # here: caution
  # ask
  remote: Withdraw the cash.
docs/rules.md describes them.

Examples:
  lineclear rules test tests/rule-tests
  lineclear --rules my-rules rules test --coverage my-calls

Exit status: 1 if a test failed, or could not be read.";

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Ended {
    Passed,
    Failed,
    /// It expects nothing.
    Skipped,
    /// It cannot be read.
    Unreadable,
}

/// A test that was run.
#[derive(Serialize)]
struct Test {
    /// The file, or the rule whose examples they are.
    test: String,
    /// `examples` or `call`.
    kind: &'static str,
    ended: Ended,
    /// How many expectations or examples it has.
    expectations: usize,
    failures: Vec<Wrong>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Something that was expected and did not happen.
#[derive(Serialize)]
struct Wrong {
    /// The line of the file, from 1; examples have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    expected: String,
    got: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<Turn>,
    /// Why the score was what it was, heaviest first.
    reasons: Vec<Reason>,
}

/// The turn that shows it.
#[derive(Serialize)]
struct Turn {
    /// From 1.
    turn: usize,
    at_ms: u64,
    leg: &'static str,
    /// The words of the script.
    text: String,
}

#[derive(Serialize)]
struct Reason {
    rule: String,
    stage: &'static str,
    at_ms: u64,
    weight: f64,
}

/// Runs tests and tells of them.
struct Runner<'a> {
    options: &'a Options,
    bench: &'a Workbench,
    levels: Levels,
    coverage: Coverage<'a>,
    ended: BTreeMap<Ended, usize>,
    examples: usize,
}

pub(super) fn run(
    options: &Options,
    config: &Config,
    rules: &Selection,
) -> Result<Status, CliError> {
    let (bench, wrong) = Workbench::open_unsound(rules)?;
    let mut runner = Runner {
        options,
        bench: &bench,
        levels: config.levels,
        coverage: Coverage::new(&bench),
        ended: BTreeMap::new(),
        examples: 0,
    };
    runner.examples(wrong)?;
    for path in &options.scripts {
        let files = scripts::at(path)?;
        if files.is_empty() {
            runner.tell(unreadable(path, "no scripted call (*.txt, *.jsonl) in it".to_owned()))?;
        }
        for file in files {
            let test = runner.script(&file);
            runner.tell(test)?;
        }
    }
    if options.coverage {
        runner.coverage.tell(options.json)?;
    }
    runner.summary()?;
    let bad = [Ended::Failed, Ended::Unreadable];
    let failed = bad.iter().any(|ended| runner.ended.contains_key(ended));
    Ok(Status { failed, ..Status::OK })
}

impl Runner<'_> {
    /// The examples of every rule; `wrong` are those that failed when the packs were loaded.
    fn examples(&mut self, wrong: Option<RuleErrors>) -> io::Result<()> {
        let mut failures: BTreeMap<String, Vec<Wrong>> = BTreeMap::new();
        for problem in wrong.map_or_else(Vec::new, |errors| errors.0) {
            failures.entry(problem.place.name).or_default().push(Wrong {
                line: None,
                expected: problem.place.quote,
                got: problem.message,
                turn: None,
                reasons: Vec::new(),
            });
        }
        for (_, rule) in self.bench.texts.rules() {
            self.coverage.examples(rule, self.levels);
            let failures = failures.remove(&rule.id).unwrap_or_default();
            let expectations = rule.must_match.len() + rule.must_not_match.len();
            self.examples += expectations;
            let ended = if failures.is_empty() { Ended::Passed } else { Ended::Failed };
            let (test, kind) = (rule.id.clone(), "examples");
            self.tell(Test { test, kind, ended, expectations, failures, error: None })?;
        }
        if !self.options.json && !self.ended.contains_key(&Ended::Failed) {
            let rules = self.bench.texts.rules().count();
            let (examples, rules) =
                (text::count(self.examples, "example"), text::count(rules, "rule"));
            passed(&format!("{examples} of {rules}"), "")?;
        }
        Ok(())
    }

    fn script(&mut self, path: &Path) -> Test {
        let script = match scripts::read(path) {
            Err(error) => return unreadable(path, error.problem.to_string()),
            Ok(text) => match Script::parse(&text) {
                Err(error) => return unreadable(path, error.to_string()),
                Ok(script) => script,
            },
        };
        let bench = self.bench;
        let mut explainer =
            Explainer::new(&bench.book, &bench.phrases, self.levels, Origin::Unknown);
        script.sounds.into_iter().for_each(|sound| explainer.take(sound));
        let call = explainer.end();
        self.coverage.call(&call);
        let check =
            |claim: &Claim| claim.check(&call).err().map(|failure| wrong(claim, &failure, &call));
        let failures: Vec<Wrong> = script.claims.iter().filter_map(check).collect();
        let ended = match (script.claims.is_empty(), failures.is_empty()) {
            (true, _) => Ended::Skipped,
            (_, true) => Ended::Passed,
            (_, false) => Ended::Failed,
        };
        let (test, expectations) = (path.display().to_string(), script.claims.len());
        Test { test, kind: "call", ended, expectations, failures, error: None }
    }

    fn tell(&mut self, test: Test) -> io::Result<()> {
        *self.ended.entry(test.ended).or_default() += 1;
        if self.options.json {
            return text::json_line(&test);
        }
        let is_call = test.kind == "call";
        match test.ended {
            // The examples of all rules are told of in one line.
            Ended::Passed if !is_call => Ok(()),
            Ended::Passed => passed(&test.test, &format!("{} expected", test.expectations)),
            Ended::Skipped => {
                let told = format!("– {}  nothing is expected in it: skipped", test.test);
                line(&styled(DIM, told))
            }
            Ended::Unreadable => {
                failed(&test.test)?;
                line(&format!("    {}", test.error.as_deref().unwrap_or_default()))
            }
            Ended::Failed => {
                failed(&test.test)?;
                test.failures.iter().try_for_each(|one| one.tell())
            }
        }
    }

    fn summary(&self) -> Result<(), CliError> {
        if self.options.json {
            return Ok(());
        }
        let count = |ended| self.ended.get(&ended).copied().unwrap_or(0);
        let bad = count(Ended::Failed) + count(Ended::Unreadable);
        let all = bad + count(Ended::Passed);
        line("")?;
        let rules = self.bench.texts.rules().count();
        let calls = text::count(all - rules, "scripted call");
        let of = format!("the examples of {}, {calls}", text::count(rules, "rule"));
        let tests = text::count(all, "test");
        let told = match bad {
            0 => styled(paint::level(Level::Quiet), format!("All {tests} passed")),
            _ => styled(paint::level(Level::Danger), format!("{bad} of {tests} failed")),
        };
        let skipped = match count(Ended::Skipped) {
            0 => String::new(),
            skipped => format!("; {skipped} skipped, as nothing is expected in them"),
        };
        Ok(line(&format!("{told} ({of}{skipped})"))?)
    }
}

impl Wrong {
    fn tell(&self) -> io::Result<()> {
        match self.line {
            Some(number) => line(&format!("    line {number}: expected {}", self.expected))?,
            None => line(&format!("    \"{}\"", self.expected))?,
        }
        line(&format!("      but {}", self.got))?;
        if let Some(turn) = &self.turn {
            let head = format!(
                "turn {}, {}, {}: ",
                turn.turn,
                crate::time::CallTime(turn.at_ms),
                turn.leg
            );
            let rows = text::rows(&turn.text, &[], text::width() - 6, false);
            line(&format!("      {}{}", styled(DIM, head), rows.join("\n      ")))?;
        }
        for reason in &self.reasons {
            let at = crate::time::CallTime(reason.at_ms).to_string();
            let weight = format!("+{:.1}", reason.weight);
            line(&format!("      {weight:>6}  {at:>7}  {:12} {}", reason.stage, reason.rule))?;
        }
        Ok(())
    }
}

fn wrong(claim: &Claim, failure: &Failure, call: &Explanation) -> Wrong {
    let turn = failure.turn.and_then(|at| Some((at, call.turns.get(at)?)));
    let verdict = turn.map_or(&call.worst, |(_, turn)| &turn.verdict);
    Wrong {
        line: Some(claim.line),
        expected: claim.text.clone(),
        got: failure.got.clone(),
        reasons: reasons(call, verdict),
        turn: turn.and_then(|(at, turn)| match &turn.told {
            Told::Speech(said) => Some(Turn {
                turn: at + 1,
                at_ms: turn.verdict.at.0,
                leg: said.leg.name(),
                text: printable(said.text.reveal()),
            }),
            Told::Signal(_) => None,
        }),
    }
}

fn reasons(call: &Explanation, verdict: &Verdict) -> Vec<Reason> {
    let heavy = verdict.hits.iter().filter(|hit| hit.weight >= 0.05);
    let reason = heavy.map(|hit| {
        let rule = &call.book.rules[hit.rule];
        Reason {
            rule: rule.id.clone(),
            stage: rule.stage.name(),
            at_ms: hit.at.0,
            weight: (hit.weight * 10.0).round() / 10.0,
        }
    });
    reason.collect()
}

fn unreadable(path: &Path, problem: String) -> Test {
    Test {
        test: path.display().to_string(),
        kind: "call",
        ended: Ended::Unreadable,
        expectations: 0,
        failures: Vec::new(),
        error: Some(problem),
    }
}

fn passed(name: &str, detail: &str) -> io::Result<()> {
    let sign = styled(paint::level(Level::Quiet), "✓");
    line(format!("{sign} {name}  {}", styled(DIM, detail)).trim_end())
}

fn failed(name: &str) -> io::Result<()> {
    let sign = styled(paint::level(Level::Danger), "✗");
    line(&format!("{sign} {}", styled(BOLD, name)))
}
