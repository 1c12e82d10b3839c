//! What is deleted: the old, by itself; what is over of a line, when somebody asks.

use std::path::PathBuf;

use rusqlite::{Connection, TransactionBehavior};

use super::error::StoreError;
use super::{Store, files, write};
use crate::alert::record::{Actor, AuditRecord};
use crate::call::LineId;
use crate::time::Wall;

/// Rows that are deleted at a time: a commit waits for one batch at most.
const BATCH: usize = 500;

/// What is over and old: in which table, and which of it. Steps go before their incidents, or
/// nobody would know which are theirs; those that have none go by their own age. An index leads to
/// each.
const OLD: [(&str, &str); 6] = [
    ("history", "incident IN (SELECT id FROM incidents WHERE ended_ms < ?1)"),
    ("history", "at_ms < ?1 AND incident NOT IN (SELECT id FROM incidents)"),
    ("incidents", "ended_ms < ?1"),
    ("holds", "ended_ms < ?1"),
    ("outbox", "state IN ('delivered', 'failed') AND posted_ms < ?1"),
    ("audit", "at_ms < ?1"),
];

/// The deleting of what is old, a batch at a time.
#[derive(Debug)]
pub struct Retention {
    before: Wall,
    /// Which of [`OLD`] is next.
    next: usize,
    deleted: u64,
}

impl Retention {
    /// Deletes what ended before that moment.
    pub const fn new(before: Wall) -> Self {
        Self { before, next: 0, deleted: 0 }
    }

    /// How many rows and files are deleted so far.
    pub const fn deleted(&self) -> u64 {
        self.deleted
    }
}

/// What was deleted of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased {
    /// Incidents.
    pub incidents: u64,
    /// Steps of incidents.
    pub history: u64,
    /// Holds.
    pub holds: u64,
    /// Notifications, also those that nobody has received yet.
    pub notifications: u64,
    /// Entries of the audit log.
    pub audit: u64,
    /// Damaged databases that were moved aside, and may still hold something of the line.
    pub left_in: Vec<PathBuf>,
}

impl Store {
    /// Deletes a batch of what is old, and in the end damaged databases that were moved aside;
    /// tells whether there may be more. What is still open stays, however old.
    ///
    /// # Errors
    /// When it cannot be deleted. What was deleted until then is.
    pub fn retain(&mut self, run: &mut Retention) -> Result<bool, StoreError> {
        let Some((table, which)) = OLD.get(run.next) else {
            run.deleted += files::delete_aside(&self.folder, run.before)?;
            if run.deleted > 0 {
                // What is deleted is still in the log. If somebody reads just now, the next time.
                let _is_wiped = self.judge(empty_log(&self.connection))?;
            }
            return Ok(false);
        };
        let sql = format!(
            "DELETE FROM {table} WHERE entry IN \
             (SELECT entry FROM {table} WHERE {which} LIMIT {BATCH})"
        );
        let batch = self.connection.execute(&sql, [run.before]);
        let batch = self.judge(batch)?;
        run.deleted += batch as u64;
        run.next += usize::from(batch < BATCH);
        Ok(true)
    }

    /// Deletes what is kept about a line: the log keeps one entry that says so. When it returns,
    /// nothing of it is in the files but for those that are named, and for what protects the line
    /// still: a hold that runs, its deadlines, and the consent.
    ///
    /// # Errors
    /// When it cannot be deleted; [`StoreError::Behind`] if changes wait that would bring it back;
    /// [`StoreError::Locked`] also if the rows are deleted and somebody reads the old files: ask
    /// again.
    pub fn erase(&mut self, line: &LineId, by: &Actor, at: Wall) -> Result<Erased, StoreError> {
        if self.is_behind {
            return Err(StoreError::Behind(self.path.clone()));
        }
        let entry = AuditRecord { at, line: line.clone(), actor: by.clone(), what: "data erased" };
        let erased = erase(&mut self.connection, line, &entry);
        let mut erased = self.judge(erased)?;
        // Pages that were split and joined keep remains between their rows: all are written anew.
        let vacuumed = self.connection.execute_batch("VACUUM");
        self.judge(vacuumed)?;
        if !self.judge(empty_log(&self.connection))? {
            return Err(StoreError::Locked(self.path.clone()));
        }
        erased.left_in = files::aside(&self.folder).into_iter().map(|(_, path)| path).collect();
        Ok(erased)
    }
}

fn erase(
    connection: &mut Connection,
    line: &LineId,
    entry: &AuditRecord,
) -> rusqlite::Result<Erased> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let delete = |table: &str, which: &str| {
        change.execute(&format!("DELETE FROM {table} WHERE {which}"), [line])
    };
    let history = "incident IN (SELECT id FROM incidents WHERE line = ?1)";
    let of_line = "line = ?1";
    let erased = Erased {
        history: delete("history", history)? as u64,
        incidents: delete("incidents", of_line)? as u64,
        holds: delete("holds", "line = ?1 AND ended_ms IS NOT NULL")? as u64,
        notifications: delete("outbox", of_line)? as u64,
        audit: delete("audit", of_line)? as u64,
        left_in: Vec::new(),
    };
    let is_promised = "(disabled_boot IS NOT NULL OR callbacks_boot IS NOT NULL)";
    delete("lines", &format!("line = ?1 AND NOT {is_promised}"))?;
    change.execute("UPDATE lines SET suspicious_ms = NULL WHERE line = ?1", [line])?;
    write::audit(&change, entry)?;
    change.commit()?;
    Ok(erased)
}

/// Writes the log into the database and cuts it off; false if somebody still reads it.
fn empty_log(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
    connection.query_row(sql, (), |row| row.get::<_, bool>(0)).map(|is_busy| !is_busy)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{
        audit, folder, hold, holds_bytes, incident, notification, open, retain, snapshot, step,
    };
    use super::*;
    use crate::alert::record::{
        Delivery, Ended, HoldRecord, Id, IncidentRecord, LineRecord, Record,
    };
    use crate::config::Consent;

    fn ended(id: u128, line: &str, at: u64) -> [Record; 4] {
        let by = Actor::Lineclear;
        [
            Record::Incident(IncidentRecord { ended: Some(Wall(at)), ..incident(id, line) }),
            step(id, 1, at),
            Record::Hold(HoldRecord { ended: Some(Ended { at: Wall(at), by }), ..hold(id, line) }),
            audit(line, at),
        ]
    }

    fn consent(line: &str) -> Record {
        let consent = Consent { by: format!("by-{line}"), on: "2026-11-22".to_owned() };
        Record::Consent(LineId::new(line), Some(consent))
    }

    #[test]
    fn what_is_over_and_old_goes_and_what_is_open_stays() {
        let folder = folder();
        let mut store = open(&folder);
        let many = (0..1_200).flat_map(|id| ended(id, "home", 10 + id as u64));
        store.commit(&many.collect::<Vec<_>>()).expect("committed");
        let open_ones = [
            Record::Incident(incident(5_000, "home")),
            step(5_000, 1, 1),
            Record::Hold(hold(5_000, "home")),
            Record::Notification(notification("open", "home", Delivery::Pending(None))),
            consent("home"),
        ];
        store.commit(&open_ones).expect("committed");
        let before = snapshot(&store);
        let over = [Delivery::Delivered(Wall(9)), Delivery::Failed("410".to_owned())];
        let over = over.map(|state| notification(&format!("{state:?}"), "home", state));
        store.commit(&over.map(Record::Notification)).expect("committed");
        store.commit(&[step(9_999, 1, 3)]).expect("a step whose incident was lost");
        let deleted = retain(&mut store, Wall(1_010));
        assert_eq!(deleted, 4 * 1_000 + 1 + 2, "rows, the step and the notifications");
        assert_eq!(snapshot(&store), before);
        assert_eq!(store.incidents(None, u32::MAX).expect("reads").rows.len(), 201);
        assert!(store.incident(Id(1_000)).expect("reads").is_some_and(|it| it.1.rows.len() == 1));
        assert_eq!(retain(&mut store, Wall(1_010)), 0);
    }

    #[test]
    fn erasing_takes_all_of_a_line_out_of_the_files_and_nothing_of_another() {
        let folder = folder();
        let mut store = open(&folder);
        let mut rng = fastrand::Rng::with_seed(5);
        // Rows of many sizes that come and grow, so that pages are split and joined.
        for id in 0..400_u64 {
            let line = ["home", "mallory"][rng.usize(..2)];
            let mut records = ended(u128::from(rng.u64(..200)), line, id).to_vec();
            let mut sent = notification(&format!("key-{line}-{id}"), line, Delivery::Pending(None));
            sent.notice.advice = Some(format!("advice-{line}-").repeat(rng.usize(..90)));
            records.extend([Record::Notification(sent), consent(line)]);
            store.commit(&records).expect("committed");
            if id % 50 == 0 {
                retain(&mut store, Wall(id / 2));
            }
        }
        let (home, mallory) = (LineId::new("home"), LineId::new("mallory"));
        let kept = store.export(&home).expect("reads");
        assert!(holds_bytes(&folder, "advice-mallory"));
        let by = Actor::Carer("anna".to_owned());
        let erased = store.erase(&mallory, &by, Wall(7)).expect("erased");
        assert!(erased.incidents > 20 && erased.history > 20 && erased.holds > 20, "{erased:?}");
        assert!(erased.notifications > 100 && erased.audit > 20, "{erased:?}");
        assert_eq!(snapshot(&store).consents.len(), 2, "it holds until it is withdrawn");
        for text in ["advice-mallory", "family-of-mallory", "key-mallory"] {
            assert!(!holds_bytes(&folder, text), "{text}");
        }
        let log = store.audit(Some(&mallory), 9).expect("reads").rows;
        assert_eq!((log.len(), log[0].what.as_str()), (1, "data erased"));
        assert_eq!(store.export(&home).expect("reads"), kept);
        assert!(holds_bytes(&folder, "advice-home"));
        let again = store.erase(&mallory, &by, Wall(8)).expect("erased");
        assert_eq!(again, Erased { audit: 1, ..Erased::default() });
    }

    #[test]
    fn erasing_leaves_what_protects_the_line() {
        let folder = folder();
        let mut store = open(&folder);
        let (home, off) = (LineId::new("home"), hold(1, "home").deadline);
        let line = LineRecord {
            line: home.clone(),
            disabled: Some(off),
            callbacks: Some(off),
            suspicious: Some(Wall(5)),
        };
        let over = ended(2, "home", 5);
        let running = [Record::Hold(hold(1, "home")), Record::Line(line.clone()), consent("home")];
        store.commit(&[over.as_slice(), &running].concat()).expect("committed");
        let erased = store.erase(&home, &Actor::Person, Wall(9)).expect("erased");
        assert_eq!((erased.holds, erased.incidents), (1, 1));
        let found = snapshot(&store);
        assert_eq!(found.holds, [hold(1, "home")]);
        assert_eq!(found.lines, [LineRecord { suspicious: None, ..line }]);
        assert_eq!(found.consents.len(), 1);
    }

    #[test]
    fn nothing_is_erased_while_something_waits_that_would_bring_it_back() {
        let folder = folder();
        let mut store = open(&folder);
        store.commit(&ended(1, "home", 5)).expect("committed");
        store.set_behind(true);
        let line = LineId::new("home");
        let error = store.erase(&line, &Actor::Person, Wall(9)).expect_err("refused");
        assert!(error.to_string().contains("when the status is green"), "{error}");
        assert!(store.incident(Id(1)).expect("reads").is_some());
        store.set_behind(false);
        assert!(store.erase(&line, &Actor::Person, Wall(9)).is_ok());
    }

    #[test]
    fn a_batch_is_deleted_at_a_time_and_an_index_leads_to_it() {
        let folder = folder();
        let mut store = open(&folder);
        let many = (0..1_200).flat_map(|id| ended(id, "home", 10));
        store.commit(&many.collect::<Vec<_>>()).expect("committed");
        let mut run = Retention::new(Wall(1_000));
        assert!(store.retain(&mut run).expect("deleted"));
        assert_eq!(run.deleted(), BATCH as u64, "and commits go between");
        for (table, which) in OLD {
            let sql = format!("EXPLAIN QUERY PLAN SELECT entry FROM {table} WHERE {which}");
            let mut plan = store.connection.prepare(&sql).expect("valid");
            let steps = plan.query_map([Wall(9)], |row| row.get::<_, String>("detail"));
            let steps: Vec<_> = steps.expect("a plan").map(|it| it.expect("a step")).collect();
            assert!(steps.iter().all(|step| !step.starts_with("SCAN")), "{table}: {steps:?}");
        }
    }

    #[test]
    fn erasing_is_not_said_to_be_done_while_somebody_reads_the_old_files() {
        let folder = folder();
        let (mut store, reader) = (open(&folder), open(&folder));
        store.commit(&ended(1, "home", 5)).expect("committed");
        reader.connection.execute_batch("BEGIN; SELECT * FROM lines").expect("reads");
        let line = LineId::new("home");
        let error = store.erase(&line, &Actor::Person, Wall(9)).expect_err("read");
        assert!(matches!(error, StoreError::Locked(_)), "{error}");
        reader.connection.execute_batch("COMMIT").expect("ends");
        let aside = folder.path().join("lineclear.db.corrupt-3");
        std::fs::write(&aside, "rule-of-home").expect("written");
        let erased = store.erase(&line, &Actor::Person, Wall(9)).expect("erased");
        assert_eq!(erased.left_in, std::slice::from_ref(&aside), "somebody has to look at it");
        std::fs::remove_file(aside).expect("removed");
        assert!(!holds_bytes(&folder, "rule-of-home"));
    }
}
