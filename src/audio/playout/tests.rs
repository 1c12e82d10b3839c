use super::*;
use proptest::prelude::*;

const BLOCK: usize = 160;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A voice: never quiet, and each sample tells its place. Sample 0 is of the first packet.
fn voice(index: usize) -> f32 {
    (index % 8000 + 1000) as f32
}

/// A packet of a voice.
fn packet(block: usize) -> Vec<f32> {
    (0..BLOCK).map(|n| voice(block * BLOCK + n)).collect()
}

/// A leg, and all that its listener was given.
#[derive(Default)]
struct Line {
    playout: Playout,
    heard: Vec<f32>,
    block: Vec<f32>,
}

impl Line {
    fn push(&mut self, samples: &[f32], at: Duration) {
        self.take(at);
        self.playout.push(samples, at);
    }

    fn take(&mut self, until: Duration) {
        while {
            self.block.clear();
            let is_more = self.playout.take(until, &mut self.block);
            self.heard.extend(&self.block);
            is_more
        } {}
    }

    /// How many samples before the first that is not silent.
    fn lead(&self) -> usize {
        self.heard.iter().position(|sample| *sample != 0.0).unwrap_or(self.heard.len())
    }

    /// The lengths of all stretches of silence.
    fn holes(&self) -> Vec<usize> {
        let parts = self.heard.split(|sample| *sample != 0.0);
        parts.map(<[f32]>::len).filter(|length| *length > 0).collect()
    }
}

#[test]
fn a_leg_that_never_sends_is_silent() {
    let mut line = Line::default();
    line.take(ms(59));
    assert!(line.heard.is_empty());
    line.take(ms(5060));
    assert_eq!(line.heard, [0.0; 40_000]);
    line.take(ms(3000));
    line.push(&[], ms(6000));
    assert_eq!((line.heard.len(), line.holes()), (47_520, vec![47_520]));
}

#[test]
fn a_late_start_and_a_pressed_key_are_silence_of_their_length() {
    let mut line = Line::default();
    for n in 0..100 {
        let key = if n < 40 { 0 } else { 161 };
        line.push(&packet(n), ms(730 + 20 * n as u64 + key));
    }
    line.take(ms(5000));
    // 730 ms and the cushion; the key; what never came.
    assert_eq!(line.holes(), [750 * 8, 161 * 8, (4940 - 750 - 161 - 2000) * 8]);
    assert_eq!(line.playout.dropped(), 0);
}

#[test]
fn a_burst_is_kept_and_made_up_for_in_the_next_pause() {
    let mut line = Line::default();
    for n in 0..50 {
        line.push(&packet(n), ms(20 * n as u64));
    }
    // 400 ms come at once.
    for n in 50..200 {
        line.push(&packet(n), ms((20 * n as u64).max(1400)));
    }
    // The first packet came at 0, and is given 20 ms later.
    assert_eq!(line.lead(), 160);
    let given: Vec<_> = line.heard.iter().filter(|sample| **sample != 0.0).collect();
    assert!(given.iter().enumerate().all(|(n, sample)| **sample == voice(n)));
    let lag = |line: &Line, at: i64| line.playout.end() - at * MS;
    // The stall, the cushion and a packet; the listener's delay instead of the packet.
    assert_eq!((given.len(), lag(&line, 3980)), ((3980 - 420 - 60) * 8, 440 * MS));
    for n in 200..260 {
        line.push(&[0.003; BLOCK], ms(20 * n));
    }
    assert_eq!((lag(&line, 5180), line.playout.dropped()), (EARLY + 20 * MS, 0));
}

#[test]
fn what_is_no_pause_is_not_shortened() {
    let mut line = Line::default();
    line.push(&packet(0), ms(0));
    // Key by key, with half a second between, in a burst that is 400 ms late.
    let mut sent = Vec::new();
    for n in 0..100_u64 {
        let sound = if n % 26 == 0 { packet(n as usize) } else { vec![0.001; BLOCK] };
        line.push(&sound, ms((1000 + 20 * n).max(1400)));
        sent.extend(sound);
    }
    line.take(ms(5000));
    assert!(line.heard.windows(sent.len()).any(|heard| heard == sent));
    assert_eq!(line.playout.dropped(), 0);
}

#[test]
fn of_a_burst_that_is_too_long_the_newest_is_given() {
    let mut line = Line::default();
    line.push(&packet(0), ms(0));
    for n in 1..101 {
        line.push(&packet(n), ms(2000));
    }
    for n in 101..151 {
        line.push(&packet(n), ms(20 * n as u64));
    }
    line.take(ms(5000));
    let lost = line.playout.dropped() as usize;
    assert!((12_000 - 4000..16_000 - 2000).contains(&lost), "{lost}");
    // One hole between the first packet and the rest, which goes on without one.
    let holes = line.holes();
    assert_eq!(holes.len(), 3, "{holes:?}");
    let left = 1940 * 8 - 2 * BLOCK;
    assert!((left..left + 800).contains(&holes[1]), "{holes:?}");
    let last = line.heard.iter().rposition(|sample| *sample != 0.0).unwrap_or_default();
    assert_eq!(line.heard[last], voice(151 * BLOCK - 1));
}

#[test]
fn silence_that_is_still_to_be_given_goes_before_sound() {
    let mut line = Line::default();
    line.push(&packet(0), ms(0));
    // The 24th of them ends 500 ms after the cushion.
    for n in 1..=25 {
        line.push(&packet(n), ms(2000));
    }
    line.take(ms(3000));
    // 270 ms too much, 80 ms of which are the cushion and the delay.
    assert_eq!(line.playout.dropped(), 190 * 8);
    assert_eq!(line.heard[1940 * 8 - 1..][..2], [0.0, voice(BLOCK + 190 * 8)]);
}

#[test]
fn a_listener_that_is_ahead_of_the_packets_is_given_no_moment_twice() {
    let mut line = Line::default();
    line.playout.push(&packet(0), ms(0));
    line.take(ms(140));
    line.playout.push(&packet(1), ms(60));
    line.take(ms(1000));
    assert_eq!((line.heard.len(), line.holes()), (940 * 8, vec![160, 320, (940 - 100) * 8]));
    assert_eq!(line.playout.end(), 100 * MS);
}

#[test]
fn a_listener_that_does_not_come_finds_the_last_seconds_in_their_place() {
    let mut line = Line::default();
    for n in 0..1500 {
        line.playout.push(&packet(n), ms(20 * n as u64));
    }
    assert!(line.playout.held.capacity() <= 2 * ROOM);
    line.take(ms(30_000));
    assert_eq!((line.heard.len(), line.lead()), (29_940 * 8, 20_020 * 8));
    assert_eq!(line.heard[20_020 * 8], voice(20_000 * 8));
    assert_eq!(line.playout.dropped(), 20_000 * 8);
    line.playout.push(&packet(0), ms(30_000));
    line.playout.push(&packet(1), ms(50_000));
    line.take(ms(50_000));
    assert_eq!(line.playout.dropped(), 20_000 * 8 + 100 * 8);
}

#[test]
fn noise_is_told_from_quiet_words() {
    let noise = |seed: usize| -> Vec<f32> {
        (0..BLOCK).map(|n| ((n * 7919 + seed * 104_729) % 2001) as f32 / 1e5 - 0.01).collect()
    };
    let words: Vec<f32> = noise(3).iter().map(|sample| 3.0 * sample).collect();
    let lag = |pause: usize| {
        let mut line = Line::default();
        for n in 0..1000 {
            let sound = if n % 50 < pause { noise(n) } else { words.clone() };
            line.push(&sound, ms(20 * n as u64 + if n == 700 { 200 } else { 0 }));
        }
        assert_eq!(line.playout.dropped(), 0);
        line.playout.end() - 19_980 * MS
    };
    // Pauses of 400 ms are left alone; of those of 800 ms, what follows 500 ms is shortened.
    assert_eq!((lag(20), lag(40)), (240 * MS, EARLY + 20 * MS));
}

/// Half an hour of a leg whose clock is off, in packets that are shaken; gives the stretches of
/// silence within, how far ahead of its coming a packet ended at most, and what was dropped.
fn drift(ppm: i64, sound: impl Fn(usize) -> Vec<f32>) -> (Vec<usize>, i64, u64) {
    let mut line = Line::default();
    let (mut now, mut most) = (0, 0);
    let shake = |n: i64| n * n * 7919 % 30_000;
    for n in 0..1800 * 50 {
        now = now.max(20_000 * n + 20 * n * ppm / 1000 + shake(n));
        line.push(&sound(n as usize), Duration::from_micros(now as u64));
        most = most.max(line.playout.end() - now / 125);
    }
    assert_eq!(line.playout.held.capacity(), Playout::default().held.capacity());
    (line.holes()[1..].to_vec(), most, line.playout.dropped())
}

#[test]
fn a_clock_that_runs_fast_or_slow_is_followed_in_pauses() {
    // Three seconds of four.
    let is_voice = |n: usize| n % 200 < 150;
    let talk = |n| if is_voice(n) { vec![0.5; BLOCK] } else { vec![0.0; BLOCK] };
    for ppm in [-1000_i64, -200, 0, 200, 1000] {
        let (holes, most, dropped) = drift(ppm, talk);
        // Every pause is still there, none much longer or shorter, and there is no other.
        assert_eq!((holes.len(), dropped), (450, 0), "{ppm} ppm");
        assert!(holes[..449].iter().all(|hole| (940 * 8..1060 * 8).contains(hole)), "{ppm} ppm");
        assert!(most <= EARLY + 55 * MS, "{ppm} ppm: {most}");
    }
}

#[test]
fn a_clock_of_a_leg_that_never_pauses() {
    for (ppm, holes, cuts) in [(-200, 0, 0), (-400, 0, 2), (200, 4, 0)] {
        let found = drift(ppm, |_| vec![0.5; BLOCK]);
        let lost = (found.2 as i64 + 10 * MS) / (250 * MS);
        assert_eq!((found.0.len(), lost), (holes, cuts), "{ppm} ppm: {found:?}");
        assert!(found.0.iter().all(|hole| *hole < 100 * 8) && found.1 <= MOST);
    }
}

#[test]
fn moments_beyond_all_calls() {
    let mut playout = Playout::default();
    let mut samples = Vec::new();
    for at in [Duration::MAX, Duration::ZERO, Duration::MAX] {
        playout.push(&[0.5; BLOCK], at);
        assert!(playout.take(Duration::MAX, &mut samples));
    }
    assert_eq!(samples.len(), 3 * RATE as usize);
}

proptest! {
    #[test]
    fn every_moment_is_given_once_whatever_comes(
        steps in proptest::collection::vec((0..3000_u64, 0..3000_u64, 0_usize..6000), 1..60),
        samples in proptest::collection::vec(any::<f32>(), 6000),
    ) {
        let mut line = Line::default();
        let mut latest = 0;
        for (at, until, length) in steps {
            let (at, until) = (Duration::from_micros(at * 777), Duration::from_micros(until * 777));
            line.playout.push(&samples[..length], at);
            line.take(until);
            latest = latest.max(until.saturating_sub(DELAY).as_micros() / 125);
            prop_assert_eq!(line.heard.len() as u128, latest);
            prop_assert!(line.playout.held.len() <= ROOM);
            prop_assert!(line.playout.held.capacity() <= 2 * ROOM);
        }
    }

    #[test]
    fn shaken_packets_are_given_back_as_they_are(
        mut samples in proptest::collection::vec(-1.0_f32..1.0, 60 * BLOCK),
        shakes in proptest::collection::vec(0_u64..60_000, 60), start in 0_u64..500_000,
        pause in 0_usize..60 * BLOCK,
    ) {
        samples[pause..].iter_mut().for_each(|sample| *sample *= 0.001);
        let mut line = Line::default();
        let mut now = 0;
        let mut first = None;
        for (n, (packet, shake)) in samples.chunks(BLOCK).zip(shakes).enumerate() {
            now = now.max(start + 20_000 * n as u64 + shake);
            first = first.or(Some(now));
            line.push(packet, Duration::from_micros(now));
        }
        line.take(ms(5000));
        let lead = (first.unwrap_or_default() / 125) as usize + CUSHION as usize;
        prop_assert_eq!(&line.heard[..lead], &vec![0.0; lead]);
        prop_assert_eq!(&line.heard[lead..lead + samples.len()], &samples);
        prop_assert_eq!(line.playout.dropped(), 0);
    }

    #[test]
    fn a_gap_is_silence_of_its_length(
        gap in 101_u64..3000, shakes in proptest::collection::vec(0_u64..20_000, 60),
    ) {
        let mut line = Line::default();
        let mut now = 0;
        for (n, shake) in shakes.into_iter().enumerate() {
            let pause = if n < 30 { 0 } else { gap * 1000 };
            now = now.max(20_000 * n as u64 + pause + shake);
            line.push(&packet(n), Duration::from_micros(now));
        }
        line.take(ms(5000));
        let hole = line.holes()[1] as u64;
        prop_assert!((gap * 8).abs_diff(hole) <= 20 * 8, "{} samples", hole);
    }

    #[test]
    fn no_leg_lags_further_than_the_bound(
        pushes in proptest::collection::vec((0_u64..300, 1_usize..4000, any::<bool>()), 1..200),
    ) {
        let mut line = Line::default();
        let mut now = 0;
        for (pause, length, is_quiet) in pushes {
            now += pause;
            let sample = if is_quiet { 0.001 } else { 0.5 };
            line.push(&vec![sample; length], ms(now));
            let lag = line.playout.end() - now as i64 * MS;
            prop_assert!(lag <= MOST + 1, "{} samples", lag);
        }
    }
}
