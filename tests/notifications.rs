//! The programs in `docs/notifications.md` do what it says, with what Lineclear really sends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use lineclear::alert::outbox::{Attempt, Outcome};
use lineclear::alert::record::{Address, Delivery, NotificationRecord};
use lineclear::call::LineId;
use lineclear::config::Config;
use lineclear::edge::clock;
use lineclear::edge::notify::{Channels, kinds};
use lineclear::time::Wall;
use lineclear::wire::notice::Notice;

const SECRET: &str = "a secret of the documentation";

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/notifications.md");
    fs::read_to_string(path).expect("docs/notifications.md")
}

/// The blocks of a language (```` ```json ````).
fn blocks(language: &str) -> Vec<String> {
    let (text, open) = (document(), format!("\n```{language}\n"));
    let blocks = text.split(&open).skip(1);
    blocks.map(|rest| rest.split("\n```").next().expect("a block").to_owned()).collect()
}

fn notices() -> Vec<Notice> {
    let lines = blocks("json").concat();
    lines.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn attempt(notice: Notice) -> Attempt {
    let notification = NotificationRecord {
        to: Address { person: "anna".to_owned(), channel: 0 },
        notice,
        line: LineId::new("home"),
        posted: Wall(0),
        attempts: 1,
        state: Delivery::Pending(None),
    };
    Attempt { notification, number: 1 }
}

/// The only channel of a person, of these lines of TOML.
fn channels(settings: &str) -> Channels {
    let head = "[[people]]\nid = \"anna\"\nname = \"Anna\"\n[[people.channels]]\n";
    let config = Config::parse(&format!("{head}{settings}")).expect("a configuration");
    let (channels, errors) = Channels::open(&config.people);
    assert!(errors.is_empty(), "{errors:?}");
    channels
}

/// Ends when the test does.
struct Receiver {
    python: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Receiver {
    /// The documented receiver, with this secret.
    fn start(secret: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let folder = tempfile::tempdir().expect("a folder");
        let (script, file) = (folder.path().join("receiver.py"), folder.path().join("secret"));
        fs::write(&script, &blocks("python")[0]).expect("written");
        fs::write(&file, format!("{secret}\n")).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("permissions");
        let mut python = Command::new("python3");
        python.arg(&script).arg(port.to_string()).arg(&file).stderr(Stdio::null());
        let python = python.stdout(Stdio::piped()).spawn().expect("python3");
        let receiver = Self { python, port, folder };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            clock::wait_until(clock::now() + std::time::Duration::from_millis(20));
        }
        receiver
    }

    /// A channel to it, with the secret in `file`.
    fn channel(&self, file: &Path) -> Channels {
        let url = format!("http://127.0.0.1:{}/", self.port);
        channels(&format!("kind = \"webhook\"\nurl = \"{url}\"\nsecret-file = {file:?}"))
    }

    fn secret(&self) -> PathBuf {
        self.folder.path().join("secret")
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.python.kill();
        let _ = self.python.wait();
    }
}

/// The time of day, as the receiver's Python has it.
fn now() -> Wall {
    let script = "import time; print(int(time.time() * 1000))";
    let told = Command::new("python3").args(["-c", script]).output().expect("python3");
    Wall(String::from_utf8_lossy(&told.stdout).trim().parse().expect("a number"))
}

#[test]
fn the_documented_receiver_shows_what_is_genuine_once() {
    let mut receiver = Receiver::start(SECRET);
    let channel = receiver.channel(&receiver.secret());
    let [first, second, ..] = &notices()[..] else { panic!("two examples") };
    for notice in [first, first, second] {
        assert_eq!(channel.deliver(&attempt(notice.clone()), now()), Outcome::Delivered);
    }
    let old = Wall(now().0 - 302_000);
    let outcome = channel.deliver(&attempt(first.clone()), old);
    assert!(matches!(&outcome, Outcome::Later(problem) if problem.contains("425")), "{outcome:?}");

    let other = Receiver::start("a secret of somebody else");
    let outcome = receiver.channel(&other.secret()).deliver(&attempt(first.clone()), now());
    assert!(matches!(&outcome, Outcome::Never(problem) if problem.contains("401")), "{outcome:?}");

    let _ = receiver.python.kill();
    let shown = BufReader::new(receiver.python.stdout.take().expect("its output")).lines();
    let shown: Vec<_> = shown.map(|line| line.expect("a line")).collect();
    let expected = [
        "2026-11-22T10:04:31Z Jean's telephone level",
        "2026-11-22T10:05:02Z Jean's telephone called-off",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn the_documented_command_mails_the_notice() {
    let folder = tempfile::tempdir().expect("a folder");
    let (script, mail) = (folder.path().join("mail.py"), folder.path().join("mail"));
    let python = blocks("python")[1].replace("\"-t\"", &format!("{mail:?}"));
    let notice = notices().remove(0);
    let deliver = |sendmail: &str| {
        fs::write(&script, python.replace("/usr/sbin/sendmail", sendmail)).expect("written");
        let run = format!("[\"/usr/bin/env\", \"python3\", {script:?}, \"anna@example.org\"]");
        let channel = channels(&format!("kind = \"command\"\nrun = {run}"));
        channel.deliver(&attempt(notice.clone()), Wall(0))
    };
    assert_eq!(deliver("tee"), Outcome::Delivered);
    let mail = fs::read_to_string(&mail).expect("a mail");
    let key = format!("Message-ID: <{}@lineclear.invalid>", notice.key);
    let unfolded = mail.replace("\n ", " ");
    for line in [
        "To: anna@example.org",
        "Subject: Jean's telephone: this call may be a scam",
        key.as_str(),
        "danger",
        "Courier fraud",
    ] {
        assert!(unfolded.lines().any(|it| it == line), "{line}: {mail}");
    }
    assert!(matches!(deliver("false"), Outcome::Later(_)));
}

#[test]
fn the_documentation_has_every_kind_and_key_and_no_wrong_example() {
    let document = document();
    for kind in kinds() {
        assert!(document.contains(&format!("\n## {kind}\n")), "no section on {kind}");
    }
    let lines = blocks("json").concat();
    for (notice, line) in notices().iter().zip(lines.lines()) {
        assert_eq!(serde_json::to_string(notice).expect("JSON"), line);
    }
    for kind in ["level", "called-off", "line-held", "line-clear"] {
        assert!(notices().iter().any(|notice| notice.kind.name() == kind), "{kind}");
    }
    let schema = serde_json::to_value(schemars::schema_for!(Notice)).expect("JSON");
    for key in schema["properties"].as_object().expect("properties").keys() {
        assert!(document.contains(&format!("| `{key}` |")), "no row for {key}");
    }
    let config = Config::parse(&blocks("toml").concat()).expect("a configuration");
    for channel in &config.people[0].channels {
        assert!(kinds().any(|kind| kind == channel.kind), "{}", channel.kind);
    }
    let anna = Config::parse("[[people]]\nid = \"a\"\nname = \"A\"").expect("a configuration");
    assert_eq!((&config.people[0].tell, &config.people[0].share), {
        let defaults = &anna.people[0];
        (&defaults.tell, &defaults.share)
    });
}
