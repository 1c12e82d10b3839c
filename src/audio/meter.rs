//! What a leg's line is like: its level, its noise, its clipping.

/// Samples of which one power is taken: 10 ms.
const BLOCK: usize = 80;
/// Blocks whose mean counts as one reading: 80 ms, short enough for a pause between words.
const READING: u32 = 8;
/// Readings over which one minimum of the noise is taken: 1 s.
const SPAN: u32 = 12;
/// Minima that are remembered.
const SPANS: usize = 8;
/// Where either law of ITU-T G.711 ends: 32124 of 32768 (µ-law), 32256 (A-law).
const CLIPPED: f32 = 32_124.0 / 32_768.0;
/// A sine of mean square 0.5 is +3.14 dBm0 (ITU-T G.711).
#[expect(clippy::approx_constant, reason = "a level, not π")]
const FULL_SCALE_DBM0: f64 = 3.14;
/// What is louder than the noise by this ratio of powers, 6 dB, counts as active.
const ACTIVE: f64 = 4.0;
/// The least mean square that is told: −90 dBm0.
const LEAST: f64 = 2.4e-10;

/// The state of a line so far. Levels are in dBm0, −90 at least.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The mean over everything.
    pub level_dbm0: f64,
    /// The mean over what is 6 dB above the noise (in the spirit of ITU-T P.56); `None` as long as
    /// there was nothing.
    pub active_dbm0: Option<f64>,
    /// The least mean over 80 ms of the last 7 to 8 s; `None` in the first 80 ms.
    pub noise_dbm0: Option<f64>,
    /// Share of the samples at the end of the scale, 0…1.
    pub clipped: f64,
}

/// Measures one leg. Sums only: an hour weighs no more than its seconds.
#[derive(Debug, Clone)]
pub struct Meter {
    samples: u64,
    clipped: u64,
    total: f64,
    active: Sum,
    block: f64,
    filled: usize,
    reading: Sum,
    minima: [f64; SPANS],
    readings: u32,
    span: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    power: f64,
    count: u32,
}

impl Sum {
    fn add(&mut self, power: f64) {
        self.power += power;
        self.count = self.count.saturating_add(1);
    }

    fn mean(self) -> Option<f64> {
        (self.count > 0).then(|| self.power / f64::from(self.count))
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            samples: 0,
            clipped: 0,
            total: 0.0,
            active: Sum::default(),
            block: 0.0,
            filled: 0,
            reading: Sum::default(),
            minima: [f64::MAX; SPANS],
            readings: 0,
            span: 0,
        }
    }
}

impl Meter {
    /// Takes in `samples` in −1…1. What is not a number counts as silence.
    pub fn push(&mut self, mut samples: &[f32]) {
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(BLOCK - self.filled));
            for &sample in now {
                let size = if sample.abs() <= 8.0 { sample.abs() } else { 0.0 };
                self.clipped += u64::from(size >= CLIPPED);
                self.block += f64::from(size * size);
            }
            self.samples += now.len() as u64;
            self.filled += now.len();
            samples = later;
            if self.filled == BLOCK {
                self.end_block();
            }
        }
    }

    /// What was found so far, of whole blocks of 10 ms.
    pub fn measured(&self) -> Measured {
        let blocks = self.samples / BLOCK as u64;
        Measured {
            level_dbm0: dbm0(self.total / blocks.max(1) as f64),
            active_dbm0: self.active.mean().map(dbm0),
            noise_dbm0: self.noise().map(dbm0),
            clipped: self.clipped as f64 / self.samples.max(1) as f64,
        }
    }

    fn noise(&self) -> Option<f64> {
        let least = self.minima.iter().copied().fold(f64::MAX, f64::min);
        (least < f64::MAX).then_some(least)
    }

    fn end_block(&mut self) {
        let power = self.block / BLOCK as f64;
        (self.block, self.filled) = (0.0, 0);
        self.total += power;
        if self.noise().is_some_and(|noise| power > ACTIVE * noise.max(LEAST)) {
            self.active.add(power);
        }
        self.reading.add(power);
        if self.reading.count < READING {
            return;
        }
        let reading = self.reading.power / f64::from(READING);
        self.reading = Sum::default();
        if self.readings == 0 {
            self.minima[self.span] = f64::MAX;
        }
        self.minima[self.span] = self.minima[self.span].min(reading);
        self.readings += 1;
        if self.readings == SPAN {
            (self.readings, self.span) = (0, (self.span + 1) % SPANS);
        }
    }
}

/// The level of a mean square.
fn dbm0(power: f64) -> f64 {
    10.0 * (power.max(LEAST) / 0.5).log10() + FULL_SCALE_DBM0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn measured(samples: &[f32], chunk: usize) -> Measured {
        let mut meter = Meter::default();
        samples.chunks(chunk).for_each(|part| meter.push(part));
        meter.measured()
    }

    /// 1 kHz, as the level is calibrated.
    fn sine(dbm0: f64, ms: usize) -> Vec<f32> {
        let amplitude = 10_f64.powf((dbm0 - FULL_SCALE_DBM0) / 20.0);
        let angle = |n: usize| std::f64::consts::TAU * n as f64 / 8.0;
        (0..ms * 8).map(|n| (amplitude * angle(n).sin()) as f32).collect()
    }

    #[test]
    fn levels_of_noise_and_voice() {
        for level in [-60.0, -16.0, 3.0] {
            let found = measured(&sine(level, 1000), 160);
            assert!((found.level_dbm0 - level).abs() < 0.01, "{found:?}");
        }
        let found = measured(&[sine(-60.0, 3000), sine(-20.0, 1000)].concat(), 160);
        let near = |found: Option<f64>, dbm0: f64| found.is_some_and(|f| (f - dbm0).abs() < 0.1);
        assert!(near(found.noise_dbm0, -60.0) && near(found.active_dbm0, -20.0), "{found:?}");
        assert_eq!(measured(&[], 1).noise_dbm0, None);
        assert_eq!(measured(&[0.0; 8000], 160).level_dbm0.round(), -90.0);
    }

    #[test]
    fn a_louder_noise_is_found_when_the_quieter_is_forgotten() {
        let found = measured(&[sine(-60.0, 2000), sine(-40.0, 9000)].concat(), 160);
        assert!(found.noise_dbm0.is_some_and(|noise| (noise + 40.0).abs() < 0.1), "{found:?}");
    }

    #[test]
    fn clipping_is_counted() {
        let clipped = sine(6.0, 1000).iter().map(|x| x.clamp(-0.981, 0.981)).collect::<Vec<_>>();
        assert!(measured(&clipped, 160).clipped > 0.2);
        assert_eq!(measured(&sine(0.0, 1000), 160).clipped, 0.0);
    }

    proptest! {
        #[test]
        fn any_samples_in_any_chunks(
            samples in proptest::collection::vec(any::<f32>(), 0..3000), chunk in 1_usize..900,
        ) {
            let found = measured(&samples, chunk);
            prop_assert_eq!(found, measured(&samples, 160));
            prop_assert!(found.level_dbm0.is_finite());
        }
    }
}
