//! Bytes ⇄ messages. Pure.

pub mod event;
pub mod explanation;
pub mod notice;
pub mod transcript;
pub mod wav;
