//! The one place that reads a clock or waits for one.

use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};

use crate::alert::deadline::BootId;
use crate::time::{Moment, Now, Wall};

/// The boot clock: it counts while the machine sleeps, and is the same for every process.
pub fn now() -> Now {
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Now(Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default()))
}

/// The wall clock.
#[allow(clippy::disallowed_methods)]
pub fn wall() -> Wall {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Wall::default() + since
}

/// Both.
pub fn moment() -> Moment {
    Moment { now: now(), wall: wall() }
}

/// Which start of the machine it is. Where the system does not say, each start of the program
/// counts as one: deadlines are then found again by the wall clock.
pub fn boot_id() -> BootId {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let started = u128::from(wall().0);
    BootId(u128::from_str_radix(&digits, 16).unwrap_or(started))
}

/// Waits until `moment`; returns at once if it has passed.
#[allow(clippy::disallowed_methods)]
pub fn wait_until(moment: Now) {
    let left = moment - now();
    if left > Duration::ZERO {
        std::thread::sleep(left);
    }
}

/// Waits until `moment` without holding up a thread.
pub async fn sleep_until(moment: Now) {
    tokio::time::sleep(moment - now()).await;
}

/// Waits for `task`, at most so long.
pub async fn at_most<T>(span: Duration, task: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(span, task).await.ok()
}
