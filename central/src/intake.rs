//! Takes a document in: order read, machine known, signature judged, sealed, committed. In that order.

pub(crate) mod folder;
pub(crate) mod order_text;

use std::sync::Arc;
use std::time::Duration;

use loket_inspection::{Document, Fault, Revision, Verdict};
use loket_store::{
    Actor, IdempotencyKey, Inserted, Intake, JobFacts, NewJob, StoreError, TextError,
};
use loket_verify::{Code as FindingCode, Weight};
use loket_wire::order::{DEFAULT_VALIDITY_DAYS, Reprint};
use loket_wire::random::draw;
use loket_wire::{JobId, MachineId, OfficeId, Order, Release, Sha256Digest, Timestamp};
use serde_json::json;
use zeroize::Zeroizing;

use crate::clock;
use crate::documents::{DocumentError, Facts};
use crate::metrics::count;
use crate::office::{Office, RosterError, storage_problem};
use crate::problem::{Code, Problem};
use crate::random::SystemRandomness;
use order_text::Notation;

/// What somebody brings.
#[derive(Debug)]
pub(crate) struct Brought {
    /// The PDF.
    pub(crate) document: Zeroizing<Vec<u8>>,
    /// The order's text.
    pub(crate) order: Zeroizing<Vec<u8>>,
    /// Its notation.
    pub(crate) notation: Notation,
    /// The caller's promise, if it gave one.
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    /// Digest of the pair of files, if it came through the folder.
    pub(crate) folder_sha256: Option<Sha256Digest>,
    /// Who.
    pub(crate) actor: Actor,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Taken {
    /// A new job.
    New(JobId),
    /// The job of the same request before.
    Same(JobId),
}

/// Takes a document in, on a blocking thread; at most four at once.
pub(crate) async fn take(office: &Arc<Office>, brought: Brought) -> Result<Taken, Problem> {
    let _place = office
        .intake_places
        .acquire()
        .await
        .map_err(|_closed| Code::Busy)?;
    let taken = take_at(office, brought, clock::now()).await;
    match &taken {
        Ok(Taken::New(job)) => {
            count(&office.tally.taken);
            tracing::info!(job.id = %job, "document taken");
            office.offer_bell.notify_one();
        }
        Ok(Taken::Same(job)) => tracing::info!(job.id = %job, "same request again"),
        Err(problem) => {
            count(&office.tally.refused);
            tracing::info!(code = problem.code.as_str(), "document refused");
        }
    }
    taken
}

async fn take_at(office: &Arc<Office>, brought: Brought, now: Timestamp) -> Result<Taken, Problem> {
    let read = office.blocking(move |office| {
        let meant = meant(office, &brought, now)?;
        Ok::<_, Problem>((brought, meant))
    });
    let (brought, meant) = read.await??;
    let revision = judge(office, &brought.document, now).await?;
    let keep = move |office: &Office| keep(office, &brought, (meant, revision), now);
    office.blocking(keep).await?
}

/// What is to be done with a document.
struct Meant {
    order: Order,
    not_after: Timestamp,
    machine: MachineId,
    place: OfficeId,
}

/// Reads the order. Blocks.
fn meant(office: &Office, brought: &Brought, now: Timestamp) -> Result<Meant, Problem> {
    let order = order_text::parse(&brought.order, brought.notation)?;
    if order.release == Release::Code {
        return Err(Code::ReleaseUnsupported.into());
    }
    let not_after = not_after(&order, now)?;
    let (machine, place) = target(office, &order)?;
    Ok(Meant {
        order,
        not_after,
        machine,
        place,
    })
}

/// What the machine is told of what the job replaces on paper.
fn reprint(order: &Order, by: &Actor) -> Option<Reprint> {
    let of = order.reprint_of.as_ref()?;
    Some(Reprint {
        job: of.job,
        reason: of.reason.clone(),
        by: by.to_string(),
    })
}

/// Seals the document and commits its job. Blocks.
fn keep(
    office: &Office,
    brought: &Brought,
    (meant, revision): (Meant, Revision),
    now: Timestamp,
) -> Result<Taken, Problem> {
    let Meant {
        order,
        not_after,
        machine,
        place,
    } = meant;
    let mut random = SystemRandomness::new();
    let id = JobId::from_parts(u64::try_from(now.unix_ms()).unwrap_or(0), draw(&mut random));
    random.check().map_err(|error| fault(&error))?;
    let facts = Facts {
        document: &brought.document,
        label: order.label.reveal(),
        page_count: revision.page_count,
        not_after,
        reprint: reprint(&order, &brought.actor),
    };
    let blob = office
        .documents
        .keep(id, &facts, &office.identity)
        .map_err(|error| {
            forget(office, id);
            not_kept(&error)
        })?;
    let due_at = office.offices.current().due(&place, now);
    let new = NewJob {
        facts: JobFacts {
            id,
            reference: order.reference.clone(),
            service: order.service.clone(),
            class: order.class,
            release: order.release,
            machine,
            office: place,
            not_after,
        },
        intake: Intake {
            due_at,
            document_sha256: Sha256Digest::of(&brought.document),
            revision_sha256: revision.sha256,
            content_sha256: revision.content_sha256,
            page_count: revision.page_count,
            size_bytes: revision.size_bytes,
            blob,
            reprint_of: order.reprint_of.clone(),
        },
        idempotency_key: brought.idempotency_key,
        folder_sha256: brought.folder_sha256,
    };
    let inserted = insert(office, &new, &brought.actor, now);
    let is_ours = match &inserted {
        Ok(Inserted::Created) => true,
        // Such a commit may have been kept all the same: the next start erases what no job owns.
        Err(StoreError::Io { .. }) => true,
        Ok(_) | Err(_) => false,
    };
    if !is_ours {
        forget(office, id);
    }
    outcome(id, inserted)
}

/// Commits the job. Where the disk is short only what was taken before is still answered: documents fill it, and what
/// room is left is for reports.
fn insert(
    office: &Office,
    new: &NewJob,
    actor: &Actor,
    now: Timestamp,
) -> Result<Inserted, StoreError> {
    if office.room.disk().is_full() {
        let standing = office.store.standing_in_the_way(new)?;
        return standing.ok_or(StoreError::Reserved);
    }
    office.store.insert_job(new, actor, now)
}

fn outcome(id: JobId, inserted: Result<Inserted, StoreError>) -> Result<Taken, Problem> {
    match inserted {
        Ok(Inserted::Created) => Ok(Taken::New(id)),
        Ok(
            Inserted::SameKey {
                job,
                is_same_body: true,
            }
            | Inserted::SameFolderFiles { job },
        ) => Ok(Taken::Same(job)),
        Ok(Inserted::SameKey {
            is_same_body: false,
            ..
        }) => Err(Code::IdempotencyMismatch.into()),
        Ok(Inserted::AlreadyThere { job }) => Err(Problem::with(
            Code::AlreadyOrdered,
            json!({ "job_id": job }),
        )),
        Ok(Inserted::ReprintOfUnknown) => Err(Code::OrderReprintUnknown.into()),
        // The order's own check refuses each of these before anything is sealed; the store's rule may be stricter.
        Err(StoreError::Text(error)) => Err(match error {
            TextError::Empty { .. } | TextError::TooLong { .. } => Code::OrderReprintReason,
            TextError::Unprintable { .. } => Code::OrderReprintReasonControl,
            TextError::PersonalNumber { .. } => Code::OrderReprintReasonNumber,
        }
        .into()),
        Err(StoreError::NoSuchMachine) => Err(Code::MachineUnknown.into()),
        Err(error) => Err(storage_problem(&error)),
    }
}

/// Erases the sealed copy of a job that was not taken; a leftover is found at the next start.
fn forget(office: &Office, job: JobId) {
    if let Err(error) = office.documents.shred(job) {
        tracing::warn!(job.id = %job, error = %crate::chain(&error), "sealed copy not erased yet");
    }
}

fn not_after(order: &Order, now: Timestamp) -> Result<Timestamp, Problem> {
    let week = Duration::from_secs(u64::from(DEFAULT_VALIDITY_DAYS) * 24 * 3600);
    match order.not_after {
        None => Ok(now.saturating_add(week)),
        Some(given) if given > now => Ok(given),
        Some(_past) => Err(Code::OrderExpired.into()),
    }
}

/// The machine that prints and the office it stands in.
fn target(office: &Office, order: &Order) -> Result<(MachineId, OfficeId), Problem> {
    let machine = match (&order.machine, &order.office) {
        (Some(machine), _) => machine.clone(),
        (None, Some(place)) => {
            let offices = office.offices.current();
            let known = offices
                .find(place, clock::now())
                .and_then(|place| place.default_machine.clone());
            known.ok_or(Code::OfficeUnknown)?
        }
        (None, None) => return Err(Code::OrderTarget.into()),
    };
    match office.record(&machine) {
        Ok(record) => Ok((machine, record.office)),
        Err(RosterError::Store(error)) => Err(storage_problem(&error)),
        Err(RosterError::Record(error)) => {
            tracing::info!(machine.id = %machine, error = %crate::chain(&error), "order for no known machine");
            Err(Code::MachineUnknown.into())
        }
        Err(error @ RosterError::Folder(_)) => Err(fault(&error)),
    }
}

/// Judges the signature; what is not valid is refused with every code that was found.
async fn judge(office: &Office, document: &[u8], now: Timestamp) -> Result<Revision, Problem> {
    let grounds = (&*office.trust.current(), &office.policy);
    let judged = crate::judge::judge(&office.inspector, document, grounds, now).await;
    let judged = judged.map_err(|fault| not_judged(&fault))?;
    office.tally.judged.count(judged.verdict);
    let code = match (judged.verdict, &judged.revision) {
        (Verdict::Valid, Some(revision)) => return Ok(revision.clone()),
        (Verdict::Invalid, _) => Code::SignatureInvalid,
        (Verdict::Valid | Verdict::Indeterminate, _) => Code::SignatureIndeterminate,
    };
    let findings: Vec<&str> = judged.codes().into_iter().map(FindingCode::id).collect();
    Err(Problem::with(
        code,
        json!({ "findings": findings, "sentences": sentences(&judged) }),
    ))
}

/// What an operator reads of the findings that speak against the document, in their order.
fn sentences(judged: &Document) -> Vec<String> {
    let weighty = |code: &FindingCode| code.weight() > Weight::Note;
    let say = |code: FindingCode| format!("{}: {}", code.id(), code.sentence());
    judged
        .codes()
        .into_iter()
        .filter(weighty)
        .map(say)
        .collect()
}

/// A document that the inspector gave no answer on.
fn not_judged(fault: &Fault) -> Problem {
    if let Fault::NotStarted(error) = fault {
        tracing::error!(%error, "the inspector is not started");
        return Code::InspectorMissing.into();
    }
    tracing::warn!(error = %crate::chain(fault), "a document was not judged");
    Code::DocumentNotJudged.into()
}

/// A document that the disk did not take.
fn not_kept(error: &DocumentError) -> Problem {
    let is_full = matches!(error, DocumentError::Io { source, .. }
        if source.kind() == std::io::ErrorKind::StorageFull);
    if is_full {
        tracing::error!(error = %crate::chain(error), "document not taken");
        return Problem::new(Code::StorageFull);
    }
    fault(error)
}

fn fault(error: &(dyn std::error::Error + 'static)) -> Problem {
    tracing::error!(error = %crate::chain(error), "document not taken");
    Problem::new(Code::StorageFailed)
}
