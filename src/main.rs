//! The `lineclear` program.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    lineclear::cli::run()
}
