//! Evidence → score → level.

use super::pack::Families;
use super::rulebook::{Rule, Rulebook};
use super::sequence::Progress;
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

/// Evidence that keeps less than this was negated or reported: no step of a sequence, and no
/// example of its rule.
pub const PLAIN: f64 = 0.5;

/// What a call has shown so far.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    evidence: Vec<Evidence>,
    /// When each suppression was last heard.
    suppressed: Vec<(usize, CallTime)>,
    progress: Progress,
}

impl Ledger {
    /// Adds evidence, and that of the sequences that it completes.
    pub fn add(&mut self, book: &Rulebook, new: Evidence) {
        self.merge(book, new);
        if new.keeps < PLAIN {
            return;
        }
        for &(number, step) in book.steps_of(new.rule) {
            if self.progress.note(&book.sequences, number, step, new.at) {
                let rule = book.sequences[number as usize].rule;
                if book.rules[rule].is_on() {
                    self.merge(book, Evidence::new(rule, new.at, 1.0));
                }
            }
        }
    }

    /// Notes that a suppression was heard.
    pub fn suppress(&mut self, suppression: usize, at: CallTime) {
        match self.suppressed.iter_mut().find(|(known, _)| *known == suppression) {
            Some((_, last)) => *last = at.max(*last),
            None => self.suppressed.push((suppression, at)),
        }
    }

    /// A rule counts once, with the instance that counts more at that moment.
    fn merge(&mut self, book: &Rulebook, new: Evidence) {
        let weight = |e: &Evidence| faded(book, e, new.at);
        match self.evidence.iter_mut().find(|known| known.rule == new.rule) {
            None => self.evidence.push(new),
            Some(known) => {
                let strongest = known.strongest.max(new.strongest);
                if weight(&new).abs() >= weight(known).abs() {
                    *known = new;
                }
                known.strongest = strongest;
            }
        }
    }

    /// The suppression that takes most of a rule's weight, and the share that it leaves.
    fn suppression(&self, book: &Rulebook, evidence: &Evidence) -> Option<(usize, f64)> {
        let works = |(number, at): &(usize, CallTime)| {
            let suppression = &book.suppressions[*number];
            let apart = at.ms_since(evidence.at).max(evidence.at.ms_since(*at));
            let is_near = apart as f64 <= suppression.lasts * 1000.0;
            (suppression.of[evidence.rule] && is_near).then_some((*number, suppression.keeps))
        };
        self.suppressed.iter().filter_map(works).min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Adds up the evidence as it stands at `now`, `start` included.
    ///
    /// Every stage has a cap, since what one stage says correlates; and a floor below which nothing
    /// fades, since a long wait does not make a spoken PIN unsaid.
    pub fn add_up(&self, book: &Rulebook, start: f64, now: CallTime) -> Score {
        let mut score = Score { total: start, ..Score::default() };
        if self.evidence.is_empty() {
            return score;
        }
        let weighed = self.weighed(book, now);
        let families = families(book, &weighed);
        let mut sums = Sums::default();
        score.hits = weighed.iter().map(|(hit, _)| *hit).collect();
        for (hit, evidence) in &weighed {
            let rule = &book.rules[hit.rule];
            if !rule.counts() {
                continue;
            }
            let share = families.share(rule.pack);
            sums.add(rule, evidence.counted * share, evidence.ever * share);
            if !rule.is_sequence && rule.weight > 0.0 {
                score.stage = score.stage.max(Some(rule.stage));
            }
        }
        score.total += sums.capped(book);
        score.hits.sort_by(|left, right| right.weight.total_cmp(&left.weight));
        score.hits.retain(|hit| hit.weight != 0.0 || hit.suppression.is_some());
        score.family = families.first;
        score.sums = sums;
        score
    }

    /// What each rule adds at `now`, before the caps of stages.
    fn weighed(&self, book: &Rulebook, now: CallTime) -> Vec<(Hit, Weighed)> {
        let mut groups = vec![0.0_f64; book.groups.len()];
        let mut weighed = Vec::with_capacity(self.evidence.len());
        for one in &self.evidence {
            let rule = &book.rules[one.rule];
            let suppression = self.suppression(book, one);
            let share = suppression.map_or(1.0, |(_, keeps)| keeps);
            let weight = faded(book, one, now) * share;
            if let Some(group) = rule.group.filter(|_| rule.counts() && weight > 0.0) {
                groups[group] += weight;
            }
            let suppression = suppression.map(|(number, _)| number);
            let hit = Hit { rule: one.rule, at: one.at, weight, suppression };
            let ever = rule.weight * one.strongest * share;
            weighed.push((hit, Weighed { counted: weight, ever }));
        }
        for (hit, weight) in &mut weighed {
            // What reassures is bounded by a cap of its own.
            if let Some(group) = book.rules[hit.rule].group.filter(|_| weight.counted > 0.0) {
                weight.counted *= (book.groups[group].cap / groups[group]).min(1.0);
            }
        }
        weighed
    }
}

/// What one rule adds.
#[derive(Debug, Clone, Copy)]
struct Weighed {
    /// Decibans at the moment, within the cap of its group.
    counted: f64,
    /// Decibans when it was heard most plainly.
    ever: f64,
}

/// The families by weight. Rules that all scams share are of none.
#[derive(Debug)]
struct FamilyShares {
    first: Option<usize>,
    second: Option<usize>,
    shared: Option<usize>,
    limits: Families,
}

fn families(book: &Rulebook, weighed: &[(Hit, Weighed)]) -> FamilyShares {
    let mut sums = vec![0.0_f64; book.packs.len()];
    for (hit, weight) in weighed {
        let rule = &book.rules[hit.rule];
        if rule.counts() {
            sums[rule.pack] += weight.counted.max(0.0);
        }
    }
    let shared = book.packs.iter().position(|pack| pack.id == super::pack::SHARED_PACK);
    let heaviest = |but: Option<usize>| {
        let others = (0..sums.len()).filter(|at| sums[*at] > 0.0);
        let others = others.filter(|at| Some(*at) != shared && Some(*at) != but);
        others.max_by(|left, right| sums[*left].total_cmp(&sums[*right]))
    };
    let first = heaviest(None);
    let second = first.and_then(|first| heaviest(Some(first)));
    FamilyShares { first, second, shared, limits: book.families }
}

impl FamilyShares {
    /// The share that the rules of a pack keep.
    fn share(&self, pack: usize) -> f64 {
        if Some(pack) == self.shared || Some(pack) == self.first {
            1.0
        } else if Some(pack) == self.second {
            self.limits.second
        } else {
            self.limits.others
        }
    }
}

/// A rule that counts in a verdict, with what it adds at that moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Index into [`Rulebook::rules`].
    pub rule: usize,
    /// When it was last heard.
    pub at: CallTime,
    /// Decibans, after fading, cues and suppression, before the caps of its group and stage.
    pub weight: f64,
    /// The suppression that took some of it, as an index into [`Rulebook::suppressions`].
    pub suppression: Option<usize>,
}

/// What the parts of the script add, before their caps.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sums {
    /// By stage, in decibans.
    pub stages: [f64; Stage::ALL.len()],
    /// What speaks for an honest call, in decibans: 0 or less.
    pub reassurance: f64,
    /// The sequences, in decibans.
    pub sequences: f64,
    /// What was ever heard of the stages before extraction, in decibans: a pretext that was given
    /// stays given, however long the call.
    pub pretext: f64,
}

impl Sums {
    fn add(&mut self, rule: &Rule, weight: f64, ever: f64) {
        if rule.weight < 0.0 {
            self.reassurance += weight;
            return;
        }
        if rule.is_sequence {
            self.sequences += weight;
            return;
        }
        self.stages[rule.stage as usize] += weight;
        if rule.stage < Stage::Extraction {
            self.pretext += ever;
        }
    }

    /// What a stage adds, within its cap.
    pub fn stage(&self, book: &Rulebook, stage: Stage) -> f64 {
        self.stages[stage as usize].min(book.limits(stage).cap)
    }

    /// There is no reason why for what is demanded: it may be a taxi, a parcel or a builder.
    pub fn lacks_pretext(&self, book: &Rulebook) -> bool {
        book.pretext.is_some_and(|bound| self.pretext < bound.least)
    }

    /// The sum over the stages, each within its cap, and the sequences within theirs; demands and
    /// sequences together within the demands' as long as there is no pretext.
    pub fn capped(&self, book: &Rulebook) -> f64 {
        let (mut reasons, mut demands) = (0.0, 0.0);
        for stage in Stage::ALL {
            let sum = self.stage(book, stage);
            if stage < Stage::Extraction { reasons += sum } else { demands += sum }
        }
        demands += self.sequences.min(book.sequence_limits.cap);
        if self.lacks_pretext(book) {
            demands = demands.min(book.pretext.map_or(demands, |bound| bound.cap_without));
        }
        reasons + demands + self.reassurance.max(-book.reassurance)
    }
}

/// The sum of evidence.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Score {
    /// Decibans, the origin of the call included.
    pub total: f64,
    /// What was heard, heaviest first.
    pub hits: Vec<Hit>,
    /// The furthest stage of the script that was reached.
    pub stage: Option<Stage>,
    /// The scam family with the most evidence: an index into [`Rulebook::packs`].
    pub family: Option<usize>,
    /// What it is the sum of.
    pub sums: Sums,
}

fn faded(book: &Rulebook, evidence: &Evidence, now: CallTime) -> f64 {
    let rule = &book.rules[evidence.rule];
    let age_s = now.ms_since(evidence.at) as f64 / 1000.0;
    let remains = (-age_s / rule.half_life).exp2();
    let limits = if rule.is_sequence { book.sequence_limits } else { book.limits(rule.stage) };
    let floor = evidence.strongest * limits.floor;
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
