//! `lineclear token`: a secret for somebody who may use the HTTP interface.

use clap::{Args, ValueEnum};

use super::paint::say;
use super::status::{CliError, Status};
use crate::edge::token;

/// For whom.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Who gets it: the audit log names them
    name: String,
    /// What they may do
    #[arg(long, default_value = "carer")]
    role: RoleName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleName {
    /// Feed calls and ask the gate
    Exchange,
    /// See lines and incidents, end and extend holds
    Carer,
    /// Everything
    Operator,
}

pub(super) fn run(options: &Options) -> Result<Status, CliError> {
    let (token, sha256) = token::new().map_err(CliError::Output)?;
    let role = match options.role {
        RoleName::Exchange => "exchange",
        RoleName::Carer => "carer",
        RoleName::Operator => "operator",
    };
    say(&format!("Give {} this token; it is not kept and not shown again:\n", options.name))?;
    say(&format!("  {token}\n"))?;
    say("Add this to the configuration, and send the daemon SIGHUP:\n")?;
    let name = options.name.replace(['"', '\\', '\n'], "");
    say(&format!("[[api.tokens]]\nname = \"{name}\"\nrole = \"{role}\"\nsha256 = \"{sha256}\""))?;
    Ok(Status::OK)
}
