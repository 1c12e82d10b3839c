//! Taking the listed files out of a wheel, and nothing else.

use std::fs::File;
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use super::digest::{self, CopyError};
use super::error::ModelError;
use super::manifest::{Model, WheelFile};

/// An opened wheel.
pub(super) struct Archive {
    model: Model,
    path: PathBuf,
    zip: ZipArchive<File>,
}

impl Archive {
    /// Opens a wheel of a model.
    ///
    /// # Errors
    /// [`ModelError::Wheel`] if it is no archive.
    pub fn open(model: Model, path: &Path) -> Result<Self, ModelError> {
        let file = File::open(path).map_err(|error| ModelError::read(path, error))?;
        let zip = ZipArchive::new(file).map_err(|source| ModelError::Wheel {
            wheel: path.to_owned(),
            entry: "the files".to_owned(),
            source,
        })?;
        let path = path.to_owned();
        Ok(Self { model, path, zip })
    }

    /// Writes one file of the wheel into a directory, on the disk when this returns.
    ///
    /// # Errors
    /// If the file is not in the wheel, is larger than its pin says (then nothing more than that
    /// is written), or is not the pinned one; or if it cannot be written.
    pub fn unpack(&mut self, file: &WheelFile, dir: &Path) -> Result<(), ModelError> {
        let fail = |wheel: &Path, source: ZipError| ModelError::Wheel {
            wheel: wheel.to_owned(),
            entry: file.path.clone(),
            source,
        };
        let entry = self.zip.by_name(&file.path);
        let mut entry = entry.map_err(|error| fail(&self.path, error))?;
        if entry.size() > file.size {
            return Err(too_large(&self.path, file, entry.size()));
        }
        let target = dir.join(&file.name);
        let written = |error| ModelError::write(&target, error);
        let mut out = File::create(&target).map_err(written)?;
        // What the entry says of its size may be a lie, hence the bound on the copy as well.
        let copied =
            digest::copy(&mut entry, &mut out, file.size).map_err(|error| match error {
                CopyError::Read(error) => fail(&self.path, ZipError::Io(error)),
                CopyError::Write(error) => ModelError::write(&target, error),
            })?;
        if copied.size > file.size {
            return Err(too_large(&self.path, file, copied.size));
        }
        if copied.sha256 != file.sha256 {
            return Err(ModelError::WrongHash {
                model: self.model,
                path: self.path.join(&file.path),
                expected: file.sha256.clone(),
                found: copied.sha256,
            });
        }
        out.sync_all().map_err(written)
    }
}

fn too_large(wheel: &Path, file: &WheelFile, found: u64) -> ModelError {
    ModelError::TooLarge {
        wheel: wheel.to_owned(),
        entry: file.path.clone(),
        limit: file.size,
        found,
    }
}
