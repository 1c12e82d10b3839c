//! Corpora screened on all cores: what `eval` and `rules` measure on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indicatif::ProgressBar;

use super::progress;
use super::status::CliError;
use crate::alert::watch::{Outcome, Watch};
use crate::call::Origin;
use crate::config::Levels;
use crate::edge::ingest::corpus::{self, LabelledCall};
use crate::edge::parallel;
use crate::measure::{Corpus, Sample};
use crate::rules::{Rulebook, Screen};
use crate::time::CallTime;

/// Screens every call of all corpora, and keeps what is measured of them.
pub(super) fn screen_all(
    paths: &[PathBuf],
    levels: Levels,
    book: &Arc<Rulebook>,
) -> Result<Vec<Corpus>, CliError> {
    let bar = progress::corpora(size(paths)?);
    let corpora = paths.iter().map(|path| screen(path, levels, book, &bar)).collect();
    bar.finish_and_clear();
    corpora
}

/// Screens every call of one corpus.
pub(super) fn screen(
    path: &Path,
    levels: Levels,
    book: &Arc<Rulebook>,
    bar: &ProgressBar,
) -> Result<Corpus, CliError> {
    let samples = map(path, vec![(); parallel::cores()], bar, |(), call| {
        let outcome = outcome(&call, levels, book);
        sample(call, &outcome, book)
    })?;
    Ok(Corpus { name: name(path), samples })
}

/// Hands each call of a corpus to one of the workers; the results are in the order of the calls.
pub(super) fn map<S: Send, R: Send>(
    path: &Path,
    workers: Vec<S>,
    bar: &ProgressBar,
    work: impl Fn(&mut S, LabelledCall) -> R + Sync,
) -> Result<Vec<R>, CliError> {
    let read = |give: &mut dyn FnMut(LabelledCall)| {
        corpus::for_each(path, |call| {
            bar.inc(call.bytes);
            give(call);
        })
    };
    parallel::map_in_order(workers, read, work).map_err(|error| unreadable(path, error))
}

/// How many bytes there are to read.
pub(super) fn size(paths: &[PathBuf]) -> Result<u64, CliError> {
    let size = |path: &PathBuf| corpus::size(path).map_err(|error| unreadable(path, error));
    paths.iter().map(size).sum()
}

/// What a corpus is called.
pub(super) fn name(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// The call as it streams, utterance by utterance.
pub(super) fn outcome(call: &LabelledCall, levels: Levels, book: &Arc<Rulebook>) -> Outcome {
    let mut watch = Watch::new(Screen::new(Arc::clone(book), levels, Origin::Unknown));
    for sound in call.sounds() {
        let at = sound.end();
        let _events = watch.take(sound, at);
    }
    watch.end()
}

/// What is kept of a call.
pub(super) fn sample(call: LabelledCall, outcome: &Outcome, book: &Rulebook) -> Sample {
    let share = |rule: usize, weight: f64| (rule, weight / book.rules[rule].weight);
    Sample {
        group: if call.group.is_empty() { call.id.clone() } else { call.group },
        id: call.id,
        label: call.label,
        kind: call.kind,
        ask: call.ask_ms.map(CallTime),
        score: outcome.worst.score,
        reached: outcome.reached,
        hits: outcome.verdict.hits.iter().map(|hit| share(hit.rule, hit.weight)).collect(),
        decisive: Vec::new(),
    }
}

pub(super) fn unreadable(path: &Path, error: corpus::CorpusError) -> CliError {
    CliError::Corpus(path.display().to_string(), error)
}
