//! What a job is and where it stands.

use std::collections::BTreeSet;

use loket_wire::order::Reprint;
use loket_wire::{
    Blob, Class, Epoch, JobId, JobState, LocalJob, LocalRevision, OpenJob, Reason, Reference,
    Release, Service, Sha256Digest, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::attempt::{Attempt, Clearing, Left};
use super::event::Actor;
use crate::core::Now;

/// What is known of a job from its order; never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The job.
    pub job_id: JobId,
    /// Who gave the order.
    pub origin: Origin,
    /// The operator's own name for the order.
    pub reference: Reference,
    /// The public service.
    pub service: Service,
    /// Controlled or own.
    pub class: Class,
    /// What must happen before printing.
    pub release: Release,
    /// Last moment it may be printed.
    #[serde(rename = "not_after_ms")]
    pub not_after: Timestamp,
    /// The moment at which signatures are judged.
    #[serde(rename = "verified_at_ms")]
    pub verified_at: Timestamp,
    /// The printer to use; the machine's first where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub printer: Option<String>,
    /// The job that it replaces on paper, why, and by whose order; journals of earlier versions lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reprint: Option<Reprint>,
}

impl Facts {
    /// Whether it is the page that this machine prints by itself, so that the ink of a printer at rest does not dry. No
    /// order of central is one, whatever it says of itself.
    #[must_use]
    pub fn is_exercise(&self) -> bool {
        let is_by_itself = matches!(self.origin, Origin::Local { by: None });
        is_by_itself && self.class == Class::Own && self.service.is_exercise()
    }
}

/// Who gave an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum Origin {
    /// Central, over the link.
    Central {
        /// Central's command number.
        command_seq: u64,
        /// The journal epoch the order is for.
        epoch: Epoch,
        /// Digest of the sealed envelope: tells a redelivery from a replay.
        envelope: Sha256Digest,
        /// The sealed document to fetch.
        blob: Blob,
    },
    /// A person at this machine, or the machine itself; the document is already in the spool.
    Local {
        /// Who: the name they sign with, or that of their account. Pages of the machine's own have none, and journals of
        /// the first days lack it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
}

impl Origin {
    /// Who gave the order, for the history.
    pub(super) fn actor(&self) -> Actor {
        match self {
            Self::Central { .. } => Actor::Central,
            Self::Local { by: Some(name) } => Actor::Officer(name.clone()),
            Self::Local { by: None } => Actor::Machine,
        }
    }
}

/// The signed revision: the only bytes that may be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Bytes 0..`size_bytes` of the document.
    pub size_bytes: u64,
    /// Their SHA-256.
    pub sha256: Sha256Digest,
    /// Pages.
    pub page_count: u32,
}

/// Where a job stands on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// The order is on disk; the sealed document is being fetched.
    Fetching,
    /// Order and document are on disk; to be verified.
    Received,
    /// Verified; waits for a person.
    Held,
    /// To be printed; waits for its lane and a ready printer.
    Released,
    /// A job that no attempt owns must go from the printer first.
    Clearing(Clearing),
    /// An attempt at the printer is under way.
    Attempting(Attempt),
    /// Whether paper came out cannot be known; an officer says.
    Unknown {
        /// Why.
        reason: Reason,
        /// The attempt in question.
        attempt: u32,
        /// Its job at the printer, where that may not be over.
        left: Option<Left>,
        /// Why it was called off meanwhile, if it was: where none came out, none is made.
        called_off: Option<Reason>,
    },
    /// Over; the document is destroyed next.
    Ended {
        /// How.
        state: JobState,
        /// Why.
        reason: Option<Reason>,
    },
    /// Over and destroyed.
    Closed {
        /// How.
        state: JobState,
        /// Why.
        reason: Option<Reason>,
    },
}

/// A job on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its order.
    pub facts: Facts,
    /// Place in the order of acceptance; lanes serve the lowest first.
    pub accepted_no: u64,
    /// Where it stands.
    pub stage: Stage,
    /// What verification found; present from `Held` on.
    pub revision: Option<Revision>,
    /// Attempts begun so far.
    pub attempt_count: u32,
    /// Attempts that the printer ended unprinted after document bytes had left.
    pub abort_count: u32,
    /// Attempts that failed before any byte left though the printer answered.
    pub fault_count: u32,
    /// When the last of them failed.
    pub faulted_at: Option<Timestamp>,
    /// Times an officer said that nothing came out.
    pub answer_count: u32,
    /// Why it waits for its printer, as central was told, and since when.
    pub waits: Option<(Reason, Timestamp)>,
    /// job-names at printers that would not go and hold nothing.
    pub let_be: BTreeSet<String>,
    /// Attempts whose document left, or may have, and of which no job was found: it may come to light late.
    pub unseen: BTreeSet<u32>,
    /// Whether its last moment says nothing: the machine set it by a clock that nobody had confirmed.
    pub is_undated: bool,
}

impl Job {
    /// Whether the last moment at which it may be printed has passed for certain.
    pub(super) fn is_past(&self, now: Now) -> bool {
        !self.is_undated && now.is_past(self.facts.not_after)
    }

    /// The public state and reason.
    #[must_use]
    pub fn public_state(&self) -> (JobState, Option<Reason>) {
        match &self.stage {
            Stage::Fetching => (JobState::Fetching, None),
            Stage::Received => (JobState::Journalled, None),
            Stage::Held => (JobState::Held, None),
            Stage::Released | Stage::Clearing(_) | Stage::Attempting(_) => (
                JobState::Printing,
                self.waits.map(|(reason, _since)| reason),
            ),
            Stage::Unknown { reason, .. } => (JobState::Unknown, Some(*reason)),
            Stage::Ended { state, reason } | Stage::Closed { state, reason } => (*state, *reason),
        }
    }

    /// What central is told of it beside its state, where a person gave it here: central ordered no such job.
    #[must_use]
    pub fn local(&self) -> Option<Box<LocalJob>> {
        let Origin::Local { by } = &self.facts.origin else {
            return None;
        };
        Some(Box::new(LocalJob {
            reference: self.facts.reference.clone(),
            service: self.facts.service.clone(),
            class: self.facts.class,
            given_at: self.facts.verified_at,
            not_after: self.facts.not_after,
            by: by.clone(),
            printer: self.facts.printer.clone(),
            revision: self.revision.map(|revision| LocalRevision {
                sha256: revision.sha256,
                size_bytes: revision.size_bytes,
                page_count: revision.page_count,
            }),
        }))
    }

    /// What `sync` says of it.
    #[must_use]
    pub fn as_open(&self) -> OpenJob {
        OpenJob {
            job_id: self.facts.job_id,
            state: self.public_state().0,
            local: self.local(),
        }
    }

    /// The stage's name, for errors.
    pub(super) const fn stage_name(&self) -> &'static str {
        match &self.stage {
            Stage::Fetching => "fetching",
            Stage::Received => "received",
            Stage::Held => "held",
            Stage::Released => "released",
            Stage::Clearing(_) => "clearing",
            Stage::Attempting(attempt) => attempt.step.name(),
            Stage::Unknown { .. } => "unknown",
            Stage::Ended { .. } => "ended",
            Stage::Closed { .. } => "closed",
        }
    }

    /// Whether it is over and its document destroyed.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.stage, Stage::Closed { .. })
    }

    /// Whether it is neither ended nor closed.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        !matches!(self.stage, Stage::Ended { .. } | Stage::Closed { .. })
    }
}
