//! What is deleted: the old, by itself; all of a line, when somebody asks.

use std::path::PathBuf;

use rusqlite::{Connection, TransactionBehavior};

use super::error::StoreError;
use super::{Store, files, write};
use crate::alert::record::{Actor, AuditRecord};
use crate::call::LineId;
use crate::time::Wall;

/// Rows that are deleted at a time, so that a commit need not wait for long.
const BATCH: usize = 500;

/// What is over and old: in which table, and which of it. Steps go before their incidents, or
/// nobody would know which are theirs; those that have none go by their own age.
const OLD: [(&str, &str); 6] = [
    ("history", "incident IN (SELECT id FROM incidents WHERE ended_ms < ?1)"),
    ("history", "at_ms < ?1 AND incident NOT IN (SELECT id FROM incidents)"),
    ("incidents", "ended_ms < ?1"),
    ("holds", "ended_ms < ?1"),
    ("outbox", "state IN ('delivered', 'failed') AND posted_ms < ?1"),
    ("audit", "at_ms < ?1"),
];

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
    /// Whether consent was given.
    pub consent: bool,
    /// Damaged databases that were moved aside, and may still hold something of the line.
    pub left_in: Vec<PathBuf>,
}

impl Store {
    /// Deletes what ended before that moment, and damaged databases that were moved aside before;
    /// how many rows and files it was. What is still open stays, however old.
    ///
    /// # Errors
    /// When it cannot be deleted. What was deleted until then is.
    pub fn retain(&mut self, before: Wall) -> Result<u64, StoreError> {
        let mut deleted = files::delete_aside(&self.folder, before)?;
        for (table, which) in OLD {
            let sql = format!(
                "DELETE FROM {table} WHERE entry IN \
                 (SELECT entry FROM {table} WHERE {which} LIMIT {BATCH})"
            );
            loop {
                let batch = self.connection.execute(&sql, [before]);
                let batch = self.judge(batch)?;
                deleted += batch as u64;
                if batch < BATCH {
                    break;
                }
            }
        }
        if deleted > 0 {
            // What is deleted is still in the log. If somebody reads just now, the next time.
            let _is_wiped = self.judge(empty_log(&self.connection))?;
        }
        Ok(deleted)
    }

    /// Deletes everything about a line: the log keeps one entry that says so. When it returns,
    /// nothing of it is in the files but for those that are named.
    ///
    /// # Errors
    /// When it cannot be deleted; [`StoreError::Locked`] also if the rows are deleted and somebody
    /// reads the old files: ask again.
    pub fn erase(&mut self, line: &LineId, by: &Actor, at: Wall) -> Result<Erased, StoreError> {
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
        holds: delete("holds", of_line)? as u64,
        notifications: delete("outbox", of_line)? as u64,
        audit: delete("audit", of_line)? as u64,
        consent: delete("consent", of_line)? > 0,
        left_in: Vec::new(),
    };
    delete("lines", of_line)?;
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
        audit, folder, hold, holds_bytes, incident, notification, open, snapshot, step,
    };
    use super::*;
    use crate::alert::record::{Delivery, Ended, HoldRecord, Id, IncidentRecord, Record};
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
        let deleted = store.retain(Wall(1_010)).expect("deleted");
        assert_eq!(deleted, 4 * 1_000 + 1 + 2, "rows, the step and the notifications");
        assert_eq!(snapshot(&store), before);
        assert_eq!(store.incidents(None, u32::MAX).expect("reads").rows.len(), 201);
        assert!(store.incident(Id(1_000)).expect("reads").is_some_and(|it| it.1.rows.len() == 1));
        assert_eq!(store.retain(Wall(1_010)).expect("nothing"), 0);
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
                store.retain(Wall(id / 2)).expect("deleted");
            }
        }
        let (home, mallory) = (LineId::new("home"), LineId::new("mallory"));
        let kept = store.export(&home).expect("reads");
        assert!(holds_bytes(&folder, "advice-mallory"));
        let by = Actor::Carer("anna".to_owned());
        let erased = store.erase(&mallory, &by, Wall(7)).expect("erased");
        assert!(erased.incidents > 20 && erased.history > 20 && erased.holds > 20, "{erased:?}");
        assert!(erased.notifications > 100 && erased.audit > 20 && erased.consent, "{erased:?}");
        for text in ["advice-mallory", "family-of-mallory", "by-mallory", "key-mallory"] {
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
