//! The daemon under load: `cargo bench --bench load [-- --seconds 600 --calls 2000]`.
//!
//! So many calls at a time, each on a line of its own, two utterances a second each, over the Unix
//! socket, with the shipped rules; meanwhile an exchange asks the gate. The words are those of
//! `tests/scripts`, one call in twenty a scam. The load is made on the same machine, so what is
//! printed is what both cost.
#![allow(clippy::disallowed_methods)]

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixStream};

/// What the figures are compared with, in milliseconds.
const GATE_P99_MS: f64 = 5.0;
const ACTION_P99_MS: f64 = 50.0;
/// Calls on one connection.
const CALLS_A_CONNECTION: usize = 20;
/// Utterances of a call between its start and its end.
const UTTERANCES: usize = 60;

/// When the line that was written last of each call was written, and how long the answer to it
/// took.
#[derive(Default)]
struct Times {
    written: Mutex<HashMap<String, Instant>>,
    actions: Mutex<Vec<f64>>,
    whispers: Mutex<u64>,
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let value = |name: &str, usual: usize| {
        let at = args.iter().position(|arg| arg == name);
        at.and_then(|at| args.get(at + 1)?.parse().ok()).unwrap_or(usual)
    };
    let (calls, seconds) = (value("--calls", 2000), value("--seconds", 30));
    let folder = tempfile::tempdir().expect("a folder");
    let (mut daemon, port) = start(folder.path(), calls);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(load(folder.path(), port, daemon.id(), calls, seconds));
    daemon.kill().expect("killed");
    daemon.wait().expect("waited for");
}

fn start(folder: &Path, calls: usize) -> (Child, u16) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let mut config = format!(
        "[api]\nlisten = \"127.0.0.1:{port}\"\n[feed]\nsocket = \"feed.sock\"\n\
         [store]\ndirectory = \"state\"\n"
    );
    for line in 0..calls {
        config.push_str(&format!(
            "[[lines]]\nid = \"line{line}\"\nname = \"Line\"\n\
             consent = {{ by = \"Somebody\", on = \"2026-11-22\" }}\n"
        ));
    }
    std::fs::write(folder.join("config.toml"), config).expect("written");
    let daemon = Command::new(env!("CARGO_BIN_EXE_lineclear"))
        .args(["--config", "config.toml", "run"])
        .current_dir(folder)
        .env("LINECLEAR_LOG", "warn")
        .stdin(Stdio::null())
        .spawn()
        .expect("the program runs");
    let answers = || -> std::io::Result<usize> {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port))?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")?;
        stream.read(&mut [0])
    };
    while answers().is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
    (daemon, port)
}

async fn load(folder: &Path, port: u16, pid: u32, calls: usize, seconds: usize) {
    let (honest, scams) = (Arc::new(scripts("honest")), Arc::new(scripts("scam")));
    let times = Arc::new(Times::default());
    let end = Instant::now() + Duration::from_secs(seconds as u64);
    let mut sources = Vec::new();
    for first in (0..calls).step_by(CALLS_A_CONNECTION) {
        let stream = UnixStream::connect(folder.join("feed.sock")).await.expect("the socket");
        let (times, honest, scams) = (Arc::clone(&times), Arc::clone(&honest), Arc::clone(&scams));
        let last = (first + CALLS_A_CONNECTION).min(calls);
        sources.push(tokio::spawn(source(stream, first..last, times, honest, scams, end)));
    }
    let gates = tokio::spawn(ask_gate(port, calls, end));
    let mut memory = vec![memory_mb(pid)];
    let pause = Duration::from_secs(seconds as u64) / 10;
    while Instant::now() + pause < end {
        tokio::time::sleep(pause).await;
        memory.push(memory_mb(pid));
    }
    let mut sent = 0;
    for source in sources {
        sent += source.await.expect("a source");
    }
    let mut gates = gates.await.expect("the exchange");
    let mut actions = std::mem::take(&mut *times.actions.lock().expect("times"));
    let rate = sent as f64 / seconds as f64;
    println!(
        "{calls} calls, {seconds} s: {rate:.0} utterances/s, {} warnings",
        times.whispers.lock().expect("a count")
    );
    tell("gate", &mut gates, GATE_P99_MS);
    tell("utterance to action", &mut actions, ACTION_P99_MS);
    let list: Vec<_> = memory.iter().map(|mb| format!("{mb:.0}")).collect();
    println!("memory, MB, ten times on the way: {}", list.join(" "));
    println!(
        "processor time of the daemon: {:.0} % of a core",
        cpu_seconds(pid) / seconds as f64 * 100.0
    );
}

/// Feeds some calls, each on a line of its own; a call that is over is followed by another.
async fn source(
    stream: UnixStream,
    lines: std::ops::Range<usize>,
    times: Arc<Times>,
    honest: Arc<Vec<Vec<Value>>>,
    scams: Arc<Vec<Vec<Value>>>,
    end: Instant,
) -> u64 {
    let (read, mut write) = stream.into_split();
    let reader = tokio::spawn(listen(read, Arc::clone(&times)));
    let mut sent = 0;
    let step = Duration::from_millis(500) / lines.len() as u32;
    let mut next = Instant::now();
    for round in 0_usize.. {
        for line in lines.clone() {
            if Instant::now() >= end {
                drop(write);
                reader.abort();
                return sent;
            }
            tokio::time::sleep_until(next.into()).await;
            next += step;
            // Calls do not all begin at once.
            let (call, turn) = ((round + line) / UTTERANCES, (round + line) % UTTERANCES);
            let name = format!("{line}-{call}");
            let number = line * 31 + call;
            let script = match number % 20 {
                0 => &scams[number / 20 % scams.len()],
                _ => &honest[number % honest.len()],
            };
            let mut message = script[turn % script.len()].clone();
            message["call"] = json!(name);
            message["line"] = json!(format!("line{line}"));
            message["start_ms"] = json!(turn * 500);
            message["end_ms"] = json!(turn * 500 + 490);
            let mut text = format!("{message}\n");
            if turn + 1 == UTTERANCES {
                text.push_str(&format!("{}\n", json!({"event": "end", "call": name})));
            }
            times.written.lock().expect("times").insert(name, Instant::now());
            write.write_all(text.as_bytes()).await.expect("the daemon reads");
            sent += 1;
        }
    }
    sent
}

/// Measures how long after a line its whisper comes.
async fn listen(read: tokio::net::unix::OwnedReadHalf, times: Arc<Times>) {
    let mut lines = BufReader::new(read).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let now = Instant::now();
        let told: Value = serde_json::from_str(&line).expect("JSON");
        let Some(call) = told["call"].as_str() else { continue };
        if told["event"] == "whisper" {
            *times.whispers.lock().expect("a count") += 1;
            let written = times.written.lock().expect("times").get(call).copied();
            let took = written.map(|written| (now - written).as_secs_f64() * 1000.0);
            times.actions.lock().expect("times").extend(took);
        } else if told["event"] == "ended" {
            times.written.lock().expect("times").remove(call);
        }
    }
}

/// Asks the gate a hundred times a second, over one connection.
async fn ask_gate(port: u16, lines: usize, end: Instant) -> Vec<f64> {
    let mut stream =
        BufReader::new(TcpStream::connect(("127.0.0.1", port)).await.expect("it listens"));
    stream.get_ref().set_nodelay(true).expect("set");
    let mut took = Vec::new();
    for number in 0.. {
        if Instant::now() >= end {
            break;
        }
        let (line, dialled) =
            (number * 7 % lines, if number % 10 == 0 { "999" } else { "0163296012" });
        let request = format!(
            "GET /v1/lines/line{line}/gate?direction=outgoing&number={dialled} HTTP/1.1\r\n\
             host: 127.0.0.1\r\n\r\n"
        );
        let asked = Instant::now();
        stream.get_mut().write_all(request.as_bytes()).await.expect("sent");
        let (mut head, mut length) = (String::new(), 0);
        while stream.read_line(&mut head).await.expect("an answer") > 2 {
            let line = head.to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            head.clear();
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.expect("an answer");
        took.push(asked.elapsed().as_secs_f64() * 1000.0);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    took
}

fn tell(name: &str, ms: &mut [f64], target: f64) {
    ms.sort_by(f64::total_cmp);
    let at = |share: f64| ms.get((ms.len() as f64 * share) as usize).copied().unwrap_or_default();
    let (p50, p99, most) = (at(0.5), at(0.99), ms.last().copied().unwrap_or_default());
    let ratio = p99 / target;
    println!(
        "{name}: p50 {p50:.2} ms, p99 {p99:.2} ms ({ratio:.2} of {target} ms), most {most:.1} ms, \
         of {}",
        ms.len()
    );
}

/// The calls of a folder of `tests/scripts`, as messages.
fn scripts(kind: &str) -> Vec<Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts").join(kind);
    let files = std::fs::read_dir(folder).expect("scripts").flatten();
    let mut calls: Vec<Vec<Value>> = files
        .map(|file| {
            let text = std::fs::read_to_string(file.path()).expect("readable");
            let turn = |line: &str| {
                let (leg, words) = line.split_once(": ")?;
                let is_leg = ["remote", "protected"].contains(&leg);
                is_leg.then(|| json!({"leg": leg, "text": words}))
            };
            text.lines().filter_map(turn).collect()
        })
        .collect();
    calls.retain(|turns: &Vec<Value>| !turns.is_empty());
    assert!(!calls.is_empty(), "tests/scripts/{kind} has calls");
    calls
}

fn memory_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a size");
    let kb: f64 = line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).expect("a number");
    std::io::stdout().flush().expect("written");
    kb / 1024.0
}

/// Seconds of processor time that a process has used; the kernel counts hundredths.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let after_name = stat.rsplit(')').next().expect("a name").split_whitespace();
    let ticks: f64 = after_name.skip(11).take(2).filter_map(|it| it.parse::<f64>().ok()).sum();
    ticks / 100.0
}
