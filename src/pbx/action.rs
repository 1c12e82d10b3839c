//! What the switchboard is told to do, and what it wants done.

use super::parties::Lines;
use crate::alert::number::Emergency;
use crate::call::{CallId, Digit, Direction, Leg, LineId};
use crate::config;
use crate::private::Private;
use crate::rules::Level;
use crate::wire::ari::Request;

/// How calls are watched.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose telephones and trunks are whose.
    pub lines: Lines,
    /// How a call is listened to.
    pub tap: config::Tap,
    /// Where the sound is brought to.
    pub host: String,
    /// The folder of the prompts among Asterisk's sounds.
    pub sounds: String,
    /// What the protected person keys to end a call.
    pub end_call: Vec<Digit>,
    /// The emergency numbers of each line: nobody listens to a call of one.
    pub emergency: Vec<(LineId, Emergency)>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Ask Asterisk, one after the other, whatever becomes of each.
    Ask(Vec<Request>),
    /// A call begins.
    Begin {
        /// Its name.
        call: CallId,
        /// The line.
        line: LineId,
        /// Who dialled.
        direction: Direction,
        /// The other party's number; none if it is withheld.
        number: Option<Private<String>>,
        /// Whether both parties come in one.
        is_mixed: bool,
    },
    /// The connection that begins with this id brings the sound of a leg.
    Expect {
        /// Of which call.
        call: CallId,
        /// Whose voice.
        leg: Leg,
        /// The id.
        id: u128,
    },
    /// The connection that begins with this id is ended, or not taken: before Asterisk is asked to
    /// end its channel.
    Close {
        /// The id.
        id: u128,
    },
    /// A key was pressed.
    Key {
        /// In which call.
        call: CallId,
        /// On whose telephone.
        leg: Leg,
        /// Which.
        digit: Digit,
    },
    /// The protected person wants the call to end.
    EndCall {
        /// On which line.
        line: LineId,
        /// Which.
        call: CallId,
    },
    /// Somebody dials on a telephone of a line.
    Dials {
        /// The line.
        line: LineId,
        /// What.
        number: Private<String>,
    },
    /// The far leg did not go when it was told to.
    FarLegUp {
        /// The line.
        line: LineId,
    },
    /// A prompt could not be played.
    NotSaid,
    /// A leg could not be tapped.
    NotHeard {
        /// Whose voice.
        leg: Leg,
    },
    /// A call is over.
    End {
        /// Which.
        call: CallId,
    },
}

/// What the desk wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// The protected person, and nobody else, hears this prompt: a warning of this level.
    Whisper(Level, String),
    /// Both parties hear this prompt.
    Notice(String),
    /// The far leg goes; then the person hears the prompt, or is connected with the number.
    Drop {
        /// The prompt.
        prompt: Option<String>,
        /// The number.
        connect: Option<&'static str>,
    },
    /// The call is not to be watched.
    LetBe,
}

impl Settings {
    /// Whether a number is an emergency number of a line.
    pub fn is_emergency(&self, line: &LineId, number: &Private<String>) -> bool {
        let own = self.emergency.iter().find(|(id, _)| id == line);
        own.is_some_and(|(_, emergency)| emergency.is_reached_by(number))
    }

    /// A prompt, as Asterisk names it.
    pub fn sound(&self, prompt: &str) -> String {
        format!("{}/{prompt}", self.sounds)
    }
}
