//! Samples: decoding, resampling, spectra, tones, keys, voice, features. Pure.

pub mod coding;
pub mod frames;
pub mod g711;
pub mod gate;
pub mod keying;
pub mod keypad;
pub mod mel;
pub mod meter;
pub mod playout;
pub mod progress;
pub mod resample;
pub mod spectrum;
pub mod talk;
pub mod voice;
