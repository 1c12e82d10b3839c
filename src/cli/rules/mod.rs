//! `lineclear rules`: the workbench of those who write rules.

mod check;
mod coverage;
mod fmt;
mod list;
mod profile;
mod stats;
mod test;
mod tune;

use clap::Subcommand;

use super::explain;
use super::status::{CliError, Status};
use crate::config::Config;
use crate::edge::files::Selection;

/// What to do with the rules.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Find what is wrong in rule packs, and what may be better
    Check(check::Options),
    /// Bring rule packs into one form, comments kept
    Fmt(fmt::Options),
    /// Run the rules' own examples, and scripted calls as tests
    Test(test::Options),
    /// List the rules, or show one of them wholly
    List(list::Options),
    /// Show why a call is judged as it is (the same as `lineclear explain`)
    Explain(explain::Options),
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

pub(super) fn run(action: &Action, config: &Config, rules: &Selection) -> Result<Status, CliError> {
    match action {
        Action::Check(options) => check::run(options, rules),
        Action::Fmt(options) => fmt::run(options, rules),
        Action::Test(options) => test::run(options, config, rules),
        Action::List(options) => list::run(options, rules),
        Action::Explain(options) => explain::run(options, config, rules),
        Action::Stats(options) => stats::run(options, config, rules),
        Action::Tune(options) => tune::run(options, config, rules),
        Action::Profile(options) => profile::run(options, config, rules),
    }
}
