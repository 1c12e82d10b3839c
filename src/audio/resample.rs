//! A streaming change of sample rate for one leg.
//!
//! The telephone band ends at 3.4 kHz and everything here hears at 8 kHz, so recordings of other
//! rates come down to it, and the recogniser's 16 kHz come from it. `rubato`'s synchronous FFT
//! resampler does the work: its filter reaches full attenuation at half the lower of both rates.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _};

/// Samples that one FFT block spans at the lower rate: 32 ms at 8 kHz. Passes up to 3.5 kHz of the
/// 4 kHz that 8 kHz can carry; half of it is the delay.
const BLOCK_SAMPLES: usize = 256;

/// Why a stream cannot be resampled.
#[derive(Debug, thiserror::Error)]
pub enum ResampleError {
    /// A rate is zero.
    #[error("cannot resample from {from_hz} Hz to {to_hz} Hz: {cause}")]
    Rate {
        /// Rate of what would go in.
        from_hz: u32,
        /// Rate of what would come out.
        to_hz: u32,
        /// What `rubato` says.
        cause: rubato::ResamplerConstructionError,
    },
    /// `rubato` refused a block; a fault of this program.
    #[error("resampling failed: {0}")]
    Block(rubato::ResampleError),
}

impl From<rubato::ResampleError> for ResampleError {
    fn from(cause: rubato::ResampleError) -> Self {
        Self::Block(cause)
    }
}

/// Changes the sample rate of one leg, without delay in what comes out.
///
/// The output does not depend on how the input is cut into pushes.
#[derive(Debug)]
pub struct Resampler {
    /// `None` if both rates are equal: samples pass through unchanged.
    conversion: Option<Conversion>,
}

impl Resampler {
    /// A resampler from `from_hz` to `to_hz`.
    ///
    /// Rates with a small common divisor need long FFT blocks: `from_hz` and `to_hz`, each divided
    /// by it, are the shortest that exist (8000 samples, one second, from 47999 Hz to 8 kHz).
    ///
    /// # Errors
    ///
    /// [`ResampleError::Rate`] if a rate is zero.
    pub fn new(from_hz: u32, to_hz: u32) -> Result<Self, ResampleError> {
        if from_hz == to_hz && from_hz > 0 {
            return Ok(Self { conversion: None });
        }
        let conversion = Conversion::new(from_hz as usize, to_hz as usize)
            .map_err(|cause| ResampleError::Rate { from_hz, to_hz, cause })?;
        Ok(Self { conversion: Some(conversion) })
    }

    /// Takes in `samples`, and appends to `resampled` what is ready, which lags behind by one and a
    /// half FFT blocks at most. Allocates only if `resampled` must grow.
    ///
    /// # Errors
    ///
    /// [`ResampleError::Block`], which would be a fault of this program.
    pub fn push(
        &mut self,
        mut samples: &[f32],
        resampled: &mut Vec<f32>,
    ) -> Result<(), ResampleError> {
        let Some(conversion) = &mut self.conversion else {
            resampled.extend_from_slice(samples);
            return Ok(());
        };
        while !samples.is_empty() {
            samples = conversion.take_in(samples);
            if conversion.is_full() {
                conversion.process(resampled)?;
            }
        }
        Ok(())
    }

    /// Ends the stream: appends what is still to come, so that *n* samples have become *n* × `to` ∕
    /// `from`, rounded. Afterwards the resampler is as new.
    ///
    /// # Errors
    ///
    /// [`ResampleError::Block`], which would be a fault of this program.
    pub fn finish(&mut self, resampled: &mut Vec<f32>) -> Result<(), ResampleError> {
        match &mut self.conversion {
            Some(conversion) => conversion.finish(resampled),
            None => Ok(()),
        }
    }
}

/// The state of a resampler that has something to do.
#[derive(Debug)]
struct Conversion {
    fft: Fft<f32>,
    /// One block on its way in, `filled` so far.
    input: Vec<f32>,
    filled: usize,
    output: Vec<f32>,
    /// Samples at the start of the stream that are only the filter's delay, still to be dropped.
    to_drop: usize,
    taken: u64,
    given: u64,
}

impl Conversion {
    fn new(from_hz: usize, to_hz: usize) -> Result<Self, rubato::ResamplerConstructionError> {
        let block = (BLOCK_SAMPLES * from_hz).div_ceil(from_hz.min(to_hz).max(1));
        let fft = Fft::new_custom(
            from_hz,
            to_hz,
            block.max(1),
            1,
            1,
            rubato::WindowFunction::BlackmanHarris2,
            FixedSync::Both,
        )?;
        Ok(Self {
            input: vec![0.0; fft.input_frames_max()],
            filled: 0,
            output: vec![0.0; fft.output_frames_max()],
            to_drop: fft.output_delay(),
            taken: 0,
            given: 0,
            fft,
        })
    }

    /// Moves samples into the block; returns those for which it has no room.
    fn take_in<'a>(&mut self, samples: &'a [f32]) -> &'a [f32] {
        let (now, later) = samples.split_at(samples.len().min(self.input.len() - self.filled));
        self.input[self.filled..self.filled + now.len()].copy_from_slice(now);
        self.filled += now.len();
        self.taken += now.len() as u64;
        later
    }

    fn is_full(&self) -> bool {
        self.filled == self.input.len()
    }

    /// Resamples the full block.
    fn process(&mut self, resampled: &mut Vec<f32>) -> Result<(), ResampleError> {
        let (frames_in, frames_out) = (self.input.len(), self.output.len());
        let too_small =
            |_| rubato::ResampleError::InvalidChunkSize { max: 0, requested: frames_in };
        let input = InterleavedSlice::new(&self.input[..], 1, frames_in).map_err(too_small)?;
        let mut output =
            InterleavedSlice::new_mut(&mut self.output[..], 1, frames_out).map_err(too_small)?;
        let (_, made) = self.fft.process_into_buffer(&input, &mut output, None)?;
        let dropped = self.to_drop.min(made);
        self.to_drop -= dropped;
        self.given += (made - dropped) as u64;
        resampled.extend_from_slice(&self.output[dropped..made]);
        self.filled = 0;
        Ok(())
    }

    fn finish(&mut self, resampled: &mut Vec<f32>) -> Result<(), ResampleError> {
        let (from, to) = (self.fft.fft_size_in() as u64, self.fft.fft_size_out() as u64);
        let wanted = (self.taken * to + from / 2) / from;
        while self.given < wanted {
            self.input[self.filled..].fill(0.0);
            self.process(resampled)?;
        }
        let surplus = usize::try_from(self.given - wanted).unwrap_or(0);
        resampled.truncate(resampled.len().saturating_sub(surplus));
        self.fft.reset();
        (self.filled, self.taken, self.given) = (0, 0, 0);
        self.to_drop = self.fft.output_delay();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::f64::consts::TAU;

    fn tone(hz: f64, rate_hz: u32, samples: usize) -> Vec<f32> {
        let step = TAU * hz / f64::from(rate_hz);
        (0..samples).map(|n| (0.5 * (step * n as f64).sin()) as f32).collect()
    }

    fn resampled(from_hz: u32, to_hz: u32, samples: &[f32], chunk: usize) -> Vec<f32> {
        let mut resampler = Resampler::new(from_hz, to_hz).unwrap();
        let mut all = Vec::new();
        for part in samples.chunks(chunk.max(1)) {
            resampler.push(part, &mut all).unwrap();
        }
        resampler.finish(&mut all).unwrap();
        all
    }

    /// Level of the middle half, away from the ends of the stream.
    fn level_db(samples: &[f32]) -> f64 {
        let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
        let square: f64 = middle.iter().map(|&x| f64::from(x).powi(2)).sum();
        10.0 * (square / middle.len() as f64).log10()
    }

    const RATES: [(u32, u32); 8] = [
        (48000, 8000),
        (44100, 8000),
        (32000, 8000),
        (22050, 8000),
        (16000, 8000),
        (11025, 8000),
        (8000, 16000),
        (8000, 8000),
    ];

    #[test]
    fn the_telephone_band_keeps_its_level() {
        for (from, to) in RATES {
            for hz in [200.0, 1000.0, 3400.0] {
                let input = tone(hz, from, from as usize);
                let change = level_db(&resampled(from, to, &input, 960)) - level_db(&input);
                assert!(change.abs() < 0.2, "{hz} Hz, {from} to {to} Hz: {change:.2} dB");
            }
        }
    }

    #[test]
    fn what_8_khz_cannot_carry_is_gone() {
        for (from, to) in RATES.into_iter().filter(|(from, to)| from > to) {
            for hz in [4050.0, 4300.0, 5000.0, 7000.0, 9000.0, 15000.0, 23000.0] {
                if hz < f64::from(from) / 2.0 {
                    let input = tone(hz, from, from as usize);
                    let change = level_db(&resampled(from, to, &input, 960)) - level_db(&input);
                    assert!(change < -50.0, "{hz} Hz, {from} to {to} Hz: {change:.1} dB");
                }
            }
        }
    }

    #[test]
    fn images_above_the_source_band_are_gone() {
        let output = resampled(8000, 16000, &tone(1000.0, 8000, 8000), 160);
        let ideal = tone(1000.0, 16000, 16000);
        let rest: Vec<f32> = output.iter().zip(&ideal).map(|(a, b)| a - b).collect();
        assert!(level_db(&rest) < -80.0, "{}", level_db(&rest));
    }

    #[test]
    fn no_delay_is_left() {
        for (from, to) in RATES {
            let output = resampled(from, to, &tone(700.0, from, from as usize), 333);
            let ideal = tone(700.0, to, to as usize);
            let rest: Vec<f32> = output.iter().zip(&ideal).map(|(a, b)| a - b).collect();
            let off = level_db(&rest) - level_db(&ideal);
            // Blocks of an odd length leave a fraction of a sample; half of one would be −11 dB.
            assert!(off < -11.0, "{from} to {to} Hz: {off:.1} dB off the ideal");
        }
    }

    #[test]
    fn equal_rates_pass_through_untouched() {
        let input = tone(440.0, 8000, 1001);
        assert_eq!(resampled(8000, 8000, &input, 7), input);
    }

    #[test]
    fn a_finished_resampler_is_as_new() {
        let input = tone(440.0, 48000, 5000);
        let mut resampler = Resampler::new(48000, 8000).unwrap();
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for output in [&mut first, &mut second] {
            resampler.push(&input, output).unwrap();
            resampler.finish(output).unwrap();
        }
        assert_eq!(first, second);
    }

    #[test]
    fn a_rate_of_zero_is_refused() {
        for (from, to) in [(0, 8000), (8000, 0), (0, 0)] {
            assert!(matches!(Resampler::new(from, to), Err(ResampleError::Rate { .. })));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn chunking_changes_nothing(
            samples in proptest::collection::vec(-1.0_f32..=1.0, 0..3000),
            chunk in 1_usize..1500,
            rates in proptest::sample::select(&RATES[..]),
        ) {
            let (from, to) = rates;
            let whole = resampled(from, to, &samples, samples.len());
            prop_assert_eq!(&whole, &resampled(from, to, &samples, chunk));
            let ideal = samples.len() as f64 * f64::from(to) / f64::from(from);
            prop_assert!((whole.len() as f64 - ideal).abs() <= 0.5, "{} {ideal}", whole.len());
        }

        #[test]
        fn any_rate_of_a_recording_can_be_converted(from in 8000_u32..=48000) {
            let output = resampled(from, 8000, &tone(500.0, from, from as usize), 4096);
            prop_assert_eq!(output.len(), 8000);
            let change = level_db(&output) - level_db(&tone(500.0, 8000, 8000));
            prop_assert!(change.abs() < 0.2, "{change} dB");
        }
    }
}
