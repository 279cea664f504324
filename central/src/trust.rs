//! The folder of trust anchors and revocation lists, read again when a file in it changed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use loket_verify::{MAX_TRUST_CERTIFICATES, MAX_TRUST_FILE_BYTES, Trust, TrustError};
use thiserror::Error;

use crate::files;

/// What such files are called; others in the folder (notes, backups) are passed over.
const SUFFIXES: [&str; 5] = ["pem", "crt", "cer", "der", "crl"];

/// Why the folder cannot be used.
#[derive(Debug, Error)]
pub enum TrustFolderError {
    /// A file or the folder could not be read.
    #[error("read the trust folder {}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file in it is broken.
    #[error("understand the trust folder {}", path.display())]
    Broken {
        /// The folder; the source counts its files in the order of their names.
        path: PathBuf,
        /// Which file, and why.
        #[source]
        source: TrustError,
    },
    /// More files than a store holds certificates.
    #[error("read the trust folder {}: more than {MAX_TRUST_CERTIFICATES} files", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
}

/// What tells one state of the folder from another.
type Marks = Vec<(PathBuf, SystemTime, u64)>;

/// The folder, with what was last read of it.
#[derive(Debug)]
pub(crate) struct TrustFolder {
    path: PathBuf,
    read: Mutex<(Marks, Arc<Trust>)>,
}

impl TrustFolder {
    /// Reads the folder; a broken file stops the start.
    pub(crate) fn open(path: PathBuf) -> Result<Self, TrustFolderError> {
        let marks = marks(&path)?;
        let trust = Arc::new(load(&path, &marks)?);
        Ok(Self {
            path,
            read: Mutex::new((marks, trust)),
        })
    }

    /// What to judge by: the folder as it stands, or what was last good while it is broken. Blocks.
    pub(crate) fn current(&self) -> Arc<Trust> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = marks(&self.path).and_then(|marks| {
            if marks == read.0 {
                return Ok(None);
            }
            load(&self.path, &marks).map(|trust| Some((marks, Arc::new(trust))))
        });
        match fresh {
            Ok(None) => {}
            Ok(Some(changed)) => {
                tracing::info!(
                    trust.file_count = changed.0.len(),
                    "trust folder read again"
                );
                *read = changed;
            }
            Err(error) => {
                tracing::error!(error = %crate::chain(&error), "trust folder broken; judging by what was last good");
            }
        }
        Arc::clone(&read.1)
    }
}

fn marks(folder: &Path) -> Result<Marks, TrustFolderError> {
    let failed = |source| TrustFolderError::Unreadable {
        path: folder.to_owned(),
        source,
    };
    let mut marks = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let suffix = path
            .extension()
            .and_then(|suffix| suffix.to_str())
            .unwrap_or_default();
        if !SUFFIXES.contains(&suffix.to_ascii_lowercase().as_str()) {
            continue;
        }
        if marks.len() >= MAX_TRUST_CERTIFICATES {
            return Err(TrustFolderError::TooMany {
                path: folder.to_owned(),
            });
        }
        let meta = std::fs::metadata(&path).map_err(failed)?;
        marks.push((path, meta.modified().map_err(failed)?, meta.len()));
    }
    marks.sort();
    Ok(marks)
}

fn load(folder: &Path, marks: &Marks) -> Result<Trust, TrustFolderError> {
    let limit_bytes = u64::try_from(MAX_TRUST_FILE_BYTES).unwrap_or(u64::MAX);
    let files: Vec<Vec<u8>> = marks
        .iter()
        .map(|(path, _modified, _size)| {
            files::read_bounded(path, limit_bytes).map_err(|source| TrustFolderError::Unreadable {
                path: path.clone(),
                source,
            })
        })
        .collect::<Result<_, _>>()?;
    Trust::from_files(files.iter().map(Vec::as_slice)).map_err(|source| TrustFolderError::Broken {
        path: folder.to_owned(),
        source,
    })
}
