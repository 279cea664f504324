//! This program started again with a hidden command, for what the daemon itself must not read: documents and scans.
//!
//! ```text
//! bytes ──pipe──► child: limits itself, reads, works ──pipe──► answer, bounded; killed when it takes too long
//! ```
//! A child has no environment, opens nothing once it has begun to read, and is gone with the question.

use std::ffi::OsString;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use zeroize::Zeroizing;

use crate::stops::{Hold, hold};

/// The image of this process, which stays the same when the package is replaced under it.
const IMAGE: &str = "/proc/self/exe";

/// Room for the first part of an answer: most fit.
const FIRST_ROOM_BYTES: usize = 64 * 1024;

/// How this program is started again.
#[derive(Debug, Clone)]
pub struct Myself {
    /// Words of the command line that lead to loketd's own; none where it is a program of its own.
    pub words: Vec<OsString>,
}

/// What a child is started for.
pub(crate) struct Errand<'a> {
    /// The hidden command.
    pub(crate) words: Vec<OsString>,
    /// What it reads, one behind the other.
    pub(crate) gives: &'a [&'a [u8]],
    /// It is killed after this long.
    pub(crate) within: Duration,
    /// The longest answer.
    pub(crate) answer_bytes: usize,
    /// Where a test lets it hang before it is given anything.
    pub(crate) hold: Hold,
}

/// Why a child gave no answer.
#[derive(Debug, Error)]
pub enum ChildFault {
    /// It could not be started.
    #[error("start a process of its own")]
    NotStarted(#[source] std::io::Error),
    /// It was killed.
    #[error("wait for a process of its own: it took too long and is killed")]
    TookTooLong,
    /// It ended without an answer, and says why by its exit code or a signal.
    #[error("hear a process of its own: {0}")]
    Ended(ExitStatus),
    /// Its answer is cut, too long or none.
    #[error("understand a process of its own")]
    Garbled,
}

impl Myself {
    /// Of a process that was given `own` words behind loketd's name.
    #[must_use]
    pub fn with_own(own: usize) -> Self {
        let mut words: Vec<OsString> = std::env::args_os().skip(1).collect();
        words.truncate(words.len().saturating_sub(own));
        Self { words }
    }

    /// Starts a child, gives it what it reads and takes its answer.
    ///
    /// # Errors
    /// [`ChildFault`]; the child is over in every case.
    ///
    /// # Cancel safety
    /// Dropping the future kills the child.
    pub(crate) async fn ask(&self, errand: &Errand<'_>) -> Result<Zeroizing<Vec<u8>>, ChildFault> {
        let mut command = Command::new(IMAGE);
        command
            .args(&self.words)
            .args(&errand.words)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(ChildFault::NotStarted)?;
        match tokio::time::timeout(errand.within, answer(&mut child, errand)).await {
            Ok(answered) => answered,
            Err(_late) => {
                // It may have ended this moment; either way it is reaped here.
                drop(child.kill().await);
                Err(ChildFault::TookTooLong)
            }
        }
    }
}

impl ChildFault {
    /// Whether the child used up its time: by the clock, or its processor's.
    pub(crate) fn is_late(&self) -> bool {
        /// SIGXCPU.
        const CPU_USED_UP: i32 = 24;
        use std::os::unix::process::ExitStatusExt as _;
        match self {
            Self::TookTooLong => true,
            Self::Ended(status) => status.signal() == Some(CPU_USED_UP),
            Self::NotStarted(_) | Self::Garbled => false,
        }
    }

    /// Whether it did not end by itself: killed here for its time, or by a signal.
    pub(crate) fn was_killed(&self) -> bool {
        use std::os::unix::process::ExitStatusExt as _;
        match self {
            Self::TookTooLong => true,
            Self::Ended(status) => status.signal().is_some(),
            Self::NotStarted(_) | Self::Garbled => false,
        }
    }

    /// Whether it ended with this exit code.
    pub(crate) fn is_exit(&self, exit: crate::exit::Exit) -> bool {
        match self {
            Self::Ended(status) => status.code() == Some(i32::from(exit.code())),
            Self::NotStarted(_) | Self::TookTooLong | Self::Garbled => false,
        }
    }
}

async fn answer(child: &mut Child, errand: &Errand<'_>) -> Result<Zeroizing<Vec<u8>>, ChildFault> {
    hold(errand.hold).await;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else {
        return Err(ChildFault::Garbled);
    };
    let give = async {
        for bytes in errand.gives {
            // A child that ends early says why by its exit code: a broken pipe is no news.
            drop(stdin.write_all(bytes).await);
        }
        drop(stdin.shutdown().await);
        drop(stdin);
    };
    let (_given, read) = tokio::join!(give, read(stdout, errand.answer_bytes));
    let status = child.wait().await;
    let (Some(bytes), Ok(status)) = (read, status) else {
        return Err(ChildFault::Garbled);
    };
    if status.success() {
        Ok(bytes)
    } else {
        Err(ChildFault::Ended(status))
    }
}

/// All of an answer; `None` for one that is cut or longer than `most`.
async fn read(
    mut from: impl tokio::io::AsyncRead + Unpin,
    most: usize,
) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(most.min(FIRST_ROOM_BYTES)));
    loop {
        if bytes.len() == bytes.capacity() {
            // A vector that grows by itself would leave what it held behind.
            let room = bytes.capacity().saturating_mul(2).max(FIRST_ROOM_BYTES);
            let mut larger = Zeroizing::new(Vec::with_capacity(room));
            larger.extend_from_slice(&bytes);
            bytes = larger;
        }
        match from.read_buf(&mut *bytes).await {
            Ok(0) => return Some(bytes),
            Ok(_read) if bytes.len() > most => return None,
            Ok(_read) => {}
            Err(_broken) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_is_read_to_its_end_up_to_its_bound() {
        let long = vec![7; 3 * FIRST_ROOM_BYTES + 1];
        let read_all = read(long.as_slice(), long.len()).await;
        assert_eq!(read_all.as_deref(), Some(&long));
        assert!(read(long.as_slice(), long.len() - 1).await.is_none());
        let nothing = read([].as_slice(), 0).await;
        assert!(nothing.is_some_and(|bytes| bytes.is_empty()));
    }
}
