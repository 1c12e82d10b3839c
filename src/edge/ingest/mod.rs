//! Where calls come from.

pub mod audiosocket;
pub mod corpus;
pub mod feed;
pub mod folder;
pub mod recording;
pub mod scripts;
pub mod transcripts;
