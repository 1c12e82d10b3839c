//! What all kinds of channels share.

use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::alert::outbox::{Attempt, Outcome};
use crate::rules::suggest::did_you_mean;
use crate::time::Wall;
use crate::wire::signature::SignatureError;

/// A way to reach somebody.
pub trait Channel: Send + Sync {
    /// Tries once to hand over a notification. It blocks, for [`LONGEST`] and a moment at most, so
    /// that the outbox hears of it before it takes the attempt for lost. What it says of a problem
    /// is kept and shown to carers: it names no secret.
    fn deliver(&self, attempt: &Attempt, at: Wall) -> Outcome;
}

/// The longest that an attempt may be given.
pub const LONGEST: Duration = Duration::from_secs(15);
/// What an attempt is given unless the channel says otherwise.
const USUAL: Duration = Duration::from_secs(10);

/// What is made of a channel's settings.
pub(super) type Opened = Result<Box<dyn Channel>, NotifyError>;

/// Why a channel cannot be used. `at` is where it stands: "channel 1 of people.anna". No message
/// repeats a value of a setting but a path, since any other may hold a secret.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// There is no such kind.
    #[error("{at}: no kind `{kind}`: {remedy}")]
    Kind {
        /// The channel.
        at: String,
        /// What was written.
        kind: String,
        /// Which kinds there are, and what was probably meant.
        remedy: String,
    },
    /// A setting is missing, unknown, or of another type.
    #[error("{at}: {problem}: docs/notifications.md lists the settings")]
    Settings {
        /// The channel.
        at: String,
        /// What is wrong.
        problem: String,
    },
    /// A setting cannot be used.
    #[error("{at}: {key}: {remedy}")]
    Value {
        /// The channel.
        at: String,
        /// The setting.
        key: &'static str,
        /// What it must be.
        remedy: String,
    },
    /// A file cannot be read.
    #[error("{at}: {}: {problem}: check the path, and who may read it", path.display())]
    Read {
        /// The channel.
        at: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        problem: std::io::Error,
    },
    /// A secret is none.
    #[error(
        "{at}: {}: every user of this machine may read or change it: chmod o= {0}",
        path.display()
    )]
    Exposed {
        /// The channel.
        at: String,
        /// The file.
        path: PathBuf,
    },
    /// A secret is too short.
    #[error("{at}: {}: {problem}", path.display())]
    Secret {
        /// The channel.
        at: String,
        /// The file.
        path: PathBuf,
        /// Why.
        problem: SignatureError,
    },
}

/// A channel's settings, as its kind names them.
pub(super) fn settings<T: DeserializeOwned>(
    at: &str,
    table: &toml::Table,
) -> Result<T, NotifyError> {
    let parsed = table.clone().try_into();
    parsed.map_err(|error: toml::de::Error| {
        let problem = without_values(&error.to_string());
        NotifyError::Settings { at: at.to_owned(), problem: with_nearest(&problem) }
    })
}

/// How long an attempt may last.
pub(super) fn timeout(at: &str, seconds: Option<u64>) -> Result<Duration, NotifyError> {
    let timeout = seconds.map_or(USUAL, Duration::from_secs);
    let fits = (Duration::from_secs(1)..=LONGEST).contains(&timeout);
    fits.then_some(timeout).ok_or_else(|| {
        let remedy = format!("it must be from 1 to {} seconds", LONGEST.as_secs());
        NotifyError::Value { at: at.to_owned(), key: "timeout", remedy }
    })
}

/// The body of a webhook, the standard input of a command.
pub(super) fn body(attempt: &Attempt) -> Result<Vec<u8>, Outcome> {
    let body = serde_json::to_vec(&attempt.notification.notice);
    body.map_err(|error| Outcome::Never(format!("it cannot be written as json: {error}")))
}

/// A message on one line, without the text that it quotes from the file.
fn without_values(message: &str) -> String {
    let line = message.trim().replace('\n', ", ");
    match (line.find('"'), line.rfind('"')) {
        (Some(first), Some(last)) if first < last => {
            format!("{}…{}", &line[..=first], &line[last..])
        }
        _ => line,
    }
}

/// The message about an unknown setting, with the one that was probably meant.
fn with_nearest(problem: &str) -> String {
    let mut names = problem.split('`').skip(1).step_by(2);
    let unknown = names.next().filter(|_| problem.starts_with("unknown field"));
    let meant = unknown.and_then(|unknown| did_you_mean(unknown, names));
    meant.map_or(problem.to_owned(), |meant| format!("{problem}, {meant}"))
}
