//! Scripted calls: the files that a person names, and those in the directories.

use std::io;
use std::path::{Path, PathBuf};

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot be read: {problem}: check the path", path.display())]
pub struct ScriptFileError {
    /// The file or directory.
    pub path: PathBuf,
    /// What the system says.
    pub problem: io::Error,
}

/// The scripts at `path`: itself, or the `*.txt` and `*.jsonl` files of a directory by name.
///
/// # Errors
/// When the directory cannot be read.
pub fn at(path: &Path) -> Result<Vec<PathBuf>, ScriptFileError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let failed = |problem| ScriptFileError { path: path.to_owned(), problem };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "txt" || extension == "jsonl") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The text of a script.
///
/// # Errors
/// When it cannot be read, or is not UTF-8.
pub fn read(path: &Path) -> Result<String, ScriptFileError> {
    std::fs::read_to_string(path)
        .map_err(|problem| ScriptFileError { path: path.to_owned(), problem })
}
