//! Lineclear beside Asterisk, as on a home gateway.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use super::pbx::PASSWORD;
use super::place::until;
use crate::common::daemon::Daemon;

/// Where Asterisk brings the sound to.
pub const SOUND: u16 = 9092;
/// Where the sample of the dialplan asks.
const GATE: u16 = 7450;

/// Starts with the shipped rules on one line, "home", of the telephone `PJSIP/elder`. `more` goes
/// to the line, such as `warn.mode = "protect"`.
pub fn start(more: &str) -> Daemon {
    start_with("", more)
}

/// As [`start`], with `exchange` for the whole of Asterisk, such as `tap = "mixed"`.
pub fn start_with(exchange: &str, more: &str) -> Daemon {
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["ari.secret", "ami.secret"] {
        fs::write(folder.path().join(file), PASSWORD).expect("written");
    }
    let config = format!(
        "[api]\nlisten = \"127.0.0.1:{GATE}\"\n[store]\ndirectory = \"state\"\n\
         [pbx.asterisk]\nurl = \"http://127.0.0.1:8088\"\naudio = \"127.0.0.1:{SOUND}\"\n\
         secret-file = \"ari.secret\"\nami-secret-file = \"ami.secret\"\n{exchange}\n\
         [[pbx.asterisk.lines]]\nline = \"home\"\ntelephones = [\"PJSIP/elder\"]\n\
         [[lines]]\nid = \"home\"\nname = \"Mum\"\n{more}\n\
         consent = {{ by = \"Jean Hill\", on = \"2026-11-22\" }}\n"
    );
    fs::write(folder.path().join("config.toml"), config).expect("written");
    let daemon = Daemon::with_shipped_rules(Arc::new(folder), GATE);
    wait_until_it_follows(&daemon);
    daemon
}

/// Waits until it follows Asterisk and keeps the hold there.
pub fn wait_until_it_follows(daemon: &Daemon) {
    let follows = || daemon.is_red().is_none().then_some(());
    let log = || daemon.log.lock().expect("a log").clone();
    let ready = until(Duration::from_secs(30), follows);
    assert!(ready.is_some(), "{:?}\n{}", daemon.is_red(), log());
    let attached = || log().contains("follows Asterisk").then_some(());
    assert!(until(Duration::from_secs(30), attached).is_some(), "{}", log());
}

/// How many files and sockets it has open.
pub fn open_files(daemon: &Daemon) -> usize {
    fs::read_dir(format!("/proc/{}/fd", daemon.pid())).expect("it runs").count()
}

/// Whether `lineclear pbx check` finds all that is needed, and what it says.
pub fn check(daemon: &Daemon) -> (bool, String) {
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_lineclear"))
        .args(["--config", "config.toml", "pbx", "check"])
        .current_dir(daemon.folder.path())
        .output()
        .expect("it runs");
    (ran.status.success(), String::from_utf8_lossy(&ran.stdout).into_owned())
}
