//! What listening costs before any word is recognised: `cargo bench --bench tones`.
//!
//! One thread, the spoken calls of `tests/calls`, in blocks of 20 ms; the time is that on the
//! processor, the median of 11 runs. The second column is the ratio to what is wanted: twice, or
//! for log-mel one and a half times, what the best library reaches on the machine of
//! `docs/performance.md`. `-- --write FILE` writes the same audio as raw µ-law, for other programs:
//! `benches/peers/run`.
#![allow(clippy::disallowed_methods)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;

use lineclear::audio::frames::Frames;
use lineclear::audio::gate::Gate;
use lineclear::audio::keypad::Keypad;
use lineclear::audio::mel::{Filterbank, Mel};
use lineclear::audio::meter::Meter;
use lineclear::audio::progress::Progress;
use lineclear::audio::voice::WINDOW;
use lineclear::edge::hear::Ears;
use lineclear::edge::ingest::recording::{Block, Options, Recording};
use lineclear::edge::models::Model;
use lineclear::speech::silero::VoiceState;

/// × real time of one leg: twice SpanDSP 0.0.6, twice its six tones, 1.5 × the crate mel_spec.
const KEYPAD: f64 = 30_000.0;
const PROGRESS: f64 = 10_800.0;
const MEL: f64 = 25_500.0;
/// Two-leg calls a core.
const CALLS: f64 = 2_000.0;
const RUNS: usize = 11;
const BLOCK: usize = 160;

fn main() {
    let legs = legs();
    let args: Vec<String> = std::env::args().collect();
    if let Some(at) = args.iter().position(|arg| arg == "--write") {
        let code = |x: &f32| audio_codec_algorithms::encode_ulaw((x * 32767.0) as i16);
        let codes: Vec<u8> = legs[0].iter().map(code).collect();
        std::fs::write(args.get(at + 1).expect("a file"), codes).expect("written");
        return;
    }
    let seconds = legs[0].len() as f64 / 8000.0;
    println!("{seconds:.0} s of a leg of spoken calls, × real time on one core");
    let one = |name, wanted, work: &dyn Fn()| {
        let speed = seconds / median_seconds(work);
        println!("  {name:44} {speed:9.0} {:6.2} of {wanted}", speed / wanted);
    };
    one("keys (DTMF)", KEYPAD, &|| keypad(&legs[0]));
    one("tones of an exchange, sixteen", PROGRESS, &|| progress(&legs[0]));
    one("log-mel, 40 bands", MEL, &|| mel(&legs[0]));
    one("gate, with its spectrum", MEL, &|| gate(&legs[0]));
    one("level, noise, clipping", MEL, &|| meter(&legs[0]));
    let all = seconds / median_seconds(&|| everything(&legs));
    let name = "all of it, spectrum shared: two-leg calls";
    println!("  {name:44} {all:9.0} {:6.2} of {CALLS}", all / CALLS);
    voices(&legs);
}

fn keypad(leg: &[f32]) {
    let mut keypad = Keypad::new();
    leg.chunks(BLOCK).for_each(|block| keypad.push(black_box(block), |key| _ = black_box(key)));
}

fn progress(leg: &[f32]) {
    let mut progress = Progress::new();
    leg.chunks(BLOCK).for_each(|block| progress.push(black_box(block), |it| _ = black_box(it)));
}

fn mel(leg: &[f32]) {
    let mut mel = Mel::new();
    leg.chunks(BLOCK).for_each(|block| mel.push(black_box(block), |_, it| _ = black_box(it)));
}

fn gate(leg: &[f32]) {
    let (mut frames, mut gate) = (Frames::new(), Gate::default());
    leg.chunks(BLOCK).for_each(|block| {
        frames.push(black_box(block), |_, power| _ = black_box(gate.opens(power)));
    });
}

fn meter(leg: &[f32]) {
    let mut meter = Meter::default();
    leg.chunks(BLOCK).for_each(|block| meter.push(black_box(block)));
    black_box(meter.measured());
}

/// Both legs of a call, block by block.
fn everything(legs: &[Vec<f32>; 2]) {
    let mut all: [_; 2] = std::array::from_fn(|_| {
        let (keypad, progress, frames) = (Keypad::new(), Progress::new(), Frames::new());
        (keypad, progress, frames, Filterbank::new(), Gate::default(), Meter::default())
    });
    for blocks in legs[0].chunks(BLOCK).zip(legs[1].chunks(BLOCK)) {
        for (one, block) in all.iter_mut().zip([blocks.0, blocks.1]) {
            let (keypad, progress, frames, bank, gate, meter) = one;
            keypad.push(block, |key| _ = black_box(key));
            progress.push(block, |found| _ = black_box(found));
            frames.push(block, |_, power| {
                black_box((bank.log_mel(power), gate.opens(power)));
            });
            meter.push(block);
        }
    }
}

/// What the neural detector of voice costs, for one leg and for many at once.
fn voices(legs: &[Vec<f32>; 2]) {
    let mut ears = Ears::load(&common::models(), Model::Tiny).expect("models");
    let silero = std::cell::RefCell::new(ears.voice_model());
    let (windows, _) = legs[0].as_chunks::<WINDOW>();
    let mut one = 0.0;
    for many in [1, 8, 32] {
        let judge = || {
            let (mut states, silero) =
                (vec![VoiceState::default(); many], &mut silero.borrow_mut());
            for windows in windows.chunks_exact(many) {
                for (state, window) in states.iter_mut().zip(windows) {
                    state.pass(window);
                    silero.add(state);
                }
                silero.run().expect("the model");
                let states = states.iter_mut().enumerate();
                states.for_each(|(leg, state)| _ = black_box(silero.take(leg, state)));
            }
        };
        let judged = windows.len() / many * many;
        let speed = (judged * WINDOW) as f64 / 8000.0 / median_seconds(&judge);
        if many == 1 {
            one = speed;
        }
        println!("  Silero, {many:2} legs at once {:>27.0} {:6.2} × one", speed, speed / one);
    }
}

/// The legs of all calls, one after the other, equally long.
fn legs() -> [Vec<f32>; 2] {
    let mut legs: [Vec<f32>; 2] = Default::default();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("calls").flatten().map(|file| file.path()).collect();
    files.sort();
    for path in files.iter().filter(|path| path.extension().is_some_and(|it| it == "wav")) {
        let mut recording = Recording::open(path, &Options::default()).expect("a recording");
        let mut block = Block::default();
        while recording.next_block(&mut block).expect("audio") {
            legs.iter_mut().zip(&block.legs).for_each(|(leg, block)| leg.extend(block));
        }
    }
    legs
}

/// The time that `work` takes on the processor.
fn median_seconds(work: &dyn Fn()) -> f64 {
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let begin = busy_seconds();
            work();
            busy_seconds() - begin
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[RUNS / 2]
}

/// Seconds that this thread has spent on a processor.
fn busy_seconds() -> f64 {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = times.split(' ').next().and_then(|time| time.parse::<f64>().ok());
    nanoseconds.expect("a number") / 1e9
}
