//! Asterisk itself: Debian's configuration with the sample of `dialplan/` over it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::phone::Party;
use super::place::{Place, project, until};

/// Where Asterisk takes calls.
pub const SIP: &str = "127.0.0.1:5060";
/// What stands for the music of whoever is held: a prompt that is played at no other time.
pub const MUSIC: &str = "line-clear";
/// The password instead of every `CHANGE-THIS-PASSWORD-…` of the sample.
pub const PASSWORD: &str = "swordfish";
/// As long as anything in Asterisk takes on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// A running Asterisk.
pub struct Pbx {
    root: PathBuf,
    /// Its files: `etc`, `log`, `db` and so on.
    pub folder: PathBuf,
    child: Child,
}

impl Pbx {
    /// Starts with the sample as it is, but for passwords and addresses.
    pub fn start(place: &Place) -> Self {
        Self::start_with(place, |_, _| ())
    }

    /// Starts with the sample changed: `edit` sees the name and the text of each file of it.
    pub fn start_with(place: &Place, edit: impl Fn(&str, &mut String)) -> Self {
        let folder = place.room("asterisk");
        configure(&place.root, &folder, edit);
        let child = launch(&place.root, &folder);
        let pbx = Self { root: place.root.clone(), folder, child };
        pbx.wait_until_ready();
        pbx
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("waited for");
    }

    /// Starts again after [`Pbx::kill`], with the same database.
    pub fn again(&mut self) {
        self.child = launch(&self.root, &self.folder);
        self.wait_until_ready();
    }

    fn wait_until_ready(&self) {
        for (command, answer) in [
            ("core waitfullybooted", "fully booted"),
            ("pjsip show endpoint elder", "elder"),
            ("pjsip show endpoint trunk", "trunk"),
        ] {
            let ready = || self.ask(command).filter(|said| said.contains(answer));
            assert!(until(SOON, ready).is_some(), "{command} fails:\n{}", self.log());
        }
    }

    fn ask(&self, command: &str) -> Option<String> {
        let asked = chrooted(&self.root, &self.folder).args(["-rx", command]).output();
        let asked = asked.expect("asterisk runs");
        let said = String::from_utf8_lossy(&asked.stdout).into_owned();
        asked.status.success().then_some(said)
    }

    /// A command of its console, and what it answers.
    pub fn cli(&self, command: &str) -> String {
        self.ask(command).unwrap_or_else(|| panic!("no answer to {command}:\n{}", self.log()))
    }

    /// The value in its database, such as `hold/home`.
    pub fn stored(&self, key: &str) -> Option<String> {
        let said = self.cli(&format!("database get {}", key.replacen('/', " ", 1)));
        said.lines().find_map(|line| line.strip_prefix("Value: ").map(str::to_owned))
    }

    /// Puts a value into its database.
    pub fn store(&self, key: &str, value: &str) {
        self.cli(&format!("database put {} {value}", key.replacen('/', " ", 1)));
    }

    /// Waits until what was stored would outlive a `kill -9`: Asterisk writes it a second late.
    pub fn keep(&self, key: &str, value: &str) {
        let file = self.folder.join("db/astdb.sqlite3");
        let wanted = format!("/{key}{value}");
        let written = until(SOON, || {
            let bytes = fs::read(&file).expect("readable");
            let found = bytes.windows(wanted.len()).any(|it| it == wanted.as_bytes());
            // While there is a journal, what is in the file would be taken back.
            (found && !self.folder.join("db/astdb.sqlite3-journal").exists()).then_some(())
        });
        assert!(written.is_some(), "{key} is not written");
    }

    /// Every channel, as `core show channels concise` tells it.
    pub fn channels(&self) -> Vec<String> {
        let said = self.cli("core show channels concise");
        said.lines().filter(|line| line.contains('!')).map(str::to_owned).collect()
    }

    /// Every bridge, as `bridge show all` tells it.
    pub fn bridges(&self) -> Vec<String> {
        let said = self.cli("bridge show all");
        let table = said.lines().skip_while(|line| !line.starts_with("Bridge-ID"));
        table.skip(1).filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
    }

    /// Waits until no channel and no bridge is left; a test that waits in vain fails.
    pub fn settle(&self) {
        let left = || [self.channels(), self.bridges()].concat();
        let settled = until(SOON, || left().is_empty().then_some(()));
        assert!(settled.is_some(), "left over: {:#?}", left());
    }

    /// How many files and sockets it has open.
    pub fn open_files(&self) -> usize {
        let files = fs::read_dir(format!("/proc/{}/fd", self.child.id()));
        files.expect("it runs").count()
    }

    /// Its log, with what each call did.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log/full")).unwrap_or_default()
    }
}

impl Drop for Pbx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `asterisk` with the configuration in `folder`.
fn chrooted(root: &Path, folder: &Path) -> Command {
    let mut command = Command::new("chroot");
    command.arg(root).args(["asterisk", "-C"]).arg(within_root(folder).join("asterisk.conf"));
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
    command
}

/// Where a folder of the root is: links are meant from within.
fn inside(root: &Path, folder: &Path) -> PathBuf {
    let outside = |path: &Path| root.join(path.strip_prefix("/").expect("absolute"));
    let mut folder = folder.to_owned();
    while let Ok(target) = fs::read_link(outside(&folder)) {
        folder = folder.parent().expect("not the root itself").join(target);
    }
    outside(&folder)
}

/// What a folder is called inside the root.
fn within_root(folder: &Path) -> PathBuf {
    Path::new("/mnt").join(folder.file_name().expect("a name"))
}

fn launch(root: &Path, folder: &Path) -> Child {
    let out = fs::File::create(folder.join("out")).expect("made");
    let errors = out.try_clone().expect("cloned");
    let mut command = chrooted(root, folder);
    command.arg("-f").stdout(out).stderr(errors).spawn().expect("asterisk starts")
}

fn configure(root: &Path, folder: &Path, edit: impl Fn(&str, &mut String)) {
    for part in ["etc", "db", "run", "log", "spool", "data/sounds/en/lineclear", "data/moh"] {
        fs::create_dir_all(folder.join(part)).expect("made");
    }
    // Its own data are found where they are; only our sounds come with them.
    for part in ["", "sounds", "sounds/en"] {
        let theirs = Path::new("/usr/share/asterisk").join(part);
        for name in names(&inside(root, &theirs)) {
            if !["sounds", "en"].contains(&name.as_str()) {
                symlink(theirs.join(&name), folder.join("data").join(part).join(&name))
                    .expect("linked");
            }
        }
    }
    copy(&project("config/prompts/8k"), &folder.join("data/sounds/en/lineclear"));
    let music = project("config/prompts/8k").join(MUSIC).with_extension("wav");
    fs::copy(music, folder.join("data/moh/music.wav")).expect("copied");
    copy(&root.join("etc/asterisk"), &folder.join("etc"));
    for name in names(&project("dialplan")).iter().filter(|name| name.ends_with(".conf")) {
        let text = fs::read_to_string(project("dialplan").join(name)).expect("readable");
        let mut text = ours(name, &text);
        edit(name, &mut text);
        fs::write(folder.join("etc").join(name), text).expect("written");
    }
    let logger =
        "[general]\ndateformat=%s.%3q\n[logfiles]\nfull => notice,warning,error,verbose(4)\n";
    fs::write(folder.join("etc/logger.conf"), logger).expect("written");
    let mut paths = "[directories]\n".to_owned();
    for (directory, part) in [
        ("astetcdir", "etc"),
        ("astdbdir", "db"),
        ("astkeydir", "db"),
        ("astrundir", "run"),
        ("astlogdir", "log"),
        ("astspooldir", "spool"),
        ("astdatadir", "data"),
    ] {
        let path = within_root(folder).join(part);
        paths.push_str(&format!("{directory} => {}\n", path.display()));
    }
    fs::write(folder.join("asterisk.conf"), paths).expect("written");
}

/// The sample with passwords, and with addresses of this network instead of a registration.
fn ours(name: &str, text: &str) -> String {
    let (trunk, elder) = (Party::Trunk.address(), Party::Elder.address());
    let mut text = text.to_owned();
    let mut change = |from: &str, to: &str| {
        assert!(text.contains(from), "dialplan/{name} has no longer: {from}");
        text = text.replace(from, to);
    };
    if name == "pjsip.conf" {
        change("match=sip.provider.example", &format!("match={}", trunk.ip()));
        change("sip:sip.provider.example", &format!("sip:{trunk}"));
        change("sip:02079460000@sip.provider.example", &format!("sip:02079460000@{trunk}"));
        // The telephone need not register first.
        change("remove_existing=yes\n", &format!("contact=sip:elder@{elder}\n"));
    }
    let mut parts = text.split("CHANGE-THIS-PASSWORD-");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |done, rest| {
        done + PASSWORD + rest.trim_start_matches(|sign: char| sign.is_ascii_digit())
    })
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    entries.map(|it| it.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

/// Copies the files of a folder, without the folders in it.
fn copy(from: &Path, to: &Path) {
    for name in names(from) {
        if from.join(&name).is_file() {
            fs::copy(from.join(&name), to.join(&name)).expect("copied");
        }
    }
}
