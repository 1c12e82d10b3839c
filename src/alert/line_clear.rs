//! The hold: after a scam call the line is kept clear, so that the next call reaches whom it is
//! meant for. Emergency calls always pass.

use std::time::Duration;

use crate::private::Private;
use crate::rules::Level;
use crate::time::Now;

/// What happens to a held line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A call ended that had reached this level.
    CallEnded(Level),
    /// The far leg of that call is still up.
    LegStillUp,
    /// The scammer tries again.
    ScammerRings,
    /// A person ends the hold.
    Release,
}

/// What the edge is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Keep the line clear until then, and say so.
    Hold {
        /// When the line will be clear.
        until: Now,
    },
    /// Say that the line is clear, and whom to ring.
    Clear,
}

/// Whether an outgoing call may go ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// An emergency number: drop the old leg, then connect at once.
    Emergency,
    /// Nothing stands in the way.
    Open,
    /// Say why, and for how long.
    Held {
        /// Time until the line is clear.
        remaining: Duration,
    },
}

/// The hold on one line.
#[derive(Debug, Clone)]
pub struct LineClear {
    length: Duration,
    emergency: Vec<String>,
    prefixes: Vec<String>,
    until: Option<Now>,
}

impl LineClear {
    /// A line that is not held.
    ///
    /// `prefixes` such as 141 may be dialled before any number, emergency numbers included.
    pub const fn new(length: Duration, emergency: Vec<String>, prefixes: Vec<String>) -> Self {
        Self { length, emergency, prefixes, until: None }
    }

    /// Takes in an event.
    #[must_use]
    pub fn handle(&mut self, event: Event, now: Now) -> Option<Action> {
        match event {
            Event::CallEnded(level) if level >= Level::Warning => self.start(now),
            Event::LegStillUp | Event::ScammerRings if self.until.is_some() => self.start(now),
            Event::Release if self.until.take().is_some() => Some(Action::Clear),
            _ => None,
        }
    }

    /// Lets time pass. A hold may end late by one tick, never early.
    #[must_use]
    pub fn tick(&mut self, now: Now) -> Option<Action> {
        let over = self.until.is_some_and(|until| now >= until);
        over.then(|| {
            self.until = None;
            Action::Clear
        })
    }

    /// When [`tick`](Self::tick) has something to do next.
    pub const fn next_deadline(&self) -> Option<Now> {
        self.until
    }

    /// Whether the protected person may ring `dialled` now.
    pub fn gate(&self, dialled: &Private<String>, now: Now) -> Gate {
        if self.is_emergency(dialled.reveal()) {
            return Gate::Emergency;
        }
        match self.until {
            None => Gate::Open,
            Some(until) => Gate::Held { remaining: until - now },
        }
    }

    /// A new start never brings the end of a running hold forward.
    fn start(&mut self, now: Now) -> Option<Action> {
        let until = self.until.unwrap_or_default().max(now + self.length);
        self.until = Some(until);
        Some(Action::Hold { until })
    }

    fn is_emergency(&self, dialled: &str) -> bool {
        let digits: String = dialled.chars().filter(char::is_ascii_digit).collect();
        // No number is as long; and each prefix is tried, since one may begin with another.
        digits.len() <= 32 && self.reaches_emergency(&digits)
    }

    fn reaches_emergency(&self, number: &str) -> bool {
        let behind = |prefix: &String| {
            let rest = number.strip_prefix(prefix.as_str());
            rest.is_some_and(|rest| rest.len() < number.len() && self.reaches_emergency(rest))
        };
        self.emergency.iter().any(|emergency| emergency == number)
            || self.prefixes.iter().any(behind)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LENGTH: Duration = Duration::from_secs(300);

    fn line() -> LineClear {
        let numbers = |list: &[&str]| list.iter().map(|n| (*n).to_owned()).collect();
        LineClear::new(LENGTH, numbers(&["999", "112", "18000"]), numbers(&["141", "1470"]))
    }

    fn at(seconds: u64) -> Now {
        Now(Duration::from_secs(seconds))
    }

    fn dial(number: &str) -> Private<String> {
        Private::new(number.to_owned())
    }

    #[test]
    fn a_scam_call_holds_the_line_for_five_minutes() {
        let mut line = line();
        let action = line.handle(Event::CallEnded(Level::Warning), at(100));
        assert_eq!(action, Some(Action::Hold { until: at(400) }));
        assert_eq!(line.tick(at(399)), None);
        let remaining = Duration::from_secs(1);
        assert_eq!(line.gate(&dial("01632 960123"), at(399)), Gate::Held { remaining });
        assert_eq!(line.tick(at(400)), Some(Action::Clear));
        assert_eq!(line.gate(&dial("01632 960123"), at(400)), Gate::Open);
    }

    #[test]
    fn a_quiet_call_holds_nothing() {
        let mut line = line();
        assert_eq!(line.handle(Event::CallEnded(Level::Caution), at(0)), None);
        assert_eq!(line.handle(Event::ScammerRings, at(1)), None);
        assert_eq!(line.next_deadline(), None);
    }

    #[test]
    fn a_new_attempt_restarts_the_clock() {
        let mut line = line();
        let _ = line.handle(Event::CallEnded(Level::Danger), at(0));
        assert_eq!(
            line.handle(Event::ScammerRings, at(200)),
            Some(Action::Hold { until: at(500) })
        );
        assert_eq!(line.tick(at(300)), None);
    }

    #[test]
    fn emergency_numbers_pass_also_behind_prefixes() {
        let mut line = line();
        let _ = line.handle(Event::CallEnded(Level::Danger), at(0));
        for number in ["999", "112", "18000", "141999", "1470 112", "1411470999"] {
            assert_eq!(line.gate(&dial(number), at(1)), Gate::Emergency, "{number}");
        }
        for number in ["9991", "0999", "141", "101"] {
            assert!(matches!(line.gate(&dial(number), at(1)), Gate::Held { .. }), "{number}");
        }
    }

    fn events() -> impl Strategy<Value = Vec<(u64, Option<Event>)>> {
        let event = prop_oneof![
            Just(None),
            Just(Some(Event::CallEnded(Level::Danger))),
            Just(Some(Event::CallEnded(Level::Quiet))),
            Just(Some(Event::LegStillUp)),
            Just(Some(Event::ScammerRings)),
            Just(Some(Event::Release)),
        ];
        proptest::collection::vec((0_u64..200, event), 0..60)
    }

    proptest! {
        #[test]
        fn a_hold_never_ends_early_and_emergencies_always_pass(steps in events()) {
            let (mut line, mut now, mut promised) = (line(), 0, None);
            for (pause, event) in steps {
                now += pause;
                let action = match event {
                    Some(event) => line.handle(event, at(now)),
                    None => line.tick(at(now)),
                };
                match action {
                    Some(Action::Hold { until }) => promised = promised.max(Some(until)),
                    Some(Action::Clear) => {
                        let is_over = promised.is_some_and(|until| at(now) >= until);
                        prop_assert!(is_over || event == Some(Event::Release));
                        promised = None;
                    }
                    None => {}
                }
                for number in ["999", "112", "18000", "141999", "1470112"] {
                    prop_assert_eq!(line.gate(&dial(number), at(now)), Gate::Emergency);
                }
                if promised.is_some_and(|until| at(now) < until) {
                    let gate = line.gate(&dial("0123"), at(now));
                    let is_held = matches!(gate, Gate::Held { .. });
                    prop_assert!(is_held);
                }
            }
        }
    }
}
