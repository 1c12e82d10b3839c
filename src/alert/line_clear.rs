//! The hold: after a scam call the line is kept clear, so that the next call reaches whom it is
//! meant for. Emergency calls always pass.

use std::time::Duration;

use super::deadline::{BootId, Committed};
use super::number::{Emergency, Tag};
use super::record::{HoldRecord, Id, Scammer};
use crate::config::{Hold as Policy, OverrideBy, TurnAway};
use crate::private::Private;
use crate::time::{Moment, Now};

/// Nobody extends a hold beyond this.
pub const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// A line that is kept clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its own name.
    pub id: Id,
    /// The incident after which it began; none if somebody asked for it.
    pub incident: Option<Id>,
    /// When it began.
    pub since: Moment,
    /// When the line will be clear.
    pub until: Now,
    /// What is waited for again after each new attempt.
    pub length: Duration,
    /// Who is kept away.
    pub scammer: Scammer,
    /// How often the clock was started again.
    pub restarts: u32,
}

/// Whether a call may go ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// It may.
    Pass(Reason),
    /// An outgoing call waits until the line is clear.
    Held {
        /// Time until then.
        remaining: Duration,
        /// It may go ahead with the override key.
        can_override: bool,
    },
    /// An incoming call is turned away.
    TurnAway {
        /// Why.
        reason: Reason,
        /// Time until calls of its kind are let through.
        remaining: Duration,
    },
}

/// Why a call may go ahead, or is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// An emergency number: it passes at once, the old leg dropped first.
    Emergency,
    /// An emergency call was made not long ago: whoever rings back reaches the line.
    AfterEmergency,
    /// Nothing is the matter.
    Open,
    /// The line is held, but not for this call.
    NotHeldForThis,
    /// The line is held, and somebody at the telephone chose to ring anyway.
    Overridden,
    /// The number of the call that the line is held for.
    Scammer,
    /// A number that is not among the line's contacts.
    Unknown,
    /// The line is only observed, or nobody wants to be warned just now.
    Observed,
    /// No line has this name.
    UnknownLine,
}

impl Reason {
    /// The name used in answers and in the audit log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::AfterEmergency => "after-emergency",
            Self::Open => "open",
            Self::NotHeldForThis => "not-held-for-this",
            Self::Overridden => "overridden",
            Self::Scammer => "scammer",
            Self::Unknown => "unknown-number",
            Self::Observed => "observed",
            Self::UnknownLine => "unknown-line",
        }
    }
}

/// The party of an incoming call.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// Their number; none if it was withheld.
    pub tag: Option<Tag>,
    /// The household knows the number.
    pub is_contact: bool,
}

/// What became of a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a change of the hold must be committed and told"]
pub enum Change {
    /// It began.
    Began(Hold),
    /// It goes on: its clock was started again, or somebody wants more time.
    Held(Hold),
    /// The time is over, or somebody ended it.
    Ended(Hold),
}

/// The hold on one line.
#[derive(Debug)]
pub struct LineClear {
    policy: Policy,
    emergency: Emergency,
    hold: Option<Hold>,
    /// Until then every incoming call passes.
    callbacks_until: Option<Now>,
}

impl LineClear {
    /// A line that is not held.
    pub fn new(policy: Policy) -> Self {
        let emergency = Emergency::new(&policy.emergency, &policy.prefixes);
        Self { policy, emergency, hold: None, callbacks_until: None }
    }

    /// Goes on with another policy: what is held remains held for as long as was said.
    pub fn set_policy(&mut self, policy: Policy) {
        self.emergency = Emergency::new(&policy.emergency, &policy.prefixes);
        self.policy = policy;
    }

    /// What is held.
    pub const fn hold(&self) -> Option<&Hold> {
        self.hold.as_ref()
    }

    /// How the line is kept clear.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Until when every incoming call passes after an emergency call.
    pub const fn callbacks_until(&self) -> Option<Now> {
        self.callbacks_until
    }

    /// Takes over what was committed before a restart.
    pub fn restore(&mut self, hold: Option<Hold>, callbacks_until: Option<Now>) {
        self.hold = hold;
        self.callbacks_until = callbacks_until;
    }

    /// A scam call ended, or somebody asks for the line to be kept clear. A hold that is running
    /// goes on under its own name, and its end never comes forward.
    pub fn start(
        &mut self,
        id: Id,
        incident: Option<Id>,
        scammer: Scammer,
        length: Option<Duration>,
        at: Moment,
    ) -> Change {
        let length = length.unwrap_or_else(|| self.policy.length()).min(LONGEST);
        let until = at.now + length;
        let Some(running) = &mut self.hold else {
            let hold = Hold { id, incident, since: at, until, length, scammer, restarts: 0 };
            return Change::Began(self.hold.insert(hold).clone());
        };
        if scammer != Scammer::Nobody {
            running.scammer = scammer;
        }
        running.incident = incident.or(running.incident);
        running.until = running.until.max(until);
        running.length = running.length.max(length);
        running.restarts = running.restarts.saturating_add(1);
        Change::Held(running.clone())
    }

    /// The far leg is still up, or the scammer tries again: the clock starts again.
    pub fn restart(&mut self, now: Now) -> Option<Change> {
        let hold = self.hold.as_mut()?;
        hold.until = hold.until.max(now + hold.length);
        hold.restarts = hold.restarts.saturating_add(1);
        Some(Change::Held(hold.clone()))
    }

    /// Somebody wants more time.
    pub fn extend(&mut self, by: Duration, now: Now) -> Option<Change> {
        let hold = self.hold.as_mut()?;
        let until = (hold.until + by).min(now + LONGEST);
        hold.until = hold.until.max(until);
        Some(Change::Held(hold.clone()))
    }

    /// Somebody who may ends the hold.
    pub fn end(&mut self) -> Option<Change> {
        self.hold.take().map(Change::Ended)
    }

    /// Lets time pass. A hold may end late by one tick, never early.
    pub fn tick(&mut self, now: Now) -> Option<Change> {
        self.callbacks_until.take_if(|until| now >= *until);
        self.hold.take_if(|hold| now >= hold.until).map(Change::Ended)
    }

    /// When [`tick`](Self::tick) has something to do next.
    pub fn next_deadline(&self) -> Option<Now> {
        let hold = self.hold.as_ref().map(|hold| hold.until);
        hold.into_iter().chain(self.callbacks_until).min()
    }

    /// Whether the number is one that always passes.
    pub fn is_emergency(&self, dialled: &Private<String>) -> bool {
        self.emergency.is_reached_by(dialled)
    }

    /// An emergency call is made: for some time every incoming call passes.
    pub fn note_emergency(&mut self, now: Now) {
        let until = now + self.policy.after_emergency();
        self.callbacks_until = self.callbacks_until.max(Some(until));
    }

    /// Whether an emergency call was made not long ago, so that whoever rings may ring back for it.
    pub fn is_open_for_callbacks(&self, now: Now) -> bool {
        self.callbacks_until.is_some_and(|until| now < until)
    }

    /// Whether the protected person may ring a number that is not an emergency number.
    pub fn outgoing(&self, key: Option<&str>, now: Now) -> Gate {
        let Some(hold) = &self.hold else { return Gate::Pass(Reason::Open) };
        self.held(hold.until - now, key)
    }

    /// The answer to an outgoing call while the line is to be clear for another `remaining`.
    pub fn held(&self, remaining: Duration, key: Option<&str>) -> Gate {
        let can_override = self.policy.override_by == OverrideBy::Anyone;
        match key {
            Some(key) if can_override && key == self.policy.override_key => {
                Gate::Pass(Reason::Overridden)
            }
            _ => Gate::Held { remaining, can_override },
        }
    }

    /// Whether a call may reach the protected person.
    pub fn incoming(&self, caller: Caller, now: Now) -> Gate {
        if self.is_open_for_callbacks(now) {
            return Gate::Pass(Reason::AfterEmergency);
        }
        let Some(hold) = &self.hold else { return Gate::Pass(Reason::Open) };
        let remaining = hold.until - now;
        match self.policy.turn_away {
            TurnAway::Scammer | TurnAway::Unknown if self.is_scammer(caller) => {
                Gate::TurnAway { reason: Reason::Scammer, remaining }
            }
            TurnAway::Unknown if !caller.is_contact => {
                Gate::TurnAway { reason: Reason::Unknown, remaining }
            }
            _ => Gate::Pass(Reason::NotHeldForThis),
        }
    }

    /// Whether a caller is the one that the line is held for, as far as anybody can tell.
    pub fn is_scammer(&self, caller: Caller) -> bool {
        match (self.hold.as_ref().map(|hold| hold.scammer), caller.tag) {
            (Some(Scammer::Number(scammer)), Some(tag)) => scammer == tag,
            (Some(Scammer::Withheld), None) => true,
            _ => false,
        }
    }
}

impl Hold {
    /// As it is committed.
    pub fn record(&self, line: &crate::call::LineId, boot: BootId, at: Moment) -> HoldRecord {
        HoldRecord {
            id: self.id,
            line: line.clone(),
            incident: self.incident,
            since: self.since.wall,
            deadline: Committed::new(boot, self.until, self.length, at),
            length: self.length,
            scammer: self.scammer,
            restarts: self.restarts,
            ended: None,
        }
    }

    /// From what was committed before a restart.
    pub fn restore(record: &HoldRecord, boot: BootId, at: Moment) -> Self {
        Self {
            id: record.id,
            incident: record.incident,
            since: Moment { now: at.now, wall: record.since },
            until: record.deadline.restore(boot, at),
            length: record.length,
            scammer: record.scammer,
            restarts: record.restarts,
        }
    }
}

#[cfg(test)]
mod tests;
