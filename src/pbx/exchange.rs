//! The channels and bridges of an exchange, as its events tell of them.

use std::collections::BTreeMap;

use crate::private::Private;
use crate::wire::ari::{Bridge, Channel, Event};

/// Channels that are followed at a time: far more than one exchange has. Beyond it, new ones are
/// not.
const MOST_CHANNELS: usize = 20_000;

/// A channel, and by which number it came, or dialled last: it moves on in the dialplan.
#[derive(Debug, Clone)]
struct Seen {
    channel: Channel,
    came_by: Option<Private<String>>,
}

/// What is up on an exchange.
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    channels: BTreeMap<String, Seen>,
    /// The channels in each bridge.
    bridges: BTreeMap<String, Vec<String>>,
}

impl Exchange {
    /// Starts again with what a list says: events may have been missed.
    pub fn set(&mut self, channels: Vec<Channel>, bridges: Vec<Bridge>) {
        self.channels.clear();
        channels.into_iter().for_each(|channel| self.put(channel));
        self.bridges.clear();
        bridges.into_iter().for_each(|bridge| self.connect(bridge));
    }

    /// Takes in what happened.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::ChannelCreated { channel }
            | Event::ChannelStateChange { channel }
            | Event::ChannelCallerId { channel }
            | Event::ChannelConnectedLine { channel }
            | Event::StasisStart { channel } => self.put(channel.clone()),
            Event::ChannelDestroyed { channel } => {
                self.channels.remove(&channel.id);
                let others = self.bridges.values_mut();
                others.for_each(|channels| channels.retain(|id| *id != channel.id));
            }
            Event::Dial { caller, peer, .. } => {
                caller.iter().chain([peer]).for_each(|channel| self.put(channel.clone()));
                let dials = caller.as_ref().and_then(|it| Some((&it.id, it.extension()?)));
                if let Some((id, extension)) = dials
                    && let Some(seen) = self.channels.get_mut(id)
                {
                    seen.came_by = Some(extension);
                }
            }
            Event::BridgeCreated { bridge } => self.connect(bridge.clone()),
            Event::BridgeDestroyed { bridge } => drop(self.bridges.remove(&bridge.id)),
            Event::BridgeMerged { bridge, bridge_from } => {
                self.bridges.remove(&bridge_from.id);
                self.connect(bridge.clone());
            }
            Event::ChannelEnteredBridge { bridge, channel } => {
                self.put(channel.clone());
                self.connect(bridge.clone());
            }
            // The channel may be gone already.
            Event::ChannelLeftBridge { bridge, .. } => self.connect(bridge.clone()),
            _ => {}
        }
    }

    /// A channel that is up.
    pub fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.get(id).map(|seen| &seen.channel)
    }

    /// What was dialled on a channel.
    pub fn dialled(&self, id: &str) -> Option<Private<String>> {
        let seen = self.channels.get(id)?;
        seen.came_by.clone().or_else(|| seen.channel.connected())
    }

    /// All channels, by their ids.
    pub fn channels(&self) -> impl Iterator<Item = &String> {
        self.channels.keys()
    }

    /// All bridges, with the channels in each.
    pub fn bridges(&self) -> impl Iterator<Item = (&String, &Vec<String>)> {
        self.bridges.iter()
    }

    fn put(&mut self, channel: Channel) {
        if let Some(seen) = self.channels.get_mut(&channel.id) {
            seen.channel = channel;
        } else if self.channels.len() < MOST_CHANNELS {
            let came_by = channel.extension();
            self.channels.insert(channel.id.clone(), Seen { channel, came_by });
        }
    }

    fn connect(&mut self, bridge: Bridge) {
        // A channel is in one bridge at a time, whatever order the news come in.
        let elsewhere = self.bridges.iter_mut().filter(|(id, _)| **id != bridge.id);
        elsewhere.for_each(|(_, channels)| channels.retain(|it| !bridge.channels.contains(it)));
        if self.bridges.len() < MOST_CHANNELS || self.bridges.contains_key(&bridge.id) {
            self.bridges.insert(bridge.id, bridge.channels);
        }
    }
}
