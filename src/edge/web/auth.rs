//! Who asks, and what they may do.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
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
    /// All lines if none.
    lines: Option<Vec<String>>,
    /// What is kept of their token; none for whoever is on the machine.
    sha256: Option<String>,
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

    /// Whether they may feed calls at all: on which lines is looked at call by call.
    ///
    /// # Errors
    /// When they may not.
    pub fn feeds(&self) -> Result<(), ApiError> {
        let may = matches!(self.role, Role::Exchange | Role::Operator);
        may.then_some(()).ok_or_else(|| ApiError::Forbidden(self.name.clone()))
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
        self.lines.as_ref().is_none_or(|lines| lines.iter().any(|own| own == line))
    }

    /// The only lines that they may see; none if they see all.
    pub fn lines(&self) -> Option<&[String]> {
        self.lines.as_deref()
    }

    /// Whether they would still be let in, to do the same: a token may be taken back.
    pub fn may_go_on(&self, api: &Api) -> bool {
        let Some(sha256) = &self.sha256 else { return api.tokens.is_empty() };
        let same = |token: &Token| token.role == self.role && token.lines == self.lines;
        api.tokens.iter().any(|token| token.sha256.eq_ignore_ascii_case(sha256) && same(token))
    }

    fn may(&self, role: bool, line: Option<&str>) -> Result<(), ApiError> {
        let sees = line.map_or(self.lines.is_none(), |line| self.sees(line));
        if role && sees { Ok(()) } else { Err(ApiError::Forbidden(self.name.clone())) }
    }
}

impl FromRequestParts<Arc<State>> for Asker {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<State>,
    ) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|ConnectInfo(peer)| peer.ip());
        asker(peer, &parts.headers, &state.config().api)
    }
}

/// Who sent these headers from there. Without any token in the configuration, whoever is on the
/// machine is the operator; but not a web page that a browser on it shows. The configuration has
/// tokens if the address is not loopback, but what is listened on changes at the next start only.
fn asker(peer: Option<IpAddr>, headers: &HeaderMap, api: &Api) -> Result<Asker, ApiError> {
    if api.tokens.is_empty() {
        let (name, role) = ("local".to_owned(), Role::Operator);
        let local = Asker { name, role, lines: None, sha256: None };
        let is_near = peer.is_some_and(|peer| peer.to_canonical().is_loopback());
        let is_local = is_near && names_this_machine(headers) && !is_of_a_page(headers);
        return is_local.then_some(local).ok_or(ApiError::NoToken);
    }
    let token = text(headers, "authorization").and_then(|value| value.strip_prefix("Bearer "));
    let digest = token::digest(token.ok_or(ApiError::NoToken)?.trim());
    let is_it = |known: &&Token| {
        bool::from(known.sha256.to_ascii_lowercase().as_bytes().ct_eq(digest.as_bytes()))
    };
    let known = api.tokens.iter().find(is_it).ok_or(ApiError::NoToken)?;
    let (name, role, lines) = (known.name.clone(), known.role, known.lines.clone());
    Ok(Asker { name, role, lines, sha256: Some(digest) })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A page that rebinds its own name to loopback still sends that name.
fn names_this_machine(headers: &HeaderMap) -> bool {
    let host = text(headers, "host").unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Pages say where they are from when they ask across origins, but not for pictures and links.
/// Then the browser says so (`Sec-Fetch-…`, W3C Fetch Metadata), and an old one says which page
/// it was. Questions have consequences, so that must not be enough to ask the gate.
fn is_of_a_page(headers: &HeaderMap) -> bool {
    let is = |name: &str, values: &[&str]| {
        headers.get(name).map(|value| values.iter().any(|known| value == known))
    };
    let is_elsewhere = is("sec-fetch-site", &["none", "same-origin"]) == Some(false);
    let is_no_program = is("sec-fetch-mode", &["no-cors", "navigate"]) == Some(true);
    let is_referred = headers.contains_key(header::REFERER)
        && text(headers, "referer").and_then(authority) != text(headers, "host");
    headers.contains_key(header::ORIGIN) || is_elsewhere || is_no_program || is_referred
}

/// The host and the port of an address.
fn authority(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    rest.split(['/', '?', '#']).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn api(role: &str) -> Api {
        let sha256 = token::digest("open sesame");
        let text = format!(
            "[[api.tokens]]\nname = \"anna\"\nrole = \"{role}\"\nsha256 = \"{sha256}\"\n\
             lines = [\"home\"]\n[[lines]]\nid = \"home\"\nname = \"Mum\""
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

    fn near() -> Option<IpAddr> {
        Some(std::net::Ipv4Addr::LOCALHOST.into())
    }

    #[test]
    fn without_tokens_only_this_machine_asks() {
        let api = Config::parse("").expect("defaults").api;
        let asks = |list| asker(near(), &headers(list), &api).is_ok();
        assert!(asks(&[("host", "127.0.0.1:7450")]) && asks(&[("host", "localhost")]));
        assert!(asks(&[("host", "[::1]:7450")]));
        assert!(!asks(&[("host", "evil.example:7450")]), "a name that was rebound");
        assert!(!asks(&[("host", "127.0.0.1"), ("origin", "https://evil.example")]));
        assert!(!asks(&[]));
        // Whoever asks from elsewhere may write any name: the tokens may have been taken out while
        // the program still listens there.
        let host = headers(&[("host", "localhost")]);
        for (peer, may) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("192.0.2.7", false),
            ("::ffff:192.0.2.7", false),
            ("2001:db8::1", false),
        ] {
            let peer: IpAddr = peer.parse().expect("an address");
            assert_eq!(asker(Some(peer), &host, &api).is_ok(), may, "{peer}");
        }
        assert!(asker(None, &host, &api).is_err());
    }

    #[test]
    fn pages_in_a_browser_are_not_the_operator() {
        let api = Config::parse("").expect("defaults").api;
        let host = ("host", "127.0.0.1:7450");
        let asks =
            |list: &[_]| asker(near(), &headers(&[&[host][..], list].concat()), &api).is_ok();
        for page in [
            [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
            [("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")],
            [("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")],
            [("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "no-cors")],
            [("accept", "image/*"), ("referer", "https://evil.example/page")],
            [("accept", "image/*"), ("referer", "http://127.0.0.1:8080/")],
            [("accept", "image/*"), ("referer", "nonsense")],
        ] {
            assert!(!asks(&page), "{page:?}");
        }
        assert!(asks(&[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")]));
        assert!(asks(&[("referer", "http://127.0.0.1:7450/v1/status")]));
    }

    #[test]
    fn a_token_that_was_taken_back_or_changed_goes_on_no_more() {
        let good = headers(&[("authorization", "Bearer open sesame")]);
        let before = api("exchange");
        let asker = |api: &Api| asker(near(), &good, api).expect("known");
        let exchange = asker(&before);
        assert!(exchange.may_go_on(&before));
        assert!(!exchange.may_go_on(&api("carer")));
        assert!(!exchange.may_go_on(&Config::parse("").expect("defaults").api));
        let mut wider = before.clone();
        wider.tokens[0].lines = None;
        assert!(!exchange.may_go_on(&wider) && asker(&wider).may_go_on(&wider));
    }

    #[test]
    fn a_token_opens_what_its_role_and_lines_allow() {
        let good = headers(&[("authorization", "Bearer open sesame")]);
        let carer = asker(None, &good, &api("carer")).expect("known");
        assert!(carer.carer(Some("home")).is_ok());
        assert!(carer.carer(Some("other")).is_err() && carer.carer(None).is_err());
        assert!(carer.exchange(Some("home")).is_err());
        let exchange = asker(None, &good, &api("exchange")).expect("known");
        assert!(exchange.exchange(Some("home")).is_ok() && exchange.carer(Some("home")).is_err());
        assert!(matches!(exchange.anyone(Some("home")), Ok(Actor::Person)));
        for bad in [&[][..], &[("authorization", "Bearer open sesam")], &[("host", "127.0.0.1")]] {
            assert!(matches!(asker(near(), &headers(bad), &api("carer")), Err(ApiError::NoToken)));
        }
    }
}
