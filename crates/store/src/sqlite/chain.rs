//! The history in SQLite: appended to, read, followed.

use std::ops::ControlFlow;

use loket_domain::dispatch::Change;
use loket_wire::{JobId, MachineId, Sha256Digest, Timestamp};
use rusqlite::{Transaction, params};
use serde::Serialize;

use super::column::{Columns, number, run, select, select_first};
use super::front;
use crate::actor::Actor;
use crate::error::StoreError;
use crate::history::{Front, HistoryRow, HistoryVerdict, Note};

/// Version of the disk form of [`Note`].
const NOTE_VERSION: u16 = 1;

/// Rows read at a time while the chain is followed: bounds the memory, whatever the history's length.
const VERIFY_PAGE_ROWS: u32 = 1000;

/// Most rows of one answer; an honest job has below fifty.
pub(super) const MAX_HISTORY_ROWS: u32 = 1000;

/// What a row is about.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct About<'a> {
    pub(super) job: Option<JobId>,
    pub(super) machine: Option<&'a MachineId>,
}

/// Appends a change of a job.
pub(super) fn append_change(
    tx: &Transaction<'_>,
    about: About<'_>,
    actor: &Actor,
    at: Timestamp,
    change: &Change,
) -> Result<(), StoreError> {
    let body = change.to_json().map_err(StoreError::Change)?;
    append(tx, about, actor, at, change.kind().to_owned(), body)
}

/// Appends a note.
pub(super) fn append_note(
    tx: &Transaction<'_>,
    about: About<'_>,
    actor: &Actor,
    at: Timestamp,
    note: &Note,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Stored<'a> {
        v: u16,
        #[serde(flatten)]
        note: &'a Note,
    }
    let stored = Stored {
        v: NOTE_VERSION,
        note,
    };
    let body = super::column::json(&stored)?;
    append(tx, about, actor, at, note.kind().to_owned(), body)
}

fn append(
    tx: &Transaction<'_>,
    about: About<'_>,
    actor: &Actor,
    at: Timestamp,
    kind: String,
    body: String,
) -> Result<(), StoreError> {
    let (last_seq, last_sha256) = head(tx)?;
    let mut row = HistoryRow {
        seq: last_seq + 1,
        at,
        actor: actor.as_str().to_owned(),
        job: about.job,
        machine: about.machine.cloned(),
        kind,
        body,
        sha256: last_sha256,
    };
    row.sha256 = digest(last_sha256, &row);
    run(
        tx,
        "INSERT INTO history (seq, at_ms, actor, job, machine, kind, body, sha256)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            number("a history row", row.seq)?,
            row.at.unix_ms(),
            row.actor,
            row.job.map(|job| job.to_string()),
            row.machine.as_ref().map(MachineId::as_str),
            row.kind,
            row.body,
            row.sha256.as_bytes().as_slice(),
        ],
    )?;
    Ok(())
}

/// The last row's number and digest; of nothing for a history that never had one.
pub(super) fn head(tx: &Transaction<'_>) -> Result<(u64, Sha256Digest), StoreError> {
    let last = select_first(
        tx,
        "SELECT seq, sha256 FROM history ORDER BY seq DESC LIMIT 1",
        [],
        |row| Ok((row.count("seq")?, row_digest(row)?)),
    )?;
    match last {
        Some(last) => Ok(last),
        None => front::front(tx).map(|front| (front.seq, front.sha256)),
    }
}

/// What the first row is chained to.
pub(super) fn beginning() -> Sha256Digest {
    Sha256Digest::of(b"")
}

/// SHA-256 over the digest before and each field with its length before it, so that fields cannot run into each
/// other; an absent field is told from an empty one.
fn digest(before: Sha256Digest, row: &HistoryRow) -> Sha256Digest {
    let mut bytes = b"loket history 1\0".to_vec();
    bytes.extend_from_slice(before.as_bytes());
    bytes.extend_from_slice(&row.seq.to_be_bytes());
    bytes.extend_from_slice(&row.at.unix_ms().to_be_bytes());
    let job = row.job.map(|job| job.to_string());
    let fields = [
        Some(row.actor.as_str()),
        job.as_deref(),
        row.machine.as_ref().map(MachineId::as_str),
        Some(row.kind.as_str()),
        Some(row.body.as_str()),
    ];
    for field in fields {
        let size = field.map_or(u64::MAX, |text| {
            u64::try_from(text.len()).unwrap_or(u64::MAX)
        });
        bytes.extend_from_slice(&size.to_be_bytes());
        bytes.extend_from_slice(field.unwrap_or_default().as_bytes());
    }
    Sha256Digest::of(&bytes)
}

pub(super) fn row_digest(row: &Columns<'_, '_>) -> Result<Sha256Digest, StoreError> {
    Ok(Sha256Digest::from_bytes(row.get("sha256")?))
}

fn read_row(row: &Columns<'_, '_>) -> Result<HistoryRow, StoreError> {
    Ok(HistoryRow {
        seq: row.count("seq")?,
        at: row.time("at_ms")?,
        actor: row.get("actor")?,
        job: row.maybe_parsed("job")?,
        machine: row.maybe_parsed("machine")?,
        kind: row.get("kind")?,
        body: row.get("body")?,
        sha256: row_digest(row)?,
    })
}

/// What happened to one job: the line it began with and the newest ones.
pub(super) fn of_job(tx: &Transaction<'_>, job: JobId) -> Result<Vec<HistoryRow>, StoreError> {
    let rows = select(
        tx,
        "SELECT * FROM history WHERE seq = (SELECT min(seq) FROM history WHERE job = ?1)
            OR seq IN (SELECT seq FROM history WHERE job = ?1 ORDER BY seq DESC LIMIT ?2)
         ORDER BY seq",
        params![job.to_string(), MAX_HISTORY_ROWS - 1],
        read_row,
    )?;
    if rows.is_empty() {
        return Err(StoreError::NoSuchJob { job });
    }
    Ok(rows)
}

/// Whether the job has more lines than an honest one comes near: a machine gone mad must not fill the store with it.
pub(super) fn is_full(tx: &Transaction<'_>, job: JobId) -> Result<bool, StoreError> {
    let count = select_first(
        tx,
        "SELECT count(*) AS count FROM history WHERE job = ?1",
        [job.to_string()],
        |row| row.count("count"),
    )?;
    Ok(count.unwrap_or(0) >= u64::from(MAX_HISTORY_ROWS))
}

/// The history from a row on.
pub(super) fn from(
    tx: &Transaction<'_>,
    seq: u64,
    limit: u32,
) -> Result<Vec<HistoryRow>, StoreError> {
    select(
        tx,
        "SELECT * FROM history WHERE seq >= ?1 ORDER BY seq LIMIT ?2",
        params![number("a history row", seq)?, limit.min(MAX_HISTORY_ROWS)],
        read_row,
    )
}

/// How far the chain was followed, and from where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Followed {
    front: Front,
    last_seq: u64,
    last_sha256: Sha256Digest,
    newest_seal: Option<Front>,
}

impl Followed {
    /// Nothing yet.
    pub(super) fn nothing() -> Self {
        Self::from_front(Front {
            seq: 0,
            sha256: beginning(),
        })
    }

    /// Nothing yet of what follows the front.
    pub(super) const fn from_front(front: Front) -> Self {
        Self {
            front,
            last_seq: front.seq,
            last_sha256: front.sha256,
            newest_seal: None,
        }
    }

    /// Goes over the next row, if it follows.
    pub(super) fn over(self, row: &HistoryRow) -> Option<Self> {
        let fits = row.seq == self.last_seq + 1 && row.sha256 == digest(self.last_sha256, row);
        fits.then(|| Self {
            front: self.front,
            last_seq: row.seq,
            last_sha256: row.sha256,
            newest_seal: front::seal_of(&row.body).or(self.newest_seal),
        })
    }

    /// The last row as a front: where the chain begins when everything up to it is removed.
    pub(super) const fn front(self) -> Front {
        Front {
            seq: self.last_seq,
            sha256: self.last_sha256,
        }
    }

    const fn broken(self) -> HistoryVerdict {
        HistoryVerdict::Broken {
            seq: self.last_seq + 1,
        }
    }
}

/// Follows the chain for one page; the answer is where to go on, or the verdict.
///
/// Rows are added behind and leave at the front, so pages of different transactions make one chain; where more left
/// meanwhile than was followed, it is followed from the new front.
pub(super) fn follow(
    tx: &Transaction<'_>,
    mut followed: Followed,
) -> Result<ControlFlow<HistoryVerdict, Followed>, StoreError> {
    let front = front::front(tx)?;
    if front.seq > followed.last_seq {
        followed = Followed::from_front(front);
    }
    let page = match from(tx, followed.last_seq + 1, VERIFY_PAGE_ROWS) {
        Ok(page) => page,
        // A field that cannot be read any more is an altered field: find its row.
        Err(StoreError::Corrupt { .. }) => return follow_to_unreadable(tx, followed),
        Err(other) => return Err(other),
    };
    if page.is_empty() {
        return Ok(ControlFlow::Break(verdict_at_end(tx, front, followed)?));
    }
    for row in page {
        match followed.over(&row) {
            Some(further) => followed = further,
            None => return Ok(ControlFlow::Break(followed.broken())),
        }
    }
    Ok(ControlFlow::Continue(followed))
}

fn follow_to_unreadable(
    tx: &Transaction<'_>,
    mut followed: Followed,
) -> Result<ControlFlow<HistoryVerdict, Followed>, StoreError> {
    loop {
        let row = match from(tx, followed.last_seq + 1, 1) {
            Ok(page) => page.into_iter().next(),
            Err(StoreError::Corrupt { .. }) => None,
            Err(other) => return Err(other),
        };
        match row.and_then(|row| followed.over(&row)) {
            Some(further) => followed = further,
            None => return Ok(ControlFlow::Break(followed.broken())),
        }
    }
}

/// Whether the last row is the last one ever numbered, no row stands before the front, and the newest seal names it.
fn verdict_at_end(
    tx: &Transaction<'_>,
    front: Front,
    followed: Followed,
) -> Result<HistoryVerdict, StoreError> {
    let sql = "SELECT (SELECT seq FROM sqlite_sequence WHERE name = 'history') AS numbered,
        (SELECT min(seq) FROM history) AS first";
    let found = select_first(tx, sql, [], |row| {
        Ok((row.maybe_count("numbered")?, row.maybe_count("first")?))
    })?;
    let (numbered, first) = found.unwrap_or_default();
    if numbered.unwrap_or(0) != followed.last_seq {
        return Ok(followed.broken());
    }
    if first.is_some_and(|first| first <= front.seq)
        || !front::is_vouched(front, followed.newest_seal)
    {
        return Ok(HistoryVerdict::Broken { seq: front.seq });
    }
    Ok(HistoryVerdict::Intact {
        row_count: followed.last_seq.saturating_sub(front.seq),
        head_seq: followed.last_seq,
        head_sha256: followed.last_sha256,
        front,
    })
}
