//! Rules: packs → phrases → automata → findings → evidence → verdict. Pure.
//!
//! [`load()`] makes a [`Rulebook`] of packs. The way of an utterance: [`words`] normalises it,
//! [`rulebook`] finds phrases, [`reading`] weighs who said them and whether they were negated or
//! reported, [`score`] adds the evidence up, and [`screen`] keeps one call's state.

pub mod automaton;
pub mod compile;
pub mod error;
mod example;
pub mod explain;
pub mod format;
pub mod found;
pub mod ids;
pub mod index;
pub mod inflect;
mod lint;
pub mod load;
pub mod locate;
pub mod mishearing;
pub mod numbers;
pub mod pack;
mod parse;
pub mod pattern;
pub mod phrases;
pub mod reading;
mod ready;
pub mod rewrite;
pub mod row;
pub mod rulebook;
mod sample;
pub mod score;
pub mod screen;
pub mod script;
pub mod select;
pub mod sequence;
mod sieve;
pub mod stage;
pub mod suggest;
pub mod vocabulary;
pub mod word;
pub mod words;

pub use error::{Problem, RuleErrors};
pub use load::{check, load};
pub use reading::Finding;
pub use rulebook::Rulebook;
pub use score::{Hit, Level};
pub use screen::{Heard, Screen, Verdict};
pub use stage::Stage;

/// The packs that are built into the program: file name and text.
pub const SHIPPED: [(&str, &str); 14] = [
    ("shared.toml", include_str!("../../config/rules/shared.toml")),
    ("courier-fraud.toml", include_str!("../../config/rules/courier-fraud.toml")),
    ("bank-impersonation.toml", include_str!("../../config/rules/bank-impersonation.toml")),
    ("tax-arrest.toml", include_str!("../../config/rules/tax-arrest.toml")),
    ("identity-suspended.toml", include_str!("../../config/rules/identity-suspended.toml")),
    ("prosecutor.toml", include_str!("../../config/rules/prosecutor.toml")),
    ("family-emergency.toml", include_str!("../../config/rules/family-emergency.toml")),
    ("online-shop.toml", include_str!("../../config/rules/online-shop.toml")),
    ("tech-support.toml", include_str!("../../config/rules/tech-support.toml")),
    ("gift-cards.toml", include_str!("../../config/rules/gift-cards.toml")),
    ("investment-refund.toml", include_str!("../../config/rules/investment-refund.toml")),
    ("loan-fee.toml", include_str!("../../config/rules/loan-fee.toml")),
    ("utility.toml", include_str!("../../config/rules/utility.toml")),
    ("robocall.toml", include_str!("../../config/rules/robocall.toml")),
];
