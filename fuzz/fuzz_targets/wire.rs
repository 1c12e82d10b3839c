//! Whatever comes over a socket is read or refused: `cargo +nightly fuzz run wire`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lineclear::time::CallTime;
use lineclear::wire::ari;
use lineclear::wire::features::{self, Parser};
use lineclear::wire::telephone_event::Events;
use lineclear::wire::{ami, audiosocket, feed, transcript};

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
    audio_socket(bytes);
    manager(bytes);
    let _ = std::str::from_utf8(bytes).map(ari::Event::parse);
    let _ = (ari::channels(bytes), ari::bridges(bytes));
});

/// With an identity before them, most bytes are frames.
fn audio_socket(bytes: &[u8]) {
    let mut samples = Vec::new();
    for begin in [&[][..], &audiosocket::hello(&[7; 16])] {
        let mut parser = audiosocket::Parser::default();
        let _ = parser.push(begin, |_| {});
        for piece in bytes.chunks(7) {
            let _ = parser.push(piece, |frame| match frame {
                audiosocket::Frame::Audio { rate, samples: found } => {
                    samples.clear();
                    found.append_to(&mut samples);
                    assert!(samples.len() <= rate.hz() as usize / 5);
                }
                audiosocket::Frame::Digit(digit) => _ = audiosocket::key(digit),
                _ => {}
            });
        }
        let _ = parser.finish();
    }
}

/// With a banner before them, most bytes are lines. What is read may be a value that is written.
fn manager(bytes: &[u8]) {
    for begin in [&[][..], b"Asterisk Call Manager/11.0.0\r\n"] {
        let mut parser = ami::Parser::default();
        let _ = parser.push(begin, |_| {});
        for piece in bytes.chunks(7) {
            let _ = parser.push(piece, |message| {
                let _ = (message.outcome(), message.event(), message.action_id());
                let key = message.get("Key").unwrap_or_default();
                let sent = ami::Action::db_put(1, "hold", key, message.get("Val").unwrap_or("1"));
                let sent = sent.map(ami::Action::into_bytes).unwrap_or_default();
                let ends = sent.windows(2).filter(|two| two == b"\r\n").count();
                assert!(ends == 0 || ends == 6, "a value began a line");
            });
        }
    }
}
