//! `lineclear rules`: what whoever writes rules wants to know of them.

mod profile;
mod stats;
mod tune;

use std::path::Path;

use clap::Subcommand;

use super::status::{CliError, Status};
use crate::config::Config;

/// What to do with the rules.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Show what each rule contributes on corpora of labelled calls
    Stats(stats::Options),
    /// Fit the weights to corpora of labelled calls, and print the change as a diff
    ///
    /// Each weight is drawn to the one that is written, and moves only where the calls are sure of
    /// it, within the rule's `bounds`, or by 40 % where it has none. Each corpus counts alike, and
    /// near-duplicates once. The same calls and the same seed give the same diff.
    ///
    /// Look at the licences of the corpora first: a weight that was fitted on them depends on them.
    Tune(tune::Options),
    /// Measure what each rule costs
    Profile(profile::Options),
}

pub(super) fn run(
    action: &Action,
    config: &Config,
    packs: Option<&Path>,
) -> Result<Status, CliError> {
    match action {
        Action::Stats(options) => stats::run(options, config, packs),
        Action::Tune(options) => tune::run(options, config, packs),
        Action::Profile(options) => profile::run(options, config, packs),
    }
}
