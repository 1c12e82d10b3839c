//! What can go wrong with the model files, and what the user can do about it.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::manifest::Model;

/// Why a model cannot be used or fetched. Every message ends with the way out, where there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The user has no home directory to put the store in.
    #[error("no home directory to keep models in: set LINECLEAR_MODELS to a directory")]
    NoHome,
    /// A file of the model is not there, or has not the size it must have.
    #[error(
        "model `{model}` is not complete: {path} is missing or cut short: run `lineclear \
         model fetch {model}`"
    )]
    Missing {
        /// The model.
        model: Model,
        /// The first such file.
        path: PathBuf,
    },
    /// A file has other content than the published one.
    #[error(
        "{path} is not the published file of `{model}`: sha256 is {found}, expected \
         {expected}: run `lineclear model fetch {model}` to fetch it again"
    )]
    WrongHash {
        /// The model.
        model: Model,
        /// The file.
        path: PathBuf,
        /// The pinned SHA-256.
        expected: String,
        /// The SHA-256 of the file.
        found: String,
    },
    /// A file is shorter than the published one.
    #[error(
        "{path} is not the published file of `{model}`: size is {found} bytes, expected \
         {expected}: run `lineclear model fetch {model}` to fetch it again"
    )]
    WrongSize {
        /// The model.
        model: Model,
        /// The file.
        path: PathBuf,
        /// The pinned size in bytes.
        expected: u64,
        /// The file's size in bytes.
        found: u64,
    },
    /// A file in a wheel would unpack to more than it may.
    #[error("{entry} in {wheel} holds {found} bytes, more than the {limit} it may: not unpacked")]
    TooLarge {
        /// The wheel.
        wheel: PathBuf,
        /// The file in it.
        entry: String,
        /// The pinned size in bytes.
        limit: u64,
        /// The size in bytes, or as much as was read of it.
        found: u64,
    },
    /// A wheel cannot be read as an archive, or does not hold a file it should.
    #[error("cannot take {entry} out of {wheel}: {source}")]
    Wheel {
        /// The wheel.
        wheel: PathBuf,
        /// The file wanted.
        entry: String,
        /// The cause.
        source: zip::result::ZipError,
    },
    /// There is no wheel for this machine.
    #[error(
        "no ready-made files of `{model}` for {machine}: build them and put {names} into \
         {dir}"
    )]
    Unsupported {
        /// The model.
        model: Model,
        /// The system and architecture.
        machine: String,
        /// The files wanted.
        names: String,
        /// The model's directory.
        dir: PathBuf,
    },
    /// There is no Python to run, or it has no pip.
    #[error(
        "`{python} -m pip` does not run ({detail}): install python3 with pip, or copy the \
         files listed by `lineclear model list` into {dir}"
    )]
    NoPip {
        /// The interpreter that was tried.
        python: PathBuf,
        /// What happened.
        detail: String,
        /// The store's directory.
        dir: PathBuf,
    },
    /// The interpreter is too old for the packages of the conversion.
    #[error(
        "{python} is version {found}, but converting `{model}` needs {needed} or newer: set \
         LINECLEAR_PYTHON to a newer one, or use the model `tiny`"
    )]
    OldPython {
        /// The model.
        model: Model,
        /// The interpreter.
        python: PathBuf,
        /// Its version.
        found: String,
        /// The version needed.
        needed: String,
    },
    /// No virtual environment could be made for the conversion.
    #[error(
        "{python} cannot make a virtual environment ({detail}): install the venv module \
         (Debian: python3-venv), or use the model `tiny`"
    )]
    NoVenv {
        /// The interpreter.
        python: PathBuf,
        /// The last lines of what it said.
        detail: String,
    },
    /// pip did not bring a package.
    #[error(
        "pip could not download {package}: {detail}: check the network and pip's index and \
         proxy settings, then run the same command again"
    )]
    Download {
        /// The package and version.
        package: String,
        /// The last lines of what pip said.
        detail: String,
    },
    /// The conversion stopped.
    #[error("converting `{model}` failed while {step}: {detail}")]
    Conversion {
        /// The model.
        model: Model,
        /// What was being done.
        step: String,
        /// The last lines of what was said.
        detail: String,
    },
    /// The conversion ran, but wrote something else than on the machine the pins were made on.
    #[error(
        "converting `{model}` gave another {file} than the tested one: sha256 is {found}, \
         expected {expected}: use the model `tiny`, or copy the file from a machine where the \
         conversion works"
    )]
    WrongConversion {
        /// The model.
        model: Model,
        /// The file.
        file: String,
        /// The pinned SHA-256.
        expected: String,
        /// The SHA-256 of the file.
        found: String,
    },
    /// No space is left for the files.
    #[error(
        "the disk is full at {path}: free some space, or set LINECLEAR_MODELS to a directory \
         on another disk"
    )]
    DiskFull {
        /// What was being written.
        path: PathBuf,
    },
    /// The store may not be written.
    #[error(
        "{path} cannot be written ({source}): run as a user who may, or set LINECLEAR_MODELS \
         to another directory"
    )]
    NotWritable {
        /// What was to be written.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Any other failure of the file system.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl ModelError {
    /// An error met while reading a file.
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Io { action: "read", path, source }
    }

    /// An error met while making, writing, renaming or removing something.
    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull { path },
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                Self::NotWritable { path, source }
            }
            _ => Self::Io { action: "write", path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_read_only_one_are_told_apart() {
        let place = Path::new("/store/tiny");
        let message = |kind: ErrorKind| ModelError::write(place, kind.into()).to_string();
        assert!(message(ErrorKind::StorageFull).contains("disk is full at /store/tiny"));
        assert!(message(ErrorKind::ReadOnlyFilesystem).contains("/store/tiny cannot be written"));
        assert!(message(ErrorKind::Interrupted).starts_with("cannot write /store/tiny"));
    }
}
