//! The sound that a telephone sends: A-law packets of 20 ms, and keys as RFC 4733 has them.

use std::collections::VecDeque;
use std::net::{SocketAddrV4, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lineclear::edge::clock;

/// Samples a packet.
const PACKET: usize = 160;
/// Nothing, in A-law.
const SILENCE: u8 = 0xD5;
/// The keys, in the order of their events.
const KEYS: &str = "0123456789*#ABCD";
/// Packets that a key is down, its end told three times, and the pause after it.
const DOWN: u16 = 5;
const TOLD: u16 = 3;
const PAUSE: u16 = 3;

struct State {
    to: SocketAddrV4,
    says: Arc<Vec<u8>>,
    at: usize,
    keys: VecDeque<u8>,
    /// The key that is down, and for how many packets.
    pressed: Option<(u8, u16)>,
}

/// The sound of one call; silent once it is dropped.
pub struct Line {
    state: Arc<Mutex<State>>,
}

impl Line {
    /// Begins to send at once.
    pub fn open(socket: &UdpSocket, to: SocketAddrV4, says: Arc<Vec<u8>>) -> Self {
        static SOURCES: AtomicU32 = AtomicU32::new(0x1000_0000);
        let source = SOURCES.fetch_add(1, Ordering::Relaxed);
        let socket = socket.try_clone().expect("cloned");
        let state = State { to, says, at: 0, keys: VecDeque::new(), pressed: None };
        let state = Arc::new(Mutex::new(state));
        let watched = Arc::downgrade(&state);
        std::thread::spawn(move || {
            let start = clock::now();
            for number in 0_u32.. {
                clock::wait_until(start + Duration::from_millis(20) * number);
                let Some(state) = watched.upgrade() else { return };
                let mut state = state.lock().expect("a line");
                let packet = state.packet(number, source);
                // The other side may have gone already.
                let _ = socket.send_to(&packet, state.to);
            }
        });
        Self { state }
    }

    /// Says something else from now on.
    pub fn say(&self, says: &[u8]) {
        let mut state = self.state.lock().expect("a line");
        state.says = Arc::new(says.to_vec());
        state.at = 0;
    }

    /// Presses keys, one after the other.
    pub fn press(&self, keys: &str) {
        let event = |key| KEYS.find(key).expect("a key") as u8;
        self.state.lock().expect("a line").keys.extend(keys.chars().map(event));
    }

    /// Sends elsewhere from now on.
    pub fn send_to(&self, to: SocketAddrV4) {
        self.state.lock().expect("a line").to = to;
    }
}

impl State {
    /// What is sent in the 20 ms with this number.
    fn packet(&mut self, number: u32, source: u32) -> Vec<u8> {
        if self.pressed.is_none() {
            self.pressed = self.keys.pop_front().map(|key| (key, 0));
        }
        let said = self.says.get(self.at..).unwrap_or_default();
        let mut said = said[..said.len().min(PACKET)].to_vec();
        self.at += PACKET;
        if let Some((key, packets)) = self.pressed {
            self.pressed = (packets + 1 < DOWN + TOLD + PAUSE).then_some((key, packets + 1));
            if packets < DOWN + TOLD {
                return pressed(number, source, key, packets);
            }
            said.clear();
        }
        let mut packet = head(number, number, source, 8, number == 0);
        packet.extend(said);
        packet.resize(12 + PACKET, SILENCE);
        packet
    }
}

/// A packet of a key; every one has the time at which it went down.
fn pressed(number: u32, source: u32, key: u8, packets: u16) -> Vec<u8> {
    let mut packet = head(number, number - u32::from(packets), source, 101, packets == 0);
    let ends = if packets >= DOWN { 0x80 } else { 0 };
    packet.extend([key, ends | 10]);
    packet.extend(((packets + 1).min(DOWN + 1) * PACKET as u16).to_be_bytes());
    packet
}

/// The head of an RTP packet; times count packets.
fn head(number: u32, time: u32, source: u32, kind: u8, marked: bool) -> Vec<u8> {
    let mut head = vec![0x80, kind | if marked { 0x80 } else { 0 }];
    head.extend((number as u16).to_be_bytes());
    head.extend((time * PACKET as u32).to_be_bytes());
    head.extend(source.to_be_bytes());
    head
}
