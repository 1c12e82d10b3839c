//! What a source reports beside words: keys that an exchange saw, and the features that a probe
//! sends in place of audio. It becomes the signals that one's own ears would have heard.

use crate::audio::keying::{Keying, Source};
use crate::audio::talk::SpeaksMost;
use crate::audio::{frames, mel};
use crate::call::{Digit, Leg, Signal, SignalKind};
use crate::time::CallTime;
use crate::wire::features::{self, Flags, Frame};

/// The time between two feature frames of a leg.
const FRAME_MS: u64 = 10;
// What is computed here and what is sent are the same features.
const _: () = assert!(features::BANDS == mel::BANDS && features::HOP == frames::HOP);
const _: () = assert!(features::RATE == frames::RATE);
/// A tone whose flag was not set for so long has ended: cadences have gaps of 4 s at most.
const GAP_MS: u64 = 5_000;
/// Two keys are apart if the flag was not set in between.
const KEY_GAP_MS: u64 = 20;

/// The flags of tones, and what each tells.
const TONES: [(Flags, SignalKind); 6] = [
    (Flags::DIAL, SignalKind::DialTone),
    (Flags::BUSY, SignalKind::EngagedTone),
    (Flags::RINGING, SignalKind::RingingTone),
    (Flags::UNOBTAINABLE, SignalKind::UnobtainableTone),
    (Flags::FAX, SignalKind::DataTone),
    (Flags::ANSWER, SignalKind::DataTone),
];

/// What was reported of one call.
#[derive(Debug, Clone)]
pub struct Reported {
    legs: [OfLeg; 3],
    talk: SpeaksMost,
    /// The leg whose frames are the ticks of the clock: the first that sent one.
    ticks: Option<Leg>,
}

/// What was reported of one leg.
#[derive(Debug, Clone, Default)]
struct OfLeg {
    keying: Keying,
    has_voice: bool,
    /// When its last frame began.
    framed: Option<CallTime>,
    /// When each tone was last flagged.
    tones: [Option<CallTime>; TONES.len()],
    key: Option<CallTime>,
}

impl Default for Reported {
    fn default() -> Self {
        Self { legs: Default::default(), talk: SpeaksMost::new(FRAME_MS), ticks: None }
    }
}

impl Reported {
    /// The exchange saw a key.
    pub fn key(&mut self, leg: Leg, digit: Digit, at: CallTime, mut heard: impl FnMut(Signal)) {
        let keying = &mut self.legs[leg as usize].keying;
        keying.key(digit, at, Source::Exchange, |kind| heard(Signal { leg, at, kind }));
    }

    /// Time passes.
    pub fn pass(&mut self, at: CallTime, mut heard: impl FnMut(Signal)) {
        for leg in [Leg::Remote, Leg::Protected, Leg::Mixed] {
            let keying = &mut self.legs[leg as usize].keying;
            keying.pass(at, |kind| heard(Signal { leg, at, kind }));
        }
    }

    /// The call ends.
    pub fn finish(&mut self, mut heard: impl FnMut(Signal)) {
        for leg in [Leg::Remote, Leg::Protected, Leg::Mixed] {
            let keying = &mut self.legs[leg as usize].keying;
            let at = keying.pressed_at();
            keying.finish(|kind| heard(Signal { leg, at, kind }));
        }
    }

    /// Whether a number is being keyed, so that a pause tells something.
    pub fn is_keyed(&self) -> bool {
        self.legs.iter().any(|leg| leg.keying.is_under_way())
    }

    /// A probe sent the features of a frame. Its flags count; its mel bands are for recognisers
    /// that take features.
    pub fn frame(&mut self, frame: &Frame, mut heard: impl FnMut(Signal)) {
        let (leg, at) = (frame.leg, CallTime(frame.ms));
        let own = &mut self.legs[leg as usize];
        own.has_voice = frame.flags.has(Flags::VOICE);
        own.framed = Some(at);
        for ((flag, kind), last) in TONES.iter().zip(&mut own.tones) {
            if frame.flags.has(*flag) && begins(last, at, GAP_MS) {
                heard(Signal { leg, at, kind: *kind });
            }
        }
        if frame.flags.has(Flags::KEY) && begins(&mut own.key, at, KEY_GAP_MS) {
            own.keying.hidden_key(at, |kind| heard(Signal { leg, at, kind }));
        } else {
            own.keying.pass(at, |kind| heard(Signal { leg, at, kind }));
        }
        if *self.ticks.get_or_insert(leg) == leg {
            let [remote, protected, _] = &self.legs;
            // Of a leg that sends nothing it is not known whether it speaks.
            let is_heard = |leg: &OfLeg| leg.framed.is_some_and(|last| at.ms_since(last) < GAP_MS);
            let both = is_heard(remote) && is_heard(protected);
            let most = both.then(|| self.talk.push(remote.has_voice, protected.has_voice));
            most.flatten().into_iter().for_each(|leg| {
                heard(Signal { leg, at, kind: SignalKind::SpeaksMost });
            });
        }
    }
}

/// Notes that a flag is set; true if it was not just before.
fn begins(last: &mut Option<CallTime>, at: CallTime, gap_ms: u64) -> bool {
    let before = last.replace(at);
    before.is_none_or(|before| at.ms_since(before) > gap_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::mel::BANDS;

    fn frame(leg: Leg, ms: u64, flags: Flags) -> Frame {
        Frame { leg, flags, ms, mel: [0.0; BANDS] }
    }

    #[test]
    fn a_tone_is_told_when_it_begins_whatever_its_cadence() {
        let (mut reported, mut heard) = (Reported::default(), Vec::new());
        for ms in (0..20_000).step_by(10) {
            let rings = ms % 3_000 < 400;
            let flags = if rings { Flags::RINGING } else { Flags::default() };
            reported.frame(&frame(Leg::Remote, ms, flags), |signal| heard.push(signal));
        }
        let dial = frame(Leg::Remote, 30_000, Flags::DIAL);
        reported.frame(&dial, |signal| heard.push(signal));
        let ringing = frame(Leg::Remote, 31_000, Flags::RINGING);
        reported.frame(&ringing, |signal| heard.push(signal));
        let kinds: Vec<_> = heard.iter().map(|signal| signal.kind).collect();
        let (ringing, dial) = (SignalKind::RingingTone, SignalKind::DialTone);
        assert_eq!(kinds, [ringing, dial, ringing]);
    }

    #[test]
    fn keys_are_counted_and_the_exchanges_own_are_read() {
        let (mut reported, mut heard) = (Reported::default(), Vec::new());
        for ms in (0..6_000).step_by(10) {
            let pressed = ms < 2_500 && ms % 500 < 60;
            let flags = if pressed { Flags::KEY } else { Flags::default() };
            reported.frame(&frame(Leg::Protected, ms, flags), |signal| heard.push(signal.kind));
        }
        assert_eq!(heard, [SignalKind::KeypadDigits]);
        heard.clear();
        for (at, key) in [(10_000, '1'), (10_300, '5'), (10_600, '9')] {
            let digit = Digit::from_char(key).expect("a key");
            reported.key(Leg::Protected, digit, CallTime(at), |signal| heard.push(signal.kind));
        }
        assert!(heard.is_empty() && reported.is_keyed());
        reported.pass(CallTime(12_000), |signal| heard.push(signal.kind));
        assert_eq!(heard, [SignalKind::BankDialled]);
    }

    #[test]
    fn who_speaks_most_follows_from_the_voice_flags() {
        let (mut reported, mut heard) = (Reported::default(), Vec::new());
        for ms in (0..130_000).step_by(10) {
            let (remote, protected) = (frame(Leg::Remote, ms, Flags::VOICE), Flags::default());
            reported.frame(&remote, |signal| heard.push(signal));
            let protected = frame(Leg::Protected, ms, protected);
            reported.frame(&protected, |signal| heard.push(signal));
        }
        assert_eq!(heard.len(), 1);
        assert_eq!((heard[0].leg, heard[0].kind), (Leg::Remote, SignalKind::SpeaksMost));
    }
}
