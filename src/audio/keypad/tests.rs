use super::*;
use proptest::prelude::*;
use std::f64::consts::TAU;

/// Keys of 50 ms with pauses of 50 ms, after `lead` samples of silence.
fn dialled(digits: &str, amplitude: f64, lead: usize) -> Vec<f32> {
    let mut sound = vec![0.0; lead];
    for digit in digits.chars() {
        let is_it = |event: &u8| Digit::from_event(*event).map(Digit::as_char) == Some(digit);
        let row = EVENTS.iter().position(|row| row.iter().any(is_it)).expect("a digit");
        let column = EVENTS[row].iter().position(is_it).expect("a digit");
        let [low, high] = [pair::LOW[row], pair::HIGH[column]].map(|hz| TAU * hz / 8000.0);
        let sample = |n: f64| amplitude * ((low * n).sin() + (high * n).sin());
        sound.extend((0..400).map(|n| sample(f64::from(n)) as f32).chain([0.0; 400]));
    }
    sound
}

fn found(sound: &[f32], chunk: usize) -> Vec<Key> {
    let mut keypad = Keypad::new();
    let mut keys = Vec::new();
    sound.chunks(chunk).for_each(|chunk| keypad.push(chunk, |key| keys.push(key)));
    keys
}

fn heard(sound: &[f32]) -> String {
    found(sound, 160).iter().map(|key| key.digit.as_char()).collect()
}

#[test]
fn all_keys_are_heard() {
    assert_eq!(heard(&dialled("123A456B789C*0#D", 0.1, 0)), "123A456B789C*0#D");
}

#[test]
fn a_long_key_with_a_short_interruption_is_one() {
    for ms in [100, 400, 800, 3000] {
        for gap in [5, 10, 20] {
            let key = |ms: usize| {
                let [low, high] = [pair::LOW[2], pair::HIGH[2]].map(|hz| TAU * hz / 8000.0);
                let sample =
                    move |n: usize| 0.1 * ((low * n as f64).sin() + (high * n as f64).sin());
                (0..ms * 8).map(move |n| sample(n) as f32)
            };
            let gap = std::iter::repeat_n(0.0, gap * 8);
            let sound: Vec<f32> =
                key(ms).chain(gap.clone()).chain(key(100)).chain([0.0; 800]).collect();
            assert_eq!(heard(&sound), "9", "{ms} ms, interrupted for {} samples", gap.count());
        }
    }
}

#[test]
fn debug_output_names_no_digit() {
    let keys = found(&dialled("7", 0.1, 0), 160);
    assert_eq!(format!("{:?}", keys[0].digit), "Digit([private])");
    assert_eq!(format!("{:?}", Keypad::new()), "Keypad { taken: 0, .. }");
}

#[test]
fn what_is_not_a_number_is_silence() {
    for damage in [f32::NAN, f32::INFINITY, f32::MAX, -1e30] {
        let mut sound = dialled("12", 0.1, 100);
        sound.splice(500..500, [damage; 64]);
        assert_eq!(heard(&sound), "12");
        assert_eq!(heard(&[damage; 8000]), "");
    }
}

#[test]
fn a_key_on_the_first_and_on_the_last_sample() {
    let keys = found(&dialled("4", 0.1, 0)[..400], 7);
    assert_eq!(keys.len(), 1);
    assert!(keys[0].start < 16 && keys[0].at <= 320, "{keys:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn chunking_changes_nothing(chunk in 1_usize..2000, lead in 0_usize..300) {
        let sound = dialled("15#55D", 0.2, lead);
        prop_assert_eq!(found(&sound, chunk), found(&sound, 160));
    }

    #[test]
    fn neither_gain_nor_start_matter(decibels in -40.0_f64..-6.1, lead in 0_usize..300) {
        let sound = dialled("15#55D", 10_f64.powf(decibels / 20.0), lead);
        prop_assert_eq!(heard(&sound), "15#55D");
    }

    #[test]
    fn noise_of_any_level_is_no_key(seed in any::<u64>(), decibels in -60.0_f32..0.0) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let gain = 10_f32.powf(decibels / 20.0);
        let sound: Vec<f32> = (0..40_000).map(|_| gain * (2.0 * rng.f32() - 1.0)).collect();
        prop_assert_eq!(heard(&sound), "");
    }

    #[test]
    fn arbitrary_samples_never_panic_and_never_stick(
        garbage in prop::collection::vec(any::<f32>(), 0..2000),
    ) {
        let sound = [garbage, dialled("09", 0.1, 400)].concat();
        prop_assert!(heard(&sound).ends_with("09"));
    }
}
