//! Documents that central did not order, by hand or of the machine's own: sealed to this machine's own key and taken by the
//! same desk as an order of central.

use std::sync::Arc;
use std::time::Duration;

use loket_domain::print::{Command, Facts, Intake, Origin};
use loket_paper::form::FormError;
use loket_spool::SpoolError;
use loket_wire::order::MAX_DOCUMENT_BYTES;
use loket_wire::random::draw;
use loket_wire::sealed::{Binding, SealError, Secrets};
use loket_wire::{Class, Epoch, IdError, JobId, Release, Service, Timestamp};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::document::{Documents, KEY_FILE_VERSION, KeyFile};
use crate::identity::OsRandom;
use crate::stops::{Stop, pass};
use crate::unit::print::{DeskError, DeskHandle};

/// A hand-given document that was not printed within a day was forgotten.
const VALIDITY: Duration = Duration::from_secs(24 * 3_600);

/// Who the envelope of a local job is sealed to, in place of a machine's name.
const RECIPIENT: &str = "local";

/// What the officer reads of it.
const LABEL: &str = "cetak langsung";

/// An exercise page that did not leave within this time, though its printer was ready, would come out when somebody works
/// at the printer again.
const EXERCISE_VALIDITY: Duration = Duration::from_secs(15 * 60);

/// What the officer reads of an exercise page.
const EXERCISE_LABEL: &str = "lembar perawatan printer";

/// Why a document was not taken.
#[derive(Debug, Error)]
pub enum LocalError {
    /// More than central takes either.
    #[error("take the document: {size_bytes} bytes, more than {MAX_DOCUMENT_BYTES}")]
    TooLarge {
        /// Its size.
        size_bytes: usize,
    },
    /// It could not be sealed.
    #[error("seal the document")]
    Seal(#[from] SealError),
    /// It could not be kept.
    #[error("keep the sealed document")]
    Spool(#[from] SpoolError),
    /// The page could not be drawn.
    #[error("draw the page")]
    Page(#[from] FormError),
    /// Its names could not be made.
    #[error("name the job")]
    Name(#[from] IdError),
    /// The desk did not take it.
    #[error("hand the document to the desk")]
    Desk(#[from] DeskError),
    /// A part ended without an answer.
    #[error("seal the document: the work ended without an answer")]
    Ended,
}

/// Seals the document into the spool and hands it to the desk for `printer` in the name of `by`; gives the job's id.
///
/// # Errors
/// [`LocalError`]; what was spooled by then is destroyed.
pub async fn admit(
    documents: &Arc<Documents>,
    desk: &DeskHandle,
    clock: &Clock,
    document: Zeroizing<Vec<u8>>,
    printer: String,
    by: String,
) -> Result<JobId, LocalError> {
    if document.len() > MAX_DOCUMENT_BYTES {
        return Err(LocalError::TooLarge {
            size_bytes: document.len(),
        });
    }
    let given = Given {
        by: Some(by),
        kind: ("LOKAL", "lokal"),
        class: Class::Controlled,
        validity: VALIDITY,
        label: LABEL,
    };
    take((documents, desk), clock, document, (given, printer)).await
}

/// The same for a page by which a printer is kept from drying: nobody gave it, and it is printed at once or not at all.
///
/// # Errors
/// [`LocalError`]; the desk refuses it where the printer has anything to do.
pub(crate) async fn admit_exercise(
    documents: &Arc<Documents>,
    desk: &DeskHandle,
    clock: &Clock,
    page: Vec<u8>,
    printer: String,
) -> Result<JobId, LocalError> {
    let service = Service::exercise();
    let given = Given {
        by: None,
        kind: ("PERAWATAN", service.as_str()),
        class: Class::Own,
        validity: EXERCISE_VALIDITY,
        label: EXERCISE_LABEL,
    };
    take(
        (documents, desk),
        clock,
        Zeroizing::new(page),
        (given, printer),
    )
    .await
}

/// What a job is that no order of central stands behind.
struct Given<'a> {
    by: Option<String>,
    /// How its reference begins, and the service.
    kind: (&'a str, &'a str),
    class: Class,
    validity: Duration,
    label: &'static str,
}

async fn take(
    (documents, desk): (&Arc<Documents>, &DeskHandle),
    clock: &Clock,
    document: Zeroizing<Vec<u8>>,
    (given, printer): (Given<'_>, String),
) -> Result<JobId, LocalError> {
    let now = clock.now().wall;
    let unix_ms = u64::try_from(now.unix_ms()).unwrap_or_default();
    let job = JobId::from_parts(unix_ms, draw(&mut OsRandom::default()));
    let not_after = now.saturating_add(given.validity);
    let label = given.label;
    let taken = async {
        let facts = facts(job, (now, not_after), given, printer)?;
        let turn = documents.turn().await;
        let spool = Arc::clone(documents);
        let work = move || seal(&spool, (job, label), not_after, &document);
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_panic| LocalError::Ended)??;
        drop(turn);
        if facts.is_exercise() {
            pass(Stop::ExerciseSpooled);
        }
        desk.submit(Command::Accept(Intake::Good(Box::new(facts))))
            .await?;
        Ok(job)
    };
    let taken: Result<JobId, LocalError> = taken.await;
    if taken.is_err() {
        let spool = Arc::clone(documents);
        let shred = move || spool.spool.shred(&job.to_string());
        // What cannot be removed is swept at the next start.
        if !matches!(tokio::task::spawn_blocking(shred).await, Ok(Ok(()))) {
            tracing::warn!(job.id = %job, "a document that was not taken is not yet removed");
        }
    }
    taken
}

/// Seals the document to this machine's own key, on disk. Blocks.
fn seal(
    documents: &Documents,
    (job, label): (JobId, &str),
    not_after: Timestamp,
    document: &[u8],
) -> Result<(), LocalError> {
    let mut random = OsRandom::default();
    let secrets = Secrets::new(label.to_owned(), None, document, 0, &mut random);
    let epoch = Epoch::from_bytes([0; 16]);
    let binding = Binding {
        recipient: RECIPIENT,
        job,
        epoch,
        not_after,
    };
    let envelope = documents.public()?.seal(&binding, &secrets, &mut random)?;
    let file = KeyFile {
        v: KEY_FILE_VERSION,
        recipient: RECIPIENT.to_owned(),
        job_id: job,
        epoch,
        not_after,
        envelope,
    };
    let name = job.to_string();
    let key = serde_json::to_vec(&file).unwrap_or_default();
    documents.spool.put_key(&name, &key)?;
    let blob = secrets.seal_document(job, document)?;
    documents.spool.admit_bytes(&name, &blob)?;
    Ok(())
}

fn facts(
    job: JobId,
    (now, not_after): (Timestamp, Timestamp),
    given: Given<'_>,
    printer: String,
) -> Result<Facts, IdError> {
    let text = job.to_string();
    let tail = text.rsplit('-').next().unwrap_or_default();
    let (prefix, service) = given.kind;
    Ok(Facts {
        job_id: job,
        origin: Origin::Local { by: given.by },
        reference: format!("{prefix}-{tail}").parse()?,
        service: Service::new(service).ok_or(IdError::Reference)?,
        class: given.class,
        release: Release::Now,
        not_after,
        verified_at: now,
        printer: Some(printer),
        reprint: None,
    })
}
