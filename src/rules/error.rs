//! Why rule packs do not load.

/// Why packs do not load.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// Not TOML, or not the keys of a pack.
    #[error("{file}: {problem}")]
    Toml {
        /// The pack's file.
        file: String,
        /// What the parser says, with line and column.
        problem: String,
    },
    /// A phrase that cannot be read.
    #[error("{file}: {place}: in the phrase \"{phrase}\": {problem}")]
    Phrase {
        /// The pack's file.
        file: String,
        /// The rule, list or cue.
        place: String,
        /// The phrase.
        phrase: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A rule whose own examples contradict it.
    #[error("{file}: rule {rule}: {problem}: \"{example}\"")]
    Example {
        /// The pack's file.
        file: String,
        /// The rule's id.
        rule: String,
        /// What was expected and what happened.
        problem: &'static str,
        /// The example.
        example: String,
    },
    /// Several rules whose examples contradict them.
    #[error("{} examples fail\n{}", .0.len(), lines(.0))]
    Examples(Vec<RuleError>),
    /// A key with a value that makes no sense.
    #[error("{file}: {place}: {problem}")]
    Value {
        /// The pack's file.
        file: String,
        /// The rule, stage or cue.
        place: String,
        /// What is wrong, with the bound.
        problem: String,
    },
}

impl RuleError {
    pub(super) fn phrase(file: &str, place: &str, phrase: &str, problem: String) -> Self {
        Self::Phrase {
            file: file.to_owned(),
            place: place.to_owned(),
            phrase: phrase.to_owned(),
            problem,
        }
    }

    pub(super) fn value(file: &str, place: &str, problem: &str) -> Self {
        Self::Value { file: file.to_owned(), place: place.to_owned(), problem: problem.to_owned() }
    }
}

fn lines(errors: &[RuleError]) -> String {
    errors.iter().map(|error| format!("  {error}")).collect::<Vec<_>>().join("\n")
}
