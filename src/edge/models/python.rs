//! Running Python: to download with `pip`, and to convert.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// How long a running child may be silent before its watcher is called.
const POLL: Duration = Duration::from_millis(100);
/// How many of a child's last lines are kept.
const KEPT_LINES: usize = 200;
/// How many of its last lines an error repeats.
const TAIL_LINES: usize = 3;
/// pip 25.1 is the first that can go on with a broken-off download.
const PIP_RESUMES_FROM: Version = Version(25, 1);

/// A version, cut down to two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(pub u32, pub u32);

impl Version {
    /// Reads `3.11`, `25.1.dev0` or `3.11.7`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(str::parse);
        let major = numbers.next()?.ok()?;
        Some(Self(major, numbers.next().and_then(Result::ok).unwrap_or(0)))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// A Python interpreter, and where its children work.
pub(super) struct Python {
    program: PathBuf,
    work: PathBuf,
}

/// The versions of an interpreter's pip and of itself; none if pip named none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Versions {
    /// pip's.
    pub pip: Option<Version>,
    /// Python's.
    pub python: Option<Version>,
}

impl Versions {
    /// Whether pip knows `--resume-retries`.
    pub fn pip_resumes(self) -> bool {
        self.pip.is_some_and(|pip| pip >= PIP_RESUMES_FROM)
    }

    /// Reads `pip 23.2.1 from /usr/lib/… (python 3.11)`.
    fn parse(line: &str) -> Self {
        let pip = line.strip_prefix("pip ").and_then(|rest| rest.split(' ').next());
        let python = line.trim_end().rsplit_once("(python ");
        let python = python.map(|(_, rest)| rest.trim_end_matches(')'));
        Self { pip: pip.and_then(Version::parse), python: python.and_then(Version::parse) }
    }
}

impl Python {
    /// An interpreter whose children run in `work` and keep their temporary files in `work/tmp`.
    /// Both directories must exist. Running in a directory of our own also keeps Python from
    /// loading a module that lies about where the user happens to be.
    pub fn new(program: &Path, work: &Path) -> Self {
        Self { program: program.to_owned(), work: work.to_owned() }
    }

    /// Asks for pip's version.
    ///
    /// # Errors
    /// What went wrong, in words, if there is no such interpreter or it has no pip.
    pub fn versions(&self) -> Result<Versions, String> {
        let said = self.run(&["-m", "pip", "--version"], &mut |_| {})?;
        let line = said.iter().find(|line| line.starts_with("pip "));
        Ok(line.map(|line| Versions::parse(line)).unwrap_or_default())
    }

    /// Runs the interpreter to its end and returns the last lines that it wrote. Meanwhile `watch`
    /// is called with every line, and with none whenever there was no line for 100 ms.
    ///
    /// # Errors
    /// The lines that tell why it failed, or why it could not be started.
    pub fn run<S: AsRef<OsStr>>(
        &self,
        args: &[S],
        watch: &mut dyn FnMut(Option<&str>),
    ) -> Result<Vec<String>, String> {
        let (mut child, lines) = self.spawn(args).map_err(|error| error.to_string())?;
        let mut said = VecDeque::new();
        loop {
            match lines.recv_timeout(POLL) {
                Ok(line) => {
                    watch(Some(&line));
                    said.push_back(line);
                    if said.len() > KEPT_LINES {
                        said.pop_front();
                    }
                }
                Err(RecvTimeoutError::Timeout) => watch(None),
                // The child has closed its output, which it does when it ends.
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = child.wait().map_err(|error| error.to_string())?;
        let said = Vec::from(said);
        match tail(&said) {
            _ if status.success() => Ok(said),
            silent if silent.is_empty() => Err(status.to_string()),
            telling => Err(telling),
        }
    }

    /// Starts the interpreter. What it writes comes by a pipe, since a file of it would stay empty
    /// on the very disk that is full.
    fn spawn<S: AsRef<OsStr>>(&self, args: &[S]) -> io::Result<(Child, Receiver<String>)> {
        let (output, input) = io::pipe()?;
        let child = Command::new(&self.program)
            .args(args)
            .envs(self.settings())
            .current_dir(&self.work)
            .stdin(Stdio::null())
            .stdout(input.try_clone()?)
            .stderr(input)
            .spawn()?;
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let lines = BufReader::new(output).split(b'\n').map_while(Result::ok);
            for line in lines {
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok((child, lines))
    }

    /// The user's settings for pip stay, apart from those that fit only a package to be installed.
    fn settings(&self) -> Vec<(&'static str, OsString)> {
        vec![
            ("TMPDIR", self.work.join("tmp").into_os_string()),
            ("PIP_DISABLE_PIP_VERSION_CHECK", "1".into()),
            ("PIP_NO_INPUT", "1".into()),
            ("PIP_REQUIRE_VIRTUALENV", "0".into()),
            ("PIP_USER", "0".into()),
        ]
    }
}

/// The last lines that tell something, as one line.
fn tail(said: &[String]) -> String {
    let lines = said.iter().map(|line| line.trim());
    let telling: Vec<_> = lines.filter(|line| tells_something(line)).collect();
    let first = telling.len().saturating_sub(TAIL_LINES);
    telling.get(first..).unwrap_or_default().join("; ")
}

fn tells_something(line: &str) -> bool {
    let idle = ["WARNING", "DEPRECATION", "[notice]"];
    // pip's errors do not say why the network failed; its warnings before each new attempt do.
    let is_cause = line.starts_with("WARNING: Retrying");
    !line.is_empty() && (is_cause || !idle.iter().any(|word| line.starts_with(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_pip_says() {
        let versions = Versions::parse("pip 25.1.dev0 from /usr/lib/pip (python 3.13)\n");
        assert_eq!(versions.pip, Some(Version(25, 1)));
        assert_eq!(versions.python, Some(Version(3, 13)));
        assert!(versions.pip_resumes());
        let older = Versions::parse("pip 23.2.1 from /x (y)/pip (python 3.9)");
        assert_eq!(older.python, Some(Version(3, 9)));
        assert!(!older.pip_resumes());
        assert!(Version(3, 9) < Version(3, 11));
        assert_eq!(Versions::parse("hello"), Versions::default());
    }

    #[test]
    fn the_tail_leaves_out_what_is_no_cause() {
        let said = "Looking\n\nWARNING: Retrying after\nERROR: one\nERROR: two\nWARNING: new pip";
        let said: Vec<_> = said.lines().map(str::to_owned).collect();
        assert_eq!(tail(&said), "WARNING: Retrying after; ERROR: one; ERROR: two");
        assert_eq!(tail(&[]), "");
    }
}
