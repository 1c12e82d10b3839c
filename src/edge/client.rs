//! Talks to a running daemon, for the commands that people type.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::Method;

use crate::config::Config;
use crate::private::Private;
use crate::wire::api::Problem;

/// The variable that holds a token.
const TOKEN_VARIABLE: &str = "LINECLEAR_TOKEN";
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer that is read.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// Why the daemon did not answer as asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody is there.
    #[error("{address}: {problem}: is `lineclear run` running, with the same --config?")]
    Connect {
        /// Where.
        address: String,
        /// What the system says.
        problem: String,
    },
    /// It says no.
    #[error("{0}")]
    Refused(String),
    /// It says something else.
    #[error("{address}: the answer is not one of a lineclear of this version: {problem}")]
    Answer {
        /// Where.
        address: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// A daemon.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    address: String,
    token: Option<Private<String>>,
}

impl Client {
    /// The daemon of a configuration. A token is taken from `$LINECLEAR_TOKEN`.
    pub fn new(config: &Config) -> Self {
        let mut listen = config.api.listen;
        if listen.ip().is_unspecified() {
            listen.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        let settings = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build();
        let token = std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty());
        let agent = ureq::Agent::new_with_config(settings);
        Self { agent, address: format!("http://{listen}"), token: token.map(Private::new) }
    }

    /// Asks for something.
    ///
    /// # Errors
    /// When there is no answer, or the answer is no.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.ask(Method::GET, path, None::<&()>)
    }

    /// Asks for a change.
    ///
    /// # Errors
    /// When there is no answer, or the answer is no.
    pub fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.ask(Method::POST, path, Some(body))
    }

    /// Asks for more of what is there.
    ///
    /// # Errors
    /// When there is no answer, or the answer is no.
    pub fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.ask(Method::PATCH, path, Some(body))
    }

    /// Asks for an end of something.
    ///
    /// # Errors
    /// When there is no answer, or the answer is no.
    pub fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.ask(Method::DELETE, path, None::<&()>)
    }

    fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, ClientError> {
        let url = format!("{}{path}", self.address);
        let not_there = |error: &dyn std::fmt::Display| ClientError::Connect {
            address: self.address.clone(),
            problem: error.to_string(),
        };
        let strange = |problem: &dyn std::fmt::Display| ClientError::Answer {
            address: self.address.clone(),
            problem: problem.to_string(),
        };
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {}", token.reveal()));
        }
        let bytes = match body {
            Some(body) => serde_json::to_vec(body).map_err(|error| strange(&error))?,
            None => Vec::new(),
        };
        let request = request.header("content-type", "application/json").body(bytes);
        let request = request.map_err(|error| not_there(&error))?;
        let mut response = self.agent.run(request).map_err(|error| not_there(&error))?;
        let status = response.status();
        let body = response.body_mut().with_config().limit(MOST_BYTES).read_to_vec();
        let body = body.map_err(|error| not_there(&error))?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| strange(&error));
        }
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Err(ClientError::Refused(problem.detail)),
            Err(_) => Err(strange(&status)),
        }
    }
}
