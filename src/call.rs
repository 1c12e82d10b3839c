//! The words everyone uses: a call, its legs, what was said on them and what else was heard.

use std::fmt;
use std::sync::Arc;

use crate::private::Private;
use crate::time::CallTime;

/// Whose voice a stretch of audio carries.
///
/// "Caller" and "called" say who dialled, not who is protected, so they are not the words for legs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Leg {
    /// The other party.
    Remote,
    /// The person whom the line belongs to.
    Protected,
    /// Both parties in one signal: nobody can say who spoke.
    Mixed,
}

impl Leg {
    /// The name used in transcripts, events and rule packs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Remote => "remote",
            Self::Protected => "protected",
            Self::Mixed => "mixed",
        }
    }

    /// The leg with this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Remote, Self::Protected, Self::Mixed].into_iter().find(|leg| leg.name() == name)
    }
}

impl fmt::Display for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The name of a protected line, as the configuration gives it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineId(Arc<str>);

impl LineId {
    /// A line of this name.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The name of a call, as its source gives it. Exchanges write numbers into it, so it is private.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(Private<Arc<str>>);

impl CallId {
    /// A call of this name.
    pub fn new(name: &str) -> Self {
        Self(Private::new(name.into()))
    }

    /// The name, for its source and for nobody else.
    pub const fn private(&self) -> &Private<Arc<str>> {
        &self.0
    }
}

/// Who dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// The other party.
    #[default]
    Incoming,
    /// The protected person.
    Outgoing,
}

impl Direction {
    /// The direction with this name: `incoming` or `outgoing`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "incoming" => Some(Self::Incoming),
            "outgoing" => Some(Self::Outgoing),
            _ => None,
        }
    }
}

/// What is known of a call before anyone speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// An incoming call from a number that nobody vouched for, or of which nothing is known.
    #[default]
    Unknown,
    /// An incoming call from a number in the household's own address book. Caller ID can be forged,
    /// so this only shifts the starting score.
    KnownContact,
    /// The protected person dialled.
    Outgoing,
}

/// A stretch of speech by one party, as recognised.
#[derive(Debug, Clone, PartialEq)]
pub struct Utterance {
    /// Who spoke.
    pub leg: Leg,
    /// When the first word began.
    pub start: CallTime,
    /// When the last word ended.
    pub end: CallTime,
    /// The words, with the recogniser's punctuation.
    pub text: Private<String>,
    /// The recogniser's mean probability a token, 0…1; `None` where the source does not say.
    pub confidence: Option<f32>,
    /// False while the words may still be revised by an utterance of the same leg and start.
    pub is_final: bool,
}

/// Something heard on the line that is not a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal {
    /// Where it was heard.
    pub leg: Leg,
    /// When it was recognised.
    pub at: CallTime,
    /// What it was.
    pub kind: SignalKind,
}

/// The kinds of [`Signal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignalKind {
    /// A dial tone during the call. From the remote leg it is a trick: an exchange plays dial tone
    /// only to the party that has just picked up.
    DialTone,
    /// Several digits were keyed: from the protected leg a PIN, a card or a code.
    KeypadDigits,
    /// 999, 112, 101 or 159 was dialled while the call was still up.
    EmergencyDialled,
}

impl SignalKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::DialTone, Self::KeypadDigits, Self::EmergencyDialled];

    /// The name used in events and rule packs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DialTone => "dial-tone",
            Self::KeypadDigits => "keypad-digits",
            Self::EmergencyDialled => "emergency-dialled",
        }
    }
}
