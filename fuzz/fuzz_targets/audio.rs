//! Any samples in blocks of any size, damaged ones too: `cargo +nightly fuzz run audio`.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use lineclear::audio::frames::Frames;
use lineclear::audio::gate::Gate;
use lineclear::audio::keypad::Keypad;
use lineclear::audio::mel::Filterbank;
use lineclear::audio::meter::Meter;
use lineclear::audio::playout::{DELAY, Playout};
use lineclear::audio::progress::Progress;

fuzz_target!(|bytes: &[u8]| {
    let Some((size, bytes)) = bytes.split_first() else { return };
    let (words, rest) = bytes.as_chunks::<4>();
    let mut samples: Vec<f32> = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
    // Bytes as sound, too: random bit patterns are hardly ever in −1…1.
    samples.extend(bytes.iter().chain(rest).map(|byte| f32::from(*byte) / 128.0 - 1.0));
    let (mut keypad, mut progress) = (Keypad::new(), Progress::new());
    let (mut frames, bank, mut gate) = (Frames::new(), Filterbank::new(), Gate::default());
    let mut meter = Meter::default();
    for block in samples.chunks(usize::from(*size) + 1) {
        keypad.push(block, |key| assert!(key.start <= key.at));
        progress.push(block, |found| assert!(found.start <= found.at));
        frames.push(block, |_, power| {
            assert!(bank.log_mel(power).iter().all(|band| band.is_finite()));
            gate.opens(power);
        });
        meter.push(block);
    }
    assert!(meter.measured().level_dbm0.is_finite());
    playout(bytes, &samples);
});

/// Packets and a listener at any moments: each moment is given once.
fn playout(bytes: &[u8], samples: &[f32]) {
    let (mut playout, mut given, mut all) = (Playout::default(), Vec::new(), 0);
    let mut latest = Duration::ZERO;
    for step in bytes.as_chunks::<3>().0 {
        let moment = |byte: u8| Duration::from_micros(u64::from(byte) * 12_345);
        let length = samples.len().min(usize::from(step[2]) * 20);
        playout.push(&samples[..length], moment(step[0]));
        latest = latest.max(moment(step[1]));
        while {
            given.clear();
            let is_more = playout.take(latest, &mut given);
            all += given.len() as u128;
            is_more
        } {}
        assert_eq!(all, latest.saturating_sub(DELAY).as_micros() / 125);
    }
}
