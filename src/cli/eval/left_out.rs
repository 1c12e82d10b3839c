//! Each corpus measured with weights that were tuned on the others, so that no figure comes from
//! calls that the weights have seen.

use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::status::CliError;
use crate::cli::{corpora, progress};
use crate::config::Levels;
use crate::edge::files::Selection;
use crate::edge::{files, parallel};
use crate::measure::Corpus;
use crate::measure::tune::{self, Tuned, tune};
use crate::rules::{Rulebook, rewrite};

/// Measures the corpora to `fit` on, each with weights tuned on the others of them, and then those
/// that are `never_fit` on, with weights tuned on all of the former.
pub(super) fn measure(
    [fit, never_fit]: [&[PathBuf]; 2],
    seed: u64,
    levels: Levels,
    packs: &Selection,
) -> Result<Vec<Corpus>, CliError> {
    let sources = files::packs(packs)?;
    let book = Arc::new(crate::rules::load(&sources)?);
    let bar = progress::corpora(2 * corpora::size(fit)? + corpora::size(never_fit)?);
    let screen = |book: &Arc<Rulebook>, path| corpora::screen(path, levels, book, &bar);
    let seen = fit.iter().map(|path| screen(&book, path)).collect::<Result<Vec<_>, _>>()?;
    let paths: Vec<&PathBuf> = fit.iter().chain(never_fit).collect();
    let tuned = tune_without_each(&seen, &paths, &book, seed)?;
    let mut measured = Vec::new();
    for (path, tuned) in paths.into_iter().zip(tuned) {
        let sources = rewrite::reweigh(&sources, &tune::changes(&book.rules, &tuned))?;
        measured.push(screen(&Arc::new(crate::rules::load(&sources)?), path)?);
    }
    bar.finish_and_clear();
    Ok(measured)
}

/// For each path, the weights tuned on the corpora seen, without the one that stands at its place.
fn tune_without_each(
    seen: &[Corpus],
    paths: &[&PathBuf],
    book: &Rulebook,
    seed: u64,
) -> Result<Vec<Vec<Tuned>>, CliError> {
    let each = |give: &mut dyn FnMut(usize)| {
        (0..paths.len()).for_each(give);
        Ok::<_, CliError>(())
    };
    let without = |(): &mut (), left_out: usize| {
        let others = seen.iter().enumerate().filter(|(at, _)| *at != left_out);
        let others: Vec<&Corpus> = others.map(|(_, corpus)| corpus).collect();
        tune(&others, &book.rules, tune::Options { seed, ..tune::Options::default() })
            .map_err(|error| CliError::LeftOut(corpora::name(paths[left_out]), error))
    };
    let tuned = parallel::map_in_order(vec![(); parallel::cores()], each, without)?;
    tuned.into_iter().collect()
}
