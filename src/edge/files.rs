//! The configuration and the rule packs, from the files that a person names.

use std::path::{Path, PathBuf};

use crate::config::{Config, ConfigError};
use crate::rules::{RuleErrors, Rulebook, SHIPPED};

/// Why a configuration or a directory of rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("{}: {problem}: check the path", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        problem: std::io::Error,
    },
    /// It cannot be written.
    #[error("{}: {problem}: check that you may write there", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        problem: std::io::Error,
    },
    /// The configuration is wrong.
    #[error("{}: {problem}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: ConfigError,
    },
    /// The directory has no pack in it.
    #[error("{}: no rule pack (*.toml) in it: name a directory like config/rules", .0.display())]
    NoPacks(PathBuf),
    /// A pack is wrong.
    #[error(transparent)]
    Rules(#[from] RuleErrors),
}

/// The configuration in `path`, or the defaults.
///
/// # Errors
/// When the file cannot be read, or is not a valid configuration.
pub fn config(path: Option<&Path>) -> Result<Config, FileError> {
    let (path, text) = match path {
        Some(path) => (path.to_owned(), read(path)?),
        None => (PathBuf::from("defaults"), String::new()),
    };
    Config::parse(&text).map_err(|problem| FileError::Config { path, problem })
}

/// The rules in the `*.toml` files of `directory`, or the packs that are shipped.
///
/// # Errors
/// When a file cannot be read, or a pack does not load.
pub fn rulebook(directory: Option<&Path>) -> Result<Rulebook, FileError> {
    Ok(crate::rules::load(&sources(directory)?)?)
}

/// The texts of these packs, each with the name of its file.
///
/// # Errors
/// When a file cannot be read, or there is none.
pub fn sources(directory: Option<&Path>) -> Result<Vec<(String, String)>, FileError> {
    match directory {
        Some(directory) => packs_in(directory),
        None => Ok(SHIPPED.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec()),
    }
}

/// Replaces `path` by `text` as a whole: nobody ever reads half a pack.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, text: &str) -> Result<(), FileError> {
    let failed = |problem| FileError::Write { path: path.to_owned(), problem };
    let fresh = path.with_extension("toml.new");
    std::fs::write(&fresh, text).map_err(failed)?;
    std::fs::rename(&fresh, path).map_err(failed)
}

/// Writes a pack into `directory`, which is made if it is not there, under the name of its `file`.
///
/// # Errors
/// When it cannot be written.
pub fn write_into(directory: &Path, file: &str, text: &str) -> Result<(), FileError> {
    let failed = |problem| FileError::Write { path: directory.to_owned(), problem };
    std::fs::create_dir_all(directory).map_err(failed)?;
    write(&directory.join(Path::new(file).file_name().unwrap_or_default()), text)
}

fn packs_in(directory: &Path) -> Result<Vec<(String, String)>, FileError> {
    let paths = pack_paths(directory)?;
    if paths.is_empty() {
        return Err(FileError::NoPacks(directory.to_owned()));
    }
    paths.iter().map(|path| Ok((path.display().to_string(), read(path)?))).collect()
}

/// The packs in a directory, by name.
pub(super) fn pack_paths(directory: &Path) -> Result<Vec<PathBuf>, FileError> {
    let failed = |problem| FileError::Read { path: directory.to_owned(), problem };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<String, FileError> {
    std::fs::read_to_string(path)
        .map_err(|problem| FileError::Read { path: path.to_owned(), problem })
}
