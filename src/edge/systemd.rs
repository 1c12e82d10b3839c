//! What systemd is told: ready, how it goes, still alive. Without systemd nobody is told anything.

use std::time::Duration;

use sd_notify::NotifyState;

/// The program serves.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The configuration is read again; [`ready`] follows.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// The program ends.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// One line for `systemctl status`.
pub fn status(text: &str) {
    tell(&[NotifyState::Status(text)]);
}

/// Still alive.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// How often [`alive`] must be said, if systemd watches.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

fn tell(state: &[NotifyState<'_>]) {
    // Not being run by systemd is no failure; being unheard by it is, and it restarts us.
    let _ = sd_notify::notify(state);
}
