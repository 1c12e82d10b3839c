use super::*;
use crate::audio::frames::{FRAME, HOP};
use proptest::prelude::*;
use std::f64::consts::TAU;

/// The definition in f64, term by term: each band's power.
fn reference(frame: &[f32]) -> [f64; BANDS] {
    let hann = |n: usize| 0.5 - 0.5 * (TAU * n as f64 / 200.0).cos();
    let power: Vec<f64> = (0..=128)
        .map(|k| {
            let angle = |n: usize| TAU * ((k * n) % 256) as f64 / 256.0;
            let windowed = |n: usize| f64::from(frame[n]) * hann(n);
            let re: f64 = (0..200).map(|n| windowed(n) * angle(n).cos()).sum();
            let im: f64 = (0..200).map(|n| windowed(n) * angle(n).sin()).sum();
            re * re + im * im
        })
        .collect();
    let mel = |hz: f64| 2595.0 * (1.0 + hz / 700.0).log10();
    let edge = |m: usize| {
        let mel = mel(60.0) + (mel(3800.0) - mel(60.0)) * m as f64 / 41.0;
        700.0 * (10_f64.powf(mel / 2595.0) - 1.0)
    };
    std::array::from_fn(|m| {
        let weight = |hz: f64| {
            let rise = (hz - edge(m)) / (edge(m + 1) - edge(m));
            rise.min((edge(m + 2) - hz) / (edge(m + 2) - edge(m + 1))).max(0.0)
        };
        power.iter().enumerate().map(|(k, power)| power * weight(31.25 * k as f64)).sum()
    })
}

fn features(samples: &[f32], chunk: usize) -> Vec<(u64, [f32; BANDS])> {
    let (mut mel, mut all) = (Mel::new(), Vec::new());
    for part in samples.chunks(chunk) {
        mel.push(part, |at, bands| all.push((at, *bands)));
    }
    all
}

/// The greatest error in ln over all bands within 50 dB of the frame's loudest. Below, the noise of
/// f32 arithmetic, some −140 dB of the loudest, begins to count; no G.711 line gets there.
fn greatest_error(samples: &[f32]) -> f64 {
    let mut greatest = 0.0_f64;
    for (at, bands) in features(samples, 160) {
        let expected = reference(&samples[at as usize..][..FRAME]);
        let loudest = expected.iter().copied().fold(0.0, f64::max);
        for (band, expected) in bands.iter().zip(expected) {
            if expected > loudest * 1e-5 {
                let floored = expected.max(f64::from(FLOOR)).ln();
                greatest = greatest.max((f64::from(*band) - floored).abs());
            }
        }
    }
    greatest
}

fn ulaw(sound: impl Iterator<Item = f64>) -> Vec<f32> {
    let code = |x: f64| audio_codec_algorithms::encode_ulaw((x * 32767.0) as i16);
    let decode = |code| f32::from(audio_codec_algorithms::decode_ulaw(code)) / 32768.0;
    sound.map(code).map(decode).collect()
}

#[test]
fn equals_the_definition() {
    let mut rng = fastrand::Rng::with_seed(5);
    let swell = |n: usize| (n as f64 / 900.0).sin().powi(4);
    let pulses = |n: usize| if n % 67 < 5 { 0.8 } else { -0.06 };
    let tone = |n: usize| 0.9 * (TAU * 440.0 * n as f64 / 8000.0).sin();
    let noise: Vec<f32> = (0..4000).map(|_| rng.f32() - 0.5).collect();
    for (name, sound) in [
        ("voice", ulaw((0..4000).map(|n| swell(n) * pulses(n)))),
        ("tone", ulaw((0..4000).map(tone))),
        ("faint tone", ulaw((0..4000).map(|n| 0.001 * tone(n)))),
        ("onset", ulaw((0..4000).map(|n| if n < 2000 { 2e-4 * tone(n * 7) } else { tone(n) }))),
        ("noise", noise),
        ("silence", vec![0.0; 1000]),
    ] {
        let error = greatest_error(&sound);
        assert!(error < 1e-4, "{name}: {error}");
    }
}

#[test]
fn silence_is_the_floor() {
    let all = features(&[0.0; 360], 77);
    assert_eq!(all.len(), 3);
    assert_eq!(all[2].0, 2 * HOP as u64);
    assert!(all.iter().flat_map(|(_, bands)| bands).all(|band| (band + 23.026).abs() < 1e-3));
}

#[test]
fn every_bin_of_the_inner_bands_counts_once() {
    let bank = Filterbank::new();
    for bin in 4..110 {
        let mut power = [0.0; BINS];
        power[bin] = 1.0;
        let sum: f32 = bank.log_mel(&power).iter().map(|band| band.exp()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "bin {bin}: {sum}");
    }
}

#[test]
fn the_logarithm_is_close() {
    let mut x = FLOOR;
    while x < 1e9 {
        let error = (f64::from(ln(x)) - f64::from(x).ln()).abs();
        assert!(error < 2e-6, "ln {x}: {error}");
        x *= 1.000_37;
    }
    assert_eq!(ln(1.0), 0.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn chunking_changes_nothing_and_nothing_panics(
        samples in proptest::collection::vec(any::<f32>(), 0..3000), chunk in 1_usize..1700,
    ) {
        let all = features(&samples, chunk);
        prop_assert_eq!(&all, &features(&samples, 160));
        prop_assert!(all.iter().flat_map(|(_, bands)| bands).all(|band| band.is_finite()));
    }

    #[test]
    fn gain_only_shifts(gain in 0.1_f32..4.0, seed in 0_u64..99) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let quiet: Vec<f32> = (0..800).map(|_| 0.4 * rng.f32() - 0.2).collect();
        let loud: Vec<f32> = quiet.iter().map(|sample| sample * gain).collect();
        for (quiet, loud) in features(&quiet, 160).iter().zip(features(&loud, 160)) {
            for (quiet, loud) in quiet.1.iter().zip(loud.1) {
                prop_assert!((loud - quiet - 2.0 * gain.ln()).abs() < 1e-4);
            }
        }
    }
}
