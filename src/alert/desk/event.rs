//! What happens to the desk, and what it is asked.

use std::time::Duration;

use crate::alert::outbox::Outcome;
use crate::alert::record::{Actor, Id};
use crate::alert::report::Report;
use crate::call::{CallId, Direction, LineId};
use crate::private::Private;

/// What happens.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Something was heard in a call; with a report if it changed anything.
    Heard {
        /// The call.
        call: CallId,
        /// What the rules make of it.
        report: Option<Report>,
    },
    /// A call ended.
    CallEnded {
        /// The call.
        call: CallId,
    },
    /// While the far leg is up, somebody dials whom they were told to ring, or the far leg plays a
    /// dial tone: who seems to be the bank or the police will be the scammer.
    Trick {
        /// The call.
        call: CallId,
        /// What was dialled; none if a dial tone was heard.
        dialled: Option<&'static str>,
    },
    /// Somebody wants the call to end that is up on a line.
    EndCall {
        /// The line.
        line: LineId,
        /// Which call; all that are up if none is named.
        call: Option<CallId>,
        /// Who.
        by: Actor,
    },
    /// The line is held, and the far leg of the last call is still up.
    FarLegUp {
        /// The line.
        line: LineId,
    },
    /// Somebody says of an incident that it is no scam. The desk remembers the last of those that
    /// are over, and none after a restart: whoever asks looks up whether it was said before.
    NotAScam {
        /// The line.
        line: LineId,
        /// The incident.
        incident: Id,
        /// Who.
        by: Actor,
    },
    /// Somebody wants to be left alone for some time.
    Disable {
        /// The line.
        line: LineId,
        /// For how long: at most [`LONGEST_DISABLED`].
        length: Duration,
        /// Who.
        by: Actor,
    },
    /// Somebody wants to be looked after again.
    Enable {
        /// The line.
        line: LineId,
        /// Who.
        by: Actor,
    },
    /// Somebody wants the line to be kept clear.
    StartHold {
        /// The line.
        line: LineId,
        /// For how long, if not as configured.
        length: Option<Duration>,
        /// Who.
        by: Actor,
    },
    /// Somebody wants more time.
    ExtendHold {
        /// The line.
        line: LineId,
        /// How much more.
        length: Duration,
        /// Who.
        by: Actor,
    },
    /// Somebody ends the hold.
    EndHold {
        /// The line.
        line: LineId,
        /// Who.
        by: Actor,
    },
    /// An attempt to deliver a notification ended.
    Attempted {
        /// The notification.
        key: String,
        /// What came of it.
        outcome: Outcome,
    },
}

/// The longest time for which a line can be left alone.
pub const LONGEST_DISABLED: Duration = Duration::from_secs(24 * 3600);

/// A call that begins, as its source tells it.
#[derive(Debug, Clone)]
pub struct NewCall {
    /// The line.
    pub line: LineId,
    /// The call.
    pub call: CallId,
    /// Who dialled.
    pub direction: Direction,
    /// The other party's number; none if it is withheld or not known.
    pub number: Option<Private<String>>,
}

/// A PBX asks whether a call may go ahead.
#[derive(Debug, Clone)]
pub struct Question {
    /// The line.
    pub line: LineId,
    /// Who dials.
    pub direction: Direction,
    /// What was dialled, or who rings; none if it is withheld.
    pub number: Option<Private<String>>,
    /// The key that was pressed after the line was said to be held.
    pub key: Option<String>,
    /// Nothing comes of the question: somebody wants to know what would be answered.
    pub dry_run: bool,
}
