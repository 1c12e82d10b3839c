use std::time::Duration;

use serde_json::json;

use super::*;
use crate::alert::number::Emergency;
use crate::call::{Leg, LineId};
use crate::config::AsteriskLine;
use crate::pbx::parties::Lines;
use crate::pbx::watched::REJECTED;
use crate::private::Private;
use crate::rules::Level;
use crate::wire::ari::Spy;

mod emergency;

const ELDER: &str = "PJSIP/elder-00000001";
const TRUNK: &str = "PJSIP/trunk-00000000";

fn at(ms: u64) -> Now {
    Now(Duration::from_millis(ms))
}

fn settings(tap: config::Tap) -> Settings {
    let line = AsteriskLine {
        line: "home".to_owned(),
        telephones: vec!["PJSIP/elder".to_owned(), "PJSIP/bedroom".to_owned()],
        trunks: vec!["PJSIP/analogue".to_owned()],
    };
    Settings {
        lines: Lines::new(vec![line]),
        tap,
        host: "127.0.0.1:9092".to_owned(),
        sounds: "lineclear".to_owned(),
        end_call: "*0".chars().filter_map(Digit::from_char).collect(),
        emergency: vec![(LineId::new("home"), Emergency::new(&["999".to_owned()], &[]))],
    }
}

/// An exchange that only its events are known of.
struct Bench {
    board: Switchboard,
    now: u64,
}

impl Bench {
    fn new() -> Self {
        Self { board: Switchboard::new(settings(config::Tap::Legs), [7; 32]), now: 0 }
    }

    /// Takes an event; the fields of a channel are made from its id and name.
    fn take(&mut self, event: serde_json::Value) -> Vec<Action> {
        let event = Event::parse(&event.to_string()).expect("an event");
        self.board.take(&event, at(self.now))
    }

    fn enters(&mut self, bridge: &str, channels: &[(&str, &str)]) -> Vec<Action> {
        let ids: Vec<_> = channels.iter().map(|(id, _)| *id).collect();
        let mut actions = Vec::new();
        for place in 0..channels.len() {
            let (id, name) = channels[place];
            let bridge = json!({"id": bridge, "channels": ids[..=place]});
            let channel = channel(id, name);
            actions.append(&mut self.take(
                json!({"type": "ChannelEnteredBridge", "bridge": bridge, "channel": channel}),
            ));
        }
        actions
    }

    fn destroyed(&mut self, id: &str, name: &str) -> Vec<Action> {
        self.take(json!({"type": "ChannelDestroyed", "channel": channel(id, name)}))
    }

    /// An incoming call that is up, and both of whose legs are tapped.
    fn call(&mut self) -> CallId {
        let actions = self.enters("b1", &[("1.0", TRUNK), ("1.1", ELDER)]);
        for name in asked_for(&actions) {
            let _ = self.is_there(&name);
        }
        begun(&actions).expect("a call").0
    }

    fn is_there(&mut self, name: &str) -> Vec<Action> {
        match name.ends_with("bridge") {
            true => self.take(json!({"type": "BridgeCreated", "bridge": {"id": name}})),
            false => {
                self.take(json!({"type": "StasisStart", "channel": channel(name, "Snoop/x-1")}))
            }
        }
    }

    fn order(&mut self, call: &CallId, order: Order) -> Vec<Action> {
        self.board.order(call, order, at(self.now))
    }
}

fn channel(id: &str, name: &str) -> serde_json::Value {
    let number = if name == TRUNK { "07700900123" } else { "" };
    json!({"id": id, "name": name, "caller": {"number": number},
        "creationtime": format!("2026-11-22T12:00:0{id}+0000")})
}

fn begun(actions: &[Action]) -> Option<(CallId, Direction)> {
    actions.iter().find_map(|action| match action {
        Action::Begin { call, direction, line, .. } => {
            assert_eq!(*line, LineId::new("home"));
            Some((call.clone(), *direction))
        }
        _ => None,
    })
}

fn requests(actions: &[Action]) -> Vec<Request> {
    let asked = actions.iter().filter_map(|action| match action {
        Action::Ask(requests) => Some(requests.clone()),
        _ => None,
    });
    asked.flatten().collect()
}

/// The names of what is to be made.
fn asked_for(actions: &[Action]) -> Vec<String> {
    let new = requests(actions).into_iter().filter_map(|request| match request {
        Request::Snoop { new, .. }
        | Request::ExternalMedia { new, .. }
        | Request::Whisper { new, .. }
        | Request::MakeBridge { new } => Some(new),
        _ => None,
    });
    new.collect()
}

fn is_over(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::End { .. }))
}

#[test]
fn a_call_is_tapped_on_both_legs_which_are_told_apart_by_whose_they_are() {
    for order in [[("1.0", TRUNK), ("1.1", ELDER)], [("1.1", ELDER), ("1.0", TRUNK)]] {
        let mut bench = Bench::new();
        let actions = bench.enters("b1", &order);
        let (_, direction) = begun(&actions).expect("a call");
        assert_eq!(direction, Direction::Incoming, "the trunk's channel was there first");
        let heard: Vec<_> = requests(&actions)
            .into_iter()
            .filter_map(|request| match request {
                Request::Snoop { channel, spy: Spy::In, .. } => Some(channel),
                _ => None,
            })
            .collect();
        assert_eq!(heard, ["1.0", "1.1"], "the remote leg, then the protected one");
        let legs: Vec<_> = actions
            .iter()
            .filter_map(|action| match action {
                Action::Expect { leg, .. } => Some(*leg),
                _ => None,
            })
            .collect();
        assert_eq!(legs, [Leg::Remote, Leg::Protected]);
    }
}

#[test]
fn what_listens_is_connected_when_all_of_it_is_there_and_not_before() {
    let mut bench = Bench::new();
    let actions = bench.enters("b1", &[("1.0", TRUNK), ("1.1", ELDER)]);
    let names = asked_for(&actions);
    assert_eq!(names.len(), 6);
    let joins: Vec<_> = names.iter().map(|name| requests(&bench.is_there(name)).len()).collect();
    assert_eq!(joins, [0, 0, 1, 0, 0, 1]);
    assert!(requests(&bench.is_there(&names[0])).is_empty(), "once is enough");
}

#[test]
fn a_call_that_the_person_made_is_outgoing_and_its_number_is_what_was_dialled() {
    let mut bench = Bench::new();
    let mut elder = channel("1.0", ELDER);
    elder["dialplan"] = json!({"exten": "01632960002"});
    let _ = bench.take(json!({"type": "ChannelCreated", "channel": elder}));
    elder["dialplan"] = json!({"exten": "s"});
    let dial = json!({"type": "Dial", "dialstatus": "", "caller": elder,
        "peer": channel("1.1", TRUNK)});
    let number = Private::new("01632960002".to_owned());
    assert!(matches!(&bench.take(dial)[..], [Action::Dials { number: n, .. }] if *n == number));
    let actions = bench.enters("b1", &[("1.0", ELDER), ("1.1", TRUNK)]);
    let Some(Action::Begin { direction, number: dialled, .. }) = actions.first() else {
        panic!("{actions:?}")
    };
    assert_eq!((*direction, dialled), (Direction::Outgoing, &Some(number)));
}

#[test]
fn calls_within_the_house_and_of_others_are_let_be() {
    for parties in [
        [("1.0", ELDER), ("1.1", "PJSIP/bedroom-00000003")],
        [("1.0", TRUNK), ("1.1", "PJSIP/office-00000004")],
    ] {
        assert_eq!(Bench::new().enters("b1", &parties), []);
    }
    let mut bench = Bench::new();
    let of_trunk = bench.enters("b1", &[("1.0", "PJSIP/analogue-1"), ("1.1", "DAHDI/2-1")]);
    assert!(begun(&of_trunk).is_some(), "all calls of this trunk are the line's");
    let handed_on = [("1.0", "PJSIP/analogue-1"), ("1.2", "PJSIP/analogue-2")];
    assert_eq!(Bench::new().enters("b1", &handed_on), [], "nobody of the line is there");
}

#[test]
fn when_a_party_is_gone_the_call_is_over_and_all_that_listened_is_ended() {
    for (gone, name) in [("1.0", TRUNK), ("1.1", ELDER)] {
        let mut bench = Bench::new();
        let _ = bench.call();
        let actions = bench.destroyed(gone, name);
        assert!(is_over(&actions));
        assert_eq!(requests(&actions).len(), 6, "two channels and a bridge a leg");
        assert!(bench.board.calls.is_empty());
    }
}

#[test]
fn a_party_that_is_transferred_takes_the_call_along() {
    let mut bench = Bench::new();
    let _ = bench.call();
    // The call is taken over by the telephone in the bedroom.
    let bedroom = "PJSIP/bedroom-00000003";
    let actions = bench.enters("b2", &[("1.5", bedroom), ("1.0", TRUNK)]);
    assert!(begun(&actions).is_none() && !is_over(&actions));
    let snoops = requests(&actions).into_iter().filter_map(|request| match request {
        Request::Snoop { channel, .. } => Some(channel),
        _ => None,
    });
    assert_eq!(snoops.collect::<Vec<_>>(), ["1.5"], "only the leg that changed is tapped anew");
    assert_eq!(bench.destroyed("1.1", ELDER), []);
    assert!(is_over(&bench.destroyed("1.0", TRUNK)));
}

#[test]
fn a_call_that_waits_is_a_call_of_its_own() {
    let mut bench = Bench::new();
    let first = bench.call();
    let second = [("2.0", "PJSIP/trunk-00000005"), ("2.1", "PJSIP/elder-00000006")];
    let actions = bench.enters("b2", &second);
    let (other, _) = begun(&actions).expect("a second call");
    assert_ne!(first, other);
    assert!(is_over(&bench.destroyed("2.0", "PJSIP/trunk-00000005")));
    assert!(!bench.board.calls.is_empty(), "the first one goes on");
}

#[test]
fn a_warning_is_whispered_to_the_protected_person_and_to_nobody_else() {
    let mut bench = Bench::new();
    let call = bench.call();
    let actions = bench.order(&call, Order::Whisper(Level::Warning, "warning".to_owned()));
    let [Request::Whisper { channel, new }] = &requests(&actions)[..] else {
        panic!("{actions:?}")
    };
    assert_eq!(channel, "1.1");
    let played = requests(&bench.is_there(new));
    assert!(matches!(&played[..], [Request::Play { sound, .. }] if sound == "lineclear/warning"));
    let [Request::Play { new: playback, .. }] = &played[..] else { panic!("{played:?}") };
    for (level, again) in [(Level::Warning, "warning"), (Level::Caution, "caution")] {
        let more = bench.order(&call, Order::Whisper(level, again.to_owned()));
        assert_eq!(more, [], "neither the same nor a milder one takes its place");
    }
    let worse = requests(&bench.order(&call, Order::Whisper(Level::Danger, "danger".to_owned())));
    let stop = [Request::StopPlaying { playback: playback.clone() }];
    assert_eq!(worse, stop);
    assert_eq!(requests(&bench.board.tick(at(250))), stop, "it may not have begun before");
    let done = |id: &str| json!({"type": "PlaybackFinished", "playback": {"id": id}});
    let next = requests(&bench.take(done(playback)));
    let [Request::Play { new: second, .. }] = &next[..] else { panic!("{next:?}") };
    let over = requests(&bench.take(done(second)));
    assert!(matches!(&over[..], [Request::HangUp { channel, .. }] if channel == new));
}

#[test]
fn the_notice_is_for_both() {
    let mut bench = Bench::new();
    let call = bench.call();
    let actions = bench.order(&call, Order::Notice("notice".to_owned()));
    let to = requests(&actions).into_iter().filter_map(|request| match request {
        Request::Whisper { channel, .. } => Some(channel),
        _ => None,
    });
    assert_eq!(to.collect::<Vec<_>>(), ["1.1", "1.0"]);
}

#[test]
fn the_notice_is_heard_to_its_end_and_only_the_worst_warning_after_it() {
    let mut bench = Bench::new();
    let call = bench.call();
    let actions = bench.order(&call, Order::Notice("notice".to_owned()));
    let [Request::Whisper { new, .. }, _] = &requests(&actions)[..] else { panic!("{actions:?}") };
    let played = requests(&bench.is_there(new));
    let [Request::Play { new: playback, .. }] = &played[..] else { panic!("{played:?}") };
    for level in [Level::Caution, Level::Warning, Level::Caution] {
        assert_eq!(bench.order(&call, Order::Whisper(level, level.name().to_owned())), []);
    }
    let done = json!({"type": "PlaybackFinished", "playback": {"id": playback, "state": "done"}});
    let next = requests(&bench.take(done));
    assert!(matches!(&next[..], [Request::Play { sound, .. }] if sound == "lineclear/warning"));
}

#[test]
fn the_far_leg_goes_and_the_dialplan_finds_what_to_say_and_whom_to_ring() {
    let mut bench = Bench::new();
    let call = bench.call();
    let _ = bench.order(&call, Order::Whisper(Level::Warning, "warning".to_owned()));
    let drop = Order::Drop { prompt: Some("dropped".to_owned()), connect: Some("999") };
    let asked = requests(&bench.order(&call, drop));
    let [
        Request::SetVariable { value: prompt, .. },
        Request::SetVariable { value: number, .. },
        Request::HangUp { channel, cause: REJECTED },
        Request::HangUp { .. },
    ] = &asked[..]
    else {
        panic!("{asked:?}")
    };
    let told = (prompt.as_str(), number.as_str(), channel.as_str());
    assert_eq!(told, ("lineclear/dropped", "999", "1.0"));
}

#[test]
fn a_far_leg_that_does_not_go_is_told_again_and_the_desk_knows() {
    let mut bench = Bench::new();
    let call = bench.call();
    let _ = bench.order(&call, Order::Drop { prompt: None, connect: None });
    assert_eq!(bench.board.tick(at(1_999)), []);
    let again = bench.board.tick(at(2_000));
    assert!(matches!(&requests(&again)[..], [Request::HangUp { channel, .. }] if channel == "1.0"));
    let third = bench.board.tick(at(4_000));
    assert!(third.iter().any(|action| matches!(action, Action::FarLegUp { .. })));
    let _ = bench.destroyed("1.0", TRUNK);
    assert_eq!(bench.board.tick(at(6_000)), []);
}

#[test]
fn the_keys_that_end_a_call_are_the_protected_persons_only() {
    let mut bench = Bench::new();
    let _ = bench.call();
    let mut press = |id: &str, name: &str, keys: &str| {
        let key = |sign: char| {
            json!({"type": "ChannelDtmfReceived", "digit": sign.to_string(),
                "channel": channel(id, name)})
        };
        let actions: Vec<_> = keys.chars().flat_map(|sign| bench.take(key(sign))).collect();
        let ends = actions.iter().filter(|it| matches!(it, Action::EndCall { .. })).count();
        (actions.len() - ends, ends)
    };
    assert_eq!(press("1.0", TRUNK, "*0"), (2, 0));
    assert_eq!(press("1.1", ELDER, "*0"), (2, 1));
    assert_eq!(press("9.9", "PJSIP/other-1", "*0"), (0, 0), "of no call");
}

#[test]
fn what_is_refused_is_tried_again_some_times_and_then_told() {
    let mut bench = Bench::new();
    let actions = bench.enters("b1", &[("1.0", TRUNK), ("1.1", ELDER)]);
    let snoop = requests(&actions).into_iter().find(|it| matches!(it, Request::Snoop { .. }));
    bench.board.refused(&snoop.expect("a snoop"), at(0));
    let mut not_heard = 0;
    for second in 1..40 {
        let actions = bench.board.tick(at(second * 1_000));
        not_heard += actions.iter().filter(|it| matches!(it, Action::NotHeard { .. })).count();
    }
    assert_eq!(not_heard, 2, "each leg once");
}

#[test]
fn a_tap_that_breaks_while_the_call_goes_on_is_begun_anew() {
    let mut bench = Bench::new();
    let actions = bench.enters("b1", &[("1.0", TRUNK), ("1.1", ELDER)]);
    let names = asked_for(&actions);
    names.iter().for_each(|name| drop(bench.is_there(name)));
    assert_eq!(bench.board.tick(at(10_000)), []);
    bench.now = 10_000;
    let _ = bench.destroyed(&names[1], "AudioSocket/127.0.0.1:9092-1");
    assert_eq!(asked_for(&bench.board.tick(at(12_000))).len(), 3);
}

#[test]
fn when_the_program_ends_nothing_is_left_behind_and_no_call_is_over() {
    let mut bench = Bench::new();
    let _ = bench.call();
    let actions = bench.board.release();
    assert_eq!((requests(&actions).len(), is_over(&actions)), (6, false));
    assert!(bench.board.calls.is_empty());
}

#[test]
fn what_comes_when_its_call_is_over_is_ended() {
    let mut bench = Bench::new();
    let actions = bench.enters("b1", &[("1.0", TRUNK), ("1.1", ELDER)]);
    let names = asked_for(&actions);
    let _ = bench.destroyed("1.0", TRUNK);
    for name in names {
        let ended = requests(&bench.is_there(&name));
        assert!(
            matches!(
                &ended[..],
                [Request::HangUp { channel: it, .. } | Request::EndBridge { bridge: it }]
                    if *it == name
            ),
            "{ended:?}"
        );
    }
}

#[test]
fn a_far_leg_that_comes_back_is_a_call_of_another_name() {
    let mut bench = Bench::new();
    let first = bench.call();
    assert!(is_over(&bench.destroyed("1.1", ELDER)));
    let again = bench.enters("b2", &[("1.0", TRUNK), ("1.7", "PJSIP/bedroom-00000007")]);
    let (second, _) = begun(&again).expect("another call");
    assert_ne!(first, second);
}

#[test]
fn the_sound_of_a_tap_is_ended_before_its_channel() {
    let mut bench = Bench::new();
    let _ = bench.call();
    let actions = bench.destroyed("1.0", TRUNK);
    let place = |is_it: fn(&Action) -> bool| actions.iter().position(is_it).expect("it is there");
    let closed = place(|action| matches!(action, Action::Close { .. }));
    assert!(closed < place(|action| matches!(action, Action::Ask(_))));
    let count = actions.iter().filter(|it| matches!(it, Action::Close { .. })).count();
    assert_eq!(count, 2, "{actions:?}");
}

#[test]
fn a_warning_that_is_refused_is_tried_again_and_one_that_failed_is_told() {
    let mut bench = Bench::new();
    let call = bench.call();
    let actions = bench.order(&call, Order::Whisper(Level::Warning, "warning".to_owned()));
    bench.board.refused(&requests(&actions)[0], at(0));
    let again = requests(&bench.board.tick(at(1_000)));
    let [Request::Whisper { new, .. }] = &again[..] else { panic!("{again:?}") };
    let played = requests(&bench.is_there(new));
    let [Request::Play { new: playback, .. }] = &played[..] else { panic!("{played:?}") };
    let failed = json!({"type": "PlaybackFinished",
        "playback": {"id": playback, "state": "failed"}});
    assert!(bench.take(failed).contains(&Action::NotSaid), "there is no such sound");
}

#[test]
fn a_telephone_that_is_the_lines_no_more_is_listened_to_no_more() {
    let mut bench = Bench::new();
    let _ = bench.call();
    let mut other = settings(config::Tap::Legs);
    other.lines = Lines::new(vec![AsteriskLine {
        line: "home".to_owned(),
        telephones: vec!["PJSIP/bedroom".to_owned()],
        trunks: Vec::new(),
    }]);
    assert!(is_over(&bench.board.configure(other, at(0))));
}

#[test]
fn after_a_gap_calls_that_are_up_are_listened_to_and_what_was_left_behind_is_ended() {
    let mut bench = Bench::new();
    let _ = bench.call();
    let mut after = Bench::new();
    let list: Vec<Channel> = [("1.0", TRUNK), ("1.1", ELDER), ("lineclear-0-9-snoop", "Snoop/x-1")]
        .map(|(id, name)| serde_json::from_value(channel(id, name)).expect("a channel"))
        .into();
    let bridge = |id: &str, channels: &[&str]| -> Bridge {
        serde_json::from_value(json!({"id": id, "channels": channels})).expect("a bridge")
    };
    let bridges = vec![bridge("b1", &["1.0", "1.1"]), bridge("lineclear-0-9-bridge", &[])];
    let actions = after.board.resync(list.clone(), bridges.clone(), at(0));
    assert!(begun(&actions).is_some());
    assert!(matches!(
        &requests(&actions)[..2],
        [Request::HangUp { .. }, Request::EndBridge { .. }]
    ));
    // One that goes on with its calls taps again what is not up any more, and begins nothing.
    let actions = bench.board.resync(list, bridges, at(0));
    assert!(begun(&actions).is_none() && !is_over(&actions));
    assert_eq!(asked_for(&actions).len(), 6);
    assert!(is_over(&bench.board.resync(Vec::new(), Vec::new(), at(0))));
}

#[test]
fn both_parties_in_one_are_one_tap() {
    let board = Switchboard::new(settings(config::Tap::Mixed), [7; 32]);
    let mut bench = Bench { board, now: 0 };
    let actions = bench.enters("b1", &[("1.0", TRUNK), ("1.1", ELDER)]);
    assert!(matches!(actions[0], Action::Begin { is_mixed: true, .. }));
    assert_eq!(asked_for(&actions).len(), 3);
    let both = |it: &Request| matches!(it, Request::Snoop { spy: Spy::Both, .. });
    assert!(requests(&actions).iter().any(both));
}
