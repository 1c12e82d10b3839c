//! Text → words, as the rules see them: folded to lower case, contractions opened, numbers joined.
//!
//! Rules and speech go through the same normalisation, so that "nine nine nine", "999" and
//! "triple nine" are one word, "don't" is "do not", and "£3,000" is an amount however written.

use std::ops::Range;

use compact_str::CompactString;

use super::numbers;
pub use super::word::Word;

/// Splits `text` into normalised words. Work and memory are linear in its length.
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::with_capacity(text.len() / 5 + 1);
    split(text, &mut words);
    numbers::join(&mut words, 0);
    words
}

/// Adds the words of `text`, their numbers not joined yet.
pub(super) fn split(text: &str, words: &mut Vec<Word>) {
    let first = words.len();
    let mut at = 0;
    while let Some(start) = next_word(text, at, &mut words[first..]) {
        let end = end_of_word(text, start);
        push_folded(words, text, start..end);
        at = end;
    }
}

/// Where the next word begins; a sign that ends a sentence on the way is noted.
fn next_word(text: &str, from: usize, words: &mut [Word]) -> Option<usize> {
    for (at, c) in text[from..].char_indices() {
        if c.is_alphanumeric() {
            return Some(from + at);
        }
        if matches!(c, '.' | '!' | '?' | '\n')
            && let Some(word) = words.last_mut()
        {
            word.ends_sentence = true;
        }
    }
    None
}

fn end_of_word(text: &str, start: usize) -> usize {
    let mut previous = ' ';
    let mut rest = text[start..].char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        let after = rest.peek().map(|(_, c)| *c);
        if at > 0 && !continues_word(previous, c, after) {
            return start + at;
        }
        previous = c;
    }
    text.len()
}

/// Apostrophes join letters; commas, points and colons join digits.
fn continues_word(previous: char, c: char, after: Option<char>) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        '\'' | '’' => previous.is_alphabetic() && after.is_some_and(char::is_alphabetic),
        ',' | '.' | ':' => previous.is_ascii_digit() && after.is_some_and(|c| c.is_ascii_digit()),
        _ => c.is_alphanumeric(),
    }
}

/// The bytes of a word that are looked at; a longer one is noise.
const MAX_WORD: usize = 64;

fn push_folded(words: &mut Vec<Word>, text: &str, span: Range<usize>) {
    let raw = &text[span.clone()];
    let raw = &raw[..raw.floor_char_boundary(MAX_WORD)];
    if raw.starts_with(|c: char| c.is_ascii_digit()) {
        let before = text[..span.start].chars().next_back();
        let mut word = figures(raw, span);
        word.is_amount = word.is_number() && matches!(before, Some('£' | '€' | '$'));
        words.push(word);
        return;
    }
    let folded = fold(raw);
    let Some((stem, tail)) = folded.split_once('\'') else {
        match without_apostrophe(&folded) {
            Some(opened) => words.extend(opened.map(|part| Word::new(part, span.clone()))),
            None => words.push(Word::new(folded, span)),
        }
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
        ("o", "clock") => &["oclock"],
        ("ma", "am") => &["madam"],
        ("it" | "that" | "there" | "here" | "what" | "who" | "where" | "he" | "she", "s") => {
            &[stem, "is"]
        }
        // After other words "'s" is a possessive as often as "is": it says too little to keep.
        _ => &[stem],
    };
    words.extend(opened.iter().map(|part| Word::new(*part, span.clone())));
}

/// Contractions as recognisers write them that know no apostrophe. "ill", "well", "its" and "were"
/// are words of their own.
fn without_apostrophe(word: &str) -> Option<[&str; 2]> {
    Some(match word {
        "cannot" | "cant" => ["can", "not"],
        "wont" => ["will", "not"],
        "dont" | "doesnt" | "didnt" | "isnt" | "wasnt" | "arent" | "werent" | "havent"
        | "hasnt" | "hadnt" | "couldnt" | "shouldnt" | "wouldnt" | "mustnt" | "neednt" => {
            [&word[..word.len() - 2], "not"]
        }
        "im" => ["i", "am"],
        "ive" | "youve" | "weve" | "theyve" => [&word[..word.len() - 2], "have"],
        "youre" | "theyre" => [&word[..word.len() - 2], "are"],
        "youll" | "theyll" => [&word[..word.len() - 2], "will"],
        "thats" | "whats" | "theres" | "heres" => [&word[..word.len() - 1], "is"],
        _ => return None,
    })
}

fn fold(raw: &str) -> CompactString {
    if raw.is_ascii() {
        let mut folded = CompactString::new(raw);
        folded.make_ascii_lowercase();
        return folded;
    }
    CompactString::from(raw.to_lowercase().replace('’', "'"))
}

/// A word that begins with a figure: "3,000" is 3000, "39.99" is 39, "15:30" and "9am" are times.
fn figures(raw: &str, span: Range<usize>) -> Word {
    let is_time = raw.contains(':')
        || (raw.len() <= 4 && (raw.ends_with("am") || raw.ends_with("pm")))
        || (raw.len() <= 4 && (raw.ends_with("AM") || raw.ends_with("PM")));
    let mut text = CompactString::with_capacity(raw.len());
    for c in raw.chars().take_while(|c| *c != '.').filter(|c| *c != ',') {
        text.extend(c.to_lowercase());
    }
    Word { is_time, ..Word::new(text, span) }
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
        assert_eq!(folded("dont tell, ive said it wont"), "do not tell i have said it will not");
        assert_eq!(folded("it was well, its ill"), "it was well its ill");
        assert_eq!(folded("ÉCOLE Straße"), "école straße");
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

    #[test]
    fn times_are_no_numbers_of_money_or_codes() {
        for text in ["9am", "15:30", "three o'clock", "half past 4", "quarter to nine", "at 7 pm"] {
            let words = words(text);
            assert!(words.iter().any(|word| word.is_time), "{text}");
            assert!(words.iter().all(|word| word.digits().is_none()), "{text}");
        }
    }
}
