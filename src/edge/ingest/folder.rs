//! A folder in which recordings of calls appear: each is heard once, when it has stopped growing.

mod memory;

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use self::memory::{File, Memory, Place, Version};
use super::recording::{self, Recording};
use crate::alert::desk::{NewCall, Refusal};
use crate::audio::voice::Endpointing;
use crate::call::{CallId, Direction, LineId, Sound};
use crate::config::Config;
use crate::edge::calls::{Calls, MOST_UNREAD};
use crate::edge::clock;
use crate::edge::desk::DeskError;
use crate::edge::health::{Health, Part};
use crate::edge::hear::{Ears, HearError, Hearing};
use crate::edge::ingest::recording::RecordingError;
use crate::edge::models::{Model, ModelError, Store};
use crate::speech::SpeechError;
use crate::time::Wall;

/// How often the folder is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often a recording is begun that a disk does not give to its end: each time the people may be
/// told.
const MOST_BEGUN: u32 = 5;

/// Why a recording was not heard.
#[derive(Debug, thiserror::Error)]
enum FolderError {
    #[error(transparent)]
    Recording(#[from] RecordingError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Hear(#[from] HearError),
    #[error(transparent)]
    Speech(#[from] SpeechError),
    #[error(transparent)]
    Desk(#[from] DeskError),
}

impl FolderError {
    /// How often the recording is tried in vain before it is let be.
    const fn most_tries(&self) -> u32 {
        match self {
            // What may be put right: files, models, and what only passes.
            Self::Recording(
                RecordingError::NotFound
                | RecordingError::PermissionDenied
                | RecordingError::Open(_),
            )
            | Self::Model(_)
            | Self::Hear(_)
            | Self::Desk(
                DeskError::Busy
                | DeskError::Ending
                | DeskError::Refused(Refusal::TooManyCalls(_) | Refusal::OtherLine),
            ) => u32::MAX,
            Self::Recording(RecordingError::Read { .. }) => MOST_BEGUN,
            // A call of a time at which nobody agreed to the screening is not screened later.
            Self::Recording(_) | Self::Speech(_) | Self::Desk(DeskError::Refused(_)) => 1,
        }
    }
}

/// Watches a folder.
pub struct Folder {
    path: PathBuf,
    line: LineId,
    minutes: u32,
    calls: Arc<Calls>,
    health: Arc<Health>,
    runtime: Handle,
    ears: Option<Ears>,
    memory: Memory,
    /// What is wrong with recordings that are still there.
    problems: BTreeMap<(PathBuf, Version), String>,
}

impl Folder {
    /// The folder of a configuration, if there is one. What is in it already was heard before.
    pub fn new(
        config: &Config,
        calls: Arc<Calls>,
        health: Arc<Health>,
        runtime: Handle,
    ) -> Option<Self> {
        let path = config.folder.path.clone();
        if path.as_os_str().is_empty() {
            return None;
        }
        let mut folder = Self {
            line: LineId::new(&config.folder.line),
            minutes: config.recordings.max_minutes,
            path,
            calls,
            health,
            runtime,
            ears: None,
            memory: Memory::default(),
            problems: BTreeMap::new(),
        };
        // At its first sight nothing is to be heard. If it is not there, that comes later.
        let _nothing = folder.look();
        Some(folder)
    }

    /// Watches until `stop` is set.
    pub fn run(mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            for file in self.look() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                self.hear(&file, stop);
            }
            self.show_problems();
            clock::wait_until(clock::now() + LOOK_EVERY);
        }
    }

    /// The recordings that are to be heard now.
    fn look(&mut self) -> Vec<File> {
        let (place, files) = match recordings(&self.path) {
            Ok(found) => found,
            Err(problem) => {
                let message = format!("{}: {problem}: make the folder", self.path.display());
                self.health.fails(Part::Folder, &message, clock::wall());
                return Vec::new();
            }
        };
        self.health.works(Part::Folder);
        self.problems.retain(|(path, version), _| {
            files.iter().any(|file| file.path == *path && file.version == *version)
        });
        self.memory.look(place, &files, clock::moment())
    }

    fn hear(&mut self, file: &File, stop: &AtomicBool) {
        let key = (file.path.clone(), file.version);
        match self.screen(&file.path, stop) {
            Ok(()) => {
                self.memory.heard(file);
                self.problems.remove(&key);
            }
            // The program ends: what was not heard to its end is not heard of at the next start.
            Err(_) if stop.load(Ordering::Relaxed) => {}
            Err(error) => {
                let is_last = self.memory.later(file, clock::now()) >= error.most_tries();
                if is_last {
                    self.memory.heard(file);
                }
                let again = if is_last { "" } else { "; it is tried again" };
                let problem = format!("{} was not screened: {error}{again}", shown(file));
                self.problems.insert(key, problem);
            }
        }
        self.show_problems();
    }

    fn show_problems(&self) {
        let mut problems = self.problems.values();
        let Some(first) = problems.next() else { return self.health.works(Part::Speech) };
        let message = match problems.count() {
            0 => first.clone(),
            more => format!("{first} (and {more} more)"),
        };
        self.health.fails(Part::Speech, &message, clock::wall());
    }

    fn screen(&mut self, path: &Path, stop: &AtomicBool) -> Result<(), FolderError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let call = &CallId::new(&format!("recording {name}"));
        let options =
            recording::Options { max_minutes: self.minutes, ..recording::Options::default() };
        let mut recording = Recording::open(path, &options)?;
        let new = NewCall {
            line: self.line.clone(),
            call: call.clone(),
            direction: Direction::Incoming,
            number: None,
        };
        let mut ears = match self.ears.take() {
            Some(ears) => ears,
            None => Ears::load(&Store::open_default()?, Model::Tiny)?,
        };
        // Nobody is on the line any more: what would be whispered is not read.
        let (told, _unread) = mpsc::channel(MOST_UNREAD);
        if let Err(error) = self.runtime.block_on(self.calls.start(new, told)) {
            self.ears = Some(ears);
            return Err(error.into());
        }
        let (runtime, calls) = (self.runtime.clone(), Arc::clone(&self.calls));
        let mut hearing = Hearing::new(recording.layout(), Endpointing::default());
        let heard = hearing.recording(&mut recording, &mut ears, |_, sounds| {
            if stop.load(Ordering::Relaxed) {
                return Err(DeskError::Ending.into());
            }
            for sound in sounds.drain(..) {
                runtime.block_on(async {
                    match sound {
                        Sound::Speech(utterance) => calls.hear(call, utterance).await,
                        Sound::Signal(signal) => calls.note(call, signal).await,
                    }
                })?;
            }
            Ok::<_, FolderError>(())
        });
        self.ears = Some(ears);
        // A desk that is ending has ended the call itself.
        let _ = self.runtime.block_on(self.calls.end(call));
        heard
    }
}

/// Names a recording without its name, of which the other party's number is often a part.
fn shown(file: &File) -> String {
    let ms = u64::try_from(file.version.modified / 1_000_000).unwrap_or_default();
    format!("the recording last written at {} ({} bytes)", Wall(ms), file.version.bytes)
}

/// Which folder it is, and the recordings in it.
fn recordings(folder: &Path) -> io::Result<(Place, Vec<File>)> {
    let about = std::fs::metadata(folder)?;
    let place = Place { device: about.dev(), inode: about.ino() };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if !path.extension().is_some_and(|name| name.eq_ignore_ascii_case("wav")) {
            continue;
        }
        let about = match entry.metadata() {
            Ok(about) => about,
            // A file that is gone again already is no recording.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if about.is_file() {
            let seconds = i128::from(about.mtime()) * 1_000_000_000;
            let modified = seconds + i128::from(about.mtime_nsec());
            let version = Version { modified, bytes: about.len() };
            files.push(File { path, inode: about.ino(), version });
        }
    }
    files.sort();
    Ok((place, files))
}
