use crate::alert::desk::tests::*;
use crate::alert::desk::{Actions, Desk, Effect, Event, Refusal};
use crate::alert::record::Actor;
use crate::call::Direction;
use crate::rules::Level;

/// What is whispered, and what is dropped and connected: `drop dropped`, `drop 999`.
fn done(actions: &Actions) -> Vec<String> {
    let effects = actions.effects.iter();
    effects
        .filter_map(|effect| match effect {
            Effect::Whisper { level, .. } => Some(format!("whisper {}", level.name())),
            Effect::DropFarLeg { prompt, connect, .. } => {
                let prompt = prompt.as_ref().map(|prompt| prompt.name());
                Some(format!("drop {}", prompt.or(*connect).unwrap_or_default()))
            }
            _ => None,
        })
        .collect()
}

fn trick(desk: &mut Desk, dialled: Option<&'static str>, second: u64) -> Vec<String> {
    let event = Event::Trick { call: call("a"), dialled };
    done(&desk.handle(event, at(second)).expect("the call is up"))
}

#[test]
fn whoever_dials_while_the_caller_is_there_is_warned_at_once_and_each_time() {
    let mut desk = desk("");
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    assert_eq!(trick(&mut desk, Some("999"), 5), ["whisper warning"]);
    assert_eq!(trick(&mut desk, None, 6), ["whisper warning"], "also within the cooldown");
    let _ = ends(&mut desk, "a", 9);
    assert!(is_held(&mut desk, 10));
}

#[test]
fn where_the_person_is_protected_the_number_is_connected_on_a_fresh_leg() {
    let mut desk = desk("warn.mode = \"protect\"");
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    assert_eq!(trick(&mut desk, Some("159"), 5), ["whisper warning", "drop 159"]);
    assert_eq!(trick(&mut desk, Some("159"), 6), ["whisper warning"], "it is dropped once");
    let mut of_tone = self::desk("warn.mode = \"protect\"");
    let _ = rings(&mut of_tone, "a", SCAMMER, 0);
    assert_eq!(trick(&mut of_tone, None, 5), ["whisper warning", "drop dropped"]);
}

#[test]
fn the_others_are_told_of_a_trick() {
    let mut desk = desk("");
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    let event = Event::Trick { call: call("a"), dialled: Some("101") };
    let actions = desk.handle(event, at(1)).expect("the call is up");
    assert_eq!(told(&actions), ["level"]);
    let rules = &desk.incident(&call("a")).expect("an incident").record.rules;
    assert!(!rules.is_empty(), "a verdict has its reasons");
}

#[test]
fn a_call_that_the_person_made_is_no_trick_and_neither_is_one_that_is_only_observed() {
    let mut desk = desk("warn.mode = \"protect\"");
    let new = new_call("a", Direction::Outgoing, OTHER);
    let _ = desk.start_call(&new, at(0)).expect("it is watched");
    assert!(trick(&mut desk, Some("999"), 5).is_empty());
    let mut observed = self::desk("warn.mode = \"observe\"");
    let _ = rings(&mut observed, "a", SCAMMER, 0);
    assert!(trick(&mut observed, Some("999"), 5).is_empty());
    let unknown = Event::Trick { call: call("b"), dialled: None };
    assert_eq!(observed.handle(unknown, at(6)), Err(Refusal::NoCall));
}

#[test]
fn what_somebody_ends_is_dropped_and_the_line_is_held_after_it() {
    for by in [Actor::Person, carer()] {
        let mut desk = desk("");
        let end = || Event::EndCall { line: home(), call: None, by: by.clone() };
        assert_eq!(desk.handle(end(), at(0)), Err(Refusal::NoCallUp(home())));
        let _ = rings(&mut desk, "a", SCAMMER, 0);
        let actions = desk.handle(end(), at(1)).expect("a call is up");
        assert_eq!(done(&actions), ["drop dropped"]);
        assert!(!actions.records.is_empty(), "the audit log says who");
        let _ = ends(&mut desk, "a", 2);
        assert!(is_held(&mut desk, 3));
    }
}

#[test]
fn a_call_that_nobody_ended_and_nobody_suspects_holds_nothing() {
    let mut desk = desk("");
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    let _ = hear(&mut desk, "a", Level::Caution, 1);
    let _ = ends(&mut desk, "a", 2);
    assert!(!is_held(&mut desk, 3));
}

#[test]
fn of_two_calls_the_one_that_is_meant_is_ended() {
    let mut desk = desk("");
    let _ = rings(&mut desk, "daughter", CONTACT, 0);
    let _ = rings(&mut desk, "scam", SCAMMER, 1);
    let end = Event::EndCall { line: home(), call: Some(call("scam")), by: Actor::Person };
    let actions = desk.handle(end, at(2)).expect("it is up");
    let dropped = actions.effects.iter().filter_map(|effect| match effect {
        Effect::DropFarLeg { call, .. } => Some(call.clone()),
        _ => None,
    });
    assert_eq!(dropped.collect::<Vec<_>>(), [call("scam")]);
    // Until its end is known, nobody else is rung on the line.
    assert!(is_held(&mut desk, 3));
    let _ = ends(&mut desk, "daughter", 4);
    let _ = ends(&mut desk, "scam", 5);
    assert!(is_held(&mut desk, 6));
}
