//! Bytes ⇄ messages. Pure.

pub mod event;
pub mod explanation;
pub mod transcript;
pub mod wav;
