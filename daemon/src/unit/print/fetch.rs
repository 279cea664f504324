//! Brings a sealed document into the spool, and makes it whole there.

use std::sync::Arc;

use loket_domain::print::Command;
use loket_link::{FetchError, FetchTarget, SinkError, fetch_from};
use loket_spool::SpoolError;
use loket_wire::{Blob, JobId, Reason};

use super::effects::{Hands, Outcome, Tries};
use crate::blocking::blocking;
use crate::stops::{Hold, Stop, hold, pass};
use crate::supervisor::DISK_FULL;
use crate::telemetry::chain;

/// Fetches of the wrong bytes after which a document counts as not to be had.
const MAX_MISMATCHES: u32 = 3;

/// One try. What stands in the spool already is looked at first: after a crash between the last byte and its journal
/// entry, or when central is away or has destroyed its copy, nothing need be asked.
pub(super) async fn fetch(
    hands: &Arc<Hands>,
    job: JobId,
    blob: &Blob,
    tries: &mut Tries,
) -> Outcome {
    match admit(hands, job, *blob, tries).await {
        Admitted::Yes => return Outcome::Tell(Command::Received { job }),
        Admitted::Answer(outcome) => return outcome,
        Admitted::Missing => {}
    }
    let Some(source) = &hands.source else {
        return Outcome::Wait;
    };
    if let Some(outcome) = bring(hands, source, job, blob, tries).await {
        return outcome;
    }
    match admit(hands, job, *blob, tries).await {
        Admitted::Yes => Outcome::Tell(Command::Received { job }),
        Admitted::Answer(outcome) => outcome,
        Admitted::Missing => Outcome::Wait,
    }
}

enum Admitted {
    /// The document is whole and on disk.
    Yes,
    /// Bytes are missing.
    Missing,
    /// Neither.
    Answer(Outcome),
}

async fn admit(hands: &Arc<Hands>, job: JobId, blob: Blob, tries: &mut Tries) -> Admitted {
    let documents = Arc::clone(&hands.documents);
    let admitted = blocking(move || {
        documents
            .spool
            .admit(&job.to_string(), blob.size_bytes, *blob.sha256.as_bytes())
    })
    .await;
    match admitted {
        Some(Ok(())) => {
            pass(Stop::BlobAdmitted);
            Admitted::Yes
        }
        Some(Err(SpoolError::NotFound { .. } | SpoolError::Incomplete { .. })) => Admitted::Missing,
        Some(Err(SpoolError::Mismatch { .. })) => {
            Admitted::Answer(mismatch(hands, job, tries).await)
        }
        // Two orders of one id cannot both be taken, so these are no bytes of this job: they will never fit.
        Some(Err(error @ (SpoolError::OtherAdmitted { .. } | SpoolError::TooLarge { .. }))) => {
            tracing::error!(job.id = %job, error = %chain(&error), "document not admitted");
            Admitted::Answer(failed(job, Reason::DocumentMismatch))
        }
        Some(Err(error)) => {
            tracing::warn!(job.id = %job, error = %chain(&error), "document not admitted; trying again");
            Admitted::Answer(Outcome::Wait)
        }
        None => Admitted::Answer(Outcome::Wait),
    }
}

/// Asks for the bytes that are missing; `None` when they have come.
async fn bring(
    hands: &Arc<Hands>,
    source: &FetchTarget,
    job: JobId,
    blob: &Blob,
    tries: &mut Tries,
) -> Option<Outcome> {
    hold(Hold::Fetch).await;
    let name = job.to_string();
    let (documents, size_bytes) = (Arc::clone(&hands.documents), blob.size_bytes);
    let claimed = {
        let name = name.clone();
        blocking(move || {
            let claim = documents.spool.claim(&name, size_bytes)?;
            Ok((claim, documents.spool.part_len(&name)?))
        })
        .await
    };
    let (_claim, have) = match claimed {
        Some(Ok(claimed)) => claimed,
        // Only what can never fit is refused: central destroys its copy then, while room comes back with each job that
        // ends, and by hand.
        Some(Err(SpoolError::BeyondQuota { .. })) => return Some(failed(job, Reason::SpoolFull)),
        Some(Err(SpoolError::TooLarge { .. })) => {
            return Some(failed(job, Reason::DocumentMismatch));
        }
        Some(Err(error)) => return Some(no_room(job, &error, tries)),
        None => return Some(Outcome::Wait),
    };
    let spool = &hands.documents.spool;
    let mut broken = None;
    // Written where it arrives: a chunk goes to the page cache within microseconds and is flushed at admission, while
    // a thread held for each slow fetch would leave none for judging and sending.
    let mut sink = |offset: u64, bytes: bytes::Bytes| {
        let kept = spool.append_part(&name, offset, &bytes);
        pass(Stop::FetchedPart);
        kept.map_err(|error| {
            let text = std::io::Error::other(error.to_string());
            broken = Some(error);
            SinkError::from(text)
        })
    };
    let path = format!("/machine/v1/blobs/{name}");
    let fetched = fetch_from(source, &path, have, blob.size_bytes, &mut sink).await;
    match (fetched, broken) {
        (Ok(_end), _) => None,
        (Err(_), Some(error)) => Some(no_room(job, &error, tries)),
        (Err(FetchError::NotFound | FetchError::Gone), _) => {
            Some(failed(job, Reason::DocumentGone))
        }
        // Central does not know this machine at present: its records may be on their way. The job shows as fetching.
        (Err(FetchError::Forbidden), _) => {
            tracing::warn!(job.id = %job, "central refuses this machine its document; asking again");
            Some(Outcome::Wait)
        }
        (Err(FetchError::TooLarge { .. } | FetchError::Shrunk { .. }), _) => {
            Some(mismatch(hands, job, tries).await)
        }
        (Err(error), _) => {
            tracing::debug!(job.id = %job, error = %chain(&error), "document not yet fetched");
            Some(Outcome::Wait)
        }
    }
}

/// A document that finds no room waits for it; its job shows as fetching, and the heartbeat says how full the disk is.
fn no_room(job: JobId, error: &SpoolError, tries: &mut Tries) -> Outcome {
    // Tried every few seconds, for days perhaps: told once.
    if !tries.is_told {
        tries.is_told = true;
        tracing::error!(job.id = %job, error = %chain(error), "a document waits for room in the spool ({DISK_FULL})");
    }
    Outcome::Wait
}

async fn mismatch(hands: &Arc<Hands>, job: JobId, tries: &mut Tries) -> Outcome {
    tries.mismatches += 1;
    let documents = Arc::clone(&hands.documents);
    let dropped = blocking(move || documents.spool.drop_part(&job.to_string())).await;
    if let Some(Err(error)) = dropped {
        tracing::warn!(job.id = %job, error = %chain(&error), "wrong bytes not dropped");
    }
    if tries.mismatches < MAX_MISMATCHES {
        return Outcome::Wait;
    }
    failed(job, Reason::DocumentMismatch)
}

const fn failed(job: JobId, reason: Reason) -> Outcome {
    Outcome::Tell(Command::FetchFailed { job, reason })
}
