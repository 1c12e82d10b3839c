//! The rules with their texts: for commands that show how they are written.

use std::sync::Arc;

use super::status::CliError;
use crate::edge::files::{self, Selection};
use crate::rules::error::Code;
use crate::rules::phrases::{Phrases, Texts};
use crate::rules::{self, RuleErrors, Rulebook};

/// The packs as they were written, and compiled: whole, and phrase by phrase.
pub(super) struct Workbench {
    pub texts: Texts,
    pub book: Arc<Rulebook>,
    pub phrases: Phrases,
}

impl Workbench {
    /// Loads the packs of `directory`, or those that are shipped.
    pub fn open(packs: &Selection) -> Result<Self, CliError> {
        match Self::open_unsound(packs)? {
            (bench, None) => Ok(bench),
            (_, Some(error)) => Err(error.into()),
        }
    }

    /// Loads them also if rules fail their own examples, and says which.
    pub fn open_unsound(packs: &Selection) -> Result<(Self, Option<RuleErrors>), CliError> {
        let sources = files::packs(packs)?;
        let texts = Texts::parse(&sources)?;
        let (book, wrong) = match rules::load(&sources) {
            Ok(book) => (book, None),
            // Examples are looked at last: if they fail, the rest is right.
            Err(errors) if errors.0.iter().all(|one| one.code == Code::Example) => {
                (texts.compile()?, Some(errors))
            }
            Err(errors) => return Err(errors.into()),
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
