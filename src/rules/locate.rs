//! Where in the text of a pack a problem stands: its place as bytes.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Place;

/// The text of a pack, in which places are looked up.
pub struct Located<'a> {
    text: &'a str,
    table: Spanned<DeTable<'a>>,
}

impl<'a> Located<'a> {
    /// Reads the text as far as it can be read.
    pub fn new(text: &'a str) -> Self {
        Self { text, table: DeTable::parse_recoverable(text).0 }
    }

    /// The bytes of a place. What is not there (a key that is missing) is its table; what is
    /// nowhere is the beginning of the file.
    pub fn span(&self, place: &Place) -> Range<usize> {
        if let Some((_, span)) = &place.syntax {
            return self.within(span.clone());
        }
        let Some(table) = self.table.get_ref().get(place.table) else { return 0..0 };
        let (mut found, mut span) = match table.get_ref() {
            DeValue::Array(tables) => match tables.get(place.index) {
                Some(one) => (one, one.span()),
                None => (table, table.span()),
            },
            DeValue::Table(named) if !place.name.is_empty() => {
                match named.get_key_value(place.name.as_str()) {
                    Some((key, value)) => (value, key.span()),
                    None => (table, table.span()),
                }
            }
            _ => (table, table.span()),
        };
        for key in place.key.split('.').filter(|key| !key.is_empty()) {
            match found.get_ref().as_table().and_then(|table| table.get(key)) {
                Some(value) => (found, span) = (value, value.span()),
                None => return span,
            }
        }
        let item = place.item.and_then(|item| found.get_ref().as_array()?.get(item));
        if let Some(item) = item {
            span = item.span();
        }
        match place.column {
            Some(column) => self.column(span, column),
            None => span,
        }
    }

    /// The line and the column of a byte, both from 1, the column in characters.
    pub fn line_and_column(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(at)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    fn within(&self, span: Range<usize>) -> Range<usize> {
        let start = self.text.floor_char_boundary(span.start);
        start..self.text.ceil_char_boundary(span.end).max(start)
    }

    /// The word at a column of the value of a string, found in the literal that stands for it.
    fn column(&self, literal: Range<usize>, column: usize) -> Range<usize> {
        let literal = self.within(literal);
        let raw = &self.text[literal.clone()];
        if !raw.starts_with(['"', '\'']) {
            return literal;
        }
        let value = Letters::of(raw);
        let letters: Vec<(usize, char)> = value.collect();
        let Some(&(start, first)) = letters.get(column - 1) else {
            // Something is missing at the end: the closing quote is shown.
            return self.within(literal.end.saturating_sub(1)..literal.end);
        };
        let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '-' | '\'');
        let rest = &letters[column..];
        let length = match first {
            '<' => rest.iter().position(|(_, c)| *c == '>').map_or(0, |at| at + 1),
            '(' | ')' | '|' | '?' => 0,
            _ => rest.iter().position(|(_, c)| !goes_on(*c)).unwrap_or(rest.len()),
        };
        let end = rest.get(length).map_or_else(
            || raw.trim_end_matches(['"', '\'']).len().max(start + first.len_utf8()),
            |(end, _)| *end,
        );
        self.within(literal.start + start..literal.start + end)
    }
}

/// The characters of a string's value, with the bytes of the literal at which they stand.
struct Letters<'a> {
    literal: &'a str,
    at: usize,
    end: usize,
    has_escapes: bool,
}

impl<'a> Letters<'a> {
    fn of(literal: &'a str) -> Self {
        let quotes =
            if literal.starts_with("\"\"\"") || literal.starts_with("'''") { 3 } else { 1 };
        let line_end = if literal[quotes.min(literal.len())..].starts_with("\r\n") { 2 } else { 1 };
        let is_broken = quotes == 3 && literal[3..].starts_with(['\n', '\r']);
        let at = quotes + if is_broken { line_end } else { 0 };
        let end = literal.len().saturating_sub(quotes).max(at);
        Self { literal, at, end, has_escapes: literal.starts_with('"') }
    }

    /// How many bytes stand for the character at the beginning of `rest`, and which it is; none
    /// where a line goes on after a backslash.
    fn escaped(rest: &str) -> (usize, Option<char>) {
        let hex = |digits: usize| {
            let code = rest.get(2..2 + digits).and_then(|text| u32::from_str_radix(text, 16).ok());
            (2 + digits, code.and_then(char::from_u32))
        };
        match rest.chars().nth(1) {
            Some('x') => hex(2),
            Some('u') => hex(4),
            Some('U') => hex(8),
            Some('t') => (2, Some('\t')),
            Some('n') => (2, Some('\n')),
            Some(c) if c.is_whitespace() => (rest.len() - rest[1..].trim_start().len(), None),
            Some(c) => (1 + c.len_utf8(), Some(c)),
            None => (1, None),
        }
    }
}

impl Iterator for Letters<'_> {
    type Item = (usize, char);

    fn next(&mut self) -> Option<Self::Item> {
        while self.at < self.end {
            let (start, rest) = (self.at, self.literal.get(self.at..self.end)?);
            let first = rest.chars().next()?;
            let (length, letter) = match first {
                '\\' if self.has_escapes => Self::escaped(rest),
                c => (c.len_utf8(), Some(c)),
            };
            self.at += length;
            if let Some(letter) = letter {
                return Some((start, letter));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
[pack]
id = "p"
[lists]
police = ["met", "yard"]
[stages.hook]
cap = 3
[[rule]]
id = "p.a"
phrases = [
  "one", # a remark
  "caf\u00e9 <40> \"x\" @polise end",
]
[[rule]]
id = "p.é"
phrases = ['a <40>', "two ("]
[rule.sequence]
steps = ["hook", "none"]
"#;

    fn shown(place: &Place) -> &'static str {
        &TEXT[Located::new(TEXT).span(place)]
    }

    #[test]
    fn tables_keys_items_and_columns_are_found() {
        let rule = Place::nth("rule", 0, "p.a");
        assert_eq!(shown(&rule), "[[rule]]");
        assert_eq!(shown(&rule.key("id")), "\"p.a\"");
        assert_eq!(shown(&rule.key("weight")), "[[rule]]");
        assert_eq!(shown(&rule.item("phrases", 0, "")), "\"one\"");
        assert_eq!(shown(&rule.item("phrases", 1, "").column(6)), "<40>");
        assert_eq!(shown(&rule.item("phrases", 1, "").column(15)), "@polise");
        assert_eq!(shown(&rule.item("phrases", 1, "").column(23)), "end");
        let rule = Place::nth("rule", 1, "p.é");
        assert_eq!(shown(&rule.item("phrases", 0, "").column(3)), "<40>");
        assert_eq!(shown(&rule.item("phrases", 1, "").column(6)), "\"");
        assert_eq!(shown(&rule.item("sequence.steps", 1, "")), "\"none\"");
        assert_eq!(shown(&Place::named("lists", "police")), "police");
        assert_eq!(shown(&Place::named("lists", "police").item("", 1, "")), "\"yard\"");
        assert_eq!(shown(&Place::named("stages", "hook").key("cap")), "3");
        assert_eq!(shown(&Place::named("stages", "none")), "stages");
        assert_eq!(shown(&Place::named("pack", "").key("id")), "\"p\"");
        assert_eq!(shown(&Place::default()), "");
    }

    #[test]
    fn lines_and_columns_count_from_one() {
        let located = Located::new(TEXT);
        let at = TEXT.find("p.é").expect("there");
        assert_eq!(located.line_and_column(at), (15, 7));
        assert_eq!(located.line_and_column(0), (1, 1));
    }

    #[test]
    fn a_literal_of_several_lines_is_read_as_toml_reads_it() {
        let letters = |literal| Letters::of(literal).map(|(_, c)| c).collect::<String>();
        assert_eq!(letters("\"\"\"\nab \\\n   c\\td\"\"\""), "ab c\td");
        assert_eq!(letters("'''\r\na\\b'''"), "a\\b");
        assert_eq!(letters("\"\\U0001F600\\x41\""), "\u{1F600}A");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[a\"'\\\\u0-9é\\n=\\[\\]]{0,30}", column in 1_usize..20) {
            let text = format!("[[rule]]\nphrases = [{text}]");
            let located = Located::new(&text);
            let place = Place::nth("rule", 0, "").item("phrases", 0, "").column(column);
            proptest::prop_assert!(text.get(located.span(&place)).is_some());
        }
    }
}
