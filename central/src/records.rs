//! Match records at central: sealed files, opened with the audit key when a sheet is doubted.
//!
//! ```text
//! machine ── PUT sealed ──► <job>.rec in `records/`, then its row in the store
//! machine ── find ─────────► row by keyed code ── open ── seal to that machine ──► answer
//! ```
//!
//! A file without a row is what a crash left between the two, and is swept; a row without a file is a record that is
//! gone. The store learns of the QR codes only keyed digests: without the audit key they say nothing.
//!
//! An office may exchange its audit key: machines are told the newest, and those before go on opening, and finding, what
//! was sealed to them.

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use loket_store::{CodeKey, RecordRow};
use loket_wire::record::{MAX_SEALED_RECORD_BYTES, RecordError};
use loket_wire::sealed::{AUDIT, RecordBinding, SealError, SealingKey, SealingPublic};
use loket_wire::{JobId, MachineId, MatchRecord, Sha256Digest};
use ring::hmac;
use thiserror::Error;

use crate::files;
use crate::random::{RandomnessFailed, SystemRandomness};

/// What the key of the codes is made for, so that it is no other key's.
const CODE_KEY_USE: &[u8] = b"loket record codes 1";

/// Why a record could not be kept or opened.
#[derive(Debug, Error)]
pub(crate) enum RecordFault {
    /// The file could not be written, read or removed.
    #[error("use the sealed record of job {job}")]
    Io {
        /// The job.
        job: JobId,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It does not open, or not for this machine and job.
    #[error("open or seal a record")]
    Seal(#[source] SealError),
    /// It is sealed to a key that central has not, or has no more.
    #[error("open a record: it is sealed to an audit key that is not here")]
    OtherKey,
    /// What it holds is no record.
    #[error("read a record")]
    Record(#[from] RecordError),
    /// It is of another job than its name says.
    #[error("read a record: it is of another job")]
    OtherJob,
    /// No randomness to seal with.
    #[error("seal a record")]
    Randomness(#[from] RandomnessFailed),
}

impl From<SealError> for RecordFault {
    fn from(error: SealError) -> Self {
        if matches!(error, SealError::OtherKey) {
            Self::OtherKey
        } else {
            Self::Seal(error)
        }
    }
}

/// An audit key with what is derived of it.
#[derive(Debug)]
struct Audit {
    key: SealingKey,
    code_key: hmac::Key,
}

impl Audit {
    fn new(key: SealingKey) -> Self {
        let from_audit = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        let derived = hmac::sign(&from_audit, CODE_KEY_USE);
        let code_key = hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref());
        Self { key, code_key }
    }

    fn code(&self, code: Sha256Digest) -> CodeKey {
        let tag = hmac::sign(&self.code_key, code.as_bytes());
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        key
    }
}

/// The folder of sealed records and the keys that open them.
#[derive(Debug)]
pub(crate) struct Records {
    folder: PathBuf,
    newest: Audit,
    public: SealingPublic,
    before: Vec<Audit>,
    /// Held from the look whether there is one to the row: two files under one name would leave a row without its file.
    writing: Mutex<()>,
}

impl Records {
    /// Opens the folder, making it when absent; `before` are the keys that were the newest once.
    pub(crate) fn open(
        folder: PathBuf,
        newest: SealingKey,
        before: Vec<SealingKey>,
    ) -> io::Result<Self> {
        files::make_dir(&folder)?;
        let public = newest.public().map_err(io::Error::other)?;
        Ok(Self {
            folder,
            newest: Audit::new(newest),
            public,
            before: before.into_iter().map(Audit::new).collect(),
            writing: Mutex::default(),
        })
    }

    /// Keeps others from handing in a record until it is dropped.
    pub(crate) fn lock(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key that machines seal to.
    pub(crate) const fn public(&self) -> &SealingPublic {
        &self.public
    }

    /// What is put into the store for a code.
    pub(crate) fn code_key(&self, code: Sha256Digest) -> CodeKey {
        self.newest.code(code)
    }

    /// What may stand in the store for a code: it was put there while one of these keys was the newest.
    pub(crate) fn code_keys(&self, code: Sha256Digest) -> impl Iterator<Item = CodeKey> {
        self.all().map(move |audit| audit.code(code))
    }

    fn all(&self) -> impl Iterator<Item = &Audit> {
        std::iter::once(&self.newest).chain(&self.before)
    }

    /// Opens sealed bytes that `machine` handed in for `job`.
    pub(crate) fn read(
        &self,
        machine: &MachineId,
        job: JobId,
        sealed: &[u8],
    ) -> Result<MatchRecord, RecordFault> {
        let binding = RecordBinding {
            recipient: AUDIT,
            machine,
            job,
        };
        let mut opened = Err(SealError::OtherKey);
        for audit in self.all() {
            opened = audit.key.open_record(&binding, sealed);
            if !matches!(opened, Err(SealError::OtherKey)) {
                break;
            }
        }
        let record = MatchRecord::decode(&opened?)?;
        if record.job_id == job {
            Ok(record)
        } else {
            Err(RecordFault::OtherJob)
        }
    }

    /// Writes the sealed bytes durably, before their row; blocks.
    pub(crate) fn keep(&self, job: JobId, sealed: &[u8]) -> Result<(), RecordFault> {
        files::write_durably(&self.path(job), sealed)
            .map_err(|source| RecordFault::Io { job, source })
    }

    /// Opens a kept record; `None` where its file is gone or not the one of the row; blocks.
    pub(crate) fn opened(&self, row: &RecordRow) -> Result<Option<MatchRecord>, RecordFault> {
        let limit = u64::try_from(MAX_SEALED_RECORD_BYTES).unwrap_or(u64::MAX);
        let sealed = match files::read_bounded(&self.path(row.job), limit) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(RecordFault::Io {
                    job: row.job,
                    source,
                });
            }
        };
        if Sha256Digest::of(&sealed) != row.sha256 {
            return Ok(None);
        }
        self.read(&row.machine, row.job, &sealed).map(Some)
    }

    /// Seals a record to the machine that asks, for as long as its question lasts.
    pub(crate) fn for_machine(
        record: &MatchRecord,
        (asking, to): (&MachineId, &SealingPublic),
    ) -> Result<Vec<u8>, RecordFault> {
        let mut random = SystemRandomness::new();
        let binding = RecordBinding {
            recipient: asking.as_str(),
            machine: asking,
            job: record.job_id,
        };
        let sealed = to.seal_record(&binding, &record.encode()?, &mut random)?;
        random.check()?;
        Ok(sealed)
    }

    /// Erases the sealed bytes of `job`; what is gone already is success; blocks.
    pub(crate) fn erase(&self, job: JobId) -> Result<(), RecordFault> {
        let mut part = self.path(job).into_os_string();
        // The temporary name of a write that was cut.
        part.push(".part");
        files::shred(&self.path(job))
            .and_then(|()| files::shred(part.as_ref()))
            .map_err(|source| RecordFault::Io { job, source })
    }

    /// Every job that has a file here, temporary ones included.
    pub(crate) fn jobs(&self) -> io::Result<Vec<JobId>> {
        let mut jobs = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let stem = name.to_str().and_then(|name| name.split('.').next());
            jobs.extend(stem.and_then(|stem| stem.parse::<JobId>().ok()));
        }
        Ok(jobs)
    }

    fn path(&self, job: JobId) -> PathBuf {
        self.folder.join(format!("{job}.rec"))
    }
}

#[cfg(test)]
mod tests {
    use loket_wire::{RecordPage, Timestamp};

    use super::*;

    fn records(folder: &std::path::Path) -> Records {
        with_keys(folder, 9, &[])
    }

    fn with_keys(folder: &std::path::Path, newest: u8, before: &[u8]) -> Records {
        let key = |byte: &u8| SealingKey::from_bytes([*byte; 32]);
        let before = before.iter().map(key).collect();
        Records::open(folder.join("records"), key(&newest), before).unwrap()
    }

    fn record(job: JobId) -> MatchRecord {
        MatchRecord {
            job_id: job,
            revision_sha256: Sha256Digest::of(b"a revision"),
            made_at: Timestamp::UNIX_EPOCH,
            fonts_inside: true,
            codes: vec![b"https://contoh.go.id/x".to_vec()],
            pages: vec![RecordPage {
                fingerprint: vec![7; 50],
            }],
        }
    }

    fn sealed(records: &Records, machine: &MachineId, job: JobId, of: &MatchRecord) -> Vec<u8> {
        let binding = RecordBinding {
            recipient: AUDIT,
            machine,
            job,
        };
        let plain = of.encode().unwrap();
        let mut random = SystemRandomness::new();
        records
            .public()
            .seal_record(&binding, &plain, &mut random)
            .unwrap()
    }

    #[test]
    fn a_record_is_taken_from_its_machine_for_its_job_alone() {
        let dir = tempfile::tempdir().unwrap();
        let records = records(dir.path());
        let (machine, other) = (
            "desa-contoh-1".parse().unwrap(),
            "desa-contoh-2".parse().unwrap(),
        );
        let (job, second) = (JobId::from_parts(1, [1; 10]), JobId::from_parts(2, [2; 10]));
        let bytes = sealed(&records, &machine, job, &record(job));
        assert_eq!(records.read(&machine, job, &bytes).unwrap(), record(job));
        assert!(records.read(&other, job, &bytes).is_err());
        assert!(records.read(&machine, second, &bytes).is_err());
        let lying = sealed(&records, &machine, second, &record(job));
        let read = records.read(&machine, second, &lying);
        assert!(matches!(read, Err(RecordFault::OtherJob)));
    }

    #[test]
    fn what_is_kept_opens_until_it_is_erased_and_no_other_bytes_do() {
        let dir = tempfile::tempdir().unwrap();
        let records = records(dir.path());
        let machine: MachineId = "desa-contoh-1".parse().unwrap();
        let job = JobId::from_parts(1, [1; 10]);
        let bytes = sealed(&records, &machine, job, &record(job));
        let row = RecordRow {
            job,
            machine: machine.clone(),
            received_at: Timestamp::UNIX_EPOCH,
            keep_until: Timestamp::UNIX_EPOCH,
            size_bytes: 1,
            sha256: Sha256Digest::of(&bytes),
        };
        assert!(records.opened(&row).unwrap().is_none());
        records.keep(job, &bytes).unwrap();
        assert_eq!(records.opened(&row).unwrap(), Some(record(job)));
        assert_eq!(records.jobs().unwrap(), [job]);
        let other = sealed(&records, &machine, job, &record(job));
        records.keep(job, &other).unwrap();
        assert!(records.opened(&row).unwrap().is_none(), "another file");
        records.erase(job).unwrap();
        records.erase(job).unwrap();
        assert!(records.jobs().unwrap().is_empty());
    }

    #[test]
    fn a_code_in_the_store_depends_on_the_audit_key() {
        let dir = tempfile::tempdir().unwrap();
        let code = Sha256Digest::of(b"https://contoh.go.id/x");
        let first = records(dir.path()).code_key(code);
        assert_eq!(records(dir.path()).code_key(code), first);
        let folder = dir.path().join("other");
        let other = with_keys(&folder, 8, &[]);
        assert_ne!(other.code_key(code), first);
        assert_ne!(first, *code.as_bytes());
        let exchanged = with_keys(&folder, 8, &[7, 9]);
        assert_eq!(exchanged.code_key(code), other.code_key(code));
        let may_stand: Vec<_> = exchanged.code_keys(code).collect();
        assert_eq!(may_stand.len(), 3);
        assert!(may_stand.contains(&first) && may_stand.contains(&other.code_key(code)));
    }

    #[test]
    fn an_exchanged_key_goes_on_opening_and_a_missing_one_is_told_apart_from_damage() {
        let dir = tempfile::tempdir().unwrap();
        let machine: MachineId = "desa-contoh-1".parse().unwrap();
        let job = JobId::from_parts(1, [1; 10]);
        let before = records(dir.path());
        let bytes = sealed(&before, &machine, job, &record(job));
        let exchanged = with_keys(dir.path(), 8, &[7, 9]);
        assert_ne!(exchanged.public(), before.public());
        assert_eq!(exchanged.read(&machine, job, &bytes).unwrap(), record(job));
        let lost = with_keys(dir.path(), 8, &[7]);
        let read = lost.read(&machine, job, &bytes);
        assert!(matches!(read, Err(RecordFault::OtherKey)), "{read:?}");
        let mut damaged = bytes.clone();
        *damaged.last_mut().unwrap() ^= 1;
        let read = exchanged.read(&machine, job, &damaged);
        assert!(matches!(read, Err(RecordFault::Seal(_))), "{read:?}");
    }
}
