//! Where calls come from.

pub mod corpus;
pub mod recording;
pub mod scripts;
pub mod transcripts;
