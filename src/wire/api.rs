//! What the HTTP interface says. `lineclear schema openapi` describes it.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// An error, as RFC 9457 has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Names the kind of error: `urn:lineclear:problem:` and a word that `docs/api.md` explains.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of error, for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// This error, and what to do.
    pub detail: String,
}

/// How the program is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusView {
    /// `green`, or `red` if anything fails.
    pub health: String,
    /// The program's version.
    pub version: String,
    /// When it was asked.
    pub at: String,
    /// What fails.
    pub problems: Vec<ProblemView>,
    /// Calls that are watched.
    pub calls: usize,
    /// Notifications that wait to be delivered.
    pub notifications_waiting: usize,
    /// What was counted since the start.
    pub counts: std::collections::BTreeMap<String, u64>,
    /// The rules that are in use.
    pub rules: RulesView,
    /// The lines.
    pub lines: Vec<LineView>,
}

/// Something that fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemView {
    /// Which part.
    pub part: String,
    /// What, and what to do; without details for a token that is not for all lines.
    pub message: String,
    /// Since when.
    pub since: String,
}

/// The rules that are in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RulesView {
    /// The directory, or `shipped`.
    pub source: String,
    /// How often rules were loaded since the start.
    pub generation: u64,
    /// How many there are.
    pub rules: usize,
    /// Nobody is warned.
    pub simulated: bool,
}

/// How a line stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineView {
    /// Its id.
    pub line: String,
    /// Its name.
    pub name: String,
    /// Somebody agreed to the screening.
    pub screened: bool,
    /// What is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldView>,
    /// For how many seconds nobody is warned, because somebody wanted to be left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub off_seconds: Option<u64>,
    /// When a suspicious call was last on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspicious: Option<String>,
}

/// A line that is kept clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HoldView {
    /// Its name.
    pub id: String,
    /// Seconds until the line is clear, rounded up.
    pub remaining_seconds: u64,
    /// When it began.
    pub since: String,
    /// The incident after which it began; none if somebody asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// How often the clock was started again.
    pub restarts: u32,
}

/// The answer to a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// It is on the disk. If not, it counts all the same, and the status says what fails.
    pub kept: bool,
    /// The line now.
    pub line: LineView,
}

/// May this call go ahead?
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[into_params(parameter_in = Query, rename_all = "kebab-case")]
pub struct GateQuery {
    /// `incoming` or `outgoing`.
    pub direction: String,
    /// What was dialled, or who rings; left out if it is withheld.
    pub number: Option<String>,
    /// The key that was pressed after the line was said to be held.
    pub key: Option<String>,
    /// Nothing comes of the question: to see what would be answered.
    #[serde(default)]
    pub dry_run: bool,
    /// `json`, or `asterisk`: a line `decision:seconds:key:sounds`, which a dialplan takes apart
    /// with
    /// `CUT()`, with the sounds as `Playback()` and `Read()` take them.
    pub format: Option<String>,
}

/// Whether a call may go ahead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GateView {
    /// `pass`, `held` (outgoing) or `turn-away` (incoming).
    pub decision: String,
    /// Why: `emergency`, `after-emergency`, `open`, `not-held-for-this`, `overridden`, `scammer`,
    /// `unknown-number`, `observed`, `unknown-line`, or `held`.
    pub reason: String,
    /// Seconds until the line is clear, rounded up; 0 if the call passes.
    pub remaining_seconds: u64,
    /// The key that lets the call pass all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub override_key: Option<String>,
    /// Names of the prompts to play, in order.
    pub prompts: Vec<String>,
    /// Calls whose far leg is to be dropped before this one is connected.
    pub drop_first: Vec<String>,
}

/// For how long.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Minutes {
    /// Minutes; as configured if left out.
    pub minutes: Option<u64>,
}

/// The call whose words follow.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[into_params(parameter_in = Query, rename_all = "kebab-case")]
pub struct CallQuery {
    /// The protected line; may be left out where only one is configured.
    pub line: Option<String>,
    /// `incoming` (the default) or `outgoing`.
    pub direction: Option<String>,
    /// The other party's number; left out if it is withheld.
    pub number: Option<String>,
    /// The call ends with the body.
    #[serde(default)]
    pub end: bool,
}

/// Which incidents.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Of this line only.
    pub line: Option<String>,
    /// At most so many, 100 unless given; 1000 at most.
    pub limit: Option<u32>,
}

/// One call that became suspicious.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IncidentView {
    /// Its name.
    pub incident: String,
    /// The line.
    pub line: String,
    /// When it was opened.
    pub opened: String,
    /// When the call ended; none while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// The highest level.
    pub level: String,
    /// The highest score, in decibans.
    pub score: f64,
    /// The furthest stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The id of the scam family with the most evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Ids of the rules that were heard, heaviest first.
    pub rules: Vec<String>,
    /// The last two digits of the number that rang.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_ends_with: Option<String>,
    /// Who said that it is no scam.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_a_scam: Option<String>,
    /// Nobody was told.
    pub simulated: bool,
    /// What happened, step by step; left out in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<StepView>,
}

/// A step of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepView {
    /// When.
    pub at: String,
    /// What happened: `rose`, `fell`, `stage`, `warned`, `dropped`, `not-a-scam` or `ended`.
    pub what: String,
    /// The level then.
    pub level: String,
    /// The furthest stage then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
}

/// The answer to "not a scam": the incident as it is now, for whoever may see incidents; for an
/// exchange, as to any change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum NotAScamView {
    /// The incident.
    Incident(Box<IncidentView>),
    /// The line.
    Done(Done),
}

/// What was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasedView {
    /// How many rows.
    pub rows: u64,
    /// Damaged databases that were moved aside, and may still hold something of the line: delete
    /// them by hand.
    pub left_in: Vec<String>,
}
