//! Records on their way to the disk.

use rusqlite::{Connection, ToSql, Transaction, TransactionBehavior};

use super::Store;
use super::error::StoreError;
use super::values::{Json, Ms, State};
use crate::alert::deadline::{BootId, Committed};
use crate::alert::record::{
    AuditRecord, Delivery, HistoryRecord, HoldRecord, IncidentRecord, LineRecord,
    NotificationRecord, Record, Scammer,
};
use crate::call::LineId;
use crate::config::Consent;
use crate::rules::Stage;
use crate::time::Wall;

impl Store {
    /// Writes the records, all or none; when it returns they are on the disk. What is written twice
    /// is the same as written once.
    ///
    /// # Errors
    /// When they are not, and then none of them is.
    pub fn commit(&mut self, records: &[Record]) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        let done = commit(&mut self.connection, records);
        self.judge(done)
    }
}

fn commit(connection: &mut Connection, records: &[Record]) -> rusqlite::Result<()> {
    // A transaction that begins by reading may be refused in the middle; this one only at first.
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for record in records {
        match record {
            Record::Line(record) => line(&change, record)?,
            Record::Incident(record) => incident(&change, record)?,
            Record::History(record) => history(&change, record)?,
            Record::Hold(record) => hold(&change, record)?,
            Record::Notification(record) => notification(&change, record)?,
            Record::Consent(line, given) => consent(&change, line, given.as_ref())?,
            Record::NotAScam(id, by) => {
                let sql = "UPDATE incidents SET not_a_scam = ?2 WHERE id = ?1";
                execute(&change, sql, &[id, by])?;
            }
            Record::Audit(record) => audit(&change, record)?,
        }
    }
    change.commit()
}

fn execute(change: &Transaction<'_>, sql: &str, values: &[&dyn ToSql]) -> rusqlite::Result<()> {
    change.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// Writes a row, or the row with the same key anew. It keeps its place in
/// the table, which is the order in which notifications are delivered.
fn put(
    change: &Transaction<'_>,
    table: &str,
    key: &str,
    columns: &[(&str, &dyn ToSql)],
) -> rusqlite::Result<()> {
    let (names, values): (Vec<_>, Vec<_>) = columns.iter().copied().unzip();
    let updates: Vec<_> = names.iter().map(|name| format!("{name} = excluded.{name}")).collect();
    let sql = format!(
        "INSERT INTO {table} ({}) VALUES (?{}) ON CONFLICT ({key}) DO UPDATE SET {}",
        names.join(", "),
        ", ?".repeat(names.len() - 1),
        updates.join(", ")
    );
    execute(change, &sql, &values)
}

/// A deadline in its columns.
struct Deadline {
    boot: Option<BootId>,
    until: Option<Ms>,
    set: Option<Wall>,
    wall_until: Option<Wall>,
    full: Option<Ms>,
}

impl From<Option<Committed>> for Deadline {
    fn from(deadline: Option<Committed>) -> Self {
        Self {
            boot: deadline.map(|it| it.boot),
            until: deadline.map(|it| Ms(it.until.0)),
            set: deadline.map(|it| it.set),
            wall_until: deadline.map(|it| it.wall_until),
            full: deadline.map(|it| Ms(it.full)),
        }
    }
}

fn line(change: &Transaction<'_>, record: &LineRecord) -> rusqlite::Result<()> {
    let disabled = Deadline::from(record.disabled);
    let callbacks = Deadline::from(record.callbacks);
    let columns: [(&str, &dyn ToSql); 12] = [
        ("line", &record.line),
        ("disabled_boot", &disabled.boot),
        ("disabled_until_ms", &disabled.until),
        ("disabled_set_ms", &disabled.set),
        ("disabled_wall_until_ms", &disabled.wall_until),
        ("disabled_full_ms", &disabled.full),
        ("callbacks_boot", &callbacks.boot),
        ("callbacks_until_ms", &callbacks.until),
        ("callbacks_set_ms", &callbacks.set),
        ("callbacks_wall_until_ms", &callbacks.wall_until),
        ("callbacks_full_ms", &callbacks.full),
        ("suspicious_ms", &record.suspicious),
    ];
    put(change, "lines", "line", &columns)
}

fn incident(change: &Transaction<'_>, record: &IncidentRecord) -> rusqlite::Result<()> {
    let told = record.told.iter().map(|(level, stage)| (level.name(), stage.map(Stage::name)));
    let columns: [(&str, &dyn ToSql); 15] = [
        ("id", &record.id),
        ("line", &record.line),
        ("call", &record.call),
        ("number", &record.number),
        ("last_two", &record.last_two),
        ("opened_ms", &record.opened),
        ("ended_ms", &record.ended),
        ("level", &record.level),
        ("stage", &record.stage),
        ("family", &record.family),
        ("score", &record.score),
        ("rules", &Json(&record.rules)),
        ("not_a_scam", &record.not_a_scam),
        ("told", &Json(told.collect::<Vec<_>>())),
        ("simulated", &record.simulated),
    ];
    put(change, "incidents", "id", &columns)
}

fn history(change: &Transaction<'_>, record: &HistoryRecord) -> rusqlite::Result<()> {
    let columns: [(&str, &dyn ToSql); 6] = [
        ("incident", &record.incident),
        ("step", &record.step),
        ("at_ms", &record.at),
        ("what", &record.what),
        ("level", &record.level),
        ("stage", &record.stage),
    ];
    put(change, "history", "incident, step", &columns)
}

fn hold(change: &Transaction<'_>, record: &HoldRecord) -> rusqlite::Result<()> {
    let deadline = Deadline::from(Some(record.deadline));
    let (scammer, number) = match record.scammer {
        Scammer::Nobody => ("nobody", None),
        Scammer::Withheld => ("withheld", None),
        Scammer::Number(tag) => ("number", Some(tag)),
    };
    let columns: [(&str, &dyn ToSql); 15] = [
        ("id", &record.id),
        ("line", &record.line),
        ("incident", &record.incident),
        ("since_ms", &record.since),
        ("deadline_boot", &deadline.boot),
        ("deadline_until_ms", &deadline.until),
        ("deadline_set_ms", &deadline.set),
        ("deadline_wall_until_ms", &deadline.wall_until),
        ("deadline_full_ms", &deadline.full),
        ("length_ms", &Ms(record.length)),
        ("scammer", &scammer),
        ("scammer_number", &number),
        ("restarts", &record.restarts),
        ("ended_ms", &record.ended.as_ref().map(|ended| ended.at)),
        ("ended_by", &record.ended.as_ref().map(|ended| &ended.by)),
    ];
    put(change, "holds", "id", &columns)
}

fn notification(change: &Transaction<'_>, record: &NotificationRecord) -> rusqlite::Result<()> {
    let (state, delivered, problem) = match &record.state {
        Delivery::Pending(problem) => (State::Pending, None, problem.as_ref()),
        Delivery::Delivered(at) => (State::Delivered, Some(at), None),
        Delivery::Failed(problem) => (State::Failed, None, Some(problem)),
    };
    let channel = u32::try_from(record.to.channel).unwrap_or(u32::MAX);
    let columns: [(&str, &dyn ToSql); 10] = [
        ("key", &record.notice.key),
        ("line", &record.line),
        ("person", &record.to.person),
        ("channel", &channel),
        ("notice", &Json(&record.notice)),
        ("posted_ms", &record.posted),
        ("attempts", &record.attempts),
        ("state", &state),
        ("delivered_ms", &delivered),
        ("problem", &problem),
    ];
    put(change, "outbox", "key", &columns)
}

fn consent(
    change: &Transaction<'_>,
    line: &LineId,
    given: Option<&Consent>,
) -> rusqlite::Result<()> {
    match given {
        Some(Consent { by, on }) => {
            let columns: [(&str, &dyn ToSql); 3] =
                [("line", line), ("given_by", by), ("given_on", on)];
            put(change, "consent", "line", &columns)
        }
        None => execute(change, "DELETE FROM consent WHERE line = ?1", &[line]),
    }
}

/// The same, by the same and in the same millisecond is one entry: a commit that was made again.
pub(super) fn audit(change: &Transaction<'_>, record: &AuditRecord) -> rusqlite::Result<()> {
    let sql = "INSERT INTO audit (line, at_ms, actor, what) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT DO NOTHING";
    let AuditRecord { at, line, actor, what } = record;
    execute(change, sql, &[line, at, actor, what])
}
