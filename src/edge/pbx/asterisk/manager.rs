//! The hold, where the dialplan finds it without Lineclear: a key of AstDB a line, written over the
//! manager interface.
//!
//! `hold/LINE` is `SET:UNTIL`, both seconds of the wall clock: one value, so that no one reads half
//! of it. It is written anew every ten seconds, so that a clock that was set makes it wrong for no
//! longer, and so that an Asterisk that lost it has it again.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch as latest;

use super::client::{self, ClientError};
use super::parts::Parts;
use crate::config::{self, Config};
use crate::edge::clock;
use crate::edge::desk::DeskError;
use crate::edge::health::Part;
use crate::wire::ami::{Action, AmiError, NOT_DELETED, Parser};
use crate::wire::feed::Told;

/// The family of keys in AstDB.
pub const FAMILY: &str = "hold";
/// How often what is kept there is compared with what is held.
const COMPARE_EVERY: Duration = Duration::from_secs(10);
/// How long Asterisk may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long is waited before it is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Why the manager interface does not do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum ManagerError {
    /// Nobody is there, or the connection broke.
    #[error("{address}: {problem}: is manager.conf enabled = yes, and Asterisk running?")]
    Connect {
        /// Where.
        address: String,
        /// What the system says.
        problem: io::Error,
    },
    /// The password cannot be read.
    #[error(transparent)]
    Secret(#[from] ClientError),
    /// It is no manager interface, or a value cannot be sent.
    #[error(transparent)]
    Wire(#[from] AmiError),
    /// It says no.
    #[error("Asterisk's manager interface refuses to {what}: {problem}")]
    Refused {
        /// What it was asked for.
        what: &'static str,
        /// Its own words.
        problem: String,
    },
    /// The desk says nothing.
    #[error(transparent)]
    Desk(#[from] DeskError),
}

/// A connection to the manager interface.
pub struct Manager {
    stream: TcpStream,
    parser: Parser,
    address: String,
    count: u64,
    /// The application of the first extension of a dialplan that was shown.
    first: Option<String>,
}

impl Manager {
    /// Connects, and logs in.
    ///
    /// # Errors
    /// When nobody is there, or the login is refused.
    pub async fn connect(config: &config::Asterisk) -> Result<Self, ManagerError> {
        let secret = client::secret(&config.ami_secret_file, &config.ami_user)?;
        let address = config.ami.clone();
        let broken = |problem| ManagerError::Connect { address: address.clone(), problem };
        let opened = clock::at_most(PATIENCE, TcpStream::connect(&address)).await;
        let stream = opened.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()));
        let stream = stream.map_err(broken)?;
        let _ = stream.set_nodelay(true);
        let mut manager =
            Self { stream, parser: Parser::default(), address, count: 0, first: None };
        let login = |id| Action::login(id, &config.ami_user, secret.reveal());
        manager.ask("log in", login).await?;
        Ok(manager)
    }

    /// Asks for something.
    ///
    /// # Errors
    /// When the answer is no, or there is none.
    pub async fn ask(
        &mut self,
        what: &'static str,
        action: impl FnOnce(u64) -> Result<Action, AmiError>,
    ) -> Result<(), ManagerError> {
        self.count += 1;
        let (id, bytes) = (self.count, action(self.count)?.into_bytes());
        let address = self.address.clone();
        let broken = |problem| ManagerError::Connect { address, problem };
        let exchange = async {
            self.stream.write_all(&bytes).await?;
            self.answer(id).await
        };
        let answer = clock::at_most(PATIENCE, exchange).await;
        let answer = answer.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()));
        let answer = answer.map_err(broken)?;
        answer?.map_err(|problem| ManagerError::Refused { what, problem })
    }

    /// The application that an extension of a context begins with, or the context itself.
    ///
    /// # Errors
    /// When there is no such context or extension.
    pub async fn dialplan(
        &mut self,
        context: &str,
        extension: Option<&str>,
    ) -> Result<String, ManagerError> {
        let show = |id| {
            let show = Action::new("ShowDialPlan", id).with("Context", context)?;
            extension.map_or(Ok(show.clone()), |extension| show.with("Extension", extension))
        };
        self.first = None;
        self.ask("show the dialplan", show).await?;
        // The list follows the answer; a question whose answer ends it brings all of it.
        self.ask("answer", |id| Ok(Action::ping(id))).await?;
        Ok(self.first.take().unwrap_or_default())
    }

    /// The answer to an action: whether it was done, or why not.
    async fn answer(&mut self, id: u64) -> io::Result<Result<Result<(), String>, AmiError>> {
        let mut bytes = [0; 4096];
        loop {
            let read = self.stream.read(&mut bytes).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let mut answer = None;
            let parsed = self.parser.push(bytes.get(..read).unwrap_or_default(), |message| {
                if message.event() == Some("ListDialplan") && self.first.is_none() {
                    self.first = message.get("Application").map(str::to_owned);
                }
                if message.action_id() == Some(id) {
                    let outcome = message.outcome();
                    answer = answer.take().or(outcome.map(|it| it.map_err(str::to_owned)));
                }
            });
            match (parsed, answer) {
                (Err(error), _) => return Ok(Err(error)),
                (Ok(()), Some(answer)) => return Ok(Ok(answer)),
                (Ok(()), None) => {}
            }
        }
    }

    /// Sets what is held on a line.
    ///
    /// # Errors
    /// When it is refused, or there is no answer.
    pub async fn hold(
        &mut self,
        line: &str,
        until: Option<(u64, u64)>,
    ) -> Result<(), ManagerError> {
        let done = match until {
            Some((set, until)) => {
                let value = format!("{set}:{until}");
                self.ask("keep the hold", |id| Action::db_put(id, FAMILY, line, &value)).await
            }
            None => self.ask("end the hold", |id| Action::db_del(id, FAMILY, line)).await,
        };
        match done {
            // What is not there need not be deleted.
            Err(ManagerError::Refused { problem, .. }) if problem == NOT_DELETED => Ok(()),
            done => done,
        }
    }
}

/// Keeps what is held in AstDB, for as long as the program runs.
pub async fn keep_holds(mut configured: latest::Receiver<Arc<Config>>, parts: Parts) {
    let mut lines = parts.lines.subscribe();
    let asterisk = configured.borrow().pbx.asterisk.clone();
    loop {
        let kept = keep(&asterisk, &mut configured, &parts, &mut lines).await;
        let Err(problem) = kept else { return };
        let message =
            format!("{problem}; while Lineclear is down, the dialplan does not know of holds");
        parts.health.fails(Part::ExchangeHold, &message, clock::wall());
        clock::sleep_until(clock::now() + TRY_AGAIN).await;
    }
}

/// Keeps it until the connection breaks; returns if the program ends.
async fn keep(
    asterisk: &config::Asterisk,
    configured: &mut latest::Receiver<Arc<Config>>,
    parts: &Parts,
    lines: &mut tokio::sync::broadcast::Receiver<Told>,
) -> Result<(), ManagerError> {
    let mut manager = Manager::connect(asterisk).await?;
    let mut kept = BTreeMap::new();
    loop {
        let config = Arc::clone(&configured.borrow_and_update());
        let held = match held(&config, parts).await {
            Err(DeskError::Ending) => return Ok(()),
            held => held?,
        };
        for (line, until) in held {
            // What is not held is deleted once, in case it was held in an earlier life: unless what
            // was decided then cannot be read. It ends by itself.
            let is_known = !parts.health.problems().contains_key(&Part::Store);
            let is_new = kept.get(&line) != Some(&None);
            if until.is_some() || (is_new && (is_known || kept.contains_key(&line))) {
                manager.hold(&line, until).await?;
                kept.insert(line, until);
            }
        }
        parts.health.works(Part::ExchangeHold);
        let next = clock::now() + COMPARE_EVERY;
        loop {
            tokio::select! {
                told = lines.recv() => match told {
                    Ok(Told::LineHeld { .. } | Told::LineClear { .. })
                    | Err(RecvError::Lagged(_)) => break,
                    Ok(_) => {}
                    Err(RecvError::Closed) => return Ok(()),
                },
                changed = configured.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return Ok(()),
                },
                () = clock::sleep_until(next) => break,
            }
        }
    }
}

/// What is held now, on each line of the exchange: since and until when, in seconds of the wall
/// clock. Rounded up: nobody's hold ends early.
async fn held(
    config: &Config,
    parts: &Parts,
) -> Result<Vec<(String, Option<(u64, u64)>)>, DeskError> {
    let summary = parts.desk.summary().await?;
    let now = clock::wall().0;
    let of_line = |line: &config::AsteriskLine| {
        let status = summary.lines.iter().find(|status| status.id.as_str() == line.line);
        let left = status.and_then(|status| status.hold.as_ref()).map(|(_, left)| *left);
        let until = left.map(|left| {
            let left = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
            (now / 1000, now.saturating_add(left).div_ceil(1000))
        });
        (line.line.clone(), until)
    };
    Ok(config.pbx.asterisk.lines.iter().map(of_line).collect())
}
