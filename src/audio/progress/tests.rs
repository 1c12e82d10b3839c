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

/// White noise in −1…1.
fn noise(ms: usize) -> Vec<f32> {
    let mut random = fastrand::Rng::with_seed(1);
    (0..ms * 8).map(|_| 2.0 * random.f32() - 1.0).collect()
}

fn sum(a: &[f32], b: &[f32], gain: f32) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a + gain * b).collect()
}

/// What is found, pushed in parts of so many samples.
fn found(samples: &[f32], chunk: usize) -> Vec<Found> {
    let (mut progress, mut all) = (Progress::new(), Vec::new());
    samples.chunks(chunk).for_each(|part| progress.push(part, |found| all.push(found)));
    all
}

fn names(samples: &[f32]) -> Vec<&'static str> {
    found(samples, 160).iter().map(|found| found.tone.name()).collect()
}

#[test]
fn a_dial_tone_is_recognised_once_after_400_ms() {
    for before in [0, 7, 1000] {
        let all = found(&[silence(before), dial_tone(3000)].concat(), 160);
        assert_eq!(all.len(), 1);
        let ms = all[0].at / 8 - before as u64;
        assert!((385..=450).contains(&ms), "after {ms} ms");
        assert!(all[0].start.abs_diff(before as u64 * 8) <= 240, "{all:?}");
    }
}

#[test]
fn a_second_tone_is_another_one_but_a_click_ends_none() {
    let twice = [dial_tone(800), silence(500), dial_tone(800)].concat();
    assert_eq!(names(&twice), ["dial", "dial"]);
    for click in 1..50 {
        let clicked = [dial_tone(800), silence(click), dial_tone(800)].concat();
        assert_eq!(names(&clicked), ["dial"], "{click} ms");
    }
}

#[test]
fn short_or_faint_tones_are_not_enough() {
    assert_eq!(names(&[dial_tone(340), silence(500)].concat()), [""; 0]);
    assert_eq!(names(&[dial_tone(300), silence(100)].concat().repeat(10)), [""; 0]);
    // −51 dBFS a tone are −48 together; 0.0048 makes −43.
    assert_eq!(names(&tones(&[(350.0, 0.0028), (440.0, 0.0028)], 2000)), [""; 0]);
    assert_eq!(names(&tones(&[(350.0, 0.0048), (440.0, 0.0048)], 2000)), ["dial"]);
}

#[test]
fn tolerances_of_line_and_exchange() {
    let with_noise = |gain| sum(&dial_tone(2000), &noise(2000), gain);
    assert_eq!(names(&with_noise(0.03)), ["dial"], "15 dB above noise");
    assert_eq!(names(&with_noise(0.2)), [""; 0], "below noise");
    let hum = sum(&dial_tone(2000), &tones(&[(50.0, 0.3)], 2000), 1.0);
    assert_eq!(names(&hum), ["dial"], "mains hum");
    for off in [0.985, 1.015] {
        let detuned = tones(&[(350.0 * off, 0.1), (440.0 * off, 0.1)], 2000);
        assert_eq!(names(&detuned), ["dial"], "detuned by {off}");
    }
    for (low, high) in [(0.1, 0.16), (0.16, 0.1)] {
        let twisted = tones(&[(350.0, low), (440.0, high)], 2000);
        assert_eq!(names(&twisted), ["dial"], "4 dB of twist");
    }
    let companded: Vec<f32> = dial_tone(2000)
        .iter()
        .map(|x| audio_codec_algorithms::encode_alaw((x * 32767.0) as i16))
        .map(|code| f32::from(audio_codec_algorithms::decode_alaw(code)) / 32768.0)
        .collect();
    assert_eq!(names(&companded), ["dial"], "A-law");
}

#[test]
fn other_tones_are_no_dial_tone() {
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
        let all = names(&tones(parts, 1500));
        assert!(all.is_empty(), "{name}: {all:?}");
    }
    assert_eq!(names(&noise(5000)), [""; 0]);
}

#[test]
fn a_fading_third_of_the_same_notes_is_music() {
    // A quarter of the amplitude every 400 ms, as of a struck string.
    let fading: Vec<f32> = dial_tone(3000)
        .iter()
        .enumerate()
        .map(|(n, x)| x * 0.25_f32.powf(n as f32 / 3200.0))
        .collect();
    assert_eq!(names(&fading), [""; 0]);
}

#[test]
fn gaps_must_be_quiet() {
    let burst = tones(&[(480.0, 0.1), (620.0, 0.1)], 500);
    assert_eq!(names(&[burst.clone(), silence(500)].concat().repeat(3)), ["busy"]);
    let other = tones(&[(700.0, 0.15)], 500);
    assert_eq!(names(&[burst, other].concat().repeat(3)), [""; 0]);
}

#[test]
fn a_start_is_that_of_the_tone_and_not_of_one_before() {
    let all = found(&call(0), 160);
    // After 600 + 400 ms; 1600 of ringing; 2000 of busy.
    let starts = [0, 1000, 2600, 4600];
    assert_eq!(all.len(), starts.len());
    for (found, start) in all.iter().zip(starts) {
        assert!(found.start.abs_diff(start * 8) <= 240, "{found:?}");
    }
}

#[test]
fn a_tone_that_comes_back_is_reported_again() {
    let busy = [tones(&[(400.0, 0.1)], 375), silence(375)].concat().repeat(4);
    let later = |ms| [busy.clone(), silence(ms), busy.clone()].concat();
    assert_eq!(names(&later(1000)), ["busy_uk"]);
    assert_eq!(names(&later(8000)), ["busy_uk", "busy_uk"]);
}

#[test]
fn what_is_not_a_number_is_not_a_tone() {
    for bad in [f32::NAN, f32::INFINITY, f32::MAX] {
        assert_eq!(names(&[bad; 8000]), [""; 0]);
        // A millisecond is a click; more of them end the tone.
        let damaged = |ms: usize| [dial_tone(300), vec![bad; ms * 8], dial_tone(1000)].concat();
        assert_eq!(names(&damaged(1)), ["dial"], "{bad}");
        let all = found(&damaged(100), 160);
        assert!(all.len() == 1 && all[0].at > 3200 + 3000, "only after the damage: {all:?}");
    }
}

#[test]
fn names_are_one_each() {
    let mut names: Vec<_> = Tone::ALL.iter().map(|tone| tone.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Tone::ALL.len());
}

/// A call with several tones, after so many samples of silence.
fn call(lead: usize) -> Vec<f32> {
    let ringing = tones(&[(400.0, 0.1), (450.0, 0.1)], 400);
    let ringing = [ringing.clone(), silence(200), ringing, silence(600)].concat();
    let busy = [tones(&[(425.0, 0.1)], 500), silence(500)].concat().repeat(2);
    let answer = tones(&[(2100.0, 0.1)], 700);
    [vec![0.0; lead], dial_tone(600), silence(400), ringing, busy, answer].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn chunking_changes_nothing(chunk in 1_usize..2000, lead in 0_usize..600) {
        let samples = call(lead);
        let all = found(&samples, chunk);
        prop_assert_eq!(all.len(), 4);
        prop_assert_eq!(all, found(&samples, 160));
    }

    #[test]
    fn gain_changes_nothing(db in -15.0_f32..10.0, lead in 0_usize..600) {
        let mut samples = call(lead);
        let all = found(&samples, 160);
        samples.iter_mut().for_each(|sample| *sample *= 10_f32.powf(db / 20.0));
        prop_assert_eq!(found(&samples, 160), all);
    }

    #[test]
    fn noise_of_any_colour_is_no_tone(seed: u64, smoothing in 0.0_f32..0.98) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut last = 0.0;
        let mut sample = || {
            last = smoothing * last + (1.0 - smoothing) * (2.0 * random.f32() - 1.0);
            last
        };
        let samples: Vec<f32> = (0..80_000).map(|_| sample()).collect();
        prop_assert_eq!(found(&samples, 160), []);
    }

    #[test]
    fn any_float_is_survived(
        bits in proptest::collection::vec(any::<u32>(), 0..3000),
        chunk in 1_usize..700,
    ) {
        let samples: Vec<f32> = bits.into_iter().map(f32::from_bits).collect();
        let after = [samples, dial_tone(800)].concat();
        prop_assert_eq!(found(&after, chunk).len(), 1);
    }
}
