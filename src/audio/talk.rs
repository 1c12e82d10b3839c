//! Who speaks how much in a call of two legs.
//!
//! Plain counters since the start of the call: nothing decays, so that any two readings can be
//! subtracted, and the difference is exact for the time between.

use std::ops::Sub;

use crate::call::Leg;

/// Ticks of equal length, 10 ms or 20 ms, by who spoke in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TalkShare {
    /// Only the other party.
    pub remote: u64,
    /// Only the person whom the line belongs to.
    pub protected: u64,
    /// Both at once: double talk.
    pub both: u64,
    /// Nobody.
    pub neither: u64,
}

impl TalkShare {
    /// Takes in one tick: whether there was voice on each leg.
    pub const fn push(&mut self, remote: bool, protected: bool) {
        match (remote, protected) {
            (true, false) => self.remote += 1,
            (false, true) => self.protected += 1,
            (true, true) => self.both += 1,
            (false, false) => self.neither += 1,
        }
    }

    /// Ticks so far.
    pub const fn ticks(&self) -> u64 {
        self.remote + self.protected + self.both + self.neither
    }

    /// Share of the time in which the remote leg spoke, alone or not, 0…1; 0 before any tick.
    pub fn remote_share(&self) -> f64 {
        self.share(self.remote + self.both)
    }

    /// Share of the time in which the protected leg spoke, alone or not.
    pub fn protected_share(&self) -> f64 {
        self.share(self.protected + self.both)
    }

    /// Share of the time in which both spoke at once.
    pub fn double_talk(&self) -> f64 {
        self.share(self.both)
    }

    /// Share of the time in which nobody spoke.
    pub fn silence(&self) -> f64 {
        self.share(self.neither)
    }

    fn share(&self, ticks: u64) -> f64 {
        ticks as f64 / self.ticks().max(1) as f64
    }
}

/// What came after the `earlier` reading of the same call; zeros if it is the later one.
impl Sub for TalkShare {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            remote: self.remote.saturating_sub(earlier.remote),
            protected: self.protected.saturating_sub(earlier.protected),
            both: self.both.saturating_sub(earlier.both),
            neither: self.neither.saturating_sub(earlier.neither),
        }
    }
}

/// How long somebody must have spoken, in milliseconds, before it is told who speaks most.
const LEAST_TALK_MS: u64 = 120_000;
/// The share of it that is told.
const MOST: f64 = 0.9;

/// Tells once that one party has spoken for nine tenths of what was said.
#[derive(Debug, Clone)]
pub struct SpeaksMost {
    share: TalkShare,
    tick_ms: u64,
    is_told: bool,
}

impl SpeaksMost {
    /// Nobody has spoken; a tick is so many milliseconds long.
    pub fn new(tick_ms: u64) -> Self {
        Self { share: TalkShare::default(), tick_ms, is_told: false }
    }

    /// Who spoke how much so far.
    pub const fn share(&self) -> &TalkShare {
        &self.share
    }

    /// Takes in one tick: whether there was voice on each leg. Returns who speaks most.
    pub fn push(&mut self, remote: bool, protected: bool) -> Option<Leg> {
        self.share.push(remote, protected);
        let TalkShare { remote, protected, both, .. } = self.share;
        let spoken = remote + protected + both;
        if self.is_told || spoken * self.tick_ms < LEAST_TALK_MS {
            return None;
        }
        let is_most = |ticks: u64| (ticks + both) as f64 >= MOST * spoken as f64;
        let most = match (is_most(remote), is_most(protected)) {
            (true, false) => Some(Leg::Remote),
            (false, true) => Some(Leg::Protected),
            // The same sound on both legs is nobody's.
            _ => None,
        };
        self.is_told = most.is_some();
        most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_speaks_most_is_told_once_and_late() {
        let mut most = SpeaksMost::new(20);
        let told: Vec<_> = (0..9_000).filter_map(|n| most.push(n % 12 != 0, n % 12 == 0)).collect();
        assert_eq!(told, [Leg::Remote]);
        let mut both = SpeaksMost::new(20);
        assert!((0..9_000).all(|n| both.push(n % 3 == 0, n % 3 == 1).is_none()));
        let mut short = SpeaksMost::new(20);
        assert!((0..5_999).all(|_| short.push(false, true).is_none()));
        assert_eq!(short.push(false, true), Some(Leg::Protected));
    }
    use proptest::prelude::*;

    fn talk(ticks: &[(bool, bool)]) -> TalkShare {
        let mut talk = TalkShare::default();
        ticks.iter().for_each(|&(remote, protected)| talk.push(remote, protected));
        talk
    }

    #[test]
    fn shares_of_a_call() {
        let ticks = [(true, false), (true, false), (true, true), (false, false)];
        let talk = talk(&ticks);
        assert_eq!((talk.remote_share(), talk.protected_share()), (0.75, 0.25));
        assert_eq!((talk.double_talk(), talk.silence()), (0.25, 0.25));
        assert_eq!(TalkShare::default().silence(), 0.0);
    }

    proptest! {
        #[test]
        fn a_difference_is_what_came_between(
            before in proptest::collection::vec(any::<(bool, bool)>(), 0..99),
            after in proptest::collection::vec(any::<(bool, bool)>(), 0..99),
        ) {
            let all = talk(&[before.as_slice(), &after].concat());
            prop_assert_eq!(all - talk(&before), talk(&after));
            prop_assert_eq!(all.ticks(), (before.len() + after.len()) as u64);
        }
    }
}
