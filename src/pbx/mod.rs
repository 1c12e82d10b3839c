//! Pure: an exchange's calls, followed from outside. Its events go in; what to ask it for, and what
//! to tell the desk and the ears, comes out.
//!
//! * [`exchange`]: its channels and bridges, as events tell of them.
//! * [`parties`]: which of them are a call of a protected line, and who is who.
//! * [`tap`]: one leg's sound on its way to us; [`whisper`]: what only one party hears.
//! * [`end_call`]: the keys with which the protected person ends a call.
//! * [`watched`]: one call; [`switchboard`]: all of them; [`action`]: what comes out of it.

pub mod action;
pub mod end_call;
pub mod exchange;
pub mod names;
pub mod parties;
pub mod switchboard;
pub mod tap;
pub mod watched;
pub mod whisper;
