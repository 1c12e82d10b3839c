//! `lineclear schema`: the JSON Schemas of what is read and written.

use std::io::Write;

use clap::{Args, ValueEnum};

use super::status::{CliError, Status};
use crate::rules::pack::Pack;
use crate::wire::event::Event;
use crate::wire::explanation::Explanation;
use crate::wire::feed::{FeedLine, Told};
use crate::wire::notice::Notice;
use crate::wire::transcript::AnyLine;

/// Which schema.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// What to describe
    what: What,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    /// A line of a JSON transcript, as `screen` reads it
    Transcript,
    /// An event, as `screen --json` writes it
    Events,
    /// A call, as `explain --json` writes it
    Explanation,
    /// A rule pack, for editors
    Pack,
    /// What the chosen people are told
    Notice,
    /// A line of the feed that is no utterance
    Feed,
    /// What the source of a call is told
    Told,
    /// The HTTP interface, as an OpenAPI document
    Openapi,
}

pub(super) fn run(options: &Options) -> Result<Status, CliError> {
    let schema = match options.what {
        What::Transcript => schemars::schema_for!(AnyLine),
        What::Events => schemars::schema_for!(Event),
        What::Explanation => schemars::schema_for!(Explanation),
        What::Pack => schemars::schema_for!(Pack),
        What::Notice => schemars::schema_for!(Notice),
        What::Feed => schemars::schema_for!(FeedLine),
        What::Told => schemars::schema_for!(Told),
        What::Openapi => return print(&crate::edge::web::openapi()),
    };
    print(&schema)
}

fn print(schema: &impl serde::Serialize) -> Result<Status, CliError> {
    let text = serde_json::to_string_pretty(schema).map_err(std::io::Error::from)?;
    writeln!(std::io::stdout(), "{text}")?;
    Ok(Status::OK)
}
