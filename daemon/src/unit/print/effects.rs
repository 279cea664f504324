//! Runs one effect of the desk until its answer has changed the job.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use loket_domain::print::{
    Action, Command, Effect, EffectId, EffectStep, Revision, Sighting, Verification,
};
use loket_link::FetchTarget;
use loket_spool::SpoolError;
use loket_wire::{Class, JobId, Reason, Timestamp};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::at_printer::at_printer;
use super::fetch::fetch;
use super::handle::{DeskError, DeskHandle};
use crate::blocking::blocking;
use crate::device::Printer;
use crate::document::{DocumentError, Documents};
use crate::raster::Rasters;
use crate::record::{RecordFault, Records};
use crate::standstill::Standstill;
use crate::stops::{Stop, pass};
use crate::telemetry::chain;
use crate::unit::hotplug::{Plug, Plugs};

/// First pause between two looks or tries, doubling to the last (CONTRACT, messages): a page takes seconds, and a
/// printer that is away costs one connection a second.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// Last pause between two tries to fetch: central or the link is away, for minutes or days.
const LAST_FETCH_PAUSE: Duration = Duration::from_secs(10);

/// Panics of the reader on one document, which are caught, after which it is set aside.
const MAX_PANICS: u32 = 3;

/// Tries that found the printer away or busy after which the desk is told: what passes in a blink is no news.
const TOLD_AFTER: u32 = 3;

/// What effects work with.
pub struct Hands {
    /// Sealed documents.
    pub documents: Arc<Documents>,
    /// Printers by lane.
    pub printers: BTreeMap<String, Arc<dyn Printer>>,
    /// Where sealed documents are fetched; none on a machine that is not enrolled.
    pub source: Option<FetchTarget>,
    /// Draws documents for printers that take no PDF.
    pub rasters: Rasters,
    /// Makes records of printed sheets; none on a machine that is not enrolled.
    pub records: Option<Arc<Records>>,
    /// The desk that is answered.
    pub desk: DeskHandle,
    /// What is heard of printers on USB cables.
    pub plugs: Plugs,
}

impl fmt::Debug for Hands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hands")
            .field("printers", &self.printers.keys())
            .finish_non_exhaustive()
    }
}

/// What came of one try.
pub(super) enum Outcome {
    /// Tell the desk.
    Tell(Command),
    /// Nothing yet: pause and try again.
    Wait,
    /// The same, for a printer, and why.
    WaitFor(Reason),
}

/// What one run of an effect counts.
#[derive(Debug, Default)]
pub(super) struct Tries {
    /// Fetches of the wrong bytes.
    pub(super) mismatches: u32,
    /// Whether it was logged that the document waits for room.
    pub(super) is_told: bool,
    panics: u32,
    waits: u32,
}

/// Runs an effect until its answer is on disk, or `stop` says that it is not asked for any more.
pub(super) async fn run(
    hands: Arc<Hands>,
    fetching: Arc<Semaphore>,
    effect: Effect,
    stop: CancellationToken,
) -> EffectId {
    let id = effect.id;
    let mut pause = FIRST_PAUSE;
    // From before the first try: a printer that is plugged in while it is tried is tried again at once.
    let mut plug = (effect.action.printer()).map_or_else(Plug::default, |it| hands.plugs.of(it));
    let mut tries = Tries::default();
    while !stop.is_cancelled() {
        let trying = attempt(&hands, &fetching, &effect, &mut tries);
        let outcome = if may_be_cut(id.step) {
            match stop.run_until_cancelled(trying).await {
                Some(outcome) => outcome,
                None => return id,
            }
        } else {
            trying.await
        };
        let command = match outcome {
            Outcome::Tell(command) => Some(command),
            Outcome::WaitFor(reason) => {
                tries.waits += 1;
                (tries.waits >= TOLD_AFTER).then_some(Command::Waits {
                    job: id.job,
                    attempt: id.attempt,
                    reason,
                })
            }
            Outcome::Wait => None,
        };
        if let Some(command) = command
            && tell(&hands.desk, command, &stop).await
        {
            return id;
        }
        tokio::select! {
            () = stop.cancelled() => return id,
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(last_pause(id.step)),
            // Tried again at once, and then with pauses that begin anew: it may take a moment until it answers.
            () = plug.plugged() => pause = FIRST_PAUSE,
        }
    }
    id
}

/// Whether a try may be dropped half way: it only asks, or goes on where it was. What changes something at the printer
/// or destroys bytes is let finish, so that its answer is heard.
const fn may_be_cut(step: EffectStep) -> bool {
    match step {
        EffectStep::Fetch
        | EffectStep::Survey
        | EffectStep::Locate
        | EffectStep::Seek
        | EffectStep::Check
        | EffectStep::Probe
        | EffectStep::Watch
        | EffectStep::Withdraw
        | EffectStep::Follow => true,
        EffectStep::Verify
        | EffectStep::Create
        | EffectStep::Prepare
        | EffectStep::Send
        | EffectStep::Print
        | EffectStep::Cancel
        | EffectStep::Shred => false,
    }
}

const fn last_pause(step: EffectStep) -> Duration {
    match step {
        EffectStep::Fetch => LAST_FETCH_PAUSE,
        EffectStep::Survey
        | EffectStep::Locate
        | EffectStep::Seek
        | EffectStep::Check
        | EffectStep::Probe
        | EffectStep::Watch
        | EffectStep::Withdraw
        | EffectStep::Follow
        | EffectStep::Verify
        | EffectStep::Create
        | EffectStep::Prepare
        | EffectStep::Send
        | EffectStep::Print
        | EffectStep::Cancel
        | EffectStep::Shred => LAST_PAUSE,
    }
}

/// Tells the desk until it is on disk; true when the effect is over.
///
/// The same answer is told again after a failed write: the effect itself is never repeated for that, since it may
/// have put a document on paper.
async fn tell(desk: &DeskHandle, command: Command, stop: &CancellationToken) -> bool {
    let mut pause = FIRST_PAUSE;
    let standstill = Standstill::default();
    loop {
        match desk.submit(command.clone()).await {
            Ok(changed) => return changed,
            Err(DeskError::Journal(error)) => {
                let why = chain(&error);
                if standstill.begins(&why) {
                    tracing::error!(
                        error = why,
                        "a job's change cannot be journalled; trying again"
                    );
                }
            }
            Err(
                DeskError::Refused(_)
                | DeskError::LongOver
                | DeskError::Gone
                | DeskError::Bug
                | DeskError::Broken
                | DeskError::Effect
                | DeskError::Crowded,
            ) => return true,
        }
        tokio::select! {
            () = stop.cancelled() => return true,
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

async fn attempt(
    hands: &Arc<Hands>,
    fetching: &Semaphore,
    effect: &Effect,
    tries: &mut Tries,
) -> Outcome {
    let (job, no) = (effect.id.job, effect.id.attempt);
    match &effect.action {
        Action::Fetch { blob } => {
            // Closed never; taken for one try, so that a document that cannot be had keeps no other waiting.
            let _turn = fetching.acquire().await;
            fetch(hands, job, blob, tries).await
        }
        Action::Verify {
            class,
            is_exercise,
            at,
        } => verify(hands, job, ((*class, *is_exercise), *at), tries).await,
        Action::Prepare { revision } => prepare(hands, job, no, *revision).await,
        Action::Shred { printed } => shred(hands, job, *printed).await,
        Action::Survey { printer }
        | Action::Create { printer, .. }
        | Action::Locate { printer, .. }
        | Action::Send { printer, .. }
        | Action::Print { printer, .. }
        | Action::Look { printer, .. }
        | Action::Cancel { printer, .. } => match hands.printers.get(printer) {
            Some(device) => at_printer(hands, device.as_ref(), effect).await,
            None => without_printer(effect, printer),
        },
    }
}

/// The lane's printer is in the settings no more: it will never say what became of the job. Where bytes may have left
/// that is for an officer to say; where none had, the job may go to another printer.
fn without_printer(effect: &Effect, printer: &str) -> Outcome {
    let (job, attempt) = (effect.id.job, effect.id.attempt);
    match &effect.action {
        Action::Cancel { .. } => Outcome::Tell(Command::CancelTried { job, attempt }),
        Action::Locate { .. } | Action::Look { .. } => {
            tracing::error!(job.id = %job, device.id = printer, "the job's printer is no longer in the settings");
            let sighting = Sighting::Unasked;
            Outcome::Tell(Command::Sighted {
                job,
                attempt,
                sighting,
            })
        }
        Action::Create { .. } => Outcome::Tell(Command::CreateUnclear { job, attempt }),
        Action::Send { .. } | Action::Print { .. } => {
            Outcome::Tell(Command::SendUnclear { job, attempt })
        }
        Action::Survey { .. }
        | Action::Fetch { .. }
        | Action::Verify { .. }
        | Action::Prepare { .. }
        | Action::Shred { .. } => Outcome::Wait,
    }
}

async fn verify(
    hands: &Arc<Hands>,
    job: JobId,
    (class, at): ((Class, bool), Timestamp),
    tries: &mut Tries,
) -> Outcome {
    let documents = Arc::clone(&hands.documents);
    let turn = hands.documents.turn().await;
    let judged = blocking(move || documents.judge(job, class, at)).await;
    drop(turn);
    pass(Stop::Verified);
    match judged {
        Some(Ok(outcome)) => Outcome::Tell(Command::Verified { job, outcome }),
        Some(Err(error)) => {
            tracing::warn!(job.id = %job, error = %chain(&error), "document not judged; trying again");
            Outcome::Wait
        }
        None => {
            tries.panics += 1;
            if tries.panics < MAX_PANICS {
                return Outcome::Wait;
            }
            let outcome = Verification::Refused(Reason::Poison);
            Outcome::Tell(Command::Verified { job, outcome })
        }
    }
}

async fn prepare(hands: &Arc<Hands>, job: JobId, attempt: u32, revision: Revision) -> Outcome {
    let documents = Arc::clone(&hands.documents);
    let turn = hands.documents.turn().await;
    let read = blocking(move || documents.revision(job, &revision)).await;
    drop(turn);
    pass(Stop::Prepared);
    let opened = match read {
        Some(Ok(Some(_bytes))) => Some(revision.sha256),
        Some(Ok(None)) => {
            tracing::error!(job.id = %job, "the document is not the one that was verified");
            None
        }
        // A disk that fails now may read again; a file that is gone will not come back.
        Some(Err(error @ DocumentError::Spool(SpoolError::Io { .. }))) => {
            tracing::warn!(job.id = %job, error = %chain(&error), "document not opened; trying again");
            return Outcome::Wait;
        }
        Some(Err(error)) => {
            tracing::error!(job.id = %job, error = %chain(&error), "the document does not open any more");
            None
        }
        None => None,
    };
    Outcome::Tell(Command::Prepared {
        job,
        attempt,
        opened,
    })
}

/// Makes the record of what was printed while the document is there. It is worth less than the document's end: one that
/// cannot be made is told, and the document goes.
async fn record(hands: &Arc<Hands>, job: JobId, printed: Revision) {
    let Some(records) = hands.records.clone() else {
        return;
    };
    pass(Stop::BeforeRecord);
    let made = records.make(&hands.documents, job, printed).await;
    pass(Stop::AfterRecord);
    match made {
        Ok(()) => tracing::debug!(job.id = %job, "the sheet's record waits for central"),
        // A crash between the two: the record was made, or could not be, when the document was there.
        Err(RecordFault::Document(DocumentError::Spool(SpoolError::NotFound { .. }))) => {}
        Err(error) => {
            tracing::warn!(job.id = %job, error = %chain(&error), "no record of the printed sheet");
        }
    }
}

async fn shred(hands: &Arc<Hands>, job: JobId, printed: Option<Revision>) -> Outcome {
    if let Some(printed) = printed {
        record(hands, job, printed).await;
    }
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

#[cfg(test)]
mod tests;
