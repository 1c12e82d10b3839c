//! The signature of a webhook, by which whoever holds the secret knows that a notification comes
//! from their Lineclear, that nobody changed it, and that it is not an old one sent again.
//! `docs/notifications.md` describes it for those who write receivers.
//!
//! HMAC-SHA256 (RFC 2104) over `v1`, the timestamp, the key and the body, with a line feed between
//! them: a header cannot hold one, so no byte can be moved from one part to the next.

use std::fmt::{self, Write};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::time::Wall;

/// The header of the notification's key.
pub const KEY: &str = "idempotency-key";
/// The header of the time at which it was signed: seconds since the beginning of 1970, UTC.
pub const TIMESTAMP: &str = "lineclear-timestamp";
/// The header of the signature: `v1=` and 64 hexadecimal digits in lower case.
pub const SIGNATURE: &str = "lineclear-signature";
/// How far the receiver's clock may be from the timestamp, before or after.
pub const REPLAY_WINDOW: Duration = Duration::from_secs(300);
/// The fewest bytes of a secret.
pub const LEAST_SECRET: usize = 16;

/// Why a signature is not made, or not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The secret could be guessed.
    #[error(
        "the secret is shorter than {LEAST_SECRET} bytes: make one with `openssl rand -hex 32`"
    )]
    ShortSecret,
    /// A header is not what Lineclear sends.
    #[error("{0}: not as lineclear sends it: refuse the request")]
    Header(&'static str),
    /// Somebody else made it, or something was changed.
    #[error("{SIGNATURE}: it does not fit: check that both sides have the same secret")]
    Mismatch,
    /// It is genuine, and from another time.
    #[error("{TIMESTAMP}: over {} seconds from now: check both clocks", REPLAY_WINDOW.as_secs())]
    Stale,
}

/// What the sender and the receiver share. It is never printed.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

impl Secret {
    /// A secret of these bytes.
    ///
    /// # Errors
    /// When they are fewer than [`LEAST_SECRET`].
    pub fn new(bytes: &[u8]) -> Result<Self, SignatureError> {
        let long_enough = Some(bytes).filter(|bytes| bytes.len() >= LEAST_SECRET);
        let keyed = long_enough.and_then(|bytes| Hmac::new_from_slice(bytes).ok());
        keyed.map(Self).ok_or(SignatureError::ShortSecret)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The headers that count, as they came.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'a> {
    /// [`TIMESTAMP`].
    pub timestamp: &'a str,
    /// [`KEY`].
    pub key: &'a str,
    /// [`SIGNATURE`].
    pub signature: &'a str,
}

/// The value of [`TIMESTAMP`].
pub fn timestamp(at: Wall) -> String {
    (at.0 / 1000).to_string()
}

/// The value of [`SIGNATURE`].
pub fn sign(secret: &Secret, timestamp: &str, key: &str, body: &[u8]) -> String {
    let mut mac = secret.0.clone();
    for part in ["v1\n", timestamp, "\n", key, "\n"] {
        mac.update(part.as_bytes());
    }
    mac.update(body);
    let mut signature = "v1=".to_owned();
    for byte in mac.finalize().into_bytes() {
        // A string takes all that is written to it.
        let _ = write!(signature, "{byte:02x}");
    }
    signature
}

/// Whether a notification is genuine and new. How long it takes does not tell what is wrong.
///
/// # Errors
/// When it is not. A receiver answers 401, and 425 if it is only [`SignatureError::Stale`]: that is
/// tried again, with a new timestamp.
pub fn verify(
    secret: &Secret,
    headers: &Headers<'_>,
    body: &[u8],
    now: Wall,
) -> Result<(), SignatureError> {
    let Headers { timestamp, key, signature } = headers;
    let is_number = timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = timestamp.parse::<u64>().ok().filter(|_| is_number);
    let seconds = seconds.ok_or(SignatureError::Header(TIMESTAMP))?;
    if key.contains('\n') {
        return Err(SignatureError::Header(KEY));
    }
    let fitting = sign(secret, timestamp, key, body);
    if !bool::from(fitting.as_bytes().ct_eq(signature.as_bytes())) {
        return Err(SignatureError::Mismatch);
    }
    if (now.0 / 1000).abs_diff(seconds) > REPLAY_WINDOW.as_secs() {
        return Err(SignatureError::Stale);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Wall = Wall(1_795_305_600_500);

    fn secret() -> Secret {
        Secret::new(b"0123456789abcdef").expect("long enough")
    }

    fn verified(
        timestamp: &str,
        key: &str,
        signature: &str,
        body: &[u8],
    ) -> Option<SignatureError> {
        verify(&secret(), &Headers { timestamp, key, signature }, body, NOW).err()
    }

    /// Computed with Python: `hmac.new(b"0123456789abcdef", b"v1\n1795305600\na.b\n{}", "sha256")`.
    #[test]
    fn the_signature_is_the_documented_one() {
        let expected = "v1=05ae5132845e66f119cdf277c3f79753e1814c58cc01b15dfdb5ccf549713ecd";
        assert_eq!(timestamp(NOW), "1795305600");
        assert_eq!(sign(&secret(), "1795305600", "a.b", b"{}"), expected);
        assert_eq!(verified("1795305600", "a.b", expected, b"{}"), None);
    }

    #[test]
    fn old_and_early_ones_are_refused() {
        for (second, error) in [
            (1_795_305_300, None),
            (1_795_305_299, Some(SignatureError::Stale)),
            (1_795_305_900, None),
            (1_795_305_901, Some(SignatureError::Stale)),
            (u64::MAX, Some(SignatureError::Stale)),
        ] {
            let timestamp = second.to_string();
            let signature = sign(&secret(), &timestamp, "a", b"{}");
            assert_eq!(verified(&timestamp, "a", &signature, b"{}"), error, "{second}");
        }
    }

    #[test]
    fn parts_cannot_run_into_each_other() {
        let signature = sign(&secret(), "1795305600", "a\nb", b"{}");
        let moved = verified("1795305600", "a", &signature, b"b\n{}");
        assert_eq!(moved, None, "the same bytes: so a key with a line feed is never taken");
        let error = verified("1795305600", "a\nb", &signature, b"{}");
        assert_eq!(error, Some(SignatureError::Header(KEY)));
        for wrong in ["", "+1795305600", "1795305600 ", "1e9", "99999999999999999999"] {
            let signature = sign(&secret(), wrong, "a", b"{}");
            let error = verified(wrong, "a", &signature, b"{}");
            assert_eq!(error, Some(SignatureError::Header(TIMESTAMP)), "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_long_and_is_not_printed() {
        assert_eq!(Secret::new(b"0123456789abcde").err(), Some(SignatureError::ShortSecret));
        assert_eq!(format!("{:?}", secret()), "[secret]");
        assert!(Secret::new(&[7; 500]).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_signed_is_verified_and_any_flipped_bit_is_seen(
            secret in proptest::collection::vec(any::<u8>(), 16..100),
            key in "[!-~]{1,80}",
            body in proptest::collection::vec(any::<u8>(), 1..300),
            (place, bit) in (any::<proptest::sample::Index>(), 0_u8..8),
        ) {
            let stamp = timestamp(NOW);
            let flip = |bytes: &[u8]| {
                let mut bytes = bytes.to_vec();
                let at = place.index(bytes.len());
                bytes[at] ^= 1 << bit;
                bytes
            };
            let flipped = |text: &str| String::from_utf8_lossy(&flip(text.as_bytes())).into_owned();
            let other = Secret::new(&flip(&secret)).expect("long enough");
            let secret = Secret::new(&secret).expect("long enough");
            let signature = sign(&secret, &stamp, &key, &body);
            let holds = |secret, timestamp: &str, key: &str, signature: &str, body: &[u8]| {
                verify(secret, &Headers { timestamp, key, signature }, body, NOW).is_ok()
            };
            prop_assert!(holds(&secret, &stamp, &key, &signature, &body));
            prop_assert!(!holds(&other, &stamp, &key, &signature, &body));
            prop_assert!(!holds(&secret, &flipped(&stamp), &key, &signature, &body));
            prop_assert!(!holds(&secret, &stamp, &flipped(&key), &signature, &body));
            prop_assert!(!holds(&secret, &stamp, &key, &flipped(&signature), &body));
            prop_assert!(!holds(&secret, &stamp, &key, &signature, &flip(&body)));
        }

        #[test]
        fn no_headers_end_the_program(
            timestamp in ".{0,40}", key in ".{0,40}", signature in ".{0,80}",
            body in proptest::collection::vec(any::<u8>(), 0..50),
        ) {
            prop_assert!(verified(&timestamp, &key, &signature, &body).is_some());
        }
    }
}
