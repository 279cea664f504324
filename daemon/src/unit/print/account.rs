//! What this machine's own journal and ledger tell of a day: a station accounts for itself, without the outside.

use std::collections::BTreeMap;

use loket_domain::account::{Day, DayError, Known, Of, day, known_by_events};
use loket_domain::dispatch::LocalDay;
use loket_journal::{Journal, JournalError, StoredEvent};
use loket_wire::{JobId, MachineId, Timestamp, Zone};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{recover, retention};
use crate::clock::Clock;
use crate::shell::stream_of;

/// A stream that was closed so long before a day has nothing of it: the clock may have been put right in between by that
/// much, and no more is made up for.
const SLACK_MS: i64 = 24 * 3_600_000;

/// Why there is no account.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The journal cannot be read.
    #[error("read the journal for an account")]
    Journal(#[from] JournalError),
    /// More documents than an account holds.
    #[error(transparent)]
    Day(#[from] DayError),
}

/// The account of a day, and when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The account.
    pub day: Day,
    /// When it was made.
    #[serde(rename = "made_at_ms")]
    pub made_at: Timestamp,
    /// Whether that clock was trusted.
    pub clock_trusted: bool,
}

/// Accounts for this machine's days.
#[derive(Debug, Clone)]
pub struct ReportDesk {
    /// What is accounted for.
    pub journal: Journal,
    /// When an account is made.
    pub clock: Clock,
    /// This machine.
    pub machine: MachineId,
    /// The zone of its office.
    pub zone: Zone,
}

impl ReportDesk {
    /// Accounts for a day of the office. Other work of the journal goes on between its pages.
    ///
    /// # Errors
    /// [`ReportError`]
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: it reads alone.
    pub async fn day(&self, on: LocalDay) -> Result<Report, ReportError> {
        let of = Of {
            machine: self.machine.clone(),
            day: on,
            zone: self.zone,
        };
        let (start, _end) = of.span();
        let since_ms = start.unix_ms().saturating_sub(SLACK_MS);
        let mut found = Found::default();
        found.streams(&self.journal, since_ms).await?;
        found.ledger(&self.journal, since_ms).await?;
        found.earlier(&self.journal).await?;
        let known: Vec<Known> = found.known.into_values().collect();
        let mut day = day(&of, &known)?;
        day.totals.unread = found.unread;
        let now = self.clock.now();
        Ok(Report {
            day,
            made_at: now.wall,
            clock_trusted: now.trusted,
        })
    }
}

#[derive(Default)]
struct Found {
    known: BTreeMap<JobId, Known>,
    /// Jobs of which it is known that they were, and not what became of them.
    unread: u32,
}

impl Found {
    /// A job that a sweep folds meanwhile is found in the ledger, which is read after.
    async fn streams(&mut self, journal: &Journal, since_ms: i64) -> Result<(), JournalError> {
        let mut after = String::new();
        loop {
            let names = journal.stream_names(since_ms, &after).await?;
            let Some(last) = names.last() else {
                return Ok(());
            };
            after.clone_from(last);
            for name in names {
                self.take(&journal.stream(&name).await?);
            }
        }
    }

    async fn ledger(&mut self, journal: &Journal, since_ms: i64) -> Result<(), JournalError> {
        let mut after = String::new();
        loop {
            let rows = journal.ledger_rows(since_ms, &after).await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after.clone_from(&last.stream);
            for row in rows {
                match retention::known(&row) {
                    Some(known) => self.keep(known),
                    None => self.unread = self.unread.saturating_add(1),
                }
            }
        }
    }

    /// The jobs that those of the day replace on paper, where this machine had them.
    async fn earlier(&mut self, journal: &Journal) -> Result<(), JournalError> {
        let replaced = self.known.values().filter_map(|it| it.reprint.as_ref());
        let wanted: Vec<JobId> = replaced.map(|reprint| reprint.job).collect();
        for job in wanted {
            if self.known.contains_key(&job) {
                continue;
            }
            let stream = stream_of(job);
            let events = journal.stream(&stream).await?;
            if events.is_empty() {
                let row = journal.ledger(&stream).await?;
                if let Some(known) = row.and_then(|row| retention::known(&row)) {
                    self.keep(known);
                }
            } else {
                self.take(&events);
            }
        }
        Ok(())
    }

    fn keep(&mut self, known: Known) {
        self.known.insert(known.job_id, known);
    }

    fn take(&mut self, stored: &[StoredEvent]) {
        match of_stream(stored) {
            Some(Some(known)) => self.keep(known),
            Some(None) => {}
            None => self.unread = self.unread.saturating_add(1),
        }
    }
}

/// What a stream tells; nothing of one that this program cannot read.
pub(super) fn of_stream(stored: &[StoredEvent]) -> Option<Option<Known>> {
    let events: Result<Vec<_>, _> = stored.iter().map(recover::read).collect();
    known_by_events(&events.ok()?).ok()
}
