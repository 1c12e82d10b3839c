//! Calls that wait, are held and handed on, and a tap of both parties in one.

use std::time::Duration;

use super::capture::{Capture, Sip, Traffic};
use super::gateway;
use super::pbx::{MUSIC, Pbx, SIP};
use super::phone::{Party, Phone, What};
use super::place::{Place, until, wall};
use super::sound;
use crate::common::daemon::Daemon;
use crate::{CALL, CALLER, HOME, IS_NOT, RING, SOON};
use crate::{clear_again, dropped, enter, heard, hears, pause};

#[test]
fn calls_that_wait_hold_and_are_handed_on_are_followed() {
    let test = "asterisk::changes::calls_that_wait_hold_and_are_handed_on_are_followed";
    let Some(place) = enter(test) else { return };
    let pbx = Pbx::start(&place);
    let daemon = gateway::start("warn.mode = \"protect\"");
    let mut elder = Phone::answering(&place, Party::Elder, Duration::from_secs(2), &[]);
    // Nobody is there to take it.
    let mut caller = Phone::calling(&place, Party::Trunk, CALLER, HOME, &[]);
    caller.wait(What::Ringing, SOON);
    elder.wait(What::Ringing, SOON);
    caller.hang_up();
    elder.wait(What::Gone, SOON);
    pbx.settle();
    drop(caller);
    one_waits(&place, &daemon, &mut elder);
    clear_again(&pbx, &daemon);
    pbx.settle();
    let mut shop = Phone::answering(&place, Party::Trunk, RING, &[]);
    handed_on(&place, &daemon, &mut elder, &mut shop);
    pbx.settle();
    handed_on_after_a_word(&place, &daemon, &mut elder, &mut shop);
    pbx.settle();
    assert_eq!(daemon.is_red(), None);
}

/// Waits until so many calls are screened.
fn wait_for_calls(daemon: &Daemon, count: u64) {
    let counted = || (daemon.get("/v1/status")["calls"] == count).then_some(());
    assert!(until(SOON, counted).is_some(), "{count} calls: {}", daemon.get("/v1/status"));
}

/// Somebody rings and is put through.
fn put_through(place: &Place, from: &str, elder: &mut Phone) -> (Phone, String) {
    let mut caller = Phone::calling(place, Party::Trunk, from, HOME, &[]);
    caller.wait(What::Answered, SOON);
    let call = elder.wait(What::Answered, SOON).call;
    (caller, call)
}

/// The first caller waits with music while the second is dropped, and is heard again after it.
fn one_waits(place: &Place, daemon: &Daemon, elder: &mut Phone) {
    let (mut first, held) = put_through(place, CALLER, elder);
    wait_for_calls(daemon, 1);
    let capture = Capture::start(place);
    let since = wall();
    elder.hold(&held);
    hears(&capture, &first, since, MUSIC, SOON);
    let (mut second, _) = put_through(place, "07700900124", elder);
    wait_for_calls(daemon, 2);
    second.say(&sound::dial_tone(3));
    dropped(&mut second, daemon);
    elder.wait(What::Gone, SOON);
    wait_for_calls(daemon, 1);
    elder.resume(&held);
    pause(500);
    first.say(&sound::dial_tone(3));
    dropped(&mut first, daemon);
    elder.wait(What::Gone, SOON);
}

/// Whoever is handed on is nobody's business here.
fn handed_on(place: &Place, daemon: &Daemon, elder: &mut Phone, shop: &mut Phone) {
    let (mut caller, call) = put_through(place, CALLER, elder);
    wait_for_calls(daemon, 1);
    elder.transfer(&call, &format!("sip:08001111@{SIP}"));
    shop.wait(What::Answered, SOON);
    // Asterisk leaves the end of this leg to the telephone.
    elder.hang_up();
    elder.wait(What::Ended, SOON);
    wait_for_calls(daemon, 0);
    caller.say(&sound::dial_tone(3));
    pause(3_000);
    assert!(caller.events().iter().all(|event| event.what != What::Gone), "nobody listens");
    shop.hang_up();
    caller.wait(What::Gone, SOON);
}

/// Nor is whoever is handed on after a word about it.
fn handed_on_after_a_word(place: &Place, daemon: &Daemon, elder: &mut Phone, shop: &mut Phone) {
    let (mut caller, call) = put_through(place, CALLER, elder);
    elder.hold(&call);
    let capture = Capture::start(place);
    let mut consults = Phone::calling(place, Party::Elder, "elder", "08001111", &[]);
    let consulted = consults.wait(What::Answered, SOON).call;
    shop.wait(What::Answered, SOON);
    wait_for_calls(daemon, 2);
    elder.transfer(&call, &in_place_of(&capture, &consulted));
    consults.wait(What::Gone, SOON);
    elder.hang_up();
    elder.wait(What::Ended, SOON);
    wait_for_calls(daemon, 0);
    shop.hang_up();
    caller.wait(What::Gone, SOON);
}

/// The address of whoever goes on with the other party of a call (RFC 3891).
fn in_place_of(capture: &Capture, call: &str) -> String {
    let answer = |traffic: &Traffic| {
        let is_it = |sip: &&Sip| sip.call == call && sip.status == Some(200);
        traffic.sip.iter().find(is_it).map(|sip| sip.text.clone())
    };
    let text = until(SOON, || answer(&capture.so_far())).expect("an answer");
    let tag = |header: &str| {
        let line = text.lines().find(|line| line.starts_with(header)).expect("a header");
        line.split_once("tag=").expect("a tag").1.split(';').next().unwrap_or_default().to_owned()
    };
    let (from, to, call) = (tag("From:"), tag("To:"), call.replace('@', "%40"));
    format!("sip:08001111@{SIP}?Replaces={call}%3Bto-tag%3D{to}%3Bfrom-tag%3D{from}")
}

/// A tap of the whole call hears both voices in one.
#[test]
fn where_only_the_whole_call_can_be_tapped_it_is_warned_of_too() {
    let test = "asterisk::changes::where_only_the_whole_call_can_be_tapped_it_is_warned_of_too";
    let Some(place) = enter(test) else { return };
    let pbx = Pbx::start(&place);
    let line = "warn.mode = \"protect\"\nwarn.from = \"warning\"\nlevels.danger = 60.0";
    let daemon = gateway::start_with("tap = \"mixed\"", line);
    let capture = Capture::start(&place);
    let (far, near) = sound::call("hmrc-arrest");
    let mut elder = Phone::answering(&place, Party::Elder, RING, &near);
    let mut caller = Phone::calling(&place, Party::Trunk, CALLER, HOME, &far);
    let answered = caller.wait(What::Answered, SOON).at;
    elder.wait(What::Answered, SOON);
    let warned = hears(&capture, &elder, answered, "warning-tax", CALL);
    caller.hang_up();
    elder.wait(What::Gone, SOON);
    eprintln!("one tap: warned at {:.1} s", warned.at - answered);
    let traffic = capture.so_far();
    assert_eq!(traffic.audio_sockets(gateway::SOUND).len(), 1, "one connection");
    let leaked = heard(&traffic, &caller, answered, "warning-tax");
    assert!(leaked.likeness < IS_NOT, "{leaked:?}");
    clear_again(&pbx, &daemon);
    pbx.settle();
}
