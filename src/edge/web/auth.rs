//! Who asks, and what they may do.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::{HeaderMap, header, request::Parts};
use subtle::ConstantTimeEq;

use super::problem::ApiError;
use super::state::State;
use crate::alert::record::Actor;
use crate::config::{Api, Role, Token};
use crate::edge::token;

/// Whoever asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    name: String,
    role: Role,
    /// All lines if empty.
    lines: Vec<String>,
}

impl Asker {
    /// Whether they may see and decide as carers do.
    ///
    /// # Errors
    /// When they may not, or not on this line.
    pub fn carer(&self, line: Option<&str>) -> Result<Actor, ApiError> {
        self.may(matches!(self.role, Role::Carer | Role::Operator), line)?;
        Ok(Actor::Carer(self.name.clone()))
    }

    /// Whether they may feed calls and ask the gate.
    ///
    /// # Errors
    /// When they may not, or not on this line.
    pub fn exchange(&self, line: Option<&str>) -> Result<(), ApiError> {
        self.may(matches!(self.role, Role::Exchange | Role::Operator), line)
    }

    /// Whether they may do something at the telephone: an exchange speaks for whoever holds it.
    ///
    /// # Errors
    /// When they may not on this line.
    pub fn anyone(&self, line: Option<&str>) -> Result<Actor, ApiError> {
        self.may(true, line)?;
        Ok(match self.role {
            Role::Exchange => Actor::Person,
            Role::Carer | Role::Operator => Actor::Carer(self.name.clone()),
        })
    }

    /// Whether they may see a line.
    pub fn sees(&self, line: &str) -> bool {
        self.lines.is_empty() || self.lines.iter().any(|own| own == line)
    }

    fn may(&self, role: bool, line: Option<&str>) -> Result<(), ApiError> {
        let sees = line.map_or(self.lines.is_empty(), |line| self.sees(line));
        if role && sees { Ok(()) } else { Err(ApiError::Forbidden(self.name.clone())) }
    }
}

impl FromRequestParts<Arc<State>> for Asker {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<State>,
    ) -> Result<Self, Self::Rejection> {
        asker(&parts.headers, &state.config().api)
    }
}

/// Who sent these headers. Without any token in the configuration, which is refused beyond
/// loopback, whoever is on the machine is the operator; but not a web page that a browser on it
/// shows.
fn asker(headers: &HeaderMap, api: &Api) -> Result<Asker, ApiError> {
    if api.tokens.is_empty() {
        let local = Asker { name: "local".to_owned(), role: Role::Operator, lines: Vec::new() };
        return is_local(headers).then_some(local).ok_or(ApiError::NoToken);
    }
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or(ApiError::NoToken)?;
    let digest = token::digest(token.trim());
    let is_it = |known: &&Token| {
        bool::from(known.sha256.to_ascii_lowercase().as_bytes().ct_eq(digest.as_bytes()))
    };
    let known = api.tokens.iter().find(is_it).ok_or(ApiError::NoToken)?;
    Ok(Asker { name: known.name.clone(), role: known.role, lines: known.lines.clone() })
}

/// A page that rebinds its own name to loopback still sends that name, and pages that ask across
/// origins say where they are from.
fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    (is_loopback || name == "localhost") && !headers.contains_key(header::ORIGIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn api(role: &str) -> Api {
        let sha256 = token::digest("open sesame");
        let text = format!(
            "[[api.tokens]]\nname = \"anna\"\nrole = \"{role}\"\nsha256 = \"{sha256}\"\n\
             lines = [\"home\"]"
        );
        Config::parse(&text).expect("valid").api
    }

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &'static str)| {
            let name = header::HeaderName::from_static(name);
            (name, header::HeaderValue::from_static(value))
        };
        list.iter().map(header).collect()
    }

    #[test]
    fn without_tokens_only_this_machine_asks() {
        let api = Config::parse("").expect("defaults").api;
        let asks = |list| asker(&headers(list), &api).is_ok();
        assert!(asks(&[("host", "127.0.0.1:7450")]) && asks(&[("host", "localhost")]));
        assert!(asks(&[("host", "[::1]:7450")]));
        assert!(!asks(&[("host", "evil.example:7450")]), "a name that was rebound");
        assert!(!asks(&[("host", "127.0.0.1"), ("origin", "https://evil.example")]));
        assert!(!asks(&[]));
    }

    #[test]
    fn a_token_opens_what_its_role_and_lines_allow() {
        let good = headers(&[("authorization", "Bearer open sesame")]);
        let carer = asker(&good, &api("carer")).expect("known");
        assert!(carer.carer(Some("home")).is_ok());
        assert!(carer.carer(Some("other")).is_err() && carer.carer(None).is_err());
        assert!(carer.exchange(Some("home")).is_err());
        let exchange = asker(&good, &api("exchange")).expect("known");
        assert!(exchange.exchange(Some("home")).is_ok() && exchange.carer(Some("home")).is_err());
        assert!(matches!(exchange.anyone(Some("home")), Ok(Actor::Person)));
        for bad in [&[][..], &[("authorization", "Bearer open sesam")], &[("host", "127.0.0.1")]] {
            assert!(matches!(asker(&headers(bad), &api("carer")), Err(ApiError::NoToken)));
        }
    }
}
