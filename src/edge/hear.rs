//! The models loaded, and the audio of a call heard with them.

use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use super::ingest::recording::{Block, Layout, Recording, RecordingError};
use super::models::{Model, ModelError, Store};
use crate::audio::meter::Measured;
use crate::audio::talk::{SpeaksMost, TalkShare};
use crate::audio::voice::{Endpointing, RATE};
use crate::call::{Digit, Leg, Signal, SignalKind, Sound};
use crate::speech::listener::{Listener, Together};
use crate::speech::moonshine::Moonshine;
use crate::speech::silero::Silero;
use crate::speech::tokens::Tokens;
use crate::speech::{Recogniser, SpeechError};
use crate::time::CallTime;

/// Why the models cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum HearError {
    /// A model is not there.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The runtime does not load.
    #[error("{path}: {problem}: fetch it again with `lineclear model fetch`")]
    Load {
        /// The file.
        path: String,
        /// What the runtime says.
        problem: String,
    },
    /// A model is not what it should be.
    #[error(transparent)]
    Speech(#[from] SpeechError),
}

/// The models that hear: voice activity and speech. They serve any number of calls, one at a time.
pub struct Ears {
    silero: Silero,
    recogniser: Box<dyn Recogniser>,
}

impl Ears {
    /// Loads the runtime, the voice model and a speech model from `store`.
    ///
    /// # Errors
    /// When one is missing or damaged; the message names the remedy.
    pub fn load(store: &Store, speech: Model) -> Result<Self, HearError> {
        // First the one whose remedy, `model fetch`, brings the others too.
        let folder = store.require(speech)?;
        let runtime = store.require(Model::Runtime)?.join("libonnxruntime.so");
        let voice = store.require(Model::Voice)?.join("silero_vad.onnx");
        let environment = environment(&runtime)?;
        let file =
            |tiny: &str, base: &str| folder.join(if speech == Model::Base { base } else { tiny });
        let encoder = file("encoder_model.ort", "encoder_model.onnx");
        let decoder = file("decoder_model_merged.ort", "decoder_model_merged.onnx");
        let tokenizer = folder.join("tokenizer.bin");
        let bytes = std::fs::read(&tokenizer).map_err(|error| load_error(&tokenizer, &error))?;
        let moonshine = Moonshine::new(
            session(&environment, &encoder)?,
            session(&environment, &decoder)?,
            Tokens::parse(&bytes)?,
        )?;
        let silero = Silero::new(session(&environment, &voice)?);
        Ok(Self { silero, recogniser: Box::new(moonshine) })
    }

    /// The detector of voice.
    pub const fn voice_model(&mut self) -> &mut Silero {
        &mut self.silero
    }

    /// The same ears, with another recogniser.
    #[must_use]
    pub fn with_recogniser(self, recogniser: Box<dyn Recogniser>) -> Self {
        Self { recogniser, ..self }
    }
}

/// One call's audio, on its way to utterances.
pub struct Hearing {
    legs: Vec<Listener>,
    together: Together,
    samples: u64,
    talk: SpeaksMost,
}

/// A block of a recording.
const BLOCK_MS: u64 = 20;

impl Hearing {
    /// Starts on a call.
    pub fn new(layout: Layout, endpointing: Endpointing) -> Self {
        let legs: &[Leg] = match layout {
            Layout::Mixed => &[Leg::Mixed],
            Layout::TwoLegs => &[Leg::Remote, Leg::Protected],
        };
        let legs = legs.iter().map(|leg| Listener::new(*leg, endpointing)).collect();
        Self { legs, together: Together::default(), samples: 0, talk: SpeaksMost::new(BLOCK_MS) }
    }

    /// How much of the call was heard.
    pub const fn position(&self) -> CallTime {
        CallTime(self.samples * 1000 / RATE as u64)
    }

    /// Hears the next block; what it tells is known at [`position`](Self::position).
    ///
    /// # Errors
    /// When a model fails.
    pub fn push(
        &mut self,
        block: &Block,
        ears: &mut Ears,
        sounds: &mut Vec<Sound>,
    ) -> Result<(), SpeechError> {
        self.samples += block.legs[0].len() as u64;
        let recogniser = ears.recogniser.as_mut();
        self.together.push(
            &mut self.legs,
            &block.legs,
            &mut ears.silero,
            recogniser,
            |_, sound| sounds.push(sound),
        )?;
        sounds.extend(self.who_speaks_most());
        Ok(())
    }

    /// Tells once who speaks nearly all the time.
    fn who_speaks_most(&mut self) -> Option<Sound> {
        let [remote, protected] = self.legs.as_slice() else { return None };
        let leg = self.talk.push(remote.is_speaking(), protected.is_speaking())?;
        let (at, kind) = (self.position(), SignalKind::SpeaksMost);
        Some(Sound::Signal(Signal { leg, at, kind }))
    }

    /// Time passes without anybody who hears: keys that the exchange saw still make numbers.
    pub fn pass(&mut self, block: &Block, sounds: &mut Vec<Sound>) {
        self.samples += block.legs[0].len() as u64;
        let now = self.position();
        self.legs.iter_mut().for_each(|leg| leg.pass(now, |sound| sounds.push(sound)));
    }

    /// A key was pressed; the exchange saw it.
    pub fn key(&mut self, leg: Leg, digit: Digit, sounds: &mut Vec<Sound>) {
        let at = self.position();
        if let Some(listener) = self.legs.iter_mut().find(|listener| listener.leg() == leg) {
            listener.key(digit, at, |sound| sounds.push(sound));
        }
    }

    /// Who spoke how much so far, if there are two legs.
    pub fn talk(&self) -> Option<&TalkShare> {
        (self.legs.len() == 2).then(|| self.talk.share())
    }

    /// Whether somebody speaks just now on each leg: remote and protected, or only the mixed one.
    pub fn voices(&self) -> impl Iterator<Item = bool> {
        self.legs.iter().map(Listener::is_speaking)
    }

    /// What the line of each leg is like so far: remote and protected, or only the mixed one.
    pub fn measured(&self) -> impl Iterator<Item = (Leg, Measured)> {
        self.legs.iter().map(|leg| (leg.leg(), leg.measured()))
    }

    /// Hears a whole recording. `each` gets, block by block, the position in the call and what was
    /// heard by then, mostly nothing.
    ///
    /// # Errors
    /// Those of `each`, of the models, and of the recording: if it breaks off, what was being said
    /// is heard out first.
    pub fn recording<E>(
        &mut self,
        recording: &mut Recording,
        ears: &mut Ears,
        mut each: impl FnMut(CallTime, &mut Vec<Sound>) -> Result<(), E>,
    ) -> Result<(), E>
    where
        E: From<SpeechError> + From<RecordingError>,
    {
        let (mut block, mut sounds) = (Block::default(), Vec::new());
        loop {
            let read = recording.next_block(&mut block);
            if !matches!(read, Ok(true)) {
                self.finish(ears, &mut sounds)?;
                each(self.position(), &mut sounds)?;
                read?;
                return Ok(());
            }
            self.push(&block, ears, &mut sounds)?;
            each(self.position(), &mut sounds)?;
            sounds.clear();
        }
    }

    /// The call ends: what was being said is heard out.
    ///
    /// # Errors
    /// When a model fails.
    pub fn finish(&mut self, ears: &mut Ears, sounds: &mut Vec<Sound>) -> Result<(), SpeechError> {
        for listener in &mut self.legs {
            listener.finish(ears.recogniser.as_mut(), |sound| sounds.push(sound))?;
        }
        sounds.sort_by_key(Sound::end);
        Ok(())
    }
}

/// The runtime's environment: one a process, whichever part asks first.
fn environment(library: &Path) -> Result<Environment, HearError> {
    static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
    static LOADING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = ENVIRONMENT.get() {
        return Ok(environment.clone());
    }
    let environment = ort::init_from(library)
        .map_err(|error| load_error(library, &error))?
        .with_name("lineclear")
        .with_telemetry(false)
        .build()
        .map_err(|error| load_error(library, &error))?;
    Ok(ENVIRONMENT.get_or_init(|| environment).clone())
}

/// One thread a model: a gateway screens several calls on few cores, and small matrices gain
/// nothing from more.
fn session(environment: &Environment, path: &Path) -> Result<Session, HearError> {
    let load = || -> Result<Session, ort::Error> {
        Session::builder(environment)?
            .with_optimization_level(GraphOptimizationLevel::Level3)?
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            .commit_from_file(path)
    };
    load().map_err(|error| load_error(path, &error))
}

fn load_error(path: &Path, problem: &dyn std::fmt::Display) -> HearError {
    HearError::Load { path: path.display().to_string(), problem: problem.to_string() }
}
