//! The protected lines and the people around them, as they stand in the file.

use std::time::Duration;

use serde::Deserialize;

use super::levels::Levels;
use crate::private::Private;

/// `[warn]`: what is done while a call goes on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Warn {
    /// How far Lineclear goes.
    pub mode: Mode,
    /// The lowest level that is whispered.
    pub from: LevelName,
    /// Seconds for which a warning is not repeated; a higher level or a later stage breaks through.
    pub cooldown: u64,
    /// Say at the start of a call that the line is screened.
    pub notice: bool,
}

impl Warn {
    /// For how long a warning is not repeated.
    pub const fn cooldown(&self) -> Duration {
        Duration::from_secs(self.cooldown)
    }
}

/// How far Lineclear goes on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The line is left alone: nothing is said, nothing is held. The chosen people are told.
    Observe,
    /// The person is warned, and the line is held afterwards.
    Warn,
    /// As `warn`, and a call that reaches `danger` is ended.
    Protect,
}

/// The levels, by the names that people write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LevelName {
    /// Some of it is also said by scammers.
    Caution,
    /// This may be a scam.
    Warning,
    /// This is very likely a scam.
    Danger,
}

/// `[hold]`: how the line is kept clear.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hold {
    /// Seconds for which the line is kept clear.
    pub line_clear: u64,
    /// Numbers that always pass.
    pub emergency: Vec<String>,
    /// What people dial before a number.
    pub prefixes: Vec<String>,
    /// Minutes for which every incoming call passes after an emergency call.
    pub after_emergency: u64,
    /// Who may make a call although the line is held.
    #[serde(rename = "override")]
    pub override_by: OverrideBy,
    /// The key that does.
    pub override_key: String,
    /// Which incoming calls are turned away while the line is held.
    pub turn_away: TurnAway,
}

impl Hold {
    /// For how long the line is kept clear.
    pub const fn length(&self) -> Duration {
        Duration::from_secs(self.line_clear)
    }

    /// For how long every incoming call passes after an emergency call.
    pub const fn after_emergency(&self) -> Duration {
        Duration::from_secs(self.after_emergency.saturating_mul(60))
    }
}

/// Who may make a call although the line is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OverrideBy {
    /// Whoever is at the telephone, with a key.
    Anyone,
    /// Nobody at the telephone: carers can end the hold.
    Carers,
}

/// Which incoming calls are turned away while the line is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TurnAway {
    /// None.
    Nobody,
    /// From the number of the call that the line is held for. A withheld number is taken for
    /// another withheld one.
    Scammer,
    /// And all from numbers that are not among the line's contacts.
    Unknown,
}

/// `[[lines]]`: a protected line.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Line {
    /// What sources, people and files call it: letters, digits and hyphens.
    pub id: String,
    /// What carers read.
    pub name: String,
    /// Who agreed to the screening. Without it the line is not screened.
    pub consent: Option<Consent>,
    /// Ids of those who are told.
    #[serde(default)]
    pub people: Vec<String>,
    /// Numbers of people that the household knows.
    #[serde(default)]
    pub contacts: Vec<Private<String>>,
    /// Where the levels begin on this line.
    pub levels: Levels,
    /// What is done while a call goes on.
    pub warn: Warn,
    /// How the line is kept clear.
    pub hold: Hold,
}

/// Who agreed that the calls of a line are screened.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// A name.
    pub by: String,
    /// The day: `2026-11-22`.
    pub on: String,
}

/// `[[people]]`: somebody who is told.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// What lines call them by: letters, digits and hyphens.
    pub id: String,
    /// Their name.
    pub name: String,
    /// What they are told of.
    #[serde(default = "Person::default_tell")]
    pub tell: Vec<Tell>,
    /// What of it.
    #[serde(default = "Person::default_share")]
    pub share: Vec<Share>,
    /// How they are reached.
    #[serde(default)]
    pub channels: Vec<Channel>,
}

impl Person {
    fn default_tell() -> Vec<Tell> {
        vec![Tell::Warning, Tell::Danger, Tell::Hold]
    }

    fn default_share() -> Vec<Share> {
        vec![Share::Family, Share::Stage, Share::Advice]
    }
}

/// What a person is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tell {
    /// A call reached `caution`.
    Caution,
    /// A call reached `warning`.
    Warning,
    /// A call reached `danger`.
    Danger,
    /// The line is held, or held no more.
    Hold,
}

/// What a person is told beside the line, the level and the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Share {
    /// The kind of scam.
    Family,
    /// How far it has come.
    Stage,
    /// What to do.
    Advice,
}

/// `[[people.channels]]`: a way to reach somebody. What else it needs depends on its kind.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Channel {
    /// `webhook` or `command`.
    pub kind: String,
    /// The rest, which the kind reads: it may hold secrets.
    #[serde(flatten)]
    pub settings: Private<toml::Table>,
}

/// `[outbox]`: how long is tried to reach somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Outbox {
    /// Hours after which a notification is given up, and shown as failed.
    pub give_up: u64,
}

impl Outbox {
    /// After how long a notification is given up.
    pub const fn give_up(&self) -> Duration {
        Duration::from_secs(self.give_up.saturating_mul(3600))
    }
}
