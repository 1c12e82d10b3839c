//! Lineclear listens to a telephone call, recognises the script of a scam, warns in time, and keeps
//! the line clear. `ARCHITECTURE.md` tells the way of the data.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod alert;
pub mod audio;
pub mod call;
pub mod cli;
pub mod config;
pub mod edge;
pub mod measure;
pub mod pbx;
pub mod private;
pub mod rules;
pub mod speech;
pub mod time;
pub mod wire;
