//! The keypad under the conditions of ITU-T Q.24 and ETSI ES 201 235-3, through G.711.

use std::f64::consts::TAU;

use lineclear::audio::keypad::{Key, Keypad};

use super::synth::{add, noise, silence, tones, ulaw};

const LOW: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const HIGH: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
/// In the order of the keypad, row by row.
const DIGITS: &str = "123A456B789C*0#D";
/// One of every row and of every column.
const DIAGONAL: &str = "159D";

/// How a key is pressed.
#[derive(Clone, Copy)]
struct Press {
    /// Levels in dBm0.
    low: f64,
    high: f64,
    /// Deviations of the frequencies.
    low_off: f64,
    high_off: f64,
    ms: f64,
}

/// Both tones at −10 dBm0, for 50 ms.
const PLAIN: Press = Press { low: -10.0, high: -10.0, low_off: 0.0, high_off: 0.0, ms: 50.0 };

fn pressed(digit: char, press: Press) -> Vec<f32> {
    let place = DIGITS.find(digit).expect("a digit");
    let low = LOW[place / 4] * (1.0 + press.low_off);
    let high = HIGH[place % 4] * (1.0 + press.high_off);
    tones(&[(low, press.low), (high, press.high)], press.ms)
}

/// The keys one after the other, with pauses of 50 ms.
fn dialled(digits: &str, press: Press) -> Vec<f32> {
    let one = |digit| [pressed(digit, press), silence(50.0)].concat();
    digits.chars().flat_map(one).chain(silence(100.0)).collect()
}

fn found(sound: &[f32]) -> Vec<Key> {
    let mut keypad = Keypad::new();
    let mut keys = Vec::new();
    ulaw(sound).chunks(160).for_each(|chunk| keypad.push(chunk, |key| keys.push(key)));
    keys
}

fn heard(sound: &[f32]) -> String {
    found(sound).iter().map(|key| key.digit.as_char()).collect()
}

#[test]
fn every_key_is_heard_every_time() {
    let digits = DIGITS.repeat(10);
    assert_eq!(heard(&dialled(&digits, PLAIN)), digits);
}

#[test]
fn times_tell_when_it_began_and_when_it_was_known() {
    for lead in 0..64 {
        let sound = [vec![0.0; 800 + lead], pressed('6', PLAIN), silence(100.0)].concat();
        let keys = found(&sound);
        assert_eq!(keys.len(), 1);
        let start = 800 + lead as u64;
        assert!(keys[0].start.abs_diff(start) <= 16, "{} for {start}", keys[0].start);
        assert!(
            (240..=320).contains(&(keys[0].at - start)),
            "after {} samples",
            keys[0].at - start
        );
    }
}

#[test]
fn frequencies_within_two_per_cent_are_accepted_and_three_are_not() {
    for digit in DIGITS.chars() {
        for off in [-0.035, -0.03, -0.02, -0.015, 0.015, 0.02, 0.03, 0.035_f64] {
            let expected = if off.abs() <= 0.02 { 5 } else { 0 };
            let five = digit.to_string().repeat(5);
            for (low_off, high_off) in [(off, 0.0), (0.0, off), (off, off), (off, -off)] {
                let press = Press { low_off, high_off, ..PLAIN };
                let heard = heard(&dialled(&five, press));
                assert_eq!(heard.len(), expected, "{digit} {low_off} {high_off}");
            }
        }
    }
}

#[test]
fn frequencies_off_by_one_and_a_half_per_cent_are_accepted_in_noise() {
    for off in [-0.015, 0.015] {
        let press = Press { low_off: off, high_off: off, ..PLAIN };
        let mut sound = dialled(&DIGITS.repeat(10), press);
        add(&mut sound, &noise(-22.0, 30_000.0, 3));
        assert_eq!(heard(&sound), DIGITS.repeat(10));
    }
}

#[test]
fn twist_up_to_eight_and_four_decibels_is_accepted() {
    for digit in DIAGONAL.chars() {
        let twisted = |low, high| {
            let press = Press { low, high, ..PLAIN };
            heard(&dialled(&digit.to_string().repeat(5), press)).len()
        };
        assert_eq!([twisted(-5.0, -12.9), twisted(-5.0, -13.3)], [5, 0], "{digit} high weaker");
        assert_eq!([twisted(-8.9, -5.0), twisted(-9.3, -5.0)], [5, 0], "{digit} low weaker");
    }
}

#[test]
fn levels_over_48_decibels_are_accepted() {
    for level in -45..=3 {
        let level = f64::from(level);
        let press = Press { low: level, high: level, ..PLAIN };
        assert_eq!(heard(&dialled(DIGITS, press)), DIGITS, "{level} dBm0");
    }
    let press = Press { low: -48.0, high: -48.0, ..PLAIN };
    assert_eq!(heard(&dialled(DIGITS, press)), "");
}

#[test]
fn tones_of_34_ms_are_accepted_and_of_28_ms_are_not() {
    for (ms, expected) in [(40.0, DIGITS), (34.0, DIGITS), (28.0, ""), (23.0, "")] {
        for lead in 0..16 {
            let sound = dialled(DIGITS, Press { ms, ..PLAIN });
            assert_eq!(heard(&[vec![0.0; lead * 4], sound].concat()), expected, "{ms} ms");
        }
    }
}

#[test]
fn tones_of_40_ms_with_pauses_of_40_ms_are_heard_in_noise() {
    let press = Press { ms: 40.0, ..PLAIN };
    let one = |digit| [pressed(digit, press), silence(40.0)].concat();
    let digits = DIGITS.repeat(20) + &"1".repeat(100);
    let mut sound: Vec<f32> = digits.chars().flat_map(one).chain(silence(50.0)).collect();
    add(&mut sound, &noise(-18.0, 60_000.0, 11));
    assert_eq!(heard(&sound), digits);
}

#[test]
fn a_short_interruption_does_not_make_two_keys_of_one() {
    for lead in 0..16 {
        for (ms, expected) in [(5.0, "8"), (10.0, "8"), (20.0, "8"), (30.0, "88"), (40.0, "88")] {
            let part = pressed('8', PLAIN);
            let sound = [silence(f64::from(lead) / 2.0), part.clone(), silence(ms), part];
            let sound = [sound.concat(), silence(100.0)].concat();
            assert_eq!(heard(&sound), expected, "{ms} ms");
        }
    }
    let long = [pressed('8', Press { ms: 3000.0, ..PLAIN }), silence(50.0)].concat();
    assert_eq!(heard(&long), "8");
}

#[test]
fn another_key_needs_no_pause() {
    let keys = "1590".chars().flat_map(|digit| pressed(digit, PLAIN));
    assert_eq!(heard(&keys.chain(silence(50.0)).collect::<Vec<_>>()), "1590");
}

#[test]
fn a_thousand_keys_are_heard_in_noise() {
    for (below, seed) in [(26.0, 1), (12.0, 2), (7.0, 3), (6.0, 4), (5.0, 5)] {
        let digits: String = DIGITS.chars().cycle().take(1000).collect();
        let mut sound = dialled(&digits, PLAIN);
        add(&mut sound, &noise(-10.0 - below, 101_000.0, seed));
        let heard = heard(&sound);
        assert_eq!(heard, digits, "{below} dB below each tone");
    }
}

#[test]
fn a_dial_tone_beneath_does_no_harm() {
    for dial in [-30.0, -21.0, -18.0, -15.0] {
        let press = Press { low: -15.0, high: -15.0, ..PLAIN };
        let mut sound = dialled(&DIGITS.repeat(10), press);
        add(&mut sound, &tones(&[(350.0, dial), (440.0, dial)], 20_000.0));
        assert_eq!(heard(&sound), DIGITS.repeat(10), "{dial} dBm0");
    }
}

#[test]
fn other_tones_are_no_keys() {
    for (name, parts) in [
        ("a tone of the low group", &[(852.0, -8.0)][..]),
        ("a tone of the high group", &[(1477.0, -8.0)]),
        ("two of the low group", &[(697.0, -10.0), (941.0, -10.0)]),
        ("dial tone", &[(350.0, -10.0), (440.0, -10.0)]),
        ("American busy", &[(480.0, -10.0), (620.0, -10.0)]),
        ("special information", &[(950.0, -10.0), (1400.0, -10.0)]),
        ("answer tone", &[(2100.0, -10.0)]),
        ("1 with a third tone", &[(697.0, -10.0), (1209.0, -10.0), (1000.0, -10.0)]),
        ("R2 signalling", &[(1380.0, -10.0), (1500.0, -10.0)]),
        ("R1 signalling", &[(700.0, -10.0), (1300.0, -10.0)]),
        ("a voice at 100 Hz", &[(700.0, -10.0), (800.0, -14.0), (1200.0, -12.0), (1300.0, -16.0)]),
    ] {
        assert_eq!(heard(&[tones(parts, 1000.0), silence(50.0)].concat()), "", "{name}");
    }
}

#[test]
fn five_minutes_of_noise_are_no_keys() {
    for (level, seed) in [(-6.0, 21), (-20.0, 22), (-40.0, 23), (-55.0, 24), (-65.0, 25)] {
        assert_eq!(heard(&noise(level, 60_000.0, seed)), "", "{level} dBm0");
    }
}

/// Syllables of a voice: pulses of a gliding, trembling pitch and breath through three resonances
/// that move, with pauses between. The resonances cross the tones of the keys again and again.
fn voice(seconds: f64, seed: u64) -> Vec<f32> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut between = |low: f64, high: f64| low + (high - low) * rng.f64();
    let mut sound = Vec::new();
    while sound.len() < (seconds * 8000.0) as usize {
        let (pitch, glide, breath) = (between(80.0, 280.0), between(-0.2, 0.2), between(0.0, 0.1));
        let ways = [(400.0, 1000.0), (900.0, 2000.0), (2300.0, 2900.0)]
            .map(|(low, high)| (between(low, high), between(low, high)));
        let length = between(480.0, 2400.0) as usize;
        let (mut phase, mut source, mut memory) = (0.0, 0.0, [[0.0; 2]; 3]);
        for n in 0..length {
            let along = n as f64 / length as f64;
            phase += pitch * (1.0 + glide * along + between(-0.02, 0.02)) / 8000.0;
            let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
            phase -= pulse;
            source = 0.9 * source + pulse + breath * between(-1.0, 1.0);
            let mut sample = source;
            for ((from, to), memory) in ways.into_iter().zip(&mut memory) {
                let turn = TAU * (from + (to - from) * along) / 8000.0;
                let [last, before] = *memory;
                let resonance = 2.0 * 0.97 * turn.cos() * last - 0.97 * 0.97 * before;
                *memory = [sample * (1.0 - turn.cos()) + resonance, last];
                sample = memory[0];
            }
            sound.push((0.05 * sample).clamp(-1.0, 1.0) as f32);
        }
        sound.extend(silence(between(0.0, 150.0)));
    }
    sound
}

#[test]
fn a_voice_hardly_ever_makes_a_key() {
    // The resonances aim at the keys, which those of people do not.
    let heard = heard(&voice(1200.0, 31));
    assert!(heard.len() <= 3, "{heard} in twenty minutes");
}
