//! Asterisk: its calls are followed from outside (ARI), and the hold is kept where its dialplan
//! finds it (AMI, AstDB). If any of it is down, calls go on as if nobody listened.

pub mod check;
pub mod client;
mod manager;
mod watch;

use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{broadcast, watch as latest};

use crate::alert::number::Emergency;
use crate::call::{Digit, LineId};
use crate::config::{self, Config, Line, Speech};
use crate::edge::calls::Calls;
use crate::edge::desk::DeskHandle;
use crate::edge::health::Health;
use crate::edge::ingest::audiosocket::{self, Expected};
use crate::edge::live::Live;
use crate::pbx::action::Settings;
use crate::pbx::parties::Lines;
use crate::wire::feed::Told;
pub use manager::{FAMILY, Manager, ManagerError};

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

/// An Asterisk whose calls are screened.
pub struct Asterisk {
    live: Arc<Live>,
    config: latest::Sender<Arc<Config>>,
}

impl Asterisk {
    /// Starts to follow it. `sound` is where it brings the sound to, and what is made there is named
    /// after the `secret`.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(
        runtime: &tokio::runtime::Handle,
        config: &Arc<Config>,
        sound: TcpListener,
        parts: &Parts,
        secret: [u8; 32],
    ) -> io::Result<Self> {
        let speech: &Speech = &config.speech;
        let live = Arc::new(Live::start(speech, &parts.health)?);
        let expected = Arc::new(Expected::default());
        let health = Arc::clone(&parts.health);
        runtime.spawn(audiosocket::serve(sound, Arc::clone(&expected), health));
        let (sender, configured) = latest::channel(Arc::clone(config));
        let own = Arc::clone(&live);
        let watch = watch::Watch::new(config, parts.clone(), own, expected, secret);
        runtime.spawn(watch.run(configured.clone()));
        if !config.pbx.asterisk.ami.is_empty() {
            runtime.spawn(manager::keep_holds(configured, parts.clone()));
        }
        Ok(Self { live, config: sender })
    }

    /// Goes on with the lines and telephones of another configuration. How Asterisk is reached
    /// remains as it was: sound may be on its way.
    pub fn configure(&self, config: Arc<Config>) {
        self.config.send_replace(config);
    }

    /// What hears its calls.
    pub const fn live(&self) -> &Arc<Live> {
        &self.live
    }
}

/// What matters to the switchboard: how an Asterisk is reached, and the lines of the configuration
/// that counts now. Lines that nobody agreed to have screened are not listened to.
fn settings(asterisk: &config::Asterisk, config: &Config) -> Settings {
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
