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
use loket_spool::SpoolError;
use loket_wire::JobId;
use serde::Deserialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::blocking::blocking;
use crate::record::{AuditKey, Lying, MAX_KEY_ANSWER_BYTES, Records};
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

/// Central's code for a record that was sealed to an audit key which it does not have.
const OTHER_KEY: &str = "RecordOtherKey";

/// What central says of one record.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// It has it, or wants none.
    Taken,
    /// It cannot open this one: its audit key is another.
    Unopened,
    /// It will never take this one.
    Never,
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
            413 => Self::Never,
            422 => Self::Unopened,
            409 => match serde_json::from_slice::<Said>(&answer.body) {
                Ok(said) if said.code == OTHER_KEY => Self::Unopened,
                Ok(_) | Err(_) => Self::Later,
            },
            // A machine that central does not recognise at present may be known again tomorrow; a job stays another's.
            403 => match serde_json::from_slice::<Said>(&answer.body) {
                Ok(said) if said.code == NOT_YOUR_JOB => Self::Never,
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
                    let is_another = self.learn_key().await?;
                    self.try_refused(is_another).await?;
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

    /// Asks for the audit key; true where it is another than before.
    async fn learn_key(&self) -> Result<bool, FetchError> {
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
            return Ok(false);
        };
        let records = Arc::clone(&self.records);
        let kept = blocking(move || records.take_key(&key, public)).await;
        Ok(match kept {
            Some(Ok(is_another)) => is_another,
            Some(Err(error)) => {
                tracing::warn!(error = %chain(&error), "central's audit key not kept; asked for again at the next start");
                true
            }
            None => false,
        })
    }

    /// Hands in once more what central could not open, the oldest first: its key may be there again, or the days of the
    /// office may be over, which it says by wanting none. One that it still cannot open is answer enough for a day,
    /// unless its key is another than it was.
    async fn try_refused(&self, is_key_another: bool) -> Result<(), FetchError> {
        let records = Arc::clone(&self.records);
        let refused = blocking(move || {
            records.drop_old_refused()?;
            records.refused()
        });
        for job in told(refused.await, "listed").unwrap_or_default() {
            match self.fate(job, Lying::Refused).await? {
                Some(Fate::Taken | Fate::Never) => {
                    tracing::info!(job.id = %job, "central takes a record that it could not open before, or wants none any more");
                    self.erase(job, Lying::Refused).await;
                }
                Some(Fate::Unopened) if is_key_another => {}
                Some(Fate::Unopened | Fate::Later) | None => break,
            }
        }
        Ok(())
    }

    /// Hands in what waits; false where some of it waits on.
    async fn hand_in_all(&self) -> Result<bool, FetchError> {
        let records = Arc::clone(&self.records);
        let waiting = blocking(move || records.waiting()).await;
        let Some(waiting) = told(waiting, "listed") else {
            return Ok(false);
        };
        let mut is_done = true;
        for job in waiting {
            is_done &= self.hand_in(job).await?;
        }
        Ok(is_done)
    }

    async fn hand_in(&self, job: JobId) -> Result<bool, FetchError> {
        match self.fate(job, Lying::Waiting).await? {
            Some(Fate::Taken) => {
                tracing::info!(job.id = %job, "central has the record of the printed sheet");
                Ok(self.erase(job, Lying::Waiting).await)
            }
            Some(Fate::Never) => {
                tracing::error!(job.id = %job, "central never takes the record of a printed sheet; it is erased");
                Ok(self.erase(job, Lying::Waiting).await)
            }
            Some(Fate::Unopened) => {
                tracing::error!(job.id = %job, "central cannot open the record of a printed sheet; it is kept aside");
                let records = Arc::clone(&self.records);
                let put = blocking(move || records.put_aside(job)).await;
                Ok(told(put, "put aside").is_some())
            }
            Some(Fate::Later) | None => Ok(false),
        }
    }

    /// What central says of a record; `None` where it cannot be read.
    async fn fate(&self, job: JobId, lying: Lying) -> Result<Option<Fate>, FetchError> {
        let records = Arc::clone(&self.records);
        let body = blocking(move || records.sealed(job, lying)).await;
        let Some(body) = told(body, "read") else {
            return Ok(None);
        };
        let submission = Submission {
            method: Method::Put,
            path: format!("/machine/v1/records/{job}"),
            content_type: "application/octet-stream",
            body: body.into(),
        };
        let timeouts = FetchTimeouts::default();
        let answer = submit(timeouts, &self.source, submission, MAX_ANSWER_BYTES).await?;
        tracing::debug!(job.id = %job, status = answer.status, "central answers a record");
        Ok(Some(Fate::of(&answer)))
    }

    async fn erase(&self, job: JobId, lying: Lying) -> bool {
        let records = Arc::clone(&self.records);
        let erased = blocking(move || records.erase(job, lying)).await;
        told(erased, "erased").is_some()
    }
}

/// What work on the folders gave; what went wrong is written down.
fn told<T>(done: Option<Result<T, SpoolError>>, did: &str) -> Option<T> {
    match done? {
        Ok(done) => Some(done),
        Err(error) => {
            tracing::warn!(error = %chain(&error), "records of printed sheets could not be {did}");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_erased_only_where_central_has_it_or_never_takes_it_and_kept_where_it_does_not_open()
     {
        for (status, code, fate) in [
            (200, "", Fate::Taken),
            (201, "", Fate::Taken),
            (403, "NotYourJob", Fate::Never),
            (403, "MachineNotRecognised", Fate::Later),
            (403, "", Fate::Later),
            (409, "RecordOtherKey", Fate::Unopened),
            (409, "", Fate::Later),
            (413, "BodyTooLarge", Fate::Never),
            (422, "RecordRefused", Fate::Unopened),
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
