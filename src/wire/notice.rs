//! What the chosen people are told: the body of a webhook, the standard input of a command.
//! `docs/notifications.md` describes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One notification. It never holds words of the call, nor the number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// Names the notification. Whoever gets the same key twice shows it once.
    pub key: String,
    /// What it tells.
    pub kind: NoticeKind,
    /// The line's id.
    pub line: String,
    /// The line's name.
    pub line_name: String,
    /// When it happened: RFC 3339, UTC.
    pub at: String,
    /// `caution`, `warning` or `danger`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// The incident: one call is one incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// The kind of scam, in plain English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// The furthest stage of the script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// When the line will be clear: RFC 3339, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<String>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// What a notification tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// A call reached a level, or a later stage of the script.
    Level,
    /// Somebody said that it is no scam.
    CalledOff,
    /// The line is held.
    LineHeld,
    /// The line is held no more.
    LineClear,
}

impl NoticeKind {
    /// The name in keys and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::CalledOff => "called-off",
            Self::LineHeld => "line-held",
            Self::LineClear => "line-clear",
        }
    }
}
