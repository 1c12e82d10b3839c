//! What other programs read and write: the committed schemas are what the program says they are,
//! and the examples in the documentation follow them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn repository(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The standard output of the program.
fn output(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_lineclear")).args(arguments).output();
    let output = output.expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The blocks of a language (```` ```json ````) in a Markdown file.
fn examples(path: &str, language: &str) -> Vec<String> {
    let text = repository(path);
    let open = format!("\n```{language}\n");
    let blocks = text.split(&open).skip(1);
    blocks.map(|rest| rest.split("\n```").next().expect("a block").to_owned()).collect()
}

/// Every line of the JSON examples in `docs/{name}.md`, checked against the schema.
fn checked_examples(name: &str, schema: &str) -> Vec<Value> {
    let schema = serde_json::from_str(&repository(schema)).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let blocks = examples(&format!("docs/{name}.md"), "json");
    let lines = blocks.iter().flat_map(|block| block.lines());
    let values: Vec<Value> = lines
        .map(|line| {
            let value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
            let errors: Vec<_> = schema.iter_errors(&value).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{line}: {errors:?}");
            value
        })
        .collect();
    assert!(!values.is_empty(), "no example in docs/{name}.md");
    values
}

#[test]
fn the_committed_schemas_are_those_of_the_program() {
    for what in ["transcript", "events", "explanation", "feed", "notice", "pack", "told"] {
        let path = format!("docs/schema/{what}.schema.json");
        let same = repository(&path) == output(&["schema", what]);
        assert!(same, "{path} is out of date: cargo run -- schema {what} > {path}");
    }
}

#[test]
fn the_openapi_document_is_that_of_the_program_and_every_address_names_its_errors() {
    let text = repository("docs/openapi.json");
    let remedy = "cargo run -- schema openapi > docs/openapi.json";
    assert!(text == output(&["schema", "openapi"]), "docs/openapi.json is out of date: {remedy}");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    assert!(paths.keys().all(|path| path.starts_with("/v1/")) && paths.len() > 10);
    let reference = text.matches("\"#/components/schemas/").count();
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    assert!(reference > 10 && schemas.contains_key("Problem") && schemas.contains_key("GateView"));
    for operation in paths.values().flat_map(|path| path.as_object().expect("a path").values()) {
        assert!(operation["responses"]["200"].is_object(), "{operation}");
        assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 5), "{operation}");
    }
}

#[test]
fn the_schemas_refuse_what_the_formats_do_not_have() {
    let refuses = |what: &str, text: &str| {
        let schema = repository(&format!("docs/schema/{what}.schema.json"));
        let schema = jsonschema::validator_for(&serde_json::from_str(&schema).expect("JSON"));
        !schema.expect("a schema").is_valid(&serde_json::from_str(text).expect("JSON"))
    };
    assert!(refuses("transcript", r#"{"leg":"caller","start_ms":0,"end_ms":1,"text":""}"#));
    assert!(refuses("transcript", r#"{"leg":"remote","start_ms":-1,"end_ms":1,"text":""}"#));
    assert!(refuses("transcript", r#"{"leg":"remote","start_ms":0,"text":""}"#));
    assert!(!refuses("transcript", r#"{"leg":"remote","start_ms":0,"end_ms":1,"text":""}"#));
    assert!(refuses("events", r#"{"event":"applause","call":"a"}"#));
    assert!(refuses("events", r#"{"event":"error","file":"a"}"#));
    assert!(!refuses("events", r#"{"event":"error","file":"a","message":"b"}"#));
    let notice = r#"{"key":"a","kind":"line-clear","line":"b","line_name":"c","at":"d"}"#;
    assert!(!refuses("notice", notice));
    assert!(refuses("notice", &notice.replace("line-clear", "line-lost")));
    assert!(refuses("notice", &notice.replace("\"line\":\"b\",", "")));
}

#[test]
fn the_packs_of_the_program_follow_their_schema() {
    let schema = repository("docs/schema/pack.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).expect("JSON"));
    let schema = schema.expect("a schema");
    let json = |text: &str| -> Value { toml::from_str(text).expect("TOML") };
    for (name, text) in lineclear::rules::SHIPPED {
        let errors: Vec<_> = schema
            .iter_errors(&json(text))
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
    let local = "[pack]\nid = \"local\"\ntitle = \"Ours\"\nversion = \"1\"\n[[override]]\nrule = ";
    assert!(schema.is_valid(&json(&format!("{local}\"a.b\""))));
    for wrong in ["3", "\"a.b\"\nenabld = false", "\"a.b\"\n[stages.hok]\ncap = 1\nfloor = 1"] {
        assert!(!schema.is_valid(&json(&format!("{local}{wrong}"))), "{wrong}");
    }
}

#[test]
fn every_code_of_a_problem_is_documented() {
    let document = repository("docs/rules.md");
    let source = repository("src/rules/error.rs");
    let codes = source.split('"').filter(|text| {
        text.len() == 3 && text.starts_with(['E', 'W']) && text[1..].parse::<u8>().is_ok()
    });
    let mut found = 0;
    for code in codes {
        assert!(document.contains(&format!("| {code} |")), "docs/rules.md: no row for {code}");
        found += 1;
    }
    assert!(found >= 18, "{found}");
}

#[test]
fn the_documented_events_follow_the_schema_and_none_is_missing() {
    let events = checked_examples("events", "docs/schema/events.schema.json");
    let kinds: BTreeSet<_> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    let all =
        ["audio", "call", "error", "level", "rules", "signal", "utterance", "verdict", "whisper"];
    assert_eq!(kinds, BTreeSet::from(all));
    let document = repository("docs/events.md");
    let keys = events.iter().filter_map(Value::as_object).flat_map(serde_json::Map::keys);
    for key in keys.filter(|key| *key != "event") {
        assert!(document.contains(&format!("| `{key}` |")), "docs/events.md: no row for {key}");
    }
}

#[test]
fn the_documented_notices_follow_the_schema() {
    checked_examples("notifications", "docs/schema/notice.schema.json");
}

#[test]
fn the_documented_explanation_follows_the_schema_and_no_key_is_missing() {
    let calls = checked_examples("explain", "docs/schema/explanation.schema.json");
    let document = repository("docs/explain.md");
    let mut left: Vec<&Value> = calls.iter().collect();
    while let Some(value) = left.pop() {
        left.extend(value.as_array().into_iter().flatten());
        for (key, value) in value.as_object().into_iter().flatten() {
            assert!(document.contains(&format!("`{key}`")), "docs/explain.md: nothing on {key}");
            left.push(value);
        }
    }
}

#[test]
fn the_documented_transcripts_are_read_without_complaint() {
    checked_examples("transcripts", "docs/schema/transcript.schema.json");
    let folder = tempfile::tempdir().expect("a directory");
    for (language, least) in [("json", 2), ("text", 1)] {
        let blocks = examples("docs/transcripts.md", language);
        assert!(blocks.len() >= least, "examples of {language}: {}", blocks.len());
        for block in blocks {
            let path = folder.path().join("example");
            fs::write(&path, &block).expect("written");
            let mut command = Command::new(env!("CARGO_BIN_EXE_lineclear"));
            let ran = command.arg("screen").arg(&path).output().expect("the program runs");
            assert_eq!(String::from_utf8_lossy(&ran.stderr), "", "{block}");
            assert_eq!(ran.status.code().map(|code| code % 10), Some(0), "{block}");
        }
    }
}

#[test]
fn the_list_of_models_is_one_object_a_file() {
    let listed = output(&["model", "list", "--json"]);
    let rows: Vec<Value> = listed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    let models: BTreeSet<_> = rows.iter().filter_map(|row| row["model"].as_str()).collect();
    assert_eq!(models, BTreeSet::from(["base", "runtime", "tiny", "voice"]));
    for row in &rows {
        let digest = row["sha256"].as_str().expect("a digest");
        assert!(digest.len() == 64 && digest.chars().all(|sign| sign.is_ascii_hexdigit()), "{row}");
        assert!(row["bytes"].as_u64() > Some(0) && row["present"].is_boolean(), "{row}");
        assert!(row["licence"].as_str().is_some_and(|licence| !licence.is_empty()), "{row}");
    }
    let people = output(&["model", "list"]);
    assert_eq!(people.lines().count(), rows.len() + 1);
    for row in &rows {
        let file = row["file"].as_str().and_then(|file| file.rsplit('/').next()).expect("a path");
        assert!(people.contains(file), "{file}: {people}");
    }
}
