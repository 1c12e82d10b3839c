//! Verdict → what protects a person. Pure: every function returns what the edge is to do.

pub mod deadline;
pub mod desk;
pub mod incident;
pub mod line_clear;
pub mod number;
pub mod outbox;
pub mod prompt;
pub mod record;
pub mod report;
pub mod timers;
pub mod watch;
