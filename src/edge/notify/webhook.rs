//! A notification as a signed POST request. `docs/notifications.md` tells receivers what to expect.

use std::fs::File;
use std::io::{Error, ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use ureq::Agent;
use ureq::http::Uri;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::channel::{Channel, NotifyError, Opened, body, settings, timeout};
use crate::alert::outbox::{Attempt, Outcome};
use crate::time::Wall;
use crate::wire::signature::{self, Secret};

/// The header of the attempt's number. It is not signed: nothing but a log should rest on it.
const ATTEMPT: &str = "lineclear-attempt";
/// A larger file is none of those that are asked for.
const MOST_OF_A_FILE: u64 = 1 << 20;
/// The most of an answer's headers, in bytes. Its body is not read at all.
const MOST_OF_AN_ANSWER: usize = 16 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    url: String,
    secret_file: PathBuf,
    ca_file: Option<PathBuf>,
    timeout: Option<u64>,
}

struct Webhook {
    agent: Agent,
    url: Uri,
    /// All of the address that messages may show: the rest may hold a secret.
    host: String,
    secret: Secret,
    timeout: Duration,
}

/// A channel with these settings.
pub(super) fn open(at: &str, table: &toml::Table) -> Opened {
    let settings: Settings = settings(at, table)?;
    let url = url(at, &settings.url)?;
    let host = url.host().unwrap_or_default().to_owned();
    let timeout = timeout(at, settings.timeout)?;
    let secret = secret(at, &settings.secret_file)?;
    let roots = settings.ca_file.map(|path| authorities(at, &path)).transpose()?;
    let agent = agent(timeout, roots.unwrap_or(RootCerts::WebPki));
    Ok(Box::new(Webhook { agent, url, host, secret, timeout }))
}

impl Channel for Webhook {
    fn deliver(&self, attempt: &Attempt, at: Wall) -> Outcome {
        let body = match body(attempt) {
            Ok(body) => body,
            Err(outcome) => return outcome,
        };
        let key = &attempt.notification.notice.key;
        let timestamp = signature::timestamp(at);
        let signature = signature::sign(&self.secret, &timestamp, key, &body);
        let request = self.agent.post(&self.url).header("content-type", "application/json");
        // Notifications are rare: a connection kept open would be dead when the next one comes.
        let request = request
            .header("connection", "close")
            .header(signature::KEY, key)
            .header(signature::TIMESTAMP, timestamp)
            .header(signature::SIGNATURE, signature)
            .header(ATTEMPT, attempt.number.to_string());
        match request.send(&body[..]) {
            Ok(answer) => self.answered(answer.status().as_u16()),
            Err(error) => self.failed(&error),
        }
    }
}

impl Webhook {
    fn answered(&self, status: u16) -> Outcome {
        let problem = |remedy: &str| format!("{} answered {status}: {remedy}", self.host);
        match status {
            200..=299 => Outcome::Delivered,
            300..=399 => Outcome::Never(problem(
                "redirects are not followed: write the address that it leads to as url",
            )),
            401 | 403 => Outcome::Never(problem("check that it has the same secret")),
            404 | 410 => Outcome::Never(problem("check the url")),
            408 | 425 | 429 => Outcome::Later(problem("it is tried again")),
            400..=499 => Outcome::Never(problem("look at the log of the receiver")),
            _ => Outcome::Later(problem("look at the log of the receiver")),
        }
    }

    fn failed(&self, error: &ureq::Error) -> Outcome {
        use ureq::Error;
        let host = &self.host;
        let problem = match error {
            // What cannot be put into a request today cannot be tomorrow.
            Error::Http(_) | Error::BadUri(_) => {
                let problem = "the notification cannot be written as a request".to_owned();
                return Outcome::Never(format!("{host}: {problem}: please report this"));
            }
            Error::Timeout(_) => format!("no answer within {} s", self.timeout.as_secs()),
            Error::HostNotFound => "nobody knows its address".to_owned(),
            Error::Io(error) => error.to_string(),
            Error::Rustls(error) => error.to_string(),
            Error::Protocol(_) => "it does not speak http".to_owned(),
            Error::LargeResponseHeader(..) => "its answer is too large".to_owned(),
            // Others may quote the url.
            _ => "the request failed".to_owned(),
        };
        Outcome::Later(format!("{host}: {problem}: check that it runs and can be reached"))
    }
}

fn agent(timeout: Duration, roots: RootCerts) -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        // Left alone, ureq takes a proxy from ALL_PROXY, HTTPS_PROXY or HTTP_PROXY: whoever sets
        // the environment would choose who sees the notifications.
        .proxy(None)
        .user_agent(concat!("lineclear/", env!("CARGO_PKG_VERSION")))
        .max_response_header_size(MOST_OF_AN_ANSWER)
        .input_buffer_size(MOST_OF_AN_ANSWER)
        .output_buffer_size(MOST_OF_AN_ANSWER)
        .tls_config(TlsConfig::builder().root_certs(roots).build());
    config.build().new_agent()
}

fn url(at: &str, text: &str) -> Result<Uri, NotifyError> {
    let wrong = |remedy: &str| {
        let (at, remedy) = (at.to_owned(), remedy.to_owned());
        NotifyError::Value { at, key: "url", remedy }
    };
    let not_one = || wrong("write a whole address: https://example.org/hook");
    let url: Uri = text.parse().map_err(|_| not_one())?;
    let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else {
        return Err(not_one());
    };
    if authority.as_str().contains('@') {
        return Err(wrong("it must not hold a name and a password: requests are signed instead"));
    }
    let has_port = authority.as_str().len() > authority.host().len();
    if authority.host().is_empty() || has_port && authority.port_u16().is_none() {
        return Err(not_one());
    }
    match scheme {
        "https" => Ok(url),
        "http" if is_loopback(authority.host()) => Ok(url),
        _ => Err(wrong(
            "it must begin with https://; only to this machine (localhost, 127.0.0.1, [::1]) \
             may it be http://",
        )),
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

fn secret(at: &str, path: &Path) -> Result<Secret, NotifyError> {
    let mut file = open_file(at, "secret-file", path)?;
    let failed = |problem| read_error(at, path, problem);
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    if mode & 0o007 != 0 {
        return Err(NotifyError::Exposed { at: at.to_owned(), path: path.to_owned() });
    }
    let bytes = whole(&mut file).map_err(failed)?;
    // Editors and `openssl rand` end the line; what else is there belongs to the secret.
    let end = bytes.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
    Secret::new(&bytes[..end]).map_err(|problem| {
        let (at, path) = (at.to_owned(), path.to_owned());
        NotifyError::Secret { at, path, problem }
    })
}

/// The certificates of those who may vouch for the receiver: they alone, not the public ones too.
fn authorities(at: &str, path: &Path) -> Result<RootCerts, NotifyError> {
    let mut file = open_file(at, "ca-file", path)?;
    let text = whole(&mut file).map_err(|problem| read_error(at, path, problem))?;
    let certificates: Vec<Certificate<'static>> = parse_pem(&text)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        let problem = Error::new(ErrorKind::InvalidData, "no certificate in it (PEM)");
        return Err(read_error(at, path, problem));
    }
    Ok(RootCerts::from(certificates))
}

fn open_file(at: &str, key: &'static str, path: &Path) -> Result<File, NotifyError> {
    if !path.is_absolute() {
        let remedy = "write the whole path, from / on".to_owned();
        return Err(NotifyError::Value { at: at.to_owned(), key, remedy });
    }
    let open = || match std::fs::metadata(path)?.is_file() {
        true => File::open(path),
        // To open a pipe would wait for somebody to write into it.
        false => Err(Error::new(ErrorKind::InvalidInput, "not a file")),
    };
    open().map_err(|problem| read_error(at, path, problem))
}

fn whole(file: &mut File) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    file.take(MOST_OF_A_FILE + 1).read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= MOST_OF_A_FILE => Ok(bytes),
        _ => Err(Error::new(ErrorKind::FileTooLarge, "larger than 1 MiB")),
    }
}

fn read_error(at: &str, path: &Path, problem: Error) -> NotifyError {
    NotifyError::Read { at: at.to_owned(), path: path.to_owned(), problem }
}

#[cfg(test)]
mod tests;
