//! What the dialplan does by itself, and what `lineclear pbx check` finds wrong with it.

use std::time::Duration;

use super::capture::Capture;
use super::gateway;
use super::pbx::Pbx;
use super::phone::{Party, Phone, What};
use super::place::{Place, wall};
use super::sound;
use crate::{CALLER, HOME, RING, SOON, enter};

#[test]
fn without_lineclear_its_hold_is_kept_and_999_passes() {
    let Some(place) = enter("asterisk::alone::without_lineclear_its_hold_is_kept_and_999_passes")
    else {
        return;
    };
    let mut pbx = Pbx::start(&place);
    let capture = Capture::start(&place);
    let mut world = Phone::answering(&place, Party::Trunk, RING, &[]);
    let now = wall() as u64;
    let hold = format!("{now}:{}", now + 200);
    pbx.store("hold/home", &hold);
    pbx.keep("hold/home", &hold);
    pbx.kill();
    pbx.again();
    for prefix in ["", "141", "1470", "1471", "1280", "#31#", "*31#", "*67"] {
        for number in ["999", "112", "18000"] {
            let shown = pbx.cli(&format!("dialplan show {prefix}{number}@protected"));
            let first = shown.lines().find(|line| line.contains("context"));
            let is_first = first.is_some_and(|line| line.contains("'emergency'"));
            assert!(is_first, "{prefix}{number}: {shown}");
        }
    }
    let mut held = Phone::calling(&place, Party::Elder, "elder", "08001111", &[]);
    let answered = held.wait(What::Answered, SOON);
    held.wait(What::Gone, Duration::from_secs(25));
    let mut urgent = Phone::calling(&place, Party::Elder, "elder", "999", &[]);
    urgent.wait(What::Answered, SOON);
    world.wait(What::Answered, SOON);
    urgent.hang_up();
    world.wait(What::Gone, SOON);
    pbx.settle();
    let traffic = capture.stop();
    let world = Party::Trunk.address();
    let mut out = traffic.requests("INVITE");
    out.retain(|sip| sip.to == world);
    assert!(out.len() == 1 && out[0].text.starts_with("INVITE sip:999@"), "{out:#?}");
    let heard = traffic.heard_at(held.ear)[0];
    let told = sound::prompt("line-held-4");
    let found = sound::find(heard, answered.at - 1.0, answered.at + 20.0, &told);
    eprintln!("told {:.2}, {:.3} s after the answer", found.likeness, found.at - answered.at);
    assert!(found.likeness > 0.9 && found.at - answered.at < 1.0, "{found:?}");
}

#[test]
fn without_lineclear_calls_go_on_and_nothing_but_a_good_hold_holds() {
    let test = "asterisk::alone::without_lineclear_calls_go_on_and_nothing_but_a_good_hold_holds";
    let Some(place) = enter(test) else { return };
    let pbx = Pbx::start(&place);
    let mut elder = Phone::answering(&place, Party::Elder, RING, &[]);
    let mut caller = Phone::calling(&place, Party::Trunk, CALLER, HOME, &[]);
    caller.wait(What::Answered, SOON);
    elder.wait(What::Answered, SOON);
    caller.hang_up();
    elder.wait(What::Gone, SOON);
    drop((caller, elder));

    let mut world = Phone::answering(&place, Party::Trunk, RING, &[]);
    gets_through(&place, &mut world);
    for nothing in ["1795298311:1795298611", "x", ":", "1795298311:"] {
        pbx.store("hold/home", nothing);
        gets_through(&place, &mut world);
    }
    // The clock was put back: the hold begins anew.
    let later = wall() as u64 + 1_000;
    pbx.store("hold/home", &format!("{later}:{}", later + 300));
    let mut held = Phone::calling(&place, Party::Elder, "elder", "08001111", &[]);
    held.wait(What::Answered, SOON);
    held.wait(What::Gone, Duration::from_secs(25));
    let anew = pbx.stored("hold/home").expect("it is held");
    let (since, until) = anew.split_once(':').expect("two times");
    let (since, until): (u64, u64) = (since.parse().expect("one"), until.parse().expect("one"));
    assert!(since <= wall() as u64 && until == since + 300, "{anew}");
    pbx.settle();
}

/// The elder rings somebody, who answers.
fn gets_through(place: &Place, world: &mut Phone) {
    let mut calling = Phone::calling(place, Party::Elder, "elder", "08001111", &[]);
    world.wait(What::Answered, SOON);
    calling.wait(What::Answered, SOON);
    calling.hang_up();
    world.wait(What::Gone, SOON);
}

#[test]
fn what_is_missing_is_said() {
    let Some(place) = enter("asterisk::alone::what_is_missing_is_said") else { return };
    let pbx = Pbx::start_with(&place, |name, text| {
        let (from, to) = match name {
            "ari.conf" => ("[lineclear]\n", "[lineclear]\nread_only=yes\n"),
            "extensions.conf" => ("HOLD=300", "HOLD=60"),
            _ => return,
        };
        assert!(text.contains(from), "{name}: {from}");
        *text = text.replace(from, to).replace("LINE=home", "LINE=flat");
        *text = text.replace("exten => 14118000,", "exten => 14118001,");
        *text = text.replace("exten => 18000,", "exten => 18002,");
    });
    let prompts = pbx.folder.join("data/sounds/en/lineclear");
    std::fs::remove_file(prompts.join("danger.wav")).expect("removed");
    pbx.cli("core reload");
    let daemon = gateway::start("");
    let (is_complete, told) = gateway::check(&daemon);
    assert!(!is_complete, "{told}");
    for wanted in [
        "read_only",
        "its HOLD is 60, and line-clear under [hold] is 300",
        "its LINE is \"flat\"",
        "\n18000 begins with Set() in [protected]",
        "14118000 begins with Set() in [protected]",
        "such as lineclear/danger",
    ] {
        let flat = told.replace("missing  emergency      ", "\n");
        assert!(flat.contains(wanted), "{wanted}: {told}");
    }
    assert!(!told.contains("999 begins"), "{told}");
}
