//! The sound of a live leg, as Asterisk's AudioSocket brings it to a server.
//!
//! A connection is one leg. It is a row of frames:
//!
//! ```text
//!   0  1  kind
//!   1  2  length of what follows, big-endian
//!
//! 0x00   0  the end; Asterisk itself just closes
//! 0x01  16  the UUID that the dialplan or the tap gave the leg: the first frame, and only that
//! 0x03   1  a key, as its sign
//! 0x10   n  sound at 8000 Hz: signed 16 bits, little-endian
//! 0x12   n  sound at 16000 Hz, likewise; 0x11 and 0x13–0x18 are other rates
//! 0xff 0–1  a fault, with a code or without
//! ```
//!
//! Asterisk labels whatever is not linear 0x10, too: A-law and µ-law have 160 bytes where linear
//! samples have 320, and would be noise to the listener. So the first sound of a leg must last
//! 20 ms or a few times that: A-law does not, but in packets of 40 ms. Later any whole samples are
//! let pass, for Asterisk writes what it has: the end of a recording that is played is shorter (116
//! bytes were seen), and a packet that it conceals may have none.
//!
//! While a key is pressed nothing comes at all (161 ms were measured), nor when the tapped call
//! ended: no frame is no sign that the leg is gone.

use std::fmt;

use crate::call::Digit;

/// What a server sends to end its leg. Sent anything else but sound, Asterisk drops the call.
pub const HANG_UP: [u8; HEAD] = [END, 0, 0];

const END: u8 = 0x00;
const ID: u8 = 0x01;
const KEY: u8 = 0x03;
const FAULT: u8 = 0xff;

/// Bytes before the payload.
const HEAD: usize = 3;
/// Bytes of an identity.
const ID_BYTES: usize = 16;
/// Blocks of 20 ms that a frame may hold: a longer frame is no packet of a telephone call.
const MAX_BLOCKS: usize = 10;
const MAX_BYTES: usize = MAX_BLOCKS * Rate::Hz16000.block_bytes();

/// How many samples a second has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// 8000, Asterisk's `slin`.
    Hz8000,
    /// 16000, Asterisk's `slin16`.
    Hz16000,
}

impl Rate {
    /// Samples a second.
    pub const fn hz(self) -> u32 {
        match self {
            Self::Hz8000 => 8_000,
            Self::Hz16000 => 16_000,
        }
    }

    /// Bytes of 20 ms.
    const fn block_bytes(self) -> usize {
        self.hz() as usize / 50 * 2
    }

    const fn kind(self) -> u8 {
        match self {
            Self::Hz8000 => 0x10,
            Self::Hz16000 => 0x12,
        }
    }
}

/// Samples as they came: signed 16 bits, little-endian. They print as their number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Samples<'a>(&'a [[u8; 2]]);

impl Samples<'_> {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends them in −1…1. Allocates only if `samples` must grow.
    pub fn append_to(&self, samples: &mut Vec<f32>) {
        let number = |bytes: &[u8; 2]| f32::from(i16::from_le_bytes(*bytes)) / 32_768.0;
        samples.extend(self.0.iter().map(number));
    }
}

/// A frame, of a connection that goes on after it unless it is the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// Nothing more will come.
    Terminate,
    /// Which leg this is: the bytes of a UUID.
    Id([u8; ID_BYTES]),
    /// A key was pressed.
    Digit(Digit),
    /// Sound.
    Audio {
        /// At which rate.
        rate: Rate,
        /// 200 ms at most; none at all at times.
        samples: Samples<'a>,
    },
    /// The other side failed, and perhaps said why.
    Fault(Option<u8>),
}

/// Why bytes are no leg of Asterisk's. Places are byte offsets from the connection's start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AudioSocketError {
    /// The first frame is none that tells who this is.
    #[error(
        "byte 0: a connection begins with a UUID (frame 0x01), not with 0x{0:02x}: let nothing but \
         Asterisk's AudioSocket connect here"
    )]
    NoId(u8),
    /// Another identity.
    #[error("byte {0}: a second UUID came: open one connection for each leg")]
    SecondId(u64),
    /// A frame after the last.
    #[error("byte {0}: a frame came after the end (frame 0x00): open a new connection")]
    AfterEnd(u64),
    /// An unknown kind.
    #[error(
        "byte {at}: frame 0x{kind:02x} is not known: was a frame cut, or is this no AudioSocket?"
    )]
    Kind {
        /// Where.
        at: u64,
        /// As read.
        kind: u8,
    },
    /// A length that this kind never has.
    #[error("byte {at}: frame 0x{kind:02x} with {found} bytes, it has {expected}: was one cut?")]
    Length {
        /// Where.
        at: u64,
        /// The kind.
        kind: u8,
        /// As read.
        found: usize,
        /// What it has.
        expected: &'static str,
    },
    /// Sound at a rate that is not listened to.
    #[error(
        "byte {at}: sound comes at {hz} Hz: ask Asterisk for slin (8000 Hz) or slin16 (16000 Hz)"
    )]
    Rate {
        /// Where.
        at: u64,
        /// The rate.
        hz: u32,
    },
    /// Sound that begins with no whole blocks, has no whole samples, or lasts too long: most likely
    /// it is coded.
    #[error(
        "byte {at}: {found} bytes are not 20 to 200 ms of 16-bit samples at {hz} Hz{}: ask \
         Asterisk for linear samples, with format=slin in externalMedia or with /c(slin) at the \
         end of Dial(AudioSocket/…)",
        if *found == 160 { ", but 20 ms of A-law or µ-law" } else { "" }
    )]
    AudioLength {
        /// Where.
        at: u64,
        /// The rate that the frame claims.
        hz: u32,
        /// Bytes.
        found: usize,
    },
    /// A key that no telephone has.
    #[error("byte {at}: 0x{found:02x} is the sign of no key: send one of 0 to 9, A to D, * and #")]
    Key {
        /// Where.
        at: u64,
        /// As read.
        found: u8,
    },
    /// The connection ended inside a frame, or before the first.
    #[error("byte {0}: the connection ends inside a frame: was Asterisk stopped?")]
    EndsEarly(u64),
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    Open,
    /// Sound came, and so it is linear.
    Heard,
    Over,
}

/// Reads a connection in pieces of any size. Holds no more than one frame; after an error, the
/// connection is lost, and every further push gives the same error.
#[derive(Clone)]
pub struct Parser {
    held: [u8; HEAD + MAX_BYTES],
    filled: usize,
    /// Offset of `held` in the stream.
    at: u64,
    stage: Stage,
    failed: Option<AudioSocketError>,
}

impl Default for Parser {
    fn default() -> Self {
        let held = [0; HEAD + MAX_BYTES];
        Self { held, filled: 0, at: 0, stage: Stage::New, failed: None }
    }
}

/// What was said and keyed stays private.
impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, stage, failed, .. } = self;
        write!(f, "Parser(byte {at}, {stage:?}, {failed:?})")
    }
}

impl fmt::Debug for Samples<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Samples({})", self.len())
    }
}

impl Parser {
    /// Takes in the next bytes; hands out each frame that they complete. Allocates nothing.
    ///
    /// # Errors
    /// At the first frame that cannot be, as soon as its head tells; frames before it are handed
    /// out.
    pub fn push(
        &mut self,
        bytes: &[u8],
        mut frame: impl FnMut(Frame<'_>),
    ) -> Result<(), AudioSocketError> {
        self.failed.clone().map_or(Ok(()), Err)?;
        self.read(bytes, &mut frame).inspect_err(|error| self.failed = Some(error.clone()))
    }

    /// Tells whether the connection may end here.
    ///
    /// # Errors
    /// If it ends inside a frame or before the first, or failed before.
    pub fn finish(&self) -> Result<(), AudioSocketError> {
        self.failed.clone().map_or(Ok(()), Err)?;
        let is_whole = self.filled == 0 && self.stage != Stage::New;
        let end = self.at + self.filled as u64;
        if is_whole { Ok(()) } else { Err(AudioSocketError::EndsEarly(end)) }
    }

    fn read(
        &mut self,
        mut bytes: &[u8],
        frame: &mut impl FnMut(Frame<'_>),
    ) -> Result<(), AudioSocketError> {
        while !bytes.is_empty() {
            let wanted = if self.filled < HEAD { HEAD } else { HEAD + self.length() };
            let (now, later) = bytes.split_at(bytes.len().min(wanted - self.filled));
            self.held[self.filled..self.filled + now.len()].copy_from_slice(now);
            self.filled += now.len();
            bytes = later;
            if self.filled == HEAD {
                self.check_head()?;
            }
            if self.filled >= HEAD && self.filled == HEAD + self.length() {
                let read = self.frame()?;
                let stage = match read {
                    Frame::Terminate => Stage::Over,
                    Frame::Id(_) => Stage::Open,
                    Frame::Audio { samples, .. } if !samples.is_empty() => Stage::Heard,
                    _ => self.stage,
                };
                frame(read);
                self.stage = stage;
                self.at += self.filled as u64;
                self.filled = 0;
            }
        }
        Ok(())
    }

    fn length(&self) -> usize {
        usize::from(u16::from_be_bytes([self.held[1], self.held[2]]))
    }

    /// Refuses what no frame begins with, so that only what fits is ever held.
    fn check_head(&self) -> Result<(), AudioSocketError> {
        let (at, kind, found) = (self.at, self.held[0], self.length());
        match (self.stage, kind) {
            (Stage::New, ID) | (Stage::Open | Stage::Heard, _) => {}
            (Stage::New, _) => return Err(AudioSocketError::NoId(kind)),
            (Stage::Over, _) => return Err(AudioSocketError::AfterEnd(at)),
        }
        let exact = |right: bool, expected| {
            let error = AudioSocketError::Length { at, kind, found, expected };
            if right { Ok(()) } else { Err(error) }
        };
        match kind {
            END => exact(found == 0, "none"),
            ID if self.stage != Stage::New => Err(AudioSocketError::SecondId(at)),
            ID => exact(found == ID_BYTES, "16"),
            KEY => exact(found == 1, "1"),
            FAULT => exact(found <= 1, "one or none"),
            _ => {
                let rate = rate_of(kind, at)?;
                let whole = if self.stage == Stage::Heard { 2 } else { rate.block_bytes() };
                let is_whole = found.is_multiple_of(whole);
                let is_sound = is_whole && found <= MAX_BLOCKS * rate.block_bytes();
                let error = AudioSocketError::AudioLength { at, hz: rate.hz(), found };
                if is_sound { Ok(()) } else { Err(error) }
            }
        }
    }

    /// The frame that is held whole.
    fn frame(&self) -> Result<Frame<'_>, AudioSocketError> {
        let payload = &self.held[HEAD..self.filled];
        match (self.held[0], payload) {
            (END, _) => Ok(Frame::Terminate),
            (ID, _) => {
                let mut id = [0; ID_BYTES];
                id.copy_from_slice(payload);
                Ok(Frame::Id(id))
            }
            (KEY, &[found]) => {
                let error = AudioSocketError::Key { at: self.at + HEAD as u64, found };
                Digit::from_char(char::from(found)).map(Frame::Digit).ok_or(error)
            }
            (FAULT, code) => Ok(Frame::Fault(code.first().copied())),
            (kind, _) => {
                let samples = Samples(payload.as_chunks().0);
                Ok(Frame::Audio { rate: rate_of(kind, self.at)?, samples })
            }
        }
    }
}

fn rate_of(kind: u8, at: u64) -> Result<Rate, AudioSocketError> {
    let other = match kind {
        0x10 => return Ok(Rate::Hz8000),
        0x12 => return Ok(Rate::Hz16000),
        0x11 => 12_000,
        0x13 => 24_000,
        0x14 => 32_000,
        0x15 => 44_100,
        0x16 => 48_000,
        0x17 => 96_000,
        0x18 => 192_000,
        _ => return Err(AudioSocketError::Kind { at, kind }),
    };
    Err(AudioSocketError::Rate { at, hz: other })
}

/// The first frame of a connection. A server sends none.
pub fn hello(id: &[u8; ID_BYTES]) -> [u8; HEAD + ID_BYTES] {
    let mut bytes = [0; HEAD + ID_BYTES];
    bytes[..HEAD].copy_from_slice(&[ID, 0, ID_BYTES as u8]);
    bytes[HEAD..].copy_from_slice(id);
    bytes
}

/// The frame of a key. A server sends none.
pub fn key(digit: Digit) -> [u8; HEAD + 1] {
    // The signs of all keys are ASCII.
    [KEY, 0, 1, digit.as_char() as u8]
}

/// Appends `samples` in −1…1 as frames of 20 ms; silence fills the last one.
pub fn audio(rate: Rate, samples: &[f32], bytes: &mut Vec<u8>) {
    let length = rate.block_bytes();
    for block in samples.chunks(length / 2) {
        let [high, low] = (length as u16).to_be_bytes();
        bytes.extend([rate.kind(), high, low]);
        let end = bytes.len() + length;
        // A cast saturates.
        let number = |sample: &f32| ((sample * 32_768.0).round() as i16).to_le_bytes();
        bytes.extend(block.iter().flat_map(number));
        bytes.resize(end, 0);
    }
}

#[cfg(test)]
mod tests;
