//! The daemon from outside: calls are fed, people are warned and told, lines are held.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use common::daemon::{Daemon, Hook, config, eventually, request, secret};
use lineclear::edge::{clock, token};
use serde_json::json;

const SCAM: [&str; 3] = ["about the parrot", "the purple one", "in a mauve taxi"];

fn with_hook(more: &str) -> (Daemon, Hook, tempfile::TempDir) {
    let (hook, secrets) = (Hook::start(), tempfile::tempdir().expect("a folder"));
    let channel = hook.channel(&secret(secrets.path()));
    (Daemon::start(&channel, more), hook, secrets)
}

#[test]
fn a_scam_call_is_warned_of_told_and_held() {
    let (daemon, hook, _secrets) = with_hook("");
    let mut feed = daemon.feed();
    feed.start("call 1", "home", "01632 960123");
    assert_eq!(feed.wait_for("started")["origin"], "unknown");
    for (at, words) in (0..).zip(SCAM) {
        feed.say("call 1", at * 1000, words);
    }
    let whisper = feed.wait_for("whisper");
    assert_eq!(
        (&whisper["level"], &whisper["prompt"]),
        (&json!("warning"), &json!("warning-courier"))
    );
    assert_eq!(feed.wait_for("whisper")["level"], "danger");
    // The far leg is still up: whoever rings the bank now would reach the scammer.
    let gate = daemon.gate("home", "outgoing", "01632960999");
    assert_eq!((&gate["decision"], &gate["drop_first"]), (&json!("held"), &json!(["call 1"])));
    let gate = daemon.gate("home", "outgoing", "141999");
    assert_eq!((&gate["decision"], &gate["reason"]), (&json!("pass"), &json!("emergency")));
    assert_eq!(gate["drop_first"], json!(["call 1"]));
    assert!(feed.wait_for("drop-far-leg")["prompt"].is_null());
    feed.end("call 1");
    assert_eq!(feed.wait_for("line-held")["prompt"], "line-held-5");
    assert_eq!(daemon.gate("home", "outgoing", "01632960999")["override_key"], "1");
    // An emergency call was made: whoever rings back reaches the line.
    assert_eq!(daemon.gate("home", "incoming", "01632960123")["reason"], "after-emergency");
    assert_eq!(daemon.gate("other", "outgoing", "01632960999")["reason"], "open");
    eventually("three notifications", || {
        (hook.taken.lock().expect("keys").len() >= 3).then_some(())
    });
    let told = serde_json::to_string(&*hook.bodies.lock().expect("bodies")).expect("JSON");
    for private in ["960", "parrot", "purple", "mauve", "call 1"] {
        assert!(!told.contains(private), "{private}: {told}");
    }
    let incident = &daemon.get("/v1/incidents?line=home")[0];
    assert_eq!(
        (&incident["level"], &incident["number_ends_with"]),
        (&json!("danger"), &json!("23"))
    );
    let name = incident["incident"].as_str().expect("a name").to_owned();
    assert!(
        daemon.get(&format!("/v1/incidents/{name}"))["history"].as_array().expect("steps").len()
            > 4
    );
    // Somebody knows better.
    let (status, said) = daemon.request("POST", &format!("/v1/incidents/{name}/not-a-scam"), "");
    assert_eq!((status, &said["not_a_scam"]), (200, &json!("carer local")));
    assert_eq!(daemon.gate("home", "outgoing", "01632960999")["reason"], "open");
    let log = daemon.log.lock().expect("a log").clone();
    for private in ["960", "parrot", "purple", "mauve", "call 1"] {
        assert!(!log.contains(private), "{private}: {log}");
    }
}

#[test]
fn words_come_over_http_and_what_follows_goes_back() {
    let (daemon, _hook, _secrets) = with_hook("");
    let line = |at: u64, text: &str| {
        json!({"leg": "remote", "start_ms": at, "end_ms": at + 900, "text": text}).to_string()
    };
    let words = [line(0, SCAM[0]), line(1000, SCAM[1]), "half a li".to_owned()].join("\n");
    let path = "/v1/calls/c%201/utterances?line=home&number=01632960123&end=true";
    let (status, said) = daemon.request("POST", path, &words);
    let said = said.as_str().unwrap_or_default().to_owned();
    assert_eq!(status, 200, "{said}");
    for event in ["started", "whisper", "error", "ended"] {
        assert!(said.contains(&format!("\"event\":\"{event}\"")), "{event}: {said}");
    }
    let held = daemon.get("/v1/lines/home");
    assert!(held["hold"]["remaining_seconds"].as_u64().expect("seconds") > 290, "{held}");
    let (status, problem) = daemon.request("POST", "/v1/calls/c/utterances?line=nowhere", "");
    assert_eq!((status, problem["type"].as_str()), (404, Some("urn:lineclear:problem:not-found")));
}

#[test]
fn people_start_extend_and_end_holds() {
    let (daemon, _hook, _secrets) = with_hook("");
    let (status, done) = daemon.request("POST", "/v1/lines/home/hold", "{\"minutes\": 2}");
    assert_eq!((status, &done["kept"]), (200, &json!(true)));
    let (_, done) = daemon.request("PATCH", "/v1/lines/home/hold", "{\"minutes\": 3}");
    let left = done["line"]["hold"]["remaining_seconds"].as_u64().expect("seconds");
    assert!((295..=300).contains(&left), "{done}");
    assert_eq!(daemon.gate("home", "outgoing", "01632960999")["decision"], "held");
    let passed = daemon.get("/v1/lines/home/gate?direction=outgoing&number=01632960999&key=1");
    assert_eq!(passed["reason"], "overridden");
    assert_eq!(daemon.request("DELETE", "/v1/lines/home/hold", "").0, 200);
    assert_eq!(daemon.request("DELETE", "/v1/lines/home/hold", "").0, 409);
    assert_eq!(daemon.gate("home", "outgoing", "01632960999")["reason"], "open");
}

#[test]
fn every_error_is_a_problem_and_nothing_is_read_without_end() {
    let (daemon, _hook, _secrets) = with_hook("");
    let long = "x".repeat(100_000);
    for (method, path, body, expected) in [
        ("GET", "/v1/nothing", "", 404),
        ("PUT", "/v1/status", "", 405),
        ("GET", "/v1/lines/home/gate?direction=sideways", "", 400),
        ("GET", "/v1/lines/home/gate?direktion=incoming", "", 400),
        ("GET", "/v1/lines/nowhere", "", 404),
        ("GET", "/v1/incidents/17", "", 400),
        ("POST", "/v1/lines/home/hold", "{\"minutes\": 0}", 400),
        ("POST", "/v1/lines/home/hold", "{\"minutes\"", 400),
        ("POST", "/v1/lines/home/hold", long.as_str(), 413),
        ("POST", "/v1/lines/nowhere/hold", "", 404),
        ("DELETE", "/v1/calls/nobody", "", 404),
    ] {
        let (status, problem) = daemon.request(method, path, body);
        assert_eq!(status, expected, "{method} {path}: {problem}");
        assert_eq!(problem["status"], expected, "{method} {path}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{problem}");
    }
    let origin = "origin: https://evil.example\r\n";
    assert_eq!(request(daemon.port, "GET", "/v1/status", origin, "").0, 401);
    // A picture in a page of somebody else must not open the line to callbacks.
    let picture = "sec-fetch-site: cross-site\r\nsec-fetch-mode: no-cors\r\n";
    let gate = "/v1/lines/home/gate?direction=outgoing&number=999";
    assert_eq!(request(daemon.port, "GET", gate, picture, "").0, 401);
    assert_eq!(daemon.gate("home", "incoming", "01632960123")["reason"], "open");
    // A line that is not known lets calls pass: whoever configured it wrongly cuts nobody off.
    assert_eq!(daemon.gate("nowhere", "outgoing", "01632960999")["reason"], "unknown-line");
    assert_eq!(daemon.gate("nowhere", "outgoing", "999")["reason"], "emergency");
}

#[test]
fn it_ends_in_time_and_finds_everything_again() {
    let (daemon, _hook, _secrets) = with_hook("");
    daemon.request("POST", "/v1/lines/home/hold", "");
    let mut feed = daemon.feed();
    feed.start("c", "other", "");
    feed.say("c", 0, "parrot, purple");
    feed.wait_for("whisper");
    let (folder, port) = (daemon.folder.clone(), daemon.port);
    daemon.signal("-TERM");
    let asked = clock::now();
    assert!(daemon.ended().success());
    let took = clock::now() - asked;
    assert!(took.as_secs_f64() < 2.0, "it took {took:?}");
    let daemon = Daemon::again(folder, port);
    assert_eq!(daemon.gate("home", "outgoing", "01632960999")["decision"], "held");
    // The call goes on, and so does its incident: it is held for when it ends.
    let mut feed = daemon.feed();
    feed.start("c", "other", "");
    feed.wait_for("started");
    feed.end("c");
    feed.wait_for("line-held");
    assert_eq!(daemon.get("/v1/incidents?line=other").as_array().expect("incidents").len(), 1);
}

#[test]
fn a_new_configuration_is_taken_up_and_a_wrong_one_is_not() {
    let (daemon, _hook, _secrets) = with_hook("");
    daemon.request("POST", "/v1/lines/home/hold", "");
    let text = config(daemon.port, "", "[hold]\noverride = \"carers\"");
    std::fs::write(daemon.path("config.toml"), &text).expect("written");
    daemon.signal("-HUP");
    eventually("the policy", || {
        let gate = daemon.gate("home", "outgoing", "01632960999");
        (gate["override_key"].is_null() && gate["decision"] == "held").then_some(())
    });
    std::fs::write(daemon.path("config.toml"), "[hold]\nline-cleer = 3").expect("written");
    daemon.signal("-HUP");
    let problem = eventually("a red status", || daemon.is_red());
    assert!(problem.contains("did you mean `line-clear`?"), "{problem}");
    assert_eq!(daemon.gate("home", "outgoing", "01632960999")["decision"], "held");
    std::fs::write(daemon.path("config.toml"), &text).expect("written");
    daemon.signal("-HUP");
    eventually("a green status", || daemon.is_red().is_none().then_some(()));
}

#[test]
fn what_is_kept_is_exported_and_erased() {
    let (daemon, _hook, _secrets) = with_hook("");
    daemon.request("POST", "/v1/lines/home/hold", "");
    let kept = daemon.get("/v1/lines/home/data").to_string();
    assert!(kept.contains("hold started") && kept.contains("Jean Hill"), "{kept}");
    let (status, erased) = daemon.request("DELETE", "/v1/lines/home/data", "");
    assert_eq!(status, 200, "{erased}");
    let kept = daemon.get("/v1/lines/home/data").to_string();
    assert!(!kept.contains("hold started"), "{kept}");
    // What protects the line just now goes on.
    assert_eq!(daemon.gate("home", "outgoing", "01632960999")["decision"], "held");
}

#[test]
fn beyond_loopback_it_starts_with_a_token_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "[api]\nlisten = \"0.0.0.0:0\"").expect("written");
    let program = std::process::Command::new(env!("CARGO_BIN_EXE_lineclear"))
        .args(["--config".as_ref(), path.as_os_str(), "run".as_ref()])
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&program.stderr);
    assert!(!program.status.success() && said.contains("lineclear token"), "{said}");
}

/// A new token as it is configured, and as it is sent.
fn new_token(name: &str, role: &str, more: &str) -> (String, String) {
    let (token, sha256) = token::new().expect("random bytes");
    let configured = format!(
        "[[api.tokens]]\nname = \"{name}\"\nrole = \"{role}\"\nsha256 = \"{sha256}\"\n{more}\n"
    );
    (configured, format!("authorization: Bearer {token}\r\n"))
}

/// A body that is sent as the call goes on.
struct Body(BufReader<TcpStream>);

impl Body {
    fn begin(daemon: &Daemon, path: &str, head: &str) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", daemon.port)).expect("it listens");
        let patience = std::time::Duration::from_secs(20);
        stream.set_read_timeout(Some(patience)).expect("set");
        let begin = "host: 127.0.0.1\r\ntransfer-encoding: chunked";
        write!(stream, "POST {path} HTTP/1.1\r\n{begin}\r\n{head}\r\n").expect("sent");
        Self(BufReader::new(stream))
    }

    fn say(&mut self, at: u64, text: &str) {
        let words = json!({"leg": "remote", "start_ms": at, "end_ms": at + 900, "text": text});
        let line = format!("{words}\n");
        write!(self.0.get_mut(), "{:x}\r\n{line}\r\n", line.len()).expect("sent");
    }

    fn wait_for(&mut self, text: &str) {
        let mut line = String::new();
        while self.0.read_line(&mut line).is_ok_and(|read| read > 0) {
            if line.contains(text) {
                return;
            }
            line.clear();
        }
        panic!("no {text} came");
    }
}

#[test]
fn a_token_of_one_line_feeds_no_other() {
    let (operator, _) = new_token("op", "operator", "");
    let (exchange, head) = new_token("pbx", "exchange", "lines = [\"home\"]");
    let (daemon, _hook, _secrets) = with_hook(&(operator + &exchange));
    let ask =
        |method: &str, path: &str, body: &str| request(daemon.port, method, path, &head, body);
    let mut feed = daemon.feed();
    feed.start("theirs", "other", "");
    feed.say("theirs", 0, "parrot, purple");
    assert_eq!(feed.wait_for("whisper")["level"], "warning");
    let lines = [
        json!({"event": "start", "call": "theirs", "line": "other"}),
        json!({"event": "start", "call": "theirs", "line": "home"}),
        json!({"event": "start", "call": "another", "line": "other"}),
        json!({"event": "signal", "call": "theirs", "leg": "remote", "at_ms": 5,
            "kind": "dial-tone"}),
        json!({"call": "theirs", "leg": "remote", "start_ms": 0, "end_ms": 9, "text": "hello"}),
        json!({"event": "end", "call": "theirs"}),
        json!({"event": "far-leg-up", "line": "other"}),
    ];
    let body = lines.map(|line| line.to_string()).join("\n");
    let (status, said) = ask("POST", "/v1/calls/mine/utterances?line=home", &body);
    let said = said.as_str().unwrap_or_default().to_owned();
    assert_eq!(status, 200, "{said}");
    assert_eq!(said.matches("the token is not for this line").count(), 7, "{said}");
    assert_eq!(ask("POST", "/v1/calls/other/utterances?line=other", "").0, 403);
    assert_eq!(ask("DELETE", "/v1/calls/theirs", "").0, 404);
    assert_eq!(ask("DELETE", "/v1/calls/mine", "").0, 200);
    // Their call goes on, and its own source is told.
    feed.say("theirs", 1000, "mauve");
    assert_eq!(feed.wait_for("whisper")["level"], "danger");
}

#[test]
fn a_token_sees_no_more_than_its_lines_and_its_role() {
    let (exchange, pbx) = new_token("pbx", "exchange", "lines = [\"home\"]");
    let (carer, anna) = new_token("anna", "carer", "lines = [\"home\"]");
    let unscreened = "[[lines]]\nid = \"third\"\nname = \"Uncle\"\n";
    let (daemon, _hook, _secrets) = with_hook(&(exchange + &carer + unscreened));
    let ask = |head: &str, method: &str, path: &str| {
        let (status, body) = request(daemon.port, method, path, head, "");
        assert_eq!(status, 200, "{path}: {body}");
        body
    };
    let status = ask(&pbx, "GET", "/v1/status");
    assert_eq!(
        (&status["health"], &status["problems"][0]["part"]),
        (&json!("red"), &json!("lines"))
    );
    assert!(!status.to_string().contains("third"), "{status}");
    let mut feed = daemon.feed();
    feed.start("call 1", "home", "01632 960123");
    feed.say("call 1", 0, "parrot, purple");
    feed.wait_for("whisper");
    let gate = "/v1/lines/home/gate?direction=outgoing&number=01632960999&dry-run=true";
    assert_eq!(ask(&pbx, "GET", gate)["drop_first"], json!(["call 1"]));
    let dry = ask(&anna, "GET", gate);
    assert_eq!((&dry["decision"], &dry["drop_first"]), (&json!("held"), &json!([])));
    let incidents = ask(&anna, "GET", "/v1/incidents?line=home");
    let name = incidents[0]["incident"].as_str().expect("a name").to_owned();
    let not_a_scam = format!("/v1/incidents/{name}/not-a-scam");
    let said = ask(&pbx, "POST", &not_a_scam);
    assert_eq!((&said["kept"], &said["line"]["line"]), (&json!(true), &json!("home")));
    assert!(said["level"].is_null() && said["number_ends_with"].is_null(), "{said}");
    assert_eq!(ask(&anna, "POST", &not_a_scam)["number_ends_with"], "23");
}

#[test]
fn a_body_that_breaks_off_does_not_end_the_call() {
    let (daemon, _hook, _secrets) = with_hook("");
    let mut body = Body::begin(&daemon, "/v1/calls/c/utterances?line=home&end=true", "");
    body.say(0, "parrot, purple");
    body.wait_for("whisper");
    drop(body);
    // What is told of it reaches nobody any more.
    eventually("that it is noticed", || {
        let gate = daemon.gate("home", "outgoing", "01632960999");
        assert_eq!(gate["drop_first"], json!(["c"]), "the call goes on");
        let untold = &daemon.get("/v1/status")["counts"]["untold"];
        (untold.as_u64().expect("a count") > 0).then_some(())
    });
    assert!(daemon.get("/v1/lines/home")["hold"].is_null());
    let mut body = Body::begin(&daemon, "/v1/calls/c/utterances?line=home&end=true", "");
    body.say(1000, "mauve");
    body.wait_for("danger");
    body.0.get_mut().write_all(b"0\r\n\r\n").expect("sent");
    body.wait_for("\"event\":\"ended\"");
    assert!(daemon.get("/v1/lines/home")["hold"].is_object());
}

#[test]
fn a_token_that_is_taken_back_feeds_no_more() {
    let (operator, _) = new_token("op", "operator", "");
    let (exchange, head) = new_token("pbx", "exchange", "");
    let (daemon, _hook, _secrets) = with_hook(&format!("{operator}{exchange}"));
    let mut body = Body::begin(&daemon, "/v1/calls/c/utterances?line=home", &head);
    body.wait_for("started");
    let text = config(daemon.port, "", &operator);
    std::fs::write(daemon.path("config.toml"), text).expect("written");
    daemon.signal("-HUP");
    body.wait_for("does not allow this any more");
    let (status, _) = request(daemon.port, "GET", "/v1/status", &head, "");
    assert_eq!(status, 401);
}

#[test]
fn recordings_of_a_folder_that_was_not_there_at_the_start_are_not_heard() {
    let place = tempfile::tempdir().expect("a folder");
    let (away, inside) = (place.path().join("away"), place.path().join("calls"));
    std::fs::create_dir(&away).expect("made");
    std::fs::write(away.join("old.wav"), "not audio").expect("written");
    let more = format!("[folder]\nline = \"home\"\npath = \"{}\"", inside.display());
    let (daemon, _hook, _secrets) = with_hook(&more);
    assert!(eventually("a red status", || daemon.is_red()).contains("folder"));
    std::fs::rename(&away, &inside).expect("moved");
    eventually("a green status", || daemon.is_red().is_none().then_some(()));
    std::fs::write(inside.join("01632960123.wav"), "not audio either").expect("written");
    let problem = eventually("a red status", || daemon.is_red());
    assert!(problem.contains("(16 bytes) was not screened"), "{problem}");
    assert!(!problem.contains("more)") && !problem.contains("960123"), "{problem}");
    // It is shown for as long as it is there, not until another one is heard.
    std::fs::remove_file(inside.join("01632960123.wav")).expect("removed");
    eventually("a green status", || daemon.is_red().is_none().then_some(()));
}
