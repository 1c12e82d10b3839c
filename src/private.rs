//! A wrapper for what must never reach a log: words, telephone numbers, keyed digits.

use std::fmt;

/// A value that prints as `[private]`, whatever asks for it.
///
/// `Private` implements neither `Display` nor `Serialize`, so that words can only leave through
/// [`Private::reveal`], which is easy to find in a review and is counted by `tests/tidy.rs`.
#[derive(Clone, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Private<T>(T);

impl<T> Private<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. The caller answers for where it goes next.
    pub const fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}

/// What is read may be private; what is written may not, so there is no `Serialize`.
impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Private<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

impl<T> From<T> for Private<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_is_redacted_also_inside_other_values() {
        let words = Private::new("withdraw the cash".to_owned());
        let shown = format!("{:?} {:#?}", Some(&words), vec![words.clone()]);
        assert!(!shown.contains("cash"), "{shown}");
        assert!(shown.contains("[private]"));
    }
}
