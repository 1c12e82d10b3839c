//! The conversion of `base`, whose published form takes 0.33 s for each token.
//!
//! It runs once, after the download, in a virtual environment of its own that is thrown away
//! afterwards. Measured on two cores: 45 s, 1.4 GB of memory, 1 GB of disk.

use std::fs::{self, File};
use std::path::Path;

use super::digest;
use super::error::ModelError;
use super::manifest::{Conversion, Model, PinnedFile};
use super::progress::Progress;
use super::python::{Python, Version, Versions};

const SCRIPT: &str = include_str!("../../../models/convert_base.py");

/// A conversion that is to run.
pub(super) struct Job<'a> {
    /// The model.
    pub model: Model,
    /// Its packages and results.
    pub conversion: &'a Conversion,
    /// The Python to make the environment with.
    pub program: &'a Path,
    /// The directory for everything that is thrown away afterwards.
    pub work: &'a Path,
}

impl Job<'_> {
    /// Refuses a Python that the packages do not install on, before anything is downloaded.
    ///
    /// # Errors
    /// [`ModelError::OldPython`].
    pub fn check_python(&self, versions: Versions) -> Result<(), ModelError> {
        let needed = Version::parse(&self.conversion.python);
        match (versions.python, needed) {
            (Some(found), Some(needed)) if found < needed => Err(ModelError::OldPython {
                model: self.model,
                python: self.program.to_owned(),
                found: found.to_string(),
                needed: needed.to_string(),
            }),
            _ => Ok(()),
        }
    }

    /// Converts the files in `source` into `target`; they are on the disk when this returns.
    ///
    /// # Errors
    /// What of the three steps failed, or [`ModelError::WrongConversion`] if the results are not
    /// the pinned ones.
    pub fn run(
        &self,
        source: &Path,
        target: &Path,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), ModelError> {
        progress(Progress::Converting { step: "making a virtual environment" });
        let venv = self.work.join("venv");
        self.make_venv(&venv)?;
        let python = Python::new(&venv.join("bin").join("python"), self.work);
        progress(Progress::Converting { step: "installing onnx and onnxruntime in it" });
        self.install_packages(&python)?;
        self.run_script(&python, source, target, progress)?;
        for file in &self.conversion.files {
            progress(Progress::Verifying { what: &file.name });
            self.check(file, &target.join(&file.name))?;
        }
        Ok(())
    }

    fn make_venv(&self, venv: &Path) -> Result<(), ModelError> {
        let python = Python::new(self.program, self.work);
        let args = ["-m".as_ref(), "venv".as_ref(), venv.as_os_str()];
        let made = python.run(&args, &mut |_| {});
        made.map_err(|detail| {
            full(self.work, &detail)
                .unwrap_or_else(|| ModelError::NoVenv { python: self.program.to_owned(), detail })
        })?;
        Ok(())
    }

    fn install_packages(&self, python: &Python) -> Result<(), ModelError> {
        let mut args = vec!["-I", "-m", "pip", "install", "-q", "--no-deps"];
        args.extend(["--only-binary=:all:", "--no-cache-dir", "--no-compile"]);
        args.extend(self.conversion.requirements.iter().map(String::as_str));
        let installed = python.run(&args, &mut |_| {});
        installed.map_err(|detail| self.failed("installing its packages", detail))?;
        Ok(())
    }

    fn run_script(
        &self,
        python: &Python,
        source: &Path,
        target: &Path,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), ModelError> {
        let script = self.work.join("convert_base.py");
        fs::write(&script, SCRIPT).map_err(|error| ModelError::write(&script, error))?;
        let args = ["-I".as_ref(), script.as_os_str(), source.as_os_str(), target.as_os_str()];
        let ran = python.run(&args, &mut |line| {
            if let Some(step) = line.filter(|line| line.starts_with("converting ")) {
                progress(Progress::Converting { step });
            }
        });
        ran.map_err(|detail| self.failed("running convert_base.py", detail))?;
        Ok(())
    }

    fn check(&self, file: &PinnedFile, path: &Path) -> Result<(), ModelError> {
        let found = digest::of_file(path)?;
        if found.sha256 != file.sha256 {
            return Err(ModelError::WrongConversion {
                model: self.model,
                file: file.name.clone(),
                expected: file.sha256.clone(),
                found: found.sha256,
            });
        }
        let written = File::open(path).and_then(|file| file.sync_all());
        written.map_err(|error| ModelError::write(path, error))
    }

    fn failed(&self, step: &str, detail: String) -> ModelError {
        full(self.work, &detail).unwrap_or_else(|| ModelError::Conversion {
            model: self.model,
            step: step.to_owned(),
            detail,
        })
    }
}

/// A child that ran out of disk says so only in words.
pub(super) fn full(place: &Path, detail: &str) -> Option<ModelError> {
    let path = place.to_owned();
    let full = detail.contains("No space left on device") || detail.contains("Errno 28");
    full.then_some(ModelError::DiskFull { path })
}
