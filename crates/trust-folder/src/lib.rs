//! What an office judges documents by, as files: the folder of trust anchors, intermediate certificates, revocation lists
//! and OCSP responses with the official hosts beside them, read again when a file in it changed, and the [`PolicyFile`] of
//! its rules.
//!
//! Revocation lists end after hours or days and are replaced while programs run: who judges by what was read at the start
//! calls every document unproved once the list has ended. [`TrustFolder::current`] looks at names, sizes and times of the
//! files, and reads them when one differs. While the folder is broken, what was last good counts, and
//! [`TrustFolder::fault`] says why.
//!
//! Everything here blocks on the disk.

mod hosts;
mod policy;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use loket_verify::{MAX_TRUST_CERTIFICATES, MAX_TRUST_FILE_BYTES, Trust, TrustError};
use loket_wire::{HostRules, Timestamp};
use thiserror::Error;

pub use hosts::{HOSTS_FILE, HOSTS_VERSION, HostsFileError, MAX_HOSTS_FILE_BYTES, parse_hosts};
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
    /// Its official hosts cannot be used.
    #[error("understand {}", path.display())]
    Hosts {
        /// The file.
        path: PathBuf,
        /// Which line, and why.
        #[source]
        source: HostsFileError,
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

/// What was last good, and why the folder as it stands is not.
#[derive(Debug)]
struct Read {
    marks: Marks,
    trust: Arc<Trust>,
    hosts: Option<HostRules>,
    fault: Option<String>,
}

/// Everything in the folder, as bytes.
#[derive(Debug)]
struct Files {
    trust: Vec<Vec<u8>>,
    hosts: Option<Vec<u8>>,
}

impl TrustFolder {
    /// Reads the folder.
    ///
    /// # Errors
    /// [`TrustFolderError`]: a file is broken or cannot be read.
    pub fn open(path: PathBuf) -> Result<Self, TrustFolderError> {
        let marks = marks(&path)?;
        let read = load(&path, marks)?;
        Ok(Self {
            path,
            read: Mutex::new(read),
        })
    }

    /// What to judge by: the folder as it stands, or what was last good while it is broken. Reports say since when: the
    /// newest file in it. Blocks.
    #[must_use]
    pub fn current(&self) -> Arc<Trust> {
        Arc::clone(&self.look().trust)
    }

    /// The official hosts that lie in it, likewise; none where there is no [`HOSTS_FILE`]. Blocks.
    #[must_use]
    pub fn hosts(&self) -> Option<HostRules> {
        self.look().hosts.clone()
    }

    /// Why the folder as it stands does not count, with all causes; none while it does. Blocks.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        self.look().fault.clone()
    }

    fn look(&self) -> MutexGuard<'_, Read> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = marks(&self.path).and_then(|marks| {
            if marks == read.marks {
                return Ok(None);
            }
            load(&self.path, marks).map(Some)
        });
        match fresh {
            Ok(None) => read.fault = None,
            Ok(Some(changed)) => {
                tracing::info!(
                    trust.file_count = changed.marks.len(),
                    "trust folder read again"
                );
                *read = changed;
            }
            Err(error) => {
                let fault = chain(&error);
                // Looked at for every document: told once.
                if read.fault.as_ref() != Some(&fault) {
                    tracing::error!(error = %fault, "trust folder broken; judging by what was last good");
                }
                read.fault = Some(fault);
            }
        }
        read
    }

    /// The files as they lie there, each readable, in the order of their names, with the official hosts beside them:
    /// what a bundle is made of. Blocks.
    ///
    /// # Errors
    /// [`TrustFolderError`]: a file is broken or cannot be read.
    pub fn files(&self) -> Result<(Vec<Vec<u8>>, Option<HostRules>), TrustFolderError> {
        let files = read_all(&marks(&self.path)?)?;
        parse(&self.path, &files.trust)?;
        let hosts = hosts_of(&self.path, &files)?;
        Ok((files.trust, hosts))
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
        if !SUFFIXES.contains(&suffix.to_ascii_lowercase().as_str()) && !is_hosts(&path) {
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

fn is_hosts(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == HOSTS_FILE)
}

fn load(folder: &Path, marks: Marks) -> Result<Read, TrustFolderError> {
    let files = read_all(&marks)?;
    let trust = parse(folder, &files.trust)?;
    let written = marks.iter().filter(|(path, ..)| !is_hosts(path));
    let as_of = written.map(|(_path, modified, _size)| *modified).max();
    Ok(Read {
        trust: Arc::new(match as_of.and_then(moment) {
            Some(as_of) => trust.dated(as_of),
            None => trust,
        }),
        hosts: hosts_of(folder, &files)?,
        marks,
        fault: None,
    })
}

/// A file of before 1970, or of a distant age, has no date that means anything.
fn moment(at: SystemTime) -> Option<Timestamp> {
    let since = at.duration_since(UNIX_EPOCH).ok()?;
    let ms = i64::try_from(since.as_millis()).ok()?;
    Some(Timestamp::from_unix_ms(ms))
}

fn parse(folder: &Path, files: &[Vec<u8>]) -> Result<Trust, TrustFolderError> {
    Trust::from_files(files.iter().map(Vec::as_slice)).map_err(|source| TrustFolderError::Broken {
        path: folder.to_owned(),
        source,
    })
}

fn hosts_of(folder: &Path, files: &Files) -> Result<Option<HostRules>, TrustFolderError> {
    let rules = files.hosts.as_deref().map(parse_hosts).transpose();
    rules.map_err(|source| TrustFolderError::Hosts {
        path: folder.join(HOSTS_FILE),
        source,
    })
}

fn read_all(marks: &Marks) -> Result<Files, TrustFolderError> {
    let limit = |path: &Path| {
        let most = if is_hosts(path) {
            MAX_HOSTS_FILE_BYTES
        } else {
            MAX_TRUST_FILE_BYTES
        };
        u64::try_from(most).unwrap_or(u64::MAX)
    };
    let mut files = Files {
        trust: Vec::new(),
        hosts: None,
    };
    for (path, _modified, _size) in marks {
        let bytes =
            read_bounded(path, limit(path)).map_err(|source| TrustFolderError::Unreadable {
                path: path.clone(),
                source,
            })?;
        if is_hosts(path) {
            files.hosts = Some(bytes);
        } else {
            files.trust.push(bytes);
        }
    }
    Ok(files)
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
        assert!(!folder.current().is_empty());
        let again = TrustFolder::open(dir.path().to_owned());
        assert!(matches!(again, Err(TrustFolderError::Broken { .. })));
        let fault = folder.fault().unwrap();
        assert!(fault.contains("revocation list"), "{fault}");
        std::fs::remove_file(dir.path().join("root.pem")).unwrap();
        std::fs::remove_file(dir.path().join("half.crl")).unwrap();
        assert!(folder.current().is_empty(), "mended, it counts again");
        assert_eq!(folder.fault(), None);
    }

    #[test]
    fn a_folder_that_is_put_back_as_it_was_is_broken_no_more() {
        let (dir, folder) = folder();
        let half = dir.path().join("half.crl");
        std::fs::write(&half, "half a list").unwrap();
        assert!(folder.fault().is_some());
        std::fs::remove_file(&half).unwrap();
        assert_eq!(folder.fault(), None);
    }

    #[test]
    fn what_is_judged_by_is_as_old_as_its_newest_file() {
        let (dir, folder) = folder();
        let date = |name: &str, unix_s: u64| {
            let path = dir.path().join(name);
            std::fs::write(&path, ROOT).unwrap();
            let at = UNIX_EPOCH + std::time::Duration::from_secs(unix_s);
            let file = File::options().write(true).open(path).unwrap();
            file.set_modified(at).unwrap();
        };
        date("old.pem", 1_000);
        date("new.pem", 2_000);
        let as_of = folder.current().as_of().map(Timestamp::unix_ms);
        assert_eq!(as_of, Some(2_000_000));
    }

    #[test]
    fn official_hosts_lie_beside_the_anchors_and_break_the_folder_like_one() {
        let (dir, folder) = folder();
        assert_eq!(folder.hosts(), None);
        let path = dir.path().join(HOSTS_FILE);
        let text = "version = 1\nvalid_from = \"2026-01-01T00:00:00Z\"\n\
                    [[official]]\nhost = \"kk.contoh.invalid\"\n";
        std::fs::write(&path, text).unwrap();
        let hosts = folder.hosts().unwrap();
        assert_eq!(hosts.official[0].host, "kk.contoh.invalid");
        let (files, published) = folder.files().unwrap();
        assert_eq!((files.len(), published), (0, Some(hosts.clone())));
        std::fs::write(&path, text.replace("official", "oficial")).unwrap();
        assert_eq!(folder.hosts(), Some(hosts), "what was last good");
        assert!(folder.fault().unwrap().contains(HOSTS_FILE));
        assert!(folder.files().is_err());
    }

    #[test]
    fn nothing_that_changed_is_nothing_to_read() {
        let (_dir, folder) = folder();
        assert!(Arc::ptr_eq(&folder.current(), &folder.current()));
    }
}
