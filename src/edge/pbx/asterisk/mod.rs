//! Asterisk: its calls are followed from outside (ARI), and the hold is kept where its dialplan
//! finds it (AMI, AstDB). If any of it is down, calls go on as if nobody listened.

pub mod check;
pub mod client;
mod manager;
mod parts;
mod watch;

use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch as latest;

use crate::config::{Config, Speech};
use crate::edge::ingest::audiosocket::{self, Expected};
use crate::edge::live::Live;
pub use manager::{FAMILY, Manager, ManagerError};
pub use parts::Parts;

/// An Asterisk whose calls are screened.
pub struct Asterisk {
    live: Arc<Live>,
    config: latest::Sender<Arc<Config>>,
}

impl Asterisk {
    /// Starts to follow it. `sound` is where it brings the sound to, and what is made there is
    /// named after the `secret`.
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
