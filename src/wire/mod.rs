//! Bytes ⇄ messages. Pure.

pub mod event;
pub mod transcript;
pub mod wav;
