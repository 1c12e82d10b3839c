//! The power spectrum of one short frame of telephone audio.

use std::f64::consts::TAU;
use std::fmt;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

/// Samples of one frame: 64 ms at 8 kHz, enough to tell 440 Hz from 480 Hz.
pub const FRAME_SAMPLES: usize = 512;
/// Bins of a spectrum, from 0 Hz to half the sample rate.
pub const BINS: usize = FRAME_SAMPLES / 2 + 1;
/// The width of a bin in Hz.
pub const BIN_HZ: f32 = 8000.0 / FRAME_SAMPLES as f32;

/// A reusable power spectrum; planned once, allocates nothing a frame.
pub struct Spectrum {
    fft: Arc<dyn RealToComplex<f32>>,
    /// Scaled so that the bins add up to the frame's mean square.
    window: [f32; FRAME_SAMPLES],
    frame: [f32; FRAME_SAMPLES],
    bins: [Complex<f32>; BINS],
    scratch: Vec<Complex<f32>>,
    power: [f32; BINS],
}

impl Spectrum {
    /// Plans the transform.
    pub fn new() -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(FRAME_SAMPLES);
        // Periodic Hann, the one for spectra: sidelobes fall fast enough that a tone of the band
        // does not reach the next tone's bins. Its energy is 3/8 of the length; 2 is for the
        // mirror image of each bin.
        let length = FRAME_SAMPLES as f64;
        let scale = (2.0 / (length * length * 0.375)).sqrt();
        let window =
            std::array::from_fn(|n| (scale * (0.5 - 0.5 * (TAU * n as f64 / length).cos())) as f32);
        Self {
            scratch: fft.make_scratch_vec(),
            fft,
            window,
            frame: [0.0; FRAME_SAMPLES],
            bins: [Complex::default(); BINS],
            power: [0.0; BINS],
        }
    }

    /// The one-sided power spectrum of `frame` under a Hann window.
    ///
    /// Bin *k* is centred on *k* × 15.625 Hz at 8 kHz. The bins add up to the mean square of the
    /// windowed frame, corrected for the window: 0.5 for a tone of amplitude 1.
    pub fn power(&mut self, frame: &[f32; FRAME_SAMPLES]) -> &[f32; BINS] {
        for ((windowed, sample), weight) in self.frame.iter_mut().zip(frame).zip(&self.window) {
            *windowed = sample * weight;
        }
        let done =
            self.fft.process_with_scratch(&mut self.frame, &mut self.bins, &mut self.scratch);
        debug_assert!(done.is_ok(), "the lengths are the plan's own");
        for (power, bin) in self.power.iter_mut().zip(&self.bins) {
            *power = bin.norm_sqr();
        }
        // The two ends have no mirror image to stand for.
        self.power[0] *= 0.5;
        self.power[BINS - 1] *= 0.5;
        &self.power
    }
}

impl Default for Spectrum {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Spectrum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spectrum").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tone(hz: f64, amplitude: f64) -> [f32; FRAME_SAMPLES] {
        std::array::from_fn(|n| (amplitude * (TAU * hz * n as f64 / 8000.0).sin()) as f32)
    }

    #[test]
    fn a_tone_stands_in_its_bin_with_its_power() {
        let mut spectrum = Spectrum::new();
        let power = *spectrum.power(&tone(1000.0, 1.0));
        let peak = (0..BINS).max_by(|&a, &b| power[a].total_cmp(&power[b]));
        assert_eq!(peak, Some(64));
        assert!((power.iter().sum::<f32>() - 0.5).abs() < 1e-3);
        let aside: f32 = power[..61].iter().chain(&power[68..]).sum();
        assert!(aside < 1e-6, "{aside}");
    }

    #[test]
    fn steady_level_and_silence() {
        let mut spectrum = Spectrum::new();
        let steady: f32 = spectrum.power(&[0.5; FRAME_SAMPLES]).iter().sum();
        // A quarter in the middle of the window's main lobe; its flank at bin 1 counts twice.
        assert!((steady - 0.25).abs() < 1e-3, "{steady}");
        assert_eq!(*spectrum.power(&[0.0; FRAME_SAMPLES]), [0.0; BINS]);
    }

    proptest! {
        #[test]
        fn bins_add_up_to_the_windowed_energy(
            samples in proptest::collection::vec(-1.0_f32..=1.0, FRAME_SAMPLES),
        ) {
            let mut frame = [0.0; FRAME_SAMPLES];
            frame.copy_from_slice(&samples);
            let mut spectrum = Spectrum::new();
            let weighted = frame.iter().zip(&spectrum.window);
            // The window's scale holds a 2 and one over the length of the transform.
            let expected: f32 =
                weighted.map(|(x, w)| (x * w).powi(2)).sum::<f32>() * FRAME_SAMPLES as f32 / 2.0;
            let sum: f32 = spectrum.power(&frame).iter().sum();
            prop_assert!((sum - expected).abs() < 1e-4, "{sum} {expected}");
        }
    }
}
