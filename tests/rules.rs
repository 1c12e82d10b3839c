//! What the rule engine promises, on the shipped packs and the spoken calls.

mod common;

use std::sync::Arc;

use lineclear::call::{Leg, Origin, Signal, SignalKind, Utterance};
use lineclear::config::{Config, Levels};
use lineclear::rules::{Level, Rulebook, SHIPPED, Screen, Verdict, load};
use lineclear::time::CallTime;
use proptest::prelude::*;

fn levels() -> Levels {
    Config::parse("").expect("defaults").levels
}

fn screen(book: &Arc<Rulebook>) -> Screen {
    Screen::new(Arc::clone(book), levels(), Origin::Unknown)
}

fn say(leg: Leg, at_s: u64, text: &str) -> Utterance {
    Utterance {
        leg,
        start: CallTime(at_s * 1000),
        end: CallTime(at_s * 1000 + 900),
        text: text.to_owned().into(),
        confidence: None,
        is_final: true,
    }
}

/// Rule ids and rounded weights: what two verdicts must share to be the same.
fn essence(book: &Rulebook, verdict: &Verdict) -> (Level, i64, Vec<(String, i64)>) {
    let thousandths = |value: f64| (value * 1000.0).round() as i64;
    let mut hits: Vec<_> = verdict
        .hits
        .iter()
        .map(|hit| (book.rules[hit.rule].id.clone(), thousandths(hit.weight)))
        .collect();
    hits.sort();
    (verdict.level, thousandths(verdict.score), hits)
}

fn ids(book: &Rulebook, verdict: &Verdict) -> Vec<String> {
    essence(book, verdict).2.into_iter().map(|(id, _)| id).collect()
}

#[test]
fn the_order_of_packs_and_rules_does_not_matter() {
    let mut sources = SHIPPED.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let forward = Arc::new(load(&sources).expect("shipped packs"));
    sources.reverse();
    for (_, text) in &mut sources {
        // The rules of a pack in reverse; what stands before the first rule stays in front.
        let mut parts: Vec<&str> = text.split("[[rule]]").collect();
        parts[1..].reverse();
        *text = parts.join("\n[[rule]]");
    }
    let backward = Arc::new(load(&sources).expect("shipped packs, reversed"));
    for (name, call) in common::spoken_calls() {
        let (mut one, mut other) = (screen(&forward), screen(&backward));
        for turn in &call.turns {
            let (a, b) = (one.hear(&turn.utterance()), other.hear(&turn.utterance()));
            assert_eq!(essence(&forward, &a.verdict), essence(&backward, &b.verdict), "{name}");
        }
    }
}

#[test]
fn a_phrase_split_over_two_utterances_is_the_same_phrase() {
    let book = Arc::new(common::rulebook());
    for (name, call) in common::spoken_calls() {
        for turn in call.turns.iter().filter(|turn| turn.leg == "remote") {
            let mut whole = screen(&book);
            let expected = ids(&book, &whole.hear(&turn.utterance()).verdict);
            let words: Vec<&str> = turn.text.split(' ').collect();
            for at in 1..words.len() {
                let mut halves = screen(&book);
                let mut first = turn.utterance();
                first.text = words[..at].join(" ").into();
                let mut second = turn.utterance();
                second.text = words[at..].join(" ").into();
                halves.hear(&first);
                let found = ids(&book, &halves.hear(&second).verdict);
                let missing: Vec<_> = expected.iter().filter(|id| !found.contains(id)).collect();
                assert!(missing.is_empty(), "{name}: {missing:?} lost at word {at}: {}", turn.text);
            }
        }
    }
}

#[test]
fn a_revised_partial_leaves_no_trace() {
    let book = Arc::new(common::rulebook());
    for (name, call) in common::spoken_calls() {
        let (mut plain, mut revised) = (screen(&book), screen(&book));
        for turn in &call.turns {
            for guess in ["a courier will collect the cash", "tell nobody, withdraw cash", ""] {
                let mut partial = turn.utterance();
                partial.text = guess.to_owned().into();
                partial.is_final = false;
                revised.hear(&partial);
            }
            let (a, b) = (plain.hear(&turn.utterance()), revised.hear(&turn.utterance()));
            assert_eq!(a, b, "{name}");
        }
    }
}

#[test]
fn a_partial_counts_while_it_stands() {
    let book = Arc::new(common::rulebook());
    let mut screen = screen(&book);
    let mut partial = say(Leg::Remote, 1, "please withdraw five thousand pounds in cash");
    partial.is_final = false;
    assert!(screen.hear(&partial).verdict.score > 5.0);
    partial.text = "please draw the curtains".to_owned().into();
    assert_eq!(screen.hear(&partial).verdict.score, 0.0);
}

#[test]
fn every_verdict_above_quiet_lists_its_hits() {
    let book = Arc::new(common::rulebook());
    for (_, call) in common::spoken_calls() {
        let mut screen = screen(&book);
        for turn in &call.turns {
            let verdict = screen.hear(&turn.utterance()).verdict;
            assert!(verdict.level == Level::Quiet || !verdict.hits.is_empty());
            assert!(verdict.hits.is_sorted_by(|a, b| a.weight >= b.weight));
        }
    }
}

#[test]
fn who_speaks_decides() {
    let book = Arc::new(common::rulebook());
    let score = |leg| {
        let mut screen = screen(&book);
        screen
            .hear(&say(leg, 1, "You must withdraw the cash, and do not tell anyone."))
            .verdict
            .score
    };
    assert_eq!(score(Leg::Protected), 0.0);
    assert!(score(Leg::Remote) > 15.0);
    assert_eq!(score(Leg::Mixed), score(Leg::Remote));
}

#[test]
fn negation_and_hearsay_are_found_but_do_not_count() {
    let book = Arc::new(common::rulebook());
    for text in [
        "We will never ask you to withdraw cash or to transfer your money to a safe account.",
        "They say you must withdraw cash.",
    ] {
        let mut screen = screen(&book);
        let heard = screen.hear(&say(Leg::Remote, 1, text));
        assert!(!heard.findings.is_empty(), "{text}");
        assert!(heard.findings.iter().all(|finding| finding.cue.is_some()), "{text}");
        assert!(heard.verdict.score < 4.0, "{text}: {}", heard.verdict.score);
    }
}

#[test]
fn a_negation_in_one_sentence_does_not_cancel_the_next() {
    let book = Arc::new(common::rulebook());
    let mut screen = screen(&book);
    let text = "I will never ask for that. Now withdraw five thousand pounds in cash.";
    assert!(screen.hear(&say(Leg::Remote, 1, text)).verdict.score > 10.0);
}

#[test]
fn evidence_fades_to_its_floor_and_not_below() {
    let book = Arc::new(common::rulebook());
    let mut screen = screen(&book);
    let text = "Put the cash in an envelope, a courier will collect it. Do not tell anyone.";
    let fresh = screen.hear(&say(Leg::Remote, 1, text)).verdict.score;
    let hour = screen.hear(&say(Leg::Remote, 3600, "Hello?")).verdict.score;
    let day = screen.hear(&say(Leg::Remote, 86_400, "Hello?")).verdict.score;
    assert!(hour < fresh && hour > fresh * 0.4, "{fresh} {hour}");
    assert!((day - hour).abs() < 1.0, "{hour} {day}");
}

#[test]
fn a_demand_without_a_pretext_stays_below_warning() {
    let book = Arc::new(common::rulebook());
    let mut screen = screen(&book);
    let demand = "Withdraw the cash, put it in an envelope, a taxi will come to collect it.";
    let alone = screen.hear(&say(Leg::Remote, 1, demand)).verdict;
    assert_eq!(alone.level, Level::Caution, "{}", alone.score);
    let why = "This is Detective Sergeant Cole from the Metropolitan Police.";
    assert!(screen.hear(&say(Leg::Remote, 5, why)).verdict.level >= Level::Warning);
}

#[test]
fn a_dial_tone_counts_only_from_the_far_leg() {
    let book = Arc::new(common::rulebook());
    let mut screen = screen(&book);
    let tone = |leg| Signal { leg, at: CallTime(9000), kind: SignalKind::DialTone };
    assert_eq!(screen.note(&tone(Leg::Remote)).0.score, 0.0, "the exchange's, before anyone spoke");
    for (at, leg) in [Leg::Remote, Leg::Protected, Leg::Mixed].into_iter().enumerate() {
        screen.hear(&say(leg, at as u64, "Hello?"));
    }
    assert_eq!(screen.note(&tone(Leg::Protected)).0.score, 0.0);
    assert_eq!(screen.note(&tone(Leg::Mixed)).0.score, 0.0);
    let (verdict, rules) = screen.note(&tone(Leg::Remote));
    assert!(verdict.score > 10.0 && rules.len() == 1);
}

#[test]
fn the_origin_of_the_call_shifts_the_start() {
    let book = Arc::new(common::rulebook());
    let mut known = Screen::new(Arc::clone(&book), levels(), Origin::KnownContact);
    let mut unknown = screen(&book);
    let words = say(Leg::Remote, 1, "Do not tell anyone.");
    let (a, b) = (known.hear(&words).verdict.score, unknown.hear(&words).verdict.score);
    assert!((b - a - 10.0).abs() < 1e-9);
}

const SCAM: &str = "This is Detective Sergeant Cole from the Metropolitan Police. Withdraw the \
                    cash, and do not tell anyone.";

/// Long, repetitive and hostile text costs time in proportion to its length, and what is said
/// after it is still heard. A quadratic engine would need hours for it, and the test would never
/// end.
#[test]
fn hostile_text_is_bounded_and_blinds_nobody() {
    let book = Arc::new(common::rulebook());
    let words = ["courier ", "withdraw ", "do not tell ", "nine ", "thousand ", "' . ? ", "ß"];
    for word in words {
        let mut screen = screen(&book);
        for at in 0..4 {
            let text = word.repeat(250_000 / word.len());
            screen.hear(&say(Leg::Remote, at, &text));
        }
        let heard = screen.hear(&say(Leg::Remote, 5, SCAM));
        assert!(heard.verdict.level >= Level::Warning, "{word}: {:?}", heard.verdict);
        assert!(!heard.findings.is_empty(), "{word}");
    }
}

#[test]
fn a_pretext_stays_given_however_long_the_call() {
    let book = Arc::new(common::rulebook());
    let demand = "Withdraw the cash, put it in an envelope, a taxi will come to collect it.";
    for minutes in [0, 20, 180] {
        let mut screen = screen(&book);
        screen.hear(&say(
            Leg::Remote,
            1,
            "This is Sergeant Cole of Kent Police. Your card was cloned.",
        ));
        let verdict = screen.hear(&say(Leg::Remote, 10 + minutes * 60, demand)).verdict;
        assert!(verdict.level >= Level::Warning, "{minutes} min: {}", verdict.score);
    }
}

#[test]
fn what_was_heard_plainly_is_not_undone_by_hearsay() {
    let book = Arc::new(common::rulebook());
    let end = |second: &str| {
        let mut screen = screen(&book);
        screen.hear(&say(Leg::Remote, 1, "We need you to withdraw the cash today."));
        screen.hear(&say(Leg::Remote, 1800, second));
        screen.hear(&say(Leg::Remote, 9000, "Hello?")).verdict.score
    };
    let (plain, hearsay) = (end("Hello?"), end("They say you must withdraw the cash."));
    assert!(hearsay >= plain - 1e-9, "{hearsay} {plain}");
}

#[test]
fn a_partial_of_one_party_leaves_no_trace_in_a_final_of_the_other() {
    let book = Arc::new(common::rulebook());
    let mut screen = screen(&book);
    let mut partial = say(Leg::Remote, 1, SCAM);
    partial.is_final = false;
    assert!(screen.hear(&partial).verdict.level >= Level::Warning);
    let verdict = screen.hear(&say(Leg::Protected, 2, "Hello?")).verdict;
    assert_eq!((verdict.level, verdict.hits.len()), (Level::Quiet, 0));
}

proptest! {
    #[test]
    fn no_words_panic_and_spans_lie_within_the_text(
        texts in proptest::collection::vec(vocabulary(), 1..12),
    ) {
        let book = book();
        let mut screen = screen(&book);
        for (number, text) in texts.iter().enumerate() {
            let heard = screen.hear(&say(Leg::Remote, number as u64, text));
            for finding in heard.findings {
                prop_assert!(text.get(finding.span).is_some());
            }
        }
    }
}

fn book() -> Arc<Rulebook> {
    static BOOK: std::sync::OnceLock<Arc<Rulebook>> = std::sync::OnceLock::new();
    Arc::clone(BOOK.get_or_init(|| Arc::new(common::rulebook())))
}

/// Sentences of words that rules look for, and of anything at all.
fn vocabulary() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("withdraw"),
        Just("courier"),
        Just("cash"),
        Just("never ask"),
        Just("they say"),
        Just("police"),
        Just("your card"),
        Just("do not tell anyone"),
        Just("£3,000."),
        Just("it's"),
        Just("five thousand pounds"),
        Just("hundred thousand"),
        Just("and one oh"),
        Just("nine nine nine"),
        Just("safe account"),
        Just("é?"),
    ];
    prop_oneof![
        proptest::collection::vec(word, 0..15).prop_map(|words| words.join(" ")),
        "\\PC{0,60}",
    ]
}
