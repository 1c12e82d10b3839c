//! Bytes ⇄ messages. Pure.

pub mod api;
pub mod event;
pub mod explanation;
pub mod feed;
pub mod notice;
pub mod signature;
pub mod transcript;
pub mod wav;
