//! Whether an Asterisk has what Lineclear needs of it, and what is missing.

use std::collections::BTreeSet;

use crate::alert::number::national;
use crate::alert::prompt::Prompt;
use crate::config::{Config, Hold, Line};
use crate::edge::client::Client as Daemon;
use crate::edge::models::{Model, Store};
use crate::wire::ami::Action;
use crate::wire::api::StatusView;
use crate::wire::ari::{Request, encoded};

use super::client::{Client, ClientError};
use super::manager::{Manager, ManagerError};

/// The modules without which no call is listened to, and what each is for.
pub const NEEDED: [(&str, &str); 15] = [
    ("res_ari_channels.so", "to listen to channels"),
    ("res_ari_bridges.so", "to connect what listens"),
    ("res_ari_events.so", "to hear of calls"),
    ("res_ari_asterisk.so", "to leave the dialplan a note"),
    ("res_ari_endpoints.so", "to find telephones"),
    ("res_ari_sounds.so", "to find prompts"),
    ("res_http_websocket.so", "to hear of calls"),
    ("res_stasis_snoop.so", "to listen, and to whisper"),
    ("res_stasis_playback.so", "to play warnings"),
    ("chan_audiosocket.so", "to bring the sound"),
    ("res_audiosocket.so", "to bring the sound"),
    ("app_stasis.so", "to listen to channels"),
    ("bridge_simple.so", "to connect what listens"),
    ("format_wav.so", "to read the prompts"),
    ("app_dial.so", "for the calls themselves"),
];
/// The modules that the sample of a dialplan needs.
pub const OF_THE_DIALPLAN: [(&str, &str); 14] = [
    ("func_curl.so", "to ask Lineclear whether a call may pass"),
    ("res_curl.so", "to ask Lineclear whether a call may pass"),
    ("func_uri.so", "to ask Lineclear whether a call may pass"),
    ("func_db.so", "to find the hold without Lineclear"),
    ("func_global.so", "to read what Lineclear leaves when it ends a call"),
    ("func_cut.so", "to take the answer apart"),
    ("func_strings.so", "to take the answer apart"),
    ("func_logic.so", "to take the answer apart"),
    ("func_callerid.so", "to know who rings"),
    ("app_stack.so", "for its subroutine"),
    ("app_exec.so", "for what it does only at times"),
    ("app_read.so", "to ask for the override key"),
    ("app_playback.so", "to say that the line is held"),
    ("app_playtones.so", "to say that nobody can be reached"),
];
/// What may come before an emergency call is dialled: it takes no time and stops nothing.
const HARMLESS: [&str; 3] = ["NoOp", "Verbose", "Log"];
/// People dial a prefix before numbers that are no longer; longer ones a telecare device dials.
const LONGEST_BY_HAND: usize = 5;
/// The version that this was tried with, and those that should do.
const TRIED: &str = "22.";
const UNTRIED: [&str; 2] = ["20.", "21."];

/// How it stands with one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is there.
    Fine,
    /// It works without, or cannot be seen from here.
    Note,
    /// It does not work without.
    Missing,
}

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub what: &'static str,
    /// How it stands.
    pub state: State,
    /// What is there, or what is missing and what to do.
    pub message: String,
}

/// Looks at everything. Nothing is changed but a key of AstDB, `lineclear/check`, which is deleted
/// again, and the global variable `LINECLEAR_CHECK`.
pub fn check(config: &Config, found: &mut impl FnMut(Finding)) {
    of_the_configuration(config, found);
    if !config.pbx.asterisk.is_used() {
        return;
    }
    match Client::new(&config.pbx.asterisk) {
        Ok(client) => of_ari(&client, config, found),
        Err(error) => found(missing("ari", error.to_string())),
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) if !config.pbx.asterisk.ami.is_empty() => {
            runtime.block_on(of_the_manager(config, found));
        }
        Ok(_) => found(note(
            "hold",
            "pbx.asterisk.ami is empty: while Lineclear is down, nothing is held".to_owned(),
        )),
        Err(error) => found(missing("hold", error.to_string())),
    }
}

fn of_the_configuration(config: &Config, found: &mut impl FnMut(Finding)) {
    let asterisk = &config.pbx.asterisk;
    if !asterisk.is_used() {
        let text = "there is no Asterisk in the configuration: set [pbx.asterisk] url, such as \
                    http://127.0.0.1:8088, and pass the file with --config";
        return found(missing("configuration", text.to_owned()));
    }
    if asterisk.lines.is_empty() {
        let text = "no telephone is a line's: add [[pbx.asterisk.lines]]";
        found(missing("configuration", text.to_owned()));
    }
    for own in &asterisk.lines {
        let line = config.lines.iter().find(|line| line.id == own.line);
        let agreed = line.is_some_and(|line| line.consent.is_some());
        let ends = own.telephones.iter().chain(&own.trunks).cloned().collect::<Vec<_>>();
        found(match agreed {
            true => fine("line", format!("{}: {}", own.line, ends.join(", "))),
            false => missing(
                "line",
                format!("{}: nobody's consent is configured, so it is not screened", own.line),
            ),
        });
    }
    let model = if config.speech.model == "base" { Model::Base } else { Model::Tiny };
    let models = Store::open_default().and_then(|store| {
        [Model::Runtime, Model::Voice, model].iter().try_for_each(|it| store.require(*it).map(drop))
    });
    found(match models {
        Ok(()) => fine("models", "the speech models are there".to_owned()),
        Err(error) => missing("models", error.to_string()),
    });
    let daemon: Result<StatusView, _> = Daemon::new(config).get("/v1/status");
    match daemon {
        Ok(status) => {
            let version = &status.version;
            found(fine("daemon", format!("lineclear {version} runs, {}", status.health)));
            for problem in status.problems {
                found(missing("daemon", format!("{}: {}", problem.part, problem.message)));
            }
        }
        Err(error) => found(note("daemon", error.to_string())),
    }
}

fn of_ari(client: &Client, config: &Config, found: &mut impl FnMut(Finding)) {
    modules(client, &NEEDED, State::Missing, found);
    modules(client, &OF_THE_DIALPLAN, State::Note, found);
    match version(client) {
        Ok(version) if version.starts_with(TRIED) => {
            found(fine("ari", format!("Asterisk {version}")));
        }
        Ok(version) => {
            let should_do = UNTRIED.iter().any(|known| version.starts_with(known));
            let but = if should_do { ", and should work with this one" } else { "" };
            let text = format!("Asterisk {version}: Lineclear was tried with 22 only{but}");
            found(note("ari", text));
        }
        Err(error) => return found(missing("ari", error.to_string())),
    }
    let variable = String::from("LINECLEAR_CHECK").into();
    let may_write = client.ask(&Request::SetVariable { variable, value: "1".to_owned() });
    found(match may_write {
        Ok(_) => fine("rights", "the user of ari.conf may listen and act".to_owned()),
        Err(error) => missing("rights", error.to_string()),
    });
    of_the_globals(client, config, found);
    for own in &config.pbx.asterisk.lines {
        own.telephones.iter().for_each(|it| found(endpoint(client, "telephone", it)));
        own.trunks.iter().for_each(|it| found(endpoint(client, "trunk", it)));
    }
    found(sounds(client, &config.pbx.asterisk.sounds));
}

/// What the dialplan has been told of Lineclear.
fn of_the_globals(client: &Client, config: &Config, found: &mut impl FnMut(Finding)) {
    let global = |name: &str| {
        let value = client.find(&format!("/asterisk/variable?variable={name}")).ok().flatten()?;
        let value = serde_json::from_slice::<serde_json::Value>(&value).ok()?;
        value["value"].as_str().filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let Some(gate) = global("GATE") else {
        let text = "the dialplan has no global GATE, so nothing asks Lineclear whether a call may \
                    pass: see dialplan/extensions.conf";
        return found(missing("dialplan", text.to_owned()));
    };
    let listens = format!("http://{}", config.api.listen);
    found(match gate.trim_end_matches('/') == listens {
        true => fine("dialplan", format!("it asks Lineclear at {gate}")),
        false => note("dialplan", format!("its GATE is {gate}, and [api] listens on {listens}")),
    });
    let line = global("LINE").unwrap_or_default();
    if !config.pbx.asterisk.lines.iter().any(|own| own.line == line) {
        let text = format!("its LINE is \"{line}\", which is no line of [[pbx.asterisk.lines]]");
        found(missing("dialplan", text));
    }
    let own = config.lines.iter().find(|own| own.id == line);
    let length = own.map_or(config.hold.line_clear, |own| own.hold.line_clear);
    if let Some(hold) = global("HOLD").filter(|hold| *hold != length.to_string()) {
        let text = format!("its HOLD is {hold}, and line-clear under [hold] is {length}");
        found(note("dialplan", text));
    }
    if !config.api.tokens.is_empty() && global("TOKEN").is_none() {
        let text = "there are [[api.tokens]], and the dialplan has no TOKEN: its questions are \
                    refused; make one with `lineclear token`, of the role exchange";
        found(missing("dialplan", text.to_owned()));
    }
}

fn version(client: &Client) -> Result<String, ClientError> {
    let info = client.find("/asterisk/info")?;
    let info = info.and_then(|info| serde_json::from_slice::<serde_json::Value>(&info).ok());
    let version = info.as_ref().and_then(|info| info["system"]["version"].as_str());
    let none = ClientError::Refused { what: "tell its version", status: 404 };
    version.map(str::to_owned).ok_or(none)
}

fn modules(
    client: &Client,
    wanted: &[(&str, &str)],
    state: State,
    found: &mut impl FnMut(Finding),
) {
    let mut lacks = Vec::new();
    for (module, purpose) in wanted {
        match client.find(&format!("/asterisk/modules/{module}")) {
            Ok(Some(_)) => {}
            Ok(None) => lacks.push(format!("{module} ({purpose})")),
            Err(error) => return found(missing("modules", error.to_string())),
        }
    }
    let is_needed = state == State::Missing;
    let whose = if is_needed { "what listens" } else { "the sample of a dialplan" };
    found(match lacks.as_slice() {
        [] => fine("modules", format!("all {} for {whose}", wanted.len())),
        lacks => Finding {
            what: "modules",
            state,
            message: format!(
                "{whose} needs {}: install them (Debian: asterisk-modules), and see that \
                 modules.conf loads them",
                lacks.join(", ")
            ),
        },
    });
}

fn endpoint(client: &Client, what: &'static str, name: &str) -> Finding {
    let target = name.split('/').map(|part| encoded(part).to_string()).collect::<Vec<_>>();
    match client.find(&format!("/endpoints/{}", target.join("/"))) {
        Ok(Some(_)) => fine(what, format!("{name} is there")),
        // Endpoints of some technologies are known only while they are used.
        Ok(None) if !name.starts_with("PJSIP/") => {
            note(what, format!("{name}: Asterisk lists no endpoint of this name"))
        }
        Ok(None) => missing(
            what,
            format!(
                "{name}: there is no such endpoint: see `asterisk -rx \"pjsip show endpoints\"`"
            ),
        ),
        Err(error) => missing(what, error.to_string()),
    }
}

fn sounds(client: &Client, folder: &str) -> Finding {
    let all = Prompt::all();
    let is_lacking = |prompt: &&Prompt| {
        let name = format!("{folder}/{}", prompt.name());
        !matches!(client.find(&format!("/sounds/{}", encoded(&name))), Ok(Some(_)))
    };
    let lacks: Vec<_> = all.iter().filter(is_lacking).map(Prompt::name).collect();
    match lacks.as_slice() {
        [] => fine("prompts", format!("all {} are among Asterisk's sounds", all.len())),
        [first, ..] => missing(
            "prompts",
            format!(
                "{} of {} are missing among Asterisk's sounds, such as {folder}/{first}: copy \
                 config/prompts/8k/*.wav to sounds/en/{folder} in /usr/share/asterisk, or in \
                 /var/lib/asterisk where it was built from source",
                lacks.len(),
                all.len()
            ),
        ),
    }
}

async fn of_the_manager(config: &Config, found: &mut impl FnMut(Finding)) {
    let asterisk = &config.pbx.asterisk;
    let mut manager = match Manager::connect(asterisk).await {
        Ok(manager) => manager,
        Err(error) => return found(missing("hold", error.to_string())),
    };
    found(match kept(&mut manager).await {
        Ok(()) => fine("hold", "it can be kept in Asterisk's database".to_owned()),
        Err(error) => missing(
            "hold",
            format!("{error}: give the user of manager.conf write = system,reporting"),
        ),
    });
    for (context, purpose) in [
        ("after-drop", "nobody is told anything after a call was ended"),
        ("lineclear", "nothing asks Lineclear whether a call may pass"),
    ] {
        found(match manager.dialplan(context, None).await {
            Ok(_) => fine("dialplan", format!("[{context}] is there")),
            Err(error) if is_not_found(&error) => note(
                "dialplan",
                format!(
                    "there is no [{context}]: unless yours has another name, {purpose} (see \
                     dialplan/extensions.conf)"
                ),
            ),
            Err(error) => unseen(error),
        });
    }
    for number in emergency_numbers(config) {
        found(emergency(&number, manager.dialplan("protected", Some(&number)).await));
    }
}

/// All that people may dial in an emergency, on any line that Asterisk has.
fn emergency_numbers(config: &Config) -> BTreeSet<String> {
    let is_there = |line: &&Line| config.pbx.asterisk.lines.iter().any(|own| own.line == line.id);
    let holds = config.lines.iter().filter(is_there).map(|line| &line.hold);
    let of_a_line = |hold: &Hold| {
        let behind = |number: &String| {
            let number = national(number);
            let by_hand = number.len() <= LONGEST_BY_HAND;
            let prefixes = hold.prefixes.iter().filter(|_| by_hand);
            let mut all: Vec<_> = prefixes.map(|prefix| format!("{prefix}{number}")).collect();
            all.push(number);
            all
        };
        hold.emergency.iter().flat_map(behind).collect::<Vec<_>>()
    };
    holds.flat_map(of_a_line).collect()
}

fn emergency(number: &str, first: Result<String, ManagerError>) -> Finding {
    match first.as_deref() {
        Ok("Dial") => fine("emergency", format!("{number} is dialled at once")),
        Ok(other) if HARMLESS.contains(&other) => note(
            "emergency",
            format!("{number} begins with {other}() in [protected]: see that nothing waits there"),
        ),
        // A number that nobody put there is found among all others, which the gate may hold.
        Ok(other) => missing(
            "emergency",
            format!(
                "{number} begins with {other}() in [protected], and may be held or wait there: put \
                 `exten => {number},1,Dial(PJSIP/{number}@${{TRUNK}})` into [emergency], and see \
                 that [protected] includes that first"
            ),
        ),
        Err(ManagerError::Refused { problem, .. }) if problem.contains("context") => note(
            "emergency",
            format!("there is no [protected]: see in your own that nothing can stop {number}"),
        ),
        Err(error) if is_not_found(error) => {
            missing("emergency", format!("{number} is not in [protected]: it cannot be dialled"))
        }
        Err(error) => note("emergency", format!("{number} was not looked at: {error}")),
    }
}

fn is_not_found(error: &ManagerError) -> bool {
    matches!(error, ManagerError::Refused { problem, .. } if problem.starts_with("Did not find"))
}

fn unseen(error: ManagerError) -> Finding {
    let text = format!("not looked at: {error}: that takes write = system,reporting");
    note("dialplan", text)
}

/// A key is written, and deleted again.
async fn kept(manager: &mut Manager) -> Result<(), ManagerError> {
    let put = |id| Action::db_put(id, "lineclear", "check", "1");
    manager.ask("write into its database", put).await?;
    let delete = |id| Action::db_del(id, "lineclear", "check");
    manager.ask("delete from its database", delete).await
}

const fn finding(what: &'static str, state: State, message: String) -> Finding {
    Finding { what, state, message }
}

const fn fine(what: &'static str, message: String) -> Finding {
    finding(what, State::Fine, message)
}

const fn note(what: &'static str, message: String) -> Finding {
    finding(what, State::Note, message)
}

const fn missing(what: &'static str, message: String) -> Finding {
    finding(what, State::Missing, message)
}
