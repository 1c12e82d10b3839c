//! What is wrong with rule packs: every problem has a code, a place, and says what to do.

use std::fmt;
use std::ops::Range;

/// The kinds of problem: errors (E…), with which a pack does not load, and warnings (W…). The codes
/// are documented in `docs/rules.md` and never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// Not TOML, an unknown key, or a value of the wrong kind.
    Syntax,
    /// A phrase that cannot be read.
    Phrase,
    /// A phrase that cannot be compiled: an unknown list, nothing that must be said, too long.
    Unmatchable,
    /// A value out of its bounds.
    Value,
    /// Two things of one name.
    Duplicate,
    /// A reference to a rule, stage, group or signal that there is not.
    Unknown,
    /// An example that its rule contradicts.
    Example,
    /// A phrase that is tried on nearly every utterance.
    Slow,
    /// Two rules of one stage that find the same.
    Overlap,
    /// A phrase, or part of one, that can never be heard.
    Never,
    /// A phrase that no example of its rule contains.
    Untested,
    /// Too few examples.
    FewExamples,
    /// Nothing says where a phrase is documented, or in which honest calls it is said.
    Undocumented,
    /// A phrase for which one word is enough.
    LoneWord,
    /// A list that no phrase uses.
    UnusedList,
    /// Words with which a scammer can silence rules.
    Evasion,
    /// A local override of nothing.
    IdleOverride,
    /// A phrase of one word that may be misheard.
    TolerantWord,
}

impl Code {
    /// The code as it is printed and looked up.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syntax => "E01",
            Self::Phrase => "E02",
            Self::Unmatchable => "E03",
            Self::Value => "E04",
            Self::Duplicate => "E05",
            Self::Unknown => "E06",
            Self::Example => "E07",
            Self::Slow => "W01",
            Self::Overlap => "W02",
            Self::Never => "W03",
            Self::Untested => "W04",
            Self::FewExamples => "W05",
            Self::Undocumented => "W06",
            Self::LoneWord => "W07",
            Self::UnusedList => "W08",
            Self::Evasion => "W09",
            Self::IdleOverride => "W10",
            Self::TolerantWord => "W11",
        }
    }

    /// It keeps no pack from loading.
    pub fn is_warning(self) -> bool {
        self >= Self::Slow
    }
}

/// Where in a pack something stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The table: `rule`, `cue`, `suppression`, `override` (arrays), `lists`, `stages`, `groups`
    /// (tables), `pack`, `pretext`; empty for the whole file.
    pub table: &'static str,
    /// Which one of an array, counted from 0 within the file.
    pub index: usize,
    /// The rule's id, the cue's title, or the list's, stage's or group's name.
    pub name: String,
    /// The key in it, with a full stop before the key of a table in it; empty for the whole of it.
    pub key: &'static str,
    /// Which item of the key's array, from 0.
    pub item: Option<usize>,
    /// The column in the value, from 1, in characters.
    pub column: Option<usize>,
    /// The text of the item, where it helps those who do not have the file before them.
    pub quote: String,
    /// The line, from 1, and the bytes, of what has no other place: a mistake of syntax.
    pub syntax: Option<(usize, Range<usize>)>,
}

impl Place {
    /// The `index`-th of an array of tables.
    pub(super) fn nth(table: &'static str, index: usize, name: &str) -> Self {
        Self { table, index, name: name.to_owned(), ..Self::default() }
    }

    /// A table of its own name.
    pub(super) fn named(table: &'static str, name: &str) -> Self {
        Self::nth(table, 0, name)
    }

    /// A key of it.
    pub(super) fn key(&self, key: &'static str) -> Self {
        Self { key, ..self.clone() }
    }

    /// An item of a key of it.
    pub(super) fn item(&self, key: &'static str, item: usize, quote: &str) -> Self {
        Self { key, item: Some(item), quote: quote.to_owned(), ..self.clone() }
    }

    /// A column of it.
    pub(super) fn column(self, column: usize) -> Self {
        Self { column: Some(column), ..self }
    }

    /// Bytes of a file.
    pub(super) fn syntax(text: &str, span: Range<usize>) -> Self {
        let line = text[..text.floor_char_boundary(span.start)].matches('\n').count() + 1;
        Self { syntax: Some((line, span)), ..Self::default() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.table, self.name.as_str()) {
            ("", _) => f.write_str("the file"),
            (table, "") => write!(f, "[{table}]"),
            ("lists", name) => write!(f, "list {name}"),
            ("stages", name) => write!(f, "stage {name}"),
            ("groups", name) => write!(f, "group {name}"),
            ("cue", name) => write!(f, "cue \"{name}\""),
            (table, name) => write!(f, "{table} {name}"),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its kind.
    pub code: Code,
    /// The pack's file.
    pub file: String,
    /// Where.
    pub place: Place,
    /// What is wrong, with the bound.
    pub message: String,
    /// What to write instead, where that can be told.
    pub help: Option<String>,
}

impl Problem {
    /// A problem without a suggestion.
    pub(super) fn new(code: Code, file: &str, place: Place, message: impl Into<String>) -> Self {
        Self { code, file: file.to_owned(), place, message: message.into(), help: None }
    }

    /// Adds what to write instead.
    #[must_use]
    pub(super) fn helped(self, help: Option<String>) -> Self {
        Self { help, ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place.syntax {
            Some((line, _)) => write!(f, "{}:{line}: {}", self.file, self.message)?,
            None => write!(f, "{}: {}: {}", self.file, self.place, self.message)?,
        }
        match (self.place.column, self.place.quote.as_str()) {
            (_, "") => {}
            (None, quote) => write!(f, ": \"{quote}\"")?,
            (Some(column), quote) => write!(f, ": column {column} of \"{quote}\"")?,
        }
        self.help.as_ref().map_or(Ok(()), |help| write!(f, " ({help})"))
    }
}

/// Why packs do not load: everything that is wrong with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleErrors(pub Vec<Problem>);

impl RuleErrors {
    /// A text that is not TOML, or has not the keys of a pack.
    pub fn syntax(file: &str, problem: &impl fmt::Display) -> Self {
        let message = problem.to_string().trim_end().to_owned();
        Self(vec![Problem::new(Code::Syntax, file, Place::default(), message)])
    }
}

impl fmt::Display for RuleErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0[..] {
            [one] => write!(f, "{one}"),
            all => {
                write!(f, "{} problems in the rules", all.len())?;
                all.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl std::error::Error for RuleErrors {}
