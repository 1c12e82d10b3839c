//! Features instead of audio: what an operator's probe sends when sound must not leave its network.
//!
//! A stream of bytes, little-endian throughout:
//!
//! ```text
//! header, 16 bytes
//!   0  4  magic "LCFS"
//!   4  1  version, 1
//!   5  1  bands, 40
//!   6  2  hop in samples, 80
//!   8  4  sample rate in Hz, 8000
//!  12  4  reserved, 0
//! frame, 92 bytes
//!   0  1  leg: 0 remote, 1 protected, 2 mixed
//!   1  1  flags: 1 voice, 2 dial tone, 4 busy, 8 ringing, 16 unobtainable (special information
//!         tones), 32 fax, 64 answering machine or modem, 128 a key was pressed
//!   2  2  reserved, 0
//!   4  8  call time of the frame's first sample in milliseconds
//!  12 80  40 × natural logarithm of a band's power × 1024, signed 16 bits
//! ```
//!
//! A second of one leg is 100 frames: 9.2 kB as 16-bit numbers, 17.2 as 32-bit floats, 5.2 as
//! bytes; G.711 itself is 8 kB. Sixteen bits keep ±0.0005 (0.002 dB) over −32…32, where a logarithm
//! of the [mel bands](crate::audio::mel) lies in −23.03…11: far below what a frame of speech varies
//! by, so either source reads alike, at half a float's size. A byte would leave ±0.07 (0.3 dB),
//! more than the features' own error, to save 4 kB. Keys are told without the digit, which may
//! belong to a PIN.
//!
//! The same as JSON lines, the header being a line too ([`Frame::to_json`], [`Frame::from_json`]):
//!
//! ```text
//! {"format":"lineclear-features","version":1,"bands":40,"hop":80,"rate":8000}
//! {"leg":"remote","ms":10,"flags":["voice"],"mel":[-9.5,…]}
//! ```
//!
//! Features are no anonymous data: a vocoder makes intelligible speech of them. They spare the
//! receiver work and the stream its words in plain sound, but want the same protection as audio.

use std::borrow::Cow;

use serde::Deserialize;

use super::transcript::json_problem;
use crate::call::Leg;

// The format's own, as it must not change with the code that makes features.
/// Mel bands of a frame.
pub const BANDS: usize = 40;
/// Samples from one frame's start to the next one's: 10 ms.
pub const HOP: usize = 80;
/// Samples a second.
pub const RATE: u32 = 8_000;
/// The first bytes of a stream.
pub const MAGIC: [u8; 4] = *b"LCFS";
/// The version that is written and read.
pub const VERSION: u8 = 1;
/// Bytes of the header.
pub const HEADER_BYTES: usize = 16;
/// Bytes of one frame.
pub const FRAME_BYTES: usize = 12 + 2 * BANDS;
/// The longest JSON line that is read, in bytes.
pub const MAX_LINE: usize = 4096;

/// Steps of one unit of the natural logarithm.
const STEPS: f32 = 1024.0;
const FORMAT: &str = "lineclear-features";
const LEGS: [Leg; 3] = [Leg::Remote, Leg::Protected, Leg::Mixed];

/// What else was heard during a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// Voice.
    pub const VOICE: Self = Self(1);
    /// Dial tone.
    pub const DIAL: Self = Self(2);
    /// Busy or congestion tone.
    pub const BUSY: Self = Self(4);
    /// Ringing tone.
    pub const RINGING: Self = Self(8);
    /// Number unobtainable, or special information tones.
    pub const UNOBTAINABLE: Self = Self(16);
    /// The calling or called tone of a fax machine (ITU-T T.30).
    pub const FAX: Self = Self(32);
    /// Answer tone (ITU-T V.25, V.8).
    pub const ANSWER: Self = Self(64);
    /// A key of the keypad, never which.
    pub const KEY: Self = Self(128);

    const NAMES: [(&str, Self); 8] = [
        ("voice", Self::VOICE),
        ("dial", Self::DIAL),
        ("busy", Self::BUSY),
        ("ringing", Self::RINGING),
        ("unobtainable", Self::UNOBTAINABLE),
        ("fax", Self::FAX),
        ("answer", Self::ANSWER),
        ("key", Self::KEY),
    ];

    /// Whether all of `flags` are set.
    pub const fn has(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// These and `flags`.
    #[must_use]
    pub const fn with(self, flags: Self) -> Self {
        Self(self.0 | flags.0)
    }

    fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(_, flag)| self.has(*flag)).map(|(name, _)| name)
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, flag)| flag)
    }
}

/// The features of 25 ms of one leg.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Whose voice.
    pub leg: Leg,
    /// What else was heard.
    pub flags: Flags,
    /// Call time of the first sample, in milliseconds.
    pub ms: u64,
    /// The natural logarithm of each band's power, −32…32.
    pub mel: [f32; BANDS],
}

/// Why bytes are no feature stream. Places are byte offsets from the stream's start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeatureError {
    /// Another kind of stream.
    #[error(
        "byte 0: a feature stream begins with \"LCFS\": send no audio here, and a header first"
    )]
    Magic,
    /// A later version.
    #[error("byte 4: version {0} is not known: set the probe to version {VERSION}")]
    Version(u8),
    /// Other features.
    #[error(
        "byte {at}: {what} is {found}, not {expected}: set the probe to {BANDS} bands every {HOP} \
         samples at {RATE} Hz"
    )]
    Setting {
        /// Where.
        at: u64,
        /// Which setting.
        what: &'static str,
        /// As read.
        found: u64,
        /// As it must be.
        expected: u64,
    },
    /// A leg that is none.
    #[error(
        "byte {at}: leg {found} is none of 0, 1 and 2: frames have {FRAME_BYTES} bytes, is one cut?"
    )]
    Leg {
        /// Where.
        at: u64,
        /// As read.
        found: u8,
    },
    /// A reserved field that is not 0.
    #[error("byte {0}: reserved bytes are 0 in version {VERSION}: was a frame cut?")]
    Reserved(u64),
    /// The stream ended inside the header or a frame.
    #[error("byte {0}: the stream ends inside a frame: send whole frames before closing")]
    EndsEarly(u64),
    /// A line that is too long.
    #[error("the line is longer than {MAX_LINE} bytes: write one frame a line")]
    LongLine,
    /// No JSON, or not its keys.
    #[error("{0}: a line needs \"leg\", \"ms\" and \"mel\", an array of {BANDS} numbers")]
    Json(String),
    /// A header line that is none.
    #[error("the first line must be {}", header_json())]
    HeaderLine,
    /// An unknown leg by name.
    #[error("the leg is none of \"remote\", \"protected\" and \"mixed\"")]
    LegName,
    /// An unknown flag by name.
    #[error(
        "flag {0} of the line is none: write voice, dial, busy, ringing, unobtainable, fax, \
             answer or key"
    )]
    FlagName(usize),
    /// Too many or too few bands.
    #[error("the line has {0} bands: write {BANDS}")]
    Bands(usize),
}

/// The header of a stream.
pub fn header() -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..4].copy_from_slice(&MAGIC);
    bytes[4..6].copy_from_slice(&[VERSION, BANDS as u8]);
    bytes[6..8].copy_from_slice(&(HOP as u16).to_le_bytes());
    bytes[8..12].copy_from_slice(&RATE.to_le_bytes());
    bytes
}

/// The header of a stream of JSON lines, without its line end.
pub fn header_json() -> String {
    format!(
        r#"{{"format":"{FORMAT}","version":{VERSION},"bands":{BANDS},"hop":{HOP},"rate":{RATE}}}"#
    )
}

/// Reads a stream in pieces of any size. Holds no more than one frame; after an error, the stream
/// is lost, and every further push gives the same error.
#[derive(Debug, Clone)]
pub struct Parser {
    held: [u8; FRAME_BYTES],
    filled: usize,
    /// Offset of `held` in the stream.
    at: u64,
    failed: Option<FeatureError>,
}

impl Default for Parser {
    fn default() -> Self {
        Self { held: [0; FRAME_BYTES], filled: 0, at: 0, failed: None }
    }
}

impl Parser {
    /// Takes in the next bytes; hands out each frame that they complete. Allocates nothing.
    ///
    /// # Errors
    /// At the first byte that cannot be; frames before it are handed out.
    pub fn push(
        &mut self,
        mut bytes: &[u8],
        mut frame: impl FnMut(&Frame),
    ) -> Result<(), FeatureError> {
        self.failed.clone().map_or(Ok(()), Err)?;
        while !bytes.is_empty() {
            let wanted = if self.at == 0 { HEADER_BYTES } else { FRAME_BYTES };
            let (now, later) = bytes.split_at(bytes.len().min(wanted - self.filled));
            self.held[self.filled..self.filled + now.len()].copy_from_slice(now);
            self.filled += now.len();
            bytes = later;
            if self.filled == wanted {
                let read = if self.at == 0 {
                    check_header(&self.held)
                } else {
                    Frame::from_bytes(&self.held, self.at).map(|read| frame(&read))
                };
                read.inspect_err(|error| self.failed = Some(error.clone()))?;
                self.at += wanted as u64;
                self.filled = 0;
            }
        }
        Ok(())
    }

    /// Tells whether the stream may end here.
    ///
    /// # Errors
    /// If it ends inside its header or a frame, or failed before.
    pub fn finish(&self) -> Result<(), FeatureError> {
        self.failed.clone().map_or(Ok(()), Err)?;
        let is_whole = self.filled == 0 && self.at > 0;
        let end = self.at + self.filled as u64;
        if is_whole { Ok(()) } else { Err(FeatureError::EndsEarly(end)) }
    }
}

fn check_header(bytes: &[u8; FRAME_BYTES]) -> Result<(), FeatureError> {
    if bytes[..4] != MAGIC {
        return Err(FeatureError::Magic);
    }
    if bytes[4] != VERSION {
        return Err(FeatureError::Version(bytes[4]));
    }
    let hop = u16::from_le_bytes([bytes[6], bytes[7]]);
    let rate = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
    for (at, what, found, expected) in [
        (5, "the number of bands", u64::from(bytes[5]), BANDS as u64),
        (6, "the hop", u64::from(hop), HOP as u64),
        (8, "the sample rate", u64::from(rate), u64::from(RATE)),
    ] {
        if found != expected {
            return Err(FeatureError::Setting { at, what, found, expected });
        }
    }
    if bytes[12..HEADER_BYTES] == [0; 4] { Ok(()) } else { Err(FeatureError::Reserved(12)) }
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    leg: Cow<'a, str>,
    ms: u64,
    #[serde(default, borrow)]
    flags: Vec<Cow<'a, str>>,
    mel: Vec<f32>,
}

#[derive(Deserialize)]
struct HeaderLine {
    format: String,
    version: u8,
    bands: usize,
    hop: usize,
    rate: u32,
}

/// Checks the first of JSON lines.
///
/// # Errors
/// If it announces anything but these features.
pub fn check_header_json(line: &str) -> Result<(), FeatureError> {
    let is_ours = |header: &HeaderLine| {
        let settings = (header.bands, header.hop, header.rate);
        let format = (header.format.as_str(), header.version);
        format == (FORMAT, VERSION) && settings == (BANDS, HOP, RATE)
    };
    let header = Some(line).filter(|line| line.len() <= MAX_LINE);
    let header = header.and_then(|line| serde_json::from_str(line).ok()).filter(is_ours);
    header.map(drop).ok_or(FeatureError::HeaderLine)
}

impl Frame {
    /// The frame's bytes. Logarithms outside −32…32 are written as the nearest there, NaN as 0.
    pub fn to_bytes(&self) -> [u8; FRAME_BYTES] {
        let mut bytes = [0; FRAME_BYTES];
        let leg = LEGS.iter().position(|leg| *leg == self.leg).unwrap_or_default();
        bytes[..2].copy_from_slice(&[leg as u8, self.flags.0]);
        bytes[4..12].copy_from_slice(&self.ms.to_le_bytes());
        for (place, band) in bytes[12..].as_chunks_mut().0.iter_mut().zip(self.mel) {
            // A cast saturates.
            *place = ((band * STEPS).round() as i16).to_le_bytes();
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; FRAME_BYTES], at: u64) -> Result<Self, FeatureError> {
        let found = bytes[0];
        let leg = LEGS.get(usize::from(found)).ok_or(FeatureError::Leg { at, found })?;
        if bytes[2..4] != [0; 2] {
            return Err(FeatureError::Reserved(at + 2));
        }
        let mut ms = [0; 8];
        ms.copy_from_slice(&bytes[4..12]);
        let mut mel = [0.0; BANDS];
        for (band, &step) in mel.iter_mut().zip(bytes[12..].as_chunks().0) {
            *band = f32::from(i16::from_le_bytes(step)) / STEPS;
        }
        Ok(Self { leg: *leg, flags: Flags(bytes[1]), ms: u64::from_le_bytes(ms), mel })
    }

    /// The frame as a JSON line, without its end. Bands have three decimals, NaN is 0.
    pub fn to_json(&self) -> String {
        let flags: Vec<_> = self.flags.names().map(|name| format!("\"{name}\"")).collect();
        let round = |band: f32| if band.is_finite() { band.clamp(-32.0, 32.0) } else { 0.0 };
        let mel: Vec<_> = self.mel.iter().map(|band| format!("{:.3}", round(*band))).collect();
        let (leg, ms) = (self.leg.name(), self.ms);
        let (flags, mel) = (flags.join(","), mel.join(","));
        format!(r#"{{"leg":"{leg}","ms":{ms},"flags":[{flags}],"mel":[{mel}]}}"#)
    }

    /// Reads a JSON line. Unknown keys are passed over.
    ///
    /// # Errors
    /// If the line is no frame.
    pub fn from_json(line: &str) -> Result<Self, FeatureError> {
        if line.len() > MAX_LINE {
            return Err(FeatureError::LongLine);
        }
        let line: Line<'_> =
            serde_json::from_str(line).map_err(|error| FeatureError::Json(json_problem(&error)))?;
        let leg = Leg::from_name(&line.leg).ok_or(FeatureError::LegName)?;
        let mut flags = Flags::default();
        for (at, name) in line.flags.iter().enumerate() {
            flags = flags.with(Flags::from_name(name).ok_or(FeatureError::FlagName(at + 1))?);
        }
        let mel = <[f32; BANDS]>::try_from(line.mel.as_slice());
        let mel = mel.map_err(|_| FeatureError::Bands(line.mel.len()))?;
        // A number beyond the range of f32 reads as infinite.
        Ok(Self { leg, flags, ms: line.ms, mel: mel.map(|band| band.clamp(-32.0, 32.0)) })
    }
}

#[cfg(test)]
mod tests;
