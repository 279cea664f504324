//! What became of what a machine said.

use loket_wire::{Epoch, JobId, JobState};

/// What central acknowledges: everything of `epoch` up to `seq` is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AckPoint {
    /// The life of the machine's journal.
    pub epoch: Epoch,
    /// Highest contiguous report.
    pub seq: u64,
}

/// What was done with a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Committed.
    Committed,
    /// Committed before.
    Duplicate,
    /// Reports before it are missing: not committed; the machine sends from `expected_seq` on.
    Ahead {
        /// The report that is next.
        expected_seq: u64,
    },
    /// Of a life of the journal that no sync announced: not committed; the machine's next sync settles it.
    UnknownEpoch,
    /// Set aside; counts as committed.
    Quarantined,
    /// Another report was committed under a number of this journal: nothing is taken and nothing acknowledged until the
    /// machine's answered sync says whether its journal was set back.
    InDoubt,
}

/// A job after a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobNow {
    /// The job.
    pub id: JobId,
    /// Where it stands.
    pub state: JobState,
    /// Whether that is an end: central's sealed copy of its document is to be erased.
    pub is_end: bool,
    /// Whether the report changed the state.
    pub has_moved: bool,
    /// The machine holds what was called off or is over here: send `cmd/cancel` with this number.
    pub ask_cancel_seq: Option<u64>,
}

/// What became of one report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ingested {
    /// What was done with it.
    pub taken: Taken,
    /// What to acknowledge; `None` when the report is not of the machine's present journal.
    pub ack: Option<AckPoint>,
    /// The job it was about.
    pub job: Option<JobNow>,
    /// Ask the machine for its sync: what it holds is not sure.
    pub must_ask: bool,
}

impl Ingested {
    /// Whether the report had been committed before.
    #[must_use]
    pub const fn was_duplicate(&self) -> bool {
        matches!(self.taken, Taken::Duplicate)
    }
}

/// What became of a sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncOutcome {
    /// What to acknowledge.
    pub ack: AckPoint,
    /// Whether it means that a journal or a job was lost and does not prove it, so that nothing changed of that; or that
    /// what was lost by it must be asked about: ask the machine for its sync.
    pub must_ask: bool,
    /// It may have been said on a connection that is over: it does not tell where the machine is.
    pub is_late: bool,
    /// The machine's former journal is gone.
    pub is_new_epoch: bool,
    /// The machine's journal was set back to an earlier copy.
    pub is_rolled_back: bool,
    /// Reports from the first to the second number are lost: alarm.
    pub gap: Option<(u64, u64)>,
    /// Jobs that became `unknown (journal-lost)`.
    pub lost_jobs: Vec<JobId>,
    /// Whether jobs are due for this machine: ring the dispatcher.
    pub reoffer: bool,
    /// Send `cmd/cancel` for these jobs with these numbers: the machine lists them though they are lost or over here,
    /// or owes an answer.
    pub ask_cancel: Vec<(JobId, u64)>,
}
