//! The records unit: learns central's audit key, hands in the records of printed sheets, asks for one that is doubted.
//!
//! The folder is the truth: what lies there waits, and what central took is erased. Nothing here is on the way of a
//! print.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use loket_link::{
    Answer, FetchError, FetchTarget, FetchTimeouts, Method, Submission, fetch_from, submit,
};
use loket_wire::JobId;
use serde::Deserialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::record::{AuditKey, MAX_KEY_ANSWER_BYTES, Records};
use crate::telemetry::chain;

/// First pause before central is tried again, doubling to the last: a record has time.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LAST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// The key is asked for at each start, and so often after that: an office that exchanges it needs no visit.
const KEY_EVERY: Duration = Duration::from_secs(24 * 3_600);

/// Longest answer to a record that is handed in.
const MAX_ANSWER_BYTES: usize = 16 * 1024;

/// Central's code for a job of another machine.
const NOT_YOUR_JOB: &str = "NotYourJob";

/// What central says of one record.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// It has it, or wants none.
    Taken,
    /// It will never take this one.
    Refused,
    /// It does not know the job yet, or has no room.
    Later,
}

/// What central's refusals say of themselves.
#[derive(Deserialize)]
struct Said {
    code: String,
}

impl Fate {
    fn of(answer: &Answer) -> Self {
        match answer.status {
            200 | 201 => Self::Taken,
            // Too large, or it does not open.
            413 | 422 => Self::Refused,
            // A machine that central does not recognise at present may be known again tomorrow; a job stays another's.
            403 => match serde_json::from_slice::<Said>(&answer.body) {
                Ok(said) if said.code == NOT_YOUR_JOB => Self::Refused,
                Ok(_) | Err(_) => Self::Later,
            },
            _other => Self::Later,
        }
    }
}

/// The unit before it runs.
#[derive(Debug)]
pub(crate) struct RecordsUnit {
    pub(crate) records: Arc<Records>,
    /// Central's listener for machines.
    pub(crate) source: FetchTarget,
}

impl RecordsUnit {
    /// Runs until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let (mut key_at, mut pause) = (Instant::now(), FIRST_PAUSE);
        while !stop.is_cancelled() {
            let round = async {
                if Instant::now() >= key_at {
                    self.learn_key().await?;
                    key_at = Instant::now() + KEY_EVERY;
                }
                self.hand_in_all().await
            };
            let done = tokio::select! {
                () = stop.cancelled() => return,
                done = round => done,
            };
            let rest = match done {
                Ok(true) => {
                    pause = FIRST_PAUSE;
                    key_at.saturating_duration_since(Instant::now())
                }
                Ok(false) | Err(_) => {
                    if let Err(error) = done {
                        tracing::debug!(error = %chain(&error), "records of printed sheets wait for central");
                    }
                    let rest = pause;
                    pause = (pause * 2).min(LAST_PAUSE);
                    rest
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.records.bell.notified() => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    async fn learn_key(&self) -> Result<(), FetchError> {
        let mut answer = Vec::new();
        let mut keep = |_at, chunk: Bytes| {
            answer.extend_from_slice(&chunk);
            Ok(())
        };
        let limit = u64::try_from(MAX_KEY_ANSWER_BYTES).unwrap_or(u64::MAX);
        fetch_from(&self.source, "/machine/v1/audit-key", 0, limit, &mut keep).await?;
        let Some((key, public)) = AuditKey::read(&answer) else {
            tracing::error!(
                "central's audit key is none; records go on being sealed to the last one"
            );
            return Ok(());
        };
        let records = Arc::clone(&self.records);
        let kept = blocking(move || records.take_key(&key, public)).await;
        if let Some(Err(error)) = kept {
            tracing::warn!(error = %chain(&error), "central's audit key not kept; asked for again at the next start");
        }
        Ok(())
    }

    /// Hands in what waits; false where some of it waits on.
    async fn hand_in_all(&self) -> Result<bool, FetchError> {
        let records = Arc::clone(&self.records);
        let waiting = match blocking(move || records.waiting()).await {
            Some(Ok(waiting)) => waiting,
            Some(Err(error)) => {
                tracing::warn!(error = %chain(&error), "records of printed sheets could not be listed");
                return Ok(false);
            }
            None => return Ok(false),
        };
        let mut is_done = true;
        for job in waiting {
            is_done &= self.hand_in(job).await?;
        }
        Ok(is_done)
    }

    async fn hand_in(&self, job: JobId) -> Result<bool, FetchError> {
        let records = Arc::clone(&self.records);
        let body = match blocking(move || records.sealed(job)).await {
            Some(Ok(body)) => body,
            Some(Err(error)) => {
                tracing::warn!(job.id = %job, error = %chain(&error), "a record could not be read");
                return Ok(false);
            }
            None => return Ok(false),
        };
        let submission = Submission {
            method: Method::Put,
            path: format!("/machine/v1/records/{job}"),
            content_type: "application/octet-stream",
            body: body.into(),
        };
        let timeouts = FetchTimeouts::default();
        let answer = submit(timeouts, &self.source, submission, MAX_ANSWER_BYTES).await?;
        match Fate::of(&answer) {
            Fate::Taken => {
                tracing::info!(job.id = %job, "central has the record of the printed sheet")
            }
            Fate::Refused => {
                tracing::error!(job.id = %job, status = answer.status, "central refuses the record of a printed sheet; it is erased");
            }
            Fate::Later => {
                tracing::debug!(job.id = %job, status = answer.status, "central does not take a record yet");
                return Ok(false);
            }
        }
        let records = Arc::clone(&self.records);
        if let Some(Err(error)) = blocking(move || records.erase(job)).await {
            tracing::warn!(job.id = %job, error = %chain(&error), "a record that central has was not erased");
            return Ok(false);
        }
        Ok(true)
    }
}

/// Runs blocking work off the async threads; `None` when it panicked.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Some(done),
        Err(error) => {
            let is_panic = error.is_panic();
            tracing::error!(is_panic, "blocking work on records ended without an answer");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_erased_only_where_central_has_it_or_never_takes_it() {
        for (status, code, fate) in [
            (200, "", Fate::Taken),
            (201, "", Fate::Taken),
            (403, "NotYourJob", Fate::Refused),
            (403, "MachineNotRecognised", Fate::Later),
            (403, "", Fate::Later),
            (413, "BodyTooLarge", Fate::Refused),
            (422, "RecordRefused", Fate::Refused),
            (404, "JobUnknown", Fate::Later),
            (408, "RequestTooSlow", Fate::Later),
            (500, "StorageFailed", Fate::Later),
            (503, "Busy", Fate::Later),
            (507, "StorageFull", Fate::Later),
        ] {
            let body = format!("{{\"code\":\"{code}\",\"detail\":null}}").into_bytes();
            let answer = Answer { status, body };
            assert_eq!(Fate::of(&answer), fate, "{status} {code}");
        }
    }
}
