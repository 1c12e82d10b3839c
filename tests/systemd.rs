//! The unit: what it may do, and what systemd says of that.

use std::path::Path;
use std::process::Command;

/// The most that may be exposed, of 10.
const MOST: f64 = 1.5;

fn unit() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/lineclear.service")
}

#[test]
fn the_unit_is_watched_restarted_and_its_own() {
    let text = std::fs::read_to_string(unit()).expect("the unit");
    for line in [
        "Type=notify",
        "WatchdogSec=15s",
        "Restart=always",
        "User=lineclear",
        "StateDirectory=lineclear",
        "NoNewPrivileges=yes",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}");
    }
}

#[test]
fn little_is_exposed() {
    let asked = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager"])
        .arg(unit())
        .output();
    let Ok(asked) = asked else {
        println!("skipped: systemd-analyze is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&asked.stdout);
    let level = said.lines().find_map(|line| line.split("lineclear.service: ").nth(1));
    let level = level.and_then(|level| level.split(' ').next()?.parse::<f64>().ok());
    let level = level.unwrap_or_else(|| panic!("no level: {said}"));
    assert!(level <= MOST, "exposed: {level}");
}
