use super::*;
use crate::alert::desk::Event;
use crate::alert::desk::tests::*;
use crate::rules::Stage;

fn whispers(actions: &Actions) -> usize {
    actions.effects.iter().filter(|it| matches!(it, Effect::Whisper { .. })).count()
}

fn drops(actions: &Actions) -> usize {
    actions.effects.iter().filter(|it| matches!(it, Effect::DropFarLeg { .. })).count()
}

#[test]
fn a_call_starts_with_what_is_known_of_the_other_party() {
    let mut desk = desk("");
    let mut origin = |name: &str, direction, number: &str| {
        let new = new_call(name, direction, number);
        desk.start_call(&new, at(0)).expect("it is watched").0.origin
    };
    assert_eq!(origin("a", Direction::Incoming, SCAMMER), Origin::Unknown);
    assert_eq!(origin("b", Direction::Incoming, ""), Origin::Unknown);
    assert_eq!(origin("c", Direction::Incoming, CONTACT), Origin::KnownContact);
    assert_eq!(origin("d", Direction::Outgoing, CONTACT), Origin::Outgoing);
}

#[test]
fn scammers_ring_back_within_a_day() {
    let mut desk = desk("");
    assert!(!rings(&mut desk, "a", OTHER, 0).0.after_suspicious);
    let _ = hear(&mut desk, "a", Level::Caution, 1);
    assert!(!rings(&mut desk, "b", OTHER, 2).0.after_suspicious, "caution is not enough");
    let _ = hear(&mut desk, "a", Level::Warning, 3);
    assert!(rings(&mut desk, "c", OTHER, 4).0.after_suspicious);
    assert!(rings(&mut desk, "d", OTHER, 86_402).0.after_suspicious);
    assert!(!rings(&mut desk, "e", OTHER, 86_403).0.after_suspicious);
}

#[test]
fn a_call_is_announced_once_and_its_name_is_its_own() {
    let config = format!(
        "{AGREED}[[lines]]\nid = \"other\"\nname = \"Other\"\n{AGREED}\n[[lines]]\nid = \"none\"\n\
         name = \"None\""
    );
    let mut desk = desk_of(&crate::alert::desk::tests::config(&config, "feed.max-calls = 2"));
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    let (_, actions) = rings(&mut desk, "a", SCAMMER, 1);
    assert!(actions.is_empty());
    let mut start = |name: &str, line: &str| {
        let new = NewCall { line: LineId::new(line), ..new_call(name, Direction::Incoming, "") };
        desk.start_call(&new, at(2)).map(|_| desk.calls())
    };
    assert_eq!(start("a", "other"), Err(Refusal::OtherLine));
    assert_eq!(start("b", "none"), Err(Refusal::NoConsent(LineId::new("none"))));
    assert_eq!(start("b", "nowhere"), Err(Refusal::NoLine("nowhere".to_owned())));
    assert_eq!((start("b", "other"), start("c", "home")), (Ok(2), Err(Refusal::TooManyCalls(2))));
}

#[test]
fn what_comes_after_the_end_is_refused() {
    let mut desk = desk("");
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    assert_eq!(ends(&mut desk, "a", 1).effects, [Effect::Forget { call: call("a") }]);
    let ended = Event::CallEnded { call: call("a") };
    assert_eq!(desk.handle(ended, at(2)), Err(Refusal::NoCall));
    let report = Some(report(Level::Danger, Stage::Hook));
    let late = Event::Heard { call: call("a"), report };
    assert_eq!(desk.handle(late, at(2)), Err(Refusal::NoCall));
    assert!(!is_held(&mut desk, 3));
}

#[test]
fn a_scam_call_is_warned_of_told_and_followed_by_a_hold() {
    let mut desk = desk("");
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    assert!(hear(&mut desk, "a", Level::Quiet, 1).is_empty());
    let caution = hear(&mut desk, "a", Level::Caution, 2);
    assert_eq!((whispers(&caution), told(&caution)), (0, vec!["level"]));
    let warning = hear(&mut desk, "a", Level::Warning, 3);
    assert_eq!((whispers(&warning), told(&warning)), (1, vec!["level"]));
    let danger = hear(&mut desk, "a", Level::Danger, 4);
    assert_eq!((whispers(&danger), drops(&danger), told(&danger)), (1, 0, vec!["level"]));
    assert!(hear(&mut desk, "a", Level::Danger, 5).is_empty());
    let incident = desk.incident(&call("a")).expect("an incident").record.clone();
    assert_eq!((incident.rules, incident.last_two), (vec!["cash".to_owned()], Some(66)));
    let end = ends(&mut desk, "a", 10);
    assert_eq!(told(&end), ["line-held"]);
    assert!(end.effects.iter().any(|it| matches!(it, Effect::LineHeld { .. })));
    let clear = desk.tick(at(310));
    assert_eq!(told(&clear), ["line-clear"]);
    assert!(clear.effects.iter().any(|it| matches!(it, Effect::LineClear { .. })));
    assert_eq!((desk.calls(), desk.hold(&home())), (0, None));
}

#[test]
fn a_call_below_warning_is_followed_by_nothing() {
    let mut desk = desk("");
    let actions = scam_call(&mut desk, Level::Caution, 0);
    assert!(holds(&actions).is_empty() && !is_held(&mut desk, 20));
}

#[test]
fn protecting_ends_the_call_at_danger_and_only_then() {
    let mut desk = desk("warn.mode = \"protect\"");
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    assert_eq!(drops(&hear(&mut desk, "a", Level::Warning, 1)), 0);
    let danger = hear(&mut desk, "a", Level::Danger, 2);
    let (line, prompt) = (home(), Some(Prompt::dropped()));
    assert!(danger.effects.contains(&Effect::DropFarLeg {
        line,
        call: call("a"),
        prompt,
        connect: None
    }));
    assert_eq!(drops(&hear(&mut desk, "a", Level::Danger, 3)), 0);
}

#[test]
fn a_line_that_is_observed_is_told_of_and_left_alone() {
    let mut desk = desk("warn.mode = \"observe\"\nwarn.notice = true");
    assert!(rings(&mut desk, "b", SCAMMER, 0).1.is_empty());
    let actions = scam_call(&mut desk, Level::Danger, 0);
    assert_eq!((whispers(&actions), told(&actions)), (0, vec!["level"]));
    assert!(holds(&actions).is_empty());
}

#[test]
fn a_simulation_is_recorded_and_nobody_hears_of_it() {
    let config = crate::alert::desk::tests::config(AGREED, "rules.simulate = true");
    let mut desk = desk_of(&config);
    let actions = scam_call(&mut desk, Level::Danger, 0);
    assert!(notes(&actions).is_empty() && holds(&actions).is_empty());
    assert_eq!(actions.effects, [Effect::Forget { call: call("scam") }]);
    assert!(actions.records.iter().any(|it| matches!(it, Record::Incident(it) if it.simulated)));
    assert!(!rings(&mut desk, "b", SCAMMER, 20).0.after_suspicious);
}

#[test]
fn a_notice_is_played_where_it_is_wanted() {
    let mut desk = desk("warn.notice = true");
    let (_, actions) = rings(&mut desk, "a", OTHER, 0);
    let prompt = Prompt::notice();
    assert_eq!(actions.effects, [Effect::Notice { call: call("a"), prompt }]);
}

#[test]
fn consent_withdrawn_counts_for_calls_that_go_on() {
    let mut desk = desk("");
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    let _ = hear(&mut desk, "a", Level::Warning, 1);
    let _ = desk.configure(&config("", ""), at(2));
    assert!(hear(&mut desk, "a", Level::Danger, 3).is_empty());
    assert!(holds(&ends(&mut desk, "a", 4)).is_empty());
}

#[test]
fn a_silent_call_is_over() {
    let mut desk = desk("");
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    let _ = hear(&mut desk, "a", Level::Danger, 100);
    let word = Event::Heard { call: call("a"), report: None };
    assert!(desk.handle(word, at(200)).expect("it is known").is_empty());
    assert!(holds(&desk.tick(at(499))).is_empty());
    let actions = desk.tick(at(500));
    assert!(actions.effects.contains(&Effect::Forget { call: call("a") }));
    assert_eq!((desk.calls(), is_held(&mut desk, 501)), (0, true));
}

#[test]
fn the_far_leg_that_stays_up_starts_the_clock_again() {
    let mut desk = desk("");
    let up = || Event::FarLegUp { line: home() };
    assert_eq!(desk.handle(up(), at(0)), Err(Refusal::NotHeld(home())));
    let _ = scam_call(&mut desk, Level::Danger, 0);
    let actions = desk.handle(up(), at(200)).expect("it is held");
    let until = holds(&actions)[0].deadline.until;
    assert_eq!((until, told(&actions)), (at(500).now, vec![]));
}

#[test]
fn a_level_that_went_up_and_down_for_long_is_still_committed_with_what_is_told() {
    let mut desk = desk("");
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    for second in 0..400 {
        let level = if second % 2 == 0 { Level::Caution } else { Level::Warning };
        let _ = hear(&mut desk, "a", level, second);
    }
    let danger = hear(&mut desk, "a", Level::Danger, 400);
    let level = |record: &Record| match record {
        Record::Incident(incident) => Some(incident.level),
        _ => None,
    };
    assert_eq!(danger.records.iter().find_map(level), Some(Level::Danger));
}
