//! The short-time power spectrum of one leg, made for features and gate alike.
//!
//! Frames of 25 ms every 10 ms under a periodic Hann window, zero-padded to 256 points: the
//! customary frames of speech features (S. Young et al., The HTK Book, §5.2).
//!
//! A real frame of 256 is one complex transform of 128 (even samples as real, odd ones as imaginary
//! parts) and one pass that takes the two apart (H. V. Sorensen et al., IEEE Trans. ASSP 35(6),
//! 1987, pp. 849–863). That pass gives powers at once, so no spectrum is ever stored.

use std::f64::consts::TAU;
use std::fmt;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// Samples a second.
pub const RATE: u32 = 8_000;
/// Samples of one frame: 25 ms.
pub const FRAME: usize = 200;
/// Samples from one frame's start to the next one's: 10 ms.
pub const HOP: usize = 80;
/// Bins of a spectrum, from 0 Hz to 4 kHz in steps of 31.25 Hz.
pub const BINS: usize = POINTS / 2 + 1;

/// Points of the transform, the frame's zeros included.
const POINTS: usize = 256;
const HALF: usize = POINTS / 2;
const QUARTER: usize = POINTS / 4;
/// Samples that are taken in at a time: what a frame leaves over is moved but once.
const ROOM: usize = 1024;

/// Larger samples are damage, not sound. A resampler overshoots 1.0 by a little at most.
const LIMIT: f32 = 8.0;

/// Cuts one leg into frames and takes their power spectra. Allocates nothing after `new`.
pub struct Frames {
    fft: Arc<dyn Fft<f32>>,
    scratch: Box<[Complex<f32>]>,
    /// Half the Hann window: the halves that [`power`](Self::power) would multiply by.
    window: [f32; FRAME],
    /// exp(−2πi k / 256), as cosines and negated sines.
    cosines: [f32; QUARTER],
    sines: [f32; QUARTER],
    /// The windowed frame; its zeros are never written.
    pairs: [Complex<f32>; HALF],
    /// Its transform, and the first value again: a transform is periodic.
    transform: [Complex<f32>; HALF + 1],
    power: [f32; BINS],
    pending: [f32; ROOM],
    filled: usize,
    /// Index of the first sample in `pending`.
    start: u64,
}

impl Frames {
    /// Starts on a leg.
    pub fn new() -> Self {
        let fft = FftPlanner::new().plan_fft_forward(HALF);
        let angle = |n: usize, of: usize| TAU * n as f64 / of as f64;
        Self {
            scratch: vec![Complex::default(); fft.get_immutable_scratch_len()].into(),
            fft,
            window: std::array::from_fn(|n| (0.25 - 0.25 * angle(n, FRAME).cos()) as f32),
            cosines: std::array::from_fn(|n| angle(n, POINTS).cos() as f32),
            sines: std::array::from_fn(|n| angle(n, POINTS).sin() as f32),
            pairs: [Complex::default(); HALF],
            transform: [Complex::default(); HALF + 1],
            power: [0.0; BINS],
            pending: [0.0; ROOM],
            filled: 0,
            start: 0,
        }
    }

    /// Takes in `samples` in −1…1; hands out each frame that they complete, as the index of its
    /// first sample and its power spectrum.
    ///
    /// Bin *k* is |X(*k*)|² at *k* × 31.25 Hz, not scaled: a sine of amplitude *a* in the middle of
    /// a bin makes (50 *a*)² there, white noise of mean square *p* makes 75 *p* everywhere. A
    /// sample that is not a number, or beyond ±8, counts as 0.
    pub fn push(&mut self, mut samples: &[f32], mut frame: impl FnMut(u64, &[f32; BINS])) {
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(ROOM - self.filled));
            let pending = &mut self.pending[self.filled..];
            pending.iter_mut().zip(now).for_each(|(place, now)| *place = sound(*now));
            self.filled += now.len();
            samples = later;
            let mut done = 0;
            while self.filled - done >= FRAME {
                self.transform(done);
                self.take_apart();
                frame(self.start + done as u64, &self.power);
                done += HOP;
            }
            self.pending.copy_within(done..self.filled, 0);
            self.filled -= done;
            self.start += done as u64;
        }
    }

    fn transform(&mut self, from: usize) {
        let (samples, _) = self.pending[from..from + FRAME].as_chunks::<2>();
        let (weights, _) = self.window.as_chunks::<2>();
        for ((pair, samples), weights) in self.pairs.iter_mut().zip(samples).zip(weights) {
            *pair = Complex::new(samples[0] * weights[0], samples[1] * weights[1]);
        }
        let (once, scratch) = (&mut self.transform[..HALF], &mut self.scratch);
        self.fft.process_immutable_with_scratch(&self.pairs, once, scratch);
        self.transform[HALF] = self.transform[0];
    }

    /// From Z = E + iO the powers of X(k) = E(k) + exp(−2πi k / 256) O(k). Bins k and 128 − k come
    /// from the same two values.
    fn take_apart(&mut self) {
        for k in 0..QUARTER {
            let (a, b) = (self.transform[k], self.transform[HALF - k]);
            let even = Complex::new(a.re + b.re, a.im - b.im);
            let odd = Complex::new(a.im + b.im, b.re - a.re);
            let re = self.cosines[k] * odd.re + self.sines[k] * odd.im;
            let im = self.cosines[k] * odd.im - self.sines[k] * odd.re;
            self.power[k] = (even.re + re).powi(2) + (even.im + im).powi(2);
            self.power[HALF - k] = (even.re - re).powi(2) + (even.im - im).powi(2);
        }
        self.power[QUARTER] = 4.0 * self.transform[QUARTER].norm_sqr();
    }
}

/// A sample, or silence in place of damage. Written so that a NaN fails.
fn sound(sample: f32) -> f32 {
    if sample.abs() <= LIMIT { sample } else { 0.0 }
}

impl Default for Frames {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames").field("start", &self.start).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, term by term.
    fn reference(frame: &[f32], bin: usize) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, &sample) in frame.iter().enumerate() {
            let hann = 0.5 - 0.5 * (TAU * n as f64 / FRAME as f64).cos();
            let angle = TAU * ((bin * n) % POINTS) as f64 / POINTS as f64;
            re += f64::from(sample) * hann * angle.cos();
            im -= f64::from(sample) * hann * angle.sin();
        }
        re * re + im * im
    }

    fn spectra(samples: &[f32], chunk: usize) -> Vec<(u64, [f32; BINS])> {
        let (mut frames, mut all) = (Frames::new(), Vec::new());
        for part in samples.chunks(chunk) {
            frames.push(part, |at, power| all.push((at, *power)));
        }
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn equals_the_definition(
            samples in proptest::collection::vec(-1.0_f32..=1.0, 2 * FRAME),
        ) {
            let all = spectra(&samples, 160);
            prop_assert_eq!(all.len(), 3);
            for (at, power) in all {
                let frame = &samples[at as usize..][..FRAME];
                let energy: f32 = power.iter().sum();
                for (bin, &power) in power.iter().enumerate() {
                    let error = f64::from(power) - reference(frame, bin);
                    prop_assert!(error.abs() < 1e-6 * f64::from(energy), "bin {}: {}", bin, error);
                }
            }
        }

        #[test]
        fn chunking_changes_nothing_and_nothing_panics(
            samples in proptest::collection::vec(any::<f32>(), 0..1500), chunk in 1_usize..700,
        ) {
            let all = spectra(&samples, chunk);
            prop_assert_eq!(&all, &spectra(&samples, 160));
            prop_assert!(all.iter().flat_map(|(_, power)| power).all(|power| power.is_finite()));
        }
    }

    #[test]
    fn levels_are_as_documented() {
        let sine: Vec<f32> = (0..FRAME).map(|n| (TAU * n as f64 / 8.0).sin() as f32).collect();
        assert!((spectra(&sine, FRAME)[0].1[32] - 2500.0).abs() < 0.1);
        assert_eq!(spectra(&[0.0; FRAME], FRAME), [(0, [0.0; BINS])]);
    }

    #[test]
    fn damage_lasts_no_longer_than_its_frames() {
        let mut samples = vec![0.1; 1000];
        samples[300] = f32::NAN;
        samples[301] = f32::INFINITY;
        let clean = spectra(&vec![0.1; 1000], 160);
        for (damaged, clean) in spectra(&samples, 160).iter().zip(&clean) {
            let touched = (damaged.0..damaged.0 + FRAME as u64).contains(&300);
            assert_eq!(damaged.1 != clean.1, touched, "frame {}", damaged.0);
        }
    }
}
