//! The phrase language: text → tree.
//!
//! ```text
//! withdraw          the word in any inflection        (a b|c)   alternatives
//! =worth            exactly this form                 word?     optional
//! @police           a named list                      <3>       up to 3 words of the sentence
//!                                                     <3.>      also over its end
//! ~police           also as it is misheard
//! #amount #number   what is said as a number, by its class
//! ```
//! Numbers and contractions are normalised as speech is: write "nine nine nine" or "don't" as said.

use super::suggest;
use super::words::{Word, words};

/// The most words that one gap may stand for.
pub const MAX_GAP: u8 = 12;

/// What is said as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Any number.
    Number,
    /// A number with a currency.
    Amount,
    /// A number of a hundred or more.
    Large,
    /// Figures that may be a code: three or more, no amount, quantity or time.
    Digits,
    /// Four digits, as a PIN has.
    Pin,
    /// Four to eight digits, as a one-time passcode has.
    Code,
    /// Six digits, as a British sort code has.
    SortCode,
    /// 13 to 19 digits, as a bank card has (ISO/IEC 7812-1).
    Card,
    /// A telephone number: 10 or 11 digits, or 12 with the country's code before them.
    Telephone,
    /// A time of day.
    Time,
}

impl Class {
    /// All classes, with the names that phrases use.
    pub const ALL: [(&str, Self); 10] = [
        ("number", Self::Number),
        ("amount", Self::Amount),
        ("large", Self::Large),
        ("digits", Self::Digits),
        ("pin", Self::Pin),
        ("code", Self::Code),
        ("sort-code", Self::SortCode),
        ("card", Self::Card),
        ("telephone", Self::Telephone),
        ("time", Self::Time),
    ];

    /// Whether `word` belongs to it.
    pub fn holds(self, word: &Word) -> bool {
        let digits = word.digits();
        let is =
            |wanted: std::ops::RangeInclusive<usize>| digits.is_some_and(|n| wanted.contains(&n));
        match self {
            Self::Number => word.is_number(),
            Self::Amount => word.is_amount && word.is_number(),
            Self::Large => word.value().is_some_and(|value| value >= 100),
            Self::Digits => is(3..=usize::MAX),
            Self::Pin => is(4..=4),
            Self::Code => is(4..=8),
            Self::SortCode => is(6..=6),
            Self::Card => is(13..=19),
            Self::Telephone => is(10..=12),
            Self::Time => word.is_time,
        }
    }
}

/// How far a gap goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// To the end of the sentence.
    Sentence,
    /// Over it.
    Beyond,
}

/// A parsed phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A word in any of its forms.
    Word(String),
    /// A word in just this form.
    Exact(String),
    /// A word in any of its forms, or what is misheard for it.
    Misheard(String),
    /// A number of this class.
    Class(Class),
    /// A named list.
    List(String),
    /// One after the other.
    Sequence(Vec<Node>),
    /// One of these.
    Choice(Vec<Node>),
    /// This or nothing.
    Optional(Box<Node>),
    /// Up to this many other words, of the same sentence or also of the next.
    Gap(u8, Reach),
}

/// Why a phrase could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct PatternError {
    /// Column in the phrase, from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub problem: String,
    /// What to write instead, where that can be told.
    pub help: Option<String>,
}

/// Reads a phrase.
///
/// # Errors
/// On an unknown sign, an unbalanced parenthesis, or a gap where a word must stand.
pub fn parse(phrase: &str) -> Result<Node, PatternError> {
    let mut parser = Parser { text: phrase, at: 0, depth: 0 };
    let node = parser.choice()?;
    parser.skip_space();
    match parser.peek() {
        None => Ok(node),
        Some(')') => Err(parser.error("')' without a '(' before it")),
        Some(c) => Err(parser.error(format!("'{c}' has no meaning here"))),
    }
}

/// Parentheses within parentheses; deeper nesting is a mistake, and would cost stack.
const MAX_DEPTH: u8 = 8;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: u8,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn skip_space(&mut self) {
        while let Some(c) = self.peek().filter(|c| c.is_whitespace()) {
            self.at += c.len_utf8();
        }
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn error(&self, problem: impl Into<String>) -> PatternError {
        let column = self.text[..self.at].chars().count() + 1;
        PatternError { column, problem: problem.into(), help: None }
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &str {
        let start = self.at;
        while let Some(c) = self.peek().filter(|c| wanted(*c)) {
            self.at += c.len_utf8();
        }
        &self.text[start..self.at]
    }

    fn choice(&mut self) -> Result<Node, PatternError> {
        let mut options = vec![self.sequence()?];
        while self.eat('|') {
            options.push(self.sequence()?);
        }
        Ok(one_or(options, Node::Choice))
    }

    fn sequence(&mut self) -> Result<Node, PatternError> {
        let mut items = Vec::new();
        loop {
            self.skip_space();
            match self.peek() {
                None | Some('|' | ')') => break,
                Some(_) => self.items(&mut items)?,
            }
        }
        if items.is_empty() {
            return Err(self.error("a word is missing here"));
        }
        if matches!(items.first(), Some(Node::Gap(..)))
            || matches!(items.last(), Some(Node::Gap(..)))
        {
            return Err(self.error("a gap must stand between words"));
        }
        Ok(one_or(items, Node::Sequence))
    }

    /// One item of a sequence; a run of plain words is several.
    fn items(&mut self, items: &mut Vec<Node>) -> Result<(), PatternError> {
        let node = match self.peek() {
            Some('(') => self.group()?,
            Some('@') => {
                self.at += 1;
                Node::List(self.name("a list's name")?)
            }
            Some('#') => self.class()?,
            Some('<') => self.gap()?,
            Some('=') => {
                self.at += 1;
                Node::Exact(self.name("a word")?)
            }
            Some('~') => {
                self.at += 1;
                Node::Misheard(self.name("a word")?)
            }
            Some(c) if c.is_alphanumeric() => return self.plain(items),
            Some(c) => return Err(self.error(format!("'{c}' has no meaning here"))),
            None => return Ok(()),
        };
        items.push(self.maybe_optional(node)?);
        Ok(())
    }

    fn maybe_optional(&mut self, node: Node) -> Result<Node, PatternError> {
        if !self.eat('?') {
            return Ok(node);
        }
        if matches!(node, Node::Gap(..)) {
            return Err(self.error("a gap is optional already: leave out the '?'"));
        }
        Ok(Node::Optional(Box::new(node)))
    }

    fn group(&mut self) -> Result<Node, PatternError> {
        if self.depth == MAX_DEPTH {
            return Err(self.error("parentheses nest more than eight deep"));
        }
        self.depth += 1;
        self.at += 1;
        let node = self.choice()?;
        if !self.eat(')') {
            return Err(self.error("a ')' is missing"));
        }
        self.depth -= 1;
        Ok(node)
    }

    fn name(&mut self, what: &str) -> Result<String, PatternError> {
        let name = self.take(|c| c.is_alphanumeric() || c == '-').to_lowercase();
        if name.is_empty() {
            return Err(self.error(format!("{what} is missing here")));
        }
        Ok(name)
    }

    fn class(&mut self) -> Result<Node, PatternError> {
        let wrong = self.error("");
        self.at += 1;
        let name = self.name("a class")?;
        match Class::ALL.iter().find(|(known, _)| *known == name) {
            Some((_, class)) => Ok(Node::Class(*class)),
            None => {
                let known = Class::ALL.map(|(known, _)| format!("#{known}")).join(", ");
                let help = suggest::nearest(&name, Class::ALL.map(|(known, _)| known));
                Err(PatternError {
                    problem: format!("no class '#{name}': there are {known}"),
                    help: help.map(|meant| format!("did you mean '#{meant}'?")),
                    ..wrong
                })
            }
        }
    }

    fn gap(&mut self) -> Result<Node, PatternError> {
        let wrong = self.error(format!("a gap is written <n>, with n from 1 to {MAX_GAP}"));
        self.at += 1;
        let digits = self.take(|c| c.is_ascii_digit()).to_owned();
        let words = digits.parse().ok().filter(|n| (1..=MAX_GAP).contains(n));
        let reach = if self.eat('.') { Reach::Beyond } else { Reach::Sentence };
        match (words, self.eat('>')) {
            (Some(words), true) => Ok(Node::Gap(words, reach)),
            _ => {
                // A number that is too large to be read was meant to be large.
                let meant = digits.parse().unwrap_or(MAX_GAP).clamp(1, MAX_GAP);
                let help = (!digits.is_empty()).then(|| format!("write <{meant}>"));
                Err(PatternError { help, ..wrong })
            }
        }
    }

    /// Plain words, up to the next sign: normalised together, so that "nine nine nine" is one.
    fn plain(&mut self, items: &mut Vec<Node>) -> Result<(), PatternError> {
        let is_plain =
            |c: char| c.is_alphanumeric() || c.is_whitespace() || matches!(c, '\'' | '’');
        let text = self.take(is_plain).to_owned();
        let mut nodes: Vec<Node> =
            words(&text).into_iter().map(|word| Node::Word(word.text.into())).collect();
        if self.peek() == Some('?')
            && let Some(last) = nodes.pop()
        {
            nodes.push(self.maybe_optional(last)?);
        }
        items.append(&mut nodes);
        Ok(())
    }
}

fn one_or(mut nodes: Vec<Node>, many: impl Fn(Vec<Node>) -> Node) -> Node {
    match nodes.len() {
        1 => nodes.remove(0),
        _ => many(nodes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Node {
        Node::Word(text.into())
    }

    #[test]
    fn every_sign_is_read() {
        let node = parse("withdraw <3> (cash|#amount|=notes) @safe please?");
        let expected = Node::Sequence(vec![
            word("withdraw"),
            Node::Gap(3, Reach::Sentence),
            Node::Choice(vec![
                word("cash"),
                Node::Class(Class::Amount),
                Node::Exact("notes".into()),
            ]),
            Node::List("safe".into()),
            Node::Optional(Box::new(word("please"))),
        ]);
        assert_eq!(node, Ok(expected));
    }

    #[test]
    fn words_are_normalised_as_speech_is() {
        assert_eq!(parse("dial nine nine nine"), parse("dial 999"));
        assert_eq!(parse("don't tell"), parse("do not tell"));
    }

    #[test]
    fn mistakes_name_the_column_and_the_remedy() {
        let problem = |phrase: &str| parse(phrase).map_err(|error| error.to_string());
        assert_eq!(problem("a (b|c"), Err("column 7: a ')' is missing".into()));
        assert_eq!(
            problem("a <99> b"),
            Err("column 3: a gap is written <n>, with n from 1 to 12".into())
        );
        assert_eq!(problem("<3> a"), Err("column 6: a gap must stand between words".into()));
        assert_eq!(problem("a ||"), Err("column 4: a word is missing here".into()));
        assert!(problem("#cards").is_err_and(|text| text.contains("#number, #amount, #large")));
        assert!(problem(&"(".repeat(5000)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = parse(&text);
        }
    }
}
