//! Recognises the British dial tone.
//!
//! It is 350 Hz and 440 Hz at once, without a break, until the first digit (BT SIN 350; listed in
//! ITU-T E.180 Supplement 2). A fraudster who stays on the line while the victim "hangs up to ring
//! the bank" plays it, so that the victim believes in a new call.

use std::ops::RangeInclusive;

use super::spectrum::{BINS, FRAME_SAMPLES, Spectrum};

/// Samples between two looks: 16 ms.
const HOP: usize = FRAME_SAMPLES / 2;
/// Looks in a row that make 400 ms of sound: 256 + 23 × 128 samples.
const FRAMES_NEEDED: u32 = 24;
/// Looks without the tone, 256 ms, after which a tone is another tone.
const FRAMES_BETWEEN: u32 = 16;

/// The bins of 350 Hz (11.2) and of 440 Hz (14.1), each with its neighbours in the main lobe.
const LOW: RangeInclusive<usize> = 10..=12;
const HIGH: RangeInclusive<usize> = 13..=15;
/// The bins of 200–3400 Hz, in which the tones must dominate. Hum lies below.
const BAND: RangeInclusive<usize> = 7..=108;
/// Share of the band's power that the two tones must have: about 7.5 dB above the rest.
const DOMINANCE: f32 = 0.85;
/// A full-scale tone at −45 dBFS, as mean square.
const LEAST_POWER: f32 = 0.5 * 3.162_277_7e-5;
/// Highest ratio of the two tones' powers: 6 dB of twist.
const MOST_TWIST: f32 = 3.98;
/// Highest ratio of the powers within a run: 3 dB. An exchange's tone is steady; a played third of
/// F and A, the same two notes, fades.
const MOST_SWING: f32 = 2.0;

/// A streaming detector of the British dial tone in one leg at 8 kHz.
///
/// Needs both tones within 2 % of their frequency, at least 400 ms long, above −45 dBFS (0 dBFS
/// being a full-scale tone), and some 7.5 dB above everything else in the telephone band. The
/// result does not depend on how the samples are cut into pushes.
#[derive(Debug)]
pub struct DialTone {
    spectrum: Spectrum,
    frame: [f32; FRAME_SAMPLES],
    filled: usize,
    /// Samples taken in since the start of the stream.
    taken: u64,
    run: Run,
}

impl DialTone {
    /// A detector at the start of a stream.
    pub fn new() -> Self {
        Self {
            spectrum: Spectrum::new(),
            frame: [0.0; FRAME_SAMPLES],
            filled: 0,
            taken: 0,
            run: Run::default(),
        }
    }

    /// Takes in `samples` in −1…1; returns the index, counted from the start of the stream, of the
    /// sample after which a dial tone was recognised, once for each tone.
    ///
    /// Recognition comes 400 to 450 ms after the tone's start. Two tones are recognised at least
    /// 600 ms apart; of two within one push the first is returned, so keep pushes below that.
    /// Allocates nothing.
    pub fn push(&mut self, mut samples: &[f32]) -> Option<u64> {
        let mut recognised = None;
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(FRAME_SAMPLES - self.filled));
            self.frame[self.filled..self.filled + now.len()].copy_from_slice(now);
            self.filled += now.len();
            self.taken += now.len() as u64;
            samples = later;
            if self.filled == FRAME_SAMPLES {
                let tone = tone_power(self.spectrum.power(&self.frame));
                if self.run.extend(tone) && recognised.is_none() {
                    recognised = Some(self.taken);
                }
                self.frame.copy_within(HOP.., 0);
                self.filled -= HOP;
            }
        }
        recognised
    }
}

impl Default for DialTone {
    fn default() -> Self {
        Self::new()
    }
}

/// The frames in a row that hold the tone.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    length: u32,
    weakest: f32,
    strongest: f32,
    reported: bool,
    /// Frames without the tone since the last frame with it.
    absent: u32,
}

impl Run {
    /// Takes in the next frame; true when it completes a tone that was not reported yet.
    fn extend(&mut self, tone: Option<f32>) -> bool {
        let Some(power) = tone else {
            self.length = 0;
            self.absent = self.absent.saturating_add(1);
            // A click inside a tone does not make it two.
            self.reported &= self.absent < FRAMES_BETWEEN;
            return false;
        };
        self.absent = 0;
        let (weakest, strongest) = (self.weakest.min(power), self.strongest.max(power));
        if self.length == 0 || strongest > weakest * MOST_SWING {
            (self.length, self.weakest, self.strongest) = (1, power, power);
        } else {
            self.length = self.length.saturating_add(1);
            (self.weakest, self.strongest) = (weakest, strongest);
        }
        let complete = self.length >= FRAMES_NEEDED && !self.reported;
        self.reported |= complete;
        complete
    }
}

/// The power of the dial tone in a frame, or `None` if the frame is anything else.
fn tone_power(power: &[f32; BINS]) -> Option<f32> {
    let sum = |bins: RangeInclusive<usize>| power[bins].iter().sum::<f32>();
    let (low, high, band) = (sum(LOW), sum(HIGH), sum(BAND));
    // Written so that a NaN fails.
    let loud = low + high >= LEAST_POWER;
    let dominant = low + high >= DOMINANCE * band;
    let balanced = low <= high * MOST_TWIST && high <= low * MOST_TWIST;
    (loud && dominant && balanced && has_both_peaks(power)).then_some(low + high)
}

/// Whether there are two tones at the right places, and not one between them, such as 395 Hz.
///
/// Under a Hann window 350 Hz stands 3.5 dB above the bin towards 440 Hz, and 440 Hz 7 dB above
/// the bin towards 350 Hz; less when off by 1 %, or with the other tone 6 dB stronger.
fn has_both_peaks(power: &[f32; BINS]) -> bool {
    let low = power[11] > power[10] && power[11] > 1.25 * power[12];
    let high = power[14] > power[15] && power[14] > 1.5 * power[13];
    low && high
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::f64::consts::TAU;

    /// Tones of the given frequencies and amplitudes, `ms` long.
    fn tones(parts: &[(f64, f64)], ms: usize) -> Vec<f32> {
        let at = |n: usize, hz: f64| (TAU * hz * n as f64 / 8000.0 + hz).sin();
        let sample = |n| parts.iter().map(|&(hz, amplitude)| amplitude * at(n, hz)).sum::<f64>();
        (0..ms * 8).map(|n| sample(n) as f32).collect()
    }

    fn dial_tone(ms: usize) -> Vec<f32> {
        tones(&[(350.0, 0.1), (440.0, 0.1)], ms)
    }

    fn silence(ms: usize) -> Vec<f32> {
        vec![0.0; ms * 8]
    }

    /// Reproducible noise in −1…1.
    fn noise(ms: usize) -> Vec<f32> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..ms * 8).map(|_| next()).collect()
    }

    fn sum(a: &[f32], b: &[f32], gain: f32) -> Vec<f32> {
        a.iter().zip(b).map(|(a, b)| a + gain * b).collect()
    }

    fn recognised(samples: &[f32], chunk: usize) -> Vec<u64> {
        let mut detector = DialTone::new();
        samples.chunks(chunk).filter_map(|part| detector.push(part)).collect()
    }

    #[test]
    fn a_dial_tone_is_recognised_once_after_400_ms() {
        for before in [0, 7, 1000] {
            let samples = [silence(before), dial_tone(3000)].concat();
            let found = recognised(&samples, 160);
            assert_eq!(found.len(), 1);
            let ms = found[0] / 8 - before as u64;
            assert!((385..=450).contains(&ms), "after {ms} ms");
        }
    }

    #[test]
    fn a_second_tone_is_another_one_but_a_click_ends_none() {
        let twice = [dial_tone(800), silence(500), dial_tone(800)].concat();
        assert_eq!(recognised(&twice, 160).len(), 2);
        let clicked = [dial_tone(800), silence(30), dial_tone(800)].concat();
        assert_eq!(recognised(&clicked, 160).len(), 1);
    }

    #[test]
    fn short_or_faint_tones_are_not_enough() {
        assert!(recognised(&[dial_tone(340), silence(500)].concat(), 160).is_empty());
        let pulses = [dial_tone(300), silence(100)].concat().repeat(10);
        assert!(recognised(&pulses, 160).is_empty());
        // −51 dBFS a tone are −48 together; 0.0048 makes −43.
        let faint = tones(&[(350.0, 0.0028), (440.0, 0.0028)], 2000);
        assert!(recognised(&faint, 160).is_empty());
        let heard = tones(&[(350.0, 0.0048), (440.0, 0.0048)], 2000);
        assert_eq!(recognised(&heard, 160).len(), 1);
    }

    #[test]
    fn tolerances_of_line_and_exchange() {
        let with_noise = |gain| sum(&dial_tone(2000), &noise(2000), gain);
        assert_eq!(recognised(&with_noise(0.03), 160).len(), 1, "15 dB above noise");
        assert!(recognised(&with_noise(0.2), 160).is_empty(), "below noise");
        let hum = sum(&dial_tone(2000), &tones(&[(50.0, 0.3)], 2000), 1.0);
        assert_eq!(recognised(&hum, 160).len(), 1, "mains hum");
        for off in [0.985, 1.015] {
            let detuned = tones(&[(350.0 * off, 0.1), (440.0 * off, 0.1)], 2000);
            assert_eq!(recognised(&detuned, 160).len(), 1, "detuned by {off}");
        }
        for (low, high) in [(0.1, 0.16), (0.16, 0.1)] {
            let twisted = tones(&[(350.0, low), (440.0, high)], 2000);
            assert_eq!(recognised(&twisted, 160).len(), 1, "4 dB of twist");
        }
        let mut companded = Vec::new();
        let codes: Vec<u8> = dial_tone(2000)
            .iter()
            .map(|x| audio_codec_algorithms::encode_alaw((x * 32767.0) as i16))
            .collect();
        crate::audio::g711::Law::Alaw.decode(&codes, &mut companded);
        assert_eq!(recognised(&companded, 160).len(), 1, "A-law");
    }

    #[test]
    fn other_tones_are_not_it() {
        for (name, parts) in [
            ("one tone between", &[(395.0, 0.2)][..]),
            ("350 Hz alone", &[(350.0, 0.2)]),
            ("440 Hz alone", &[(440.0, 0.2)]),
            ("British ringing", &[(400.0, 0.1), (450.0, 0.1)]),
            ("American ringing", &[(440.0, 0.1), (480.0, 0.1)]),
            ("German dial tone", &[(425.0, 0.2)]),
            ("DTMF 1", &[(697.0, 0.1), (1209.0, 0.1)]),
            ("10 dB of twist", &[(350.0, 0.2), (440.0, 0.06)]),
            ("a vowel at 88 Hz", &[(264.0, 0.1), (352.0, 0.1), (440.0, 0.1), (528.0, 0.1)]),
            ("F major", &[(349.2, 0.1), (440.0, 0.1), (523.3, 0.1)]),
        ] {
            assert!(recognised(&tones(parts, 2000), 160).is_empty(), "{name}");
        }
        assert!(recognised(&noise(5000), 160).is_empty());
    }

    #[test]
    fn a_fading_third_of_the_same_notes_is_music() {
        let third = dial_tone(3000);
        // A quarter of the amplitude every 400 ms, as of a struck string.
        let fading: Vec<f32> =
            third.iter().enumerate().map(|(n, x)| x * 0.25_f32.powf(n as f32 / 3200.0)).collect();
        assert!(recognised(&fading, 160).is_empty());
    }

    #[test]
    fn what_is_not_a_number_is_not_a_tone() {
        let mut samples = dial_tone(300);
        samples.extend([f32::NAN, f32::INFINITY]);
        samples.extend(dial_tone(1000));
        assert_eq!(recognised(&samples, 160).len(), 1, "only after the damage");
        assert!(recognised(&[f32::NAN; 8000], 160).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn chunking_changes_nothing(chunk in 1_usize..2000, lead in 0_usize..300) {
            let samples = [silence(lead), dial_tone(900), silence(400), dial_tone(700)].concat();
            prop_assert_eq!(recognised(&samples, chunk), recognised(&samples, 160));
        }
    }
}
