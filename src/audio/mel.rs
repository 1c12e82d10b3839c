//! Log-mel features of one leg: what a small neural recogniser hears.
//!
//! 40 triangular filters, equally spaced and overlapping by half on the mel scale of HTK, mel(f) =
//! 2595 log₁₀(1 + f / 700 Hz), from 60 Hz to 3800 Hz (S. Young et al., The HTK Book, §5.6), on the
//! power spectra of [`frames`](super::frames), and the natural logarithm.
//!
//! One leg in pushes of 20 ms goes at some 19,000 × real time on a Xeon at 2.5 GHz, built for plain
//! x86-64: 150 ns a frame for the transform (rustfft, which finds AVX by itself), 170 for window
//! and powers, 175 for filters and logarithms. Tried and left: `realfft` (460 ns for the spectrum
//! alone, where ours takes 320 with its powers), two frames as the parts of one complex transform
//! (290 ns for both, no faster; a loud frame's rounding would fall on a faint one), filters on
//! plain arrays (205 ns: the compiler splits them in pairs, so `wide` holds the lanes), and a loop
//! of varying length a band (245 ns).

use wide::f32x4;

use super::frames::{BINS, Frames, RATE};

/// Filters.
pub const BANDS: usize = 40;
/// The lowest band's lower edge, in Hz: above mains hum.
pub const LOWEST_HZ: f64 = 60.0;
/// The highest band's upper edge, in Hz: below the slope of the anti-aliasing filters.
pub const HIGHEST_HZ: f64 = 3800.0;
/// The least power a band is given: its logarithm is −23.03. The smallest step of G.711 µ-law as
/// white noise makes some 4 × 10⁻⁷.
pub const FLOOR: f32 = 1e-10;

/// Log-mel features of a stream.
#[derive(Debug, Default)]
pub struct Mel {
    frames: Frames,
    bank: Filterbank,
}

impl Mel {
    /// Starts on a leg.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in `samples` in −1…1; hands out each frame that they complete, as the index of its
    /// first sample and the natural logarithm of each band's power.
    pub fn push(&mut self, samples: &[f32], mut frame: impl FnMut(u64, &[f32; BANDS])) {
        let Self { frames, bank } = self;
        frames.push(samples, |at, power| frame(at, &bank.log_mel(power)));
    }
}

const LANES: usize = 4;

/// The weights that a band gives to `N` × 4 bins, in registers' worth of lanes.
#[derive(Debug, Clone, Copy)]
struct Band<const N: usize> {
    first: usize,
    weights: [[f32; LANES]; N],
}

/// Bands by the number of registers they need; 4, 8 and 12 bins. They widen with frequency.
const NARROW: usize = 17;
const MIDDLE: usize = 13;
const WIDE: usize = BANDS - NARROW - MIDDLE;

/// The filters, for a power spectrum that others read too.
#[derive(Debug, Clone)]
pub struct Filterbank {
    narrow: [Band<1>; NARROW],
    middle: [Band<2>; MIDDLE],
    wide: [Band<3>; WIDE],
}

impl Filterbank {
    /// Plans the filters.
    pub fn new() -> Self {
        Self {
            narrow: std::array::from_fn(Band::new),
            middle: std::array::from_fn(|n| Band::new(NARROW + n)),
            wide: std::array::from_fn(|n| Band::new(NARROW + MIDDLE + n)),
        }
    }

    /// The natural logarithm of each band's power, [`FLOOR`] at least.
    pub fn log_mel(&self, power: &[f32; BINS]) -> [f32; BANDS] {
        let mut bands = [0.0; BANDS];
        let (narrow, rest) = bands.split_at_mut(NARROW);
        let (middle, wide) = rest.split_at_mut(MIDDLE);
        sum(narrow, &self.narrow, power);
        sum(middle, &self.middle, power);
        sum(wide, &self.wide, power);
        for band in &mut bands {
            *band = ln(band.max(FLOOR));
        }
        bands
    }
}

fn sum<const N: usize>(sums: &mut [f32], bands: &[Band<N>], power: &[f32; BINS]) {
    for (sum, band) in sums.iter_mut().zip(bands) {
        let bins = power[band.first..].as_chunks::<LANES>().0;
        let products = band.weights.iter().zip(&bins[..N]);
        let lanes = products.map(|(weights, bins)| f32x4::new(*weights) * f32x4::new(*bins));
        *sum = lanes.fold(f32x4::ZERO, |sum, product| sum + product).reduce_add();
    }
}

impl Default for Filterbank {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Band<N> {
    fn new(n: usize) -> Self {
        let [low, middle, high] = [n, n + 1, n + 2].map(edge);
        let width = f64::from(RATE) / (2.0 * (BINS - 1) as f64);
        let first = ((low / width) as usize + 1).min(BINS - N * LANES);
        let weight = |bin: usize| {
            let hz = bin as f64 * width;
            ((hz - low) / (middle - low)).min((high - hz) / (high - middle)).max(0.0) as f32
        };
        let weights = std::array::from_fn(|block| {
            std::array::from_fn(|lane| weight(first + block * LANES + lane))
        });
        Self { first, weights }
    }
}

/// The lower edge of band `n`, which is the middle of the band below and the upper edge of the one
/// below that, in Hz.
fn edge(n: usize) -> f64 {
    let (lowest, highest) = (mel(LOWEST_HZ), mel(HIGHEST_HZ));
    hertz(lowest + (highest - lowest) * n as f64 / (BANDS + 1) as f64)
}

fn mel(hz: f64) -> f64 {
    2595.0 * (1.0 + hz / 700.0).log10()
}

fn hertz(mel: f64) -> f64 {
    700.0 * (10_f64.powf(mel / 2595.0) - 1.0)
}

/// The natural logarithm of a positive, normal number, within 2 × 10⁻⁶.
///
/// x = 2ᵉ m with m in √½…√2, and ln m = 2 artanh((m − 1) / (m + 1)), whose series is cut where its
/// rest is below 10⁻⁷. Without branches, so that four go through at a time.
pub(super) fn ln(x: f32) -> f32 {
    const SQRT_HALF: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();
    let above = x.to_bits().wrapping_sub(SQRT_HALF) as i32;
    let exponent = above >> 23;
    let mantissa = f32::from_bits((above as u32 & 0x007F_FFFF) + SQRT_HALF);
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let series = 2.0 + square * (2.0 / 3.0 + square * (0.4 + square * (2.0 / 7.0)));
    exponent as f32 * std::f32::consts::LN_2 + s * series
}

#[cfg(test)]
mod tests;
