//! `lineclear explain`: the tree of why a call is judged as it is.

mod json;
mod people;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::paint;
use super::progress;
use super::screen::is_recording;
use super::status::{CliError, Status};
use super::subject::OriginName;
use super::workbench::Workbench;
use crate::audio::voice::Endpointing;
use crate::call::{Origin, Sound};
use crate::config::{Config, Levels};
use crate::edge::files::Selection;
use crate::edge::hear::{Ears, Hearing};
use crate::edge::ingest::recording::{self, Recording};
use crate::edge::ingest::transcripts::{Transcript, TranscriptError};
use crate::edge::models::{Model, Store};
use crate::rules::explain::{Explainer, Explanation};

/// What to explain.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Options {
    /// Transcripts (JSON lines or "remote: words"), or recordings with the other party on the left;
    /// - is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One JSON object a call (see docs/explain.md)
    #[arg(long)]
    json: bool,
    /// What is known of the number that rang
    #[arg(long, default_value = "unknown")]
    origin: OriginName,
}

const EXAMPLES: &str = "\
Examples:
  lineclear explain call.txt                      turn by turn, and how the score adds up
  lineclear explain --json call.jsonl | jq .verdict.stages
  lineclear --rules my-rules explain call.txt     with rules that are being written";

pub(super) fn run(
    options: &Options,
    config: &Config,
    rules: &Selection,
) -> Result<Status, CliError> {
    let bench = Workbench::open(rules)?;
    let mut reader = Reader {
        bench: &bench,
        levels: config.levels,
        origin: options.origin.into(),
        ears: None,
        failed: false,
    };
    for path in &options.files {
        for (call, explanation) in reader.file(path)? {
            let file = path.display().to_string();
            match options.json {
                true => json::write(&file, &call, &explanation, &bench)?,
                false => people::write(&call, &explanation)?,
            }
        }
    }
    Ok(Status { failed: reader.failed, ..Status::OK })
}

/// Reads calls and has them explained.
struct Reader<'a> {
    bench: &'a Workbench,
    levels: Levels,
    origin: Origin,
    ears: Option<Ears>,
    /// Something could not be read.
    failed: bool,
}

type Calls = BTreeMap<String, Explanation>;

impl<'a> Reader<'a> {
    /// The calls in a file. What is wrong with it is told, and the rest explained.
    fn file(&mut self, path: &Path) -> Result<Calls, CliError> {
        let read = match is_recording(path) {
            true => self.recording(path),
            false => self.transcript(path),
        };
        match read {
            Err(CliError::Output(error)) => Err(error.into()),
            Err(error) => {
                self.complain(path, &error);
                Ok(Calls::new())
            }
            read => read,
        }
    }

    fn recording(&mut self, path: &Path) -> Result<Calls, CliError> {
        let mut recording = Recording::open(path, &recording::Options::default())?;
        let mut ears = match self.ears.take() {
            Some(ears) => ears,
            None => Ears::load(&Store::open_default()?, Model::Tiny)?,
        };
        let mut explainer = self.explainer();
        let bar = progress::recording(recording.duration_ms());
        let mut hearing = Hearing::new(recording.layout(), Endpointing::default());
        let heard = hearing.recording(&mut recording, &mut ears, |at, sounds| {
            bar.set_position(at.0 / 1000);
            sounds.drain(..).for_each(|sound| explainer.take(sound));
            Ok::<_, CliError>(())
        });
        bar.finish_and_clear();
        self.ears = Some(ears);
        // What was heard before the audio broke off is explained.
        if let Err(error) = heard {
            self.complain(path, &error);
        }
        Ok(Calls::from([(path.display().to_string(), explainer.end())]))
    }

    fn transcript(&mut self, path: &Path) -> Result<Calls, CliError> {
        let mut calls: BTreeMap<String, Explainer<'a>> = BTreeMap::new();
        let mut transcript = match Transcript::open(path) {
            Ok(transcript) => transcript,
            Err(error) => {
                self.complain(path, &error);
                return Ok(Calls::new());
            }
        };
        let mut bad_lines = 0_u64;
        loop {
            match transcript.next_line() {
                Ok(Some(line)) => {
                    let name = line.call.unwrap_or_else(|| path.display().to_string());
                    self.take(&mut calls, name, line.sound);
                }
                Ok(None) => break,
                Err(error @ TranscriptError::Read(_)) => {
                    self.complain(path, &error);
                    break;
                }
                // The first is described, the others are counted.
                Err(error) => {
                    bad_lines += 1;
                    if bad_lines == 1 {
                        self.complain(path, &format_args!("{error}; the other lines are read"));
                    }
                }
            }
        }
        if bad_lines > 1 {
            self.complain(path, &format_args!("{bad_lines} lines in all could not be read"));
        }
        if calls.is_empty() && bad_lines == 0 {
            self.complain(path, &"is empty: a transcript has one utterance a line");
        }
        Ok(calls.into_iter().map(|(name, explainer)| (name, explainer.end())).collect())
    }

    fn take(&self, calls: &mut BTreeMap<String, Explainer<'a>>, name: String, sound: Sound) {
        calls.entry(name).or_insert_with(|| self.explainer()).take(sound);
    }

    fn explainer(&self) -> Explainer<'a> {
        Explainer::new(&self.bench.book, &self.bench.phrases, self.levels, self.origin)
    }

    fn complain(&mut self, path: &Path, problem: &dyn std::fmt::Display) {
        self.failed = true;
        paint::complain(&format_args!("{}: {problem}", path.display()));
    }
}
