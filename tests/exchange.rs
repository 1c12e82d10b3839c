//! Events that an Asterisk 22 sent of calls of our own making (`tests/asterisk/events`, one file a
//! story), and what follows from them.

use std::path::Path;
use std::time::Duration;

use lineclear::config::{AsteriskLine, Tap};
use lineclear::pbx::action::{Action, Settings};
use lineclear::pbx::parties::Lines;
use lineclear::pbx::switchboard::Switchboard;
use lineclear::time::Now;
use lineclear::wire::ari::{Event, Request};

/// What the switchboard does about a story, a word for each step.
fn told(story: &str) -> Vec<String> {
    let line = AsteriskLine {
        line: "home".to_owned(),
        telephones: vec!["PJSIP/elder".to_owned()],
        trunks: Vec::new(),
    };
    let settings = Settings {
        lines: Lines::new(vec![line]),
        tap: Tap::Legs,
        host: "127.0.0.1:9092".to_owned(),
        sounds: "lineclear".to_owned(),
        end_call: Vec::new(),
        emergency: Vec::new(),
    };
    let mut board = Switchboard::new(settings, [0; 32]);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/asterisk/events").join(story);
    let text = std::fs::read_to_string(path.with_extension("jsonl")).expect("a story");
    let events = text.lines().map(|line| Event::parse(line).expect("an event"));
    let actions = events.enumerate().flat_map(|(at, event)| {
        assert_ne!(event, Event::Other, "line {at} is not read");
        board.take(&event, Now(Duration::from_millis(at as u64)))
    });
    actions.filter_map(|action| word(&action)).collect()
}

fn word(action: &Action) -> Option<String> {
    match action {
        Action::Begin { direction, .. } => Some(format!("{direction:?} begins")),
        Action::Key { leg, .. } => Some(format!("key {leg}")),
        Action::Dials { .. } => Some("dials".to_owned()),
        Action::End { .. } => Some("ends".to_owned()),
        Action::Ask(requests) => {
            let is_snoop = |it: &&Request| matches!(it, Request::Snoop { .. });
            requests.iter().find(is_snoop).map(|_| "listens".to_owned())
        }
        _ => None,
    }
}

#[test]
fn an_incoming_call_is_listened_to_on_both_legs_until_the_caller_is_dropped() {
    let told = told("incoming-call");
    let keys = told.iter().filter(|word| word.starts_with("key")).count();
    let rest: Vec<_> = told.iter().filter(|word| !word.starts_with("key")).collect();
    assert_eq!(rest, ["Incoming begins", "listens", "listens", "ends"]);
    assert!(keys > 0, "{told:?}");
}

#[test]
fn what_the_person_dials_is_known_before_anybody_answers() {
    assert_eq!(told("outgoing-call"), ["dials", "Outgoing begins", "listens", "listens"]);
}

#[test]
fn calls_that_wait_hold_and_are_handed_on_are_told_apart() {
    let (heard, dials) = (["listens"; 2], ["dials", "Outgoing begins", "listens", "listens"]);
    let begins = [&["Incoming begins"][..], &heard].concat();
    // One that nobody takes; one that waits while another comes and ends; then it ends too.
    let waits = [&begins[..], &begins, &["ends", "ends"]].concat();
    // Handed on; handed on after the person has rung somebody about it.
    let handed_on = [&begins[..], &["ends"], &begins, &dials, &["ends", "ends"]].concat();
    assert_eq!(told("calls-that-change"), [waits, handed_on].concat());
}

#[test]
fn a_call_that_nobody_takes_is_none() {
    assert_eq!(told("busy"), [""; 0]);
    assert_eq!(told("caller-gives-up"), [""; 0]);
}

#[test]
fn whoever_is_transferred_away_is_listened_to_no_more() {
    // The call that the person asks in, and the one that is handed over: of that the beginning is
    // not in the story.
    let attended = told("attended-transfer");
    assert_eq!(attended[..4], ["dials", "Outgoing begins", "listens", "listens"]);
    assert_eq!(attended.iter().filter(|word| *word == "ends").count(), 1, "{attended:?}");
}
