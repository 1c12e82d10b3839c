//! Figures from calls that are known to be scams or honest: how many were warned of, how sure that
//! figure is, what each rule contributes, and which weights fit. Pure; `docs/evaluation.md` tells
//! what the figures mean.

pub mod bootstrap;
pub mod logistic;
pub mod per_rule;
pub mod roc;
pub mod sample;
pub mod tune;

pub use bootstrap::Interval;
pub use sample::{Corpus, Label, Sample};
