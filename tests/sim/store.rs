//! A store that may fail: what cannot be written waits in memory, and a crash loses it.

use std::collections::BTreeMap;

use lineclear::alert::record::{
    Delivery, HistoryRecord, HoldRecord, Id, IncidentRecord, LineRecord, NotificationRecord,
    Record, Snapshot,
};
use lineclear::call::LineId;
use lineclear::config::Consent;

/// Every record by its name: a later one replaces an earlier one.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    lines: BTreeMap<LineId, LineRecord>,
    pub incidents: BTreeMap<Id, IncidentRecord>,
    pub steps: BTreeMap<(Id, u32), HistoryRecord>,
    holds: BTreeMap<Id, HoldRecord>,
    pub notifications: BTreeMap<String, NotificationRecord>,
    pub pending: usize,
    pub consents: BTreeMap<LineId, Consent>,
}

#[derive(Debug)]
pub struct Store {
    pub works: bool,
    /// What is on the disk.
    disk: Tables,
    /// What the program would find if nothing were lost.
    pub memory: Tables,
    backlog: Vec<Record>,
}

impl Store {
    pub fn new() -> Self {
        let (disk, memory) = (Tables::default(), Tables::default());
        Self { works: true, disk, memory, backlog: Vec::new() }
    }

    /// Commits, or keeps for later.
    pub fn write(&mut self, records: &[Record]) {
        let records = records.iter().filter(|it| !matches!(it, Record::Audit(_)));
        for record in records {
            self.memory.apply(record);
            match self.works {
                true => self.disk.apply(record),
                false => self.backlog.push(record.clone()),
            }
        }
    }

    /// It works, or does not; what waited is written.
    pub fn set(&mut self, works: bool) {
        self.works = works;
        if works {
            self.backlog.drain(..).for_each(|record| self.disk.apply(&record));
        }
    }

    pub fn crash(&mut self) {
        self.backlog.clear();
        self.memory = self.disk.clone();
    }

    pub fn snapshot(&self) -> Snapshot {
        self.disk.snapshot()
    }
}

impl Tables {
    fn apply(&mut self, record: &Record) {
        match record.clone() {
            Record::Line(line) => drop(self.lines.insert(line.line.clone(), line)),
            Record::Incident(incident) => drop(self.incidents.insert(incident.id, incident)),
            Record::History(step) => drop(self.steps.insert((step.incident, step.step), step)),
            Record::Hold(hold) => drop(self.holds.insert(hold.id, hold)),
            Record::Notification(note) => {
                self.pending += usize::from(is_pending(&note));
                let before = self.notifications.insert(note.notice.key.clone(), note);
                self.pending -= usize::from(before.as_ref().is_some_and(is_pending));
            }
            Record::Consent(line, Some(consent)) => drop(self.consents.insert(line, consent)),
            Record::Consent(line, None) => drop(self.consents.remove(&line)),
            Record::NotAScam(id, by) => {
                if let Some(incident) = self.incidents.get_mut(&id) {
                    incident.not_a_scam = Some(by);
                }
            }
            Record::Audit(_) => {}
        }
    }

    fn snapshot(&self) -> Snapshot {
        let incidents: Vec<_> =
            self.incidents.values().filter(|it| it.ended.is_none()).cloned().collect();
        let of = |id: Id| self.steps.range((id, 0)..=(id, u32::MAX)).count() as u32;
        let pending = self.notifications.values().filter(|note| is_pending(note));
        Snapshot {
            lines: self.lines.values().cloned().collect(),
            steps: incidents.iter().map(|it| (it.id, of(it.id))).collect(),
            incidents,
            holds: self.holds.values().filter(|it| it.ended.is_none()).cloned().collect(),
            notifications: pending.cloned().collect(),
            consents: self.consents.iter().map(|(a, b)| (a.clone(), b.clone())).collect(),
        }
    }
}

pub fn is_pending(note: &NotificationRecord) -> bool {
    matches!(note.state, Delivery::Pending(_))
}
