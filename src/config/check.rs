//! What a configuration must hold, beyond its syntax.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::levels::Levels;
use super::lines::{Hold, Line, Person, Warn};
use super::service::{Feed, Token};
use super::settings::{Config, ConfigError};

type Checked = Result<(), ConfigError>;

pub(super) fn check(config: &Config) -> Checked {
    levels("levels", &config.levels)?;
    warn("warn", &config.warn)?;
    hold("hold", &config.hold)?;
    people(&config.people)?;
    lines(config)?;
    let minutes = config.recordings.max_minutes;
    let ok = (1..=1440).contains(&minutes);
    bound("recordings.max-minutes", minutes, ok, "it must be from 1 to 1440 minutes")?;
    let hours = config.outbox.give_up;
    let ok = (1..=168).contains(&hours);
    bound("outbox.give-up", hours, ok, "it must be from an hour to a week (168)")?;
    let days = config.store.retention;
    bound("store.retention", days, (1..=366).contains(&days), "it must be from 1 to 366 days")?;
    api(config)?;
    feed(&config.feed)?;
    asterisk(config)?;
    let folder = &config.folder;
    let ok = folder.path.as_os_str().is_empty() || line_ids(config).contains(&folder.line.as_str());
    bound("folder.line", format!("{:?}", folder.line), ok, "name one of the lines")
}

fn levels(at: &str, levels: &Levels) -> Checked {
    let bound = |key: &str, value: f64, ok: bool, text: &str| {
        bound(&format!("{at}.{key}"), value, ok, text)
    };
    let (caution, warning, danger) = (levels.caution, levels.warning, levels.danger);
    let ok = caution > 0.0 && caution <= 100.0;
    bound("caution", caution, ok, "it must be above 0 and at most 100 decibans")?;
    let ok = (caution..=100.0).contains(&warning);
    let text = "it must not be less than levels.caution, and at most 100 decibans";
    bound("warning", warning, ok, text)?;
    let ok = (warning..=100.0).contains(&danger);
    let text = "it must not be less than levels.warning, and at most 100 decibans";
    bound("danger", danger, ok, text)?;
    let ok = (0.0..=20.0).contains(&levels.hysteresis);
    bound("hysteresis", levels.hysteresis, ok, "it must be from 0 to 20 decibans")?;
    let ok = (-30.0..=0.0).contains(&levels.known_contact);
    let text = "it must be from -30 to 0 decibans: caller ID can be forged";
    bound("known-contact", levels.known_contact, ok, text)?;
    let ok = (-30.0..=0.0).contains(&levels.outgoing);
    bound("outgoing", levels.outgoing, ok, "it must be from -30 to 0 decibans")?;
    let ok = (0.0..=20.0).contains(&levels.after_suspicious);
    bound("after-suspicious", levels.after_suspicious, ok, "it must be from 0 to 20 decibans")
}

fn warn(at: &str, warn: &Warn) -> Checked {
    let ok = (5..=3600).contains(&warn.cooldown);
    let text = "it must be from 5 seconds to an hour";
    bound(&format!("{at}.cooldown"), warn.cooldown, ok, text)
}

fn hold(at: &str, hold: &Hold) -> Checked {
    let ok = (10..=3600).contains(&hold.line_clear);
    let text = "it must be from 10 seconds to an hour";
    bound(&format!("{at}.line-clear"), hold.line_clear, ok, text)?;
    let ok = (1..=1440).contains(&hold.after_emergency);
    let text = "it must be from 1 minute to a day (1440)";
    bound(&format!("{at}.after-emergency"), hold.after_emergency, ok, text)?;
    let has = |list: &[String], needed: &[&str]| {
        needed.iter().all(|number| list.iter().any(|it| it == number))
    };
    let text = "141 and 1470 must be among them: people dial them before 999 too";
    let ok = has(&hold.prefixes, &["141", "1470"]);
    bound(&format!("{at}.prefixes"), format!("{:?}", hold.prefixes), ok, text)?;
    let ok = has(&hold.emergency, &["999", "112", "18000"]);
    let text = "999, 112 and 18000 must be among them";
    bound(&format!("{at}.emergency"), format!("{:?}", hold.emergency), ok, text)?;
    let is_key = |sign: char| sign.is_ascii_digit() || "*#+ ".contains(sign);
    let is_number = |number: &&String| number.chars().all(is_key) && number.len() >= 2;
    let numbers = || hold.emergency.iter().chain(&hold.prefixes);
    if let Some(number) = numbers().find(|number| !is_number(number)) {
        let text = "write what is dialled: digits, * and #";
        return bound(&format!("{at}.emergency or {at}.prefixes"), number, false, text);
    }
    let is_heard = |sign: char| sign.is_ascii_digit() || sign == '*';
    let ok = hold.override_key.len() == 1 && hold.override_key.chars().all(is_heard);
    let text = "it must be one key of a telephone, 0 to 9 or *: # ends what is keyed";
    bound(&format!("{at}.override-key"), format!("{:?}", hold.override_key), ok, text)
}

fn people(people: &[Person]) -> Checked {
    let mut seen = BTreeSet::new();
    for person in people {
        id("people", &person.id, &mut seen)?;
    }
    Ok(())
}

fn lines(config: &Config) -> Checked {
    let mut seen = BTreeSet::new();
    for line in &config.lines {
        id("lines", &line.id, &mut seen)?;
        let at = format!("lines.{}", line.id);
        levels(&format!("{at}.levels"), &line.levels)?;
        warn(&format!("{at}.warn"), &line.warn)?;
        hold(&format!("{at}.hold"), &line.hold)?;
        line_people(config, line)?;
    }
    Ok(())
}

fn line_people(config: &Config, line: &Line) -> Checked {
    let known: Vec<_> = config.people.iter().map(|person| person.id.as_str()).collect();
    let unknown = line.people.iter().find(|id| !known.contains(&id.as_str()));
    let text = match known.as_slice() {
        [] => "nobody has this id: add a [[people]] table".to_owned(),
        known => format!("nobody has this id: there are {}", known.join(", ")),
    };
    let value = unknown.map(|id| format!("{id:?}")).unwrap_or_default();
    bound(&format!("lines.{}.people", line.id), value, unknown.is_none(), &text)?;
    let Some(consent) = &line.consent else { return Ok(()) };
    let ok = !consent.by.trim().is_empty() && is_day(&consent.on);
    let text = "say who agreed, and on which day: { by = \"Jean Hill\", on = \"2026-11-22\" }";
    bound(&format!("lines.{}.consent", line.id), format!("{:?}", consent.on), ok, text)
}

/// Ids are parts of addresses and of file names.
fn id<'a>(table: &str, id: &'a str, seen: &mut BTreeSet<&'a str>) -> Checked {
    let is_sign = |sign: char| sign.is_ascii_alphanumeric() || sign == '-' || sign == '_';
    let ok = (1..=64).contains(&id.len()) && id.chars().all(is_sign);
    let key = format!("{table}.{id}.id");
    bound(&key, format!("{id:?}"), ok, "it must be 1 to 64 letters, digits and hyphens")?;
    bound(&key, format!("{id:?}"), seen.insert(id), "two have this id: give each its own")
}

fn is_day(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    parts.iter().map(|part| part.len()).eq([4, 2, 2]) && parts.iter().all(|part| digits(part))
}

fn api(config: &Config) -> Checked {
    let api = &config.api;
    tokens(&api.tokens, &line_ids(config))?;
    let ok = api.listen.ip().is_loopback() || !api.tokens.is_empty();
    let text = "others could ask and end holds there: listen on 127.0.0.1, or make a token with \
                `lineclear token` and add it to [[api.tokens]]";
    bound("api.listen", api.listen, ok, text)
}

fn tokens(tokens: &[Token], known: &[&str]) -> Checked {
    let (mut names, mut hashes) = (BTreeSet::new(), BTreeSet::new());
    for Token { name, sha256, lines, .. } in tokens {
        let at = format!("api.tokens.{name}");
        let ok = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        let text = "it must be 64 hexadecimal digits, as `lineclear token` prints them";
        bound(&format!("{at}.sha256"), format!("{sha256:?}"), ok, text)?;
        let ok = names.insert(name);
        let text = "two have this name, and the audit log could not tell who it was";
        bound(&format!("{at}.name"), format!("{name:?}"), ok, text)?;
        let ok = hashes.insert(sha256.to_ascii_lowercase());
        let text = "two have this token: make each its own with `lineclear token`";
        bound(&format!("{at}.sha256"), format!("{sha256:?}"), ok, text)?;
        let Some(lines) = lines else { continue };
        let is_known = |line: &String| known.contains(&line.as_str());
        // If none were all, striking the last one would give away all the others.
        let ok = !lines.is_empty() && lines.iter().all(is_known);
        let text = "name lines of [[lines]], or leave the key out for all lines";
        bound(&format!("{at}.lines"), format!("{lines:?}"), ok, text)?;
    }
    Ok(())
}

fn feed(feed: &Feed) -> Checked {
    let address = feed.tcp.parse::<SocketAddr>();
    let ok = feed.tcp.is_empty() || address.is_ok_and(|address| address.ip().is_loopback());
    let text = "transcripts come without a token there: it must be a loopback address such as \
                127.0.0.1:7451, or empty";
    bound("feed.tcp", format!("{:?}", feed.tcp), ok, text)?;
    let ok = (10..=7200).contains(&feed.idle);
    bound("feed.idle", feed.idle, ok, "it must be from 10 seconds to two hours")?;
    let ok = (1..=100_000).contains(&feed.max_calls);
    bound("feed.max-calls", feed.max_calls, ok, "it must be from 1 to 100000")
}

fn asterisk(config: &Config) -> Checked {
    let speech = &config.speech;
    let ok = ["tiny", "base"].contains(&speech.model.as_str());
    bound("speech.model", format!("{:?}", speech.model), ok, "it must be tiny or base")?;
    let ok = (1..=64).contains(&speech.threads);
    bound("speech.threads", speech.threads, ok, "it must be from 1 to 64")?;
    let asterisk = &config.pbx.asterisk;
    let bound = |key: &str, value: &str, ok: bool, text: &str| {
        bound(&format!("pbx.asterisk.{key}"), format!("{value:?}"), ok, text)
    };
    // Passwords and what is said go over it as they are.
    let text = "it must be on this machine, such as http://127.0.0.1:8088, or empty";
    bound("url", &asterisk.url, asterisk.url.is_empty() || is_here(&asterisk.url), text)?;
    let ami = asterisk.ami.parse::<SocketAddr>();
    let ok = asterisk.ami.is_empty() || ami.is_ok_and(|address| address.ip().is_loopback());
    bound("ami", &asterisk.ami, ok, "it must be on this machine: 127.0.0.1:5038, or empty")?;
    let ok = asterisk.audio.ip().is_loopback();
    let text = "what is said comes as it is: it must be a loopback address such as 127.0.0.1:9092";
    bound("audio", &asterisk.audio.to_string(), ok, text)?;
    // The dialplan takes these signs, and no others, from an answer.
    let is_sign =
        |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || "-/".contains(sign);
    let ok = !asterisk.sounds.is_empty() && asterisk.sounds.chars().all(is_sign);
    bound("sounds", &asterisk.sounds, ok, "it must be small letters, digits, - and /")?;
    let keys = &asterisk.end_call_key;
    let ok = keys.len() <= 8 && keys.chars().all(|key| key.is_ascii_digit() || "*#".contains(key));
    bound("end-call-key", keys, ok, "it must be keys of a telephone, at most 8")?;
    let mut seen = BTreeSet::new();
    for own in &asterisk.lines {
        let ok = line_ids(config).contains(&own.line.as_str());
        bound("lines", &own.line, ok, "no line has this id: name one of [[lines]]")?;
        let ends = || own.telephones.iter().chain(&own.trunks);
        let text = "name its telephones or trunks, such as \"PJSIP/elder\"";
        bound("lines", &own.line, ends().next().is_some(), text)?;
        let wrong = ends().find(|end| !end.contains('/') || !seen.insert(end.as_str()));
        let text = "write technology/endpoint, such as \"PJSIP/elder\", and each but once";
        bound("lines", wrong.map_or("", |end| end), wrong.is_none(), text)?;
    }
    Ok(())
}

/// Whether a URL is `http` on this machine.
fn is_here(url: &str) -> bool {
    let Some(host) = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/')) else {
        return false;
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    let is_address = |it: SocketAddr| it.ip().is_loopback();
    host.strip_prefix("localhost:").is_some_and(is_port) || host.parse().is_ok_and(is_address)
}

fn line_ids(config: &Config) -> Vec<&str> {
    config.lines.iter().map(|line| line.id.as_str()).collect()
}

fn bound(key: &str, value: impl ToString, holds: bool, bound: &str) -> Checked {
    if holds {
        return Ok(());
    }
    let (key, value, bound) = (key.to_owned(), value.to_string(), bound.to_owned());
    Err(ConfigError::Value { key, value, bound })
}
