//! `loket-central check-history`: an auditor's check of the chain, beside a running central or on a copy of its store.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context as _;
use loket_store::{HistoryVerdict, KnownLine, SqliteStore, Store, StoreError};
use loket_wire::Sha256Digest;
use thiserror::Error;

/// A head as somebody noted it: the number of a line and its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) seq: u64,
    pub(crate) sha256: Sha256Digest,
}

/// A text that is no head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it is NUMBER:SHA256, as check-history prints it")]
pub(crate) struct NoHead;

impl FromStr for Head {
    type Err = NoHead;

    fn from_str(text: &str) -> Result<Self, NoHead> {
        let (seq, sha256) = text.split_once(':').ok_or(NoHead)?;
        Ok(Self {
            seq: seq.parse().map_err(|_ignored| NoHead)?,
            sha256: Sha256Digest::parse(sha256).map_err(|_ignored| NoHead)?,
        })
    }
}

/// Why the history is not as it should be, or cannot be compared.
#[derive(Debug, Error)]
pub(crate) enum HistoryError {
    /// There is no such store.
    #[error("read the store {}", path.display())]
    NoStore {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<StoreError>,
    },
    /// The chain does not hold.
    #[error(
        "trust the history: at line {seq} it was altered, removed or put in; keep the store as it is and call the auditor"
    )]
    Broken {
        /// The line.
        seq: u64,
    },
    /// The chain holds, and is another one than was noted.
    #[error(
        "trust the history: line {seq} is another one than was noted; keep the store as it is and call the auditor"
    )]
    Contradicted {
        /// The line.
        seq: u64,
    },
    /// The chain holds, and the noted line is past its time.
    #[error(
        "compare the noted head: line {seq} was removed after five years; the chain itself holds, note its present head"
    )]
    Removed {
        /// The line.
        seq: u64,
    },
}

impl HistoryError {
    /// The exit code: 1 where the history is wrong, 2 where nothing can be said, 66 where there is nothing to read.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Broken { .. } | Self::Contradicted { .. } => 1,
            Self::Removed { .. } => 2,
            Self::NoStore { .. } => 66,
        }
    }
}

/// Follows the whole chain of the store at `path`, compares a noted head, and gives the line to print.
pub(crate) fn check(path: &Path, noted: Option<Head>) -> anyhow::Result<String> {
    let store = open(path)?;
    let verdict = store.verify_history().context("follow the history")?;
    let (row_count, head_seq, head_sha256, front) = match verdict {
        HistoryVerdict::Intact {
            row_count,
            head_seq,
            head_sha256,
            front,
        } => (row_count, head_seq, head_sha256, front),
        HistoryVerdict::Broken { seq } => return Err(HistoryError::Broken { seq }.into()),
    };
    if let Some(head) = noted {
        compare(&store, head)?;
    }
    let begins = match front.seq {
        0 => "from the first on".to_owned(),
        seq => format!("lines up to {seq} were removed after five years and sealed"),
    };
    let compared = noted.map_or_else(String::new, |head| {
        format!("\nagrees with the noted head at line {}", head.seq)
    });
    Ok(format!(
        "intact: {row_count} lines, {begins}\nhead {head_seq}:{head_sha256}{compared}"
    ))
}

fn open(path: &Path) -> anyhow::Result<SqliteStore> {
    match SqliteStore::open_to_read(path) {
        Ok(store) => Ok(store),
        Err(source @ StoreError::File { .. }) => Err(HistoryError::NoStore {
            path: path.to_path_buf(),
            source: Box::new(source),
        }
        .into()),
        Err(other) => Err(other.into()),
    }
}

fn compare(store: &SqliteStore, noted: Head) -> anyhow::Result<()> {
    let seq = noted.seq;
    match store.known_line(seq).context("find the noted line")? {
        KnownLine::Digest(sha256) if sha256 == noted.sha256 => Ok(()),
        KnownLine::Digest(_) | KnownLine::None => Err(HistoryError::Contradicted { seq }.into()),
        KnownLine::Removed => Err(HistoryError::Removed { seq }.into()),
    }
}
