//! How words are known by number.

/// Identifies a word (in all its forms), an exact form, or a class.
pub type WordId = u32;

/// A [`WordId`] as it was heard: as said, or as something that is misheard for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeardId(u32);

impl HeardId {
    pub(super) const fn new(id: WordId, is_misheard: bool) -> Self {
        Self(id << 1 | is_misheard as u32)
    }

    /// The word.
    pub const fn id(self) -> WordId {
        self.0 >> 1
    }

    /// Something else was heard that sounds or is spelled like it.
    pub const fn is_misheard(self) -> bool {
        self.0 & 1 == 1
    }
}
