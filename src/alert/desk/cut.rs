//! Calls that are cut off: somebody wants that, or the far leg plays at being somebody else.

use super::calls::open;
use super::{Actions, Desk, Effect, Refusal, Timer};
use crate::alert::prompt::Prompt;
use crate::alert::record::{Actor, Id};
use crate::alert::report::Report;
use crate::call::{CallId, LineId};
use crate::time::Moment;

impl Desk {
    /// Somebody ends a call, or all that are up on a line. It was suspicious to them, so the line
    /// is
    /// held after it.
    pub(super) fn cut_off(
        &mut self,
        id: &LineId,
        call: Option<&CallId>,
        by: Actor,
        at: Moment,
    ) -> Result<Actions, Refusal> {
        let line = self.line_mut(id)?;
        let is_meant = |it: &&CallId| call.is_none_or(|call| call == *it);
        let calls: Vec<_> = line.calls.iter().filter(is_meant).cloned().collect();
        if calls.is_empty() {
            return Err(Refusal::NoCallUp(id.clone()));
        }
        let records = vec![line.audit(by, "ended the call", at.wall)];
        let mut actions = Actions { records, effects: Vec::new() };
        for call in calls {
            if let Some(call) = self.calls.get_mut(&call) {
                call.is_cut = true;
            }
            let (line, prompt) = (id.clone(), Some(Prompt::dropped()));
            actions.effects.push(Effect::DropFarLeg { line, call, prompt, connect: None });
        }
        Ok(actions)
    }

    /// Whoever dials while the caller is still there reaches the caller, who then says to be the
    /// bank. It is warned of at once, whatever the score, and where the person is protected the far
    /// leg is dropped and the number connected on a fresh one. A call that the person made is let
    /// be: only its caller can keep a line up.
    pub(super) fn trick(
        &mut self,
        id: &CallId,
        dialled: Option<&'static str>,
        at: Moment,
    ) -> Result<Actions, Refusal> {
        let new = Id(self.rng.u128(..));
        let call = self.calls.get_mut(id).ok_or(Refusal::NoCall)?;
        self.timers.set(Timer::Idle(id.clone()), Some(at.now + self.idle));
        let Some(line) = self.lines.get(&call.line) else { return Ok(Actions::default()) };
        let policy = line.policy.as_ref().filter(|_| line.is_screened() && call.is_incoming);
        let policy = policy.filter(|_| !line.is_disabled(at.now));
        let Some(policy) = policy else { return Ok(Actions::default()) };
        let report = call.report.as_ref().map_or_else(Report::of_trick, Report::with_trick);
        if call.incident.is_none() {
            call.incident = Some(open(new, call, at.wall));
        }
        let Some(incident) = &mut call.incident else { return Ok(Actions::default()) };
        let moves = incident.take_trick(&report, &policy.warn, at);
        Ok(self.act(id, moves, dialled, at))
    }
}

#[cfg(test)]
mod tests;
