//! The stages of a scam's script, in the order in which they come.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// A stage of the script, as police reports tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Why they ring: a cloned card, an arrest, a debt.
    Hook,
    /// Who they say they are: police, bank, tax office.
    Authority,
    /// How they "prove" it: ring 999 on this open line, a reference, a played dial tone.
    Verification,
    /// Whom not to tell, and not to hang up.
    Secrecy,
    /// What to say if the bank asks.
    CoverStory,
    /// What they want: cash, a transfer, a PIN, a code, gift cards.
    Extraction,
    /// How they get it: a courier, a taxi, an envelope.
    Collection,
    /// That they will ring again.
    Repeat,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 8] = [
        Self::Hook,
        Self::Authority,
        Self::Verification,
        Self::Secrecy,
        Self::CoverStory,
        Self::Extraction,
        Self::Collection,
        Self::Repeat,
    ];

    /// The name used in packs, events and output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hook => "hook",
            Self::Authority => "authority",
            Self::Verification => "verification",
            Self::Secrecy => "secrecy",
            Self::CoverStory => "cover-story",
            Self::Extraction => "extraction",
            Self::Collection => "collection",
            Self::Repeat => "repeat",
        }
    }

    /// The stage with this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
