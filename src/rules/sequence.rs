//! Rules that follow from others: "authority, then secrecy, then extraction".

use crate::time::CallTime;

/// A sequence of steps.
#[derive(Debug, Clone)]
pub struct Sequence {
    /// The index of its own rule.
    pub rule: usize,
    /// How many steps it has.
    pub steps: usize,
    /// Whether they must come in order.
    pub ordered: bool,
    /// Milliseconds from the first to the last.
    pub within_ms: u64,
}

/// How far a call has come in each sequence.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// For an ordered sequence and each of its steps, when the tightest chain up to that step
    /// began; for an unordered one, when the step was last heard.
    steps: Vec<Vec<Option<CallTime>>>,
}

impl Progress {
    /// Notes that `step` of a sequence was heard at `at`. True when that completes it.
    ///
    /// Of several steps that one finding is, the later must be given first, so that it cannot be
    /// two of them.
    pub fn note(&mut self, sequences: &[Sequence], number: u32, step: u32, at: CallTime) -> bool {
        let (number, step) = (number as usize, step as usize);
        let sequence = &sequences[number];
        self.steps.resize_with(sequences.len().max(self.steps.len()), Vec::new);
        let steps = &mut self.steps[number];
        steps.resize(sequence.steps, None);
        if !sequence.ordered {
            steps[step] = Some(at);
            let oldest = steps.iter().try_fold(at, |oldest, step| step.map(|at| at.min(oldest)));
            return oldest.is_some_and(|oldest| at.ms_since(oldest) <= sequence.within_ms);
        }
        let begun = match step.checked_sub(1) {
            None => Some(at),
            Some(before) => steps[before].filter(|begun| at.ms_since(*begun) <= sequence.within_ms),
        };
        let Some(begun) = begun else { return false };
        steps[step] = steps[step].max(Some(begun));
        step + 1 == sequence.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(ordered: bool) -> [Sequence; 1] {
        [Sequence { rule: 0, steps: 3, ordered, within_ms: 10_000 }]
    }

    fn completes(ordered: bool, heard: &[(u32, u64)]) -> bool {
        let mut progress = Progress::default();
        let sequences = sequence(ordered);
        heard.iter().fold(false, |_, (step, at)| progress.note(&sequences, 0, *step, CallTime(*at)))
    }

    #[test]
    fn steps_come_in_order() {
        assert!(completes(true, &[(0, 0), (1, 1_000), (2, 2_000)]));
        assert!(!completes(true, &[(1, 0), (0, 1_000), (2, 2_000)]));
        assert!(completes(false, &[(1, 0), (0, 1_000), (2, 2_000)]));
        assert!(!completes(false, &[(1, 0), (1, 1_000), (2, 2_000)]));
    }

    #[test]
    fn the_window_counts_from_the_tightest_beginning() {
        assert!(!completes(true, &[(0, 0), (1, 1_000), (2, 10_001)]));
        assert!(completes(true, &[(0, 0), (1, 100), (0, 5_000), (1, 6_000), (2, 12_000)]));
        assert!(!completes(false, &[(0, 0), (1, 1_000), (2, 10_001)]));
        assert!(completes(false, &[(0, 0), (1, 1_000), (0, 2_000), (2, 10_001)]));
    }
}
