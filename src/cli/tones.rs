//! `lineclear tones`: the keys and the exchange's tones in a recording, for whoever owns it.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::status::{CliError, Status};
use crate::audio::g711::Law;
use crate::audio::keypad::{Key, Keypad};
use crate::audio::progress::{Found, Progress};
use crate::audio::voice::RATE;
use crate::call::Leg;
use crate::edge::ingest::recording::{self, Block, Layout, Recording};

/// What to listen to.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Options {
    /// A recording: WAV, or G.711 at 8 kHz without a header; - is the standard input
    #[arg(default_value = "-", value_name = "FILE")]
    file: PathBuf,
    /// The law of G.711 without a header
    #[arg(long, value_name = "LAW", default_value = "ulaw", value_parser = ["alaw", "ulaw"])]
    raw: String,
}

const EXAMPLES: &str = "\
One JSON object a line: when it was recognised (\"t\") and when it began (\"start\"), in seconds.
Digits are printed, since whoever runs this owns the recording; `lineclear run` never tells one.

Examples:
  lineclear tones call.wav
  lineclear tones --raw alaw < call.al
  {\"t\":0.536,\"start\":0.5,\"type\":\"dtmf\",\"digit\":\"5\"}
  {\"t\":12.416,\"start\":12.0,\"type\":\"tone\",\"name\":\"dial\"}
Tones: dial, ringback_uk, ringback, busy_uk, busy_eu, busy, congestion_uk, congestion_eu, reorder,
unobtainable_uk, dial_eu, ringback_eu, sit, cng, ans, bell. An hour of a leg takes some 200 ms.";

/// A line of the output.
#[derive(Debug, Serialize)]
struct Event {
    /// Seconds.
    t: f64,
    /// Seconds.
    start: f64,
    /// Where, if the recording has two legs.
    #[serde(skip_serializing_if = "Option::is_none")]
    leg: Option<&'static str>,
    #[serde(flatten)]
    what: What,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum What {
    Dtmf { digit: char },
    Tone { name: &'static str },
}

/// The detectors of a leg.
#[derive(Debug)]
struct Ear {
    leg: Option<&'static str>,
    keypad: Keypad,
    progress: Progress,
}

pub(super) fn run(options: &Options) -> Result<Status, CliError> {
    // The names were checked when the command line was read.
    let law = Law::from_name(&options.raw).unwrap_or(Law::Ulaw);
    let raw = (!recording::begins_as_wav(&options.file)).then_some(law);
    let reading = recording::Options { raw, max_minutes: 24 * 60, ..Default::default() };
    let mut recording = Recording::open(&options.file, &reading)?;
    let mut ears = match recording.layout() {
        Layout::Mixed => vec![Ear::new(None)],
        Layout::TwoLegs => vec![Ear::new(Some(Leg::Remote)), Ear::new(Some(Leg::Protected))],
    };
    let (mut block, mut events) = (Block::default(), Vec::new());
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    while recording.next_block(&mut block)? {
        for (ear, samples) in ears.iter_mut().zip(&block.legs) {
            ear.push(samples, &mut events);
        }
        for event in events.drain(..) {
            serde_json::to_writer(&mut out, &event).map_err(std::io::Error::from)?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()?;
    Ok(Status::OK)
}

impl Ear {
    fn new(leg: Option<Leg>) -> Self {
        Self { leg: leg.map(Leg::name), keypad: Keypad::new(), progress: Progress::new() }
    }

    fn push(&mut self, samples: &[f32], events: &mut Vec<Event>) {
        let leg = self.leg;
        self.keypad.push(samples, |Key { digit, at, start }| {
            let what = What::Dtmf { digit: digit.as_char() };
            events.push(Event { t: seconds(at), start: seconds(start), leg, what });
        });
        self.progress.push(samples, |Found { tone, at, start }| {
            let what = What::Tone { name: tone.name() };
            events.push(Event { t: seconds(at), start: seconds(start), leg, what });
        });
    }
}

fn seconds(sample: u64) -> f64 {
    (sample as f64 / f64::from(RATE) * 1000.0).round() / 1000.0
}
