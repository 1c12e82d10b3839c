//! A new database in the place of a damaged one.

use std::path::{Path, PathBuf};

use super::error::StoreError;
use super::{Store, files};
use crate::alert::record::Snapshot;
use crate::time::Wall;

impl Store {
    /// Makes a new database with this in it, moves the damaged one aside, and puts the new one in
    /// its place; where the damaged one is now. Close the store before. Whatever it breaks off at,
    /// what was read of the damaged one can still be found.
    ///
    /// # Errors
    /// When the new one cannot be written, or the damaged one cannot be moved.
    pub fn replace(
        folder: &Path,
        salvaged: &Snapshot,
        at: Wall,
    ) -> Result<(Self, PathBuf), StoreError> {
        let mut store = Self::open_file(folder, files::make_new(folder)?)?;
        store.commit(&salvaged.records())?;
        // Whoever closes it last writes its log into it, and deletes that.
        drop(store);
        let aside = files::quarantine(folder, at)?;
        files::put_in_place(folder)?;
        Ok((Self::open(folder)?, aside))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::tests::{folder, hold, open, snapshot};
    use super::*;
    use crate::alert::record::Record;
    use crate::call::LineId;
    use crate::config::Consent;

    #[test]
    fn what_was_read_of_a_damaged_database_is_in_the_new_one_before_it_takes_its_place() {
        let folder = folder();
        let mut store = open(&folder);
        let given = Consent { by: "Jean".to_owned(), on: "2026-11-22".to_owned() };
        let consent = Record::Consent(LineId::new("home"), Some(given));
        store.commit(&[Record::Hold(hold(1, "home")), consent]).expect("committed");
        let salvaged = snapshot(&store);
        drop(store);
        let (store, aside) = Store::replace(folder.path(), &salvaged, Wall(5)).expect("replaced");
        assert_eq!((snapshot(&store), aside.exists()), (salvaged.clone(), true));
        drop(store);
        // As a program leaves it that is killed between the two moves.
        fs::rename(folder.path().join("lineclear.db"), folder.path().join("lineclear.db.new"))
            .expect("moved");
        assert_eq!(snapshot(&open(&folder)), salvaged);
        assert!(!folder.path().join("lineclear.db.new").exists());
    }

    #[test]
    fn a_new_database_that_cannot_be_written_leaves_the_damaged_one_where_it_is() {
        let folder = folder();
        fs::write(folder.path().join("lineclear.db"), [b'x'; 5000]).expect("written");
        fs::create_dir(folder.path().join("lineclear.db.new")).expect("in the way");
        assert!(Store::replace(folder.path(), &Snapshot::default(), Wall(5)).is_err());
        assert!(
            folder.path().join("lineclear.db").exists() && files::aside(folder.path()).is_empty()
        );
        fs::remove_dir(folder.path().join("lineclear.db.new")).expect("out of the way");
        assert!(Store::replace(folder.path(), &Snapshot::default(), Wall(5)).is_ok());
    }
}
