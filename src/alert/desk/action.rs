//! What the desk decides: what is to be committed and done, and how it answers.

use std::time::Duration;

use crate::alert::line_clear::{Gate, Hold};
use crate::alert::outbox::Attempt;
use crate::alert::prompt::Prompt;
use crate::alert::record::Record;
use crate::call::{CallId, LineId, Origin};
use crate::rules::Level;
use crate::time::Wall;

/// What the edge is to do. The records are committed first, all or none; then the effects follow.
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use = "records must be committed, and effects performed"]
pub struct Actions {
    /// What to commit.
    pub records: Vec<Record>,
    /// What to do.
    pub effects: Vec<Effect>,
}

impl Actions {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.effects.is_empty()
    }

    /// Adds what else is to be done.
    pub fn append(&mut self, mut more: Self) {
        self.records.append(&mut more.records);
        self.effects.append(&mut more.effects);
    }
}

/// Something that the edge does.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Whisper this to the protected leg, and to no one else.
    Whisper {
        /// The line.
        line: LineId,
        /// The call.
        call: CallId,
        /// What is said.
        prompt: Prompt,
        /// How dangerous the call is.
        level: Level,
    },
    /// Play this to both legs at the start of a call.
    Notice {
        /// The call.
        call: CallId,
        /// What is said.
        prompt: Prompt,
    },
    /// End a call's far leg, then say this.
    DropFarLeg {
        /// The line.
        line: LineId,
        /// The call.
        call: CallId,
        /// What is said to the protected leg; nothing before an emergency call.
        prompt: Option<Prompt>,
        /// The number that the protected leg is connected with afterwards, on a fresh leg: the one
        /// that was dialled while the far leg was still up.
        connect: Option<&'static str>,
    },
    /// The line is held: whoever picks up hears this.
    LineHeld {
        /// The line.
        line: LineId,
        /// For how long.
        remaining: Duration,
        /// What is said.
        prompt: Prompt,
    },
    /// The line is clear.
    LineClear {
        /// The line.
        line: LineId,
        /// What is said.
        prompt: Prompt,
    },
    /// Tell somebody.
    Deliver(Box<Attempt>),
    /// The call is over for the desk: whoever feeds it need remember it no longer.
    Forget {
        /// The call.
        call: CallId,
    },
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such line.
    #[error("no line is named '{0}': the configuration names them under [[lines]]")]
    NoLine(String),
    /// Nobody agreed to the screening.
    #[error("line '{0}' is not screened: nobody's consent is in the configuration")]
    NoConsent(LineId),
    /// No such call.
    #[error("the call is not known: it may be over")]
    NoCall,
    /// Nothing to end.
    #[error("no call is up on line '{0}'")]
    NoCallUp(LineId),
    /// Two lines have a call of the same name.
    #[error("a call of this name is on another line: give each call its own name")]
    OtherLine,
    /// Too many calls at a time.
    #[error("{0} calls are watched already, which is feed.max-calls")]
    TooManyCalls(usize),
    /// The line is not held.
    #[error("line '{0}' is not held")]
    NotHeld(LineId),
    /// Only carers may.
    #[error("on line '{0}' only carers may do that")]
    CarersOnly(LineId),
}

/// How a call is to be screened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// What is known of the other party.
    pub origin: Origin,
    /// A suspicious call was on the line not long before.
    pub after_suspicious: bool,
}

/// What the PBX does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether it goes ahead, and why.
    pub gate: Gate,
    /// What is played.
    pub prompts: Vec<Prompt>,
    /// Calls whose far leg is dropped before this one is connected.
    pub drop_first: Vec<CallId>,
}

/// How a line stands.
#[derive(Debug, Clone, PartialEq)]
pub struct LineStatus {
    /// Which.
    pub id: LineId,
    /// What carers read.
    pub name: String,
    /// It is screened: somebody agreed.
    pub is_screened: bool,
    /// What is held, and for how long.
    pub hold: Option<(Hold, Duration)>,
    /// For how long nobody is warned.
    pub disabled: Option<Duration>,
    /// When a suspicious call was last on it.
    pub suspicious: Option<Wall>,
}
