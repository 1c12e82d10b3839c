//! A protected line end to end: real calls through a real Asterisk, heard, warned of, ended and
//! followed by a hold, as read off the wire. `tests/asterisk/install` makes the Asterisk; where it
//! cannot be had, a test says that it is skipped.

mod common;
mod asterisk {
    #![allow(dead_code)]
    mod alone;
    pub mod capture;
    mod changes;
    pub mod gateway;
    pub mod line;
    pub mod pbx;
    pub mod phone;
    pub mod place;
    pub mod sound;
}

use std::io::Write;
use std::time::Duration;

use asterisk::capture::{Capture, Sip, Stream, Traffic};
use asterisk::gateway;
use asterisk::pbx::Pbx;
use asterisk::phone::{Party, Phone, What};
use asterisk::place::{Place, until, wall};
use asterisk::sound::{self, Match};
use lineclear::edge::clock;

const SOON: Duration = Duration::from_secs(10);
const CALL: Duration = Duration::from_secs(150);
const RING: Duration = Duration::from_millis(200);
const CALLER: &str = "07700900123";
const HOME: &str = "02079460000";
/// Likeness of what is the prompt, and of what is not.
const IS_IT: f64 = 0.75;
const IS_NOT: f64 = 0.4;

fn pause(milliseconds: u64) {
    clock::wait_until(clock::now() + Duration::from_millis(milliseconds));
}

/// A test with Asterisk begins with this. There is no way to the models from inside.
fn enter(test: &str) -> Option<Place> {
    let _store = common::models();
    Place::enter(test)
}

/// The best place for a prompt in all that a telephone heard since a time.
fn heard(traffic: &Traffic, who: &Phone, since: f64, prompt: &str) -> Match {
    let prompt = sound::prompt(prompt);
    let streams = traffic.heard_at(who.ear).into_iter().filter(|stream| stream.end() > since);
    let found = streams.map(|stream| sound::find(stream, since, stream.end(), &prompt));
    let none = Match { likeness: 0.0, at: 0.0 };
    found.max_by(|a, b| a.likeness.total_cmp(&b.likeness)).unwrap_or(none)
}

/// Waits until a telephone has heard a prompt.
fn hears(capture: &Capture, who: &Phone, since: f64, prompt: &str, limit: Duration) -> Match {
    let end = clock::now() + limit;
    loop {
        let found = heard(&capture.so_far(), who, since, prompt);
        if found.likeness > IS_IT {
            return found;
        }
        assert!(clock::now() < end, "nobody hears {prompt}: {found:?}");
        pause(500);
    }
}

/// When what was said last before a time was over: the last pause that a listener waits for.
fn end_of_phrase(stream: &Stream, before: f64) -> f64 {
    const STEP: f64 = 0.02;
    let is_loud = |at: f64| stream.loudness(at, at + STEP) > 0.01;
    let mut at = before - 0.45;
    while at > stream.start && !is_loud(at) {
        at -= STEP;
    }
    at + STEP
}

/// Answer → the first sound of the second of both legs.
fn tapped_after(traffic: &Traffic) -> f64 {
    let elder = *Party::Elder.address().ip();
    let is_answer = |sip: &&Sip| sip.method == "INVITE" && sip.status == Some(200);
    let mut answers = traffic.sip.iter().filter(is_answer);
    let answered = answers.find(|sip| *sip.from.ip() == elder).expect("an answer").at;
    let firsts = traffic.audio_sockets(gateway::SOUND);
    assert_eq!(firsts.len(), 2, "a connection a leg");
    firsts.iter().map(|(at, _)| at - answered).fold(0.0, f64::max)
}

fn bye_to(traffic: &Traffic, who: Party, since: f64) -> f64 {
    let byes = traffic.requests("BYE");
    let bye = byes.iter().find(|sip| sip.to.ip() == who.address().ip() && sip.at > since);
    bye.expect("a BYE").at
}

#[test]
fn courier_fraud_is_warned_of_and_ended_and_the_line_is_held() {
    let test = "courier_fraud_is_warned_of_and_ended_and_the_line_is_held";
    let Some(place) = enter(test) else { return };
    let mut pbx = Pbx::start(&place);
    // With the thresholds as they are this call is danger at once: it is ended before a warning.
    let line = "warn.mode = \"protect\"\nlevels.danger = 50.0\nhold.override-key = \"7\"";
    let daemon = gateway::start(line);
    let capture = Capture::start(&place);
    let (far, near) = sound::call("courier-met-police");
    let mut elder = Phone::answering(&place, Party::Elder, RING, &near);
    let mut caller = Phone::calling(&place, Party::Trunk, CALLER, HOME, &far);
    let answered = caller.wait(What::Answered, SOON).at;

    // Until some 25 s the police might say it, too; money is asked for after 62 s.
    let warned = hears(&capture, &elder, answered, "warning-courier", CALL);
    let is_in_time = (25.0..62.0).contains(&(warned.at - answered));
    assert!(is_in_time, "warned after {:.1} s", warned.at - answered);
    caller.wait(What::Gone, CALL);
    let told = hears(&capture, &elder, warned.at, "dropped", SOON);
    elder.wait(What::Gone, SOON);
    let traffic = capture.so_far();
    for prompt in ["warning-courier", "danger", "dropped"] {
        let leaked = heard(&traffic, &caller, answered, prompt);
        assert!(leaked.likeness < IS_NOT, "the scammer heard {prompt}: {leaked:?}");
    }
    let said = *traffic.said_at(caller.ear).first().expect("the scammer speaks");
    let dropped = bye_to(&traffic, Party::Trunk, answered);
    eprintln!(
        "answer to tapped {:.0} ms; end of phrase to whisper {:.2} s; decision to BYE {:.0} ms; \
         warned at {:.1} s, dropped at {:.1} s; advice {:.0} ms after the BYE",
        1e3 * tapped_after(&traffic),
        warned.at - end_of_phrase(said, warned.at),
        1e3 * (dropped - decided_at(&daemon, dropped)),
        warned.at - answered,
        dropped - answered,
        1e3 * (told.at - dropped),
    );
    assert!(tapped_after(&traffic) < 1.0, "tapped too late");
    // The first samples of a prompt are put where their packet came, 20 ms at once.
    assert!(dropped < told.at + 0.03, "the far leg goes first");
    pbx.settle();

    // The hold is Asterisk's own now.
    let value = until(SOON, || pbx.stored("hold/home")).expect("the line is held");
    let (set, end) = value.split_once(':').expect("two times");
    let (set, end) = (set.parse::<f64>().expect("a time"), end.parse::<f64>().expect("a time"));
    assert!(set <= wall() && (290.0..=302.0).contains(&(end - dropped)), "{value}");
    refused_for_minutes(&place, &capture, "line-held-5");
    passes(&place, "999");
    rings_anyway(&place, &capture, "7");

    // Neither end of Lineclear nor of Asterisk ends it.
    pbx.keep("hold/home", &value_of(&pbx));
    let _ = daemon.kill();
    pbx.kill();
    pbx.again();
    refused_for_minutes(&place, &capture, "line-held-4");
    passes(&place, "999");
    pbx.settle();
}

/// The elder is told how to ring although the line is held, and does.
fn rings_anyway(place: &Place, capture: &Capture, key: &str) {
    let mut world = Phone::answering(place, Party::Trunk, RING, &[]);
    let since = wall();
    let mut anyway = Phone::calling(place, Party::Elder, "elder", "08001111", &[]);
    anyway.wait(What::Answered, SOON);
    let offer = hears(capture, &anyway, since, "override-offer", Duration::from_secs(20));
    // A key counts when all of it was heard.
    let length = sound::prompt("override-offer").len() as f64 / 8000.0;
    pause((1e3 * (offer.at + length + 0.5 - wall()).max(0.0)) as u64);
    anyway.press(key);
    world.wait(What::Answered, SOON);
    anyway.hang_up();
    world.wait(What::Gone, SOON);
}

/// The value of the hold now: it is written anew from time to time.
fn value_of(pbx: &Pbx) -> String {
    pbx.stored("hold/home").expect("the line is held")
}

/// The elder rings somebody, hears that the line is held, and is hung up on.
fn refused_for_minutes(place: &Place, capture: &Capture, prompt: &str) {
    let since = wall();
    let mut rings = Phone::calling(place, Party::Elder, "elder", "08001111", &[]);
    rings.wait(What::Answered, SOON);
    hears(capture, &rings, since, prompt, SOON);
    rings.wait(What::Gone, Duration::from_secs(40));
}

/// The elder rings a number that always passes.
fn passes(place: &Place, number: &str) {
    let mut world = Phone::answering(place, Party::Trunk, RING, &[]);
    let mut rings = Phone::calling(place, Party::Elder, "elder", number, &[]);
    rings.wait(What::Answered, SOON);
    world.wait(What::Answered, SOON);
    pause(300);
    rings.hang_up();
    world.wait(What::Gone, SOON);
}

#[test]
fn a_daughter_who_speaks_of_scams_is_left_alone() {
    let Some(place) = enter("a_daughter_who_speaks_of_scams_is_left_alone") else { return };
    let pbx = Pbx::start(&place);
    let daemon = gateway::start("warn.mode = \"protect\"");
    let capture = Capture::start(&place);
    let (far, near) = sound::call("daughter-scam-news");
    let seconds = far.len() as u64 / 8000;
    let mut elder = Phone::answering(&place, Party::Elder, RING, &near);
    let mut caller = Phone::calling(&place, Party::Trunk, CALLER, HOME, &far);
    let answered = caller.wait(What::Answered, SOON).at;
    pause(1000 * (seconds + 2));
    caller.hang_up();
    elder.wait(What::Gone, SOON);
    pbx.settle();
    let status = daemon.get("/v1/status");
    assert!(status["counts"]["utterances"].as_u64() > Some(5), "it was heard: {status}");
    assert_eq!(status["lines"][0]["hold"], serde_json::Value::Null);
    let traffic = capture.stop();
    for prompt in ["caution", "warning", "warning-courier", "danger", "dropped"] {
        let found = heard(&traffic, &elder, answered, prompt);
        assert!(found.likeness < IS_NOT, "{prompt}: {found:?}");
    }
}

#[test]
fn sixty_calls_leave_nothing_behind() {
    let Some(place) = enter("sixty_calls_leave_nothing_behind") else { return };
    let pbx = Pbx::start(&place);
    let daemon = gateway::start("");
    let mut elder = Phone::answering(&place, Party::Elder, RING, &[]);
    let (mut files, mut own) = (Vec::new(), Vec::new());
    for number in 0..60 {
        let mut caller = Phone::calling(&place, Party::Trunk, CALLER, HOME, &[]);
        caller.wait(What::Answered, SOON);
        elder.wait(What::Answered, SOON);
        // Some end while they are being tapped.
        pause([0, 5, 30, 400][number % 4]);
        if number % 2 == 0 {
            caller.hang_up();
            elder.wait(What::Gone, SOON);
        } else {
            elder.hang_up();
            caller.wait(What::Gone, SOON);
        }
        pbx.settle();
        files.push(pbx.open_files());
        own.push(gateway::open_files(&daemon));
    }
    let calls = || (daemon.get("/v1/status")["calls"] == 0).then_some(());
    assert!(until(SOON, calls).is_some(), "calls go on that are over");
    // Both open what they need once, during the first calls.
    let is_steady = |files: &[usize]| files[50..].iter().min() <= files[..30].iter().max();
    assert!(is_steady(&files), "Asterisk: {files:?}");
    assert!(is_steady(&own), "Lineclear: {own:?}");
    assert_eq!(daemon.is_red(), None);
}

#[test]
fn both_are_told_and_keys_of_the_elder_end_a_call() {
    let test = "both_are_told_and_keys_of_the_elder_end_a_call";
    let Some(place) = enter(test) else { return };
    let pbx = Pbx::start(&place);
    let daemon = gateway::start("warn.mode = \"protect\"\nwarn.notice = true");
    let capture = Capture::start(&place);
    let mut elder = Phone::answering(&place, Party::Elder, RING, &[]);
    let mut caller = Phone::calling(&place, Party::Trunk, CALLER, HOME, &[]);
    let answered = caller.wait(What::Answered, SOON).at;
    elder.wait(What::Answered, SOON);
    for who in [&elder, &caller] {
        hears(&capture, who, answered, "notice", SOON);
    }
    let keyed = wall();
    elder.press("*0");
    caller.wait(What::Gone, SOON);
    let told = hears(&capture, &elder, keyed, "dropped", SOON);
    eprintln!("*0 to advice {:.2} s", told.at - keyed);
    elder.wait(What::Gone, SOON);
    clear_again(&pbx, &daemon);
    drop(caller);
    // A carer ends another.
    let mut caller = Phone::calling(&place, Party::Trunk, "07700900124", HOME, &[]);
    caller.wait(What::Answered, SOON);
    elder.wait(What::Answered, SOON);
    let ended = || (daemon.request("POST", "/v1/lines/home/end-call", "").0 == 200).then_some(());
    assert!(until(SOON, ended).is_some(), "the call is known");
    caller.wait(What::Gone, SOON);
    elder.wait(What::Gone, SOON);
    clear_again(&pbx, &daemon);
    pbx.settle();
}

/// Waits until Lineclear has dropped a call.
fn dropped(caller: &mut Phone, daemon: &common::daemon::Daemon) {
    let gone = caller.wait_for(SOON, |event| event.what == What::Gone);
    assert!(gone.is_some(), "it goes on: {}", daemon.log.lock().expect("a log"));
}

/// Waits until the line is held, and ends that, as a carer would.
fn clear_again(pbx: &Pbx, daemon: &common::daemon::Daemon) {
    assert!(until(SOON, || pbx.stored("hold/home")).is_some(), "the line is held");
    let (status, _) = daemon.request("DELETE", "/v1/lines/home/hold", "");
    assert_eq!(status, 200);
    let clear = || pbx.stored("hold/home").is_none().then_some(());
    assert!(until(SOON, clear).is_some(), "the line is clear");
}

#[test]
fn a_caller_who_plays_the_exchange_is_dropped_and_159_is_connected_on_a_fresh_leg() {
    let test = "a_caller_who_plays_the_exchange_is_dropped_and_159_is_connected_on_a_fresh_leg";
    let Some(place) = enter(test) else { return };
    let pbx = Pbx::start(&place);
    let daemon = gateway::start("warn.mode = \"protect\"");
    let capture = Capture::start(&place);
    let mut elder = Phone::answering(&place, Party::Elder, RING, &[]);
    let mut caller = Phone::calling(&place, Party::Trunk, CALLER, HOME, &[]);
    caller.wait(What::Answered, SOON);
    elder.wait(What::Answered, SOON);
    pause(500);
    let played = wall();
    caller.say(&sound::dial_tone(3));
    dropped(&mut caller, &daemon);
    let told = hears(&capture, &elder, played, "dropped", SOON);
    eprintln!("dial tone to advice {:.2} s", told.at - played);
    elder.wait(What::Gone, SOON);
    clear_again(&pbx, &daemon);
    drop(caller);

    let mut caller = Phone::calling(&place, Party::Trunk, "07700900124", HOME, &[]);
    caller.wait(What::Answered, SOON);
    elder.wait(What::Answered, SOON);
    pause(500);
    elder.press("159");
    dropped(&mut caller, &daemon);
    let mut bank = Phone::answering(&place, Party::Trunk, RING, &[]);
    bank.wait(What::Answered, SOON);
    let traffic = capture.so_far();
    let out = traffic.requests("INVITE");
    assert!(out.iter().any(|sip| sip.text.starts_with("INVITE sip:159@")));
    elder.hang_up();
    bank.wait(What::Gone, SOON);
    pbx.settle();
}

#[test]
fn a_call_is_screened_on_after_the_daemon_was_killed_and_after_asterisk_was() {
    let test = "a_call_is_screened_on_after_the_daemon_was_killed_and_after_asterisk_was";
    let Some(place) = enter(test) else { return };
    let mut pbx = Pbx::start(&place);
    let daemon = gateway::start("");
    let mut elder = Phone::answering(&place, Party::Elder, RING, &[]);
    let mut caller = Phone::calling(&place, Party::Trunk, CALLER, HOME, &[]);
    caller.wait(What::Answered, SOON);
    elder.wait(What::Answered, SOON);
    let (folder, port) = daemon.kill();
    pause(500);
    let daemon = common::daemon::Daemon::with_shipped_rules(folder, port);
    gateway::wait_until_it_follows(&daemon);
    let one = || (daemon.get("/v1/status")["calls"] == 1).then_some(());
    assert!(until(SOON, one).is_some(), "the call that is up is screened");
    caller.hang_up();
    elder.wait(What::Gone, SOON);
    // What the first life left behind is gone, too.
    pbx.settle();
    let (is_complete, told) = gateway::check(&daemon);
    assert!(is_complete, "{told}");
    pbx.kill();
    assert!(until(SOON, || daemon.is_red()).is_some(), "the status says that Asterisk is gone");
    let (is_complete, told) = gateway::check(&daemon);
    assert!(!is_complete && told.contains("is Asterisk running"), "{told}");
    pbx.again();
    gateway::wait_until_it_follows(&daemon);
}

/// How fast things are, on the wire: over the spoken scams, one after the other.
#[test]
fn how_fast_warnings_come() {
    let test = "how_fast_warnings_come";
    if std::env::var_os("LINECLEAR_MEASURE").is_none() {
        // Not `eprintln!`, which is shown for tests that fail only.
        let why = format!("skipped: {test}: it takes three minutes: set LINECLEAR_MEASURE=1");
        return writeln!(std::io::stderr(), "{why}").expect("said");
    }
    let Some(place) = enter(test) else { return };
    let pbx = Pbx::start(&place);
    let daemon = gateway::start("warn.mode = \"protect\"\nwarn.from = \"caution\"");
    let (mut tapped, mut whispered, mut ended) = (Vec::new(), Vec::new(), Vec::new());
    for name in ["bank-safe-account", "courier-card-services", "courier-met-police", "hmrc-arrest"]
    {
        let capture = Capture::start(&place);
        let (far, near) = sound::call(name);
        let mut elder = Phone::answering(&place, Party::Elder, RING, &near);
        let mut caller = Phone::calling(&place, Party::Trunk, CALLER, HOME, &far);
        let answered = caller.wait(What::Answered, SOON).at;
        caller.wait(What::Gone, CALL);
        elder.wait(What::Gone, Duration::from_secs(20));
        pbx.settle();
        let traffic = capture.stop();
        tapped.push(1e3 * tapped_after(&traffic));
        let said = *traffic.said_at(caller.ear).first().expect("the scammer speaks");
        let prompts = ["caution", "warning", "warning-bank", "warning-courier", "warning-tax"];
        let found = prompts.map(|prompt| heard(&traffic, &elder, answered, prompt));
        let mut times: Vec<_> =
            found.iter().filter(|it| it.likeness > IS_IT).map(|it| it.at).collect();
        times.sort_by(f64::total_cmp);
        // Warnings begin with the same words.
        times.dedup_by(|later, first| *later - *first < 1.0);
        whispered.extend(times.iter().map(|at| at - end_of_phrase(said, *at)));
        let dropped = bye_to(&traffic, Party::Trunk, answered);
        ended.push(1e3 * (dropped - decided_at(&daemon, dropped)));
        let (status, _) = daemon.request("DELETE", "/v1/lines/home/hold", "");
        assert_eq!(status, 200, "the line was held");
    }
    show("answer to both legs heard, ms", &mut tapped);
    show("end of phrase to whisper, s", &mut whispered);
    show("decision to the far leg's BYE, ms", &mut ended);
}

/// When the daemon decided last, before a time, that the far leg is to be dropped.
fn decided_at(daemon: &common::daemon::Daemon, before: f64) -> f64 {
    let log = daemon.log.lock().expect("a log").clone();
    let lines = log.lines().filter(|line| line.contains("drops the far leg"));
    let times = lines.filter_map(|line| line.split_whitespace().next()?.parse().ok());
    let mut seconds = times.map(|time: jiff::Timestamp| time.as_microsecond() as f64 / 1e6);
    seconds.rfind(|at| *at < before + 1.0).expect("it decided")
}

fn show(what: &str, figures: &mut [f64]) {
    figures.sort_by(f64::total_cmp);
    let at = |share: f64| figures[((figures.len() - 1) as f64 * share).round() as usize];
    let (median, most) = (at(0.5), at(0.95));
    eprintln!("{what}: median {median:.2}, 95th of a hundred {most:.2}, all {figures:.2?}");
}
