//! Whether an Asterisk has what Lineclear needs of it, and what is missing.

use crate::alert::prompt::Prompt;
use crate::config::Config;
use crate::edge::client::Client as Daemon;
use crate::edge::models::{Model, Store};
use crate::wire::ami::Action;
use crate::wire::api::StatusView;
use crate::wire::ari::{Request, encoded};

use super::client::{Client, ClientError};
use super::manager::{Manager, ManagerError};

/// The modules without which no call is listened to, and what each is for.
const NEEDED: [(&str, &str); 12] = [
    ("res_ari_channels.so", "to listen to channels"),
    ("res_ari_bridges.so", "to connect what listens"),
    ("res_ari_events.so", "to hear of calls"),
    ("res_ari_asterisk.so", "to leave the dialplan a note"),
    ("res_http_websocket.so", "to hear of calls"),
    ("res_stasis_snoop.so", "to listen, and to whisper"),
    ("res_stasis_playback.so", "to play warnings"),
    ("chan_audiosocket.so", "to bring the sound"),
    ("res_audiosocket.so", "to bring the sound"),
    ("app_stasis.so", "to listen to channels"),
    ("format_wav.so", "to read the prompts"),
    ("app_dial.so", "for the calls themselves"),
];
/// The modules that the sample of a dialplan needs.
const OF_THE_DIALPLAN: [(&str, &str); 6] = [
    ("func_curl.so", "to ask Lineclear whether a call may pass"),
    ("func_db.so", "to find the hold without Lineclear"),
    ("func_shared.so", "to read what Lineclear leaves when it ends a call"),
    ("func_cut.so", "to take the answer apart"),
    ("app_read.so", "to ask for the override key"),
    ("app_playback.so", "to say that the line is held"),
];
/// The versions that this was tried with.
const VERSIONS: [&str; 3] = ["20.", "21.", "22."];

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
    found(match daemon {
        Ok(status) => {
            fine("daemon", format!("lineclear {} runs, {}", status.version, status.health))
        }
        Err(error) => note("daemon", error.to_string()),
    });
}

fn of_ari(client: &Client, config: &Config, found: &mut impl FnMut(Finding)) {
    match version(client) {
        Ok(version) if VERSIONS.iter().any(|known| version.starts_with(known)) => {
            found(fine("ari", format!("Asterisk {version}")));
        }
        Ok(version) => {
            let text = format!("Asterisk {version}: Lineclear was tried with 20 to 22");
            found(note("ari", text));
        }
        Err(error) => return found(missing("ari", error.to_string())),
    }
    let variable = String::from("LINECLEAR_CHECK").into();
    let may_write = client.ask(&Request::SetVariable { variable, value: "1".to_owned() });
    found(match may_write {
        Ok(_) => fine("rights", "the user of ari.conf may listen and act".to_owned()),
        Err(_) => missing(
            "rights",
            "the user of ari.conf may only read: set read_only = no in its section".to_owned(),
        ),
    });
    modules(client, &NEEDED, State::Missing, found);
    modules(client, &OF_THE_DIALPLAN, State::Note, found);
    for own in &config.pbx.asterisk.lines {
        for telephone in own.telephones.iter().chain(&own.trunks) {
            found(endpoint(client, telephone));
        }
    }
    found(sounds(client, &config.pbx.asterisk.sounds));
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
                "{whose} needs {}: `asterisk -rx \"module load NAME\"`, and modules.conf",
                lacks.join(", ")
            ),
        },
    });
}

fn endpoint(client: &Client, name: &str) -> Finding {
    let target = name.split('/').map(|part| encoded(part).to_string()).collect::<Vec<_>>();
    match client.find(&format!("/endpoints/{}", target.join("/"))) {
        Ok(Some(_)) => fine("telephone", format!("{name} is there")),
        // Endpoints of some technologies are known only while they are used.
        Ok(None) if !name.starts_with("PJSIP/") => {
            note("telephone", format!("{name}: Asterisk lists no endpoint of this name"))
        }
        Ok(None) => missing(
            "telephone",
            format!(
                "{name}: there is no such endpoint: see `asterisk -rx \"pjsip show endpoints\"`"
            ),
        ),
        Err(error) => missing("telephone", error.to_string()),
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
                 config/prompts/8k to that folder, then `asterisk -rx \"module reload\"`",
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
        let shown = manager.dialplan(context, None).await;
        found(match shown {
            Ok(_) => fine("dialplan", format!("[{context}] is there")),
            Err(ManagerError::Refused { .. }) => note(
                "dialplan",
                format!("there is no [{context}], so {purpose}: see dialplan/extensions.conf"),
            ),
            Err(error) => missing("dialplan", error.to_string()),
        });
    }
    for number in config.hold.emergency.iter() {
        let first = manager.dialplan("protected", Some(number)).await;
        found(match first.as_deref() {
            Ok("Dial") => fine("dialplan", format!("{number} is dialled at once")),
            Ok(other) => missing(
                "dialplan",
                format!(
                    "{number} begins with {other}() in [protected]: it must be dialled at once"
                ),
            ),
            Err(ManagerError::Refused { .. }) => note(
                "dialplan",
                format!("{number} is not in a context [protected]: see that nothing can stop it"),
            ),
            Err(error) => missing("dialplan", error.to_string()),
        });
    }
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
