//! Why a recording cannot be read, and what to do about it.

use std::io;

use crate::audio::resample::ResampleError;
use crate::wire::wav::{self, Format, WavError};

/// Why a recording cannot be read. Messages continue "call.wav: …" and end with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// No such file.
    #[error("does not exist: check the path")]
    NotFound,
    /// The path names a directory.
    #[error("is a directory: name a recording in it")]
    Directory,
    /// The file may not be opened.
    #[error("may not be read by this user: change its permissions or owner")]
    PermissionDenied,
    /// The file cannot be opened for another reason.
    #[error("cannot be opened: {0}: check the path and the disk")]
    Open(io::Error),
    /// A file of no bytes.
    #[error("is empty, 0 bytes long: record or copy it again")]
    Empty,
    /// Something else than a WAV file.
    #[error(
        "is not a WAV recording, it {0}: convert it with `ffmpeg -i IN -ar 8000 OUT.wav`, \
         or pass --raw alaw or --raw ulaw if it is G.711 without a header"
    )]
    NotWav(WavError),
    /// A WAV file whose header is cut off or nonsense.
    #[error("has a damaged WAV header, it {0}: record or copy it again")]
    Header(WavError),
    /// Raw audio was asked for, but there is a header.
    #[error("begins with a WAV header: leave out --raw")]
    NotRaw,
    /// The header is in order, and no audio follows.
    #[error("holds no audio, only a header: record or copy it again")]
    NoSamples,
    /// Less audio than the header announces.
    #[error(
        "breaks off {at_s:.1} s into the recording: its data chunk says {announced} bytes, \
         the file holds {held}: copy it again, or keep what there is with \
         `ffmpeg -i IN -ar 8000 OUT.wav`"
    )]
    Truncated {
        /// Seconds from the start at which the audio ends.
        at_s: f64,
        /// Bytes of audio that the header announces.
        announced: u64,
        /// Bytes of audio that there are.
        held: u64,
    },
    /// A sample rate outside 8–48 kHz.
    #[error(
        "has a sample rate of {0} Hz, and only 8000 to 48000 Hz are read: \
         convert it with `ffmpeg -i IN -ar 8000 OUT.wav`"
    )]
    Rate(u32),
    /// Neither mono nor stereo.
    #[error(
        "has {0} channels, and only 1 (both parties) or 2 (one each) are read: \
         pick them with `ffmpeg -i IN -ac 1 -ar 8000 OUT.wav`"
    )]
    Channels(u16),
    /// A codec or bit depth that is not read.
    #[error(
        "is coded as {name} (format tag 0x{tag:04x}, {bits} bits), which is not read: \
         convert it with `ffmpeg -i IN -c:a pcm_s16le -ar 8000 OUT.wav`"
    )]
    Encoding {
        /// What the tag stands for.
        name: &'static str,
        /// The format tag.
        tag: u16,
        /// Bits of a sample, as the header says.
        bits: u16,
    },
    /// The header announces more than the limit.
    #[error(
        "lasts {} h {} min, and the limit is {limit} minutes: \
         split it, or raise the limit with --max-minutes", .minutes / 60, .minutes % 60
    )]
    TooLong {
        /// Length of the recording, rounded up.
        minutes: u64,
        /// The limit.
        limit: u32,
    },
    /// A recording of unknown length has reached the limit.
    #[error(
        "goes on beyond the limit of {0} minutes: split it, or raise the limit with --max-minutes"
    )]
    EndlessStream(u32),
    /// The source failed in the middle.
    #[error("cannot be read beyond {at_s:.1} s: {cause}: check the disk, or copy it again")]
    Read {
        /// Seconds from the start that were read.
        at_s: f64,
        /// What the system says.
        cause: io::Error,
    },
    /// The rate cannot be converted; a fault of this program.
    #[error("cannot be brought to 8000 Hz: {0}")]
    Resample(#[from] ResampleError),
}

impl RecordingError {
    /// The error for a failure of [`std::fs::File::open`].
    pub(super) fn opening(cause: io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            io::ErrorKind::PermissionDenied => Self::PermissionDenied,
            io::ErrorKind::IsADirectory => Self::Directory,
            _ => Self::Open(cause),
        }
    }

    /// The error for a format whose samples cannot be decoded.
    pub(super) fn encoding(format: &Format) -> Self {
        Self::Encoding { name: codec_name(format.tag), tag: format.tag, bits: format.bits }
    }
}

impl From<WavError> for RecordingError {
    fn from(error: WavError) -> Self {
        match error {
            WavError::Read(cause) => Self::Read { at_s: 0.0, cause },
            WavError::NotRiff | WavError::NotWave | WavError::Variant(_) => Self::NotWav(error),
            _ => Self::Header(error),
        }
    }
}

/// What people call a format tag (RFC 2361), of those that telephone recorders write.
fn codec_name(tag: u16) -> &'static str {
    match tag {
        wav::TAG_PCM => "PCM of an unusual depth",
        wav::TAG_FLOAT => "floating point of an unusual depth",
        wav::TAG_ALAW | wav::TAG_ULAW => "G.711 of an unusual depth",
        0x0002 => "Microsoft ADPCM",
        0x0011 => "IMA ADPCM",
        0x0022 => "TrueSpeech",
        0x0031 => "GSM 6.10",
        0x0040 => "G.721 ADPCM",
        0x0045 | 0x0064 => "G.726 ADPCM",
        0x0050 => "MPEG audio",
        0x0055 => "MP3",
        0x0083 => "G.729",
        0x00FF => "AAC",
        0x0161 => "Windows Media Audio",
        _ => "an unknown codec",
    }
}
