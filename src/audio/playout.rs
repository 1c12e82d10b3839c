//! Packets that come when they like, for a listener that wants every moment of a call once, in
//! order.
//!
//! A leg of a live call is silent on the wire while a key is pressed, begins late, stalls with the
//! network and then comes in a burst; and its clock is not ours. Both legs of a call must stay side
//! by side nevertheless.
//!
//! * What is pushed follows what was pushed before, as long as it comes within 60 ms of its place.
//!   If it comes later, the time since is silence, and it begins anew, 20 ms after its coming.
//! * The listener is given everything up to 60 ms ago, by when all that follows is there: a steady
//!   stream is given back unchanged if no packet comes 60 ms sooner or later than the first did.
//! * A burst is sound that was late, and is kept, so that the leg lags. It catches up in the next
//!   pause, which is shortened. Beyond 500 ms the oldest goes, down to 250 ms: it lies where the
//!   stall already tore a hole, and what is newer goes on without one.
//! * A clock that runs fast or slow is followed in pauses, too, by a little less or more silence.
//!   A leg that never pauses, such as music, has a hole of 80 ms every 13 minutes instead, or a cut
//!   of 250 ms every 42, if its clock is off by 100 parts in a million.
//!
//! A pause is what follows half a second of quiet. The half second itself is left as it is: it ends
//! an utterance, and shorter ones lie between keys, of which 999 has three that are the same. Words
//! and tones are never stretched, not even by single samples: one in 100 ms, left out where it
//! differed least from its neighbour, hid one key in eight.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// Samples a second.
pub const RATE: u32 = 8_000;
/// How long what is given back was pushed before.
pub const DELAY: Duration = Duration::from_millis(60);

/// Samples of a millisecond.
const MS: i64 = RATE as i64 / 1000;
/// How late a packet may be and follow nevertheless.
const TOLERANCE: i64 = 60 * MS;
/// How far ahead of its coming a packet begins that follows nothing.
const CUSHION: i64 = 20 * MS;
/// Pauses are made longer for what is later than this, as a place relative to its coming…
const LATE: i64 = CUSHION - TOLERANCE;
/// …and shorter for what is further ahead. Jitter alone reaches neither.
const EARLY: i64 = CUSHION + TOLERANCE;
/// How far a leg may lag…
const MOST: i64 = 500 * MS;
/// …and how far it does when that was too far.
const REST: i64 = 250 * MS;
/// How long it is quiet before a pause begins.
const PAUSE: i64 = 500 * MS;
/// A packet is quiet if no sample is twice as loud as the noise, which is the quietest packet of
/// the last seconds, but no less than this: −51 dBm0, as a sine…
const LEAST_NOISE: f32 = 1.0 / 512.0;
/// …and no more than this: −33 dBm0.
const MOST_NOISE: f32 = 1.0 / 64.0;
/// How many samples the quietest packet is remembered for: 4 s, in which the noise grows e times.
const MEMORY: f32 = 4.0 * RATE as f32;
/// How much waits for a listener that does not come: 10 s.
const ROOM: usize = 10 * RATE as usize;
/// How much is given at a time: 1 s.
const GIVEN: i64 = RATE as i64;
/// Where nothing was pushed: before any call.
const NOWHERE: i64 = i64::MIN / 4;
/// The latest moment that is told apart: nine million years.
const LAST: i64 = i64::MAX / 4;

/// One leg between its packets and its listener. Allocates only as it falls behind further than
/// ever before, and no more than 20 s of samples.
#[derive(Clone)]
pub struct Playout {
    /// Pushed and not yet given.
    held: VecDeque<f32>,
    /// The place of the first sample in `held`: samples since the call's start.
    start: i64,
    /// Where the next sample belongs that is given.
    given: i64,
    /// The loudest sample of the quietest packet of the last seconds.
    noise: f32,
    /// How many samples it has been quiet for.
    quiet: i64,
    dropped: u64,
}

impl Default for Playout {
    fn default() -> Self {
        let held = VecDeque::with_capacity(RATE as usize);
        Self { held, start: NOWHERE, given: 0, noise: LEAST_NOISE, quiet: 0, dropped: 0 }
    }
}

impl Playout {
    /// Takes in a packet that came `at` this time since the call's start.
    pub fn push(&mut self, mut samples: &[f32], at: Duration) {
        if samples.is_empty() {
            return;
        }
        let at = place(at);
        if at - self.end() > TOLERANCE {
            self.go_to(at + CUSHION);
        }
        // Nobody is given a moment twice, even if the listener is ahead of the packets.
        self.go_to(self.given);
        if self.is_pause(samples) {
            self.go_to(at + LATE);
            let over = (self.end() - at - EARLY).clamp(0, samples.len() as i64);
            samples = &samples[over as usize..];
        }
        let lag = self.end() + samples.len() as i64 - at;
        if lag > MOST {
            self.fall_back(samples, lag - REST);
        } else {
            self.append(samples);
        }
    }

    /// Appends the samples up to [`DELAY`] before `until`, silence where there were none; but no
    /// more than a second of them. Tells whether there are more.
    pub fn take(&mut self, until: Duration, samples: &mut Vec<f32>) -> bool {
        let due = place(until.saturating_sub(DELAY)) - self.given;
        let wanted = due.clamp(0, GIVEN);
        let silence = (self.start - self.given).clamp(0, wanted);
        let sound = (wanted - silence).min(self.held.len() as i64);
        let length = samples.len() + wanted as usize;
        samples.resize(samples.len() + silence as usize, 0.0);
        samples.extend(self.held.drain(..sound as usize));
        samples.resize(length, 0.0);
        self.start += sound;
        self.given += wanted;
        due > wanted
    }

    /// How many samples nobody was given, because they came in too large a burst, or too long
    /// before anybody asked. What a pause was shortened by does not count.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Where the next sample belongs that is pushed.
    fn end(&self) -> i64 {
        self.start + self.held.len() as i64
    }

    /// Silence up to `place`, if it is not reached.
    fn go_to(&mut self, place: i64) {
        let silence = place - self.end();
        if silence <= 0 {
            return;
        }
        if self.held.is_empty() || silence >= ROOM as i64 {
            self.dropped += self.held.len() as u64;
            self.held.clear();
            self.start = place;
        } else {
            self.make_room(silence as usize);
            self.held.extend(std::iter::repeat_n(0.0, silence as usize));
        }
    }

    fn append(&mut self, samples: &[f32]) {
        self.make_room(samples.len());
        self.held.extend(samples);
    }

    /// Gives up the moments that nobody asked for in time.
    fn make_room(&mut self, samples: usize) {
        let over = (self.held.len() + samples).saturating_sub(ROOM).min(self.held.len());
        self.held.drain(..over);
        self.start += over as i64;
        self.dropped += over as u64;
    }

    /// Appends the samples, and drops `over` of the oldest: first silence that is still to be
    /// given, then sound.
    fn fall_back(&mut self, samples: &[f32], over: i64) {
        let silence = (self.start - self.given).clamp(0, over);
        self.start -= silence;
        let over = (over - silence) as usize;
        let old = over.min(self.held.len());
        let new = (over - old).min(samples.len());
        self.held.drain(..old);
        self.append(&samples[new..]);
        self.dropped += (old + new) as u64;
    }

    /// Whether these samples are part of a pause.
    fn is_pause(&mut self, samples: &[f32]) -> bool {
        let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        let grown = self.noise * (1.0 + samples.len() as f32 / MEMORY);
        self.noise = grown.min(peak).clamp(LEAST_NOISE, MOST_NOISE);
        let before = self.quiet;
        let is_quiet = peak <= 2.0 * self.noise;
        self.quiet = if is_quiet { before + samples.len() as i64 } else { 0 };
        is_quiet && before >= PAUSE
    }
}

/// What was said stays private.
impl fmt::Debug for Playout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (given, held) = (self.given, self.held.len());
        write!(f, "Playout({given} given, {held} held, {} dropped)", self.dropped)
    }
}

/// The sample of a moment.
fn place(moment: Duration) -> i64 {
    let whole = i64::try_from(moment.as_secs()).unwrap_or(LAST).min(LAST / i64::from(RATE));
    whole * i64::from(RATE) + i64::from(moment.subsec_micros() / 125)
}

#[cfg(test)]
mod tests;
