//! Segments in a row that hold the same key.

use std::f64::consts::TAU;

use rustfft::num_complex::Complex;

use super::pair::{HIGH, LOW, Pair, Place, SEGMENT};

/// A segment that a key takes up to this share is taken up whole.
const WHOLE: f32 = 0.75;

/// Segments that must be full of the key. In 40 ms, the shortest tone that must be accepted
/// (ITU-T Q.24), four are, wherever it begins.
pub(super) const FULL: u32 = 3;
/// Least length with the beginning and the end, in segments: 30 ms. What is shorter than 23 ms must
/// be rejected, and the estimate is good for 2 ms.
const LENGTH: f32 = 30.0 / 8.0;
/// Highest deviation of either frequency: midway between the 1.5 to 1.8 % that must be accepted
/// and the 3 to 3.5 % that must not (Q.24).
const DEVIATION: f64 = 0.024;
/// How straight a tone must go on from segment to segment: 1 is a sine.
const COHERENCE: f32 = 0.95;
/// Highest ratio of the low tone's power to the high tone's: 8 dB (Q.24), and a hair.
const TWIST: f32 = 6.4;
/// Highest ratio of the high tone's power to the low tone's: 4 dB (Q.24), and a hair.
const REVERSE_TWIST: f32 = 2.55;
/// Highest ratio of a segment's power to the mean of those before, either way: 2 dB.
const SWING: f32 = 1.6;
/// Least share of the energy that the tones must have. Noise 7 dB below each tone leaves 0.91.
const SHARE: f32 = 0.82;
/// Segments more for a share of 0 than for one of 1. Vowels do look like keys, but not for long:
/// the less pure a tone is, the longer it must last.
const PATIENCE: f32 = 8.0;
/// Least share of a key with a dial tone. The latter explains some speech as well, but a real one
/// leaves nothing.
const SHARE_WITH_DIAL: f32 = 0.92;

/// A tone pair that lasts.
pub(super) struct Run {
    pub(super) place: Place,
    /// First and last sample, estimated.
    pub(super) start: u64,
    pub(super) end: u64,
    /// Whether the key was reported.
    pub(super) is_known: bool,
    /// Segments that are full of the key.
    pub(super) full: u32,
    /// In segments, with the parts at the beginning and at the end.
    length: f32,
    low: Tone,
    high: Tone,
    fitted: f32,
    energy: f32,
}

impl Run {
    /// A run whose first full segment, ending at `at`, is `first`.
    pub(super) fn new(first: &Pair, at: u64) -> Self {
        Self {
            place: first.place,
            start: at - SEGMENT as u64,
            end: at,
            is_known: false,
            full: 1,
            length: 1.0,
            low: Tone::new(first.low, LOW[first.place.row]),
            high: Tone::new(first.high, HIGH[first.place.column]),
            fitted: first.fitted,
            energy: first.energy,
        }
    }

    /// Takes in the segment before the first, which may hold the beginning.
    pub(super) fn lead(&mut self, pair: &Pair) {
        let covered = self.covered(pair);
        self.length += covered;
        self.start = self.start.saturating_sub((covered * SEGMENT as f32) as u64);
    }

    /// Whether the next segment goes on with the key, as loud as before.
    pub(super) fn goes_on(&self, next: &Pair) -> bool {
        let (power, mean) = (next.power(), self.power());
        next.place == self.place && power <= SWING * mean && mean <= SWING * power
    }

    /// Takes in the next full segment.
    pub(super) fn extend(&mut self, next: &Pair) {
        let covered = self.covered(next);
        self.length += covered;
        // Of a long key no segment is as loud as the mean: what it seems to lack is not its end.
        let samples = if covered >= WHOLE { SEGMENT as f32 } else { covered * SEGMENT as f32 };
        self.end += samples as u64;
        self.full += 1;
        self.low.extend(next.low);
        self.high.extend(next.high);
        self.fitted += next.fitted;
        self.energy += next.energy;
    }

    /// Takes in the segment after the last, which may hold the end.
    pub(super) fn close(&mut self, pair: &Pair) {
        let covered = self.covered(pair);
        self.length += covered;
        self.end += (covered * SEGMENT as f32) as u64;
    }

    /// Whether it is long, pure and steady enough. `dial_power` is the mean square of a dial tone
    /// beneath it; it is asked for only where it matters.
    pub(super) fn is_key(&self, dial_power: impl FnOnce() -> f32) -> bool {
        self.full >= FULL
            && self.length >= LENGTH
            && self.low.power <= TWIST * self.high.power
            && self.high.power <= REVERSE_TWIST * self.low.power
            && self.low.is_steady()
            && self.high.is_steady()
            && self.is_pure(dial_power)
    }

    fn is_pure(&self, dial_power: impl FnOnce() -> f32) -> bool {
        let is_enough =
            |share: f32| share >= SHARE && self.length >= LENGTH + PATIENCE * (1.0 - share);
        let share = self.fitted / self.energy;
        is_enough(share) || {
            let dial_energy = dial_power() * (SEGMENT as u32 * self.full) as f32;
            let with_dial = share + dial_energy / self.energy;
            with_dial >= SHARE_WITH_DIAL && is_enough(with_dial.min(1.0))
        }
    }

    fn power(&self) -> f32 {
        (self.low.power + self.high.power) / self.full as f32
    }

    /// How much of a segment the key takes up, if it is as loud there as elsewhere.
    fn covered(&self, pair: &Pair) -> f32 {
        (pair.power() / self.power()).sqrt().min(1.0)
    }
}

/// One of the two tones through the full segments.
struct Tone {
    hz: f64,
    /// Takes back how far the nominal frequency turns the phase in a segment.
    back: Complex<f32>,
    last: Complex<f32>,
    /// The sum of the turns from segment to segment that are left, and that of their lengths.
    turn: Complex<f32>,
    turned: f32,
    power: f32,
}

impl Tone {
    fn new(first: Complex<f32>, hz: f64) -> Self {
        let back = Complex::cis(-turn(hz));
        let back = Complex::new(back.re as f32, back.im as f32);
        let power = first.norm_sqr();
        Self { hz, back, last: first, turn: Complex::default(), turned: 0.0, power }
    }

    fn extend(&mut self, next: Complex<f32>) {
        let turn = next * self.last.conj() * self.back;
        self.turn += turn;
        self.turned += turn.norm_sqr().sqrt();
        self.power += next.norm_sqr();
        self.last = next;
    }

    fn is_steady(&self) -> bool {
        let straight = self.turn.norm_sqr().sqrt() >= COHERENCE * self.turned;
        straight && self.turn.arg().abs() <= (turn(self.hz) * DEVIATION) as f32
    }
}

/// How far a frequency turns the phase in a segment, in radians.
fn turn(hz: f64) -> f64 {
    TAU * hz / 8000.0 * SEGMENT as f64
}
