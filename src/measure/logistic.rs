//! Logistic regression in decibans: each weight is drawn to what a person wrote, and stays within
//! bounds.
//!
//! What is maximised is the likelihood of the labels, if the odds of a scam were the bias plus the
//! weights of what was heard; and each weight is thought to lie around the written one with a
//! normal distribution, which is the quadratic penalty. The method is cyclic coordinate descent
//! with a trust region for each weight (Genkin, Lewis and Madigan, *Technometrics* 49, 2007): no
//! step size to choose, nothing random, and a rule that was never heard keeps its weight.

use std::f64::consts::LN_10;

/// Natural logarithms of odds in a deciban.
const NATURAL: f64 = LN_10 / 10.0;

/// The longest first step, in decibans.
const FIRST_STEP: f64 = 4.0;

/// The fit has settled when no weight moves further in a sweep, in decibans.
const SETTLED: f64 = 1e-5;

/// Sweeps after which the fit is what it is.
const SWEEPS: usize = 2000;

/// What a person says of a weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    /// The weight as written, in decibans.
    pub weight: f64,
    /// Lowest and highest weight, in decibans.
    pub bounds: [f64; 2],
}

/// What was heard in calls that look the same to the rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    /// Rules, with the share of their weight that counts, 0…1.
    pub shares: Vec<(usize, f64)>,
    /// Whether these calls are scams.
    pub is_scam: bool,
}

/// What is to be fitted.
#[derive(Debug, Clone)]
pub struct Model {
    /// By rule: the patterns it is in, and its share there.
    columns: Vec<Vec<(usize, f64)>>,
    /// The same for the bias, which is in all.
    bias: Vec<(usize, f64)>,
    is_scam: Vec<bool>,
    priors: Vec<Prior>,
    spread: f64,
}

/// Fitted weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The odds of a scam before anything is heard, in decibans, as mixed as the calls were.
    pub bias: f64,
    /// By rule, in decibans.
    pub weights: Vec<f64>,
}

impl Model {
    /// A model of these rules on these calls; `spread` is how far a written weight is thought to be
    /// wrong, as a standard deviation in decibans.
    pub fn new(patterns: &[Pattern], priors: Vec<Prior>, spread: f64) -> Self {
        let mut columns = vec![Vec::new(); priors.len()];
        for (at, pattern) in patterns.iter().enumerate() {
            for (rule, share) in &pattern.shares {
                columns[*rule].push((at, *share));
            }
        }
        let bias = (0..patterns.len()).map(|at| (at, 1.0)).collect();
        let is_scam = patterns.iter().map(|pattern| pattern.is_scam).collect();
        Self { columns, bias, is_scam, priors, spread }
    }

    /// The weights as they are written.
    pub fn written(&self) -> Fit {
        Fit { bias: 0.0, weights: self.priors.iter().map(|prior| prior.weight).collect() }
    }

    /// The weights that fit best, when pattern `i` was seen `counts[i]` times, which need not be a
    /// whole number. Where the search starts does not matter, but for its time.
    pub fn fit(&self, counts: &[f64], start: &Fit) -> Fit {
        let mut fit = start.clone();
        let mut scores = vec![fit.bias; self.is_scam.len()];
        for (column, weight) in self.columns.iter().zip(&fit.weights) {
            shift(&mut scores, column, *weight);
        }
        let mut reach = vec![FIRST_STEP; self.columns.len() + 1];
        for _ in 0..SWEEPS {
            // Nobody says anything of the bias.
            let step = self.step(&self.bias, &scores, counts, &mut reach[0], (0.0, 0.0));
            fit.bias += step;
            shift(&mut scores, &self.bias, step);
            let mut longest = step.abs();
            for (rule, column) in self.columns.iter().enumerate().filter(|(_, it)| !it.is_empty()) {
                let (prior, before) = (self.priors[rule], fit.weights[rule]);
                let certain = self.spread.powi(-2);
                let pull = ((before - prior.weight) * certain, certain);
                let step = self.step(column, &scores, counts, &mut reach[rule + 1], pull);
                let [low, high] = prior.bounds;
                let after = (before + step).clamp(low, high);
                fit.weights[rule] = after;
                shift(&mut scores, column, after - before);
                longest = longest.max((after - before).abs());
            }
            if longest < SETTLED {
                break;
            }
        }
        fit
    }

    /// How far to move one weight: a Newton step, no longer than where the curvature is known to
    /// be bounded. `pull` is the slope of the penalty and its curvature.
    fn step(
        &self,
        column: &[(usize, f64)],
        scores: &[f64],
        counts: &[f64],
        reach: &mut f64,
        pull: (f64, f64),
    ) -> f64 {
        let (mut slope, mut curvature) = pull;
        for (pattern, share) in column.iter().filter(|(pattern, _)| counts[*pattern] > 0.0) {
            let (odds, unit) = (scores[*pattern] * NATURAL, share * NATURAL);
            let target = f64::from(self.is_scam[*pattern]);
            slope += counts[*pattern] * unit * (logistic(odds) - target);
            curvature += counts[*pattern] * unit * unit * steepest(odds.abs(), unit * *reach);
        }
        if curvature <= 0.0 {
            return 0.0;
        }
        let step = (-slope / curvature).clamp(-*reach, *reach);
        *reach = f64::max(2.0 * step.abs(), *reach / 2.0);
        step
    }
}

fn shift(scores: &mut [f64], column: &[(usize, f64)], by: f64) {
    for (pattern, share) in column {
        scores[*pattern] += share * by;
    }
}

fn logistic(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp())
}

/// The most that the slope of the logistic function is within `reach` of `distance`.
fn steepest(distance: f64, reach: f64) -> f64 {
    if distance <= reach {
        return 0.25;
    }
    let nearest = distance - reach;
    1.0 / (2.0 + nearest.exp() + (-nearest).exp())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const WIDE: [f64; 2] = [-60.0, 60.0];

    fn prior(weight: f64, bounds: [f64; 2]) -> Prior {
        Prior { weight, bounds }
    }

    /// One rule, heard in a share of the scams and in a share of the honest calls.
    fn one_rule(scam: f64, honest: f64, prior: Prior, spread: f64) -> Fit {
        let pattern =
            |shares: &[(usize, f64)], is_scam| Pattern { shares: shares.to_vec(), is_scam };
        let patterns = [
            pattern(&[(0, 1.0)], true),
            pattern(&[], true),
            pattern(&[(0, 1.0)], false),
            pattern(&[], false),
        ];
        let model = Model::new(&patterns, vec![prior], spread);
        let counts = [scam, 1.0 - scam, honest, 1.0 - honest].map(|share| share * 1000.0);
        model.fit(&counts, &model.written())
    }

    proptest! {
        #[test]
        fn known_odds_are_recovered(scam in 0.05..0.95, honest in 0.05..0.95) {
            // With a free bias the best weight is the logarithm of the odds ratio.
            let odds = |share: f64| share / (1.0 - share);
            let expected = 10.0 * f64::log10(odds(scam) / odds(honest));
            let fit = one_rule(scam, honest, prior(3.0, WIDE), 1e6);
            prop_assert!((fit.weights[0] - expected).abs() < 0.01, "{fit:?}, not {expected}");
        }

        #[test]
        fn bounds_hold_and_a_firm_belief_stays(scam in 0.05..0.95, honest in 0.05..0.95) {
            let bounds = [4.0, 7.0];
            let fit = one_rule(scam, honest, prior(5.0, bounds), 1e6);
            prop_assert!((4.0..=7.0).contains(&fit.weights[0]), "{fit:?}");
            let firm = one_rule(scam, honest, prior(5.0, WIDE), 0.001);
            prop_assert!((firm.weights[0] - 5.0).abs() < 0.01, "{firm:?}");
        }

        #[test]
        fn no_weight_near_by_fits_better(
            seen in vec((any::<bool>(), [0.0..1.0, 0.0..1.0, 0.0..1.0]), 4..20),
            spread in 0.5..8.0,
        ) {
            let shares = |given: &[f64; 3]| given.iter().copied().enumerate().collect::<Vec<_>>();
            let mut patterns: Vec<Pattern> = seen
                .iter()
                .map(|(is_scam, given)| Pattern { shares: shares(given), is_scam: *is_scam })
                .collect();
            // The bias is free, so both kinds must be there.
            patterns[0].is_scam = true;
            patterns[1].is_scam = false;
            let priors = vec![prior(5.0, [3.0, 7.0]); 3];
            let model = Model::new(&patterns, priors.clone(), spread);
            let counts = vec![1.0; patterns.len()];
            let fit = model.fit(&counts, &model.written());
            let elsewhere = Fit { bias: -9.0, weights: vec![3.0, 7.0, 3.0] };
            let again = model.fit(&counts, &elsewhere);
            let loss = |fit: &Fit| {
                let of_call = |pattern: &Pattern| {
                    let weighed = |(rule, share): &(usize, f64)| fit.weights[*rule] * share;
                    let heard = pattern.shares.iter().map(weighed);
                    let odds = (fit.bias + heard.sum::<f64>()) * NATURAL;
                    (if pattern.is_scam { -odds } else { odds }).exp().ln_1p()
                };
                let far = fit.weights.iter().map(|it| ((it - 5.0) / spread).powi(2) / 2.0);
                patterns.iter().map(of_call).sum::<f64>() + far.sum::<f64>()
            };
            prop_assert!((loss(&fit) - loss(&again)).abs() < 1e-6, "{fit:?} {again:?}");
            for (rule, by) in (0..3).flat_map(|rule| [(rule, 0.01), (rule, -0.01)]) {
                let mut near = fit.clone();
                near.weights[rule] = (near.weights[rule] + by).clamp(3.0, 7.0);
                prop_assert!(loss(&near) >= loss(&fit) - 1e-7, "{fit:?} {near:?}");
            }
        }
    }

    #[test]
    fn a_rule_that_was_never_heard_keeps_its_weight() {
        let patterns = [
            Pattern { shares: vec![(0, 1.0)], is_scam: true },
            Pattern { shares: vec![], is_scam: false },
        ];
        let priors = vec![prior(5.0, WIDE), prior(8.0, WIDE)];
        let model = Model::new(&patterns, priors, 3.0);
        let fit = model.fit(&[10.0, 10.0], &model.written());
        assert!(fit.weights[0] > 5.5 && fit.weights[1] == 8.0, "{fit:?}");
    }
}
