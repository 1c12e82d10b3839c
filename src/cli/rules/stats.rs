//! `lineclear rules stats`: what each rule contributes on labelled calls.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use crate::cli::status::{CliError, Status};
use crate::cli::table::Table;
use crate::cli::{corpora, progress};
use crate::config::{Config, Levels};
use crate::edge::files::Selection;
use crate::edge::ingest::corpus::LabelledCall;
use crate::edge::{files, parallel};
use crate::measure::per_rule::{self, RuleFigures};
use crate::measure::{Corpus, Sample};
use crate::rules::pack::Maturity;
use crate::rules::{Level, Rulebook};

const EXAMPLES: &str = "\
Examples:
  lineclear rules stats scams.jsonl honest.jsonl
  lineclear --rules config/rules rules stats --json *.jsonl

The rules come first whose written weight is furthest above what the calls show.";

/// What to measure.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Options {
    /// Corpora: JSON lines, one labelled call a line, or directories of scripted calls
    #[arg(required = true, value_name = "CORPUS")]
    corpora: Vec<PathBuf>,
    /// One JSON object a rule
    #[arg(long)]
    json: bool,
}

/// What `--json` writes of a rule.
#[derive(Debug, Serialize)]
struct Row<'a> {
    rule: &'a str,
    title: &'a str,
    stage: &'static str,
    experimental: bool,
    /// Decibans, as are `observed` and `gap`.
    weight: f64,
    observed: Option<f64>,
    /// By how much the written weight is above the observed one.
    gap: Option<f64>,
    scam_groups: usize,
    scam_hits: f64,
    honest_groups: usize,
    honest_hits: f64,
    spam_over_all: Option<f64>,
    decides_scam: f64,
    decides_honest: f64,
    overlaps: Option<&'a str>,
    overlap: Option<f64>,
}

pub fn run(options: &Options, config: &Config, packs: &Selection) -> Result<Status, CliError> {
    let sources = files::packs(packs)?;
    let book = crate::rules::load(&sources)?;
    let bar = progress::corpora(corpora::size(&options.corpora)?);
    let mut seen = Vec::new();
    for path in &options.corpora {
        let books = (0..parallel::cores()).map(|_| crate::rules::load(&sources).map(Arc::new));
        let books = books.collect::<Result<Vec<_>, _>>()?;
        let samples =
            corpora::map(path, books, &bar, |book, call| measure(call, config.levels, book))?;
        seen.push(Corpus { name: corpora::name(path), samples });
    }
    bar.finish_and_clear();
    let (figures, groups) = per_rule::figures(&seen.iter().collect::<Vec<_>>(), book.rules.len());
    let mut rows: Vec<_> =
        figures.iter().enumerate().map(|(at, figures)| row(&book, at, figures, groups)).collect();
    // Rules that were never heard come last.
    let key = |row: &Row<'_>| row.gap.unwrap_or(f64::NEG_INFINITY);
    rows.sort_by(|left, right| key(right).total_cmp(&key(left)).then(left.rule.cmp(right.rule)));
    let mut out = BufWriter::new(std::io::stdout().lock());
    if options.json {
        for row in &rows {
            let text = serde_json::to_string(row).map_err(std::io::Error::from)?;
            writeln!(out, "{text}")?;
        }
    } else {
        people(&rows, groups, &mut out)?;
    }
    out.flush()?;
    Ok(Status::OK)
}

/// Screens a call; if it is warned of, once more without each of its rules.
fn measure(call: LabelledCall, levels: Levels, book: &mut Arc<Rulebook>) -> Sample {
    let outcome = corpora::outcome(&call, levels, book);
    let is_warned = outcome.highest() >= Level::Warning;
    let hits = outcome.worst.hits.iter().chain(&outcome.verdict.hits).filter(|_| is_warned);
    let mut suspects: Vec<usize> = hits.map(|hit| hit.rule).collect();
    suspects.sort_unstable();
    suspects.dedup();
    suspects.retain(|rule| {
        let before = silence(book, *rule, Maturity::Experimental);
        let without = corpora::outcome(&call, levels, book);
        silence(book, *rule, before);
        without.highest() < Level::Warning
    });
    Sample { decisive: suspects, ..corpora::sample(call, &outcome, book) }
}

/// An experimental rule is shown and does not count. Returns what the rule was before.
fn silence(book: &mut Arc<Rulebook>, rule: usize, maturity: Maturity) -> Maturity {
    match Arc::get_mut(book) {
        Some(book) => std::mem::replace(&mut book.rules[rule].maturity, maturity),
        // No call is being screened now, so nobody else holds the book.
        None => maturity,
    }
}

fn row<'a>(book: &'a Rulebook, at: usize, figures: &RuleFigures, groups: [usize; 2]) -> Row<'a> {
    let rule = &book.rules[at];
    Row {
        rule: &rule.id,
        title: &rule.title,
        stage: rule.stage.name(),
        experimental: rule.maturity == Maturity::Experimental,
        weight: rule.weight,
        observed: figures.observed,
        gap: figures.observed.map(|observed| rule.weight - observed),
        scam_groups: groups[0],
        scam_hits: figures.scam,
        honest_groups: groups[1],
        honest_hits: figures.honest,
        spam_over_all: figures.spam_over_all,
        decides_scam: figures.decides_scam,
        decides_honest: figures.decides_honest,
        overlaps: figures.overlap.map(|(other, _)| book.rules[other].id.as_str()),
        overlap: figures.overlap.map(|(_, share)| share),
    }
}

fn people(
    rows: &[Row<'_>],
    [scams, honest]: [usize; 2],
    out: &mut impl Write,
) -> std::io::Result<()> {
    writeln!(
        out,
        "{scams} groups of scam calls, {honest} of honest ones. Weights are decibans; the rules\n\
         whose weight is furthest above what these calls show come first.\n"
    )?;
    let mut table = Table::new(
        "rule|>weight|>observed|>gap|>in scams|>in honest|>S/O|>decides scams|>decides honest|\
         overlaps with",
    );
    let was_heard = |row: &&Row<'_>| row.scam_hits + row.honest_hits > 0.0;
    for row in rows.iter().filter(was_heard) {
        let number =
            |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |it| format!("{it:.1}"));
        let ratio = row.spam_over_all.map_or_else(|| "–".to_owned(), |it| format!("{it:.2}"));
        let other = row.overlaps.zip(row.overlap);
        table.row([
            row.rule.to_owned(),
            number(Some(row.weight)),
            number(row.observed),
            number(row.gap),
            number(Some(row.scam_hits)),
            number(Some(row.honest_hits)),
            ratio,
            number(Some(row.decides_scam)),
            number(Some(row.decides_honest)),
            other.map_or_else(String::new, |(id, share)| format!("{id} ({:.0} %)", share * 100.0)),
        ]);
    }
    table.print(out)?;
    let unheard: Vec<_> = rows.iter().filter(|row| !was_heard(row)).collect();
    writeln!(out, "\nNever heard in these calls: {} of {} rules", unheard.len(), rows.len())?;
    unheard.iter().try_for_each(|row| writeln!(out, "  {}", row.rule))
}
