//! How values stand in columns, and how they come out of them.

use std::str::FromStr;

use loket_wire::{Sha256Digest, Timestamp};
use rusqlite::types::FromSql;
use rusqlite::{Params, Row, Transaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;

/// Largest number taken from outside: 2^53, the largest that every JSON reader keeps, and far beyond any journal.
const MAX_NUMBER: u64 = 1 << 53;

/// A number as SQLite keeps it.
pub(super) fn number(field: &'static str, value: u64) -> Result<i64, StoreError> {
    let fits = (value <= MAX_NUMBER)
        .then(|| i64::try_from(value).ok())
        .flatten();
    fits.ok_or(StoreError::OutOfRange { field })
}

/// The kebab-case word of one of wire's enums.
pub(super) fn word<T: Serialize>(value: &T) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        Ok(_other) => Err(StoreError::Corrupt { what: "a word" }),
        Err(_unwritable) => Err(StoreError::Corrupt { what: "a word" }),
    }
}

/// The JSON of a value that has no way to fail but memory.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_ignored| StoreError::Corrupt { what: "a value" })
}

/// One row's columns, by name.
pub(super) struct Columns<'a, 'stmt>(pub(super) &'a Row<'stmt>);

impl Columns<'_, '_> {
    pub(super) fn get<T: FromSql>(&self, name: &'static str) -> Result<T, StoreError> {
        self.0
            .get(name)
            .map_err(|error| StoreError::sqlite("read a column", error))
    }

    pub(super) fn count(&self, name: &'static str) -> Result<u64, StoreError> {
        u64::try_from(self.get::<i64>(name)?).map_err(|_ignored| StoreError::Corrupt { what: name })
    }

    pub(super) fn maybe_count(&self, name: &'static str) -> Result<Option<u64>, StoreError> {
        self.get::<Option<i64>>(name)?
            .map(|value| {
                u64::try_from(value).map_err(|_ignored| StoreError::Corrupt { what: name })
            })
            .transpose()
    }

    pub(super) fn small(&self, name: &'static str) -> Result<u32, StoreError> {
        u32::try_from(self.count(name)?).map_err(|_ignored| StoreError::Corrupt { what: name })
    }

    pub(super) fn maybe_small(&self, name: &'static str) -> Result<Option<u32>, StoreError> {
        self.maybe_count(name)?
            .map(|value| {
                u32::try_from(value).map_err(|_ignored| StoreError::Corrupt { what: name })
            })
            .transpose()
    }

    pub(super) fn time(&self, name: &'static str) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_unix_ms(self.get(name)?))
    }

    pub(super) fn maybe_time(&self, name: &'static str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.get::<Option<i64>>(name)?.map(Timestamp::from_unix_ms))
    }

    pub(super) fn parsed<T: FromStr>(&self, name: &'static str) -> Result<T, StoreError> {
        parse(name, &self.get::<String>(name)?)
    }

    pub(super) fn maybe_parsed<T: FromStr>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, StoreError> {
        self.get::<Option<String>>(name)?
            .map(|text| parse(name, &text))
            .transpose()
    }

    pub(super) fn digest(&self, name: &'static str) -> Result<Sha256Digest, StoreError> {
        Sha256Digest::parse(&self.get::<String>(name)?)
            .map_err(|_ignored| StoreError::Corrupt { what: name })
    }

    pub(super) fn word<T: DeserializeOwned>(&self, name: &'static str) -> Result<T, StoreError> {
        from_word(name, self.get(name)?)
    }

    pub(super) fn maybe_word<T: DeserializeOwned>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, StoreError> {
        self.get::<Option<String>>(name)?
            .map(|text| from_word(name, text))
            .transpose()
    }
}

fn parse<T: FromStr>(what: &'static str, text: &str) -> Result<T, StoreError> {
    text.parse()
        .map_err(|_ignored| StoreError::Corrupt { what })
}

fn from_word<T: DeserializeOwned>(what: &'static str, text: String) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(text))
        .map_err(|_ignored| StoreError::Corrupt { what })
}

/// Reads every row of a query.
pub(super) fn select<T>(
    tx: &Transaction<'_>,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Columns<'_, '_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let fault = |error| StoreError::sqlite("read rows", error);
    let mut statement = tx.prepare(sql).map_err(fault)?;
    let mut rows = statement.query(params).map_err(fault)?;
    let mut out = Vec::new();
    while let Some(row) = rows.next().map_err(fault)? {
        out.push(read(&Columns(row))?);
    }
    Ok(out)
}

/// Reads the first row of a query, if there is one.
pub(super) fn select_first<T>(
    tx: &Transaction<'_>,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Columns<'_, '_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let fault = |error| StoreError::sqlite("read a row", error);
    let mut statement = tx.prepare(sql).map_err(fault)?;
    let mut rows = statement.query(params).map_err(fault)?;
    match rows.next().map_err(fault)? {
        Some(row) => read(&Columns(row)).map(Some),
        None => Ok(None),
    }
}

/// Runs one statement and answers how many rows it changed.
pub(super) fn run(
    tx: &Transaction<'_>,
    sql: &str,
    params: impl Params,
) -> Result<usize, StoreError> {
    tx.execute(sql, params)
        .map_err(|error| StoreError::sqlite("write a row", error))
}
