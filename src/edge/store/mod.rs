//! What a restart must find again, and what carers look up: one SQLite database in one folder. No
//! words, no audio, no full numbers.
//!
//! Whoever commits has the one [`Store`] that writes; others may open their own to read.

mod clean;
mod error;
mod export;
mod files;
mod read;
mod replace;
mod schema;
#[cfg(test)]
mod tests;
mod values;
mod write;

use std::path::{Path, PathBuf};

use rusqlite::Connection;

pub use clean::{Erased, Retention};
pub use error::StoreError;
pub use files::tag_key;
pub use read::{AuditEntry, Problem, Restored, Rows};
pub use values::State;

/// An open database.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    folder: PathBuf,
    path: PathBuf,
    identity: files::Identity,
    /// Whether changes wait that could not be written.
    is_behind: bool,
}

impl Store {
    /// Opens the database in `folder`, and makes what is missing. One of an older version is
    /// brought to the format of this one.
    ///
    /// # Errors
    /// When it cannot be opened or made, is damaged, or is of a newer version.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::open_file(folder, files::database(folder)?)
    }

    fn open_file(folder: &Path, path: PathBuf) -> Result<Self, StoreError> {
        let connection = schema::open(&path)?;
        let identity = files::identity(&path);
        let folder = folder.to_owned();
        Ok(Self { connection, folder, path, identity, is_behind: false })
    }

    /// Says whether changes wait that could not be written: then nothing is erased.
    pub const fn set_behind(&mut self, is_behind: bool) {
        self.is_behind = is_behind;
    }

    /// Whether the file in the folder still is the one that is open. What is written to one that
    /// was deleted is lost.
    pub fn is_in_place(&self) -> bool {
        files::identity(&self.path) == self.identity
    }

    /// What came of something, as the caller is told. SQLite does not notice that the file is gone:
    /// it reads and writes on.
    fn judge<T>(&self, result: rusqlite::Result<T>) -> Result<T, StoreError> {
        if !self.is_in_place() {
            return Err(StoreError::Gone(self.path.clone()));
        }
        result.map_err(|error| StoreError::of_sqlite(&self.path, &error))
    }
}
