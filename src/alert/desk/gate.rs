//! May this call go ahead? Answered from memory.

use super::calls::is_off;
use super::{Actions, Answer, Call, Desk, Effect, Line, Question};
use crate::alert::line_clear::{Gate, Reason};
use crate::alert::number::{Emergency, national};
use crate::alert::prompt::Prompt;
use crate::alert::record::Actor;
use crate::call::{CallId, Direction, LineId};
use crate::private::Private;
use crate::rules::Level;
use crate::time::{Moment, Now};

impl Desk {
    /// Whether a call may go ahead, and what follows from its being tried. A line that is not known
    /// lets everything pass: whoever configured it wrongly must not cut somebody off.
    pub fn gate(&mut self, question: &Question, at: Moment) -> (Answer, Actions) {
        let answer = match self.lines.get(&question.line) {
            Some(line) => self.answer(line, question, at.now),
            None => self.answer_unknown(question),
        };
        let actions = match question.dry_run {
            true => Actions::default(),
            false => self.follow(question, &answer, at),
        };
        (answer, actions)
    }

    fn answer(&self, line: &Line, question: &Question, now: Now) -> Answer {
        match (question.direction, &question.number) {
            (Direction::Outgoing, Some(number)) if line.clear.is_emergency(number) => {
                let calls = self.calls_of(line, |_| true);
                pass(Reason::Emergency, vec![Prompt::emergency_passing()], calls)
            }
            (Direction::Outgoing, number) => {
                self.outgoing(line, number.as_ref(), question.key.as_deref(), now)
            }
            (Direction::Incoming, number) => {
                let tag = number.as_ref().map(|number| self.key.number(number));
                let gate = line.clear.incoming(line.caller(tag), now);
                let is_away = matches!(gate, Gate::TurnAway { .. });
                let prompts = is_away.then(Prompt::turned_away).into_iter().collect();
                Answer { gate, prompts, drop_first: Vec::new() }
            }
        }
    }

    fn outgoing(
        &self,
        line: &Line,
        number: Option<&Private<String>>,
        key: Option<&str>,
        now: Now,
    ) -> Answer {
        let is_suspicious = |call: &Call| {
            let incident = call.incident.as_ref();
            let is_one = |it: &crate::alert::incident::Incident| {
                it.record.level >= Level::Warning && !is_off(line, it)
            };
            call.is_cut || (!call.simulated && incident.is_some_and(is_one))
        };
        // The far leg of a scam call is still up: that is how "ring the bank to check" works.
        let still_up = match line.may_act(now) {
            true => self.calls_of(line, is_suspicious),
            false => Vec::new(),
        };
        // After a restart it has no name until its source is heard of again; it may be up.
        let is_unheard = line.may_act(now)
            && self.orphans.values().any(|call| call.line == line.id && is_suspicious(call));
        let gate = match line.clear.hold() {
            hold if is_unheard || !still_up.is_empty() => {
                let length = line.clear.policy().length();
                line.clear.held(hold.map_or(length, |hold| length.max(hold.until - now)), key)
            }
            None if !line.may_act(now) => Gate::Pass(Reason::Observed),
            _ => line.clear.outgoing(key, now),
        };
        match gate {
            Gate::Held { remaining, can_override } => {
                let offer = Prompt::how_to_override(can_override);
                let prompts = vec![Prompt::line_held(remaining), offer];
                Answer { gate, prompts, drop_first: still_up }
            }
            _ if self.is_advised(number) && line.may_act(now) => {
                // Whoever rings the bank or the police must reach them and nobody else.
                let drop_first = self.calls_of(line, |_| true);
                Answer { gate, prompts: Vec::new(), drop_first }
            }
            _ => Answer { gate, prompts: Vec::new(), drop_first: still_up },
        }
    }

    fn answer_unknown(&self, question: &Question) -> Answer {
        let emergency = Emergency::new(&self.emergency.emergency, &self.emergency.prefixes);
        let reaches = |number: &Private<String>| emergency.is_reached_by(number);
        match (question.direction, &question.number) {
            (Direction::Outgoing, Some(number)) if reaches(number) => {
                pass(Reason::Emergency, vec![Prompt::emergency_passing()], Vec::new())
            }
            _ => pass(Reason::UnknownLine, Vec::new(), Vec::new()),
        }
    }

    /// What follows from a call being tried.
    fn follow(&mut self, question: &Question, answer: &Answer, at: Moment) -> Actions {
        let id = &question.line;
        let mut actions = Actions::default();
        for call in &answer.drop_first {
            let (line, call) = (id.clone(), call.clone());
            let drop = Effect::DropFarLeg { line, call, prompt: None, connect: None };
            actions.effects.push(drop);
        }
        match answer.gate {
            Gate::Pass(Reason::Emergency) => actions.append(self.emergency(id, at)),
            Gate::Pass(Reason::Overridden) => {
                let line = self.lines.get(id);
                let audit = line.map(|it| it.audit(Actor::Person, "rang although held", at.wall));
                actions.records.extend(audit);
            }
            _ => {}
        }
        if question.direction == Direction::Incoming {
            actions.append(self.rings_again(question, answer, at));
        }
        actions
    }

    /// An emergency call is made: for some time whoever rings back reaches the line.
    pub(super) fn emergency(&mut self, id: &LineId, at: Moment) -> Actions {
        let Some(line) = self.lines.get_mut(id) else { return Actions::default() };
        line.clear.note_emergency(at.now);
        let records =
            vec![line.changed(self.boot, at), line.audit(Actor::Person, "emergency call", at.wall)];
        self.plan(id);
        Actions { records, effects: Vec::new() }
    }

    /// A new attempt by the scammer starts the clock again, unless everybody may ring just now.
    fn rings_again(&mut self, question: &Question, answer: &Answer, at: Moment) -> Actions {
        let id = &question.line;
        let tag = question.number.as_ref().map(|number| self.key.number(number));
        let Some(line) = self.lines.get_mut(id) else { return Actions::default() };
        let is_free = answer.gate == Gate::Pass(Reason::AfterEmergency);
        if is_free || !line.clear.is_scammer(line.caller(tag)) {
            return Actions::default();
        }
        match line.clear.restart(at.now) {
            Some(change) => self.hold_changed(id, change, None, at),
            None => Actions::default(),
        }
    }

    fn calls_of(&self, line: &Line, which: impl Fn(&Call) -> bool) -> Vec<CallId> {
        let is_one = |id: &&CallId| self.calls.get(*id).is_some_and(&which);
        line.calls.iter().filter(is_one).cloned().collect()
    }

    /// Whether it is one of the numbers that people are advised to ring.
    fn is_advised(&self, number: Option<&Private<String>>) -> bool {
        let Some(number) = number else { return false };
        let number = national(number.reveal());
        self.advice.contacts.iter().any(|contact| national(&contact.number) == number)
    }
}

const fn pass(reason: Reason, prompts: Vec<Prompt>, drop_first: Vec<CallId>) -> Answer {
    Answer { gate: Gate::Pass(reason), prompts, drop_first }
}

#[cfg(test)]
mod tests;
