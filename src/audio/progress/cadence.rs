//! Which tone a sequence of sounds is.

use std::ops::Range;

use super::sound::{Heard, Sound};
use super::tone::{Found, HOP, Tone};
use crate::audio::spectrum::FRAME_SAMPLES;

/// Samples of a frame, at either end, that lie outside the sound on average in the outermost frame
/// of a burst. A frame counts while its power is within 3 dB of the full power: under a Hann window
/// until the sound covers less than 0.61 of the frame.
const OUTSIDE: u64 = (FRAME_SAMPLES as f64 * 0.39) as u64 - HOP as u64 / 2;
/// Highest ratio of the powers within a burst: 3 dB. An exchange's tone is steady; a struck note
/// fades.
const MOST_SWING: f32 = 2.0;
/// Frames without the sound inside a burst: a click or a reversed phase spoils that many.
const MOST_MISSES: u32 = 2;
/// Frames of the shortest burst, 96 ms. Where sounds change, a frame or two can look like a third.
const LEAST_FRAMES: u32 = 3;
/// A gap is quiet: this part of the burst's power at most, 6 dB less.
pub(super) const QUIET: f32 = 0.25;
/// Frames at each end of a gap that overlap the sound, and may be louder.
const EDGE_FRAMES: u32 = 2;
/// What came before is forgotten after so much silence, in ms: more than any cadence has.
const LONGEST_GAP: u32 = 5500;

/// A gap that makes one steady tone two, in ms. A click does not.
const CLICK: u32 = 256;

/// How long a burst or a gap lasts, in ms.
type Ms = Range<u32>;

/// When a sound is a tone.
#[derive(Debug)]
enum Pattern {
    /// It has lasted this long.
    Steady(u32),
    /// After one burst of it and so much quiet.
    Once { on: Ms, quiet: u32 },
    /// After two bursts of it, and between them a gap.
    Twice { on: Ms, off: Ms, again: Ms },
    /// It has lasted this long, right after two other sounds.
    Third { first: Sound, second: Sound, on: Ms },
}

/// So long, give or take 12 % for the exchange, and 32 ms, the time between two frames.
const fn about(ms: u32) -> Ms {
    ms - ms * 12 / 100 - 32..ms + ms * 12 / 100 + 32
}

const fn twice(on: u32, off: u32, again: u32) -> Pattern {
    Pattern::Twice { on: about(on), off: about(off), again: about(again) }
}

const TONES: [(Tone, Sound, Pattern); 17] = [
    (Tone::Dial, Sound::F350And440, Pattern::Steady(395)),
    (Tone::Ans, Sound::F2100, Pattern::Steady(395)),
    (Tone::Bell, Sound::F2225, Pattern::Steady(395)),
    // Longer than the longest burst of these frequencies, Spanish ringing of 1.5 s.
    (Tone::DialEu, Sound::F425, Pattern::Steady(1900)),
    (Tone::UnobtainableUk, Sound::F400, Pattern::Steady(1900)),
    (Tone::Busy, Sound::F480And620, twice(500, 500, 500)),
    (Tone::Reorder, Sound::F480And620, twice(250, 250, 250)),
    (Tone::BusyUk, Sound::F400, twice(375, 375, 375)),
    (Tone::CongestionUk, Sound::F400, twice(400, 350, 225)),
    (Tone::CongestionUk, Sound::F400, twice(225, 525, 400)),
    (Tone::BusyEu, Sound::F425, twice(500, 500, 500)),
    (Tone::CongestionEu, Sound::F425, twice(250, 250, 250)),
    (Tone::RingbackUk, Sound::F400And450, twice(400, 200, 400)),
    (Tone::Ringback, Sound::F440And480, Pattern::Once { on: about(2000), quiet: 100 }),
    (Tone::RingbackEu, Sound::F425, Pattern::Once { on: about(1000), quiet: 2500 }),
    // Give or take 15 % (ITU-T T.30).
    (Tone::Cng, Sound::F1100, Pattern::Once { on: 393..607, quiet: 500 }),
    // 330 ms each (ITU-T E.180); 276 or 380 ms in North America.
    (
        Tone::Sit,
        Sound::F1800,
        Pattern::Third { first: Sound::F950, second: Sound::F1400, on: 140..450 },
    ),
];

/// One sound without a break; times in samples.
#[derive(Debug, Clone, Copy)]
struct Burst {
    sound: Sound,
    start: u64,
    end: u64,
    frames: u32,
    weakest: f32,
    strongest: f32,
}

impl Burst {
    /// A burst whose first frame ends before `at`.
    fn new(sound: Sound, power: f32, at: u64) -> Self {
        let start = at.saturating_sub(FRAME_SAMPLES as u64) + OUTSIDE;
        let end = at.saturating_sub(OUTSIDE);
        Self { sound, start, end, frames: 1, weakest: power, strongest: power }
    }

    /// Takes in a frame that ends before `at`; false if it is something else.
    fn extend(&mut self, heard: Heard, at: u64) -> bool {
        let (weakest, strongest) = (self.weakest.min(heard.band), self.strongest.max(heard.band));
        let continues = heard.sound == Some(self.sound) && strongest <= MOST_SWING * weakest;
        if continues {
            (self.weakest, self.strongest) = (weakest, strongest);
            self.end = at.saturating_sub(OUTSIDE);
            self.frames = self.frames.saturating_add(1);
        }
        continues
    }

    fn ms(&self) -> u32 {
        ms(self.start, self.end)
    }

    fn ms_until(&self, later: &Self) -> u32 {
        ms(self.end, later.start)
    }
}

fn ms(from: u64, to: u64) -> u32 {
    u32::try_from(to.saturating_sub(from) / 8).unwrap_or(u32::MAX)
}

/// The tone recognised last.
#[derive(Debug)]
struct Last {
    tone: Tone,
    sound: Sound,
    /// When its sound was last heard.
    heard: u64,
    /// Silence in ms after which a tone is another tone.
    patience: u32,
}

/// The bursts and gaps heard last.
#[derive(Debug, Default)]
pub(super) struct Rhythm {
    /// The burst that sounds, or sounded until some misses ago.
    now: Option<Burst>,
    /// Frames since then.
    misses: u32,
    /// Frames of the present gap that are not quiet.
    loud: u32,
    /// The bursts before, the last first, each followed by a quiet gap.
    before: [Option<Burst>; 2],
    last: Option<Last>,
}

impl Rhythm {
    /// Takes in a frame that ends before `at`; the tone that it completes.
    pub fn hear(&mut self, heard: Heard, at: u64) -> Option<Found> {
        if self.now.as_mut().is_some_and(|burst| burst.extend(heard, at)) {
            self.go_on(at);
        } else {
            self.miss(heard, at);
        }
        if self.now.is_none() && self.before[0].is_none() {
            return None;
        }
        let (&(tone, sound, ref pattern), start) =
            TONES.iter().find_map(|known| Some((known, self.start(known.1, &known.2, at)?)))?;
        if self.last.as_ref().is_some_and(|last| last.tone == tone) {
            return None;
        }
        let patience = if let Pattern::Steady(_) = pattern { CLICK } else { LONGEST_GAP };
        self.last = Some(Last { tone, sound, heard: at, patience });
        Some(Found { tone, at, start })
    }

    /// The burst has become longer.
    fn go_on(&mut self, at: u64) {
        let Some(burst) = &self.now else { return };
        self.misses = 0;
        if burst.frames < LEAST_FRAMES {
            return;
        }
        if burst.frames == LEAST_FRAMES && self.loud > 2 * EDGE_FRAMES {
            self.before = [None; 2];
        }
        self.loud = 0;
        if let Some(last) = self.last.as_mut().filter(|last| last.sound == burst.sound) {
            if ms(last.heard, burst.start) > last.patience {
                self.last = None;
            } else {
                last.heard = at;
            }
        }
    }

    /// The frame is not what sounded before it: a click, the gap, or the next sound.
    fn miss(&mut self, heard: Heard, at: u64) {
        let established = self.now.filter(|burst| burst.frames >= LEAST_FRAMES);
        let is_loud = |burst: Burst| heard.band > QUIET * burst.strongest;
        self.loud += u32::from(established.or(self.before[0]).is_some_and(is_loud));
        self.misses += 1;
        let gives_way = established.is_none() && heard.sound.is_some();
        if self.now.is_some() && !gives_way && self.misses <= MOST_MISSES {
            return;
        }
        if established.is_some() {
            self.before = [established, self.before[0]];
        } else if let Some(young) = self.now {
            self.loud += young.frames;
        }
        if self.before[0].is_some_and(|burst| ms(burst.end, at) > LONGEST_GAP) {
            self.before = [None; 2];
        }
        self.now = heard.sound.map(|sound| Burst::new(sound, heard.band, at));
        self.misses = 0;
    }

    /// Where this pattern of this sound began, if it is what was heard last.
    fn start(&self, sound: Sound, pattern: &Pattern, at: u64) -> Option<u64> {
        let quiet = match (self.now, self.before[0]) {
            (None, Some(burst)) if self.loud <= EDGE_FRAMES => {
                ms(burst.end, at.saturating_sub(OUTSIDE))
            }
            _ => 0,
        };
        let now = self.now.filter(|_| self.misses == 0);
        let [latest, earlier] = self.before;
        let lasts = |burst: Option<Burst>, sound: Sound, long: &Ms| {
            burst.filter(|burst| burst.sound == sound && long.contains(&burst.ms()))
        };
        match pattern {
            Pattern::Steady(on) => lasts(now, sound, &(*on..u32::MAX)).map(|burst| burst.start),
            Pattern::Once { on, quiet: least } => {
                let burst = lasts(latest, sound, on)?;
                (quiet >= *least).then_some(burst.start)
            }
            Pattern::Twice { on, off, again } => {
                let (one, other) = (lasts(earlier, sound, on)?, lasts(latest, sound, again)?);
                (quiet > 0 && off.contains(&one.ms_until(&other))).then_some(one.start)
            }
            Pattern::Third { first, second, on } => {
                let (one, other) = (lasts(earlier, *first, on)?, lasts(latest, *second, on)?);
                let gap = one.ms_until(&other).max(other.ms_until(&lasts(now, sound, on)?));
                (gap < on.start).then_some(one.start)
            }
        }
    }
}
