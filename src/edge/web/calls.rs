//! Calls that an operator's own recogniser feeds: words come in, one JSON line an utterance, and
//! what is to be done goes out, while the call goes on.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State as Shared};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::auth::Asker;
use super::lines::direction;
use super::problem::ApiError;
use super::state::State;
use crate::alert::desk::{Event, NewCall, Refusal};
use crate::call::{CallId, LineId};
use crate::config::Config;
use crate::edge::calls::MOST_UNREAD;
use crate::edge::clock;
use crate::edge::desk::DeskError;
use crate::edge::ingest::feed::{LineProblem, Source, json_line};
use crate::private::Private;
use crate::time::Now;
use crate::wire::api::{CallQuery, Problem};
use crate::wire::feed::Told;
use crate::wire::transcript::{MAX_LINE, MAX_NAME};

/// How often it is looked whether a body is still welcome while nothing comes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

type Of<T> = Result<Path<T>, axum::extract::rejection::PathRejection>;
type Asked<T> = Result<Query<T>, axum::extract::rejection::QueryRejection>;

/// What is said in a call, as it is said. The body may be as long as the call; so is the answer.
#[utoipa::path(post, path = "/v1/calls/{call}/utterances",
    params(("call" = String, Path), CallQuery),
    request_body(content = String, content_type = "application/x-ndjson"),
    responses(
        (status = 200, body = String, content_type = "application/x-ndjson"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn utterances(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    call: Of<String>,
    query: Asked<CallQuery>,
    body: Body,
) -> Result<Response, ApiError> {
    let (Path(call), Query(query)) = (call?, query?);
    let new = new_call(&state, &call, &query)?;
    asker.exchange(Some(new.line.as_str()))?;
    let (told, to_tell) = mpsc::channel(MOST_UNREAD);
    state.feed.calls.start(new.clone(), told.clone()).await?;
    let (out, answer) = mpsc::channel(MOST_UNREAD);
    state.words.spawn(pass_on(to_tell, out));
    let words = Arc::clone(&state);
    state.words.spawn(async move {
        let (call, lines) = (new.call.clone(), asker.lines().map(<[_]>::to_vec));
        let source = Source::new(words.feed.clone(), told.clone(), lines, Some(new));
        let pass = Pass { asker, config: None };
        let is_whole =
            Words { state: &words, pass, source, line: Line::default() }.read(body).await;
        // Who breaks off has not hung up: the call may be fed again, or be silent until it is
        // taken to be over.
        finish(&words, &call, query.end && is_whole, told).await;
    });
    let lines = ReceiverStream::new(answer).map(Ok::<_, io::Error>);
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::from_stream(lines)).into_response())
}

/// A call ended.
#[utoipa::path(delete, path = "/v1/calls/{call}", params(("call" = String, Path)), responses(
    (status = 200, body = bool, content_type = "application/json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn end(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    call: Of<String>,
) -> Result<Json<bool>, ApiError> {
    let Path(call) = call?;
    asker.feeds()?;
    let call = CallId::new(&call);
    // To a token of some lines the calls of others are as if they were not there.
    let line = state.feed.calls.line_of(&call).filter(|line| asker.sees(line.as_str()));
    line.ok_or(DeskError::Refused(Refusal::NoCall))?;
    state.feed.calls.ending(&call).await;
    let _kept = state.desk.tell(Event::CallEnded { call }).await?;
    Ok(Json(true))
}

fn new_call(state: &State, call: &str, query: &CallQuery) -> Result<NewCall, ApiError> {
    if call.len() > MAX_NAME {
        return Err(ApiError::Bad(format!("the call's name is longer than {MAX_NAME} bytes")));
    }
    let config = state.config();
    let line = match (&query.line, config.lines.as_slice()) {
        (Some(line), _) => line,
        (None, [only]) => &only.id,
        (None, _) => return Err(LineProblem::NoLine.into()),
    };
    Ok(NewCall {
        line: LineId::new(line),
        call: CallId::new(call),
        direction: query.direction.as_deref().map_or(Ok(Default::default()), direction)?,
        number: query.number.clone().filter(|number| !number.is_empty()).map(Private::new),
    })
}

/// What let a source in.
struct Pass {
    asker: Asker,
    /// The configuration in which that was last looked up.
    config: Option<Arc<Config>>,
}

impl Pass {
    /// Whether it still does.
    fn counts(&mut self, state: &State) -> bool {
        let config = state.config();
        let is_same = self.config.as_ref().is_some_and(|last| Arc::ptr_eq(last, &config));
        let may = is_same || self.asker.may_go_on(&config.api);
        if may {
            self.config = Some(config);
        }
        may
    }
}

/// The line that is being read: no more of a body is in memory.
#[derive(Default)]
struct Line {
    bytes: Vec<u8>,
    is_too_long: bool,
}

/// The words of a body.
struct Words<'a> {
    state: &'a State,
    pass: Pass,
    source: Source,
    line: Line,
}

impl Words<'_> {
    /// Takes the lines of a body. False if it broke off, or had to be.
    async fn read(mut self, body: Body) -> bool {
        let mut chunks = body.into_data_stream();
        let mut since = clock::now();
        loop {
            let next = clock::at_most(LOOK_EVERY, chunks.next()).await;
            let taken = match next {
                Some(Some(Ok(chunk))) => {
                    let taken = self.chunk(&chunk).await;
                    since = clock::now();
                    taken
                }
                Some(Some(Err(_))) => return false,
                Some(None) => return self.last_line().await,
                None => self.wait(since),
            };
            if let Err(problem) = taken {
                self.source.explain(&problem);
                return false;
            }
        }
    }

    /// Nothing came: is that still all right?
    fn wait(&mut self, since: Now) -> Result<(), LineProblem> {
        if !self.pass.counts(self.state) {
            return Err(LineProblem::Revoked);
        }
        let is_idle = clock::now() - since >= self.state.config().feed.idle();
        if is_idle { Err(LineProblem::Idle) } else { Ok(()) }
    }

    async fn chunk(&mut self, chunk: &[u8]) -> Result<(), LineProblem> {
        for part in chunk.split_inclusive(|byte| *byte == b'\n') {
            let line = &mut self.line;
            line.is_too_long |= line.bytes.len() + part.len() > MAX_LINE + 1;
            if !line.is_too_long {
                line.bytes.extend_from_slice(part);
            }
            if part.ends_with(b"\n") {
                self.take().await?;
            }
        }
        Ok(())
    }

    /// A last line needs no line feed.
    async fn last_line(&mut self) -> bool {
        let is_there = !self.line.bytes.is_empty() || self.line.is_too_long;
        !is_there || self.take().await.is_ok()
    }

    async fn take(&mut self) -> Result<(), LineProblem> {
        if !self.pass.counts(self.state) {
            return Err(LineProblem::Revoked);
        }
        match std::mem::take(&mut self.line.is_too_long) {
            true => self.source.complain(&LineProblem::TooLong),
            false => self.source.line(&self.line.bytes).await,
        }
        self.line.bytes.clear();
        Ok(())
    }
}

/// Everything that follows from what was said is told before the answer ends.
async fn finish(state: &State, call: &CallId, ends: bool, told: mpsc::Sender<Told>) {
    let event = match ends {
        true => {
            state.feed.calls.ending(call).await;
            Event::CallEnded { call: call.clone() }
        }
        false => Event::Heard { call: call.clone(), report: None },
    };
    // A call that is over already has been told of.
    let _ = state.desk.tell(event).await;
    let name = call.private().reveal().to_string();
    let _ = told.send(Told::BodyEnded { call: name }).await;
}

/// Writes what is told as lines, up to the end of the body.
async fn pass_on(mut to_tell: mpsc::Receiver<Told>, out: mpsc::Sender<Bytes>) {
    while let Some(told) = to_tell.recv().await {
        let is_last = matches!(told, Told::BodyEnded { .. });
        if is_last || out.send(json_line(&told).into()).await.is_err() {
            return;
        }
    }
}
