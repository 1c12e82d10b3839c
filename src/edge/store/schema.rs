//! The tables, and how those of an older version become those of this one.
//!
//! No table refers to another by a foreign key: a commit must not fail because a record came before
//! the one it belongs to, or because that one was lost.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::error::StoreError;

/// How a connection is set up. What empties pages must come before the first table is made, and
/// before the log is.
const SETTINGS: &str = "
    PRAGMA busy_timeout = 250;
    PRAGMA auto_vacuum = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA journal_mode = WAL;
    PRAGMA journal_size_limit = 4194304;
    PRAGMA synchronous = FULL;
    PRAGMA temp_store = MEMORY;
    PRAGMA cell_size_check = ON;
    PRAGMA trusted_schema = OFF;
";

/// Each brings the database to the next format; the first makes it. What is released is never
/// changed: a further one is added.
pub(super) const MIGRATIONS: [&str; 2] = [
    "
    CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE lines (
        entry INTEGER PRIMARY KEY,
        line TEXT NOT NULL UNIQUE,
        disabled_boot BLOB, disabled_until_ms INTEGER, disabled_set_ms INTEGER,
        disabled_wall_until_ms INTEGER, disabled_full_ms INTEGER,
        callbacks_boot BLOB, callbacks_until_ms INTEGER, callbacks_set_ms INTEGER,
        callbacks_wall_until_ms INTEGER, callbacks_full_ms INTEGER,
        suspicious_ms INTEGER
    ) STRICT;
    CREATE TABLE incidents (
        entry INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        line TEXT NOT NULL,
        call BLOB NOT NULL,
        number BLOB,
        last_two INTEGER,
        opened_ms INTEGER NOT NULL,
        ended_ms INTEGER,
        level TEXT NOT NULL,
        stage TEXT,
        family TEXT,
        score REAL NOT NULL,
        rules TEXT NOT NULL,
        not_a_scam TEXT,
        simulated INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX incidents_opened ON incidents (line, opened_ms);
    CREATE INDEX incidents_ended ON incidents (ended_ms);
    CREATE TABLE history (
        entry INTEGER PRIMARY KEY,
        incident BLOB NOT NULL,
        step INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        what TEXT NOT NULL,
        level TEXT NOT NULL,
        stage TEXT,
        UNIQUE (incident, step)
    ) STRICT;
    CREATE TABLE holds (
        entry INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        line TEXT NOT NULL,
        incident BLOB,
        since_ms INTEGER NOT NULL,
        deadline_boot BLOB NOT NULL, deadline_until_ms INTEGER NOT NULL,
        deadline_set_ms INTEGER NOT NULL, deadline_wall_until_ms INTEGER NOT NULL,
        deadline_full_ms INTEGER NOT NULL,
        length_ms INTEGER NOT NULL,
        scammer TEXT NOT NULL,
        scammer_number BLOB,
        restarts INTEGER NOT NULL,
        ended_ms INTEGER,
        ended_by TEXT
    ) STRICT;
    CREATE INDEX holds_since ON holds (line, since_ms);
    CREATE INDEX holds_ended ON holds (ended_ms);
    CREATE TABLE outbox (
        entry INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        line TEXT NOT NULL,
        person TEXT NOT NULL,
        channel INTEGER NOT NULL,
        notice TEXT NOT NULL,
        posted_ms INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        state TEXT NOT NULL,
        delivered_ms INTEGER,
        problem TEXT
    ) STRICT;
    CREATE INDEX outbox_line ON outbox (line, posted_ms);
    CREATE INDEX outbox_state ON outbox (state, posted_ms);
    CREATE TABLE consent (
        entry INTEGER PRIMARY KEY,
        line TEXT NOT NULL UNIQUE,
        given_by TEXT NOT NULL,
        given_on TEXT NOT NULL
    ) STRICT;
    CREATE TABLE audit (
        entry INTEGER PRIMARY KEY,
        line TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        actor TEXT NOT NULL,
        what TEXT NOT NULL,
        UNIQUE (line, at_ms, actor, what)
    ) STRICT;
    CREATE INDEX audit_at ON audit (at_ms);
    ",
    // What was told of an incident was not kept before; steps are deleted by their age.
    "
    ALTER TABLE incidents ADD COLUMN told TEXT;
    CREATE INDEX history_at ON history (at_ms);
    ",
];

/// Opens the database and brings it to the format of this program.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let failed = |error: rusqlite::Error| StoreError::of_sqlite(path, &error);
    let mut connection = Connection::open(path).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(SETTINGS).map_err(failed)?;
    let immediate = TransactionBehavior::Immediate;
    let change = connection.transaction_with_behavior(immediate).map_err(failed)?;
    let found = format(&change).map_err(failed)?;
    let known = MIGRATIONS.len() as u32;
    if found > known {
        let by = written_by(&change).unwrap_or_else(|| "of a newer version".to_owned());
        return Err(StoreError::Newer { path: path.to_owned(), by, found, known });
    }
    if found < known {
        migrate(&change, found).map_err(failed)?;
    }
    change.commit().map_err(failed)?;
    Ok(connection)
}

fn format(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn written_by(connection: &Connection) -> Option<String> {
    let sql = "SELECT value FROM meta WHERE name = 'written-by'";
    connection.query_row(sql, (), |row| row.get(0)).optional().ok().flatten()
}

fn migrate(change: &Transaction<'_>, from: u32) -> rusqlite::Result<()> {
    for sql in MIGRATIONS.iter().skip(from as usize) {
        change.execute_batch(sql)?;
    }
    let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES ('written-by', ?1)";
    change.execute(sql, [env!("CARGO_PKG_VERSION")])?;
    change.pragma_update(None, "user_version", MIGRATIONS.len() as u32)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{folder, open};
    use super::super::{Store, StoreError};
    use super::*;

    /// What the database is made of.
    fn schema(connection: &Connection) -> Vec<String> {
        let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
        let mut statement = connection.prepare(sql).expect("valid");
        let rows = statement.query_map((), |row| row.get(0)).expect("reads");
        rows.collect::<Result<_, _>>().expect("reads")
    }

    #[test]
    fn every_older_format_becomes_this_one() {
        let new = folder();
        let expected = schema(&open(&new).connection);
        assert!(
            expected.iter().all(|sql| !sql.starts_with("CREATE TABLE") || sql.ends_with("STRICT"))
        );
        for format in 0..=MIGRATIONS.len() {
            let folder = folder();
            let old = Connection::open(folder.path().join("lineclear.db")).expect("opens");
            MIGRATIONS[..format].iter().for_each(|sql| old.execute_batch(sql).expect("valid"));
            old.pragma_update(None, "user_version", format as u32).expect("set");
            drop(old);
            let store = open(&folder);
            assert_eq!(schema(&store.connection), expected, "from format {format}");
            assert_eq!(super::format(&store.connection), Ok(MIGRATIONS.len() as u32));
            let by = written_by(&store.connection);
            let is_changed = format < MIGRATIONS.len();
            assert_eq!(by.as_deref(), is_changed.then_some(env!("CARGO_PKG_VERSION")));
        }
    }

    #[test]
    fn a_database_of_a_newer_version_is_refused_and_left_alone() {
        let folder = folder();
        let store = open(&folder);
        let newer = "PRAGMA user_version = 99; UPDATE meta SET value = '9.1.0'";
        store.connection.execute_batch(newer).expect("set");
        drop(store);
        let error = Store::open(folder.path()).expect_err("refused");
        assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
        let told =
            "it was written by lineclear 9.1.0 in format 99, and this program knows formats to 2";
        assert!(error.to_string().contains(told), "{error}");
        assert!(!error.is_corrupt(), "it must not be moved aside");
    }

    #[test]
    fn what_was_set_is_so() {
        let folder = folder();
        let store = open(&folder);
        let get = |name| {
            let value = store
                .connection
                .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
            format!("{:?}", value.expect("a value"))
        };
        assert_eq!(get("journal_mode"), "Text(\"wal\")");
        assert_eq!(
            (get("synchronous"), get("secure_delete")),
            ("Integer(2)".into(), "Integer(1)".into())
        );
        assert_eq!(
            (get("auto_vacuum"), get("busy_timeout")),
            ("Integer(1)".into(), "Integer(250)".into())
        );
    }
}
