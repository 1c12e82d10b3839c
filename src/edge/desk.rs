//! Talks to the desk, from wherever something happens: requests go in, answers come back.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::alert::desk::{Answer, Event, LineStatus, NewCall, Question, Refusal, Started};
use crate::call::LineId;
use crate::config::Config;

/// Requests that may wait for the desk, most of which tell what was heard.
const MOST_WAITING: usize = 8192;
/// Requests that may wait and go before those: somebody stands at the telephone, or at a screen.
const MOST_URGENT: usize = 1024;

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
    urgent: mpsc::Sender<Request>,
}

/// What a loop is started with.
pub struct Requests {
    pub(super) usual: mpsc::Receiver<Request>,
    pub(super) urgent: mpsc::Receiver<Request>,
}

/// A way to talk to a desk that is started later.
pub fn handle() -> (DeskHandle, Requests) {
    let (requests, usual) = mpsc::channel(MOST_WAITING);
    let (to_urgent, urgent) = mpsc::channel(MOST_URGENT);
    (DeskHandle { requests, urgent: to_urgent }, Requests { usual, urgent })
}

impl Request {
    /// Whether it goes before what was heard. What a call's source tells keeps its order.
    const fn is_urgent(&self) -> bool {
        match self {
            Self::Gate(..) | Self::Lines(_) => true,
            Self::Event(event, _) => matches!(
                event,
                Event::NotAScam { .. }
                    | Event::EndCall { .. }
                    | Event::Disable { .. }
                    | Event::Enable { .. }
                    | Event::StartHold { .. }
                    | Event::ExtendHold { .. }
                    | Event::EndHold { .. }
            ),
            _ => false,
        }
    }
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
        let requests = if request.is_urgent() { &self.urgent } else { &self.requests };
        requests.try_send(request).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => DeskError::Busy,
            mpsc::error::TrySendError::Closed(_) => DeskError::Ending,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::line_clear::{Gate, Reason};
    use crate::alert::record::Actor;
    use crate::call::{CallId, Direction};

    #[test]
    fn the_gate_and_people_wait_for_nothing_that_was_heard() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let (desk, mut requests) = handle();
        let (line, call) = (LineId::new("home"), CallId::new("a"));
        let (direction, number, key, dry_run) = (Direction::Outgoing, None, None, false);
        let question = Question { line: line.clone(), direction, number, key, dry_run };
        let answer =
            Answer { gate: Gate::Pass(Reason::Open), prompts: Vec::new(), drop_first: Vec::new() };
        let words = async {
            for _ in 0..MOST_WAITING {
                desk.note(Event::Heard { call: call.clone(), report: None }).await?;
            }
            desk.tell(Event::CallEnded { call: call.clone() }).await
        };
        let people = async {
            let gate = desk.gate(question).await?;
            desk.tell(Event::EndHold { line, by: Actor::Person }).await.map(|kept| (gate, kept))
        };
        let loops = async {
            while let Some(request) = requests.urgent.recv().await {
                match request {
                    Request::Gate(_, asked) => drop(asked.send(answer.clone())),
                    Request::Event(Event::EndHold { .. }, Some(asked)) => {
                        return drop(asked.send(Ok(Kept::OnDisk)));
                    }
                    _ => panic!("what a source tells keeps its order"),
                }
            }
        };
        let (words, people, ()) = runtime.block_on(async { tokio::join!(words, people, loops) });
        assert_eq!(words, Err(DeskError::Busy), "there is no room for more words");
        assert_eq!(people, Ok((answer, Kept::OnDisk)));
    }
}
