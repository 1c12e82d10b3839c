//! Moments that must not come early, whatever happens to the clocks: how they are committed, and
//! what is left of them after a restart.

use std::time::Duration;

use crate::time::{Moment, Now, Wall};

/// Which start of the machine it is: the boot clock counts from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct BootId(pub u128);

/// A wall clock that shows less than this was never set: the program is younger.
const PLAUSIBLE: Wall = Wall(1_767_225_600_000);

/// A deadline as it is committed: enough to find it again on either clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The start of the machine at which it was set.
    pub boot: BootId,
    /// On that start's boot clock.
    pub until: Now,
    /// When it was committed.
    pub set: Wall,
    /// When it comes by the wall clock.
    pub wall_until: Wall,
    /// What is waited for again where nobody can say how much has passed.
    pub full: Duration,
}

impl Committed {
    /// A deadline `until`, of which `full` is the whole span.
    pub fn new(boot: BootId, until: Now, full: Duration, at: Moment) -> Self {
        let left = until - at.now;
        // A deadline that was put off is longer than one span.
        let full = full.max(left);
        Self { boot, until, set: at.wall, wall_until: at.wall + left, full }
    }

    /// The deadline on this start's boot clock.
    ///
    /// On the same start it is the same. On another the wall clock tells what remains, between
    /// nothing and the full time; if that clock went backwards, or was never set, the full time is
    /// waited for again: late rather than early. So is what [`Steps`] does not see.
    pub fn restore(&self, boot: BootId, at: Moment) -> Now {
        self.find(boot, at, self.full, STEP)
    }

    /// As [`restore`](Self::restore), for what had better end early than late.
    pub fn restore_early(&self, boot: BootId, at: Moment) -> Now {
        self.find(boot, at, Duration::ZERO, Duration::ZERO)
    }

    fn find(&self, boot: BootId, at: Moment, if_unknown: Duration, margin: Duration) -> Now {
        if boot == self.boot {
            return self.until;
        }
        let is_unknown = at.wall < self.set || self.set < PLAUSIBLE;
        let left = Duration::from_millis((self.wall_until + margin).ms_since(at.wall));
        at.now + if is_unknown { if_unknown } else { left.min(self.full) }
    }
}

/// How long ago `since` was, as far as the wall clock can tell: no time at all if the clock was
/// never set then, or went backwards.
pub fn waited(since: Wall, at: Wall) -> Duration {
    let is_known = since >= PLAUSIBLE;
    Duration::from_millis(if is_known { at.ms_since(since) } else { 0 })
}

/// Sees the wall clock being set while the program runs: what was committed by it must be again.
#[derive(Debug, Clone, Copy, Default)]
pub struct Steps {
    /// The wall clock's reading at the boot clock's zero, in milliseconds.
    offset: Option<i128>,
}

/// Clocks drift; this much is a step.
const STEP: Duration = Duration::from_millis(500);

impl Steps {
    /// Whether the wall clock was set since the last reading.
    #[must_use]
    pub fn stepped(&mut self, at: Moment) -> bool {
        let offset = i128::from(at.wall.0) - at.now.0.as_millis().cast_signed();
        let most = STEP.as_millis().cast_signed();
        let is_step = self.offset.is_some_and(|before| (offset - before).abs() > most);
        if is_step || self.offset.is_none() {
            self.offset = Some(offset);
        }
        is_step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: Duration = Duration::from_secs(300);
    const NOON: u64 = 1_795_348_800;

    fn at(now: u64, wall: u64) -> Moment {
        Moment { now: Now(Duration::from_secs(now)), wall: Wall(wall * 1000) }
    }

    fn left(committed: Committed, boot: u128, at: Moment) -> u64 {
        (committed.restore(BootId(boot), at) - at.now).as_secs()
    }

    #[test]
    fn a_restart_finds_what_is_left() {
        let set = at(1000, NOON);
        let committed = Committed::new(BootId(1), set.now + FULL, FULL, set);
        assert_eq!(
            left(committed, 1, at(1100, 0)),
            200,
            "the boot clock counts, the wall is wrong"
        );
        assert_eq!(left(committed, 2, at(20, NOON + 60)), 240);
        assert_eq!(left(committed, 2, at(20, NOON + 900)), 0);
        assert_eq!(left(committed, 2, at(20, NOON - 1)), 300, "the wall went backwards");
        assert_eq!(left(committed, 2, at(20, 5)), 300, "1970");
    }

    #[test]
    fn a_step_too_small_to_be_seen_does_not_bring_a_deadline_forward() {
        let set = at(1000, NOON);
        let committed = Committed::new(BootId(1), set.now + FULL, FULL, set);
        let mut later = at(20, NOON + 60);
        later.wall = later.wall + STEP;
        assert!(committed.restore(BootId(2), later) - later.now >= Duration::from_secs(240));
    }

    #[test]
    fn what_was_written_before_the_clock_was_set_has_not_waited() {
        let waited = |since: u64, now: u64| waited(Wall(since * 1000), Wall(now * 1000)).as_secs();
        assert_eq!((waited(NOON, NOON + 9), waited(NOON, NOON - 9), waited(5, NOON)), (9, 0, 0));
    }

    #[test]
    fn a_wall_clock_that_was_never_set_tells_nothing() {
        let set = at(1000, 30);
        let committed = Committed::new(BootId(1), set.now + FULL, FULL, set);
        assert_eq!(left(committed, 2, at(20, NOON)), 300);
    }

    #[test]
    fn a_deadline_that_was_put_off_keeps_its_whole_span() {
        let set = at(1000, NOON);
        let committed = Committed::new(BootId(1), set.now + 3 * FULL, FULL, set);
        assert_eq!(left(committed, 2, at(20, NOON + 300)), 600);
        assert_eq!(left(committed, 2, at(20, 0)), 900);
    }

    #[test]
    fn a_clock_that_is_set_is_seen_once_and_drift_is_none() {
        let mut steps = Steps::default();
        assert!(!steps.stepped(at(10, NOON)));
        assert!(!steps.stepped(at(20, NOON + 10)));
        assert!(steps.stepped(at(30, NOON + 3600)));
        assert!(!steps.stepped(at(40, NOON + 3610)));
        assert!(steps.stepped(at(50, 50)));
    }
}
