//! How sure a figure is: the bootstrap (Efron, *Annals of Statistics* 7, 1979). Groups of
//! near-duplicates are drawn again with replacement, and what the figure does then is its spread.

use fastrand::Rng;

/// How often groups are drawn again.
pub const ROUNDS: usize = 1000;

/// What lies outside an interval, half of it on either side.
const OUTSIDE: f64 = 0.05;

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Interval {
    /// The middle 95 % of the figures that the rounds gave; none if there were none.
    pub fn middle(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let last = figures.len().checked_sub(1)? as f64;
        let at = |share: f64| figures.get((last * share).round() as usize).copied();
        Some(Self { low: at(OUTSIDE / 2.0)?, high: at(1.0 - OUTSIDE / 2.0)? })
    }

    /// The interval of a share of `groups`, 0…1.
    ///
    /// Where all groups agree, drawing again shows nothing: there the exact interval stands in
    /// (Clopper and Pearson, *Biometrika* 26, 1934).
    pub fn of_share(figures: Vec<f64>, groups: usize) -> Option<Self> {
        let drawn = Self::middle(figures)?;
        let unseen = (OUTSIDE / 2.0).powf(1.0 / groups.max(1) as f64);
        Some(match (drawn.low, drawn.high) {
            (_, 0.0) => Self { low: 0.0, high: 1.0 - unseen },
            (1.0, _) => Self { low: unseen, high: 1.0 },
            _ => drawn,
        })
    }
}

/// Draws `size` of `size` groups with replacement, `rounds` times; `figure` is told the round and
/// what was drawn. The same seed gives the same draws, on every machine.
pub fn rounds(
    rounds: usize,
    size: usize,
    seed: u64,
    mut figure: impl FnMut(usize, &[usize]) -> f64,
) -> Vec<f64> {
    if size == 0 {
        return Vec::new();
    }
    let mut rng = Rng::with_seed(seed);
    let mut draw = vec![0; size];
    let once = |round| {
        draw.fill_with(|| rng.usize(..size));
        figure(round, &draw)
    };
    (0..rounds).map(once).collect()
}

/// The mean of `values` over those that were drawn, in each round.
pub fn means(values: &[f64], seed: u64) -> Vec<f64> {
    // Where all agree, as honest calls should, there is nothing to draw.
    if let Some(same) = values.first().filter(|first| values.iter().all(|it| it == *first)) {
        return vec![*same; ROUNDS];
    }
    rounds(ROUNDS, values.len(), seed, |_, draw| {
        draw.iter().map(|at| values[*at]).sum::<f64>() / draw.len() as f64
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_same_seed_draws_the_same() {
        let values: Vec<f64> = (0..40).map(f64::from).collect();
        assert_eq!(means(&values, 7), means(&values, 7));
        assert_ne!(means(&values, 7), means(&values, 8));
    }

    #[test]
    fn a_mean_has_the_interval_that_theory_gives() {
        // 300 of 1000: ± 1.96 √(0.3 · 0.7 / 1000) = ± 0.0284.
        let values: Vec<f64> = (0..1000).map(|at| f64::from(at % 10 < 3)).collect();
        let interval = Interval::of_share(means(&values, 1), 1000).expect("an interval");
        assert!((interval.low - 0.2716).abs() < 0.005, "{interval:?}");
        assert!((interval.high - 0.3284).abs() < 0.005, "{interval:?}");
    }

    #[test]
    fn where_all_agree_the_number_of_groups_still_tells() {
        let none = Interval::of_share(means(&[0.0; 100], 1), 100).expect("an interval");
        assert!(none.low == 0.0 && (none.high - 0.0362).abs() < 0.0001, "{none:?}");
        let all = Interval::of_share(means(&[1.0; 4], 1), 4).expect("an interval");
        assert!(all.high == 1.0 && (all.low - 0.3976).abs() < 0.0001, "{all:?}");
        assert_eq!(Interval::of_share(means(&[], 1), 0), None);
    }

    proptest! {
        #[test]
        fn an_interval_lies_within_what_was_seen_and_around_the_mean(
            values in proptest::collection::vec(0.0..1.0, 2..40),
            seed: u64,
        ) {
            let interval = Interval::middle(means(&values, seed)).expect("an interval");
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            prop_assert!(interval.low <= mean + 1e-9 && mean <= interval.high + 1e-9);
            prop_assert!(interval.low >= values.iter().copied().fold(1.0, f64::min) - 1e-9);
            prop_assert!(interval.high <= values.iter().copied().fold(0.0, f64::max) + 1e-9);
        }
    }
}
