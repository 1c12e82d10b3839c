//! The keys with which the protected person ends a call.

use crate::call::Digit;
use crate::time::Now;

/// Longer between two keys, and they are apart.
const PAUSE_MS: u128 = 3_000;

/// Follows the keys of one call.
#[derive(Debug, Clone)]
pub struct EndCallKeys {
    /// What ends it; nothing if empty.
    wanted: Vec<Digit>,
    last: Vec<Digit>,
    at: Now,
}

impl EndCallKeys {
    /// Of a call that has just begun.
    pub const fn new(wanted: Vec<Digit>) -> Self {
        Self { wanted, last: Vec::new(), at: Now(std::time::Duration::ZERO) }
    }

    /// A key was pressed; whether that ends the call.
    pub fn push(&mut self, digit: Digit, now: Now) -> bool {
        if (now - self.at).as_millis() > PAUSE_MS {
            self.last.clear();
        }
        self.at = now;
        self.last.push(digit);
        if self.last.len() > self.wanted.len() {
            self.last.remove(0);
        }
        let is_it = !self.wanted.is_empty() && self.last == self.wanted;
        if is_it {
            self.last.clear();
        }
        is_it
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn digits(keys: &str) -> Vec<Digit> {
        keys.chars().filter_map(Digit::from_char).collect()
    }

    /// After which key, of those pressed every `ms`, the call ends.
    fn ends_after(wanted: &str, pressed: &str, ms: u64) -> Option<usize> {
        let mut keys = EndCallKeys::new(digits(wanted));
        digits(pressed).into_iter().enumerate().find_map(|(at, digit)| {
            let now = Now(Duration::from_millis(ms * (at as u64 + 1)));
            keys.push(digit, now).then_some(at)
        })
    }

    #[test]
    fn the_keys_end_the_call_wherever_they_are_pressed() {
        assert_eq!(ends_after("*0", "*0", 300), Some(1));
        assert_eq!(ends_after("*0", "12**0", 300), Some(4));
        assert_eq!(ends_after("*0", "0*", 300), None);
        assert_eq!(ends_after("", "*0", 300), None);
    }

    #[test]
    fn keys_far_apart_do_not() {
        assert_eq!(ends_after("*0", "*0", 3_001), None);
    }
}
