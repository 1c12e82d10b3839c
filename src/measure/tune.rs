//! Weights fitted to calls, where the calls are sure of it.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::bootstrap::Interval;
use super::logistic::{Model, Pattern, Prior};
use super::sample::{Corpus, Group, Label, Sample, groups};
use crate::rules::compile::{REASSURANCES, WEIGHTS};
use crate::rules::pack::Maturity;
use crate::rules::rulebook::Rule;

/// How far a weight may move where its rule states no bounds.
const MOVES: f64 = 0.4;

/// Weights are written in tenths of a deciban.
const TENTHS: f64 = 10.0;

/// How to fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// How far a written weight is thought to be wrong: a standard deviation in decibans.
    pub spread: f64,
    /// How often groups are drawn again to see how sure a weight is.
    pub rounds: usize,
    /// Decides what is drawn.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { spread: 3.0, rounds: 100, seed: 1 }
    }
}

/// What the calls say of one rule's weight; all in decibans.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuned {
    /// The weight to use: the fitted one in tenths where the calls are sure that it is another than
    /// the written one, else the written one.
    pub weight: f64,
    /// The weight that fits best.
    pub fitted: f64,
    /// Where the weight lies when other calls had come up.
    pub interval: Interval,
    /// What it was held to.
    pub bounds: [f64; 2],
}

/// Why nothing can be fitted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TuneError {
    /// Only one side of the story.
    #[error(
        "weights are fitted on scams and honest calls: there is no {} among these calls, give a \
         corpus with some",
        .0.name()
    )]
    OneSided(Label),
}

/// Fits the weights of `rules`.
///
/// Each corpus counts alike and each group of near-duplicates once; together they count as many
/// groups as independent ones would be worth (Kish, *Survey Sampling*, 1965). The order of corpora
/// and calls does not matter. Experimental rules do not count, so they keep their weight.
///
/// # Errors
/// When all calls have the same label.
pub fn tune(
    corpora: &[&Corpus],
    rules: &[Rule],
    options: Options,
) -> Result<Vec<Tuned>, TuneError> {
    let calls = Calls::new(corpora, rules);
    if let Some(label) = [Label::Scam, Label::Legit].into_iter().find(|label| !calls.have(*label)) {
        return Err(TuneError::OneSided(label));
    }
    let priors: Vec<Prior> = rules.iter().map(prior).collect();
    let model = Model::new(&calls.patterns, priors.clone(), options.spread);
    let fit = model.fit(&calls.counts(), &model.written());
    let mut others = vec![Vec::with_capacity(options.rounds); rules.len()];
    let mut rng = Rng::with_seed(options.seed);
    for _ in 0..options.rounds {
        let other = model.fit(&calls.drawn(&mut rng), &fit);
        others.iter_mut().zip(other.weights).for_each(|(all, weight)| all.push(weight));
    }
    let tuned =
        |(rule, weights): (usize, Vec<f64>)| decide(priors[rule], fit.weights[rule], weights);
    Ok(others.into_iter().enumerate().map(tuned).collect())
}

/// The weights that are to be other than they are written, by the rule's id.
pub fn changes<'a>(rules: &'a [Rule], tuned: &[Tuned]) -> BTreeMap<&'a str, f64> {
    let pairs = rules.iter().zip(tuned).filter(|(rule, tuned)| rule.weight != tuned.weight);
    pairs.map(|(rule, tuned)| (rule.id.as_str(), tuned.weight)).collect()
}

/// The weight as written, and the bounds within which it may be fitted.
fn prior(rule: &Rule) -> Prior {
    let tenths = |weight: f64| (weight * TENTHS).round() / TENTHS;
    let limits = if rule.weight < 0.0 { REASSURANCES } else { WEIGHTS };
    let mut ends = [1.0 - MOVES, 1.0 + MOVES].map(|share| tenths(rule.weight * share));
    ends.sort_by(f64::total_cmp);
    let bounds = rule.bounds.unwrap_or([ends[0].max(*limits.start()), ends[1].min(*limits.end())]);
    Prior { weight: rule.weight, bounds }
}

fn decide(prior: Prior, fitted: f64, others: Vec<f64>) -> Tuned {
    let interval = Interval::middle(others).unwrap_or(Interval { low: fitted, high: fitted });
    let [low, high] = prior.bounds;
    // Inwards, so that a rounded weight is within its bounds; a hair is a rounding error.
    let (lowest, highest) = ((low * TENTHS - 1e-6).ceil(), (high * TENTHS + 1e-6).floor());
    let half = 0.5 / TENTHS;
    let is_sure = interval.low > prior.weight + half || interval.high < prior.weight - half;
    let weight = if is_sure && lowest <= highest {
        (fitted * TENTHS).round().clamp(lowest, highest) / TENTHS
    } else {
        prior.weight
    };
    Tuned { weight, fitted, interval, bounds: prior.bounds }
}

/// The calls as patterns, and the groups in which they are drawn.
struct Calls {
    patterns: Vec<Pattern>,
    /// By corpus and group: how often the group shows each of its patterns.
    corpora: Vec<Vec<Vec<(usize, f64)>>>,
}

/// A pattern's place in an order of its own, so that the order of calls does not matter.
type Key = (Label, Vec<(usize, u64)>);

impl Calls {
    fn new(corpora: &[&Corpus], rules: &[Rule]) -> Self {
        let mut sorted: Vec<_> = corpora.iter().filter(|it| !it.samples.is_empty()).collect();
        sorted.sort_by(|left, right| left.name.cmp(&right.name));
        let key = |sample: &Sample| -> Key {
            let counts = |rule: usize| rules[rule].maturity != Maturity::Experimental;
            let heard = sample.hits.iter().filter(|(rule, _)| counts(*rule));
            let mut shares: Vec<_> = heard.map(|(rule, share)| (*rule, share.to_bits())).collect();
            shares.sort_unstable();
            (sample.label, shares)
        };
        let mut places: BTreeMap<Key, usize> =
            sorted.iter().flat_map(|corpus| &corpus.samples).map(|call| (key(call), 0)).collect();
        places.values_mut().zip(0..).for_each(|(place, at)| *place = at);

        let groups: Vec<Vec<Group<'_>>> =
            sorted.iter().map(|corpus| groups(&corpus.samples)).collect();
        // A corpus counts as many groups as the harmonic mean of their numbers.
        let rarity: f64 = groups.iter().map(|groups| 1.0 / groups.len() as f64).sum();
        let worth = groups.len() as f64 / rarity;
        let count = |group: &Group<'_>, of: usize| {
            let mut times: BTreeMap<usize, f64> = BTreeMap::new();
            group.iter().for_each(|call| *times.entry(places[&key(call)]).or_default() += 1.0);
            let each = worth / of as f64 / group.len() as f64;
            times.into_iter().map(|(pattern, times)| (pattern, times * each)).collect()
        };
        let corpora = groups
            .iter()
            .map(|groups| groups.iter().map(|group| count(group, groups.len())).collect())
            .collect();
        Self { corpora, patterns: places.into_keys().map(pattern).collect() }
    }

    fn have(&self, label: Label) -> bool {
        self.patterns.iter().any(|pattern| pattern.is_scam == (label == Label::Scam))
    }

    /// How often each pattern was seen.
    fn counts(&self) -> Vec<f64> {
        self.count(self.corpora.iter().flatten())
    }

    /// How often each would have been seen in groups drawn with replacement, as many of each corpus
    /// as it has.
    fn drawn(&self, rng: &mut Rng) -> Vec<f64> {
        let draw = |groups: &'_ [Vec<(usize, f64)>]| -> Vec<usize> {
            groups.iter().map(|_| rng.usize(..groups.len())).collect()
        };
        let draws: Vec<Vec<usize>> = self.corpora.iter().map(Vec::as_slice).map(draw).collect();
        let corpora = self.corpora.iter().zip(&draws);
        self.count(corpora.flat_map(|(groups, draw)| draw.iter().map(|at| &groups[*at])))
    }

    fn count<'a>(&self, groups: impl Iterator<Item = &'a Vec<(usize, f64)>>) -> Vec<f64> {
        let mut counts = vec![0.0; self.patterns.len()];
        for (pattern, count) in groups.flatten() {
            counts[*pattern] += count;
        }
        counts
    }
}

fn pattern((label, shares): Key) -> Pattern {
    let shares = shares.into_iter().map(|(rule, bits)| (rule, f64::from_bits(bits))).collect();
    Pattern { is_scam: label == Label::Scam, shares }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACK: &str = r#"
        [pack]
        id = "p"
        title = "P"
        version = "1"
        [stages.hook]
        cap = 20.0
        floor = 0.5
    "#;

    /// Rules of weight 10: the second with bounds of its own, the third experimental.
    fn rules() -> Vec<Rule> {
        let rule = |(name, more): (&str, &str)| {
            format!(
                "[[rule]]\nid = \"p.{name}\"\ntitle = \"T\"\nstage = \"hook\"\nweight = 10.0\n\
                 phrases = [\"{name}\"]\nmust-match = [\"{name}\"]\nmust-not-match = [\"no\"]\n\
                 {more}\n"
            )
        };
        let more = [("a", ""), ("b", "bounds = [9.5, 10.5]"), ("c", "maturity = \"experimental\"")];
        let text = PACK.to_owned() + &more.map(rule).concat();
        crate::rules::load(&[("p.toml".to_owned(), text)]).expect("a sound pack").rules
    }

    fn call(label: Label, group: usize, rules: &[usize]) -> Sample {
        Sample {
            id: group.to_string(),
            label,
            kind: String::new(),
            group: group.to_string(),
            ask: None,
            score: 0.0,
            reached: [None; 4],
            hits: rules.iter().map(|rule| (*rule, 1.0)).collect(),
            decisive: Vec::new(),
        }
    }

    /// Every rule in 24 of 100 honest calls, and in 30 of 100 scams.
    fn corpora() -> [Corpus; 2] {
        let calls = |label, heard| {
            let hits = move |at: usize| if at < heard { [0, 1, 2].as_slice() } else { &[] };
            (0..100).map(move |at| call(label, at, hits(at))).collect::<Vec<_>>()
        };
        let corpus = |name: &str, samples| Corpus { name: name.to_owned(), samples };
        [corpus("scams", calls(Label::Scam, 30)), corpus("honest", calls(Label::Legit, 24))]
    }

    fn tuned(corpora: &[&Corpus], seed: u64) -> Vec<Tuned> {
        tune(corpora, &rules(), Options { seed, ..Options::default() }).expect("both labels")
    }

    #[test]
    fn weights_move_within_bounds_and_experimental_rules_do_not() {
        let [scams, honest] = corpora();
        let found = tuned(&[&scams, &honest], 1);
        let weights: Vec<f64> = found.iter().map(|rule| rule.weight).collect();
        assert_eq!(weights, [6.0, 9.5, 10.0], "{found:?}");
        assert_eq!(found[0].bounds, [6.0, 14.0]);
    }

    #[test]
    fn a_weight_of_which_the_calls_are_not_sure_stays() {
        let samples = vec![call(Label::Scam, 0, &[]), call(Label::Legit, 1, &[0])];
        let few = Corpus { name: "few".to_owned(), samples };
        let found = tuned(&[&few], 1)[0];
        assert!(found.weight == 10.0 && found.fitted < 10.0, "{found:?}");
    }

    #[test]
    fn the_order_of_corpora_and_calls_does_not_matter_and_the_seed_decides() {
        let [mut scams, mut honest] = corpora();
        scams.samples.truncate(37);
        let found = tuned(&[&scams, &honest], 5);
        assert_eq!(found, tuned(&[&scams, &honest], 5));
        assert_ne!(found, tuned(&[&scams, &honest], 6));
        scams.samples.reverse();
        honest.samples.rotate_left(31);
        assert_eq!(found, tuned(&[&honest, &scams], 5));
    }

    #[test]
    fn near_duplicates_count_once_and_corpora_alike() {
        let [mut scams, honest] = corpora();
        let once = tuned(&[&scams, &honest], 3);
        let copies: Vec<Sample> =
            scams.samples.iter().cloned().flat_map(|it| [it.clone(), it]).collect();
        scams.samples = copies;
        let twice = tuned(&[&scams, &honest], 3);
        let near = |one: &Tuned, other: &Tuned| (one.fitted - other.fitted).abs() < 1e-3;
        assert!(once.iter().zip(&twice).all(|(one, other)| near(one, other)));
    }

    #[test]
    fn one_side_of_the_story_is_refused() {
        let [scams, _] = corpora();
        let error = tune(&[&scams], &rules(), Options::default()).expect_err("no honest call");
        assert_eq!(error, TuneError::OneSided(Label::Legit));
        assert!(error.to_string().contains("no legit"), "{error}");
    }
}
