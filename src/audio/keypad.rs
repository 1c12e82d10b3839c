//! Recognises the keys of a telephone by their tones (DTMF, ITU-T Q.23).
//!
//! The receiver keeps to ITU-T Q.24 and ETSI ES 201 235-3. It cuts the audio into segments of 8 ms,
//! fits the two tones of the likeliest key to each, and reports a key when segments in a row hold
//! the same one: long, pure and steady enough, on frequency, and neither tone too weak.

mod dial;
mod pair;
mod run;

use std::fmt;

use crate::call::Digit;
use pair::{Pair, Place, SEGMENT, Tables};
use run::{FULL, Run};

/// The signs on the keys, by row and column (ITU-T Q.23), as events of RFC 4733.
const EVENTS: [[u8; 4]; 4] = [[1, 2, 3, 12], [4, 5, 6, 13], [7, 8, 9, 14], [10, 0, 11, 15]];

/// Interruption in samples, 24 ms, after which the same key was pressed again. Up to 10 ms it must
/// not be, from 40 ms on it must (Q.24); a lost packet of 20 ms does not make two keys of one.
const PAUSE: u64 = 192;
/// Nothing beyond this comes from a decoder: what is larger, or no number, is taken for silence.
const LOUDEST: f32 = 8.0;

/// A key that was pressed. Times are in samples since the start of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Which key.
    pub digit: Digit,
    /// The sample after which it was recognised: 30 to 50 ms after the start, the sooner the purer
    /// it is.
    pub at: u64,
    /// The first sample of the tones, to within some 2 ms.
    pub start: u64,
}

/// A streaming receiver of telephone keys in one leg at 8 kHz.
///
/// * Levels: −45 dBm0 a tone up to full scale; the low tone up to 8 dB stronger than the high one,
///   the high one up to 4 dB stronger than the low one.
/// * Frequencies: off by 2 % at most; never by 2.5 % or more.
/// * Times: tones of 34 ms, in noise 40 ms, and more; never of less than 28 ms. The same key counts
///   twice after a pause of 24 ms; another one needs no pause.
/// * Noise 6 dB below each tone, and a dial tone as loud as the key, do no harm.
///
/// The result does not depend on how the samples are cut into pushes. Allocates nothing.
pub struct Keypad {
    tables: &'static Tables,
    /// The last segments, in turn; the one that is being filled is the oldest.
    recent: [[f32; SEGMENT]; dial::SEGMENTS],
    /// Samples taken in since the start of the stream.
    taken: u64,
    run: Option<Run>,
    /// Where the last key is and the sample at which it ended.
    last: Option<(Place, u64)>,
}

impl Keypad {
    /// A receiver at the start of a stream.
    pub fn new() -> Self {
        Self {
            tables: Tables::shared(),
            recent: [[0.0; SEGMENT]; dial::SEGMENTS],
            taken: 0,
            run: None,
            last: None,
        }
    }

    /// Takes in `samples` in −1…1 and hands each key to `found` as soon as it is recognised.
    pub fn push(&mut self, mut samples: &[f32], mut found: impl FnMut(Key)) {
        while !samples.is_empty() {
            let filled = (self.taken % SEGMENT as u64) as usize;
            let (now, later) = samples.split_at(samples.len().min(SEGMENT - filled));
            let newest = (self.taken / SEGMENT as u64) as usize % dial::SEGMENTS;
            for (to, &sample) in self.recent[newest][filled..].iter_mut().zip(now) {
                *to = if sample.abs() <= LOUDEST { sample } else { 0.0 };
            }
            self.taken += now.len() as u64;
            samples = later;
            if filled + now.len() == SEGMENT
                && let Some(key) = self.next()
            {
                found(key);
            }
        }
    }

    /// The segment that was filled `ago` segments before the newest.
    fn segment(&self, ago: u64) -> &[f32; SEGMENT] {
        let filled = self.taken / SEGMENT as u64 + dial::SEGMENTS as u64;
        &self.recent[((filled - 1 - ago) % dial::SEGMENTS as u64) as usize]
    }

    /// Looks at the segment that was just filled.
    fn next(&mut self) -> Option<Key> {
        let Some(mut run) = self.run.take() else {
            // A key fills three segments or more: every other one is enough to find it.
            let is_due = (self.taken / SEGMENT as u64).is_multiple_of(2);
            let pair = if is_due { self.tables.find(self.segment(0)) } else { None };
            self.run = pair.map(|pair| self.begin(&pair));
            return None;
        };
        let pair = self.tables.find(self.segment(0));
        let next = pair.filter(|pair| run.goes_on(pair));
        let fit = |ago| self.tables.fit(run.place, self.segment(ago));
        match &next {
            Some(pair) => {
                let lead = (run.full + 1 == FULL).then(|| fit(u64::from(FULL)));
                run.extend(pair);
                lead.iter().for_each(|lead| run.lead(lead));
            }
            None if run.full >= FULL => run.close(&fit(0)),
            None => {}
        }
        let key = self.report(&mut run);
        if run.is_known {
            self.last = Some((run.place, run.end));
        }
        self.run = match next {
            Some(_) => Some(run),
            None => pair.map(|pair| self.begin(&pair)),
        };
        key
    }

    /// A run that is found to be on in the newest segment: it began there or in the one before.
    fn begin(&self, pair: &Pair) -> Run {
        let run = Run::new(pair, self.taken);
        let Some(before) = self.tables.find(self.segment(1)).filter(|it| run.goes_on(it)) else {
            return run;
        };
        let mut run = Run::new(&before, self.taken - SEGMENT as u64);
        run.extend(pair);
        run
    }

    /// The key of a run, once, unless it is the last key after a short interruption.
    fn report(&self, run: &mut Run) -> Option<Key> {
        let recent = (0..dial::SEGMENTS as u64).rev().map(|ago| self.segment(ago));
        if run.is_known || !run.is_key(|| dial::power(recent)) {
            return None;
        }
        run.is_known = true;
        let goes_on = |(place, end)| place == run.place && run.start < end + PAUSE;
        let digit = Digit::from_event(EVENTS[run.place.row][run.place.column])?;
        let key = Key { digit, at: self.taken, start: run.start };
        (!self.last.is_some_and(goes_on)).then_some(key)
    }
}

/// It holds keys and audio, and prints neither.
impl fmt::Debug for Keypad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keypad").field("taken", &self.taken).finish_non_exhaustive()
    }
}

impl Default for Keypad {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
