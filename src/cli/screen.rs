//! `lineclear screen`: recordings and transcripts, with the pipeline of live calls.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::progress;
use super::report::Report;
use super::status::{CliError, Status};
use super::subject::{Call, OriginName, Row};
use crate::alert::watch::{Outcome, Watch};
use crate::audio::g711::Law;
use crate::audio::voice::Endpointing;
use crate::config::Config;
use crate::edge::clock;
use crate::edge::hear::{Ears, Hearing};
use crate::edge::ingest::recording::{self, Channel, Recording};
use crate::edge::ingest::transcripts::{Transcript, TranscriptError};
use crate::edge::models::{Model, Store};
use crate::edge::reload::{Change, Hangup, Packs};
use crate::rules::{Rulebook, Screen};
use crate::time::CallTime;
use crate::wire::transcript::Line;

/// The calls that one transcript may carry at a time.
const MAX_CALLS: usize = 10_000;

/// What to screen, and how.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Options {
    /// Recordings (WAV) and transcripts (JSON lines or "remote: words"); - is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One JSON event a line (see docs/events.md)
    #[arg(long)]
    json: bool,
    /// The files are G.711 without a header: 8 kHz, one channel
    #[arg(long, value_name = "LAW", value_parser = ["alaw", "ulaw"])]
    raw: Option<String>,
    /// The channel of a stereo recording that carries the other party
    #[arg(long, value_name = "SIDE", default_value = "left")]
    remote: Side,
    /// What is known of the number that rang
    #[arg(long, default_value = "unknown")]
    origin: OriginName,
    /// The speech model: small, or slower and more exact
    #[arg(long, default_value = "tiny")]
    model: SpeechModel,
    /// Refuse recordings that last longer than this
    #[arg(long, value_name = "MINUTES")]
    max_minutes: Option<u32>,
    /// Take up changes in the directory of --rules, and reload it on SIGHUP: new calls start on the
    /// new rules
    #[arg(long)]
    pub watch_rules: bool,
}

const EXAMPLES: &str = "\
Examples:
  lineclear screen call.wav                     a recording: left the caller, right the person
  lineclear screen --remote right *.wav         several, with a summary at the end
  lineclear screen --raw alaw call.al           headerless G.711
  tail -f feed.jsonl | lineclear screen --json -   a live feed
  feed | lineclear --rules DIR screen --watch-rules -   with rules that may change";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Side {
    Left,
    Right,
}

/// The models that turn speech into words.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum SpeechModel {
    /// For a gateway: 44 MB
    Tiny,
    /// For a server: 142 MB, better with noise and accents
    Base,
}

/// A call of a transcript that may go on.
struct OpenCall {
    call: Call,
    watch: Watch,
    /// The number of the line that it was last heard in.
    heard: u64,
}

type OpenCalls = BTreeMap<String, OpenCall>;

/// Everything that screening a file needs.
struct Screening<'a> {
    options: &'a Options,
    config: &'a Config,
    packs: Packs,
    /// There where changed rules are to be taken up.
    hangup: Option<Hangup>,
    report: Report<'a>,
    ears: Option<Ears>,
    rows: Vec<Row>,
    /// Lines of transcripts that were read.
    lines: u64,
    status: Status,
}

pub(super) fn run(options: &Options, config: &Config, packs: Packs) -> Result<Status, CliError> {
    let hangup =
        options.watch_rules.then(Hangup::register).transpose().map_err(CliError::Hangup)?;
    let mut screening = Screening {
        options,
        config,
        packs,
        hangup,
        report: Report::new(options.json, &config.advice),
        ears: None,
        rows: Vec::new(),
        lines: 0,
        status: Status::OK,
    };
    for file in &options.files {
        screening.file(file)?;
    }
    screening.report.summary(&screening.rows)?;
    Ok(screening.status)
}

impl Screening<'_> {
    /// Screens one file. What is wrong with it is reported; only a lost output ends the run.
    fn file(&mut self, path: &Path) -> Result<(), CliError> {
        if self.options.raw.is_some() || is_recording(path) {
            self.recording(path)
        } else {
            self.transcript(path)
        }
    }

    fn recording(&mut self, path: &Path) -> Result<(), CliError> {
        let options = recording::Options {
            raw: self.options.raw.as_deref().and_then(Law::from_name),
            remote: match self.options.remote {
                Side::Left => Channel::Left,
                Side::Right => Channel::Right,
            },
            max_minutes: self.options.max_minutes.unwrap_or(self.config.recordings.max_minutes),
        };
        let mut recording = match Recording::open(path, &options) {
            Ok(recording) => recording,
            Err(error) => return self.fail(path, &error.to_string()),
        };
        if let Err(error) = self.load_ears() {
            return self.fail(path, &error.to_string());
        }
        let duration = Some(recording.duration_ms()).filter(|ms| *ms > 0).map(CallTime);
        let book = Arc::clone(self.packs.book());
        let (file, name) = (name(path), name(path));
        let call = Call { file, name, source: "recording", duration, book };
        self.report.begin(&call)?;
        let (outcome, problem) = self.hear(&mut recording, &call)?;
        // What was heard before the audio broke off is told before the error is.
        self.end(call, outcome)?;
        problem.map_or(Ok(()), |problem| self.complain(path, &problem.to_string()))
    }

    /// Loads the models when the first recording needs them.
    fn load_ears(&mut self) -> Result<(), CliError> {
        if self.ears.is_none() {
            let model = match self.options.model {
                SpeechModel::Tiny => Model::Tiny,
                SpeechModel::Base => Model::Base,
            };
            self.ears = Some(Ears::load(&Store::open_default()?, model)?);
        }
        Ok(())
    }

    /// The outcome, and what was wrong with the recording if it broke off.
    fn hear(
        &mut self,
        recording: &mut Recording,
        call: &Call,
    ) -> Result<(Outcome, Option<CliError>), CliError> {
        let mut watch = self.watch(&call.book);
        let Some(ears) = &mut self.ears else { return Ok((watch.end(), None)) };
        let bar = progress::recording(recording.duration_ms());
        let report = &mut self.report;
        let mut hearing = Hearing::new(recording.layout(), Endpointing::default());
        let heard = hearing.recording(recording, ears, |at, sounds| {
            bar.set_position(at.0 / 1000);
            for event in sounds.drain(..).flat_map(|sound| watch.take(sound, at)) {
                bar.suspend(|| report.event(call, &event, at))?;
            }
            Ok(())
        });
        bar.finish_and_clear();
        self.report.audio(call, &hearing)?;
        match heard {
            Err(CliError::Output(error)) => Err(error.into()),
            heard => Ok((watch.end(), heard.err())),
        }
    }

    /// Screens a transcript, which may carry several calls at a time.
    fn transcript(&mut self, path: &Path) -> Result<(), CliError> {
        let mut transcript = match Transcript::open(path) {
            Ok(transcript) => transcript,
            Err(error) => return self.fail(path, &error.to_string()),
        };
        let mut calls = OpenCalls::new();
        let mut bad_lines = 0_u64;
        loop {
            match transcript.next_line() {
                Ok(Some(line)) => self.line(path, line, &mut calls)?,
                Ok(None) => break,
                // What was heard before it broke off is told, then the error.
                Err(error @ TranscriptError::Read(_)) => {
                    self.end_all(calls)?;
                    return self.fail(path, &error.to_string());
                }
                // A bad line must not silence the ones after it.
                Err(error) => {
                    bad_lines += 1;
                    if bad_lines == 1 {
                        let message = format!("{error}; the other lines are screened");
                        self.complain(path, &message)?;
                    }
                }
            }
        }
        if bad_lines > 1 {
            self.complain(path, &format!("{bad_lines} lines in all could not be read"))?;
        }
        if calls.is_empty() && bad_lines == 0 {
            let message =
                "is empty: a transcript has one utterance a line, see docs/transcripts.md";
            return self.fail(path, message);
        }
        self.end_all(calls)
    }

    /// Takes up rules that have changed.
    fn follow_rules(&mut self) -> Result<(), CliError> {
        let Some(hangup) = &self.hangup else { return Ok(()) };
        let now = clock::now();
        let asked = hangup.take().then(|| self.packs.reload(now));
        let Some(change) = asked.or_else(|| self.packs.poll(now)) else { return Ok(()) };
        self.status.failed |= change == Change::Refused;
        Ok(self.report.rules(change, &self.packs.status())?)
    }

    fn line(&mut self, path: &Path, line: Line, calls: &mut OpenCalls) -> Result<(), CliError> {
        self.follow_rules()?;
        let key = line.call.unwrap_or_else(|| name(path));
        if !calls.contains_key(&key) {
            self.make_room(calls)?;
            let book = Arc::clone(self.packs.book());
            let (file, name) = (name(path), key.clone());
            let call = Call { file, name, source: "transcript", duration: None, book };
            self.report.begin(&call)?;
            let watch = self.watch(&call.book);
            calls.insert(key.clone(), OpenCall { call, watch, heard: 0 });
        }
        let now = self.lines;
        self.lines += 1;
        let Some(open) = calls.get_mut(&key) else { return Ok(()) };
        open.heard = now;
        let at = line.sound.end();
        for event in open.watch.take(line.sound, at) {
            self.report.event(&open.call, &event, at)?;
        }
        Ok(())
    }

    /// A feed may go on for ever, and no line says that a call has ended: beyond the limit, the
    /// call that was silent for longest is taken to be over.
    fn make_room(&mut self, calls: &mut OpenCalls) -> Result<(), CliError> {
        if calls.len() < MAX_CALLS {
            return Ok(());
        }
        let oldest = calls.iter().min_by_key(|(_, open)| open.heard).map(|(key, _)| key.clone());
        match oldest.and_then(|key| calls.remove(&key)) {
            Some(open) => self.end(open.call, open.watch.end()),
            None => Ok(()),
        }
    }

    fn end_all(&mut self, calls: OpenCalls) -> Result<(), CliError> {
        for open in calls.into_values() {
            self.end(open.call, open.watch.end())?;
        }
        Ok(())
    }

    fn watch(&self, book: &Arc<Rulebook>) -> Watch {
        let origin = self.options.origin.into();
        let screen = Screen::new(Arc::clone(book), self.config.levels, origin);
        Watch::new(screen).simulated(self.config.rules.simulate)
    }

    fn end(&mut self, call: Call, outcome: Outcome) -> Result<(), CliError> {
        self.report.end(&call, &outcome)?;
        self.status.level = self.status.level.max(outcome.highest());
        // The summary of an endless feed would never be read, and never end growing.
        if self.rows.len() < MAX_CALLS {
            let family = call.family(&outcome.worst).map(str::to_owned);
            self.rows.push(Row { name: call.name, outcome: Some(outcome), family });
        }
        Ok(())
    }

    /// A file that could not be screened at all.
    fn fail(&mut self, path: &Path, message: &str) -> Result<(), CliError> {
        self.rows.push(Row { name: name(path), outcome: None, family: None });
        self.complain(path, message)
    }

    /// Something in a file that could not be read.
    fn complain(&mut self, path: &Path, message: &str) -> Result<(), CliError> {
        self.status.failed = true;
        Ok(self.report.error(&name(path), message)?)
    }
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

/// Whether a file is audio: by its name, or by how it begins.
pub(super) fn is_recording(path: &Path) -> bool {
    const AUDIO: [&str; 16] = [
        "wav", "wave", "mp3", "ogg", "opus", "flac", "m4a", "gsm", "au", "al", "alaw", "ul",
        "ulaw", "amr", "aac", "wma",
    ];
    let extension = path.extension().and_then(|extension| extension.to_str());
    let by_name =
        extension.is_some_and(|name| AUDIO.iter().any(|audio| name.eq_ignore_ascii_case(audio)));
    by_name || recording::begins_as_wav(path)
}
