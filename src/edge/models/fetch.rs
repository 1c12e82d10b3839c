//! Fetching models: `pip` downloads a wheel, its files are checked and put into place.
//!
//! A fetch that was interrupted goes on where it stopped, by the package: a model that is in place
//! and a wheel that is complete in the staging directory are not downloaded again, while a wheel
//! that was broken off starts over. (Within one run, pip 25.1 and newer does go on inside a wheel.)

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::convert::{self, Job};
use super::error::ModelError;
use super::manifest::{Model, Wheel};
use super::progress::Progress;
use super::python::{Python, Versions};
use super::store::{Store, check_file};
use super::unpack::Archive;

impl Store {
    /// Fetches those of the models that are not whole, one after the other, with a download of
    /// 11 to 56 MB each; `base` is then converted, which takes a minute or two.
    ///
    /// Several processes may do this at once: one works and the others wait for it. The wheels go
    /// through `python3 -m pip`, so pip's settings for index, mirror and proxy hold.
    ///
    /// # Errors
    /// The first failure ends the fetch. Models that were completed before it stay.
    pub fn fetch(
        &self,
        models: &[Model],
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), ModelError> {
        let broken = self.broken(models, progress)?;
        if broken.is_empty() {
            return Ok(());
        }
        make_dir(self.dir())?;
        let _lock = self.lock(progress)?;
        // Another process may have fetched them while this one waited.
        let broken = self.broken(&broken, progress)?;
        if broken.is_empty() {
            return Ok(());
        }
        let run = Run::start(self)?;
        for model in broken {
            if let Err(error) = run.fetch(model, progress) {
                // A failed conversion leaves most of a gigabyte behind. Of two failures, the first
                // is the one to tell.
                let _ = run.clear();
                return Err(error);
            }
            progress(Progress::Done { model, fetched: true });
        }
        remove(&run.staging)
    }

    /// Those of the models that must be fetched, each once; the others are told to be done.
    fn broken(
        &self,
        models: &[Model],
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Vec<Model>, ModelError> {
        let mut broken = Vec::new();
        for (index, &model) in models.iter().enumerate() {
            if models.iter().take(index).any(|&earlier| earlier == model) {
                continue;
            }
            self.wheel(model)?;
            match self.verify(model) {
                Ok(()) => progress(Progress::Done { model, fetched: false }),
                Err(_) => broken.push(model),
            }
        }
        Ok(broken)
    }

    /// Holds off other processes until the file is closed. It is never removed: another process
    /// might wait on it, and would then hold the lock of a file that nobody else finds.
    fn lock(&self, progress: &mut dyn FnMut(Progress<'_>)) -> Result<File, ModelError> {
        let path = self.dir().join(".lock");
        let mut options = File::options();
        let file = options.create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|error| ModelError::write(&path, error))?;
        let locked = match file.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => {
                progress(Progress::Waiting { lock: &path });
                file.lock()
            }
            Err(TryLockError::Error(error)) => Err(error),
        };
        locked.map_err(|error| ModelError::Io {
            action: "lock",
            path: path.clone(),
            source: error,
        })?;
        Ok(file)
    }
}

/// One fetch under the lock. Its staging directory is inside the store, so that a rename from
/// there stays on one file system.
struct Run<'a> {
    store: &'a Store,
    staging: PathBuf,
    python: Python,
    versions: Versions,
}

impl<'a> Run<'a> {
    /// Clears what an interrupted fetch left behind, save for the wheels, and tries out `pip`.
    fn start(store: &'a Store) -> Result<Self, ModelError> {
        let staging = store.dir().join(".staging");
        let mut run = Self {
            store,
            python: Python::new(store.python(), &staging),
            versions: Versions::default(),
            staging,
        };
        run.clear()?;
        make_dir(&run.staging.join("wheels"))?;
        make_dir(&run.staging.join("tmp"))?;
        run.versions = run.python.versions().map_err(|detail| {
            convert::full(&run.staging, &detail).unwrap_or_else(|| ModelError::NoPip {
                python: store.python().to_owned(),
                detail,
                dir: store.dir().to_owned(),
            })
        })?;
        Ok(run)
    }

    /// Removes all but the downloads.
    fn clear(&self) -> Result<(), ModelError> {
        let names = ["tmp", "work", "fresh", "old"];
        names.iter().try_for_each(|name| remove(&self.staging.join(name)))
    }

    fn fetch(
        &self,
        model: Model,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), ModelError> {
        let wheel = self.store.wheel(model)?;
        let work = self.staging.join("work");
        let job = wheel.conversion.as_ref().map(|conversion| Job {
            model,
            conversion,
            program: self.store.python(),
            work: &work,
        });
        if let Some(job) = &job {
            job.check_python(self.versions)?;
        }
        let file = self.download(wheel, progress)?;
        let (fresh, raw) = (self.staging.join("fresh"), work.join("raw"));
        for dir in [&fresh, &raw, &work.join("tmp")] {
            make_dir(dir)?;
        }
        let mut archive = Archive::open(model, &file)?;
        for file in &wheel.files {
            progress(Progress::Unpacking { what: &file.name });
            archive.unpack(file, if file.convert { &raw } else { &fresh })?;
        }
        if let Some(job) = &job {
            job.run(&raw, &fresh, progress)?;
        }
        self.put_into_place(&fresh, model)?;
        remove(&work)?;
        remove(&file)
    }

    /// The path of the wheel, whole, downloaded now or by an interrupted fetch.
    fn download(
        &self,
        wheel: &Wheel,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PathBuf, ModelError> {
        let package = format!("{} {}", wheel.package, wheel.version);
        let path = self.staging.join("wheels").join(&wheel.file);
        if self.check(wheel, &path).is_ok() {
            return Ok(path);
        }
        remove(&path)?;
        let arguments = self.pip_arguments(wheel)?;
        let mut done = 0;
        let mut tell = |now: u64| {
            done = now.clamp(done, wheel.size);
            progress(Progress::Downloading { what: &package, done, total: wheel.size });
        };
        tell(0);
        let temporary = self.staging.join("tmp");
        let ran = self.python.run(&arguments, &mut |_| tell(size_below(&temporary)));
        ran.map_err(|detail| {
            let package = package.clone();
            let full = convert::full(&self.staging, &detail);
            full.unwrap_or(ModelError::Download { package, detail })
        })?;
        tell(wheel.size);
        progress(Progress::Verifying { what: &package });
        let checked = self.check(wheel, &path);
        if checked.is_err() {
            remove(&path)?;
        }
        checked.map(|()| path)
    }

    fn check(&self, wheel: &Wheel, path: &Path) -> Result<(), ModelError> {
        check_file(wheel.model, path, wheel.size, &wheel.sha256)
    }

    fn pip_arguments(&self, wheel: &Wheel) -> Result<Vec<OsString>, ModelError> {
        let requirements = self.staging.join("requirements.txt");
        let line = format!("{}=={} --hash=sha256:{}\n", wheel.package, wheel.version, wheel.sha256);
        fs::write(&requirements, line).map_err(|error| ModelError::write(&requirements, error))?;
        let mut arguments: Vec<OsString> = [
            "-m pip download -q --no-deps --require-hashes --only-binary=:all: --no-cache-dir",
            "--progress-bar off --implementation cp",
        ]
        .iter()
        .flat_map(|line| line.split(' ').map(OsString::from))
        .collect();
        if self.versions.pip_resumes() {
            arguments.extend(["--resume-retries".into(), "5".into()]);
        }
        // The tags of the wheel, not of this Python: `pip` is to bring it whatever runs here.
        for (option, value) in [
            ("--python-version", wheel.python.as_ref()),
            ("--abi", wheel.abi.as_ref()),
            ("--platform", wheel.platform.as_ref()),
            ("-d", self.staging.join("wheels").as_os_str()),
            ("-r", requirements.as_os_str()),
        ] {
            arguments.extend([option.into(), value.to_owned()]);
        }
        Ok(arguments)
    }

    /// Makes a complete directory the model's. One that is there already is broken, or nothing
    /// would have been fetched, so that for a moment there may be none.
    fn put_into_place(&self, fresh: &Path, model: Model) -> Result<(), ModelError> {
        sync_dir(fresh)?;
        let place = self.store.model_dir(model);
        let old = self.staging.join("old");
        if fs::symlink_metadata(&place).is_ok() {
            fs::rename(&place, &old).map_err(|error| ModelError::write(&place, error))?;
        }
        fs::rename(fresh, &place).map_err(|error| ModelError::write(&place, error))?;
        sync_dir(self.store.dir())?;
        remove(&old)
    }
}

fn make_dir(path: &Path) -> Result<(), ModelError> {
    fs::create_dir_all(path).map_err(|error| ModelError::write(path, error))
}

/// Removes a file or a directory with all in it, which need not be there.
fn remove(path: &Path) -> Result<(), ModelError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ModelError::write(path, error))
        }
        _ => Ok(()),
    }
}

/// Sees to it that the names in a directory are on the disk, not only the files.
fn sync_dir(path: &Path) -> Result<(), ModelError> {
    let synced = File::open(path).and_then(|dir| dir.sync_all());
    synced.map_err(|error| ModelError::write(path, error))
}

/// The bytes in all files below a directory; what vanishes meanwhile counts nothing.
fn size_below(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => size_below(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
