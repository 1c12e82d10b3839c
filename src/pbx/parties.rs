//! Which channels are a call of a protected line, and who is who: by whose they are, and not by the
//! order in which they came.

use std::collections::BTreeSet;

use super::exchange::Exchange;
use super::names::OURS;
use crate::call::{Direction, LineId};
use crate::config::AsteriskLine;
use crate::wire::ari::Channel;

/// Two channels that are connected: a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The line.
    pub line: LineId,
    /// The channel of the line's person.
    pub protected: String,
    /// The other party's.
    pub remote: String,
    /// Who dialled: whose channel was there first.
    pub direction: Direction,
}

/// Whose telephones and trunks are whose.
#[derive(Debug, Clone, Default)]
pub struct Lines(Vec<AsteriskLine>);

impl Lines {
    /// Those of a configuration.
    pub const fn new(lines: Vec<AsteriskLine>) -> Self {
        Self(lines)
    }

    /// The line whose telephone a channel is.
    pub fn telephone(&self, channel: &Channel) -> Option<LineId> {
        let is_of = |line: &&AsteriskLine| line.telephones.iter().any(|it| channel.is_of(it));
        self.0.iter().find(is_of).map(|line| LineId::new(&line.line))
    }

    /// The line on which a channel dials another: whose telephone it is, or else whose trunk the
    /// other one is.
    pub fn dials(&self, caller: &Channel, peer: &Channel) -> Option<LineId> {
        self.telephone(caller).or_else(|| self.trunk(peer))
    }

    /// Whether anything is configured of a line.
    pub fn has(&self, line: &LineId) -> bool {
        self.0.iter().any(|it| it.line == line.as_str())
    }

    fn trunk(&self, channel: &Channel) -> Option<LineId> {
        let is_of = |line: &&AsteriskLine| line.trunks.iter().any(|it| channel.is_of(it));
        self.0.iter().find(is_of).map(|line| LineId::new(&line.line))
    }

    /// All calls of the lines, but those of channels that are let be. Calls within the house are
    /// none: telephones of lines that ring each other.
    pub fn pairs(&self, exchange: &Exchange, let_be: &BTreeSet<String>) -> Vec<Pair> {
        let bridges = exchange.bridges().filter(|(id, _)| !id.starts_with(OURS));
        bridges.filter_map(|(_, channels)| self.pair(exchange, channels, let_be)).collect()
    }

    fn pair(
        &self,
        exchange: &Exchange,
        channels: &[String],
        let_be: &BTreeSet<String>,
    ) -> Option<Pair> {
        let ids = channels.iter().filter(|id| !id.starts_with(OURS));
        let mut parties: Vec<&Channel> = ids.filter_map(|id| exchange.channel(id)).collect();
        if parties.iter().any(|channel| let_be.contains(&channel.id)) {
            return None;
        }
        parties.sort_by(|a, b| came(a).cmp(&came(b)));
        let own = parties.iter().find_map(|it| Some((*it, self.telephone(it)?)));
        let (protected, remote, line) = match own {
            Some((protected, line)) => {
                let is_outside = |it: &&&Channel| self.telephone(it).is_none();
                (protected, *parties.iter().find(is_outside)?, line)
            }
            None => {
                let far = parties.iter().find_map(|it| Some((*it, self.trunk(it)?)));
                let (remote, line) = far?;
                // Two that came by trunks are both outside: somebody handed one on to the other.
                let is_inside = |it: &&&Channel| self.trunk(it).is_none();
                (*parties.iter().find(is_inside)?, remote, line)
            }
        };
        let is_first = came(protected) < came(remote);
        let direction = if is_first { Direction::Outgoing } else { Direction::Incoming };
        let (protected, remote) = (protected.id.clone(), remote.id.clone());
        Some(Pair { line, protected, remote, direction })
    }
}

/// When a channel was made. Within a millisecond Asterisk's own ids tell: `1795298311.3`.
fn came(channel: &Channel) -> (&str, u64, &str) {
    let number = channel.id.rsplit_once('.').and_then(|(_, number)| number.parse().ok());
    (channel.creationtime.as_str(), number.unwrap_or(u64::MAX), channel.id.as_str())
}
