//! Every error in one format: RFC 9457, "Problem Details for HTTP APIs".

use axum::Json;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::alert::desk::Refusal;
use crate::edge::desk::DeskError;
use crate::edge::ingest::feed::LineProblem;
use crate::wire::api::Problem;

/// Why a request was not followed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request is not as it should be.
    #[error("{0}")]
    Bad(String),
    /// It is longer than is read.
    #[error("the body is longer than {0} bytes")]
    TooLong(usize),
    /// It takes too long to come.
    #[error("the body took longer than {0} seconds: send it at once")]
    TooSlow(u64),
    /// Nobody said who asks.
    #[error("a token is needed: send \"Authorization: Bearer …\"; `lineclear token` makes one")]
    NoToken,
    /// Whoever asks may not.
    #[error("the token of '{0}' does not allow this")]
    Forbidden(String),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// It is there, and does not take this method.
    #[error("this address does not take this method: see the OpenAPI document")]
    Method,
    /// The state does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// Not now.
    #[error("{0}")]
    Unavailable(String),
}

impl ApiError {
    const fn status(&self) -> StatusCode {
        match self {
            Self::Bad(_) => StatusCode::BAD_REQUEST,
            Self::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::NoToken => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Bad(_) => "bad-request",
            Self::TooLong(_) => "too-long",
            Self::TooSlow(_) => "too-slow",
            Self::NoToken => "no-token",
            Self::Forbidden(_) => "forbidden",
            Self::NotFound(_) => "not-found",
            Self::Method => "method",
            Self::Conflict(_) => "conflict",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// As it is sent.
    pub fn problem(&self) -> Problem {
        let status = self.status();
        Problem {
            kind: format!("urn:lineclear:problem:{}", self.name()),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail: self.to_string(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status(), kind, Json(self.problem())).into_response();
        let kind = header::HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if matches!(self, Self::NoToken) {
            let challenge = header::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<DeskError> for ApiError {
    fn from(error: DeskError) -> Self {
        let detail = error.to_string();
        match error {
            DeskError::Busy | DeskError::Ending => Self::Unavailable(detail),
            DeskError::Refused(refusal) => match refusal {
                Refusal::NoLine(_) | Refusal::NoCall => Self::NotFound(detail),
                Refusal::TooManyCalls(_) => Self::Unavailable(detail),
                Refusal::NoConsent(_)
                | Refusal::OtherLine
                | Refusal::NotHeld(_)
                | Refusal::NoCallUp(_)
                | Refusal::CarersOnly(_) => Self::Conflict(detail),
            },
        }
    }
}

impl From<LineProblem> for ApiError {
    fn from(problem: LineProblem) -> Self {
        match problem {
            LineProblem::Desk(error) => error.into(),
            other => Self::Bad(other.to_string()),
        }
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::Bad(rejection.body_text())
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::Bad(rejection.body_text())
    }
}

impl From<BytesRejection> for ApiError {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLong(super::state::MOST_BODY),
            _ => Self::Bad(rejection.body_text()),
        }
    }
}
