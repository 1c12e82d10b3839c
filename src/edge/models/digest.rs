//! Copying and hashing in one pass.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::ModelError;

const CHUNK_BYTES: usize = 64 * 1024;

/// What went through a copy.
pub(super) struct Copied {
    /// Bytes.
    pub size: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

/// Which side of a copy failed: a damaged source is not a full disk.
pub(super) enum CopyError {
    Read(io::Error),
    Write(io::Error),
}

/// Copies at most `limit` bytes and one more, by which the caller sees that there were too many.
pub(super) fn copy(
    from: &mut dyn Read,
    to: &mut dyn Write,
    limit: u64,
) -> Result<Copied, CopyError> {
    let mut from = from.take(limit.saturating_add(1));
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Read(error)),
        };
        let bytes = chunk.get(..read).unwrap_or_default();
        hash.update(bytes);
        to.write_all(bytes).map_err(CopyError::Write)?;
        size += bytes.len() as u64;
    }
    let sha256 = hex(&hash.finalize());
    Ok(Copied { size, sha256 })
}

/// Size and SHA-256 of a file.
pub(super) fn of_file(path: &Path) -> Result<Copied, ModelError> {
    let mut file = File::open(path).map_err(|error| ModelError::read(path, error))?;
    copy(&mut file, &mut io::sink(), u64::MAX).map_err(|error| match error {
        CopyError::Read(error) | CopyError::Write(error) => ModelError::read(path, error),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_stops_one_byte_past_the_limit() {
        let mut out = Vec::new();
        let copied = copy(&mut &b"abcdef"[..], &mut out, 3);
        assert!(matches!(copied, Ok(copied) if copied.size == 4));
        assert_eq!(out, b"abcd");
    }

    #[test]
    fn the_hash_is_that_of_the_standard() {
        let copied = copy(&mut &b"abc"[..], &mut io::sink(), 3);
        let hash = copied.map(|copied| copied.sha256).unwrap_or_default();
        assert!(hash.starts_with("ba7816bf8f01cfea") && hash.len() == 64);
    }
}
