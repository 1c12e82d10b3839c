//! What is keyed during a call: the number of the police, a passcode, a card.
//!
//! A caller who says "hang up and ring 999" stays on the line, and the digits go to nobody but the
//! caller; a caller who asks for a PIN to be keyed hears it. What leaves this file are signals:
//! that a code was keyed, and never which.

use std::fmt;

use crate::call::{Digit, SignalKind};
use crate::time::CallTime;

/// A number is complete when no key was pressed for so long: a telephone dials then too.
const COMPLETE_MS: u64 = 1_000;
/// Keys that are further apart belong to two numbers.
const PAUSE_MS: u64 = 3_000;
/// A tone on the line and the exchange's report of the same key are no further apart.
const SAME_KEY_MS: u64 = 500;
/// Digits of a number that are remembered: those of the longest card (ISO/IEC 7812-1).
const MOST_DIGITS: usize = 19;
/// Digits that are more than a choice in a menu.
const SEVERAL: usize = 4;
/// The digits of a PIN (ISO 9564-1: from 4) or of a passcode sent by text.
const CODE: std::ops::RangeInclusive<usize> = 4..=8;
/// The digits of a card's number (ISO/IEC 7812-1).
const CARD: std::ops::RangeInclusive<usize> = 13..=MOST_DIGITS;
/// Hide or show the caller's number; the number proper follows.
const PREFIXES: [&[u8]; 2] = [&[1, 4, 1], &[1, 4, 7, 0]];
/// Whom one may be told to ring, while the caller stays on the line.
const DIALLED: [(&[u8], SignalKind); 5] = [
    (&[9, 9, 9], SignalKind::EmergencyDialled),
    (&[1, 1, 2], SignalKind::EmergencyDialled),
    (&[1, 8, 0, 0, 0], SignalKind::EmergencyDialled),
    (&[1, 0, 1], SignalKind::PoliceDialled),
    (&[1, 5, 9], SignalKind::BankDialled),
];

/// How a key became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// By its tones on the line.
    Tones,
    /// By the exchange, out of band (RFC 4733, AudioSocket).
    Exchange,
}

/// Follows the keys of one leg.
#[derive(Clone, Default)]
pub struct Keying {
    /// The digits of the number so far; only the first are kept.
    digits: [u8; MOST_DIGITS],
    count: usize,
    /// The last key, if it is known which, and when it was pressed.
    last: Option<(Option<Digit>, CallTime)>,
    /// The exchange reports keys: the tones say nothing new.
    is_reported: bool,
    is_complete: bool,
    /// It is known that keys were pressed, and not which.
    is_hidden: bool,
    /// It was told whose number it is.
    is_told: bool,
}

/// It holds digits, and prints none.
impl fmt::Debug for Keying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keying").field("count", &self.count).finish_non_exhaustive()
    }
}

impl Keying {
    /// A key was pressed. `heard` gets what that shows.
    pub fn key(
        &mut self,
        digit: Digit,
        at: CallTime,
        source: Source,
        mut heard: impl FnMut(SignalKind),
    ) {
        self.pass(at, &mut heard);
        let is_known = self.is_known(digit, at, source);
        self.is_reported |= source == Source::Exchange;
        if is_known {
            return;
        }
        if self.is_told {
            // Whoever is told of dials again.
            self.begin();
        }
        self.last = Some((Some(digit), at));
        let Some(value) = digit.value() else {
            // A sign ends a number.
            self.complete(&mut heard);
            return self.end(&mut heard);
        };
        if let Some(place) = self.digits.get_mut(self.count) {
            *place = value;
        }
        self.counts(&mut heard);
    }

    /// A key was pressed, and nobody says which.
    pub fn hidden_key(&mut self, at: CallTime, mut heard: impl FnMut(SignalKind)) {
        self.pass(at, &mut heard);
        if self.is_reported {
            return;
        }
        self.last = Some((None, at));
        self.is_hidden = true;
        self.counts(&mut heard);
    }

    /// Whether a number is being keyed.
    pub const fn is_under_way(&self) -> bool {
        self.count > 0
    }

    /// When the last key was pressed.
    pub fn pressed_at(&self) -> CallTime {
        self.last.map_or(CallTime::START, |(_, at)| at)
    }

    fn counts(&mut self, heard: &mut impl FnMut(SignalKind)) {
        self.count = self.count.saturating_add(1);
        self.is_complete = false;
        if self.count == SEVERAL {
            heard(SignalKind::KeypadDigits);
        }
    }

    /// Time passes in which no key is pressed.
    pub fn pass(&mut self, at: CallTime, mut heard: impl FnMut(SignalKind)) {
        let Some((_, last)) = self.last else { return };
        let pause = at.ms_since(last);
        if pause >= COMPLETE_MS {
            self.complete(&mut heard);
        }
        if pause >= PAUSE_MS {
            self.end(&mut heard);
        }
    }

    /// No key will follow.
    pub fn finish(&mut self, mut heard: impl FnMut(SignalKind)) {
        self.complete(&mut heard);
        self.end(&mut heard);
    }

    /// Whether the same key was told already.
    fn is_known(&self, digit: Digit, at: CallTime, source: Source) -> bool {
        match source {
            Source::Tones => self.is_reported,
            Source::Exchange if self.is_reported => false,
            Source::Exchange => self.last.is_some_and(|(last, before)| {
                last == Some(digit) && at.ms_since(before) < SAME_KEY_MS
            }),
        }
    }

    fn number(&self) -> &[u8] {
        &self.digits[..self.count.min(MOST_DIGITS)]
    }

    /// Whose number it is, if it is one that is followed.
    fn dialled(&self) -> Option<SignalKind> {
        if self.is_hidden {
            return None;
        }
        let whole = self.number();
        let number = PREFIXES.iter().find_map(|prefix| whole.strip_prefix(*prefix));
        let number = number.unwrap_or(whole);
        // An exchange connects after the third 9, whatever follows in fright.
        if number.len() >= 3 && number.iter().all(|digit| *digit == 9) {
            return Some(SignalKind::EmergencyDialled);
        }
        DIALLED.iter().find(|(known, _)| *known == number).map(|(_, kind)| *kind)
    }

    /// The number is dialled.
    fn complete(&mut self, heard: &mut impl FnMut(SignalKind)) {
        if std::mem::replace(&mut self.is_complete, true) {
            return;
        }
        if let Some(kind) = self.dialled() {
            self.is_told = true;
            heard(kind);
        }
        let is_card = CARD.contains(&self.count) && has_check_digit(self.number());
        if is_card && !self.is_hidden {
            heard(SignalKind::CardKeyed);
        }
    }

    /// Nothing is added to the number any more.
    fn end(&mut self, heard: &mut impl FnMut(SignalKind)) {
        if CODE.contains(&self.count) && !self.is_hidden && self.dialled().is_none() {
            heard(SignalKind::CodeKeyed);
        }
        self.begin();
    }

    /// A number begins.
    fn begin(&mut self) {
        self.digits = [0; MOST_DIGITS];
        self.count = 0;
        (self.is_hidden, self.is_told) = (false, false);
        // An empty number is nothing to dial.
        self.is_complete = true;
    }
}

/// Whether the last digit is the check digit of the others (ISO/IEC 7812-1, Annex B).
fn has_check_digit(number: &[u8]) -> bool {
    let doubled = |digit: u8| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let digits = number.iter().rev().enumerate();
    let sum: u32 = digits
        .map(|(place, digit)| u32::from(if place % 2 == 1 { doubled(*digit) } else { *digit }))
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is heard when these keys are pressed every `ms`, and then none for five seconds.
    fn keyed(keys: &str, ms: u64) -> Vec<SignalKind> {
        let (mut keying, mut heard) = (Keying::default(), Vec::new());
        let mut at = 0;
        for key in keys.chars() {
            at += ms;
            let digit = Digit::from_char(key).expect("a key");
            keying.key(digit, CallTime(at), Source::Tones, |kind| heard.push(kind));
        }
        for _ in 0..50 {
            at += 100;
            keying.pass(CallTime(at), |kind| heard.push(kind));
        }
        heard
    }

    #[test]
    fn numbers_of_help_are_told_apart_and_from_codes() {
        use SignalKind::{
            BankDialled, CardKeyed, CodeKeyed, EmergencyDialled, KeypadDigits, PoliceDialled,
        };
        for (keys, expected) in [
            ("999", &[EmergencyDialled][..]),
            ("112", &[EmergencyDialled]),
            ("18000", &[KeypadDigits, EmergencyDialled]),
            ("141999", &[KeypadDigits, EmergencyDialled]),
            ("101", &[PoliceDialled]),
            ("159", &[BankDialled]),
            ("1", &[]),
            ("#159#", &[BankDialled]),
            ("1124", &[KeypadDigits, CodeKeyed]),
            ("4071#", &[KeypadDigits, CodeKeyed]),
            ("123456789", &[KeypadDigits]),
            ("4111111111111111", &[KeypadDigits, CardKeyed]),
            ("4111111111111112", &[KeypadDigits]),
        ] {
            assert_eq!(keyed(keys, 300), expected, "{keys}");
        }
        // Who dials slowly has dialled before the last digit.
        assert_eq!(keyed("9991", 2_000), [EmergencyDialled]);
        // Who is frightened dials too much, and again.
        assert_eq!(keyed("9999", 300), [KeypadDigits, EmergencyDialled]);
        let mut keying = Keying::default();
        let mut heard = Vec::new();
        for at in [0, 300, 600, 2_100, 2_400, 2_700] {
            let nine = Digit::from_char('9').expect("a key");
            keying.key(nine, CallTime(at), Source::Tones, |kind| heard.push(kind));
        }
        keying.finish(|kind| heard.push(kind));
        assert_eq!(heard, [EmergencyDialled, EmergencyDialled]);
    }

    #[test]
    fn a_key_that_is_reported_twice_counts_once() {
        let (mut keying, mut heard) = (Keying::default(), Vec::new());
        for (at, key) in [(0, '1'), (400, '5'), (800, '9')] {
            let digit = Digit::from_char(key).expect("a key");
            keying.key(digit, CallTime(at), Source::Tones, |kind| heard.push(kind));
            keying.key(digit, CallTime(at + 60), Source::Exchange, |kind| heard.push(kind));
        }
        keying.pass(CallTime(3_000), |kind| heard.push(kind));
        assert_eq!(heard, [SignalKind::BankDialled]);
    }

    #[test]
    fn hidden_keys_are_counted() {
        let (mut keying, mut heard) = (Keying::default(), Vec::new());
        for at in 1..=16 {
            keying.hidden_key(CallTime(at * 300), |kind| heard.push(kind));
        }
        keying.pass(CallTime(20_000), |kind| heard.push(kind));
        assert_eq!(heard, [SignalKind::KeypadDigits], "sixteen zeros are no card");
        assert!(!keying.is_under_way());
    }

    #[test]
    fn digits_print_redacted() {
        let digit = Digit::from_char('7').expect("a key");
        let mut keying = Keying::default();
        keying.key(digit, CallTime(0), Source::Tones, |_| {});
        assert!(!format!("{digit:?} {keying:?}").contains('7'));
        assert_eq!((digit.as_char(), Digit::from_event(10).map(Digit::as_char)), ('7', Some('*')));
    }

    proptest! {
        #[test]
        fn no_more_is_told_than_was_keyed(
            keys in proptest::collection::vec((0_u8..20, 0_u64..4_000, any::<bool>()), 0..200),
        ) {
            let (mut keying, mut told, mut at) = (Keying::default(), 0, 0);
            let pressed = keys.len();
            for (event, pause, by_exchange) in keys {
                at += pause;
                let source = if by_exchange { Source::Exchange } else { Source::Tones };
                if let Some(digit) = Digit::from_event(event) {
                    keying.key(digit, CallTime(at), source, |_| told += 1);
                }
            }
            prop_assert!(told <= pressed);
        }
    }
}
