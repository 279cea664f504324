//! Reports in SQLite: taken in the machine's order, each exactly once.

use loket_domain::dispatch::{Change, Ingest, Input, MachineCopy, Place, Stream, decide};
use loket_wire::event::QuarantineReport;
use loket_wire::sealed::SealingPublic;
use loket_wire::{Epoch, Event, JobReport, MachineId, Report, Sha256Digest, Timestamp};
use rusqlite::{Transaction, params};

use super::aside::{self, Kind, Newest};
use super::chain::{self, About};
use super::column::{number, run, select_first};
use super::{doubts, jobs, local, machines, syncs};
use crate::actor::{Actor, check_text};
use crate::error::StoreError;
use crate::history::Note;
use crate::machine::SealTo;
use crate::report::{AckPoint, Ingested, JobNow, Taken};

/// Marks kept a machine: more reports than a machine can have on its way at once.
const KEPT_MARKS: u64 = 1024;

/// Longest code of a refusal, in bytes; ours have five.
const MAX_CODE_BYTES: usize = 40;

/// A key report whose key is none, or is not the one it names.
const WRONG_KEY: &str = "S-103";
/// One more report of a job than any honest job has.
const TOO_MANY: &str = "S-105";
/// A text that cannot be stored.
const WRONG_TEXT: &str = "S-104";

/// A report at its place in a machine's order: read, or to be set aside.
#[derive(Clone, Copy)]
pub(super) enum Arrived<'a> {
    Read(&'a Event),
    Unreadable {
        epoch: Epoch,
        seq: u64,
        code: &'a str,
        payload_sha256: Sha256Digest,
    },
}

impl Arrived<'_> {
    const fn place(&self) -> (Epoch, u64) {
        match self {
            Self::Read(event) => (event.epoch, event.seq),
            Self::Unreadable { epoch, seq, .. } => (*epoch, *seq),
        }
    }

    /// What tells this report from another under the same number: what it is about and when it was made. Nothing
    /// that a later version of the message may add, so that a repetition after an upgrade is still one.
    /// None for one that cannot be read: a later version may read it, and it is still the same.
    fn mark(&self) -> Option<Sha256Digest> {
        let text = match self {
            Self::Read(event) => match &event.report {
                Report::Job(job) => {
                    format!("job {} {} {}", job.job_id, job.state, job.at.unix_ms())
                }
                Report::Device(device) => {
                    format!("device {} {}", device.device, device.at.unix_ms())
                }
                Report::Key(key) => format!("key {}", key.key_id),
                Report::Quarantine(quarantine) => {
                    format!("quarantine {}", quarantine.payload_sha256)
                }
            },
            Self::Unreadable { .. } => return None,
        };
        Some(Sha256Digest::of(text.as_bytes()))
    }
}

pub(super) fn ingest(
    tx: &Transaction<'_>,
    machine: &MachineId,
    arrived: Arrived<'_>,
    now: Timestamp,
) -> Result<Ingested, StoreError> {
    let (epoch, seq) = arrived.place();
    let present = machines::stream(tx, machine)?;
    machines::seen(tx, machine, now)?;
    let is_of_present = present.epoch == Some(epoch);
    if is_of_present && doubts::open(tx, machine, &present)?.doubt.is_some() {
        // The further ones of its kind are noted, so that the answer is judged by all of them.
        if is_another(tx, machine, &present, arrived)? {
            doubts::doubt(tx, machine, &present, seq)?;
        }
        return in_doubt(tx, machine, &present);
    }
    match present.ingest(epoch, seq) {
        Ingest::OtherEpoch => {
            let Some(past) = machines::stream_of_epoch(tx, machine, epoch)? else {
                return Ok(not_taken(Taken::UnknownEpoch, None));
            };
            let ingest = past.ingest(epoch, seq);
            let mut ingested = take(tx, machine, arrived, ingest, None, now)?;
            // The machine keeps no outbox of that life any more.
            ingested.ack = None;
            ingested.must_ask = false;
            Ok(ingested)
        }
        Ingest::Duplicate if is_another(tx, machine, &present, arrived)? => {
            doubts::doubt(tx, machine, &present, seq)?;
            in_doubt(tx, machine, &present)
        }
        Ingest::Ahead { expected_seq } => {
            let ack = doubts::ack(tx, machine, &present)?;
            let mut ingested = not_taken(Taken::Ahead { expected_seq }, ack);
            ingested.must_ask = doubts::is_new_hole(tx, machine, &present, expected_seq)?;
            Ok(ingested)
        }
        ingest @ (Ingest::Commit { .. } | Ingest::Duplicate) => {
            if let (None, Ingest::Commit { stream, .. }) = (present.epoch, &ingest) {
                syncs::note_journal_begun(tx, machine, stream, false, now)?;
            }
            if ingest == Ingest::Duplicate {
                doubts::came_again(tx, machine, &present, seq)?;
            }
            let ack = doubts::ack(tx, machine, &present)?;
            take(tx, machine, arrived, ingest, ack, now)
        }
    }
}

/// Which journal it is that speaks must be settled first: central's question goes out with an acknowledgement of nothing.
fn in_doubt(
    tx: &Transaction<'_>,
    machine: &MachineId,
    present: &Stream,
) -> Result<Ingested, StoreError> {
    let mut ingested = not_taken(Taken::InDoubt, doubts::ack(tx, machine, present)?);
    ingested.must_ask = true;
    Ok(ingested)
}

const fn not_taken(taken: Taken, ack: Option<AckPoint>) -> Ingested {
    Ingested {
        taken,
        ack,
        job: None,
        must_ask: false,
    }
}

fn take(
    tx: &Transaction<'_>,
    machine: &MachineId,
    arrived: Arrived<'_>,
    ingest: Ingest,
    ack: Option<AckPoint>,
    now: Timestamp,
) -> Result<Ingested, StoreError> {
    let (stream, place) = match ingest {
        Ingest::Commit { stream, place } => (stream, place),
        Ingest::Duplicate => return Ok(not_taken(Taken::Duplicate, ack)),
        Ingest::Ahead { expected_seq } => {
            return Ok(not_taken(Taken::Ahead { expected_seq }, ack));
        }
        Ingest::OtherEpoch => return Ok(not_taken(Taken::UnknownEpoch, None)),
    };
    if let Some(mark) = arrived.mark() {
        save_mark(tx, machine, place, mark)?;
    }
    machines::save_stream(tx, machine, &stream)?;
    let read = match arrived {
        Arrived::Read(event) => read_report(tx, machine, event, place, now)?,
        Arrived::Unreadable { code, .. } => {
            check_text("code", code, MAX_CODE_BYTES).map_err(StoreError::Text)?;
            Err(code.to_owned())
        }
    };
    let ack = doubts::ack(tx, machine, &stream)?;
    let must_ask = doubts::is_relist_due(tx, machine, &stream)?;
    match read {
        Ok(job) => Ok(Ingested {
            taken: Taken::Committed,
            ack,
            job,
            must_ask,
        }),
        Err(code) => {
            set_aside(tx, machine, arrived, &code, now)?;
            let mut ingested = not_taken(Taken::Quarantined, ack);
            ingested.must_ask = must_ask;
            Ok(ingested)
        }
    }
}

/// Whether the report is another one than was committed under its number.
fn is_another(
    tx: &Transaction<'_>,
    machine: &MachineId,
    stream: &Stream,
    arrived: Arrived<'_>,
) -> Result<bool, StoreError> {
    let Some(mark) = arrived.mark() else {
        return Ok(false);
    };
    let (_epoch, seq) = arrived.place();
    let kept: Option<[u8; 32]> = select_first(
        tx,
        "SELECT mark FROM report_mark WHERE machine = ?1 AND generation = ?2 AND seq = ?3",
        params![
            machine.as_str(),
            number("generation", stream.generation)?,
            number("seq", seq)?
        ],
        |row| row.get("mark"),
    )?;
    Ok(kept.is_some_and(|kept| &kept != mark.as_bytes()))
}

fn save_mark(
    tx: &Transaction<'_>,
    machine: &MachineId,
    place: Place,
    mark: Sha256Digest,
) -> Result<(), StoreError> {
    let generation = number("generation", place.generation)?;
    run(
        tx,
        "INSERT INTO report_mark (machine, generation, seq, mark) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING",
        params![
            machine.as_str(),
            generation,
            number("seq", place.seq)?,
            mark.as_bytes().as_slice()
        ],
    )?;
    run(
        tx,
        "DELETE FROM report_mark
         WHERE machine = ?1 AND generation = ?2 AND seq <= ?3",
        params![
            machine.as_str(),
            generation,
            number("seq", place.seq.saturating_sub(KEPT_MARKS))?
        ],
    )?;
    Ok(())
}

/// What a report changes; the inner error is the code under which it is set aside.
type ReadReport = Result<Option<JobNow>, String>;

fn read_report(
    tx: &Transaction<'_>,
    machine: &MachineId,
    event: &Event,
    place: Place,
    now: Timestamp,
) -> Result<ReadReport, StoreError> {
    match &event.report {
        Report::Job(report) => read_job_report(tx, machine, report, place, now),
        Report::Device(report) => {
            machines::record_device(tx, machine, report, now)?;
            Ok(Ok(None))
        }
        Report::Key(report) => {
            // A key that no order can be sealed to would keep every job of the machine from being offered.
            let key = SealingPublic::parse(&report.public_key);
            if !key.is_ok_and(|key| key.key_id() == report.key_id) {
                return Ok(Err(WRONG_KEY.to_owned()));
            }
            let seal_to = SealTo {
                key_id: report.key_id,
                public_key: report.public_key.clone(),
            };
            machines::set_sealing_key(tx, machine, &seal_to)?;
            let key_id = report.key_id.to_string();
            remark(tx, machine, now, &Note::KeyAnnounced { key_id })?;
            Ok(Ok(None))
        }
        Report::Quarantine(report) => read_quarantine(tx, machine, report, now),
    }
}

fn read_quarantine(
    tx: &Transaction<'_>,
    machine: &MachineId,
    report: &QuarantineReport,
    now: Timestamp,
) -> Result<ReadReport, StoreError> {
    if check_text("code", &report.code, MAX_CODE_BYTES).is_err() {
        return Ok(Err(WRONG_TEXT.to_owned()));
    }
    let (code, payload_sha256) = (report.code.clone(), report.payload_sha256);
    remark(
        tx,
        machine,
        now,
        &Note::CommandSetAside {
            code,
            payload_sha256,
        },
    )?;
    Ok(Ok(None))
}

fn read_job_report(
    tx: &Transaction<'_>,
    machine: &MachineId,
    report: &JobReport,
    place: Place,
    now: Timestamp,
) -> Result<ReadReport, StoreError> {
    let said = report.local.as_deref();
    let mut row = match local::met(tx, machine, report.job_id, said, now)? {
        Ok(row) => row,
        Err(code) => return Ok(Err(code.to_owned())),
    };
    if !row.job.must_hear(report) && chain::is_full(tx, report.job_id)? {
        return Ok(Err(TOO_MANY.to_owned()));
    }
    let before = row.job.clone();
    let changes = match decide(&before, now, Input::Reported { place, report }) {
        Ok(changes) => changes,
        Err(refusal) => return Ok(Err(refusal.code().to_owned())),
    };
    let actor = Actor::reported(machine, report.actor.as_deref());
    jobs::change(tx, &mut row.job, &changes, &actor, now)?;
    let mut job_now = jobs::job_now(&row.job, before.state != row.job.state);
    // The machine works on what was called off, expired or finished here; or a sheet of an earlier life of its
    // journal came to light while its present copy of the job is alive. Asked once at once, and again in its time:
    // a machine whose own officer is asked says so each time.
    let is_woken = before.state.is_end() && !row.job.state.is_end();
    let is_copy_new = row.job.copy == Some(MachineCopy::Held) && before.copy != row.job.copy;
    let is_copy_alive = changes
        .iter()
        .any(|change| matches!(change, Change::Reported { .. }))
        && before.reported.is_some_and(|last| place < last);
    if is_woken || is_copy_new || is_copy_alive {
        job_now.ask_cancel_seq = Some(jobs::ask_cancel(tx, &mut row.job, now)?);
    }
    Ok(Ok(Some(job_now)))
}

fn set_aside(
    tx: &Transaction<'_>,
    machine: &MachineId,
    arrived: Arrived<'_>,
    code: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (epoch, seq) = arrived.place();
    let sha256 = match arrived {
        Arrived::Read(event) => Sha256Digest::of(&event.encode().unwrap_or_default()),
        Arrived::Unreadable { payload_sha256, .. } => payload_sha256,
    };
    let newest = Newest { epoch, seq, sha256 };
    if !aside::admit(tx, machine, (Kind::Report, code), Some(newest), now)? {
        return Ok(());
    }
    run(
        tx,
        "INSERT INTO quarantine (machine, epoch, event_seq, code, payload_sha256, received_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            machine.as_str(),
            epoch.to_string(),
            number("seq", seq)?,
            code,
            sha256.to_string(),
            now.unix_ms()
        ],
    )?;
    let set_aside = Note::ReportSetAside {
        epoch,
        seq,
        code: code.to_owned(),
        payload_sha256: sha256,
    };
    note(tx, machine, now, &set_aside)
}

/// A line of the history to which a machine can give cause as often as it likes: beyond the quota it is counted.
fn remark(
    tx: &Transaction<'_>,
    machine: &MachineId,
    now: Timestamp,
    remark: &Note,
) -> Result<(), StoreError> {
    if aside::admit(tx, machine, (Kind::Note, remark.kind()), None, now)? {
        note(tx, machine, now, remark)?;
    }
    Ok(())
}

fn note(
    tx: &Transaction<'_>,
    machine: &MachineId,
    now: Timestamp,
    note: &Note,
) -> Result<(), StoreError> {
    let about = About {
        job: None,
        machine: Some(machine),
    };
    chain::append_note(tx, about, &Actor::machine(machine), now, note)
}
