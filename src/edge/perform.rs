//! Does what the desk decided: tells the sources of calls, and hands notifications to their
//! channels.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::broadcast;

use super::calls::Calls;
use super::clock;
use super::desk::DeskHandle;
use super::notify::Channels;
use crate::alert::desk::{Effect, Event};
use crate::alert::outbox::{Attempt, Outcome};
use crate::wire::feed::Told;

/// Does what the desk decided.
pub struct Performer {
    runtime: tokio::runtime::Handle,
    calls: Arc<Calls>,
    lines: broadcast::Sender<Told>,
    channels: Arc<RwLock<Arc<Channels>>>,
    desk: DeskHandle,
}

impl Performer {
    /// What concerns a line as a whole goes to `lines`. Notifications are delivered on `runtime`.
    pub fn new(
        runtime: tokio::runtime::Handle,
        calls: Arc<Calls>,
        lines: broadcast::Sender<Told>,
        channels: Arc<RwLock<Arc<Channels>>>,
        desk: DeskHandle,
    ) -> Self {
        Self { runtime, calls, lines, channels, desk }
    }

    /// Does all of it, in order, and waits for none of it.
    pub fn perform(&self, effects: Vec<Effect>) {
        for effect in effects {
            self.perform_one(effect);
        }
    }

    fn perform_one(&self, effect: Effect) {
        match effect {
            Effect::Whisper { line, call, prompt, level } => {
                tracing::info!(%line, level = level.name(), prompt = prompt.name(), "warns");
                self.calls.tell(&call, |call| Told::Whisper {
                    call,
                    level: level.name(),
                    prompt: prompt.name().to_owned(),
                });
            }
            Effect::Notice { call, prompt } => self
                .calls
                .tell(&call, |call| Told::Notice { call, prompt: prompt.name().to_owned() }),
            Effect::DropFarLeg { line, call, prompt, connect } => {
                tracing::info!(%line, "drops the far leg");
                let prompt = prompt.map(|prompt| prompt.name().to_owned());
                self.calls.tell(&call, |call| Told::DropFarLeg { call, prompt, connect });
            }
            Effect::Forget { call } => self.calls.forget(&call),
            Effect::LineHeld { line, remaining, prompt } => {
                let seconds = remaining.as_secs();
                tracing::info!(%line, seconds, "line held");
                let (line, prompt) = (line.to_string(), prompt.name().to_owned());
                // Nobody may be listening just now: whoever picks up asks the gate.
                let _ = self.lines.send(Told::LineHeld { line, seconds, prompt });
            }
            Effect::LineClear { line, prompt } => {
                tracing::info!(%line, "line clear");
                let (line, prompt) = (line.to_string(), prompt.name().to_owned());
                let _ = self.lines.send(Told::LineClear { line, prompt });
            }
            Effect::Deliver(attempt) => self.deliver(attempt),
        }
    }

    fn deliver(&self, attempt: Box<Attempt>) {
        let channels = self.channels.read().unwrap_or_else(PoisonError::into_inner).clone();
        let desk = self.desk.clone();
        // How many are under way the outbox bounds.
        self.runtime.spawn(async move {
            let key = attempt.notification.notice.key.clone();
            let work = move || channels.deliver(&attempt, clock::wall());
            let outcome = tokio::task::spawn_blocking(work).await;
            let broke_off = |_| Outcome::Later("the attempt broke off".to_owned());
            let outcome = outcome.unwrap_or_else(broke_off);
            match &outcome {
                Outcome::Delivered => tracing::info!(key, "told"),
                Outcome::Later(problem) => tracing::warn!(key, "not told yet: {problem}"),
                Outcome::Never(problem) => tracing::error!(key, "not told: {problem}"),
            }
            // A desk that is ending finds it in the database at its next start.
            let _ = desk.note(Event::Attempted { key, outcome }).await;
        });
    }
}
