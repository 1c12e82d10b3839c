//! The commands: one file each. What a person sees is made here, and nowhere else.

mod config;
mod corpora;
mod data;
mod demo;
mod eval;
mod explain;
mod features;
mod json;
mod lines;
mod model;
mod paint;
mod pbx;
mod people;
mod progress;
mod report;
mod rules;
mod run;
mod schema;
mod screen;
mod status;
mod subject;
mod table;
mod text;
mod token;
mod tones;
mod workbench;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use crate::edge::files::{self, Selection};
use crate::edge::reload::Packs;
use crate::rules::Level;
use status::{CliError, Status};

/// Lineclear recognises the script of a telephone scam while the call goes on.
#[derive(Debug, Parser)]
#[command(version, about, long_about = None, after_help = EXIT_STATUS, max_term_width = 100)]
struct Arguments {
    /// A configuration file; see config/lineclear.toml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A directory of rule packs to use in place of the shipped ones
    #[arg(long, global = true, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// A file of local rules, loaded after the packs: see docs/rules.md
    #[arg(long, global = true, value_name = "FILE")]
    local: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play a spoken scam call through the real pipeline, and see what Lineclear does
    Demo(demo::Options),
    /// Watch live calls: warn, tell, and keep the line clear
    Run(run::Options),
    /// Show how a running daemon is, and how its lines stand
    Status(lines::Options),
    /// Show, start, extend and end holds
    #[command(subcommand)]
    Hold(lines::Hold),
    /// End the call that is up on a line, and keep the line clear after it
    EndCall(lines::EndCall),
    /// Check the exchange that a daemon works with
    #[command(subcommand)]
    Pbx(pbx::Action),
    /// Show what calls became suspicious
    Incidents(lines::Incidents),
    /// Export or erase what is kept about a line
    #[command(subcommand)]
    Data(data::Action),
    /// Check or show the configuration
    #[command(subcommand)]
    Config(config::Action),
    /// Make a token for the HTTP interface
    Token(token::Options),
    /// Screen recordings and transcripts
    Screen(screen::Options),
    /// Find the keys and the tones of an exchange in a recording
    Tones(tones::Options),
    /// Make the features of a recording, as a probe sends them instead of audio
    Features(features::Options),
    /// Show why a call is judged as it is, turn by turn
    Explain(explain::Options),
    /// Work on the rules: list and test them, see what each contributes and costs, fit weights
    #[command(subcommand)]
    Rules(rules::Action),
    /// Fetch, list and verify the speech models
    #[command(subcommand)]
    Model(model::Action),
    /// Measure the rules on corpora of labelled calls
    Eval(eval::Options),
    /// Print the JSON Schema of what is read and written
    Schema(schema::Options),
}

const EXIT_STATUS: &str = "\
Exit status:
  0   quiet        10  caution        20  warning        30  danger
  +1  something could not be read (1, 11, 21, 31); the rest was screened
  2   the command line is wrong
Other commands than screen end with 0, or 1 if they failed (status also if anything is red);
rules check with 1 on any error, and on any warning with --deny-warnings; rules fmt --check with 1
if a file is not in form.";

/// Runs the program.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match dispatch(&arguments) {
        Ok(status) => status.code(),
        // Whoever reads our output has heard enough: `lineclear screen … | head`.
        Err(CliError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            paint::complain(&error);
            Status { level: Level::Quiet, failed: true }.code()
        }
    }
}

fn dispatch(arguments: &Arguments) -> Result<Status, CliError> {
    let config = files::config(arguments.config.as_deref())?;
    let local = arguments.local.as_deref().or(config.rules.local_file());
    let selection = Selection {
        directory: arguments.rules.clone(),
        local: local.map(Path::to_owned),
        experimental: config.rules.experimental,
    };
    let rules = || files::rulebook(&selection).map(std::sync::Arc::new);
    match &arguments.command {
        Command::Demo(options) => demo::run(options, &config, rules()?),
        Command::Screen(options) => {
            // Clap does not see an argument of the whole program from within a command.
            if options.watch_rules && arguments.rules.is_none() {
                let problem = "--watch-rules needs --rules DIR: the shipped rules do not change";
                Arguments::command().error(ErrorKind::MissingRequiredArgument, problem).exit();
            }
            let packs = Packs::open(selection.clone(), crate::edge::clock::now())?;
            screen::run(options, &config, packs)
        }
        Command::Run(options) => run::run(options, arguments.config.as_deref(), selection),
        Command::Status(options) => lines::status(options, &config),
        Command::Hold(action) => lines::hold(action, &config),
        Command::EndCall(options) => lines::end_call(options, &config),
        Command::Pbx(action) => pbx::run(action, &config),
        Command::Incidents(options) => lines::incidents(options, &config),
        Command::Data(action) => data::run(action, &config),
        Command::Config(action) => config::run(action, arguments.config.as_deref(), &config),
        Command::Token(options) => token::run(options),
        Command::Features(options) => features::run(options),
        Command::Tones(options) => tones::run(options),
        Command::Explain(options) => explain::run(options, &config, &selection),
        Command::Rules(action) => rules::run(action, &config, &selection),
        Command::Model(action) => model::run(action),
        Command::Eval(options) => eval::run(options, &config, &selection),
        Command::Schema(options) => schema::run(options),
    }
}
