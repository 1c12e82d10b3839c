//! Endpointing: speech probabilities → segments to recognise.
//!
//! A segment begins a little before the voice does (pre-roll, so that a soft first consonant is not
//! lost) and ends after a stretch without voice (hangover). One that grows too long is cut at its
//! quietest moment, since a recogniser loses its way in long audio, and a warning cannot wait.

/// Samples a second of all audio on this floor.
pub const RATE: u32 = 8_000;

/// Samples of one window, for which a detector gives one probability: 32 ms.
pub const WINDOW: usize = 256;

/// When speech begins and ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Endpointing {
    /// Probability at which a window is speech.
    pub on: f32,
    /// Probability below which a window of a running segment is silence.
    pub off: f32,
    /// Windows kept from before the first one of speech.
    pub pre_roll: usize,
    /// Windows of silence that end a segment.
    pub hangover: usize,
    /// Windows of silence kept at the end of a segment.
    pub keep: usize,
    /// Windows of speech that a segment must have: less is a click.
    pub least: usize,
    /// Windows after which a segment is cut.
    pub longest: usize,
}

impl Default for Endpointing {
    /// 256 ms pre-roll, 480 ms hangover, at least 96 ms of speech, at most 12 s.
    fn default() -> Self {
        Self { on: 0.5, off: 0.35, pre_roll: 8, hangover: 15, keep: 6, least: 3, longest: 375 }
    }
}

/// A stretch of speech, with its place on the leg.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Number of the first sample, counted from the start of the leg.
    pub start: u64,
    /// Mono, [`RATE`] samples a second, −1…1.
    pub samples: Vec<f32>,
}

impl Segment {
    /// Number of the sample after the last.
    pub const fn end(&self) -> u64 {
        self.start + self.samples.len() as u64
    }
}

/// Cuts one leg into segments. Its memory is bounded by the longest segment.
pub struct Endpointer {
    settings: Endpointing,
    /// Samples of the pre-roll or of the running segment.
    samples: Vec<f32>,
    /// Probability of each window in `samples`.
    windows: Vec<f32>,
    /// Number of the first sample in `samples`.
    start: u64,
    speaking: bool,
    speech: usize,
    silence: usize,
}

impl Endpointer {
    /// Starts on a leg.
    pub fn new(settings: Endpointing) -> Self {
        let windows = settings.longest.max(settings.pre_roll) + 1;
        Self {
            settings,
            samples: Vec::with_capacity(windows * WINDOW),
            windows: Vec::with_capacity(windows),
            start: 0,
            speaking: false,
            speech: 0,
            silence: 0,
        }
    }

    /// Whether a segment is running.
    pub const fn is_speaking(&self) -> bool {
        self.speaking
    }

    /// Takes in the next window and its probability of speech; returns a segment when one ends.
    pub fn push(&mut self, window: &[f32; WINDOW], probability: f32) -> Option<Segment> {
        self.samples.extend_from_slice(window);
        self.windows.push(probability);
        if self.speaking { self.go_on(probability) } else { self.wait(probability) }
    }

    /// The running segment, when the leg ends.
    pub fn finish(&mut self) -> Option<Segment> {
        let segment = self.speaking.then(|| self.end(self.windows.len())).flatten();
        self.forget(self.windows.len());
        segment
    }

    fn wait(&mut self, probability: f32) -> Option<Segment> {
        if probability >= self.settings.on {
            (self.speaking, self.speech, self.silence) = (true, 1, 0);
        } else if self.windows.len() > self.settings.pre_roll {
            self.forget(1);
        }
        None
    }

    fn go_on(&mut self, probability: f32) -> Option<Segment> {
        if probability < self.settings.off {
            self.silence += 1;
        } else {
            self.silence = 0;
            self.speech += usize::from(probability >= self.settings.on);
        }
        if self.silence >= self.settings.hangover {
            return self.end(self.windows.len() - self.silence + self.settings.keep);
        }
        (self.windows.len() >= self.settings.longest).then(|| self.cut()).flatten()
    }

    /// Ends the segment after `windows` windows; what follows is pre-roll of the next.
    fn end(&mut self, windows: usize) -> Option<Segment> {
        let segment = (self.speech >= self.settings.least).then(|| self.take(windows));
        (self.speaking, self.speech, self.silence) = (false, 0, 0);
        self.forget(windows.min(self.windows.len()));
        self.forget(self.windows.len().saturating_sub(self.settings.pre_roll));
        segment
    }

    /// Cuts a segment that is too long at the quietest window of its last quarter, and goes on.
    fn cut(&mut self) -> Option<Segment> {
        let from = self.windows.len() * 3 / 4;
        let quietest = (from..self.windows.len())
            .min_by(|a, b| self.windows[*a].total_cmp(&self.windows[*b]))
            .map_or(self.windows.len(), |at| at + 1);
        let segment = self.take(quietest);
        self.forget(quietest);
        self.speech = self.windows.iter().filter(|p| **p >= self.settings.on).count();
        self.silence = self.windows.iter().rev().take_while(|p| **p < self.settings.off).count();
        Some(segment)
    }

    fn take(&self, windows: usize) -> Segment {
        Segment { start: self.start, samples: self.samples[..windows * WINDOW].to_vec() }
    }

    fn forget(&mut self, windows: usize) {
        self.samples.drain(..windows * WINDOW);
        self.windows.drain(..windows);
        self.start += (windows * WINDOW) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes windows whose samples count up, so that a segment shows where it was cut.
    fn segments(probabilities: &[f32]) -> Vec<Segment> {
        let mut endpointer = Endpointer::new(Endpointing::default());
        let mut all = Vec::new();
        for (n, probability) in probabilities.iter().enumerate() {
            let window = std::array::from_fn(|i| (n * WINDOW + i) as f32);
            all.extend(endpointer.push(&window, *probability));
        }
        all.extend(endpointer.finish());
        all
    }

    fn windows(parts: &[(usize, f32)]) -> Vec<f32> {
        parts.iter().flat_map(|(n, p)| std::iter::repeat_n(*p, *n)).collect()
    }

    #[test]
    fn a_segment_has_pre_roll_and_hangover() {
        let found = segments(&windows(&[(50, 0.0), (40, 0.9), (50, 0.0)]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].start, (50 - 8) * 256);
        assert_eq!(found[0].end(), (90 + 6) * 256);
    }

    #[test]
    fn a_short_pause_does_not_split_and_a_long_one_does() {
        assert_eq!(segments(&windows(&[(20, 0.9), (14, 0.0), (20, 0.9), (20, 0.0)])).len(), 1);
        assert_eq!(segments(&windows(&[(20, 0.9), (15, 0.0), (20, 0.9), (20, 0.0)])).len(), 2);
    }

    #[test]
    fn clicks_are_dropped() {
        assert!(segments(&windows(&[(20, 0.0), (2, 0.9), (30, 0.0)])).is_empty());
    }

    #[test]
    fn a_long_segment_is_cut_where_it_is_quietest() {
        let found = segments(&windows(&[(330, 0.9), (1, 0.6), (200, 0.9)]));
        assert_eq!(found[0].end(), 331 * 256);
        assert_eq!(found[1].start, 331 * 256);
    }

    #[test]
    fn speech_at_the_end_of_the_leg_is_not_lost() {
        assert_eq!(segments(&windows(&[(5, 0.0), (30, 0.9)])).len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn samples_come_once_in_order_and_bounded(
            p in proptest::collection::vec(0.0_f32..1.0, 0..1200),
        ) {
            let mut end = 0;
            for segment in segments(&p) {
                assert!(segment.start >= end);
                assert!(segment.samples.len() <= 376 * WINDOW);
                assert_eq!(segment.samples[0], segment.start as f32);
                end = segment.end();
            }
        }
    }
}
