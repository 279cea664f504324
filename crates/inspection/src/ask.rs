//! The asking half: starts the inspector, hands it the question, takes its answer or ends it.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use zeroize::Zeroizing;

use crate::question::{Head, Limits, Work};

/// Its name, in the folder of the program that asks it.
const NAME: &str = "loket-inspector";

/// The image of this process.
const IMAGE: &str = "/proc/self/exe";

/// SIGXCPU on Linux: the processor time is used up.
const SIGXCPU: i32 = 24;

/// Room for most answers: what grows beyond it is copied, and wiped where it was.
const FIRST_ANSWER_BYTES: usize = 64 * 1024;

/// How the inspector is started.
#[derive(Debug, Clone)]
pub struct Inspector {
    image: PathBuf,
    words: Vec<OsString>,
    /// Held open, so that asker and inspector are of one version while a package is replaced under them.
    _held: Option<Arc<File>>,
}

impl Inspector {
    /// The program that was installed beside this one. Where there is none, each question says so.
    #[must_use]
    pub fn beside_this_program() -> Self {
        let own = std::env::current_exe().unwrap_or_default();
        let file = own.with_file_name(NAME);
        match File::open(&file) {
            Ok(held) => Self {
                // Looked up in the child before its files are closed.
                image: PathBuf::from(format!("/proc/self/fd/{}", held.as_raw_fd())),
                words: Vec::new(),
                _held: Some(Arc::new(held)),
            },
            Err(_absent) => Self::at(&file),
        }
    }

    /// The program in a file.
    #[must_use]
    pub fn at(file: &Path) -> Self {
        Self {
            image: file.to_owned(),
            words: Vec::new(),
            _held: None,
        }
    }

    /// A part of this program, which is led there by words of its command line.
    #[must_use]
    pub fn part_of_this_program(words: &[&str]) -> Self {
        Self {
            image: PathBuf::from(IMAGE),
            words: words.iter().map(Into::into).collect(),
            _held: None,
        }
    }

    /// Whether it is there to be started.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.image.exists()
    }
}

/// What the inspector is asked.
#[derive(Debug)]
pub struct Question<'a> {
    /// What.
    pub work: Work,
    /// Within what it works.
    pub limits: Limits,
    /// What it works on.
    pub parts: &'a [&'a [u8]],
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
    /// The question is longer than one may be.
    #[error("ask for the work: the question is longer than it may be")]
    Question,
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
            Self::NotStarted(_) | Self::TookTooLong | Self::Question | Self::Answer => false,
        }
    }

    /// Whether it was ended: for its time, or by a signal.
    #[must_use]
    pub const fn was_killed(&self) -> bool {
        match self {
            Self::TookTooLong => true,
            Self::Ended { signal, .. } => signal.is_some(),
            Self::NotStarted(_) | Self::Question | Self::Answer => false,
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

/// Starts the inspector, gives it the question, and takes what it answers with code 0.
///
/// # Errors
/// [`Fault`]; the process is gone in every case.
///
/// # Cancel safety
/// Dropping the future ends the process.
pub async fn ask(
    inspector: &Inspector,
    question: Question<'_>,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    ask_after(inspector, question, std::future::ready(())).await
}

/// As [`ask`], but the started process is given the question only after `before`, which counts as its time: a test hangs it
/// there.
///
/// # Errors
/// As [`ask`].
///
/// # Cancel safety
/// As [`ask`].
pub async fn ask_after(
    inspector: &Inspector,
    question: Question<'_>,
    before: impl Future<Output = ()>,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let size = |part: &&[u8]| u64::try_from(part.len()).unwrap_or(u64::MAX);
    let head = Head {
        work: question.work,
        limits: question.limits,
        part_bytes: question.parts.iter().map(size).collect(),
    };
    let head = head.encode().ok_or(Fault::Question)?;
    let mut input = vec![head.as_slice()];
    input.extend(question.parts);
    let (within, most) = (question.within, question.max_answer_bytes);
    run(inspector, (&input, most), within, before).await
}

/// What the inspector said, where that is JSON.
///
/// # Errors
/// [`Fault::Answer`]
pub fn answer<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|_other| Fault::Answer)
}

async fn run(
    inspector: &Inspector,
    (input, most): (&[&[u8]], usize),
    within: Duration,
    before: impl Future<Output = ()>,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let mut command = Command::new(&inspector.image);
    command
        .arg0(NAME)
        .args(&inspector.words)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(Fault::NotStarted)?;
    let answering = async {
        before.await;
        exchange(&mut child, input, most).await
    };
    match tokio::time::timeout(within, answering).await {
        Ok(answered) => answered,
        Err(_late) => {
            // It may have ended this moment; either way it is reaped here.
            drop(child.kill().await);
            Err(Fault::TookTooLong)
        }
    }
}

async fn exchange(
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
        let shell = Inspector {
            words: vec!["-c".into(), script.into()],
            ..Inspector::at(Path::new("/bin/sh"))
        };
        let said = run(&shell, (input, 8), within, std::future::ready(())).await;
        said.map(|bytes| bytes.to_vec())
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
        let nobody = Inspector::at(Path::new("/nonexistent/program"));
        assert!(!nobody.is_there());
        let said = run(&nobody, (&[], 8), LONG, std::future::ready(())).await;
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

    #[tokio::test]
    async fn a_question_is_its_head_and_its_parts() {
        let cat = Inspector::at(Path::new("/bin/cat"));
        let question = Question {
            work: Work::Codes { page: Some(3) },
            limits: Limits {
                memory_bytes: 1,
                cpu_s: 2,
            },
            parts: &[b"a scan", b""],
            within: LONG,
            max_answer_bytes: 1024,
        };
        let said = ask(&cat, question).await.unwrap();
        let (length, rest) = said.split_first_chunk::<4>().unwrap();
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap();
        let head = Head::decode(&rest[..length]).unwrap();
        assert_eq!(head.work, Work::Codes { page: Some(3) });
        assert_eq!(head.part_bytes, [6, 0]);
        assert_eq!(&rest[length..], b"a scan");
    }

    #[tokio::test]
    async fn a_program_that_is_replaced_is_still_the_one_that_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(NAME);
        std::fs::copy("/bin/echo", &file).unwrap();
        let held = File::open(&file).unwrap();
        let inspector = Inspector {
            image: PathBuf::from(format!("/proc/self/fd/{}", held.as_raw_fd())),
            words: vec!["old".into()],
            _held: Some(Arc::new(held)),
        };
        std::fs::remove_file(&file).unwrap();
        std::fs::copy("/bin/false", &file).unwrap();
        let said = run(&inspector, (&[], 8), LONG, std::future::ready(())).await;
        assert_eq!(said.unwrap().as_slice(), b"old\n");
    }
}
