//! True time, and what the machine's two clocks show of it.

use std::time::Duration;

use lineclear::time::{Moment, Now, Wall};

/// When the simulation begins, in milliseconds since 1970.
const NOON: u64 = 1_795_348_800_000;
/// No machine that runs this program was set to less.
const PLAUSIBLE: u64 = 1_767_225_600_000;
/// The wall clock may be set by so much and nobody sees it.
pub const UNSEEN: i64 = 500;

/// How a machine comes back after the program died.
#[derive(Debug, Clone, Copy)]
pub enum Boot {
    /// Only the program died: the boot clock goes on.
    Same,
    /// Another boot, and the wall clock is right.
    Right,
    /// No clock ran meanwhile: it is 1970.
    Epoch,
    /// No clock ran meanwhile: it is so long ago, as was last saved.
    Saved(u64),
}

/// All in milliseconds.
#[derive(Debug, Clone)]
pub struct Clock {
    /// What no program can read.
    pub truth: u64,
    /// Which boot it is.
    pub boot: u128,
    /// By how much the wall clock is wrong.
    pub offset: i64,
    /// When the boot clock was zero.
    booted: u64,
}

impl Clock {
    pub fn new() -> Self {
        Self { truth: 3_600_000, boot: 1, offset: 0, booted: 0 }
    }

    pub fn moment(&self) -> Moment {
        let now = Now(Duration::from_millis(self.truth - self.booted));
        Moment { now, wall: Wall(self.wall()) }
    }

    pub fn wall(&self) -> u64 {
        (NOON + self.truth).saturating_add_signed(self.offset)
    }

    /// The first true millisecond at which this boot's clock shows `now`.
    pub fn truth_of(&self, now: Now) -> u64 {
        self.booted + now.0.as_nanos().div_ceil(1_000_000) as u64
    }

    pub fn start(&mut self, boot: Boot) {
        const STARTS_IN: u64 = 5_000;
        let offset = match boot {
            Boot::Same => return,
            Boot::Right => 0,
            Boot::Epoch => STARTS_IN.cast_signed() - (NOON + self.truth).cast_signed(),
            Boot::Saved(behind) => -behind.cast_signed(),
        };
        (self.boot, self.offset, self.booted) = (self.boot + 1, offset, self.truth - STARTS_IN);
    }
}

/// A deadline that somebody was promised, in true time.
#[derive(Debug, Clone, Copy)]
pub struct Promise {
    pub until: u64,
    /// What may be waited for again where nobody knows how much has passed.
    full: u64,
    /// The boot at which it was last written down, what the wall clock showed then, and how wrong
    /// it was.
    boot: u128,
    wall: u64,
    offset: i64,
}

impl Promise {
    pub fn new(until: u64, length: u64, clock: &Clock) -> Self {
        let full = length.max(until.saturating_sub(clock.truth));
        Self { until, full, boot: clock.boot, wall: clock.wall(), offset: clock.offset }
    }

    /// The earliest and the latest that it may come after a restart.
    ///
    /// If the wall clock was set forward since the deadline was written down, no program can know
    /// that less time has passed: so much of the promise is lost. That can only be if the machine
    /// failed before it could be written anew.
    pub fn after_restart(&self, clock: &Clock) -> (u64, u64) {
        if self.boot == clock.boot {
            return (self.until, self.until);
        }
        let again = clock.truth + self.full;
        if self.wall < PLAUSIBLE || clock.wall() < self.wall {
            return (self.until, again);
        }
        let forward = clock.offset - self.offset;
        let lost = if forward > UNSEEN { forward.unsigned_abs() } else { 0 };
        let late = u64::try_from(-forward).unwrap_or(0) + UNSEEN.unsigned_abs();
        let latest = (self.until + late).min(again);
        (self.until.saturating_sub(lost).min(latest), latest.max(clock.truth))
    }

    /// By how much a restart may shorten a wait that began when this was written down.
    pub fn forward(&self, clock: &Clock) -> u64 {
        let is_known = self.wall >= PLAUSIBLE;
        u64::try_from(clock.offset - self.offset).unwrap_or(0) * u64::from(is_known)
    }
}
