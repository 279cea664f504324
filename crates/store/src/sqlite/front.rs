//! Where the history begins: its oldest lines leave after their time, and the chain goes on from the last of them.
//!
//! ```text
//! lines 1 … n (old)   n+1 … m      front = (n, sha256 of n)      m+1: history-sealed {up_to: n, sha256, …}
//!        removed     ──────────►   the chain is followed from here, and its newest seal must name the same
//! ```

use std::collections::BTreeMap;

use loket_wire::{JobId, Timestamp};
use rusqlite::{Transaction, params};

use super::chain::{self, About, Followed};
use super::column::{number, run, select, select_first};
use crate::actor::Actor;
use crate::error::StoreError;
use crate::history::{Front, HistoryRow, KnownLine, Note};
use crate::retention::LINE_WAITS;

/// Lines removed in one round: some tens of milliseconds on an old computer, in which reports wait.
pub(super) const LINES_A_ROUND: u32 = 512;

/// The last line that was removed.
pub(super) fn front(tx: &Transaction<'_>) -> Result<Front, StoreError> {
    let found = select_first(tx, "SELECT seq, sha256 FROM history_front", [], |row| {
        Ok(Front {
            seq: row.count("seq")?,
            sha256: chain::row_digest(row)?,
        })
    })?;
    Ok(found.unwrap_or(Front {
        seq: 0,
        sha256: chain::beginning(),
    }))
}

/// The lines of one job that leave while the job stays.
struct Carried {
    from_seq: u64,
    to_seq: u64,
    line_count: u32,
    by: String,
    since: Timestamp,
}

/// Removes the oldest lines that were written before `before`, as far as nothing holds them; answers how many.
///
/// A line waits for a job that has ended and is still within its own time, though not for ever. An open job is not
/// waited for: a line of its own says what left.
pub(super) fn drop_lines(
    tx: &Transaction<'_>,
    before: Timestamp,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let start = front(tx)?;
    let old = old_lines(tx, start.seq, before)?;
    let page = chain::from(tx, start.seq.saturating_add(1), old)?;
    let mut followed = Followed::from_front(start);
    let mut carried: BTreeMap<JobId, Carried> = BTreeMap::new();
    for row in &page {
        if row.at >= before {
            break;
        }
        let standing = row.job.map(|job| end_of(tx, job)).transpose()?.flatten();
        if let Some(Standing::Ended) = standing
            && row.at >= before.saturating_sub(LINE_WAITS)
        {
            break;
        }
        // A seal must not hide a break: what does not follow stays, and is found.
        followed = followed.over(row).ok_or(StoreError::Corrupt {
            what: "the history",
        })?;
        if let (Some(_stays), Some(job)) = (standing, row.job) {
            carry(&mut carried, job, row);
        }
    }
    let end = followed.front();
    let line_count = end.seq.saturating_sub(start.seq);
    if line_count == 0 {
        return Ok(0);
    }
    move_front(tx, end)?;
    for (job, carried) in carried {
        note_carried(tx, job, carried, now)?;
    }
    let sealed = Note::HistorySealed {
        up_to: end.seq,
        sha256: end.sha256,
        line_count,
        before,
    };
    chain::append_note(tx, About::default(), &Actor::central(), now, &sealed)?;
    Ok(line_count)
}

/// How many of the next lines are past their time: a young one is not read any further, whatever it holds.
fn old_lines(tx: &Transaction<'_>, seq: u64, before: Timestamp) -> Result<u32, StoreError> {
    let times = select(
        tx,
        "SELECT at_ms FROM history WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        params![number("a history row", seq)?, LINES_A_ROUND],
        |row| row.time("at_ms"),
    )?;
    let old = times.iter().take_while(|at| **at < before).count();
    Ok(u32::try_from(old).unwrap_or(LINES_A_ROUND))
}

/// How a job stands whose row is there.
#[derive(Clone, Copy)]
enum Standing {
    Open,
    Ended,
}

fn end_of(tx: &Transaction<'_>, job: JobId) -> Result<Option<Standing>, StoreError> {
    select_first(
        tx,
        "SELECT ended_at_ms FROM job WHERE id = ?1",
        [job.to_string()],
        |row| {
            Ok(match row.maybe_time("ended_at_ms")? {
                Some(_at) => Standing::Ended,
                None => Standing::Open,
            })
        },
    )
}

fn carry(carried: &mut BTreeMap<JobId, Carried>, job: JobId, row: &HistoryRow) {
    // A line that was carried before hands on whom it named.
    let (by, since) = match serde_json::from_str(&row.body) {
        Ok(Note::CarriedForward { by, since, .. }) => (by, since),
        Ok(_) | Err(_) => (row.actor.clone(), row.at),
    };
    let known = carried.entry(job).or_insert(Carried {
        from_seq: row.seq,
        to_seq: row.seq,
        line_count: 0,
        by,
        since,
    });
    known.to_seq = row.seq;
    known.line_count = known.line_count.saturating_add(1);
}

fn note_carried(
    tx: &Transaction<'_>,
    job: JobId,
    carried: Carried,
    now: Timestamp,
) -> Result<(), StoreError> {
    let about = About {
        job: Some(job),
        machine: None,
    };
    let note = Note::CarriedForward {
        from_seq: carried.from_seq,
        to_seq: carried.to_seq,
        line_count: carried.line_count,
        by: carried.by,
        since: carried.since,
    };
    chain::append_note(tx, about, &Actor::central(), now, &note)
}

/// The front first: the file itself refuses to lose a line behind it.
fn move_front(tx: &Transaction<'_>, end: Front) -> Result<(), StoreError> {
    let seq = number("a history row", end.seq)?;
    run(
        tx,
        "INSERT INTO history_front (id, seq, sha256) VALUES (1, ?1, ?2)
         ON CONFLICT (id) DO UPDATE SET seq = ?1, sha256 = ?2",
        params![seq, end.sha256.as_bytes().as_slice()],
    )?;
    run(tx, "DELETE FROM history WHERE seq <= ?1", [seq])?;
    Ok(())
}

/// What is known of the line with this number; also of a removed one at which a seal stands.
pub(super) fn known_line(tx: &Transaction<'_>, seq: u64) -> Result<KnownLine, StoreError> {
    let front = front(tx)?;
    if seq == front.seq {
        return Ok(KnownLine::Digest(front.sha256));
    }
    if seq > front.seq {
        let line = chain::from(tx, seq, 1)?.into_iter().next();
        return Ok(match line {
            Some(line) if line.seq == seq => KnownLine::Digest(line.sha256),
            Some(_) | None => KnownLine::None,
        });
    }
    sealed_at(tx, seq)
}

fn sealed_at(tx: &Transaction<'_>, seq: u64) -> Result<KnownLine, StoreError> {
    let body = select_first(
        tx,
        "SELECT body FROM history WHERE kind = 'history-sealed'
         AND json_extract(body, '$.up_to') = ?1 LIMIT 1",
        [number("a history row", seq)?],
        |row| row.get::<String>("body"),
    )?;
    let seal = body.and_then(|body| seal_of(&body));
    Ok(seal.map_or(KnownLine::Removed, |seal| KnownLine::Digest(seal.sha256)))
}

/// What a seal names, if the body is one.
pub(super) fn seal_of(body: &str) -> Option<Front> {
    match serde_json::from_str(body) {
        Ok(Note::HistorySealed { up_to, sha256, .. }) => Some(Front { seq: up_to, sha256 }),
        Ok(_) | Err(_) => None,
    }
}

/// Whether the newest seal of the chain vouches for where it begins.
pub(super) fn is_vouched(front: Front, newest_seal: Option<Front>) -> bool {
    front.seq == 0 || newest_seal == Some(front)
}
