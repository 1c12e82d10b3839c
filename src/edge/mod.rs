//! Everything that touches the world: files, clocks, threads, other programs.

pub mod clock;
pub mod files;
pub mod hear;
pub mod ingest;
pub mod models;
pub mod parallel;
pub mod reload;
