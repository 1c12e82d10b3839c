//! Exchanges whose calls are screened as they go on.

pub mod asterisk;
