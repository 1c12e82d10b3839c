//! Tokens of the HTTP interface: random, and kept as a hash only.

use std::io;

use sha2::{Digest, Sha256};

/// A new token and its SHA-256, both in hexadecimal digits. With 256 random bits there is nothing
/// to guess, so a plain hash serves.
///
/// # Errors
/// When the system has no random bytes.
pub fn new() -> io::Result<(String, String)> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    let token = hex(&bytes);
    let sha256 = digest(&token);
    Ok((token, sha256))
}

/// What is kept of a token.
pub fn digest(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_and_new_each_time() {
        let (a, b) = (new().expect("random bytes"), new().expect("random bytes"));
        assert_eq!((a.0.len(), a.1.len()), (64, 64));
        assert_ne!(a.0, b.0);
        assert_eq!(digest(&a.0), a.1);
    }
}
