//! What happened, and what is kept about a line.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State as Shared};

use super::auth::Asker;
use super::problem::ApiError;
use super::state::State;
use super::views;
use crate::alert::desk::Event;
use crate::alert::record::Id;
use crate::call::LineId;
use crate::edge::clock;
use crate::edge::desk::Kept;
use crate::wire::api::{Done, ErasedView, IncidentView, ListQuery, NotAScamView, Problem};

type Result<T> = std::result::Result<T, ApiError>;
type Of<T> = std::result::Result<Path<T>, axum::extract::rejection::PathRejection>;
type Asked<T> = std::result::Result<Query<T>, axum::extract::rejection::QueryRejection>;

/// Incidents, the latest first.
#[utoipa::path(get, path = "/v1/incidents", params(ListQuery), responses(
    (status = 200, body = Vec<IncidentView>),
    (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn incidents(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    query: Asked<ListQuery>,
) -> Result<Json<Vec<IncidentView>>> {
    let Query(query) = query?;
    asker.carer(query.line.as_deref())?;
    let limit = query.limit.unwrap_or(100).min(1000);
    let line = query.line.as_deref().map(LineId::new);
    let found = state.keeper.ask(move |store| store.incidents(line.as_ref(), limit)).await;
    let found = found.map_err(ApiError::Unavailable)?;
    Ok(Json(found.rows.iter().map(|record| views::incident(record, &[])).collect()))
}

/// One incident, step by step.
#[utoipa::path(get, path = "/v1/incidents/{incident}", params(("incident" = String, Path)),
    responses(
        (status = 200, body = IncidentView),
        (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn incident(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    incident: Of<String>,
) -> Result<Json<IncidentView>> {
    let Path(incident) = incident?;
    let view = find(&state, id(&incident)?).await?;
    asker.carer(Some(&view.line))?;
    Ok(Json(view))
}

/// It is no scam: nobody is warned of it any more, and the line is held because of it no more. An
/// exchange, which may not see incidents, is answered with the line.
#[utoipa::path(post, path = "/v1/incidents/{incident}/not-a-scam",
    params(("incident" = String, Path)),
    responses(
        (status = 200, body = NotAScamView),
        (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn not_a_scam(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    incident: Of<String>,
) -> Result<Json<NotAScamView>> {
    let Path(incident) = incident?;
    let incident = id(&incident)?;
    let view = find(&state, incident).await?;
    let by = asker.anyone(Some(&view.line))?;
    let line = LineId::new(&view.line);
    let kept = state.desk.tell(Event::NotAScam { line, incident, by }).await?;
    if asker.carer(Some(&view.line)).is_ok() {
        let view = find(&state, incident).await?;
        return Ok(Json(NotAScamView::Incident(Box::new(view))));
    }
    let line = super::lines::view(&state, &view.line).await?;
    Ok(Json(NotAScamView::Done(Done { kept: kept == Kept::OnDisk, line })))
}

/// Everything that is kept about a line.
#[utoipa::path(get, path = "/v1/lines/{line}/data", params(("line" = String, Path)), responses(
    (status = 200, body = serde_json::Value),
    (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn export(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    line: Of<String>,
) -> Result<Json<serde_json::Value>> {
    let Path(line) = line?;
    asker.carer(Some(&line))?;
    let line = LineId::new(&line);
    let found = state.keeper.ask(move |store| store.export(&line)).await;
    Ok(Json(found.map_err(ApiError::Unavailable)?))
}

/// Erase everything that is kept about a line. What protects it just now goes on: a hold that runs,
/// and the consent that counts.
#[utoipa::path(delete, path = "/v1/lines/{line}/data", params(("line" = String, Path)), responses(
    (status = 200, body = ErasedView),
    (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn erase(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    line: Of<String>,
) -> Result<Json<ErasedView>> {
    let Path(line) = line?;
    let by = asker.carer(Some(&line))?;
    let line = LineId::new(&line);
    state.desk.erase(line.clone()).await?;
    let (wall, owned) = (clock::wall(), Arc::clone(&state));
    // Whoever asked may go away: what protects the line is written again all the same.
    let work = tokio::spawn(async move {
        let erased = owned.keeper.ask(move |store| store.erase(&line, &by, wall)).await;
        (erased, owned.desk.rewrite().await)
    });
    let broke_off = |_| ApiError::Unavailable("it broke off: ask again".to_owned());
    let (erased, rewritten) = work.await.map_err(broke_off)?;
    rewritten?;
    Ok(Json(views::erased(&erased.map_err(ApiError::Unavailable)?)))
}

async fn find(state: &State, id: Id) -> Result<IncidentView> {
    let found = state.keeper.ask(move |store| store.incident(id)).await;
    let found = found.map_err(ApiError::Unavailable)?;
    let (record, history) =
        found.ok_or_else(|| ApiError::NotFound("no incident has this id".to_owned()))?;
    Ok(views::incident(&record, &history.rows))
}

fn id(text: &str) -> Result<Id> {
    let problem = || ApiError::Bad("an incident's id is 32 hexadecimal digits".to_owned());
    Id::parse(text).ok_or_else(problem)
}
