//! Silero voice activity detection at 8 kHz (MIT, <https://github.com/snakers4/silero-vad>).

use ort::session::Session;
use ort::value::TensorRef;

use super::SpeechError;
use crate::audio::voice::WINDOW;

/// Samples of the window before that the model wants to see.
const CONTEXT: usize = 32;

/// Elements of the recurrent state, shape [2, 1, 128].
const STATE: usize = 2 * 128;

/// The model. One serves any number of legs; each brings its own [`VoiceState`].
#[derive(Debug)]
pub struct Silero {
    session: Session,
}

/// What the model remembers of one leg.
#[derive(Clone)]
pub struct VoiceState {
    recurrent: [f32; STATE],
    input: [f32; CONTEXT + WINDOW],
}

impl Default for VoiceState {
    fn default() -> Self {
        Self { recurrent: [0.0; STATE], input: [0.0; CONTEXT + WINDOW] }
    }
}

impl VoiceState {
    /// Takes in a window that needs no probability.
    pub fn pass(&mut self, window: &[f32; WINDOW]) {
        self.input.copy_within(WINDOW.., 0);
        self.input[CONTEXT..].copy_from_slice(window);
    }
}

impl Silero {
    /// Wraps a loaded `silero_vad.onnx`.
    pub const fn new(session: Session) -> Self {
        Self { session }
    }

    /// The probability, 0…1, that `window` (32 ms at 8 kHz) is speech.
    ///
    /// # Errors
    /// When the runtime fails.
    pub fn probability(
        &mut self,
        state: &mut VoiceState,
        window: &[f32; WINDOW],
    ) -> Result<f32, SpeechError> {
        state.pass(window);
        self.run(state)
            .map_err(|error| SpeechError::Model { model: "voice", problem: error.to_string() })
    }

    fn run(&mut self, state: &mut VoiceState) -> ort::Result<f32> {
        let inputs = ort::inputs! {
            "input" => TensorRef::from_array_view(([1, CONTEXT + WINDOW], &state.input[..]))?,
            "state" => TensorRef::from_array_view(([2, 1, 128], &state.recurrent[..]))?,
            "sr" => TensorRef::from_array_view(([0_usize; 0], &[8_000_i64][..]))?,
        };
        let outputs = self.session.run(inputs)?;
        let missing = || ort::Error::new("the model has no 'stateN' or no 'output'");
        let recurrent = outputs.get("stateN").ok_or_else(missing)?;
        let (_, recurrent) = recurrent.try_extract_tensor::<f32>()?;
        let probability = outputs.get("output").ok_or_else(missing)?;
        let (_, probability) = probability.try_extract_tensor::<f32>()?;
        if recurrent.len() != STATE {
            return Err(ort::Error::new("stateN is not [2, 1, 128]"));
        }
        let probability = probability.first().copied().unwrap_or(0.0);
        state.recurrent.copy_from_slice(recurrent);
        Ok(probability)
    }
}
