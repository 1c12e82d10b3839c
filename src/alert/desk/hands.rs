//! What people do: they say that it is no scam, want to be left alone, start, extend and end holds.

use std::time::Duration;

use super::{Actions, Desk, LONGEST_DISABLED, Line, Refusal};
use crate::alert::record::{Actor, Id, Record, Scammer};
use crate::call::LineId;
use crate::config::OverrideBy;
use crate::time::Moment;

/// Incidents of which is remembered that somebody called them off.
const MOST_CALLED_OFF: usize = 1000;

impl Desk {
    /// The call is not warned of any more, and the others are told. What is held because of it is
    /// let go, if that is for them to decide.
    pub(super) fn not_a_scam(
        &mut self,
        line: &LineId,
        incident: Id,
        by: Actor,
        at: Moment,
    ) -> Result<Actions, Refusal> {
        let state = self.line_mut(line)?;
        let audit = state.audit(by.clone(), "said that it is no scam", at.wall);
        let may_end = may_decide(state, &by);
        let is_held_for = state.clear.hold().and_then(|hold| hold.incident) == Some(incident);
        let mut actions = Actions::default();
        actions.records.push(Record::NotAScam(incident, by.clone()));
        actions.records.push(audit);
        let mut is_said = self.called_off.contains(&incident);
        let calls = self.calls.values_mut().chain(self.orphans.values_mut());
        let mut incidents = calls.filter_map(|call| call.incident.as_mut());
        if let Some(open) = incidents.find(|it| it.record.id == incident && it.record.line == *line)
        {
            is_said |= open.record.not_a_scam.is_some();
            let step = open.call_off(by.clone(), at.wall);
            actions.records.push(Record::Incident(open.record.clone()));
            actions.records.extend(step.map(Record::History));
        }
        if !is_said {
            self.called_off.truncate(MOST_CALLED_OFF - 1);
            self.called_off.push_front(incident);
            actions.append(self.tell_of_calling_off(line, incident, at));
        }
        if is_held_for && may_end {
            actions.append(self.end_hold(line, by, at)?);
        }
        Ok(actions)
    }

    /// Nobody is warned for some time. What is held already remains held.
    pub(super) fn disable(
        &mut self,
        id: &LineId,
        length: Duration,
        by: Actor,
        at: Moment,
    ) -> Result<Actions, Refusal> {
        let boot = self.boot;
        let line = self.line_mut(id)?;
        if !may_decide(line, &by) {
            return Err(Refusal::CarersOnly(id.clone()));
        }
        line.disabled_until = Some(at.now + length.min(LONGEST_DISABLED));
        let audit = line.audit(by, "screening off", at.wall);
        let records = vec![line.changed(boot, at), audit];
        self.plan(id);
        Ok(Actions { records, effects: Vec::new() })
    }

    /// The line is looked after again.
    pub(super) fn enable(
        &mut self,
        id: &LineId,
        by: Actor,
        at: Moment,
    ) -> Result<Actions, Refusal> {
        let boot = self.boot;
        let line = self.line_mut(id)?;
        if line.disabled_until.take().is_none() {
            return Ok(Actions::default());
        }
        let audit = line.audit(by, "screening on", at.wall);
        let records = vec![line.changed(boot, at), audit];
        self.plan(id);
        Ok(Actions { records, effects: Vec::new() })
    }

    /// Somebody wants the line to be kept clear.
    pub(super) fn start_hold(
        &mut self,
        id: &LineId,
        length: Option<Duration>,
        by: Actor,
        at: Moment,
    ) -> Result<Actions, Refusal> {
        let name = self.new_id();
        let line = self.line_mut(id)?;
        let change = line.clear.start(name, None, Scammer::Nobody, length, at);
        let audit = line.audit(by, "hold started", at.wall);
        let mut actions = self.hold_changed(id, change, None, at);
        actions.records.push(audit);
        Ok(actions)
    }

    /// Somebody wants more time.
    pub(super) fn extend_hold(
        &mut self,
        id: &LineId,
        length: Duration,
        by: Actor,
        at: Moment,
    ) -> Result<Actions, Refusal> {
        let line = self.line_mut(id)?;
        let change = line.clear.extend(length, at.now);
        let change = change.ok_or_else(|| Refusal::NotHeld(id.clone()))?;
        let audit = line.audit(by, "hold extended", at.wall);
        let mut actions = self.hold_changed(id, change, None, at);
        actions.records.push(audit);
        Ok(actions)
    }

    /// Somebody ends the hold.
    pub(super) fn end_hold(
        &mut self,
        id: &LineId,
        by: Actor,
        at: Moment,
    ) -> Result<Actions, Refusal> {
        let line = self.line_mut(id)?;
        if !may_decide(line, &by) {
            return Err(Refusal::CarersOnly(id.clone()));
        }
        let change = line.clear.end().ok_or_else(|| Refusal::NotHeld(id.clone()))?;
        let audit = line.audit(by.clone(), "hold ended", at.wall);
        let mut actions = self.hold_changed(id, change, Some(&by), at);
        actions.records.push(audit);
        Ok(actions)
    }

    /// Forgets what waits to be told of a line, and what its calls came to. A hold goes on: it
    /// protects, and tells nothing.
    pub fn erase(&mut self, id: &LineId) {
        self.outbox.forget(id);
        if let Some(line) = self.lines.get_mut(id) {
            line.suspicious = None;
        }
        let calls = self.calls.values_mut().chain(self.orphans.values_mut());
        calls.filter(|call| call.line == *id).for_each(|call| call.incident = None);
    }

    pub(super) fn line_mut(&mut self, id: &LineId) -> Result<&mut Line, Refusal> {
        self.lines.get_mut(id).ok_or_else(|| Refusal::NoLine(id.to_string()))
    }
}

/// Where only carers may ring although the line is held, only they decide about it.
fn may_decide(line: &Line, by: &Actor) -> bool {
    *by != Actor::Person || line.clear.policy().override_by == OverrideBy::Anyone
}

#[cfg(test)]
mod tests;
