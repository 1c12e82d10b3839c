//! `lineclear eval`: the rules measured on corpora of labelled calls.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::status::{CliError, Status};
use crate::alert::watch::{Outcome, Watch};
use crate::call::Origin;
use crate::config::Config;
use crate::edge::ingest::corpus::{self, Label, LabelledCall};
use crate::rules::{Level, Rulebook, Screen};
use crate::speech::listener::Sound;

/// What to measure.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Corpora: JSON lines, one labelled call a line (see docs/evaluation.md)
    #[arg(required = true, value_name = "CORPUS")]
    corpora: Vec<PathBuf>,
    /// One JSON object a corpus and label
    #[arg(long)]
    json: bool,
    /// Name each call that went wrong: a scam below warning, an honest call at or above it
    #[arg(long)]
    wrong: bool,
}

/// One row: the calls of one corpus with one label.
#[derive(Debug, Default, serde::Serialize)]
struct Tally {
    corpus: String,
    label: &'static str,
    calls: usize,
    /// Near-duplicates count once.
    groups: usize,
    caution: usize,
    warning: usize,
    danger: usize,
    /// Share of groups at warning or above; a group counts by the mean of its calls.
    warning_share: f64,
    /// Median seconds to the warning, of the calls that were warned of.
    median_s: Option<f64>,
    /// Calls in which it is marked when money, card, code or access is asked for.
    asked: usize,
    /// Those of them that were warned of before.
    before_ask: usize,
    #[serde(skip)]
    warned_s: Vec<f64>,
    #[serde(skip)]
    by_group: HashMap<String, (usize, usize)>,
}

pub(super) fn run(
    options: &Options,
    config: &Config,
    book: Arc<Rulebook>,
) -> Result<Status, CliError> {
    if !options.json {
        head()?;
    }
    for path in &options.corpora {
        for tally in measure(path, options, config, &book)? {
            row(&tally, options.json)?;
        }
    }
    Ok(Status::OK)
}

fn measure(
    path: &Path,
    options: &Options,
    config: &Config,
    book: &Arc<Rulebook>,
) -> Result<Vec<Tally>, CliError> {
    let corpus = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let mut tallies = [("scam", Label::Scam), ("legit", Label::Legit)].map(|(label, _)| Tally {
        corpus: corpus.clone(),
        label,
        ..Tally::default()
    });
    let mut wrong = Vec::new();
    corpus::for_each(path, |call| {
        let outcome = screen(&call, config, book);
        let is_warned = outcome.highest() >= Level::Warning;
        if is_warned != (call.label == Label::Scam) {
            wrong.push(format!("  {} {} {:.0}", call.id, outcome.highest(), outcome.worst.score));
        }
        tallies[usize::from(call.label == Label::Legit)].add(&call, &outcome);
    })
    .map_err(|error| CliError::Corpus(path.display().to_string(), error))?;
    if options.wrong {
        for line in wrong {
            writeln!(std::io::stderr(), "{line}")?;
        }
    }
    let counted = tallies.into_iter().filter(|tally| tally.calls > 0);
    Ok(counted.map(Tally::finish).collect())
}

fn screen(call: &LabelledCall, config: &Config, book: &Arc<Rulebook>) -> Outcome {
    let mut watch = Watch::new(Screen::new(Arc::clone(book), config.levels, Origin::Unknown));
    for utterance in call.utterances() {
        let at = utterance.end;
        let _events = watch.take(Sound::Speech(utterance), at);
    }
    watch.end()
}

impl Tally {
    fn add(&mut self, call: &LabelledCall, outcome: &Outcome) {
        let level = outcome.highest();
        self.calls += 1;
        self.caution += usize::from(level >= Level::Caution);
        self.warning += usize::from(level >= Level::Warning);
        self.danger += usize::from(level >= Level::Danger);
        self.warned_s.extend(outcome.warned_at().map(|at| at.as_secs_f64()));
        self.asked += usize::from(call.ask_ms.is_some());
        let in_time = |ask| outcome.warned_at().is_some_and(|at| at.0 <= ask);
        self.before_ask += usize::from(call.ask_ms.is_some_and(in_time));
        let group = if call.group.is_empty() { &call.id } else { &call.group };
        let counts = self.by_group.entry(group.clone()).or_default();
        counts.0 += 1;
        counts.1 += usize::from(level >= Level::Warning);
    }

    fn finish(mut self) -> Self {
        self.groups = self.by_group.len();
        let shares = self.by_group.values().map(|(all, warned)| *warned as f64 / *all as f64);
        self.warning_share = shares.sum::<f64>() / self.groups.max(1) as f64;
        self.warned_s.sort_by(f64::total_cmp);
        self.median_s = self.warned_s.get(self.warned_s.len() / 2).copied();
        self
    }
}

fn head() -> Result<(), CliError> {
    let mut out = std::io::stdout();
    let counts = "calls | groups | caution | warning | danger";
    writeln!(out, "| corpus | label | {counts} | share warned | median time | before the ask |")?;
    writeln!(out, "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|")?;
    Ok(())
}

fn row(tally: &Tally, json: bool) -> Result<(), CliError> {
    let mut out = std::io::stdout();
    if json {
        let text = serde_json::to_string(tally).map_err(std::io::Error::from)?;
        writeln!(out, "{text}")?;
        return Ok(());
    }
    let median = tally.median_s.map_or_else(|| "–".to_owned(), |s| format!("{s:.0} s"));
    let before = match tally.asked {
        0 => "–".to_owned(),
        asked => format!("{} of {asked}", tally.before_ask),
    };
    writeln!(
        out,
        "| {} | {} | {} | {} | {} | {} | {} | {:.1} % | {median} | {before} |",
        tally.corpus,
        tally.label,
        tally.calls,
        tally.groups,
        tally.caution,
        tally.warning,
        tally.danger,
        tally.warning_share * 100.0
    )?;
    Ok(())
}
