//! What people do: they say that it is no scam, want to be left alone, start, extend and end holds.

use std::time::Duration;

use super::calls::open;
use super::{Actions, Desk, LONGEST_DISABLED, Line, Refusal};
use crate::alert::incident::Incident;
use crate::alert::record::{Actor, Id, IncidentRecord, Record, Scammer};
use crate::call::{CallId, LineId};
use crate::config::OverrideBy;
use crate::rules::Level;
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
        line.is_decided = true;
        let audit = line.audit(by, "screening off", at.wall);
        let records = vec![line.changed(boot, at), audit];
        self.plan(id);
        Ok(Actions { records, effects: Vec::new() })
    }

    /// The line is looked after again, and so are the calls that are up.
    pub(super) fn enable(
        &mut self,
        id: &LineId,
        by: Actor,
        at: Moment,
    ) -> Result<Actions, Refusal> {
        let boot = self.boot;
        let line = self.line_mut(id)?;
        line.is_decided = true;
        if line.disabled_until.take().is_none() {
            return Ok(Actions::default());
        }
        let audit = line.audit(by, "screening on", at.wall);
        let records = vec![line.changed(boot, at), audit];
        let calls = line.calls.clone();
        self.plan(id);
        let mut actions = Actions { records, effects: Vec::new() };
        calls.iter().for_each(|call| actions.append(self.judge(call, at)));
        Ok(actions)
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
    /// protects, and tells nothing. A call that is up is an incident of its own again, by what was
    /// last reported of it: it is warned of and told anew.
    pub fn erase(&mut self, id: &LineId, at: Moment) -> Actions {
        let waits = self.outbox.withdraw(|record| record.line != *id, "erased", at);
        let records = waits.into_iter().map(Record::Notification).collect();
        let mut actions = Actions { records, effects: Vec::new() };
        for orphan in self.orphans.values_mut().filter(|it| it.line == *id) {
            actions.records.extend(orphan.incident.take().map(|before| over(before, at)));
        }
        let Some(line) = self.lines.get_mut(id) else { return actions };
        line.suspicious = None;
        for call in line.calls.clone() {
            actions.records.extend(self.renew_incident(&call, at));
            actions.append(self.judge(&call, at));
        }
        actions
    }

    /// The call goes on under another incident. What somebody said of it still counts.
    fn renew_incident(&mut self, id: &CallId, at: Moment) -> Option<Record> {
        let new = self.new_id();
        let call = self.calls.get_mut(id)?;
        let before = call.incident.take()?;
        if call.report.as_ref().is_some_and(|it| it.level >= Level::Caution) {
            let incident = open(new, call, at.wall);
            let not_a_scam = before.record.not_a_scam.clone();
            let record = IncidentRecord { not_a_scam, ..incident.record };
            call.incident = Some(Incident::new(record, 0));
        }
        Some(over(before, at))
    }

    pub(super) fn line_mut(&mut self, id: &LineId) -> Result<&mut Line, Refusal> {
        self.lines.get_mut(id).ok_or_else(|| Refusal::NoLine(id.to_string()))
    }
}

/// The end of an incident that is erased: if it cannot be erased now, no restart goes on with it.
fn over(mut incident: Incident, at: Moment) -> Record {
    let _erased_as_well = incident.end(at.wall);
    Record::Incident(incident.record)
}

/// Where only carers may ring although the line is held, only they decide about it.
fn may_decide(line: &Line, by: &Actor) -> bool {
    *by != Actor::Person || line.clear.policy().override_by == OverrideBy::Anyone
}

#[cfg(test)]
mod tests;
