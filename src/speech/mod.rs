//! Samples → utterances: voice activity, endpointing, recognition.

pub mod listener;
pub mod moonshine;
pub mod reported;
pub mod scripted;
pub mod silero;
pub mod tokens;

use crate::private::Private;

/// What a recogniser heard in one segment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recognition {
    /// The words, with punctuation where the recogniser gives it. Empty: nothing intelligible.
    pub text: Private<String>,
    /// Mean probability of the tokens, 0…1, where the recogniser tells it.
    pub confidence: Option<f32>,
}

/// Turns a segment of speech into words: the one trait of the pipeline.
pub trait Recogniser: Send {
    /// Recognises `samples`: mono, 8 kHz, −1…1, from 0.1 to some 12 seconds.
    ///
    /// # Errors
    /// When the model fails; the audio itself is never an error.
    fn recognise(&mut self, samples: &[f32]) -> Result<Recognition, SpeechError>;
}

/// Why speech could not be recognised.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// The runtime refused or failed.
    #[error("the {model} model failed: {problem}")]
    Model {
        /// Which model.
        model: &'static str,
        /// What the runtime says.
        problem: String,
    },
    /// The model is not the one this program knows.
    #[error("the {model} model has an unknown form ({problem}): fetch it again")]
    Form {
        /// Which model.
        model: &'static str,
        /// What was expected.
        problem: String,
    },
    /// The resampler refused.
    #[error("resampling failed: {0}")]
    Resample(String),
}
