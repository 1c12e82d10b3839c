//! Three times, three types, so that none is mistaken for another.
//!
//! * [`CallTime`] counts from the start of a call and drives decay and windows: a recording gives
//!   the same verdict at any replay speed.
//! * [`Now`] is the boot clock, which never jumps, and drives the hold.
//! * [`Wall`] is for display and for recovery after a restart: it may be wrong, and it may jump.

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

    /// Reads a moment as a person writes it: `1:23.5`, `1:02:03` or seconds, `83.5`.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let number = |digits: &str, longest: usize| {
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
            let is_short = (1..=longest).contains(&digits.len());
            (is_number && is_short).then(|| digits.parse::<u64>().ok()).flatten()
        };
        let ms = number(fraction, 3)? * [1, 100, 10, 1][fraction.len()];
        let mut parts = whole.split(':');
        let mut seconds = number(parts.next()?, 6)?;
        for (depth, part) in parts.enumerate() {
            let sixtieths = number(part, 2).filter(|value| *value < 60 && depth < 2)?;
            seconds = seconds * 60 + sixtieths;
        }
        Some(Self(seconds * 1000 + ms))
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

/// Wall time: milliseconds since the beginning of 1970, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Wall(pub u64);

impl Wall {
    /// Milliseconds from `earlier` to `self`; zero if `earlier` is later.
    pub const fn ms_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Wall {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        let ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(ms))
    }
}

/// RFC 3339, in UTC, to the second.
impl fmt::Display for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = i64::try_from(self.0).unwrap_or(i64::MAX);
        match jiff::Timestamp::from_millisecond(ms) {
            Ok(time) => f.pad(&time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            Err(_) => f.pad("unknown"),
        }
    }
}

/// One reading of both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// What deadlines are measured with.
    pub now: Now,
    /// What people are shown, and what is left after a restart.
    pub wall: Wall,
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
    fn moments_are_read_as_they_are_written() {
        let ms = |text: &str| CallTime::parse(text).map(|time| time.0);
        assert_eq!(
            (ms("83.5"), ms("1:23.5"), ms("01:23.050")),
            (Some(83_500), Some(83_500), Some(83_050))
        );
        assert_eq!(
            (ms("1:02:03"), ms("90:00"), ms("0")),
            (Some(3_723_000), Some(5_400_000), Some(0))
        );
        for wrong in
            ["", ":", "1:", "1:60", "1:2:3:4", "-1", "1.2345", "1.", ".5", "1:5 ", "9999999", "١"]
        {
            assert_eq!(ms(wrong), None, "{wrong}");
        }
        let shown = CallTime(83_500);
        assert_eq!(CallTime::parse(&shown.to_string()), Some(shown));
    }

    #[test]
    fn wall_time_reads_as_a_date() {
        assert_eq!(Wall(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(Wall(1_795_305_600_999).to_string(), "2026-11-22T00:00:00Z");
        assert_eq!(Wall(u64::MAX).to_string(), "unknown");
    }

    #[test]
    fn spans_never_go_below_zero() {
        assert_eq!(CallTime(5).ms_since(CallTime(9)), 0);
        assert_eq!(Now(Duration::ZERO) - Now(Duration::from_secs(1)), Duration::ZERO);
    }
}
