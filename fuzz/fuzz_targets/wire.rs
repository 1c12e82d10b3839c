//! Whatever comes over a socket is read or refused: `cargo +nightly fuzz run wire`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lineclear::time::CallTime;
use lineclear::wire::features::{self, Parser};
use lineclear::wire::telephone_event::Events;
use lineclear::wire::{feed, transcript};

fuzz_target!(|bytes: &[u8]| {
    let _ = feed::parse(bytes);
    let _ = transcript::parse(bytes, &mut CallTime::default());
    // With a header before it, most bytes are frames.
    for begin in [&[][..], &features::header()] {
        let mut parser = Parser::default();
        let _ = parser.push(begin, |_| {});
        for piece in bytes.chunks(7) {
            let _ = parser.push(piece, |frame| _ = features::Frame::from_json(&frame.to_json()));
        }
        let _ = parser.finish();
    }
    let mut events = Events::new();
    for packet in bytes.chunks(8) {
        if let Some((timestamp, payload)) = packet.split_first_chunk() {
            let _ = events.push(u32::from_be_bytes(*timestamp), payload);
        }
    }
});
