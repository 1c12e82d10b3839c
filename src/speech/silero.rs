//! Silero voice activity detection at 8 kHz (MIT, <https://github.com/snakers4/silero-vad>).

use ort::session::Session;
use ort::value::TensorRef;

use super::SpeechError;
use crate::audio::voice::WINDOW;

/// Samples of the window before that the model wants to see.
const CONTEXT: usize = 32;

/// Elements of the recurrent state, shape [2, 1, 128].
const STATE: usize = 2 * 128;

/// Elements of one layer of it.
const LAYER: usize = STATE / 2;

/// The model. One serves any number of legs; each brings its own [`VoiceState`].
///
/// The windows of several legs go through it at once: [`add`](Self::add) each, [`run`](Self::run),
/// [`take`](Self::take) each. 32 at once cost a quarter of what they cost one by one.
#[derive(Debug)]
pub struct Silero {
    session: Session,
    /// The windows of the batch, each with its context.
    input: Vec<f32>,
    /// The states of the batch by layer; what the model made of them after [`run`](Self::run).
    layers: [Vec<f32>; 2],
    /// The layers one after the other, as the model wants them.
    recurrent: Vec<f32>,
    probabilities: Vec<f32>,
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
    /// Takes in a window, whether or not its probability is wanted.
    pub fn pass(&mut self, window: &[f32; WINDOW]) {
        self.input.copy_within(WINDOW.., 0);
        self.input[CONTEXT..].copy_from_slice(window);
    }
}

impl Silero {
    /// Wraps a loaded `silero_vad.onnx`.
    pub fn new(session: Session) -> Self {
        let (input, layers) = (Vec::new(), Default::default());
        Self { session, input, layers, recurrent: Vec::new(), probabilities: Vec::new() }
    }

    /// Adds the last window of a leg, which [passed](VoiceState::pass), to the batch.
    pub fn add(&mut self, state: &VoiceState) {
        if self.input.is_empty() {
            // What nobody took of the batch before.
            self.layers.iter_mut().for_each(Vec::clear);
        }
        self.input.extend_from_slice(&state.input);
        for (layer, own) in self.layers.iter_mut().zip(state.recurrent.chunks_exact(LAYER)) {
            layer.extend_from_slice(own);
        }
    }

    /// Judges the windows of the batch.
    ///
    /// # Errors
    /// When the runtime fails; the batch is empty then.
    pub fn run(&mut self) -> Result<(), SpeechError> {
        let legs = self.input.len() / (CONTEXT + WINDOW);
        self.probabilities.clear();
        let done = if legs == 0 { Ok(()) } else { self.infer(legs) };
        self.input.clear();
        done.map_err(|error| SpeechError::Model { model: "voice", problem: error.to_string() })
    }

    /// The probability, 0…1, that the window of the `leg` that was added as that one, from 0, is
    /// speech; its state goes on.
    pub fn take(&mut self, leg: usize, state: &mut VoiceState) -> f32 {
        for (layer, own) in self.layers.iter().zip(state.recurrent.chunks_exact_mut(LAYER)) {
            if let Some(new) = layer.get(leg * LAYER..(leg + 1) * LAYER) {
                own.copy_from_slice(new);
            }
        }
        self.probabilities.get(leg).copied().unwrap_or(0.0)
    }

    fn infer(&mut self, legs: usize) -> ort::Result<()> {
        self.recurrent.clear();
        self.layers.iter().for_each(|layer| self.recurrent.extend_from_slice(layer));
        let inputs = ort::inputs! {
            "input" => TensorRef::from_array_view(([legs, CONTEXT + WINDOW], &self.input[..]))?,
            "state" => TensorRef::from_array_view(([2, legs, LAYER], &self.recurrent[..]))?,
            "sr" => TensorRef::from_array_view(([0_usize; 0], &[8_000_i64][..]))?,
        };
        let outputs = self.session.run(inputs)?;
        let missing = || ort::Error::new("the model has no 'stateN' or no 'output'");
        let recurrent = outputs.get("stateN").ok_or_else(missing)?;
        let (_, recurrent) = recurrent.try_extract_tensor::<f32>()?;
        let probabilities = outputs.get("output").ok_or_else(missing)?;
        let (_, probabilities) = probabilities.try_extract_tensor::<f32>()?;
        if recurrent.len() != legs * STATE || probabilities.len() != legs {
            return Err(ort::Error::new("stateN is not [2, legs, 128], or output not [legs, 1]"));
        }
        for (layer, new) in self.layers.iter_mut().zip(recurrent.chunks_exact(legs * LAYER)) {
            layer.copy_from_slice(new);
        }
        self.probabilities.extend_from_slice(probabilities);
        Ok(())
    }
}
