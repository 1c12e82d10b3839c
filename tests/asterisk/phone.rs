//! Telephones: sipp does the signalling, and [`Line`] the sound, so that a test can let them
//! press keys and hang up when it likes.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::line::Line;
use super::pbx::{PASSWORD, SIP};
use super::place::{Place, project, until, wall};

/// What the trunk or the telephone may answer instead of taking the call.
const REFUSALS: [u16; 12] = [403, 404, 408, 480, 484, 486, 487, 488, 500, 503, 600, 603];
/// What the telephones can do with sound.
const SDP: &str = "v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio {media} RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20";

/// Who telephones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// The world beyond the trunk.
    Trunk,
    /// The protected person.
    Elder,
}

impl Party {
    /// Where it takes calls.
    pub fn address(self) -> SocketAddrV4 {
        let ip = match self {
            Self::Trunk => Ipv4Addr::new(127, 0, 0, 2),
            Self::Elder => Ipv4Addr::new(127, 0, 0, 3),
        };
        SocketAddrV4::new(ip, 5080)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Trunk => "trunk",
            Self::Elder => "elder",
        }
    }
}

/// What a telephone noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Ringing,
    /// The call is up, and the telephone begins to talk.
    Answered,
    Refused(u16),
    /// The other side hung up.
    Gone,
    /// This side hung up.
    Ended,
}

/// What a telephone noticed, and when (seconds since 1970, up to a few milliseconds late).
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub at: f64,
    /// The Call-ID of this telephone's leg.
    pub call: String,
    pub what: What,
}

/// What is shared with the thread that reads what sipp says.
struct Desk {
    events: Vec<Event>,
    lines: HashMap<String, Line>,
    says: Arc<Vec<u8>>,
}

/// A telephone.
pub struct Phone {
    sipp: Child,
    desk: Arc<Mutex<Desk>>,
    /// The thread that reads what sipp logs.
    log: JoinHandle<()>,
    /// How many events were waited for.
    seen: usize,
    /// Where sipp takes its orders.
    address: SocketAddrV4,
    /// Where the sound of all its calls comes in.
    pub ear: SocketAddrV4,
    folder: PathBuf,
}

impl Phone {
    /// One that rings so long and answers, one call after the other or at once. Once a call is
    /// up it says `says` (A-law), and then nothing.
    pub fn answering(place: &Place, who: Party, rings: Duration, says: &[u8]) -> Self {
        let rings = rings.as_millis().max(1).to_string();
        let words = [("ring_ms", rings.as_str())];
        Self::start(place, who, "answers.xml", who.address().port(), &words, says)
    }

    /// One that rings `number` as `from`.
    pub fn calling(place: &Place, who: Party, from: &str, number: &str, says: &[u8]) -> Self {
        // sipp takes ports from 6000 on for sound, whether or not it sends any.
        static PORT: AtomicU32 = AtomicU32::new(20_000);
        let port = PORT.fetch_add(1, Ordering::Relaxed) as u16;
        let words = [("number", number), ("from", from)];
        Self::start(place, who, "calls.xml", port, &words, says)
    }

    fn start(
        place: &Place,
        who: Party,
        scenario: &str,
        port: u16,
        words: &[(&str, &str)],
        says: &[u8],
    ) -> Self {
        let address = SocketAddrV4::new(*who.address().ip(), port);
        let socket = UdpSocket::bind((*address.ip(), 0)).expect("a port");
        let media = socket.local_addr().expect("an address").port();
        let ear = SocketAddrV4::new(*address.ip(), media);
        let media = media.to_string();
        let folder = place.room(who.name());
        let log = folder.join("log");
        assert!(Command::new("mkfifo").arg(&log).status().expect("it runs").success());
        let name = who.name();
        let common = [("name", name), ("user", name), ("password", PASSWORD), ("media", &media)];
        let text = render(scenario, who == Party::Elder, &[words, &common].concat());
        fs::write(folder.join(scenario), text).expect("written");
        let sipp = sipp(&folder, scenario, address).spawn().expect("sipp starts");
        let (events, lines) = (Vec::new(), HashMap::new());
        let desk = Arc::new(Mutex::new(Desk { events, lines, says: Arc::new(says.to_vec()) }));
        let shared = Arc::clone(&desk);
        let log = std::thread::spawn(move || {
            let log = fs::File::open(log).expect("a pipe");
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                shared.lock().expect("a desk").note(&line, &socket);
            }
        });
        let mut phone = Self { sipp, desk, log, seen: 0, address, ear, folder };
        phone.wait_until_plugged_in();
        phone
    }

    fn wait_until_plugged_in(&mut self) {
        let ip = u32::from_ne_bytes(self.address.ip().octets());
        let mine = format!(" {ip:08X}:{:04X} ", self.address.port());
        let bound = || fs::read_to_string("/proc/net/udp").expect("readable").contains(&mine);
        let ready = until(Duration::from_secs(10), || {
            let gone = self.sipp.try_wait().expect("waited for").is_some();
            (bound() || gone || !self.events().is_empty()).then_some(())
        });
        assert!(ready.is_some(), "sipp does not start: {}", self.said());
    }

    /// All that it noticed.
    pub fn events(&self) -> Vec<Event> {
        self.desk.lock().expect("a desk").events.clone()
    }

    /// What sipp says of itself: errors.
    pub fn said(&self) -> String {
        fs::read_to_string(self.folder.join("errors")).unwrap_or_default()
    }

    /// Waits for the next such event after those that were waited for before.
    pub fn wait(&mut self, what: What, limit: Duration) -> Event {
        self.wait_for(limit, |event| event.what == what)
            .unwrap_or_else(|| panic!("not {what:?}: {:#?}\n{}", self.events(), self.said()))
    }

    /// Waits for the next event of the kind; none if none comes in time.
    pub fn wait_for(&mut self, limit: Duration, kind: impl Fn(&Event) -> bool) -> Option<Event> {
        let seen = self.seen;
        let found = until(limit, || {
            // Nothing is read any more once sipp has ended.
            let ended = self.log.is_finished();
            let events = self.events();
            let at = events.iter().skip(seen).position(&kind).map(|at| seen + at);
            let found = at.map(|at| (at, events[at].clone()));
            (found.is_some() || ended).then_some(found)
        });
        let (at, event) = found??;
        self.seen = at + 1;
        Some(event)
    }

    /// The calls that are up, the latest last.
    pub fn calls(&self) -> Vec<String> {
        let desk = self.desk.lock().expect("a desk");
        let up = desk.events.iter().filter(|event| event.what == What::Answered);
        let up = up.filter(|event| desk.lines.contains_key(&event.call));
        up.map(|event| event.call.clone()).collect()
    }

    /// Presses keys in its latest call, a tenth of a second each.
    pub fn press(&self, keys: &str) {
        self.with_line(|line| line.press(keys));
    }

    /// Says something in its latest call, from now on.
    pub fn say(&self, says: &[u8]) {
        self.with_line(|line| line.say(says));
    }

    fn with_line(&self, act: impl FnOnce(&Line)) {
        let call = self.calls().pop().expect("a call");
        act(&self.desk.lock().expect("a desk").lines[&call]);
    }

    /// Hangs up its latest call, or gives up ringing.
    pub fn hang_up(&self) {
        let ringing = || Some(self.events().last()?.call.clone());
        let call = self.calls().pop().or_else(ringing).expect("a call");
        self.order(&call, "HANGUP", "");
    }

    /// The other party of a call hears music.
    pub fn hold(&self, call: &str) {
        self.order(call, "HOLD", "");
    }

    /// The other party of a call hears this one again.
    pub fn resume(&self, call: &str) {
        self.order(call, "RESUME", "");
    }

    /// The other party of a call goes on with somebody else, whose address may tell which call of
    /// theirs it takes the place of.
    pub fn transfer(&self, call: &str, to: &str) {
        self.order(call, "TRANSFER", &format!("Refer-To: <{to}>\r\n"));
    }

    fn order(&self, call: &str, what: &str, more: &str) {
        static ORDERS: AtomicU32 = AtomicU32::new(0);
        let number = ORDERS.fetch_add(1, Ordering::Relaxed);
        let order = format!(
            "{what} sip:phone SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK-{number}\r\n\
             From: <sip:test@localhost>;tag={number}\r\nTo: <sip:phone@localhost>;tag=phone\r\n\
             Call-ID: {call}\r\nCSeq: {number} {what}\r\n{more}Content-Length: 0\r\n\r\n"
        );
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.send_to(order.as_bytes(), self.address).expect("sent");
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        let _ = self.sipp.kill();
        let _ = self.sipp.wait();
    }
}

impl Desk {
    /// Takes a line that the scenario logs.
    fn note(&mut self, line: &str, socket: &UdpSocket) {
        let words: Vec<_> = line.split(' ').collect();
        let what = match words[..] {
            ["ringing", _] => What::Ringing,
            ["gone", _] => What::Gone,
            ["ended", _] => What::Ended,
            ["refused", _, code] => What::Refused(code.parse().expect("a status")),
            ["media", call, address, port] => {
                let to = SocketAddrV4::new(
                    address.parse().expect("an address"),
                    port.parse().expect("a port"),
                );
                if let Some(line) = self.lines.get(call) {
                    return line.send_to(to);
                }
                let line = Line::open(socket, to, Arc::clone(&self.says));
                self.lines.insert(call.to_owned(), line);
                What::Answered
            }
            _ => panic!("sipp logs {line}"),
        };
        let call = words[1].to_owned();
        if what != What::Ringing && what != What::Answered {
            self.lines.remove(&call);
        }
        self.events.push(Event { at: wall(), call, what });
    }
}

fn sipp(folder: &PathBuf, scenario: &str, address: SocketAddrV4) -> Command {
    let mut command = Command::new("sipp");
    let (ip, port) = (address.ip().to_string(), address.port().to_string());
    command.args([SIP, "-sf", scenario, "-i", &ip, "-p", &port, "-nostdin"]);
    command.args(["-trace_logs", "-log_file", "log", "-trace_err", "-error_file", "errors"]);
    if scenario == "calls.xml" {
        command.args(["-m", "1"]);
    }
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// The scenario, with words for what is in braces.
fn render(scenario: &str, login: bool, words: &[(&str, &str)]) -> String {
    let read = |name: &str| {
        let path = project("tests/asterisk").join(name);
        fs::read_to_string(path).expect("readable")
    };
    let refusal = |code: &u16| {
        format!(
            "  <recv response=\"{code}\" optional=\"true\" next=\"12\">\n    <action>\
             <log message=\"refused [call_id] {code}\"/></action>\n  </recv>\n"
        )
    };
    let parts = [
        ("{login}", if login { read("login.xml") } else { String::new() }),
        ("{cancelled}", if login { "login" } else { "ring" }.to_owned()),
        ("{talk}", read("talk.xml")),
        ("{refusals}", REFUSALS.iter().map(refusal).collect()),
        ("{sdp}", SDP.to_owned()),
    ];
    let text = parts.iter().fold(read(scenario), |text, (name, part)| text.replace(name, part));
    words.iter().fold(text, |text, (name, word)| text.replace(&format!("{{{name}}}"), word))
}
