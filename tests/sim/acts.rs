//! What callers, exchanges and people do, and what must come of it.

use std::time::Duration;

use lineclear::alert::desk::{Actions, Answer, Effect, Event, NewCall, Question, Refusal};
use lineclear::alert::line_clear::{Gate, Reason};
use lineclear::alert::record::{Actor, Id, NotificationRecord, Record};
use lineclear::alert::report::Report;
use lineclear::call::Direction;
use lineclear::private::Private;
use lineclear::rules::{Level, Stage};

use super::channels;
use super::homes::{Change, EMERGENCIES, Mode, number};
use super::script::{By, Hand, Other};
use super::world::{Cause, Kept, Lived, World, keep};

/// The longest time for which a line can be held or left alone, in milliseconds.
const DAY: u64 = 24 * 3_600_000;
/// For how long everybody may ring after an emergency call.
const CALLBACKS: u64 = 90 * 60_000;

impl World {
    /// What is dialled or shown; each number is written in several ways.
    pub fn number(&mut self, other: Other) -> Option<Private<String>> {
        let number = match other {
            Other::Number(other) => number(other, self.rng.usize(..3)),
            Other::Emergency(which) => EMERGENCIES[which].to_owned(),
            Other::Withheld => return None,
        };
        Some(Private::new(number))
    }

    pub fn begin(&mut self, call: usize, asks: bool) -> Kept {
        let plan = self.calls[call].plan.clone();
        self.touched = plan.line;
        if asks && !self.calls[call].is_up {
            let Some(answer) = self.ask(plan.line, plan.direction, plan.other, false)? else {
                return Ok(());
            };
            if !matches!(answer.gate, Gate::Pass(_)) {
                return Ok(());
            }
        }
        self.calls[call].is_up = true;
        self.announce(call).map(|_| ())
    }

    /// A source tells of a call.
    fn announce(&mut self, call: usize) -> Kept<Lived> {
        let plan = self.calls[call].plan.clone();
        let (line, number) = (self.line_id(plan.line), self.number(plan.other));
        let id = self.calls[call].id.clone();
        let new = NewCall { line, call: id.clone(), direction: plan.direction, number };
        let is_screened = self.homes.is_screened(plan.line);
        let all = self.watched.iter().map(|calls| calls.len()).sum::<usize>();
        let is_new = !self.calls[call].is_watched;
        let has_room = !is_new || all < self.homes.max_calls;
        let callbacks = self.model.line(plan.line).callbacks;
        let may_ring_back = callbacks.is_some_and(|promise| promise.until > self.clock.truth);
        let started = self.desk.start_call(&new, self.clock.moment());
        keep!(
            started.is_ok() == (is_screened && has_room),
            "a call is watched where somebody agreed and there is room: {started:?}"
        );
        let Ok((_, actions)) = started else { return Ok(Lived::On) };
        if is_new {
            let case = self.model.case_of(call).and_then(|id| self.model.case(id));
            self.calls[call].simulated = case.map_or(self.homes.simulate, |case| case.simulated);
            (self.calls[call].is_watched, self.calls[call].heard) = (true, None);
            let is_incoming = plan.direction == Direction::Incoming;
            self.calls[call].is_callback = is_incoming && may_ring_back;
            self.watched[plan.line].insert(id);
        }
        keep!(is_new || actions.is_empty(), "announced twice, and something came of it");
        let lived = self.perform(Cause::Begin(call), actions)?;
        if lived == Lived::On && is_new {
            self.was_tried(plan.line, plan.direction, plan.other)?;
        }
        Ok(lived)
    }

    pub fn say(&mut self, call: usize, level: Level, stage: usize) -> Kept {
        let line = self.calls[call].plan.line;
        self.touched = line;
        if self.calls[call].is_up && !self.calls[call].is_watched {
            // Its source hears that the call is not known, and tells of it again.
            let _whether_or_not = self.announce(call)?;
        }
        let rules = if level >= Level::Caution { vec![format!("rule-{stage}")] } else { vec![] };
        let report = Report {
            level,
            score: 10.0 * f64::from(level as u8) + self.rng.f64() * 9.0,
            stage: Stage::ALL.get(stage).copied(),
            family: Some("courier".to_owned()),
            family_title: Some("Courier fraud".to_owned()),
            rules,
        };
        let event = Event::Heard { call: self.calls[call].id.clone(), report: Some(report) };
        let is_watched = self.calls[call].is_watched;
        let accepts = self.listens(call);
        let before = self.calls[call].clone();
        let heard = self.desk.handle(event, self.clock.moment());
        keep!(heard.is_ok() == is_watched, "what is heard in a call that is not up is refused");
        let Ok(actions) = heard else { return Ok(()) };
        self.calls[call].heard = Some(level).filter(|_| self.homes.is_screened(line));
        keep!(accepts || actions.is_empty(), "a call was screened that nobody wants screened");
        let written = actions.clone();
        if self.perform(Cause::Heard(call, level), actions)? == Lived::Died || !accepts {
            return Ok(());
        }
        let is_incident = self.model.case_of(call).is_some();
        keep!(is_incident || level < Level::Caution, "a call at {level:?} is no incident");
        self.must_have_warned(call, &before, level, &written)
    }

    /// Each higher level is whispered, and the call ended where the line is protected.
    fn must_have_warned(
        &mut self,
        call: usize,
        before: &super::world::Call,
        level: Level,
        written: &Actions,
    ) -> Kept {
        let home = &self.homes.lines[before.plan.line];
        let may_warn = self.may_warn(call);
        let is_due = may_warn && level >= home.from && level > before.warned;
        let warns = written.effects.iter().any(|it| matches!(it, Effect::Whisper { .. }));
        keep!(!is_due || warns, "4: {level:?} was reached and nobody was warned");
        let may_drop = home.mode == Mode::Protect && may_warn && !before.is_callback;
        let drops = written.effects.iter().any(|it| matches!(it, Effect::DropFarLeg { .. }));
        let is_danger = level == Level::Danger;
        keep!(!may_drop || !is_danger || before.dropped || drops, "4: a call was not ended");
        Ok(())
    }

    pub fn word(&mut self, call: usize) -> Kept {
        let event = Event::Heard { call: self.calls[call].id.clone(), report: None };
        match self.desk.handle(event, self.clock.moment()) {
            Ok(actions) => keep!(actions.is_empty(), "a word without a verdict does something"),
            Err(refusal) => keep!(refusal == Refusal::NoCall, "{refusal}"),
        }
        Ok(())
    }

    pub fn end(&mut self, call: usize) -> Kept {
        self.touched = self.calls[call].plan.line;
        self.calls[call].is_up = false;
        let is_watched = self.calls[call].is_watched;
        let event = Event::CallEnded { call: self.calls[call].id.clone() };
        let ended = self.desk.handle(event, self.clock.moment());
        keep!(ended.is_ok() == is_watched, "a call ends once");
        let Ok(actions) = ended else { return Ok(()) };
        if self.perform(Cause::Ended, actions)? == Lived::On {
            keep!(!self.calls[call].is_watched, "5: a call that is over is remembered");
        }
        Ok(())
    }

    /// An exchange asks; nothing comes back if the program died over it.
    pub fn ask(
        &mut self,
        line: usize,
        direction: Direction,
        other: Other,
        with_key: bool,
    ) -> Kept<Option<Answer>> {
        self.touched = line;
        let number = self.number(other);
        let key = with_key.then(|| "1".to_owned());
        let question =
            Question { line: self.line_id(line), direction, number, key, dry_run: false };
        let (answer, actions) = self.desk.gate(&question, self.clock.moment());
        let is_incoming = direction == Direction::Incoming;
        let carers_only = self.homes.lines[line].carers_only;
        let overrides = answer.gate == Gate::Pass(Reason::Overridden);
        let may = with_key && (!carers_only || self.homes.lines[line].is_removed);
        keep!(!overrides || may, "2: somebody rang although the line was held");
        if self.perform(Cause::Asked { line, is_incoming, other }, actions)? == Lived::Died {
            return Ok(None);
        }
        self.was_tried(line, direction, other)?;
        Ok(Some(answer))
    }

    /// What must be so after a call was tried.
    fn was_tried(&mut self, line: usize, direction: Direction, other: Other) -> Kept {
        let (truth, state) = (self.clock.truth, self.model.line(line));
        let is_known = !self.homes.lines[line].is_removed;
        match (direction, other) {
            (Direction::Outgoing, Other::Emergency(_)) if is_known => {
                let until = state.callbacks.map(|promise| promise.until);
                let kept = until.is_some_and(|until| until >= truth + CALLBACKS);
                keep!(kept, "7: an emergency call was made, and they cannot ring back");
            }
            (Direction::Incoming, _) => {
                let is_free = state.callbacks.is_some_and(|promise| promise.until > truth);
                let hold = state.hold.filter(|hold| hold.scammer == Some(other) && !is_free);
                let again = |hold: super::model::Held| hold.promise.until >= truth + hold.length;
                keep!(hold.is_none_or(again), "2: the scammer rang, and the clock went on");
            }
            _ => {}
        }
        Ok(())
    }

    pub fn far_leg(&mut self, line: usize) -> Kept {
        self.touched = line;
        let is_held = self.model.line(line).hold.is_some();
        let event = Event::FarLegUp { line: self.line_id(line) };
        let up = self.desk.handle(event, self.clock.moment());
        keep!(up.is_ok() == is_held, "2: a far leg that is up: {up:?}");
        let Ok(actions) = up else { return Ok(()) };
        if self.perform(Cause::FarLeg(line), actions)? == Lived::On {
            let hold = self.model.line(line).hold;
            let again = hold.is_some_and(|it| it.promise.until >= self.clock.truth + it.length);
            keep!(again, "2: the far leg is up, and the clock went on");
        }
        Ok(())
    }

    pub fn hand(&mut self, line: usize, hand: Hand, by: By) -> Kept {
        self.touched = line;
        if self.homes.lines[line].is_removed && matches!(hand, Hand::Start(None)) {
            // How long that is, is not configured any more.
            return Ok(());
        }
        let (id, actor) = (self.line_id(line), actor(by));
        let seconds = Duration::from_secs;
        let event = match hand {
            Hand::Start(length) => {
                Event::StartHold { line: id, length: length.map(seconds), by: actor }
            }
            Hand::Extend(length) => {
                Event::ExtendHold { line: id, length: seconds(length), by: actor }
            }
            Hand::End => Event::EndHold { line: id, by: actor },
            Hand::Disable(length) => {
                Event::Disable { line: id, length: seconds(length), by: actor }
            }
            Hand::Enable => Event::Enable { line: id, by: actor },
        };
        let home = &self.homes.lines[line];
        let is_held = self.model.line(line).hold.is_some();
        let may = by == By::Carer || !home.carers_only;
        let expected = match hand {
            Hand::Start(_) | Hand::Enable => true,
            Hand::Extend(_) => is_held,
            Hand::End => is_held && may,
            Hand::Disable(_) => may,
        };
        let is_removed = home.is_removed;
        let answer = self.desk.handle(event, self.clock.moment());
        keep!(is_removed || answer.is_ok() == expected, "{hand:?} by {by:?}: {answer:?}");
        let Ok(actions) = answer else { return Ok(()) };
        if self.perform(Cause::Hand(line, hand, by), actions)? == Lived::On {
            self.must_be_in_hand(line, hand)?;
        }
        Ok(())
    }

    fn must_be_in_hand(&self, line: usize, hand: Hand) -> Kept {
        let (truth, state) = (self.clock.truth, self.model.line(line));
        let until = state.hold.map(|hold| hold.promise.until);
        match hand {
            Hand::Start(Some(length)) => {
                keep!(until >= Some(truth + 1000 * length), "2: a hold by hand is too short");
            }
            Hand::End => keep!(until.is_none(), "a hold goes on that was ended"),
            Hand::Disable(length) => {
                let disabled = state.disabled == Some(truth + (1000 * length).min(DAY));
                keep!(disabled, "a line is left alone for {:?}", state.disabled);
            }
            Hand::Enable => keep!(!self.is_disabled(line), "a line is left alone"),
            _ => {}
        }
        Ok(())
    }

    /// The edge looks up whether it was said before of a call that is over.
    pub fn not_a_scam(&mut self, call: usize, by: By) -> Kept {
        let cases = &self.store.memory.incidents;
        let of_the_call = |id: &&Id| self.model.case(**id).is_some_and(|case| case.call == call);
        let Some(id) = cases.keys().rev().find(of_the_call).copied() else { return Ok(()) };
        let is_open = self.model.case(id).is_some_and(|case| case.is_open);
        let line = self.calls[call].plan.line;
        let is_said = cases[&id].not_a_scam.is_some();
        if (is_said && !is_open) || self.homes.lines[line].is_removed {
            return Ok(());
        }
        self.touched = line;
        let event = Event::NotAScam { line: self.line_id(line), incident: id, by: actor(by) };
        let answer = self.desk.handle(event, self.clock.moment());
        let actions = answer.map_err(|refusal| format!("that it is no scam: {refusal}"))?;
        let may = by == By::Carer || !self.homes.lines[line].carers_only;
        if self.perform(Cause::NotAScam(id, by), actions)? == Lived::On {
            let hold = self.model.line(line).hold.and_then(|hold| hold.incident);
            keep!(!may || hold != Some(id), "a line is held for what was called off");
        }
        Ok(())
    }

    pub fn reload(&mut self, line: usize, change: Change) -> Kept {
        self.homes.apply(line, change);
        self.config = self.homes.config();
        let actions = self.desk.configure(&self.config, self.clock.moment());
        match self.perform(Cause::Reload, actions)? {
            Lived::On => self.consents_are_committed(),
            Lived::Died => Ok(()),
        }
    }

    pub fn answered(&mut self, answer: channels::Answer) -> Kept {
        let channels::Answer { key, outcome, .. } = answer;
        let answer = self.desk.handle(Event::Attempted { key, outcome }, self.clock.moment());
        let actions = answer.map_err(|refusal| format!("an answer is refused: {refusal}"))?;
        self.perform(Cause::Answer, actions).map(|_| ())
    }

    /// The deadline that must be committed next for the hold of a line: at the earliest, and at the
    /// latest. Without a cause it stays what it was.
    pub fn deadline(&self, cause: Cause, line: usize) -> (u64, u64) {
        let (truth, Some(hold)) = (self.clock.truth, self.model.line(line).hold) else {
            return (0, 0);
        };
        let until = hold.promise.until;
        let to = |until: u64| (until, until);
        let again = until.max(truth + hold.length);
        let rings = |other: Other| hold.scammer == Some(other);
        match cause {
            Cause::Restart => hold.promise.after_restart(&self.clock),
            Cause::Begin(call) if self.calls[call].plan.line == line => {
                let plan = &self.calls[call].plan;
                let is_it = plan.direction == Direction::Incoming && rings(plan.other);
                to(if is_it { again } else { until })
            }
            Cause::Asked { line: asked, is_incoming: true, other } if asked == line => {
                to(if rings(other) { again } else { until })
            }
            Cause::FarLeg(other) if other == line => to(again),
            Cause::Hand(other, Hand::Start(length), _) if other == line => {
                let length = length.unwrap_or(self.homes.lines[line].length) * 1000;
                to(until.max(truth + length.min(DAY)))
            }
            Cause::Hand(other, Hand::Extend(by), _) if other == line => {
                to(until.max((until + 1000 * by).min(truth + DAY)))
            }
            _ => to(until),
        }
    }

    /// As [`deadline`](Self::deadline), for the time in which everybody may ring.
    pub fn callbacks(&self, cause: Cause, line: usize) -> (u64, u64) {
        let promise = self.model.line(line).callbacks;
        let until = promise.map_or(0, |promise| promise.until);
        let again = until.max(self.clock.truth + CALLBACKS);
        let is_it = match cause {
            Cause::Restart => {
                return promise.map_or((0, 0), |promise| promise.after_restart(&self.clock));
            }
            Cause::Begin(call) => {
                let plan = &self.calls[call].plan;
                let is_it = matches!(plan.other, Other::Emergency(_));
                is_it && plan.direction == Direction::Outgoing && plan.line == line
            }
            Cause::Asked { line: asked, is_incoming: false, other } => {
                matches!(other, Other::Emergency(_)) && asked == line
            }
            _ => false,
        };
        if is_it { (again, again) } else { (until, until) }
    }
}

pub fn actor(by: By) -> Actor {
    match by {
        By::Person => Actor::Person,
        By::Carer => Actor::Carer("anna".to_owned()),
    }
}

pub fn notes(actions: &Actions) -> impl Iterator<Item = &NotificationRecord> {
    actions.records.iter().filter_map(|record| match record {
        Record::Notification(note) => Some(note),
        _ => None,
    })
}

pub fn is_to(note: &NotificationRecord, (person, channel): (usize, usize)) -> bool {
    note.to.person == format!("p{person}") && note.to.channel == channel
}
