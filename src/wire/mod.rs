//! Bytes ⇄ messages. Pure.

pub mod ami;
pub mod api;
pub mod ari;
pub mod audiosocket;
pub mod event;
pub mod explanation;
pub mod features;
pub mod feed;
pub mod notice;
pub mod signature;
pub mod telephone_event;
pub mod transcript;
pub mod wav;
