//! Recognises call-progress tones by their frequencies and their cadence.
//!
//! An exchange tells with tones how a call goes: dial, ringing, busy. A modem or a fax answers with
//! one. In a call under way they give away a trick: a fraudster who stays on the line while the
//! victim "hangs up to ring the bank" plays dial tone and ringing, so that the victim believes in a
//! new call.
//!
//! Sources: ITU-T E.180 and its Supplement 2 (tones of the national networks), BT SIN 350 (British
//! tones), ITU-T T.30 (fax), ITU-T V.25 and V.8 (answer tone).

mod cadence;
mod sound;
mod tone;

use super::spectrum::{FRAME_SAMPLES, Spectrum};
use cadence::Rhythm;
use sound::Heard;
pub use tone::{Found, HOP, Tone};

/// A mean square, some −55 dBFS, below which a frame can neither hold a tone nor disturb a gap: the
/// window makes it 8/3 as much at most.
const SILENCE: f32 = sound::LEAST_POWER * cadence::QUIET * 3.0 / 8.0;

/// A streaming detector of call-progress tones in one leg at 8 kHz.
///
/// A tone must be above −45 dBFS (0 dBFS being a full-scale tone), 7.5 dB above everything else in
/// the telephone band, within 2 % of its frequencies (1.75 % if there is one; more for SIT and a
/// fax) and steady within 3 dB; the gaps of its cadence must be 6 dB quieter. It is reported once,
/// and again after another tone or after a while without it. Dial tone, American or British, and
/// the answer tones take 0.4 s; the other steady ones 2 s, as they might be a burst; cadences two
/// bursts; those of long bursts, and a fax's, one burst and a part of the gap. A dial tone that
/// stutters, as for waiting messages, is a dial tone as soon as it lasts.
///
/// The result does not depend on how the samples are cut into pushes. Allocates nothing.
#[derive(Debug)]
pub struct Progress {
    spectrum: Spectrum,
    frame: [f32; FRAME_SAMPLES],
    filled: usize,
    /// Samples taken in since the start of the stream.
    taken: u64,
    rhythm: Rhythm,
}

impl Progress {
    /// A detector at the start of a stream.
    pub fn new() -> Self {
        Self {
            spectrum: Spectrum::new(),
            frame: [0.0; FRAME_SAMPLES],
            filled: 0,
            taken: 0,
            rhythm: Rhythm::default(),
        }
    }

    /// Takes in `samples` in −1…1; tells `found` each tone that they complete.
    pub fn push(&mut self, mut samples: &[f32], mut found: impl FnMut(Found)) {
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(FRAME_SAMPLES - self.filled));
            self.frame[self.filled..self.filled + now.len()].copy_from_slice(now);
            self.filled += now.len();
            self.taken += now.len() as u64;
            samples = later;
            if self.filled == FRAME_SAMPLES {
                let heard = if is_silent(&self.frame) {
                    Heard::SILENCE
                } else {
                    Heard::new(self.spectrum.power(&self.frame))
                };
                self.rhythm.hear(heard, self.taken).into_iter().for_each(&mut found);
                self.frame.copy_within(HOP.., 0);
                self.filled -= HOP;
            }
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether a frame is too faint for its spectrum to matter; half of a call is.
fn is_silent(frame: &[f32; FRAME_SAMPLES]) -> bool {
    let mut sums = [0.0_f32; 8];
    for part in frame.chunks_exact(sums.len()) {
        sums.iter_mut().zip(part).for_each(|(sum, sample)| *sum += sample * sample);
    }
    sums.iter().sum::<f32>() < SILENCE * FRAME_SAMPLES as f32
}

#[cfg(test)]
mod tests;
