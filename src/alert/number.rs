//! Telephone numbers: which are emergency calls, and how two are compared without keeping either.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::private::Private;

/// A keyed hash of a number or of a call's name: tells whether two are the same, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(pub [u8; 16]);

/// The key of the [`Tag`]s. It never leaves the machine: numbers are few enough to be tried one by
/// one by whoever has it.
#[derive(Debug, Clone)]
pub struct TagKey(Private<[u8; 32]>);

impl TagKey {
    /// A key of 32 random bytes.
    pub const fn new(key: [u8; 32]) -> Self {
        Self(Private::new(key))
    }

    /// The tag of a number; however it is written, the same.
    pub fn number(&self, number: &Private<String>) -> Tag {
        self.tag(b"number", national(number.reveal()).as_bytes())
    }

    /// The tag of a call's name.
    pub fn call(&self, call: &crate::call::CallId) -> Tag {
        self.tag(b"call", call.private().reveal().as_bytes())
    }

    fn tag(&self, domain: &[u8], value: &[u8]) -> Tag {
        let mut tag = Tag([0; 16]);
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.reveal()) {
            mac.update(domain);
            mac.update(&[0]);
            mac.update(value);
            let whole = mac.finalize().into_bytes();
            tag.0.copy_from_slice(&whole[..16]);
        }
        tag
    }
}

/// The last two digits of a number, which is all that is ever shown of it.
pub fn last_two(number: &Private<String>) -> Option<u8> {
    let mut digits = number.reveal().chars().rev().filter_map(|sign| sign.to_digit(10));
    let (ones, tens) = (digits.next()?, digits.next()?);
    u8::try_from(tens * 10 + ones).ok()
}

/// What is dialled: digits, star and hash. No number is longer than this.
const LONGEST: usize = 40;

/// The numbers that always pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emergency {
    /// Nationally written: `999`, `08001234567`.
    numbers: Vec<String>,
    /// What may be dialled before any number: `141`, `#31#`.
    prefixes: Vec<String>,
}

impl Emergency {
    /// These numbers, also behind these prefixes and combinations of them.
    pub fn new(numbers: &[String], prefixes: &[String]) -> Self {
        let keys = |list: &[String]| list.iter().map(|number| keys(number)).collect();
        let numbers = numbers.iter().map(|number| national(number)).collect();
        Self { numbers, prefixes: keys(prefixes) }
    }

    /// Whether `dialled` reaches one of them.
    pub fn is_reached_by(&self, dialled: &Private<String>) -> bool {
        let keys = keys(dialled.reveal());
        if keys.len() > LONGEST {
            return false;
        }
        let digits: String = keys.chars().filter(char::is_ascii_digit).collect();
        self.reaches(&keys) || self.reaches(&digits)
    }

    /// Each prefix is tried, since one may begin with another.
    fn reaches(&self, number: &str) -> bool {
        let behind = |prefix: &String| {
            let rest = number.strip_prefix(prefix.as_str());
            rest.is_some_and(|rest| rest.len() < number.len() && self.reaches(rest))
        };
        self.is_one(number) || self.prefixes.iter().any(behind)
    }

    /// An exchange connects 999 and 112 at the third digit, whatever a shaking hand keys after it,
    /// and no other British number begins with them. Longer ones must be dialled as they are.
    fn is_one(&self, number: &str) -> bool {
        let number = national(number);
        let reaches = |emergency: &String| match emergency.len() {
            3 => number.starts_with(emergency.as_str()),
            _ => number == *emergency,
        };
        self.numbers.iter().any(reaches)
    }
}

/// The keys of a telephone in `number`, and a plus sign.
fn keys(number: &str) -> String {
    let is_key = |sign: &char| sign.is_ascii_digit() || ['*', '#', '+'].contains(sign);
    number.chars().filter(is_key).take(LONGEST + 1).collect()
}

/// The same number as it is dialled within the United Kingdom.
pub fn national(number: &str) -> String {
    let keys = keys(number);
    let abroad = ["+44", "0044"].iter().find_map(|prefix| keys.strip_prefix(prefix));
    match abroad {
        Some(rest) => format!("0{}", rest.trim_start_matches('0')),
        None => keys,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emergency() -> Emergency {
        let list = |list: &[&str]| list.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let numbers = list(&["999", "112", "18000", "0800 123 4567"]);
        Emergency::new(&numbers, &list(&["141", "1470", "18001", "#31#", "*67"]))
    }

    fn dial(number: &str) -> Private<String> {
        Private::new(number.to_owned())
    }

    #[test]
    fn emergency_numbers_are_known_however_they_are_dialled() {
        for number in [
            "999",
            "112",
            "18000",
            "141999",
            "1470 112",
            "1411470999",
            "#31#999",
            "*67 112",
            "999#",
            "9999",
            "9 9 9",
            "08001234567",
            "+448001234567",
            "141 0800 123 4567",
            "18001 999",
        ] {
            assert!(emergency().is_reached_by(&dial(number)), "{number}");
        }
        for number in
            ["0999", "141", "101", "159", "", "01632 960999", "180001", "99", "0800123456"]
        {
            assert!(!emergency().is_reached_by(&dial(number)), "{number}");
        }
        assert!(!emergency().is_reached_by(&dial(&"141".repeat(1000))));
    }

    #[test]
    fn a_number_has_one_tag_however_it_is_written() {
        let key = TagKey::new([7; 32]);
        let tag = |number| key.number(&dial(number));
        assert_eq!(tag("+44 1632 960123"), tag("01632 960123"));
        assert_eq!(tag("0044 (0)1632 960123"), tag("01632960123"));
        assert_ne!(tag("01632 960123"), tag("01632 960124"));
        assert_ne!(tag("01632"), key.call(&crate::call::CallId::new("01632")));
        assert_ne!(TagKey::new([8; 32]).number(&dial("999")), tag("999"));
        assert!(!format!("{key:?}").contains('7'));
    }

    #[test]
    fn only_two_digits_are_shown() {
        let shown = |number| last_two(&dial(number));
        assert_eq!((shown("01632 960 1-2-3"), shown("5"), shown("")), (Some(23), None, None));
    }
}
