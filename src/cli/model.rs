//! `lineclear model`: fetch, list and verify the models.

use std::io::Write;

use clap::Subcommand;

use super::paint::{self, styled};
use super::progress;
use super::status::{CliError, Status};
use crate::edge::models::{Model, Status as ModelStatus, Store};

/// What to do with the models.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Download a speech model with the runtime and the voice model it needs
    ///
    /// Packages are downloaded with pip (python3 -m pip), pinned by version and SHA-256. base is
    /// converted from its published form in a Python virtual environment of its own, which needs
    /// Python 3.11, 1.4 GB of memory and a minute or two.
    Fetch {
        /// tiny (for a gateway) or base (for a server)
        #[arg(default_value = "tiny")]
        model: Model,
    },
    /// Show every model file with its version, licence and state
    List {
        /// One JSON object a file
        #[arg(long)]
        json: bool,
    },
    /// Compare the SHA-256 of every file with the manifest
    Verify {
        /// One model; all that are there if left out
        model: Option<Model>,
    },
}

/// What `model list --json` writes, one a line.
#[derive(Debug, serde::Serialize)]
struct Listed<'a> {
    model: &'static str,
    package: &'a str,
    version: &'a str,
    licence: &'a str,
    file: String,
    sha256: &'a str,
    bytes: u64,
    present: bool,
}

pub(super) fn run(action: &Action) -> Result<Status, CliError> {
    let store = Store::open_default()?;
    match action {
        Action::Fetch { model } => {
            progress::fetch(&store, &[Model::Runtime, Model::Voice, *model])?;
            say(&format!("{model} is ready in {}", store.dir().display()))?;
        }
        Action::List { json } => list(&store, *json)?,
        Action::Verify { model } => return verify(&store, *model),
    }
    Ok(Status::OK)
}

fn list(store: &Store, json: bool) -> Result<(), CliError> {
    if !json {
        say(&format!("models in {}", store.dir().display()))?;
    }
    for model in Model::ALL {
        let wheel = store.wheel(model)?;
        let missing = match store.status(model) {
            ModelStatus::Present => Vec::new(),
            ModelStatus::Missing { files } => files,
        };
        for file in wheel.installed() {
            let path = store.model_dir(model).join(&file.name);
            let present = !missing.contains(&file.name);
            let row = Listed {
                model: model.name(),
                package: &wheel.package,
                version: &wheel.version,
                licence: &wheel.licence,
                file: path.display().to_string(),
                sha256: &file.sha256,
                bytes: file.size,
                present,
            };
            if json {
                say(&serde_json::to_string(&row).map_err(std::io::Error::from)?)?;
            } else {
                let state = if present { "present" } else { "missing" };
                let (package, version) = (&wheel.package, &wheel.version);
                let megabytes = file.size as f64 / 1e6;
                say(&format!(
                    "{:8} {:26} {megabytes:6.1} MB  {state:8} {package} {version}, {}",
                    model.name(),
                    file.name,
                    wheel.licence
                ))?;
            }
        }
    }
    Ok(())
}

fn verify(store: &Store, model: Option<Model>) -> Result<Status, CliError> {
    let mut status = Status::OK;
    let models = match model {
        Some(model) => vec![model],
        None => Model::ALL.into_iter().filter(|model| store.require(*model).is_ok()).collect(),
    };
    if models.is_empty() {
        say("no model is there: fetch one with `lineclear model fetch tiny`")?;
        status.failed = true;
    }
    for model in models {
        match store.verify(model) {
            Ok(()) => say(&format!("{:8} every file is as the manifest says", model.name()))?,
            Err(error) => {
                paint::complain(&error);
                status.failed = true;
            }
        }
    }
    Ok(status)
}

fn say(text: &str) -> Result<(), CliError> {
    Ok(writeln!(anstream::stdout(), "{}", styled(anstyle::Style::new(), text))?)
}
