//! What is wrong with rule packs: every problem has a code, a place, and says what to do.

use std::fmt;

/// The kinds of problem. The codes are documented in `docs/rules.md` and never change their meaning.
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
        }
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
    /// The key in it; empty for the whole of it.
    pub key: &'static str,
    /// Which item of the key's array, from 0.
    pub item: Option<usize>,
    /// The column in the value, from 1, in characters.
    pub column: Option<usize>,
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
    pub(super) fn item(&self, key: &'static str, item: usize) -> Self {
        Self { key, item: Some(item), ..self.clone() }
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
    /// What is wrong, with the bound or the remedy.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Code::Syntax => write!(f, "{}: {}", self.file, self.message),
            _ => write!(f, "{}: {}: {}", self.file, self.place, self.message),
        }
    }
}

/// Why packs do not load: everything that is wrong with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleErrors(pub Vec<Problem>);

impl RuleErrors {
    /// A text that is not TOML, or has not the keys of a pack.
    pub fn syntax(file: &str, problem: &impl fmt::Display) -> Self {
        Self(vec![Problem {
            code: Code::Syntax,
            file: file.to_owned(),
            place: Place::default(),
            message: problem.to_string().trim_end().to_owned(),
        }])
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
