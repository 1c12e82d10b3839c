use proptest::prelude::*;

use super::*;

const ELDER: &str = r#"{"id":"1795351422.1","name":"PJSIP/elder-00000001","state":"Up",
    "caller":{"name":"","number":"02079460000"},"connected":{"name":"","number":"07700900123"},
    "dialplan":{"context":"protected","exten":"s","priority":1,"app_name":"AppDial"},
    "creationtime":"2026-11-22T12:43:42.975+0000","language":"en","added-in-23":[1]}"#;

fn parse(json: &str) -> Event {
    Event::parse(json).expect("an event")
}

fn elder() -> Channel {
    serde_json::from_str(ELDER).expect("a channel")
}

#[test]
fn a_channel_is_of_the_endpoint_that_its_name_begins_with() {
    let elder = elder();
    assert!(elder.is_of("PJSIP/elder") && elder.is_of("pjsip/elder"));
    assert!(!elder.is_of("PJSIP/eld") && !elder.is_of("PJSIP/elder-00000001"));
    let name = r#"{"id":"a","name":"Local/s@from-trunk-00000003;2"}"#;
    let local: Channel = serde_json::from_str(name).expect("a channel");
    assert!(local.is_of("Local/s@from-trunk"));
    let shared = elder.shared("LINECLEAR_PROMPT");
    assert_eq!(shared.reveal(), "SHARED(LINECLEAR_PROMPT,PJSIP/elder-00000001)");
}

#[test]
fn what_is_no_number_is_none() {
    let elder = elder();
    assert_eq!(elder.extension(), None, "s is a place in the dialplan");
    assert_eq!(elder.connected(), Some(Private::new("07700900123".to_owned())));
    for (number, is_one) in [("", false), ("anonymous", false), ("+441632960123", true)] {
        let json = format!(r#"{{"id":"a","name":"b-1","caller":{{"number":"{number}"}}}}"#);
        let channel: Channel = serde_json::from_str(&json).expect("a channel");
        assert_eq!(channel.number().is_some(), is_one, "{number}");
    }
}

#[test]
fn events_that_nobody_needs_are_read_as_such() {
    assert_eq!(parse(r#"{"type":"DeviceStateChanged","device_state":{}}"#), Event::Other);
    let dial = format!(r#"{{"type":"Dial","dialstatus":"","dialstring":"x","peer":{ELDER}}}"#);
    assert!(matches!(parse(&dial), Event::Dial { caller: None, .. }));
    let key = format!(r#"{{"type":"ChannelDtmfReceived","digit":"*","channel":{ELDER}}}"#);
    assert!(matches!(parse(&key), Event::ChannelDtmfReceived { digit: Key(Some(_)), .. }));
    let none = format!(r#"{{"type":"ChannelDtmfReceived","digit":"xy","channel":{ELDER}}}"#);
    assert!(matches!(parse(&none), Event::ChannelDtmfReceived { digit: Key(None), .. }));
}

#[test]
fn neither_numbers_nor_keys_are_printed() {
    let key = format!(r#"{{"type":"ChannelDtmfReceived","digit":"7","channel":{ELDER}}}"#);
    let printed = format!("{:?}", parse(&key));
    assert!(!printed.contains("0770") && !printed.contains("elder"), "{printed}");
    assert!(!printed.contains("Digit(7"), "{printed}");
    let wrong = r#"{"type":"StasisStart","channel":{"id":7,"name":"07700900123"}}"#;
    let error = Event::parse(wrong).expect_err("no id").to_string();
    assert!(!error.contains("0770"), "{error}");
}

#[test]
fn what_is_asked_for_is_an_address() {
    let snoop = Request::Snoop {
        channel: "1795351422.1".to_owned(),
        new: "lineclear-1-snoop".to_owned(),
        spy: Spy::In,
    };
    assert_eq!(
        snoop.target("lineclear"),
        "/channels/1795351422.1/snoop?app=lineclear&snoopId=lineclear-1-snoop&spy=in"
    );
    let (variable, value) = (elder().shared("LINECLEAR_CONNECT"), "999".to_owned());
    assert_eq!(
        Request::SetVariable { variable, value }.target("lineclear"),
        "/asterisk/variable?variable=SHARED%28LINECLEAR_CONNECT%2CPJSIP%2Felder-00000001%29\
         &value=999"
    );
    let hang_up = Request::HangUp { channel: "a/../b?c".to_owned(), cause: 21 };
    assert_eq!(hang_up.target("lineclear"), "/channels/a%2F..%2Fb%3Fc?reason_code=21");
}

#[test]
fn every_event_that_is_read_is_wanted() {
    let wanted: serde_json::Value =
        serde_json::from_str(Request::Filter.body().expect("a body")).expect("JSON");
    let allowed = wanted["allowed"].as_array().expect("a list");
    let names = allowed.iter().filter_map(|it| it["type"].as_str());
    for name in names {
        // What is known lacks its fields here; what is not known would be no error.
        let bare = format!(r#"{{"type":"{name}"}}"#);
        assert_ne!(Event::parse(&bare).ok(), Some(Event::Other), "{name} is not read");
    }
    assert_eq!(allowed.len(), 15);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,300}") {
        let _ = Event::parse(&text);
        let _ = channels(text.as_bytes());
        let _ = bridges(text.as_bytes());
    }
}
