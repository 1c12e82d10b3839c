//! The header of a RIFF/WAVE file: how the audio is coded, and where it lies.
//!
//! `hound` walks this header too, but refuses what telephone exchanges write: A-law and µ-law,
//! odd-sized chunks with their padding byte, and the unfinished lengths of a recording that was
//! streamed. So the walk is done here and only single samples are decoded by `hound`.
//!
//! Sources: IBM/Microsoft "Multimedia Programming Interface and Data Specifications 1.0" (RIFF,
//! `WAVE`), RFC 2361 (format tags), Microsoft `mmreg.h` (`WAVEFORMATEXTENSIBLE`).

use std::io::{self, Read};

/// Linear integer samples: unsigned at 8 bits, signed above.
pub const TAG_PCM: u16 = 0x0001;
/// IEEE 754 floating point samples.
pub const TAG_FLOAT: u16 = 0x0003;
/// ITU-T G.711 A-law.
pub const TAG_ALAW: u16 = 0x0006;
/// ITU-T G.711 µ-law.
pub const TAG_ULAW: u16 = 0x0007;
/// The true tag is in the sub-format.
const TAG_EXTENSIBLE: u16 = 0xFFFE;

/// Everything before the audio must fit in this many bytes, so that a hostile file cannot keep the
/// reader skipping. Broadcast metadata and cover pictures stay well below it.
const MAX_HEADER_BYTES: u64 = 16 << 20;
/// The part of a `fmt ` chunk that is understood, `WAVEFORMATEXTENSIBLE` included.
const FORMAT_BYTES: usize = 40;
/// The last twelve bytes of every sub-format that only wraps a plain tag
/// (`0000-0010-8000-00AA00389B71`, after the four bytes of the tag).
const SUB_FORMAT_TAIL: [u8; 12] =
    [0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71];

/// Why a header cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    /// The first four bytes are not `RIFF`.
    #[error("does not begin with a RIFF header")]
    NotRiff,
    /// A RIFF file of another kind, such as AVI.
    #[error("is a RIFF file of another kind than WAVE")]
    NotWave,
    /// The 64-bit variants, or the big-endian one.
    #[error("is of the variant {0}, and only plain RIFF is read")]
    Variant(&'static str),
    /// The `data` chunk comes before any `fmt ` chunk.
    #[error("has no `fmt ` chunk before its `data` chunk")]
    NoFormat,
    /// The `fmt ` chunk lacks required fields.
    #[error("has a `fmt ` chunk of {0} bytes, which is too short")]
    ShortFormat(u32),
    /// The file ended between two chunks, with no `data` chunk among them.
    #[error("has no `data` chunk")]
    NoData,
    /// The file ended inside a chunk of the header.
    #[error("ends inside its header, at byte {0}")]
    EndsEarly(u64),
    /// More than 16 MiB before the `data` chunk.
    #[error("has no `data` chunk within its first 16 MiB")]
    LongHeader,
    /// The source failed.
    #[error("{0}")]
    Read(#[from] io::Error),
}

/// How the samples are coded, from the `fmt ` chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// The format tag (RFC 2361); for `WAVEFORMATEXTENSIBLE` the tag inside the sub-format, or
    /// 0xFFFE if that wraps none.
    pub tag: u16,
    /// Interleaved channels, not checked.
    pub channels: u16,
    /// Samples a second and channel, not checked.
    pub rate_hz: u32,
    /// Bytes of one sample of all channels, or of one block of a compressing codec; 0 in the
    /// files of careless writers.
    pub block_bytes: u16,
    /// Bits of one sample of one channel; 0 for compressing codecs.
    pub bits: u16,
}

impl Format {
    /// Bytes that one sample of one channel takes up, which may be more than its bits need.
    ///
    /// `None` if the fields contradict each other.
    pub fn sample_bytes(&self) -> Option<u16> {
        let needed = self.bits.div_ceil(8);
        match self.block_bytes {
            0 => (needed > 0).then_some(needed),
            block if self.channels > 0 && block % self.channels == 0 => {
                Some(block / self.channels).filter(|&bytes| bytes > 0 && bytes >= needed)
            }
            _ => None,
        }
    }
}

/// What [`parse_header`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// How the samples are coded.
    pub format: Format,
    /// Where the audio begins, in bytes from the start of the file.
    pub data_offset: u64,
    /// Bytes of audio that the header announces; `None` for a recording that was streamed, whose
    /// audio goes on until the end of the file.
    pub data_bytes: Option<u64>,
}

/// Reads a header up to the first byte of audio, and leaves `source` there.
///
/// # Errors
///
/// [`WavError`] if the bytes are no WAVE header, or the source fails.
pub fn parse_header(source: impl Read) -> Result<Header, WavError> {
    let mut walker = Walker { source, at: 0 };
    let riff_bytes = walker.riff()?;
    let mut format = None;
    loop {
        let (kind, bytes) = walker.chunk()?;
        match &kind {
            b"fmt " => format = Some(walker.format(bytes)?),
            b"data" => {
                let format = format.ok_or(WavError::NoFormat)?;
                let data_bytes = announced(bytes, riff_bytes, walker.at, format.block_bytes);
                return Ok(Header { format, data_offset: walker.at, data_bytes });
            }
            _ => walker.skip(padded(bytes))?,
        }
    }
}

/// The length of a chunk with its padding: chunks begin at even offsets.
fn padded(bytes: u32) -> u64 {
    u64::from(bytes) + u64::from(bytes % 2)
}

/// The audio's length, unless it is one of the stand-ins of writers that could not seek back.
fn announced(bytes: u32, riff_bytes: u32, data_offset: u64, block_bytes: u16) -> Option<u64> {
    /// 0xFFFFFFFF from ffmpeg, less the header from others.
    const UNKNOWN: u32 = 0xFFFF_FF00;
    /// `MS_UNSPEC` of sox, rounded down to whole blocks.
    const UNKNOWN_SOX: u32 = 0x7FFF_F000;

    let sox = UNKNOWN_SOX - u32::from(block_bytes)..=UNKNOWN_SOX;
    // An unfinished header counts no bytes behind itself. One that does belongs to a finished
    // file, in which an empty chunk is empty and only metadata follows.
    let finished = riff_bytes < UNKNOWN && u64::from(riff_bytes) + 8 > data_offset;
    let unknown = bytes >= UNKNOWN || sox.contains(&bytes) || (bytes == 0 && !finished);
    (!unknown).then_some(u64::from(bytes))
}

/// A source, and how far it has been read.
struct Walker<R> {
    source: R,
    at: u64,
}

impl<R: Read> Walker<R> {
    /// Fills `bytes` as far as the source goes; returns how far that was.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<usize, WavError> {
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.source.read(rest) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.at += filled as u64;
        Ok(filled)
    }

    /// The first twelve bytes; returns the length that the file claims for itself, less eight.
    fn riff(&mut self) -> Result<u32, WavError> {
        let mut head = [0; 12];
        let filled = self.fill(&mut head)?;
        match &head[..4] {
            b"RIFF" if filled == head.len() => {}
            b"RIFF" => return Err(WavError::EndsEarly(self.at)),
            b"RF64" => return Err(WavError::Variant("RF64")),
            b"BW64" => return Err(WavError::Variant("BW64")),
            b"RIFX" => return Err(WavError::Variant("RIFX")),
            _ => return Err(WavError::NotRiff),
        }
        if head[8..] != *b"WAVE" {
            return Err(WavError::NotWave);
        }
        Ok(u32_at(&head, 4))
    }

    /// The kind and length of the next chunk.
    fn chunk(&mut self) -> Result<([u8; 4], u32), WavError> {
        if self.at > MAX_HEADER_BYTES {
            return Err(WavError::LongHeader);
        }
        let mut head = [0; 8];
        match self.fill(&mut head)? {
            // A single byte is the padding of the chunk before.
            0 | 1 => Err(WavError::NoData),
            8 => Ok(([head[0], head[1], head[2], head[3]], u32_at(&head, 4))),
            _ => Err(WavError::EndsEarly(self.at)),
        }
    }

    /// The body of a `fmt ` chunk that is `bytes` long.
    fn format(&mut self, bytes: u32) -> Result<Format, WavError> {
        if bytes < 16 {
            return Err(WavError::ShortFormat(bytes));
        }
        let mut body = [0; FORMAT_BYTES];
        let known = FORMAT_BYTES.min(bytes as usize);
        if self.fill(&mut body[..known])? < known {
            return Err(WavError::EndsEarly(self.at));
        }
        self.skip(padded(bytes) - known as u64)?;
        let wraps_tag = known == FORMAT_BYTES && body[28..] == SUB_FORMAT_TAIL;
        Ok(Format {
            tag: match u16_at(&body, 0) {
                TAG_EXTENSIBLE if wraps_tag && u16_at(&body, 26) == 0 => u16_at(&body, 24),
                tag => tag,
            },
            channels: u16_at(&body, 2),
            rate_hz: u32_at(&body, 4),
            block_bytes: u16_at(&body, 12),
            bits: u16_at(&body, 14),
        })
    }

    /// Passes over `bytes`.
    fn skip(&mut self, bytes: u64) -> Result<(), WavError> {
        if self.at + bytes > MAX_HEADER_BYTES {
            return Err(WavError::LongHeader);
        }
        let skipped = io::copy(&mut self.source.by_ref().take(bytes), &mut io::sink())?;
        self.at += skipped;
        // The padding byte of the very last chunk is often left out; the missing `data` chunk is
        // then the better complaint.
        if skipped + 1 < bytes { Err(WavError::EndsEarly(self.at)) } else { Ok(()) }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let mut bytes = kind.to_vec();
        bytes.extend((body.len() as u32).to_le_bytes());
        bytes.extend(body);
        bytes.resize(bytes.len() + body.len() % 2, 0);
        bytes
    }

    fn fmt(tag: u16, channels: u16, rate: u32, block: u16, bits: u16) -> Vec<u8> {
        let mut body = Vec::new();
        body.extend(tag.to_le_bytes());
        body.extend(channels.to_le_bytes());
        body.extend(rate.to_le_bytes());
        body.extend((rate * u32::from(block)).to_le_bytes());
        body.extend(block.to_le_bytes());
        body.extend(bits.to_le_bytes());
        body
    }

    fn riff(claimed: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = b"RIFF".to_vec();
        bytes.extend(claimed.to_le_bytes());
        bytes.extend(b"WAVE");
        bytes.extend(chunks.concat());
        bytes
    }

    /// A `data` chunk whose header says `claimed`, whatever follows.
    fn data(claimed: u32, body: &[u8]) -> Vec<u8> {
        [&b"data"[..], &claimed.to_le_bytes(), body].concat()
    }

    #[test]
    fn finds_alaw_behind_fact_and_odd_list_chunks() {
        let mut alaw = fmt(TAG_ALAW, 1, 8000, 1, 8);
        alaw.extend([0, 0]);
        let bytes = riff(
            90,
            &[
                chunk(b"LIST", b"INFOodd"),
                chunk(b"fmt ", &alaw),
                chunk(b"fact", &[3, 0, 0, 0]),
                chunk(b"data", &[1, 2, 3]),
            ],
        );
        let header = parse_header(&bytes[..]).unwrap();
        assert_eq!(header.format.tag, TAG_ALAW);
        assert_eq!(header.format.sample_bytes(), Some(1));
        assert_eq!(header.data_bytes, Some(3));
        assert_eq!(bytes[header.data_offset as usize..][..3], [1, 2, 3]);
    }

    #[test]
    fn extensible_format_yields_the_tag_of_its_sub_format() {
        let mut body = fmt(TAG_EXTENSIBLE, 2, 16000, 6, 24);
        body.extend([22, 0, 24, 0, 3, 0, 0, 0]);
        body.extend([TAG_PCM as u8, 0, 0, 0]);
        body.extend(SUB_FORMAT_TAIL);
        assert_eq!(body.len(), 40);
        let bytes = riff(0, &[chunk(b"fmt ", &body), chunk(b"data", &[0; 6])]);
        let header = parse_header(&bytes[..]).unwrap();
        assert_eq!(header.format.tag, TAG_PCM);
        assert_eq!(header.format.sample_bytes(), Some(3));

        body[39] = 0;
        let bytes = riff(0, &[chunk(b"fmt ", &body), chunk(b"data", &[0; 6])]);
        assert_eq!(parse_header(&bytes[..]).unwrap().format.tag, TAG_EXTENSIBLE);
    }

    #[test]
    fn streamed_lengths_mean_until_the_end_of_the_file() {
        let format = chunk(b"fmt ", &fmt(TAG_PCM, 2, 8000, 4, 16));
        let length = |riff_bytes, data_bytes| {
            let bytes = riff(riff_bytes, &[format.clone(), data(data_bytes, &[0; 8])]);
            parse_header(&bytes[..]).unwrap().data_bytes
        };
        assert_eq!(length(u32::MAX, u32::MAX), None, "ffmpeg");
        assert_eq!(length(0x7FFF_F024, 0x7FFF_F000), None, "sox");
        assert_eq!(length(0, 0), None, "never finished");
        assert_eq!(length(36, 0), None, "never finished");
        assert_eq!(length(44, 0), Some(0), "finished, with metadata behind");
        assert_eq!(length(44, 8), Some(8));
    }

    #[test]
    fn errors_name_what_is_wrong() {
        let format = chunk(b"fmt ", &fmt(TAG_PCM, 1, 8000, 2, 16));
        let fails = |bytes: &[u8]| parse_header(bytes).unwrap_err().to_string();
        assert_eq!(fails(b""), "does not begin with a RIFF header");
        assert_eq!(fails(b"ID3\x04 an mp3 file"), "does not begin with a RIFF header");
        assert_eq!(fails(b"RIFF\0\0\0\0AVI "), "is a RIFF file of another kind than WAVE");
        assert!(fails(b"RF64\xff\xff\xff\xffWAVE").contains("RF64"));
        assert_eq!(fails(b"RIFF\0\0"), "ends inside its header, at byte 6");
        assert_eq!(fails(&riff(0, &[])), "has no `data` chunk");
        assert_eq!(fails(&riff(0, &[data(0, &[])])), "has no `fmt ` chunk before its `data` chunk");
        let short = riff(0, &[chunk(b"fmt ", &[0; 14])]);
        assert_eq!(fails(&short), "has a `fmt ` chunk of 14 bytes, which is too short");
        let cut = riff(0, &[format]);
        assert_eq!(fails(&cut[..30]), "ends inside its header, at byte 30");
        let endless = riff(0, &[[&b"JUNK"[..], &u32::MAX.to_le_bytes()].concat()]);
        assert_eq!(fails(&endless), "has no `data` chunk within its first 16 MiB");
    }

    #[test]
    fn contradictory_sample_sizes_are_refused() {
        let of = |channels, block_bytes, bits| {
            Format { tag: TAG_PCM, channels, rate_hz: 8000, block_bytes, bits }.sample_bytes()
        };
        assert_eq!(of(2, 4, 16), Some(2));
        assert_eq!(of(2, 8, 24), Some(4));
        assert_eq!(of(1, 0, 16), Some(2));
        assert_eq!(of(2, 3, 16), None);
        assert_eq!(of(1, 1, 16), None);
        assert_eq!(of(0, 2, 16), None);
        assert_eq!(of(1, 0, 0), None);
        assert_eq!(of(u16::MAX, 1, u16::MAX), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_header(&bytes[..]);
            let _ = parse_header(&riff(0, std::slice::from_ref(&bytes))[..]);
        }

        #[test]
        fn arbitrary_formats_never_panic(
            body in proptest::collection::vec(any::<u8>(), 0..60),
            claimed in any::<u32>(),
        ) {
            let bytes = riff(claimed, &[chunk(b"fmt ", &body), data(claimed, &[])]);
            if let Ok(header) = parse_header(&bytes[..]) {
                let _ = header.format.sample_bytes();
            }
        }

        #[test]
        fn data_is_found_behind_any_chunks(
            before in proptest::collection::vec(
                (proptest::array::uniform4(b'A'..=b'Z'),
                 proptest::collection::vec(any::<u8>(), 0..50)), 0..5),
            audio in proptest::collection::vec(any::<u8>(), 1..20),
        ) {
            let mut chunks: Vec<_> = before.iter().map(|(kind, body)| chunk(kind, body)).collect();
            chunks.push(chunk(b"fmt ", &fmt(TAG_ULAW, 1, 8000, 1, 8)));
            chunks.push(chunk(b"data", &audio));
            chunks.push(chunk(b"LIST", b"INFO"));
            let bytes = riff(1 << 20, &chunks);
            let mut source = &bytes[..];
            let header = parse_header(&mut source).unwrap();
            prop_assert_eq!(header.data_bytes, Some(audio.len() as u64));
            prop_assert!(bytes[header.data_offset as usize..].starts_with(&audio));
            prop_assert!(source.starts_with(&audio), "the source is left at the audio");
        }
    }
}
