//! `rules test` and `rules list`, as people and scripts run them.

mod common;

use std::fs;

use common::toy::{
    PACK, assert_in_order, folder, number, objects, repository, run, shipped, text, write,
};
use common::{finish, program};
use serde_json::json;

#[test]
fn the_shipped_rules_hold_in_their_examples_and_scripted_calls() {
    let ran = shipped(&["rules", "test", "--json", "tests/rule-tests"]);
    let tests = objects(&ran);
    let bad: Vec<_> = tests.iter().filter(|test| test["ended"] != "passed").collect();
    assert!(bad.is_empty(), "{bad:#?}");
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let of_kind = |kind: &str| tests.iter().filter(|test| test["kind"] == kind).count();
    let scripts = fs::read_dir(repository().join("tests/rule-tests")).expect("a directory");
    assert_eq!(of_kind("call"), scripts.count());
    assert_eq!(of_kind("examples"), common::rulebook().rules.len());
    assert!(tests.iter().all(|test| test["ended"] == "passed" && test["failures"] == json!([])));

    let people = shipped(&["rules", "test"]);
    assert_eq!((people.code, people.out.lines().count()), (Some(0), 3), "{}", people.out);
    assert_in_order(&people.out, "examples of|rules|All|tests passed|0 scripted calls");
}

#[test]
fn the_documented_test_holds() {
    let document = fs::read_to_string(repository().join("docs/rules.md")).expect("docs/rules.md");
    let block = document.split("\n```text\n").find(|block| block.contains("# expect:"));
    let script = block.and_then(|block| block.split("\n```").next()).expect("a test");
    let folder = folder();
    write(&folder, "call.txt", script);
    let path = folder.path().join("call.txt");
    let ran = shipped(&["rules", "test", path.to_str().expect("UTF-8")]);
    assert_eq!(ran.code, Some(0), "{}", ran.out);
    assert_in_order(&ran.out, "call.txt 4 expected");
}

const CALL: &str = "\
# expect: caution before ask
# expect: rule toy.extraction.*
# expect: below warning by 5s
[0:01] remote: Your purple parrot is in prison.
# here: rule toy.hook.parrot
# here: below caution
protected: My parrot!
# ask
[0:09.5] remote: Send a basket of seeds.
# here: caution
";

#[test]
fn a_failure_names_line_turn_and_reasons() {
    let folder = folder();
    write(&folder, "calls/late.txt", CALL);
    write(&folder, "calls/fine.txt", &CALL.replacen("# expect: caution before ask", "#", 1));
    write(&folder, "calls/notes.md", "no test");
    let ran = run(&folder, "rules test calls");
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""), "{}", ran.out);
    assert_in_order(
        &ran.out,
        "✓ 6 examples of 4 rules|✓ calls/fine.txt 5 expected|✗ calls/late.txt|\
         line 1: expected caution before ask|but caution was reached only at 0:11.2|\
         turn 3, 0:11.2, remote: Send a basket of seeds.|\
         +13.0 0:11.2 extraction toy.extraction.seeds|+7.|hook toy.hook.parrot|\
         1 of 6 tests failed (the examples of 4 rules, 2 scripted calls)",
    );
    let tests = objects(&run(&folder, "rules test --json calls"));
    let late = tests.iter().find(|test| test["test"] == "calls/late.txt").expect("the test");
    assert_eq!((text(late, "ended"), number(late, "expectations")), ("failed", 6.0));
    let failure = &late["failures"][0];
    assert_eq!((number(failure, "line"), text(failure, "expected")), (1.0, "caution before ask"));
    assert_eq!(
        (number(&failure["turn"], "turn"), &failure["turn"]["at_ms"]),
        (3.0, &json!(11_250))
    );
    assert_eq!(text(&failure["reasons"][0], "rule"), "toy.extraction.seeds");
}

/// What each claim says of a call in which the hook is said, hearsay and all.
#[test]
fn claims_hold_or_say_what_happened_instead() {
    let script = "remote: They say your purple parrot is in jail.\n\
                  [0:20] remote: Your purple parrot is in jail.\n\
                  # ask\n\
                  [0:40] remote: Send us that basket of crisps.\n\
                  [9:00] remote: The golden cage!\n";
    let wrong = [
        ("danger", "no more than caution, with a score of"),
        ("caution by 30s", "caution was reached only at 9:01.0"),
        ("below caution", "caution, with a score of"),
        ("rule toy.hook.cage before ask", "toy.hook.cage was found only at 9:01.0"),
        ("rule toy.hook.parrot by 10s", "toy.hook.parrot was found only at 0:22.1"),
        ("rule toy.extraction.seeds", "in its phrase 1, \"seeds\" was missing"),
        ("rule toy.extraction.tone", "it was not found"),
        ("no rule toy.hook.*", "toy.hook.parrot was found"),
        ("family tax", "nothing in the packs that are loaded has this name"),
        ("no rule toy.hook.parot", "nothing in the packs that are loaded has this name"),
        ("rule toy.hook.parrot before ask", ""),
        ("family toy", ""),
        ("below caution by 8:00", ""),
        ("no rule toy.extraction.*", ""),
        ("caution", ""),
    ];
    let folder = folder();
    write(&folder, "rules/toy.toml", &PACK.replace("half-life = 60", "half-life = 80000"));
    for (claim, got) in wrong {
        write(&folder, "call.txt", &format!("# expect: {claim}\n{script}"));
        let ran = run(&folder, "rules test --json call.txt");
        let tests = objects(&ran);
        let call = tests.last().expect("a test");
        let failed = call["failures"].as_array().expect("a list");
        match got {
            "" => assert_eq!((failed.len(), ran.code), (0, Some(0)), "{claim}: {call}"),
            got => {
                assert_eq!((failed.len(), ran.code), (1, Some(1)), "{claim}: {call}");
                assert!(text(&failed[0], "got").contains(got), "{claim}: {call}");
            }
        }
    }
    write(
        &folder,
        "call.txt",
        "# expect: rule toy.hook.parrot\nremote: They say the purple parrot is in jail.",
    );
    let ran = run(&folder, "rules test call.txt");
    assert_in_order(
        &ran.out,
        "but toy.hook.parrot was found but does not count: somebody tells of it",
    );
}

#[test]
fn what_is_no_test_is_told_and_what_expects_nothing_is_skipped() {
    let folder = folder();
    write(&folder, "bad.txt", "remote: Hello.\n# expect: warnign\n");
    write(&folder, "plain.txt", "# family: toy\nremote: Hello.\n");
    fs::create_dir(folder.path().join("empty")).expect("made");
    let ran = run(&folder, "rules test bad.txt absent.txt empty plain.txt");
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
    assert_in_order(
        &ran.out,
        "✗ bad.txt line 2: 'warnign' is no expectation: write a level|✗ absent.txt|\
         ✗ empty no scripted call (*.txt, *.jsonl) in it|– plain.txt nothing is expected in it|\
         3 of 7 tests failed (the examples of 4 rules, 3 scripted calls; 1 skipped",
    );
    assert_eq!(run(&folder, "rules test plain.txt").code, Some(0));
    let unreadable = objects(&run(&folder, "rules test --json bad.txt"));
    assert!(text(unreadable.last().expect("a test"), "error").starts_with("line 2: "));
}

#[test]
fn examples_that_fail_are_failures_and_calls_are_run_all_the_same() {
    let folder = folder();
    write(
        &folder,
        "rules/toy.toml",
        &PACK.replace("[\"A parrot.\"]", "[\"They arrested a parrot.\"]"),
    );
    write(&folder, "call.txt", CALL);
    let ran = run(&folder, "rules test call.txt");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert_in_order(
        &ran.out,
        "✗ toy.hook.parrot \"They arrested a parrot.\" but a must-not-match example matches|\
         ✗ call.txt|2 of 5 tests failed",
    );
    let broken = PACK.replace("golden cage\"]\nmust", "golden (cage\"]\nmust");
    write(&folder, "rules/toy.toml", &broken);
    let ran = run(&folder, "rules test call.txt");
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert!(
        ran.err.contains("rules/toy.toml: rule toy.hook.cage: a ')' is missing"),
        "{}",
        ran.err
    );
}

#[test]
fn coverage_names_rules_and_phrases_that_nothing_reaches() {
    let folder = folder();
    write(&folder, "call.txt", CALL);
    let ran = run(&folder, "rules test --coverage --json call.txt");
    let tests = objects(&ran);
    let told = tests.last().expect("the coverage");
    let expected = json!({
        "kind": "coverage", "rules": 4, "rules_in_calls": 2, "rules_in_examples": 3,
        "in_no_call": ["toy.hook.cage", "toy.extraction.tone"], "nowhere": ["toy.extraction.tone"],
        "phrases": 4, "phrases_matched": 3,
        "unmatched": [{"rule": "toy.hook.parrot", "phrase": 2, "pattern": "arrested <2> parrot"}],
    });
    assert_eq!(*told, expected);
    let people = run(&folder, "rules test --coverage call.txt").out;
    assert_in_order(
        &people,
        "Coverage 4 rules: 2 reached by scripted calls, 3 by their examples|\
         4 phrases: 3 matched|no scripted call reaches toy.hook.cage toy.extraction.tone|\
         nothing reaches toy.extraction.tone|nothing matches toy.hook.parrot 2 arrested",
    );
}

#[test]
fn the_list_fits_the_terminal_and_shows_a_rule_wholly() {
    let folder = folder();
    let listed = |columns: &str, arguments: &str| {
        let mut command = program(&["--rules", "rules", "rules", "list"]);
        command.args(arguments.split_whitespace()).current_dir(&folder).env("COLUMNS", columns);
        finish(command)
    };
    let wide = listed("110", "");
    assert_eq!((wide.code, wide.err.as_str()), (Some(0), ""));
    assert_in_order(
        &wide.out,
        "rule stage weight speaker phrases maturity title|\
         toy.hook.parrot hook 8.0 remote 2 stable Caller speaks of a parrot|\
         toy.extraction.tone extraction 5.0 remote signal experimental A dial tone|\
         4 rules in 1 pack",
    );
    assert_eq!(wide.out.lines().count(), 6);
    for columns in [30, 60, 80, 90, 110] {
        let rows = listed(&columns.to_string(), "").out;
        let widest = rows.lines().map(|row| row.chars().count()).max();
        assert!(widest <= Some(columns), "{columns}: {rows}");
    }
    assert_in_order(
        &listed("80", "").out,
        "2 stable Caller speaks of a parrot in trouble toy.hook.cage",
    );
    assert_eq!(listed("110", "--stage hook").out.lines().count(), 4);
    assert_eq!(listed("110", "--pack toy --stage repeat").out.lines().count(), 2);

    let whole = listed("80", "toy.hook.parrot").out;
    assert_in_order(
        &whole,
        "toy.hook.parrot Caller speaks of a parrot in trouble|pack toy (Toy scam)|weight 8.0|\
         half-life 60 s|Phrases 1 purple parrot <3> (jail|2 arrested|Must match Your purple|\
         Must not match A parrot.|False positives a zoo|References the toy box",
    );
    let rows = objects(&listed("80", "toy.hook.parrot --json"));
    assert_eq!((rows.len(), text(&rows[0], "family")), (1, "Toy scam"));
    assert_eq!(rows[0]["phrases"].as_array().map(Vec::len), Some(2));
    assert_eq!(rows[0]["must-not-match"], json!(["A parrot."]));

    for (wrong, code, told) in [
        ("toy.hook.perrot", 1, "no rule is named 'toy.hook.perrot'"),
        ("--pack parrot", 1, "no pack has the id 'parrot': there are toy"),
        ("--stage parrot", 2, "the stages are hook, authority"),
    ] {
        let ran = listed("80", wrong);
        assert_eq!((ran.code, ran.out.as_str()), (Some(code), ""), "{wrong}");
        assert!(ran.err.contains(told), "{}", ran.err);
    }
}
