//! What each rule contributes: in how many scams and honest calls it counts, and what it shares
//! with other rules.

use std::collections::HashMap;

use super::sample::{Corpus, Label, Sample, groups};

/// Added to the groups with and without a hit, so that a rule which never hit an honest call does
/// not weigh infinitely much (Jeffreys' prior).
const SMOOTHING: f64 = 0.5;

/// One rule, on all calls.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuleFigures {
    /// Groups of scams in which it counts; a group counts by the share of its calls.
    pub scam: f64,
    /// The same of honest calls.
    pub honest: f64,
    /// Groups of scams of which nobody would be warned without it.
    pub decides_scam: f64,
    /// The same of honest calls: the false alarms that hang on it.
    pub decides_honest: f64,
    /// The weight that these calls would give it, in decibans: ten times the logarithm of how much
    /// larger the share of scams with a hit is than that of honest calls. None if it never hit, or
    /// there are no scams or no honest calls.
    pub observed: Option<f64>,
    /// How much of its hits are scams (S/O of SpamAssassin's `hit-frequencies`), as if there were
    /// as many scams as honest calls.
    pub spam_over_all: Option<f64>,
    /// The rule that it shares most calls with, and the share of calls with either that have both
    /// (Jaccard).
    pub overlap: Option<(usize, f64)>,
}

/// The figures of `rules` rules, and the number of groups of scams and of honest calls.
pub fn figures(corpora: &[&Corpus], rules: usize) -> (Vec<RuleFigures>, [usize; 2]) {
    let none = vec![[0.0; 2]; rules];
    let mut seen =
        Seen { hits: none.clone(), decides: none, pairs: HashMap::new(), groups: [0; 2] };
    for corpus in corpora {
        for label in [Label::Scam, Label::Legit] {
            let of_label = corpus.samples.iter().filter(|sample| sample.label == label);
            for group in groups(of_label) {
                seen.groups[label as usize] += 1;
                for sample in &group {
                    seen.add(sample, 1.0 / group.len() as f64);
                }
            }
        }
    }
    let mut figures: Vec<_> = seen.hits.iter().map(|hits| of_hits(*hits, seen.groups)).collect();
    for (figures, [scam, honest]) in figures.iter_mut().zip(&seen.decides) {
        (figures.decides_scam, figures.decides_honest) = (*scam, *honest);
    }
    for ((one, other), both) in &seen.pairs {
        let all = |rule: &usize| seen.hits[*rule].iter().sum::<f64>();
        let share = both / (all(one) + all(other) - both);
        overlap(&mut figures[*one], *other, share);
        overlap(&mut figures[*other], *one, share);
    }
    (figures, seen.groups)
}

struct Seen {
    /// By rule and label.
    hits: Vec<[f64; 2]>,
    decides: Vec<[f64; 2]>,
    pairs: HashMap<(usize, usize), f64>,
    groups: [usize; 2],
}

impl Seen {
    fn add(&mut self, sample: &Sample, share: f64) {
        let label = sample.label as usize;
        for rule in &sample.decisive {
            self.decides[*rule][label] += share;
        }
        for (at, (one, _)) in sample.hits.iter().enumerate() {
            self.hits[*one][label] += share;
            for (other, _) in &sample.hits[at + 1..] {
                let pair = (*one.min(other), *one.max(other));
                *self.pairs.entry(pair).or_default() += share;
            }
        }
    }
}

fn of_hits([scam, honest]: [f64; 2], groups: [usize; 2]) -> RuleFigures {
    let both_sides = groups[0] > 0 && groups[1] > 0;
    let was_heard = both_sides && scam + honest > 0.0;
    let [scams, honests] = groups.map(|groups| groups as f64);
    let smoothed = |hits: f64, all: f64| (hits + SMOOTHING) / (all + 2.0 * SMOOTHING);
    let ratio = || smoothed(scam, scams) / smoothed(honest, honests);
    let (in_scams, in_honest) = (scam / scams, honest / honests);
    RuleFigures {
        scam,
        honest,
        observed: was_heard.then(|| 10.0 * ratio().log10()),
        spam_over_all: was_heard.then(|| in_scams / (in_scams + in_honest)),
        ..RuleFigures::default()
    }
}

/// Keeps the largest overlap; of equals the first rule, so that nothing hangs on chance.
fn overlap(figures: &mut RuleFigures, other: usize, share: f64) {
    let is_more = figures
        .overlap
        .is_none_or(|(known, most)| share.total_cmp(&most).then(known.cmp(&other)).is_gt());
    if is_more {
        figures.overlap = Some((other, share));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(label: Label, group: &str, rules: &[usize]) -> Sample {
        Sample {
            id: String::new(),
            label,
            kind: String::new(),
            group: group.to_owned(),
            ask: None,
            score: 0.0,
            reached: [None; 4],
            hits: rules.iter().map(|rule| (*rule, 1.0)).collect(),
            decisive: Vec::new(),
        }
    }

    #[test]
    fn hits_are_counted_by_group_and_overlaps_found() {
        let samples = vec![
            call(Label::Scam, "a", &[0, 1]),
            call(Label::Scam, "a", &[0]),
            call(Label::Scam, "b", &[1, 0]),
            call(Label::Legit, "a", &[1]),
            call(Label::Legit, "c", &[]),
        ];
        let corpus = Corpus { name: "c".to_owned(), samples };
        let (figures, groups) = figures(&[&corpus], 3);
        assert_eq!(groups, [2, 2]);
        assert_eq!((figures[0].scam, figures[0].honest), (2.0, 0.0));
        assert_eq!((figures[1].scam, figures[1].honest), (1.5, 1.0));
        assert_eq!(figures[0].spam_over_all, Some(1.0));
        assert_eq!(figures[1].spam_over_all, Some(0.6));
        // (2.5 / 3) / (0.5 / 3) is five times as likely.
        assert!((figures[0].observed.expect("heard") - 6.99).abs() < 0.01);
        assert_eq!(figures[0].overlap, Some((1, 1.5 / 3.0)));
        assert_eq!(figures[1].overlap, Some((0, 1.5 / 3.0)));
        assert_eq!(figures[2], RuleFigures::default());
    }
}
