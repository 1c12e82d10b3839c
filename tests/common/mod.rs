//! What several tests need: the spoken calls, and the models.
#![allow(dead_code)]

pub mod daemon;
pub mod toy;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lineclear::call::{Leg, Utterance};
use lineclear::edge::models::{Model, Store};
use lineclear::rules::{Level, Rulebook, SHIPPED, Stage};
use lineclear::time::CallTime;
use serde::Deserialize;

/// A spoken call with its true transcript and what is expected of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SpokenCall {
    pub about: String,
    pub recording: String,
    pub expect: Expect,
    #[serde(rename = "turn")]
    pub turns: Vec<Turn>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    pub at_least: Option<String>,
    pub at_most: Option<String>,
    pub stage: Option<String>,
    pub warn_by_ms: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Turn {
    pub leg: String,
    #[allow(dead_code)]
    pub voice: String,
    pub start_ms: u64,
    pub end_ms: u64,
    pub text: String,
}

impl Turn {
    pub fn utterance(&self) -> Utterance {
        Utterance {
            leg: Leg::from_name(&self.leg).expect("a leg"),
            start: CallTime(self.start_ms),
            end: CallTime(self.end_ms),
            text: self.text.clone().into(),
            confidence: None,
            is_final: true,
        }
    }
}

impl Expect {
    pub fn at_least(&self) -> Option<Level> {
        self.at_least.as_deref().map(|name| Level::from_name(name).expect("a level"))
    }

    pub fn at_most(&self) -> Option<Level> {
        self.at_most.as_deref().map(|name| Level::from_name(name).expect("a level"))
    }

    pub fn stage(&self) -> Option<Stage> {
        self.stage.as_deref().map(|name| Stage::from_name(name).expect("a stage"))
    }
}

pub fn calls_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls")
}

/// Every spoken call, by name.
pub fn spoken_calls() -> Vec<(String, SpokenCall)> {
    let mut calls: Vec<_> = std::fs::read_dir(calls_dir())
        .expect("tests/calls")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("readable");
            let call = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            (path.file_stem().expect("a name").to_string_lossy().into_owned(), call)
        })
        .collect();
    calls.sort_by(|left: &(String, SpokenCall), right| left.0.cmp(&right.0));
    calls
}

/// The shipped rules.
pub fn rulebook() -> Rulebook {
    let sources = SHIPPED.map(|(name, text)| (name.to_owned(), text.to_owned()));
    lineclear::rules::load(&sources).unwrap_or_else(|error| panic!("{error}"))
}

/// A store with the tiny model, fetched by the program's own code where it is not there yet.
pub fn models() -> Store {
    let store = Store::open_default().expect("a data directory");
    store
        .fetch(&[Model::Runtime, Model::Voice, Model::Tiny], &mut |_| {})
        .unwrap_or_else(|error| panic!("{error}"));
    store
}

/// How a run of the program ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// The program, with no terminal and no wish about colours.
pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lineclear"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_remove("NO_COLOR").env_remove("CLICOLOR").env_remove("CLICOLOR_FORCE");
    command
}

pub fn finish(mut command: Command) -> Ran {
    let output = command.output().expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}
