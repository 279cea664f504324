//! The watched folder: a PDF and an order of the same stem. The folder is the outside: nothing of it is logged but
//! digests, and it is emptied after a day.
//!
//! ```text
//! <stem>.pdf + <stem>.json|toml, both still for settle_ms → taken: removed once committed
//!                                                        → refused, and still for reject_after_ms as well:
//!                                                          rejected/<stem>.* with <stem>.reason.txt
//! one without the other, older than keep_s → rejected/, and from there gone after another keep_s
//! ```
//!
//! A whole pair waits for its judgement, however long central was away or its disk full: age rejects nothing whole.

mod look;
mod rejected;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use loket_store::Actor;
use loket_wire::Sha256Digest;
use loket_wire::order::MAX_DOCUMENT_BYTES;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

pub(crate) use look::Folder;

use self::look::{Member, Pair};
use super::order_text::MAX_ORDER_BYTES;
use super::{Brought, Taken, take};
use crate::clock::now;
use crate::files;
use crate::office::Office;
use crate::problem::{Code, Problem};
use crate::test_doors::{Stop, pass};

/// Watches until `stop`. All that touches files runs off the async threads.
pub(crate) async fn run(office: Arc<Office>, folder: Folder, stop: CancellationToken) {
    let mut ticks = interval(folder.poll());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let folder = Arc::new(Mutex::new(folder));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _at = ticks.tick() => {}
        }
        let pairs = with(&office, &folder, |folder| {
            folder.round(Instant::now(), now())
        });
        let pairs = match pairs.await {
            Ok(Ok(pairs)) => pairs,
            Ok(Err(error)) => {
                tracing::error!(%error, "intake folder not readable");
                continue;
            }
            Err(_told) => continue,
        };
        for pair in pairs {
            if stop.is_cancelled() {
                return;
            }
            bring(&office, &folder, pair).await;
        }
    }
}

/// Works on the folder on a blocking thread; rounds come one after the other, so nobody waits for the lock.
async fn with<T: Send + 'static>(
    office: &Arc<Office>,
    folder: &Arc<Mutex<Folder>>,
    work: impl FnOnce(&mut Folder) -> T + Send + 'static,
) -> Result<T, Problem> {
    let folder = Arc::clone(folder);
    office
        .blocking(move |_office| work(&mut folder.lock().unwrap_or_else(PoisonError::into_inner)))
        .await
}

/// Takes one pair in, and away.
async fn bring(office: &Arc<Office>, folder: &Arc<Mutex<Folder>>, pair: Pair) {
    let read = pair.clone();
    let outcome = match office.blocking(move |_office| read_pair(&read)).await {
        Ok(Ok(brought)) => take(office, brought).await.map_err(Unbrought::Refused),
        Ok(Err(unbrought)) => Err(unbrought),
        Err(problem) => Err(Unbrought::Refused(problem)),
    };
    let settled = with(office, folder, move |folder| match outcome {
        Ok(Taken::New(job) | Taken::Same(job)) => {
            pass(Stop::FolderTaken);
            tracing::info!(job.id = %job, "pair of the intake folder taken");
            folder.take_away(&pair)
        }
        Err(Unbrought::Changed) => Ok(()),
        Err(Unbrought::Refused(problem)) => {
            folder.refused(pair, problem, Instant::now());
            Ok(())
        }
    });
    if let Ok(Err(error)) = settled.await {
        tracing::error!(%error, "a pair of the intake folder is taken and could not be removed");
    }
}

/// Why a pair did not become a job.
#[derive(Debug)]
enum Unbrought {
    /// It is another one by now, or gone: the next round looks again.
    Changed,
    /// A rule, or central's own trouble.
    Refused(Problem),
}

fn read_pair(pair: &Pair) -> Result<Brought, Unbrought> {
    let document = read(&pair.document, MAX_DOCUMENT_BYTES, Code::DocumentTooLarge)?;
    let order = read(&pair.order, MAX_ORDER_BYTES, Code::OrderTooLarge)?;
    // What the files hold, and which files they are: met again after a crash they are done, while a fresh copy of
    // them is somebody's new wish and gets an answer of its own.
    let parts = format!(
        "{}\0{}\0{:?}\0{:?}",
        Sha256Digest::of(&document),
        Sha256Digest::of(&order),
        pair.document.look,
        pair.order.look,
    );
    Ok(Brought {
        folder_sha256: Some(Sha256Digest::of(parts.as_bytes())),
        document,
        order,
        notation: pair.notation,
        idempotency_key: None,
        actor: Actor::new("folder").unwrap_or_else(|_never| Actor::central()),
    })
}

/// Reads a file that is, before and after, the one that stood still.
fn read(
    member: &Member,
    limit_bytes: usize,
    too_large: Code,
) -> Result<Zeroizing<Vec<u8>>, Unbrought> {
    let limit_bytes = u64::try_from(limit_bytes).unwrap_or(u64::MAX);
    let bytes = match files::read_bounded(&member.path, limit_bytes) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(error) => return Err(unreadable(&member.path, &error, too_large)),
    };
    if member.is_unchanged() {
        Ok(bytes)
    } else {
        Err(Unbrought::Changed)
    }
}

fn unreadable(path: &Path, error: &io::Error, too_large: Code) -> Unbrought {
    let kind = error.kind();
    if kind == io::ErrorKind::NotFound {
        return Unbrought::Changed;
    }
    let code = if kind == io::ErrorKind::FileTooLarge {
        too_large
    } else if kind == io::ErrorKind::PermissionDenied {
        Code::FolderFileUnreadable
    } else {
        let digest = look::name_digest(path.file_name().unwrap_or_default());
        tracing::error!(file.digest = digest, %error, "a file of the intake folder is not readable");
        Code::StorageFailed
    };
    Unbrought::Refused(code.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_central_may_not_read_is_refused_and_a_sick_disk_is_waited_for() {
        let code = |kind: io::ErrorKind| match unreadable(
            Path::new("a.pdf"),
            &kind.into(),
            Code::DocumentTooLarge,
        ) {
            Unbrought::Changed => None,
            Unbrought::Refused(problem) => Some(problem.code),
        };
        assert_eq!(code(io::ErrorKind::NotFound), None);
        assert_eq!(
            code(io::ErrorKind::PermissionDenied),
            Some(Code::FolderFileUnreadable)
        );
        assert_eq!(
            code(io::ErrorKind::FileTooLarge),
            Some(Code::DocumentTooLarge)
        );
        assert_eq!(code(io::ErrorKind::Other), Some(Code::StorageFailed));
    }
}
