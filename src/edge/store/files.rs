//! The files of the store: the folder, the key, and databases that were moved aside.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::error::StoreError;
use crate::alert::number::TagKey;
use crate::time::Wall;

const DATABASE: &str = "lineclear.db";
/// A new database, until it is whole and takes the place of a damaged one.
const NEW: &str = "lineclear.db.new";
const ASIDE: &str = "lineclear.db.corrupt-";
const KEY: &str = "key";
/// What SQLite keeps beside a database.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// The database in `folder`. Both are made if they are not there, for nobody else to read.
pub(super) fn database(folder: &Path) -> Result<PathBuf, StoreError> {
    make_folder(folder)?;
    let (path, new) = (folder.join(DATABASE), folder.join(NEW));
    // Killed after the damaged one was moved aside, and before the new one had taken its place.
    if !path.exists() && new.exists() {
        fs::rename(&new, &path).map_err(|error| StoreError::of_file(&path, &error))?;
    }
    make_file(&path)?;
    Ok(path)
}

/// An empty file, if there is none, for nobody else to read.
fn make_file(path: &Path) -> Result<(), StoreError> {
    let failed = |error: io::Error| StoreError::of_file(path, &error);
    // Never one that is there: to close it again would end the locks of an open database, since
    // POSIX locks belong to the process and not to the descriptor.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => path.parent().map_or(Ok(()), sync).map_err(failed),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

fn make_folder(folder: &Path) -> Result<(), StoreError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| StoreError::of_file(folder, &error))
}

/// A new name lasts when its folder is on the disk.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Which files a path and the log beside it lead to.
pub(super) type Identity = [Option<(u64, u64)>; 2];

/// Without the log, what was committed last is gone as well.
pub(super) fn identity(path: &Path) -> Identity {
    [path, &beside(path, COMPANIONS[0])].map(|path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.dev(), metadata.ino()))
    })
}

/// An empty file for a new database, which is to take the place of a damaged one. What is left of
/// an earlier one is deleted.
pub(super) fn make_new(folder: &Path) -> Result<PathBuf, StoreError> {
    let new = folder.join(NEW);
    for suffix in ["", COMPANIONS[0], COMPANIONS[1]] {
        let left = beside(&new, suffix);
        match fs::remove_file(&left) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::of_file(&left, &error));
            }
            _ => {}
        }
    }
    make_file(&new)?;
    Ok(new)
}

/// The new database takes the place of the damaged one.
pub(super) fn put_in_place(folder: &Path) -> Result<(), StoreError> {
    let path = folder.join(DATABASE);
    let moved = fs::rename(folder.join(NEW), &path).and_then(|()| sync(folder));
    moved.map_err(|error| StoreError::of_file(&path, &error))
}

/// Moves a damaged database aside.
pub(super) fn quarantine(folder: &Path, at: Wall) -> Result<PathBuf, StoreError> {
    let path = folder.join(DATABASE);
    let names = (at.0..).map(|ms| folder.join(format!("{ASIDE}{ms}")));
    let mut free = names.filter(|name| !name.exists());
    let aside = free.next().unwrap_or_else(|| folder.join(ASIDE));
    // The log goes first: one that is left behind would be read into the new database.
    let moves = || {
        for suffix in COMPANIONS {
            match fs::rename(beside(&path, suffix), beside(&aside, suffix)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(&path, &aside)?;
        sync(folder)
    };
    moves().map_err(|error| StoreError::of_file(&path, &error))?;
    Ok(aside)
}

/// The files of databases that were moved aside, and when they were.
pub(super) fn aside(folder: &Path) -> Vec<(Wall, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let dated = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let ms = name.strip_prefix(ASIDE)?.split('-').next()?.parse().ok()?;
        Some((Wall(ms), entry.path()))
    });
    dated.collect()
}

/// Deletes what was moved aside before; how many files it was.
pub(super) fn delete_aside(folder: &Path, before: Wall) -> Result<u64, StoreError> {
    let mut deleted = 0;
    for (_, path) in aside(folder).iter().filter(|(at, _)| *at < before) {
        fs::remove_file(path).map_err(|error| StoreError::of_file(path, &error))?;
        deleted += 1;
    }
    Ok(deleted)
}

/// The key of the tags in `folder`; a new one if there is none.
///
/// # Errors
/// When it cannot be read or written, or is not a key.
pub fn tag_key(folder: &Path) -> Result<TagKey, StoreError> {
    let path = folder.join(KEY);
    let failed = |error: io::Error| StoreError::of_file(&path, &error);
    make_folder(folder)?;
    if !fs::exists(&path).map_err(failed)? {
        make_key(folder, &path).map_err(failed)?;
    }
    let key = fs::read(&path).map_err(failed)?;
    let length = key.len();
    let key = key.try_into().map_err(|_| StoreError::Key { path, length })?;
    Ok(TagKey::new(key))
}

/// Whoever finds a key finds a whole one, also after a power cut.
fn make_key(folder: &Path, path: &Path) -> io::Result<()> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let new = beside(path, ".new");
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(&key)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    sync(folder)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;

    use super::super::Store;
    use super::super::tests::{audit, folder, hold, incident, open, retain, snapshot, step};
    use super::*;
    use crate::alert::record::Record;
    use crate::private::Private;

    const PAGE: usize = 4096;

    /// A folder with this in it.
    fn with(name: &str, bytes: &[u8]) -> TempDir {
        let folder = folder();
        fs::write(folder.path().join(name), bytes).expect("written");
        folder
    }

    /// Enough that every table has several pages, and what is open comes last.
    fn records() -> Vec<Record> {
        let ended = (0..90).flat_map(|id| {
            let ended = Some(Wall(2_000));
            let record = crate::alert::record::IncidentRecord { ended, ..incident(id, "home") };
            [Record::Incident(record), step(id, 1, 1_000), audit("home", id as u64)]
        });
        let open = [Record::Incident(incident(1_000, "home")), Record::Hold(hold(1, "home"))];
        ended.chain(open).collect()
    }

    #[test]
    fn whichever_page_is_damaged_it_is_told_or_does_no_harm_and_all_is_written_anew() {
        let whole = folder();
        let mut store = open(&whole);
        store.commit(&records()).expect("committed");
        let expected = snapshot(&store);
        drop(store);
        let bytes = fs::read(whole.path().join(DATABASE)).expect("reads");
        let pages = bytes.len() / PAGE;
        let (mut told, mut holds) = (0, 0);
        for (page, fill) in (0..pages).flat_map(|page| [(page, 0_u8), (page, 0xA5)]) {
            let mut bytes = bytes.clone();
            bytes[page * PAGE..(page + 1) * PAGE].fill(fill);
            let folder = with(DATABASE, &bytes);
            let found = Store::open(folder.path()).and_then(|store| store.snapshot());
            let is_damaged = match &found {
                Ok(restored) => {
                    holds += restored.snapshot.holds.len();
                    restored.damage.is_some()
                }
                Err(error) => {
                    assert!(error.is_corrupt(), "page {page}: {error}");
                    true
                }
            };
            told += usize::from(is_damaged);
            assert!(is_damaged || found.is_ok_and(|it| it.snapshot == expected), "page {page}");
            let aside = quarantine(folder.path(), Wall(77)).expect("moved");
            assert_eq!(aside, folder.path().join("lineclear.db.corrupt-77"));
            assert_eq!(fs::metadata(&aside).expect("there").len(), bytes.len() as u64);
            let mut store = open(&folder);
            store.commit(&records()).expect("written anew");
            assert_eq!(snapshot(&store), expected);
        }
        assert!(pages > 20 && told > pages / 3, "{told} of {pages}");
        assert!(
            holds > pages * 3 / 2,
            "a hold outlives damage elsewhere: {holds} of {pages} twice"
        );
    }

    #[test]
    fn damage_is_told_by_the_commit_that_meets_it() {
        let whole = folder();
        let mut store = open(&whole);
        store.commit(&records()).expect("committed");
        drop(store);
        let mut bytes = fs::read(whole.path().join(DATABASE)).expect("reads");
        let middle = bytes.len() / PAGE / 4 * PAGE;
        bytes[middle..].fill(0xA5);
        let folder = with(DATABASE, &bytes);
        let mut store = open(&folder);
        let error = store.commit(&records()).expect_err("damaged");
        assert!(error.is_corrupt(), "{error}");
        assert!(error.to_string().contains("lineclear.db: it is damaged ("), "{error}");
    }

    #[test]
    fn what_is_no_database_is_moved_aside_and_nothing_is_overwritten() {
        let folder = with(DATABASE, &[b'x'; 5000]);
        fs::write(folder.path().join("lineclear.db-wal"), "log").expect("written");
        assert!(Store::open(folder.path()).expect_err("damaged").is_corrupt());
        quarantine(folder.path(), Wall(5)).expect("moved");
        fs::write(folder.path().join(DATABASE), [b'y'; 5000]).expect("written");
        let second = quarantine(folder.path(), Wall(5)).expect("moved");
        assert!(second.ends_with("lineclear.db.corrupt-6"));
        let mut store = open(&folder);
        assert!(matches!(quarantine(Path::new("/nowhere"), Wall(5)), Err(StoreError::Gone(_))));
        assert!(aside(folder.path()).len() >= 2);
        retain(&mut store, Wall(6));
        assert_eq!(aside(folder.path()), [(Wall(6), second)]);
    }

    #[test]
    fn a_log_that_is_cut_short_loses_the_last_commits_whole() {
        let whole = folder();
        let mut store = open(&whole);
        store.connection.execute_batch("PRAGMA wal_autocheckpoint = 0").expect("set");
        let commit = |id: u128| [Record::Incident(incident(id, "home")), step(id, 1, 5)];
        (0..8).for_each(|id| store.commit(&commit(id)).expect("committed"));
        let database = fs::read(whole.path().join(DATABASE)).expect("reads");
        let log = fs::read(whole.path().join("lineclear.db-wal")).expect("reads");
        let mut before = 0;
        for length in (0..=log.len()).step_by(log.len() / 64).chain([log.len()]) {
            let folder = with(DATABASE, &database);
            fs::write(folder.path().join("lineclear.db-wal"), &log[..length]).expect("written");
            let found = snapshot(&open(&folder));
            let kept = found.incidents.len();
            assert!(kept >= before, "{length} bytes");
            assert_eq!(found.steps.len(), kept, "all of a commit or none");
            assert!(found.incidents.iter().zip(0..).all(|(it, id)| *it == incident(id, "home")));
            before = kept;
        }
        assert_eq!(before, 8);
    }

    #[test]
    fn a_folder_that_vanishes_is_noticed_and_a_new_one_is_left_alone() {
        let place = folder();
        let (here, away) = (place.path().join("state"), place.path().join("away"));
        let mut store = Store::open(&here).expect("opens");
        store.commit(&records()).expect("committed");
        assert!(store.is_in_place());
        fs::rename(&here, &away).expect("moved");
        assert!(!store.is_in_place());
        let error = store.commit(&records()).expect_err("gone");
        assert!(matches!(error, StoreError::Gone(_)), "{error}");
        assert!(matches!(store.snapshot(), Err(StoreError::Gone(_))));
        let mut new = Store::open(&here).expect("a new one");
        new.commit(&records()).expect("committed");
        assert!(!store.is_in_place(), "it is another file");
        drop(store);
        assert!(new.is_in_place(), "the old store took nothing of the new one with it");
        fs::remove_file(here.join("lineclear.db-wal")).expect("removed");
        assert!(!new.is_in_place(), "commits would go into a log that nobody finds");
    }

    #[test]
    fn nobody_else_may_read_and_the_key_remains() {
        let place = folder();
        let folder = place.path().join("a/state");
        let tag = |folder: &Path| {
            let key = tag_key(folder).expect("a key");
            key.number(&Private::new("01632 960123".to_owned()))
        };
        let first = tag(&folder);
        let mut store = Store::open(&folder).expect("opens");
        store.commit(&records()).expect("committed");
        let mode = |name: &str| {
            let metadata = fs::metadata(folder.join(name)).expect("there");
            metadata.permissions().mode() & 0o777
        };
        assert_eq!(mode(""), 0o700);
        for name in ["key", "lineclear.db", "lineclear.db-wal", "lineclear.db-shm"] {
            assert_eq!(mode(name), 0o600, "{name}");
        }
        assert_eq!(tag(&folder), first);
        assert_ne!(tag(&place.path().join("b")), first);
        assert!(!folder.join("key.new").exists());
    }

    #[test]
    fn half_a_key_is_refused_and_not_replaced() {
        let folder = with(KEY, &[7; 16]);
        let error = tag_key(folder.path()).expect_err("refused");
        assert!(error.to_string().contains("/key: a key has 32 bytes, this has 16: "), "{error}");
        assert_eq!(fs::read(folder.path().join(KEY)).expect("there"), [7; 16]);
    }
}
