//! How the lines stand, may this call go ahead, and what people decide about a line.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use axum::response::{IntoResponse, Response};

use super::auth::Asker;
use super::problem::ApiError;
use super::state::State;
use super::views;
use super::whole::Whole;
use crate::alert::desk::{Event, Question};
use crate::alert::record::Actor;
use crate::call::{Direction, LineId};
use crate::edge::clock;
use crate::edge::desk::Kept;
use crate::edge::health::Count;
use crate::private::Private;
use crate::wire::api::{
    Done, GateQuery, GateView, LineView, Minutes, Problem, ProblemView, RulesView, StatusView,
};

type Result<T> = std::result::Result<T, ApiError>;
type Of<T> = std::result::Result<Path<T>, axum::extract::rejection::PathRejection>;
type Sent = std::result::Result<Whole, ApiError>;
type Asked<T> = std::result::Result<Query<T>, axum::extract::rejection::QueryRejection>;

/// What a token that is not for all lines reads of a problem: it may name others' lines.
const NO_DETAILS: &str = "whoever runs the program can see more";

/// How the program is.
#[utoipa::path(get, path = "/v1/status", responses(
    (status = 200, body = StatusView),
    (status = 401, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn status(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
) -> Result<Json<StatusView>> {
    let summary = state.desk.summary().await?;
    let packs = state.packs.read().unwrap_or_else(PoisonError::into_inner).clone();
    let problems = state.health.problems();
    let problems: Vec<_> = problems
        .into_iter()
        .map(|(part, problem)| ProblemView {
            part: part.name().to_owned(),
            message: match asker.lines() {
                None => problem.message,
                Some(_) => NO_DETAILS.to_owned(),
            },
            since: problem.since.to_string(),
        })
        .collect();
    let counts = Count::ALL.map(|what| (what.name().to_owned(), state.health.counted(what)));
    Ok(Json(StatusView {
        health: if problems.is_empty() { "green" } else { "red" }.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        at: clock::wall().to_string(),
        problems,
        calls: summary.calls,
        notifications_waiting: summary.waiting,
        counts: counts.into(),
        rules: RulesView {
            source: packs.source,
            generation: packs.generation,
            rules: packs.rules,
            simulated: state.config().rules.simulate,
        },
        lines: seen(&summary.lines, &asker),
    }))
}

/// All lines.
#[utoipa::path(get, path = "/v1/lines", responses((status = 200, body = Vec<LineView>)))]
pub(super) async fn lines(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
) -> Result<Json<Vec<LineView>>> {
    Ok(Json(seen(&state.desk.summary().await?.lines, &asker)))
}

/// One line.
#[utoipa::path(get, path = "/v1/lines/{line}", params(("line" = String, Path)), responses(
    (status = 200, body = LineView),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn line(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    line: Of<String>,
) -> Result<Json<LineView>> {
    let Path(line) = line?;
    asker.anyone(Some(&line))?;
    Ok(Json(view(&state, &line).await?))
}

/// May this call go ahead? A line that is not known lets everything pass. Whoever gets no answer in
/// time lets the call pass, too.
#[utoipa::path(get, path = "/v1/lines/{line}/gate", params(("line" = String, Path), GateQuery),
    responses(
        (status = 200, content(
            (GateView = "application/json"), (String = "text/plain"))),
        (status = 400, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn gate(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    line: Of<String>,
    query: Asked<GateQuery>,
) -> Result<Response> {
    let (Path(line), Query(query)) = (line?, query?);
    let is_plain = match query.format.as_deref() {
        None | Some("json") => false,
        Some("asterisk") => true,
        Some(_) => return Err(ApiError::Bad("format is json or asterisk".to_owned())),
    };
    match query.dry_run {
        true => drop(asker.anyone(Some(&line))?),
        false => asker.exchange(Some(&line))?,
    }
    let question = Question {
        line: LineId::new(&line),
        direction: direction(&query.direction)?,
        number: query.number.filter(|number| !number.is_empty()).map(Private::new),
        key: query.key,
        dry_run: query.dry_run,
    };
    let answer = state.desk.gate(question).await?;
    let mut view = views::gate(&answer, &state.config(), &line);
    if asker.exchange(Some(&line)).is_err() {
        // Calls are named by the exchange, which may name them by numbers.
        view.drop_first.clear();
    }
    Ok(match is_plain {
        true => views::plain(&view, &state.config().pbx.asterisk.sounds).into_response(),
        false => Json(view).into_response(),
    })
}

/// Keep the line clear.
#[utoipa::path(post, path = "/v1/lines/{line}/hold", params(("line" = String, Path)),
    request_body = Minutes, responses(
        (status = 200, body = Done),
        (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn hold_start(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    line: Of<String>,
    body: Sent,
) -> Result<Json<Done>> {
    let Path(line) = line?;
    let by = asker.anyone(Some(&line))?;
    let length = minutes(&body?)?;
    done(&state, &line, by, |line, by| Event::StartHold { line, length, by }).await
}

/// Keep the line clear for longer.
#[utoipa::path(patch, path = "/v1/lines/{line}/hold", params(("line" = String, Path)),
    request_body = Minutes, responses(
        (status = 200, body = Done),
        (status = 409, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn hold_extend(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    line: Of<String>,
    body: Sent,
) -> Result<Json<Done>> {
    let Path(line) = line?;
    let by = asker.carer(Some(&line))?;
    let length = minutes(&body?)?.unwrap_or(Duration::from_secs(300));
    done(&state, &line, by, |line, by| Event::ExtendHold { line, length, by }).await
}

/// End the hold.
#[utoipa::path(delete, path = "/v1/lines/{line}/hold", params(("line" = String, Path)),
    responses(
        (status = 200, body = Done),
        (status = 409, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn hold_end(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    line: Of<String>,
) -> Result<Json<Done>> {
    let Path(line) = line?;
    let by = asker.anyone(Some(&line))?;
    done(&state, &line, by, |line, by| Event::EndHold { line, by }).await
}

/// End the call that is up: the far leg is dropped, and the line is held after it.
#[utoipa::path(post, path = "/v1/lines/{line}/end-call", params(("line" = String, Path)),
    responses(
        (status = 200, body = Done),
        (status = 409, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn end_call(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    line: Of<String>,
) -> Result<Json<Done>> {
    let Path(line) = line?;
    let by = asker.anyone(Some(&line))?;
    done(&state, &line, by, |line, by| Event::EndCall { line, call: None, by }).await
}

/// Warn nobody for some time: 60 minutes unless given, a day at most.
#[utoipa::path(post, path = "/v1/lines/{line}/off", params(("line" = String, Path)),
    request_body = Minutes, responses(
        (status = 200, body = Done),
        (status = 409, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn off(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    line: Of<String>,
    body: Sent,
) -> Result<Json<Done>> {
    let Path(line) = line?;
    let by = asker.anyone(Some(&line))?;
    let length = minutes(&body?)?.unwrap_or(Duration::from_secs(3600));
    done(&state, &line, by, |line, by| Event::Disable { line, length, by }).await
}

/// Look after the line again.
#[utoipa::path(delete, path = "/v1/lines/{line}/off", params(("line" = String, Path)),
    responses((status = 200, body = Done)))]
pub(super) async fn on(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    line: Of<String>,
) -> Result<Json<Done>> {
    let Path(line) = line?;
    let by = asker.anyone(Some(&line))?;
    done(&state, &line, by, |line, by| Event::Enable { line, by }).await
}

/// The line is held, and the far leg of the last call is still up: the clock starts again.
#[utoipa::path(post, path = "/v1/lines/{line}/far-leg-up", params(("line" = String, Path)),
    responses(
        (status = 200, body = Done),
        (status = 409, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn far_leg_up(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    line: Of<String>,
) -> Result<Json<Done>> {
    let Path(line) = line?;
    asker.exchange(Some(&line))?;
    done(&state, &line, Actor::Lineclear, |line, _| Event::FarLegUp { line }).await
}

async fn done(
    state: &State,
    line: &str,
    by: Actor,
    event: impl FnOnce(LineId, Actor) -> Event,
) -> Result<Json<Done>> {
    let kept = state.desk.tell(event(LineId::new(line), by)).await?;
    Ok(Json(Done { kept: kept == Kept::OnDisk, line: view(state, line).await? }))
}

pub(super) async fn view(state: &State, line: &str) -> Result<LineView> {
    let summary = state.desk.summary().await?;
    let found = summary.lines.iter().find(|status| status.id.as_str() == line);
    let missing = || crate::alert::desk::Refusal::NoLine(line.to_owned());
    let found = found.ok_or_else(|| crate::edge::desk::DeskError::from(missing()))?;
    Ok(views::line(found))
}

fn seen(lines: &[crate::alert::desk::LineStatus], asker: &Asker) -> Vec<LineView> {
    lines.iter().filter(|line| asker.sees(line.id.as_str())).map(views::line).collect()
}

pub(super) fn direction(name: &str) -> Result<Direction> {
    let problem = || ApiError::Bad("direction is incoming or outgoing".to_owned());
    Direction::from_name(name).ok_or_else(problem)
}

/// The minutes in a body; none if it is empty or names none.
fn minutes(Whole(body): &Whole) -> Result<Option<Duration>> {
    if body.is_empty() {
        return Ok(None);
    }
    let problem = |_| ApiError::Bad("the body is {\"minutes\": NUMBER}, or empty".to_owned());
    let Minutes { minutes } = serde_json::from_slice(body).map_err(problem)?;
    match minutes {
        Some(0 | 1441..) => Err(ApiError::Bad("minutes are from 1 to 1440".to_owned())),
        minutes => Ok(minutes.map(|minutes| Duration::from_secs(minutes * 60))),
    }
}
