//! Calls: they begin, something is heard in them, they end.

use super::{Actions, Call, Desk, Effect, NewCall, Refusal, Started, Timer};
use crate::alert::incident::{Incident, Moves};
use crate::alert::line_clear::{Caller, Change};
use crate::alert::number::last_two;
use crate::alert::prompt::Prompt;
use crate::alert::record::{Actor, Ended, Id, IncidentRecord, Record, Scammer};
use crate::alert::report::Report;
use crate::call::{CallId, Direction, LineId, Origin};
use crate::config::{Mode, OverrideBy, Warn};
use crate::rules::Level;
use crate::time::{Moment, Wall};

/// Scammers ring back the same day or the next.
const RING_BACK_MS: u64 = 24 * 3600 * 1000;

impl Desk {
    /// A call begins. The same call may be announced again.
    ///
    /// # Errors
    /// When the line is not screened, or too many calls are watched already.
    pub fn start_call(&mut self, new: &NewCall, at: Moment) -> Result<(Started, Actions), Refusal> {
        let line = self.screened(&new.line)?;
        let tag = new.number.as_ref().map(|number| self.key.number(number));
        let caller = line.caller(tag);
        let started = Started {
            origin: match new.direction {
                Direction::Outgoing => Origin::Outgoing,
                Direction::Incoming if caller.is_contact => Origin::KnownContact,
                Direction::Incoming => Origin::Unknown,
            },
            after_suspicious: line.suspicious.is_some_and(|last| is_recent(last, at.wall)),
        };
        let incoming = new.direction == Direction::Incoming;
        let is_callback = incoming && line.clear.is_open_for_callbacks(at.now);
        if let Some(call) = self.calls.get(&new.call) {
            let same = call.line == new.line;
            let nothing = (started, Actions::default());
            return same.then_some(nothing).ok_or(Refusal::OtherLine);
        }
        if self.calls.len() >= self.max_calls {
            return Err(Refusal::TooManyCalls(self.max_calls));
        }
        let mut actions = self.attempt(new, caller, at);
        if self.notices(&new.line, at) {
            let (call, prompt) = (new.call.clone(), Prompt::notice());
            actions.effects.push(Effect::Notice { call, prompt });
        }
        let call = Call {
            line: new.line.clone(),
            tag: self.key.call(&new.call),
            number: tag.filter(|_| incoming),
            last_two: new.number.as_ref().filter(|_| incoming).and_then(last_two),
            report: None,
            incident: None,
            simulated: self.simulate,
            is_incoming: incoming,
            is_callback,
            is_cut: false,
        };
        let call = Call { is_incoming: incoming, is_callback, ..self.adopt(call) };
        self.timers.set(Timer::Idle(new.call.clone()), Some(at.now + self.idle));
        if let Some(line) = self.lines.get_mut(&new.line) {
            line.calls.insert(new.call.clone());
        }
        self.calls.insert(new.call.clone(), call);
        Ok((started, actions))
    }

    /// Something was heard in a call.
    pub(super) fn heard(
        &mut self,
        id: &CallId,
        report: Option<&Report>,
        at: Moment,
    ) -> Result<Actions, Refusal> {
        let call = self.calls.get_mut(id).ok_or(Refusal::NoCall)?;
        self.timers.set(Timer::Idle(id.clone()), Some(at.now + self.idle));
        let Some(report) = report else { return Ok(Actions::default()) };
        call.report = Some(report.clone());
        Ok(self.judge(id, at))
    }

    /// Does what follows from the last report of a call. What was reported while nobody wanted to
    /// be warned is not reported again: it counts as soon as somebody wants to be.
    pub(super) fn judge(&mut self, id: &CallId, at: Moment) -> Actions {
        let Some(call) = self.calls.get_mut(id) else { return Actions::default() };
        let Some(line) = self.lines.get(&call.line) else { return Actions::default() };
        // Consent may have been withdrawn while the call goes on: nothing is remembered, either.
        if !line.is_screened() {
            call.report = None;
            return Actions::default();
        }
        let policy = line.policy.as_ref().filter(|_| !line.is_disabled(at.now));
        let (Some(policy), Some(report)) = (policy, &call.report) else {
            return Actions::default();
        };
        if call.incident.is_none() {
            if report.level < Level::Caution {
                return Actions::default();
            }
            let id = Id(self.rng.u128(..));
            call.incident = Some(open(id, call, at.wall));
        }
        let Some(incident) = &mut call.incident else { return Actions::default() };
        // The police who ring back speak of couriers and cash, too: such a call is not ended.
        let is_milder = call.is_callback && policy.warn.mode == Mode::Protect;
        let milder = is_milder.then(|| Warn { mode: Mode::Warn, ..policy.warn.clone() });
        let moves = incident.take(report, milder.as_ref().unwrap_or(&policy.warn), at);
        self.act(id, moves, None, at)
    }

    /// Does what an incident asks for. After a drop the person is connected with `connect`.
    pub(super) fn act(
        &mut self,
        id: &CallId,
        moves: Moves,
        connect: Option<&'static str>,
        at: Moment,
    ) -> Actions {
        let mut actions = Actions::default();
        let Some(call) = self.calls.get(id) else { return actions };
        let Some(incident) = &call.incident else { return actions };
        let (line, level) = (call.line.clone(), incident.level());
        // What was told is committed with the telling, also when no more steps are kept.
        if !moves.steps.is_empty() || moves.tell {
            actions.records.push(Record::Incident(incident.record.clone()));
            actions.records.extend(moves.steps.into_iter().map(Record::History));
        }
        if moves.warn {
            let prompt = Prompt::warning(level, incident.record.family.as_deref());
            let (line, call) = (line.clone(), id.clone());
            actions.effects.push(Effect::Whisper { line, call, prompt, level });
        }
        if moves.drop {
            let (line, call) = (line.clone(), id.clone());
            // Who dialled waits for an answer, and not for advice.
            let prompt = connect.is_none().then(Prompt::dropped);
            actions.effects.push(Effect::DropFarLeg { line, call, prompt, connect });
        }
        let is_suspicious = level >= Level::Warning && !call.simulated;
        if moves.tell {
            actions.append(self.tell_of_level(id, at));
        }
        if is_suspicious && let Some(line) = self.lines.get_mut(&line) {
            let before = line.suspicious.replace(at.wall);
            if before.is_none_or(|before| at.wall.ms_since(before) >= 60_000) {
                actions.records.push(line.changed(self.boot, at));
            }
        }
        actions
    }

    /// A call ended, or was silent for so long that it must have.
    pub(super) fn call_ended(&mut self, id: &CallId, at: Moment) -> Result<Actions, Refusal> {
        let call = self.calls.remove(id).ok_or(Refusal::NoCall)?;
        self.timers.set(Timer::Idle(id.clone()), None);
        if let Some(line) = self.lines.get_mut(&call.line) {
            line.calls.remove(id);
        }
        self.forget_if_gone(&call.line);
        let mut actions = self.end_call(call, at);
        actions.effects.push(Effect::Forget { call: id.clone() });
        Ok(actions)
    }

    pub(super) fn end_call(&mut self, mut call: Call, at: Moment) -> Actions {
        let mut actions = Actions::default();
        if let Some(incident) = &mut call.incident {
            let step = incident.end(at.wall);
            actions.records.push(Record::Incident(incident.record.clone()));
            actions.records.extend(step.map(Record::History));
        }
        if self.is_held_after(&call, at) {
            let scammer = call.number.map_or(Scammer::Withheld, Scammer::Number);
            let id = self.new_id();
            let incident = call.incident.as_ref().map(|incident| incident.record.id);
            let line = self.lines.get_mut(&call.line);
            let change = line.map(|line| line.clear.start(id, incident, scammer, None, at));
            if let Some(change) = change {
                actions.append(self.hold_changed(&call.line, change, None, at));
            }
        }
        actions
    }

    /// Commits a change of the hold, and tells of it.
    pub(super) fn hold_changed(
        &mut self,
        id: &LineId,
        change: Change,
        by: Option<&Actor>,
        at: Moment,
    ) -> Actions {
        let mut actions = Actions::default();
        let begins = matches!(change, Change::Began(_));
        match change {
            Change::Began(hold) | Change::Held(hold) => {
                actions.records.push(Record::Hold(hold.record(id, self.boot, at)));
                let (line, remaining) = (id.clone(), hold.until - at.now);
                let prompt = Prompt::line_held(remaining);
                actions.effects.push(Effect::LineHeld { line, remaining, prompt });
                if begins {
                    actions.append(self.tell_of_hold(id, &hold, at));
                }
            }
            Change::Ended(hold) => {
                let by = by.cloned().unwrap_or(Actor::Lineclear);
                let mut record = hold.record(id, self.boot, at);
                record.ended = Some(Ended { at: at.wall, by });
                actions.records.push(Record::Hold(record));
                let (line, prompt) = (id.clone(), Prompt::line_clear());
                actions.effects.push(Effect::LineClear { line, prompt });
                actions.append(self.tell_of_clear(id, &hold, at));
            }
        }
        self.plan(id);
        actions
    }

    /// A hold is over, or the time for callbacks.
    pub(super) fn line_is_due(&mut self, id: &LineId, at: Moment) -> Actions {
        let Some(line) = self.lines.get_mut(id) else { return Actions::default() };
        let callbacks = line.clear.callbacks_until();
        let change = line.clear.tick(at.now);
        let mut actions = Actions::default();
        if callbacks != line.clear.callbacks_until() {
            actions.records.push(line.changed(self.boot, at));
        }
        match change {
            Some(change) => actions.append(self.hold_changed(id, change, None, at)),
            None => self.plan(id),
        }
        self.forget_if_gone(id);
        actions
    }

    /// A line that is configured no more is kept for as long as anything is the matter with it.
    fn forget_if_gone(&mut self, id: &LineId) {
        if self.lines.get(id).is_some_and(|line| !line.is_needed()) {
            self.lines.remove(id);
        }
    }

    /// The far leg of the last call is still up: the clock starts again.
    pub(super) fn far_leg_up(&mut self, id: &LineId, at: Moment) -> Result<Actions, Refusal> {
        let line = self.line_mut(id)?;
        let change = line.clear.restart(at.now).ok_or_else(|| Refusal::NotHeld(id.clone()))?;
        Ok(self.hold_changed(id, change, None, at))
    }

    /// What follows from a call being tried at all: the clock starts again for the one that the
    /// line is held for, and an emergency call opens the line for those who ring back.
    fn attempt(&mut self, new: &NewCall, caller: Caller, at: Moment) -> Actions {
        let Some(line) = self.lines.get_mut(&new.line) else { return Actions::default() };
        let dials_emergency = new.direction == Direction::Outgoing
            && new.number.as_ref().is_some_and(|number| line.clear.is_emergency(number));
        if dials_emergency {
            return self.emergency(&new.line, at);
        }
        let rings_again = new.direction == Direction::Incoming && line.clear.is_scammer(caller);
        match rings_again.then(|| line.clear.restart(at.now)).flatten() {
            Some(change) => self.hold_changed(&new.line, change, None, at),
            None => Actions::default(),
        }
    }

    /// If a restart came between, the call goes on with its incident.
    fn adopt(&mut self, new: Call) -> Call {
        let is_same = |(_, orphan): &(&Id, &Call)| orphan.tag == new.tag && orphan.line == new.line;
        let found = self.orphans.iter().find(is_same).map(|(id, _)| *id);
        let Some(id) = found else { return new };
        self.timers.set(Timer::Orphan(id), None);
        self.orphans.remove(&id).unwrap_or(new)
    }

    fn notices(&self, line: &LineId, at: Moment) -> bool {
        let Some(line) = self.lines.get(line) else { return false };
        let wants = line.policy.as_ref().is_some_and(|policy| policy.warn.notice);
        wants && line.may_act(at.now) && !self.simulate
    }

    /// Whether the line is held after a scam call.
    fn is_held_after(&self, call: &Call, at: Moment) -> bool {
        let Some(line) = self.lines.get(&call.line) else { return false };
        let is_scam = |it: &Incident| it.record.level >= Level::Warning && !is_off(line, it);
        let is_suspicious = !call.simulated && call.incident.as_ref().is_some_and(is_scam);
        (is_suspicious || call.is_cut) && line.may_act(at.now)
    }

    fn screened(&self, id: &LineId) -> Result<&super::Line, Refusal> {
        let line = self.lines.get(id).ok_or_else(|| Refusal::NoLine(id.to_string()))?;
        line.is_screened().then_some(line).ok_or_else(|| Refusal::NoConsent(id.clone()))
    }
}

/// Whether somebody who may said that it is no scam. Where only carers may ring although the line
/// is held, only they can say so: whoever holds the telephone may have been talked into it.
pub(super) fn is_off(line: &super::Line, incident: &Incident) -> bool {
    match &incident.record.not_a_scam {
        Some(Actor::Person) => line.clear.policy().override_by == OverrideBy::Anyone,
        Some(_) => true,
        None => false,
    }
}

fn is_recent(last: Wall, now: Wall) -> bool {
    now.ms_since(last) < RING_BACK_MS
}

/// A call that becomes suspicious.
pub(super) fn open(id: Id, call: &Call, wall: Wall) -> Incident {
    let record = IncidentRecord {
        id,
        line: call.line.clone(),
        call: call.tag,
        number: call.number,
        last_two: call.last_two,
        opened: wall,
        ended: None,
        level: Level::Quiet,
        stage: None,
        family: None,
        score: 0.0,
        rules: Vec::new(),
        not_a_scam: None,
        told: Vec::new(),
        simulated: call.simulated,
    };
    Incident::new(record, 0)
}

#[cfg(test)]
mod tests;
