//! Call-progress tones: what is found, how soon, and what is not taken for one.

use lineclear::audio::progress::{Found, Progress, Tone};

use super::synth::{RATE, add, amplitude, noise, silence, tones, ulaw};

/// Frequencies in Hz and a duration in ms; silence has no frequencies.
type Segment = (&'static [f64], f64);

/// A tone, one period of its cadence, and by when it must be found, in ms.
const CADENCES: [(Tone, &[Segment], u64); 16] = [
    (Tone::Dial, &[(&[350.0, 440.0], 10_000.0)], 450),
    (Tone::DialEu, &[(&[425.0], 10_000.0)], 2000),
    (Tone::Busy, &[(&[480.0, 620.0], 500.0), (&[], 500.0)], 1700),
    (Tone::BusyUk, &[(&[400.0], 375.0), (&[], 375.0)], 1350),
    (Tone::BusyEu, &[(&[425.0], 500.0), (&[], 500.0)], 1700),
    (Tone::Reorder, &[(&[480.0, 620.0], 250.0), (&[], 250.0)], 950),
    (Tone::CongestionUk, &[(&[400.0], 400.0), (&[], 350.0), (&[400.0], 225.0), (&[], 525.0)], 1150),
    (Tone::CongestionEu, &[(&[425.0], 240.0), (&[], 240.0)], 900),
    (Tone::UnobtainableUk, &[(&[400.0], 10_000.0)], 2000),
    (Tone::Ringback, &[(&[440.0, 480.0], 2000.0), (&[], 4000.0)], 2300),
    (
        Tone::RingbackUk,
        &[(&[400.0, 450.0], 400.0), (&[], 200.0), (&[400.0, 450.0], 400.0), (&[], 2000.0)],
        1200,
    ),
    (Tone::RingbackEu, &[(&[425.0], 1000.0), (&[], 4000.0)], 3700),
    (
        Tone::Sit,
        &[(&[950.0], 330.0), (&[1400.0], 330.0), (&[1800.0], 330.0), (&[], 20_000.0)],
        1000,
    ),
    (Tone::Cng, &[(&[1100.0], 500.0), (&[], 3000.0)], 1200),
    (Tone::Ans, &[(&[2100.0], 3300.0), (&[], 9000.0)], 450),
    (Tone::Bell, &[(&[2225.0], 10_000.0)], 450),
];

/// So much of the cadence, each tone at this level, by an exchange whose clock is off by a factor.
fn cadence(segments: &[Segment], dbm0: f64, clock: f64, ms: f64) -> Vec<f32> {
    let mut sound = Vec::new();
    for (hz, long) in segments.iter().cycle() {
        let parts: Vec<_> = hz.iter().map(|hz| (hz * clock, dbm0)).collect();
        sound.extend(tones(&parts, long / clock));
        if sound.len() as f64 >= ms * RATE as f64 / 1000.0 {
            return sound;
        }
    }
    sound
}

fn found(sound: &[f32]) -> Vec<Found> {
    let (mut progress, mut all) = (Progress::new(), Vec::new());
    sound.chunks(160).for_each(|part| progress.push(part, |found| all.push(found)));
    all
}

fn names(sound: &[f32]) -> Vec<&'static str> {
    found(sound).iter().map(|found| found.tone.name()).collect()
}

fn noisy(mut sound: Vec<f32>, dbm0: f64, seed: u64) -> Vec<f32> {
    let ms = sound.len() as f64 * 1000.0 / RATE as f64;
    add(&mut sound, &noise(dbm0, ms, seed));
    sound
}

#[test]
fn every_tone_is_found_once_and_in_time_under_every_condition() {
    for (tone, segments, latency) in CADENCES {
        for level in [-10.0, -20.0, -30.0] {
            let clean = |clock| {
                let sound = cadence(segments, level, clock, 8000.0);
                [silence(500.0), sound, silence(1000.0)].concat()
            };
            let conditions = [
                ("clean", clean(1.0)),
                ("clock +1 %", clean(1.01)),
                ("clock −1 %", clean(0.99)),
                ("S/N 20 dB", noisy(clean(1.0), level - 20.0, 1)),
                ("S/N 10 dB", noisy(clean(1.0), level - 10.0, 2)),
                ("S/N 10 dB and clock +1 %", noisy(clean(1.01), level - 10.0, 3)),
                ("S/N 10 dB and clock −1 %", noisy(clean(0.99), level - 10.0, 4)),
                ("µ-law", ulaw(&clean(1.0))),
            ];
            for (condition, sound) in conditions {
                let all = found(&sound);
                let name = format!("{} at {level} dBm0, {condition}: {all:?}", tone.name());
                assert!(all.len() == 1 && all[0].tone == tone, "{name}");
                let limit = 4000 + latency * 8 * 101 / 100;
                assert!((4000..=limit).contains(&all[0].at), "late: {name}");
                assert!(all[0].start.abs_diff(4000) <= 256, "start: {name}");
            }
        }
    }
}

#[test]
fn a_tone_that_is_joined_in_its_midst_gets_no_other_name() {
    let mut rng = fastrand::Rng::with_seed(7);
    for (tone, segments, _) in CADENCES.into_iter().filter(|known| known.0 != Tone::Sit) {
        let sound = cadence(segments, -20.0, 1.0, 17_000.0);
        for _ in 0..8 {
            let joined = &sound[rng.usize(..60_000)..];
            let all = names(joined);
            assert!(all.iter().all(|name| *name == tone.name()), "{}: {all:?}", tone.name());
            assert!(!all.is_empty() || tone == Tone::Ans, "{}", tone.name());
        }
    }
}

#[test]
fn one_tone_after_another() {
    let short = |wanted: Tone| {
        let (_, segments, _) = CADENCES.into_iter().find(|known| known.0 == wanted)?;
        Some([cadence(segments, -15.0, 1.0, 5000.0), silence(1000.0)].concat())
    };
    let call = [Tone::Dial, Tone::RingbackUk, Tone::Sit, Tone::BusyUk, Tone::Cng, Tone::Ans];
    let sound: Vec<f32> = call.into_iter().filter_map(short).flatten().collect();
    assert_eq!(names(&sound), call.map(Tone::name));
}

#[test]
fn answer_tones_of_all_kinds() {
    for (reversals, modulation) in [(false, 0.0), (true, 0.0), (false, 0.2), (true, 0.2)] {
        let mut sound = tones(&[(2100.0, -20.0)], 3300.0);
        for (n, sample) in sound.iter_mut().enumerate() {
            let seconds = n as f64 / RATE as f64;
            let reversed = reversals && (seconds / 0.45) as usize % 2 == 1;
            let envelope = 1.0 + modulation * (std::f64::consts::TAU * 15.0 * seconds).sin();
            *sample *= (if reversed { -envelope } else { envelope }) as f32;
        }
        let sound = [silence(300.0), sound, silence(500.0)].concat();
        for sound in [noisy(sound.clone(), -30.0, 5), ulaw(&sound)] {
            let all = found(&sound);
            assert!(all.len() == 1 && all[0].tone == Tone::Ans, "{reversals} {modulation} {all:?}");
            assert!(all[0].at < (300 + 450) * 8, "{reversals} {modulation} {all:?}");
        }
    }
}

#[test]
fn tones_in_the_pauses_of_speech() {
    for seed in 0..10 {
        let tone = tones(&[(350.0, -20.0), (440.0, -20.0)], 1000.0);
        let before = speech(3000.0, seed);
        let all = found(&[before.as_slice(), &tone, &speech(3000.0, seed + 10)].concat());
        assert_eq!(all.len(), 1, "{all:?}");
        let within = before.len() as u64..before.len() as u64 + 4000;
        assert!(all[0].tone == Tone::Dial && within.contains(&all[0].at), "{all:?}");
    }
}

/// Harmonics below 3400 Hz of a pitch that changes with each syllable, in 88–250 Hz.
fn speech(ms: f64, seed: u64) -> Vec<f32> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut sound = Vec::new();
    while (sound.len() as f64) < ms * RATE as f64 / 1000.0 {
        let pitch = 88.0 + 162.0 * rng.f64();
        let formants = [300.0 + 500.0 * rng.f64(), 900.0 + 1400.0 * rng.f64()];
        let level = |hz: f64| {
            let near = formants.iter().map(|formant| ((hz - formant) / 150.0).abs());
            -16.0 - 6.0 * near.fold(6.0, f64::min)
        };
        let harmonics = (1..40).map(|k| pitch * f64::from(k)).filter(|hz| *hz < 3400.0);
        let parts: Vec<_> = harmonics.map(|hz| (hz, level(hz))).collect();
        let voiced = tones(&parts, 80.0 + 420.0 * rng.f64());
        sound.extend(voiced.iter().enumerate().map(|(n, x)| x * (n as f32 / 400.0).min(1.0)));
        sound.extend(silence(250.0 * rng.f64()));
    }
    noisy(sound, -50.0, seed)
}

/// The frequency of a key of the piano; 49 is A4.
fn key(number: u32) -> f64 {
    440.0 * 2.0_f64.powf((f64::from(number) - 49.0) / 12.0)
}

/// Struck or held notes with a few harmonics, all beginning together.
fn notes(keys: &[u32], decay_db_a_second: f64, ms: f64) -> Vec<f32> {
    let harmonics = |&number| {
        [(1.0, -18.0), (2.0, -26.0), (3.0, -32.0)].map(move |(k, dbm0)| (key(number) * k, dbm0))
    };
    let parts: Vec<_> = keys.iter().flat_map(harmonics).filter(|part| part.0 < 3400.0).collect();
    let loudness = |n: usize| {
        let db = -decay_db_a_second * n as f64 / RATE as f64;
        (amplitude(db) / amplitude(0.0)) as f32
    };
    tones(&parts, ms).iter().enumerate().map(|(n, x)| x * loudness(n)).collect()
}

#[test]
fn speech_is_no_tone() {
    for seed in 0..8 {
        assert_eq!(names(&speech(30_000.0, seed)), [""; 0], "seed {seed}");
    }
}

#[test]
fn held_vowels_are_no_tone() {
    for pitch in 88..=250 {
        let parts: Vec<_> = (1..14).map(|k| (f64::from(pitch * k), -14.0 - f64::from(k))).collect();
        assert_eq!(names(&tones(&parts, 3000.0)), [""; 0], "{pitch} Hz");
    }
}

#[test]
fn music_is_no_tone() {
    // Held, the next key's 2093 Hz has no harmonic below 3400 Hz, and is an answer tone.
    for number in 28..=75 {
        let struck = [notes(&[number], 25.0, 480.0), silence(20.0)].concat().repeat(6);
        assert_eq!(names(&struck), [""; 0], "struck key {number}");
        assert_eq!(names(&notes(&[number], 0.0, 3000.0)), [""; 0], "held key {number}");
        for chord in [[0, 4, 7], [0, 3, 7], [0, 5, 9]] {
            let keys = chord.map(|up| number + up);
            assert_eq!(names(&notes(&keys, 8.0, 3000.0)), [""; 0], "chord {keys:?}");
            for long in [250.0, 375.0, 500.0] {
                let arpeggio = keys.map(|number| notes(&[number], 12.0, long)).concat();
                assert_eq!(names(&arpeggio.repeat(3)), [""; 0], "{keys:?}, {long} ms each");
            }
        }
    }
    // F4 and A4 are the notes of the dial tone.
    for decay in [12.0, 30.0] {
        assert_eq!(names(&notes(&[45, 49], decay, 3000.0)), [""; 0], "struck third");
    }
}

#[test]
fn other_signals_are_no_tone() {
    for low in [697.0, 770.0, 852.0, 941.0] {
        for high in [1209.0, 1336.0, 1477.0, 1633.0] {
            let digit = tones(&[(low, -10.0), (high, -10.0)], 500.0);
            let keyed = [digit, silence(500.0)].concat().repeat(4);
            assert_eq!(names(&keyed), [""; 0], "DTMF {low} + {high}");
        }
    }
    for hum in [50.0, 60.0] {
        let parts: Vec<_> = (1..12).map(|k| (hum * f64::from(k), -f64::from(10 + k))).collect();
        assert_eq!(names(&tones(&parts, 5000.0)), [""; 0], "hum of {hum} Hz");
    }
    for level in [-5.0, -20.0, -40.0] {
        assert_eq!(names(&noise(level, 60_000.0, 9)), [""; 0], "noise at {level} dBm0");
    }
    for (hz, ms) in [(1000.0, 10_000.0), (412.0, 10_000.0), (395.0, 300.0), (1100.0, 3000.0)] {
        let tone = [tones(&[(hz, -10.0)], ms), silence(3000.0)].concat();
        assert_eq!(names(&tone), [""; 0], "{hz} Hz for {ms} ms");
    }
}

#[test]
fn frequencies_next_to_each_other_are_told_apart() {
    let busy = |hz: f64, clock: f64| {
        let burst = tones(&[(hz * clock, -20.0)], 437.0);
        let sound = [burst, silence(437.0)].concat().repeat(5);
        names(&noisy(sound, -30.0, 3))
    };
    for clock in [0.99, 1.0, 1.01] {
        assert_eq!(busy(400.0, clock), ["busy_uk"]);
        assert_eq!(busy(425.0, clock), ["busy_eu"]);
        assert_eq!(busy(450.0, clock), [""; 0]);
    }
}
