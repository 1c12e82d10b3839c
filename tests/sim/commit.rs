//! Each record that is committed is held against what was promised.

use std::collections::{BTreeMap, BTreeSet};

use lineclear::alert::desk::{Actions, Effect};
use lineclear::alert::record::{
    Actor, Delivery, HoldRecord, IncidentRecord, LineRecord, NotificationRecord, Record,
};
use lineclear::call::{Direction, LineId};
use lineclear::rules::Level;

use super::acts::{actor, is_to, notes};
use super::clock::{Clock, Promise};
use super::homes::Homes;
use super::model::{Case, Held};
use super::script::{By, Hand, Other};
use super::store::is_pending;
use super::world::{Cause, Kept, World, keep, key};

/// When notifications were posted, and under which names.
#[derive(Debug, Default)]
pub struct Posted {
    /// By key: the moment, and by how much a wrong clock may have shortened the wait.
    moments: BTreeMap<String, (u64, Promise, u64)>,
    /// By what they tell, and to whom.
    names: BTreeMap<String, String>,
}

impl Posted {
    /// The time that was waited is reckoned anew, by the wall clock.
    pub fn restarted(&mut self, clock: &Clock) {
        for (_, posted, forward) in self.moments.values_mut() {
            *forward = posted.forward(clock).max(*forward);
        }
    }
}

impl World {
    /// Everything that is committed in one go.
    pub fn committed(&mut self, cause: Cause, actions: &Actions) -> Kept {
        // The line that must be held, since a call ended.
        let mut due = None;
        let mut new = BTreeSet::new();
        // Lines that are looked after again: what was reported of their calls counts now.
        let mut enabled = BTreeSet::new();
        for record in &actions.records {
            match record {
                Record::Hold(hold) => self.hold_committed(cause, hold, &mut due, actions)?,
                Record::Line(line) => {
                    let was_off = self.model.line(index(&line.line)).disabled.is_some();
                    self.line_committed(cause, line)?;
                    enabled.extend((was_off && line.disabled.is_none()).then(|| index(&line.line)));
                }
                Record::Incident(incident) => {
                    self.must_be_held(due)?;
                    due = self.incident_committed(cause, incident, &enabled)?;
                }
                Record::Notification(note) => {
                    let is_new = note.attempts == 0 && is_pending(note);
                    let is_second = is_new && !new.insert(&note.notice.key);
                    keep!(!is_second, "3: {} is posted twice", note.notice.key);
                    self.note_committed(note)?;
                }
                Record::NotAScam(id, by) => {
                    let is_it =
                        matches!(cause, Cause::NotAScam(it, who) if it == *id && actor(who) == *by);
                    keep!(is_it, "somebody is said to have called off {id}");
                    if let (Some(case), Cause::NotAScam(_, who)) = (self.model.case_mut(*id), cause)
                    {
                        case.off = if case.off == Some(By::Carer) { case.off } else { Some(who) };
                    }
                }
                Record::History(step) => {
                    let before = self.store.memory.steps.get(&(step.incident, step.step));
                    keep!(before.is_none(), "a step of an incident is written over");
                }
                Record::Consent(..) | Record::Audit(_) => {}
            }
        }
        let is_over = |line: &LineId| {
            actions.records.iter().any(|record| {
                matches!(record, Record::Hold(hold) if hold.line == *line && hold.ended.is_some())
            })
        };
        for effect in &actions.effects {
            let is_right = !matches!(effect, Effect::LineClear { line, .. } if !is_over(line));
            keep!(is_right, "2: a line is said to be clear, and no hold ended");
        }
        if let Cause::Heard(call, level) = cause
            && self.listens(call)
        {
            self.must_be_told(call, level, actions)?;
        }
        enabled.into_iter().try_for_each(|line| self.must_be_judged(line, actions))?;
        self.must_be_held(due)
    }

    /// A line is looked after again, and so are the calls that are up.
    fn must_be_judged(&mut self, line: usize, actions: &Actions) -> Kept {
        for call in 0..self.calls.len() {
            let it = &self.calls[call];
            if it.plan.line != line || !it.is_watched {
                continue;
            }
            if !self.homes.is_screened(line) {
                self.calls[call].heard = None;
                continue;
            }
            let Some(level) = it.heard.filter(|level| *level >= Level::Caution) else { continue };
            let (id, warned) = (it.id.clone(), it.warned);
            // It may have been silent for too long, and be over as well.
            let is_over = actions.effects.contains(&Effect::Forget { call: id.clone() });
            let is_incident = self.model.case_of(call).is_some();
            keep!(is_over || is_incident, "4: {level:?} was reported, and it is no incident");
            let is_due = self.may_warn(call) && level >= self.homes.lines[line].from;
            let warns = actions
                .effects
                .iter()
                .any(|effect| matches!(effect, Effect::Whisper { call, .. } if *call == id));
            keep!(!is_due || level <= warned || warns, "4: {level:?} was reported: no warning");
            self.must_be_told(call, level, actions)?;
        }
        Ok(())
    }

    /// Each higher level is told to those who asked for it.
    fn must_be_told(&mut self, call: usize, level: Level, actions: &Actions) -> Kept {
        let Some(id) = self.model.case_of(call) else { return Ok(()) };
        let Some(case) = self.model.case_mut(id) else { return Ok(()) };
        if case.simulated || case.off == Some(By::Carer) || level <= case.told {
            return Ok(());
        }
        case.told = level;
        for to in self.homes.told(self.calls[call].plan.line, level as usize - 1) {
            let is_it = |note: &&NotificationRecord| {
                note.notice.level.as_deref() == Some(level.name())
                    && note.notice.incident == Some(id.to_string())
            };
            let is_told = notes(actions).filter(is_it).any(|note| is_to(note, to));
            keep!(is_told, "3: {to:?} was not told of {level:?}");
        }
        Ok(())
    }

    fn must_be_held(&self, due: Option<(usize, Option<Other>)>) -> Kept {
        let is_held = |(line, _): (usize, _)| {
            let until = self.model.line(line).hold.map(|hold| hold.promise.until);
            until >= Some(self.clock.truth + 1000 * self.homes.lines[line].length)
        };
        keep!(due.is_none_or(is_held), "2: a scam call ended, and the line is not held");
        Ok(())
    }

    fn hold_committed(
        &mut self,
        cause: Cause,
        record: &HoldRecord,
        due: &mut Option<(usize, Option<Other>)>,
        actions: &Actions,
    ) -> Kept {
        let line = index(&record.line);
        let until = self.clock.truth_of(record.deadline.until);
        if record.ended.is_some() {
            return self.hold_ended(cause, record, actions);
        }
        let follows = due.filter(|(it, _)| *it == line);
        let (truth, before) = (self.clock.truth, self.model.line(line).hold);
        let asked = match cause {
            Cause::Hand(it, Hand::Start(length), _) if it == line => Some(length),
            _ => None,
        };
        let own = self.homes.lines[line].length;
        let length = asked.map(|length| length.unwrap_or(own)).or(follows.map(|_| own));
        let length = length.map(|length| 1000 * length);
        let (earliest, latest) = match (before, follows, length) {
            (None, _, None) => return Err("a line is held for no reason".to_owned()),
            (None, _, Some(length)) => (truth + length, truth + length),
            (Some(hold), Some(_), Some(length)) => {
                let until = hold.promise.until.max(truth + length);
                (until, until)
            }
            (Some(_), ..) => self.deadline(cause, line),
        };
        keep!(before.is_none_or(|hold| hold.id == record.id), "a hold lost its name");
        keep!(until >= earliest, "2: until {until}, and {earliest} was promised");
        let is_removed = self.homes.lines[line].is_removed;
        keep!(until <= latest || is_removed, "2: until {until}, which is later than {latest}");
        if before.is_none() {
            self.must_tell("line-held", line, actions)?;
        }
        let length = before.map(|hold| hold.length).max(length).unwrap_or(0);
        let promise = Promise::new(until, length, &self.clock);
        let scammer = follows.and_then(|(_, other)| other);
        let scammer = scammer.or(before.and_then(|hold| hold.scammer));
        let (id, incident) = (record.id, record.incident);
        self.model.line_mut(line).hold = Some(Held { id, incident, promise, length, scammer });
        if follows.is_some() {
            *due = None;
        }
        Ok(())
    }

    fn hold_ended(&mut self, cause: Cause, record: &HoldRecord, actions: &Actions) -> Kept {
        let line = index(&record.line);
        let Some(hold) = self.model.line(line).hold else {
            return Err("a hold ends that there is not".to_owned());
        };
        let by = record.ended.as_ref().map(|ended| &ended.by);
        let carers_only = self.homes.lines[line].carers_only && !self.homes.lines[line].is_removed;
        let may = |by: By| by == By::Carer || !carers_only;
        let (truth, until) = (self.clock.truth, hold.promise.until);
        match (by, cause) {
            (Some(Actor::Lineclear), _) => {
                keep!(truth >= until, "2: a hold ended {} ms early", until - truth);
            }
            (_, Cause::Hand(it, Hand::End, by)) if it == line && may(by) => {}
            (_, Cause::NotAScam(id, by)) if hold.incident == Some(id) && may(by) => {}
            _ => return Err(format!("2: a hold was ended by {by:?}, who may not")),
        }
        self.model.line_mut(line).hold = None;
        let is_it = |effect: &Effect| match effect {
            Effect::LineClear { line, .. } => *line == record.line,
            _ => false,
        };
        keep!(actions.effects.iter().any(is_it), "2: a hold ends, and nobody says so");
        self.must_tell("line-clear", line, actions)
    }

    /// Those who asked for it are told of a hold.
    fn must_tell(&self, kind: &str, line: usize, actions: &Actions) -> Kept {
        let id = self.line_id(line);
        for to in self.homes.told(line, 3) {
            let is_it = |note: &&NotificationRecord| {
                note.notice.kind.name() == kind && note.line == id && is_to(note, to)
            };
            keep!(notes(actions).any(|note| is_it(&note)), "3: {to:?} was not told: {kind}");
        }
        Ok(())
    }

    fn line_committed(&mut self, cause: Cause, record: &LineRecord) -> Kept {
        let (line, truth) = (index(&record.line), self.clock.truth);
        let (earliest, latest) = self.callbacks(cause, line);
        match &record.callbacks {
            Some(committed) => {
                let until = self.clock.truth_of(committed.until);
                keep!(until >= earliest, "7: until {until}, and {earliest} was promised");
                keep!(until <= latest, "7: until {until}, which is later than {latest}");
                let length = 90 * 60_000;
                self.model.line_mut(line).callbacks =
                    Some(Promise::new(until, length, &self.clock));
            }
            None => {
                keep!(truth >= earliest, "7: they may ring back for another {}", earliest - truth);
                self.model.line_mut(line).callbacks = None;
            }
        }
        let until = record.disabled.map(|until| self.clock.truth_of(until.until));
        let before = self.model.line(line).disabled;
        let is_free = match cause {
            Cause::Restart => true,
            Cause::Hand(it, Hand::Disable(_) | Hand::Enable, _) => it == line,
            _ => until.is_none() && before.is_some_and(|before| truth >= before),
        };
        keep!(is_free || until == before, "a line is left alone until {until:?}, not {before:?}");
        self.model.line_mut(line).disabled = until;
        Ok(())
    }

    /// The line that must be held now, if the call is over.
    fn incident_committed(
        &mut self,
        cause: Cause,
        record: &IncidentRecord,
        enabled: &BTreeSet<usize>,
    ) -> Kept<Option<(usize, Option<Other>)>> {
        let has_rules = record.level < Level::Caution || !record.rules.is_empty();
        keep!(has_rules, "4: an incident at {:?} does not say why", record.level);
        if self.model.case(record.id).is_none() {
            let call = match cause {
                Cause::Heard(call, _) => Some(call),
                _ => self.judged(record, enabled),
            };
            let nothing = "an incident is opened though nothing was heard";
            self.open_case(call.ok_or(nothing)?, record);
        }
        let Some(case) = self.model.case_mut(record.id) else { return Ok(None) };
        keep!(case.is_open, "an incident goes on after its end");
        let highest = match cause {
            Cause::Heard(call, level) if call == case.call => case.highest.max(level),
            _ if enabled.contains(&case.line) => {
                let heard = self.calls[case.call].heard.unwrap_or(Level::Quiet);
                case.highest.max(heard)
            }
            _ => case.highest,
        };
        keep!(record.level == highest, "{:?} is kept as {:?}", highest, record.level);
        case.highest = highest;
        case.is_open = record.ended.is_none();
        let case = case.clone();
        let must_hold = !case.is_open
            && highest >= Level::Warning
            && !case.simulated
            && !self.is_off(&case)
            && self.acts_on(case.line);
        Ok(must_hold.then_some((case.line, Some(case.scammer))))
    }

    /// The call of which something was reported while its line was left alone.
    fn judged(&self, record: &IncidentRecord, enabled: &BTreeSet<usize>) -> Option<usize> {
        let key = key();
        self.calls.iter().position(|call| {
            let is_judged = call.is_watched && call.heard >= Some(Level::Caution);
            is_judged && enabled.contains(&call.plan.line) && key.call(&call.id) == record.call
        })
    }

    fn open_case(&mut self, call: usize, record: &IncidentRecord) {
        let plan = &self.calls[call].plan;
        let scammer = match plan.direction {
            Direction::Incoming => plan.other,
            // Whom the person dialled is not kept.
            Direction::Outgoing => Other::Withheld,
        };
        let case = Case {
            call,
            line: plan.line,
            scammer,
            highest: Level::Quiet,
            told: Level::Quiet,
            off: None,
            simulated: self.calls[call].simulated,
            is_open: true,
        };
        self.model.open_case(record.id, case);
    }

    fn note_committed(&mut self, note: &NotificationRecord) -> Kept {
        let key = &note.notice.key;
        let before = self.store.memory.notifications.get(key);
        keep!(before.is_none_or(is_pending), "3: {key} is over, and comes again");
        self.shares_little(note)?;
        let Some(before) = before else {
            let name = name(note);
            let promise = Promise::new(0, 0, &self.clock);
            let other = self.posted.names.insert(name.clone(), key.clone());
            let is_same = other.as_ref().is_none_or(|other| other == key);
            keep!(is_same, "3: {name} has two keys: {other:?} and {key}");
            self.posted.moments.insert(key.clone(), (self.clock.truth, promise, 0));
            return Ok(());
        };
        keep!(
            before.attempts > 0 || note.attempts > 0 || !is_pending(note),
            "3: {key} is new again"
        );
        match &note.state {
            Delivery::Pending(_) => {}
            Delivery::Delivered(_) => {
                keep!(self.channels.is_shown(key), "3: {key} was delivered, and nobody has it");
            }
            Delivery::Failed(why) => {
                let give_up = self.homes.give_up_hours * 3_600_000;
                let posted = self.posted.moments.get(key);
                let (posted, _, forward) = posted.ok_or("3: it was never posted")?;
                // The longest wait between two attempts is well below this.
                let is_well = |since: u64| self.clock.truth > since + 20 * 60_000;
                let is_over = self.clock.truth + forward >= posted + give_up
                    && !self.channels.well_since.is_some_and(is_well);
                let may_be_told = is_told_of(&self.homes, note);
                let is_withdrawn = !may_be_told && why.starts_with("withdrawn");
                let is_failed = is_over || is_withdrawn || self.channels.is_refused(key);
                keep!(is_failed, "3: {key} was given up: {why}");
            }
        }
        Ok(())
    }
}

/// Whether a person may be told what a notification tells.
pub fn is_told_of(homes: &Homes, note: &NotificationRecord) -> bool {
    let line = index(&note.line);
    let is_chosen = |person: &usize| note.to.person == format!("p{person}");
    homes.is_screened(line) && homes.lines[line].people.iter().any(is_chosen)
}

/// What a notification tells, and to whom: two of the same have the same key.
fn name(note: &NotificationRecord) -> String {
    let notice = &note.notice;
    let subject = notice.key.split('.').next().unwrap_or_default();
    let stage = notice.key.split('.').nth(2).filter(|_| notice.level.is_some());
    let (kind, to) = (notice.kind.name(), &note.to);
    format!("{kind} {subject} {:?} {stage:?} {} {}", notice.level, to.person, to.channel)
}

pub fn index(line: &LineId) -> usize {
    line.as_str().trim_start_matches("line-").parse().expect("a line of the simulation")
}
