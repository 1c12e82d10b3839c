//! Which recordings of a folder were heard already, whatever becomes of their names, of the folder
//! and of the disk that it is on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::time::{Moment, Now, Wall};

/// Looks at which a recording must be the same before it is heard.
const STILL: u32 = 2;
/// The longest time until a recording that could not be heard is tried again.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// A folder as the system numbers it: what is mounted on it has other numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Place {
    pub(super) device: u64,
    pub(super) inode: u64,
}

/// What changes when a recording does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    /// Nanoseconds since the beginning of 1970.
    pub(super) modified: i128,
    pub(super) bytes: u64,
}

/// A recording in the folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) inode: u64,
    pub(super) version: Version,
}

/// By what a recording is known again: it may be renamed, and some file systems number their files
/// anew when they are mounted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Path(PathBuf),
    Inode(u64),
}

/// A recording that was not heard yet.
#[derive(Debug)]
struct Pending {
    file: File,
    /// So many looks at which it was the same.
    looks: u32,
    /// So often it was tried in vain.
    tries: u32,
    /// It is not tried before.
    after: Now,
}

/// What is remembered of a folder.
#[derive(Debug, Default)]
pub(super) struct Memory {
    place: Place,
    /// Every folder that was there.
    places: BTreeSet<Place>,
    /// What was heard, and where it was last.
    heard: BTreeMap<(Name, Version), Place>,
    pending: BTreeMap<PathBuf, Pending>,
    looked: Option<Wall>,
}

impl Memory {
    /// The folder was looked at: comes back what is to be heard now.
    pub(super) fn look(&mut self, place: Place, files: &[File], at: Moment) -> Vec<File> {
        self.place = place;
        let is_another = self.places.insert(place) && !files.iter().any(|it| self.knows(it));
        // What lay in a folder before it was watched is of long ago.
        let is_old = |file: &File| match self.looked {
            None => true,
            Some(Wall(ms)) => file.version.modified < i128::from(ms) * 1_000_000,
        };
        let old: Vec<_> = files.iter().filter(|file| is_another && is_old(file)).collect();
        let known: Vec<_> = files.iter().filter(|file| self.knows(file)).collect();
        old.into_iter().chain(known).for_each(|file| self.heard(file));
        self.looked = Some(at.wall);
        self.forget(files);
        files.iter().filter(|file| self.is_due(file, at.now)).cloned().collect()
    }

    /// It was heard, or never can be.
    pub(super) fn heard(&mut self, file: &File) {
        self.heard.extend(names(file).map(|name| (name, self.place)));
        self.pending.remove(&file.path);
    }

    /// It could not be heard: it is tried again, the later the more often that was so already.
    /// Comes back how often.
    pub(super) fn later(&mut self, file: &File, now: Now) -> u32 {
        let Some(pending) = self.pending.get_mut(&file.path) else { return 1 };
        pending.tries += 1;
        let wait = Duration::from_secs(1 << pending.tries.min(16));
        pending.after = now + wait.min(LONGEST_WAIT);
        pending.tries
    }

    fn knows(&self, file: &File) -> bool {
        names(file).iter().any(|name| self.heard.contains_key(name))
    }

    /// What was removed from this folder is let go. What was in another one may come back with it:
    /// a share that is not mounted leaves an empty folder. So may all, if all vanished at once.
    fn forget(&mut self, files: &[File]) {
        let paths: BTreeSet<&Path> = files.iter().map(|file| file.path.as_path()).collect();
        self.pending.retain(|path, _| paths.contains(path.as_path()));
        if !files.is_empty() {
            let here: BTreeSet<_> = files.iter().flat_map(names).collect();
            let place = self.place;
            self.heard.retain(|name, last| *last != place || here.contains(name));
        }
    }

    /// Whether it has been the same for long enough, and may be tried.
    fn is_due(&mut self, file: &File, now: Now) -> bool {
        if self.knows(file) {
            return false;
        }
        let new = || Pending { file: file.clone(), looks: 0, tries: 0, after: now };
        match self.pending.get_mut(&file.path) {
            Some(pending) if pending.file == *file && file.version.bytes > 0 => {
                pending.looks = STILL.min(pending.looks + 1);
                pending.looks == STILL && now >= pending.after
            }
            _ => {
                self.pending.insert(file.path.clone(), new());
                false
            }
        }
    }
}

fn names(file: &File) -> [(Name, Version); 2] {
    [(Name::Path(file.path.clone()), file.version), (Name::Inode(file.inode), file.version)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: Place = Place { device: 1, inode: 2 };
    const BARE: Place = Place { device: 9, inode: 9 };

    fn file(path: &str, inode: u64, modified_s: i128, bytes: u64) -> File {
        let version = Version { modified: modified_s * 1_000_000_000, bytes };
        File { path: path.into(), inode, version }
    }

    /// A folder that is looked at every second.
    #[derive(Default)]
    struct Watched {
        memory: Memory,
        second: u64,
    }

    impl Watched {
        fn at(&self) -> Moment {
            Moment {
                now: Now(Duration::from_secs(self.second)),
                wall: Wall((1000 + self.second) * 1000),
            }
        }

        /// What is due at one of so many looks; it is heard.
        fn hears(&mut self, place: Place, files: &[File], looks: u32) -> Vec<PathBuf> {
            let mut all = Vec::new();
            for _ in 0..looks {
                self.second += 1;
                let due = self.memory.look(place, files, self.at());
                for file in due {
                    self.memory.heard(&file);
                    all.push(file.path);
                }
            }
            all
        }
    }

    #[test]
    fn what_appears_is_heard_once_when_it_is_still() {
        let mut folder = Watched::default();
        let old = file("old.wav", 1, 900, 10);
        assert!(
            folder.hears(HOME, std::slice::from_ref(&old), 5).is_empty(),
            "it was there before"
        );
        let grows = |bytes| [old.clone(), file("a.wav", 2, 1005, bytes)];
        for bytes in [0, 0, 0, 0, 10, 20, 30] {
            assert!(folder.hears(HOME, &grows(bytes), 1).is_empty(), "{bytes}");
        }
        assert_eq!(folder.hears(HOME, &grows(30), 5), [PathBuf::from("a.wav")]);
        // Another name is not another recording.
        let renamed = [old.clone(), file("b.wav", 2, 1005, 30)];
        assert!(folder.hears(HOME, &renamed, 5).is_empty());
    }

    #[test]
    fn another_recording_under_the_same_name_is_heard() {
        let mut folder = Watched::default();
        folder.hears(HOME, &[], 1);
        let latest = |inode, modified| [file("latest.wav", inode, modified, 44)];
        assert_eq!(folder.hears(HOME, &latest(1, 1002), 4).len(), 1);
        assert_eq!(folder.hears(HOME, &latest(2, 1010), 4).len(), 1, "renamed over it");
        assert_eq!(folder.hears(HOME, &latest(2, 1020), 4).len(), 1, "written over it");
    }

    #[test]
    fn a_folder_that_vanishes_and_returns_is_known_again() {
        let mut folder = Watched::default();
        let two = [file("a.wav", 1, 900, 10), file("b.wav", 2, 900, 10)];
        folder.hears(HOME, &two, 3);
        // The share is not mounted: the folder below is empty, or holds something else.
        assert!(folder.hears(BARE, &[file("readme.wav", 7, 900, 1)], 4).is_empty());
        assert!(folder.hears(BARE, &[], 3).is_empty());
        // It returns with other numbers, and with a recording that was made meanwhile.
        let again = Place { device: 5, inode: 2 };
        let three =
            [file("a.wav", 11, 900, 10), file("b.wav", 12, 900, 10), file("c.wav", 13, 1002, 10)];
        assert_eq!(folder.hears(again, &three, 4), [PathBuf::from("c.wav")]);
        // All are gone for a moment, and the folder is still the same.
        assert!(folder.hears(again, &[], 3).is_empty());
        assert!(folder.hears(again, &three, 4).is_empty());
    }

    #[test]
    fn a_share_that_is_mounted_after_the_start_is_not_heard_from_its_beginning() {
        let mut folder = Watched::default();
        folder.hears(BARE, &[], 3);
        let share = [file("a.wav", 1, 900, 10), file("b.wav", 2, 1004, 10)];
        assert_eq!(folder.hears(HOME, &share, 4), [PathBuf::from("b.wav")], "only what is new");
    }

    #[test]
    fn what_was_removed_is_let_go() {
        let mut folder = Watched::default();
        folder.hears(HOME, &[], 1);
        for number in 0..100 {
            let one = [file(&format!("{number}.wav"), number, 2000 + i128::from(number), 10)];
            assert_eq!(folder.hears(HOME, &one, 3).len(), 1);
        }
        assert!(folder.memory.heard.len() <= 4 && folder.memory.pending.is_empty());
    }

    #[test]
    fn what_could_not_be_heard_is_tried_again_less_and_less_often() {
        let mut folder = Watched::default();
        folder.hears(HOME, &[], 1);
        let one = file("a.wav", 1, 1002, 10);
        let mut tried = Vec::new();
        for _ in 0..1200 {
            folder.second += 1;
            let at = folder.at();
            for file in folder.memory.look(HOME, std::slice::from_ref(&one), at) {
                assert_eq!(folder.memory.later(&file, at.now), tried.len() as u32 + 1);
                tried.push(folder.second);
            }
        }
        let waits: Vec<_> = tried.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        // When it is another one, it is tried at once.
        let whole = [file("a.wav", 1, 3000, 20)];
        assert_eq!(folder.hears(HOME, &whole, 4).len(), 1);
    }
}
