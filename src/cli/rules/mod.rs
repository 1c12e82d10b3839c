//! `lineclear rules`: the workbench of whoever writes rules.

mod coverage;
mod list;
mod test;

use std::path::Path;

use clap::Subcommand;

use super::explain;
use super::status::{CliError, Status};
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Run the rules' own examples, and scripted calls as tests
    Test(test::Options),
    /// List the rules, or show one of them wholly
    List(list::Options),
    /// Show why a call is judged as it is (the same as `lineclear explain`)
    Explain(explain::Options),
}

/// `rules` is the directory of packs, if one was named.
pub(super) fn run(
    action: &Action,
    config: &Config,
    rules: Option<&Path>,
) -> Result<Status, CliError> {
    match action {
        Action::Test(options) => test::run(options, config, rules),
        Action::List(options) => list::run(options, rules),
        Action::Explain(options) => explain::run(options, config, rules),
    }
}
