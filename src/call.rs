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

/// What was heard in a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Sound {
    /// Words.
    Speech(Utterance),
    /// Anything else.
    Signal(Signal),
}

impl Sound {
    /// When it was over.
    pub const fn end(&self) -> CallTime {
        match self {
            Self::Speech(utterance) => utterance.end,
            Self::Signal(signal) => signal.at,
        }
    }
}

/// A key of a telephone: 0 to 9, A to D, `*` or `#`. What is keyed may be a PIN, so it prints
/// redacted.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digit(u8);

impl Digit {
    /// The keys of RFC 4733, in the order of its event numbers 0 to 15.
    const KEYS: &[u8; 16] = b"0123456789*#ABCD";

    /// The key with this sign.
    pub fn from_char(sign: char) -> Option<Self> {
        let sign = sign.to_ascii_uppercase();
        let key = Self::KEYS.iter().position(|key| char::from(*key) == sign)?;
        Some(Self(key as u8))
    }

    /// The key of a telephone event (RFC 4733, section 3.2, table 3); none beyond 15.
    pub const fn from_event(event: u8) -> Option<Self> {
        if event < 16 { Some(Self(event)) } else { None }
    }

    /// The sign on the key. Only for whoever owns the recording.
    pub fn as_char(self) -> char {
        char::from(Self::KEYS[usize::from(self.0 % 16)])
    }

    /// 0 to 9, unless it is a sign or a letter.
    pub const fn value(self) -> Option<u8> {
        if self.0 < 10 { Some(self.0) } else { None }
    }
}

impl fmt::Debug for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digit([private])")
    }
}

/// The kinds of [`Signal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignalKind {
    /// A dial tone during the call. From the remote leg it is a trick: an exchange plays dial tone
    /// only to the party that has just picked up.
    DialTone,
    /// A ringing tone during the call: somebody else seems to be rung.
    RingingTone,
    /// An engaged tone, or one that says that all lines are busy.
    EngagedTone,
    /// Number unobtainable, or the special information tones before such an announcement.
    UnobtainableTone,
    /// A fax or a modem.
    DataTone,
    /// Several digits were keyed.
    KeypadDigits,
    /// As many digits as a PIN or a passcode has were keyed, and no more.
    CodeKeyed,
    /// The number of a payment card was keyed.
    CardKeyed,
    /// 999, 112 or 18000 was dialled while the call was still up.
    EmergencyDialled,
    /// 101 was dialled while the call was still up.
    PoliceDialled,
    /// 159 was dialled while the call was still up.
    BankDialled,
    /// One party has spoken for nine tenths of all that was said.
    SpeaksMost,
}

impl SignalKind {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::DialTone,
        Self::RingingTone,
        Self::EngagedTone,
        Self::UnobtainableTone,
        Self::DataTone,
        Self::KeypadDigits,
        Self::CodeKeyed,
        Self::CardKeyed,
        Self::EmergencyDialled,
        Self::PoliceDialled,
        Self::BankDialled,
        Self::SpeaksMost,
    ];

    /// The name used in transcripts, events and rule packs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DialTone => "dial-tone",
            Self::RingingTone => "ringing-tone",
            Self::EngagedTone => "engaged-tone",
            Self::UnobtainableTone => "unobtainable-tone",
            Self::DataTone => "data-tone",
            Self::KeypadDigits => "keypad-digits",
            Self::CodeKeyed => "code-keyed",
            Self::CardKeyed => "card-keyed",
            Self::EmergencyDialled => "emergency-dialled",
            Self::PoliceDialled => "police-dialled",
            Self::BankDialled => "bank-dialled",
            Self::SpeaksMost => "speaks-most",
        }
    }

    /// Whom somebody wants to reach who dials while the call is still up.
    pub const fn dialled(self) -> Option<&'static str> {
        match self {
            Self::EmergencyDialled => Some("999"),
            Self::PoliceDialled => Some("101"),
            Self::BankDialled => Some("159"),
            _ => None,
        }
    }

    /// The kind with this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
