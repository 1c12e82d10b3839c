//! What an Asterisk is connected with, and what of a configuration matters to it.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::alert::number::Emergency;
use crate::call::{Digit, LineId};
use crate::config::{self, Config, Line};
use crate::edge::calls::Calls;
use crate::edge::desk::DeskHandle;
use crate::edge::health::Health;
use crate::pbx::action::Settings;
use crate::pbx::parties::Lines;
use crate::wire::feed::Told;

/// What an Asterisk is connected with.
#[derive(Clone)]
pub struct Parts {
    /// The calls.
    pub calls: Arc<Calls>,
    /// The desk.
    pub desk: DeskHandle,
    /// What fails.
    pub health: Arc<Health>,
    /// What concerns a line as a whole.
    pub lines: broadcast::Sender<Told>,
}

/// What matters to the switchboard: how an Asterisk is reached, and the lines of the configuration
/// that counts now. Lines that nobody agreed to have screened are not listened to.
pub(super) fn settings(asterisk: &config::Asterisk, config: &Config) -> Settings {
    let agreed =
        |line: &str| config.lines.iter().any(|own| own.id == line && own.consent.is_some());
    let lines = config.pbx.asterisk.lines.iter().filter(|own| agreed(&own.line)).cloned().collect();
    Settings {
        lines: Lines::new(lines),
        tap: asterisk.tap,
        host: asterisk.audio.to_string(),
        sounds: asterisk.sounds.clone(),
        end_call: asterisk.end_call_key.chars().filter_map(Digit::from_char).collect(),
        emergency: config.lines.iter().map(emergency).collect(),
    }
}

fn emergency(line: &Line) -> (LineId, Emergency) {
    let hold = &line.hold;
    (LineId::new(&line.id), Emergency::new(&hold.emergency, &hold.prefixes))
}
