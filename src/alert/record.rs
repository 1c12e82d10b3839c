//! What is committed: all that a restart must find again, and what carers may look up. No words, no
//! full numbers.

use std::fmt;
use std::time::Duration;

use super::deadline::Committed;
use super::number::Tag;
use crate::call::LineId;
use crate::config::Consent;
use crate::rules::{Level, Stage};
use crate::time::Wall;
use crate::wire::notice::Notice;

/// The name of an incident or a hold: random, so that two machines never give the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub u128);

impl Id {
    /// Reads what [`Display`](fmt::Display) writes: 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let is_id = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_id.then(|| u128::from_str_radix(text, 16).ok().map(Self)).flatten()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Whoever is at the telephone.
    Person,
    /// A carer or an operator, by the name of their token.
    Carer(String),
    /// The program itself.
    Lineclear,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person => f.pad("person"),
            Self::Carer(name) => write!(f, "carer {name}"),
            Self::Lineclear => f.pad("lineclear"),
        }
    }
}

impl Actor {
    /// Reads what [`Display`](fmt::Display) writes.
    pub fn parse(text: &str) -> Self {
        match text.strip_prefix("carer ") {
            Some(name) => Self::Carer(name.to_owned()),
            None if text == "person" => Self::Person,
            None => Self::Lineclear,
        }
    }
}

/// One change. What is applied twice changes nothing the second time, but for the audit log.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// The state of a line.
    Line(LineRecord),
    /// An incident as it is now.
    Incident(IncidentRecord),
    /// A step of an incident.
    History(HistoryRecord),
    /// A hold as it is now.
    Hold(HoldRecord),
    /// A notification as it is now.
    Notification(NotificationRecord),
    /// Who agreed to the screening of a line, or that nobody does.
    Consent(LineId, Option<Consent>),
    /// Somebody said of an incident that it is no scam.
    NotAScam(Id, Actor),
    /// An entry of the audit log.
    Audit(AuditRecord),
}

/// The state of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRecord {
    /// Which.
    pub line: LineId,
    /// Until then nobody is warned and nothing is held.
    pub disabled: Option<Committed>,
    /// Until then every incoming call passes.
    pub callbacks: Option<Committed>,
    /// When a suspicious call was last on it.
    pub suspicious: Option<Wall>,
}

/// One call that became suspicious.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentRecord {
    /// Its name.
    pub id: Id,
    /// The line.
    pub line: LineId,
    /// The call, to find it again.
    pub call: Tag,
    /// The number that rang; none if it was withheld or the person dialled.
    pub number: Option<Tag>,
    /// Its last two digits.
    pub last_two: Option<u8>,
    /// When it was opened.
    pub opened: Wall,
    /// When the call ended.
    pub ended: Option<Wall>,
    /// The highest level.
    pub level: Level,
    /// The furthest stage.
    pub stage: Option<Stage>,
    /// The id of the pack with the most evidence.
    pub family: Option<String>,
    /// The highest score, in decibans.
    pub score: f64,
    /// Ids of the rules that were heard, heaviest first.
    pub rules: Vec<String>,
    /// Who said that it is no scam.
    pub not_a_scam: Option<Actor>,
    /// What the others were told: each level, with the furthest stage then.
    pub told: Vec<(Level, Option<Stage>)>,
    /// Nobody was told.
    pub simulated: bool,
}

/// A step of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRecord {
    /// Of which.
    pub incident: Id,
    /// Its number in the incident, from 1.
    pub step: u32,
    /// When.
    pub at: Wall,
    /// What happened.
    pub what: Step,
    /// The level then.
    pub level: Level,
    /// The furthest stage then.
    pub stage: Option<Stage>,
}

/// What can happen in an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The level rose.
    Rose,
    /// The level fell.
    Fell,
    /// A later stage of the script was reached.
    Stage,
    /// The person was warned.
    Warned,
    /// The call was ended by Lineclear.
    Dropped,
    /// Somebody said that it is no scam.
    NotAScam,
    /// The call ended.
    Ended,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Rose,
        Self::Fell,
        Self::Stage,
        Self::Warned,
        Self::Dropped,
        Self::NotAScam,
        Self::Ended,
    ];

    /// The name in the database and in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rose => "rose",
            Self::Fell => "fell",
            Self::Stage => "stage",
            Self::Warned => "warned",
            Self::Dropped => "dropped",
            Self::NotAScam => "not-a-scam",
            Self::Ended => "ended",
        }
    }
}

/// A line that was kept clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRecord {
    /// Its name.
    pub id: Id,
    /// The line.
    pub line: LineId,
    /// The incident after which it began.
    pub incident: Option<Id>,
    /// When it began.
    pub since: Wall,
    /// When it ends.
    pub deadline: Committed,
    /// What is waited for again after each new attempt.
    pub length: Duration,
    /// Who is kept away.
    pub scammer: Scammer,
    /// How often the clock was started again.
    pub restarts: u32,
    /// How it ended.
    pub ended: Option<Ended>,
}

/// Who is kept away while a line is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scammer {
    /// The hold was asked for by hand: nobody in particular.
    Nobody,
    /// The number was withheld, or is not known.
    Withheld,
    /// This one.
    Number(Tag),
}

/// How a hold ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Wall,
    /// Who ended it: Lineclear if the time was over.
    pub by: Actor,
}

/// A way to reach somebody: whose, and which of theirs, from 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The person's id.
    pub person: String,
    /// The position among their channels.
    pub channel: usize,
}

/// Something that a person is told over one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct NotificationRecord {
    /// To whom, and how.
    pub to: Address,
    /// What they read. Its key names the notification.
    pub notice: Notice,
    /// The line.
    pub line: LineId,
    /// When it was posted.
    pub posted: Wall,
    /// How often it was tried.
    pub attempts: u32,
    /// What became of it.
    pub state: Delivery,
}

/// What became of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Nobody has taken it yet; why not, if it was tried.
    Pending(Option<String>),
    /// It was taken.
    Delivered(Wall),
    /// It was given up, and why.
    Failed(String),
}

/// An entry of the audit log: what somebody did, never what was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// When.
    pub at: Wall,
    /// On which line.
    pub line: LineId,
    /// Who.
    pub actor: Actor,
    /// What.
    pub what: &'static str,
}

/// All that a restart finds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The state of each line that has one.
    pub lines: Vec<LineRecord>,
    /// Incidents whose call has not ended.
    pub incidents: Vec<IncidentRecord>,
    /// How many steps each of them has.
    pub steps: Vec<(Id, u32)>,
    /// Holds that have not ended.
    pub holds: Vec<HoldRecord>,
    /// Notifications that nobody has received yet.
    pub notifications: Vec<NotificationRecord>,
    /// Who agreed to the screening of each line.
    pub consents: Vec<(LineId, Consent)>,
}

impl Snapshot {
    /// All of it as it is committed, but for the steps.
    pub fn records(&self) -> Vec<Record> {
        let consent = |(line, consent): &(LineId, Consent)| {
            Record::Consent(line.clone(), Some(consent.clone()))
        };
        let lines = self.lines.iter().cloned().map(Record::Line);
        lines
            .chain(self.incidents.iter().cloned().map(Record::Incident))
            .chain(self.holds.iter().cloned().map(Record::Hold))
            .chain(self.notifications.iter().cloned().map(Record::Notification))
            .chain(self.consents.iter().map(consent))
            .collect()
    }
}
