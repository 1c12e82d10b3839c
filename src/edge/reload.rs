//! Rule packs that may change while calls go on.
//!
//! New calls start on what was loaded last; a call in progress keeps its `Arc` of the book that it
//! began with. What does not load is refused whole, and the book before stays.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::files::{self, FileError, Selection};
use crate::rules::{self, Rulebook};
use crate::time::Now;
pub use crate::wire::event::{LoadedPack, PackStatus};

/// How often the directory is looked at, at most.
pub const POLL_EVERY: Duration = Duration::from_secs(1);

/// What came of a changed directory.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was loaded: new calls start on it.
    Reloaded,
    /// It does not load: the rules before stay. [`PackStatus::last_error`] says why.
    Refused,
}

/// Name, size in bytes and time of change of every pack: when none of them differs, the files are
/// not read.
type Stamp = Vec<(PathBuf, u64, Option<Duration>)>;

type Sources = Vec<(String, String)>;

/// The rules that are in use, and where they came from.
#[derive(Debug)]
pub struct Packs {
    selection: Selection,
    book: Arc<Rulebook>,
    generation: u64,
    loaded_at: Now,
    last_error: Option<String>,
    /// Of what was last tried; none where the directory could not be read.
    stamp: Option<Stamp>,
    digest: Option<[u8; 32]>,
    next_poll: Now,
}

impl Packs {
    /// Loads a selection of packs. Those that are shipped never change.
    ///
    /// # Errors
    /// When a file cannot be read, or a pack does not load.
    pub fn open(selection: Selection, now: Now) -> Result<Self, FileError> {
        // What changes while it is read is newer than its stamp, and is read again.
        let stamp = stamp(&selection);
        let sources = files::packs(&selection)?;
        Ok(Self {
            book: Arc::new(files::compiled(&sources, &selection)?),
            selection,
            generation: 1,
            loaded_at: now,
            last_error: None,
            stamp,
            digest: Some(digest(&sources)),
            next_poll: now + POLL_EVERY,
        })
    }

    /// The rules for a new call.
    pub const fn book(&self) -> &Arc<Rulebook> {
        &self.book
    }

    /// The directory that the rules came from; none for those that are shipped.
    pub fn directory(&self) -> Option<&Path> {
        self.selection.directory.as_deref()
    }

    /// Looks whether the directory has changed, and loads it if it has. Cheap enough to be called
    /// at every line: it does something every [`POLL_EVERY`] only.
    pub fn poll(&mut self, now: Now) -> Option<Change> {
        if now < self.next_poll {
            return None;
        }
        self.next_poll = now + POLL_EVERY;
        let stamp = stamp(&self.selection);
        if stamp == self.stamp {
            return None;
        }
        self.stamp = stamp;
        let sources = files::packs(&self.selection);
        let is_same = |sources: &Sources| Some(digest(sources)) == self.digest;
        if sources.as_ref().is_ok_and(is_same) {
            return None;
        }
        if sources.is_err() {
            // What could not be read may be readable the next time, and look the same.
            self.stamp = None;
        }
        let told = self.last_error.clone();
        let change = self.take(sources, now);
        (change == Change::Reloaded || self.last_error != told).then_some(change)
    }

    /// Loads the directory again, changed or not.
    pub fn reload(&mut self, now: Now) -> Change {
        self.stamp = stamp(&self.selection);
        let sources = files::packs(&self.selection);
        self.take(sources, now)
    }

    /// What is in use, for a status page or an event.
    pub fn status(&self) -> PackStatus {
        let pack = |(number, header): (usize, &rules::pack::Header)| LoadedPack {
            id: header.id.clone(),
            title: header.title.clone(),
            version: header.version.clone(),
            rules: self.book.rules.iter().filter(|rule| rule.pack == number).count(),
        };
        let directory = self.directory().map(|directory| directory.display().to_string());
        PackStatus {
            source: directory.unwrap_or_else(|| "shipped".to_owned()),
            generation: self.generation,
            loaded_at_ms: u64::try_from(self.loaded_at.0.as_millis()).unwrap_or(u64::MAX),
            rules: self.book.rules.len(),
            packs: self.book.packs.iter().enumerate().map(pack).collect(),
            last_error: self.last_error.clone(),
        }
    }

    fn take(&mut self, sources: Result<Sources, FileError>, now: Now) -> Change {
        self.digest = sources.as_ref().ok().map(|sources| digest(sources));
        let book = sources.and_then(|sources| files::compiled(&sources, &self.selection));
        match book {
            Ok(book) => {
                self.book = Arc::new(book);
                self.generation += 1;
                self.loaded_at = now;
                self.last_error = None;
                Change::Reloaded
            }
            Err(error) => {
                self.last_error = Some(error.to_string());
                Change::Refused
            }
        }
    }
}

fn stamp(selection: &Selection) -> Option<Stamp> {
    let mut stamp = Stamp::new();
    let directory = selection.directory.as_deref();
    let packs = directory.map_or_else(|| Ok(Vec::new()), files::pack_paths).ok()?;
    for path in packs.into_iter().chain(selection.local.clone()) {
        let data = path.metadata().ok()?;
        let since = data.modified().ok().map(|at| at.duration_since(std::time::UNIX_EPOCH));
        stamp.push((path, data.len(), since.and_then(Result::ok)));
    }
    Some(stamp)
}

fn digest(sources: &[(String, String)]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for (file, text) in sources {
        for part in [file, text] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    hash.finalize().into()
}

/// Hears the signal by which an administrator asks for a reload (SIGHUP).
#[derive(Debug)]
pub struct Hangup {
    asked: Arc<AtomicBool>,
}

impl Hangup {
    /// From now on the signal ends the program no more.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn register() -> std::io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::clone(&asked))?;
        Ok(Self { asked })
    }

    /// Whether it came since this was last asked.
    pub fn take(&self) -> bool {
        self.asked.swap(false, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn of(directory: &Path) -> Selection {
        Selection { directory: Some(directory.to_owned()), ..Selection::default() }
    }

    fn pack(id: &str, phrase: &str) -> String {
        format!(
            "[pack]\nid = \"{id}\"\ntitle = \"A scam\"\nversion = \"7\"\n\
             [stages.hook]\ncap = 9.0\nfloor = 0.5\n\
             [[rule]]\nid = \"{id}.hook.a\"\ntitle = \"A\"\nstage = \"hook\"\nweight = 5.0\n\
             phrases = [\"{phrase}\"]\nmust-match = [\"purple\"]\nmust-not-match = [\"hello\"]\n"
        )
    }

    fn at(seconds: u64) -> Now {
        Now(Duration::from_secs(seconds))
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a directory");
        fs::write(folder.path().join("a.toml"), pack("a", "purple")).expect("written");
        folder
    }

    #[test]
    fn a_changed_pack_is_taken_up_and_running_calls_keep_theirs() {
        let folder = folder();
        let mut packs = Packs::open(of(folder.path()), at(0)).expect("loads");
        let running = Arc::clone(packs.book());
        fs::write(folder.path().join("a.toml"), pack("b", "(purple|mauve)")).expect("written");
        assert_eq!(packs.poll(Now(Duration::from_millis(999))), None, "too soon");
        assert_eq!(packs.poll(at(1)), Some(Change::Reloaded));
        assert_eq!(
            (running.rules[0].id.as_str(), packs.book().rules[0].id.as_str()),
            ("a.hook.a", "b.hook.a")
        );
        assert_eq!(packs.poll(at(2)), None);
        let status = packs.status();
        assert_eq!((status.generation, status.loaded_at_ms, status.rules), (2, 1000, 1));
        assert_eq!((status.packs[0].id.as_str(), status.packs[0].rules), ("b", 1));
        assert_eq!((status.packs[0].version.as_str(), status.last_error), ("7", None));
    }

    #[test]
    fn what_does_not_load_is_refused_once_and_told() {
        let folder = folder();
        let mut packs = Packs::open(of(folder.path()), at(0)).expect("loads");
        let good = Arc::clone(packs.book());
        fs::write(folder.path().join("b.toml"), "[pack").expect("written");
        assert_eq!(packs.poll(at(1)), Some(Change::Refused));
        assert!(Arc::ptr_eq(&good, packs.book()));
        let status = packs.status();
        assert_eq!((status.generation, status.loaded_at_ms), (1, 0));
        assert!(status.last_error.is_some_and(|error| error.contains("b.toml")));
        assert_eq!(packs.poll(at(2)), None, "it was told");
        fs::remove_file(folder.path().join("b.toml")).expect("removed");
        assert_eq!(packs.poll(at(3)), Some(Change::Reloaded));
        assert_eq!((packs.status().generation, packs.status().last_error), (2, None));
    }

    #[test]
    fn files_that_were_only_touched_are_not_loaded_unless_asked() {
        let folder = folder();
        let mut packs = Packs::open(of(folder.path()), at(0)).expect("loads");
        let path = folder.path().join("a.toml");
        let file = fs::File::options().append(true).open(&path).expect("there");
        file.set_modified(std::time::UNIX_EPOCH).expect("set");
        assert_eq!(packs.poll(at(1)), None);
        assert_eq!(packs.reload(at(2)), Change::Reloaded);
        assert_eq!(packs.status().generation, 2);
    }

    #[test]
    fn a_directory_may_go_and_come_back() {
        let folder = folder();
        let (here, away) = (folder.path().join("rules"), folder.path().join("away"));
        fs::create_dir(&here).expect("made");
        fs::write(here.join("a.toml"), pack("a", "purple")).expect("written");
        let mut packs = Packs::open(of(&here), at(0)).expect("loads");
        fs::rename(&here, &away).expect("moved");
        assert_eq!(packs.poll(at(1)), Some(Change::Refused));
        assert_eq!(packs.poll(at(2)), None);
        fs::rename(&away, &here).expect("moved");
        assert_eq!(packs.poll(at(3)), Some(Change::Reloaded));
    }

    #[test]
    fn the_shipped_packs_do_not_change() {
        let mut packs = Packs::open(Selection::default(), at(0)).expect("loads");
        assert_eq!((packs.poll(at(9)), packs.status().source.as_str()), (None, "shipped"));
        assert!(packs.status().packs.len() > 1);
    }
}
