//! `lineclear rules check` and `fmt`, local rules and simulation, as people run them.

mod common;

use std::fs;

use common::{Ran, finish, program};
use serde_json::Value;
use tempfile::TempDir;

const PACK: &str = r#"[pack]
id = "mine"
title = "Mine"
version = "1"

[[rule]]
id = "mine.fetch"
title = "Caller wants a badger"
stage = "extraction"
weight = 9.0
phrases = ["badger <4> (cash|money)"]
references = ["made up"]
false-positives = ["nobody"]
must-match = ["The badger takes cash.", "a badger and money", "badger wants the cash"]
must-not-match = ["A badger in the garden.", "The cash is here."]
"#;

const LOCAL: &str = r#"[pack]
id = "local"
title = "Our own rules"
version = "1"

[[override]]
rule = "shared.extraction.gift-cards"
enabled = false
reason = "we sell them"

[[rule]]
id = "local.badger"
title = "Caller speaks of a badger"
stage = "extraction"
weight = 20.0
phrases = ["badger <4> (cash|money)"]
must-match = ["The badger takes cash."]
must-not-match = ["A badger in the garden."]
"#;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        fs::write(path, text).expect("written");
    }
    folder
}

fn run(folder: &TempDir, arguments: &[&str]) -> Ran {
    let mut command = program(arguments);
    command.current_dir(folder);
    finish(command)
}

fn objects(ran: &Ran) -> Vec<Value> {
    let object = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
    ran.out.lines().map(object).collect()
}

fn codes(ran: &Ran) -> Vec<String> {
    objects(ran).iter().map(|told| told["code"].as_str().expect("a code").to_owned()).collect()
}

#[test]
fn the_shipped_packs_have_no_error() {
    let ran = finish(program(&["rules", "check"]));
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert!(ran.out.contains(": 0 errors, "), "{}", ran.out);
}

#[test]
fn a_sound_pack_passes_and_is_named_in_the_summary() {
    let folder = folder(&[("mine.toml", PACK)]);
    let ran = run(&folder, &["rules", "check", "--deny-warnings", "mine.toml"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "1 pack: 0 errors, 0 warnings\n"));
}

#[test]
fn an_error_is_shown_where_it_stands_with_what_to_write() {
    let text = PACK.replace("<4>", "<40>").replace("weight = 9.0", "weight = 90.0");
    let folder = folder(&[("mine.toml", &text)]);
    let ran = run(&folder, &["rules", "check", "mine.toml"]);
    assert_eq!(ran.code, Some(1));
    let bounds =
        "it must be from 0.5 to 20 decibans, or from -10 to -0.5 for what honest callers say";
    let expected = r#"error[E04]: rule mine.fetch: weight is 90, BOUNDS
  --> mine.toml:10:10
   |
10 | weight = 90.0
   |          ^^^^

error[E02]: rule mine.fetch: a gap is written <n>, with n from 1 to 12
  --> mine.toml:11:20
   |
11 | phrases = ["badger <40> (cash|money)"]
   |                    ^^^^
   |
   = help: write <12>

1 pack: 2 errors, 0 warnings
"#
    .replace("BOUNDS", bounds);
    assert_eq!(ran.out, expected);

    let ran = run(&folder, &["rules", "check", "--json", "mine.toml"]);
    assert_eq!((ran.code, codes(&ran)), (Some(1), vec!["E04".to_owned(), "E02".to_owned()]));
    let told = &objects(&ran)[1];
    for (key, value) in [("line", 11), ("column", 20), ("end_line", 11), ("end_column", 24)] {
        assert_eq!(told[key], value, "{key}");
    }
    let bytes = told["start"].as_u64().zip(told["end"].as_u64()).expect("bytes");
    assert_eq!(&text[bytes.0 as usize..bytes.1 as usize], "<40>");
    assert_eq!(told["help"], "write <12>");
    assert_eq!(told["severity"], "error");
}

#[test]
fn all_mistakes_of_all_packs_are_told_at_once() {
    let shared = lineclear::rules::SHIPPED[0].1;
    let one = PACK.replace("title = \"Caller", "titel = \"Caller").replace("traction", "tracton");
    let two = PACK.replace("mine", "yours").replace("cash|", "@cush|").replace("[\"The", "[\"No");
    let three = PACK.replace("mine", "ours").replace("stage", "group = \"no\"\nstage");
    let files = [
        ("packs/shared.toml", shared),
        ("packs/one.toml", &one),
        ("packs/two.toml", &two),
        ("packs/three.toml", &three),
    ];
    let folder = folder(&files);
    let ran = run(&folder, &["rules", "check", "--json", "packs"]);
    let told: Vec<String> = objects(&ran)
        .iter()
        .map(|told| {
            let file = told["file"].as_str().expect("a file").trim_start_matches("packs/");
            format!("{file}:{} {} {}", told["line"], told["code"], told["help"]).replace('"', "")
        })
        .collect();
    let expected = [
        "one.toml:8 E01 did you mean 'title'?",
        "one.toml:9 E01 did you mean 'extraction'?",
        "three.toml:9 E06 null",
        "two.toml:11 E03 did you mean 'cash'?",
    ];
    assert_eq!((ran.code, told), (Some(1), expected.map(str::to_owned).to_vec()));

    // What is wrong is told before a call is screened, too.
    let ran = run(&folder, &["--rules", "packs", "screen", "call.txt"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert!(ran.err.contains("packs/one.toml:8: unknown key 'titel'"), "{}", ran.err);
}

#[test]
fn what_is_no_toml_is_shown_in_the_same_way() {
    let folder = folder(&[("mine.toml", "[pack]\nid = = \"mine\"\n")]);
    let ran = run(&folder, &["rules", "check", "mine.toml"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.starts_with("error[E01]: not TOML: "), "{}", ran.out);
    assert!(ran.out.contains("--> mine.toml:2:6"), "{}", ran.out);
}

#[test]
fn each_kind_of_warning_is_found() {
    let rule = |more: &str| PACK.replace("phrases = [", more);
    let cases = [
        ("W01", rule("phrases = [\"you have it\", ")),
        ("W02", rule("phrases = [\"badger <4> (cash|money)\", ")),
        ("W03", rule("phrases = [\"we =cannot wait\", ")),
        ("W03", rule("phrases = [\"take #number thousand\", ")),
        ("W04", rule("phrases = [\"honey badger\", ")),
        ("W05", PACK.replace(", \"badger wants the cash\"", "")),
        ("W05", PACK.replace(", \"The cash is here.\"", "")),
        ("W06", PACK.replace("references = [\"made up\"]\n", "")),
        ("W06", PACK.replace("false-positives = [\"nobody\"]\n", "")),
        ("W07", rule("phrases = [\"badger\", ").replace("A badger in", "Nobody in")),
        ("W08", format!("{PACK}[lists]\nhens = [\"hen\"]\n")),
        (
            "W09",
            format!(
                "{PACK}[[cue]]\nkind = \"report\"\ntitle = \"c\"\nphrases = [\"x\"]\nreach = 1\n"
            ),
        ),
        (
            "W09",
            format!(
                "{PACK}[[suppression]]\nid = \"mine.s\"\ntitle = \"s\"\nof = [\"hook\"]\n\
                 keeps = 0\nlasts = 9\nphrases = [\"hen house\"]\nmust-match = [\"a hen house\"]\n\
                 must-not-match = [\"a hen\"]\n"
            ),
        ),
        ("W10", LOCAL.replace("shared.extraction.gift-cards", "shared.extraction.gift-carts")),
        (
            "W11",
            rule("tolerance = 0.5\nphrases = [\"badger\", ").replace("A badger in", "Nobody in"),
        ),
    ];
    for (code, text) in cases {
        let folder = folder(&[("mine.toml", &text)]);
        let ran = run(&folder, &["rules", "check", "--json", "mine.toml"]);
        assert_eq!(ran.code, Some(0), "{code}: {}", ran.out);
        assert!(codes(&ran).contains(&code.to_owned()), "{code}: {}", ran.out);
        let ran = run(&folder, &["rules", "check", "--deny-warnings", "mine.toml"]);
        assert_eq!(ran.code, Some(1), "{code}");
    }
}

#[test]
fn two_rules_that_find_the_same_are_told_of_unless_one_group_holds_them() {
    let second = PACK.split_once("[[rule]]").expect("a rule").1.replace("mine.fetch", "mine.other");
    let second = second.replace("badger <4> (cash|money)", "badger <6> (money|cash)");
    let told = |text: &str| {
        let folder = folder(&[("mine.toml", text)]);
        codes(&run(&folder, &["rules", "check", "--json", "mine.toml"]))
    };
    let both = format!("{PACK}\n[[rule]]{second}");
    assert_eq!(told(&both), ["W02", "W02"]);
    let grouped = both.replace("stage =", "group = \"g\"\nstage =");
    assert_eq!(told(&format!("{grouped}[groups.g]\ncap = 9.0\n")), [""; 0]);
}

#[test]
fn fmt_brings_files_into_form_and_check_names_those_that_are_not() {
    let untidy = PACK.replace("weight = 9.0\n", "").replace("[[rule]]\n", "[[rule]]\nweight=9.0\n");
    let folder = folder(&[("packs/a.toml", &untidy), ("packs/b.toml", PACK)]);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("a file");
    let ran = run(&folder, &["rules", "fmt", "--check", "packs"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), "packs/a.toml\n"));
    assert_eq!(read("packs/a.toml"), untidy);
    let ran = run(&folder, &["--rules", "packs", "rules", "fmt"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "packs/a.toml\n"));
    assert_eq!(read("packs/a.toml"), PACK);
    let left: Vec<_> = fs::read_dir(folder.path().join("packs")).expect("packs").collect();
    assert_eq!(left.len(), 2);
    assert_eq!(run(&folder, &["rules", "fmt", "--check", "packs"]).code, Some(0));
    let ran = run(&folder, &["rules", "fmt"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("no pack is named"), "{}", ran.err);
}

const CALL: &str = "remote: I am from the police.\nremote: Somebody was arrested with your card.\n\
    remote: The badger takes cash.\nremote: Go and buy gift cards.\n";

fn rules_of_verdict(ran: &Ran) -> Vec<String> {
    let events = objects(ran);
    let verdict = events.iter().find(|event| event["event"] == "verdict").expect("a verdict");
    let reasons = verdict["reasons"].as_array().expect("reasons");
    reasons.iter().map(|reason| reason["rule"].as_str().expect("a rule").to_owned()).collect()
}

#[test]
fn local_rules_are_loaded_last_from_the_option_or_the_configuration() {
    let config = "[rules]\nlocal = \"ours.toml\"\n";
    let files =
        [("etc/ours.toml", LOCAL), ("etc/home.toml", config), ("call.txt", CALL), ("x.toml", PACK)];
    let folder = folder(&files);
    let screened = |arguments: &[&str]| {
        let arguments = [arguments, &["screen", "--json", "call.txt"]].concat();
        rules_of_verdict(&run(&folder, &arguments))
    };
    let gifts = "shared.extraction.gift-cards".to_owned();
    let badger = "local.badger".to_owned();
    let shipped = screened(&[]);
    assert!(shipped.contains(&gifts) && !shipped.contains(&badger), "{shipped:?}");
    for arguments in [["--local", "etc/ours.toml"], ["--config", "etc/home.toml"]] {
        let local = screened(&arguments);
        assert!(!local.contains(&gifts) && local.contains(&badger), "{local:?}");
    }
    let absent = run(&folder, &["--local", "absent.toml", "screen", "call.txt"]);
    assert_eq!(absent.code, Some(1));
    assert!(absent.err.contains("absent.toml: ") && absent.err.contains("check the path"));
    let ran = run(&folder, &["--local", "etc/ours.toml", "rules", "check", "x.toml"]);
    assert_eq!(ran.code, Some(0), "{}", ran.out);
}

#[test]
fn experimental_rules_count_where_the_configuration_says_so() {
    let local = LOCAL.replace("weight = 20.0", "weight = 20.0\nmaturity = \"experimental\"");
    let config = "[rules]\nlocal = \"local.toml\"\nexperimental = ";
    let files = [
        ("local.toml", local.as_str()),
        ("shown.toml", &format!("{config}false\n")),
        ("counted.toml", &format!("{config}true\n")),
        ("call.txt", "remote: The badger takes cash.\n"),
    ];
    let folder = folder(&files);
    let code = |config| run(&folder, &["--config", config, "screen", "call.txt"]).code;
    assert_eq!((code("shown.toml"), code("counted.toml")), (Some(0), Some(10)));
}

#[test]
fn a_simulation_scores_and_shows_all_and_warns_nobody() {
    let files = [
        ("sim.toml", "[rules]\nsimulate = true\nlocal = \"local.toml\"\n"),
        ("real.toml", "[rules]\nlocal = \"local.toml\"\n"),
        ("local.toml", LOCAL),
        ("call.txt", CALL),
    ];
    let folder = folder(&files);
    let events = |config| {
        let ran = run(&folder, &["--config", config, "screen", "--json", "call.txt"]);
        (ran.code, objects(&ran))
    };
    let ((real_code, real), (code, simulated)) = (events("real.toml"), events("sim.toml"));
    assert!(matches!(real_code, Some(20 | 30)), "{real:?}");
    assert_eq!(code, real_code);
    let (mut whispers, mut marked) = (0, 0);
    let mut same = simulated.iter();
    for mut event in real {
        if event["event"] == "whisper" {
            whispers += 1;
            continue;
        }
        if event["event"] == "level" || event["event"] == "verdict" {
            event["simulated"] = true.into();
            marked += 1;
        }
        assert_eq!(Some(&event), same.next());
    }
    assert_eq!(same.next(), None);
    assert!(whispers >= 1 && marked >= 2);

    let ran = run(&folder, &["--config", "sim.toml", "screen", "call.txt"]);
    assert!(ran.out.contains("(simulation)") && !ran.out.contains("whisper"), "{}", ran.out);
    assert!(ran.out.contains("The warning would have come"), "{}", ran.out);
}
