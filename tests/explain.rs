//! `explain`: what counted, what did not and why, and that it adds up.

mod common;

use std::fs;

use common::toy::{
    assert_in_order, folder, number, objects, repository, run, shipped, text, write,
};
use common::{finish, program};
use serde_json::json;

const EXPLAINED: &str = "\
[0:00] remote: They say a purple parrot is in jail.
[0:10] protected: Send me a basket of seeds.
[0:20] remote: Send us that basket of crisps, the sack of seeds.
[0:30] remote: Your purple parrot is in jail, in a golden cage.
[5:00] remote: A purple parrot in prison!
[9:00] mixed: Hello?
";

#[test]
fn an_explanation_shows_what_counted_what_did_not_and_what_nearly_did() {
    let folder = folder();
    write(&folder, "call.txt", EXPLAINED);
    let ran = run(&folder, "explain call.txt");
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert_in_order(
        &ran.out,
        "call.txt unknown number, 0.0 to begin with|\
         1 0:00.0 remote They say a (purple parrot is in jail.)|\
         hook +2.0 Caller speaks of a parrot in trouble|\
         toy.hook.parrot, phrase 1: \"purple parrot is in jail\"|\
         keeps 25 % of 8.0: somebody tells of it|score 2.0 (+2.0)|\
         2 0:10.0 protected Send me a basket of seeds.|\
         3 0:20.0 remote Send us that basket of crisps, the sack of seeds.|\
         extraction near Caller wants seeds|\
         toy.extraction.seeds, phrase 1: \"sack of seeds\" lacks send|\
         4 0:30.0 remote Your [purple parrot is in jail,] in a [golden cage.]|\
         counts once: first heard at 0:02.8|hook +9.0 Caller speaks of the cage|\
         score 15.0 (+13.|▲ CAUTION|hook: 17.0 heard, 15.0 at most",
    );
    assert_in_order(
        &ran.out,
        "6 9:00.0 mixed|Verdict|Toy scam, as far as: hook|Reasons|+9.0|+8.0|How it adds up|\
         0.0 unknown number|15.0 hook of 17.0|: the cap of its stage|caution begins at 15|\
         At the end, 9:00.3: quiet, score",
    );
    let same = run(&folder, "rules explain call.txt");
    assert_eq!(same.out, ran.out);
    let known = run(&folder, "explain --origin known-contact call.txt").out;
    assert_in_order(
        &known,
        "known contact, -10.0 to begin with|How it adds up -10.0 known contact",
    );
    for columns in [60, 100] {
        let mut command = program(&["--rules", "rules", "explain", "call.txt"]);
        command.current_dir(&folder).env("COLUMNS", columns.to_string());
        let rows = finish(command).out.replace(['[', ']', '(', ')'], "");
        assert_eq!(rows.lines().find(|row| row.chars().count() > columns), None, "{columns}");
    }
}

#[test]
fn a_demand_without_a_pretext_is_shown_to_be_held_back() {
    let folder = folder();
    write(&folder, "call.txt", "remote: Send us a basket of seeds.\n");
    let told = run(&folder, "explain call.txt").out;
    let held = "no reason given (0.0 of 4.0): 10.0 of 13.0 demanded";
    assert_in_order(&told, &format!("score 10.0 (+10.0)|{held}|How it adds up|−3.0 {held}|10.0"));
    let calls = objects(&run(&folder, "explain --json call.txt"));
    let pretext = &calls[0]["verdict"]["pretext"];
    assert_eq!((&pretext["given"], number(pretext, "cuts")), (&json!(false), 3.0));
}

#[test]
fn an_explanation_in_json_follows_its_schema_and_adds_up() {
    let schema = fs::read_to_string(repository().join("docs/schema/explanation.schema.json"));
    let schema = serde_json::from_str(&schema.expect("the schema")).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    assert!(!schema.is_valid(&json!({"call": "a", "turns": []})), "it lets all pass");
    let mut calls = Vec::new();
    for entry in fs::read_dir(repository().join("tests/rule-tests")).expect("a directory") {
        let path = entry.expect("an entry").path();
        let ran = shipped(&["explain", "--json", path.to_str().expect("UTF-8")]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", path.display());
        calls.extend(objects(&ran));
    }
    let folder = folder();
    write(&folder, "call.txt", EXPLAINED);
    calls.extend(objects(&run(&folder, "explain --json call.txt")));
    assert!(calls.len() > 15);
    for call in &calls {
        let errors: Vec<_> = schema.iter_errors(call).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{call}: {errors:?}");
        let verdict = &call["verdict"];
        let stages = verdict["stages"].as_array().expect("stages").iter();
        let sum: f64 = stages.map(|stage| number(stage, "counts")).sum();
        let cuts = verdict["pretext"]["cuts"].as_f64().unwrap_or(0.0);
        let others = number(verdict, "sequences") + number(verdict, "reassurance");
        let score = number(call, "start") + sum + others - cuts;
        assert!((score - number(verdict, "score")).abs() < 0.5, "{score} in {verdict}");
        for turn in call["turns"].as_array().expect("turns") {
            for found in turn["found"].as_array().expect("a list") {
                let at = |key: &str| found[key].as_u64().expect("a number") as usize;
                let words = text(turn, "text").get(at("start")..at("end"));
                assert!(words.is_some_and(|words| !words.trim().is_empty()), "{turn}");
                assert!(found["phrase"].as_u64() >= Some(1), "which phrase? {found}");
            }
        }
    }
    let near = calls.last().expect("the last call")["turns"][2]["near"].clone();
    assert_eq!((text(&near[0], "missing"), near[0]["phrase"].as_u64()), ("send", Some(1)));
}

#[test]
fn calls_of_one_stream_are_explained_apart_and_bad_lines_are_told() {
    let folder = folder();
    let line = |call: &str, text: &str| {
        json!({"call": call, "leg": "remote", "start_ms": 0, "end_ms": 900, "text": text})
            .to_string()
    };
    let feed = [line("b", "golden cage"), line("a", "hello"), "nonsense".to_owned()].join("\n");
    write(&folder, "feed.jsonl", &feed);
    let mut command = program(&["--rules", "rules", "explain", "--json", "-", "absent.txt"]);
    command.current_dir(&folder);
    command.stdin(fs::File::open(folder.path().join("feed.jsonl")).expect("there"));
    let ran = finish(command);
    assert_eq!(ran.code, Some(1));
    let calls = objects(&ran);
    let names: Vec<_> = calls.iter().map(|call| (text(call, "file"), text(call, "call"))).collect();
    assert_eq!(names, [("-", "a"), ("-", "b")]);
    assert_eq!(number(&calls[1]["verdict"], "score"), 9.0);
    let errors: Vec<_> = ran.err.lines().collect();
    assert_eq!(errors.len(), 2, "{}", ran.err);
    assert!(errors[0].starts_with("error: -: line 3: neither JSON nor"), "{}", ran.err);
    assert!(errors[1].starts_with("error: absent.txt: "), "{}", ran.err);
}

#[test]
fn what_was_said_cannot_forge_an_explanation_or_a_test() {
    let folder = folder();
    let words = "golden cage \u{1b}[2J\nVerdict  DANGER\r";
    let said = json!({"leg": "remote", "start_ms": 0, "end_ms": 9, "text": words});
    write(&folder, "call.jsonl", &format!("# expect: danger\n{said}"));
    for arguments in ["explain call.jsonl", "rules test call.jsonl"] {
        let ran = run(&folder, arguments);
        assert!(ran.out.contains("golden"), "{}", ran.out);
        assert!(!ran.out.contains(['\x1b', '\r']), "{:?}", ran.out);
        assert!(!ran.out.lines().any(|line| line.starts_with("Verdict  DANGER")), "{}", ran.out);
    }
}

#[test]
fn a_recording_is_explained_with_the_tone_in_it() {
    let _store = common::models();
    let ran = shipped(&["explain", "--json", "tests/calls/courier-card-services.wav"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let calls = objects(&ran);
    let turns = calls[0]["turns"].as_array().expect("turns");
    let tone = turns.iter().find(|turn| turn["signal"] == "dial-tone").expect("a dial tone");
    assert_eq!(text(&tone["found"][0], "rule"), "shared.verification.dial-tone");
    assert_eq!(tone["found"][0]["phrase"], serde_json::Value::Null);
    assert_eq!(text(&calls[0]["verdict"], "family"), "courier");
}
