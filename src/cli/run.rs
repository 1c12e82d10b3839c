//! `lineclear run`: the daemon.

use std::io::IsTerminal;
use std::path::Path;

use clap::Args;
use tracing_subscriber::EnvFilter;

use super::status::{CliError, Status};
use crate::edge::daemon;
use crate::edge::files::Selection;

/// The variable that says what is logged.
const LOG_VARIABLE: &str = "LINECLEAR_LOG";

/// How to run.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Options {
    /// Log as JSON, one object a line
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
It ends on SIGTERM within two seconds, and reads the configuration and the rules again on SIGHUP.
Nothing that is said, and no number, is logged. LINECLEAR_LOG=debug logs more, =warn less.

Examples:
  lineclear --config /etc/lineclear.toml run
  curl -s 127.0.0.1:7450/v1/status                         how it is
  curl -sT- 'http://127.0.0.1:7450/v1/calls/1/utterances?line=home' -X POST    feed a call by hand";

pub(super) fn run(
    options: &Options,
    config: Option<&Path>,
    selection: Selection,
) -> Result<Status, CliError> {
    let filter = std::env::var(LOG_VARIABLE).unwrap_or_else(|_| "info".to_owned());
    // A log that nobody reads, or a full disk under it, neither holds anything up nor ends the
    // program: lines are lost then.
    let (writer, _written_at_the_end) = tracing_appender::non_blocking(std::io::stderr());
    let log = tracing_subscriber::fmt()
        .log_internal_errors(false)
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(writer)
        .with_ansi(std::io::stderr().is_terminal());
    if options.json {
        log.json().init();
    } else if std::env::var_os("JOURNAL_STREAM").is_some() {
        // The journal has a clock of its own.
        log.without_time().init();
    } else {
        log.init();
    }
    daemon::run(daemon::Options { config: config.map(Path::to_owned), selection })?;
    Ok(Status::OK)
}
