use std::path::Path;

use crate::alert::outbox::Outcome;
use crate::edge::clock;
use crate::edge::notify::tests::{AT, attempt, notice, opened};
use crate::wire::notice::Notice;

/// Delivers to a shell that runs `script`; `$1` and so on are `arguments`.
fn deliver(notice: Notice, script: &str, arguments: &[&Path]) -> Outcome {
    within(10, notice, script, arguments)
}

fn within(seconds: u64, notice: Notice, script: &str, arguments: &[&Path]) -> Outcome {
    let words = ["/bin/sh", "-c", script, "script"].map(str::to_owned).into_iter();
    let arguments = arguments.iter().map(|path| path.display().to_string());
    let run: Vec<_> = words.chain(arguments).collect();
    let run = toml::Value::from(run);
    let channel = opened(&format!("kind = \"command\"\ntimeout = {seconds}\nrun = {run}"));
    channel.expect("a channel").deliver(&attempt(notice), AT)
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn a_program_reads_the_notice_and_little_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let (input, environment) = (folder.path().join("input"), folder.path().join("environment"));
    let script = "cat > \"$1\"; env > \"$2\"; pwd >> \"$2\"";
    assert_eq!(deliver(notice(), script, &[&input, &environment]), Outcome::Delivered);
    let expected = serde_json::to_string(&notice()).expect("JSON");
    assert_eq!(text(&input), format!("{expected}\n"));
    let environment = text(&environment);
    let key = format!("LINECLEAR_KEY={}\n", notice().key);
    assert!(environment.contains(&key) && environment.contains("PATH="), "{environment}");
    assert!(environment.ends_with("\n/\n"), "{environment}");
    assert!(!environment.contains("CARGO") && !environment.contains("HOME="), "{environment}");
}

/// More than a pipe holds.
fn long() -> Notice {
    Notice { advice: Some("x".repeat(300_000)), ..notice() }
}

#[test]
fn a_notice_that_fills_the_pipe_arrives_whole_or_is_left_unread() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path().join("input");
    assert_eq!(deliver(long(), "sleep 0.2; cat > \"$1\"", &[&input]), Outcome::Delivered);
    assert_eq!(text(&input), serde_json::to_string(&long()).expect("JSON") + "\n");
    assert_eq!(deliver(long(), "exit 0", &[]), Outcome::Delivered);
    assert_eq!(deliver(long(), "exec <&-; sleep 0.1", &[]), Outcome::Delivered);
    assert!(matches!(within(1, long(), "sleep 100", &[]), Outcome::Later(_)));
}

#[test]
fn a_program_that_hangs_is_ended_with_all_that_it_started() {
    let folder = tempfile::tempdir().expect("a folder");
    let beats = folder.path().join("beats");
    let script = "trap '' TERM HUP; (while :; do echo >> \"$1\"; sleep 0.02; done) & wait";
    let began = clock::now();
    let outcome = within(1, notice(), script, &[&beats]);
    let lasted = (clock::now() - began).as_secs_f64();
    let expected = "/bin/sh: not done after 1 s: ended".to_owned();
    assert_eq!(outcome, Outcome::Later(expected));
    assert!((1.0..8.0).contains(&lasted), "{lasted}");
    clock::wait_until(clock::now() + super::STEP * 10);
    let length = text(&beats).len();
    assert!(length > 1, "it ran");
    clock::wait_until(clock::now() + super::STEP * 30);
    assert_eq!(text(&beats).len(), length, "it does no more");
}

#[test]
fn exit_statuses_tell_whether_to_try_again() {
    for (status, expected) in [
        (0, "delivered"),
        (1, "later"),
        (63, "later"),
        (64, "never"),
        (74, "never"),
        (75, "later"),
        (76, "never"),
        (78, "never"),
        (79, "later"),
        (127, "later"),
    ] {
        let outcome = deliver(notice(), &format!("exit {status}"), &[]);
        let told = match &outcome {
            Outcome::Delivered => "delivered",
            Outcome::Later(_) => "later",
            Outcome::Never(_) => "never",
        };
        assert_eq!(told, expected, "{status}: {outcome:?}");
    }
    let Outcome::Later(problem) = deliver(notice(), "kill -9 $$", &[]) else { panic!("later") };
    assert!(problem.contains("signal 9"), "{problem}");
}

#[test]
fn a_program_that_is_missing_may_come_back() {
    let channel = opened("kind = \"command\"\nrun = [\"/nowhere/tell\", \"SECRET\"]");
    let outcome = channel.expect("a channel").deliver(&attempt(notice()), AT);
    let Outcome::Later(problem) = outcome else { panic!("{outcome:?}") };
    assert!(problem.starts_with("/nowhere/tell: ") && !problem.contains("SECRET"), "{problem}");
}

#[test]
fn what_is_run_has_a_whole_path_and_a_time() {
    for (settings, expected) in [
        ("run = []", "run: begin with the whole path"),
        ("run = [\"tell\"]", "run: begin with the whole path"),
        ("run = [\"./tell\"]", "run: begin with the whole path"),
        ("run = [\"/tell\"]\ntimeout = 0", "timeout: it must be from 1 to 15 seconds"),
        ("run = [\"/tell\"]\ntimeout = 16", "timeout: it must be from 1 to 15 seconds"),
    ] {
        let told = opened(&format!("kind = \"command\"\n{settings}")).err().expect("an error");
        assert!(told.contains(expected), "{settings}: {told}");
    }
}
