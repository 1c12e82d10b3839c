//! What screening costs: `cargo bench`. Prints figures and ratios; docs/performance.md keeps them.
//!
//! One thread throughout. The first column is the figure, the second its ratio to what is needed.
#![allow(clippy::disallowed_methods)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use lineclear::audio::keypad::Keypad;
use lineclear::audio::progress::Progress;
use lineclear::audio::voice::{Endpointing, WINDOW};
use lineclear::call::Origin;
use lineclear::config::Config;
use lineclear::edge::hear::{Ears, Hearing};
use lineclear::edge::ingest::recording::{Block, Options, Recording};
use lineclear::edge::models::Model;
use lineclear::rules::{Rulebook, Screen};
use lineclear::speech::scripted::Scripted;

/// Two-leg speech that one core must screen in a second, with the tiny model.
const NEEDED: f64 = 20.0;

/// Peak memory that screening may take, in MB.
const MEMORY: f64 = 300.0;

fn main() {
    let store = common::models();
    let book = Arc::new(common::rulebook());
    let model = if std::env::args().any(|arg| arg == "base") { Model::Base } else { Model::Tiny };
    let mut ears = Ears::load(&store, model).expect("models");
    let calls = recordings();
    let seconds: f64 = calls.iter().map(|blocks| blocks.len() as f64 * 0.02).sum();
    println!("{} two-leg calls, {seconds:.0} s, model {model}", calls.len());

    let whole = best_of(3, || hear_all(&calls, &mut ears));
    let speed = seconds / whole.as_secs_f64();
    row("two-leg calls, × real time on one core", speed, speed / NEEDED, "needed 20");
    let memory = peak_memory_mb();
    row("peak memory, MB", memory, memory / MEMORY, "at most 300");

    let mut deaf = ears.with_recogniser(Box::new(Scripted::default()));
    let voice = best_of(3, || hear_all(&calls, &mut deaf));
    let share = voice.as_secs_f64() / whole.as_secs_f64();
    let frames = calls.iter().map(Vec::len).sum::<usize>() as f64 * 2.0;
    row("before recognition, µs a 20 ms frame and leg", micros(voice) / frames, share, "of all");

    let tones = best_of(3, || {
        let (mut progress, mut keypad) = (Progress::new(), Keypad::new());
        calls.iter().flatten().for_each(|block| {
            progress.push(&block.legs[0], |found| _ = std::hint::black_box(found));
            keypad.push(&block.legs[0], |key| _ = std::hint::black_box(key));
        });
    });
    let share = 2.0 * tones.as_secs_f64() / whole.as_secs_f64();
    row(
        "tones and keys, µs a 20 ms frame and leg",
        micros(tones) / (frames / 2.0),
        share,
        "of all",
    );

    let (rules, utterances) = rules(&book);
    let each = micros(rules) / utterances as f64;
    row("rules, µs an utterance", each, 50_000.0 / each, "× below 50 ms");
    println!("({} rules; windows of {WINDOW} samples)", book.rules.len());
}

fn row(what: &str, figure: f64, ratio: f64, of: &str) {
    println!("{what:48} {figure:10.2} {ratio:10.3} {of}");
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn best_of(runs: usize, mut work: impl FnMut()) -> Duration {
    (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

/// The spoken calls, decoded beforehand.
fn recordings() -> Vec<Vec<Block>> {
    let read = |name: &str| {
        let path = common::calls_dir().join(name);
        let mut recording = Recording::open(&path, &Options::default()).expect("a recording");
        let (mut blocks, mut block) = (Vec::new(), Block::default());
        while recording.next_block(&mut block).expect("audio") {
            blocks.push(block.clone());
        }
        blocks
    };
    common::spoken_calls().iter().map(|(_, call)| read(&call.recording)).collect()
}

fn hear_all(calls: &[Vec<Block>], ears: &mut Ears) {
    for blocks in calls {
        let layout = lineclear::edge::ingest::recording::Layout::TwoLegs;
        let mut hearing = Hearing::new(layout, Endpointing::default());
        let mut sounds = Vec::new();
        for block in blocks {
            hearing.push(block, ears, &mut sounds).expect("models");
        }
        hearing.finish(ears, &mut sounds).expect("models");
    }
}

/// Time for the true transcripts of all calls, a hundred times over, and how many utterances.
fn rules(book: &Arc<Rulebook>) -> (Duration, usize) {
    let calls = common::spoken_calls();
    let levels = Config::parse("").expect("defaults").levels;
    let utterances: Vec<Vec<_>> = calls
        .iter()
        .map(|(_, call)| call.turns.iter().map(common::Turn::utterance).collect())
        .collect();
    let time = best_of(3, || {
        for call in std::iter::repeat_n(&utterances, 100).flatten() {
            let mut screen = Screen::new(Arc::clone(book), levels, Origin::Unknown);
            for utterance in call {
                std::hint::black_box(screen.hear(utterance));
            }
        }
    });
    (time, utterances.iter().map(Vec::len).sum::<usize>() * 100)
}

/// The most memory that this process has held, from the kernel; 0 where it does not say.
fn peak_memory_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}
