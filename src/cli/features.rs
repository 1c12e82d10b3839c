//! `lineclear features`: what a probe sends instead of audio, made from a recording.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::progress;
use super::status::{CliError, Status};
use crate::audio::g711::Law;
use crate::audio::keypad::Keypad;
use crate::audio::mel::Mel;
use crate::audio::progress::{Progress, Tone};
use crate::audio::voice::{Endpointing, RATE};
use crate::call::{Leg, Sound};
use crate::edge::files;
use crate::edge::hear::{Ears, Hearing};
use crate::edge::ingest::recording::{self, Block, Layout, Recording};
use crate::edge::models::{Model, Store};
use crate::edge::picture::{self, LegPicture};
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
    /// Draw a picture instead (PNG): a spectrogram of each leg, with voice, words, tones and keys
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "out"])]
    plot: Option<PathBuf>,
}

const EXAMPLES: &str = "\
40 log-mel bands of each leg every 10 ms, with flags for voice, tones and keys: docs/features.md
has the form. Speech can be made audible again from them: keep them as you would the recording.

Examples:
  lineclear features call.wav --out call.lcfs
  lineclear features --json call.wav | head -3
  lineclear features call.wav --plot call.png
  (echo '{\"event\":\"features\",\"call\":\"c1\"}'; cat call.lcfs) | nc -NU feed.sock";

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
    let ears = Ears::load(&Store::open_default()?, Model::Tiny)?;
    // Only a picture shows where words are; features ask whether there is a voice.
    let mut ears = match options.plot {
        Some(_) => ears,
        None => ears.with_recogniser(Box::new(Scripted::default())),
    };
    let mut hearing = Hearing::new(recording.layout(), Endpointing::default());
    let legs: &[Leg] = match recording.layout() {
        Layout::Mixed => &[Leg::Mixed],
        Layout::TwoLegs => &[Leg::Remote, Leg::Protected],
    };
    let mut makers: Vec<_> = legs.iter().map(|leg| Maker::new(*leg)).collect();
    let mut out = Output::begin(options, legs.len())?;
    let (mut block, mut sounds, mut frames) = (Block::default(), Vec::new(), Vec::new());
    let bar = progress::recording(recording.duration_ms());
    while recording.next_block(&mut block)? {
        hearing.push(&block, &mut ears, &mut sounds)?;
        sounds.drain(..).for_each(|sound| out.hear(legs, &sound));
        bar.set_position(hearing.position().0 / 1000);
        for ((maker, samples), voice) in makers.iter_mut().zip(&block.legs).zip(hearing.voices()) {
            maker.push(samples, voice, &mut frames);
        }
        for frame in frames.drain(..) {
            out.frame(legs, &frame)?;
        }
    }
    bar.finish_and_clear();
    hearing.finish(&mut ears, &mut sounds)?;
    sounds.drain(..).for_each(|sound| out.hear(legs, &sound));
    out.end()?;
    Ok(Status::OK)
}

/// Where the frames go.
enum Output<'a> {
    Bytes(Box<dyn Write>),
    Lines(Box<dyn Write>),
    Picture(&'a Path, Vec<LegPicture>),
}

impl<'a> Output<'a> {
    fn begin(options: &'a Options, legs: usize) -> Result<Self, CliError> {
        if let Some(path) = &options.plot {
            return Ok(Self::Picture(path, vec![LegPicture::default(); legs]));
        }
        let mut out: Box<dyn Write> = match &options.out {
            Some(path) => Box::new(files::create(path)?),
            None => Box::new(std::io::BufWriter::new(std::io::stdout().lock())),
        };
        if options.json {
            writeln!(out, "{}", features::header_json())?;
            return Ok(Self::Lines(out));
        }
        out.write_all(&features::header())?;
        Ok(Self::Bytes(out))
    }

    fn frame(&mut self, legs: &[Leg], frame: &Frame) -> std::io::Result<()> {
        match self {
            Self::Bytes(out) => out.write_all(&frame.to_bytes()),
            Self::Lines(out) => writeln!(out, "{}", frame.to_json()),
            Self::Picture(_, pictures) => {
                of_leg(pictures, legs, frame.leg).for_each(|picture| picture.push(frame));
                Ok(())
            }
        }
    }

    /// Words stand in a picture only.
    fn hear(&mut self, legs: &[Leg], sound: &Sound) {
        if let (Self::Picture(_, pictures), Sound::Speech(spoken)) = (self, sound) {
            of_leg(pictures, legs, spoken.leg)
                .for_each(|picture| picture.words(spoken.start, spoken.end));
        }
    }

    fn end(self) -> Result<(), CliError> {
        match self {
            Self::Bytes(mut out) | Self::Lines(mut out) => Ok(out.flush()?),
            Self::Picture(path, pictures) => Ok(picture::draw(path, &pictures)?),
        }
    }
}

fn of_leg<'p>(
    pictures: &'p mut [LegPicture],
    legs: &'p [Leg],
    leg: Leg,
) -> impl Iterator<Item = &'p mut LegPicture> {
    pictures.iter_mut().zip(legs).filter(move |(_, own)| **own == leg).map(|(picture, _)| picture)
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
