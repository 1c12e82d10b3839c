//! What sounds in one frame: one or two tones of an exchange or a modem, or anything else.

use std::ops::Range;

use crate::audio::spectrum::{BIN_HZ, BINS};

/// The bins of 187–3422 Hz, in which the tones must dominate. Hum lies below.
const BAND: Range<usize> = 12..220;
/// Bins summed side by side; divides the band.
const LANES: usize = 8;
/// The bins of 297–656 Hz, where all pairs lie.
const PAIRS: Range<usize> = 19..43;
/// Share of the band's power that the tones must have: 7.5 dB above the rest.
const DOMINANCE: f32 = 0.85;
/// Share of the band's power in the highest bin, below which the tones cannot have the share above.
/// The highest bin has 0.48 of a tone that lies half-way between bins; two such tones of the same
/// level leave 0.48 × 0.85 ÷ 2 = 0.204.
const PEAK: f32 = 0.18;
/// Full-scale tones at −45 dBFS, as mean square.
pub(super) const LEAST_POWER: f32 = 0.5 * 3.162_277_7e-5;
/// Highest ratio of the highest bins of a pair. It is 6 dB of twist, and 1 dB for a tone that lies
/// between bins.
const MOST_TWIST: f32 = 5.0;
/// Bins to each side of the highest, which hold a tone's power.
const LOBE: usize = 2;

/// The frequencies that sound, named by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sound {
    F400,
    F425,
    F350And440,
    F400And450,
    F440And480,
    F480And620,
    F950,
    F1100,
    F1400,
    F1800,
    F2100,
    F2225,
}

/// Single tones: the frequency and its tolerance in Hz.
///
/// 1100 Hz as ITU-T T.30 has it, special information tones as ITU-T E.180. The others have 1.75 %:
/// the notes G4 and G♯4, 392 and 415 Hz, are 2.0 and 2.3 % from 400 and 425 Hz.
const SINGLE: [(Sound, f32, f32); 8] = [
    (Sound::F400, 400.0, 7.0),
    (Sound::F425, 425.0, 7.5),
    (Sound::F950, 950.0, 50.0),
    (Sound::F1100, 1100.0, 38.0),
    (Sound::F1400, 1400.0, 50.0),
    (Sound::F1800, 1800.0, 50.0),
    (Sound::F2100, 2100.0, 37.0),
    (Sound::F2225, 2225.0, 39.0),
];
/// Pairs of tones: the frequencies in Hz.
const PAIR: [(Sound, f32, f32); 4] = [
    (Sound::F350And440, 350.0, 440.0),
    (Sound::F400And450, 400.0, 450.0),
    (Sound::F440And480, 440.0, 480.0),
    (Sound::F480And620, 480.0, 620.0),
];
/// Tolerance of each frequency of a pair.
const PAIR_TOLERANCE: f32 = 0.02;

/// What a frame holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    /// The tones, if they dominate.
    pub sound: Option<Sound>,
    /// Power in the telephone band, as mean square.
    pub band: f32,
}

impl Heard {
    /// A frame that holds next to nothing.
    pub const SILENCE: Self = Self { sound: None, band: 0.0 };

    /// Reads a frame's spectrum.
    pub fn new(power: &[f32; BINS]) -> Self {
        let (band, top) = sum_and_top(&power[BAND]);
        // Written so that a NaN fails.
        let may_be_tone = band >= LEAST_POWER && top >= PEAK * band;
        let sound = if may_be_tone { sound(power, band, top) } else { None };
        Self { sound, band }
    }
}

/// The sum and the highest of the bins.
fn sum_and_top(bins: &[f32]) -> (f32, f32) {
    let (mut sums, mut tops) = ([0.0_f32; LANES], [0.0_f32; LANES]);
    for part in bins.chunks_exact(LANES) {
        for ((sum, top), &bin) in sums.iter_mut().zip(&mut tops).zip(part) {
            *sum += bin;
            *top = if bin > *top { bin } else { *top };
        }
    }
    (sums.iter().sum(), tops.iter().copied().fold(0.0, f32::max))
}

/// The tones in a band whose highest bin has the power `top`.
fn sound(power: &[f32; BINS], band: f32, top: f32) -> Option<Sound> {
    let first = BAND.start + power[BAND].iter().position(|&bin| bin == top)?;
    let second = PAIRS
        .filter(|&bin| bin.abs_diff(first) > 1 && is_peak(power, bin))
        .max_by(|&a, &b| power[a].total_cmp(&power[b]))
        .filter(|&bin| power[bin] * MOST_TWIST >= top);
    let (sound, share) = match second {
        None => (single(frequency(power, first))?, lobes(power, first, first)),
        Some(second) => {
            let (low, high) = (first.min(second), first.max(second));
            (pair(frequency(power, low), frequency(power, high))?, lobes(power, low, high))
        }
    };
    (share >= DOMINANCE * band).then_some(sound)
}

fn single(hz: f32) -> Option<Sound> {
    let is_near = |known: &&(Sound, f32, f32)| (hz - known.1).abs() <= known.2;
    SINGLE.iter().find(is_near).map(|known| known.0)
}

fn pair(low: f32, high: f32) -> Option<Sound> {
    let is_near = |hz: f32, nominal: f32| (hz - nominal).abs() <= PAIR_TOLERANCE * nominal;
    let known = PAIR.iter().find(|known| is_near(low, known.1) && is_near(high, known.2));
    known.map(|known| known.0)
}

fn is_peak(power: &[f32; BINS], bin: usize) -> bool {
    power[bin] > power[bin - 1] && power[bin] > power[bin + 1]
}

/// The power of the tones whose highest bins these are, both the same for one tone.
fn lobes(power: &[f32; BINS], low: usize, high: usize) -> f32 {
    let below = power[low - LOBE..=low + LOBE].iter().sum::<f32>();
    // Where the two overlap, a bin counts once.
    below + power[(high - LOBE).max(low + LOBE + 1)..=high + LOBE].iter().sum::<f32>()
}

/// The frequency in Hz of the tone whose highest bin this is.
///
/// Exact for one tone under a Hann window: next to the highest bin the amplitude falls to
/// (1 + δ) ÷ (2 − δ) of it, where δ is the tone's way towards that neighbour, in bins.
fn frequency(power: &[f32; BINS], bin: usize) -> f32 {
    let (below, above) = (power[bin - 1], power[bin + 1]);
    let ratio = (below.max(above) / power[bin]).sqrt();
    let way = (2.0 * ratio - 1.0) / (1.0 + ratio);
    BIN_HZ * (bin as f32 + if above > below { way } else { -way })
}
