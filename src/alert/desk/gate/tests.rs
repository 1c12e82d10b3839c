use std::time::Duration;

use super::*;
use crate::alert::desk::tests::*;
use crate::alert::record::{IncidentRecord, Snapshot};
use crate::config::Config;
use Direction::{Incoming, Outgoing};

const EMERGENCIES: [&str; 6] = ["999", "112", "18000", "141999", "1470 112", "0800 123 4567"];
const TELECARE: &str = "hold.emergency = [\"999\", \"112\", \"18000\", \"0800 1234567\"]\n";

fn held(seconds: u64, can_override: bool) -> Gate {
    Gate::Held { remaining: Duration::from_secs(seconds), can_override }
}

#[test]
fn emergency_calls_pass_on_every_line_and_all_calls_are_dropped_first() {
    for mode in ["observe", "warn", "protect"] {
        let mut desk = desk(&format!("{TELECARE}warn.mode = \"{mode}\""));
        let _ = scam_call(&mut desk, Level::Danger, 0);
        let _ = rings(&mut desk, "a", CONTACT, 20);
        let _ = rings(&mut desk, "b", "", 20);
        for number in EMERGENCIES {
            let answer = ask(&mut desk, Outgoing, number, 21);
            assert_eq!(answer.gate, Gate::Pass(Reason::Emergency), "{number}");
            assert_eq!(answer.drop_first, [call("a"), call("b")]);
            assert_eq!(answer.prompts, [Prompt::emergency_passing()]);
        }
    }
}

#[test]
fn a_real_emergency_call_drops_the_others_and_opens_the_line_for_callbacks() {
    let mut desk = desk("hold.turn-away = \"unknown\"");
    let _ = scam_call(&mut desk, Level::Danger, 0);
    let _ = rings(&mut desk, "a", CONTACT, 20);
    let (_, actions) = desk.gate(&question(Outgoing, "999"), at(21));
    let (line, prompt) = (home(), None);
    assert_eq!(
        actions.effects,
        [Effect::DropFarLeg { line, call: call("a"), prompt, connect: None }]
    );
    for number in [SCAMMER, OTHER, ""] {
        let gate = ask(&mut desk, Incoming, number, 22).gate;
        assert_eq!(gate, Gate::Pass(Reason::AfterEmergency));
    }
    assert_eq!(ask(&mut desk, Outgoing, OTHER, 22).gate, held(288, true));
}

#[test]
fn whoever_rings_back_after_an_emergency_call_is_warned_of_and_not_cut_off() {
    let mut desk = desk("warn.mode = \"protect\"");
    let _ = rings(&mut desk, "scammer", SCAMMER, 0);
    let _ = desk.gate(&question(Outgoing, "999"), at(1));
    let ends = |desk: &mut Desk, id: &str, second: u64| {
        let actions = hear(desk, id, Level::Danger, second);
        let has = |is_it: fn(&Effect) -> bool| actions.effects.iter().any(is_it);
        assert!(has(|effect| matches!(effect, Effect::Whisper { .. })), "{actions:?}");
        has(|effect| matches!(effect, Effect::DropFarLeg { .. }))
    };
    assert!(ends(&mut desk, "scammer", 10), "it was up before the emergency call");
    let _ = rings(&mut desk, "police", "", 89 * 60);
    assert!(!ends(&mut desk, "police", 92 * 60), "the police may ring back, and speak for long");
    let _ = rings(&mut desk, "later", "", 92 * 60);
    assert!(ends(&mut desk, "later", 93 * 60), "the time for callbacks is over");
}

#[test]
fn a_line_that_nobody_knows_lets_everything_pass() {
    let mut desk = desk("");
    let mut gate = |number: &str| {
        let line = LineId::new("elsewhere");
        let question = Question { line, ..question(Outgoing, number) };
        let (answer, actions) = desk.gate(&question, at(0));
        assert!(actions.is_empty());
        answer.gate
    };
    assert_eq!(gate("141999"), Gate::Pass(Reason::Emergency));
    assert_eq!(gate(OTHER), Gate::Pass(Reason::UnknownLine));
}

#[test]
fn an_open_line_is_open_and_an_observed_one_is_left_alone() {
    let mut open = desk("");
    assert_eq!(ask(&mut open, Outgoing, OTHER, 0).gate, Gate::Pass(Reason::Open));
    assert_eq!(ask(&mut open, Incoming, "", 0).gate, Gate::Pass(Reason::Open));
    let mut observed = desk("warn.mode = \"observe\"");
    let _ = scam_call(&mut observed, Level::Danger, 0);
    assert_eq!(ask(&mut observed, Outgoing, OTHER, 20).gate, Gate::Pass(Reason::Observed));
}

#[test]
fn a_held_line_says_how_long_and_how_to_ring_anyway() {
    let mut line = desk("");
    let _ = scam_call(&mut line, Level::Danger, 0);
    let answer = ask(&mut line, Outgoing, OTHER, 100);
    assert_eq!(answer.gate, held(210, true));
    let said = [Prompt::line_held(Duration::from_secs(210)), Prompt::how_to_override(true)];
    assert_eq!(answer.prompts, said);
    assert_eq!(
        ask(&mut line, Outgoing, "", 100).gate,
        held(210, true),
        "not known what is dialled"
    );
    let key = Some("1".to_owned());
    let with_key = Question { key, ..question(Outgoing, OTHER) };
    let (answer, actions) = line.gate(&with_key, at(100));
    assert_eq!(answer.gate, Gate::Pass(Reason::Overridden));
    assert_eq!(actions.records.len(), 1, "the audit log says so");
    let mut carers = desk("hold.override = \"carers\"");
    let _ = scam_call(&mut carers, Level::Danger, 0);
    let answer = carers.gate(&with_key, at(100)).0;
    assert_eq!(answer.gate, held(210, false));
    assert!(answer.prompts.contains(&Prompt::how_to_override(false)));
}

#[test]
fn while_the_scam_call_is_still_up_other_calls_wait() {
    let mut line = desk("");
    let _ = rings(&mut line, "a", SCAMMER, 0);
    let _ = hear(&mut line, "a", Level::Caution, 1);
    assert_eq!(ask(&mut line, Outgoing, OTHER, 2).gate, Gate::Pass(Reason::Open));
    let _ = hear(&mut line, "a", Level::Warning, 3);
    let _ = hear(&mut line, "a", Level::Caution, 4);
    let answer = ask(&mut line, Outgoing, OTHER, 5);
    assert_eq!((answer.gate, answer.drop_first), (held(300, true), vec![call("a")]));
    let (_, actions) = line.gate(&question(Outgoing, OTHER), at(5));
    assert!(matches!(actions.effects[..], [Effect::DropFarLeg { .. }]));
    let with_key = Question { key: Some("1".to_owned()), ..question(Outgoing, OTHER) };
    assert_eq!(line.gate(&with_key, at(5)).0.drop_first, [call("a")]);
}

#[test]
fn a_scam_call_that_may_be_up_since_before_a_restart_counts_as_up() {
    let config = screened("");
    let mut before = desk_of(&config);
    let _ = rings(&mut before, "a", SCAMMER, 0);
    let heard = hear(&mut before, "a", Level::Warning, 1);
    let (mut line, _) = restart(&config, 1, snapshot(&[&heard]), 10, 10);
    let answer = ask(&mut line, Outgoing, OTHER, 11);
    assert_eq!((answer.gate, answer.drop_first), (held(300, true), vec![]));
    assert_eq!(ask(&mut line, Outgoing, "999", 11).gate, Gate::Pass(Reason::Emergency));
    let _ = rings(&mut line, "a", SCAMMER, 12);
    assert_eq!(ask(&mut line, Outgoing, OTHER, 13).drop_first, [call("a")]);
    let found = snapshot(&[&heard]);
    let off = Snapshot {
        incidents: vec![IncidentRecord { not_a_scam: Some(carer()), ..found.incidents[0].clone() }],
        ..found
    };
    let (mut line, _) = restart(&config, 1, off, 10, 10);
    assert_eq!(ask(&mut line, Outgoing, OTHER, 11).gate, Gate::Pass(Reason::Open));
}

#[test]
fn whoever_rings_the_bank_reaches_the_bank_and_nobody_else() {
    let mut line = desk("");
    let _ = rings(&mut line, "a", OTHER, 0);
    assert_eq!(ask(&mut line, Outgoing, "159", 1).drop_first, [call("a")]);
    assert_eq!(ask(&mut line, Outgoing, "0300 123 2040", 1).drop_first, [call("a")]);
    assert!(ask(&mut line, Outgoing, OTHER, 1).drop_first.is_empty());
    let mut observed = desk("warn.mode = \"observe\"");
    let _ = rings(&mut observed, "a", OTHER, 0);
    assert!(ask(&mut observed, Outgoing, "159", 1).drop_first.is_empty());
}

#[test]
fn callers_are_turned_away_as_configured() {
    for (mode, turned_away) in [
        ("nobody", [false, false, false, false]),
        ("scammer", [true, false, false, false]),
        ("unknown", [true, true, false, true]),
    ] {
        let mut desk = desk(&format!("hold.turn-away = \"{mode}\""));
        let _ = scam_call(&mut desk, Level::Danger, 0);
        let answers = ["+441632960666", OTHER, CONTACT, ""].map(|number| {
            let answer = ask(&mut desk, Incoming, number, 20);
            let is_away = matches!(answer.gate, Gate::TurnAway { .. });
            assert_eq!(answer.prompts, is_away.then(Prompt::turned_away).as_slice());
            is_away
        });
        assert_eq!(answers, turned_away, "{mode}");
    }
}

#[test]
fn a_withheld_number_is_taken_for_another_withheld_one() {
    let mut desk = desk("");
    let _ = rings(&mut desk, "a", "", 0);
    let _ = hear(&mut desk, "a", Level::Danger, 1);
    let _ = ends(&mut desk, "a", 2);
    assert!(matches!(ask(&mut desk, Incoming, "", 3).gate, Gate::TurnAway { .. }));
    assert_eq!(ask(&mut desk, Incoming, SCAMMER, 3).gate, Gate::Pass(Reason::NotHeldForThis));
}

#[test]
fn a_new_attempt_starts_the_clock_again_but_a_question_does_not() {
    let mut desk = desk("");
    let _ = scam_call(&mut desk, Level::Danger, 0);
    let _ = ask(&mut desk, Incoming, SCAMMER, 100);
    assert_eq!(ask(&mut desk, Outgoing, OTHER, 100).gate, held(210, true));
    let (_, actions) = desk.gate(&question(Incoming, SCAMMER), at(100));
    assert_eq!(holds(&actions).len(), 1);
    assert!(notes(&actions).is_empty(), "it is told once that the line is held");
    assert_eq!(ask(&mut desk, Outgoing, OTHER, 100).gate, held(300, true));
    let _ = desk.gate(&question(Incoming, OTHER), at(200));
    assert_eq!(ask(&mut desk, Outgoing, OTHER, 200).gate, held(200, true));
    // And a call that its source announces without asking.
    let _ = rings(&mut desk, "again", SCAMMER, 250);
    assert_eq!(ask(&mut desk, Outgoing, OTHER, 250).gate, held(300, true));
}

#[test]
fn an_outgoing_call_that_is_announced_without_asking_is_an_emergency_call_too() {
    let mut desk = desk("hold.turn-away = \"unknown\"");
    let _ = scam_call(&mut desk, Level::Danger, 0);
    let new = new_call("b", Outgoing, "141 999");
    let (_, actions) = desk.start_call(&new, at(20)).expect("it is watched");
    assert!(!actions.records.is_empty());
    assert_eq!(ask(&mut desk, Incoming, OTHER, 21).gate, Gate::Pass(Reason::AfterEmergency));
}

#[test]
fn no_answer_and_no_question_prints_a_number() {
    let mut desk = desk("");
    let _ = rings(&mut desk, "SIP/01632960666-1", SCAMMER, 0);
    let question = question(Outgoing, "159");
    let said = format!("{question:?} {:?}", desk.gate(&question, at(1)));
    assert!(!said.contains("960666") && !said.contains("159"), "{said}");
}

#[test]
fn consent_withdrawn_leaves_what_is_held_alone() {
    let without: Config = config("", "");
    let mut desk = desk("");
    let _ = scam_call(&mut desk, Level::Danger, 0);
    let _ = desk.configure(&without, at(20));
    assert_eq!(ask(&mut desk, Outgoing, OTHER, 30).gate, held(280, true));
}
