//! All lines: what happens goes in, what is to be done comes out. The desk reads no clock, touches
//! nothing and never fails: what may fail is done by the edge, after one commit.

pub mod action;
mod calls;
mod cut;
pub mod event;
mod gate;
mod hands;
mod line;
mod notices;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::deadline::{BootId, Steps};
use super::incident::Incident;
use super::line_clear::Hold;
use super::number::{Tag, TagKey};
use super::outbox::Outbox;
use super::record::{Actor, Ended, HoldRecord, Id, LineRecord, Record, Snapshot};
use super::report::Report;
use super::timers::Timers;
use crate::call::{CallId, LineId};
use crate::config::{self, Advice, Config, Person};
use crate::time::{Moment, Now};
pub use action::{Actions, Answer, Effect, LineStatus, Refusal, Started};
pub use event::{Event, LONGEST_DISABLED, NewCall, Question};
use line::Line;

/// A call that is watched.
#[derive(Debug)]
struct Call {
    line: LineId,
    tag: Tag,
    number: Option<Tag>,
    last_two: Option<u8>,
    /// What was last reported of it, also while nobody wanted to be warned.
    report: Option<Report>,
    incident: Option<Incident>,
    /// Nothing is done about this call.
    simulated: bool,
    is_incoming: bool,
    /// It came in not long after an emergency call.
    is_callback: bool,
    /// Somebody wanted it to end: it was suspicious to them.
    is_cut: bool,
}

impl Call {
    /// Goes on with what was known of it before a restart. If it is an incident already, the one
    /// before is over: what it came to counts for the one that goes on.
    fn take_over(&mut self, mut before: Incident, at: Moment) -> Vec<Record> {
        let Some(incident) = &mut self.incident else {
            self.simulated = before.record.simulated;
            self.incident = Some(before);
            return Vec::new();
        };
        if incident.record.id == before.record.id {
            return Vec::new();
        }
        if !before.record.simulated {
            incident.absorb(&before.record);
        }
        let step = before.end(at.wall).map(Record::History);
        let incidents = [incident.record.clone(), before.record].map(Record::Incident);
        incidents.into_iter().chain(step).collect()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    // Calls first: at the same moment their end puts off the end of a hold.
    /// A call was silent for too long.
    Idle(CallId),
    /// A restart came between, and the call was not heard of again.
    Orphan(Id),
    /// A hold ends, or the time for callbacks.
    Line(LineId),
    /// The line is looked after again.
    Enable(LineId),
}

/// All lines.
#[derive(Debug)]
pub struct Desk {
    boot: BootId,
    key: TagKey,
    rng: fastrand::Rng,
    simulate: bool,
    idle: Duration,
    max_calls: usize,
    advice: Advice,
    /// Which numbers always pass where a line is not known.
    emergency: config::Hold,
    lines: BTreeMap<LineId, Line>,
    people: BTreeMap<String, Person>,
    calls: BTreeMap<CallId, Call>,
    /// Incidents that were open before a restart, whose call was not heard of since.
    orphans: BTreeMap<Id, Call>,
    /// The last incidents of which somebody said that they are no scam: that is told once.
    called_off: VecDeque<Id>,
    timers: Timers<Timer>,
    outbox: Outbox,
    clock: Steps,
}

impl Desk {
    /// A desk on which nothing has happened. `seed` names incidents and spreads attempts.
    pub fn new(config: &Config, boot: BootId, key: TagKey, seed: u64) -> Self {
        let mut desk = Self {
            boot,
            key,
            rng: fastrand::Rng::with_seed(seed),
            simulate: false,
            idle: Duration::ZERO,
            max_calls: 0,
            advice: config.advice.clone(),
            emergency: config.hold.clone(),
            lines: BTreeMap::new(),
            people: BTreeMap::new(),
            calls: BTreeMap::new(),
            orphans: BTreeMap::new(),
            called_off: VecDeque::new(),
            timers: Timers::default(),
            outbox: Outbox::new(config.outbox.give_up(), seed),
            clock: Steps::default(),
        };
        let _nothing_to_commit_before_a_snapshot = desk.configure(config, Moment::default());
        // None of the consents is committed yet.
        desk.lines.values_mut().for_each(|line| line.consent = None);
        desk
    }

    /// Goes on with another configuration. Calls and holds remain, and notifications to those who
    /// may still be told. A line that is configured no more is still held for as long as was said.
    pub fn configure(&mut self, config: &Config, at: Moment) -> Actions {
        self.simulate = config.rules.simulate;
        self.idle = config.feed.idle();
        self.max_calls = config.feed.max_calls;
        self.advice = config.advice.clone();
        self.emergency = config.hold.clone();
        self.outbox.set_give_up(config.outbox.give_up());
        let people = config.people.iter().map(|person| (person.id.clone(), person.clone()));
        self.people = people.collect();
        let mut actions = Actions::default();
        let gone = |line: &&mut Line| config.lines.iter().all(|it| it.id != line.id.as_str());
        for line in self.lines.values_mut().filter(gone) {
            actions.records.extend(line.retire(at));
        }
        self.lines.retain(|_, line| line.is_needed());
        for policy in &config.lines {
            let id = LineId::new(&policy.id);
            let line = self.lines.entry(id.clone()).or_insert_with(|| Line::new(id, policy));
            actions.records.extend(line.set_policy(policy, &self.key, at));
        }
        actions.records.extend(self.withdraw(at));
        actions
    }

    /// Takes over what was committed before a restart. What comes back follows from the restart:
    /// deadlines are written anew, and lines whose hold is over meanwhile are told to be clear.
    ///
    /// The database may be opened late: what was decided meanwhile counts.
    pub fn restore(&mut self, snapshot: Snapshot, config: &Config, at: Moment) -> Actions {
        let mut actions = Actions::default();
        for (id, consent) in snapshot.consents {
            // Also of a line that is gone meanwhile: nobody screens it, and that is committed.
            let line = self.lines.entry(id.clone());
            line.or_insert_with(|| Line::unknown(id, config)).consent = Some(consent);
        }
        for record in &snapshot.lines {
            self.restore_line(record, config, at);
        }
        for record in &snapshot.holds {
            actions.records.extend(self.restore_hold(record, config, at));
        }
        for record in snapshot.incidents {
            let steps = snapshot.steps.iter().find(|(id, _)| *id == record.id);
            let steps = steps.map_or(0, |(_, steps)| *steps);
            actions.records.extend(self.restore_incident(Incident::new(record, steps), at));
        }
        self.outbox.restore(snapshot.notifications, at);
        actions.append(self.configure(config, at));
        let _first_reading = self.clock.stepped(at);
        actions.records.extend(self.deadlines(at));
        // Lines that were off, and of which nothing is left to say: that is not committed yet.
        let were_off = snapshot.lines.iter().filter(|record| record.disabled.is_some());
        let lines = were_off.filter_map(|record| self.lines.get(&record.line));
        let plain = lines.filter(|line| line.record(self.boot, at).is_none());
        actions.records.extend(plain.map(|line| line.changed(self.boot, at)));
        for id in self.lines.keys().cloned().collect::<Vec<_>>() {
            self.plan(&id);
        }
        actions.append(self.tick(at));
        actions
    }

    fn restore_line(&mut self, record: &LineRecord, config: &Config, at: Moment) {
        let line = self.lines.entry(record.line.clone());
        let line = line.or_insert_with(|| Line::unknown(record.line.clone(), config));
        // What is uncertain here ends early: rather warned too soon again than not at all.
        if !line.is_decided {
            line.disabled_until = record.disabled.map(|until| until.restore_early(self.boot, at));
        }
        let callbacks = record.callbacks.map(|until| until.restore(self.boot, at));
        let callbacks = callbacks.max(line.clear.callbacks_until());
        line.clear.restore(line.clear.hold().cloned(), callbacks);
        line.suspicious = line.suspicious.max(record.suspicious);
    }

    /// Of two holds on a line the longer one goes on; the end of the other is committed.
    fn restore_hold(&mut self, record: &HoldRecord, config: &Config, at: Moment) -> Option<Record> {
        let line = self.lines.entry(record.line.clone());
        let line = line.or_insert_with(|| Line::unknown(record.line.clone(), config));
        let hold = Hold::restore(record, self.boot, at);
        let over = match line.clear.hold() {
            Some(running) if running.id == hold.id => return None,
            Some(running) if running.until > hold.until => Some(record.clone()),
            running => {
                let over = running.map(|it| it.record(&record.line, self.boot, at));
                let callbacks = line.clear.callbacks_until();
                line.clear.restore(Some(hold), callbacks);
                over
            }
        };
        let ended = Some(Ended { at: at.wall, by: Actor::Lineclear });
        over.map(|over| Record::Hold(HoldRecord { ended, ..over }))
    }

    /// The call may still go on: if its source is heard of again, so does the incident. If it was
    /// heard of already, the incident is its own.
    fn restore_incident(&mut self, incident: Incident, at: Moment) -> Vec<Record> {
        let record = &incident.record;
        let id = record.id;
        if self.orphans.contains_key(&id) {
            return Vec::new();
        }
        let is_same = |call: &&mut Call| call.tag == record.call && call.line == record.line;
        if let Some(call) = self.calls.values_mut().find(is_same) {
            return call.take_over(incident, at);
        }
        self.timers.set(Timer::Orphan(id), Some(at.now + self.idle));
        let call = Call {
            line: record.line.clone(),
            tag: record.call,
            number: record.number,
            last_two: record.last_two,
            report: None,
            simulated: record.simulated,
            incident: Some(incident),
            is_incoming: true,
            is_callback: false,
            is_cut: false,
        };
        self.orphans.insert(id, call);
        Vec::new()
    }

    /// Something happened.
    ///
    /// # Errors
    /// When it is refused; nothing has changed then.
    pub fn handle(&mut self, event: Event, at: Moment) -> Result<Actions, Refusal> {
        match event {
            Event::Heard { call, report } => self.heard(&call, report.as_ref(), at),
            Event::CallEnded { call } => self.call_ended(&call, at),
            Event::Trick { call, dialled } => self.trick(&call, dialled, at),
            Event::EndCall { line, call, by } => self.cut_off(&line, call.as_ref(), by, at),
            Event::FarLegUp { line } => self.far_leg_up(&line, at),
            Event::NotAScam { line, incident, by } => self.not_a_scam(&line, incident, by, at),
            Event::Disable { line, length, by } => self.disable(&line, length, by, at),
            Event::Enable { line, by } => self.enable(&line, by, at),
            Event::StartHold { line, length, by } => self.start_hold(&line, length, by, at),
            Event::ExtendHold { line, length, by } => self.extend_hold(&line, length, by, at),
            Event::EndHold { line, by } => self.end_hold(&line, by, at),
            Event::Attempted { key, outcome } => Ok(self.attempted(&key, outcome, at)),
        }
    }

    /// Lets time pass.
    pub fn tick(&mut self, at: Moment) -> Actions {
        let mut actions = Actions::default();
        if self.clock.stepped(at) {
            actions.records.extend(self.deadlines(at));
        }
        while let Some(timer) = self.timers.pop_due(at.now) {
            actions.append(self.ring(timer, at));
        }
        actions.append(self.deliver(at));
        actions
    }

    /// When [`tick`](Self::tick) has something to do next.
    pub fn next_deadline(&self) -> Option<Now> {
        self.timers.next().into_iter().chain(self.outbox.next_deadline()).min()
    }

    /// What is held on a line, and until when.
    pub fn hold(&self, line: &LineId) -> Option<&Hold> {
        self.lines.get(line).and_then(|line| line.clear.hold())
    }

    /// How many calls are watched.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// What became of a call so far, if it is suspicious.
    pub fn incident(&self, call: &CallId) -> Option<&Incident> {
        self.calls.get(call).and_then(|call| call.incident.as_ref())
    }

    /// How many notifications wait to be delivered.
    pub fn waiting(&self) -> usize {
        self.outbox.len()
    }

    /// The lines, and how each stands.
    pub fn lines(&self, now: Now) -> Vec<LineStatus> {
        self.lines.values().map(|line| line.status(now)).collect()
    }

    /// All that a restart would have to find, for a database that has to be made anew.
    pub fn records(&self, at: Moment) -> Vec<Record> {
        let mut records = self.deadlines(at);
        let consents = self.lines.values().filter_map(|line| {
            line.consent.clone().map(|it| Record::Consent(line.id.clone(), Some(it)))
        });
        records.extend(consents);
        let calls = self.calls.values().chain(self.orphans.values());
        let incidents = calls.filter_map(|call| call.incident.as_ref());
        records.extend(incidents.map(|incident| Record::Incident(incident.record.clone())));
        records.extend(self.outbox.pending().cloned().map(Record::Notification));
        records
    }

    fn ring(&mut self, timer: Timer, at: Moment) -> Actions {
        match timer {
            Timer::Line(id) => self.line_is_due(&id, at),
            Timer::Enable(id) => self.enable(&id, Actor::Lineclear, at).unwrap_or_default(),
            Timer::Idle(call) => self.call_ended(&call, at).unwrap_or_default(),
            Timer::Orphan(id) => match self.orphans.remove(&id) {
                Some(call) => self.end_call(call, at),
                None => Actions::default(),
            },
        }
    }

    /// Every deadline as it is committed: the wall clock was set, or a restart came between.
    fn deadlines(&self, at: Moment) -> Vec<Record> {
        let mut records = Vec::new();
        for line in self.lines.values() {
            records.extend(line.record(self.boot, at).map(Record::Line));
            let hold = line.clear.hold().map(|hold| hold.record(&line.id, self.boot, at));
            records.extend(hold.map(Record::Hold));
        }
        records
    }

    /// Sets the timers of a line.
    fn plan(&mut self, id: &LineId) {
        let Some(line) = self.lines.get(id) else { return };
        self.timers.set(Timer::Line(id.clone()), line.clear.next_deadline());
        self.timers.set(Timer::Enable(id.clone()), line.disabled_until);
    }

    fn new_id(&mut self) -> Id {
        Id(self.rng.u128(..))
    }
}

#[cfg(test)]
mod tests;
