//! How long this machine remembers what it printed (CONTRACT: envelope and documents, one machine).

use std::time::Duration;

use loket_domain::account::Known;
use loket_domain::core::{Core as _, Now};
use loket_domain::print::{Desk, What};
use loket_journal::{Journal, JournalError, LedgerRow, StoredEvent, SweepCuts, Swept};
use loket_wire::{JobId, JobReport, JobState, Reason, Reference, Report, Service};
use serde::{Deserialize, Serialize};

use super::account;
use super::recover::{RecoverError, read};
use crate::clock::{Clock, certain};
use crate::telemetry::chain;

/// A closed job's events become one ledger row after this long: central asks about a job within days.
const EVENTS_KEPT_DAYS: i64 = 30;

/// A ledger row goes after this long; central keeps its own for five years.
const LEDGER_KEPT_DAYS: i64 = 90;

/// Version of a ledger row's shape.
const SUMMARY_VERSION: u16 = 2;

const MS_PER_DAY: i64 = 86_400_000;

/// Stations are switched off in the evening: a daily step might never come.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// What stays of a closed job: references only.
#[derive(Debug, Serialize, Deserialize)]
struct Summary {
    v: u16,
    job_id: JobId,
    reference: Reference,
    service: Service,
    state: JobState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    attempt_count: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sheet_count: Option<u32>,
    /// What accounts of its day are made of. Rows of version 1 lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<Known>,
}

/// Sweeps every hour, for ever; dropped between two steps it leaves each job whole or folded.
pub(super) async fn run(journal: Journal, clock: Clock) {
    let mut due = tokio::time::interval(SWEEP_EVERY);
    loop {
        due.tick().await;
        match sweep(&journal, clock.now()).await {
            Ok(swept) => tell(&swept),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "old jobs not folded; again in an hour");
            }
        }
    }
}

fn tell(swept: &Swept) {
    if swept.left_count > 0 {
        tracing::warn!(
            left_count = swept.left_count,
            "old jobs were written by a later version of this program; they are kept for it until their 90 days are over"
        );
    }
    if swept.folded_count > 0 || swept.dropped_count > 0 {
        tracing::info!(
            folded_count = swept.folded_count,
            dropped_count = swept.dropped_count,
            "old jobs folded into the ledger, older ledger rows dropped"
        );
    }
}

/// Folds jobs that closed more than 30 days ago into ledger rows, and drops rows older than 90 days. A job that a later
/// version of the program wrote stays whole for that program, until its row would be dropped.
///
/// Age counts by what certainly passed: a clock that nobody confirmed must not make a machine forget what it printed.
///
/// # Errors
/// Those of any write; what was folded by then stays folded.
pub async fn sweep(journal: &Journal, now: Now) -> Result<Swept, JournalError> {
    let certain = certain(now);
    let before = |days: i64| {
        certain
            .unix_ms()
            .saturating_sub(days.saturating_mul(MS_PER_DAY))
    };
    let cuts = SweepCuts {
        closed_before_ms: before(EVENTS_KEPT_DAYS),
        ledger_before_ms: before(LEDGER_KEPT_DAYS),
    };
    let mut all = Swept::default();
    loop {
        let swept = journal
            .sweep_closed(cuts, all.last.clone(), summarise)
            .await?;
        all.folded_count = all.folded_count.saturating_add(swept.folded_count);
        all.left_count = all.left_count.saturating_add(swept.left_count);
        all.dropped_count = all.dropped_count.saturating_add(swept.dropped_count);
        let is_stuck = swept.last.is_none() && swept.dropped_count == 0;
        // A call that only drops rows looks at no stream, and the next one does not begin again.
        all.last = swept.last.or(all.last);
        if !swept.more || is_stuck {
            return Ok(all);
        }
    }
}

/// The row of one stream; none for events of a later version. Events that this version wrote and cannot read make an
/// empty row, which says only that the job is known.
fn summarise(events: &[StoredEvent]) -> Option<Vec<u8>> {
    if events.iter().any(is_later) {
        return None;
    }
    let row = summary(events).and_then(|summary| serde_json::to_vec(&summary).ok());
    Some(row.unwrap_or_default())
}

fn is_later(stored: &StoredEvent) -> bool {
    matches!(read(stored), Err(RecoverError::TooNew { .. }))
}

fn summary(events: &[StoredEvent]) -> Option<Summary> {
    let mut desk = Desk::new(Vec::new());
    let mut sheets = None;
    let mut id = None;
    for stored in events {
        let event = read(stored).ok()?;
        if let What::Ended { sheet_count, .. } = &event.what {
            sheets = *sheet_count;
        }
        desk.apply(&event).ok()?;
        id = Some(event.job_id);
    }
    let job = desk.job(id?)?;
    let (state, reason) = job.public_state();
    Some(Summary {
        v: SUMMARY_VERSION,
        job_id: job.facts.job_id,
        reference: job.facts.reference.clone(),
        service: job.facts.service.clone(),
        state,
        reason,
        attempt_count: job.attempt_count,
        sheet_count: sheets,
        account: account::of_stream(events).flatten().map(Known::folded),
    })
}

/// What accounts are made of, of a job of which the ledger row alone stands.
pub(super) fn known(row: &LedgerRow) -> Option<Known> {
    read_row(&row.bytes)?.account
}

/// What central is told of a job of which the ledger row alone stands.
pub(super) fn report(row: &LedgerRow, now: Now) -> Option<Report> {
    let summary = read_row(&row.bytes)?;
    Some(Report::Job(JobReport {
        job_id: summary.job_id,
        state: summary.state,
        reason: summary.reason,
        attempt: (summary.attempt_count > 0).then_some(summary.attempt_count),
        sheet_count: summary.sheet_count,
        actor: None,
        at: now.wall,
        clock_trusted: now.trusted,
        // Such a row is asked for by central alone, of a job that it knows.
        local: None,
    }))
}

/// Reads a row of this or an earlier version. What a later program wrote is left as it is: it says that the job is
/// known, and its end is told once that program runs again.
fn read_row(bytes: &[u8]) -> Option<Summary> {
    let Versioned { v } = serde_json::from_slice(bytes).ok()?;
    if v > SUMMARY_VERSION {
        tracing::error!(
            version = v,
            "a ledger row was written by a later version of this program"
        );
        return None;
    }
    serde_json::from_slice(bytes).ok()
}

/// What every version of a row says first.
#[derive(Deserialize)]
struct Versioned {
    v: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ledger rows as each version wrote them, one a line.
    const ROWS_V1: &str = include_str!("../../../tests/fixtures/ledger-rows-v1.jsonl");
    const ROWS_V2: &str = include_str!("../../../tests/fixtures/ledger-rows-v2.jsonl");

    #[test]
    fn ledger_rows_of_each_version_are_read_and_written_as_they_were() {
        for (rows, has_account) in [(ROWS_V1, false), (ROWS_V2, true)] {
            let mut count = 0;
            for line in rows.lines() {
                let summary = read_row(line.as_bytes()).unwrap();
                assert_eq!(serde_json::to_string(&summary).unwrap(), line);
                assert_eq!(summary.account.is_some(), has_account);
                count += 1;
            }
            assert_eq!(count, 2);
        }
    }

    #[test]
    fn a_ledger_row_of_a_later_version_is_not_guessed_at() {
        let later = ROWS_V2.replace("{\"v\":2", "{\"v\":3");
        assert!(
            later
                .lines()
                .all(|line| read_row(line.as_bytes()).is_none())
        );
        assert!(
            read_row(b"").is_none(),
            "the row of events that could not be read"
        );
    }
}
