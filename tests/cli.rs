//! The program as people and scripts run it: what it prints, and how it ends.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use common::{Ran, Turn, finish, program};
use lineclear::audio::voice::RATE;
use lineclear::edge::ingest::recording::{Block, Options, Recording};
use lineclear::wire::wav;
use serde_json::{Value, json};

/// A call that ends at danger.
const SCAM: &str = "courier-met-police";
/// A call that stays quiet whatever weights the rules have.
const HONEST: &str = "honest";

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

fn run(arguments: &[&str]) -> Ran {
    finish(program(arguments))
}

/// Runs the program with `input` on its standard input.
fn run_with_input(arguments: &[&str], input: &str) -> Ran {
    let folder = tempfile::tempdir().expect("a directory");
    let path = write(folder.path(), "input", input);
    let mut command = program(arguments);
    command.stdin(fs::File::open(path).expect("there"));
    finish(command)
}

/// The events of a transcript.
fn screened(input: &str) -> Vec<Value> {
    run_with_input(&["screen", "--json", "-"], input).events()
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).expect("written");
    path
}

fn turns(name: &str) -> Vec<Turn> {
    let said = ["Good morning, it is Anna.", "Anna, how nice!", "How is the garden?", "Lovely."];
    let honest = |(at, text): (usize, &str)| Turn {
        leg: ["remote", "protected"][at % 2].to_owned(),
        voice: String::new(),
        start_ms: at as u64 * 3000,
        end_ms: at as u64 * 3000 + 2000,
        text: text.to_owned(),
    };
    if name == HONEST {
        return said.into_iter().enumerate().map(honest).collect();
    }
    let mut calls = common::spoken_calls().into_iter();
    calls.find(|(found, _)| found == name).unwrap_or_else(|| panic!("no call {name}")).1.turns
}

/// The lines of a JSON transcript.
fn json_lines(name: &str, call: Option<&str>) -> Vec<String> {
    let line = |turn: &Turn| {
        let mut line = json!({
            "leg": turn.leg, "start_ms": turn.start_ms, "end_ms": turn.end_ms, "text": turn.text,
        });
        if let Some(call) = call {
            line["call"] = call.into();
        }
        line.to_string() + "\n"
    };
    turns(name).iter().map(line).collect()
}

fn plain_lines(name: &str) -> String {
    turns(name).iter().map(|turn| format!("{}: {}\n", turn.leg, turn.text)).collect()
}

/// Two calls at the same time in one stream.
fn interleaved() -> String {
    let (scam, honest) = (json_lines(SCAM, Some("line-7")), json_lines(HONEST, Some("line-8")));
    let longer = scam.len().max(honest.len());
    (0..longer).flat_map(|at| [honest.get(at), scam.get(at)]).flatten().cloned().collect()
}

fn kind(event: &Value) -> &str {
    event["event"].as_str().expect("a kind")
}

fn of_kind<'a>(events: &'a [Value], wanted: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| kind(event) == wanted).collect()
}

/// Fails unless the parts, with bars between them, stand in `text` in this order.
fn assert_in_order(text: &str, parts: &str) {
    let mut rest = text;
    for part in parts.split('|') {
        let at = rest.find(part).unwrap_or_else(|| panic!("no {part:?} in its place in {text}"));
        rest = &rest[at + part.len()..];
    }
}

/// The audio of the first `seconds` of a spoken call: remote and protected leg.
fn audio(name: &str, seconds: usize) -> [Vec<f32>; 2] {
    let path = common::calls_dir().join(format!("{name}.wav"));
    let mut recording = Recording::open(&path, &Options::default()).expect("a recording");
    let (mut block, mut legs) = (Block::default(), [Vec::new(), Vec::new()]);
    while legs[0].len() < seconds * RATE as usize
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
        sample_rate: RATE,
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
        let mut command = program(&["screen", "--json", "--remote", "right"]);
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
            "▲ DANGER score|whisper to the protected person, unheard by the caller: This is very \
             likely a scam.|Verdict DANGER Courier fraud, as far as: repeat|The warning came 0:|\
             Why +|extraction Caller wants cash to be withdrawn|What to do This is very likely a \
             scam. End the call now|Use a different phone|999 Emergency: |159 Your bank: |\
             101 Police: |0300 123 2040 Report Fraud: ",
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
    let input = json_lines(SCAM, None).concat();
    let score = |origin: &str| {
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
    assert_eq!((level("line-7"), level("line-8")), ("danger".to_owned(), "quiet".to_owned()));
    let whispers = of_kind(&events, "whisper");
    assert!(!whispers.is_empty() && whispers.iter().all(|whisper| whisper["call"] == "line-7"));
    let alone = screened(&json_lines(SCAM, Some("line-7")).concat());
    let verdict = of_kind(&events, "verdict").into_iter().find(|one| one["call"] == "line-7");
    assert_eq!(alone.last(), verdict);
}

#[test]
fn people_can_tell_calls_in_one_stream_apart() {
    let ran = run_with_input(&["screen", "-"], &interleaved());
    let (mut current, mut told) = ("", Vec::new());
    // The summary at the end names the calls anyway.
    for line in ran.out.lines().take_while(|line| !line.starts_with("call ")) {
        let named = ["line-7", "line-8"].into_iter().find(|name| line.contains(name));
        current = named.unwrap_or(current);
        let level = ["QUIET", "DANGER"].into_iter().find(|level| line.contains(level));
        told.extend(level.map(|level| (level, current)));
    }
    told.sort_unstable();
    let expected = [("DANGER", "line-7"), ("DANGER", "line-7"), ("QUIET", "line-8")];
    assert_eq!(told, expected, "{}", ran.out);
}

#[test]
fn a_live_feed_is_answered_line_by_line() {
    let mut command = program(&["screen", "--json", "-"]);
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

/// A line of the other party, whose words may still be revised unless it is final.
fn line(end_ms: u64, text: &str, is_final: bool) -> String {
    let line = json!({
        "leg": "remote", "start_ms": 0, "end_ms": end_ms, "text": text, "final": is_final,
    });
    line.to_string() + "\n"
}

#[test]
fn partial_lines_are_revised_and_leave_nothing_behind() {
    let threat = "withdraw five thousand pounds in cash and a courier will collect it";
    let last_level = |is_final: bool| {
        let input = line(4000, threat, is_final) + &line(4500, "lovely weather today", true);
        let events = screened(&input);
        assert_eq!(of_kind(&events, "utterance")[0]["final"], is_final);
        of_kind(&events, "level").last().expect("a level")["level"].clone()
    };
    assert_eq!(last_level(false), "quiet");
    assert_ne!(last_level(true), "quiet");
}

#[test]
fn a_verdict_has_no_reason_that_was_revised_away() {
    let partial = line(900, "Do not tell anyone", false);
    let revised = line(999, "The weather is lovely today", true);
    let reasons = |input: &str| {
        let events = screened(input);
        events.last().expect("a verdict")["reasons"].as_array().expect("a list").len()
    };
    assert!(reasons(&partial) > 0);
    assert_eq!(reasons(&revised), 0);
    assert_eq!(reasons(&(partial + &revised)), 0);
}

#[test]
fn every_line_of_json_is_an_event_of_the_schema() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/events.schema.json");
    let schema = fs::read_to_string(path).expect("docs/schema/events.schema.json");
    let schema = serde_json::from_str(&schema).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    assert!(!schema.is_valid(&json!({"event": "whisper", "call": "a"})), "it lets all pass");
    let mut events = screened(&interleaved());
    events.extend(recordings().events());
    for event in &events {
        let errors: Vec<_> = schema.iter_errors(event).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{event}: {errors:?}");
    }
    for utterance in of_kind(&events, "utterance") {
        let text = utterance["text"].as_str().expect("words");
        for found in utterance["found"].as_array().expect("a list") {
            let at = |key: &str| found[key].as_u64().expect("a number") as usize;
            let phrase = text.get(at("start")..at("end"));
            assert!(phrase.is_some_and(|phrase| !phrase.trim().is_empty()), "{utterance}");
        }
    }
    for wanted in ["call", "utterance", "signal", "level", "whisper", "verdict", "error"] {
        assert!(!of_kind(&events, wanted).is_empty(), "no {wanted}");
    }
    let verdicts = of_kind(&events, "verdict");
    let scam = verdicts.iter().find(|verdict| verdict["call"] == "line-7").expect("a verdict");
    let reasons = scam["reasons"].as_array().expect("reasons");
    let weights: Vec<_> = reasons.iter().filter_map(|one| one["weight"].as_f64()).collect();
    assert!(weights.len() == reasons.len() && weights.len() > 5, "{reasons:?}");
    assert!(weights.is_sorted_by(|heavy, light| heavy >= light), "{weights:?}");
    assert!(scam["advice"].as_str().is_some_and(|advice| advice.contains("End the call now")));
    assert!(scam["warned_at_ms"].is_u64());
}

#[test]
fn without_a_terminal_or_with_no_color_phrases_stand_in_brackets() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = write(folder.path(), "call.txt", plain_lines(SCAM));
    let screen = |variables: &[(&str, &str)]| {
        let mut command = program(&["screen", path.to_str().expect("UTF-8"), "absent.wav"]);
        command.envs(variables.iter().copied());
        finish(command)
    };
    let colours = screen(&[("CLICOLOR_FORCE", "1")]);
    assert!(colours.out.contains('\x1b') && colours.err.contains('\x1b'));
    assert!(!colours.out.replace("\x1b[", "").contains('['), "brackets beside colours");
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
fn several_files_end_with_a_summary() {
    let folder = tempfile::tempdir().expect("a directory");
    write(folder.path(), "a.txt", plain_lines(SCAM));
    write(folder.path(), "longer-name.txt", plain_lines(HONEST));
    let screen = |files: &[&str]| {
        let mut command = program(&["screen"]);
        command.args(files).current_dir(&folder);
        finish(command)
    };
    let ran = screen(&["a.txt", "longer-name.txt"]);
    assert_eq!(ran.code, Some(30));
    let rows: Vec<&str> = ran.out.lines().rev().take(3).collect();
    let words = |row: &str| row.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(rows[2]), ["call", "level", "score", "warned", "scam"]);
    let scam = words(rows[1]);
    assert_eq!((scam[0].as_str(), scam[1].as_str()), ("a.txt", "danger"), "{rows:?}");
    assert!(scam[3].starts_with("0:") && scam[4..] == ["Courier", "fraud"], "{scam:?}");
    let honest = words(rows[0]);
    assert_eq!((honest[0].as_str(), honest[1].as_str()), ("longer-name.txt", "quiet"));
    assert_eq!(honest[3..], ["-", "-"]);
    assert_eq!(rows[2].find("level"), rows[1].find("danger"), "{rows:?}");
    assert!(!screen(&["a.txt"]).out.contains("warned  scam"), "a summary of one call");
}

#[test]
fn recordings_are_heard_in_stereo_with_the_legs_swapped_and_in_mono() {
    let ran = recordings();
    assert_eq!(ran.code, Some(31), "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert!(ran.err.starts_with("error: absent.wav: "), "{}", ran.err);
    let events = ran.events();
    let of_call = |call: &str| -> Vec<Value> {
        events.iter().filter(|event| event["call"] == call).cloned().collect()
    };
    let said = |events: &[Value], leg: &str| -> String {
        let utterances = of_kind(events, "utterance").into_iter().filter(|one| one["leg"] == leg);
        utterances.filter_map(|one| one["text"].as_str().map(str::to_lowercase)).collect()
    };
    let stereo = of_call("stereo.wav");
    assert_eq!(
        (&stereo[0]["source"], &stereo[0]["duration_ms"]),
        (&json!("recording"), &json!(39_000))
    );
    assert!(said(&stereo, "remote").contains("card"), "{stereo:?}");
    assert!(said(&stereo, "protected").contains("what is this about"), "{stereo:?}");
    assert_eq!(of_kind(&stereo, "signal")[0]["leg"], "remote");
    let mono = of_call("mono.wav");
    assert!(said(&mono, "mixed").contains("warrant"), "{mono:?}");
    assert_eq!(said(&mono, "remote") + &said(&mono, "protected"), "");
    assert_eq!(mono.last().map(|verdict| &verdict["level"]), Some(&json!("danger")), "{mono:?}");
}

#[test]
fn headerless_g711_is_heard() {
    let _store = common::models();
    let bytes = fs::read(common::calls_dir().join("hmrc-arrest.wav")).expect("a recording");
    let header = wav::parse_header(bytes.as_slice()).expect("a header");
    assert_eq!((header.format.tag, header.format.channels), (wav::TAG_ALAW, 2));
    let data = bytes.iter().skip(header.data_offset as usize);
    let left: Vec<u8> = data.step_by(2).take(24 * RATE as usize).copied().collect();
    let folder = tempfile::tempdir().expect("a directory");
    let path = write(folder.path(), "leg.al", left);
    let ran = run(&["screen", "--raw", "alaw", path.to_str().expect("UTF-8")]);
    assert_eq!(ran.err, "");
    assert_in_order(&ran.flat(), "leg.al 0:24.0|mixed|warrant|Verdict");
    assert!(ran.code >= Some(10), "{}", ran.out);
}

#[test]
fn the_demonstration_goes_from_the_first_word_to_the_clear_line() {
    let _store = common::models();
    let ran = run(&["demo", "--fast"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert_in_order(
        &ran.flat(),
        "▲ CAUTION|▲ DANGER|whisper to the protected person, unheard by the caller: This is \
         very likely a scam.|The call ends.|Verdict DANGER Courier fraud|The warning came 0:|\
         What to do|The line is kept clear for 300 seconds|shortened here|\
         emergency: passes at once|The line is clear.",
    );
}

#[test]
fn every_command_explains_itself() {
    let commands = "|demo|screen|explain|rules|rules test|rules list|rules explain|rules stats|\
                    rules tune|rules profile|model|model fetch|model list|model verify|eval|schema";
    for command in commands.split('|') {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let ran = run(&arguments);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{command}");
        let (about, usage) = ran.out.split_once("Usage: lineclear").expect("a usage");
        assert!(about.trim().len() > 20 && usage.starts_with(&format!(" {command}")), "{command}");
        assert!(ran.out.lines().all(|line| line.chars().count() <= 100), "{}", ran.out);
    }
    let screen = run(&["screen", "--help"]).out;
    assert_in_order(&screen, "Examples:|lineclear screen call.wav|--raw alaw|--json -");
    for command in ["eval", "rules stats", "rules tune", "rules profile"] {
        let arguments: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        assert_in_order(&run(&arguments).out, &format!("Examples:|{command}"));
    }
    assert_in_order(&run(&["--help"]).out, "Exit status:|30  danger|+1  something");
    let version = format!("lineclear {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(&["--version"]).out, version);
}

#[test]
fn a_call_that_ends_in_mid_word_counts_but_claims_no_warning() {
    let threat = "This is Detective Sergeant Cole from the Metropolitan Police. Withdraw the cash \
                  and do not tell anyone.";
    let events = screened(&line(4000, threat, false));
    let verdict = events.last().expect("a verdict");
    assert_ne!(verdict["level"], "quiet");
    assert!(verdict["warned_at_ms"].is_null(), "nobody was warned: {verdict}");
    assert!(of_kind(&events, "whisper").is_empty());
}
