//! Asterisk's REST interface (ARI, Asterisk 20 to 22): the events that its WebSocket brings, and
//! the
//! requests that its HTTP server takes.
//! <https://docs.asterisk.org/Latest_API/API_Documentation/Asterisk_REST_Interface/>

mod request;

use serde::Deserialize;

use crate::call::Digit;
use crate::private::Private;
pub use request::{Method, Request, Spy, encoded};

/// The longest event that is read; Asterisk's own take some kilobytes.
pub const MOST_EVENT: usize = 256 * 1024;
/// The longest name of a channel or bridge; Asterisk's own are at most 149.
const MOST_ID: usize = 256;

/// A channel, as events and lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Channel {
    /// Its unique name.
    pub id: String,
    /// `PJSIP/elder-00000002`. Endpoints may be named after numbers.
    name: Private<String>,
    /// `Down`, `Ring`, `Ringing`, `Up`…
    #[serde(default)]
    pub state: String,
    #[serde(default)]
    caller: Party,
    #[serde(default)]
    connected: Party,
    #[serde(default)]
    dialplan: Dialplan,
    /// When it was made, to the millisecond: `2026-11-22T12:00:00.123+0000`.
    #[serde(default)]
    pub creationtime: String,
}

/// A party, as caller ID tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct Party {
    #[serde(default)]
    number: Private<String>,
}

/// Where a channel is in the dialplan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct Dialplan {
    #[serde(default)]
    exten: Private<String>,
}

impl Channel {
    /// Whether it is of an endpoint, such as `PJSIP/elder`: its name is that, a hyphen, and a
    /// number
    /// of its own.
    pub fn is_of(&self, endpoint: &str) -> bool {
        let name = self.name.reveal();
        name.rsplit_once('-').is_some_and(|(of, _)| of.eq_ignore_ascii_case(endpoint))
    }

    /// The number of whoever is at its end; none if it is withheld.
    pub fn number(&self) -> Option<Private<String>> {
        number(&self.caller.number)
    }

    /// The number of whoever it is connected with, as far as that is known.
    pub fn connected(&self) -> Option<Private<String>> {
        number(&self.connected.number)
    }

    /// The number by which it came into the dialplan, or the step of it that it is in now.
    pub fn extension(&self) -> Option<Private<String>> {
        number(&self.dialplan.exten)
    }

    /// A variable of it that others may write, for `SHARED()` in the dialplan: one of its own can
    /// be
    /// written in an application of ARI only, and it is in `Dial()`.
    pub fn shared(&self, variable: &str) -> Private<String> {
        Private::new(format!("SHARED({variable},{})", self.name.reveal()))
    }
}

/// What can be dialled, of what stands where a number should.
fn number(text: &Private<String>) -> Option<Private<String>> {
    let is_key = |sign: char| sign.is_ascii_digit() || "*#+".contains(sign);
    let is_number = |text: &String| text.len() >= 2 && text.chars().all(is_key);
    Some(text).filter(|text| is_number(text.reveal())).cloned()
}

/// What channels are connected by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Bridge {
    /// Its unique name.
    pub id: String,
    /// The channels in it, by their ids.
    #[serde(default)]
    pub channels: Vec<String>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// A channel was made.
    ChannelCreated {
        /// It.
        channel: Channel,
    },
    /// Somebody answered, or rings.
    ChannelStateChange {
        /// Whose.
        channel: Channel,
    },
    /// Who rings became known.
    ChannelCallerId {
        /// Whose.
        channel: Channel,
    },
    /// Who is connected became known.
    ChannelConnectedLine {
        /// Whose.
        channel: Channel,
    },
    /// A channel is gone.
    ChannelDestroyed {
        /// It.
        channel: Channel,
    },
    /// A channel dials another, or what became of that.
    Dial {
        /// Who dials; none if Asterisk itself does.
        caller: Option<Channel>,
        /// Who is dialled.
        peer: Channel,
        /// Empty at the beginning.
        #[serde(default)]
        dialstatus: String,
    },
    /// A bridge was made.
    BridgeCreated {
        /// It.
        bridge: Bridge,
    },
    /// A bridge is gone.
    BridgeDestroyed {
        /// It.
        bridge: Bridge,
    },
    /// A bridge's channels are in another one.
    BridgeMerged {
        /// Where they are.
        bridge: Bridge,
        /// Where they were.
        bridge_from: Bridge,
    },
    /// A channel is connected.
    ChannelEnteredBridge {
        /// With.
        bridge: Bridge,
        /// Which.
        channel: Channel,
    },
    /// A channel is connected no more.
    ChannelLeftBridge {
        /// With.
        bridge: Bridge,
        /// Which.
        channel: Channel,
    },
    /// A key was pressed and let go.
    ChannelDtmfReceived {
        /// Which.
        digit: Key,
        /// On whose telephone.
        channel: Channel,
    },
    /// A channel that was asked for is there.
    StasisStart {
        /// It.
        channel: Channel,
    },
    /// What was to be played has been.
    PlaybackFinished {
        /// What.
        playback: Playback,
    },
    /// Another program took over the application's name.
    ApplicationReplaced,
    /// What nobody needs here.
    #[serde(other)]
    Other,
}

/// Something that is played.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Playback {
    /// The name that it was given.
    pub id: String,
    /// `done`, or `failed`: there is no such sound, or the call is over.
    #[serde(default)]
    pub state: String,
}

/// A key, or what is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(from = "Private<String>")]
pub struct Key(pub Option<Digit>);

impl From<Private<String>> for Key {
    fn from(text: Private<String>) -> Self {
        let mut signs = text.reveal().chars();
        let digit = signs.next().and_then(Digit::from_char);
        Self(digit.filter(|_| signs.next().is_none()))
    }
}

/// Why an event or a list is not understood. Messages repeat nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AriError {
    /// It is too long.
    #[error("Asterisk sent more than {0} bytes at once: is [pbx.asterisk] url an Asterisk's?")]
    Long(usize),
    /// Not what Asterisk 20 to 22 sends.
    #[error("Asterisk sent what is not understood, at column {0}: is it version 20 to 22?")]
    Unknown(usize),
}

impl Event {
    /// Reads an event.
    ///
    /// # Errors
    /// When it is too long, or is none.
    pub fn parse(text: &str) -> Result<Self, AriError> {
        if text.len() > MOST_EVENT {
            return Err(AriError::Long(MOST_EVENT));
        }
        let event: Self = serde_json::from_str(text).map_err(|error| unknown(&error))?;
        event.channel().map_or(Ok(()), |channel| check(&channel.id))?;
        Ok(event)
    }

    const fn channel(&self) -> Option<&Channel> {
        match self {
            Self::ChannelCreated { channel }
            | Self::ChannelStateChange { channel }
            | Self::ChannelCallerId { channel }
            | Self::ChannelConnectedLine { channel }
            | Self::ChannelDestroyed { channel }
            | Self::ChannelEnteredBridge { channel, .. }
            | Self::ChannelLeftBridge { channel, .. }
            | Self::ChannelDtmfReceived { channel, .. }
            | Self::StasisStart { channel } => Some(channel),
            _ => None,
        }
    }
}

/// Reads the answer to [`Request::Channels`].
///
/// # Errors
/// When it is none.
pub fn channels(json: &[u8]) -> Result<Vec<Channel>, AriError> {
    serde_json::from_slice(json).map_err(|error| unknown(&error))
}

/// Reads the answer to [`Request::Bridges`].
///
/// # Errors
/// When it is none.
pub fn bridges(json: &[u8]) -> Result<Vec<Bridge>, AriError> {
    serde_json::from_slice(json).map_err(|error| unknown(&error))
}

fn unknown(error: &serde_json::Error) -> AriError {
    AriError::Unknown(error.column())
}

fn check(id: &str) -> Result<(), AriError> {
    if id.len() > MOST_ID { Err(AriError::Long(MOST_ID)) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
