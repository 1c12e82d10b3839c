//! `lineclear rules fmt`: packs in one form.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::super::paint;
use super::super::status::{CliError, Status};
use crate::edge::files::{self, Selection};
use crate::rules::format::format;

/// Which packs, and whether they are written.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Packs, or directories of them; those of --rules if left out
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write nothing: name the files that are not in form, and end with 1 if there are any
    #[arg(long)]
    check: bool,
}

const EXAMPLES: &str = "\
Examples:
  lineclear rules fmt my-rules.toml
  lineclear rules fmt --check config/rules     for a check before a commit

Exit status:
  0   every file is in form now
  1   with --check: a file is not in form; or a file is no TOML
  2   the command line is wrong";

pub(super) fn run(options: &Options, selection: &Selection) -> Result<Status, CliError> {
    let mut paths = options.files.clone();
    if paths.is_empty() {
        paths.extend(selection.directory.clone());
    }
    if paths.is_empty() {
        return Err(CliError::NoPacks);
    }
    let mut status = Status::OK;
    for (file, text) in files::packs_at(&paths)? {
        match format(&text) {
            Err(error) => {
                paint::complain(&format_args!("{file}: {error}"));
                status.failed = true;
            }
            Ok(tidy) if tidy == text => {}
            Ok(_) if options.check => {
                writeln!(anstream::stdout(), "{file}")?;
                status.failed = true;
            }
            Ok(tidy) => {
                files::replace(Path::new(&file), &tidy)?;
                writeln!(anstream::stdout(), "{file}")?;
            }
        }
    }
    Ok(status)
}
