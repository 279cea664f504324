//! What is asked and told of jobs.

use loket_domain::dispatch::{Job, Refusal};
use loket_wire::order::ReprintOf;
use loket_wire::{
    Blob, Class, Epoch, JobId, JobState, MachineId, OfficeId, Reference, Release, Service,
    Sha256Digest, Timestamp,
};

use crate::report::AckPoint;

/// Most jobs in one page: what a console page shows and one answer carries.
pub const MAX_PAGE_JOBS: u32 = 200;

/// What central knows of every job for good. Nothing of it tells who the document is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFacts {
    /// The job.
    pub id: JobId,
    /// The operator's own name for the order, or the machine's for a job that was given to it by hand.
    pub reference: Reference,
    /// The public service.
    pub service: Service,
    /// Controlled or own.
    pub class: Class,
    /// What must happen before printing.
    pub release: Release,
    /// The machine that prints.
    pub machine: MachineId,
    /// The office it stands in.
    pub office: OfficeId,
    /// Last moment it may be printed.
    pub not_after: Timestamp,
}

/// What central knows for good of a job that it ordered: its document was here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    /// When it should be printed: one working day.
    pub due_at: Timestamp,
    /// SHA-256 of the document at intake.
    pub document_sha256: Sha256Digest,
    /// SHA-256 of its signed revision.
    pub revision_sha256: Sha256Digest,
    /// SHA-256 of what its signature covers: tells documents apart where copies differ in what no signature can
    /// cover.
    pub content_sha256: Sha256Digest,
    /// Pages of that revision.
    pub page_count: u32,
    /// Size of that revision.
    pub size_bytes: u64,
    /// The sealed document: what a machine fetches.
    pub blob: Blob,
    /// The job this one replaces on paper, and why.
    pub reprint_of: Option<ReprintOf>,
}

/// A caller's promise that the same request carries the same key. Digests, because a key is free text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// SHA-256 of who asked and the key.
    pub key_sha256: Sha256Digest,
    /// SHA-256 of what was asked.
    pub body_sha256: Sha256Digest,
}

/// A job to be taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Its facts.
    pub facts: JobFacts,
    /// Its document.
    pub intake: Intake,
    /// From the HTTP request, if it had one.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Digest of the very files in the intake folder, if it came that way: of what they hold and of which files they
    /// are, so that a copy of them is another pair. Committed before the files are moved.
    pub folder_sha256: Option<Sha256Digest>,
}

/// What became of a job to be taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It is taken in.
    Created,
    /// The same idempotency key was seen: answer with that job if `is_same_body`, else refuse (422).
    SameKey {
        /// The job of the first request.
        job: JobId,
        /// Whether it asked for the same.
        is_same_body: bool,
    },
    /// The very same folder files were taken in before, whatever became of their job: move them away as done.
    SameFolderFiles {
        /// Their job.
        job: JobId,
    },
    /// The same revision has a job that did not end as failed, rejected, expired or cancelled (409).
    AlreadyThere {
        /// The latest such job: a reprint must name it.
        job: JobId,
    },
    /// `reprint_of` names a job that is not known here, or of another document (422).
    ReprintOfUnknown,
}

/// A job as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// What never changes. `facts.id`, `facts.machine` and `facts.not_after` are also in `job`.
    pub facts: JobFacts,
    /// What central ordered with it; `None` for a job that a person gave to its machine by hand, of which `job.local`
    /// tells instead.
    pub intake: Option<Intake>,
    /// What changes.
    pub job: Job,
    /// Whether central's own sealed copy is known to be erased. There never was one of a job given by hand.
    pub secrets_dropped: bool,
}

/// Who ordered a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Central.
    Central,
    /// A person at the machine, by hand.
    Local,
}

impl JobRow {
    /// Who ordered it.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        match self.job.local {
            None => Origin::Central,
            Some(_) => Origin::Local,
        }
    }
}

/// Where the next page begins: after this job of the page before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCursor {
    /// `created_at` of the last job of the page before.
    pub created_at: Timestamp,
    /// Its id.
    pub id: JobId,
    /// Its reference, where the list is in the order of references.
    pub reference: Option<Reference>,
}

/// What one looks for. A search never reads more of the table than it finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// The job of that id.
    Id(JobId),
    /// The job whose id ends in these digits: what pages show as its number.
    Number(JobNumber),
    /// Jobs of that reference, upper and lower case alike.
    Reference(Reference),
    /// Jobs whose reference begins so, upper and lower case alike. They come in the order of their references, and
    /// newest first where those are the same.
    ReferenceStart(Reference),
}

/// The last part of a job's id, by which people name it: 12 hexadecimal digits, lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobNumber(String);

impl JobNumber {
    /// Hexadecimal digits of a number.
    pub const DIGITS: usize = 12;

    /// Reads a number in upper or lower case; `None` for what is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        (text.len() == Self::DIGITS && is_hex).then(|| Self(text.to_ascii_lowercase()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A span of moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

/// Jobs that people ask for and that no state alone tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// Not ended, and due before the moment. The clock of a working day stops at paper or at any other end.
    Overdue {
        /// The present.
        now: Timestamp,
    },
    /// Ordered here, ended as failed or rejected, taken in since, and no later job is there for the same document. Who
    /// gives a document by hand sees its end at once.
    Unresolved {
        /// How far back people look.
        since: Timestamp,
    },
    /// Somebody must act: unknown, overdue, or unresolved.
    Attention {
        /// The present.
        now: Timestamp,
        /// How far back people look for what is unresolved.
        since: Timestamp,
    },
    /// Printed since.
    Printed {
        /// The first moment that counts.
        since: Timestamp,
    },
}

/// Which jobs to list; an empty filter lists all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobFilter {
    /// Only these states; empty for every state.
    pub states: Vec<JobState>,
    /// Only this machine's.
    pub machine: Option<MachineId>,
    /// Only this office's.
    pub office: Option<OfficeId>,
    /// Only those of this origin.
    pub origin: Option<Origin>,
    /// Only those that the pick takes.
    pub pick: Option<Pick>,
    /// Only what is looked for.
    pub search: Option<Search>,
    /// Only those taken in within the span.
    pub taken: Option<Span>,
    /// Only jobs behind this place in the list.
    pub before: Option<JobCursor>,
    /// At most so many; 0 and more than [`MAX_PAGE_JOBS`] mean [`MAX_PAGE_JOBS`].
    pub limit: u32,
}

/// A page of jobs, newest first; those of [`Search::ReferenceStart`] by their references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobPage {
    /// The jobs.
    pub jobs: Vec<JobRow>,
    /// Where the next page begins, if there is one.
    pub next: Option<JobCursor>,
}

/// Which offers are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offerable {
    /// Those of one machine, or of all.
    pub machine: Option<MachineId>,
    /// Machines that are left out.
    pub without_machines: Vec<MachineId>,
    /// Jobs that are left out.
    pub without_jobs: Vec<JobId>,
    /// At most so many of each machine: one with a long queue must not keep the others waiting.
    pub a_machine: u32,
    /// At most so many in all.
    pub limit: u32,
}

/// Jobs that may be offered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DueOffers {
    /// Those whose rows can be read, oldest first.
    pub jobs: Vec<JobRow>,
    /// Those whose rows cannot, with their machines: to be left out for a while.
    pub damaged: Vec<(JobId, MachineId)>,
}

/// Questions of one round.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskRound {
    /// What is to be asked.
    pub asked: Vec<AskDue>,
    /// Jobs whose rows are damaged, by what stands in `id`: put off for an hour.
    pub damaged: Vec<String>,
}

/// A recorded offer: what the order on the wire must carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The journal epoch the envelope is bound to.
    pub epoch: Epoch,
    /// The command's number.
    pub command_seq: u64,
    /// How many offers there were, with this one.
    pub offer_count: u32,
}

/// Another job of a document that a job prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SameDocument {
    /// The job.
    pub job: JobId,
    /// Where it stands: it need not have made a sheet.
    pub state: JobState,
    /// Whether a person gave it to its machine by hand.
    pub is_by_hand: bool,
}

/// A machine is to be asked again to call a job off: send `cmd/cancel` with this number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskDue {
    /// The machine.
    pub machine: MachineId,
    /// The job.
    pub job: JobId,
    /// The number for `cmd/cancel`.
    pub command_seq: u64,
    /// How often it was asked for this reason, with this time.
    pub ask_count: u32,
    /// Where the job is lost, so that its sync must be asked for as well: what to acknowledge with the question.
    pub sync: Option<AckPoint>,
}

/// What became of a wish to call a job off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelOutcome {
    /// Over, no machine ever had the order.
    Cancelled,
    /// Over here; an offer had left, so the machine must be asked with this command number as well.
    CancelledAskToo {
        /// The number for `cmd/cancel`.
        command_seq: u64,
    },
    /// The machine has it: ask it with this command number; its report decides.
    Asked {
        /// The number for `cmd/cancel`.
        command_seq: u64,
    },
    /// A rule says no.
    Refused(Refusal),
}
