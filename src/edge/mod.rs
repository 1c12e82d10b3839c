//! Everything that touches the world: files, clocks, threads, other programs.

pub mod calls;
pub mod client;
pub mod clock;
pub mod daemon;
pub mod desk;
pub mod files;
pub mod health;
pub mod hear;
pub mod ingest;
pub mod keeper;
pub mod live;
pub mod models;
pub mod notify;
pub mod parallel;
pub mod pbx;
pub mod perform;
pub mod picture;
pub mod reload;
pub mod rounds;
pub mod store;
pub mod systemd;
pub mod token;
pub mod web;
