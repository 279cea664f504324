//! `rejected/`: what was refused, with its reason beside it, for another day.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use loket_wire::Timestamp;

use super::look::{Folder, Look, name_digest, regular};
use crate::files;
use crate::problem::Problem;

/// The longest file name of Linux's file systems, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// What follows the stem in the name of a reason.
const REASON_SUFFIX: &str = ".reason.txt";

/// What a file that is being written has behind its name.
const PART_SUFFIX: &str = ".part";

/// How much of a stem that is too long stands before its digest, in bytes.
const SHORT_STEM_BYTES: usize = 120;

impl Folder {
    /// Moves files to `rejected/` with the reason beside them. The reason is written first: a crash in between leaves
    /// files that are older than their reason, and those are moved without another one.
    pub(super) fn reject<'a>(
        &self,
        stem: &OsStr,
        names: impl Iterator<Item = &'a OsStr>,
        problem: &Problem,
    ) -> io::Result<()> {
        let (code, digest) = (problem.code.as_str(), name_digest(stem));
        tracing::warn!(code, file.digest = digest, "intake folder: rejected");
        files::write_durably(
            &self.rejected.join(reason_name(stem)),
            problem.reason_text().as_bytes(),
        )?;
        self.move_away(names)
    }

    /// Moves files to `rejected/`; what is gone by now is no error.
    pub(super) fn move_away<'a>(&self, names: impl Iterator<Item = &'a OsStr>) -> io::Result<()> {
        for name in names {
            match std::fs::rename(self.path.join(name), self.rejected.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        files::sync_dir(&self.rejected)?;
        files::sync_dir(&self.path)
    }

    /// Whether files were there before the reason of their stem: a rejection that a crash cut short.
    pub(super) fn is_leftover<'a>(
        &self,
        stem: &OsStr,
        mut looks: impl Iterator<Item = &'a Look>,
    ) -> bool {
        match regular(&self.rejected.join(reason_name(stem))) {
            Ok(Some(reason)) => looks.all(|look| look.changed() <= reason.changed()),
            Ok(None) | Err(_) => false,
        }
    }

    /// Removes what lies in `rejected/` for too long, one by one: a file that cannot go keeps no other.
    pub(super) fn empty_rejected(&self, now: Timestamp) {
        let listing = match std::fs::read_dir(&self.rejected) {
            Ok(listing) => listing,
            Err(error) => {
                tracing::error!(%error, "rejected files not listed");
                return;
            }
        };
        for entry in listing.flatten() {
            let path = entry.path();
            let outcome = regular(&path).and_then(|look| match look {
                Some(look) if look.is_older_than(self.keep, now) => std::fs::remove_file(&path),
                Some(_) | None => Ok(()),
            });
            if let Err(error) = outcome {
                let digest = name_digest(&entry.file_name());
                tracing::error!(file.digest = digest, %error, "a rejected file was not removed");
            }
        }
    }
}

/// The name of the reason beside files of that stem; a stem that leaves no room for it is cut and told by its digest.
pub(super) fn reason_name(stem: &OsStr) -> OsString {
    let mut name = stem.to_owned();
    if stem.len() + REASON_SUFFIX.len() + PART_SUFFIX.len() > MAX_NAME_BYTES {
        let bytes = stem.as_bytes();
        let short = bytes.get(..SHORT_STEM_BYTES).unwrap_or(bytes);
        name = OsString::from_vec(String::from_utf8_lossy(short).into_owned().into_bytes());
        name.push("~");
        name.push(name_digest(stem));
    }
    name.push(REASON_SUFFIX);
    name
}
