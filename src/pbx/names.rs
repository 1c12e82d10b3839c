//! Names of what is made on the exchange.

use sha2::{Digest, Sha256};

/// Names of what is made here begin with this: those of an earlier life of the program, too.
pub const OURS: &str = "lineclear-";

/// Names that nobody else has, and ids of connections that nobody can guess.
#[derive(Debug)]
pub struct Names {
    secret: [u8; 32],
    count: u64,
}

impl Names {
    /// Names of a `secret`.
    pub const fn new(secret: [u8; 32]) -> Self {
        Self { secret, count: 0 }
    }

    /// A new name.
    pub fn name(&mut self) -> String {
        self.count += 1;
        let run = Sha256::digest(self.secret);
        format!("{OURS}{:02x}{:02x}{:02x}-{}", run[0], run[1], run[2], self.count)
    }

    /// A new id.
    pub fn token(&mut self) -> u128 {
        self.count += 1;
        let hash = Sha256::new().chain_update(self.secret).chain_update(self.count.to_be_bytes());
        let bytes: [u8; 32] = hash.finalize().into();
        u128::from_be_bytes(*bytes.first_chunk().unwrap_or(&[0; 16]))
    }
}

/// A UUID as it is written (RFC 9562, section 4).
pub fn uuid(id: u128) -> String {
    let hex = format!("{id:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_as_a_uuid_and_no_two_are_the_same() {
        assert_eq!(uuid(1), "00000000-0000-0000-0000-000000000001");
        let mut names = Names::new([1; 32]);
        assert_ne!(names.token(), names.token());
        assert!(names.name() != names.name() && names.name().starts_with(OURS));
        assert_ne!(Names::new([1; 32]).name(), Names::new([2; 32]).name());
    }
}
