//! What can go wrong with a spool.

use std::io::ErrorKind;

/// Tells why the spool did not do what was asked.
///
/// Files are named by their job's id; no variant holds bytes of a file or a name that was refused.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The job's name is not a UUID in its usual form (36 characters, lowercase).
    #[error("accept a job name that is not a lowercase UUID")]
    BadJobName,
    /// The spool holds no such file.
    #[error("find {file}")]
    NotFound {
        /// The file's name.
        file: String,
    },
    /// Writing would take the spool over its quota. Nothing was written.
    #[error(
        "spool {need_bytes} bytes: {used_bytes} bytes of the quota of {quota_bytes} bytes are used"
    )]
    OverQuota {
        /// What was to be written.
        need_bytes: u64,
        /// What the spool holds.
        used_bytes: u64,
        /// The quota.
        quota_bytes: u64,
    },
    /// A document is larger than the whole quota: no room that others give back will do.
    #[error("spool {need_bytes} bytes: the whole quota is {quota_bytes} bytes")]
    BeyondQuota {
        /// What it needs, its key included.
        need_bytes: u64,
        /// The quota.
        quota_bytes: u64,
    },
    /// The disk has no room. What was written of this call was taken back.
    #[error("write {file}: no room left on the disk")]
    Full {
        /// The file's name.
        file: String,
    },
    /// A key, blob or part is larger than its limit.
    #[error("accept {file} of {size_bytes} bytes: the limit is {limit_bytes} bytes")]
    TooLarge {
        /// The file's name.
        file: String,
        /// Its size.
        size_bytes: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// A part was to be continued at another place than its end. Nothing was written.
    #[error("continue {file} at byte {offset}: it has {have_bytes} bytes")]
    WrongOffset {
        /// The file's name.
        file: String,
        /// Where it was to be continued.
        offset: u64,
        /// Its size.
        have_bytes: u64,
    },
    /// A part is shorter than the document that it was to be admitted as. It is kept: the fetch
    /// may go on.
    #[error("admit {file}: it has {have_bytes} of {size_bytes} bytes")]
    Incomplete {
        /// The file's name.
        file: String,
        /// Its size.
        have_bytes: u64,
        /// The document's size.
        size_bytes: u64,
    },
    /// A part is not the document that it was to be admitted as. It was dropped: the fetch begins
    /// again.
    #[error("admit {file}: size or digest do not match")]
    Mismatch {
        /// The file's name.
        file: String,
    },
    /// Another document was admitted under this job before. It is left as it is.
    #[error("admit {file}: the job has another document already")]
    OtherAdmitted {
        /// The file's name.
        file: String,
    },
    /// What stands under a file's name is a folder, a link or a device.
    #[error("use {file}: it is not a regular file")]
    NotAFile {
        /// The file's name.
        file: String,
    },
    /// The system refused an operation.
    #[error("{action} {file}")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file's name, or `the folder`.
        file: String,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
}

impl SpoolError {
    /// Sorts a system's answer into what the caller can act on.
    pub(crate) fn io(action: &'static str, file: &str, source: std::io::Error) -> Self {
        let file = file.to_owned();
        let kind = source.kind();
        if kind == ErrorKind::NotFound {
            return Self::NotFound { file };
        }
        if matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
            return Self::Full { file };
        }
        Self::Io {
            action,
            file,
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_missing_file_have_variants_of_their_own() {
        // ENOSPC, EDQUOT, ENOENT and EIO of Linux.
        let sorted = |code| SpoolError::io("write", "f", std::io::Error::from_raw_os_error(code));
        assert!(matches!(sorted(28), SpoolError::Full { .. }));
        assert!(matches!(sorted(122), SpoolError::Full { .. }));
        assert!(matches!(sorted(2), SpoolError::NotFound { .. }));
        assert!(matches!(sorted(5), SpoolError::Io { .. }));
    }
}
