//! The spoken calls in tests/calls, from audio and from their true transcripts: every scam is
//! warned of before money, card or code is asked for, and no look-alike passes caution.

mod common;

use std::sync::Arc;

use common::{Expect, SpokenCall};
use lineclear::alert::watch::{Outcome, Watch};
use lineclear::audio::voice::{Endpointing, WINDOW};
use lineclear::call::{Origin, Sound};
use lineclear::config::Config;
use lineclear::edge::hear::{Ears, Hearing};
use lineclear::edge::ingest::recording::{Block, Options, Recording};
use lineclear::edge::models::Model;
use lineclear::rules::{Level, Rulebook, Screen};
use lineclear::speech::silero::VoiceState;

fn watch(book: &Arc<Rulebook>) -> Watch {
    let levels = Config::parse("").expect("defaults").levels;
    Watch::new(Screen::new(Arc::clone(book), levels, Origin::Unknown))
}

fn from_transcript(call: &SpokenCall, book: &Arc<Rulebook>) -> Outcome {
    let mut watch = watch(book);
    for turn in &call.turns {
        let utterance = turn.utterance();
        let at = utterance.end;
        let _ = watch.take(Sound::Speech(utterance), at);
    }
    watch.end()
}

/// The outcome, and everything that was recognised.
fn from_audio(call: &SpokenCall, book: &Arc<Rulebook>, ears: &mut Ears) -> (Outcome, String) {
    let path = common::calls_dir().join(&call.recording);
    let mut recording = Recording::open(&path, &Options::default()).expect("a recording");
    let (mut watch, mut heard) = (watch(book), String::new());
    let mut hearing = Hearing::new(recording.layout(), Endpointing::default());
    hearing
        .recording(&mut recording, ears, |at, sounds| {
            for sound in sounds.drain(..) {
                if let Sound::Speech(utterance) = &sound {
                    heard.push_str(utterance.text.reveal());
                    heard.push(' ');
                }
                let _ = watch.take(sound, at);
            }
            Ok::<_, Box<dyn std::error::Error>>(())
        })
        .expect("a sound recording");
    (watch.end(), heard)
}

fn problems(expect: &Expect, outcome: &Outcome) -> Vec<String> {
    let mut problems = Vec::new();
    let level = outcome.highest();
    if expect.at_least().is_some_and(|least| level < least) {
        problems.push(format!("only {level}, score {:.0}", outcome.worst.score));
    }
    if expect.at_most().is_some_and(|most| level > most) {
        problems.push(format!("already {level}, score {:.0}", outcome.worst.score));
    }
    if expect.stage().is_some_and(|stage| outcome.verdict.stage != Some(stage)) {
        problems.push(format!("reached {:?}", outcome.verdict.stage));
    }
    let late = |by: &u64| outcome.warned_at().is_none_or(|at| at.0 > *by);
    if let Some(by) = expect.warn_by_ms.filter(late) {
        problems.push(format!("warned at {:?}, later than {by} ms", outcome.warned_at()));
    }
    problems
}

fn report(all: Vec<(String, Vec<String>)>) {
    let bad: Vec<_> = all.into_iter().filter(|(_, problems)| !problems.is_empty()).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}

#[test]
fn there_are_four_scams_and_four_look_alikes_and_each_says_what_it_expects() {
    let calls = common::spoken_calls();
    let scams = calls.iter().filter(|(_, call)| {
        let expect = &call.expect;
        expect.at_least() >= Some(Level::Warning)
            && expect.warn_by_ms.is_some()
            && expect.stage().is_some()
    });
    let alikes = calls.iter().filter(|(_, call)| call.expect.at_most() <= Some(Level::Caution));
    let alikes = alikes.filter(|(_, call)| call.expect.at_most().is_some());
    assert!(scams.count() >= 4 && alikes.count() >= 4);
    for (name, call) in &calls {
        assert!(!call.about.is_empty() && call.turns.len() > 5, "{name}");
    }
}

#[test]
fn the_true_transcripts_are_judged_as_expected() {
    let book = Arc::new(common::rulebook());
    let judge = |(name, call): (String, SpokenCall)| {
        let problems = problems(&call.expect, &from_transcript(&call, &book));
        (name, problems)
    };
    report(common::spoken_calls().into_iter().map(judge).collect());
}

#[test]
fn voices_are_judged_together_as_they_are_alone() {
    let mut ears = Ears::load(&common::models(), Model::Tiny).expect("models");
    let silero = ears.voice_model();
    let path = common::calls_dir().join(&common::spoken_calls()[0].1.recording);
    let mut recording = Recording::open(&path, &Options::default()).expect("a recording");
    let (mut block, mut legs) = (Block::default(), [Vec::new(), Vec::new()]);
    // Long enough that either party has spoken: the second begins after nine seconds.
    while legs[0].len() < 12 * 8_000 && recording.next_block(&mut block).expect("audio") {
        legs.iter_mut().zip(&block.legs).for_each(|(leg, block)| leg.extend(block));
    }
    let windows = |leg: usize| legs[leg].as_chunks::<WINDOW>().0;
    let alone: Vec<Vec<f32>> = (0..2)
        .map(|leg| {
            let mut state = VoiceState::default();
            let judge = |window| {
                state.pass(window);
                silero.add(&state);
                silero.run().expect("the model");
                silero.take(0, &mut state)
            };
            windows(leg).iter().map(judge).collect()
        })
        .collect();
    let mut states = [VoiceState::default(), VoiceState::default()];
    for (at, (remote, protected)) in windows(0).iter().zip(windows(1)).enumerate() {
        // In either order: who is added first has nothing to do with whose it is.
        let order = if at % 2 == 0 { [0, 1] } else { [1, 0] };
        for leg in order {
            states[leg].pass([remote, protected][leg]);
            silero.add(&states[leg]);
        }
        silero.run().expect("the model");
        for (place, leg) in order.into_iter().enumerate() {
            let together = silero.take(place, &mut states[leg]);
            let difference = (together - alone[leg][at]).abs();
            assert!(difference < 1e-3, "window {at}, leg {leg}: {difference}");
        }
    }
    assert!(alone.iter().all(|leg| leg.iter().any(|voice| *voice > 0.9)), "somebody speaks");
}

#[test]
fn the_recordings_are_judged_as_expected() {
    let mut ears = Ears::load(&common::models(), Model::Tiny).expect("models");
    let book = Arc::new(common::rulebook());
    let judge = |(name, call): (String, SpokenCall)| {
        let (outcome, heard) = from_audio(&call, &book, &mut ears);
        let mut problems = problems(&call.expect, &outcome);
        let (errors, words) = word_errors(&call, &heard);
        // A fifth of the words wrong on clean synthetic speech would mean that the path is broken:
        // a resampler out of step, a cache mixed up, segments cut short.
        if errors * 5 > words {
            problems.push(format!("{errors} of {words} words wrong"));
        }
        (name, problems)
    };
    report(common::spoken_calls().into_iter().map(judge).collect());
}

/// Word errors (substituted, inserted, left out) after the normalisation that rules go through.
fn word_errors(call: &SpokenCall, heard: &str) -> (usize, usize) {
    let normal = |text: &str| -> Vec<String> {
        lineclear::rules::words::words(text).into_iter().map(|word| word.text.to_string()).collect()
    };
    let mut turns: Vec<_> = call.turns.iter().collect();
    turns.sort_by_key(|turn| turn.start_ms);
    let truth = normal(&turns.iter().map(|t| t.text.as_str()).collect::<Vec<_>>().join(" "));
    let heard = normal(heard);
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (i, word) in truth.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for j in 0..heard.len() {
            let replaced = corner + usize::from(*word != heard[j]);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    (row[heard.len()], truth.len())
}
