//! What a machine says on connect, in SQLite: gaps, lost journals, jobs that one side does not know.

use std::collections::BTreeMap;

use loket_domain::dispatch::{
    Change, Input, Job, MachineCopy, Refusal, Stream, SyncView, Synced, decide,
};
use loket_wire::{JobId, JobState, MachineId, OpenJob, Sync, Timestamp};
use rusqlite::Transaction;

use super::aside::{self, Kind};
use super::chain::{self, About};
use super::{doubts, jobs, local, machines, offers, sessions};
use crate::actor::Actor;
use crate::error::StoreError;
use crate::history::Note;
use crate::report::{AckPoint, SyncOutcome};

pub(super) fn ingest(
    tx: &Transaction<'_>,
    machine: &MachineId,
    sync: &Sync,
    asked_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<SyncOutcome, StoreError> {
    let is_answer = asked_at.is_some();
    let present = machines::stream(tx, machine)?;
    machines::seen(tx, machine, now)?;
    let earlier = machines::stream_of_epoch(tx, machine, sync.epoch)?;
    let view = SyncView::from(sync);
    let doubt = doubts::open(tx, machine, &present)?.doubt;
    let synced = present.sync_in_doubt(
        &view,
        earlier.map(|stream| stream.committed_seq),
        doubt.filter(|_any| is_answer),
    );
    // Of an earlier connection: another broker had it, or the journal was set back. Its jobs are not compared.
    let is_earlier = sessions::is_earlier_session(tx, machine, sync.epoch, sync.session_seq)?;
    if (synced.is_journal_lost() || is_earlier || doubt.is_some()) && !is_answer {
        return unproven(tx, machine, sync, is_earlier, now);
    }
    let mut outcome = SyncOutcome {
        ack: AckPoint {
            epoch: sync.epoch,
            seq: synced.stream.committed_seq,
        },
        must_ask: false,
        is_late: false,
        is_new_epoch: synced.is_new_epoch,
        is_rolled_back: synced.is_rolled_back,
        gap: synced.gap,
        lost_jobs: Vec::new(),
        reoffer: false,
        ask_cancel: Vec::new(),
    };
    machines::raise_command_seq(tx, machine, sync.last_command_seq)?;
    if synced.is_journal_lost() {
        let is_rolled_back = synced.is_rolled_back;
        outcome.lost_jobs = lose_journal(tx, machine, &synced.stream, is_rolled_back, now)?;
    } else if synced.stream.generation != present.generation {
        note_journal_begun(tx, machine, &synced.stream, false, now)?;
    }
    if let Some((from_seq, to_seq)) = synced.gap {
        lose_reports(tx, machine, sync, from_seq, to_seq, now)?;
    }
    machines::save_stream(tx, machine, &synced.stream)?;
    sessions::set_session(tx, machine, sync.epoch, sync.session_seq, true, now)?;
    let mut has_passed_over = compare_jobs(tx, machine, sync, &synced, now, &mut outcome)?;
    // A list that showed the loss may be older than what it lists.
    outcome.must_ask |= synced.is_journal_lost();
    // A question that was asked before the journal turned out to be lost proves nothing of the jobs that it held.
    let asked_at = asked_at.filter(|_at| !synced.is_journal_lost());
    if sync.is_complete {
        has_passed_over |=
            compare_unlisted(tx, machine, sync, &synced, asked_at, now, &mut outcome)?;
    }
    let relist_seq = has_passed_over.then_some(sync.last_event_seq);
    let lives = (&present, &synced.stream);
    doubts::synced(tx, machine, lives, &view, relist_seq)?;
    if let Some(ack) = doubts::ack(tx, machine, &synced.stream)? {
        outcome.ack = ack;
    }
    ask_unlisted(tx, machine, sync, now, &mut outcome)?;
    outcome.reoffer = offers::has_offerable(tx, machine, now)?;
    Ok(outcome)
}

/// A sync of an earlier time that a broker kept may say the same as a journal that was lost, and lists other jobs. Nothing of it is believed, and
/// nothing of its journal acknowledged.
fn unproven(
    tx: &Transaction<'_>,
    machine: &MachineId,
    sync: &Sync,
    is_late: bool,
    now: Timestamp,
) -> Result<SyncOutcome, StoreError> {
    Ok(SyncOutcome {
        ack: AckPoint {
            epoch: sync.epoch,
            seq: 0,
        },
        must_ask: true,
        is_late,
        is_new_epoch: false,
        is_rolled_back: false,
        gap: None,
        lost_jobs: Vec::new(),
        reoffer: offers::has_offerable(tx, machine, now)?,
        ask_cancel: Vec::new(),
    })
}

/// Begins another life of the machine's journal; answers the jobs that became unknown.
pub(super) fn lose_journal(
    tx: &Transaction<'_>,
    machine: &MachineId,
    stream: &Stream,
    is_rolled_back: bool,
    now: Timestamp,
) -> Result<Vec<JobId>, StoreError> {
    note_journal_begun(tx, machine, stream, is_rolled_back, now)?;
    machines::save_stream(tx, machine, stream)?;
    machines::count_losses(tx, machine, 0, 1)?;
    let mut lost = Vec::new();
    for mut row in jobs::to_be_listed(tx, machine)? {
        let changes = decide(&row.job, now, Input::JournalLost).map_err(StoreError::Refused)?;
        jobs::change(tx, &mut row.job, &changes, &Actor::central(), now)?;
        if row.job.state == JobState::Unknown && !changes.is_empty() {
            lost.push(row.facts.id);
        }
    }
    Ok(lost)
}

pub(super) fn note_journal_begun(
    tx: &Transaction<'_>,
    machine: &MachineId,
    stream: &Stream,
    is_rolled_back: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(epoch) = stream.epoch else {
        return Ok(());
    };
    let note = Note::JournalBegun {
        epoch,
        generation: stream.generation,
        is_rolled_back,
    };
    if !aside::admit(tx, machine, (Kind::Note, note.kind()), None, now)? {
        return Ok(());
    }
    chain::append_note(
        tx,
        about(machine, None),
        &Actor::machine(machine),
        now,
        &note,
    )
}

fn lose_reports(
    tx: &Transaction<'_>,
    machine: &MachineId,
    sync: &Sync,
    from_seq: u64,
    to_seq: u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let note = Note::ReportsLost {
        epoch: sync.epoch,
        from_seq,
        to_seq,
    };
    if aside::admit(tx, machine, (Kind::Note, note.kind()), None, now)? {
        chain::append_note(tx, about(machine, None), &Actor::central(), now, &note)?;
    }
    let count = to_seq.saturating_sub(from_seq).saturating_add(1);
    machines::count_losses(tx, machine, count, 0)
}

const fn about(machine: &MachineId, job: Option<JobId>) -> About<'_> {
    About {
        job,
        machine: Some(machine),
    }
}

/// Goes through the jobs that the machine lists; whether one of them is over here and nothing follows from that while
/// reports are under way.
fn compare_jobs(
    tx: &Transaction<'_>,
    machine: &MachineId,
    sync: &Sync,
    synced: &Synced,
    now: Timestamp,
    outcome: &mut SyncOutcome,
) -> Result<bool, StoreError> {
    let mut has_passed_over = false;
    let listed: BTreeMap<JobId, &OpenJob> = sync
        .open_jobs
        .iter()
        .map(|open| (open.job_id, open))
        .collect();
    for (id, OpenJob { state, local, .. }) in &listed {
        // A job given by hand begins with its reports while those are under way, and with the list where central lost
        // them.
        let is_awaited = local.is_some() && !synced.is_settled;
        let said = local.as_deref().filter(|_local| !is_awaited);
        let Ok(mut row) = local::met(tx, machine, *id, said, now)? else {
            if is_awaited {
                continue;
            }
            let note = Note::UnexpectedJob { state: *state };
            if !aside::admit(tx, machine, (Kind::Note, note.kind()), None, now)? {
                continue;
            }
            chain::append_note(
                tx,
                about(machine, Some(*id)),
                &Actor::machine(machine),
                now,
                &note,
            )?;
            continue;
        };
        let was_over = row.job.state.is_end();
        let input = Input::Listed {
            place: synced.place(sync.last_event_seq),
            state: *state,
            is_settled: synced.is_settled,
        };
        // A list that names an end is none of ours; the reports tell.
        let changes = decide(&row.job, now, input).unwrap_or_default();
        jobs::change(tx, &mut row.job, &changes, &Actor::machine(machine), now)?;
        has_passed_over |= was_over && !synced.is_settled && row.job.copy.is_none();
        if must_call_off(&row.job, was_over, now) {
            outcome
                .ask_cancel
                .push((*id, jobs::ask_cancel(tx, &mut row.job, now)?));
        }
    }
    Ok(has_passed_over)
}

/// Whether the machine works on a job that was over here before the sync, holds a copy of a lost one, or owes an answer.
///
/// What was asked within its pause is not asked again: a line that flaps has many syncs.
fn must_call_off(job: &Job, was_over: bool, now: Timestamp) -> bool {
    let is_alive_there = was_over && !job.state.is_end();
    let is_owed = job.cancel_asked || job.copy == Some(MachineCopy::Held);
    is_alive_there || (is_owed && job.is_ask_due(now))
}

fn is_listed(sync: &Sync, job: JobId) -> bool {
    sync.open_jobs.iter().any(|open| open.job_id == job)
}

/// Goes through the jobs that a whole list should have named; whether one of them is lost and nothing follows from that
/// while reports are under way.
fn compare_unlisted(
    tx: &Transaction<'_>,
    machine: &MachineId,
    sync: &Sync,
    synced: &Synced,
    asked_at: Option<Timestamp>,
    now: Timestamp,
    outcome: &mut SyncOutcome,
) -> Result<bool, StoreError> {
    let mut has_passed_over = false;
    for mut row in jobs::to_be_listed(tx, machine)? {
        if is_listed(sync, row.facts.id) {
            continue;
        }
        let input = Input::Unlisted {
            is_settled: synced.is_settled,
            asked_at,
        };
        let changes = match decide(&row.job, now, input) {
            Ok(changes) => changes,
            Err(Refusal::Unproven) => {
                outcome.must_ask = true;
                continue;
            }
            Err(Refusal::Unsettled) => {
                has_passed_over = true;
                continue;
            }
            Err(refusal) => return Err(StoreError::Refused(refusal)),
        };
        jobs::change(tx, &mut row.job, &changes, &Actor::central(), now)?;
        if changes.contains(&Change::Lost) {
            outcome.lost_jobs.push(row.facts.id);
            outcome.must_ask = true;
        }
    }
    Ok(has_passed_over)
}

/// Asks again about jobs that the list does not name, where an answer is owed.
fn ask_unlisted(
    tx: &Transaction<'_>,
    machine: &MachineId,
    sync: &Sync,
    now: Timestamp,
    outcome: &mut SyncOutcome,
) -> Result<(), StoreError> {
    for mut row in jobs::open_of(tx, machine)? {
        let is_owed = row.job.cancel_asked && row.job.state.is_with_machine();
        if is_owed && !is_listed(sync, row.facts.id) {
            outcome
                .ask_cancel
                .push((row.facts.id, jobs::ask_cancel(tx, &mut row.job, now)?));
        }
    }
    Ok(())
}
