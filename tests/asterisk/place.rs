//! Where a test with a real exchange runs: in a network, a file system view and a table of
//! processes of its own, so that nothing of it is left behind, whatever happens.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use lineclear::edge::clock;

/// Set for the process inside: the folder that it works in.
const INSIDE: &str = "LINECLEAR_TEST_PLACE";
/// What is run besides Asterisk, and the package that it comes with.
const TOOLS: [(&str, &str); 7] = [
    ("sipp", "sip-tester"),
    ("tcpdump", "tcpdump"),
    ("ip", "iproute2"),
    ("unshare", "util-linux"),
    ("setpriv", "util-linux"),
    ("mount", "mount"),
    ("chroot", "coreutils"),
];
/// Longer than any test takes.
const LIMIT: Duration = Duration::from_secs(900);

/// A place of its own, with Asterisk's files at hand, read-only.
pub struct Place {
    /// Asterisk's root; its `mnt` is [`Place::folder`].
    pub root: PathBuf,
    /// The folder to write in.
    pub folder: PathBuf,
}

impl Place {
    /// Runs the test again inside, and waits for its end: the first line of such a test is
    /// `let Some(place) = Place::enter("the_name_of_the_test") else { return };`.
    /// Says so where it cannot.
    pub fn enter(test: &str) -> Option<Self> {
        let root = root();
        if let Some(folder) = std::env::var_os(INSIDE) {
            let place = Self { root, folder: folder.into() };
            place.furnish();
            return Some(place);
        }
        match obstacle(&root) {
            // Not `println!`, which is shown for tests that fail only.
            Some(why) => writeln!(std::io::stderr(), "skipped: {test}: {why}").expect("said"),
            None => run_inside(test),
        }
        None
    }

    /// Shows the folder, devices and processes in Asterisk's root, in this process' view alone.
    fn furnish(&self) {
        let root = self.root.to_str().expect("a path in UTF-8");
        let folder = self.folder.to_str().expect("a path in UTF-8");
        run("ip", &["link", "set", "lo", "up"]);
        run("mount", &["--bind", root, root]);
        run("mount", &["-o", "remount,bind,ro", root]);
        run("mount", &["--bind", folder, &format!("{root}/mnt")]);
        run("mount", &["--rbind", "/dev", &format!("{root}/dev")]);
        run("mount", &["-t", "proc", "proc", &format!("{root}/proc")]);
    }

    /// A new folder inside the folder.
    pub fn room(&self, name: &str) -> PathBuf {
        let room = (0..)
            .map(|number| self.folder.join(format!("{name}-{number}")))
            .find(|room| !room.exists())
            .expect("a free name");
        std::fs::create_dir(&room).expect("made");
        room
    }
}

/// Where `tests/asterisk/install` puts Asterisk.
fn root() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    set("LINECLEAR_ASTERISK_ROOT")
        .unwrap_or_else(|| cache().unwrap_or_default().join("lineclear/asterisk-root"))
}

/// Why the test cannot be run here.
fn obstacle(root: &Path) -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("it needs root, for a network of its own".into());
    }
    for (tool, package) in TOOLS {
        if Command::new(tool).arg("--version").stdout(Stdio::null()).output().is_err() {
            return Some(format!("{tool} is not installed (package {package})"));
        }
    }
    if !root.join("usr/sbin/asterisk").exists() {
        let root = root.display();
        return Some(format!("no Asterisk in {root}: run tests/asterisk/install first"));
    }
    let mut tried = unshare();
    let shown = root.display();
    tried.args(["sh", "-ec", &format!("ip link set lo up; mount --bind '{shown}' '{shown}'")]);
    let tried = tried.output().expect("unshare runs");
    let said = String::from_utf8_lossy(&tried.stderr).trim().to_owned();
    (!tried.status.success()).then(|| format!("no network of its own to be had: {said}"))
}

/// Begins a command that runs in namespaces of its own, which end with this process.
fn unshare() -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--fork"]);
    command.args(["--kill-child", "--mount-proc"]);
    command
}

/// What it prints is shown if it fails; what it writes to stderr is shown as it comes.
fn run_inside(test: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let stdout = folder.path().join("stdout");
    let mut child = unshare()
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(INSIDE, folder.path())
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&stdout).expect("made"))
        .spawn()
        .expect("it starts");
    let end = clock::now() + LIMIT;
    let status = loop {
        if let Some(status) = child.try_wait().expect("waited for") {
            break Some(status);
        }
        if clock::now() > end {
            child.kill().expect("killed");
            child.wait().expect("waited for");
            break None;
        }
        clock::wait_until(clock::now() + Duration::from_millis(20));
    };
    let said = std::fs::read_to_string(stdout).expect("readable");
    print!("{said}");
    assert!(status.is_some(), "{test} took longer than {LIMIT:?}");
    assert!(status.is_some_and(|status| status.success()), "{test} failed");
    assert!(said.contains("1 passed"), "there is no test {test}");
}

fn run(program: &str, arguments: &[&str]) {
    let ran = Command::new(program).args(arguments).output().expect("it runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{program} {arguments:?}: {said}");
}

/// Waits for something that another process does.
pub fn until<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = clock::now() + limit;
    loop {
        let found = look();
        if found.is_some() || clock::now() > end {
            return found;
        }
        clock::wait_until(clock::now() + Duration::from_millis(5));
    }
}

/// Seconds since 1970, as in a [`Capture`](super::capture::Capture).
pub fn wall() -> f64 {
    clock::wall().0 as f64 / 1000.0
}

/// A file of the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
