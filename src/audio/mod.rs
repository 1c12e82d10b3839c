//! Samples: decoding, resampling, spectra, tones, endpointing. Pure.

pub mod coding;
pub mod g711;
pub mod gate;
pub mod resample;
pub mod spectrum;
pub mod tones;
pub mod voice;
