//! What every request may need.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::runtime::Handle;

use crate::config::Config;
use crate::edge::desk::DeskHandle;
use crate::edge::health::Health;
use crate::edge::ingest::feed::Feed;
use crate::edge::keeper::Keeper;
use crate::wire::event::PackStatus;

/// The longest body that is read whole.
pub(super) const MOST_BODY: usize = 16 * 1024;

/// What every request may need.
pub struct State {
    /// The desk.
    pub desk: DeskHandle,
    /// The database.
    pub keeper: Keeper,
    /// Where calls are fed.
    pub feed: Feed,
    /// What fails.
    pub health: Arc<Health>,
    /// The rules in use.
    pub packs: RwLock<PackStatus>,
    /// The configuration in use.
    pub configuration: RwLock<Arc<Config>>,
    /// Where words are taken: answers do not wait for them.
    pub words: Handle,
}

impl State {
    pub(super) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.configuration.read().unwrap_or_else(PoisonError::into_inner))
    }
}
