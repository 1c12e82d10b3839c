//! `lineclear rules`: what is done with rule packs, a file each.

mod check;
mod fmt;

use clap::Subcommand;

use super::status::{CliError, Status};
use crate::edge::files::Selection;

/// What to do with rule packs.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Find what is wrong in rule packs, and what may be better
    Check(check::Options),
    /// Bring rule packs into one form, comments kept
    Fmt(fmt::Options),
}

pub(super) fn run(action: &Action, selection: &Selection<'_>) -> Result<Status, CliError> {
    match action {
        Action::Check(options) => check::run(options, selection),
        Action::Fmt(options) => fmt::run(options, selection),
    }
}
