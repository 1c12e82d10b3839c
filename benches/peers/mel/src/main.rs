//! The crate mel_spec on raw µ-law, for comparison with `cargo bench --bench tones`: mel-peer FILE.
//!
//! Its fastest way, a whole recording at once; ours works on blocks of 20 ms.

use std::hint::black_box;

use mel_spec::mel::{BatchLogMelConfig, BatchLogMelSpectrogram};

const RUNS: usize = 11;

fn main() {
    let file = std::env::args().nth(1).expect("mel-peer FILE: raw µ-law");
    let codes = std::fs::read(file).expect("a readable file");
    let decode = |code: &u8| f32::from(audio_codec_algorithms::decode_ulaw(*code)) / 32768.0;
    let sound: Vec<f32> = codes.iter().map(decode).collect();
    let config = BatchLogMelConfig {
        sample_rate: 8000,
        n_fft: 256,
        win_length: 200,
        hop_length: 80,
        n_mels: 40,
        f_min: 60.0,
        f_max: Some(3800.0),
        htk: true,
        norm: false,
        center: false,
        ..Default::default()
    };
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let begin = busy_seconds();
            let mel = BatchLogMelSpectrogram::new(config.clone()).expect("a known configuration");
            black_box(mel.compute_flat(&sound).expect("features"));
            busy_seconds() - begin
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("  {:44} {:9.0}", "mel_spec, 40 bands", sound.len() as f64 / 8000.0 / times[RUNS / 2]);
}

fn busy_seconds() -> f64 {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = times.split(' ').next().and_then(|time| time.parse::<f64>().ok());
    nanoseconds.expect("a number") / 1e9
}
