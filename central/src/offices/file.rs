//! The offices file, read again when it changed: a new holiday or another default machine counts without a restart.
//!
//! While the file is broken or away, what was last good counts, and console and log say so under a stable code. Due
//! times that were said stay as they were said (docs/adr/0023).

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use loket_wire::Timestamp;

use super::{Offices, OfficesError};
use crate::clock::now;

/// What tells one state of the file from another: when it was written, how long it is, which file it is.
type Mark = (SystemTime, u64, u64);

/// Why the file as it stands is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The stable code.
    pub(crate) code: &'static str,
    /// What happened, what to do, whom to ask.
    pub(crate) sentence: &'static str,
    /// When central met it.
    pub(crate) since: Timestamp,
}

#[derive(Debug)]
struct Read {
    /// How the file stood when it was last looked at; the kind of error where it could not be.
    looked: Result<Mark, io::ErrorKind>,
    offices: Arc<Offices>,
    fault: Option<Fault>,
}

/// The file, with what was last read of it.
#[derive(Debug)]
pub(crate) struct OfficesFile {
    path: PathBuf,
    read: Mutex<Read>,
}

impl OfficesFile {
    /// Reads the file.
    ///
    /// # Errors
    /// [`OfficesError`]: central does not start on a broken file.
    pub(crate) fn open(path: PathBuf) -> Result<Self, OfficesError> {
        let looked = mark(&path);
        let offices = Arc::new(Offices::load(&path)?);
        Ok(Self {
            path,
            read: Mutex::new(Read {
                looked,
                offices,
                fault: None,
            }),
        })
    }

    /// The offices as the file has them, or as it last had them while it is broken. Blocks.
    pub(crate) fn current(&self) -> Arc<Offices> {
        Arc::clone(&self.look().offices)
    }

    /// Why the file as it stands is not used, where it is not. Blocks.
    pub(crate) fn fault(&self) -> Option<Fault> {
        self.look().fault
    }

    fn look(&self) -> std::sync::MutexGuard<'_, Read> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the content: what is written meanwhile has another mark at the next look.
        let looked = mark(&self.path);
        if looked == read.looked {
            return read;
        }
        read.looked = looked;
        match Offices::load(&self.path) {
            Ok(offices) => {
                tracing::info!(office_count = offices.len(), "offices file read again");
                (read.offices, read.fault) = (Arc::new(offices), None);
            }
            Err(error) => {
                let (code, sentence) = error.told();
                tracing::error!(code, error = %crate::chain(&error), "offices file refused; the last good rules count");
                read.fault = Some(Fault {
                    code,
                    sentence,
                    since: now(),
                });
            }
        }
        read
    }
}

fn mark(path: &Path) -> Result<Mark, io::ErrorKind> {
    let meta = std::fs::metadata(path).map_err(|error| error.kind())?;
    let written = meta.modified().map_err(|error| error.kind())?;
    Ok((written, meta.len(), meta.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "version = 1\n[[office]]\nid = \"kec-1\"\nname = \"Satu\"\nzone = \"WIB\"\n";

    fn name(file: &OfficesFile) -> Option<String> {
        let (id, at) = ("kec-1".parse().unwrap(), Timestamp::UNIX_EPOCH);
        let offices = file.current();
        offices.find(&id, at).map(|office| office.name.clone())
    }

    #[test]
    fn a_changed_file_counts_at_once_and_a_broken_one_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("offices.toml");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        write(GOOD);
        let file = OfficesFile::open(path.clone()).unwrap();
        assert_eq!(name(&file).unwrap(), "Satu");
        assert!(Arc::ptr_eq(&file.current(), &file.current()));

        write(&GOOD.replace("Satu", "Satu Baru"));
        assert_eq!(name(&file).unwrap(), "Satu Baru");

        for (broken, code) in [
            ("version = 1\n[[office]]\nid = ", "OfficesSyntax"),
            ("version = 9\n", "OfficesVersion"),
        ] {
            write(broken);
            assert_eq!(name(&file).unwrap(), "Satu Baru", "{broken}");
            assert_eq!(file.fault().unwrap().code, code);
            let again = OfficesFile::open(path.clone());
            assert_eq!(again.unwrap_err().told().0, code);
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(name(&file).unwrap(), "Satu Baru");
        assert_eq!(file.fault().unwrap().code, "OfficesUnreadable");

        write(GOOD);
        assert_eq!(name(&file).unwrap(), "Satu");
        assert_eq!(file.fault(), None);
    }

    #[test]
    fn what_is_wrong_with_the_file_says_what_to_do_and_whom_to_ask() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("offices.toml");
        let double = format!("{GOOD}{}", GOOD.replace("version = 1\n", ""));
        let wrong_day = format!("{GOOD}holidays = [\"x\"]\n");
        let large = "#".repeat(4 * 1024 * 1024 + 1);
        let mut codes = std::collections::BTreeSet::new();
        for text in ["", "version = 2", &double, &wrong_day, &large] {
            std::fs::write(&path, text).unwrap();
            let (code, sentence) = Offices::load(&path).unwrap_err().told();
            assert!(
                sentence.matches(". ").count() >= 2 && sentence.ends_with('.'),
                "{code}"
            );
            codes.insert(code);
        }
        assert_eq!(codes.len(), 5, "{codes:?}");
    }
}
