//! Jobs in SQLite: taken in, listed, offered, called off, expired.

mod search;

use loket_domain::dispatch::{Change, Input, Job, apply, decide};
use loket_wire::{Epoch, JobId, JobState, MachineId, Sha256Digest, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Transaction, params};

use super::chain::{self, About};
use super::column::{run, select, select_first};
use super::job_row::{insert, read_job, save};
use super::{machines, size};
use crate::actor::{Actor, check_text};
use crate::error::StoreError;
use crate::history::Note;
use crate::job::{
    CancelOutcome, Inserted, JobCursor, JobFilter, JobPage, JobRow, MAX_PAGE_JOBS, NewJob, Offer,
    Origin, Pick,
};
use crate::report::JobNow;

/// Longest reason of a reprint, in bytes: 200 characters of up to four bytes.
const MAX_REPRINT_REASON_BYTES: usize = 4 * loket_wire::order::MAX_REPRINT_REASON_CHARS;

/// A job in one of these does not stand in the way of another for the same document.
const IN_NOBODYS_WAY: &str = "('failed', 'rejected', 'expired', 'cancelled')";

/// One job.
pub(super) fn find(tx: &Transaction<'_>, id: JobId) -> Result<Option<JobRow>, StoreError> {
    select_first(
        tx,
        "SELECT * FROM job WHERE id = ?1",
        [id.to_string()],
        read_job,
    )
}

/// One job that must be there.
pub(super) fn get(tx: &Transaction<'_>, id: JobId) -> Result<JobRow, StoreError> {
    find(tx, id)?.ok_or(StoreError::NoSuchJob { job: id })
}

/// Applies the changes, writes them into the history and saves the job.
pub(super) fn change(
    tx: &Transaction<'_>,
    job: &mut Job,
    changes: &[Change],
    actor: &Actor,
    at: Timestamp,
) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let machine = job.machine.clone();
    let about = About {
        job: Some(job.id),
        machine: Some(&machine),
    };
    for change in changes {
        apply(job, at, change);
        chain::append_change(tx, about, actor, at, change)?;
    }
    save(tx, job)
}

pub(super) fn insert_job(
    tx: &Transaction<'_>,
    new: &NewJob,
    actor: &Actor,
    now: Timestamp,
) -> Result<Inserted, StoreError> {
    if let Some(standing) = standing_in_the_way(tx, new)? {
        return Ok(standing);
    }
    let facts = &new.facts;
    if machines::find(tx, &facts.machine)?.is_none() {
        return Err(StoreError::NoSuchMachine);
    }
    if let Some(reprint) = &new.intake.reprint_of {
        check_text(
            "the reason of a reprint",
            &reprint.reason,
            MAX_REPRINT_REASON_BYTES,
        )
        .map_err(StoreError::Text)?;
    }
    size::room_for_a_job(tx)?;
    let job = Job::created(facts.id, facts.machine.clone(), facts.not_after, now);
    insert(tx, new, &job)?;
    let created = Change::Created {
        machine: facts.machine.clone(),
        not_after: facts.not_after,
        reprint_of: new.intake.reprint_of.clone(),
    };
    let about = About {
        job: Some(facts.id),
        machine: Some(&facts.machine),
    };
    chain::append_change(tx, about, actor, now, &created)?;
    Ok(Inserted::Created)
}

pub(super) fn standing_in_the_way(
    tx: &Transaction<'_>,
    new: &NewJob,
) -> Result<Option<Inserted>, StoreError> {
    if let Some(key) = &new.idempotency_key {
        let seen = select_first(
            tx,
            "SELECT id, request_sha256 FROM job WHERE idempotency_sha256 = ?1",
            [key.key_sha256.to_string()],
            |row| Ok((row.parsed("id")?, row.digest("request_sha256")?)),
        )?;
        if let Some((job, body_sha256)) = seen {
            let is_same_body = body_sha256 == key.body_sha256;
            return Ok(Some(Inserted::SameKey { job, is_same_body }));
        }
    }
    if let Some(folder_sha256) = new.folder_sha256
        && let Some(job) = of_folder_files(tx, folder_sha256)?
    {
        return Ok(Some(Inserted::SameFolderFiles { job }));
    }
    let content_sha256 = new.intake.content_sha256;
    let named = new.intake.reprint_of.as_ref().map(|reprint| reprint.job);
    if let Some(named) = named {
        let replaced = find(tx, named)?.and_then(|row| row.intake);
        if replaced.is_none_or(|intake| intake.content_sha256 != content_sha256) {
            return Ok(Some(Inserted::ReprintOfUnknown));
        }
    }
    let existing = latest_with(tx, "content_sha256", content_sha256)?;
    Ok(existing
        .filter(|job| named != Some(*job))
        .map(|job| Inserted::AlreadyThere { job }))
}

/// The job of the same files in the intake folder, ended or not: those files were brought once, so they are done once.
fn of_folder_files(
    tx: &Transaction<'_>,
    sha256: Sha256Digest,
) -> Result<Option<JobId>, StoreError> {
    select_first(
        tx,
        "SELECT id FROM job WHERE folder_sha256 = ?1 LIMIT 1",
        [sha256.to_string()],
        |row| row.parsed("id"),
    )
}

fn latest_with(
    tx: &Transaction<'_>,
    column: &'static str,
    sha256: Sha256Digest,
) -> Result<Option<JobId>, StoreError> {
    let sql = format!(
        "SELECT id FROM job WHERE {column} = ?1 AND state NOT IN {IN_NOBODYS_WAY}
         ORDER BY created_at_ms DESC, id DESC LIMIT 1"
    );
    select_first(tx, &sql, [sha256.to_string()], |row| row.parsed("id"))
}

/// The condition of a filter, and the values for its places.
#[derive(Default)]
struct Condition {
    clauses: Vec<String>,
    values: Vec<Value>,
}

impl Condition {
    fn of(filter: &JobFilter) -> Self {
        let mut condition = Self::besides_search(filter);
        search::narrow(&mut condition, filter, None);
        condition
    }

    fn besides_search(filter: &JobFilter) -> Self {
        let mut condition = Self::default();
        if !filter.states.is_empty() {
            let states: Vec<_> = filter
                .states
                .iter()
                .map(|state| condition.text(state.as_str()))
                .collect();
            let column = search::state_column(filter);
            condition
                .clauses
                .push(format!("{column} IN ({})", states.join(", ")));
        }
        if let Some(machine) = &filter.machine {
            let machine = condition.text(machine.as_str());
            condition.clauses.push(format!("machine = {machine}"));
        }
        if let Some(office) = &filter.office {
            let office = condition.text(office.as_str());
            condition.clauses.push(format!("office = {office}"));
        }
        match filter.origin {
            Some(Origin::Central) => condition.clauses.push("local IS NULL".to_owned()),
            Some(Origin::Local) => condition.clauses.push("local IS NOT NULL".to_owned()),
            None => {}
        }
        if let Some(pick) = filter.pick {
            let clause = condition.pick(pick);
            condition.clauses.push(clause);
        }
        condition
    }

    fn place(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }

    fn text(&mut self, text: &str) -> String {
        self.place(Value::Text(text.to_owned()))
    }

    fn time(&mut self, at: Timestamp) -> String {
        self.place(Value::Integer(at.unix_ms()))
    }

    fn pick(&mut self, pick: Pick) -> String {
        match pick {
            Pick::Overdue { now } => {
                let now = self.time(now);
                format!("(ended_at_ms IS NULL AND due_at_ms < {now})")
            }
            Pick::Unresolved { since } => {
                let since = self.time(since);
                format!(
                    "(state IN ('failed', 'rejected') AND created_at_ms >= {since} AND local IS NULL
                      AND NOT EXISTS
                        (SELECT 1 FROM job AS later WHERE later.content_sha256 = job.content_sha256
                         AND later.created_at_ms > job.created_at_ms))"
                )
            }
            Pick::Attention { now, since } => {
                let overdue = self.pick(Pick::Overdue { now });
                let unresolved = self.pick(Pick::Unresolved { since });
                format!("(state = 'unknown' OR {overdue} OR {unresolved})")
            }
            Pick::Printed { since } => {
                let since = self.time(since);
                format!(
                    "(state = 'printed' AND ended_at_ms IS NOT NULL AND ended_at_ms >= {since})"
                )
            }
        }
    }

    fn sql(&self) -> String {
        match self.clauses.is_empty() {
            true => String::new(),
            false => format!("WHERE {}", self.clauses.join(" AND ")),
        }
    }
}

pub(super) fn count(tx: &Transaction<'_>, filter: &JobFilter) -> Result<u64, StoreError> {
    let condition = Condition::of(filter);
    let sql = format!("SELECT count(*) AS jobs FROM job {}", condition.sql());
    let values = rusqlite::params_from_iter(condition.values);
    let count = select_first(tx, &sql, values, |row| row.count("jobs"))?;
    Ok(count.unwrap_or(0))
}

pub(super) fn list(tx: &Transaction<'_>, filter: &JobFilter) -> Result<JobPage, StoreError> {
    let limit = match filter.limit {
        0 => MAX_PAGE_JOBS,
        limit => limit.min(MAX_PAGE_JOBS),
    };
    // One more than asked tells whether there is a next page.
    let (sql, values) = search::page(filter, limit + 1);
    let mut jobs = select(tx, &sql, rusqlite::params_from_iter(values), read_job)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = jobs.len() > limit;
    jobs.truncate(limit);
    let next = jobs.last().filter(|_last| has_more).map(|last| JobCursor {
        created_at: last.job.created_at,
        id: last.facts.id,
        reference: search::is_by_reference(filter).then(|| last.facts.reference.clone()),
    });
    Ok(JobPage { jobs, next })
}

pub(super) fn mark_offered(
    tx: &Transaction<'_>,
    id: JobId,
    epoch: Epoch,
    now: Timestamp,
) -> Result<Offer, StoreError> {
    let mut row = get(tx, id)?;
    let stream = machines::stream(tx, &row.facts.machine)?;
    if stream.epoch != Some(epoch) {
        return Err(StoreError::EpochChanged { job: id });
    }
    let command_seq = machines::draw_command_seq(tx, &row.facts.machine)?;
    let changes =
        decide(&row.job, now, Input::Offer { epoch, command_seq }).map_err(StoreError::Refused)?;
    change(tx, &mut row.job, &changes, &Actor::central(), now)?;
    Ok(Offer {
        epoch,
        command_seq,
        offer_count: row.job.offer_count,
    })
}

pub(super) fn document_asked(
    tx: &Transaction<'_>,
    id: JobId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut row = get(tx, id)?;
    let changes = decide(&row.job, now, Input::DocumentAsked).map_err(StoreError::Refused)?;
    let actor = Actor::machine(&row.facts.machine);
    change(tx, &mut row.job, &changes, &actor, now)
}

pub(super) fn request_cancel(
    tx: &Transaction<'_>,
    id: JobId,
    by: &Actor,
    now: Timestamp,
) -> Result<CancelOutcome, StoreError> {
    let mut row = get(tx, id)?;
    let command_seq = machines::draw_command_seq(tx, &row.facts.machine)?;
    let changes = match decide(&row.job, now, Input::CancelAsked { command_seq }) {
        Ok(changes) => changes,
        Err(refusal) => return Ok(CancelOutcome::Refused(refusal)),
    };
    change(tx, &mut row.job, &changes, by, now)?;
    Ok(match (row.job.state, row.job.cancel_asked) {
        (JobState::Cancelled, false) => CancelOutcome::Cancelled,
        (JobState::Cancelled, true) => CancelOutcome::CancelledAskToo { command_seq },
        (_with_machine, _asked) => CancelOutcome::Asked { command_seq },
    })
}

/// Asks the machine (again) to call a job off and answers the command's number. The history has one line for each reason
/// to ask, not for each time: an hourly question would fill it in weeks.
pub(super) fn ask_cancel(
    tx: &Transaction<'_>,
    job: &mut Job,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let command_seq = machines::draw_command_seq(tx, &job.machine)?;
    let changes =
        decide(job, now, Input::CancelAgain { command_seq }).map_err(StoreError::Refused)?;
    if job.cancel_asked && job.ask_count > 0 {
        for change in &changes {
            apply(job, now, change);
        }
        save(tx, job)?;
    } else {
        change(tx, job, &changes, &Actor::central(), now)?;
    }
    Ok(command_seq)
}

/// How a job stands, for the caller.
pub(super) const fn job_now(job: &Job, has_moved: bool) -> JobNow {
    JobNow {
        id: job.id,
        state: job.state,
        is_end: job.state.is_end(),
        has_moved,
        ask_cancel_seq: None,
    }
}

pub(super) fn expire_due(
    tx: &Transaction<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<JobId>, StoreError> {
    let due = select(
        tx,
        "SELECT * FROM job WHERE state IN ('created', 'offered') AND not_after_ms < ?1 LIMIT ?2",
        params![now.unix_ms(), limit],
        read_job,
    )?;
    let mut expired = Vec::new();
    for mut row in due {
        let changes = decide(&row.job, now, Input::Tick).map_err(StoreError::Refused)?;
        change(tx, &mut row.job, &changes, &Actor::central(), now)?;
        if row.job.state == JobState::Expired {
            expired.push(row.facts.id);
        }
    }
    Ok(expired)
}

pub(super) fn secrets_to_drop(tx: &Transaction<'_>, limit: u32) -> Result<Vec<JobId>, StoreError> {
    select(
        tx,
        "SELECT id FROM job WHERE ended_at_ms IS NOT NULL AND secrets_dropped = 0
         ORDER BY id LIMIT ?1",
        [limit],
        |row| row.parsed("id"),
    )
}

pub(super) fn mark_secrets_dropped(
    tx: &Transaction<'_>,
    id: JobId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = get(tx, id)?;
    if row.secrets_dropped {
        return Ok(());
    }
    run(
        tx,
        "UPDATE job SET secrets_dropped = 1 WHERE id = ?1",
        [id.to_string()],
    )?;
    let about = About {
        job: Some(id),
        machine: Some(&row.facts.machine),
    };
    chain::append_note(tx, about, &Actor::central(), now, &Note::SecretsDropped)
}

/// The machine's jobs that are not over.
pub(super) fn open_of(
    tx: &Transaction<'_>,
    machine: &MachineId,
) -> Result<Vec<JobRow>, StoreError> {
    select(
        tx,
        "SELECT * FROM job WHERE machine = ?1 AND ended_at_ms IS NULL ORDER BY id",
        [machine.as_str()],
        read_job,
    )
}

/// The machine's jobs that a whole list of its open jobs should name: those that are not over, and those that are but of
/// which it holds a copy or owes the answer to a cancel.
pub(super) fn to_be_listed(
    tx: &Transaction<'_>,
    machine: &MachineId,
) -> Result<Vec<JobRow>, StoreError> {
    let mut rows = open_of(tx, machine)?;
    rows.extend(select(
        tx,
        "SELECT * FROM job WHERE machine = ?1 AND ended_at_ms IS NOT NULL AND copy IS NOT NULL
         UNION
         SELECT * FROM job WHERE machine = ?1 AND ended_at_ms IS NOT NULL AND cancel_asked = 1
         ORDER BY id",
        [machine.as_str()],
        read_job,
    )?);
    Ok(rows)
}
