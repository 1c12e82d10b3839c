//! Thresholds at a fixed rate of false alarms.

use super::sample::Group;

/// The scores of honest calls, by which thresholds are found. A group of near-duplicates counts
/// once, shared evenly among its calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Honest {
    /// Score, group and the call's share of it; the highest score first.
    calls: Vec<(f64, usize, f64)>,
    groups: usize,
}

impl Honest {
    /// Takes in the honest calls of all corpora.
    pub fn new(groups: &[Group<'_>]) -> Self {
        let mut calls: Vec<_> = groups
            .iter()
            .enumerate()
            .flat_map(|(at, group)| {
                group.iter().map(move |call| (call.score, at, 1.0 / group.len() as f64))
            })
            .collect();
        calls.sort_by(|left, right| right.0.total_cmp(&left.0));
        Self { calls, groups: groups.len() }
    }

    /// How many groups there are.
    pub const fn groups(&self) -> usize {
        self.groups
    }

    /// The lowest score that no more than the share `rate` of the groups passes: calls *above* it
    /// raise the alarm. None without honest calls.
    pub fn threshold(&self, rate: f64) -> Option<f64> {
        self.threshold_of(rate, |_| 1.0, self.groups as f64)
    }

    /// The same, for groups drawn with replacement.
    pub fn threshold_of_draw(&self, rate: f64, draw: &[usize]) -> Option<f64> {
        let mut times = vec![0.0; self.groups];
        for group in draw {
            times[*group] += 1.0;
        }
        self.threshold_of(rate, |group| times[group], draw.len() as f64)
    }

    fn threshold_of(&self, rate: f64, times: impl Fn(usize) -> f64, all: f64) -> Option<f64> {
        // What is added up in sixths and thirds may miss the whole by a hair.
        let allowed = rate * all + 1e-9;
        let (mut above, mut threshold) = (0.0, None);
        for same in self.calls.chunk_by(|left, right| left.0 == right.0) {
            let here: f64 = same.iter().map(|(_, group, share)| times(*group) * share).sum();
            if here > 0.0 {
                threshold = Some(same[0].0);
            }
            above += here;
            if above > allowed {
                break;
            }
        }
        threshold
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::measure::sample::{Label, Sample, mean};

    fn calls(scores: &[f64]) -> Vec<Sample> {
        let call = |score: &f64| Sample {
            id: String::new(),
            label: Label::Legit,
            kind: String::new(),
            group: String::new(),
            ask: None,
            score: *score,
            reached: [None; 4],
            hits: Vec::new(),
            decisive: Vec::new(),
        };
        scores.iter().map(call).collect()
    }

    fn alone(calls: &[Sample]) -> Vec<Group<'_>> {
        calls.iter().map(|call| vec![call]).collect()
    }

    #[test]
    fn the_threshold_is_the_lowest_that_keeps_the_rate() {
        let calls = calls(&[3.0, 9.0, 1.0, 5.0]);
        let honest = Honest::new(&alone(&calls));
        assert_eq!(honest.threshold(0.0), Some(9.0));
        assert_eq!(honest.threshold(0.24), Some(9.0));
        assert_eq!(honest.threshold(0.25), Some(5.0));
        assert_eq!(honest.threshold(0.5), Some(3.0));
        assert_eq!(Honest::new(&[]).threshold(0.1), None);
    }

    #[test]
    fn near_duplicates_count_once() {
        let calls = calls(&[9.0, 9.0, 9.0, 1.0]);
        let groups = [vec![&calls[0], &calls[1], &calls[2]], vec![&calls[3]]];
        let honest = Honest::new(&groups);
        assert_eq!(honest.threshold(0.4), Some(9.0));
        assert_eq!(honest.threshold(0.5), Some(1.0));
        assert_eq!(honest.threshold_of_draw(0.4, &[1, 1]), Some(1.0));
    }

    proptest! {
        #[test]
        fn no_more_than_the_rate_passes_and_no_lower_score_would_do(
            scores in proptest::collection::vec((0_u8..40).prop_map(f64::from), 1..60),
            rate in 0.0..1.0,
        ) {
            let calls = calls(&scores);
            let groups = alone(&calls);
            let threshold = Honest::new(&groups).threshold(rate).expect("calls");
            let above = |bound: f64| {
                let passes = |call: &Sample| f64::from(call.score > bound);
                let all = groups.iter().map(|group| mean(group, passes));
                all.sum::<f64>() / groups.len() as f64
            };
            prop_assert!(above(threshold) <= rate + 1e-9);
            let lower = scores.iter().copied().filter(|score| *score < threshold);
            if let Some(next) = lower.max_by(f64::total_cmp) {
                prop_assert!(above(next) > rate);
            }
        }
    }
}
