//! What a restart must find again, and what carers look up: one SQLite database in one folder. No
//! words, no audio, no full numbers.
//!
//! Whoever commits has the one [`Store`] that writes; others may open their own to read.

mod clean;
mod error;
mod export;
mod files;
mod read;
mod schema;
#[cfg(test)]
mod tests;
mod values;
mod write;

use std::path::{Path, PathBuf};

use rusqlite::Connection;

pub use clean::Erased;
pub use error::StoreError;
pub use files::{quarantine, tag_key};
pub use read::{AuditEntry, Problem, Restored, Rows};
pub use values::State;

/// An open database.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    folder: PathBuf,
    path: PathBuf,
    identity: files::Identity,
}

impl Store {
    /// Opens the database in `folder`, and makes what is missing. One of an older version is
    /// brought to the format of this one.
    ///
    /// # Errors
    /// When it cannot be opened or made, is damaged, or is of a newer version.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = files::database(folder)?;
        let connection = schema::open(&path)?;
        let identity = files::identity(&path);
        Ok(Self { connection, folder: folder.to_owned(), path, identity })
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
