//! Asterisk asked and listened to: ARI over HTTP and its WebSocket.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use ureq::http::Method;

use crate::config;
use crate::edge::clock;
use crate::private::Private;
use crate::wire::ari::{self, AriError, Bridge, Channel, MOST_EVENT, Request};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// The longest answer that is read: a list of some thousand channels.
const MOST_ANSWER: u64 = 16 * 1024 * 1024;
/// The longest password.
const MOST_SECRET: usize = 1024;
/// The name under which Asterisk knows the program.
pub const APP: &str = "lineclear";

/// Why Asterisk does not do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A password that cannot be read.
    #[error("{path}: {problem}: write the password of the user '{user}' into this file")]
    Secret {
        /// The file.
        path: String,
        /// Whose.
        user: String,
        /// What the system says.
        problem: io::Error,
    },
    /// Nobody is there.
    #[error("{url}: {problem}: is Asterisk running, with http.conf enabled = yes?")]
    Connect {
        /// Where.
        url: String,
        /// What the system says.
        problem: String,
    },
    /// Not with this name and password.
    #[error("{0}: name or password are refused: compare [pbx.asterisk] user with ari.conf")]
    Login(String),
    /// With this name and password one may only read.
    #[error("{0}: the user may only read: set read_only = no in its section of ari.conf")]
    ReadOnly(String),
    /// Somebody is there, and it is no ARI.
    #[error("{0}: there is no ARI: load res_ari.so and the modules that go with it")]
    NoAri(String),
    /// It says no.
    #[error("Asterisk will not {what}: status {status}")]
    Refused {
        /// What it was asked for.
        what: &'static str,
        /// The status of HTTP.
        status: u16,
    },
    /// It says something else.
    #[error(transparent)]
    Answer(#[from] AriError),
}

/// Reads a password from its file.
///
/// # Errors
/// When the file cannot be read, is empty, or is no password.
pub fn secret(path: &Path, user: &str) -> Result<Private<String>, ClientError> {
    let problem = |problem| ClientError::Secret {
        path: path.display().to_string(),
        user: user.to_owned(),
        problem,
    };
    let text = std::fs::read_to_string(path).map_err(problem)?;
    let secret = text.trim();
    if secret.is_empty() || secret.len() > MOST_SECRET {
        return Err(problem(io::Error::other("there is no password in it")));
    }
    Ok(Private::new(secret.to_owned()))
}

/// An Asterisk.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    url: String,
    authorization: Arc<Private<String>>,
}

/// A stream of events.
pub type Events = WebSocketStream<TcpStream>;

impl Client {
    /// The Asterisk of a configuration. Its password is read now.
    ///
    /// # Errors
    /// When the password cannot be read.
    pub fn new(config: &config::Asterisk) -> Result<Self, ClientError> {
        let secret = secret(&config.secret_file, &config.user)?;
        let pair = format!("{}:{}", config.user, secret.reveal());
        let authorization =
            Arc::new(Private::new(format!("Basic {}", BASE64_STANDARD.encode(pair))));
        let settings = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections_per_host(8)
            .proxy(None)
            .build();
        let agent = ureq::Agent::new_with_config(settings);
        Ok(Self { agent, url: config.url.trim_end_matches('/').to_owned(), authorization })
    }

    /// Asks for something, and gives back the answer. Blocks.
    ///
    /// # Errors
    /// When there is no answer, or the answer is no.
    pub fn ask(&self, request: &Request) -> Result<Vec<u8>, ClientError> {
        let method = match request.method() {
            ari::Method::Get => Method::GET,
            ari::Method::Post => Method::POST,
            ari::Method::Put => Method::PUT,
            ari::Method::Delete => Method::DELETE,
        };
        let answer = self.send(method, &request.target(APP), request.body())?;
        if (200..300).contains(&answer.0) {
            return Ok(answer.1);
        }
        match answer.0 {
            401 => Err(ClientError::Login(self.url.clone())),
            403 => Err(ClientError::ReadOnly(self.url.clone())),
            status => Err(ClientError::Refused { what: request.name(), status }),
        }
    }

    /// Looks something up: the answer, or none if there is no such thing. Blocks.
    ///
    /// # Errors
    /// When there is no answer, or another one.
    pub fn find(&self, target: &str) -> Result<Option<Vec<u8>>, ClientError> {
        match self.send(Method::GET, target, None)? {
            (200, body) => Ok(Some(body)),
            (404, _) => Ok(None),
            (401, _) => Err(ClientError::Login(self.url.clone())),
            (status, _) => Err(ClientError::Refused { what: "be looked into", status }),
        }
    }

    fn send(
        &self,
        method: Method,
        target: &str,
        body: Option<&'static str>,
    ) -> Result<(u16, Vec<u8>), ClientError> {
        let broken = |error: &dyn std::fmt::Display| self.broken(error);
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}/ari{target}", self.url))
            .header("authorization", self.authorization.reveal())
            .header("content-type", "application/json")
            .body(body.unwrap_or_default())
            .map_err(|error| broken(&error))?;
        let mut response = self.agent.run(request).map_err(|error| broken(&error))?;
        let body = response.body_mut().with_config().limit(MOST_ANSWER).read_to_vec();
        Ok((response.status().as_u16(), body.map_err(|error| broken(&error))?))
    }

    /// What is up. Blocks.
    ///
    /// # Errors
    /// When there is no answer, or it is not understood.
    pub fn list(&self) -> Result<(Vec<Channel>, Vec<Bridge>), ClientError> {
        let channels = ari::channels(&self.ask(&Request::Channels)?)?;
        let bridges = ari::bridges(&self.ask(&Request::Bridges)?)?;
        Ok((channels, bridges))
    }

    /// Listens to events, of all channels.
    ///
    /// # Errors
    /// When nobody is there, or it is no ARI.
    pub async fn events(&self) -> Result<Events, ClientError> {
        let broken = |error: &dyn std::fmt::Display| self.broken(error);
        let host = self.url.strip_prefix("http://").unwrap_or(&self.url);
        let url = format!("ws://{host}/ari/events?app={APP}&subscribeAll=true");
        let mut request = url.into_client_request().map_err(|error| broken(&error))?;
        let value = self.authorization.reveal().parse();
        let value = value.map_err(|_| ClientError::Login(self.url.clone()))?;
        request.headers_mut().insert("authorization", value);
        let address = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
        let connect = async {
            let stream = TcpStream::connect(address).await.map_err(|error| broken(&error))?;
            // What is told is short and urgent.
            let _ = stream.set_nodelay(true);
            let config = WebSocketConfig::default()
                .max_message_size(Some(MOST_EVENT))
                .max_frame_size(Some(MOST_EVENT));
            let opened =
                tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
            opened.map(|(events, _)| events).map_err(|error| self.not_opened(&error))
        };
        clock::at_most(PATIENCE, connect).await.ok_or_else(|| broken(&"no answer"))?
    }

    fn not_opened(&self, error: &tungstenite::Error) -> ClientError {
        match error {
            tungstenite::Error::Http(answer) => match answer.status().as_u16() {
                401 | 403 => ClientError::Login(self.url.clone()),
                _ => ClientError::NoAri(self.url.clone()),
            },
            other => self.broken(other),
        }
    }

    fn broken(&self, problem: &dyn std::fmt::Display) -> ClientError {
        ClientError::Connect { url: self.url.clone(), problem: problem.to_string() }
    }
}
