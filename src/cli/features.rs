//! `lineclear features`: what a probe sends instead of audio, made from a recording.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::progress;
use super::status::{CliError, Status};
use crate::audio::g711::Law;
use crate::audio::keypad::Keypad;
use crate::audio::mel::Mel;
use crate::audio::progress::{Progress, Tone};
use crate::audio::voice::{Endpointing, RATE};
use crate::call::Leg;
use crate::edge::hear::{Ears, Hearing};
use crate::edge::ingest::recording::{self, Block, Layout, Recording};
use crate::edge::models::{Model, Store};
use crate::speech::scripted::Scripted;
use crate::wire::features::{self, Flags, Frame};

/// What to make features of.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Options {
    /// A recording: WAV, or G.711 at 8 kHz without a header; - is the standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The law of G.711 without a header
    #[arg(long, value_name = "LAW", default_value = "ulaw", value_parser = ["alaw", "ulaw"])]
    raw: String,
    /// Where to write them; the standard output if left out
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// JSON lines instead of bytes
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
40 log-mel bands of each leg every 10 ms, with flags for voice, tones and keys: docs/features.md
has the form. Speech can be made audible again from them: keep them as you would the recording.

Examples:
  lineclear features call.wav --out call.lcfs
  lineclear features --json call.wav | head -3
  (echo '{\"event\":\"features\",\"call\":\"c1\"}'; cat call.lcfs) | nc -U feed.sock";

/// Makes the frames of one leg.
#[derive(Debug)]
struct Maker {
    leg: Leg,
    mel: Mel,
    keypad: Keypad,
    progress: Progress,
    /// What was recognised since the last frame.
    flags: Flags,
}

pub(super) fn run(options: &Options) -> Result<Status, CliError> {
    // The names were checked when the command line was read.
    let law = Law::from_name(&options.raw).unwrap_or(Law::Ulaw);
    let raw = (!recording::begins_as_wav(&options.file)).then_some(law);
    let reading = recording::Options { raw, ..Default::default() };
    let mut recording = Recording::open(&options.file, &reading)?;
    // Words are not asked for, only whether there is a voice.
    let ears = Ears::load(&Store::open_default()?, Model::Tiny)?;
    let mut ears = ears.with_recogniser(Box::new(Scripted::default()));
    let mut hearing = Hearing::new(recording.layout(), Endpointing::default());
    let legs: &[Leg] = match recording.layout() {
        Layout::Mixed => &[Leg::Mixed],
        Layout::TwoLegs => &[Leg::Remote, Leg::Protected],
    };
    let mut makers: Vec<_> = legs.iter().map(|leg| Maker::new(*leg)).collect();
    let mut out = output(options)?;
    begin(&mut out, options.json)?;
    let (mut block, mut sounds, mut frames) = (Block::default(), Vec::new(), Vec::new());
    let bar = progress::recording(recording.duration_ms());
    while recording.next_block(&mut block)? {
        hearing.push(&block, &mut ears, &mut sounds)?;
        sounds.clear();
        bar.set_position(hearing.position().0 / 1000);
        for ((maker, samples), voice) in makers.iter_mut().zip(&block.legs).zip(hearing.voices()) {
            maker.push(samples, voice, &mut frames);
        }
        for frame in frames.drain(..) {
            match options.json {
                true => writeln!(out, "{}", frame.to_json())?,
                false => out.write_all(&frame.to_bytes())?,
            }
        }
    }
    bar.finish_and_clear();
    out.flush()?;
    Ok(Status::OK)
}

fn output(options: &Options) -> Result<Box<dyn Write>, CliError> {
    Ok(match &options.out {
        Some(path) => Box::new(crate::edge::files::create(path)?),
        None => Box::new(std::io::BufWriter::new(std::io::stdout().lock())),
    })
}

fn begin(out: &mut dyn Write, json: bool) -> std::io::Result<()> {
    match json {
        true => writeln!(out, "{}", features::header_json()),
        false => out.write_all(&features::header()),
    }
}

impl Maker {
    fn new(leg: Leg) -> Self {
        let (mel, keypad, progress) = (Mel::new(), Keypad::new(), Progress::new());
        Self { leg, mel, keypad, progress, flags: Flags::default() }
    }

    fn push(&mut self, samples: &[f32], voice: bool, frames: &mut Vec<Frame>) {
        let (leg, flags) = (self.leg, &mut self.flags);
        self.keypad.push(samples, |_| *flags = flags.with(Flags::KEY));
        self.progress.push(samples, |found| *flags = flags.with(flag_of(found.tone)));
        self.mel.push(samples, |sample, mel| {
            let voice = if voice { Flags::VOICE } else { Flags::default() };
            let flags = std::mem::take(flags).with(voice);
            frames.push(Frame { leg, flags, ms: sample * 1000 / u64::from(RATE), mel: *mel });
        });
    }
}

const fn flag_of(tone: Tone) -> Flags {
    match tone {
        Tone::Dial | Tone::DialEu => Flags::DIAL,
        Tone::Ringback | Tone::RingbackUk | Tone::RingbackEu => Flags::RINGING,
        Tone::Busy
        | Tone::BusyUk
        | Tone::BusyEu
        | Tone::Reorder
        | Tone::CongestionUk
        | Tone::CongestionEu => Flags::BUSY,
        Tone::UnobtainableUk | Tone::Sit => Flags::UNOBTAINABLE,
        Tone::Cng => Flags::FAX,
        Tone::Ans | Tone::Bell => Flags::ANSWER,
    }
}
