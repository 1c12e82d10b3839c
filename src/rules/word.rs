//! One word, as the rules see it, and what part of a number it can be.

use std::ops::Range;

use compact_str::CompactString;

/// One word of an utterance, after normalisation.
#[derive(Clone, PartialEq, Eq)]
pub struct Word {
    /// Lower-case text; a number in digits. Words of up to 24 bytes cost no allocation.
    pub text: CompactString,
    /// The bytes of the original text that it came from.
    pub span: Range<usize>,
    /// A full stop, question or exclamation mark follows.
    pub ends_sentence: bool,
    /// A number with a currency.
    pub is_amount: bool,
    /// A time of day: "9am", "15:30", "three o'clock".
    pub is_time: bool,
    /// A number said as a quantity ("forty two"), not digit by digit or in figures.
    pub is_quantity: bool,
    /// What the word can be a part of, if it can be a part of a number.
    pub(super) numeral: Numeral,
}

/// Words never reach a log.
impl std::fmt::Debug for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[private]")
    }
}

impl Word {
    pub(super) fn new(text: impl Into<CompactString>, span: Range<usize>) -> Self {
        let text = text.into();
        let numeral = numeral(&text);
        Self {
            text,
            span,
            ends_sentence: false,
            is_amount: false,
            is_time: false,
            is_quantity: false,
            numeral,
        }
    }

    /// The word is a number.
    pub fn is_number(&self) -> bool {
        self.text.bytes().all(|c| c.is_ascii_digit()) && !self.text.is_empty()
    }

    /// Its value, if it is a number: an ordinal or a time of day ("1st", "9am") is none.
    pub fn value(&self) -> Option<u64> {
        self.is_number().then(|| self.text.parse().unwrap_or(u64::MAX))
    }

    /// How many digits it has, if it is a number that may be a code: no amount, quantity or time.
    pub fn digits(&self) -> Option<usize> {
        let is_code = self.is_number() && !self.is_amount && !self.is_quantity && !self.is_time;
        is_code.then_some(self.text.len())
    }
}

/// What a word can be a part of, if it can be a part of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numeral {
    /// It is none.
    None,
    /// A digit in letters: "nine".
    Digit(u8),
    /// A digit as a figure: "9".
    Figure(u8),
    /// Several figures: "2400".
    Figures,
    /// From ten to ninety, in letters.
    Tens(u8),
    /// "hundred" or "thousand".
    Scale(u16),
    /// "double", "triple".
    Repeat(u8),
    /// "oh", a zero between digits.
    Oh,
    /// "and", within a quantity.
    And,
}

/// What `word` can be a part of. It is asked of every word that is said.
pub(super) fn numeral(word: &str) -> Numeral {
    let bytes = word.as_bytes();
    match bytes.first() {
        Some(first) if first.is_ascii_digit() => match bytes {
            [figure] => Numeral::Figure(figure - b'0'),
            _ if bytes.iter().all(u8::is_ascii_digit) => Numeral::Figures,
            _ => Numeral::None,
        },
        Some(b'a' | b'd' | b'e' | b'f' | b'h' | b'n' | b'o' | b's' | b't' | b'z') => named(word),
        _ => Numeral::None,
    }
}

fn named(word: &str) -> Numeral {
    match word {
        "eight" => Numeral::Digit(8),
        "four" => Numeral::Digit(4),
        "five" => Numeral::Digit(5),
        "nine" => Numeral::Digit(9),
        "one" => Numeral::Digit(1),
        "six" => Numeral::Digit(6),
        "seven" => Numeral::Digit(7),
        "two" => Numeral::Digit(2),
        "three" => Numeral::Digit(3),
        "zero" => Numeral::Digit(0),
        "and" => Numeral::And,
        "double" => Numeral::Repeat(2),
        "hundred" => Numeral::Scale(100),
        "oh" | "o" => Numeral::Oh,
        "thousand" => Numeral::Scale(1000),
        "triple" | "treble" => Numeral::Repeat(3),
        _ => tens(word),
    }
}

fn tens(word: &str) -> Numeral {
    match word {
        "eleven" => Numeral::Tens(11),
        "eighteen" => Numeral::Tens(18),
        "eighty" => Numeral::Tens(80),
        "fourteen" => Numeral::Tens(14),
        "fifteen" => Numeral::Tens(15),
        "forty" => Numeral::Tens(40),
        "fifty" => Numeral::Tens(50),
        "nineteen" => Numeral::Tens(19),
        "ninety" => Numeral::Tens(90),
        "sixteen" => Numeral::Tens(16),
        "seventeen" => Numeral::Tens(17),
        "sixty" => Numeral::Tens(60),
        "seventy" => Numeral::Tens(70),
        "ten" => Numeral::Tens(10),
        "twelve" => Numeral::Tens(12),
        "thirteen" => Numeral::Tens(13),
        "twenty" => Numeral::Tens(20),
        "thirty" => Numeral::Tens(30),
        _ => Numeral::None,
    }
}

impl Numeral {
    /// The word alone makes a number, or part of one.
    pub(super) const fn counts(self) -> bool {
        !matches!(self, Self::None | Self::Oh | Self::And)
    }

    /// One digit, said or written.
    pub(super) const fn digit(self) -> Option<u8> {
        match self {
            Self::Digit(digit) | Self::Figure(digit) => Some(digit),
            _ => None,
        }
    }

    /// A number below a hundred in letters.
    pub(super) const fn cardinal(self) -> Option<u64> {
        match self {
            Self::Digit(value) | Self::Tens(value) => Some(value as u64),
            _ => None,
        }
    }
}
