use super::*;
use crate::audio::frames::Frames;
use proptest::prelude::*;
use std::f64::consts::TAU;

/// Which frames open the gate.
fn open(samples: &[f32]) -> Vec<bool> {
    let (mut frames, mut gate, mut all) = (Frames::new(), Gate::default(), Vec::new());
    frames.push(samples, |_, power| all.push(gate.opens(power)));
    all
}

/// White noise of the given mean square, from a seed.
fn noise(seconds: f64, power: f32, seed: u64) -> Vec<f32> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let scale = (power * 3.0).sqrt();
    (0..(seconds * 8000.0) as usize).map(|_| scale * (2.0 * rng.f32() - 1.0)).collect()
}

fn count(open: &[bool]) -> usize {
    open.iter().filter(|open| **open).count()
}

/// A second of three syllables: a voice of 110 Hz falling by 12 dB an octave, and a hiss before.
fn sentence(seed: u64) -> Vec<f32> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut phase = 0.0;
    let sample = |n: usize| {
        let at = n as f64 / 2666.0;
        let within = at.fract();
        phase += TAU * (110.0 + 20.0 * (at * 0.9).sin()) / 8000.0;
        let formant = 400.0 + 200.0 * (seed as f64 + at).sin();
        let partial = |k: f64| {
            let off = (k * 110.0 - formant) / 250.0;
            (k * phase).sin() * (1.0 / (1.0 + off * off) + 0.5 / (k * k))
        };
        let voice: f64 = (1..24).map(|k| partial(f64::from(k))).sum();
        let swell = (std::f64::consts::PI * ((within - 0.2) / 0.6).clamp(0.0, 1.0)).sin();
        let hiss = if within < 0.25 { 0.1 * (rng.f64() - 0.5) } else { 0.0 };
        (0.1 * swell * voice + hiss) as f32
    };
    (0..8000).map(sample).collect()
}

#[test]
fn steady_noise_closes_the_gate_at_any_level() {
    for power in [1e-9, 1e-6, 1e-3] {
        let open = open(&noise(32.0, power, 7));
        assert!(count(&open) < 190, "{} of {} frames at {power}", count(&open), open.len());
    }
}

#[test]
fn a_voice_three_decibels_above_the_noise_opens_it() {
    let open = open(&[noise(6.4, 1e-4, 7), noise(0.32, 3e-4, 11)].concat());
    assert!(!open[630], "closed before");
    assert!(open[650..].iter().all(|open| *open));
}

#[test]
fn the_gate_stays_open_for_half_a_second() {
    let open = open(&[noise(6.4, 1e-6, 7), noise(0.03, 1e-2, 3), noise(3.0, 1e-6, 9)].concat());
    let opened = count(&open[300..]);
    assert!((50..90).contains(&opened), "{opened}");
}

#[test]
fn hum_and_silence_close_it() {
    let hum = |n: usize| 0.1 * (TAU * 50.0 * n as f64 / 8000.0).sin();
    let buzz = |n: usize| (0..9).map(|k| hum(n * (2 * k + 1))).sum::<f64>() as f32;
    for sound in [vec![0.0; 240_000], (0..240_000).map(buzz).collect()] {
        assert!(count(&open(&sound)) < 190);
    }
}

#[test]
fn louder_noise_closes_it_after_a_second_or_two() {
    let open = open(&[noise(10.0, 1e-6, 7), noise(10.0, 1e-4, 8)].concat());
    assert!(open[1002..1050].iter().all(|open| *open));
    assert!(count(&open[1300..]) < 10, "{}", count(&open[1300..]));
}

#[test]
fn nearly_no_frame_of_speech_is_lost_at_ten_decibels() {
    let (mut lost, mut all) = (0, 0);
    for seed in 0..5 {
        let clean: Vec<f32> =
            [vec![0.0; 16_000], sentence(seed), vec![0.0; 12_000], sentence(9)].concat();
        let energy = |at: usize| clean[at * 80..][..200].iter().map(|x| x * x).sum::<f32>();
        let peak = (0..460).map(energy).fold(0.0, f32::max);
        let speech = clean.iter().map(|x| x * x).sum::<f32>() / 16_000.0;
        let hiss = noise(5.0, speech / 10.0, seed);
        let noisy: Vec<f32> = clean.iter().zip(&hiss).map(|(a, b)| a + b).collect();
        // Speech is what lies within 30 dB of the loudest frame. Endpointing keeps 256 ms from
        // before a voice, so a soft consonant below the noise is lost only if no vowel follows.
        let open = open(&noisy);
        let labelled = (0..460).filter(|at| energy(*at) > peak * 1e-3);
        let missed = labelled.clone().filter(|at| !open[*at..*at + 25].contains(&true)).count();
        (lost, all) = (lost + missed, all + labelled.count());
    }
    assert!(lost * 100 <= all, "{lost} of {all}");
}

#[test]
fn damage_does_not_stay() {
    let mut gate = Gate::default();
    for power in [f32::NAN, f32::INFINITY, -1.0, f32::MAX] {
        for _ in 0..150 {
            gate.opens(&[power; BINS]);
        }
    }
    let closes = (0..700).map(|_| gate.opens(&[1e-4; BINS])).last();
    assert_eq!(closes, Some(false));
}

proptest! {
    #[test]
    fn gain_changes_nothing(gain in 0.5_f32..8.0, seed in 0_u64..50) {
        let call = [noise(2.0, 1e-5, seed), sentence(seed), noise(2.0, 1e-5, seed)].concat();
        let scaled: Vec<f32> = call.iter().map(|sample| sample * gain).collect();
        let differing = open(&call).iter().zip(open(&scaled)).filter(|(a, b)| **a != *b).count();
        prop_assert!(differing <= 2, "{differing}");
    }
}
