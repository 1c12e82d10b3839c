//! One leg's sound on its way to us: a channel that hears it, a channel that brings what it hears,
//! and a bridge between both.

use super::names::uuid;
use crate::call::Leg;
use crate::time::Now;
use crate::wire::ari::{Request, Spy};

/// Why Asterisk ends what we made: normal clearing (ITU-T Q.850).
pub const NORMAL: u8 = 16;

/// A leg that is tapped, or about to be.
#[derive(Debug, Clone)]
pub struct Tap {
    /// Whose voice it is.
    pub leg: Leg,
    /// The channel that is heard.
    pub channel: String,
    /// When it was asked for.
    pub since: Now,
    /// What the connection begins with that brings its sound.
    pub id: u128,
    snoop: String,
    media: String,
    bridge: String,
    has: [bool; 3],
    is_joined: bool,
    has_failed: bool,
}

impl Tap {
    /// Of a channel, with names that begin with `name`.
    pub fn new(leg: Leg, channel: String, name: &str, id: u128, now: Now) -> Self {
        let part = |part: &str| format!("{name}-{part}");
        Self {
            leg,
            channel,
            since: now,
            id,
            snoop: part("snoop"),
            media: part("media"),
            bridge: part("bridge"),
            has: [false; 3],
            is_joined: false,
            has_failed: false,
        }
    }

    /// What is asked for, all at once: each answers for itself when it is there. The sound is
    /// brought to `host`.
    pub fn begin(&self, host: &str) -> [Request; 3] {
        let (channel, new) = (self.channel.clone(), self.snoop.clone());
        let spy = if self.leg == Leg::Mixed { Spy::Both } else { Spy::In };
        [
            Request::Snoop { channel, new, spy },
            Request::ExternalMedia {
                new: self.media.clone(),
                host: host.to_owned(),
                id: uuid(self.id),
            },
            Request::MakeBridge { new: self.bridge.clone() },
        ]
    }

    /// A channel or a bridge is there. When all three are, they are connected: earlier, Asterisk
    /// refuses to.
    pub fn is_there(&mut self, name: &str) -> Option<Request> {
        let parts = [&self.snoop, &self.media, &self.bridge];
        let part = parts.iter().position(|part| *part == name)?;
        self.has[part] = true;
        if !self.has.iter().all(|has| *has) || std::mem::replace(&mut self.is_joined, true) {
            return None;
        }
        let channels = vec![self.snoop.clone(), self.media.clone()];
        Some(Request::Join { bridge: self.bridge.clone(), channels })
    }

    /// Part of it was refused.
    pub const fn fail(&mut self) {
        self.has_failed = true;
    }

    /// Whether it is connected, or about to be.
    pub const fn is_joined(&self) -> bool {
        self.is_joined && !self.has_failed
    }

    /// Whether a channel or bridge of this name is a part of it.
    pub fn owns(&self, name: &str) -> bool {
        [&self.snoop, &self.media, &self.bridge].into_iter().any(|part| part == name)
    }

    /// The channels that must be up for it to work.
    pub fn channels(&self) -> [&String; 2] {
        [&self.snoop, &self.media]
    }

    /// It is not needed any more. What ended by itself is refused, which does no harm. The
    /// connection for its sound must have been ended before: a channel that is hung up may read
    /// from
    /// it, and holds up all of Asterisk that looks at channels for as long as nothing comes.
    pub fn end(&self) -> Vec<Request> {
        vec![
            Request::HangUp { channel: self.media.clone(), cause: NORMAL },
            Request::HangUp { channel: self.snoop.clone(), cause: NORMAL },
            Request::EndBridge { bridge: self.bridge.clone() },
        ]
    }
}
