//! The events that `lineclear screen --json` writes, one a line. `docs/events.md` describes them.

use schemars::JsonSchema;
use serde::Serialize;

use super::transcript::LegName;

/// One event of a screening.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A call begins.
    Call(CallEvent),
    /// Words were heard.
    Utterance(UtteranceEvent),
    /// Something that is not a word was heard.
    Signal(SignalEvent),
    /// The level changed.
    Level(LevelEvent),
    /// The moment at which a warning would be whispered to the protected party.
    Whisper(WhisperEvent),
    /// What the line was like, of a recording.
    Audio(AudioEvent),
    /// A call ended.
    Verdict(VerdictEvent),
    /// Something could not be read; the rest was screened.
    Error(ErrorEvent),
    /// The rules were loaded again, or could not be.
    Rules(RulesEvent),
}

/// A call begins.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CallEvent {
    /// The file, or `-`.
    pub file: String,
    /// The call's name; the file's where it has none of its own.
    pub call: String,
    /// `recording` or `transcript`.
    pub source: &'static str,
    /// How long it lasts, where that is known beforehand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
}

/// Words were heard. It carries them, so it has no `Debug`.
#[derive(Clone, Serialize, JsonSchema)]
pub struct UtteranceEvent {
    /// The call's name.
    pub call: String,
    /// Who spoke.
    pub leg: LegName,
    /// When the first word began.
    pub start_ms: u64,
    /// When the last word ended.
    pub end_ms: u64,
    /// When the words were known: after the pause that ends an utterance.
    pub at_ms: u64,
    /// The words.
    pub text: String,
    /// Whether they can still be revised.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// The recogniser's mean probability a token, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f32>,
    /// What the rules found.
    pub found: Vec<FoundEvent>,
}

/// A rule's phrase in an utterance.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FoundEvent {
    /// The rule.
    pub rule: String,
    /// The rule in plain English.
    pub title: String,
    /// The stage of the script.
    pub stage: &'static str,
    /// First byte of the phrase in the utterance's text.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
    /// The share of the rule's weight that counts: 1, or less if a cue took some.
    pub keeps: f64,
    /// The cue that took it, in plain English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// Something that is not a word was heard.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SignalEvent {
    /// The call's name.
    pub call: String,
    /// Where.
    pub leg: LegName,
    /// When.
    pub at_ms: u64,
    /// What: one of the signals that docs/rules.md lists.
    pub kind: &'static str,
}

/// The level changed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LevelEvent {
    /// The call's name.
    pub call: String,
    /// When.
    pub at_ms: u64,
    /// `quiet`, `caution`, `warning` or `danger`.
    pub level: &'static str,
    /// The level before.
    pub before: &'static str,
    /// Decibans.
    pub score: f64,
    /// The furthest stage that was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<&'static str>,
    /// It is a simulation: nobody is warned.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub simulated: bool,
}

/// A warning would be whispered now.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct WhisperEvent {
    /// The call's name.
    pub call: String,
    /// When.
    pub at_ms: u64,
    /// `warning` or `danger`.
    pub level: &'static str,
    /// What would be said.
    pub text: String,
}

/// What the line was like.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AudioEvent {
    /// The call's name.
    pub call: String,
    /// Each leg.
    pub legs: Vec<LegAudio>,
    /// Who spoke how much; of two legs only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub talk: Option<TalkShares>,
}

/// The audio of a leg. Levels are in dBm0: a full-scale sine is +3.14.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LegAudio {
    /// Whose.
    pub leg: LegName,
    /// The mean over everything.
    pub level_dbm0: f64,
    /// The mean over what is 6 dB above the noise, where there was anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_dbm0: Option<f64>,
    /// The noise of the last seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise_dbm0: Option<f64>,
    /// The share of samples at the end of the scale, 0 to 1.
    pub clipped: f64,
}

/// Shares of the time, 0 to 1; together they are 1.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TalkShares {
    /// Only the other party spoke.
    pub remote: f64,
    /// Only the protected person spoke.
    pub protected: f64,
    /// Both spoke at once.
    pub both: f64,
    /// Nobody spoke.
    pub neither: f64,
}

/// A call ended.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct VerdictEvent {
    /// The call's name.
    pub call: String,
    /// The highest level that was reached: what the exit status tells.
    pub level: &'static str,
    /// The score at that moment, in decibans.
    pub score: f64,
    /// The furthest stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<&'static str>,
    /// The scam family with the most evidence, in plain English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// When the protected party was first warned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warned_at_ms: Option<u64>,
    /// Why, heaviest first.
    pub reasons: Vec<ReasonEvent>,
    /// What to do now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// It is a simulation: nobody was warned.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub simulated: bool,
}

/// A reason of a verdict.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReasonEvent {
    /// The rule.
    pub rule: String,
    /// The rule in plain English.
    pub title: String,
    /// Its stage.
    pub stage: &'static str,
    /// When it was heard.
    pub at_ms: u64,
    /// Decibans that it adds, before the stage's cap.
    pub weight: f64,
}

/// Something could not be read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ErrorEvent {
    /// The file, or `-`.
    pub file: String,
    /// What, where, and what to do.
    pub message: String,
}

/// The rules changed while calls went on.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RulesEvent {
    /// `reloaded`, or `refused` if what is there now does not load.
    pub change: &'static str,
    /// What is in use.
    #[serde(flatten)]
    pub status: PackStatus,
}

/// The rules that are in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PackStatus {
    /// The directory, or `shipped`.
    pub source: String,
    /// How often rules were loaded since the program started, from 1.
    pub generation: u64,
    /// When these were, in milliseconds since the program started.
    pub loaded_at_ms: u64,
    /// How many rules there are.
    pub rules: usize,
    /// The packs.
    pub packs: Vec<LoadedPack>,
    /// Why what is there now is not in use; none if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// A pack that is in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LoadedPack {
    /// Its id.
    pub id: String,
    /// The scam family, in plain English.
    pub title: String,
    /// Its version.
    pub version: String,
    /// How many rules it has.
    pub rules: usize,
}
