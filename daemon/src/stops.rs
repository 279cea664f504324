//! Numbered places where a crash must do no harm; the crash tests kill the program at each in turn.
//!
//! The list is generated from the one table below, so that no test can forget a stop. Beside them stand a few holds:
//! places where a test lets the program hang while it breaks something. Killing and holding exist only under feature
//! `crash-stops`.

macro_rules! stops {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// A place on the way of a print order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Stop { $($(#[$doc])* $name,)* }

        impl Stop {
            /// Every stop, in the order of the walk.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word by which a test names it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

stops! {
    /// An order has arrived; nothing is on disk.
    OrderArrived = "order-arrived",
    /// Its key file is on disk; the journal knows nothing.
    KeySpooled = "key-spooled",
    /// Events of the desk are about to be committed.
    BeforeCommit = "before-commit",
    /// Events of the desk are on disk and not yet applied.
    AfterCommit = "after-commit",
    /// A report of no event is about to be committed.
    BeforeReport = "before-report",
    /// A report of no event is on disk, and nobody was told.
    AfterReport = "after-report",
    /// The order is journalled; the broker has no acknowledgement.
    BeforeMqttAck = "before-mqtt-ack",
    /// Part of the document has been fetched.
    FetchedPart = "fetched-part",
    /// The document is whole on disk; the journal knows nothing.
    BlobAdmitted = "blob-admitted",
    /// The document is judged; the journal knows nothing.
    Verified = "verified",
    /// The printer has been asked what it is.
    Surveyed = "surveyed",
    /// Create-Job is about to leave.
    BeforeCreate = "before-create",
    /// Create-Job has been answered; the journal knows nothing.
    AfterCreate = "after-create",
    /// The opened document has been compared.
    Prepared = "prepared",
    /// Send-Document is about to leave.
    BeforeSend = "before-send",
    /// Send-Document has been answered; the journal knows nothing.
    AfterSend = "after-send",
    /// The printer has been looked at.
    Sighted = "sighted",
    /// The document is printed; its record is about to be made.
    BeforeRecord = "before-record",
    /// The record is on disk, or could not be made; the document is there.
    AfterRecord = "after-record",
    /// The document is destroyed; the journal knows nothing.
    AfterShred = "after-shred",
    /// A report has been handed to the link.
    Published = "published",
    /// Central's acknowledgement has arrived; the outbox still holds the rows.
    AckArrived = "ack-arrived",
    /// The acknowledged rows are gone; the broker has no acknowledgement.
    Settled = "settled",
    /// A printer has rested long enough; its page is about to be drawn. No print order passes here.
    ExerciseDue = "exercise-due",
    /// The page is sealed on disk; the journal knows nothing. No print order passes here.
    ExerciseSpooled = "exercise-spooled",
}

/// Passes a stop. In a program without feature `crash-stops` this does nothing.
#[cfg(not(feature = "crash-stops"))]
#[inline]
pub const fn pass(_stop: Stop) {}

/// Passes a stop: kills the program at the n-th passage of the stop that a test names (`test_doors.rs`).
#[cfg(feature = "crash-stops")]
pub fn pass(stop: Stop) {
    killing::pass(stop);
}

/// A place where a test lets the program hang.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// A journal that was not closed is about to be checked.
    JournalCheck,
    /// An append is about to be committed: the loop that owns the desk hangs with it.
    Append,
    /// An order is journalled; its document is about to be asked for.
    Fetch,
    /// A judging process waits for its document.
    Judging,
    /// The process that makes a record waits for its document.
    Recording,
    /// The process that reads a doubted sheet waits for its scan.
    Comparing,
    /// A trust bundle is checked and on disk beside the one that counts, which it is about to replace.
    TrustReplace,
}

/// Passes a hold. In a program without feature `crash-stops` this does nothing.
#[cfg(not(feature = "crash-stops"))]
#[inline]
pub fn hold(_hold: Hold) -> std::future::Ready<()> {
    std::future::ready(())
}

/// Passes a hold: hangs at the one that a test names (`test_doors.rs`), for as long as its file is there.
///
/// # Cancel safety
/// Dropping the future lets go.
#[cfg(feature = "crash-stops")]
pub async fn hold(hold: Hold) {
    holding::hold(hold).await;
}

#[cfg(feature = "crash-stops")]
mod holding {
    use std::path::Path;
    use std::time::Duration;

    use super::Hold;
    use crate::test_doors;

    /// Between two looks at the file.
    const LOOK_EVERY: Duration = Duration::from_millis(10);

    const fn word(hold: Hold) -> &'static str {
        match hold {
            Hold::JournalCheck => "journal-check",
            Hold::Append => "append",
            Hold::Fetch => "fetch",
            Hold::Judging => "judging",
            Hold::Recording => "recording",
            Hold::Comparing => "comparing",
            Hold::TrustReplace => "trust-replace",
        }
    }

    pub(super) async fn hold(hold: Hold) {
        let Some(wanted) = test_doors::wish(test_doors::HOLD_AT) else {
            return;
        };
        let Some((at, file)) = wanted.split_once(':') else {
            return;
        };
        if at != word(hold) || !Path::new(file).exists() {
            return;
        }
        tracing::warn!("held at {at}");
        while Path::new(file).exists() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

#[cfg(feature = "crash-stops")]
mod killing {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::Stop;
    use crate::test_doors;

    static PASSED: AtomicU32 = AtomicU32::new(0);

    pub(super) fn pass(stop: Stop) {
        let Some(wanted) = test_doors::wish(test_doors::STOP_AT) else {
            return;
        };
        let (word, nth) = wanted.split_once(':').unwrap_or((&wanted, "1"));
        let nth: u32 = nth.parse().unwrap_or(1);
        if word != stop.word() || PASSED.fetch_add(1, Ordering::SeqCst) + 1 != nth {
            return;
        }
        // SIGKILL to ourselves: no destructor, no flush, as when the power goes for this process.
        let pid = rustix::process::getpid();
        let killed = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        tracing::error!(?killed, "not killed at a stop");
        loop {
            std::thread::park();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_unique() {
        let mut words: Vec<_> = Stop::ALL.iter().map(|stop| stop.word()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Stop::ALL.len());
    }
}
