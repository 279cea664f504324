//! Pauses and their bounds: a printer that fails is asked again ever more slowly, and not for ever.

use std::time::Duration;

use loket_wire::{JobState, Reason, Timestamp};

use super::super::attempt::{Attempt, Step};
use super::super::command::Refusal;
use super::super::event::What;
use super::super::job::{Job, Stage};
use super::{called_off_end, end, waiting};
use crate::core::Now;

/// Times a printer may abort a job unprinted before a person must look: a fault that comes five times running will
/// not be mended by a sixth attempt.
const MAX_ABORTS: u32 = 5;

/// Attempts that may fail before any byte left though the printer answers: with the pauses below this is an hour, in
/// which a printer has been switched off and on. A crash is no fault of the printer and does not count.
const MAX_FAULTS: u32 = 20;

/// Pause after the first of them, doubling to the last.
const FIRST_FAULT_PAUSE: Duration = Duration::from_secs(1);
const LAST_FAULT_PAUSE: Duration = Duration::from_secs(300);

/// Why a job waits is told again at most this often: a printer that comes and goes must not fill the journal.
const NEWS_PAUSE: Duration = Duration::from_secs(60);

/// A printer that is busy for so long is asked anew which jobs it holds: one of ours may be what keeps it.
const BUSY_RESURVEY: Duration = Duration::from_secs(300);

/// Until when the job pauses after failed attempts.
pub(in super::super) fn fault_pause(job: &Job) -> Option<(Timestamp, Duration)> {
    let doublings = job.fault_count.checked_sub(1)?;
    let pause = FIRST_FAULT_PAUSE.saturating_mul(2_u32.saturating_pow(doublings));
    Some((job.faulted_at?, pause.min(LAST_FAULT_PAUSE)))
}

/// Whether the printer may be asked again.
pub(in super::super) fn may_survey(job: &Job, now: Now) -> bool {
    fault_pause(job).is_none_or(|(from, pause)| now.is_after(from, pause))
}

/// The end of a job whose printer failed too often.
pub(super) fn exhausted(job: &Job) -> Option<What> {
    (job.abort_count >= MAX_ABORTS || job.fault_count >= MAX_FAULTS)
        .then(|| end(JobState::Failed, Reason::AttemptsExhausted))
}

/// The end of an attempt that printed nothing. That the printer fails is told once.
pub(super) fn attempt_failed(job: &Job, attempt: &Attempt) -> Vec<What> {
    let mut whats = vec![What::AttemptFailed];
    let is_news = job.waits.map(|(reason, _since)| reason) != Some(Reason::PrinterFault);
    if attempt.is_printers_fault() && is_news {
        whats.push(waiting(Reason::PrinterFault));
    }
    whats
}

/// The printer is away or busy and nothing has left.
pub(super) fn waits(now: Now, job: &Job, no: u32, reason: Reason) -> Result<Vec<What>, Refusal> {
    if job.attempt_count != no {
        return Err(Refusal::Stale);
    }
    match &job.stage {
        Stage::Attempting(attempt) if attempt.step == Step::Creating => {
            let past = job.is_past(now).then_some(Reason::NotAfter);
            if let Some(reason) = attempt.called_off.or(past) {
                return Ok(vec![called_off_end(reason)]);
            }
            if reason == Reason::PrinterBusy && now.is_after(attempt.since, BUSY_RESURVEY) {
                return Ok(vec![What::AttemptFailed]);
            }
        }
        Stage::Released | Stage::Clearing(_) | Stage::Attempting(_) => {}
        Stage::Fetching
        | Stage::Received
        | Stage::Held
        | Stage::Unknown { .. }
        | Stage::Ended { .. }
        | Stage::Closed { .. } => return Err(Refusal::Stale),
    }
    Ok(match job.waits {
        Some((told, _since)) if told == reason => Vec::new(),
        Some((_other, since)) if !now.is_after(since, NEWS_PAUSE) => Vec::new(),
        Some(_) | None => vec![waiting(reason)],
    })
}

pub(super) fn waits_no_more(job: &Job) -> Vec<What> {
    match job.waits {
        Some(_told) => vec![What::Waiting { reason: None }],
        None => Vec::new(),
    }
}
