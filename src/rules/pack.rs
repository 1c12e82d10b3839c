//! Rule packs as they are written: TOML, one scam family a file.

use serde::Deserialize;

use super::stage::Stage;

/// A rule pack: one file of `config/rules/`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pack {
    /// What the file is.
    pub pack: Header,
    /// Named lists of phrases, for `@name`; shared by all packs that are loaded together.
    #[serde(default)]
    pub lists: std::collections::BTreeMap<String, Vec<String>>,
    /// How much one stage may add, and how far it fades.
    #[serde(default)]
    pub stages: std::collections::BTreeMap<Stage, StageLimits>,
    /// What a demand without a pretext may add.
    pub pretext: Option<Pretext>,
    /// What takes the sting out of a phrase: negation, hearsay.
    #[serde(default, rename = "cue")]
    pub cues: Vec<CueText>,
    /// The rules.
    #[serde(default, rename = "rule")]
    pub rules: Vec<RuleText>,
}

/// `[pack]`: what a rule file is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Header {
    /// Short name; every rule's id begins with it and a full stop.
    pub id: String,
    /// The scam family, in plain English.
    pub title: String,
    /// Year and month, or any other version.
    pub version: String,
    /// Where the script is documented.
    #[serde(default)]
    pub references: Vec<String>,
}

/// `[stages.NAME]`: what correlates must not count twice, and what weighs must not be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StageLimits {
    /// The most that all rules of the stage add together, in decibans.
    pub cap: f64,
    /// The share of a rule's weight that never fades, 0…1.
    pub floor: f64,
}

/// `[pretext]`: a demand for money without a reason why is no script of a scam; it may be a taxi,
/// a parcel or a builder.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pretext {
    /// How much evidence of the stages before extraction makes a pretext, in decibans.
    pub least: f64,
    /// The most that extraction and later stages add together while there is none, in decibans.
    pub cap_without: f64,
}

/// `[[rule]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RuleText {
    /// Unique over all packs.
    pub id: String,
    /// What was heard, as told to a person: "Caller says they are a police officer".
    pub title: String,
    /// The stage of the script that it belongs to.
    pub stage: Stage,
    /// How much likelier it is in a scam call than in an honest one, in decibans (10 log₁₀).
    pub weight: f64,
    /// What fitting may make of the weight, lowest and highest, in decibans.
    pub bounds: Option<[f64; 2]>,
    /// Who must say it.
    #[serde(default)]
    pub speaker: Speaker,
    /// The phrases; one is enough.
    #[serde(default)]
    pub phrases: Vec<String>,
    /// A signal on the line, in place of phrases: `dial-tone`.
    pub signal: Option<String>,
    /// Seconds after which half of the weight has faded.
    #[serde(default = "default_half_life")]
    pub half_life: f64,
    /// Whether a negation before the phrase cancels it. False for "do not tell anyone".
    #[serde(default = "default_true")]
    pub negatable: bool,
    /// Where the phrase is documented.
    #[serde(default)]
    pub references: Vec<String>,
    /// Honest calls in which it is said too.
    #[serde(default)]
    pub false_positives: Vec<String>,
    /// How far the rule is to be trusted.
    #[serde(default)]
    pub maturity: Maturity,
    /// Sentences that must match.
    #[serde(default)]
    pub must_match: Vec<String>,
    /// Sentences that must not.
    #[serde(default)]
    pub must_not_match: Vec<String>,
}

/// `[[cue]]`: words that change what the phrases after them mean.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CueText {
    /// What kind of change.
    pub kind: CueKind,
    /// Shown as the reason: "the caller says it will never be asked".
    pub title: String,
    /// The phrases; one is enough.
    pub phrases: Vec<String>,
    /// How many words after the cue a phrase may begin and still be changed.
    pub reach: usize,
    /// Whether the end of the sentence ends the reach.
    #[serde(default = "default_true")]
    pub same_sentence: bool,
    /// The share of the weight that remains, 0…1.
    #[serde(default)]
    pub keeps: f64,
    /// For how many seconds the same party's later words are changed too.
    #[serde(default)]
    pub lasts: f64,
}

/// The kinds of cue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CueKind {
    /// "We will never ask you to…": only for rules that can be negated.
    Negation,
    /// "They ring up and say…": somebody tells of a scam.
    Report,
}

/// Who must say a phrase. A mixed leg counts as either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speaker {
    /// The other party.
    #[default]
    Remote,
    /// The protected person.
    Protected,
    /// Whoever it is.
    Any,
}

/// How far a rule is to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Maturity {
    /// Counts.
    #[default]
    Stable,
    /// Shown, but does not count.
    Experimental,
}

const fn default_half_life() -> f64 {
    600.0
}

const fn default_true() -> bool {
    true
}
