//! Runs one effect of the desk until its answer has changed the job.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use loket_domain::print::{Action, Command, Effect, EffectStep, RemoteJob, Revision, Verification};
use loket_link::{FetchError, FetchTarget, SinkError, fetch_from};
use loket_spool::SpoolError;
use loket_wire::{Blob, Class, JobId, Reason, Timestamp};
use tokio_util::sync::CancellationToken;

use super::handle::{DeskError, DeskHandle};
use crate::device::{DeviceFault, Printer};
use crate::document::Documents;
use crate::stops::{Stop, pass};
use crate::telemetry::chain;

/// First pause between two looks or tries, doubling to the last (CONTRACT, messages): a page takes seconds, and a
/// printer that is away costs one connection a second.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// Fetches of the wrong bytes after which a document counts as not to be had.
const MAX_MISMATCHES: u32 = 3;

/// What effects work with.
pub struct Hands {
    /// Sealed documents.
    pub documents: Arc<Documents>,
    /// Printers by lane.
    pub printers: BTreeMap<String, Arc<dyn Printer>>,
    /// Where sealed documents are fetched; none on a machine that is not enrolled.
    pub source: Option<FetchTarget>,
    /// The desk that is answered.
    pub desk: DeskHandle,
}

impl fmt::Debug for Hands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hands")
            .field("printers", &self.printers.keys())
            .finish_non_exhaustive()
    }
}

/// What came of one try.
enum Outcome {
    /// Tell the desk.
    Tell(Command),
    /// Nothing yet: pause and try again.
    Wait,
}

pub(super) async fn run(
    hands: Arc<Hands>,
    effect: Effect,
    stop: CancellationToken,
) -> loket_domain::print::EffectId {
    let id = effect.id;
    let mut pause = FIRST_PAUSE;
    let mut mismatches = 0;
    loop {
        if stop.is_cancelled() {
            return id;
        }
        if let Outcome::Tell(command) = attempt(&hands, &effect, &mut mismatches).await
            && tell(&hands.desk, command, &stop).await
        {
            return id;
        }
        tokio::select! {
            () = stop.cancelled() => return id,
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

/// Tells the desk until it is on disk; true when the effect is over.
///
/// The same answer is told again after a failed write: the effect itself is never repeated for that, since it may
/// have put a document on paper.
async fn tell(desk: &DeskHandle, command: Command, stop: &CancellationToken) -> bool {
    let mut pause = FIRST_PAUSE;
    loop {
        match desk.submit(command.clone()).await {
            Ok(changed) => return changed,
            Err(DeskError::Journal(error)) => {
                tracing::error!(error = %chain(&error), "a job's change cannot be journalled; trying again");
            }
            Err(
                DeskError::Refused(_)
                | DeskError::LongOver
                | DeskError::Gone
                | DeskError::Bug
                | DeskError::Broken
                | DeskError::Effect,
            ) => return true,
        }
        tokio::select! {
            () = stop.cancelled() => return true,
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

async fn attempt(hands: &Arc<Hands>, effect: &Effect, mismatches: &mut u32) -> Outcome {
    let (job, no) = (effect.id.job, effect.id.attempt);
    match &effect.action {
        Action::Fetch { blob } => fetch(hands, job, blob, mismatches).await,
        Action::Verify { class, at } => verify(hands, job, *class, *at).await,
        Action::Prepare { revision } => prepare(hands, job, no, *revision).await,
        Action::Shred => shred(hands, job).await,
        Action::Survey { printer }
        | Action::Create { printer, .. }
        | Action::Locate { printer, .. }
        | Action::Send { printer, .. }
        | Action::Look { printer, .. }
        | Action::Cancel { printer, .. } => match hands.printers.get(printer) {
            Some(device) => at_printer(hands, device.as_ref(), effect).await,
            None => Outcome::Wait,
        },
    }
}

async fn fetch(hands: &Arc<Hands>, job: JobId, blob: &Blob, mismatches: &mut u32) -> Outcome {
    let Some(source) = &hands.source else {
        return Outcome::Wait;
    };
    let failed = |reason| Outcome::Tell(Command::FetchFailed { job, reason });
    let name = job.to_string();
    let spool = &hands.documents.spool;
    let have = spool.part_len(&name).unwrap_or(0).min(blob.size_bytes);
    if have < blob.size_bytes {
        let mut broken = None;
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
            (Ok(_end), _) => {}
            (Err(_), Some(SpoolError::OverQuota { .. } | SpoolError::Full { .. })) => {
                return failed(Reason::SpoolFull);
            }
            (Err(FetchError::NotFound | FetchError::Gone | FetchError::Forbidden), _) => {
                return failed(Reason::DocumentGone);
            }
            (Err(FetchError::TooLarge { .. } | FetchError::Shrunk { .. }), _) => {
                return mismatch(hands, job, mismatches);
            }
            (Err(error), _) => {
                tracing::debug!(job.id = %job, error = %chain(&error), "document not yet fetched");
                return Outcome::Wait;
            }
        }
    }
    let (documents, blob) = (Arc::clone(&hands.documents), *blob);
    let admitted = blocking(move || {
        documents
            .spool
            .admit(&name, blob.size_bytes, *blob.sha256.as_bytes())
    })
    .await;
    pass(Stop::BlobAdmitted);
    match admitted {
        Some(Ok(())) => Outcome::Tell(Command::Received { job }),
        Some(Err(SpoolError::Mismatch { .. } | SpoolError::OtherAdmitted { .. })) => {
            mismatch(hands, job, mismatches)
        }
        Some(Err(SpoolError::Full { .. } | SpoolError::OverQuota { .. })) => {
            failed(Reason::SpoolFull)
        }
        Some(Err(error)) => {
            tracing::warn!(job.id = %job, error = %chain(&error), "document not admitted; trying again");
            Outcome::Wait
        }
        None => Outcome::Wait,
    }
}

fn mismatch(hands: &Arc<Hands>, job: JobId, mismatches: &mut u32) -> Outcome {
    *mismatches += 1;
    if let Err(error) = hands.documents.spool.drop_part(&job.to_string()) {
        tracing::warn!(job.id = %job, error = %chain(&error), "wrong bytes not dropped");
    }
    if *mismatches < MAX_MISMATCHES {
        return Outcome::Wait;
    }
    Outcome::Tell(Command::FetchFailed {
        job,
        reason: Reason::DocumentMismatch,
    })
}

async fn verify(hands: &Arc<Hands>, job: JobId, class: Class, at: Timestamp) -> Outcome {
    let documents = Arc::clone(&hands.documents);
    let judged = blocking(move || documents.judge(job, class, at)).await;
    pass(Stop::Verified);
    match judged {
        Some(Ok(outcome)) => Outcome::Tell(Command::Verified { job, outcome }),
        Some(Err(error)) => {
            tracing::warn!(job.id = %job, error = %chain(&error), "document not judged; trying again");
            Outcome::Wait
        }
        // The reader panicked on these bytes: they are refused, not tried for ever.
        None => {
            let outcome = Verification::Refused(Reason::SignatureIndeterminate);
            Outcome::Tell(Command::Verified { job, outcome })
        }
    }
}

async fn prepare(hands: &Arc<Hands>, job: JobId, attempt: u32, revision: Revision) -> Outcome {
    let documents = Arc::clone(&hands.documents);
    let opened = blocking(move || documents.revision(job, &revision)).await;
    pass(Stop::Prepared);
    let opened = match opened {
        Some(Ok(Some(_bytes))) => Some(revision.sha256),
        Some(Ok(None) | Err(_)) | None => None,
    };
    Outcome::Tell(Command::Prepared {
        job,
        attempt,
        opened,
    })
}

async fn shred(hands: &Arc<Hands>, job: JobId) -> Outcome {
    let documents = Arc::clone(&hands.documents);
    let shredded = blocking(move || documents.spool.shred(&job.to_string())).await;
    pass(Stop::AfterShred);
    match shredded {
        Some(Ok(())) => Outcome::Tell(Command::Shredded { job }),
        Some(Err(error)) => {
            tracing::warn!(job.id = %job, error = %chain(&error), "document not destroyed; trying again");
            Outcome::Wait
        }
        None => Outcome::Wait,
    }
}

async fn at_printer(hands: &Arc<Hands>, device: &dyn Printer, effect: &Effect) -> Outcome {
    let (job, attempt) = (effect.id.job, effect.id.attempt);
    match &effect.action {
        Action::Survey { printer } => match device.survey().await {
            Ok(survey) => {
                pass(Stop::Surveyed);
                Outcome::Tell(Command::Surveyed {
                    job,
                    printer: printer.clone(),
                    survey,
                })
            }
            Err(fault) => waited(effect, &fault),
        },
        Action::Create { name, .. } => {
            pass(Stop::BeforeCreate);
            let created = device.create(name).await;
            pass(Stop::AfterCreate);
            match created {
                Ok(remote) => Outcome::Tell(Command::Created {
                    job,
                    attempt,
                    remote,
                }),
                Err(fault @ DeviceFault::Wait(_)) => waited(effect, &fault),
                Err(DeviceFault::Unclear(_)) => {
                    Outcome::Tell(Command::CreateUnclear { job, attempt })
                }
                Err(fault @ DeviceFault::Refused(_)) => {
                    tracing::warn!(job.id = %job, error = %chain(&fault), "printer refused the job");
                    Outcome::Tell(Command::CreateRefused { job, attempt })
                }
            }
        }
        Action::Locate { name, .. } => seen(effect, device.locate(name).await),
        Action::Look { remote, .. } => seen(effect, device.look(remote).await),
        Action::Cancel { remote, .. } => {
            // Refused where the job has ended already; what counts is what is seen afterwards.
            if let Err(fault) = device.cancel(remote).await {
                tracing::debug!(job.id = %job, error = %chain(&fault), "job not called off at the printer");
            }
            seen(effect, device.look(remote).await)
        }
        Action::Send {
            remote,
            revision,
            format,
            ..
        } => send(hands, device, effect, (remote, *revision, format)).await,
        Action::Fetch { .. } | Action::Verify { .. } | Action::Prepare { .. } | Action::Shred => {
            Outcome::Wait
        }
    }
}

async fn send(
    hands: &Arc<Hands>,
    device: &dyn Printer,
    effect: &Effect,
    (remote, revision, format): (&RemoteJob, Revision, &str),
) -> Outcome {
    let (job, attempt) = (effect.id.job, effect.id.attempt);
    let documents = Arc::clone(&hands.documents);
    // Opened again rather than held since `Prepare`: plain bytes stay in memory while they stream, no longer.
    let opened = blocking(move || documents.revision(job, &revision)).await;
    let Some(Ok(Some(bytes))) = opened else {
        return Outcome::Tell(Command::SendUnclear { job, attempt });
    };
    pass(Stop::BeforeSend);
    let sent = device.send(remote, format, bytes).await;
    pass(Stop::AfterSend);
    match sent {
        Ok(()) => Outcome::Tell(Command::Sent { job, attempt }),
        Err(fault) => {
            tracing::warn!(job.id = %job, error = %chain(&fault), "document may not have arrived; looking");
            Outcome::Tell(Command::SendUnclear { job, attempt })
        }
    }
}

fn seen(effect: &Effect, looked: Result<loket_domain::print::Sighting, DeviceFault>) -> Outcome {
    let (job, attempt) = (effect.id.job, effect.id.attempt);
    match looked {
        Ok(sighting) => {
            if effect.id.step != EffectStep::Survey {
                pass(Stop::Sighted);
            }
            Outcome::Tell(Command::Sighted {
                job,
                attempt,
                sighting,
            })
        }
        Err(fault) => waited(effect, &fault),
    }
}

fn waited(effect: &Effect, fault: &DeviceFault) -> Outcome {
    let job = effect.id.job;
    tracing::debug!(job.id = %job, step = ?effect.id.step, error = %chain(fault), "printer not ready; waiting");
    Outcome::Wait
}

/// Runs blocking work off the async threads; `None` when it panicked.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Some(done),
        Err(error) => {
            tracing::error!(%error, "blocking work ended without an answer");
            None
        }
    }
}
