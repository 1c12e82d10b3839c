//! The daemon from outside: calls are fed, people are warned and told, lines are held.

mod common;

use common::daemon::{Daemon, Hook, config, eventually, request, secret};
use lineclear::edge::clock;
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
