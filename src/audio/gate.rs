//! A cheap gate in front of voice activity detection, so that silence costs next to nothing.
//!
//! In a call one party listens while the other speaks: half of all audio is line noise. A window
//! hardly louder than the quietest of the last seconds holds no voice, and needs no neural network
//! to say so (minimum statistics, R. Martin, IEEE Trans. Speech and Audio Processing 9(5), 2001).

use super::voice::WINDOW;

/// How far above the noise floor a window must be to be looked at: 4 dB, as a ratio of powers.
/// White noise stays within 2 dB of its own minimum at this window's length; speech at 3 dB above
/// noise is 4.8 dB above the floor.
const MARGIN: f32 = 2.5;

/// Below −75 dBFS nothing is audible on a telephone: G.711's smallest step is at −72 dBFS.
const SILENCE: f32 = 3.2e-8;

/// Windows over which one minimum is taken: 1 s.
const BLOCK: usize = 32;

/// Minima that are remembered: the floor is the least of the last 3 to 4 s.
const BLOCKS: usize = 4;

/// Windows for which an opened gate stays open: 512 ms, so that the detector sees speech whole.
const HANGOVER: usize = 16;

/// Tells which windows are worth a detector's time.
#[derive(Debug, Clone)]
pub struct Gate {
    minima: [f32; BLOCKS],
    seen: usize,
    open_for: usize,
}

impl Default for Gate {
    fn default() -> Self {
        Self { minima: [f32::MAX; BLOCKS], seen: 0, open_for: HANGOVER }
    }
}

impl Gate {
    /// Whether `window` may hold speech. Open until the noise floor is known.
    pub fn opens(&mut self, window: &[f32; WINDOW]) -> bool {
        let power = window.iter().map(|sample| sample * sample).sum::<f32>() / WINDOW as f32;
        let floor = self.minima.iter().copied().fold(f32::MAX, f32::min);
        self.remember(power);
        let is_learning = self.seen <= BLOCK;
        if is_learning || (power > SILENCE && power > floor * MARGIN) {
            self.open_for = HANGOVER;
        }
        self.open_for = self.open_for.saturating_sub(1);
        self.open_for > 0
    }

    fn remember(&mut self, power: f32) {
        let place = self.seen / BLOCK % BLOCKS;
        if self.seen.is_multiple_of(BLOCK) {
            self.minima[place] = f32::MAX;
        }
        // Digital silence (a muted leg) is no noise floor: after it, ordinary noise would count.
        self.minima[place] = self.minima[place].min(power.max(SILENCE));
        self.seen += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// White noise of the given power, from a seed.
    fn noise(windows: usize, power: f32, seed: u32) -> Vec<[f32; WINDOW]> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        let scale = (power * 3.0).sqrt();
        (0..windows).map(|_| std::array::from_fn(|_| next() * scale)).collect()
    }

    #[test]
    fn steady_noise_closes_the_gate_at_any_level() {
        for power in [1e-9, 1e-6, 1e-3] {
            let mut gate = Gate::default();
            let open = noise(1000, power, 7).iter().filter(|window| gate.opens(window)).count();
            assert!(open < 60, "{open} of 1000 windows at {power}");
        }
    }

    #[test]
    fn a_voice_three_decibels_above_the_noise_opens_it() {
        let mut gate = Gate::default();
        noise(200, 1e-4, 7).iter().for_each(|window| {
            gate.opens(window);
        });
        let louder = noise(10, 3e-4, 11);
        assert!(louder.iter().all(|window| gate.opens(window)));
    }

    #[test]
    fn the_gate_stays_open_for_half_a_second() {
        let mut gate = Gate::default();
        let quiet = noise(300, 1e-6, 7);
        quiet.iter().take(200).for_each(|window| {
            gate.opens(window);
        });
        assert!(gate.opens(&noise(1, 1e-2, 3)[0]));
        let open = quiet[200..].iter().take_while(|window| gate.opens(window)).count();
        assert_eq!(open, HANGOVER - 2);
    }
}
