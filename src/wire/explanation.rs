//! What `lineclear explain --json` writes: one call a line. `docs/explain.md` describes it.

use schemars::JsonSchema;
use serde::Serialize;

use super::transcript::LegName;

/// A call, explained. It carries its words, so it has no `Debug`.
#[derive(Clone, Serialize, JsonSchema)]
pub struct Explanation {
    /// The file, or `-`.
    pub file: String,
    /// The call's name; the file's where it has none of its own.
    pub call: String,
    /// What was known before anyone spoke: `unknown`, `known-contact` or `outgoing`.
    pub origin: &'static str,
    /// What that adds, in decibans.
    pub start: f64,
    /// What was heard, from the first to the last.
    pub turns: Vec<Turn>,
    /// The moment of the highest score, at the highest level: what the call is reported as.
    pub verdict: Verdict,
    /// The end of the call.
    pub end: Moment,
}

/// One utterance or signal. It carries words, so it has no `Debug`.
#[derive(Clone, Serialize, JsonSchema)]
pub struct Turn {
    /// Its number, from 1.
    pub turn: usize,
    /// Who spoke, or where the signal was heard.
    pub leg: LegName,
    /// When it began.
    pub start_ms: u64,
    /// When it ended.
    pub end_ms: u64,
    /// The words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The signal, in place of words: one that docs/rules.md lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<&'static str>,
    /// False while the words may still be revised.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// What the rules found, what a cue cancelled included.
    pub found: Vec<Found>,
    /// Phrases that lack one word.
    pub near: Vec<Near>,
    /// The score before, in decibans.
    pub score_before: f64,
    /// What faded of it since the turn before, in decibans, ahead of the caps.
    pub faded: f64,
    /// The score now, in decibans.
    pub score: f64,
    /// The level before.
    pub level_before: &'static str,
    /// The level now.
    pub level: &'static str,
}

/// A rule that was found.
#[derive(Clone, Serialize, JsonSchema)]
pub struct Found {
    /// The rule.
    pub rule: String,
    /// The rule in plain English.
    pub title: String,
    /// The stage of the script.
    pub stage: &'static str,
    /// Which of the rule's phrases matched, from 1; none for a signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phrase: Option<usize>,
    /// That phrase, as it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// First byte of the phrase in the turn's text.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
    /// What it adds, in decibans, ahead of the caps.
    pub weight: f64,
    /// The share of the rule's weight that counts: 1, or less where a cue took some.
    pub keeps: f64,
    /// The cue that took it, in plain English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// How many of the words may be misheard.
    pub misheard: u8,
    /// When the rule was first found, if that was earlier: a rule counts once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<u64>,
    /// False for a rule that is shown but does not count, since it is marked experimental.
    pub counts: bool,
}

/// A phrase all of whose words but one were found.
#[derive(Clone, Serialize, JsonSchema)]
pub struct Near {
    /// The rule.
    pub rule: String,
    /// The rule in plain English.
    pub title: String,
    /// The stage of the script.
    pub stage: &'static str,
    /// Which of the rule's phrases, from 1.
    pub phrase: usize,
    /// That phrase, as it is written.
    pub pattern: String,
    /// First byte of what was found in the turn's text.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
    /// What was missing, as the phrase has it.
    pub missing: String,
}

/// What a call comes to.
#[derive(Clone, Serialize, JsonSchema)]
pub struct Verdict {
    /// When, and what it came to.
    #[serde(flatten)]
    pub moment: Moment,
    /// The furthest stage that was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<&'static str>,
    /// The id of the pack with the most evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Why, heaviest first.
    pub reasons: Vec<Reason>,
    /// How the evidence of each stage adds up.
    pub stages: Vec<StageSum>,
    /// Whether a reason was given for the demands, where the rules ask for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pretext: Option<PretextSum>,
    /// What its sequences add, in decibans.
    pub sequences: f64,
    /// What speaks for an honest call, in decibans: 0 or less.
    pub reassurance: f64,
}

/// A moment of a call.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Moment {
    /// When.
    pub at_ms: u64,
    /// `quiet`, `caution`, `warning` or `danger`.
    pub level: &'static str,
    /// In decibans.
    pub score: f64,
}

/// A reason of the verdict.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Reason {
    /// The rule.
    pub rule: String,
    /// The rule in plain English.
    pub title: String,
    /// Its stage.
    pub stage: &'static str,
    /// When it was heard.
    pub at_ms: u64,
    /// What it adds at the moment of the verdict, in decibans, ahead of the caps.
    pub weight: f64,
    /// The suppression that took some of it, in plain English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<String>,
    /// What it added when it was heard.
    pub when_heard: f64,
}

/// How the evidence of one stage adds up, in decibans.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StageSum {
    /// The stage.
    pub stage: &'static str,
    /// The sum of its rules.
    pub heard: f64,
    /// The most that it may add.
    pub cap: f64,
    /// What it adds.
    pub counts: f64,
}

/// How demands are held back while no reason was given for them, in decibans.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PretextSum {
    /// Whether a reason was given.
    pub given: bool,
    /// The evidence of the stages before extraction, as it was when it was heard.
    pub heard: f64,
    /// How much of it makes a reason.
    pub least: f64,
    /// What extraction and the stages after it come to.
    pub demands: f64,
    /// The most that they may add without a reason.
    pub cap: f64,
    /// What that cuts.
    pub cuts: f64,
}
