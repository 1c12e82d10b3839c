//! The rules with their texts: for commands that show how they are written.

use std::path::Path;
use std::sync::Arc;

use super::status::CliError;
use crate::edge::files;
use crate::rules::phrases::{Phrases, Texts};
use crate::rules::{self, RuleError, Rulebook};

/// The packs as they were written, and compiled: whole, and phrase by phrase.
pub(super) struct Workbench {
    pub texts: Texts,
    pub book: Arc<Rulebook>,
    pub phrases: Phrases,
}

impl Workbench {
    /// Loads the packs of `directory`, or those that are shipped.
    pub fn open(directory: Option<&Path>) -> Result<Self, CliError> {
        match Self::open_unsound(directory)? {
            (bench, None) => Ok(bench),
            (_, Some(error)) => Err(error.into()),
        }
    }

    /// Loads them also if rules fail their own examples, and says which.
    pub fn open_unsound(directory: Option<&Path>) -> Result<(Self, Option<RuleError>), CliError> {
        let sources = files::sources(directory)?;
        let texts = Texts::parse(&sources)?;
        let (book, wrong) = match rules::load(&sources) {
            Ok(book) => (book, None),
            Err(error @ (RuleError::Example { .. } | RuleError::Examples(_))) => {
                (texts.compile()?, Some(error))
            }
            Err(error) => return Err(error.into()),
        };
        let phrases = Phrases::new(&texts, &book)?;
        Ok((Self { texts, book: Arc::new(book), phrases }, wrong))
    }

    /// A rule's phrase as it is written; `phrase` counts from 0.
    pub fn phrase(&self, rule: usize, phrase: usize) -> &str {
        let text = self.texts.rule(&self.book.rules[rule].id).map(|(_, text)| text);
        text.and_then(|text| text.phrases.get(phrase)).map_or("", String::as_str)
    }
}
