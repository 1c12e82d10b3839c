//! What can be wrong with the database, told so that a person knows what to do.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{ErrorCode, ffi};

/// Why something was not written or not read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No space is left.
    #[error("{}: no space is left on the disk: free some", .0.display())]
    Full(PathBuf),
    /// It cannot be written.
    #[error("{}: it cannot be written: give the service's user access, and check that the disk is \
        not mounted read-only", .0.display())]
    ReadOnly(PathBuf),
    /// Somebody else uses it. It may be free again the next moment.
    #[error("{}: another program has locked it: close what else uses the database", .0.display())]
    Locked(PathBuf),
    /// It is damaged.
    #[error("{}: it is damaged ({problem}): check the disk; the file is to be moved aside for a \
        new one", path.display())]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        problem: String,
    },
    /// It was deleted or moved while it was in use.
    #[error("{}: it was deleted or moved while in use: bring it back, or restart for a new one",
        .0.display())]
    Gone(PathBuf),
    /// Nothing is erased while changes wait that would bring it back.
    #[error("{}: changes wait that could not be written yet, and would bring back what is erased: \
        ask again when the status is green", .0.display())]
    Behind(PathBuf),
    /// A newer version of this program wrote it.
    #[error("{}: it was written by lineclear {by} in format {found}, and this program knows \
        formats to {known}: install that version, or move the file away", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// The version of the program that wrote it.
        by: String,
        /// Its format.
        found: u32,
        /// The latest format that this program knows.
        known: u32,
    },
    /// The key of the tags is not a key.
    #[error("{}: a key has 32 bytes, this has {length}: bring it back from a backup, or delete it: \
        then numbers that rang before are taken for new ones", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// How many bytes it has.
        length: usize,
    },
    /// The disk or the system fails.
    #[error("{}: {problem}: check the path and the disk", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        problem: String,
    },
    /// What should never be.
    #[error("{}: {problem}: please report this fault of the program", path.display())]
    Other {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        problem: String,
    },
}

impl StoreError {
    /// Whether the file is to be moved aside and a new one made.
    pub const fn is_corrupt(&self) -> bool {
        matches!(self, Self::Corrupt { .. })
    }

    pub(super) fn of_sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, problem) = (path.to_owned(), error.to_string());
        if error.sqlite_extended_error_code() == Some(ffi::SQLITE_IOERR_CORRUPTFS) {
            return Self::Corrupt { path, problem };
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full(path),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly(path),
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed,
            ) => Self::Locked(path),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt { path, problem }
            }
            Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure) => Self::Io { path, problem },
            _ => Self::Other { path, problem },
        }
    }

    pub(super) fn of_file(path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(path),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly(path)
            }
            io::ErrorKind::NotFound => Self::Gone(path),
            _ => Self::Io { path, problem: error.to_string() },
        }
    }
}
