//! A folder in which recordings of calls appear: each is heard once, when it has stopped growing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::recording::{self, Recording};
use crate::alert::desk::NewCall;
use crate::audio::voice::Endpointing;
use crate::call::{CallId, Direction, LineId};
use crate::config::Config;
use crate::edge::calls::{Calls, MOST_UNREAD};
use crate::edge::clock;
use crate::edge::desk::DeskError;
use crate::edge::health::{Health, Part};
use crate::edge::hear::{Ears, HearError, Hearing};
use crate::edge::ingest::recording::RecordingError;
use crate::edge::models::{Model, ModelError, Store};
use crate::speech::SpeechError;
use crate::speech::listener::Sound;

/// How often the folder is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Looks at which a recording must have the same size before it is heard.
const STILL: u32 = 2;

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

/// What is known of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// So long at so many looks.
    Growing { bytes: u64, looks: u32 },
    /// It was heard, or was there before the program began.
    Done,
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
    seen: BTreeMap<PathBuf, Seen>,
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
        let old = recordings(&path).unwrap_or_default();
        Some(Self {
            seen: old.into_iter().map(|(path, _)| (path, Seen::Done)).collect(),
            line: LineId::new(&config.folder.line),
            minutes: config.recordings.max_minutes,
            path,
            calls,
            health,
            runtime,
            ears: None,
        })
    }

    /// Watches until `stop` is set.
    pub fn run(mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            for path in self.look() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                self.hear(&path, stop);
            }
            clock::wait_until(clock::now() + LOOK_EVERY);
        }
    }

    /// The recordings that have stopped growing since the last look.
    fn look(&mut self) -> Vec<PathBuf> {
        let files = match recordings(&self.path) {
            Ok(files) => files,
            Err(problem) => {
                let message = format!("{}: {problem}: make the folder", self.path.display());
                self.health.fails(Part::Folder, &message, clock::wall());
                return Vec::new();
            }
        };
        self.health.works(Part::Folder);
        // What was removed may come back under the same name, as another call.
        self.seen.retain(|path, _| files.iter().any(|(file, _)| file == path));
        let mut still = Vec::new();
        for (path, bytes) in files {
            let seen = self.seen.entry(path.clone()).or_insert(Seen::Growing { bytes, looks: 0 });
            *seen = match *seen {
                Seen::Growing { bytes: before, looks } if before == bytes && bytes > 0 => {
                    Seen::Growing { bytes, looks: looks + 1 }
                }
                Seen::Growing { .. } => Seen::Growing { bytes, looks: 0 },
                Seen::Done => Seen::Done,
            };
            if matches!(seen, Seen::Growing { looks, .. } if *looks >= STILL) {
                *seen = Seen::Done;
                still.push(path);
            }
        }
        still
    }

    fn hear(&mut self, path: &Path, stop: &AtomicBool) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let call = CallId::new(&format!("recording {name}"));
        match self.screen(path, &call, stop) {
            Ok(()) => self.health.works(Part::Speech),
            Err(error) => {
                let message = format!("a recording was not screened: {error}");
                self.health.fails(Part::Speech, &message, clock::wall());
            }
        }
        // A desk that is ending has ended the call itself.
        let _ = self.runtime.block_on(self.calls.end(&call));
    }

    fn screen(&mut self, path: &Path, call: &CallId, stop: &AtomicBool) -> Result<(), FolderError> {
        let options =
            recording::Options { max_minutes: self.minutes, ..recording::Options::default() };
        let mut recording = Recording::open(path, &options)?;
        let mut ears = match self.ears.take() {
            Some(ears) => ears,
            None => Ears::load(&Store::open_default()?, Model::Tiny)?,
        };
        let new = NewCall {
            line: self.line.clone(),
            call: call.clone(),
            direction: Direction::Incoming,
            number: None,
        };
        // Nobody is on the line any more: what would be whispered is not read.
        let (told, _unread) = mpsc::channel(MOST_UNREAD);
        self.runtime.block_on(self.calls.start(new, told))?;
        let (runtime, calls) = (self.runtime.clone(), Arc::clone(&self.calls));
        let heard =
            Hearing::recording(&mut recording, Endpointing::default(), &mut ears, |_, sounds| {
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
        heard
    }
}

/// The recordings in a folder, with their sizes.
fn recordings(folder: &Path) -> std::io::Result<Vec<(PathBuf, u64)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let is_wav = path.extension().is_some_and(|name| name.eq_ignore_ascii_case("wav"));
        // A file that is gone again already is no recording.
        if let Ok(data) = entry.metadata()
            && is_wav
            && data.is_file()
        {
            files.push((path, data.len()));
        }
    }
    files.sort();
    Ok(files)
}
