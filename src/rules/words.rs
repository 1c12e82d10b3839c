//! Text → words, as the rules see them: folded to lower case, contractions opened, numbers joined.
//!
//! Rules and speech go through the same normalisation, so that "nine nine nine", "999" and
//! "triple nine" are one word, "don't" is "do not", and "£3,000" is an amount however written.

use std::ops::Range;

/// One word of an utterance, after normalisation.
#[derive(Clone, PartialEq, Eq)]
pub struct Word {
    /// Lower-case text; a number in digits.
    pub text: String,
    /// The bytes of the original text that it came from.
    pub span: Range<usize>,
    /// A full stop, question or exclamation mark follows.
    pub ends_sentence: bool,
    /// A number with a currency.
    pub is_amount: bool,
}

/// Words never reach a log.
impl std::fmt::Debug for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[private]")
    }
}

impl Word {
    fn new(text: impl Into<String>, span: Range<usize>) -> Self {
        Self { text: text.into(), span, ends_sentence: false, is_amount: false }
    }

    /// The word is a number.
    pub fn is_number(&self) -> bool {
        self.value().is_some()
    }

    /// Its value, if it is a number: an ordinal or a time of day ("1st", "9am") is none.
    pub fn value(&self) -> Option<u64> {
        let is_digits = self.text.chars().all(|c| c.is_ascii_digit()) && !self.text.is_empty();
        is_digits.then(|| self.text.parse().unwrap_or(u64::MAX))
    }
}

/// Splits `text` into normalised words. Work and memory are linear in its length.
pub fn words(text: &str) -> Vec<Word> {
    let mut words = split(text);
    join_digits(&mut words);
    join_cardinals(&mut words);
    mark_amounts(&mut words, text);
    words
}

fn split(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::with_capacity(text.len() / 5 + 1);
    let mut rest = text.char_indices().peekable();
    while let Some((start, first)) = rest.next() {
        if !first.is_alphanumeric() {
            if matches!(first, '.' | '!' | '?' | '\n')
                && let Some(word) = words.last_mut()
            {
                word.ends_sentence = true;
            }
            continue;
        }
        let mut end = start + first.len_utf8();
        let mut previous = first;
        while let Some(&(at, c)) = rest.peek() {
            let after = text[at + c.len_utf8()..].chars().next();
            if !continues_word(previous, c, after) {
                break;
            }
            end = at + c.len_utf8();
            previous = c;
            rest.next();
        }
        push_folded(&mut words, &text[start..end], start..end);
    }
    words
}

/// Apostrophes join letters; commas and points join digits.
fn continues_word(previous: char, c: char, after: Option<char>) -> bool {
    match c {
        '\'' | '’' => previous.is_alphabetic() && after.is_some_and(char::is_alphabetic),
        ',' | '.' => previous.is_ascii_digit() && after.is_some_and(|c| c.is_ascii_digit()),
        _ => c.is_alphanumeric(),
    }
}

fn push_folded(words: &mut Vec<Word>, raw: &str, span: Range<usize>) {
    if raw.starts_with(|c: char| c.is_ascii_digit()) {
        let digits: String = raw.chars().filter(|&c| c != ',').collect();
        let whole = digits.split('.').next().unwrap_or(&digits);
        words.push(Word::new(whole.to_lowercase(), span));
        return;
    }
    let folded = raw.to_lowercase().replace('’', "'");
    let Some((stem, tail)) = folded.split_once('\'') else {
        let opened: &[&str] = if folded == "cannot" { &["can", "not"] } else { &[&folded] };
        words.extend(opened.iter().map(|part| Word::new(*part, span.clone())));
        return;
    };
    let opened: &[&str] = match (stem, tail) {
        ("won", "t") => &["will", "not"],
        ("can", "t") => &["can", "not"],
        ("shan", "t") => &["shall", "not"],
        (_, "t") => &[stem.strip_suffix('n').unwrap_or(stem), "not"],
        (_, "ll") => &[stem, "will"],
        (_, "re") => &[stem, "are"],
        (_, "ve") => &[stem, "have"],
        (_, "m") => &[stem, "am"],
        (_, "d") => &[stem, "would"],
        ("let", "s") => &["let", "us"],
        ("it" | "that" | "there" | "here" | "what" | "who" | "where" | "he" | "she", "s") => {
            &[stem, "is"]
        }
        // After other words "'s" is a possessive as often as "is": it says too little to keep.
        _ => &[stem],
    };
    words.extend(opened.iter().map(|part| Word::new(*part, span.clone())));
}

fn digit(word: &str) -> Option<char> {
    let position = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
        .iter()
        .position(|name| *name == word)?;
    char::from_digit(u32::try_from(position).ok()?, 10)
}

/// "nine nine nine", "triple nine", "one five nine", "9 9 9" → one word of digits.
fn join_digits(words: &mut Vec<Word>) {
    let mut joined: Vec<Word> = Vec::with_capacity(words.len());
    let mut at = 0;
    while at < words.len() {
        let (digits, used) = digit_run(&words[at..]);
        if digits.len() < 2 {
            joined.push(words[at].clone());
            at += 1;
            continue;
        }
        let span = words[at].span.start..words[at + used - 1].span.end;
        let mut word = Word::new(digits, span);
        word.ends_sentence = words[at + used - 1].ends_sentence;
        joined.push(word);
        at += used;
    }
    *words = joined;
}

/// The most digits that are joined to one number: a card has 16, an IBAN some 30.
const MOST_DIGITS: usize = 32;

/// The digits at the head of `words`, and how many words they took.
fn digit_run(words: &[Word]) -> (String, usize) {
    let mut digits = String::new();
    let mut used = 0;
    while let Some(word) = words.get(used).filter(|_| digits.len() < MOST_DIGITS) {
        let after = words.get(used + 1).map_or("", |word| word.text.as_str());
        let next = single_digit(after);
        // "ring nine nine nine, one of us will answer": a pronoun, not a digit.
        if word.text == "one" && digits.len() >= 3 && next.is_none() {
            break;
        }
        match (word.text.as_str(), next) {
            ("double", Some(d)) => digits.extend([d, d]),
            ("triple" | "treble", Some(d)) => digits.extend([d, d, d]),
            // "oh" is a zero only between digits: alone it is a sigh.
            ("oh" | "o", _) if used > 0 && (next.is_some() || matches!(after, "oh" | "o")) => {
                digits.push('0');
                used += 1;
                continue;
            }
            (text, _) => {
                let Some(d) = single_digit(text) else { break };
                digits.push(d);
                used += 1;
                if word.ends_sentence {
                    break;
                }
                continue;
            }
        }
        used += 2;
        if words[used - 1].ends_sentence {
            break;
        }
    }
    (digits, used)
}

fn single_digit(text: &str) -> Option<char> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) if c.is_ascii_digit() => Some(c),
        _ => digit(text),
    }
}

fn cardinal(word: &str) -> Option<u64> {
    const TEENS: [&str; 10] = [
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 8] =
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    let place = |names: &[&str]| names.iter().position(|name| *name == word).map(|i| i as u64);
    if let Some(d) = digit(word) {
        return d.to_digit(10).map(u64::from);
    }
    place(&TEENS).map(|i| 10 + i).or_else(|| place(&TENS).map(|i| 20 + 10 * i))
}

/// "two thousand four hundred" → "2400", "eight hundred and fifty" → "850", "forty two" → "42".
///
/// A lone "one" stays a word: it is a pronoun more often than a number.
fn join_cardinals(words: &mut Vec<Word>) {
    let mut joined: Vec<Word> = Vec::with_capacity(words.len());
    let mut at = 0;
    while at < words.len() {
        match cardinal_run(&words[at..]) {
            Some((value, used)) if used > 1 || words[at].text != "one" => {
                let span = words[at].span.start..words[at + used - 1].span.end;
                let mut word = Word::new(value.to_string(), span);
                word.ends_sentence = words[at + used - 1].ends_sentence;
                joined.push(word);
                at += used;
            }
            _ => {
                joined.push(words[at].clone());
                at += 1;
            }
        }
    }
    *words = joined;
}

/// The cardinal number at the head of `words`, and how many words it took.
fn cardinal_run(words: &[Word]) -> Option<(u64, usize)> {
    let (mut total, mut part, mut used) = (0_u64, None::<u64>, 0);
    while let Some(word) = words.get(used) {
        let text = word.text.as_str();
        match (cardinal(text), part) {
            (Some(value), None) => part = Some(value),
            (Some(value), Some(so_far)) if fits_after(so_far, value) => {
                part = Some(so_far.saturating_add(value))
            }
            (Some(_), Some(_)) => break,
            (None, Some(so_far)) if text == "hundred" => part = Some(so_far.saturating_mul(100)),
            (None, Some(so_far)) if text == "thousand" && total == 0 => {
                total = so_far.saturating_mul(1000);
                part = Some(0);
            }
            (None, Some(so_far))
                if text == "and" && so_far % 100 == 0 && so_far.saturating_add(total) >= 100 =>
            {
                let next = words.get(used + 1).and_then(|w| cardinal(&w.text));
                if next.is_none() {
                    break;
                }
            }
            (None, None) if matches!(text, "hundred" | "thousand") && used == 0 => {
                part = Some(if text == "hundred" { 100 } else { 1000 });
            }
            (None, Some(0)) if total == 0 => break,
            (None, _) => {
                let Some(value) = digits_before_scale(words, used) else { break };
                part = Some(value);
            }
        }
        used += 1;
        if word.ends_sentence {
            break;
        }
    }
    part.map(|part| (total.saturating_add(part), used))
}

/// "5 thousand", "3 hundred": digits that a scale word follows.
fn digits_before_scale(words: &[Word], used: usize) -> Option<u64> {
    let scale = words.get(used + 1)?.text.as_str();
    if used != 0 || !matches!(scale, "hundred" | "thousand") {
        return None;
    }
    words[used].text.parse().ok().filter(|value| *value < 1_000_000)
}

/// Whether `value` can follow `so_far` in one number: "twenty" "five", "three hundred" "ten".
const fn fits_after(so_far: u64, value: u64) -> bool {
    let units = so_far % 100;
    (units == 0 && (so_far >= 100 || so_far == 0))
        || (units >= 20 && units.is_multiple_of(10) && value < 10)
}

fn mark_amounts(words: &mut [Word], text: &str) {
    for at in 0..words.len() {
        let before = text[..words[at].span.start].chars().next_back();
        let next = words.get(at + 1).map(|word| word.text.as_str());
        let currency = matches!(
            next,
            Some("pound" | "pounds" | "quid" | "euro" | "euros" | "dollar" | "dollars" | "grand")
        );
        if words[at].is_number() && (currency || matches!(before, Some('£' | '€' | '$'))) {
            words[at].is_amount = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        words(text).iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn contractions_open_and_case_folds() {
        assert_eq!(folded("Don't TELL them we'll ring"), "do not tell them we will ring");
        assert_eq!(folded("It’s the bank's van, can’t wait"), "it is the bank van can not wait");
        assert_eq!(folded("You cannot, let's not"), "you can not let us not");
    }

    #[test]
    fn digits_said_one_by_one_become_one_number() {
        assert_eq!(folded("dial nine nine nine now"), "dial 999 now");
        assert_eq!(folded("triple nine or one five nine."), "999 or 159");
        assert_eq!(folded("oh dear, oh seven double four"), "oh dear oh 744");
        assert_eq!(folded("9 9 9"), "999");
        assert_eq!(folded("ring nine nine nine, one of us answers"), "ring 999 one of us answers");
        assert_eq!(folded("one eight oh oh oh"), "1800 oh");
        assert_eq!(folded(&"nine ".repeat(100)).split(' ').next().map(str::len), Some(32));
    }

    #[test]
    fn cardinals_become_digits() {
        assert_eq!(folded("two thousand four hundred pounds"), "2400 pounds");
        assert_eq!(folded("eight hundred and fifty pounds"), "850 pounds");
        assert_eq!(folded("forty two and three"), "42 and 3");
        assert_eq!(folded("five thousand"), "5000");
        let huge = format!("{}thousand five hundred and five", "hundred ".repeat(12));
        assert!(folded(&huge).len() > 3);
        assert_eq!(folded("5 thousand"), "5000");
        assert_eq!(folded("a thousand pounds"), "a 1000 pounds");
        assert_eq!(folded("one of us"), "one of us");
        assert_eq!(folded("six digit code"), "6 digit code");
        assert_eq!(folded("three hundred and ten"), "310");
    }

    #[test]
    fn amounts_are_recognised_with_sign_or_word() {
        let amounts = |text: &str| words(text).iter().filter(|word| word.is_amount).count();
        assert_eq!(amounts("£3,000 today"), 1);
        assert_eq!(amounts("three thousand pounds"), 1);
        assert_eq!(amounts("£39.99 or forty quid"), 2);
        assert_eq!(amounts("room 101 at nine"), 0);
    }

    #[test]
    fn sentences_end_where_the_punctuation_says() {
        let ends: Vec<_> = words("Stop. Go, now!").iter().map(|word| word.ends_sentence).collect();
        assert_eq!(ends, [true, false, true]);
    }

    #[test]
    fn spans_point_into_the_original_text() {
        let text = "Ring nine nine nine, please";
        let number = words(text).into_iter().find(Word::is_number).map(|word| word.span);
        assert_eq!(number.map(|span| &text[span]), Some("nine nine nine"));
    }
}
