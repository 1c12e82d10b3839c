//! The one place that reads a clock or waits for one.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::time::Now;

/// The boot clock, counted from the first reading in this process.
#[allow(clippy::disallowed_methods)]
pub fn now() -> Now {
    static START: OnceLock<Instant> = OnceLock::new();
    Now(START.get_or_init(Instant::now).elapsed())
}

/// Waits until `moment`; returns at once if it has passed.
#[allow(clippy::disallowed_methods)]
pub fn wait_until(moment: Now) {
    let left = moment - now();
    if left > Duration::ZERO {
        std::thread::sleep(left);
    }
}
