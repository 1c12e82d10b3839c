//! Moonshine speech recognition: encoder, then a greedy decoder with a key-value cache.
//!
//! Useful Sensors, "Moonshine: Speech Recognition for Live Transcription and Voice Commands",
//! 2024. The encoder's cost grows with the audio, without padding; the decoder's with the words.

use ort::memory::Allocator;
use ort::session::{Session, SessionInputValue};
use ort::value::{DynValue, Tensor, TensorRef, ValueType};

use super::tokens::Tokens;
use super::{Recogniser, Recognition, SpeechError};
use crate::audio::resample::Resampler;

const START: i64 = 1;
const END: i64 = 2;
const MODEL_RATE: u32 = 16_000;

/// More tokens a second of audio than anyone speaks: the decoder has begun to repeat itself.
const TOKENS_PER_SECOND: f32 = 6.5;

/// The encoder's shortest input, 0.2 s, some of which its convolutions use up; shorter segments are
/// padded with silence.
const SHORTEST: usize = MODEL_RATE as usize / 5;

/// Names and shapes of the cache, read from the model once.
#[derive(Debug)]
struct Cache {
    /// Input, output; the decoder's and the encoder's.
    names: Vec<(String, String)>,
    heads: usize,
    width: usize,
}

/// A Moonshine model, tiny or base.
pub struct Moonshine {
    encoder: Session,
    decoder: Session,
    tokens: Tokens,
    cache: Cache,
    /// tiny wants attention masks, base has none.
    has_masks: bool,
    resampled: Vec<f32>,
}

impl Moonshine {
    /// Wraps loaded sessions.
    ///
    /// # Errors
    /// When the model's inputs are not those of Moonshine.
    pub fn new(encoder: Session, decoder: Session, tokens: Tokens) -> Result<Self, SpeechError> {
        let cache = Cache::read(&decoder)?;
        let has_masks = encoder.inputs().iter().any(|input| input.name() == "attention_mask");
        Ok(Self { encoder, decoder, tokens, cache, has_masks, resampled: Vec::new() })
    }

    fn decode(&mut self) -> ort::Result<Recognition> {
        let samples = self.resampled.len();
        let mask = vec![1_i64; if self.has_masks { samples } else { 0 }];
        let hidden = self.encode(&mask)?;
        let seconds = samples as f32 / MODEL_RATE as f32;
        let limit = (seconds * TOKENS_PER_SECOND).ceil() as usize;
        let mut past = self.cache.empty()?;
        let (mut tokens, mut sure) = (Vec::with_capacity(limit), 0.0);
        let mut last = START;
        for step in 0..limit {
            let (next, probability) = self.step(&hidden, &mask, last, step == 0, &mut past)?;
            if next == END {
                break;
            }
            tokens.push(next);
            sure += probability;
            last = next;
        }
        let confidence = (!tokens.is_empty()).then(|| sure / tokens.len() as f32);
        Ok(Recognition { text: self.tokens.text(&tokens).into(), confidence })
    }

    fn encode(&mut self, mask: &[i64]) -> ort::Result<DynValue> {
        let samples = self.resampled.len();
        let mut inputs: Vec<(&str, SessionInputValue<'_>)> = vec![(
            "input_values",
            TensorRef::from_array_view(([1, samples], self.resampled.as_slice()))?.into(),
        )];
        if self.has_masks {
            inputs
                .push(("attention_mask", TensorRef::from_array_view(([1, samples], mask))?.into()));
        }
        let mut outputs = self.encoder.run(inputs)?;
        outputs.remove("last_hidden_state").ok_or_else(|| missing("last_hidden_state"))
    }

    /// One token on: the most probable one, and its probability.
    fn step(
        &mut self,
        hidden: &DynValue,
        mask: &[i64],
        last: i64,
        is_first: bool,
        past: &mut [DynValue],
    ) -> ort::Result<(i64, f32)> {
        let token = [last];
        let use_cache = [!is_first];
        let mut inputs: Vec<(&str, SessionInputValue<'_>)> = Vec::with_capacity(past.len() + 4);
        inputs.push(("input_ids", TensorRef::from_array_view(([1, 1], &token[..]))?.into()));
        inputs.push(("encoder_hidden_states", hidden.into()));
        inputs
            .push(("use_cache_branch", TensorRef::from_array_view(([1], &use_cache[..]))?.into()));
        if self.has_masks {
            inputs.push((
                "encoder_attention_mask",
                TensorRef::from_array_view(([1, mask.len()], mask))?.into(),
            ));
        }
        for ((name, _), value) in self.cache.names.iter().zip(past.iter()) {
            inputs.push((name.as_str(), value.into()));
        }
        let mut outputs = self.decoder.run(inputs)?;
        let best = {
            let logits = outputs.get("logits").ok_or_else(|| missing("logits"))?;
            let (_, logits) = logits.try_extract_tensor::<f32>()?;
            most_probable(logits)
        };
        for ((name, present), value) in self.cache.names.iter().zip(past) {
            // The encoder's part is made in the first step and handed back empty afterwards.
            if is_first || !name.contains(".encoder.") {
                *value = outputs.remove(present).ok_or_else(|| missing(present))?;
            }
        }
        Ok(best)
    }
}

impl Recogniser for Moonshine {
    fn recognise(&mut self, samples: &[f32]) -> Result<Recognition, SpeechError> {
        self.resampled.clear();
        let resample =
            |error: crate::audio::resample::ResampleError| SpeechError::Resample(error.to_string());
        let mut resampler =
            Resampler::new(crate::audio::voice::RATE, MODEL_RATE).map_err(resample)?;
        resampler.push(samples, &mut self.resampled).map_err(resample)?;
        resampler.finish(&mut self.resampled).map_err(resample)?;
        if self.resampled.len() < SHORTEST {
            self.resampled.resize(SHORTEST, 0.0);
        }
        self.decode()
            .map_err(|error| SpeechError::Model { model: "speech", problem: error.to_string() })
    }
}

impl Cache {
    fn read(decoder: &Session) -> Result<Self, SpeechError> {
        let form = |problem: &str| SpeechError::Form { model: "speech", problem: problem.into() };
        let past: Vec<_> = decoder
            .inputs()
            .iter()
            .filter(|input| input.name().starts_with("past_key_values."))
            .collect();
        let names = past.iter().map(|input| {
            let name = input.name().to_owned();
            let present = name.replace("past_key_values", "present");
            (name, present)
        });
        let shape = match past.first().map(|input| input.dtype()) {
            Some(ValueType::Tensor { shape, .. }) => shape,
            _ => return Err(form("no past_key_values")),
        };
        let size = |at: usize| shape.get(at).and_then(|size| usize::try_from(*size).ok());
        let (Some(heads), Some(width)) = (size(1), size(3)) else {
            return Err(form("past_key_values without a size"));
        };
        Ok(Self { names: names.collect(), heads, width })
    }

    /// The cache before the first token: no time steps in the decoder's part, one unused in the
    /// encoder's.
    fn empty(&self) -> ort::Result<Vec<DynValue>> {
        let value = |(name, _): &(String, String)| {
            let steps = usize::from(name.contains(".encoder."));
            let shape = [1, self.heads, steps, self.width];
            Ok(Tensor::<f32>::new(&Allocator::default(), shape)?.into_dyn())
        };
        self.names.iter().map(value).collect()
    }
}

/// The largest logit's place, and its share of the softmax.
fn most_probable(logits: &[f32]) -> (i64, f32) {
    let best = logits.iter().enumerate().max_by(|left, right| left.1.total_cmp(right.1));
    let Some((at, largest)) = best else { return (END, 0.0) };
    let sum: f32 = logits.iter().map(|logit| (logit - largest).exp()).sum();
    (i64::try_from(at).unwrap_or(END), 1.0 / sum)
}

fn missing(output: &str) -> ort::Error {
    ort::Error::new(format!("the model has no output '{output}'"))
}
