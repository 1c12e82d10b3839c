use super::*;
use crate::alert::desk::tests::*;
use crate::alert::desk::{Effect, Event};
use crate::alert::record::{Delivery, NotificationRecord};
use crate::rules::Level;

const CARERS: &str = "hold.override = \"carers\"";

fn not_a_scam(incident: Id, by: Actor) -> Event {
    Event::NotAScam { line: home(), incident, by }
}

fn whispers(actions: &Actions) -> usize {
    actions.effects.iter().filter(|it| matches!(it, Effect::Whisper { .. })).count()
}

fn start(length: Option<u64>) -> Event {
    let length = length.map(Duration::from_secs);
    Event::StartHold { line: home(), length, by: Actor::Person }
}

fn extend(seconds: u64) -> Event {
    let length = Duration::from_secs(seconds);
    Event::ExtendHold { line: home(), length, by: Actor::Person }
}

fn end(by: Actor) -> Event {
    Event::EndHold { line: home(), by }
}

fn disable(seconds: u64, by: Actor) -> Event {
    Event::Disable { line: home(), length: Duration::from_secs(seconds), by }
}

/// A line that is held after a call, and the call's incident.
fn held(of_the_line: &str) -> (Desk, Id) {
    let mut desk = desk(of_the_line);
    let actions = scam_call(&mut desk, Level::Danger, 0);
    let incident = holds(&actions)[0].incident.expect("an incident");
    (desk, incident)
}

#[test]
fn whoever_may_ring_anyway_may_let_go_of_what_is_held() {
    for (policy, by, may) in [
        ("", Actor::Person, true),
        ("", carer(), true),
        (CARERS, Actor::Person, false),
        (CARERS, carer(), true),
    ] {
        let (mut desk, incident) = held(policy);
        let ended = desk.handle(end(by.clone()), at(20));
        assert_eq!(ended.is_ok(), may);
        let (mut desk, _) = held(policy);
        let is_refused = ended == Err(Refusal::CarersOnly(home()));
        assert!(may || is_refused);
        let incident_of_this = desk.hold(&home()).and_then(|hold| hold.incident);
        assert_eq!(incident_of_this, Some(incident), "the same seed");
        let actions = desk.handle(not_a_scam(incident, by.clone()), at(20)).expect("it is noted");
        assert!(actions.records.contains(&Record::NotAScam(incident, by.clone())));
        assert_eq!(told(&actions)[0], "called-off", "the others are told either way");
        assert_eq!(is_held(&mut desk, 21), !may);
    }
}

#[test]
fn what_was_called_off_is_neither_warned_of_nor_held() {
    for (policy, by, is_off) in
        [("", Actor::Person, true), (CARERS, Actor::Person, false), (CARERS, carer(), true)]
    {
        let mut desk = desk(policy);
        let _ = rings(&mut desk, "a", SCAMMER, 0);
        let _ = hear(&mut desk, "a", Level::Warning, 1);
        let incident = desk.incident(&call("a")).expect("an incident").record.id;
        let _ = desk.handle(not_a_scam(incident, by.clone()), at(2)).expect("it is noted");
        let danger = hear(&mut desk, "a", Level::Danger, 3);
        assert!(!danger.effects.iter().any(|it| matches!(it, Effect::Whisper { .. })));
        assert_eq!(told(&danger).is_empty(), by != Actor::Person);
        let _ = ends(&mut desk, "a", 4);
        assert_eq!(is_held(&mut desk, 5), !is_off, "{policy} {by}");
    }
}

#[test]
fn that_it_is_no_scam_is_told_once() {
    let (mut desk, incident) = held("");
    assert!(!told(&desk.handle(not_a_scam(incident, carer()), at(20)).expect("noted")).is_empty());
    let again = desk.handle(not_a_scam(incident, Actor::Person), at(21)).expect("noted");
    assert!(notes(&again).is_empty());
    let _ = rings(&mut desk, "a", SCAMMER, 400);
    let _ = hear(&mut desk, "a", Level::Warning, 401);
    let incident = desk.incident(&call("a")).expect("an incident").record.id;
    let _ = desk.handle(not_a_scam(incident, carer()), at(402)).expect("noted");
    let again = desk.handle(not_a_scam(incident, carer()), at(403)).expect("noted");
    assert!(notes(&again).is_empty());
}

#[test]
fn what_is_held_for_another_call_stays_held() {
    let (mut desk, _) = held("");
    let _ = desk.handle(not_a_scam(Id(5), carer()), at(20)).expect("noted");
    assert!(is_held(&mut desk, 21));
}

#[test]
fn a_hold_by_hand_lasts_as_long_as_was_asked_and_is_told_once() {
    let mut desk = desk("");
    let begun = desk.handle(start(Some(60)), at(0)).expect("anybody may");
    assert_eq!((holds(&begun).len(), told(&begun)), (1, vec!["line-held"]));
    for note in notes(&begun) {
        let (key, outcome) = (note.notice.key.clone(), crate::alert::outbox::Outcome::Delivered);
        let _ = desk.handle(Event::Attempted { key, outcome }, at(1)).expect("noted");
    }
    let extended = desk.handle(extend(40), at(10)).expect("it is held");
    assert_eq!((holds(&extended)[0].deadline.until, told(&extended)), (at(100).now, vec![]));
    assert_eq!((is_held(&mut desk, 99), desk.waiting()), (true, 0));
    assert_eq!(told(&desk.tick(at(100))), ["line-clear"]);
    let _ = desk.handle(start(None), at(200)).expect("anybody may");
    assert_eq!(desk.hold(&home()).map(|hold| hold.until), Some(at(500).now));
}

#[test]
fn hands_on_a_line_that_is_not_held_or_not_known_are_refused() {
    let mut desk = desk("");
    assert_eq!(desk.handle(extend(1), at(0)), Err(Refusal::NotHeld(home())));
    assert_eq!(desk.handle(end(carer()), at(0)), Err(Refusal::NotHeld(home())));
    let line = LineId::new("elsewhere");
    let unknown = desk.handle(Event::StartHold { line, length: None, by: carer() }, at(0));
    assert_eq!(unknown, Err(Refusal::NoLine("elsewhere".to_owned())));
}

#[test]
fn a_line_that_is_left_alone_is_looked_after_again_in_time() {
    let mut desk = desk("");
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    let _ = desk.handle(disable(100, Actor::Person), at(0)).expect("anybody may");
    assert!(hear(&mut desk, "a", Level::Danger, 99).is_empty());
    let on = desk.tick(at(100));
    assert!(matches!(&on.records[..], [Record::Line(line), Record::Audit(_), ..]
        if line.disabled.is_none()));
    // What was reported meanwhile is not reported again.
    assert_eq!((whispers(&on), told(&on)), (1, vec!["level"]));
    assert!(hear(&mut desk, "a", Level::Danger, 101).is_empty(), "it is said once");
    let _ = desk.handle(disable(100, carer()), at(102)).expect("carers may");
    let _ = ends(&mut desk, "a", 103);
    assert!(!is_held(&mut desk, 104), "nothing is held while nobody wants to be looked after");
    let enable = || Event::Enable { line: home(), by: Actor::Person };
    assert!(!desk.handle(enable(), at(105)).expect("anybody may").is_empty());
    assert!(desk.handle(enable(), at(106)).expect("anybody may").is_empty());
}

#[test]
fn a_call_that_was_reported_while_the_line_was_left_alone_is_followed_by_a_hold() {
    let mut desk = desk("");
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    let _ = desk.handle(disable(1000, Actor::Person), at(0)).expect("anybody may");
    assert!(hear(&mut desk, "a", Level::Danger, 1).is_empty());
    let enable = Event::Enable { line: home(), by: Actor::Person };
    assert_eq!(whispers(&desk.handle(enable, at(2)).expect("anybody may")), 1);
    assert_eq!(holds(&ends(&mut desk, "a", 3)).len(), 1);
}

#[test]
fn what_was_reported_before_consent_was_withdrawn_is_forgotten() {
    let mut desk = desk("");
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    let _ = desk.handle(disable(1000, Actor::Person), at(0)).expect("anybody may");
    let _ = hear(&mut desk, "a", Level::Danger, 1);
    let _ = desk.configure(&config("", ""), at(2));
    assert!(hear(&mut desk, "a", Level::Danger, 3).is_empty());
    let _ = desk.configure(&screened(""), at(4));
    let enable = Event::Enable { line: home(), by: Actor::Person };
    assert_eq!(whispers(&desk.handle(enable, at(5)).expect("anybody may")), 0);
}

#[test]
fn a_call_that_is_up_is_warned_of_and_held_for_after_its_line_was_erased() {
    let mut desk = desk("");
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    let _ = hear(&mut desk, "a", Level::Danger, 1);
    let before = desk.incident(&call("a")).expect("an incident").record.id;
    let erased = desk.erase(&home(), at(2));
    let is_over = |note: &&NotificationRecord| matches!(note.state, Delivery::Failed(_));
    assert_eq!(notes(&erased).into_iter().filter(is_over).count(), 2, "nobody is told of it");
    assert_eq!((whispers(&erased), told(&erased)), (1, vec!["level"]));
    let after = desk.incident(&call("a")).expect("an incident").record.id;
    assert_ne!(before, after);
    let is_over = |it: &Record| match it {
        Record::Incident(it) => it.id == before && it.ended.is_some(),
        _ => false,
    };
    assert!(erased.records.iter().any(is_over), "no restart goes on with it");
    assert_eq!(holds(&ends(&mut desk, "a", 3))[0].incident, Some(after));
}

#[test]
fn what_was_called_off_stays_so_when_the_line_is_erased() {
    let mut desk = desk("");
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    let _ = hear(&mut desk, "a", Level::Danger, 1);
    let incident = desk.incident(&call("a")).expect("an incident").record.id;
    let _ = desk.handle(not_a_scam(incident, carer()), at(2)).expect("noted");
    let erased = desk.erase(&home(), at(3));
    assert_eq!((whispers(&erased), told(&erased)), (0, vec![]));
    assert!(holds(&ends(&mut desk, "a", 4)).is_empty());
}

#[test]
fn what_is_held_stays_held_when_the_line_is_left_alone() {
    let (mut desk, _) = held("");
    let _ = desk.handle(disable(u64::MAX, carer()), at(20)).expect("carers may");
    assert!(is_held(&mut desk, 309));
    let left = desk.lines(at(20).now)[0].disabled;
    assert_eq!(left, Some(LONGEST_DISABLED), "nobody is left alone for ever");
}

#[test]
fn only_carers_may_have_a_line_left_alone_where_only_they_decide() {
    let mut desk = desk(CARERS);
    let refused = desk.handle(disable(60, Actor::Person), at(0));
    assert_eq!(refused, Err(Refusal::CarersOnly(home())));
    assert!(desk.handle(disable(60, carer()), at(0)).is_ok());
}
