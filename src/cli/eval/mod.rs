//! `lineclear eval`: the rules measured on corpora of labelled calls.

mod left_out;
mod rows;
mod tables;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::corpora;
use super::status::{CliError, Status};
use crate::config::Config;
use crate::edge::files::{self, Selection};
use crate::measure::{Corpus, Label, Sample};
use crate::rules::Level;

const EXAMPLES: &str = "\
Examples:
  lineclear eval tests/scripts/scam tests/scripts/honest
  lineclear eval --wrong --by-kind calls.jsonl
  lineclear eval --recall --early --json scams.jsonl honest.jsonl
  lineclear eval --leave-one-out --recall free/*.jsonl --never-fit restricted/*.jsonl

docs/evaluation.md tells what the columns and the keys of --json mean.";

/// What to measure.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Options {
    /// Corpora: JSON lines, one labelled call a line, or directories of scripted calls
    #[arg(required = true, value_name = "CORPUS")]
    corpora: Vec<PathBuf>,
    /// One JSON object a row
    #[arg(long)]
    json: bool,
    /// Name each call that went wrong: a scam below warning, an honest call at or above it
    #[arg(long)]
    wrong: bool,
    /// Rows for each kind of call too
    #[arg(long)]
    by_kind: bool,
    /// How many scams are found at fixed rates of false alarms, and at the shipped thresholds
    #[arg(long)]
    recall: bool,
    /// How early scams are warned of
    #[arg(long)]
    early: bool,
    /// Measure each corpus with weights tuned on the others
    #[arg(long)]
    leave_one_out: bool,
    /// Corpora to measure with --leave-one-out that no weight may be tuned on
    #[arg(long, value_name = "CORPUS", num_args = 1.., requires = "leave_one_out")]
    never_fit: Vec<PathBuf>,
    /// Decides what is drawn for the intervals
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(super) fn run(
    options: &Options,
    config: &Config,
    packs: &Selection,
) -> Result<Status, CliError> {
    let corpora = match options.leave_one_out {
        true => {
            let paths = [options.corpora.as_slice(), &options.never_fit];
            left_out::measure(paths, options.seed, config.levels, packs)?
        }
        false => {
            let book = Arc::new(files::rulebook(packs)?);
            corpora::screen_all(&options.corpora, config.levels, &book)?
        }
    };
    if options.wrong {
        wrong(&corpora)?;
    }
    let slices = rows::slices(&corpora, options.by_kind, options.seed);
    let mut report = tables::Report::new(options.json);
    report.calls(&rows::calls(&slices))?;
    if options.recall {
        let honest = rows::Honest::new(&slices, config.levels, options.seed);
        report.thresholds(&honest.rows())?;
        report.recall(&rows::recall(&slices, &honest))?;
    }
    if options.early {
        report.early(&rows::early(&slices))?;
    }
    Ok(Status::OK)
}

fn wrong(corpora: &[Corpus]) -> Result<(), CliError> {
    let mut err = std::io::stderr().lock();
    let is_wrong =
        |sample: &&Sample| (sample.level() >= Level::Warning) != (sample.label == Label::Scam);
    for sample in corpora.iter().flat_map(|corpus| &corpus.samples).filter(is_wrong) {
        writeln!(err, "  {} {} {:.0}", sample.id, sample.level(), sample.score)?;
    }
    Ok(())
}
