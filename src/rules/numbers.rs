//! Numbers as people say them: digit by digit, as quantities, in groups, with a currency.

use compact_str::{CompactString, ToCompactString};

use super::word::{Numeral, Word};

/// Joins the numbers among `words[from..]`, and marks amounts and times.
pub(super) fn join(words: &mut Vec<Word>, from: usize) {
    if words[from..].iter().any(|word| word.numeral.counts()) {
        let mut tail: Vec<Word> = words.drain(from..).collect();
        tail = rebuilt(tail, digits);
        tail = rebuilt(tail, cardinals);
        tail = rebuilt(tail, groups);
        words.append(&mut tail);
        mark(words, from);
    }
}

/// Marks the amounts and times among `words[from..]`, by what stands around them.
pub(super) fn mark(words: &mut [Word], from: usize) {
    mark_amounts(words, from);
    mark_times(words, from);
}

/// The words at the end that the next utterance may turn into another number: "two thousand |
/// four hundred", "999 | pounds".
pub(super) fn open_end(words: &[Word]) -> usize {
    /// A card has 16 digits.
    const MOST: usize = 24;
    let mut open = words.len();
    while open > 0
        && words.len() - open < MOST
        && words[open - 1].numeral != Numeral::None
        && !words[open - 1].ends_sentence
    {
        open -= 1;
    }
    open
}

/// Whether a word can go on the number before it, or turn it into an amount or a time.
pub(super) fn goes_on(word: &Word) -> bool {
    word.numeral != Numeral::None || is_currency(&word.text) || is_clock(&word.text)
}

/// Runs of words replaced by what `run` makes of them: a word, and how many it took.
fn rebuilt(words: Vec<Word>, run: impl Fn(&[Word]) -> Option<(Word, usize)>) -> Vec<Word> {
    let mut joined: Vec<Word> = Vec::with_capacity(words.len());
    let mut at = 0;
    while at < words.len() {
        match run(&words[at..]) {
            Some((mut word, used)) => {
                word.span = words[at].span.start..words[at + used - 1].span.end;
                word.ends_sentence = words[at + used - 1].ends_sentence;
                word.is_amount = words[at..at + used].iter().any(|part| part.is_amount);
                joined.push(word);
                at += used;
            }
            None => {
                joined.push(words[at].clone());
                at += 1;
            }
        }
    }
    joined
}

/// The most digits that are joined to one number: a card has 16, an IBAN some 30.
const MOST_DIGITS: usize = 32;

/// "nine nine nine", "triple nine", "one five nine", "9 9 9" → one word of digits.
fn digits(words: &[Word]) -> Option<(Word, usize)> {
    let mut digits = CompactString::default();
    let mut used = 0;
    while let Some(word) = words.get(used).filter(|_| digits.len() < MOST_DIGITS) {
        let after = words.get(used + 1).map_or(Numeral::None, |word| word.numeral);
        // "ring nine nine nine, one of us will answer": a pronoun, not a digit.
        if word.numeral == Numeral::Digit(1) && digits.len() >= 3 && after.digit().is_none() {
            break;
        }
        let taken = match (word.numeral, after.digit()) {
            (Numeral::Repeat(times), Some(digit)) => {
                (0..times).for_each(|_| digits.push(char::from(b'0' + digit)));
                2
            }
            // "oh" is a zero only between digits: alone it is a sigh.
            (Numeral::Oh, next) if used > 0 && (next.is_some() || after == Numeral::Oh) => {
                digits.push('0');
                1
            }
            (numeral, _) => {
                let Some(digit) = numeral.digit() else { break };
                digits.push(char::from(b'0' + digit));
                1
            }
        };
        used += taken;
        if words[used - 1].ends_sentence {
            break;
        }
    }
    (digits.len() >= 2).then(|| (Word::new(digits, 0..0), used))
}

/// "two thousand four hundred" → "2400", "eight hundred and fifty" → "850", "forty two" → "42".
///
/// A lone "one" stays a word: it is a pronoun more often than a number.
fn cardinals(words: &[Word]) -> Option<(Word, usize)> {
    if !words[0].numeral.counts() {
        return None;
    }
    let (value, used) = cardinal_run(words)?;
    if used == 1 && words[0].numeral == Numeral::Digit(1) {
        return None;
    }
    let mut word = Word::new(value.to_compact_string(), 0..0);
    word.is_quantity = true;
    Some((word, used))
}

/// The cardinal number at the head of `words`, and how many words it took.
fn cardinal_run(words: &[Word]) -> Option<(u64, usize)> {
    let (mut total, mut part, mut used) = (0_u64, None::<u64>, 0);
    while let Some(word) = words.get(used) {
        match (word.numeral, word.numeral.cardinal(), part) {
            (_, Some(value), None) => part = Some(value),
            (_, Some(value), Some(so_far)) if fits_after(so_far, value) => {
                part = Some(so_far.saturating_add(value));
            }
            (_, Some(_), Some(_)) => break,
            (Numeral::Scale(100), _, Some(so_far)) => part = Some(so_far.saturating_mul(100)),
            (Numeral::Scale(1000), _, Some(so_far)) if total == 0 => {
                total = so_far.saturating_mul(1000);
                part = Some(0);
            }
            (Numeral::And, _, Some(so_far))
                if so_far % 100 == 0 && so_far.saturating_add(total) >= 100 =>
            {
                if words.get(used + 1).and_then(|next| next.numeral.cardinal()).is_none() {
                    break;
                }
            }
            (Numeral::Scale(scale), _, None) if used == 0 => part = Some(u64::from(scale)),
            (_, _, Some(0)) if total == 0 => break,
            _ => {
                let Some(value) = figures_before_scale(words, used) else { break };
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

/// "5 thousand", "3 hundred": figures that a scale word follows.
fn figures_before_scale(words: &[Word], used: usize) -> Option<u64> {
    let scale = words.get(used + 1)?.numeral;
    if used != 0 || !matches!(scale, Numeral::Scale(_)) {
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

/// "07700 900123", "4526 1234 5678 9012", "20 45 67" → one number: a telephone number, a card, a
/// sort code. Other numbers that stand side by side stay apart.
fn groups(words: &[Word]) -> Option<(Word, usize)> {
    let mut run = 0;
    while run < words.len() && run < 6 && words[run].is_number() && !words[run].is_amount {
        run += 1;
        if words[run - 1].ends_sentence {
            break;
        }
    }
    let parts = &words[..run];
    let used = (2..=run).rev().find(|used| is_one_number(&parts[..*used]))?;
    let mut text = CompactString::default();
    parts[..used].iter().for_each(|part| text.push_str(&part.text));
    Some((Word::new(text, 0..0), used))
}

fn is_one_number(parts: &[Word]) -> bool {
    let digits: usize = parts.iter().map(|part| part.text.len()).sum();
    let all = |length: usize| parts.iter().all(|part| part.text.len() == length);
    let is_telephone = parts[0].text.starts_with('0') && matches!(digits, 10 | 11);
    let is_card = (13..=19).contains(&digits) && parts[1..].iter().all(|p| p.text.len() >= 3);
    is_telephone || is_card || (parts.len() == 3 && all(2))
}

fn is_currency(word: &str) -> bool {
    matches!(
        word,
        "pound" | "pounds" | "quid" | "euro" | "euros" | "dollar" | "dollars" | "grand" | "bucks"
    )
}

fn is_clock(word: &str) -> bool {
    matches!(word, "oclock" | "am" | "pm")
}

fn mark_amounts(words: &mut [Word], from: usize) {
    for at in from..words.len() {
        let next = words.get(at + 1).is_some_and(|word| is_currency(&word.text));
        if next && words[at].is_number() {
            words[at].is_amount = true;
        }
    }
}

fn mark_times(words: &mut [Word], from: usize) {
    for at in from..words.len() {
        if words[at].is_amount || words[at].value().is_none_or(|value| value > 24) {
            continue;
        }
        let next = words.get(at + 1).is_some_and(|word| is_clock(&word.text));
        let said = |back: usize, any: &[&str]| {
            at.checked_sub(back).is_some_and(|at| any.contains(&words[at].text.as_str()))
        };
        if next || (said(1, &["past", "to"]) && said(2, &["half", "quarter", "5", "10", "20"])) {
            words[at].is_time = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::words;
    use super::Word;

    fn folded(text: &str) -> String {
        words(text).iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
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
    fn groups_of_figures_become_one_number() {
        assert_eq!(folded("07700 900 123"), "07700900123");
        assert_eq!(folded("it is 4526 1234 5678 9012 thanks"), "it is 4526123456789012 thanks");
        assert_eq!(folded("20-45-67"), "204567");
        assert_eq!(folded("12 34 today"), "12 34 today");
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
    fn quantities_amounts_and_times_are_no_codes() {
        let codes = |text: &str| words(text).iter().filter_map(Word::digits).collect::<Vec<_>>();
        assert_eq!(codes("the code is four one double seven"), [4]);
        assert!(codes("£4,177 or 4177 pounds, forty two of them").is_empty());
    }
}
