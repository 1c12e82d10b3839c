//! The HTTP interface: what an exchange asks, what carers see and decide, and calls that an
//! operator's own recogniser feeds.

mod auth;
mod calls;
mod describe;
mod impatient;
mod incidents;
mod lines;
mod problem;
mod server;
mod state;
mod views;
mod whole;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use axum::response::Response;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use problem::ApiError;
pub use server::serve;
use state::MOST_BODY;
pub use state::State;

/// The document that describes the interface.
#[derive(OpenApi)]
#[openapi(info(
    title = "Lineclear",
    description = "Telephone scam call screening: may this call go ahead, how do the lines stand, \
                   what happened; and calls fed by a recogniser of one's own."
))]
struct Document;

fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(lines::status))
        .routes(routes!(lines::lines))
        .routes(routes!(lines::line))
        .routes(routes!(lines::gate))
        .routes(routes!(lines::hold_start, lines::hold_extend, lines::hold_end))
        .routes(routes!(lines::off, lines::on))
        .routes(routes!(lines::end_call))
        .routes(routes!(lines::far_leg_up))
        .routes(routes!(calls::utterances))
        .routes(routes!(calls::end))
        .routes(routes!(incidents::incidents))
        .routes(routes!(incidents::incident))
        .routes(routes!(incidents::not_a_scam))
        .routes(routes!(incidents::export, incidents::erase))
}

/// The OpenAPI document.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = routes().into_openapi();
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    describe::common(&mut document);
    document
}

async fn document() -> axum::Json<utoipa::openapi::OpenApi> {
    axum::Json(openapi())
}

/// Everything that is answered.
pub fn router(state: Arc<State>) -> Router {
    let (router, _) = routes().split_for_parts();
    router
        .route("/v1/openapi.json", axum::routing::get(document))
        .fallback(async || ApiError::NotFound("no such address: see the OpenAPI document".into()))
        .method_not_allowed_fallback(async || ApiError::Method)
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .layer(middleware::from_fn(never_stored))
        .with_state(state)
}

/// Answers are about people: nothing between keeps them.
async fn never_stored(request: Request, next: Next) -> Response {
    use axum::http::header;
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    let nosniff = header::HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}
