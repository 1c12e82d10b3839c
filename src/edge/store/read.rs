//! What was written: all that a restart needs, and what people look up. A row that cannot be read
//! is passed over and told, so that one lost row does not cost the others.

use std::fmt;

use rusqlite::{Row, ToSql};

use super::Store;
use super::error::StoreError;
use super::values::{Json, Ms, State};
use crate::alert::deadline::{BootId, Committed};
use crate::alert::record::{
    Actor, Address, Delivery, Ended, HistoryRecord, HoldRecord, Id, IncidentRecord, LineRecord,
    NotificationRecord, Scammer, Snapshot,
};
use crate::call::LineId;
use crate::config::Consent;
use crate::rules::{Level, Stage};
use crate::time::{Now, Wall};

/// A row that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its table.
    pub table: &'static str,
    /// Its number in the table.
    pub entry: Option<i64>,
    /// The line that it is of, if that much can be read. A hold of it may be lost.
    pub line: Option<LineId>,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, problem, .. } = self;
        let entry = self.entry.map_or_else(|| "?".to_owned(), |entry| entry.to_string());
        write!(f, "table {table}, entry {entry}: {problem}: it was passed over")
    }
}

/// Rows, and those that could not be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<T> {
    /// What was read.
    pub rows: Vec<T>,
    /// What was not.
    pub problems: Vec<Problem>,
}

/// What a restart finds.
#[derive(Debug)]
pub struct Restored {
    /// What could be read.
    pub snapshot: Snapshot,
    /// Rows that could not.
    pub problems: Vec<Problem>,
    /// The file is damaged, and more may be missing: move it aside, and commit to a new one what
    /// is here.
    pub damage: Option<StoreError>,
}

/// An entry of the audit log, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Wall,
    /// On which line.
    pub line: LineId,
    /// Who.
    pub actor: Actor,
    /// What.
    pub what: String,
}

type Read<T> = fn(&Row<'_>) -> rusqlite::Result<T>;

impl<T> Rows<T> {
    const fn new() -> Self {
        Self { rows: Vec::new(), problems: Vec::new() }
    }

    fn add(&mut self, table: &'static str, row: &Row<'_>, read: Read<T>) {
        match read(row) {
            Ok(record) => self.rows.push(record),
            Err(problem) => self.problems.push(Problem {
                table,
                entry: row.get("entry").ok(),
                line: row.get("line").ok(),
                problem: problem.to_string(),
            }),
        }
    }
}

impl Store {
    /// All that a restart finds: lines, what has not ended, and who agreed.
    ///
    /// # Errors
    /// When nothing can be read. A damaged file is no error here: what it still holds is told.
    pub fn snapshot(&self) -> Result<Restored, StoreError> {
        let mut restored =
            Restored { snapshot: Snapshot::default(), problems: Vec::new(), damage: None };
        let lines = self.salvage("lines", "TRUE", line, &mut restored)?;
        let incidents = self.salvage("incidents", "ended_ms IS NULL", incident, &mut restored)?;
        let holds = self.salvage("holds", "ended_ms IS NULL", hold, &mut restored)?;
        let pending = "state = 'pending'";
        let mut notifications = self.salvage("outbox", pending, notification, &mut restored)?;
        // Stable: what was posted in the same millisecond keeps its order.
        notifications.sort_by_key(|record| record.posted);
        let consents = self.salvage("consent", "TRUE", consent, &mut restored)?;
        let mut steps = Vec::new();
        for record in &incidents {
            match self.last_step(record.id) {
                Ok(last) => steps.extend(last.map(|last| (record.id, last))),
                Err(damage) if damage.is_corrupt() => restored.damage = Some(damage),
                Err(other) => return Err(other),
            }
        }
        restored.snapshot = Snapshot { lines, incidents, steps, holds, notifications, consents };
        Ok(restored)
    }

    /// Rows that match, oldest first. Where the file is damaged, those newer than the damage.
    fn salvage<T>(
        &self,
        table: &'static str,
        condition: &str,
        read: Read<T>,
        restored: &mut Restored,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Rows::new();
        // No index, which may be damaged as well, and no sorting, which would have to read all
        // first. From the end, since what has not ended is new.
        let sql =
            format!("SELECT * FROM {table} NOT INDEXED WHERE {condition} ORDER BY entry DESC");
        match self.judge(self.read(table, &sql, &[], read, &mut found)) {
            Err(damage) if damage.is_corrupt() => restored.damage = Some(damage),
            other => other?,
        }
        found.rows.reverse();
        restored.problems.append(&mut found.problems);
        Ok(found.rows)
    }

    /// The number of an incident's last step.
    fn last_step(&self, id: Id) -> Result<Option<u32>, StoreError> {
        let sql = "SELECT max(step) FROM history WHERE incident = ?1";
        let statement = self.connection.prepare_cached(sql);
        self.judge(statement.and_then(|mut it| it.query_row([id], |row| row.get(0))))
    }

    /// Incidents, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn incidents(
        &self,
        line: Option<&LineId>,
        limit: u32,
    ) -> Result<Rows<IncidentRecord>, StoreError> {
        self.list("incidents", &of(line), "opened_ms", limit, incident)
    }

    /// An incident with its history; none if it is not known or cannot be read.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn incident(
        &self,
        id: Id,
    ) -> Result<Option<(IncidentRecord, Rows<HistoryRecord>)>, StoreError> {
        let found = self.list("incidents", &[("id", &id)], "opened_ms", 1, incident)?;
        let Some(incident) = found.rows.into_iter().next() else { return Ok(None) };
        let mut steps = self.list("history", &[("incident", &id)], "step", u32::MAX, step)?;
        steps.rows.reverse();
        Ok(Some((incident, steps)))
    }

    /// Holds, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn holds(&self, line: Option<&LineId>, limit: u32) -> Result<Rows<HoldRecord>, StoreError> {
        self.list("holds", &of(line), "since_ms", limit, hold)
    }

    /// Notifications, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn notifications(
        &self,
        line: Option<&LineId>,
        state: Option<State>,
        limit: u32,
    ) -> Result<Rows<NotificationRecord>, StoreError> {
        let mut conditions = of(line);
        conditions.extend(state.as_ref().map(|state| ("state", state as &dyn ToSql)));
        self.list("outbox", &conditions, "posted_ms", limit, notification)
    }

    /// The audit log, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn audit(&self, line: Option<&LineId>, limit: u32) -> Result<Rows<AuditEntry>, StoreError> {
        self.list("audit", &of(line), "at_ms", limit, audit)
    }

    /// The state of a line, if it has one.
    pub(super) fn line(&self, id: &LineId) -> Result<Rows<LineRecord>, StoreError> {
        self.list("lines", &of(Some(id)), "entry", 1, line)
    }

    /// Who agreed to the screening of a line.
    pub(super) fn consent(&self, id: &LineId) -> Result<Rows<(LineId, Consent)>, StoreError> {
        self.list("consent", &of(Some(id)), "entry", 1, consent)
    }

    fn list<T>(
        &self,
        table: &'static str,
        conditions: &[(&str, &dyn ToSql)],
        newest: &str,
        limit: u32,
        read: Read<T>,
    ) -> Result<Rows<T>, StoreError> {
        let (names, mut values): (Vec<_>, Vec<_>) = conditions.iter().copied().unzip();
        let tests = names.iter().map(|name| format!("AND {name} = ? ")).collect::<String>();
        values.push(&limit);
        let sql = format!(
            "SELECT * FROM {table} WHERE TRUE {tests}ORDER BY {newest} DESC, entry DESC LIMIT ?"
        );
        let mut found = Rows::new();
        self.judge(self.read(table, &sql, &values, read, &mut found))?;
        Ok(found)
    }

    fn read<T>(
        &self,
        table: &'static str,
        sql: &str,
        values: &[&dyn ToSql],
        read: Read<T>,
        found: &mut Rows<T>,
    ) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(values)?;
        while let Some(row) = rows.next()? {
            found.add(table, row, read);
        }
        Ok(())
    }
}

fn of(line: Option<&LineId>) -> Vec<(&'static str, &dyn ToSql)> {
    line.map(|line| ("line", line as &dyn ToSql)).into_iter().collect()
}

fn span(row: &Row<'_>, column: &str) -> rusqlite::Result<std::time::Duration> {
    row.get(column).map(|Ms(span)| span)
}

fn deadline(row: &Row<'_>, of: &str) -> rusqlite::Result<Committed> {
    let column = |name: &str| format!("{of}_{name}");
    Ok(Committed {
        boot: row.get(column("boot").as_str())?,
        until: Now(span(row, &column("until_ms"))?),
        set: row.get(column("set_ms").as_str())?,
        wall_until: row.get(column("wall_until_ms").as_str())?,
        full: span(row, &column("full_ms"))?,
    })
}

fn line(row: &Row<'_>) -> rusqlite::Result<LineRecord> {
    let optional = |of: &str| {
        let boot: Option<BootId> = row.get(format!("{of}_boot").as_str())?;
        boot.map(|_| deadline(row, of)).transpose()
    };
    Ok(LineRecord {
        line: row.get("line")?,
        disabled: optional("disabled")?,
        callbacks: optional("callbacks")?,
        suspicious: row.get("suspicious_ms")?,
    })
}

fn incident(row: &Row<'_>) -> rusqlite::Result<IncidentRecord> {
    let Json(rules) = row.get("rules")?;
    let (level, stage) = (row.get("level")?, row.get("stage")?);
    let told = row.get::<_, Option<Json<Vec<(String, Option<String>)>>>>("told")?;
    let told = told.map(|Json(told)| told.iter().filter_map(told_of).collect());
    Ok(IncidentRecord {
        id: row.get("id")?,
        line: row.get("line")?,
        call: row.get("call")?,
        number: row.get("number")?,
        last_two: row.get("last_two")?,
        opened: row.get("opened_ms")?,
        ended: row.get("ended_ms")?,
        level,
        stage,
        family: row.get("family")?,
        score: row.get("score")?,
        rules,
        not_a_scam: row.get("not_a_scam")?,
        // Before it was kept: rather once too few than twice.
        told: told.unwrap_or_else(|| vec![(level, stage)]),
        simulated: row.get("simulated")?,
    })
}

fn told_of((level, stage): &(String, Option<String>)) -> Option<(Level, Option<Stage>)> {
    Some((Level::from_name(level)?, stage.as_deref().and_then(Stage::from_name)))
}

fn step(row: &Row<'_>) -> rusqlite::Result<HistoryRecord> {
    Ok(HistoryRecord {
        incident: row.get("incident")?,
        step: row.get("step")?,
        at: row.get("at_ms")?,
        what: row.get("what")?,
        level: row.get("level")?,
        stage: row.get("stage")?,
    })
}

fn hold(row: &Row<'_>) -> rusqlite::Result<HoldRecord> {
    // What cannot be read of these two makes the hold no shorter.
    let scammer = match row.get::<_, String>("scammer")?.as_str() {
        "number" => Scammer::Number(row.get("scammer_number")?),
        "nobody" => Scammer::Nobody,
        _ => Scammer::Withheld,
    };
    let ended: Option<Wall> = row.get("ended_ms")?;
    let by: Option<Actor> = row.get("ended_by")?;
    Ok(HoldRecord {
        id: row.get("id")?,
        line: row.get("line")?,
        incident: row.get("incident")?,
        since: row.get("since_ms")?,
        deadline: deadline(row, "deadline")?,
        length: span(row, "length_ms")?,
        scammer,
        restarts: row.get("restarts")?,
        ended: ended.map(|at| Ended { at, by: by.unwrap_or(Actor::Lineclear) }),
    })
}

fn notification(row: &Row<'_>) -> rusqlite::Result<NotificationRecord> {
    let Json(notice) = row.get("notice")?;
    let problem: Option<String> = row.get("problem")?;
    let state = match row.get("state")? {
        State::Pending => Delivery::Pending(problem),
        State::Delivered => Delivery::Delivered(row.get("delivered_ms")?),
        State::Failed => Delivery::Failed(problem.unwrap_or_default()),
    };
    let channel: u32 = row.get("channel")?;
    Ok(NotificationRecord {
        to: Address { person: row.get("person")?, channel: channel as usize },
        notice,
        line: row.get("line")?,
        posted: row.get("posted_ms")?,
        attempts: row.get("attempts")?,
        state,
    })
}

fn consent(row: &Row<'_>) -> rusqlite::Result<(LineId, Consent)> {
    let consent = Consent { by: row.get("given_by")?, on: row.get("given_on")? };
    Ok((row.get("line")?, consent))
}

fn audit(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry {
        at: row.get("at_ms")?,
        line: row.get("line")?,
        actor: row.get("actor")?,
        what: row.get("what")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{audit, folder, hold, incident, notification, open};
    use super::*;
    use crate::alert::record::Record;

    #[test]
    fn people_look_up_what_they_ask_for_and_the_newest_comes_first() {
        let (folder, records) = (folder(), |at: u64| {
            let line = if at.is_multiple_of(2) { "home" } else { "shop" };
            let state = match at % 3 {
                0 => Delivery::Pending(None),
                1 => Delivery::Delivered(Wall(at)),
                _ => Delivery::Failed("410".to_owned()),
            };
            let opened = Wall(at);
            let mut sent = notification(&at.to_string(), line, state);
            sent.posted = opened;
            [
                Record::Incident(IncidentRecord { opened, ..incident(u128::from(at), line) }),
                Record::Hold(HoldRecord { since: opened, ..hold(u128::from(at), line) }),
                Record::Notification(sent),
                audit(line, at),
            ]
        });
        let mut store = open(&folder);
        store.commit(&(1..=9).flat_map(records).collect::<Vec<_>>()).expect("committed");
        let home = LineId::new("home");
        let opened = |line, limit| -> Vec<u64> {
            let found = store.incidents(line, limit).expect("reads").rows;
            found.iter().map(|incident| incident.opened.0).collect()
        };
        assert_eq!((opened(Some(&home), 3), opened(None, 2)), (vec![8, 6, 4], vec![9, 8]));
        let sent = |line, state| store.notifications(line, state, 99).expect("reads").rows.len();
        assert_eq!((sent(None, None), sent(Some(&home), None)), (9, 4));
        assert_eq!(sent(None, Some(State::Failed)), 3);
        assert_eq!(sent(Some(&home), State::from_name("failed")), 2);
        assert_eq!(store.holds(Some(&home), 99).expect("reads").rows[0].since, Wall(8));
        assert_eq!(store.audit(Some(&home), 1).expect("reads").rows[0].at, Wall(8));
        assert!(store.incident(Id(77)).expect("reads").is_none());
    }

    #[test]
    fn what_was_told_before_it_was_kept_is_not_told_again() {
        let folder = folder();
        let mut store = open(&folder);
        let (level, stage) = (Level::Warning, Some(Stage::Extraction));
        let told = vec![(Level::Caution, None), (level, Some(Stage::Hook))];
        let record = IncidentRecord { level, stage, told, ..incident(1, "home") };
        store.commit(&[Record::Incident(record.clone())]).expect("committed");
        let found = |store: &Store| store.snapshot().expect("reads").snapshot.incidents;
        assert_eq!(found(&store), [record]);
        store.connection.execute_batch("UPDATE incidents SET told = NULL").expect("as before");
        assert_eq!(found(&store)[0].told, [(level, stage)]);
    }

    #[test]
    fn a_row_that_cannot_be_read_costs_no_other() {
        let folder = folder();
        let mut store = open(&folder);
        let records = [
            Record::Incident(incident(1, "home")),
            Record::Incident(incident(2, "shop")),
            Record::Hold(hold(1, "home")),
            Record::Hold(hold(2, "shop")),
            Record::Notification(notification("a", "home", Delivery::Pending(None))),
        ];
        store.commit(&records).expect("committed");
        let damage = "UPDATE incidents SET level = 'secret' WHERE line = 'home';
            UPDATE holds SET deadline_until_ms = -1 WHERE line = 'home';
            UPDATE outbox SET notice = '{secret';";
        store.connection.execute_batch(damage).expect("damaged");
        let restored = store.snapshot().expect("reads");
        let Snapshot { incidents, holds, notifications, .. } = restored.snapshot;
        assert_eq!((incidents, holds), (vec![incident(2, "shop")], vec![hold(2, "shop")]));
        assert!(notifications.is_empty() && restored.damage.is_none());
        let told: Vec<_> = restored.problems.iter().map(Problem::to_string).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[1].starts_with("table holds, entry 1: "), "{told:?}");
        assert!(told.iter().all(|it| !it.contains("secret")), "what stands there may be private");
        assert_eq!(restored.problems[1].line, Some(LineId::new("home")), "it can be held again");
        assert_eq!(store.incidents(None, 9).expect("reads").problems.len(), 1);
    }
}
