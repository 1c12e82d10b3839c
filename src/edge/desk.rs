//! Talks to the desk, from wherever something happens: requests go in, answers come back.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::alert::desk::{Answer, Event, LineStatus, NewCall, Question, Refusal, Started};
use crate::call::LineId;
use crate::config::Config;

/// Requests that may wait for the desk.
const MOST_WAITING: usize = 8192;

/// Whether a decision is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is.
    OnDisk,
    /// It is in memory only, for now: the status tells why.
    InMemory,
}

/// Why the desk did not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// It refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too many wait.
    #[error("too many requests wait: try again in a moment")]
    Busy,
    /// The program is ending.
    #[error("the program is ending")]
    Ending,
}

/// What the desk is asked, and where the answer goes.
pub(super) enum Request {
    Start(NewCall, oneshot::Sender<Result<Started, Refusal>>),
    Event(Event, Option<oneshot::Sender<Result<Kept, Refusal>>>),
    Gate(Question, oneshot::Sender<Answer>),
    Lines(oneshot::Sender<Summary>),
    Configure(Arc<Config>),
    Erase(LineId, oneshot::Sender<()>),
    Rewrite,
    Stop,
}

/// How the desk stands.
#[derive(Debug, Clone)]
pub struct Summary {
    /// All lines.
    pub lines: Vec<LineStatus>,
    /// Calls that are watched.
    pub calls: usize,
    /// Notifications that wait.
    pub waiting: usize,
}

/// Talks to the desk.
#[derive(Debug, Clone)]
pub struct DeskHandle {
    requests: mpsc::Sender<Request>,
}

/// What a loop is started with.
pub struct Requests(pub(super) mpsc::Receiver<Request>);

/// A way to talk to a desk that is started later.
pub fn handle() -> (DeskHandle, Requests) {
    let (requests, receiver) = mpsc::channel(MOST_WAITING);
    (DeskHandle { requests }, Requests(receiver))
}

impl DeskHandle {
    /// A call begins.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn start_call(&self, new: NewCall) -> Result<Started, DeskError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Request::Start(new, answer))?;
        Ok(answered.await.map_err(|_| DeskError::Ending)??)
    }

    /// Something happened in a call; waits while the desk is busy.
    ///
    /// # Errors
    /// When the program is ending.
    pub async fn note(&self, event: Event) -> Result<(), DeskError> {
        let sent = self.requests.send(Request::Event(event, None)).await;
        sent.map_err(|_| DeskError::Ending)
    }

    /// Something happened; answers when it is kept.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn tell(&self, event: Event) -> Result<Kept, DeskError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Request::Event(event, Some(answer)))?;
        Ok(answered.await.map_err(|_| DeskError::Ending)??)
    }

    /// Whether a call may go ahead.
    ///
    /// # Errors
    /// When the desk is busy or ending: the call had better pass.
    pub async fn gate(&self, question: Question) -> Result<Answer, DeskError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Request::Gate(question, answer))?;
        answered.await.map_err(|_| DeskError::Ending)
    }

    /// How the desk stands.
    ///
    /// # Errors
    /// When it is busy or ending.
    pub async fn summary(&self) -> Result<Summary, DeskError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Request::Lines(answer))?;
        answered.await.map_err(|_| DeskError::Ending)
    }

    /// Forgets what waits to be told of a line.
    ///
    /// # Errors
    /// When the desk is busy or ending.
    pub async fn erase(&self, line: LineId) -> Result<(), DeskError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Request::Erase(line, answer))?;
        answered.await.map_err(|_| DeskError::Ending)
    }

    /// Has everything written again that a restart must find: a hold outlives the erasing of what
    /// led to it.
    ///
    /// # Errors
    /// When the program is ending.
    pub async fn rewrite(&self) -> Result<(), DeskError> {
        self.requests.send(Request::Rewrite).await.map_err(|_| DeskError::Ending)
    }

    /// Goes on with another configuration.
    pub async fn configure(&self, config: Arc<Config>) {
        // A desk that is ending needs no configuration.
        let _ = self.requests.send(Request::Configure(config)).await;
    }

    /// Ends the loop when everything that was decided is done.
    pub async fn stop(&self) {
        let _ = self.requests.send(Request::Stop).await;
    }

    fn ask(&self, request: Request) -> Result<(), DeskError> {
        self.requests.try_send(request).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => DeskError::Busy,
            mpsc::error::TrySendError::Closed(_) => DeskError::Ending,
        })
    }
}
