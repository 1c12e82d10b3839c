//! The codings of samples that a recording may have, and how they become numbers.

use hound::{Sample, SampleFormat};

use super::g711::Law;

/// How one sample of one channel is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Linear, little-endian; unsigned at 8 bits, signed above. `bytes` may hold more than `bits`,
    /// which then stand in the lower ones (`arecord -f S24_LE`).
    Linear {
        /// Bits of a sample: 8, 16, 24 or 32.
        bits: u16,
        /// Bytes that a sample takes up.
        bytes: u16,
    },
    /// IEEE 754, 32 bits, little-endian, nominally in −1…1.
    Float,
    /// ITU-T G.711.
    G711(Law),
}

impl Coding {
    /// Linear samples of `bits` in `bytes` each; `None` for a combination that is not read.
    pub fn linear(bits: u16, bytes: u16) -> Option<Self> {
        matches!((bits, bytes), (8, 1) | (16, 2) | (24, 3 | 4) | (32, 4))
            .then_some(Self::Linear { bits, bytes })
    }

    /// Bytes that one sample of one channel takes up.
    pub const fn sample_bytes(self) -> usize {
        match self {
            Self::Linear { bytes, .. } => bytes as usize,
            Self::Float => 4,
            Self::G711(_) => 1,
        }
    }

    /// Appends one sample in −1…1 for every sample in `bytes`; an incomplete one at the end is
    /// left out. Allocates only if `samples` must grow.
    ///
    /// Floating point samples beyond full scale are clamped to it, and what is not a number is
    /// silence: a damaged file must not stop the listening.
    pub fn decode(self, bytes: &[u8], samples: &mut Vec<f32>) {
        let each = bytes.chunks_exact(self.sample_bytes());
        // The depth is a constant in each arm, so that nothing is left to choose for a sample.
        match self {
            Self::Linear { bits: 8, .. } => samples.extend(each.map(linear::<8, 1>)),
            Self::Linear { bits: 16, .. } => samples.extend(each.map(linear::<16, 2>)),
            Self::Linear { bits: 24, bytes: 3 } => samples.extend(each.map(linear::<24, 3>)),
            Self::Linear { bits: 24, .. } => samples.extend(each.map(linear::<24, 4>)),
            Self::Linear { .. } => samples.extend(each.map(linear::<32, 4>)),
            Self::Float => samples.extend(each.map(float)),
            Self::G711(law) => law.decode(bytes, samples),
        }
    }
}

/// One linear sample. `hound` fails only on combinations that [`Coding::linear`] refuses.
fn linear<const BITS: u16, const BYTES: u16>(mut sample: &[u8]) -> f32 {
    let whole = i32::read(&mut sample, SampleFormat::Int, BYTES, BITS).unwrap_or(0);
    whole as f32 / (1_u32 << (BITS - 1)) as f32
}

/// One floating point sample.
fn float(mut sample: &[u8]) -> f32 {
    let value = f32::read(&mut sample, SampleFormat::Float, 4, 32).unwrap_or(0.0);
    if value.is_finite() { value.clamp(-1.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(coding: Coding, bytes: &[u8]) -> Vec<f32> {
        let mut samples = Vec::new();
        coding.decode(bytes, &mut samples);
        samples
    }

    #[test]
    fn full_scale_and_zero_at_every_depth() {
        let linear = |bits, bytes| Coding::linear(bits, bytes).unwrap();
        assert_eq!(decoded(linear(8, 1), &[0, 128, 192]), [-1.0, 0.0, 0.5]);
        assert_eq!(decoded(linear(16, 2), &[0, 0x80, 0, 0, 0, 0x40]), [-1.0, 0.0, 0.5]);
        assert_eq!(decoded(linear(24, 3), &[0, 0, 0x80, 0, 0, 0x40]), [-1.0, 0.5]);
        assert_eq!(decoded(linear(24, 4), &[0, 0, 0x80, 0xFF, 0, 0, 0x40, 0]), [-1.0, 0.5]);
        assert_eq!(decoded(linear(32, 4), &[0, 0, 0, 0x80, 0, 0, 0, 0x40]), [-1.0, 0.5]);
    }

    #[test]
    fn floats_are_made_safe() {
        let values = [0.25, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 7.0, -1.5];
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(decoded(Coding::Float, &bytes), [0.25, 0.0, 0.0, 0.0, 1.0, -1.0]);
    }

    #[test]
    fn depths_that_nobody_writes_are_refused() {
        for (bits, bytes) in [(0, 0), (0, 1), (12, 2), (20, 3), (16, 4), (64, 8), (8, 2)] {
            assert_eq!(Coding::linear(bits, bytes), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_become_samples_in_range(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            coding in proptest::sample::select(&[
                Coding::Linear { bits: 8, bytes: 1 },
                Coding::Linear { bits: 16, bytes: 2 },
                Coding::Linear { bits: 24, bytes: 3 },
                Coding::Linear { bits: 24, bytes: 4 },
                Coding::Linear { bits: 32, bytes: 4 },
                Coding::Float,
                Coding::G711(Law::Alaw),
                Coding::G711(Law::Ulaw),
            ][..]),
        ) {
            let samples = decoded(coding, &bytes);
            prop_assert_eq!(samples.len(), bytes.len() / coding.sample_bytes());
            prop_assert!(samples.iter().all(|x| (-1.0..=1.0).contains(x)));
        }
    }
}
