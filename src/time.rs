//! Three times, three types, so that none is mistaken for another.
//!
//! * [`CallTime`] counts from the start of a call and drives decay and windows: a recording gives
//!   the same verdict at any replay speed.
//! * [`Now`] is the boot clock, which never jumps, and drives the hold.
//! * Wall time is for display and recovery only, and arrives with the store that needs it.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Milliseconds since the call began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CallTime(pub u64);

impl CallTime {
    /// The start of the call.
    pub const START: Self = Self(0);

    /// Seconds since the call began.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Milliseconds from `earlier` to `self`; zero if `earlier` is later.
    pub const fn ms_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for CallTime {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        let ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(ms))
    }
}

/// `m:ss.s`, as a person reads a recording.
impl fmt::Display for CallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.0 / 100;
        write!(f, "{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
    }
}

/// A reading of the boot clock: time since some fixed moment, never going backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Now(pub Duration);

impl Add<Duration> for Now {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }
}

impl Sub for Now {
    type Output = Duration;

    /// The span from `earlier` to `self`; zero if `earlier` is later.
    fn sub(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_time_reads_as_minutes_and_seconds() {
        assert_eq!(CallTime(0).to_string(), "0:00.0");
        assert_eq!(CallTime(61_250).to_string(), "1:01.2");
        assert_eq!(CallTime(3_600_000).to_string(), "60:00.0");
    }

    #[test]
    fn spans_never_go_below_zero() {
        assert_eq!(CallTime(5).ms_since(CallTime(9)), 0);
        assert_eq!(Now(Duration::ZERO) - Now(Duration::from_secs(1)), Duration::ZERO);
    }
}
