//! Recordings of calls: a file becomes blocks of 20 ms at 8 kHz for each leg.
//!
//! Memory does not grow with the recording. What can be known of a file is checked when it is
//! opened, so that nobody listens for an hour to learn that the rest is missing.

mod error;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::audio::coding::Coding;
use crate::audio::g711::Law;
use crate::audio::resample::Resampler;
use crate::audio::voice::RATE;
use crate::wire::wav::{self, Format};

pub use error::RecordingError;

/// Samples of a full block: 20 ms.
pub const BLOCK_SAMPLES: usize = 160;
/// Lowest rate that is read: the telephone band needs it.
const LEAST_HZ: u32 = 8000;
/// Highest rate that is read: nothing records calls above it.
const MOST_HZ: u32 = 48000;
/// Frames (one sample of each channel) that are read at a time: 128 ms at 8 kHz.
const READ_FRAMES: u64 = 1024;

/// One of the two channels of a stereo recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Channel {
    /// The first.
    #[default]
    Left,
    /// The second.
    Right,
}

/// How to read a recording.
#[derive(Debug, Clone)]
pub struct Options {
    /// The recording has no header: 8 kHz, one channel, ITU-T G.711 by this law.
    pub raw: Option<Law>,
    /// The channel of the remote leg, if the recording is stereo.
    pub remote: Channel,
    /// The longest recording that is taken, in minutes.
    pub max_minutes: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { raw: None, remote: Channel::Left, max_minutes: 120 }
    }
}

/// Whose voices the legs carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One channel with both parties.
    Mixed,
    /// One channel for each party.
    TwoLegs,
}

/// One block of audio at 8 kHz, in −1…1. Reuse it for the next one.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// Remote and protected leg, equally long; or the mixed signal and nothing. 160 samples, fewer
    /// at the end of the recording.
    pub legs: [Vec<f32>; 2],
}

/// Where the bytes come from; buffered because the header is read in small pieces.
type Source = BufReader<Box<dyn Read + Send>>;

/// A recording that is being read.
pub struct Recording {
    source: Source,
    coding: Coding,
    rate_hz: u32,
    /// Frames that the recording has, if that is known before its end.
    frames: Option<u64>,
    frames_read: u64,
    ended: bool,
    max_minutes: u32,
    /// Remote and protected, or only the mixed one.
    legs: Vec<LegAudio>,
    /// The channel of the first leg.
    remote: Channel,
    bytes: Vec<u8>,
    samples: Vec<f32>,
    channel: Vec<f32>,
}

/// What a source says of itself before its audio.
struct Start {
    coding: Coding,
    channels: u16,
    rate_hz: u32,
    frames: Option<u64>,
}

impl Recording {
    /// Opens the recording at `path`; `-` is the standard input.
    ///
    /// # Errors
    ///
    /// [`RecordingError`], for everything that the header and the file's size can tell.
    pub fn open(path: &Path, options: &Options) -> Result<Self, RecordingError> {
        if path == Path::new("-") {
            return Self::begin(Box::new(io::stdin()), None, options);
        }
        let file = File::open(path).map_err(RecordingError::opening)?;
        let about = file.metadata().map_err(RecordingError::opening)?;
        if about.is_dir() {
            return Err(RecordingError::Directory);
        }
        // A pipe has no size: what it lacks shows when it ends.
        let size = about.is_file().then_some(about.len());
        Self::begin(Box::new(file), size, options)
    }

    /// Reads a recording that is in memory already.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn from_bytes(bytes: &'static [u8], options: &Options) -> Result<Self, RecordingError> {
        Self::begin(Box::new(bytes), Some(bytes.len() as u64), options)
    }

    /// Begins to read from `source`, which holds `size` bytes if that is known.
    fn begin(
        source: Box<dyn Read + Send>,
        size: Option<u64>,
        options: &Options,
    ) -> Result<Self, RecordingError> {
        if size == Some(0) {
            return Err(RecordingError::Empty);
        }
        let mut source = BufReader::new(source);
        let start = match options.raw {
            Some(law) => raw_start(&mut source, law, size)?,
            None => wav_start(&mut source, size)?,
        };
        check_length(&start, options.max_minutes)?;
        let leg = |_| LegAudio::new(start.rate_hz);
        Ok(Self {
            source,
            coding: start.coding,
            rate_hz: start.rate_hz,
            frames: start.frames,
            frames_read: 0,
            ended: false,
            max_minutes: options.max_minutes,
            legs: (0..start.channels).map(leg).collect::<Result<_, _>>()?,
            remote: options.remote,
            bytes: Vec::new(),
            samples: Vec::new(),
            channel: Vec::new(),
        })
    }

    /// One channel is both parties, two are one each.
    pub fn layout(&self) -> Layout {
        if self.legs.len() == 1 { Layout::Mixed } else { Layout::TwoLegs }
    }

    /// Length of the recording in milliseconds; 0 where it shows only at the end (a pipe).
    pub fn duration_ms(&self) -> u64 {
        self.frames.map_or(0, |frames| frames.saturating_mul(1000) / u64::from(self.rate_hz))
    }

    /// Fills `block` with the next 20 ms of each leg; false, and an empty block, at the end.
    ///
    /// # Errors
    ///
    /// [`RecordingError`] if the source fails, breaks off, or goes on beyond the limit. Blocks
    /// before it are sound.
    pub fn next_block(&mut self, block: &mut Block) -> Result<bool, RecordingError> {
        while !self.ended && self.legs.iter().any(|leg| leg.ready.len() < BLOCK_SAMPLES) {
            self.read_on()?;
        }
        for out in &mut block.legs {
            out.clear();
        }
        for (leg, out) in self.legs.iter_mut().zip(&mut block.legs) {
            leg.give(out);
        }
        Ok(!block.legs[0].is_empty())
    }

    /// Takes in the next frames of the source.
    fn read_on(&mut self) -> Result<(), RecordingError> {
        let left = self.frames.map_or(u64::MAX, |frames| frames.saturating_sub(self.frames_read));
        let wanted = left.min(READ_FRAMES);
        let frame_bytes = self.frame_bytes();
        self.bytes.clear();
        let mut part = self.source.by_ref().take(wanted * frame_bytes);
        let read = part.read_to_end(&mut self.bytes);
        let got = self.bytes.len() as u64 / frame_bytes;
        self.frames_read += got;
        read.map_err(|cause| RecordingError::Read { at_s: self.position_s(), cause })?;
        self.decode()?;
        if got < wanted {
            self.check_end()?;
        }
        if got < wanted || wanted == left {
            self.ended = true;
            self.legs.iter_mut().try_for_each(LegAudio::finish)?;
        } else if self.frames_read > most_frames(self.rate_hz, self.max_minutes) {
            return Err(RecordingError::EndlessStream(self.max_minutes));
        }
        Ok(())
    }

    /// Turns the bytes that were read into audio of the legs.
    fn decode(&mut self) -> Result<(), RecordingError> {
        self.samples.clear();
        self.coding.decode(&self.bytes, &mut self.samples);
        let channels = self.legs.len();
        for (index, leg) in self.legs.iter_mut().enumerate() {
            // With the remote party on the right, the first leg is the last channel.
            let at = if self.remote == Channel::Right { channels - 1 - index } else { index };
            self.channel.clear();
            self.channel.extend(self.samples.chunks_exact(channels).map(|frame| frame[at]));
            leg.resampler.push(&self.channel, &mut leg.ready)?;
        }
        Ok(())
    }

    /// Whether the source may end here.
    fn check_end(&self) -> Result<(), RecordingError> {
        let frame_bytes = self.frame_bytes();
        match self.frames {
            Some(frames) if self.frames_read < frames => Err(RecordingError::Truncated {
                at_s: self.position_s(),
                announced: frames * frame_bytes,
                held: self.frames_read * frame_bytes,
            }),
            None if self.frames_read == 0 => Err(RecordingError::NoSamples),
            _ => Ok(()),
        }
    }

    fn frame_bytes(&self) -> u64 {
        (self.coding.sample_bytes() * self.legs.len()) as u64
    }

    fn position_s(&self) -> f64 {
        self.frames_read as f64 / f64::from(self.rate_hz)
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording")
            .field("coding", &self.coding)
            .field("rate_hz", &self.rate_hz)
            .field("frames", &self.frames)
            .field("frames_read", &self.frames_read)
            .finish_non_exhaustive()
    }
}

/// The audio of one leg on its way to 8 kHz.
#[derive(Debug)]
struct LegAudio {
    resampler: Resampler,
    /// At 8 kHz; never more than one reading and one block of the resampler.
    ready: Vec<f32>,
}

impl LegAudio {
    fn new(rate_hz: u32) -> Result<Self, RecordingError> {
        Ok(Self { resampler: Resampler::new(rate_hz, RATE)?, ready: Vec::new() })
    }

    fn finish(&mut self) -> Result<(), RecordingError> {
        Ok(self.resampler.finish(&mut self.ready)?)
    }

    /// Moves up to one block into `out`.
    fn give(&mut self, out: &mut Vec<f32>) {
        let samples = self.ready.len().min(BLOCK_SAMPLES);
        // The filter of the resampler may swing a little beyond full scale.
        out.extend(self.ready.drain(..samples).map(|sample| sample.clamp(-1.0, 1.0)));
    }
}

/// Whether the file at `path`, or the standard input (`-`), begins as a WAV file does. Nothing is
/// consumed; a named pipe, which cannot be looked into, counts as no WAV.
pub fn begins_as_wav(path: &Path) -> bool {
    let begins = |path: &Path| -> io::Result<bool> {
        if path == Path::new("-") {
            return Ok(io::stdin().lock().fill_buf()?.starts_with(b"RIFF"));
        }
        if !std::fs::metadata(path)?.is_file() {
            return Ok(false);
        }
        let mut begin = [0; 4];
        File::open(path)?.read_exact(&mut begin)?;
        Ok(&begin == b"RIFF")
    };
    begins(path).unwrap_or(false)
}

/// Begins a source without a header.
fn raw_start(source: &mut Source, law: Law, size: Option<u64>) -> Result<Start, RecordingError> {
    // A header read as audio would pass for a click, and what follows it for loud noise.
    let begin = source.fill_buf().map_err(|cause| RecordingError::Read { at_s: 0.0, cause })?;
    if begin.starts_with(b"RIFF") && begin.get(8..12) == Some(b"WAVE") {
        return Err(RecordingError::NotRaw);
    }
    Ok(Start { coding: Coding::G711(law), channels: 1, rate_hz: RATE, frames: size })
}

/// Reads the header of a WAV file, and checks it against the file's size.
fn wav_start(source: &mut Source, size: Option<u64>) -> Result<Start, RecordingError> {
    let header = wav::parse_header(source)?;
    let format = &header.format;
    if !(1..=2).contains(&format.channels) {
        return Err(RecordingError::Channels(format.channels));
    }
    if !(LEAST_HZ..=MOST_HZ).contains(&format.rate_hz) {
        return Err(RecordingError::Rate(format.rate_hz));
    }
    let coding = coding(format).ok_or_else(|| RecordingError::encoding(format))?;
    let frame_bytes = coding.sample_bytes() as u64 * u64::from(format.channels);
    let held = size.map(|size| size.saturating_sub(header.data_offset));
    if let (Some(announced), Some(held)) = (header.data_bytes, held)
        && held < announced
    {
        let at_s = (held / frame_bytes) as f64 / f64::from(format.rate_hz);
        return Err(RecordingError::Truncated { at_s, announced, held });
    }
    let frames = header.data_bytes.or(held).map(|bytes| bytes / frame_bytes);
    if frames == Some(0) {
        return Err(RecordingError::NoSamples);
    }
    Ok(Start { coding, channels: format.channels, rate_hz: format.rate_hz, frames })
}

/// The coding of a format's samples, if it is one that is read.
fn coding(format: &Format) -> Option<Coding> {
    let bytes = format.sample_bytes()?;
    match (format.tag, format.bits, bytes) {
        (wav::TAG_PCM, bits, _) => Coding::linear(bits, bytes),
        (wav::TAG_FLOAT, 32, 4) => Some(Coding::Float),
        (wav::TAG_ALAW, 8, 1) => Some(Coding::G711(Law::Alaw)),
        (wav::TAG_ULAW, 8, 1) => Some(Coding::G711(Law::Ulaw)),
        _ => None,
    }
}

/// The frames in `minutes`.
fn most_frames(rate_hz: u32, minutes: u32) -> u64 {
    u64::from(rate_hz) * 60 * u64::from(minutes)
}

/// Refuses a recording beyond the limit, as far as its length is known.
fn check_length(start: &Start, max_minutes: u32) -> Result<(), RecordingError> {
    match start.frames {
        Some(frames) if frames > most_frames(start.rate_hz, max_minutes) => {
            let minutes = frames.div_ceil(most_frames(start.rate_hz, 1));
            Err(RecordingError::TooLong { minutes, limit: max_minutes })
        }
        _ => Ok(()),
    }
}
