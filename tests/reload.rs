//! Rules that change while a feed is screened: `screen --watch-rules`.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use common::program;
use serde_json::{Value, json};

/// A pack whose one rule finds `phrase`.
fn pack(rule: &str, phrase: &str) -> String {
    format!(
        "[pack]\nid = \"toy\"\ntitle = \"Toy {rule}\"\nversion = \"{rule}\"\n\
         [stages.hook]\ncap = 20.0\nfloor = 0.5\n\
         [[rule]]\nid = \"toy.hook.{rule}\"\ntitle = \"Rule {rule}\"\nstage = \"hook\"\n\
         weight = 15.0\nphrases = [\"{phrase}\"]\n\
         must-match = [\"{phrase}\"]\nmust-not-match = [\"hello\"]\n"
    )
}

/// A feed that is being screened.
struct Feed {
    folder: tempfile::TempDir,
    child: Child,
    lines: Option<ChildStdin>,
    events: Receiver<Value>,
    complaints: Receiver<String>,
}

impl Feed {
    /// Screens with the rule `first`, which finds "parrot".
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        fs::create_dir(folder.path().join("rules")).expect("made");
        write_pack(&folder, &pack("first", "parrot"));
        let mut command = program(&["--rules", "rules", "screen", "--json", "--watch-rules", "-"]);
        command.current_dir(&folder).stdin(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        let (sender, events) = channel();
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        std::thread::spawn(move || {
            for line in out.lines() {
                let line = line.expect("readable");
                let event = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line}: {e}"));
                let _ = sender.send(event);
            }
        });
        let (sender, complaints) = channel();
        let err = BufReader::new(child.stderr.take().expect("a pipe"));
        std::thread::spawn(move || {
            for line in err.lines() {
                let _ = sender.send(line.expect("readable"));
            }
        });
        let lines = child.stdin.take();
        let mut feed = Self { folder, child, lines, events, complaints };
        // Once it answers, the rules are loaded and it listens for the signal.
        feed.say("start", "hello");
        feed
    }

    fn change(&self, text: &str) {
        write_pack(&self.folder, text);
    }

    /// Sends an utterance, and gives the events up to its own.
    fn say(&mut self, call: &str, text: &str) -> Vec<Value> {
        let line = json!({"call": call, "leg": "remote", "start_ms": 0, "end_ms": 9, "text": text});
        let feed = self.lines.as_mut().expect("a pipe");
        writeln!(feed, "{line}").expect("written");
        feed.flush().expect("written");
        let mut events = vec![self.next()];
        while events.last().is_some_and(|event| event["event"] != "utterance") {
            events.push(self.next());
        }
        events
    }

    fn next(&self) -> Value {
        self.events.recv_timeout(Duration::from_secs(30)).expect("an event")
    }

    /// Talks on until the program has something to say of the rules. It looks once a second.
    fn talk_until_rules(&mut self) -> Value {
        loop {
            if let Some(event) = rules(&self.say("talk", "hello")) {
                return event.clone();
            }
        }
    }

    fn complaint(&self) -> String {
        self.complaints.recv_timeout(Duration::from_secs(30)).expect("a line")
    }

    fn hang_up(&self) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-HUP", &id]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Ends the feed: the events that are left, and the exit status.
    fn end(mut self) -> (Vec<Value>, Option<i32>) {
        drop(self.lines.take());
        let left = self.events.iter().collect();
        (left, self.child.wait().expect("it ends").code())
    }
}

fn write_pack(folder: &tempfile::TempDir, text: &str) {
    // As editors do it: a pack that is half written is never seen.
    let draft = folder.path().join("draft");
    fs::write(&draft, text).expect("written");
    fs::rename(draft, folder.path().join("rules/toy.toml")).expect("renamed");
}

/// The event that tells of rules, if there is one.
fn rules(events: &[Value]) -> Option<&Value> {
    events.iter().find(|event| event["event"] == "rules")
}

/// The rules that were found in the utterance that ends these events.
fn found(events: &[Value]) -> Vec<String> {
    let utterance = events.last().expect("an utterance");
    let found = utterance["found"].as_array().expect("a list").iter();
    found.map(|one| one["rule"].as_str().expect("a rule").to_owned()).collect()
}

#[test]
fn new_calls_start_on_changed_rules_and_calls_in_progress_keep_theirs() {
    let mut feed = Feed::start();
    assert_eq!(found(&feed.say("old", "a parrot")), ["toy.hook.first"]);
    // Another rule comes first, so that an index of the old book names a wrong rule in the new.
    let other = pack("second", "canary").split_once("[[rule]]").expect("a rule").1.to_owned();
    feed.change(&format!("{}[[rule]]{other}", pack("zeroth", "magpie")));
    let event = feed.talk_until_rules();
    assert_eq!((&event["change"], &event["generation"]), (&json!("reloaded"), &json!(2)));
    assert_eq!((&event["rules"], &event["source"]), (&json!(2), &json!("rules")));
    assert_eq!(event["packs"][0]["version"], "zeroth");
    assert_eq!(event["last_error"], Value::Null);
    assert_eq!(
        feed.complaint(),
        "2 rules loaded from 1 pack in rules; calls in progress keep theirs"
    );

    assert_eq!(found(&feed.say("old", "a parrot and a canary")), ["toy.hook.first"]);
    assert_eq!(found(&feed.say("new", "a parrot and a canary")), ["toy.hook.second"]);
    let (events, code) = feed.end();
    let verdict = |call: &str| {
        let of_call = |event: &&Value| event["event"] == "verdict" && event["call"] == call;
        let verdict = events.iter().find(of_call).expect("a verdict");
        (verdict["family"].clone(), verdict["reasons"][0]["title"].clone())
    };
    assert_eq!(verdict("old"), (json!("Toy first"), json!("Rule first")));
    assert_eq!(verdict("new"), (json!("Toy zeroth"), json!("Rule second")));
    assert_eq!(code, Some(10));
}

#[test]
fn a_bad_pack_is_refused_and_the_old_rules_stay() {
    let mut feed = Feed::start();
    feed.change(&pack("second", "canary").replace("weight = 15.0", "weight = 99.0"));
    let event = feed.talk_until_rules();
    assert_eq!((&event["change"], &event["generation"]), (&json!("refused"), &json!(1)));
    assert_eq!(event["packs"][0]["version"], "first");
    let problem = event["last_error"].as_str().expect("a reason").to_owned();
    assert!(problem.contains("toy.toml: rule toy.hook.second: weight is 99"), "{problem}");
    assert_eq!(feed.complaint(), format!("error: {problem}; the rules of before stay in use"));
    assert_eq!(found(&feed.say("new", "a parrot and a canary")), ["toy.hook.first"]);

    feed.change(&pack("third", "canary"));
    let event = feed.talk_until_rules();
    assert_eq!((&event["change"], &event["generation"]), (&json!("reloaded"), &json!(2)));
    assert_eq!(event["last_error"], Value::Null);
    assert_eq!(found(&feed.say("newer", "a canary")), ["toy.hook.third"]);
    assert_eq!(feed.end().1, Some(11), "something could not be read");
}

#[test]
fn sighup_reloads_at_once() {
    let mut feed = Feed::start();
    assert_eq!(found(&feed.say("old", "a parrot")), ["toy.hook.first"]);
    for generation in 2..5 {
        // Nothing has changed: only the signal makes it load.
        feed.hang_up();
        let events = feed.say("old", "a parrot");
        let event = rules(&events).expect("loaded before the line was screened");
        let expected = (&json!("reloaded"), &json!(generation));
        assert_eq!((&event["change"], &event["generation"]), expected);
    }
    feed.change("[pack");
    feed.hang_up();
    let events = feed.say("new", "a parrot");
    assert_eq!(rules(&events).map(|event| &event["change"]), Some(&json!("refused")));
    assert_eq!(found(&events), ["toy.hook.first"]);
}

#[test]
fn the_shipped_rules_cannot_be_watched() {
    let ran = common::finish(program(&["screen", "--watch-rules", "-"]));
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert!(ran.err.contains("--watch-rules needs --rules DIR"), "{}", ran.err);
}
