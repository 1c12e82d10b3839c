//! The program as people and scripts run it: what it prints, and how it ends.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use common::SpokenCall;
use lineclear::edge::ingest::recording::{Block, Options, RATE_HZ, Recording};
use lineclear::wire::wav;
use serde_json::{Value, json};

/// A call that ends at danger.
const SCAM: &str = "courier-met-police";
/// A call that ends quietly.
const HONEST: &str = "gp-surgery";

/// How a run of the program ended.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    /// The events on the standard output: nothing else may be there.
    fn events(&self) -> Vec<Value> {
        let event = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        self.out.lines().map(event).collect()
    }

    /// The output with every stretch of spaces and line ends as one space.
    fn flat(&self) -> String {
        self.out.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// The program, with no terminal and no wish about colours.
fn lineclear(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lineclear"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_remove("NO_COLOR").env_remove("CLICOLOR").env_remove("CLICOLOR_FORCE");
    command
}

fn finish(mut command: Command) -> Ran {
    let output = command.output().expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn run(arguments: &[&str]) -> Ran {
    finish(lineclear(arguments))
}

/// Runs the program with `input` on its standard input.
fn run_with_input(arguments: &[&str], input: &str) -> Ran {
    let folder = tempfile::tempdir().expect("a directory");
    let path = write(folder.path(), "input", input);
    let mut command = lineclear(arguments);
    command.stdin(fs::File::open(path).expect("there"));
    finish(command)
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).expect("written");
    path
}

fn spoken(name: &str) -> SpokenCall {
    let mut calls = common::spoken_calls().into_iter();
    calls.find(|(found, _)| found == name).unwrap_or_else(|| panic!("no call {name}")).1
}

/// The lines of a JSON transcript.
fn json_lines(name: &str, call: Option<&str>) -> Vec<String> {
    let line = |turn: &common::Turn| {
        let mut line = json!({
            "leg": turn.leg, "start_ms": turn.start_ms, "end_ms": turn.end_ms, "text": turn.text,
        });
        if let Some(call) = call {
            line["call"] = call.into();
        }
        line.to_string() + "\n"
    };
    spoken(name).turns.iter().map(line).collect()
}

fn plain_lines(name: &str) -> String {
    spoken(name).turns.iter().map(|turn| format!("{}: {}\n", turn.leg, turn.text)).collect()
}

/// Two calls at the same time in one stream: the scam is `scam`, the other `honest`.
fn interleaved() -> String {
    let (scam, honest) = (json_lines(SCAM, Some("scam")), json_lines(HONEST, Some("honest")));
    let longer = scam.len().max(honest.len());
    (0..longer).flat_map(|at| [honest.get(at), scam.get(at)]).flatten().cloned().collect()
}

fn kind(event: &Value) -> &str {
    event["event"].as_str().expect("a kind")
}

fn of_kind<'a>(events: &'a [Value], wanted: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| kind(event) == wanted).collect()
}

/// Fails unless `parts` stand in `text` in this order.
fn assert_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("no {part:?} in its place in {text}"));
        rest = &rest[at + part.len()..];
    }
}

/// The audio of the first `seconds` of a spoken call: remote and protected leg.
fn audio(name: &str, seconds: usize) -> [Vec<f32>; 2] {
    let path = common::calls_dir().join(format!("{name}.wav"));
    let mut recording = Recording::open(&path, &Options::default()).expect("a recording");
    let (mut block, mut legs) = (Block::default(), [Vec::new(), Vec::new()]);
    while legs[0].len() < seconds * RATE_HZ as usize
        && recording.next_block(&mut block).expect("a sound recording")
    {
        for (leg, samples) in legs.iter_mut().zip(&block.legs) {
            leg.extend(samples);
        }
    }
    legs
}

/// Writes 16-bit PCM; `samples` are interleaved.
fn write_pcm(path: &Path, channels: u16, samples: impl Iterator<Item = f32>) {
    let spec = hound::WavSpec {
        channels,
        sample_rate: RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).expect("a file");
    for sample in samples {
        writer.write_sample((sample.clamp(-1.0, 1.0) * 32767.0) as i16).expect("written");
    }
    writer.finalize().expect("written");
}

/// One run, as each takes seconds: a stereo recording with the caller on the right and a dial tone
/// in it, a mono recording with both parties, and a file that is not there.
fn recordings() -> &'static Ran {
    static RAN: OnceLock<Ran> = OnceLock::new();
    RAN.get_or_init(|| {
        let _store = common::models();
        let folder = tempfile::tempdir().expect("a directory");
        let [remote, protected] = audio("courier-card-services", 39);
        let frames = protected.iter().zip(&remote);
        let stereo = frames.flat_map(|(left, right)| [*left, *right]);
        write_pcm(&folder.path().join("stereo.wav"), 2, stereo);
        let [remote, protected] = audio("hmrc-arrest", 50);
        let mixed = remote.iter().zip(&protected).map(|(one, other)| one + other);
        write_pcm(&folder.path().join("mono.wav"), 1, mixed);
        let mut command = lineclear(&["screen", "--json", "--remote", "right"]);
        command.args(["stereo.wav", "mono.wav", "absent.wav"]).current_dir(&folder);
        finish(command)
    })
}

#[test]
fn a_scam_is_told_with_level_reasons_advice_and_numbers() {
    let folder = tempfile::tempdir().expect("a directory");
    let json = write(folder.path(), "call.jsonl", json_lines(SCAM, None).concat());
    let plain = write(folder.path(), "call.txt", plain_lines(SCAM));
    for path in [json, plain] {
        let ran = run(&["screen", path.to_str().expect("UTF-8")]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(30), ""));
        assert_in_order(
            &ran.flat(),
            &[
                "▲ DANGER score",
                "whisper to the protected person, unheard by the caller: This is very likely a scam.",
                "Verdict DANGER Courier fraud, as far as: repeat",
                "The warning came 0:",
                "Why +",
                "extraction Caller wants cash to be withdrawn",
                "What to do This is very likely a scam. End the call now",
                "Use a different phone",
                "999 Emergency: ",
                "159 Your bank: ",
                "101 Police: ",
                "0300 123 2040 Report Fraud: ",
            ],
        );
    }
}

#[test]
fn an_honest_call_passes_and_no_call_is_said_to_be_safe() {
    for (name, call) in common::spoken_calls() {
        let input = json_lines(&name, None).concat();
        let ran = run_with_input(&["screen", "-"], &input);
        let scam = call.expect.at_least().is_some();
        assert_eq!(ran.err, "", "{name}");
        match ran.code {
            Some(20 | 30) => assert!(scam, "{name}: {}", ran.out),
            Some(0 | 10) => assert!(!scam && !ran.out.contains("whisper"), "{name}: {}", ran.out),
            code => panic!("{name}: {code:?}"),
        }
        let verdict = ran.out.lines().find(|line| line.starts_with("Verdict")).expect("a verdict");
        assert!(!verdict.to_lowercase().contains("safe"), "{verdict}");
    }
}

#[test]
fn what_is_known_of_the_number_shifts_the_score() {
    let score = |origin: &str| {
        let input = json_lines(HONEST, None).concat();
        let ran = run_with_input(&["screen", "--json", "--origin", origin, "-"], &input);
        ran.events().last().expect("a verdict")["score"].as_f64().expect("a number")
    };
    let [unknown, outgoing, known] = ["unknown", "outgoing", "known-contact"].map(score);
    assert!(unknown > outgoing && outgoing > known, "{unknown} {outgoing} {known}");
}

#[test]
fn calls_in_one_stream_have_verdicts_of_their_own() {
    let ran = run_with_input(&["screen", "--json", "-"], &interleaved());
    assert_eq!((ran.code, ran.err.as_str()), (Some(30), ""));
    let events = ran.events();
    let level = |call: &str| {
        let verdicts = of_kind(&events, "verdict");
        let of_call: Vec<_> = verdicts.iter().filter(|verdict| verdict["call"] == call).collect();
        assert_eq!(of_call.len(), 1, "{call}");
        of_call[0]["level"].as_str().expect("a level").to_owned()
    };
    assert_eq!((level("scam"), level("honest")), ("danger".to_owned(), "quiet".to_owned()));
    let whispers = of_kind(&events, "whisper");
    assert!(!whispers.is_empty() && whispers.iter().all(|whisper| whisper["call"] == "scam"));
    // Alone, the scam has the same verdict.
    let alone = run_with_input(&["screen", "--json", "-"], &json_lines(SCAM, Some("scam")).concat());
    let verdict = of_kind(&events, "verdict").into_iter().find(|one| one["call"] == "scam");
    assert_eq!(alone.events().last(), verdict);
}

#[test]
fn people_can_tell_calls_in_one_stream_apart() {
    let ran = run_with_input(&["screen", "-"], &interleaved());
    let mut current = "";
    let mut told = Vec::new();
    // The summary at the end names the calls anyway.
    for line in ran.out.lines().take_while(|line| !line.starts_with("call ")) {
        let named = ["scam", "honest"].into_iter().find(|name| {
            line.split_whitespace().next() == Some(name) || line.ends_with(&format!("({name})"))
        });
        current = named.unwrap_or(current);
        if line.contains("▲ DANGER") || line.starts_with("Verdict") {
            let mut words = line.split_whitespace();
            told.push((words.find(|word| word.chars().all(char::is_uppercase)), current));
        }
    }
    let quiet = told.iter().find(|(level, _)| *level == Some("QUIET"));
    assert_eq!(quiet, Some(&(Some("QUIET"), "honest")), "{}", ran.out);
    let danger: Vec<_> = told.iter().filter(|(level, _)| *level == Some("DANGER")).collect();
    assert!(danger.iter().all(|(_, call)| *call == "scam"), "{danger:?} in {}", ran.out);
}

#[test]
fn a_live_feed_is_answered_line_by_line() {
    let mut command = lineclear(&["screen", "--json", "-"]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the program runs");
    let mut feed = child.stdin.take().expect("a pipe");
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    let (sender, events) = mpsc::channel::<Value>();
    let reader = std::thread::spawn(move || {
        for line in out.lines() {
            let event = serde_json::from_str(&line.expect("readable")).expect("an event");
            let _ = sender.send(event);
        }
    });
    let next = || events.recv_timeout(Duration::from_secs(20)).expect("an event at once");
    let lines = json_lines(SCAM, None);
    for (number, line) in lines.iter().take(3).enumerate() {
        feed.write_all(line.as_bytes()).expect("written");
        feed.flush().expect("written");
        if number == 0 {
            assert_eq!(kind(&next()), "call");
        }
        let event = next();
        assert_eq!(kind(&event), "utterance");
        let sent: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(event["text"], sent["text"]);
    }
    drop(feed);
    assert_eq!(kind(&next()), "verdict");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    reader.join().expect("every line was an event");
}

#[test]
fn partial_lines_are_revised_and_leave_nothing_behind() {
    let threat = "withdraw five thousand pounds in cash and a courier will collect it";
    let line = |end_ms: u64, text: &str, last: bool| {
        let line = json!({
            "leg": "remote", "start_ms": 0, "end_ms": end_ms, "text": text, "final": last,
        });
        line.to_string() + "\n"
    };
    let input = line(4000, threat, false) + &line(4500, "the weather is lovely today", true);
    let revised = run_with_input(&["screen", "--json", "-"], &input).events();
    let level = |events: &[Value]| of_kind(events, "level").last().map(|one| one["level"].clone());
    assert_eq!(of_kind(&revised, "utterance")[0]["final"], false);
    assert_eq!(level(&revised), Some("quiet".into()), "{revised:?}");
    let settled = line(4000, threat, true) + &line(4500, "the weather is lovely today", true);
    let settled = run_with_input(&["screen", "--json", "-"], &settled).events();
    assert_ne!(level(&settled), Some("quiet".into()), "{settled:?}");
}

#[test]
fn every_line_of_json_is_an_event_of_the_schema() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/events.schema.json");
    let schema = fs::read_to_string(path).expect("docs/schema/events.schema.json");
    let schema = serde_json::from_str(&schema).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    assert!(!schema.is_valid(&json!({"event": "whisper", "call": "a"})), "it lets all pass");
    let mut events = run_with_input(&["screen", "--json", "-"], &interleaved()).events();
    events.extend(recordings().events());
    for event in &events {
        let errors: Vec<_> = schema.iter_errors(event).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{event}: {errors:?}");
    }
    for wanted in ["call", "utterance", "signal", "level", "whisper", "verdict", "error"] {
        assert!(!of_kind(&events, wanted).is_empty(), "no {wanted}");
    }
    let verdicts = of_kind(&events, "verdict");
    let scam = verdicts.iter().find(|verdict| verdict["call"] == "scam").expect("a verdict");
    let reasons = scam["reasons"].as_array().expect("reasons");
    let weights: Vec<_> = reasons.iter().filter_map(|one| one["weight"].as_f64()).collect();
    assert!(weights.len() == reasons.len() && weights.len() > 5, "{reasons:?}");
    assert!(weights.is_sorted_by(|heavy, light| heavy >= light), "{weights:?}");
    assert!(scam["advice"].as_str().is_some_and(|advice| advice.contains("End the call now")));
    assert!(scam["warned_at_ms"].is_u64());
}

#[test]
fn found_phrases_are_byte_ranges_of_the_words() {
    let events = run_with_input(&["screen", "--json", "-"], &json_lines(SCAM, None).concat());
    let found = |utterance: &Value, rule: &str| {
        let text = utterance["text"].as_str().expect("words");
        let found = utterance["found"].as_array().expect("a list");
        let one = found.iter().find(|one| one["rule"] == rule)?;
        let at = |key: &str| one[key].as_u64().expect("a number") as usize;
        Some(text[at("start")..at("end")].to_owned())
    };
    let events = events.events();
    let mut phrases =
        events.iter().filter(|event| kind(event) == "utterance" && event["leg"] == "remote");
    let phrase = phrases.find_map(|event| found(event, "shared.collection.courier"));
    assert!(phrase.expect("a courier").contains("courier will come"));
}

#[test]
fn without_a_terminal_or_with_no_color_phrases_stand_in_brackets() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = write(folder.path(), "call.txt", plain_lines(SCAM));
    let screen = |variables: &[(&str, &str)]| {
        let mut command = lineclear(&["screen", path.to_str().expect("UTF-8"), "absent.wav"]);
        command.envs(variables.iter().copied());
        finish(command)
    };
    let colours = screen(&[("CLICOLOR_FORCE", "1")]);
    assert!(colours.out.contains('\x1b') && !colours.out.contains('['.to_string().as_str()) || {
        // Escapes contain brackets themselves: only one that opens a phrase would be wrong.
        !colours.out.replace("\x1b[", "").contains('[')
    });
    assert!(colours.out.contains('\x1b') && colours.err.contains('\x1b'));
    for variables in [&[][..], &[("NO_COLOR", "1")], &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]]
    {
        let ran = screen(variables);
        assert!(!ran.out.contains('\x1b') && !ran.err.contains('\x1b'), "{variables:?}");
        let flat = ran.flat();
        assert!(flat.contains("I will [ring you again"), "{variables:?}: {flat}");
    }
    let json = run(&["screen", "--json", path.to_str().expect("UTF-8")]);
    assert!(!json.out.contains('\x1b'));
}

#[test]
fn what_was_said_cannot_pass_for_the_programs_own_words() {
    let line = json!({
        "call": "\u{1b}[2Ja", "leg": "remote", "start_ms": 0, "end_ms": 900,
        "text": "Hello \u{1b}[2J\u{1b}]0;title\u{7}there.\nVerdict  DANGER  nonsense\r\u{9b}2J",
    });
    let folder = tempfile::tempdir().expect("a directory");
    let path = write(folder.path(), "call.jsonl", line.to_string());
    let mut command = lineclear(&["screen", path.to_str().expect("UTF-8")]);
    command.env("CLICOLOR_FORCE", "1");
    let ran = finish(command);
    assert!(ran.out.contains("Hello"), "{}", ran.out);
    let forged = ran.out.lines().any(|line| line.starts_with("Verdict  DANGER"));
    assert!(!forged, "a line break was let through: {}", ran.out);
    for escape in ["\x1b[2J", "\x1b]0;", "\u{7}", "\u{9b}", "\r"] {
        assert!(!ran.out.contains(escape), "{escape:?} was let through: {:?}", ran.out);
    }
}
