//! Keys and features over the feed: they are weighed, and no digit is ever told or kept.

mod common;

use std::path::Path;

use common::daemon::{Daemon, RULES};
use lineclear::call::Leg;
use lineclear::wire::features::{self, BANDS, Flags, Frame};
use serde_json::json;

/// Beside the toy rules, one for each signal that these tests send.
const SIGNALS: &str = r#"
[stages.verification]
cap = 30.0
floor = 0.9
[[rule]]
id = "courier.verification.dialled"
title = "999 was dialled"
stage = "verification"
weight = 18.0
speaker = "protected"
signal = "emergency-dialled"
[[rule]]
id = "courier.verification.tone"
title = "A dial tone"
stage = "verification"
weight = 18.0
speaker = "remote"
signal = "dial-tone"
[[rule]]
id = "courier.extraction.card"
title = "A card"
stage = "extraction"
weight = 12.0
speaker = "protected"
signal = "card-keyed"
"#;

/// A card's number that no bank gives, and a code.
const CARD: &str = "4813627395284614";
const CODE: &str = "830617";

fn daemon() -> Daemon {
    Daemon::with_rules(&format!("{RULES}{SIGNALS}"))
}

/// Everything under a folder.
fn bytes_below(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        match entry.file_type().expect("a type").is_dir() {
            true => all.extend(bytes_below(&entry.path())),
            false => all.extend(std::fs::read(entry.path()).unwrap_or_default()),
        }
    }
    all
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn keys_are_weighed_and_no_digit_reaches_log_disk_or_interface() {
    let daemon = daemon();
    let mut feed = daemon.feed();
    feed.start("call 1", "home", "01632 960123");
    let words = json!({
        "call": "call 1", "leg": "protected", "start_ms": 0, "end_ms": 900, "text": "hello"
    });
    feed.write(&words.to_string());
    let mut at = 1000;
    let mut key = |feed: &mut common::daemon::Feed, keys: &str| {
        for sign in keys.chars() {
            at += 300;
            let event = json!({
                "event": "key", "call": "call 1", "leg": "protected", "at_ms": at,
                "key": sign.to_string()
            });
            feed.write(&event.to_string());
        }
        at += 5000;
    };
    key(&mut feed, &format!("{CARD}#"));
    key(&mut feed, &format!("{CODE}#"));
    // Nothing is said after it: that it is complete follows from the pause alone.
    key(&mut feed, "999");
    assert_eq!(feed.wait_for("whisper")["level"], "warning");
    feed.write(r#"{"event":"key","call":"call 1","leg":"protected","at_ms":1,"key":"830617"}"#);
    let told = feed.wait_for("error").to_string();
    assert!(!holds(told.as_bytes(), CODE), "{told}");
    feed.end("call 1");
    feed.wait_for("line-held");
    let incidents = daemon.get("/v1/incidents?line=home");
    let rules = incidents[0]["rules"].to_string();
    assert!(rules.contains("dialled") && rules.contains("card"), "{rules}");
    let mut shown = Vec::new();
    for path in ["/v1/status", "/v1/lines", "/v1/incidents", "/v1/lines/home/data"] {
        shown.extend(daemon.get(path).to_string().into_bytes());
    }
    shown.extend(daemon.log.lock().expect("a log").bytes());
    shown.extend(bytes_below(&daemon.path("state")));
    // Also not a part of them; fewer digits than six are found by chance, in a time or an id.
    let parts =
        |number: &'static str| (0..=number.len() - 6).map(move |from| &number[from..from + 6]);
    for digits in parts(CARD).chain(parts(CODE)) {
        assert!(!holds(&shown, digits), "{digits} was told or kept");
    }
}

#[test]
fn features_are_taken_as_bytes_and_as_lines() {
    let daemon = daemon();
    let frame = |ms: u64, flags| Frame { leg: Leg::Remote, flags, ms, mel: [-9.0; BANDS] };
    let words = |call: &str| {
        let leg = "remote";
        json!({"call": call, "line": "home", "leg": leg, "start_ms": 0, "end_ms": 9,
               "text": "the parrot"})
        .to_string()
    };
    // As bytes, in pieces.
    let mut feed = daemon.feed();
    feed.write(&words("a"));
    feed.write(r#"{"event":"features","call":"a"}"#);
    let mut bytes = features::header().to_vec();
    bytes.extend((0..200).flat_map(|n| frame(n * 10, Flags::VOICE).to_bytes()));
    bytes.extend(frame(2000, Flags::DIAL.with(Flags::VOICE)).to_bytes());
    for piece in bytes.chunks(1000) {
        feed.raw(piece);
    }
    assert_eq!(feed.wait_for("whisper")["call"], "a");
    feed.raw(&[0xFF; 92]);
    let problem = feed.wait_for("error")["message"].to_string();
    assert!(problem.contains("is none of 0, 1 and 2"), "{problem}");
    // As lines.
    let mut feed = daemon.feed();
    feed.write(&words("b"));
    feed.write(&features::header_json());
    let line = frame(10, Flags::DIAL).to_json().replacen('{', "{\"call\":\"b\",", 1);
    feed.write(&line);
    assert_eq!(feed.wait_for("whisper")["call"], "b");
    // Over HTTP they are lines.
    let body = format!("{}\n{}\n", words("c"), r#"{"event":"features"}"#);
    let (status, said) = daemon.request("POST", "/v1/calls/c/utterances?line=home&end=true", &body);
    let said = said.as_str().unwrap_or_default().to_owned();
    assert!(status == 200 && said.contains("write them as lines"), "{said}");
}

#[test]
fn scripted_calls_with_signals_come_to_what_they_expect() {
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_lineclear"))
        .args(["rules", "test", "tests/scripts/signals"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success() && said.contains("3 scripted calls"), "{said}");
}
