//! `eval` and `rules`, on small corpora and a small pack of which every figure is known.

mod common;

use std::fs;
use std::path::Path;

use common::{Ran, finish, program};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Three rules: red (10), green (8) and blue (12) make a warning (25) together, no two do.
const PACK: &str = r#"# Colours.
[pack]
id = "p"
title = "Colours"
version = "1"
[stages.hook]
cap = 20.0
floor = 1.0
[stages.secrecy]
cap = 20.0
floor = 1.0
[stages.extraction]
cap = 20.0
floor = 1.0

[[rule]]
id = "p.red"
title = "Red"
stage = "hook"
weight   =  10.0  # by hand
phrases = ["red"]
must-match = ["red"]
must-not-match = ["grey"]

[[rule]]
id = "p.green"
title = "Green"
stage = "secrecy"
weight = 8.0
bounds = [7.5, 9.0]
phrases = ["green"]
must-match = ["green"]
must-not-match = ["grey"]

# Asks.
[[rule]]
id = "p.blue"
title = "Blue"
stage = "extraction"
weight = 12.0
phrases = ["blue"]
must-match = ["blue"]
must-not-match = ["grey"]

[[rule]]
id = "p.white"
title = "White"
stage = "hook"
weight = 5.0
phrases = ["white"]
must-match = ["white"]
must-not-match = ["grey"]
"#;

/// A call in which the caller says something every ten seconds, which ends at 10, 20, 30… s; words
/// with commas between are said at once.
fn call(label: &str, kind: &str, group: usize, words: &str) -> String {
    let say = |(at, words): (usize, &str)| {
        json!({
            "leg": "caller", "text": words.replace(',', " "),
            "start_ms": at * 10_000 + 9_000, "end_ms": at * 10_000 + 10_000,
        })
    };
    let said: Vec<Value> = words.split(' ').enumerate().map(say).collect();
    let call = json!({
        "id": format!("{kind}-{group}"), "label": label, "kind": kind, "group": group.to_string(),
        "ask_ms": 25_000, "utterances": said,
    });
    format!("{call}\n")
}

/// A folder with the pack in `packs`, and two corpora.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    fs::create_dir(folder.path().join("packs")).expect("a directory");
    write(&folder, "packs/p.toml", PACK);
    // Three near-duplicates are warned of at 10 s; of three other scams, one at 30 s.
    let scams = [
        call("scam", "fast", 1, "red,green,blue grey"),
        call("scam", "slow", 2, "red green blue"),
        call("scam", "slow", 3, "red blue"),
        call("scam", "slow", 4, "grey grey"),
    ];
    let duplicates = [&scams[0], &scams[0], &scams[0], &scams[1], &scams[2], &scams[3]];
    write(&folder, "scams.jsonl", &duplicates.map(String::as_str).concat());
    let honest = (0..10).map(|at| {
        let words =
            ["grey", "grey red", "green grey"][usize::from(at == 0) + 2 * usize::from(at == 1)];
        call("legit", "chat", at, words)
    });
    write(&folder, "honest.jsonl", &honest.collect::<String>());
    folder
}

fn write(folder: &TempDir, name: &str, text: &str) {
    fs::write(folder.path().join(name), text).expect("written");
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).expect("readable")
}

/// Runs the program with the pack, in the folder.
fn run(folder: &TempDir, arguments: &str) -> Ran {
    let arguments: Vec<&str> =
        ["--rules", "packs"].into_iter().chain(arguments.split(' ')).collect();
    let mut command = program(&arguments);
    command.current_dir(folder.path());
    finish(command)
}

/// The rows of a run that must go well.
fn rows(folder: &TempDir, arguments: &str) -> Vec<Value> {
    let ran = run(folder, &format!("{arguments} --json"));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    ran.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn find<'a>(rows: &'a [Value], wanted: &Value) -> &'a Value {
    let matches = |row: &&Value| {
        let wanted = wanted.as_object().expect("an object");
        wanted.iter().all(|(key, value)| row[key] == *value)
    };
    rows.iter().find(matches).unwrap_or_else(|| panic!("no {wanted} in {rows:#?}"))
}

#[test]
fn near_duplicates_count_once_in_every_figure() {
    let rows = rows(&folder(), "eval scams.jsonl honest.jsonl --recall --early --by-kind");
    let calls = find(&rows, &json!({"row": "calls", "corpus": "scams", "kind": null}));
    assert_eq!(
        (&calls["calls"], &calls["groups"], &calls["warning"], &calls["warning_share"]),
        (&json!(6), &json!(4), &json!(4), &json!(0.5))
    );
    assert_eq!((&calls["asked"], &calls["before_ask"]), (&json!(6), &json!(3)));
    let slow = find(&rows, &json!({"row": "calls", "kind": "slow"}));
    assert_eq!(
        (&slow["groups"], &slow["warning"], &slow["median_s"]),
        (&json!(3), &json!(1), &json!(30.0))
    );

    // No honest call of ten may alarm, so the threshold is the highest of them: red alone.
    let fixed = find(&rows, &json!({"row": "threshold", "threshold": "1 %"}));
    assert_eq!((&fixed["decibans"], &fixed["honest_groups"]), (&json!(10.0), &json!(10)));
    let shipped = find(&rows, &json!({"row": "threshold", "threshold": "warning"}));
    assert_eq!((&shipped["decibans"], &shipped["allowed"]), (&json!(25.0), &Value::Null));
    // 1 − 0.025^(1/10): what ten honest calls without an alarm leave open.
    let unseen = shipped["false_alarms"]["high"].as_f64().expect("a number");
    assert!((unseen - 0.3085).abs() < 0.0001, "{shipped}");

    let recall = find(&rows, &json!({"row": "recall", "corpus": "scams", "kind": null}));
    let share = |column: &str| recall[column]["share"].as_f64().expect("a share");
    assert_eq!((share("at_1_percent"), share("at_0_1_percent")), (0.75, 0.75));
    assert_eq!((share("caution"), share("warning"), share("danger")), (0.75, 0.5, 0.0));

    let early = find(&rows, &json!({"row": "early", "corpus": "scams", "kind": null}));
    let share = |column: &str| early[column]["share"].as_f64().expect("a share");
    assert_eq!((share("by_15_s"), share("by_30_s"), share("ever")), (0.25, 0.5, 0.5));
    assert_eq!((share("before_ask"), &early["asked_groups"]), (0.25, &json!(4)));
    assert!(rows.iter().filter(|row| row["row"] != "calls").all(|row| row["label"].is_null()));
}

#[test]
fn the_seed_decides_the_intervals_and_the_order_of_calls_nothing() {
    let folder = folder();
    let words = |at| if at % 3 == 0 { "red green blue" } else { "red" };
    write(
        &folder,
        "scams.jsonl",
        &(0..50).map(|at| call("scam", "s", at, words(at))).collect::<String>(),
    );
    let report = |more: &str| {
        let ran = run(&folder, &format!("eval scams.jsonl honest.jsonl --recall --early{more}"));
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
        ran.out
    };
    let first = report("");
    assert_eq!(first, report(" --seed 1"));
    assert!((2..9).any(|seed| report(&format!(" --seed {seed}")) != first), "{first}");
    for name in ["scams.jsonl", "honest.jsonl"] {
        let reversed: Vec<String> = read(&folder, name).lines().rev().map(str::to_owned).collect();
        write(&folder, name, &reversed.join("\n"));
    }
    assert_eq!(first, report(""));
    let widths: Vec<usize> = first.lines().take(4).map(|line| line.chars().count()).collect();
    assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "columns in line: {first}");
}

#[test]
fn thresholds_need_honest_calls_and_the_report_says_so() {
    let folder = folder();
    let ran = run(&folder, "eval scams.jsonl --recall");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("No honest call is among these"), "{}", ran.out);
    let rows = rows(&folder, "eval scams.jsonl --recall");
    let recall = find(&rows, &json!({"row": "recall"}));
    assert_eq!((&recall["at_1_percent"], &recall["warning"]["share"]), (&Value::Null, &json!(0.5)));
}

#[test]
fn what_a_corpus_calls_its_kinds_cannot_move_the_cursor() {
    let folder = folder();
    write(&folder, "odd.jsonl", &call("scam", "a\u{1b}[2J|b", 1, "red"));
    let ran = run(&folder, "eval odd.jsonl --by-kind");
    assert!(ran.out.contains("· a [2J b ") && !ran.out.contains('\u{1b}'), "{:?}", ran.out);
}

#[test]
fn every_rule_is_told_with_what_it_contributes() {
    let folder = folder();
    let rows = rows(&folder, "rules stats scams.jsonl honest.jsonl");
    let rule = |id: &str| find(&rows, &json!({"rule": id}));
    let red = rule("p.red");
    assert_eq!((&red["scam_hits"], &red["honest_hits"]), (&json!(3.0), &json!(1.0)));
    assert_eq!((&red["scam_groups"], &red["honest_groups"]), (&json!(4), &json!(10)));
    // (3.5 / 5) / (1.5 / 11), in decibans.
    let observed = red["observed"].as_f64().expect("a weight");
    assert!((observed - 7.104).abs() < 0.001, "{red}");
    let ratio = red["spam_over_all"].as_f64().expect("a ratio");
    assert!((ratio - 0.75 / 0.85).abs() < 1e-9, "{red}");
    assert_eq!((&red["overlaps"], &red["overlap"]), (&json!("p.blue"), &json!(0.75)));
    // The two groups that are warned of need each of the three.
    for id in ["p.red", "p.green", "p.blue"] {
        let figures = rule(id);
        assert_eq!(
            (&figures["decides_scam"], &figures["decides_honest"]),
            (&json!(2.0), &json!(0.0))
        );
    }
    assert_eq!(rows.last(), Some(rule("p.white")), "rules that were never heard come last");
    assert_eq!(rule("p.white")["observed"], Value::Null);
    let gaps: Vec<f64> = rows.iter().filter_map(|row| row["gap"].as_f64()).collect();
    assert!(gaps.len() == 3 && gaps.is_sorted_by(|left, right| left >= right), "{gaps:?}");
    let people = run(&folder, "rules stats scams.jsonl honest.jsonl").out;
    let end = "\nNever heard in these calls: 1 of 4 rules\n  p.white\n";
    assert!(people.ends_with(end), "{people}");
}

/// Corpora in which red is no sign of a scam, green is the best there is, and white was never said.
fn telling(folder: &TempDir, name: &str, calls: usize) {
    let scam = |at| call("scam", "s", at, if at % 10 < 8 { "green" } else { "grey red" });
    let honest = |at| call("legit", "h", 1000 + at, if at % 10 < 4 { "red" } else { "grey" });
    let lines: String = (0..calls).flat_map(|at| [scam(at), honest(at)]).collect();
    write(folder, name, &lines);
}

#[test]
fn tuning_is_a_diff_of_weights_alone_and_the_same_each_time() {
    let folder = folder();
    telling(&folder, "telling.jsonl", 100);
    let tune = |more: &str| {
        let ran = run(&folder, &format!("rules tune telling.jsonl{more}"));
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        ran
    };
    let ran = tune(" --seed 7");
    assert_eq!(ran.out, tune(" --seed 7").out);
    let changed: Vec<&str> = ran
        .out
        .lines()
        .filter(|line| line.starts_with(['+', '-']) && !line.contains("packs/p.toml"))
        .collect();
    // 40 % less at most; and no more than its own bounds.
    let expected = [
        "-weight   =  10.0  # by hand",
        "+weight   =  6.0  # by hand",
        "-weight = 8.0",
        "+weight = 9.0",
    ];
    assert_eq!(changed, expected, "{}", ran.out);
    assert!(ran.out.starts_with("--- a/packs/p.toml\n+++ b/packs/p.toml\n@@"), "{}", ran.out);
    assert!(ran.err.contains("p.red: 10 to 6") && ran.err.ends_with("2 of 4 weights move\n"));
    assert_eq!(read(&folder, "packs/p.toml"), PACK, "written without being asked to");

    let fresh = PACK.replace("10.0  #", "6.0  #").replace("weight = 8.0", "weight = 9.0");
    tune(" --out tuned");
    assert_eq!(read(&folder, "tuned/p.toml"), fresh);
    assert_eq!(read(&folder, "packs/p.toml"), PACK);
    tune(" --write");
    assert_eq!(read(&folder, "packs/p.toml"), fresh);
}

#[test]
fn tuning_tells_of_every_rule_and_refuses_one_side_of_the_story() {
    let folder = folder();
    telling(&folder, "telling.jsonl", 60);
    let rows = rows(&folder, "rules tune telling.jsonl");
    assert_eq!(rows.len(), 4);
    let green = find(&rows, &json!({"rule": "p.green"}));
    assert_eq!((&green["weight"], &green["bounds"]), (&json!(9.0), &json!([7.5, 9.0])));
    let white = find(&rows, &json!({"rule": "p.white"}));
    assert_eq!((&white["weight"], &white["changed"]), (&json!(5.0), &json!(false)));
    let ran = run(&folder, "rules tune honest.jsonl");
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert!(ran.err.contains("there is no scam among these calls"), "{}", ran.err);
    for wrong in ["--spread 0", "--spread much", "--write --out tuned"] {
        let ran = run(&folder, &format!("rules tune telling.jsonl {wrong}"));
        assert_eq!(ran.code, Some(2), "{wrong}");
    }
    let mut command = program(&["rules", "tune", "--write", "telling.jsonl"]);
    command.current_dir(folder.path());
    let ran = finish(command);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert!(ran.err.contains("name the directory of those to change with --rules"), "{}", ran.err);
}

#[test]
fn a_corpus_that_is_left_out_is_measured_with_weights_of_the_others() {
    let folder = folder();
    for (name, calls) in [("one.jsonl", 30), ("two.jsonl", 90)] {
        telling(&folder, name, calls);
    }
    // By itself this one would say that red is everything.
    let contrary: String = (0..60)
        .map(|at| match at % 2 {
            0 => call("scam", "c", at, "red white blue"),
            _ => call("legit", "c", at, "green blue"),
        })
        .collect();
    write(&folder, "contrary.jsonl", &contrary);
    let all = "one.jsonl two.jsonl contrary.jsonl";
    let left_out = rows(&folder, &format!("eval --leave-one-out {all}"));
    for (name, others) in [("contrary", "one.jsonl two.jsonl"), ("one", "two.jsonl contrary.jsonl")]
    {
        let ran = run(&folder, &format!("rules tune --out tuned {others}"));
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let mut command = program(&["--rules", "tuned", "eval", "--json"]);
        command.arg(format!("{name}.jsonl")).current_dir(folder.path());
        let alone = finish(command).out;
        for row in alone.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")) {
            assert!(left_out.contains(&row), "{row} is not among {left_out:#?}");
        }
    }
    // The scores of scams below warning, in the order of the corpora.
    let scores = |corpora: &str| {
        let ran = run(&folder, &format!("eval --leave-one-out --wrong {corpora}"));
        ran.err.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (all, never) = (scores(all), scores("one.jsonl two.jsonl --never-fit contrary.jsonl"));
    let contrary = |line: &&String| line.contains(" c-");
    assert!(all.iter().filter(contrary).count() == 30, "{all:#?}");
    assert!(all.iter().filter(contrary).eq(never.iter().filter(contrary)), "{never:#?}");
    assert_ne!(all, never, "contrary was tuned on all the same");
    assert_eq!(run(&folder, "eval one.jsonl --never-fit two.jsonl").code, Some(2));
    let plain = rows(&folder, "eval one.jsonl two.jsonl contrary.jsonl");
    assert_ne!(plain, left_out, "tuning changed nothing, so this shows nothing");
    let ran = run(&folder, "eval --leave-one-out scams.jsonl honest.jsonl");
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert!(ran.err.contains("with scams left out: "), "{}", ran.err);
}

#[test]
fn a_profile_has_each_rule_dearest_first() {
    let folder = folder();
    for (arguments, utterances, red) in [
        ("rules profile scams.jsonl honest.jsonl", None, Some(3 + 2 + 1)),
        ("rules profile --utterances 5 scams.jsonl honest.jsonl", Some(5), None),
        ("rules profile", Some(8), Some(1)),
    ] {
        let rows = rows(&folder, arguments);
        assert_eq!(rows.len(), 4, "{arguments}");
        let costs: Vec<f64> = rows.iter().filter_map(|row| row["ns"].as_f64()).collect();
        assert!(costs.len() == 4 && costs.is_sorted_by(|dear, cheap| dear >= cheap), "{costs:?}");
        let figures = find(&rows, &json!({"rule": "p.red"}));
        let counted = |key: &str| figures[key].as_u64();
        if utterances.is_some() {
            assert!(counted("utterances") <= utterances && counted("utterances") > Some(0));
        }
        assert!(red.is_none() || counted("hits") == red, "{arguments}: {figures}");
    }
    let people = run(&folder, "rules profile").out;
    assert!(people.contains("8 utterances") && people.contains("| p.red "), "{people}");
}

#[test]
fn every_key_is_documented() {
    let folder = folder();
    telling(&folder, "telling.jsonl", 20);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/evaluation.md");
    let document = fs::read_to_string(path).expect("docs/evaluation.md");
    for arguments in [
        "eval scams.jsonl honest.jsonl --recall --early --by-kind",
        "rules stats scams.jsonl honest.jsonl",
        "rules tune telling.jsonl",
        "rules profile",
    ] {
        let rows = rows(&folder, arguments);
        for key in rows.iter().filter_map(Value::as_object).flat_map(serde_json::Map::keys) {
            let is_told = document.contains(&format!("`{key}`"));
            assert!(is_told, "docs/evaluation.md: nothing of `{key}`, which `{arguments}` writes");
        }
    }
}
