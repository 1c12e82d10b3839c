//! Verdict → what protects a person. Pure: every function returns what the edge is to do.

pub mod line_clear;
pub mod watch;
