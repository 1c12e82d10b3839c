//! `lineclear rules profile`: what each rule costs.
//!
//! A rule is measured in a book with nothing but it, against the book without rules; in several
//! copies, since one rule's cost is lost in the noise. What such a book takes more, shared by the
//! copies, is what the rule adds to any book.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::call::{Leg, Origin, Utterance};
use crate::cli::status::{CliError, Status};
use crate::cli::table::Table;
use crate::cli::{corpora, progress};
use crate::config::{Config, Levels};
use crate::edge::files::Selection;
use crate::edge::ingest::corpus::{self, LabelledCall};
use crate::edge::{clock, files};
use crate::rules::pack::Pack;
use crate::rules::rewrite::{self, Sources};
use crate::rules::{RuleErrors, Rulebook, Screen};
use crate::time::CallTime;

/// Copies of a rule in the book that is measured.
const COPIES: usize = 16;

/// Each book is run so often, in turn with the empty one, and for at least so long; the fastest run
/// counts, since nothing makes a run too fast.
const RUNS: usize = 5;
const LEAST: Duration = Duration::from_millis(100);

const EXAMPLES: &str = "\
Examples:
  lineclear rules profile
  lineclear rules profile --utterances 10000 calls.jsonl
  lineclear --rules config/rules rules profile --json calls.jsonl

Run it on a machine that has nothing else to do, with a release build.";

/// What to measure.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Options {
    /// Corpora of labelled calls; the rules' own examples if left out
    #[arg(value_name = "CORPUS")]
    corpora: Vec<PathBuf>,
    /// One JSON object a rule
    #[arg(long)]
    json: bool,
    /// At most how many utterances to run, taken evenly from all calls
    #[arg(long, value_name = "N", default_value_t = 2000)]
    utterances: usize,
}

/// What `--json` writes of a rule.
#[derive(Debug, Serialize)]
struct Row<'a> {
    rule: &'a str,
    /// Nanoseconds that it adds to an utterance; none if it cannot be measured alone.
    ns: Option<f64>,
    /// What that is of what all rules together add.
    share: Option<f64>,
    /// Utterances in which it was found.
    hits: usize,
    utterances: usize,
}

type Call = Vec<Utterance>;

pub fn run(options: &Options, config: &Config, packs: &Selection) -> Result<Status, CliError> {
    let sources = files::packs(packs)?;
    let book = crate::rules::load(&sources)?;
    let calls = match options.corpora.as_slice() {
        [] => examples(&sources)?,
        paths => sampled(paths, options.utterances)?,
    };
    let utterances = calls.iter().map(Vec::len).sum::<usize>();
    let empty = Arc::new(crate::rules::load(&rewrite::isolate(&sources, "", 0)?)?);
    let book = Arc::new(book);
    let all = cost(&book, &empty, &calls, config.levels);
    let bar = progress::rules(book.rules.len());
    let mut rows = Vec::new();
    for rule in &book.rules {
        bar.inc(1);
        let mut row = Row { rule: &rule.id, ns: None, share: None, hits: 0, utterances };
        // A rule that builds on others does not load without them.
        if let Ok(alone) = crate::rules::load(&rewrite::isolate(&sources, &rule.id, COPIES)?) {
            let alone = Arc::new(alone);
            row.hits = hits(&alone, &calls, config.levels);
            row.ns = Some(cost(&alone, &empty, &calls, config.levels) / COPIES as f64);
        }
        rows.push(row);
    }
    bar.finish_and_clear();
    rows.iter_mut().for_each(|row| row.share = row.ns.filter(|_| all > 0.0).map(|ns| ns / all));
    let key = |row: &Row<'_>| row.ns.unwrap_or(f64::NEG_INFINITY);
    rows.sort_by(|left, right| key(right).total_cmp(&key(left)).then(left.rule.cmp(right.rule)));
    show(&rows, utterances, all, options.json)
}

/// The rules' own examples, each a call.
fn examples(sources: &Sources) -> Result<Vec<Call>, RuleErrors> {
    let mut calls = Vec::new();
    for (file, text) in sources {
        let pack: Pack = toml::from_str(text).map_err(|error| RuleErrors::syntax(file, &error))?;
        let sentences =
            pack.rules.into_iter().flat_map(|rule| [rule.must_match, rule.must_not_match]);
        calls.extend(sentences.flatten().map(|text| vec![utterance(text)]));
    }
    Ok(calls)
}

fn utterance(text: String) -> Utterance {
    Utterance {
        leg: Leg::Mixed,
        start: CallTime::START,
        end: CallTime(1000),
        text: text.into(),
        confidence: None,
        is_final: true,
    }
}

/// Calls taken evenly from all corpora, so many that their utterances are no more than `most`.
fn sampled(paths: &[PathBuf], most: usize) -> Result<Vec<Call>, CliError> {
    let (mut kept, mut total, mut seen, mut each): (Vec<Call>, _, _, _) = (Vec::new(), 0, 0, 1);
    let mut take = |call: LabelledCall| {
        seen += 1;
        if (seen - 1) % each == 0 {
            kept.push(call.utterances().collect());
            total += kept.last().map_or(0, Vec::len);
        }
        while total > most && kept.len() > 1 {
            // Every second call goes; from now on every second is taken.
            let mut at = 0;
            kept.retain(|_| {
                at += 1;
                at % 2 == 1
            });
            each *= 2;
            total = kept.iter().map(Vec::len).sum();
        }
    };
    for path in paths {
        corpus::for_each(path, &mut take).map_err(|error| corpora::unreadable(path, error))?;
    }
    Ok(kept)
}

/// Nanoseconds that a book takes longer for an utterance than the empty one.
fn cost(book: &Arc<Rulebook>, empty: &Arc<Rulebook>, calls: &[Call], levels: Levels) -> f64 {
    let [mut with, mut without] = [Duration::MAX; 2];
    let (start, mut runs) = (clock::now(), 0);
    while runs < RUNS || clock::now() - start < LEAST {
        with = with.min(time(book, calls, levels));
        without = without.min(time(empty, calls, levels));
        runs += 1;
    }
    let more = with.saturating_sub(without).as_secs_f64() * 1e9;
    more / calls.iter().map(Vec::len).sum::<usize>().max(1) as f64
}

fn time(book: &Arc<Rulebook>, calls: &[Call], levels: Levels) -> Duration {
    let start = clock::now();
    for call in calls {
        let mut screen = Screen::new(Arc::clone(book), levels, Origin::Unknown);
        for utterance in call {
            std::hint::black_box(screen.hear(utterance));
        }
    }
    clock::now() - start
}

/// In how many utterances the book finds anything.
fn hits(book: &Arc<Rulebook>, calls: &[Call], levels: Levels) -> usize {
    let in_call = |call: &Call| {
        let mut screen = Screen::new(Arc::clone(book), levels, Origin::Unknown);
        let mut is_hit = |utterance: &&Utterance| !screen.hear(utterance).findings.is_empty();
        call.iter().filter(|utterance| is_hit(utterance)).count()
    };
    calls.iter().map(in_call).sum()
}

fn show(rows: &[Row<'_>], utterances: usize, all: f64, json: bool) -> Result<Status, CliError> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    if json {
        for row in rows {
            let text = serde_json::to_string(row).map_err(std::io::Error::from)?;
            writeln!(out, "{text}")?;
        }
        out.flush()?;
        return Ok(Status::OK);
    }
    writeln!(out, "{utterances} utterances; all rules together add {all:.0} ns to each.\n")?;
    let mut table = Table::new("rule|>ns an utterance|>share|>found in");
    for row in rows {
        let number = |value: Option<f64>, unit| {
            value.map_or_else(|| "–".to_owned(), |value| format!("{value:.1}{unit}"))
        };
        let share = row.share.map(|share| share * 100.0);
        table.row([
            row.rule.to_owned(),
            number(row.ns, ""),
            number(share, " %"),
            row.hits.to_string(),
        ]);
    }
    table.print(&mut out)?;
    out.flush()?;
    Ok(Status::OK)
}
