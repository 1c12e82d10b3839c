//! Rule packs as they are written: TOML, one scam family a file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::stage::Stage;

/// The pack of lists, cues and rules that all scam families share.
pub const SHARED_PACK: &str = "shared";

/// A rule pack: one file of `config/rules/`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pack {
    /// What the file is.
    pub pack: Header,
    /// Named lists of phrases, for `@name`; shared by all packs that are loaded together.
    #[serde(default)]
    pub lists: BTreeMap<String, Vec<String>>,
    /// How much one stage may add, and how far it fades.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"$ref": "#/$defs/Stage"}))]
    pub stages: BTreeMap<Stage, StageLimits>,
    /// What a demand without a pretext may add.
    pub pretext: Option<Pretext>,
    /// Evidence that correlates across rules and stages, with the most that it may add together.
    #[serde(default)]
    pub groups: BTreeMap<String, GroupLimits>,
    /// How much the rules of several families add to each other.
    pub families: Option<Families>,
    /// The most that the rules which speak for an honest call take away together, in decibans.
    pub reassurance: Option<GroupLimits>,
    /// What sequences may add, beside what their parts do.
    pub sequences: Option<StageLimits>,
    /// What takes the sting out of a phrase: negation, hearsay.
    #[serde(default, rename = "cue")]
    pub cues: Vec<CueText>,
    /// What takes the sting out of rules of the whole call: the driver of a parcel, a known shop.
    #[serde(default, rename = "suppression")]
    pub suppressions: Vec<SuppressionText>,
    /// What is changed in rules of other packs. Only in a file of local rules.
    #[serde(default, rename = "override")]
    pub overrides: Vec<OverrideText>,
    /// The rules.
    #[serde(default, rename = "rule")]
    pub rules: Vec<RuleText>,
}

/// `[pack]`: what a rule file is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StageLimits {
    /// The most that all rules of the stage add together, in decibans.
    pub cap: f64,
    /// The share of a rule's weight that never fades, 0…1.
    pub floor: f64,
}

/// `[pretext]`: a demand for money without a reason why is no script of a scam; it may be a taxi,
/// a parcel or a builder.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pretext {
    /// How much evidence of the stages before extraction makes a pretext, in decibans.
    pub least: f64,
    /// The most that extraction and later stages add together while there is none, in decibans.
    pub cap_without: f64,
}

/// `[families]`: a scam tells one story, at most two: a parcel firm that hands over to "the
/// police". Phrases of many families in one call are there by accident. Shared rules always count.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Families {
    /// The share that the second heaviest family keeps, 0…1.
    pub second: f64,
    /// The share that the others keep, 0…1.
    pub others: f64,
}

/// `[[rule]]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
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
    /// Who must say it.
    #[serde(default)]
    pub speaker: Speaker,
    /// The phrases; one is enough.
    #[serde(default)]
    pub phrases: Vec<String>,
    /// A signal on the line, in place of phrases: `dial-tone`, `keypad-digits`,
    /// `emergency-dialled`.
    pub signal: Option<String>,
    /// What must have been heard before, in place of phrases.
    pub sequence: Option<SequenceText>,
    /// The calls in which it counts; all unless it says.
    #[serde(default)]
    pub context: Vec<Context>,
    /// The evidence group whose cap it shares.
    pub group: Option<String>,
    /// The longer words may be misheard ("career" for courier), and then this share of the weight
    /// counts, 0…1.
    pub tolerance: Option<f64>,
    /// The least and the most that tuning may make of the weight, in decibans.
    pub bounds: Option<[f64; 2]>,
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

/// `[rule.sequence]`: things heard one after the other, or in any order. It adds to what its steps
/// weigh, and takes nothing from them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SequenceText {
    /// Each a stage, a rule, or several with a star: `secrecy`, `bank.hook.*`, `hook|authority`.
    pub steps: Vec<String>,
    /// Whether they must come in this order.
    #[serde(default = "default_true")]
    pub ordered: bool,
    /// Seconds from the first to the last.
    #[serde(default = "default_within")]
    pub within: f64,
}

/// What is known of a call before anyone speaks, as rules name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Context {
    /// Somebody rang this line.
    Incoming,
    /// The protected person dialled.
    Outgoing,
    /// The number is not in the address book, or withheld.
    UnknownNumber,
    /// The number is in the address book.
    KnownContact,
    /// A suspicious call was on this line not long before.
    AfterSuspicious,
}

/// `[groups.NAME]`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GroupLimits {
    /// The most that all rules of the group add together, in decibans.
    pub cap: f64,
}

/// `[[suppression]]`: words that show that a call is an honest one of some kind, and the rules that
/// then count less. It never silences: what it touches is shown, with the reason.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SuppressionText {
    /// Unique over all packs, as a rule's.
    pub id: String,
    /// Shown as the reason: "the driver asks for a code at the door".
    pub title: String,
    /// The phrases; one is enough.
    pub phrases: Vec<String>,
    /// Who must say it.
    #[serde(default)]
    pub speaker: Speaker,
    /// The rules that count less: ids, stages, or several with a star.
    pub of: Vec<String>,
    /// The share of their weight that remains, 0…1.
    pub keeps: f64,
    /// Seconds before and after in which they count less.
    pub lasts: f64,
    /// Sentences that must match.
    #[serde(default)]
    pub must_match: Vec<String>,
    /// Sentences that must not.
    #[serde(default)]
    pub must_not_match: Vec<String>,
}

/// `[[override]]`: what one household or operator changes in a rule of a pack. It stands in a file
/// of its own, and survives the pack's updates.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OverrideText {
    /// The rule's id, or several with a star.
    pub rule: String,
    /// Why, for whoever reads it next.
    #[serde(default)]
    pub reason: String,
    /// False switches the rule off.
    #[serde(default = "default_true")]
    pub enabled: bool,
    /// The weight instead, in decibans.
    pub weight: Option<f64>,
    /// The maturity instead.
    pub maturity: Option<Maturity>,
}

/// `[[cue]]`: words that change what the phrases after them mean.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CueKind {
    /// "We will never ask you to…": only for rules that can be negated.
    Negation,
    /// "They ring up and say…": somebody tells of a scam.
    Report,
}

/// Who must say a phrase. A mixed leg counts as either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Maturity {
    /// Counts.
    #[default]
    Stable,
    /// Shown, but does not count.
    Experimental,
}

const fn default_half_life() -> f64 {
    180.0
}

const fn default_within() -> f64 {
    3_600.0
}

const fn default_true() -> bool {
    true
}
