//! The model files: which there are, where they lie, and how they get there.
//!
//! Nothing is shipped with the program. `models/manifest.toml` pins every file by size and
//! SHA-256; [`Store::fetch`] takes them out of wheels that `pip` downloads, because `pip` already
//! honours the user's index, mirror and proxy. Whoever has no `pip` copies the files by hand.
//!
//! ```text
//! STORE/runtime/libonnxruntime.so
//! STORE/voice/silero_vad.onnx
//! STORE/tiny/{encoder_model.ort, decoder_model_merged.ort, tokenizer.bin}
//! STORE/base/{encoder_model.onnx, decoder_model_merged.onnx, tokenizer.bin}
//! STORE/.lock, STORE/.staging/   only of use to a running or interrupted fetch
//! ```
//!
//! A model's directory appears whole, by one rename, or not at all. The files here depend on
//! each other in this order only: manifest, error, progress, digest, store and python, unpack and
//! convert, fetch.

mod convert;
mod digest;
mod error;
mod fetch;
mod manifest;
mod progress;
mod python;
mod store;
#[cfg(test)]
mod tests;
mod unpack;

pub use error::ModelError;
pub use manifest::{Conversion, Model, PinnedFile, UnknownModel, Wheel, WheelFile};
pub use progress::Progress;
pub use store::{Status, Store};
