//! How each value stands in a column. Spans and deadlines are rounded up to a millisecond: what is
//! read back is never earlier than what was written.

use std::time::Duration;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::alert::deadline::BootId;
use crate::alert::number::Tag;
use crate::alert::record::{Actor, Id, Step};
use crate::call::LineId;
use crate::rules::{Level, Stage};
use crate::time::Wall;

/// A span in milliseconds.
pub(super) struct Ms(pub Duration);

/// A value in JSON.
pub(super) struct Json<T>(pub T);

/// What became of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nobody has taken it yet.
    Pending,
    /// It was taken.
    Delivered,
    /// It was given up.
    Failed,
}

impl State {
    /// The name in the database and in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// The state with this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Pending, Self::Delivered, Self::Failed].into_iter().find(|it| it.name() == name)
    }
}

type Sql<'a> = rusqlite::Result<ToSqlOutput<'a>>;

fn integer(value: impl TryInto<i64>) -> ToSqlOutput<'static> {
    value.try_into().unwrap_or(i64::MAX).into()
}

fn count(value: ValueRef<'_>) -> FromSqlResult<u64> {
    let integer = value.as_i64()?;
    u64::try_from(integer).map_err(|_| FromSqlError::OutOfRange(integer))
}

/// A name that stands for a value. What stands there instead is not told: nobody knows what it is.
fn named<T>(value: ValueRef<'_>, find: impl Fn(&str) -> Option<T>) -> FromSqlResult<T> {
    find(value.as_str()?).ok_or_else(|| FromSqlError::Other("the name is not known".into()))
}

/// Types that are written by one expression and read by another.
macro_rules! columns {
    ($($type:ty: $this:ident => $write:expr, $value:ident => $read:expr;)*) => {$(
        impl ToSql for $type {
            fn to_sql(&self) -> Sql<'_> {
                let $this = self;
                Ok($write)
            }
        }

        impl FromSql for $type {
            fn column_result($value: ValueRef<'_>) -> FromSqlResult<Self> {
                $read
            }
        }
    )*};
}

columns! {
    Wall: wall => integer(wall.0), value => count(value).map(Self);
    Ms: span => integer(span.0.as_nanos().div_ceil(1_000_000)),
        value => count(value).map(|ms| Self(Duration::from_millis(ms)));
    Id: id => id.0.to_be_bytes().to_vec().into(),
        value => <[u8; 16]>::column_result(value).map(|bytes| Self(u128::from_be_bytes(bytes)));
    BootId: boot => boot.0.to_be_bytes().to_vec().into(),
        value => <[u8; 16]>::column_result(value).map(|bytes| Self(u128::from_be_bytes(bytes)));
    Tag: tag => tag.0[..].into(), value => <[u8; 16]>::column_result(value).map(Self);
    LineId: line => line.as_str().into(), value => value.as_str().map(Self::new);
    Actor: actor => actor.to_string().into(), value => value.as_str().map(Self::parse);
    Level: level => level.name().into(), value => named(value, Self::from_name);
    Stage: stage => stage.name().into(), value => named(value, Self::from_name);
    State: state => state.name().into(), value => named(value, Self::from_name);
    Step: step => step.name().into(),
        value => named(value, |name| Self::ALL.into_iter().find(|step| step.name() == name));
}

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> Sql<'_> {
        let text = serde_json::to_string(&self.0);
        let failed = |error| rusqlite::Error::ToSqlConversionFailure(Box::new(error));
        text.map(ToSqlOutput::from).map_err(failed)
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let parsed = serde_json::from_str(value.as_str()?);
        parsed.map(Self).map_err(|_| FromSqlError::Other("the JSON is not as it should be".into()))
    }
}
