//! What must be so after every step.

use lineclear::alert::deadline::BootId;
use lineclear::alert::desk::{Actions, Desk, Effect, Question};
use lineclear::alert::line_clear::{Gate, Reason};
use lineclear::alert::number::TagKey;
use lineclear::alert::outbox::MOST_PENDING;
use lineclear::alert::record::{Delivery, NotificationRecord, Record};
use lineclear::call::{CallId, Direction, LineId};
use lineclear::private::Private;
use lineclear::rules::Level;

use super::acts::notes;
use super::commit::{index, is_told_of};
use super::homes::{
    CONTACTS, EMERGENCIES, IN_EVERY_CALL, IN_EVERY_NUMBER, Mode, NUMBERS, TELECARE, TurnAway,
    number,
};
use super::model::Case;
use super::script::{By, Hand, Other};
use super::store::is_pending;
use super::world::{Cause, Kept, World, keep};

/// A tick may be so late.
const TICK: u64 = 1_000;
/// Besides the line that a step was about, some others are looked at after each.
const ALSO: usize = 2;

impl World {
    pub fn check(&mut self, step: usize) -> Kept {
        let lines = self.homes.lines.len();
        self.check_line(self.touched)?;
        for also in 0..ALSO {
            self.check_line((step * ALSO + also) % lines)?;
        }
        self.check_unknown_line()?;
        let watched = self.watched.iter().map(|calls| calls.len()).sum::<usize>();
        let (calls, waiting) = (self.desk.calls(), self.desk.waiting());
        keep!(calls == watched, "5: {calls} calls are remembered, of which {watched} are up");
        let pending = self.store.memory.pending;
        keep!(waiting == pending, "5: {waiting} notifications wait, {pending} are committed");
        keep!(waiting <= MOST_PENDING, "5: {waiting} notifications wait");
        Ok(())
    }

    fn check_line(&mut self, line: usize) -> Kept {
        self.emergencies_pass(line)?;
        self.is_held_as_promised(line)?;
        self.callers_are_answered(line)
    }

    /// What a line would answer; nothing comes of the question.
    fn gate(
        &mut self,
        line: LineId,
        direction: Direction,
        other: Option<String>,
    ) -> Kept<Answered> {
        let number = other.map(Private::new);
        let question = Question { line, direction, number, key: None, dry_run: true };
        let (answer, actions) = self.desk.gate(&question, self.clock.moment());
        keep!(actions.is_empty(), "a dry run does something");
        Ok(Answered { gate: answer.gate, drop_first: answer.drop_first })
    }

    fn emergencies_pass(&mut self, line: usize) -> Kept {
        let home = &self.homes.lines[line];
        let telecare = (home.has_telecare && !home.is_removed).then_some(TELECARE);
        for number in EMERGENCIES.into_iter().chain(telecare) {
            let id = self.line_id(line);
            let answer = self.gate(id, Direction::Outgoing, Some(number.to_owned()))?;
            let passes = answer.gate == Gate::Pass(Reason::Emergency);
            keep!(passes, "1: {number} on line {line}: {:?}", answer.gate);
            let up = self.watched[line].iter();
            let are_dropped = up.eq(answer.drop_first.iter());
            keep!(are_dropped, "1: {number} on line {line} leaves a call up");
        }
        Ok(())
    }

    fn check_unknown_line(&mut self) -> Kept {
        for (number, reason) in [("999", Reason::Emergency), ("01234", Reason::UnknownLine)] {
            let line = LineId::new("nowhere");
            let answer = self.gate(line, Direction::Outgoing, Some(number.to_owned()))?;
            keep!(answer.gate == Gate::Pass(reason), "1: {number} on no line: {:?}", answer.gate);
        }
        Ok(())
    }

    fn is_held_as_promised(&mut self, line: usize) -> Kept {
        let (truth, id) = (self.clock.truth, self.line_id(line));
        let number = number(NUMBERS + 1, 0);
        let answer = self.gate(id.clone(), Direction::Outgoing, Some(number))?;
        let promised = self.model.line(line).hold.map(|hold| hold.promise.until);
        if let Some(until) = promised.filter(|until| *until > truth) {
            let is_held = match answer.gate {
                Gate::Held { remaining, .. } => remaining.as_millis() as u64 >= until - truth,
                _ => false,
            };
            keep!(is_held, "2: {} ms to go, and {:?}", until - truth, answer.gate);
        }
        let is_late = promised.is_none_or(|until| truth > until + TICK);
        let is_held = self.desk.hold(&id).is_some();
        keep!(!is_held || !is_late, "2: line {line} is held though {promised:?} is over");
        self.scam_calls_are_dropped(line, &answer, promised.is_some())
    }

    /// While a scam call is up, others wait; and if none is, they do not.
    fn scam_calls_are_dropped(&self, line: usize, answer: &Answered, is_held: bool) -> Kept {
        let acts = self.acts_on(line);
        let is_scam = |id: &&CallId| {
            let call = self.calls.iter().position(|it| it.id == **id);
            let case = call.and_then(|call| self.model.case_of(call));
            let case = case.and_then(|id| self.model.case(id));
            case.is_some_and(|it| it.highest >= Level::Warning && !it.simulated && !self.is_off(it))
        };
        let scams: Vec<_> = self.watched[line].iter().filter(|_| acts).filter(is_scam).collect();
        // One that was up before the program died may be up still.
        let is_unheard = |it: &Case| {
            it.line == line
                && it.is_open
                && it.highest >= Level::Warning
                && !(it.simulated || self.calls[it.call].is_watched || self.is_off(it))
        };
        let is_up = !scams.is_empty() || (acts && self.model.cases().any(is_unheard));
        let is_wait = matches!(answer.gate, Gate::Held { .. });
        keep!(is_wait == (is_held || is_up), "2: {:?}, {scams:?}", answer.gate);
        let is_dropped = answer.drop_first.iter().eq(scams);
        keep!(is_dropped, "2: the call before is still up: {:?}", answer.drop_first);
        Ok(())
    }

    fn callers_are_answered(&mut self, line: usize) -> Kept {
        let (truth, state) = (self.clock.truth, self.model.line(line).clone());
        let is_free = state.callbacks.is_some_and(|promise| promise.until > truth);
        let scammer = state.hold.and_then(|hold| hold.scammer);
        let callers = [scammer.unwrap_or(Other::Withheld), Other::Withheld, Other::Number(NUMBERS)];
        for other in callers.into_iter().chain([Other::Number(line % CONTACTS)]) {
            let shown = match other {
                Other::Number(other) => Some(number(other, line)),
                _ => None,
            };
            let gate = self.gate(self.line_id(line), Direction::Incoming, shown)?.gate;
            let passes = matches!(gate, Gate::Pass(_));
            keep!(passes || !is_free, "7: they ring back, and {gate:?}");
            let home = &self.homes.lines[line];
            if is_free || home.is_removed || state.callbacks.is_some() {
                continue;
            }
            let is_them = Some(other) == scammer;
            let is_contact = matches!(other, Other::Number(other) if other < CONTACTS);
            let must_pass = match home.turn_away {
                _ if state.hold.is_none() => true,
                TurnAway::Nobody => true,
                TurnAway::Scammer => !is_them,
                TurnAway::Unknown => !is_them && is_contact,
            };
            keep!(passes == must_pass, "{other:?} rings a line held for {scammer:?}: {gate:?}");
        }
        Ok(())
    }

    /// The edge may do this.
    pub fn may_be_done(&self, cause: Cause, effect: &Effect) -> Kept {
        let truth = self.clock.truth;
        let hold = |line: &LineId| self.model.line(index(line)).hold;
        match effect {
            Effect::Whisper { line, level, call, .. } => {
                let is_right = self.is_heard(cause, call, *level);
                let is_far = *level >= self.homes.lines[index(line)].from;
                keep!(is_right && is_far, "4: {level:?} was whispered");
            }
            Effect::DropFarLeg { line, prompt: Some(_), call, .. } => {
                let protects = self.homes.lines[index(line)].mode == Mode::Protect;
                let is_danger = protects && self.is_heard(cause, call, Level::Danger);
                keep!(is_danger, "4: a call was ended that nobody wants ended");
                let it = self.calls.iter().find(|it| it.id == *call);
                let is_callback = it.is_some_and(|it| it.is_callback);
                keep!(!is_callback, "7: a call by whoever may ring back was ended");
            }
            Effect::DropFarLeg { prompt: None, .. } => {
                keep!(matches!(cause, Cause::Asked { .. }), "a call was dropped for no call");
            }
            Effect::LineHeld { line, remaining, .. } => {
                let until = truth + remaining.as_millis() as u64;
                let is_it = hold(line).is_some_and(|hold| hold.promise.until == until);
                keep!(is_it, "2: the line is said to be held until {until}");
            }
            Effect::Deliver(attempt) => {
                let key = &attempt.notification.notice.key;
                let note = self.store.memory.notifications.get(key);
                keep!(note.is_some_and(is_pending), "3: {key} is delivered though it is over");
            }
            Effect::LineClear { .. } | Effect::Notice { .. } | Effect::Forget { .. } => {}
        }
        Ok(())
    }

    /// A call is at this level and is to be acted on: it was just heard, or its line is looked
    /// after again.
    fn is_heard(&self, cause: Cause, id: &CallId, level: Level) -> bool {
        let Some(call) = self.calls.iter().position(|it| it.id == *id) else { return false };
        match cause {
            Cause::Heard(it, heard) => it == call && heard == level && self.may_warn(call),
            Cause::Tick | Cause::Stepped | Cause::Hand(_, Hand::Enable, _) => {
                // It may have been silent for too long, and be over as well.
                let is_over = self.model.case_of(call).is_none();
                let may = self.may_warn(call) || is_over;
                may && self.acts_on(self.calls[call].plan.line)
                    && self.calls[call].heard == Some(level)
            }
            _ => false,
        }
    }

    /// Whatever is committed and done may be printed.
    pub fn says_no_number(&self, actions: &Actions) -> Kept {
        let said = format!("{actions:?}");
        keep!(!tells(&said), "6: it prints a number or a name: {said}");
        for note in notes(actions) {
            let json = serde_json::to_string(&note.notice).map_err(|error| error.to_string())?;
            keep!(!tells(&json), "6: {json}");
        }
        Ok(())
    }

    /// Nobody reads more than they may know.
    pub fn shares_little(&self, note: &NotificationRecord) -> Kept {
        let person = note.to.person.trim_start_matches('p').parse::<usize>();
        let share = self.homes.people[person.map_err(|error| error.to_string())?].share;
        let notice = &note.notice;
        let told = [&notice.family, &notice.stage, &notice.advice];
        let is_more = told.iter().zip(share).any(|(told, may)| told.is_some() && !may);
        keep!(!is_more, "6: {} is told more than they may know", note.to.person);
        Ok(())
    }

    /// The wall clock was set: every deadline was written anew.
    pub fn is_written_anew(&self, actions: &Actions) -> Kept {
        let written = |line: usize, is_hold: bool| {
            let id = self.line_id(line);
            actions.records.iter().any(|record| match record {
                Record::Hold(hold) => is_hold && hold.line == id,
                Record::Line(line) => !is_hold && line.line == id,
                _ => false,
            })
        };
        for (line, state) in self.model.lines() {
            let hold = state.hold.is_none() || written(line, true);
            keep!(hold, "2: the clock was set, and line {line} is held by the old one");
            let callbacks = state.callbacks.is_none() || written(line, false);
            keep!(callbacks, "7: the clock was set, and line {line} is open by the old one");
        }
        Ok(())
    }

    pub fn consents_are_committed(&self) -> Kept {
        for line in 0..self.homes.lines.len() {
            let kept = self.store.memory.consents.contains_key(&self.line_id(line));
            let agreed = self.homes.is_screened(line);
            keep!(kept == agreed, "6: consent of line {line}: {agreed}, and {kept} on the disk");
        }
        let mut waiting = self.store.memory.notifications.values().filter(|it| is_pending(it));
        let may_be_told = waiting.all(|note| is_told_of(&self.homes, note));
        keep!(may_be_told, "6: something waits for people who may not be told any more");
        Ok(())
    }

    /// Nothing is left to do, and nothing is remembered but what a fresh start would remember.
    pub fn is_at_rest(&mut self) -> Kept {
        for line in 0..self.homes.lines.len() {
            self.check_line(line)?;
            keep!(self.model.line(line).hold.is_none(), "2: line {line} is still held");
        }
        keep!(self.desk.calls() == 0 && self.desk.waiting() == 0, "5: something waits for ever");
        let next = self.desk.next_deadline();
        keep!(next.is_none(), "5: a timer is left: {next:?}");
        for (key, note) in &self.store.memory.notifications {
            let is_shown = self.channels.is_shown(key);
            match &note.state {
                Delivery::Pending(_) => return Err(format!("3: {key} is lost")),
                Delivery::Delivered(_) => keep!(is_shown, "3: nobody has {key}"),
                Delivery::Failed(_) => {}
            }
        }
        let (boot, seed) = (BootId(self.clock.boot), self.rng.u64(..));
        let mut fresh = Desk::new(&self.config, boot, TagKey::new([7; 32]), seed);
        let at = self.clock.moment();
        let _same_as_is_committed = fresh.restore(self.store.snapshot(), &self.config, at);
        let (now, then) = (format!("{:?}", self.desk).len(), format!("{fresh:?}").len());
        // Which incidents were called off, and how channels did, is remembered within limits.
        let spare = 400 + 50 * self.calls.len().min(1000) / 10;
        keep!(now <= then + spare, "5: the desk has grown from {then} to {now} characters");
        Ok(())
    }

    pub fn is_disabled(&self, line: usize) -> bool {
        self.model.line(line).disabled.is_some_and(|until| self.clock.truth < until)
    }

    /// What is heard in a call counts.
    pub fn listens(&self, call: usize) -> bool {
        let call = &self.calls[call];
        call.is_watched
            && self.homes.is_screened(call.plan.line)
            && !self.is_disabled(call.plan.line)
    }

    /// Something may be done on the line itself.
    pub fn acts_on(&self, line: usize) -> bool {
        let observes = self.homes.lines[line].mode == Mode::Observe;
        self.homes.is_screened(line) && !observes && !self.is_disabled(line)
    }

    pub fn may_warn(&self, call: usize) -> bool {
        let case = self.model.case_of(call).and_then(|id| self.model.case(id));
        let is_open = case.is_some_and(|case| !case.simulated && case.off.is_none());
        is_open && self.acts_on(self.calls[call].plan.line)
    }

    /// Whether somebody who may said that it is no scam.
    pub fn is_off(&self, case: &Case) -> bool {
        match case.off {
            Some(By::Carer) => true,
            Some(By::Person) => !self.homes.lines[case.line].carers_only,
            None => false,
        }
    }
}

struct Answered {
    gate: Gate,
    drop_first: Vec<CallId>,
}

/// Whether a text holds a number or a call's name. Ids are long rows of digits: what is in one of
/// them by chance is no number.
fn tells(text: &str) -> bool {
    let mut runs = text.split(|sign: char| !sign.is_ascii_digit());
    text.contains(IN_EVERY_CALL)
        || (text.contains(IN_EVERY_NUMBER)
            && runs.any(|run| run.len() < 20 && run.contains(IN_EVERY_NUMBER)))
}
