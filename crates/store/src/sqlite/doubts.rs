//! What central could not settle of a life of a machine's journal, kept until an answered sync does (docs/adr/0029).

use loket_domain::dispatch::{Doubt, Stream, SyncView};
use loket_wire::MachineId;
use rusqlite::{Transaction, params};

use super::column::{number, run, select_first};
use crate::error::StoreError;
use crate::report::AckPoint;

/// What stands open in one life of a journal.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Open {
    /// A report differed from the committed one of its number.
    pub(super) doubt: Option<Doubt>,
    overlap: Option<(u64, u64)>,
    relist_seq: Option<u64>,
    ahead_seq: Option<u64>,
}

impl Open {
    /// How far what is committed may be acknowledged.
    pub(super) fn acked_seq(&self, committed_seq: u64) -> u64 {
        match (self.doubt, self.overlap) {
            (Some(_doubt), _) => 0,
            (None, Some((from, _to))) => from.saturating_sub(1),
            (None, None) => committed_seq,
        }
    }
}

pub(super) fn open(
    tx: &Transaction<'_>,
    machine: &MachineId,
    stream: &Stream,
) -> Result<Open, StoreError> {
    let found = select_first(
        tx,
        "SELECT * FROM journal_life WHERE machine = ?1 AND generation = ?2",
        params![machine.as_str(), number("generation", stream.generation)?],
        |row| {
            let is_claimed = row.get("doubt_is_claimed")?;
            let doubted = row.maybe_count("doubted_seq")?;
            Ok(Open {
                doubt: doubted.map(|seq| Doubt { seq, is_claimed }),
                overlap: row
                    .maybe_count("overlap_from")?
                    .zip(row.maybe_count("overlap_to")?),
                relist_seq: row.maybe_count("relist_seq")?,
                ahead_seq: row.maybe_count("ahead_seq")?,
            })
        },
    )?;
    Ok(found.unwrap_or_default())
}

fn save(
    tx: &Transaction<'_>,
    machine: &MachineId,
    stream: &Stream,
    open: &Open,
) -> Result<(), StoreError> {
    let maybe = |value: Option<u64>| value.map(|value| number("seq", value)).transpose();
    run(
        tx,
        "UPDATE journal_life SET doubted_seq = ?3, doubt_is_claimed = ?4, overlap_from = ?5,
            overlap_to = ?6, relist_seq = ?7, ahead_seq = ?8
         WHERE machine = ?1 AND generation = ?2",
        params![
            machine.as_str(),
            number("generation", stream.generation)?,
            maybe(open.doubt.map(|doubt| doubt.seq))?,
            open.doubt.is_some_and(|doubt| doubt.is_claimed),
            maybe(open.overlap.map(|(from, _to)| from))?,
            maybe(open.overlap.map(|(_from, to)| to))?,
            maybe(open.relist_seq)?,
            maybe(open.ahead_seq)?,
        ],
    )?;
    Ok(())
}

/// What may be acknowledged of a life: what is committed, but of the numbers that its machine still holds only those
/// whose reports came again and were the same. It would forget others under the same numbers.
pub(super) fn ack(
    tx: &Transaction<'_>,
    machine: &MachineId,
    stream: &Stream,
) -> Result<Option<AckPoint>, StoreError> {
    let seq = open(tx, machine, stream)?.acked_seq(stream.committed_seq);
    Ok(stream.epoch.map(|epoch| AckPoint { epoch, seq }))
}

/// A report came again and is the same; each in its order.
pub(super) fn came_again(
    tx: &Transaction<'_>,
    machine: &MachineId,
    stream: &Stream,
    seq: u64,
) -> Result<(), StoreError> {
    let known = open(tx, machine, stream)?;
    let Some((_from, to)) = known.overlap.filter(|(from, _to)| *from == seq) else {
        return Ok(());
    };
    let overlap = (seq < to).then_some((seq.saturating_add(1), to));
    save(tx, machine, stream, &Open { overlap, ..known })
}

/// A report differs from what was committed under its number.
pub(super) fn doubt(
    tx: &Transaction<'_>,
    machine: &MachineId,
    stream: &Stream,
    seq: u64,
) -> Result<(), StoreError> {
    let known = open(tx, machine, stream)?;
    let doubt = Some(Doubt::with(known.doubt, seq, known.overlap));
    save(tx, machine, stream, &Open { doubt, ..known })
}

/// Reports before this one are missing; whether the machine is to be asked, once for each place.
pub(super) fn is_new_hole(
    tx: &Transaction<'_>,
    machine: &MachineId,
    stream: &Stream,
    expected_seq: u64,
) -> Result<bool, StoreError> {
    let known = open(tx, machine, stream)?;
    let ahead_seq = Some(expected_seq);
    if stream.epoch.is_none() || known.ahead_seq == ahead_seq {
        return Ok(false);
    }
    save(tx, machine, stream, &Open { ahead_seq, ..known })?;
    Ok(true)
}

/// Whether the reports are through before which a sync named a job that is over here; said once.
pub(super) fn is_relist_due(
    tx: &Transaction<'_>,
    machine: &MachineId,
    stream: &Stream,
) -> Result<bool, StoreError> {
    let known = open(tx, machine, stream)?;
    let is_due = known
        .relist_seq
        .is_some_and(|seq| stream.committed_seq >= seq);
    if is_due {
        let relist_seq = None;
        save(
            tx,
            machine,
            stream,
            &Open {
                relist_seq,
                ..known
            },
        )?;
    }
    Ok(is_due)
}

/// A sync was believed: an answer leaves nothing open.
pub(super) fn synced(
    tx: &Transaction<'_>,
    machine: &MachineId,
    (before, after): (&Stream, &Stream),
    view: &SyncView,
    relist_seq: Option<u64>,
) -> Result<(), StoreError> {
    let open = Open {
        // Asked once for each place, whatever the machine says: it would never end else.
        ahead_seq: open(tx, machine, after)?.ahead_seq,
        doubt: None,
        overlap: before
            .overlap(view)
            .filter(|_same| before.generation == after.generation),
        relist_seq,
    };
    save(tx, machine, after, &open)
}
