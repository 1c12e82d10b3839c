//! One call watched from its first word to its end: sounds in, events out.

use crate::call::{Leg, Signal, Sound, Utterance};
use crate::rules::{Finding, Level, Screen, Verdict};
use crate::time::CallTime;

/// Something that happened in a call, in the order in which a person should see it.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Words, with what the rules found in them.
    Speech {
        /// What was said.
        utterance: Utterance,
        /// What it contains, cancelled phrases included.
        findings: Vec<Finding>,
    },
    /// A signal, with the rules it triggered.
    Signal {
        /// What was heard.
        signal: Signal,
        /// Indices into the rulebook.
        rules: Vec<usize>,
    },
    /// The level changed.
    Level {
        /// The level before.
        before: Level,
        /// The call so far.
        verdict: Verdict,
        /// It is a simulation: nobody is warned.
        simulated: bool,
    },
    /// Whisper the warning of this level to the protected leg, and to no one else.
    Whisper {
        /// The level that was reached for the first time.
        level: Level,
        /// When.
        at: CallTime,
    },
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The verdict at the end.
    pub verdict: Verdict,
    /// The verdict at the moment of the highest score: what the call is reported as.
    pub worst: Verdict,
    /// When each level was first reached while the call went on, by `Level as usize`.
    pub reached: [Option<CallTime>; Level::ALL.len()],
    /// It was a simulation: nobody was warned, and the times say when somebody would have been.
    pub simulated: bool,
}

impl Outcome {
    /// The highest level that was reached.
    pub const fn highest(&self) -> Level {
        self.worst.level
    }

    /// When the protected person was first told.
    pub fn warned_at(&self) -> Option<CallTime> {
        self.reached[Level::Warning as usize..].iter().flatten().min().copied()
    }
}

/// Watches one call.
#[derive(Debug)]
pub struct Watch {
    screen: Screen,
    level: Level,
    settled: Verdict,
    worst: Verdict,
    reached: [Option<CallTime>; Level::ALL.len()],
    simulated: bool,
}

impl Watch {
    /// Starts on a call.
    pub fn new(screen: Screen) -> Self {
        let worst = screen.verdict();
        let (level, settled) = (worst.level, worst.clone());
        Self { level, settled, worst, screen, reached: Default::default(), simulated: false }
    }

    /// Scores and tells everything, and warns nobody, if this is a simulation.
    #[must_use]
    pub fn simulated(self, simulated: bool) -> Self {
        Self { simulated, ..self }
    }

    /// The call so far, without words that may still be revised.
    pub const fn settled(&self) -> &Verdict {
        &self.settled
    }

    /// The rules that the call is screened with.
    pub const fn book(&self) -> &std::sync::Arc<crate::rules::Rulebook> {
        self.screen.book()
    }

    /// A voice was heard on a leg; what it said is not known.
    pub const fn voice(&mut self, leg: Leg) {
        self.screen.voice(leg);
    }

    /// Takes in what was heard; `at` is the moment of the call at which it became known, some half
    /// a second after the words themselves.
    #[must_use]
    pub fn take(&mut self, sound: Sound, at: CallTime) -> Vec<Event> {
        let mut shown = None;
        let (event, mut verdict, is_settled) = match sound {
            Sound::Speech(utterance) => {
                let heard = self.screen.hear(&utterance);
                let is_final = utterance.is_final;
                (Event::Speech { utterance, findings: heard.findings }, heard.verdict, is_final)
            }
            Sound::Signal(signal) => {
                let (verdict, rules) = self.screen.note(&signal);
                // Words that may be revised still stand.
                shown = Some(self.screen.verdict());
                (Event::Signal { signal, rules }, verdict, true)
            }
        };
        verdict.at = at;
        let mut events = vec![event];
        let level = shown.as_ref().map_or(verdict.level, |shown: &Verdict| shown.level);
        if level != self.level {
            let before = std::mem::replace(&mut self.level, level);
            let verdict = shown.map_or_else(|| verdict.clone(), |shown| Verdict { at, ..shown });
            let simulated = self.simulated;
            events.push(Event::Level { before, verdict, simulated });
        }
        // Nobody is warned on words that may yet be revised.
        if is_settled {
            self.settled = verdict.clone();
            events.extend(self.settle(verdict));
        }
        events
    }

    /// The call ends. Words that nobody revised any more count, but nobody was warned of them.
    pub fn end(mut self) -> Outcome {
        let (verdict, reached, simulated) = (self.screen.verdict(), self.reached, self.simulated);
        let _too_late_to_whisper = self.settle(verdict.clone());
        Outcome { verdict, worst: self.worst, reached, simulated }
    }

    /// Keeps the worst verdict; a level that is reached for the first time may be a warning.
    fn settle(&mut self, verdict: Verdict) -> Option<Event> {
        let (level, at) = (verdict.level, verdict.at);
        let first = level > self.worst.level;
        if first || verdict.score > self.worst.score {
            self.worst = Verdict { level: level.max(self.worst.level), ..verdict };
        }
        if first {
            self.reached[level as usize] = Some(at);
        }
        let warns = first && level >= Level::Warning && !self.simulated;
        warns.then_some(Event::Whisper { level, at })
    }
}
