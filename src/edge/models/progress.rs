//! What a fetch tells of itself while it runs.

use std::path::Path;

use super::manifest::Model;

/// A step of a fetch. `what` is a package and its version, or a file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress<'a> {
    /// Another process fetches into the same store and holds this lock.
    Waiting {
        /// The lock file.
        lock: &'a Path,
    },
    /// A wheel comes in, told about ten times a second.
    Downloading {
        /// The package.
        what: &'a str,
        /// Bytes so far, never falling and never above `total`.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// A wheel or a file is compared with its pinned SHA-256.
    Verifying {
        /// The package or file.
        what: &'a str,
    },
    /// A file is taken out of its wheel.
    Unpacking {
        /// The file.
        what: &'a str,
    },
    /// A step of the conversion of `base`, of which some take half a minute.
    Converting {
        /// The step, in words.
        step: &'a str,
    },
    /// A model is complete.
    Done {
        /// The model.
        model: Model,
        /// False if it was there before and nothing was fetched.
        fetched: bool,
    },
}
