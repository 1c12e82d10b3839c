//! Whom an event is told, and what they read: what they asked for, and no more than they may know.

use super::{Actions, Desk, Effect};
use crate::alert::line_clear::Hold;
use crate::alert::outbox::Outcome;
use crate::alert::record::{Address, Delivery, Id, NotificationRecord, Record};
use crate::call::{CallId, LineId};
use crate::config::{Person, Share, Tell};
use crate::rules::Level;
use crate::time::Moment;
use crate::wire::notice::{Notice, NoticeKind};

impl Desk {
    /// A call reached a level, or a later stage.
    pub(super) fn tell_of_level(&mut self, call: &CallId, at: Moment) -> Actions {
        let Some(call) = self.calls.get(call) else { return Actions::default() };
        let Some(incident) = &call.incident else { return Actions::default() };
        let (line, level) = (call.line.clone(), incident.level());
        let stage = incident.record.stage.map(|stage| stage.name());
        let mut notice = self.notice(NoticeKind::Level, &line, at);
        notice.key = format!("{}.{}", incident.record.id, level.name());
        notice.key.extend(stage.map(|stage| format!(".{stage}")));
        notice.level = Some(level.name().to_owned());
        notice.incident = Some(incident.record.id.to_string());
        notice.family = incident.family_title.clone();
        notice.stage = stage.map(str::to_owned);
        notice.advice = Some(self.advice_for(level).to_owned());
        let tell = match level {
            Level::Quiet | Level::Caution => Tell::Caution,
            Level::Warning => Tell::Warning,
            Level::Danger => Tell::Danger,
        };
        self.post(&line, &notice, |person| person.tell.contains(&tell), at)
    }

    /// Somebody said that it is no scam.
    pub(super) fn tell_of_calling_off(&mut self, line: &LineId, id: Id, at: Moment) -> Actions {
        let mut notice = self.notice(NoticeKind::CalledOff, line, at);
        notice.key = format!("{id}.called-off");
        notice.incident = Some(id.to_string());
        let is_told = |person: &Person| person.tell.iter().any(|tell| *tell != Tell::Hold);
        self.post(line, &notice, is_told, at)
    }

    /// The line is held.
    pub(super) fn tell_of_hold(&mut self, line: &LineId, hold: &Hold, at: Moment) -> Actions {
        let mut notice = self.notice(NoticeKind::LineHeld, line, at);
        notice.key = format!("{}.line-held", hold.id);
        notice.incident = hold.incident.map(|id| id.to_string());
        notice.held_until = Some((at.wall + (hold.until - at.now)).to_string());
        notice.advice = Some(self.advice.afterwards.clone());
        self.post(line, &notice, |person| person.tell.contains(&Tell::Hold), at)
    }

    /// The line is held no more.
    pub(super) fn tell_of_clear(&mut self, line: &LineId, hold: &Hold, at: Moment) -> Actions {
        let mut notice = self.notice(NoticeKind::LineClear, line, at);
        notice.key = format!("{}.line-clear", hold.id);
        notice.incident = hold.incident.map(|id| id.to_string());
        self.post(line, &notice, |person| person.tell.contains(&Tell::Hold), at)
    }

    /// Hands what is due to the edge.
    pub(super) fn deliver(&mut self, at: Moment) -> Actions {
        let (attempts, given_up) = self.outbox.tick(at);
        Actions {
            records: given_up.into_iter().map(Record::Notification).collect(),
            effects: attempts.into_iter().map(Box::new).map(Effect::Deliver).collect(),
        }
    }

    /// An attempt ended.
    pub(super) fn attempted(&mut self, key: &str, outcome: Outcome, at: Moment) -> Actions {
        let record = self.outbox.ended(key, outcome, at).map(Record::Notification);
        let mut actions = Actions { records: record.into_iter().collect(), effects: Vec::new() };
        actions.append(self.deliver(at));
        actions
    }

    /// What waits for people who may not be told any more, since the consent was withdrawn or they
    /// are not chosen now, is not told.
    pub(super) fn withdraw(&mut self, at: Moment) -> Vec<Record> {
        let lines = &self.lines;
        let may_tell = |record: &NotificationRecord| {
            let line = lines.get(&record.line).filter(|line| line.is_screened());
            let policy = line.and_then(|line| line.policy.as_ref());
            policy.is_some_and(|policy| policy.people.contains(&record.to.person))
        };
        let why = "withdrawn: the line is not screened, or this person is not told of it, any more";
        let withdrawn = self.outbox.withdraw(may_tell, why, at);
        withdrawn.into_iter().map(Record::Notification).collect()
    }

    fn notice(&self, kind: NoticeKind, line: &LineId, at: Moment) -> Notice {
        let name = self.lines.get(line).map_or(line.as_str(), |line| line.name());
        Notice {
            key: String::new(),
            kind,
            line: line.to_string(),
            line_name: name.to_owned(),
            at: at.wall.to_string(),
            level: None,
            incident: None,
            family: None,
            stage: None,
            held_until: None,
            advice: None,
        }
    }

    /// Posts a notice to all channels of those on the line who are told. The notice's key names
    /// what happened; each channel has a key of its own.
    fn post(
        &mut self,
        line: &LineId,
        notice: &Notice,
        is_told: impl Fn(&Person) -> bool,
        at: Moment,
    ) -> Actions {
        // Nobody is told of a line that nobody agreed to have screened.
        let line_of = self.lines.get(line).filter(|line| line.is_screened());
        let policy = line_of.and_then(|line| line.policy.as_ref());
        let people = policy.map(|policy| policy.people.clone()).unwrap_or_default();
        let mut actions = Actions::default();
        for person in people.iter().filter_map(|id| self.people.get(id)) {
            if !is_told(person) {
                continue;
            }
            for channel in 0..person.channels.len() {
                let to = Address { person: person.id.clone(), channel };
                let mut notice = shared(notice, person);
                notice.key = format!("{}.{}.{channel}", notice.key, person.id);
                let (line, posted, attempts) = (line.clone(), at.wall, 0);
                let state = Delivery::Pending(None);
                let record = NotificationRecord { to, notice, line, posted, attempts, state };
                actions.records.extend(self.outbox.post(record, at).map(Record::Notification));
            }
        }
        actions.append(self.deliver(at));
        actions
    }

    fn advice_for(&self, level: Level) -> &str {
        match level {
            Level::Quiet | Level::Caution => &self.advice.caution,
            Level::Warning => &self.advice.warning,
            Level::Danger => &self.advice.danger,
        }
    }
}

/// What this person may know of it.
fn shared(notice: &Notice, person: &Person) -> Notice {
    let keeps = |what: Share, value: &Option<String>| {
        value.clone().filter(|_| person.share.contains(&what))
    };
    Notice {
        family: keeps(Share::Family, &notice.family),
        stage: keeps(Share::Stage, &notice.stage),
        advice: keeps(Share::Advice, &notice.advice),
        ..notice.clone()
    }
}

#[cfg(test)]
mod tests;
