//! What is found in a row of words.

/// What a phrase belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// The index of a rule.
    Rule(usize),
    /// The index of a cue.
    Cue(usize),
    /// The index of a suppression.
    Suppression(usize),
}

/// A phrase found in a row of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Match {
    /// The first word.
    pub start: usize,
    /// The word after the last.
    pub end: usize,
    /// The rule or cue.
    pub owner: Owner,
    /// How many of its words were misheard.
    pub misheard: u8,
    /// Index into [`Rulebook::phrases`](super::rulebook::Rulebook::phrases).
    pub phrase: u32,
}
