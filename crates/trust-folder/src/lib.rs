//! What an office judges documents by, as files: the folder of trust anchors, intermediate certificates, revocation lists
//! and OCSP responses, read again when a file in it changed, and the [`PolicyFile`] of its rules.
//!
//! Revocation lists end after hours or days and are replaced while programs run: who judges by what was read at the start
//! calls every document unproved once the list has ended. [`TrustFolder::current`] looks at names, sizes and times of the
//! files, and reads them when one differs. While the folder is broken, what was last good counts.
//!
//! Everything here blocks on the disk.

mod policy;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use loket_verify::{MAX_TRUST_CERTIFICATES, MAX_TRUST_FILE_BYTES, Trust, TrustError};
use thiserror::Error;

pub use policy::{MAX_POLICY_BYTES, MAX_SIGNERS, POLICY_VERSION, PolicyError, PolicyFile};

/// What such files are called; others in the folder (notes, backups) are passed over.
const SUFFIXES: [&str; 6] = ["pem", "crt", "cer", "der", "crl", "ocsp"];

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
pub struct TrustFolder {
    path: PathBuf,
    read: Mutex<Read>,
}

#[derive(Debug)]
struct Read {
    /// Of what was last good.
    marks: Marks,
    trust: Arc<Trust>,
    /// Why the folder as it stands does not count.
    fault: Option<String>,
}

impl TrustFolder {
    /// Reads the folder.
    ///
    /// # Errors
    /// [`TrustFolderError`]: a file is broken or cannot be read.
    pub fn open(path: PathBuf) -> Result<Self, TrustFolderError> {
        let marks = marks(&path)?;
        let trust = Arc::new(load(&path, &marks)?);
        Ok(Self {
            path,
            read: Mutex::new(Read {
                marks,
                trust,
                fault: None,
            }),
        })
    }

    /// What to judge by: the folder as it stands, or what was last good while it is broken. Blocks.
    #[must_use]
    pub fn current(&self) -> Arc<Trust> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = marks(&self.path).and_then(|marks| {
            if marks == read.marks {
                return Ok(None);
            }
            load(&self.path, &marks).map(|trust| Some((marks, Arc::new(trust))))
        });
        match fresh {
            Ok(None) => read.fault = None,
            Ok(Some((marks, trust))) => {
                tracing::info!(trust.file_count = marks.len(), "trust folder read again");
                *read = Read {
                    marks,
                    trust,
                    fault: None,
                };
            }
            Err(error) => {
                let fault = chain(&error);
                // Looked at every few seconds and for each document: told once.
                if read.fault.as_ref() != Some(&fault) {
                    tracing::error!(error = %fault, "trust folder broken; judging by what was last good");
                }
                read.fault = Some(fault);
            }
        }
        Arc::clone(&read.trust)
    }

    /// Why the folder did not count when it was last looked at, where it did not.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.fault.clone()
    }
}

impl TrustFolder {
    /// The files as they lie there, each readable, in the order of their names: what a bundle is made of. Blocks.
    ///
    /// # Errors
    /// [`TrustFolderError`]: a file is broken or cannot be read.
    pub fn files(&self) -> Result<Vec<Vec<u8>>, TrustFolderError> {
        let files = read_all(&marks(&self.path)?)?;
        parse(&self.path, &files)?;
        Ok(files)
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
    parse(folder, &read_all(marks)?)
}

fn parse(folder: &Path, files: &[Vec<u8>]) -> Result<Trust, TrustFolderError> {
    Trust::from_files(files.iter().map(Vec::as_slice)).map_err(|source| TrustFolderError::Broken {
        path: folder.to_owned(),
        source,
    })
}

fn read_all(marks: &Marks) -> Result<Vec<Vec<u8>>, TrustFolderError> {
    let limit_bytes = u64::try_from(MAX_TRUST_FILE_BYTES).unwrap_or(u64::MAX);
    marks
        .iter()
        .map(|(path, _modified, _size)| {
            read_bounded(path, limit_bytes).map_err(|source| TrustFolderError::Unreadable {
                path: path.clone(),
                source,
            })
        })
        .collect()
}

/// One byte more than is taken, so that what is too large is refused and not cut.
fn read_bounded(path: &Path, limit_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(limit_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        line.push_str(": ");
        line.push_str(&next.to_string());
        cause = next.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &[u8] = include_bytes!("../../../tests/fixtures/trust/root.pem");

    fn folder() -> (tempfile::TempDir, TrustFolder) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("notes.txt"), "not looked at").unwrap();
        let folder = TrustFolder::open(dir.path().to_owned()).unwrap();
        (dir, folder)
    }

    #[test]
    fn what_is_put_into_the_folder_counts_without_a_start() {
        let (dir, folder) = folder();
        assert!(folder.current().is_empty());
        std::fs::write(dir.path().join("root.pem"), ROOT).unwrap();
        assert!(!folder.current().is_empty());
        std::fs::remove_file(dir.path().join("root.pem")).unwrap();
        assert!(folder.current().is_empty());
    }

    #[test]
    fn while_the_folder_is_broken_what_was_last_good_counts() {
        let (dir, folder) = folder();
        std::fs::write(dir.path().join("root.pem"), ROOT).unwrap();
        assert!(!folder.current().is_empty());
        std::fs::write(dir.path().join("half.crl"), "half a list").unwrap();
        assert_eq!(folder.fault(), None);
        assert!(!folder.current().is_empty());
        assert!(folder.fault().unwrap().contains("understand"));
        let again = TrustFolder::open(dir.path().to_owned());
        assert!(matches!(again, Err(TrustFolderError::Broken { .. })));
        std::fs::remove_file(dir.path().join("root.pem")).unwrap();
        std::fs::remove_file(dir.path().join("half.crl")).unwrap();
        assert!(folder.current().is_empty(), "mended, it counts again");
        assert_eq!(folder.fault(), None);
        // What is put back as it was is no change, and no fault either.
        std::fs::write(dir.path().join("half.crl"), "half a list").unwrap();
        assert!(folder.current().is_empty() && folder.fault().is_some());
        std::fs::remove_file(dir.path().join("half.crl")).unwrap();
        assert!(folder.current().is_empty());
        assert_eq!(folder.fault(), None);
    }

    #[test]
    fn nothing_that_changed_is_nothing_to_read() {
        let (_dir, folder) = folder();
        assert!(Arc::ptr_eq(&folder.current(), &folder.current()));
    }
}
