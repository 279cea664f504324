//! Tokens in SQLite.

use loket_wire::{Sha256Digest, Timestamp};
use rusqlite::{Transaction, params};

use super::chain::{self, About};
use super::column::{Columns, run, select, select_first};
use crate::actor::{Actor, check_text};
use crate::error::StoreError;
use crate::history::Note;
use crate::token::TokenRow;

/// Longest name of a token, in bytes.
const MAX_TOKEN_NAME_BYTES: usize = 64;

pub(super) fn insert(tx: &Transaction<'_>, token: &TokenRow, by: &Actor) -> Result<(), StoreError> {
    check_text("a token's name", &token.name, MAX_TOKEN_NAME_BYTES).map_err(StoreError::Text)?;
    let made = run(
        tx,
        "INSERT INTO token (name, token_sha256, role, created_at_ms, expires_at_ms, revoked_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        params![
            token.name,
            token.token_sha256.to_string(),
            token.role.as_str(),
            token.created_at.unix_ms(),
            token.expires_at.unix_ms(),
            token.revoked_at.map(Timestamp::unix_ms),
        ],
    )?;
    if made == 0 {
        return Err(StoreError::TokenNameTaken);
    }
    let note = Note::TokenMade {
        name: token.name.clone(),
        role: token.role.as_str().to_owned(),
    };
    chain::append_note(tx, About::default(), by, token.created_at, &note)
}

pub(super) fn find(
    tx: &Transaction<'_>,
    token_sha256: Sha256Digest,
) -> Result<Option<TokenRow>, StoreError> {
    let sql = "SELECT * FROM token WHERE token_sha256 = ?1";
    select_first(tx, sql, [token_sha256.to_string()], read_token)
}

pub(super) fn list(tx: &Transaction<'_>) -> Result<Vec<TokenRow>, StoreError> {
    select(tx, "SELECT * FROM token ORDER BY name", [], read_token)
}

pub(super) fn revoke(
    tx: &Transaction<'_>,
    name: &str,
    by: &Actor,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "SELECT * FROM token WHERE name = ?1";
    let token = select_first(tx, sql, [name], read_token)?.ok_or(StoreError::NoSuchToken)?;
    if token.revoked_at.is_some() {
        return Ok(());
    }
    run(
        tx,
        "UPDATE token SET revoked_at_ms = ?2 WHERE name = ?1",
        params![name, now.unix_ms()],
    )?;
    let note = Note::TokenRevoked {
        name: name.to_owned(),
    };
    chain::append_note(tx, About::default(), by, now, &note)
}

fn read_token(row: &Columns<'_, '_>) -> Result<TokenRow, StoreError> {
    Ok(TokenRow {
        token_sha256: row.digest("token_sha256")?,
        name: row.get("name")?,
        role: row.parsed("role")?,
        created_at: row.time("created_at_ms")?,
        expires_at: row.time("expires_at_ms")?,
        revoked_at: row.maybe_time("revoked_at_ms")?,
    })
}
