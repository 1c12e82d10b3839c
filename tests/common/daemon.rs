//! A running `lineclear run`: started on a folder of its own, fed, asked, killed.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lineclear::edge::clock;
use serde_json::{Value, json};

/// Three words, each of a later stage: caution, warning, danger.
pub const RULES: &str = r#"
[pack]
id = "courier"
title = "Toy courier"
version = "1"
[stages.hook]
cap = 20.0
floor = 0.5
[stages.extraction]
cap = 20.0
floor = 0.9
[stages.collection]
cap = 20.0
floor = 0.9
[[rule]]
id = "courier.hook.parrot"
title = "Parrot"
stage = "hook"
weight = 17.0
phrases = ["parrot"]
must-match = ["the parrot"]
must-not-match = ["hello"]
[[rule]]
id = "courier.extraction.purple"
title = "Purple"
stage = "extraction"
weight = 11.0
phrases = ["purple"]
must-match = ["purple money"]
must-not-match = ["hello"]
[[rule]]
id = "courier.collection.mauve"
title = "Mauve"
stage = "collection"
weight = 14.0
phrases = ["mauve"]
must-match = ["a mauve taxi"]
must-not-match = ["hello"]
"#;

/// Waits for something that another process does; a test that waits in vain fails.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..2000 {
        if let Some(found) = look() {
            return found;
        }
        clock::wait_until(clock::now() + Duration::from_millis(10));
    }
    panic!("waited in vain: {what}");
}

/// A daemon and its folder.
pub struct Daemon {
    pub folder: Arc<tempfile::TempDir>,
    pub port: u16,
    child: Child,
    pub log: Arc<Mutex<String>>,
}

/// One line "home" with consent, a person "anna", and whatever else `more` configures.
pub fn config(port: u16, webhook: &str, more: &str) -> String {
    format!(
        "people = [{{ id = \"anna\", name = \"Anna\", channels = [{webhook}] }}]\n\
         [api]\nlisten = \"127.0.0.1:{port}\"\n[feed]\nsocket = \"feed.sock\"\n\
         [store]\ndirectory = \"state\"\n{more}\n\
         [[lines]]\nid = \"home\"\nname = \"Mum\"\npeople = [\"anna\"]\n\
         consent = {{ by = \"Jean Hill\", on = \"2026-11-22\" }}\n\
         [[lines]]\nid = \"other\"\nname = \"Dad\"\npeople = [\"anna\"]\n\
         consent = {{ by = \"John Hill\", on = \"2026-11-22\" }}\n"
    )
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

impl Daemon {
    /// Starts on a new folder, with the toy rules.
    pub fn start(webhook: &str, more: &str) -> Self {
        Self::on_rules(RULES, webhook, more)
    }

    /// Starts on a new folder, with other rules, and tells nobody.
    pub fn with_rules(rules: &str) -> Self {
        Self::on_rules(rules, "", "")
    }

    fn on_rules(rules: &str, webhook: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("rules")).expect("made");
        fs::write(folder.path().join("rules/toy.toml"), rules).expect("written");
        let port = free_port();
        fs::write(folder.path().join("config.toml"), config(port, webhook, more)).expect("written");
        Self::again(Arc::new(folder), port)
    }

    /// Starts on a folder that another had.
    pub fn again(folder: Arc<tempfile::TempDir>, port: u16) -> Self {
        Self::run(folder, port, &["--config", "config.toml", "--rules", "rules", "run"])
    }

    /// Starts on a folder with a configuration, which listens on this port.
    pub fn with_shipped_rules(folder: Arc<tempfile::TempDir>, port: u16) -> Self {
        Self::run(folder, port, &["--config", "config.toml", "run"])
    }

    fn run(folder: Arc<tempfile::TempDir>, port: u16, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lineclear"))
            .args(arguments)
            .current_dir(folder.path())
            .env("LINECLEAR_LOG", "debug")
            .env_remove("STATE_DIRECTORY")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let log = Arc::new(Mutex::new(String::new()));
        let mut errors = BufReader::new(child.stderr.take().expect("a pipe"));
        let shared = Arc::clone(&log);
        std::thread::spawn(move || {
            let mut line = String::new();
            while errors.read_line(&mut line).is_ok_and(|read| read > 0) {
                shared.lock().expect("a log").push_str(&line);
                line.clear();
            }
        });
        let daemon = Self { folder, port, child, log };
        let shown = Arc::clone(&daemon.log);
        for _ in 0..3000 {
            // It listens before it opens the database, and answers after that.
            if answers(port).unwrap_or(false) {
                return daemon;
            }
            clock::wait_until(clock::now() + Duration::from_millis(5));
        }
        panic!("it does not listen: {}", shown.lock().expect("a log"));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn store(&self) -> PathBuf {
        self.path("state/lineclear.db")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(mut self) -> (Arc<tempfile::TempDir>, u16) {
        self.child.kill().expect("killed");
        self.child.wait().expect("waited for");
        (Arc::clone(&self.folder), self.port)
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().expect("kill").success());
    }

    /// Waits for its end.
    pub fn ended(mut self) -> std::process::ExitStatus {
        eventually("its end", || self.child.try_wait().expect("waited for"))
    }

    pub fn request(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        request(self.port, method, path, "", body)
    }

    pub fn get(&self, path: &str) -> Value {
        let (status, body) = self.request("GET", path, "");
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub fn gate(&self, line: &str, direction: &str, number: &str) -> Value {
        self.get(&format!("/v1/lines/{line}/gate?direction={direction}&number={number}"))
    }

    pub fn feed(&self) -> Feed {
        Feed::connect(&self.path("feed.sock"))
    }

    pub fn is_red(&self) -> Option<String> {
        let status = self.get("/v1/status");
        (status["health"] == "red").then(|| status["problems"].to_string())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether it is a web server that listens there.
fn answers(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer.starts_with(b"HTTP/1.1"))
}

/// One request over a connection of its own.
pub fn request(port: u16, method: &str, path: &str, head: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n{head}\
         content-length: {length}\r\n\r\n{body}"
    )
    .expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or(Value::String(body.to_owned())))
}

/// A source of calls on the Unix socket.
pub struct Feed {
    stream: UnixStream,
    told: Receiver<Value>,
}

impl Feed {
    fn connect(path: &Path) -> Self {
        let stream = eventually("the socket", || UnixStream::connect(path).ok());
        let (sender, told) = channel();
        let lines = BufReader::new(stream.try_clone().expect("cloned"));
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).expect("JSON"));
            }
        });
        Self { stream, told }
    }

    /// Writes a line; one that was killed hears nothing.
    pub fn write(&mut self, line: &str) {
        let _ = self.stream.write_all(format!("{line}\n").as_bytes());
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    pub fn start(&mut self, call: &str, line: &str, number: &str) {
        let start = json!({"event": "start", "call": call, "line": line, "number": number});
        self.write(&start.to_string());
    }

    pub fn say(&mut self, call: &str, at: u64, text: &str) {
        let line = json!({
            "call": call, "leg": "remote", "start_ms": at, "end_ms": at + 900, "text": text
        });
        self.write(&line.to_string());
    }

    pub fn end(&mut self, call: &str) {
        self.write(&json!({"event": "end", "call": call}).to_string());
    }

    /// Waits for an event of this kind; what comes before it is passed over.
    pub fn wait_for(&self, event: &str) -> Value {
        loop {
            let next = self.told.recv_timeout(Duration::from_secs(20));
            let next = next.unwrap_or_else(|_| panic!("no {event} came"));
            if next["event"] == event {
                return next;
            }
        }
    }
}

/// The thread that listens has the socket too: it would stay open.
impl Drop for Feed {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}

/// A web server that takes notifications, answers as it is told, and remembers what it took.
#[derive(Clone, Default)]
pub struct Hook {
    pub port: u16,
    /// Keys of what was answered with 200, in order, repeats included.
    pub taken: Arc<Mutex<Vec<String>>>,
    pub bodies: Arc<Mutex<Vec<Value>>>,
    /// What is answered: a status; 0 hangs.
    pub answer: Arc<Mutex<u16>>,
    pub asked: Arc<Mutex<u64>>,
}

impl Hook {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let hook = Self { port, answer: Arc::new(Mutex::new(200)), ..Self::default() };
        let server = hook.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                std::thread::spawn(move || server.serve(stream));
            }
        });
        hook
    }

    /// As a channel of the configuration. The secret has to be written to the folder.
    pub fn channel(&self, secret: &Path) -> String {
        let (port, secret) = (self.port, secret.display());
        format!(
            "{{ kind = \"webhook\", url = \"http://127.0.0.1:{port}/hook\", timeout = 1, \
             secret-file = \"{secret}\" }}"
        )
    }

    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream);
        let (mut key, mut length) = (String::new(), 0);
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|read| read > 2 && line.len() > 2) {
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("idempotency-key:") {
                key = value.trim().to_owned();
            }
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            line.clear();
        }
        // Whoever is killed in the middle of a request has not made it.
        let mut body = vec![0; length];
        let is_whole = line == "\r\n" && reader.read_exact(&mut body).is_ok();
        let Ok(notice) = serde_json::from_slice(&body) else { return };
        if !is_whole {
            return;
        }
        *self.asked.lock().expect("a count") += 1;
        let status = *self.answer.lock().expect("an answer");
        if status == 0 {
            clock::wait_until(clock::now() + Duration::from_secs(5));
            return;
        }
        if status == 200 {
            self.taken.lock().expect("keys").push(key);
            self.bodies.lock().expect("bodies").push(notice);
        }
        let answer =
            format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let _ = reader.get_mut().write_all(answer.as_bytes());
    }

    pub fn answers(&self, status: u16) {
        *self.answer.lock().expect("an answer") = status;
    }
}

/// A secret that only its owner reads.
pub fn secret(folder: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("secret");
    fs::write(&path, "a secret that is long enough\n").expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("set");
    path
}
