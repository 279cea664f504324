//! The names in the folder, and the few ways to touch a file.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::error::SpoolError;

/// What a file of a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Key,
    Blob,
    Part,
    Temp,
}

impl Kind {
    /// All kinds, in the order in which a shred takes them: the key first, since without it the
    /// rest is noise.
    pub(crate) const ALL: [Self; 4] = [Self::Key, Self::Temp, Self::Blob, Self::Part];

    fn ending(self) -> &'static str {
        match self {
            Self::Key => ".key",
            Self::Blob => ".blob",
            Self::Part => ".part",
            Self::Temp => ".tmp",
        }
    }
}

/// One file of one job: the only way to a path in the folder.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) name: String,
    path: PathBuf,
}

impl Slot {
    pub(crate) fn new(folder: &Path, job: &str, kind: Kind) -> Result<Self, SpoolError> {
        if !is_uuid(job) {
            return Err(SpoolError::BadJobName);
        }
        let name = format!("{job}{}", kind.ending());
        let path = folder.join(&name);
        Ok(Self { name, path })
    }

    /// Reads a file name back; none for a name that the spool does not give.
    pub(crate) fn parse(name: &str) -> Option<(&str, Kind)> {
        Kind::ALL.into_iter().find_map(|kind| {
            let job = name.strip_suffix(kind.ending())?;
            is_uuid(job).then_some((job, kind))
        })
    }

    /// Returns the file's size; none if it is not there.
    pub(crate) fn size_bytes(&self) -> Result<Option<u64>, SpoolError> {
        match std::fs::symlink_metadata(&self.path) {
            Ok(found) if found.file_type().is_file() => Ok(Some(found.len())),
            Ok(_) => Err(SpoolError::NotAFile {
                file: self.name.clone(),
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.error("measure", error)),
        }
    }

    /// Opens the file for reading, if it is not larger than a limit.
    pub(crate) fn open_bounded(&self, limit_bytes: u64) -> Result<File, SpoolError> {
        let size_bytes = self.size_bytes()?.ok_or_else(|| SpoolError::NotFound {
            file: self.name.clone(),
        })?;
        self.check_size(size_bytes, limit_bytes)?;
        File::open(&self.path).map_err(|error| self.error("open", error))
    }

    pub(crate) fn read(&self, limit_bytes: u64) -> Result<Vec<u8>, SpoolError> {
        let mut bytes = Vec::new();
        self.open_bounded(limit_bytes)?
            .take(limit_bytes)
            .read_to_end(&mut bytes)
            .map_err(|error| self.error("read", error))?;
        Ok(bytes)
    }

    /// Writes a new file whole and flushes it; a failed one is taken back.
    pub(crate) fn write_new(&self, bytes: &[u8]) -> Result<(), SpoolError> {
        self.remove()?;
        let write = || -> std::io::Result<()> {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&self.path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(|error| {
            // The room matters more than the answer of this removal; a sweep repeats it.
            self.remove().ok();
            self.error("write", error)
        })
    }

    /// Appends to the file, made where it is not there; a failed write is taken back to `offset`.
    pub(crate) fn append(&self, offset: u64, bytes: &[u8]) -> Result<(), SpoolError> {
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)
            .map_err(|error| self.error("open", error))?;
        file.write_all(bytes).map_err(|error| {
            // Where even this fails, the next call meets another size and is told so.
            file.set_len(offset).ok();
            self.error("write", error)
        })
    }

    pub(crate) fn flush(&self) -> Result<(), SpoolError> {
        File::open(&self.path)
            .and_then(|file| file.sync_all())
            .map_err(|error| self.error("flush", error))
    }

    pub(crate) fn rename_to(&self, target: &Self) -> Result<(), SpoolError> {
        std::fs::rename(&self.path, &target.path).map_err(|error| self.error("rename", error))
    }

    /// Unlinks the file; harmless where it is not there.
    pub(crate) fn remove(&self) -> Result<(), SpoolError> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.error("remove", error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Overwrites the file with zeros and flushes it; harmless where it is not there.
    pub(crate) fn overwrite(&self) -> Result<(), SpoolError> {
        let Some(size_bytes) = self.size_bytes()? else {
            return Ok(());
        };
        let write = || -> std::io::Result<()> {
            let mut file = OpenOptions::new().write(true).open(&self.path)?;
            std::io::copy(&mut std::io::repeat(0).take(size_bytes), &mut file)?;
            file.sync_all()
        };
        write().map_err(|error| self.error("overwrite", error))
    }

    pub(crate) fn check_size(&self, size_bytes: u64, limit_bytes: u64) -> Result<(), SpoolError> {
        if size_bytes > limit_bytes {
            let file = self.name.clone();
            return Err(SpoolError::TooLarge {
                file,
                size_bytes,
                limit_bytes,
            });
        }
        Ok(())
    }

    pub(crate) fn error(&self, action: &'static str, source: std::io::Error) -> SpoolError {
        SpoolError::io(action, &self.name, source)
    }
}

/// Flushes the folder, so that names given and taken survive a power cut.
pub(crate) fn flush_folder(folder: &Path) -> Result<(), SpoolError> {
    File::open(folder)
        .and_then(|handle| handle.sync_all())
        .map_err(|source| SpoolError::Io {
            action: "flush",
            file: FOLDER.into(),
            source,
        })
}

/// How errors name the folder.
pub(crate) const FOLDER: &str = "the folder";

/// Whether a text is a UUID of 8-4-4-4-12 lowercase hexadecimal digits (RFC 9562, section 4).
/// One form alone, so that one job cannot have two names.
fn is_uuid(text: &str) -> bool {
    let mut count = 0;
    text.bytes().enumerate().all(|(position, byte)| {
        count += 1;
        match position {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        }
    }) && count == 36
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = "0190f3a1-7b2c-7d4e-8f10-0123456789ab";

    #[test]
    fn only_a_lowercase_uuid_names_a_job() {
        let upper = JOB.to_uppercase();
        let long = format!("{JOB}0");
        let bad = [
            "",
            "..",
            "../0190f3a1-7b2c-7d4e-8f10-0123456789",
            "/etc/passwd",
            "0190f3a1-7b2c-7d4e-8f10-0123456789a/",
            "0190f3a1-7b2c-7d4e-8f10-0123456789a\0",
            "0190f3a17b2c-7d4e-8f10-0123456789abc-",
            "0190f3a1-7b2c-7d4e-8f10-0123456789ag",
            "0190f3a1-7b2c-7d4e-8f10-0123456789é",
            "{190f3a1-7b2c-7d4e-8f10-0123456789ab",
            upper.as_str(),
            long.as_str(),
        ];
        let folder = Path::new("/nowhere");
        assert!(Slot::new(folder, JOB, Kind::Key).is_ok());
        for name in bad {
            let refused = Slot::new(folder, name, Kind::Key);
            assert!(matches!(refused, Err(SpoolError::BadJobName)), "{name:?}");
        }
    }

    #[test]
    fn a_file_name_reads_back_as_it_was_given() {
        for kind in Kind::ALL {
            let slot = Slot::new(Path::new("/nowhere"), JOB, kind).unwrap();
            assert_eq!(Slot::parse(&slot.name), Some((JOB, kind)));
        }
        for name in ["lost+found", ".key", "x.key", JOB, "README"] {
            assert_eq!(Slot::parse(name), None, "{name}");
        }
    }
}
