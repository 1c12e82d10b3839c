//! Finds the two tones of a key in a short segment of audio.
//!
//! The segment is folded about its middle: into an even part, which sees only cosines, and an odd
//! part, which sees only sines. That halves the multiplications, and makes of the least-squares fit
//! of two tones two fits with one number a tone. The fit matters: 8 ms are too short to keep 941
//! and 1209 Hz apart, so that bare correlations are off by 3 dB; the fit is exact.

use std::f64::consts::TAU;
use std::sync::LazyLock;

use rustfft::num_complex::Complex;

/// Samples of a segment: 8 ms at 8 kHz.
pub(super) const SEGMENT: usize = 64;
const HALF: usize = SEGMENT / 2;

/// The low group in Hz, a row of the keypad each, and the high group, a column each (ITU-T Q.23).
pub(super) const LOW: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
pub(super) const HIGH: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];

/// Least energy of a segment: that of two tones of −46 dBm0 each, 1 dB below those
/// that are promised.
const LEAST_ENERGY: f32 = SEGMENT as f32 * 1.22e-5;
/// Least share of a segment's energy that the two tones must have: what a dial tone as loud as they
/// are leaves. A run of segments must have more, or a dial tone that explains the rest.
const LEAST_SHARE: f32 = 0.4;
/// Least share, as correlated, of the high tone alone: 8 dB below the low tone it has 0.14, and
/// the low tone may hide 60 % of that. Most of speech has less, and goes no further.
const LEAST_HIGH: f32 = 0.045;

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);

/// What never changes, shared by all receivers.
pub(super) struct Tables {
    low: Group,
    high: Group,
    /// The fits to the even and the odd part, by row and column.
    even: [[Inverse; 4]; 4],
    odd: [[Inverse; 4]; 4],
}

/// The four tones of a group: cos and sin of ω(*k* + ½), from the middle of the segment outwards.
struct Group {
    cos: [[f32; 4]; HALF],
    sin: [[f32; 4]; HALF],
}

/// The inverse of the symmetric 2 × 2 matrix of the inner products of two tones.
struct Inverse {
    low: f32,
    both: f32,
    high: f32,
}

/// A key's place on the keypad.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) row: usize,
    pub(super) column: usize,
}

/// The two tones of a key as they are in a segment.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub(super) place: Place,
    /// Complex amplitudes; the phase is that in the middle of the segment.
    pub(super) low: Complex<f32>,
    pub(super) high: Complex<f32>,
    /// The sum of the squares of the two tones, and that of the whole segment.
    pub(super) fitted: f32,
    pub(super) energy: f32,
}

impl Pair {
    pub(super) fn power(&self) -> f32 {
        self.low.norm_sqr() + self.high.norm_sqr()
    }
}

impl Tables {
    pub(super) fn shared() -> &'static Self {
        &TABLES
    }

    fn new() -> Self {
        let (low, high) = (Group::new(LOW), Group::new(HIGH));
        let inverses = |low: &[[f32; 4]; HALF], high: &[[f32; 4]; HALF]| {
            let inverse = |row: usize, column: usize| {
                Inverse::new(low.map(|tones| tones[row]), high.map(|tones| tones[column]))
            };
            std::array::from_fn(|row| std::array::from_fn(|column| inverse(row, column)))
        };
        let (even, odd) = (inverses(&low.cos, &high.cos), inverses(&low.sin, &high.sin));
        Self { low, high, even, odd }
    }

    /// The key whose tones a segment holds, if they make up enough of it.
    pub(super) fn find(&self, segment: &[f32; SEGMENT]) -> Option<Pair> {
        let energy = energy(segment);
        if energy < LEAST_ENERGY {
            return None;
        }
        let folded = Folded::new(segment);
        let high = self.high.correlate(&folded);
        let (column, power) = high.strongest();
        if power < LEAST_HIGH * energy * HALF as f32 {
            return None;
        }
        let low = self.low.correlate(&folded);
        let place = Place { row: low.strongest().0, column };
        let pair = self.solve(place, &low, &high, energy);
        (pair.fitted >= LEAST_SHARE * energy).then_some(pair)
    }

    /// The tones of a given key, however little there is of them.
    pub(super) fn fit(&self, place: Place, segment: &[f32; SEGMENT]) -> Pair {
        let folded = Folded::new(segment);
        let (low, high) = (self.low.correlate(&folded), self.high.correlate(&folded));
        self.solve(place, &low, &high, energy(segment))
    }

    fn solve(&self, place: Place, low: &Products, high: &Products, energy: f32) -> Pair {
        let Place { row, column } = place;
        let cos = (low.cos[row], high.cos[column]);
        let sin = (low.sin[row], high.sin[column]);
        let a = self.even[row][column].solve(cos);
        let b = self.odd[row][column].solve(sin);
        let fitted = a.0 * cos.0 + a.1 * cos.1 + b.0 * sin.0 + b.1 * sin.1;
        let (low, high) = (Complex::new(a.0, -b.0), Complex::new(a.1, -b.1));
        Pair { place, low, high, fitted, energy }
    }
}

/// The sum of the squares; sixteen sums, so that the compiler makes vectors of them.
fn energy(segment: &[f32; SEGMENT]) -> f32 {
    let mut sums = [0.0; 16];
    for samples in segment.as_chunks::<16>().0 {
        for (sum, sample) in sums.iter_mut().zip(samples) {
            *sum += sample * sample;
        }
    }
    let quarters: [f32; 4] =
        std::array::from_fn(|n| (sums[n] + sums[n + 4]) + (sums[n + 8] + sums[n + 12]));
    quarters.iter().sum()
}

/// A segment folded about its middle, from there outwards.
struct Folded {
    even: [f32; HALF],
    odd: [f32; HALF],
}

impl Folded {
    fn new(segment: &[f32; SEGMENT]) -> Self {
        let (mut even, mut odd) = ([0.0; HALF], [0.0; HALF]);
        for k in 0..HALF {
            let (before, after) = (segment[HALF - 1 - k], segment[HALF + k]);
            even[k] = after + before;
            odd[k] = after - before;
        }
        Self { even, odd }
    }
}

impl Group {
    fn new(hz: [f64; 4]) -> Self {
        let angle = |k: usize, hz: f64| TAU * hz / 8000.0 * (k as f64 + 0.5);
        let cos = std::array::from_fn(|k| hz.map(|hz| angle(k, hz).cos() as f32));
        let sin = std::array::from_fn(|k| hz.map(|hz| angle(k, hz).sin() as f32));
        Self { cos, sin }
    }

    fn correlate(&self, folded: &Folded) -> Products {
        Products { cos: products(&folded.even, &self.cos), sin: products(&folded.odd, &self.sin) }
    }
}

/// The inner products of four tones with `part`. Four sums a tone, because one addition would have
/// to wait for the one before.
fn products(part: &[f32; HALF], tones: &[[f32; 4]; HALF]) -> [f32; 4] {
    let mut sums = [[0.0; 4]; 4];
    for (samples, tones) in part.as_chunks::<4>().0.iter().zip(tones.as_chunks::<4>().0) {
        for (sum, (sample, tones)) in sums.iter_mut().zip(samples.iter().zip(tones)) {
            *sum = std::array::from_fn(|tone| sum[tone] + sample * tones[tone]);
        }
    }
    let [a, b, c, d] = sums;
    std::array::from_fn(|tone| (a[tone] + b[tone]) + (c[tone] + d[tone]))
}

/// A segment's inner products with the tones of a group.
struct Products {
    cos: [f32; 4],
    sin: [f32; 4],
}

impl Products {
    /// The strongest tone, and the square of its product.
    fn strongest(&self) -> (usize, f32) {
        let mut best = (0, 0.0);
        for (tone, (cos, sin)) in self.cos.iter().zip(&self.sin).enumerate() {
            let power = cos * cos + sin * sin;
            best = if power > best.1 { (tone, power) } else { best };
        }
        best
    }
}

impl Inverse {
    fn new(low: [f32; HALF], high: [f32; HALF]) -> Self {
        let product = |a: [f32; HALF], b: [f32; HALF]| {
            2.0 * a.iter().zip(b).map(|(&a, b)| f64::from(a) * f64::from(b)).sum::<f64>()
        };
        let (ll, lh, hh) = (product(low, low), product(low, high), product(high, high));
        let over = |x: f64| (x / (ll * hh - lh * lh)) as f32;
        Self { low: over(hh), both: over(-lh), high: over(ll) }
    }

    fn solve(&self, (low, high): (f32, f32)) -> (f32, f32) {
        (self.low * low + self.both * high, self.both * low + self.high * high)
    }
}
