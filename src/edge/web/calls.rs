//! Calls that an operator's own recogniser feeds: words come in, one JSON line an utterance, and
//! what is to be done goes out, while the call goes on.

use std::io;
use std::sync::Arc;

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
use crate::alert::desk::{Event, NewCall};
use crate::call::{CallId, LineId};
use crate::edge::calls::MOST_UNREAD;
use crate::edge::ingest::feed::{LineProblem, Source, json_line};
use crate::private::Private;
use crate::wire::api::{CallQuery, Problem};
use crate::wire::feed::Told;
use crate::wire::transcript::{MAX_LINE, MAX_NAME};

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
    tokio::spawn(pass_on(to_tell, out));
    tokio::spawn(async move {
        let call = new.call.clone();
        let source = Source::new(state.feed.clone(), told.clone(), Some(new));
        read(body, source).await;
        finish(&state, &call, query.end, told).await;
    });
    let lines = ReceiverStream::new(answer).map(Ok::<_, io::Error>);
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::from_stream(lines)).into_response())
}

/// A call ended.
#[utoipa::path(delete, path = "/v1/calls/{call}", params(("call" = String, Path)), responses(
    (status = 200, body = bool),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn end(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    call: Of<String>,
) -> Result<Json<bool>, ApiError> {
    let Path(call) = call?;
    asker.exchange(None)?;
    let _kept = state.desk.tell(Event::CallEnded { call: CallId::new(&call) }).await?;
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

/// Takes the lines of a body, of which only the one that is being read is in memory.
async fn read(body: Body, mut source: Source) {
    let mut chunks = body.into_data_stream();
    let mut line = Vec::new();
    let mut is_too_long = false;
    // A source that breaks off is like one that has nothing more to say.
    while let Some(Ok(chunk)) = chunks.next().await {
        for part in chunk.split_inclusive(|byte| *byte == b'\n') {
            is_too_long |= line.len() + part.len() > MAX_LINE + 1;
            if !is_too_long {
                line.extend_from_slice(part);
            }
            if part.ends_with(b"\n") {
                take(&mut source, &mut line, &mut is_too_long).await;
            }
        }
    }
    if !line.is_empty() || is_too_long {
        take(&mut source, &mut line, &mut is_too_long).await;
    }
}

async fn take(source: &mut Source, line: &mut Vec<u8>, is_too_long: &mut bool) {
    match std::mem::take(is_too_long) {
        true => source.complain(&LineProblem::TooLong),
        false => source.line(line).await,
    }
    line.clear();
}

/// Everything that follows from what was said is told before the answer ends.
async fn finish(state: &State, call: &CallId, ends: bool, told: mpsc::Sender<Told>) {
    let event = match ends {
        true => Event::CallEnded { call: call.clone() },
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
