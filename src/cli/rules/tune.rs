//! `lineclear rules tune`: weights fitted to labelled calls, as a change to review.

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use similar::TextDiff;

use crate::cli::corpora;
use crate::cli::status::{CliError, Status};
use crate::config::Config;
use crate::edge::files::{self, Selection};
use crate::measure::tune::{self, Tuned, tune};
use crate::rules::{Rulebook, rewrite};

const EXAMPLES: &str = "\
Examples:
  lineclear --rules config/rules rules tune scams.jsonl honest.jsonl > weights.diff
  lineclear --rules config/rules rules tune --write scams.jsonl honest.jsonl
  lineclear rules tune --out tuned scams.jsonl honest.jsonl
  lineclear --rules tuned eval others.jsonl";

/// What to fit.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Options {
    /// Corpora: JSON lines, one labelled call a line, or directories of scripted calls
    #[arg(required = true, value_name = "CORPUS")]
    corpora: Vec<PathBuf>,
    /// One JSON object a rule, in place of the diff
    #[arg(long)]
    json: bool,
    /// Write the packs with their new weights into this directory too
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Change the packs of --rules on disk
    #[arg(long, conflicts_with = "out")]
    write: bool,
    /// How far a written weight may be wrong, as a standard deviation in decibans
    #[arg(long, value_name = "DECIBANS", default_value_t = 3.0, value_parser = spread)]
    spread: f64,
    /// Decides which calls are drawn to see how sure a weight is
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn spread(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(spread) if (0.1..=20.0).contains(&spread) => Ok(spread),
        _ => Err("it must be a number from 0.1 to 20".to_owned()),
    }
}

/// What `--json` writes of a rule; all in decibans.
#[derive(Debug, Serialize)]
struct Row<'a> {
    rule: &'a str,
    written: f64,
    weight: f64,
    fitted: f64,
    low: f64,
    high: f64,
    bounds: [f64; 2],
    changed: bool,
}

pub fn run(options: &Options, config: &Config, packs: &Selection) -> Result<Status, CliError> {
    if options.write && packs.directory.is_none() {
        return Err(CliError::BuiltIn);
    }
    let sources = files::packs(packs)?;
    let book = Arc::new(crate::rules::load(&sources)?);
    let seen = corpora::screen_all(&options.corpora, config.levels, &book)?;
    let how =
        tune::Options { spread: options.spread, seed: options.seed, ..tune::Options::default() };
    let tuned = tune(&seen.iter().collect::<Vec<_>>(), &book.rules, how)?;
    let fresh = rewrite::reweigh(&sources, &tune::changes(&book.rules, &tuned))?;
    // What is printed or written must load.
    crate::rules::load(&fresh)?;
    let text = match options.json {
        true => json(&book, &tuned)?,
        false => diff(&sources, &fresh),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    summary(&book, &tuned)?;
    for ((file, text), (_, before)) in fresh.iter().zip(&sources) {
        match &options.out {
            Some(directory) => files::write_into(directory, file, text)?,
            None if options.write && text != before => files::replace(Path::new(file), text)?,
            None => {}
        }
    }
    Ok(Status::OK)
}

fn diff(before: &rewrite::Sources, after: &rewrite::Sources) -> String {
    let one = |((file, before), (_, after)): (&(String, String), &(String, String))| {
        let name = file.trim_start_matches('/');
        TextDiff::from_lines(before.as_str(), after.as_str())
            .unified_diff()
            .header(&format!("a/{name}"), &format!("b/{name}"))
            .to_string()
    };
    before.iter().zip(after).map(one).collect()
}

fn json(book: &Rulebook, tuned: &[Tuned]) -> std::io::Result<String> {
    let mut lines = String::new();
    for (rule, tuned) in book.rules.iter().zip(tuned) {
        let row = Row {
            rule: &rule.id,
            written: rule.weight,
            weight: tuned.weight,
            fitted: tuned.fitted,
            low: tuned.interval.low,
            high: tuned.interval.high,
            bounds: tuned.bounds,
            changed: tuned.weight != rule.weight,
        };
        lines.push_str(&serde_json::to_string(&row)?);
        lines.push('\n');
    }
    Ok(lines)
}

/// What moved, and how sure that is, on the standard error.
fn summary(book: &Rulebook, tuned: &[Tuned]) -> std::io::Result<()> {
    let mut text = String::new();
    let moved = book.rules.iter().zip(tuned).filter(|(rule, tuned)| rule.weight != tuned.weight);
    for (rule, tuned) in moved.clone() {
        let (low, high) = (tuned.interval.low, tuned.interval.high);
        let is_held = tuned.bounds.iter().any(|bound| (bound - tuned.weight).abs() < 0.1);
        let held = if is_held { ", held by its bounds" } else { "" };
        let (id, from, to) = (&rule.id, rule.weight, tuned.weight);
        let _ = writeln!(text, "{id}: {from} to {to} (95 %: {low:.1} to {high:.1}{held})");
    }
    let _ = writeln!(text, "{} of {} weights move", moved.count(), book.rules.len());
    anstream::stderr().write_all(text.as_bytes())
}
