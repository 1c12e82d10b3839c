//! Makes the sounds of a telephone line from seeds: tones, silence, noise, G.711.
//!
//! Samples are in −1…1 at 8 kHz. Levels are in dBm0: a full-scale sine is +3.14 dBm0 (ITU-T G.711).

use std::f64::consts::TAU;

/// Samples a second.
pub const RATE: usize = 8000;

/// The amplitude of a sine of this level.
pub fn amplitude(dbm0: f64) -> f64 {
    10_f64.powf((dbm0 - 3.14) / 20.0)
}

/// So much of silence.
pub fn silence(ms: f64) -> Vec<f32> {
    vec![0.0; samples(ms)]
}

/// Sines of the given frequencies in Hz and levels, all at once, each beginning at zero.
pub fn tones(parts: &[(f64, f64)], ms: f64) -> Vec<f32> {
    let sine = |n: usize, hz: f64| (TAU * hz * n as f64 / RATE as f64).sin();
    let sample = |n| parts.iter().map(|&(hz, dbm0)| amplitude(dbm0) * sine(n, hz)).sum::<f64>();
    (0..samples(ms)).map(|n| sample(n) as f32).collect()
}

/// Gaussian white noise of this level (its power is that of a sine of the same level).
pub fn noise(dbm0: f64, ms: f64, seed: u64) -> Vec<f32> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let rms = amplitude(dbm0) / 2_f64.sqrt();
    let mut gaussian = || {
        let (radius, angle) = (rng.f64().max(1e-12), rng.f64() * TAU);
        (-2.0 * radius.ln()).sqrt() * angle.cos()
    };
    (0..samples(ms)).map(|_| (rms * gaussian()) as f32).collect()
}

/// Adds `other` to `sound`; what is longer is cut.
pub fn add(sound: &mut [f32], other: &[f32]) {
    sound.iter_mut().zip(other).for_each(|(sample, other)| *sample += other);
}

/// What µ-law makes of it.
pub fn ulaw(sound: &[f32]) -> Vec<f32> {
    let code = |x: &f32| audio_codec_algorithms::encode_ulaw((x * 32767.0) as i16);
    let decode = |code| f32::from(audio_codec_algorithms::decode_ulaw(code)) / 32768.0;
    sound.iter().map(code).map(decode).collect()
}

fn samples(ms: f64) -> usize {
    (ms * RATE as f64 / 1000.0).round() as usize
}
