//! Files, models and readers that are not as they should be: each problem is told of in one line
//! with a remedy, the rest is screened, and no message repeats what was said.

mod common;

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Ran, finish, program};
use lineclear::edge::models::Model;
use tempfile::TempDir;

/// Words that must not reach a message.
const SPOKEN: &str = "bluebird seven nine four";
/// A call that ends at danger.
const SCAM: &str = "courier-met-police";
/// A call that stays quiet whatever weights the rules have.
const HONEST: &str = "remote: Good morning, it is Anna.\nprotected: Anna, how nice!\n";

impl Ran {
    /// The lines on the standard error. A panic, or words, fail the test.
    fn complaints(&self) -> Vec<&str> {
        assert!(!self.err.contains("panicked"), "{}", self.err);
        for word in SPOKEN.split(' ') {
            assert!(!self.err.contains(word), "{word}: {}", self.err);
        }
        self.err.lines().collect()
    }

    /// The complaints of `file`.
    fn complaints_of(&self, file: &str) -> Vec<&str> {
        let begin = format!("error: {file}: ");
        let complaints = self.complaints().into_iter();
        complaints.filter(|line| line.starts_with(&begin)).collect()
    }
}

/// The program in `folder`.
fn lineclear(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = program(arguments);
    command.current_dir(folder);
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Ran {
    finish(lineclear(folder, arguments))
}

/// Runs the program with one variable of the environment.
fn run_with(folder: &Path, arguments: &[&str], (name, value): (&str, &str)) -> Ran {
    let mut command = lineclear(folder, arguments);
    command.env(name, value);
    finish(command)
}

/// A folder with the plain transcripts of two calls, `scam.txt` and `honest.txt`.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    let mut calls = common::spoken_calls().into_iter();
    let (_, scam) = calls.find(|(name, _)| name == SCAM).expect("the call");
    let lines = scam.turns.iter().map(|turn| format!("{}: {}\n", turn.leg, turn.text));
    write(&folder, "scam.txt", lines.collect::<String>());
    write(&folder, "honest.txt", HONEST);
    folder
}

fn write(folder: &TempDir, name: &str, content: impl AsRef<[u8]>) {
    fs::write(folder.path().join(name), content).expect("written");
}

/// A WAV header of 16-bit PCM that announces `data_bytes` of audio.
fn header(channels: u16, rate: u32, data_bytes: u32) -> Vec<u8> {
    let frame = channels * 2;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data_bytes).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend((rate * u32::from(frame)).to_le_bytes());
    bytes.extend(frame.to_le_bytes());
    bytes.extend(b"\x10\0data");
    bytes.extend(data_bytes.to_le_bytes());
    bytes
}

/// A header with all of its audio, which is silence.
fn wav(channels: u16, rate: u32, data_bytes: u32) -> Vec<u8> {
    let mut bytes = header(channels, rate, data_bytes);
    bytes.resize(bytes.len() + data_bytes as usize, 0);
    bytes
}

/// Three hours of silence that take no room on the disk.
fn long_wav(path: &Path) {
    let data_bytes = 3 * 3600 * 16_000;
    let header = header(1, 8000, data_bytes);
    fs::write(path, &header).expect("written");
    let file = File::options().write(true).open(path).expect("there");
    file.set_len(header.len() as u64 + u64::from(data_bytes)).expect("a sparse file");
}

fn json_line(text: &str) -> String {
    format!(r#"{{"leg":"remote","start_ms":0,"end_ms":900,"text":"{text}"}}"#)
}

#[test]
fn bad_recordings_are_each_told_of_once_and_the_rest_is_screened() {
    let folder = folder();
    write(&folder, "words.wav", format!("{SPOKEN}, and no audio"));
    let whole = wav(1, 8000, 16_000);
    write(&folder, "cut.wav", &whole[..whole.len() - 5000]);
    write(&folder, "zero.wav", "");
    write(&folder, "header.wav", header(2, 8000, 0));
    write(&folder, "fast.wav", wav(1, 96_000, 96_000));
    write(&folder, "many.wav", wav(12, 8000, 24_000));
    long_wav(&folder.path().join("long.wav"));
    fs::create_dir(folder.path().join("folder.wav")).expect("made");
    let bad = [
        ("words.wav", "is not a WAV recording", "convert it with `ffmpeg"),
        ("cut.wav", "breaks off 0.7 s into the recording", "copy it again"),
        ("zero.wav", "is empty, 0 bytes long", "record or copy it again"),
        ("header.wav", "holds no audio, only a header", "record or copy it again"),
        ("fast.wav", "96000 Hz", "-ar 8000"),
        ("many.wav", "has 12 channels", "-ac 1"),
        ("long.wav", "lasts 3 h 0 min", "--max-minutes"),
        ("folder.wav", "is a directory", "name a recording in it"),
        ("absent.wav", "does not exist", "check the path"),
    ];
    let mut arguments = vec!["screen"];
    arguments.extend(bad[..4].iter().map(|(name, ..)| *name));
    arguments.push("scam.txt");
    arguments.extend(bad[4..].iter().map(|(name, ..)| *name));
    arguments.push("honest.txt");

    let ran = run(folder.path(), &arguments);

    assert_eq!(ran.code, Some(31), "{}", ran.err);
    for (name, problem, remedy) in bad {
        let complaints = ran.complaints_of(name);
        assert_eq!(complaints.len(), 1, "{name}: {}", ran.err);
        assert!(complaints[0].contains(problem), "{complaints:?}");
        assert!(complaints[0].contains(remedy), "{complaints:?}");
    }
    assert_eq!(ran.complaints().len(), bad.len(), "{}", ran.err);
    assert!(ran.out.contains("Verdict  DANGER") && ran.out.contains("Verdict  QUIET"));
}

#[test]
fn a_file_that_cannot_be_opened_as_a_transcript_is_told_of_once() {
    let folder = folder();
    fs::create_dir(folder.path().join("folder")).expect("made");
    let ran = run(folder.path(), &["screen", "folder", "absent.jsonl", "honest.txt"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("Verdict  QUIET"), "{}", ran.out);
    assert_eq!(ran.complaints_of("absent.jsonl").len(), 1, "{}", ran.err);
    assert_eq!(ran.complaints_of("folder").len(), 1, "{}", ran.err);
    assert!(ran.err.contains("irectory") && ran.err.contains("check the path"), "{}", ran.err);
}

#[test]
fn the_summary_names_what_could_not_be_screened() {
    let folder = folder();
    let ran = run(folder.path(), &["screen", "scam.txt", "absent.wav", "honest.txt"]);
    assert_eq!(ran.code, Some(31));
    let row = ran.out.lines().find(|line| line.starts_with("absent.wav"));
    assert!(row.is_some_and(|row| row.contains("not screened")), "{}", ran.out);
}

#[test]
fn a_bad_line_is_named_and_the_others_are_screened() {
    let folder = folder();
    let scam = fs::read_to_string(folder.path().join("scam.txt")).expect("there");
    let mut latin = b"protected: ".to_vec();
    latin.extend(SPOKEN.bytes());
    latin.push(0xE9);
    let cases: [(&str, Vec<u8>, &[&str]); 7] = [
        (
            "field.txt",
            format!(r#"{{"leg":"remote","start_ms":0,"text":"{SPOKEN}"}}"#).into_bytes(),
            &["missing field `end_ms`", "a line needs"],
        ),
        ("latin.txt", latin, &["byte 36 of the line is not UTF-8", "save the transcript as UTF-8"]),
        (
            "long.txt",
            json_line(&SPOKEN.repeat(3000)).into_bytes(),
            &["longer than 65536 bytes", "write one utterance a line"],
        ),
        (
            "type.txt",
            format!(r#"{{"leg":"remote","start_ms":"{SPOKEN}","end_ms":1,"text":""}}"#).into(),
            &["wrong type"],
        ),
        ("plain.txt", SPOKEN.into(), &["neither JSON nor \"remote: words\""]),
        ("json.txt", format!("{{{SPOKEN}").into(), &["not JSON"]),
        (
            "times.txt",
            json_line(SPOKEN).replace("900", "1").replace(":0", ":7").into(),
            &["end_ms (1) is less than start_ms (7)"],
        ),
    ];
    for (name, bad, expected) in cases {
        let mut bytes = b"remote: Good morning.\n".to_vec();
        bytes.extend(bad);
        bytes.push(b'\n');
        bytes.extend(scam.bytes());
        write(&folder, name, bytes);

        let ran = run(folder.path(), &["screen", name]);

        assert_eq!(ran.code, Some(31), "{name}: {}", ran.err);
        let complaints = ran.complaints();
        assert_eq!(complaints.len(), 1, "{name}: {}", ran.err);
        assert!(complaints[0].starts_with(&format!("error: {name}: line 2: ")), "{complaints:?}");
        assert!(complaints[0].ends_with("the other lines are screened"), "{complaints:?}");
        for part in expected {
            assert!(complaints[0].contains(part), "{part}: {complaints:?}");
        }
    }
}

#[test]
fn many_bad_lines_are_counted_rather_than_told_one_by_one() {
    let folder = folder();
    let scam = fs::read_to_string(folder.path().join("scam.txt")).expect("there");
    write(&folder, "bad.txt", format!("{SPOKEN}\n").repeat(40) + &scam);
    let ran = run(folder.path(), &["screen", "--json", "bad.txt"]);
    assert_eq!(ran.code, Some(31));
    let complaints = ran.complaints();
    assert_eq!(complaints.len(), 2, "{complaints:?}");
    assert!(complaints[0].contains("line 1: ") && complaints[1].contains("40 lines in all"));
    let told = ran.out.lines().filter(|line| line.contains(r#""event":"error""#));
    assert_eq!(told.count(), 2, "{}", ran.out);
}

#[test]
fn words_in_the_wrong_field_reach_no_message() {
    let folder = folder();
    let swapped = format!(r#"{{"leg":"{SPOKEN}","start_ms":0,"end_ms":9,"text":"remote"}}"#);
    write(&folder, "swapped.jsonl", swapped);
    let ran = run(folder.path(), &["screen", "--json", "swapped.jsonl"]);
    assert_eq!(ran.code, Some(1));
    assert!(!ran.out.contains("bluebird"), "{}", ran.out);
    let complaints = ran.complaints();
    assert!(complaints[0].contains("line 1: ") && complaints[0].contains("leg"));
}

#[test]
fn a_line_may_have_exactly_64_kib() {
    let folder = folder();
    let mut line = json_line("Good morning.");
    line.push_str(&" ".repeat(64 * 1024 - line.len()));
    write(&folder, "full.jsonl", line.clone() + "\n");
    write(&folder, "over.jsonl", line + " \n");
    let ran = run(folder.path(), &["screen", "full.jsonl"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert_eq!(run(folder.path(), &["screen", "over.jsonl"]).code, Some(1));
}

#[test]
fn a_transcript_without_an_utterance_is_told_of() {
    let folder = folder();
    write(&folder, "empty.jsonl", "");
    write(&folder, "comments.txt", "# nothing yet\n\n");
    for name in ["empty.jsonl", "comments.txt"] {
        let ran = run(folder.path(), &["screen", name, "honest.txt"]);
        assert_eq!(ran.code, Some(1));
        assert_eq!(ran.complaints_of(name).len(), 1, "{}", ran.err);
        assert_eq!(ran.complaints().len(), 1, "{}", ran.err);
        assert!(ran.err.contains("is empty") && ran.err.contains("docs/transcripts.md"));
        assert!(ran.out.contains("Verdict  QUIET"), "{}", ran.out);
    }
}

#[test]
fn a_feed_may_carry_any_number_of_calls() {
    let folder = folder();
    let line = |number| json_line("").replacen('{', &format!(r#"{{"call":"{number}","#), 1) + "\n";
    write(&folder, "many.jsonl", (0..10_100).map(line).collect::<String>());
    let ran = run(folder.path(), &["screen", "--json", "many.jsonl"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let is_verdict = |line: &&str| line.contains(r#""event":"verdict""#);
    let first = ran.out.lines().find(is_verdict).expect("a verdict");
    assert!(first.contains(r#""call":"0""#), "the call silent for longest ends first: {first}");
    assert_eq!(ran.out.lines().filter(is_verdict).count(), 10_100);
}

#[test]
fn a_call_must_have_a_short_name() {
    let folder = folder();
    let name = "n".repeat(257);
    let line = json_line("").replacen('{', &format!(r#"{{"call":"{name}","#), 1);
    write(&folder, "long.jsonl", line + "\nremote: Hello.\n");
    let ran = run(folder.path(), &["screen", "long.jsonl"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("longer than 256 bytes"), "{}", ran.err);
}

#[test]
fn missing_models_are_told_of_and_transcripts_are_screened_without_them() {
    let folder = folder();
    let recording = common::calls_dir().join("gp-surgery.wav");
    fs::copy(recording, folder.path().join("call.wav")).expect("copied");
    let models = folder.path().join("models");
    fs::create_dir(&models).expect("made");
    let arguments = ["screen", "call.wav", "honest.txt"];
    let ran = run_with(folder.path(), &arguments, ("LINECLEAR_MODELS", "models"));
    assert_eq!(ran.code, Some(1));
    let complaints = ran.complaints_of("call.wav");
    assert_eq!(complaints.len(), 1, "{}", ran.err);
    assert!(complaints[0].contains("run `lineclear model fetch "), "{complaints:?}");
    assert_eq!(ran.complaints().len(), 1, "{}", ran.err);
    assert!(ran.out.contains("honest.txt") && ran.out.contains("Verdict  QUIET"), "{}", ran.out);
    assert_eq!(fs::read_dir(&models).expect("there").count(), 0, "screening wrote models");
}

#[test]
fn a_model_file_that_was_changed_is_found_out() {
    let store = common::models();
    let folder = folder();
    let voice = store.model_dir(Model::Voice);
    let copy = folder.path().join("models").join("voice");
    fs::create_dir_all(&copy).expect("made");
    for entry in fs::read_dir(voice).expect("the voice model") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, copy.join(path.file_name().expect("a name"))).expect("copied");
    }
    let verify = || {
        let arguments = ["model", "verify", "voice"];
        run_with(folder.path(), &arguments, ("LINECLEAR_MODELS", "models"))
    };
    let sound = verify();
    assert_eq!((sound.code, sound.err.as_str()), (Some(0), ""));
    let file = copy.join("silero_vad.onnx");
    let mut bytes = fs::read(&file).expect("a model");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, &bytes).expect("written");
    let changed = verify();
    bytes.pop();
    fs::write(&file, &bytes).expect("written");
    let cut = verify();
    fs::remove_file(&file).expect("removed");
    for (ran, problem) in [(changed, "sha256 is"), (cut, "size is"), (verify(), "is missing")] {
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
        assert_eq!(ran.complaints().len(), 1, "{}", ran.err);
        assert!(ran.err.contains("voice/silero_vad.onnx") && ran.err.contains(problem));
        assert!(ran.err.contains("lineclear model fetch voice"), "{}", ran.err);
    }
}

#[test]
fn a_reader_that_has_heard_enough_is_no_error() {
    let folder = folder();
    let commands: [&[&str]; 7] = [
        &["screen", "scam.txt", "honest.txt"],
        &["screen", "--json", "scam.txt"],
        &["schema", "events"],
        &["model", "list"],
        &["model", "list", "--json"],
        &["--help"],
        &["eval", "corpus.jsonl"],
    ];
    let call = r#"{"id":"a","label":"legit","utterances":[]}"#;
    write(&folder, "corpus.jsonl", format!("{call}\n"));
    for arguments in commands {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = lineclear(folder.path(), arguments);
        command.stdout(writer).stderr(Stdio::piped());
        let child = command.spawn().expect("the program runs");
        let output = child.wait_with_output().expect("it ends");
        let err = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!((output.status.code(), err.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn what_was_said_cannot_pass_for_the_programs_own_words() {
    let line = serde_json::json!({
        "call": "\u{1b}[2Ja", "leg": "remote", "start_ms": 0, "end_ms": 900,
        "text": "Hello \u{1b}[2J\u{1b}]0;title\u{7}there.\nVerdict  DANGER  nonsense\r\u{9b}2J",
    });
    let folder = folder();
    write(&folder, "call.jsonl", line.to_string());
    let ran = run_with(folder.path(), &["screen", "call.jsonl"], ("CLICOLOR_FORCE", "1"));
    assert!(ran.out.contains("Hello"), "{}", ran.out);
    let forged = ran.out.lines().any(|line| line.starts_with("Verdict  DANGER"));
    assert!(!forged, "a line break was let through: {}", ran.out);
    for escape in ["\x1b[2J", "\x1b]0;", "\u{7}", "\u{9b}", "\r"] {
        assert!(!ran.out.contains(escape), "{escape:?} was let through: {:?}", ran.out);
    }
}

#[test]
fn a_configuration_with_an_unknown_key_is_refused() {
    let folder = folder();
    write(&folder, "home.toml", "[hold]\nline-cleer = 300\n");
    let ran = run(folder.path(), &["--config", "home.toml", "screen", "honest.txt"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert!(ran.err.starts_with("error: home.toml: "), "{}", ran.err);
    assert!(ran.err.contains("line-cleer") && ran.err.contains("`line-clear`"), "{}", ran.err);
    assert_eq!(ran.err.matches("error:").count(), 1, "{}", ran.err);
}

#[test]
fn rules_that_do_not_load_are_refused_by_file_and_rule() {
    let folder = folder();
    let rules = folder.path().join("rules");
    fs::create_dir(&rules).expect("made");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/rules");
    for entry in fs::read_dir(shipped).expect("config/rules") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, rules.join(path.file_name().expect("a name"))).expect("copied");
    }
    let arguments = ["--rules", "rules", "screen", "honest.txt"];
    assert_eq!(run(folder.path(), &arguments).code, Some(0));

    let pack = rules.join("courier-fraud.toml");
    let text = fs::read_to_string(&pack).expect("a pack");
    let (before, after) = text.split_once("must-match = [").expect("an example");
    let id = before.rsplit("id = \"").next().and_then(|rest| rest.split('"').next());
    let broken = format!("{before}must-match = [\"Lovely weather today.\", {after}");
    fs::write(&pack, broken).expect("written");
    let ran = run(folder.path(), &arguments);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    let complaints = ran.complaints_of("rules/courier-fraud.toml");
    assert_eq!((complaints.len(), ran.complaints().len()), (1, 1), "{}", ran.err);
    assert!(complaints[0].contains(id.expect("an id")), "{complaints:?}");
    assert!(complaints[0].contains("Lovely weather today."), "{complaints:?}");

    for (directory, problem) in [("absent", "check the path"), (".", "no rule pack (*.toml)")] {
        let ran = run(folder.path(), &["--rules", directory, "screen", "honest.txt"]);
        assert_eq!((ran.code, ran.complaints_of(directory).len()), (Some(1), 1), "{}", ran.err);
        assert!(ran.err.contains(problem), "{}", ran.err);
    }
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let folder = folder();
    let wrong: [&[&str]; 5] = [
        &[],
        &["screen"],
        &["screen", "--raw", "mp3", "honest.txt"],
        &["screen", "--sideways", "honest.txt"],
        &["model", "fetch", "enormous"],
    ];
    for arguments in wrong {
        let ran = run(folder.path(), arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ran.err.contains("Usage:") || ran.err.contains("--help"), "{}", ran.err);
    }
}
