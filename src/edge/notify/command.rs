//! A notification on the standard input of a program.

use std::io::{self, ErrorKind, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;

use super::channel::{Channel, NotifyError, Opened, body, settings, timeout};
use crate::alert::outbox::{Attempt, Outcome};
use crate::edge::clock;
use crate::time::Wall;

/// What of the daemon's environment the program has, if it is set.
const KEPT: [&str; 2] = ["PATH", "LANG"];
/// The variable that holds the notification's key.
const KEY: &str = "LINECLEAR_KEY";
/// How often is looked whether the program has ended.
const STEP: Duration = Duration::from_millis(10);
/// `EX_TEMPFAIL` of sysexits.h; its other statuses, 64 to 78, say that something is wrong for good.
const TRY_AGAIN: i32 = 75;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    run: Vec<String>,
    timeout: Option<u64>,
}

struct Program {
    path: String,
    /// They may hold a secret: no message shows them.
    arguments: Vec<String>,
    timeout: Duration,
}

/// A channel with these settings.
pub(super) fn open(at: &str, table: &toml::Table) -> Opened {
    let settings: Settings = settings(at, table)?;
    let timeout = timeout(at, settings.timeout)?;
    let mut words = settings.run.into_iter();
    let path = words.next().filter(|path| Path::new(path).is_absolute());
    let path = path.ok_or_else(|| {
        let remedy = "begin with the whole path of a program: [\"/usr/local/bin/tell\", \"anna\"]";
        NotifyError::Value { at: at.to_owned(), key: "run", remedy: remedy.to_owned() }
    })?;
    Ok(Box::new(Program { path, arguments: words.collect(), timeout }))
}

impl Channel for Program {
    fn deliver(&self, attempt: &Attempt, _: Wall) -> Outcome {
        let mut line = match body(attempt) {
            Ok(body) => body,
            Err(outcome) => return outcome,
        };
        line.push(b'\n');
        let mut child = match self.start(&attempt.notification.notice.key) {
            Ok(child) => child,
            Err(problem) => {
                let remedy = "check the path, and that it may be run";
                return Outcome::Later(format!("{}: {problem}: {remedy}", self.path));
            }
        };
        let input = Input { pipe: child.stdin.take(), line, written: 0 };
        match self.wait(&mut child, input) {
            Ok(Some(status)) => self.ended(status),
            Ok(None) => {
                end(child);
                let seconds = self.timeout.as_secs();
                Outcome::Later(format!("{}: not done after {seconds} s: ended", self.path))
            }
            Err(problem) => {
                end(child);
                Outcome::Later(format!("{}: {problem}: ended", self.path))
            }
        }
    }
}

impl Program {
    fn start(&self, key: &str) -> io::Result<Child> {
        let kept = KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        let mut command = Command::new(&self.path);
        command.args(&self.arguments).current_dir("/").env_clear().envs(kept).env(KEY, key);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // A group of its own, so that what it starts ends with it.
        command.process_group(0).spawn()
    }

    /// How it ended; nothing if it has not in time.
    fn wait(&self, child: &mut Child, mut input: Input) -> io::Result<Option<ExitStatus>> {
        let deadline = clock::now() + self.timeout;
        input.unblock()?;
        loop {
            input.feed();
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            if clock::now() >= deadline {
                return Ok(None);
            }
            clock::wait_until(clock::now() + STEP);
        }
    }

    fn ended(&self, status: ExitStatus) -> Outcome {
        let problem = |what: &str| format!("{}: {what}", self.path);
        match (status.code(), status.signal()) {
            (Some(0), _) => Outcome::Delivered,
            (Some(TRY_AGAIN), _) => Outcome::Later(problem("it asks to be run again later")),
            (Some(code @ 64..=78), _) => Outcome::Never(problem(&format!(
                "exit status {code}, by which it says that running it again is of no use"
            ))),
            (Some(code), _) => {
                Outcome::Later(problem(&format!("exit status {code}: run it by hand to see why")))
            }
            (None, signal) => {
                let signal = signal.unwrap_or_default();
                Outcome::Later(problem(&format!("signal {signal}: run it by hand to see why")))
            }
        }
    }
}

/// The line on its way to the program. Writing never blocks: a program need not read.
struct Input {
    /// None once all is written, or nobody reads any more.
    pipe: Option<ChildStdin>,
    line: Vec<u8>,
    written: usize,
}

impl Input {
    fn unblock(&self) -> io::Result<()> {
        self.pipe.iter().try_for_each(|pipe| Ok(ioctl_fionbio(pipe, true)?))
    }

    /// Writes as much as there is room for, and ends the input after the last byte.
    fn feed(&mut self) {
        while let Some(pipe) = &mut self.pipe {
            match pipe.write(&self.line[self.written..]) {
                Ok(length) if length > 0 => self.written += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => self.pipe = None,
            }
            if self.written == self.line.len() {
                self.pipe = None;
            }
        }
    }
}

/// Ends a program and what it has started. It has not been waited for yet, so that its id is
/// still its own.
fn end(mut child: Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It fails only if all of them have just ended.
        let _ = kill_process_group(group, Signal::KILL);
    }
    // One that is stuck in the kernel dies late; nobody waits for it but a thread.
    let wait = move || drop(child.wait());
    drop(std::thread::Builder::new().name("reap".to_owned()).spawn(wait));
}

#[cfg(test)]
mod tests;
