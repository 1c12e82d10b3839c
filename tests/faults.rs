//! What fails, by name, once for a moment and once for good: screening, warning and holding go on,
//! the status turns red, and nothing is lost that could be kept.

mod common;

use std::os::unix::fs::FileExt;

use common::daemon::{Daemon, Feed, Hook, eventually, secret};
use serde_json::json;

fn with_hook(more: &str) -> (Daemon, Hook, tempfile::TempDir) {
    let (hook, secrets) = (Hook::start(), tempfile::tempdir().expect("a folder"));
    let channel = hook.channel(&secret(secrets.path()));
    (Daemon::start(&channel, more), hook, secrets)
}

/// A scam call is warned of, and the line is held.
fn protects(daemon: &Daemon, feed: &mut Feed, call: &str) {
    feed.start(call, "home", "01632 960123");
    feed.say(call, 0, "the parrot, the purple one");
    assert_eq!(feed.wait_for("whisper")["level"], "warning");
    feed.end(call);
    feed.wait_for("line-held");
    assert_eq!(daemon.gate("home", "outgoing", "01632960999")["decision"], "held");
    assert_eq!(daemon.gate("home", "outgoing", "999")["reason"], "emergency");
}

fn held_on_disk(daemon: &Daemon) -> usize {
    let store = lineclear::edge::store::Store::open(&daemon.path("state")).expect("opens");
    store.snapshot().expect("readable").snapshot.holds.len()
}

fn green(daemon: &Daemon) {
    eventually("a green status", || daemon.is_red().is_none().then_some(()));
}

#[test]
fn a_locked_database_for_a_moment_and_for_good() {
    let (daemon, hook, _secrets) = with_hook("");
    let mut feed = daemon.feed();
    let lock = rusqlite::Connection::open(daemon.store()).expect("opens");
    lock.execute_batch("BEGIN EXCLUSIVE").expect("locked");
    protects(&daemon, &mut feed, "a");
    eventually("a red status", || daemon.is_red());
    // People are told, too, although it could not be written that they are to be.
    eventually("a notification", || hook.taken.lock().expect("keys").first().cloned());
    lock.execute_batch("COMMIT").expect("let go");
    green(&daemon);
    assert_eq!(held_on_disk(&daemon), 1, "what could not be written is written when it can be");
    lock.execute_batch("BEGIN EXCLUSIVE").expect("locked");
    protects(&daemon, &mut feed, "b");
    protects(&daemon, &mut feed, "c");
    assert!(eventually("a red status", || daemon.is_red()).contains("store"));
}

#[test]
fn a_database_that_is_damaged_is_moved_aside_and_written_anew() {
    let (daemon, _hook, _secrets) = with_hook("");
    let mut feed = daemon.feed();
    protects(&daemon, &mut feed, "a");
    let log = rusqlite::Connection::open(daemon.store()).expect("opens");
    log.pragma_update(None, "wal_checkpoint", "TRUNCATE").expect("written to the file");
    drop(log);
    for name in ["state/lineclear.db", "state/lineclear.db-wal"] {
        let Ok(file) = std::fs::OpenOptions::new().write(true).open(daemon.path(name)) else {
            continue;
        };
        let length = file.metadata().expect("a length").len();
        for at in (0..length).step_by(512) {
            file.write_all_at(&[0xAA; 300], at).expect("damaged");
        }
    }
    protects(&daemon, &mut feed, "b");
    eventually("a database aside", || {
        let files = std::fs::read_dir(daemon.path("state")).expect("the folder");
        let names = files.flatten().map(|it| it.file_name().to_string_lossy().into_owned());
        names.into_iter().find(|name| name.contains(".corrupt-"))
    });
    eventually("the hold on the disk", || (held_on_disk(&daemon) == 1).then_some(()));
    assert_eq!(daemon.gate("home", "outgoing", "01632960999")["decision"], "held");
}

#[test]
fn a_folder_that_disappears() {
    let (daemon, _hook, _secrets) = with_hook("");
    let mut feed = daemon.feed();
    std::fs::rename(daemon.path("state"), daemon.path("away")).expect("moved");
    protects(&daemon, &mut feed, "a");
    eventually("a new database with the hold", || {
        (daemon.store().exists() && held_on_disk(&daemon) == 1).then_some(())
    });
    protects(&daemon, &mut feed, "b");
}

#[test]
fn a_database_that_cannot_be_made_at_the_start() {
    // A file where the folder should be: as on a disk that is full, nothing can be made.
    let (daemon, hook, _secrets) = with_hook("");
    let port = daemon.port;
    let (folder, _) = daemon.kill();
    std::fs::rename(folder.path().join("state"), folder.path().join("away")).expect("moved");
    std::fs::write(folder.path().join("state"), "in the way").expect("written");
    let daemon = Daemon::again(folder, port);
    let mut feed = daemon.feed();
    assert!(eventually("a red status", || daemon.is_red()).contains("store"));
    protects(&daemon, &mut feed, "a");
    eventually("a notification", || hook.taken.lock().expect("keys").first().cloned());
    std::fs::remove_file(daemon.path("state")).expect("out of the way");
    // The key that was made in memory counts until the next start, and is shown until then.
    eventually("a store that works", || {
        let problems = daemon.is_red().unwrap_or_default();
        (!problems.contains("\"store\"")).then_some(())
    });
    eventually("the hold on the disk", || (held_on_disk(&daemon) == 1).then_some(()));
}

#[test]
fn a_disk_that_is_full_for_a_moment_and_for_good() {
    let (daemon, _hook, _secrets) = with_hook("");
    let mut feed = daemon.feed();
    feed.start("warm", "other", "");
    feed.wait_for("started");
    // What a process may write is limited, as a full disk limits it, for a moment.
    let pid = daemon.pid();
    let limit = |bytes: &str| {
        let limited = std::process::Command::new("prlimit")
            .args([format!("--pid={pid}"), format!("--fsize={bytes}")])
            .status();
        limited.is_ok_and(|status| status.success())
    };
    if !limit("4096:unlimited") {
        println!("skipped: prlimit is not there to make a full disk");
        return;
    }
    protects(&daemon, &mut feed, "a");
    assert!(eventually("a red status", || daemon.is_red()).contains("store"));
    assert!(limit("unlimited:unlimited"));
    green(&daemon);
    eventually("the hold on the disk", || (held_on_disk(&daemon) == 1).then_some(()));
    assert!(limit("4096:unlimited"));
    protects(&daemon, &mut feed, "b");
    protects(&daemon, &mut feed, "c");
    eventually("a red status", || daemon.is_red());
}

#[test]
fn a_webhook_that_is_dead_that_hangs_and_that_answers_500() {
    for broken in [500, 0] {
        let (daemon, hook, _secrets) = with_hook("");
        hook.answers(broken);
        let mut feed = daemon.feed();
        protects(&daemon, &mut feed, "a");
        eventually("three attempts", || (*hook.asked.lock().expect("a count") >= 3).then_some(()));
        assert!(hook.taken.lock().expect("keys").is_empty());
        protects(&daemon, &mut feed, "b");
        assert!(daemon.get("/v1/status")["notifications_waiting"].as_u64().expect("a count") >= 2);
        hook.answers(200);
        eventually("everything told", || {
            (daemon.get("/v1/status")["notifications_waiting"] == 0).then_some(())
        });
        let keys = hook.taken.lock().expect("keys").clone();
        let once: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(once.len(), keys.len(), "nothing was told twice");
    }
}

#[test]
fn clients_that_send_half_a_line_or_rubbish_cost_the_others_nothing() {
    let (daemon, _hook, _secrets) = with_hook("");
    let mut others: Vec<_> = (0..20).map(|_| daemon.feed()).collect();
    for (number, other) in others.iter_mut().enumerate() {
        match number % 4 {
            0 => other.raw(b"{\"call\":\"x\",\"leg\":\"remo"),
            1 => other.raw(&[0xFF; 4096]),
            2 => other.raw(&vec![b'x'; 300_000]),
            _ => other.write(&json!({"event": "end", "call": "nobody"}).to_string()),
        }
    }
    let mut feed = daemon.feed();
    protects(&daemon, &mut feed, "a");
    others[2].write("");
    assert!(others[2].wait_for("error")["message"].as_str().expect("a message").contains("65536"));
    others.clear();
    protects(&daemon, &mut feed, "b");
    eventually("the counts of what was not understood", || {
        let counts = &daemon.get("/v1/status")["counts"];
        (counts["bad_lines"].as_u64().expect("a count") >= 15).then_some(())
    });
}

#[test]
fn a_folder_of_recordings_that_disappears_is_told_and_found_again() {
    let recordings = tempfile::tempdir().expect("a folder");
    let inside = recordings.path().join("calls");
    std::fs::create_dir(&inside).expect("made");
    let more = format!("[folder]\nline = \"home\"\npath = \"{}\"", inside.display());
    let (daemon, _hook, _secrets) = with_hook(&more);
    assert!(daemon.is_red().is_none());
    std::fs::remove_dir(&inside).expect("removed");
    assert!(eventually("a red status", || daemon.is_red()).contains("folder"));
    std::fs::create_dir(&inside).expect("made");
    green(&daemon);
    std::fs::write(inside.join("not-audio.wav"), "not audio").expect("written");
    assert!(eventually("a red status", || daemon.is_red()).contains("speech"));
    let mut feed = daemon.feed();
    protects(&daemon, &mut feed, "a");
}
