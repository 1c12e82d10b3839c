//! Keys as RTP telephone events (RFC 4733).
//!
//! A key that is held is a train of packets with one timestamp, that of its beginning, each telling
//! how long it has lasted by then; the last one is marked, and sent three times. Any of them may be
//! lost, doubled, or late.

use std::fmt;

use crate::call::Digit;

/// One telephone event: the four bytes of an RTP payload (RFC 4733, section 2.3).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TelephoneEvent {
    /// What happened: 0–15 are keys, others are tones and states of the line.
    pub event: u8,
    /// Whether it is over.
    pub is_end: bool,
    /// How far below 0 dBm0 the tone is, in dB: 0–63.
    pub volume: u8,
    /// How long it has lasted, in timestamp units.
    pub duration: u16,
}

impl TelephoneEvent {
    /// Reads a payload; none if it is shorter than an event.
    ///
    /// Of several events in a payload the first is read: what follows it without a pause (RFC 4733,
    /// section 2.5.1.5) is no key, because between keys there is one.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let &[event, flags, high, low] = payload.first_chunk()?;
        Some(Self {
            event,
            // The bit between is reserved, and to be ignored.
            is_end: flags & 0x80 != 0,
            volume: flags & 0x3f,
            duration: u16::from_be_bytes([high, low]),
        })
    }

    /// The key; none for what is not a key.
    pub const fn digit(&self) -> Option<Digit> {
        Digit::from_event(self.event)
    }

    /// Whether a packet of the same event, whose timestamp is `ahead` of this one's, belongs to the
    /// same key. The timestamp is that of the key's beginning, and a longer key than `duration` can
    /// tell is sent in segments, one right after the other (RFC 4733, section 2.5.1.3). Some
    /// senders let the timestamp run on, too.
    fn goes_on_after(&self, ahead: u32, is_end: bool) -> bool {
        let segment = ahead <= u32::from(self.duration) || ahead == u32::from(u16::MAX);
        // The end is sent three times.
        ahead == 0 || (segment && (!self.is_end || is_end))
    }
}

/// Which key it is stays private.
impl fmt::Debug for TelephoneEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_end, volume, duration, .. } = self;
        write!(f, "TelephoneEvent(_, {is_end}, {volume} dB, {duration})")
    }
}

/// How far behind the last key a packet may be, in timestamp units, to be taken for late: 5 s. What
/// is further behind belongs to a clock that was set anew.
const LATE: u32 = 40_000;

/// Makes one key of each train of packets in one RTP stream.
#[derive(Clone, Default)]
pub struct Events {
    /// The last packet of the last key.
    last: Option<(u32, TelephoneEvent)>,
}

impl Events {
    /// A stream in which no key was pressed yet.
    pub const fn new() -> Self {
        Self { last: None }
    }

    /// Takes in a packet: the RTP timestamp and the payload. Returns the key with the first
    /// packet of a train that arrives, whichever that is.
    ///
    /// A payload that is no event, and an event that is no key, are ignored.
    #[must_use]
    pub fn push(&mut self, timestamp: u32, payload: &[u8]) -> Option<Digit> {
        let event = TelephoneEvent::parse(payload)?;
        let digit = event.digit()?;
        let Some((start, last)) = self.last else {
            self.last = Some((timestamp, event));
            return Some(digit);
        };
        if (1..=LATE).contains(&start.wrapping_sub(timestamp)) {
            return None;
        }
        self.last = Some((timestamp, event));
        let is_same = event.event == last.event
            && last.goes_on_after(timestamp.wrapping_sub(start), event.is_end);
        (!is_same).then_some(digit)
    }
}

/// The last key stays private.
impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
