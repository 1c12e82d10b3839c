//! A cheap gate in front of voice activity detection, so that silence costs next to nothing.
//!
//! In a call one party listens while the other speaks: half of all audio is line noise. A frame
//! none of whose bands is louder than its own quietest of the last seconds holds no voice, and
//! needs no neural network to say so (minimum statistics, R. Martin, IEEE Trans. Speech and Audio
//! Processing 9(5), 2001). Bands, because a soft vowel below the noise as a whole stands far above
//! it at its first formant. Noise that grows louder would be let through until the old minimum is
//! forgotten; a second of sound as flat as no voice is replaces the minimum at once (spectral
//! flatness, A. H. Gray and J. D. Markel, IEEE Trans. ASSP 22(3), 1974).

use super::frames::BINS;
use super::mel::ln;

/// Bins at which the bands begin and end: 125 Hz to 3625 Hz, above hum.
const EDGES: [usize; BANDS + 1] = [4, 8, 12, 16, 21, 27, 34, 42, 52, 64, 78, 96, 116];
const BANDS: usize = 12;

/// How far above its floor one band must be: 10 dB, as a ratio of powers. By estimate a
/// band's smoothed power swings over 7 to 8 dB in white noise.
const BAND_MARGIN: f32 = 10.0;

/// How far above their floors all bands must be on average, as a natural logarithm: 5.6 dB, of
/// which some 3.5 dB is the distance of noise from its own minimum.
const MEAN_MARGIN: f32 = 1.3;

/// Flatness, 0…1, that no second of speech keeps up. White noise is near 1; a vowel falls by
/// 12 dB an octave.
const FLAT: f32 = 0.6;

/// Share of a new frame in the smoothed power: a time constant of 35 ms.
const SMOOTHING: f32 = 0.25;

/// The power of a bin in white noise of −75 dBFS: G.711's smallest step is at −72 dBFS.
const SILENCE: f32 = 75.0 * 3.2e-8;

/// Frames over which one minimum is taken: 1 s.
const BLOCK: u32 = 100;

/// Minima that are remembered: the floor is the least of the last 3 to 4 s.
const BLOCKS: usize = 4;

/// Frames for which an opened gate stays open: 510 ms, so that the detector sees speech whole.
const HANGOVER: u32 = 51;

/// Tells which frames are worth a detector's time.
#[derive(Debug, Clone)]
pub struct Gate {
    /// The mean power of a bin in each band, smoothed over time.
    smooth: [f32; BANDS],
    minima: [[f32; BANDS]; BLOCKS],
    /// The least flatness within the block.
    flatness: f32,
    /// Frames of the block so far, and which minimum it makes.
    at: u32,
    block: usize,
    is_learning: bool,
    open_for: u32,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            smooth: [SILENCE; BANDS],
            minima: [[f32::MAX; BANDS]; BLOCKS],
            flatness: 1.0,
            at: 0,
            block: 0,
            is_learning: true,
            open_for: 0,
        }
    }
}

impl Gate {
    /// Whether the frame with this [power spectrum](super::frames::Frames::push) may hold speech.
    /// Open for the first second, until the noise floor is known.
    pub fn opens(&mut self, power: &[f32; BINS]) -> bool {
        let mut loudest = 0.0_f32;
        let (mut logarithms, mut excess, mut sum) = (0.0, 0.0, 0.0);
        let floors = self.floors();
        for (band, edges) in EDGES.windows(2).enumerate() {
            let bins = &power[edges[0]..edges[1]];
            let mean = bins.iter().sum::<f32>() / bins.len() as f32;
            // Digital silence (a muted leg) is no noise floor: after it, ordinary noise would
            // count. And damage must not stay.
            let mean = if mean < f32::MAX { mean.max(SILENCE) } else { SILENCE };
            let smooth = &mut self.smooth[band];
            *smooth = if self.at == 0 && self.is_learning {
                mean
            } else {
                *smooth + SMOOTHING * (mean - *smooth)
            };
            let ratio = *smooth / floors[band];
            loudest = loudest.max(ratio).max(mean / floors[band] / 2.0);
            excess += ln(ratio.max(f32::MIN_POSITIVE));
            logarithms += ln(*smooth);
            sum += *smooth;
        }
        let flatness = ((logarithms - BANDS as f32 * ln(sum / BANDS as f32)) / BANDS as f32).exp();
        let is_loud = loudest > BAND_MARGIN || excess > MEAN_MARGIN * BANDS as f32;
        if self.is_learning || is_loud {
            self.open_for = HANGOVER;
        }
        self.remember(flatness);
        self.open_for = self.open_for.saturating_sub(1);
        self.open_for > 0
    }

    /// The estimated noise: the mean power of a bin in white noise as strong.
    fn floors(&self) -> [f32; BANDS] {
        std::array::from_fn(|band| {
            self.minima.iter().map(|minima| minima[band]).fold(f32::MAX, f32::min)
        })
    }

    fn remember(&mut self, flatness: f32) {
        for (least, smooth) in self.minima[self.block].iter_mut().zip(&self.smooth) {
            *least = least.min(*smooth);
        }
        self.flatness = self.flatness.min(flatness);
        self.at += 1;
        if self.at < BLOCK {
            return;
        }
        if self.flatness > FLAT {
            self.minima = [self.minima[self.block]; BLOCKS];
        }
        (self.at, self.flatness, self.is_learning) = (0, 1.0, false);
        self.block = (self.block + 1) % BLOCKS;
        self.minima[self.block] = [f32::MAX; BANDS];
    }
}

#[cfg(test)]
mod tests;
