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

/// Which rules are used.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// A directory of packs, in place of those that are shipped.
    pub directory: Option<PathBuf>,
    /// A file of local rules, loaded last.
    pub local: Option<PathBuf>,
    /// Experimental rules count.
    pub experimental: bool,
}

/// A file to write into; what it held is gone.
///
/// # Errors
/// When it cannot be made.
pub fn create(path: &Path) -> Result<impl std::io::Write + use<>, FileError> {
    let file = std::fs::File::create(path);
    let file = file.map_err(|problem| FileError::Write { path: path.to_owned(), problem })?;
    Ok(std::io::BufWriter::new(file))
}

/// The configuration in `path`, or the defaults. A path in it is meant from where the file is.
///
/// # Errors
/// When the file cannot be read, or is not a valid configuration.
pub fn config(path: Option<&Path>) -> Result<Config, FileError> {
    let (path, text) = match path {
        Some(path) => (path.to_owned(), read(path)?),
        None => (PathBuf::from("defaults"), String::new()),
    };
    let parsed = Config::parse(&text);
    let mut config = parsed.map_err(|problem| FileError::Config { path: path.clone(), problem })?;
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let paths = [
        &mut config.rules.local,
        &mut config.feed.socket,
        &mut config.folder.path,
        &mut config.store.directory,
    ];
    for path in paths.into_iter().filter(|path| !path.as_os_str().is_empty()) {
        *path = folder.join(&path);
    }
    Ok(config)
}

/// The text of the configuration in `path`, or of the defaults.
///
/// # Errors
/// When the file cannot be read.
pub fn config_text(path: Option<&Path>) -> Result<String, FileError> {
    path.map_or_else(|| Ok(crate::config::DEFAULT.to_owned()), read)
}

/// The rules of a selection.
///
/// # Errors
/// When a file cannot be read, or a pack does not load.
pub fn rulebook(selection: &Selection) -> Result<Rulebook, FileError> {
    compiled(&packs(selection)?, selection)
}

/// The rules of packs that were read.
///
/// # Errors
/// When a pack does not load.
pub fn compiled(sources: &[Source], selection: &Selection) -> Result<Rulebook, FileError> {
    let mut book = crate::rules::load(sources)?;
    if selection.experimental {
        book.trust_experimental();
    }
    Ok(book)
}

/// A pack's file and its text.
pub type Source = (String, String);

/// The packs of a selection, the local rules last.
///
/// # Errors
/// When a file cannot be read.
pub fn packs(selection: &Selection) -> Result<Vec<Source>, FileError> {
    let mut packs = match &selection.directory {
        Some(directory) => packs_in(directory)?,
        None => SHIPPED.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec(),
    };
    if let Some(local) = &selection.local {
        packs.push(source(local)?);
    }
    Ok(packs)
}

/// The packs in files and directories.
///
/// # Errors
/// When one cannot be read, or a directory has none.
pub fn packs_at(paths: &[PathBuf]) -> Result<Vec<Source>, FileError> {
    let at = |path: &PathBuf| match path.is_dir() {
        true => packs_in(path),
        false => Ok(vec![source(path)?]),
    };
    let packs: Vec<Vec<Source>> = paths.iter().map(at).collect::<Result<_, _>>()?;
    Ok(packs.concat())
}

/// Replaces a file, at once: whoever reads it sees the old text or the new.
///
/// # Errors
/// When it cannot be written.
pub fn replace(path: &Path, text: &str) -> Result<(), FileError> {
    let write = || {
        let path = std::fs::canonicalize(path)?;
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let new = path.with_file_name(name);
        std::fs::write(&new, text)?;
        std::fs::set_permissions(&new, std::fs::metadata(&path)?.permissions())?;
        std::fs::rename(&new, &path)
    };
    write().map_err(|problem| FileError::Write { path: path.to_owned(), problem })
}

/// Writes a pack into `directory`, which is made if it is not there, under the name of its `file`.
///
/// # Errors
/// When it cannot be written.
pub fn write_into(directory: &Path, file: &str, text: &str) -> Result<(), FileError> {
    let failed = |problem| FileError::Write { path: directory.to_owned(), problem };
    std::fs::create_dir_all(directory).map_err(failed)?;
    let path = directory.join(Path::new(file).file_name().unwrap_or_default());
    std::fs::write(&path, text).map_err(|problem| FileError::Write { path, problem })
}

fn packs_in(directory: &Path) -> Result<Vec<Source>, FileError> {
    let paths = pack_paths(directory)?;
    if paths.is_empty() {
        return Err(FileError::NoPacks(directory.to_owned()));
    }
    paths.iter().map(|path| source(path)).collect()
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

fn source(path: &Path) -> Result<Source, FileError> {
    Ok((path.display().to_string(), read(path)?))
}

fn read(path: &Path) -> Result<String, FileError> {
    std::fs::read_to_string(path)
        .map_err(|problem| FileError::Read { path: path.to_owned(), problem })
}
