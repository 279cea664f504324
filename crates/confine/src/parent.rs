//! The parent's half: starts the child, hands it the question, takes its answer or ends it.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use zeroize::Zeroizing;

/// The image of this process, which stays the same when the package is replaced under it.
const IMAGE: &str = "/proc/self/exe";

/// SIGXCPU on Linux: the processor time is used up.
const SIGXCPU: i32 = 24;

/// Room for most answers: what grows beyond it is copied, and wiped where it was.
const FIRST_ANSWER_BYTES: usize = 64 * 1024;

/// How this program is started again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Myself {
    /// Its file.
    pub image: PathBuf,
    /// Words of the command line that lead to the program's own; none where it is a program of its own.
    pub words: Vec<OsString>,
}

impl Myself {
    /// This process, which was given `own` words behind the program's name.
    #[must_use]
    pub fn with_own(own: usize) -> Self {
        let mut words: Vec<OsString> = std::env::args_os().skip(1).collect();
        words.truncate(words.len().saturating_sub(own));
        Self {
            image: PathBuf::from(IMAGE),
            words,
        }
    }

    /// A program in a file of its own.
    #[must_use]
    pub const fn of(image: PathBuf) -> Self {
        Self {
            image,
            words: Vec::new(),
        }
    }
}

/// What a child is asked.
#[derive(Debug)]
pub struct Question<'a> {
    /// The hidden command and its words; every account of the computer can read them.
    pub words: Vec<OsString>,
    /// What it is given on standard input, one after the other.
    pub input: &'a [&'a [u8]],
    /// How long it may take.
    pub within: Duration,
    /// The longest answer.
    pub max_answer_bytes: usize,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum Fault {
    /// The system did not start it.
    #[error("start a process for the work")]
    NotStarted(#[source] io::Error),
    /// It used up its time, by the clock or of the processor, and is ended.
    #[error("work within the time: the process took too long and was ended")]
    TookTooLong,
    /// It ended by itself without having done the work.
    #[error("work on it: the process ended with {}", ended(*.code, *.signal))]
    Ended {
        /// Its exit code.
        code: Option<i32>,
        /// The signal that ended it.
        signal: Option<i32>,
    },
    /// Its answer cannot be read, or is longer than it may be.
    #[error("read the answer of the process: cut, or longer than it may be")]
    Answer,
}

impl Fault {
    /// Whether it ended by itself with this code.
    #[must_use]
    pub fn is_exit(&self, wanted: u8) -> bool {
        match self {
            Self::Ended { code, .. } => *code == Some(i32::from(wanted)),
            Self::NotStarted(_) | Self::TookTooLong | Self::Answer => false,
        }
    }

    /// Whether it was ended: for its time, or by a signal.
    #[must_use]
    pub const fn was_killed(&self) -> bool {
        match self {
            Self::TookTooLong => true,
            Self::Ended { signal, .. } => signal.is_some(),
            Self::NotStarted(_) | Self::Answer => false,
        }
    }
}

fn ended(code: Option<i32>, signal: Option<i32>) -> String {
    match (code, signal) {
        (Some(code), _) => format!("code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "neither code nor signal".to_owned(),
    }
}

/// Starts this program again, gives it the question, and takes what it answers with code 0.
///
/// # Errors
/// [`Fault`]; the child is gone in every case.
///
/// # Cancel safety
/// Dropping the future ends the child.
pub async fn ask(myself: &Myself, question: Question<'_>) -> Result<Zeroizing<Vec<u8>>, Fault> {
    ask_after(myself, question, std::future::ready(())).await
}

/// As [`ask`], but the started child is given the question only after `before`, which counts as its time: a test hangs it
/// there.
///
/// # Errors
/// As [`ask`].
///
/// # Cancel safety
/// As [`ask`].
pub async fn ask_after(
    myself: &Myself,
    question: Question<'_>,
    before: impl Future<Output = ()>,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let mut command = Command::new(&myself.image);
    command
        .args(&myself.words)
        .args(&question.words)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(Fault::NotStarted)?;
    let answering = async {
        before.await;
        answer(&mut child, question.input, question.max_answer_bytes).await
    };
    match tokio::time::timeout(question.within, answering).await {
        Ok(answered) => answered,
        Err(_late) => {
            // It may have ended this moment; either way it is reaped here.
            drop(child.kill().await);
            Err(Fault::TookTooLong)
        }
    }
}

async fn answer(
    child: &mut Child,
    input: &[&[u8]],
    max_bytes: usize,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (Some(mut stdin), Some(mut stdout)) = (stdin, stdout) else {
        return Err(Fault::Answer);
    };
    let give = async {
        // A child that ends early says why by its exit code: a broken pipe is no news.
        for part in input {
            drop(stdin.write_all(part).await);
        }
        drop(stdin.shutdown().await);
        drop(stdin);
    };
    let take = async {
        let mut bytes = Zeroizing::new(Vec::with_capacity(FIRST_ANSWER_BYTES));
        let mut chunk = Zeroizing::new(vec![0; FIRST_ANSWER_BYTES]);
        loop {
            let count = stdout
                .read(&mut chunk)
                .await
                .map_err(|_cut| Fault::Answer)?;
            let read = chunk.get(..count).unwrap_or_default();
            if read.is_empty() {
                return Ok(bytes);
            }
            if bytes.len().saturating_add(read.len()) > max_bytes {
                return Err(Fault::Answer);
            }
            push(&mut bytes, read);
        }
    };
    let (_given, taken) = tokio::join!(give, take);
    if taken.is_err() {
        // Nobody reads it any more: it would wait for ever.
        drop(child.start_kill());
    }
    let status = child.wait().await.map_err(|_gone| Fault::Answer)?;
    let answer = taken?;
    if status.success() {
        Ok(answer)
    } else if status.signal() == Some(SIGXCPU) {
        Err(Fault::TookTooLong)
    } else {
        Err(Fault::Ended {
            code: status.code(),
            signal: status.signal(),
        })
    }
}

/// Appends, and grows by copying into fresh memory that is wiped as well.
fn push(bytes: &mut Zeroizing<Vec<u8>>, more: &[u8]) {
    let needed = bytes.len().saturating_add(more.len());
    if needed > bytes.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(needed.saturating_mul(2)));
        larger.extend_from_slice(bytes);
        *bytes = larger;
    }
    bytes.extend_from_slice(more);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A deadline that ends a hung test.
    const LONG: Duration = Duration::from_secs(30);

    async fn shell(script: &str, input: &[&[u8]], within: Duration) -> Result<Vec<u8>, Fault> {
        let myself = Myself::of(PathBuf::from("/bin/sh"));
        let question = Question {
            words: vec!["-c".into(), script.into()],
            input,
            within,
            max_answer_bytes: 8,
        };
        ask(&myself, question).await.map(|bytes| bytes.to_vec())
    }

    #[tokio::test]
    async fn a_child_answers_with_code_0_and_everything_else_is_a_fault() {
        let said = shell("cat", &[b"ab", b"", b"cd"], LONG).await.unwrap();
        assert_eq!(said, b"abcd");
        let said = shell("cat; exit 65", &[b"abcd"], LONG).await;
        let (code, signal) = (Some(65), None);
        assert!(
            matches!(said, Err(Fault::Ended { code: c, signal: s }) if (c, s) == (code, signal))
        );
        let said = shell("kill -SEGV $$", &[b"abcd"], LONG).await;
        assert!(
            matches!(
                said,
                Err(Fault::Ended {
                    code: None,
                    signal: Some(11)
                })
            ),
            "{said:?}"
        );
        let said = shell("kill -XCPU $$", &[b"abcd"], LONG).await;
        assert!(matches!(said, Err(Fault::TookTooLong)), "{said:?}");
        let nobody = Myself::of(PathBuf::from("/nonexistent/program"));
        let question = Question {
            words: Vec::new(),
            input: &[],
            within: LONG,
            max_answer_bytes: 8,
        };
        let said = ask(&nobody, question).await;
        assert!(matches!(said, Err(Fault::NotStarted(_))), "{said:?}");
    }

    #[tokio::test]
    async fn a_child_that_never_ends_or_never_stops_talking_is_ended() {
        let said = shell("exec cat /dev/zero", &[], LONG).await;
        assert!(matches!(said, Err(Fault::Answer)), "{said:?}");
        let said = shell("exec tail -f /dev/null", &[], Duration::from_millis(1)).await;
        assert!(matches!(said, Err(Fault::TookTooLong)), "{said:?}");
    }

    #[tokio::test]
    async fn what_a_child_does_not_read_holds_nobody_up() {
        let much = vec![7; 1 << 20];
        let said = shell("echo done", &[&much], LONG).await.unwrap();
        assert_eq!(said, b"done\n");
    }

    #[test]
    fn a_program_is_started_again_by_the_words_that_led_to_it() {
        let all = Myself::with_own(0);
        assert_eq!(all.words.len(), std::env::args_os().count() - 1);
        assert!(Myself::with_own(usize::MAX).words.is_empty());
    }
}
