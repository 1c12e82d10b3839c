//! Asterisk's manager interface (AMI): actions that are sent, messages that come back.
//!
//! Both are lines `Name: Value`, and an empty line ends them. Asterisk begins a connection with a
//! banner of one line. It answers each action with a response of the same `ActionID`:
//!
//! ```text
//! Asterisk Call Manager/11.0.0                Action: DBPut
//!                                             ActionID: 6
//!                                             Family: hold
//!                                             Key: home
//!                                             Val: 1795348800:1795349100
//! Response: Success
//! ActionID: 6
//! Message: Updated database successfully
//! ```
//!
//! A key that is not there is an error of `DBDel` ([`NOT_DELETED`]). For these actions an account
//! needs `write = system`, and no `read`.

use std::fmt;

/// The most of a line that is read. Channel variables may be long.
pub const MAX_LINE: usize = 16 * 1024;
/// The most of a message that is read.
pub const MAX_MESSAGE: usize = 128 * 1024;
/// The longest line of an action, without its end: Asterisk reads no longer ones.
pub const MAX_ACTION_LINE: usize = 1022;
/// What `DBDel` says of a key that is not there.
pub const NOT_DELETED: &str = "Database entry could not be deleted";

const BANNER: &[u8] = b"Asterisk Call Manager/";

/// Why bytes are no manager interface, or a value cannot be sent to one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmiError {
    /// Somebody else listens there.
    #[error(
        "byte 0: the connection does not begin with \"Asterisk Call Manager/\": is this the port \
         of manager.conf (5038), without TLS?"
    )]
    Banner,
    /// A line that does not end.
    #[error("byte {0}: a line is longer than {MAX_LINE} bytes: log in with \"Events: off\"")]
    LongLine(u64),
    /// A message that does not end.
    #[error("byte {0}: a message is longer than {MAX_MESSAGE} bytes: log in with \"Events: off\"")]
    LongMessage(u64),
    /// A value that would begin a line of its own.
    #[error("{0} has a line end or a zero byte: write it without")]
    ControlCharacter(&'static str),
    /// A value that Asterisk would refuse.
    #[error("{name} has {length} bytes, its line is longer than {MAX_ACTION_LINE}: shorten it")]
    LongValue {
        /// Of what.
        name: &'static str,
        /// Its bytes.
        length: usize,
    },
}

/// A response or an event, as it came. It may tell numbers, so it prints redacted.
#[derive(Clone, Copy)]
pub struct Message<'a>(&'a [u8]);

impl<'a> Message<'a> {
    /// The first value of this name, in letters of either case; none if it is not there, or is not
    /// UTF-8.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let value = |line: &'a [u8]| {
            let (found, value) = line.split_at_checked(name.len())?;
            let value =
                value.strip_prefix(b":").filter(|_| found.eq_ignore_ascii_case(name.as_bytes()));
            str::from_utf8(value?).ok().map(|value| value.trim_start_matches(' '))
        };
        lines(self.0).find_map(value)
    }

    /// The number of the action that this answers; none if nobody asked.
    pub fn action_id(&self) -> Option<u64> {
        self.get("ActionID")?.parse().ok()
    }

    /// What came of an action; none if this is an event, and so no response.
    ///
    /// # Errors
    /// Asterisk's own words, if it refused.
    pub fn outcome(&self) -> Option<Result<(), &'a str>> {
        let refused = self.get("Response")?.eq_ignore_ascii_case("Error");
        Some(if refused { Err(self.get("Message").unwrap_or_default()) } else { Ok(()) })
    }

    /// The name of an event; none if this is a response.
    pub fn event(&self) -> Option<&'a str> {
        self.get("Event")
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.action_id();
        f.debug_struct("Message").field("action_id", &id).finish_non_exhaustive()
    }
}

/// The lines, without their ends.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// Reads a connection in pieces of any size. Holds no more than one message; after an error, the
/// connection is lost, and every further push gives the same error.
#[derive(Clone, Default)]
pub struct Parser {
    /// The lines of a message so far.
    held: Vec<u8>,
    /// Where the last of them begins in `held`.
    line: usize,
    /// Offset of `held` in the stream.
    at: u64,
    is_greeted: bool,
    failed: Option<AmiError>,
}

impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, is_greeted, failed, .. } = self;
        write!(f, "Parser(byte {at}, {is_greeted}, {failed:?})")
    }
}

impl Parser {
    /// Takes in the next bytes; hands out each message that they complete. Allocates only for a
    /// message that is longer than all before it.
    ///
    /// # Errors
    /// If something else than Asterisk answers, or a line or a message is too long; messages before
    /// it are handed out.
    pub fn push(
        &mut self,
        bytes: &[u8],
        mut message: impl FnMut(Message<'_>),
    ) -> Result<(), AmiError> {
        self.failed.clone().map_or(Ok(()), Err)?;
        self.read(bytes, &mut message).inspect_err(|error| self.failed = Some(error.clone()))
    }

    fn read(
        &mut self,
        bytes: &[u8],
        message: &mut impl FnMut(Message<'_>),
    ) -> Result<(), AmiError> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let most = MAX_MESSAGE.min(self.line + MAX_LINE);
            if self.held.len() + part.len() > most {
                let line = AmiError::LongLine(self.at + self.line as u64);
                let is_line = most < MAX_MESSAGE;
                return Err(if is_line { line } else { AmiError::LongMessage(self.at) });
            }
            self.held.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.end_line(message)?;
            }
        }
        Ok(())
    }

    fn end_line(&mut self, message: &mut impl FnMut(Message<'_>)) -> Result<(), AmiError> {
        let is_empty = matches!(&self.held[self.line..], b"\n" | b"\r\n");
        if !self.is_greeted {
            if !self.held.starts_with(BANNER) {
                return Err(AmiError::Banner);
            }
            self.is_greeted = true;
        } else if !is_empty {
            self.line = self.held.len();
            return Ok(());
        } else if self.line > 0 {
            message(Message(&self.held[..self.line]));
        }
        self.at += self.held.len() as u64;
        self.line = 0;
        self.held.clear();
        Ok(())
    }
}

/// What Asterisk is asked to do. It may hold a secret, so it prints as its name.
#[derive(Clone, PartialEq, Eq)]
pub struct Action {
    name: &'static str,
    text: String,
}

impl Action {
    /// An action of this name; its answers have the same number.
    pub fn new(name: &'static str, id: u64) -> Self {
        Self { name, text: format!("Action: {name}\r\nActionID: {id}\r\n") }
    }

    /// Adds a line.
    ///
    /// # Errors
    /// If the value would end the line, or is longer than Asterisk reads.
    pub fn with(mut self, name: &'static str, value: &str) -> Result<Self, AmiError> {
        if value.contains(['\r', '\n', '\0']) {
            return Err(AmiError::ControlCharacter(name));
        }
        let (start, length) = (self.text.len(), value.len());
        self.text.extend([name, ": ", value]);
        if self.text.len() - start > MAX_ACTION_LINE {
            return Err(AmiError::LongValue { name, length });
        }
        self.text.push_str("\r\n");
        Ok(self)
    }

    /// What is written to the connection.
    pub fn into_bytes(self) -> Vec<u8> {
        (self.text + "\r\n").into_bytes()
    }

    /// Logs in, and asks for no events but those that answer an action. The secret travels in the
    /// clear: only over loopback.
    ///
    /// # Errors
    /// If name or secret cannot be sent.
    pub fn login(id: u64, user: &str, secret: &str) -> Result<Self, AmiError> {
        let action = Self::new("Login", id).with("Username", user)?.with("Secret", secret)?;
        action.with("Events", "off")
    }

    /// Asks whether Asterisk is there.
    pub fn ping(id: u64) -> Self {
        Self::new("Ping", id)
    }

    /// Sets a key of AstDB.
    ///
    /// # Errors
    /// If a part cannot be sent.
    pub fn db_put(id: u64, family: &str, key: &str, value: &str) -> Result<Self, AmiError> {
        Self::of_key("DBPut", id, family, key)?.with("Val", value)
    }

    /// Deletes a key of AstDB.
    ///
    /// # Errors
    /// If a part cannot be sent.
    pub fn db_del(id: u64, family: &str, key: &str) -> Result<Self, AmiError> {
        Self::of_key("DBDel", id, family, key)
    }

    fn of_key(name: &'static str, id: u64, family: &str, key: &str) -> Result<Self, AmiError> {
        Self::new(name, id).with("Family", family)?.with("Key", key)
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Action({})", self.name)
    }
}

#[cfg(test)]
mod tests;
