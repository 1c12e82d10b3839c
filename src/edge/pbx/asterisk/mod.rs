//! Asterisk: its calls are followed from outside (ARI), and the hold is kept where its dialplan
//! finds it (AMI, AstDB). If any of it is down, calls go on as if nobody listened.

pub mod check;
pub mod client;
mod manager;
mod watch;

use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc};

use crate::call::Digit;
use crate::config::{Config, Speech};
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
    configure: mpsc::Sender<Arc<Config>>,
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
        let (configure, configured) = mpsc::channel(4);
        let own = Arc::clone(&live);
        let watch = watch::Watch::new(config, parts.clone(), own, expected, secret);
        runtime.spawn(watch.run(configured));
        if !config.pbx.asterisk.ami.is_empty() {
            runtime.spawn(manager::keep_holds(Arc::clone(config), parts.clone()));
        }
        Ok(Self { live, configure })
    }

    /// Goes on with another configuration: with its lines, people's telephones and keys.
    pub async fn configure(&self, config: Arc<Config>) {
        // One that has ended needs no configuration.
        let _ = self.configure.send(config).await;
    }

    /// What hears its calls.
    pub const fn live(&self) -> &Arc<Live> {
        &self.live
    }
}

/// What of a configuration matters to the switchboard. Lines that nobody agreed to have screened are
/// not listened to.
fn settings(config: &Config) -> Settings {
    let asterisk = &config.pbx.asterisk;
    let agreed =
        |line: &str| config.lines.iter().any(|own| own.id == line && own.consent.is_some());
    let lines = asterisk.lines.iter().filter(|own| agreed(&own.line)).cloned().collect();
    Settings {
        lines: Lines::new(lines),
        tap: asterisk.tap,
        host: asterisk.audio.to_string(),
        sounds: asterisk.sounds.clone(),
        end_call: asterisk.end_call_key.chars().filter_map(Digit::from_char).collect(),
    }
}
