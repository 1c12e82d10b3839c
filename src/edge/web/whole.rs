//! Bodies that are read whole: short, and not for long.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};

use super::problem::ApiError;
use crate::edge::clock;

/// How long a body that is read whole may take.
const LONGEST_BODY: Duration = Duration::from_secs(10);

/// A body that is read whole.
pub(super) struct Whole(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Whole {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let read = clock::at_most(LONGEST_BODY, Bytes::from_request(request, state)).await;
        Ok(Self(read.ok_or(ApiError::TooSlow(LONGEST_BODY.as_secs()))??))
    }
}
