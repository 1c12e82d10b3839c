//! Evidence → score → level.

use super::rulebook::Rulebook;
use super::stage::Stage;
use crate::call::Origin;
use crate::config::Levels;
use crate::time::CallTime;

/// How dangerous a call is. There is no level called safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Level {
    /// Nothing to say.
    #[default]
    Quiet,
    /// Some of what scammers say was said.
    Caution,
    /// This may be a scam: the protected person is told.
    Warning,
    /// This is very likely a scam.
    Danger,
}

impl Level {
    /// All levels, in order.
    pub const ALL: [Self; 4] = [Self::Quiet, Self::Caution, Self::Warning, Self::Danger];

    /// The name used in config, events and output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Caution => "caution",
            Self::Warning => "warning",
            Self::Danger => "danger",
        }
    }

    /// The level with this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// The level of `score`, given the level before it: rises at once, falls with hysteresis.
pub fn level(levels: &Levels, score: f64, before: Level) -> Level {
    let reached = |slack: f64| {
        let steps = [
            (levels.danger, Level::Danger),
            (levels.warning, Level::Warning),
            (levels.caution, Level::Caution),
        ];
        let step = steps.into_iter().find(|(threshold, _)| score >= threshold - slack);
        step.map_or(Level::Quiet, |(_, level)| level)
    };
    reached(0.0).max(reached(levels.hysteresis).min(before))
}

/// What the origin of a call adds before anyone speaks, in decibans.
pub const fn start(levels: &Levels, origin: Origin) -> f64 {
    match origin {
        Origin::Unknown => 0.0,
        Origin::KnownContact => levels.known_contact,
        Origin::Outgoing => levels.outgoing,
    }
}

/// One rule's evidence in a call: the instance that counts most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// Index into [`Rulebook::rules`].
    pub rule: usize,
    /// When it was last heard.
    pub at: CallTime,
    /// The share of the weight that no cue took, 0…1.
    pub keeps: f64,
    /// The largest such share of any time it was heard: what never fades is a share of this.
    strongest: f64,
}

impl Evidence {
    /// A rule heard at `at`, of whose weight the share `keeps` counts.
    pub const fn new(rule: usize, at: CallTime, keeps: f64) -> Self {
        Self { rule, at, keeps, strongest: keeps }
    }
}

/// A rule that counts in a verdict, with what it adds at that moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Index into [`Rulebook::rules`].
    pub rule: usize,
    /// When it was last heard.
    pub at: CallTime,
    /// Decibans, after fading and cues, before the stage's cap.
    pub weight: f64,
}

/// The sum of evidence.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Score {
    /// Decibans, the origin of the call included.
    pub total: f64,
    /// What counted, heaviest first.
    pub hits: Vec<Hit>,
    /// The furthest stage of the script that was reached.
    pub stage: Option<Stage>,
    /// Index into [`Rulebook::packs`] of the family with the most evidence.
    pub family: Option<usize>,
}

/// Keeps, of each rule, the evidence that counts more at `now`.
pub fn merge(book: &Rulebook, evidence: &mut Vec<Evidence>, new: Evidence) {
    let weight = |e: &Evidence| faded(book, e, new.at);
    match evidence.iter_mut().find(|known| known.rule == new.rule) {
        None => evidence.push(new),
        Some(known) => {
            let strongest = known.strongest.max(new.strongest);
            if weight(&new) >= weight(known) {
                *known = new;
            }
            known.strongest = strongest;
        }
    }
}

/// Adds up evidence as it stands at `now`.
///
/// Every stage has a cap, since what one stage says correlates; and a floor below which nothing
/// fades, since a long wait does not make a spoken PIN unsaid.
pub fn add_up(book: &Rulebook, evidence: &[Evidence], start: f64, now: CallTime) -> Score {
    let mut stages = [0.0_f64; Stage::ALL.len()];
    let mut pretext = 0.0;
    let mut families = vec![0.0_f64; book.packs.len()];
    let mut score = Score { total: start, ..Score::default() };
    for one in evidence {
        let rule = &book.rules[one.rule];
        let weight = faded(book, one, now);
        if weight <= 0.0 {
            continue;
        }
        score.hits.push(Hit { rule: one.rule, at: one.at, weight });
        if rule.maturity == super::pack::Maturity::Experimental {
            continue;
        }
        stages[rule.stage as usize] += weight;
        // A pretext that was given stays given: a call may go on for hours.
        if rule.stage < Stage::Extraction {
            pretext += rule.weight * one.strongest;
        }
        families[rule.pack] += weight;
        score.stage = score.stage.max(Some(rule.stage));
    }
    score.total += capped(book, &stages, pretext);
    score.hits.sort_by(|left, right| right.weight.total_cmp(&left.weight));
    score.family = heaviest(book, &families);
    score
}

/// The sum over the stages, each within its cap, and the demands within theirs as long as there is
/// no pretext.
fn capped(book: &Rulebook, stages: &[f64; Stage::ALL.len()], pretext: f64) -> f64 {
    let (mut reasons, mut demands) = (0.0, 0.0);
    for stage in Stage::ALL {
        let sum = stages[stage as usize].min(book.limits(stage).cap);
        if stage < Stage::Extraction { reasons += sum } else { demands += sum }
    }
    match book.pretext {
        Some(bound) if pretext < bound.least => reasons + f64::min(demands, bound.cap_without),
        _ => reasons + demands,
    }
}

/// The family with the most evidence. Rules that all scams share name none.
fn heaviest(book: &Rulebook, families: &[f64]) -> Option<usize> {
    let named = |at: &usize| book.packs[*at].id != super::SHARED_PACK;
    let most = |left: &usize, right: &usize| families[*left].total_cmp(&families[*right]);
    let heard = |at: &usize| families[*at] > 0.0;
    (0..families.len()).filter(heard).filter(named).max_by(most)
}

fn faded(book: &Rulebook, evidence: &Evidence, now: CallTime) -> f64 {
    let rule = &book.rules[evidence.rule];
    let age_s = now.ms_since(evidence.at) as f64 / 1000.0;
    let remains = (-age_s / rule.half_life).exp2();
    let floor = evidence.strongest * book.limits(rule.stage).floor;
    rule.weight * f64::max(evidence.keeps * remains, floor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_rise_at_once_and_fall_with_hysteresis() {
        let levels = crate::config::Config::parse("").expect("defaults").levels;
        assert_eq!(level(&levels, 25.0, Level::Quiet), Level::Warning);
        assert_eq!(level(&levels, 24.9, Level::Quiet), Level::Caution);
        assert_eq!(level(&levels, 21.1, Level::Warning), Level::Warning);
        assert_eq!(level(&levels, 20.9, Level::Warning), Level::Caution);
        assert_eq!(level(&levels, 5.0, Level::Danger), Level::Quiet);
    }
}
