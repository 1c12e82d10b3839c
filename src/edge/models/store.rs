//! The directory that holds the models.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::digest;
use super::error::ModelError;
use super::manifest::{Manifest, Model, PinnedFile, Wheel};

/// The variable that names the store's directory.
const DIR_VARIABLE: &str = "LINECLEAR_MODELS";
/// The variable that names the Python to fetch with.
const PYTHON_VARIABLE: &str = "LINECLEAR_PYTHON";

/// Whether a model can be loaded, judged by its files' sizes alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Every file is there and as long as it should be.
    Present,
    /// Some are not.
    Missing {
        /// The names of those.
        files: Vec<String>,
    },
}

/// A directory of models. Nothing is made or written before [`Store::fetch`].
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
    python: PathBuf,
    manifest: Manifest,
}

impl Store {
    /// The user's store: `$LINECLEAR_MODELS`, else `lineclear/models` in the XDG data directory.
    ///
    /// # Errors
    /// [`ModelError::NoHome`] if the variable is not set and the user has no home directory.
    pub fn open_default() -> Result<Self, ModelError> {
        if let Some(dir) = variable(DIR_VARIABLE) {
            return Ok(Self::at(dir));
        }
        let user = etcetera::choose_base_strategy().map_err(|_| ModelError::NoHome)?;
        Ok(Self::at(user.data_dir().join("lineclear").join("models")))
    }

    /// The store in a directory, which need not exist yet. It fetches with `$LINECLEAR_PYTHON`,
    /// else with `python3`.
    pub fn at(dir: PathBuf) -> Self {
        let python = variable(PYTHON_VARIABLE).unwrap_or_else(|| PathBuf::from("python3"));
        let store =
            Self { dir: absolute(dir), python: PathBuf::new(), manifest: Manifest::embedded() };
        store.with_python(python)
    }

    /// The same store, but fetching with another Python: a path, or a name to look up in `PATH`.
    #[must_use]
    pub fn with_python(mut self, python: PathBuf) -> Self {
        // A path must go on working when the child starts in another directory; a name must stay.
        let is_path = python.components().count() > 1;
        self.python = if is_path { absolute(python) } else { python };
        self
    }

    #[cfg(test)]
    pub(super) fn with_manifest(mut self, manifest: Manifest) -> Self {
        self.manifest = manifest;
        self
    }

    /// The store's directory, which may not exist.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The directory of one model, which may not exist.
    pub fn model_dir(&self, model: Model) -> PathBuf {
        self.dir.join(model.name())
    }

    pub(super) fn python(&self) -> &Path {
        &self.python
    }

    /// Where a model comes from and of which files it consists.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] if there is none for this machine.
    pub fn wheel(&self, model: Model) -> Result<&Wheel, ModelError> {
        let wheel = self.manifest.wheel(model, env::consts::ARCH);
        wheel.ok_or_else(|| ModelError::Unsupported {
            model,
            machine: format!("{} on {}", env::consts::OS, env::consts::ARCH),
            names: self.manifest.names(model).join(", "),
            dir: self.model_dir(model),
        })
    }

    /// Whether a model is there, without reading its files.
    pub fn status(&self, model: Model) -> Status {
        let Ok(wheel) = self.wheel(model) else {
            return self.status_of_own_build(model);
        };
        let installed = wheel.installed();
        let missing = installed.iter().filter(|file| !self.has(model, file));
        match missing.map(|file| file.name.clone()).collect::<Vec<_>>() {
            files if files.is_empty() => Status::Present,
            files => Status::Missing { files },
        }
    }

    /// Where nothing is pinned, whatever the user has put there counts.
    fn status_of_own_build(&self, model: Model) -> Status {
        let dir = self.model_dir(model);
        let mut files = self.manifest.names(model);
        let none_known = files.is_empty();
        files.retain(|name| !dir.join(name).is_file());
        if files.is_empty() && !none_known { Status::Present } else { Status::Missing { files } }
    }

    fn has(&self, model: Model, file: &PinnedFile) -> bool {
        let path = self.model_dir(model).join(&file.name);
        fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() == file.size)
    }

    /// Compares every file of a model with its pinned SHA-256, which reads all of it.
    ///
    /// # Errors
    /// The first file that is missing, of another size or of other content; or
    /// [`ModelError::Unsupported`] if there is no pin for this machine.
    pub fn verify(&self, model: Model) -> Result<(), ModelError> {
        let dir = self.model_dir(model);
        let installed = self.wheel(model)?.installed();
        installed.iter().try_for_each(|file| {
            let path = dir.join(&file.name);
            if !path.is_file() {
                return Err(ModelError::Missing { model, path });
            }
            check_file(model, &path, file.size, &file.sha256)
        })
    }

    /// The directory to load a model from.
    ///
    /// # Errors
    /// [`ModelError::Missing`] with the first file that is not there and the command that
    /// fetches it, or [`ModelError::Unsupported`] if nothing can be fetched.
    pub fn require(&self, model: Model) -> Result<PathBuf, ModelError> {
        let dir = self.model_dir(model);
        match self.status(model) {
            Status::Present => Ok(dir),
            Status::Missing { files } => {
                self.wheel(model)?;
                let path = files.first().map_or(dir.clone(), |name| dir.join(name));
                Err(ModelError::Missing { model, path })
            }
        }
    }
}

/// Compares one file, of a model or a wheel, with its pin.
pub(super) fn check_file(
    model: Model,
    path: &Path,
    size: u64,
    sha256: &str,
) -> Result<(), ModelError> {
    let length = fs::metadata(path).map_err(|error| ModelError::read(path, error))?;
    if length.len() != size {
        return Err(ModelError::WrongSize {
            model,
            path: path.to_owned(),
            expected: size,
            found: length.len(),
        });
    }
    let found = digest::of_file(path)?;
    if found.sha256 != sha256 {
        return Err(ModelError::WrongHash {
            model,
            path: path.to_owned(),
            expected: sha256.to_owned(),
            found: found.sha256,
        });
    }
    Ok(())
}

fn variable(name: &str) -> Option<PathBuf> {
    let value = env::var_os(name).filter(|value| !value.is_empty());
    value.map(PathBuf::from)
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}
