//! One call's audio → utterances and signals.

use super::silero::{Silero, VoiceState};
use super::{Recogniser, SpeechError};
use crate::audio::frames::Frames;
use crate::audio::gate::Gate;
use crate::audio::keying::{Keying, Source};
use crate::audio::keypad::Keypad;
use crate::audio::meter::{Measured, Meter};
use crate::audio::progress::{Progress, Tone};
use crate::audio::voice::{Endpointer, Endpointing, RATE, Segment, WINDOW};
use crate::call::{Digit, Leg, Signal, SignalKind, Sound, Utterance};
use crate::time::CallTime;

/// Nothing beyond this comes from a decoder.
const LOUDEST: f32 = 8.0;

/// Listens to one leg of a call.
pub struct Listener {
    leg: Leg,
    frames: Frames,
    gate: Gate,
    meter: Meter,
    voice: VoiceState,
    endpointer: Endpointer,
    progress: Progress,
    keypad: Keypad,
    keying: Keying,
    /// Samples taken in since the start of the call.
    taken: u64,
    /// The window that is being filled.
    window: Vec<f32>,
}

impl Listener {
    /// Starts on a leg.
    pub fn new(leg: Leg, endpointing: Endpointing) -> Self {
        Self {
            leg,
            frames: Frames::new(),
            gate: Gate::default(),
            meter: Meter::default(),
            voice: VoiceState::default(),
            endpointer: Endpointer::new(endpointing),
            progress: Progress::new(),
            keypad: Keypad::new(),
            keying: Keying::default(),
            taken: 0,
            window: Vec::with_capacity(WINDOW),
        }
    }

    /// Whether somebody speaks just now.
    pub fn is_speaking(&self) -> bool {
        self.endpointer.is_speaking()
    }

    /// Whose voice it carries.
    pub const fn leg(&self) -> Leg {
        self.leg
    }

    /// What the line is like so far.
    pub fn measured(&self) -> Measured {
        self.meter.measured()
    }

    /// Time passes in which nothing is listened to.
    pub fn pass(&mut self, now: CallTime, mut heard: impl FnMut(Sound)) {
        let leg = self.leg;
        self.taken = now.0 * u64::from(RATE) / 1000;
        self.keying.pass(now, |kind| heard(Sound::Signal(Signal { leg, at: now, kind })));
    }

    /// The exchange saw a key. What its tones say is nothing new then.
    pub fn key(&mut self, digit: Digit, at: CallTime, mut heard: impl FnMut(Sound)) {
        let leg = self.leg;
        let tell = |kind| heard(Sound::Signal(Signal { leg, at, kind }));
        self.keying.key(digit, at, Source::Exchange, tell);
    }

    /// Tones and keys.
    fn signals(&mut self, samples: &[f32], heard: &mut impl FnMut(Sound)) {
        let leg = self.leg;
        let mut tell = |kind, at| heard(Sound::Signal(Signal { leg, at, kind }));
        self.progress.push(samples, |found| tell(signal_of(found.tone), call_time(found.at)));
        let keying = &mut self.keying;
        self.keypad.push(samples, |key| {
            let at = call_time(key.at);
            keying.key(key.digit, at, Source::Tones, |kind| tell(kind, at));
        });
        self.taken += samples.len() as u64;
        let now = call_time(self.taken);
        self.keying.pass(now, |kind| tell(kind, now));
    }

    /// The leg ends: what was being said is recognised.
    ///
    /// # Errors
    /// When a model fails.
    pub fn finish(
        &mut self,
        recogniser: &mut dyn Recogniser,
        mut heard: impl FnMut(Sound),
    ) -> Result<(), SpeechError> {
        let (leg, at) = (self.leg, self.keying.pressed_at());
        self.keying.finish(|kind| heard(Sound::Signal(Signal { leg, at, kind })));
        match self.endpointer.finish() {
            Some(segment) => self.recognise(&segment, recogniser, &mut heard),
            None => Ok(()),
        }
    }

    /// Fills the window from `samples`, from `taken` on; true when it is full.
    fn fill(&mut self, samples: &[f32], taken: &mut usize) -> bool {
        let rest = samples.get(*taken..).unwrap_or_default();
        let now = rest.len().min(WINDOW - self.window.len());
        // One that is no number would make the detector deaf for the rest of the call.
        let sound = |sample: &f32| if sample.abs() <= LOUDEST { *sample } else { 0.0 };
        self.window.extend(rest[..now].iter().map(sound));
        *taken += now;
        self.window.len() == WINDOW
    }

    /// Whether the window that is full is worth the detector's time.
    fn may_be_voice(&mut self) -> bool {
        let Ok(window) = <&[f32; WINDOW]>::try_from(self.window.as_slice()) else { return false };
        self.voice.pass(window);
        let (mut may_be_voice, gate) = (false, &mut self.gate);
        self.frames.push(window, |_, power| may_be_voice |= gate.opens(power));
        may_be_voice || self.endpointer.is_speaking()
    }

    /// The window that is full is judged.
    fn judge(
        &mut self,
        probability: f32,
        recogniser: &mut dyn Recogniser,
        heard: &mut impl FnMut(Sound),
    ) -> Result<(), SpeechError> {
        let Ok(window) = <&[f32; WINDOW]>::try_from(self.window.as_slice()) else { return Ok(()) };
        let segment = self.endpointer.push(window, probability);
        self.window.clear();
        match segment {
            Some(segment) => self.recognise(&segment, recogniser, heard),
            None => Ok(()),
        }
    }

    fn recognise(
        &self,
        segment: &Segment,
        recogniser: &mut dyn Recogniser,
        heard: &mut impl FnMut(Sound),
    ) -> Result<(), SpeechError> {
        let recognition = recogniser.recognise(&segment.samples)?;
        if !recognition.text.reveal().is_empty() {
            heard(Sound::Speech(Utterance {
                leg: self.leg,
                start: call_time(segment.start),
                end: call_time(segment.end()),
                text: recognition.text,
                confidence: recognition.confidence,
                is_final: true,
            }));
        }
        Ok(())
    }
}

/// Legs that are heard together: their windows go through the detector of voice at once.
#[derive(Debug, Default)]
pub struct Together {
    /// How much of each block was taken.
    taken: Vec<usize>,
    /// The legs whose window is full.
    full: Vec<usize>,
    /// Those of them that are worth the detector's time.
    asked: Vec<usize>,
}

impl Together {
    /// Takes in samples of each leg (8 kHz, −1…1, in blocks of any size), and tells what was heard.
    /// The legs may be of any number of calls; `heard` is given the index of the leg.
    ///
    /// # Errors
    /// The first failure of a model; the other legs are heard all the same.
    pub fn push(
        &mut self,
        legs: &mut [Listener],
        blocks: &[impl AsRef<[f32]>],
        silero: &mut Silero,
        recogniser: &mut dyn Recogniser,
        mut heard: impl FnMut(usize, Sound),
    ) -> Result<(), SpeechError> {
        self.taken.clear();
        self.taken.resize(legs.len(), 0);
        for (number, (leg, block)) in legs.iter_mut().zip(blocks).enumerate() {
            leg.meter.push(block.as_ref());
            leg.signals(block.as_ref(), &mut |sound| heard(number, sound));
        }
        let mut done = Ok(());
        loop {
            self.full.clear();
            self.asked.clear();
            let blocks = legs.iter_mut().zip(blocks).zip(&mut self.taken).enumerate();
            for (number, ((leg, block), taken)) in blocks {
                if leg.fill(block.as_ref(), taken) {
                    self.full.push(number);
                    if leg.may_be_voice() {
                        silero.add(&leg.voice);
                        self.asked.push(number);
                    }
                }
            }
            if self.full.is_empty() {
                return done;
            }
            // Without a judgement there is no voice.
            done = done.and(silero.run());
            for &number in &self.full {
                let leg = &mut legs[number];
                let asked = self.asked.iter().position(|asked| *asked == number);
                let probability = asked.map_or(0.0, |place| silero.take(place, &mut leg.voice));
                let judged = leg.judge(probability, recogniser, &mut |sound| heard(number, sound));
                done = done.and(judged);
            }
        }
    }
}

/// What a tone tells: its country does not matter.
const fn signal_of(tone: Tone) -> SignalKind {
    match tone {
        Tone::Dial | Tone::DialEu => SignalKind::DialTone,
        Tone::Ringback | Tone::RingbackUk | Tone::RingbackEu => SignalKind::RingingTone,
        Tone::Busy
        | Tone::BusyUk
        | Tone::BusyEu
        | Tone::Reorder
        | Tone::CongestionUk
        | Tone::CongestionEu => SignalKind::EngagedTone,
        Tone::UnobtainableUk | Tone::Sit => SignalKind::UnobtainableTone,
        Tone::Cng | Tone::Ans | Tone::Bell => SignalKind::DataTone,
    }
}

fn call_time(sample: u64) -> CallTime {
    CallTime(sample * 1000 / u64::from(RATE))
}
