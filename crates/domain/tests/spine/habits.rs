//! How a printer differs from another.

/// What a printer remembers of its jobs after a power cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Memory {
    /// Nothing, and ids start again at 1 (seen on ippeveprinter).
    ForgetsAndRestartsIds,
    /// Nothing, but ids go on (seen on PAPPL).
    Forgets,
    /// Its jobs, those under way as aborted, and its counters.
    Keeps,
    /// Its jobs, those under way as aborted, but not how many pages came out.
    KeepsButMiscounts,
}

/// What job-impressions-completed says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counter {
    /// Pages that came out.
    Honest,
    /// Nothing.
    Absent,
    /// Always 0; its profile says so.
    StuckAtZero,
}

/// What becomes of a document whose bytes stop half way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Torn {
    /// The job is aborted, unprinted.
    AbortsJob,
    /// The part is dropped; the job waits for its document.
    WaitsAgain,
    /// The part is kept and the job waits on: it would print with what follows.
    KeepsPart,
}

/// How a printer differs from another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// After a power cycle.
    pub(crate) memory: Memory,
    /// Of pages.
    pub(crate) counter: Counter,
    /// After a torn document.
    pub(crate) torn: Torn,
    /// Whether a second document for a job is refused.
    pub(crate) is_single_document: bool,
    /// Whether jobs have a UUID.
    pub(crate) has_uuid: bool,
    /// Whether its profile believes its count and its refusal of a second document, right or wrong.
    pub(crate) is_believed: bool,
    /// Whether it refuses jobs while it has one, as ippeveprinter does.
    pub(crate) is_one_at_a_time: bool,
    /// Whether it takes a job only with its document.
    pub(crate) takes_whole: bool,
    /// Whether it gives up a job that waits long for its document; ippeveprinter says so and does not.
    pub(crate) gives_up_waiting: bool,
}
