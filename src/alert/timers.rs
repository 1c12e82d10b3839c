//! One table of everything that waits for its time.

use std::collections::{BTreeMap, BTreeSet};

use crate::time::Now;

/// Deadlines by what they are for. The next one is found without a look at the others.
#[derive(Debug)]
pub struct Timers<K> {
    at: BTreeMap<K, Now>,
    order: BTreeSet<(Now, K)>,
}

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Self { at: BTreeMap::new(), order: BTreeSet::new() }
    }
}

impl<K: Ord + Clone> Timers<K> {
    /// Sets, moves or takes away the deadline of `key`.
    pub fn set(&mut self, key: K, at: Option<Now>) {
        if let Some(before) = self.at.remove(&key) {
            self.order.remove(&(before, key.clone()));
        }
        if let Some(at) = at {
            self.at.insert(key.clone(), at);
            self.order.insert((at, key));
        }
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Now> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Takes out what is due first, if anything is.
    #[must_use]
    pub fn pop_due(&mut self, now: Now) -> Option<K> {
        self.next().filter(|at| *at <= now)?;
        let (_, key) = self.order.pop_first()?;
        self.at.remove(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> Now {
        Now(Duration::from_secs(seconds))
    }

    #[test]
    fn what_is_due_comes_in_order_and_once() {
        let mut timers = Timers::default();
        timers.set("b", Some(at(2)));
        timers.set("a", Some(at(9)));
        timers.set("c", Some(at(3)));
        timers.set("a", Some(at(1)));
        timers.set("c", None);
        assert_eq!(timers.next(), Some(at(1)));
        assert_eq!(timers.pop_due(at(0)), None);
        assert_eq!((timers.pop_due(at(5)), timers.pop_due(at(5))), (Some("a"), Some("b")));
        assert_eq!((timers.pop_due(at(5)), timers.next()), (None, None));
    }
}
