//! One call's audio → utterances and signals.

use super::silero::{Silero, VoiceState};
use super::{Recogniser, SpeechError};
use crate::audio::gate::Gate;
use crate::audio::tones::DialTone;
use crate::audio::voice::{Endpointer, Endpointing, RATE, Segment, WINDOW};
use crate::call::{Leg, Signal, SignalKind, Utterance};
use crate::time::CallTime;

/// What was heard.
#[derive(Debug, Clone, PartialEq)]
pub enum Sound {
    /// Words.
    Speech(Utterance),
    /// Anything else.
    Signal(Signal),
}

/// Listens to one leg of a call.
pub struct Listener {
    leg: Leg,
    gate: Gate,
    voice: VoiceState,
    endpointer: Endpointer,
    dial_tone: DialTone,
    /// The window that is being filled.
    window: Vec<f32>,
}

impl Listener {
    /// Starts on a leg.
    pub fn new(leg: Leg, endpointing: Endpointing) -> Self {
        Self {
            leg,
            gate: Gate::default(),
            voice: VoiceState::default(),
            endpointer: Endpointer::new(endpointing),
            dial_tone: DialTone::new(),
            window: Vec::with_capacity(WINDOW),
        }
    }

    /// Takes in samples (8 kHz, −1…1, in blocks of any size) and tells what was heard.
    ///
    /// # Errors
    /// When a model fails.
    pub fn push(
        &mut self,
        samples: &[f32],
        silero: &mut Silero,
        recogniser: &mut dyn Recogniser,
        mut heard: impl FnMut(Sound),
    ) -> Result<(), SpeechError> {
        if let Some(sample) = self.dial_tone.push(samples) {
            let kind = SignalKind::DialTone;
            heard(Sound::Signal(Signal { leg: self.leg, at: call_time(sample), kind }));
        }
        for &sample in samples {
            self.window.push(sample);
            let Ok(window) = <&[f32; WINDOW]>::try_from(self.window.as_slice()) else { continue };
            let probability = if self.gate.opens(window) || self.endpointer.is_speaking() {
                silero.probability(&mut self.voice, window)?
            } else {
                self.voice.pass(window);
                0.0
            };
            let segment = self.endpointer.push(window, probability);
            self.window.clear();
            if let Some(segment) = segment {
                self.recognise(&segment, recogniser, &mut heard)?;
            }
        }
        Ok(())
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
        match self.endpointer.finish() {
            Some(segment) => self.recognise(&segment, recogniser, &mut heard),
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

fn call_time(sample: u64) -> CallTime {
    CallTime(sample * 1000 / u64::from(RATE))
}
