//! What was on the wire: a capture by tcpdump, read into signalling, sound and connections.
//! Times are seconds since 1970.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use audio_codec_algorithms::decode_alaw;

use super::place::{Place, until};

/// Samples a second.
pub const RATE: f64 = 8000.0;
/// A packet that is further than this from where its timestamp puts it is put where it came.
const ASTRAY: f64 = 0.06;
const ETHERNET: u32 = 1;
const KEYS: &[u8; 16] = b"0123456789*#ABCD";

/// A running tcpdump.
pub struct Capture {
    tcpdump: Child,
    file: PathBuf,
}

/// From where to where a stream goes.
type Route = (SocketAddrV4, SocketAddrV4);

/// What was captured.
#[derive(Debug, Default)]
pub struct Traffic {
    pub sip: Vec<Sip>,
    pub streams: Vec<Stream>,
    pub tcp: Vec<Segment>,
}

/// A SIP message.
#[derive(Debug, Clone)]
pub struct Sip {
    pub at: f64,
    pub from: SocketAddrV4,
    pub to: SocketAddrV4,
    /// The method, of an answer that of its request.
    pub method: String,
    /// Only an answer has one.
    pub status: Option<u16>,
    pub call: String,
    pub text: String,
}

/// The sound from one port to another, each sample where it came on the wire's time line.
#[derive(Debug)]
pub struct Stream {
    pub from: SocketAddrV4,
    pub to: SocketAddrV4,
    /// The SSRCs: Asterisk may take another in the middle of a call.
    pub sources: Vec<u32>,
    /// When the first packet came.
    pub start: f64,
    /// From `start` on, at 8 kHz; what did not come is silence.
    pub samples: Vec<f32>,
    pub packets: usize,
    /// The keys (RFC 4733), when each went down.
    pub keys: Vec<(f64, char)>,
    /// Where timestamps lead: at this time came this one.
    anchor: (f64, u32),
    key_time: Option<u32>,
}

/// Bytes over TCP.
#[derive(Debug, Clone)]
pub struct Segment {
    pub at: f64,
    pub from: SocketAddrV4,
    pub to: SocketAddrV4,
    pub bytes: Vec<u8>,
}

impl Capture {
    /// Captures all that passes in this network.
    pub fn start(place: &Place) -> Self {
        let file = place.room("capture").join("pcap");
        let mut tcpdump = Command::new("tcpdump")
            .args(["-i", "lo", "-n", "-U", "--immediate-mode", "-B", "16384", "-Z", "root", "-w"])
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("tcpdump starts");
        let mut said = BufReader::new(tcpdump.stderr.take().expect("a pipe"));
        let mut line = String::new();
        while !line.contains("listening on") {
            line.clear();
            assert!(said.read_line(&mut line).expect("readable") > 0, "tcpdump does not start");
        }
        std::thread::spawn(move || said.lines().for_each(drop));
        Self { tcpdump, file }
    }

    /// What was captured until now.
    pub fn so_far(&self) -> Traffic {
        Traffic::read(&fs::read(&self.file).expect("readable"))
    }

    /// Waits until it shows something.
    pub fn until<T>(&self, limit: Duration, look: impl Fn(&Traffic) -> Option<T>) -> Option<T> {
        until(limit, || look(&self.so_far()))
    }

    /// Ends the capture.
    pub fn stop(mut self) -> Traffic {
        let pid = rustix::process::Pid::from_child(&self.tcpdump);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
        self.tcpdump.wait().expect("waited for");
        self.so_far()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = self.tcpdump.kill();
        let _ = self.tcpdump.wait();
    }
}

impl Traffic {
    /// Reads a capture in tcpdump's format, as this machine writes it; a last packet may be cut.
    pub fn read(bytes: &[u8]) -> Self {
        let mut traffic = Self::default();
        let Some((file, mut rest)) = bytes.split_at_checked(24) else { return traffic };
        assert_eq!(word(file, 0), 0xA1B2_C3D4, "no capture with microseconds");
        assert_eq!(word(file, 20), ETHERNET, "no capture of an Ethernet, or of lo");
        let mut streams = BTreeMap::new();
        while let Some((head, more)) = rest.split_at_checked(16) {
            let Some((packet, more)) = more.split_at_checked(word(head, 8) as usize) else { break };
            rest = more;
            let at = f64::from(word(head, 0)) + f64::from(word(head, 4)) / 1e6;
            traffic.take(at, packet, &mut streams);
        }
        traffic.streams.extend(streams.into_values());
        traffic.streams.sort_by(|left, right| left.start.total_cmp(&right.start));
        traffic
    }

    fn take(&mut self, at: f64, frame: &[u8], streams: &mut BTreeMap<Route, Stream>) {
        let Some(packet) = ipv4(frame) else { return };
        let size = usize::from(packet[0] & 15) * 4;
        let total = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
        // The kernel leaves the length out of what is too long for the field.
        let packet = if total == 0 { packet } else { &packet[..total.min(packet.len())] };
        let ip = |at: usize| Ipv4Addr::from([0, 1, 2, 3].map(|byte| packet[at + byte]));
        let Some(inner) = packet.get(size..).filter(|inner| inner.len() >= 8) else { return };
        let port = |at: usize| u16::from_be_bytes([inner[at], inner[at + 1]]);
        let from = SocketAddrV4::new(ip(12), port(0));
        let to = SocketAddrV4::new(ip(16), port(2));
        match packet[9] {
            6 => {
                let head = inner.get(12).map_or(20, |it| usize::from(it >> 4) * 4);
                let bytes = inner.get(head..).unwrap_or_default().to_vec();
                if !bytes.is_empty() {
                    self.tcp.push(Segment { at, from, to, bytes });
                }
            }
            17 => match inner[8..] {
                [] => {}
                [first, kind, ..] if first >> 6 == 2 => {
                    // 192 to 223 are RTCP.
                    if inner.len() > 20 && !(192..=223).contains(&kind) {
                        let stream = streams.entry((from, to));
                        let stream = stream.or_insert_with(|| Stream::new(at, from, to));
                        stream.take(at, &inner[8..]);
                    }
                }
                _ => self.sip.extend(Sip::read(at, from, to, &inner[8..])),
            },
            _ => {}
        }
    }

    /// The sound that comes to a telephone's ear, one stream a call.
    pub fn heard_at(&self, ear: SocketAddrV4) -> Vec<&Stream> {
        self.streams.iter().filter(|stream| stream.to == ear).collect()
    }

    /// The sound that it sends, one stream a call.
    pub fn said_at(&self, mouth: SocketAddrV4) -> Vec<&Stream> {
        self.streams.iter().filter(|stream| stream.from == mouth).collect()
    }

    /// The requests with this method from one address to another, without repetitions.
    pub fn requests(&self, method: &str) -> Vec<&Sip> {
        let mut known = Vec::new();
        let asked = self.sip.iter().filter(|sip| sip.method == method && sip.status.is_none());
        asked
            .filter(|sip| {
                let new = !known.contains(&&sip.text);
                known.push(&sip.text);
                new
            })
            .collect()
    }

    /// When the first sound came over each AudioSocket connection to the port, by its UUID.
    pub fn audio_sockets(&self, port: u16) -> Vec<(f64, [u8; 16])> {
        let mut open: BTreeMap<SocketAddrV4, (Vec<u8>, bool)> = BTreeMap::new();
        let mut found = Vec::new();
        for segment in self.tcp.iter().filter(|segment| segment.to.port() == port) {
            let (bytes, done) = open.entry(segment.from).or_default();
            if *done {
                continue;
            }
            bytes.extend(&segment.bytes);
            if let Some(uuid) = first_sound(bytes) {
                *done = true;
                found.push((segment.at, uuid));
            }
        }
        found
    }
}

/// What is in an Ethernet frame, if it is IPv4.
fn ipv4(frame: &[u8]) -> Option<&[u8]> {
    let packet = frame.get(14..).filter(|packet| packet.len() >= 20)?;
    (frame[12..14] == [8, 0]).then_some(packet)
}

/// The UUID, if there are an UUID and a frame of sound in what an AudioSocket client sent.
fn first_sound(mut bytes: &[u8]) -> Option<[u8; 16]> {
    let mut uuid = None;
    while let Some((&[kind, high, low], rest)) = bytes.split_first_chunk() {
        let (payload, rest) = rest.split_at_checked(usize::from(high) << 8 | usize::from(low))?;
        match kind {
            0x01 => uuid = payload.try_into().ok(),
            0x10..=0x18 => return uuid,
            _ => {}
        }
        bytes = rest;
    }
    None
}

impl Sip {
    fn read(at: f64, from: SocketAddrV4, to: SocketAddrV4, bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let field = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
        };
        let method = field("CSeq")?.split(' ').nth(1)?.to_owned();
        let call = field("Call-ID")?.to_owned();
        let status = text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse().ok());
        Some(Self { at, from, to, method, status, call, text })
    }
}

impl Stream {
    /// Some sound that was on no wire.
    pub fn of_samples(start: f64, samples: Vec<f32>) -> Self {
        let nowhere = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        Self { samples, ..Self::new(start, nowhere, nowhere) }
    }

    fn new(at: f64, from: SocketAddrV4, to: SocketAddrV4) -> Self {
        let (samples, keys, sources) = (Vec::new(), Vec::new(), Vec::new());
        let (packets, anchor, key_time) = (0, (at, 0), None);
        Self { from, to, sources, start: at, samples, packets, keys, anchor, key_time }
    }

    fn take(&mut self, at: f64, rtp: &[u8]) {
        let source = u32::from_be_bytes([rtp[8], rtp[9], rtp[10], rtp[11]]);
        if self.sources.last() != Some(&source) {
            self.sources.push(source);
            self.anchor = (at, timestamp(rtp));
        }
        let (kind, time) = (rtp[1] & 127, timestamp(rtp));
        let payload = &rtp[12 + usize::from(rtp[0] & 15) * 4..];
        if kind != 8 {
            if kind >= 96 && payload.len() == 4 && self.key_time.replace(time) != Some(time) {
                let key = KEYS[usize::from(payload[0] & 15)];
                self.keys.push((at, char::from(key)));
            }
            return;
        }
        self.packets += 1;
        let place = |anchor: (f64, u32)| {
            anchor.0 + f64::from(time.wrapping_sub(anchor.1).cast_signed()) / RATE
        };
        if (place(self.anchor) - at).abs() > ASTRAY {
            self.anchor = (at, time);
        }
        let first = self.index(place(self.anchor));
        let end = first + payload.len();
        self.samples.resize(self.samples.len().max(end), 0.0);
        for (sample, byte) in self.samples[first..end].iter_mut().zip(payload) {
            *sample = f32::from(decode_alaw(*byte)) / 32768.0;
        }
    }

    /// Where in `samples` a time is.
    pub fn index(&self, at: f64) -> usize {
        ((at - self.start) * RATE).round().max(0.0) as usize
    }

    /// When the last sample came.
    pub fn end(&self) -> f64 {
        self.start + self.samples.len() as f64 / RATE
    }

    /// The samples between two times.
    pub fn between(&self, from: f64, to: f64) -> &[f32] {
        let end = self.index(to).min(self.samples.len());
        &self.samples[self.index(from).min(end)..end]
    }

    /// How loud it is between two times: the root of the mean square, of 1.
    pub fn loudness(&self, from: f64, to: f64) -> f32 {
        let samples = self.between(from, to);
        let power: f32 = samples.iter().map(|it| it * it).sum();
        (power / samples.len().max(1) as f32).sqrt()
    }
}

fn timestamp(rtp: &[u8]) -> u32 {
    u32::from_be_bytes([rtp[4], rtp[5], rtp[6], rtp[7]])
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes([0, 1, 2, 3].map(|byte| bytes[at + byte]))
}
