//! What Asterisk is asked to do.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::private::Private;

/// The events that are read: [`Event`](super::Event).
const WANTED: &str = r#"{"allowed":[{"type":"ChannelCreated"},{"type":"ChannelStateChange"},
{"type":"ChannelCallerId"},{"type":"ChannelConnectedLine"},{"type":"ChannelDestroyed"},
{"type":"Dial"},{"type":"BridgeCreated"},{"type":"BridgeDestroyed"},{"type":"BridgeMerged"},
{"type":"ChannelEnteredBridge"},{"type":"ChannelLeftBridge"},{"type":"ChannelDtmfReceived"},
{"type":"StasisStart"},{"type":"PlaybackFinished"},{"type":"ApplicationReplaced"}]}"#;

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Nothing changes.
    Get,
    /// Something is made or done.
    Post,
    /// Something is set.
    Put,
    /// Something ends.
    Delete,
}

/// What of a channel a snoop hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spy {
    /// What comes from it: the voice of whoever is at its end.
    In,
    /// What comes from it and what goes to it, in one.
    Both,
}

/// A request. Names that begin with `new` are chosen by whoever asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// All channels.
    Channels,
    /// All bridges.
    Bridges,
    /// Only events that are read here are to come: of a call some thirty instead of a hundred and
    /// thirty.
    Filter,
    /// A channel that hears another.
    Snoop {
        /// Who is heard.
        channel: String,
        /// The one that hears.
        new: String,
        /// What of it.
        spy: Spy,
    },
    /// A channel through which whoever is at the end of another, and nobody else, hears something.
    Whisper {
        /// Who hears.
        channel: String,
        /// The one that is played to.
        new: String,
    },
    /// A channel that brings what it hears to an AudioSocket server.
    ExternalMedia {
        /// The channel.
        new: String,
        /// The server: `127.0.0.1:9092`.
        host: String,
        /// What the connection begins with: a UUID.
        id: String,
    },
    /// A bridge.
    MakeBridge {
        /// The bridge.
        new: String,
    },
    /// Channels are connected.
    Join {
        /// With.
        bridge: String,
        /// Which.
        channels: Vec<String>,
    },
    /// Somebody hears something.
    Play {
        /// On which channel.
        channel: String,
        /// What it is called.
        new: String,
        /// The sound, without its ending.
        sound: String,
    },
    /// What is played is heard no further.
    StopPlaying {
        /// What it is called.
        playback: String,
    },
    /// A variable of the dialplan.
    SetVariable {
        /// Which, as [`Channel::shared`](super::Channel::shared) names it.
        variable: Private<String>,
        /// Its value.
        value: String,
    },
    /// A channel ends.
    HangUp {
        /// Which.
        channel: String,
        /// Why: a cause of ITU-T Q.850.
        cause: u8,
    },
    /// A bridge ends.
    EndBridge {
        /// Which.
        bridge: String,
    },
}

impl Request {
    /// How it is asked.
    pub const fn method(&self) -> Method {
        match self {
            Self::Channels | Self::Bridges => Method::Get,
            Self::Filter => Method::Put,
            Self::StopPlaying { .. } | Self::HangUp { .. } | Self::EndBridge { .. } => {
                Method::Delete
            }
            _ => Method::Post,
        }
    }

    /// Where, after `/ari`; `app` is the application that new channels belong to.
    pub fn target(&self, app: &str) -> String {
        let mut target = self.path(app);
        for (place, (name, value)) in self.query(app).into_iter().enumerate() {
            let sign = if place == 0 { '?' } else { '&' };
            target.push_str(&format!("{sign}{name}={}", encoded(&value)));
        }
        target
    }

    /// What is sent with it.
    pub const fn body(&self) -> Option<&'static str> {
        if matches!(self, Self::Filter) { Some(WANTED) } else { None }
    }

    fn path(&self, app: &str) -> String {
        match self {
            Self::Filter => format!("/applications/{}/eventFilter", encoded(app)),
            Self::Channels => "/channels".to_owned(),
            Self::Bridges | Self::MakeBridge { .. } => "/bridges".to_owned(),
            Self::SetVariable { .. } => "/asterisk/variable".to_owned(),
            Self::Snoop { channel, .. } | Self::Whisper { channel, .. } => {
                format!("/channels/{}/snoop", encoded(channel))
            }
            Self::ExternalMedia { .. } => "/channels/externalMedia".to_owned(),
            Self::Join { bridge, .. } => format!("/bridges/{}/addChannel", encoded(bridge)),
            Self::Play { channel, .. } => format!("/channels/{}/play", encoded(channel)),
            Self::StopPlaying { playback } => format!("/playbacks/{}", encoded(playback)),
            Self::HangUp { channel, .. } => format!("/channels/{}", encoded(channel)),
            Self::EndBridge { bridge } => format!("/bridges/{}", encoded(bridge)),
        }
    }

    fn query(&self, app: &str) -> Vec<(&'static str, String)> {
        let app = ("app", app.to_owned());
        match self {
            Self::Channels
            | Self::Bridges
            | Self::Filter
            | Self::StopPlaying { .. }
            | Self::EndBridge { .. } => Vec::new(),
            Self::Snoop { new, spy, .. } => {
                let spy = if *spy == Spy::In { "in" } else { "both" };
                vec![app, ("snoopId", new.clone()), ("spy", spy.to_owned())]
            }
            Self::Whisper { new, .. } => {
                vec![app, ("snoopId", new.clone()), ("whisper", "out".to_owned())]
            }
            Self::ExternalMedia { new, host, id } => vec![
                app,
                ("channelId", new.clone()),
                ("external_host", host.clone()),
                ("encapsulation", "audiosocket".to_owned()),
                ("transport", "tcp".to_owned()),
                // A-law as it is would come labelled as linear samples.
                ("format", "slin".to_owned()),
                ("data", id.clone()),
            ],
            Self::MakeBridge { new } => {
                vec![("type", "mixing".to_owned()), ("bridgeId", new.clone())]
            }
            Self::Join { channels, .. } => vec![("channel", channels.join(","))],
            Self::Play { new, sound, .. } => {
                vec![("media", format!("sound:{sound}")), ("playbackId", new.clone())]
            }
            Self::SetVariable { variable, value } => {
                vec![("variable", variable.reveal().clone()), ("value", value.clone())]
            }
            Self::HangUp { cause, .. } => vec![("reason_code", cause.to_string())],
        }
    }

    /// What it does, for messages: no name of a channel, which may be a number.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Channels => "list the channels",
            Self::Bridges => "list the bridges",
            Self::Filter => "send fewer events",
            Self::Snoop { .. } => "listen to a channel",
            Self::Whisper { .. } => "whisper to a channel",
            Self::ExternalMedia { .. } => "bring the sound",
            Self::MakeBridge { .. } => "make a bridge",
            Self::Join { .. } => "connect channels",
            Self::Play { .. } => "play a prompt",
            Self::StopPlaying { .. } => "stop a prompt",
            Self::SetVariable { .. } => "set a variable",
            Self::HangUp { .. } => "hang up a channel",
            Self::EndBridge { .. } => "end a bridge",
        }
    }
}

/// A part of an address, percent-encoded (RFC 3986, section 2.3).
pub fn encoded(part: &str) -> percent_encoding::PercentEncode<'_> {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(part, KEPT)
}
