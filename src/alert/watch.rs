//! One call watched from its first word to its end: sounds in, events out.

use crate::call::{Signal, Utterance};
use crate::rules::{Finding, Level, Screen, Verdict};
use crate::speech::listener::Sound;
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
    /// When each level was first reached, by `Level as usize`.
    pub reached: [Option<CallTime>; Level::ALL.len()],
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
    worst: Verdict,
    reached: [Option<CallTime>; Level::ALL.len()],
}

impl Watch {
    /// Starts on a call.
    pub fn new(screen: Screen) -> Self {
        let worst = screen.verdict();
        Self { level: worst.level, worst, screen, reached: Default::default() }
    }

    /// Takes in what was heard; `at` is the moment of the call at which it became known, some half
    /// a second after the words themselves.
    #[must_use]
    pub fn take(&mut self, sound: Sound, at: CallTime) -> Vec<Event> {
        let (event, verdict) = match sound {
            Sound::Speech(utterance) => {
                let heard = self.screen.hear(&utterance);
                (Event::Speech { utterance, findings: heard.findings }, heard.verdict)
            }
            Sound::Signal(signal) => {
                let (verdict, rules) = self.screen.note(&signal);
                (Event::Signal { signal, rules }, verdict)
            }
        };
        let mut events = vec![event];
        events.extend(self.judge(verdict, at));
        events
    }

    /// The call ends.
    pub fn end(self) -> Outcome {
        Outcome { verdict: self.screen.verdict(), worst: self.worst, reached: self.reached }
    }

    /// The call so far.
    pub fn verdict(&self) -> Verdict {
        self.screen.verdict()
    }

    /// The highest level so far.
    pub const fn highest(&self) -> Level {
        self.worst.level
    }

    fn judge(&mut self, mut verdict: Verdict, at: CallTime) -> Vec<Event> {
        verdict.at = at;
        let (before, level) = (self.level, verdict.level);
        let first = level > self.worst.level;
        self.level = level;
        if verdict.score > self.worst.score || first {
            let level = self.worst.level.max(level);
            self.worst = Verdict { level, ..verdict.clone() };
        }
        let mut events = Vec::new();
        if level != before {
            events.push(Event::Level { before, verdict });
        }
        if first {
            self.reached[level as usize] = Some(at);
        }
        if first && level >= Level::Warning {
            events.push(Event::Whisper { level, at });
        }
        events
    }
}
