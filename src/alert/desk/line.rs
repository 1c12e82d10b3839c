//! One line: its policy, its hold, and whether anybody wants to be looked after.

use std::collections::BTreeSet;
use std::time::Duration;

use super::action::LineStatus;
use crate::alert::deadline::{BootId, Committed};
use crate::alert::line_clear::{Caller, LineClear};
use crate::alert::number::{Tag, TagKey};
use crate::alert::record::{Actor, AuditRecord, LineRecord, Record};
use crate::call::{CallId, LineId};
use crate::config::{self, Config, Consent, Mode};
use crate::time::{Moment, Now, Wall};

/// A protected line.
#[derive(Debug)]
pub(super) struct Line {
    pub id: LineId,
    /// None if it is configured no more.
    pub policy: Option<config::Line>,
    /// The consent that is committed.
    pub consent: Option<Consent>,
    contacts: BTreeSet<Tag>,
    /// The calls that are watched on it.
    pub calls: BTreeSet<CallId>,
    pub clear: LineClear,
    pub disabled_until: Option<Now>,
    /// Since the program started somebody has decided about that.
    pub is_decided: bool,
    pub suspicious: Option<Wall>,
}

impl Line {
    pub fn new(id: LineId, policy: &config::Line) -> Self {
        Self {
            id,
            clear: LineClear::new(policy.hold.clone()),
            policy: Some(policy.clone()),
            consent: None,
            contacts: BTreeSet::new(),
            calls: BTreeSet::new(),
            disabled_until: None,
            is_decided: false,
            suspicious: None,
        }
    }

    /// A line that is held and configured no more.
    pub fn unknown(id: LineId, config: &Config) -> Self {
        Self {
            id,
            clear: LineClear::new(config.hold.clone()),
            policy: None,
            consent: None,
            contacts: BTreeSet::new(),
            calls: BTreeSet::new(),
            disabled_until: None,
            is_decided: false,
            suspicious: None,
        }
    }

    /// Goes on with another policy; a change of consent is committed.
    pub fn set_policy(&mut self, policy: &config::Line, key: &TagKey, at: Moment) -> Vec<Record> {
        self.clear.set_policy(policy.hold.clone());
        self.contacts = policy.contacts.iter().map(|number| key.number(number)).collect();
        self.policy = Some(policy.clone());
        self.agree(policy.consent.clone(), at)
    }

    /// The line is configured no more.
    pub fn retire(&mut self, at: Moment) -> Vec<Record> {
        self.policy = None;
        self.agree(None, at)
    }

    fn agree(&mut self, consent: Option<Consent>, at: Moment) -> Vec<Record> {
        if consent == self.consent {
            return Vec::new();
        }
        let what = if consent.is_some() { "consent given" } else { "consent withdrawn" };
        self.consent.clone_from(&consent);
        let audit = self.audit(Actor::Lineclear, what, at.wall);
        vec![Record::Consent(self.id.clone(), consent), audit]
    }

    /// Whether it is configured, or a promise is kept on it, or a call is up that an emergency call
    /// would have to drop.
    pub fn is_needed(&self) -> bool {
        let is_promised = self.clear.next_deadline().is_some();
        self.policy.is_some() || is_promised || !self.calls.is_empty()
    }

    pub fn is_screened(&self) -> bool {
        self.policy.as_ref().is_some_and(|policy| policy.consent.is_some())
    }

    pub fn is_disabled(&self, now: Now) -> bool {
        self.disabled_until.is_some_and(|until| now < until)
    }

    /// Whether Lineclear may do anything on the line itself.
    pub fn may_act(&self, now: Now) -> bool {
        self.is_looked_after() && !self.is_disabled(now)
    }

    /// Whether the line is held after a scam call: not where it is only observed, and not where
    /// nobody agrees to it any more.
    pub fn is_looked_after(&self) -> bool {
        let observes = |policy: &config::Line| policy.warn.mode == Mode::Observe;
        self.is_screened() && !self.policy.as_ref().is_none_or(observes)
    }

    pub fn caller(&self, tag: Option<Tag>) -> Caller {
        let is_contact = tag.is_some_and(|tag| self.contacts.contains(&tag));
        Caller { tag, is_contact }
    }

    /// The state as it is committed; none if there is nothing to say.
    pub fn record(&self, boot: BootId, at: Moment) -> Option<LineRecord> {
        let disabled =
            self.disabled_until.map(|until| Committed::new(boot, until, until - at.now, at));
        let after = self.clear.policy().after_emergency();
        let callbacks = self.clear.callbacks_until();
        let callbacks = callbacks.map(|until| Committed::new(boot, until, after, at));
        let is_plain = disabled.is_none() && callbacks.is_none() && self.suspicious.is_none();
        let (line, suspicious) = (self.id.clone(), self.suspicious);
        (!is_plain).then_some(LineRecord { line, disabled, callbacks, suspicious })
    }

    /// The state as it is committed, also if there is nothing to say any more.
    pub fn changed(&self, boot: BootId, at: Moment) -> Record {
        let plain =
            LineRecord { line: self.id.clone(), disabled: None, callbacks: None, suspicious: None };
        Record::Line(self.record(boot, at).unwrap_or(plain))
    }

    pub fn audit(&self, actor: Actor, what: &'static str, at: Wall) -> Record {
        Record::Audit(AuditRecord { at, line: self.id.clone(), actor, what })
    }

    pub fn status(&self, now: Now) -> LineStatus {
        let disabled = self.disabled_until.map(|until| until - now);
        LineStatus {
            id: self.id.clone(),
            name: self.name().to_owned(),
            is_screened: self.is_screened(),
            hold: self.clear.hold().map(|hold| (hold.clone(), hold.until - now)),
            disabled: disabled.filter(|left| *left > Duration::ZERO),
            suspicious: self.suspicious,
        }
    }

    pub fn name(&self) -> &str {
        self.policy.as_ref().map_or(self.id.as_str(), |policy| &policy.name)
    }
}
