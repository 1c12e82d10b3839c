//! How the chosen people are told: the channels of the configuration, each of a kind. A new kind
//! is a file here and a line in [`KINDS`].

mod channel;
mod command;
mod webhook;

use std::collections::BTreeMap;

use crate::alert::outbox::{Attempt, Outcome};
use crate::alert::record::Address;
use crate::config::{self, Person};
use crate::edge::clock;
use crate::edge::health::{Health, Part};
use crate::rules::suggest::did_you_mean;
use crate::time::Wall;

pub use channel::{Channel, LONGEST, NotifyError};

/// Makes a channel of the settings at a place in the configuration.
type Open = fn(&str, &toml::Table) -> channel::Opened;

/// Every kind of channel.
const KINDS: [(&str, Open); 2] = [("command", command::open), ("webhook", webhook::open)];

/// The names of the kinds.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(kind, _)| *kind)
}

/// One channel of a person; `index` counts theirs from 0.
///
/// # Errors
/// When there is no such kind, or its settings cannot be used.
pub fn open(
    person: &str,
    index: usize,
    channel: &config::Channel,
) -> Result<Box<dyn Channel>, NotifyError> {
    let at = format!("channel {} of people.{person}", index + 1);
    match KINDS.iter().find(|(kind, _)| *kind == channel.kind) {
        Some((_, open)) => open(&at, channel.settings.reveal()),
        None => {
            let kind = channel.kind.clone();
            let mut remedy = format!("there are {}", kinds().collect::<Vec<_>>().join(" and "));
            if let Some(meant) = did_you_mean(&kind, kinds()) {
                remedy.push_str(&format!("; {meant}"));
            }
            Err(NotifyError::Kind { at, kind, remedy })
        }
    }
}

/// All channels of a configuration.
#[derive(Default)]
pub struct Channels {
    /// Each, or what is wrong with it.
    by_address: BTreeMap<Address, Result<Box<dyn Channel>, String>>,
}

impl Channels {
    /// Opens all that can be opened; also comes back what is wrong with the others.
    pub fn open(people: &[Person]) -> (Self, Vec<NotifyError>) {
        let mut channels = Self::default();
        let mut errors = Vec::new();
        for person in people {
            for (index, channel) in person.channels.iter().enumerate() {
                let opened = open(&person.id, index, channel).map_err(|error| {
                    let told = error.to_string();
                    errors.push(error);
                    told
                });
                let address = Address { person: person.id.clone(), channel: index };
                channels.by_address.insert(address, opened);
            }
        }
        (channels, errors)
    }

    /// Opens all that can be opened, and shows what cannot: somebody who cannot be reached is no
    /// reason to warn nobody.
    pub fn shown(people: &[Person], health: &Health) -> Self {
        let (channels, problems) = Self::open(people);
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        if problems.is_empty() {
            health.works(Part::Notifications);
        } else {
            health.fails(Part::Notifications, &problems.join("; "), clock::wall());
        }
        channels
    }

    /// Tries once to deliver. It blocks, as [`Channel::deliver`] does. What goes to a channel that
    /// could not be opened waits, since the configuration can be put right.
    pub fn deliver(&self, attempt: &Attempt, at: Wall) -> Outcome {
        let Address { person, channel } = &attempt.notification.to;
        match self.by_address.get(&attempt.notification.to) {
            Some(Ok(channel)) => channel.deliver(attempt, at),
            Some(Err(problem)) => Outcome::Later(problem.clone()),
            None => Outcome::Never(format!(
                "channel {} of people.{person} is not configured any more",
                channel + 1
            )),
        }
    }
}

#[cfg(test)]
mod tests;
