//! The spool through its public door.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod crashes;

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use loket_spool::{MAX_BLOB_BYTES, MAX_KEY_BYTES, Spool, SpoolError, SpoolStats};
use ring::digest::{SHA256, digest};

const JOB: &str = "0190f3a1-7b2c-7d4e-8f10-0123456789ab";
const OTHER: &str = "0190f3a1-7b2c-7d4e-8f10-0123456789ac";
const QUOTA_BYTES: u64 = 1024 * 1024;

struct Place {
    folder: tempfile::TempDir,
    spool: Spool,
}

impl Place {
    fn new(quota_bytes: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(&folder.path().join("spool"), quota_bytes).unwrap();
        Self { folder, spool }
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("spool")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.dir())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Opens the folder anew, as a start after a crash does.
    fn reopened(&self) -> Spool {
        self.reopened_with(QUOTA_BYTES)
    }

    fn reopened_with(&self, quota_bytes: u64) -> Spool {
        Spool::open(&self.dir(), quota_bytes).unwrap()
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().unwrap()
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap()
}

fn keep(jobs: &[&str]) -> BTreeSet<String> {
    jobs.iter().map(|job| (*job).to_owned()).collect()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_document_arrives_in_parts_is_admitted_read_and_shredded() {
    let at = Place::new(QUOTA_BYTES);
    let document = vec![42; 100_000];
    at.spool.put_key(JOB, b"sealed order").unwrap();
    assert_eq!(at.spool.part_len(JOB).unwrap(), 0);
    for (offset, chunk) in (0..).step_by(30_000).zip(document.chunks(30_000)) {
        at.spool.append_part(JOB, offset, chunk).unwrap();
        assert_eq!(at.spool.part_len(JOB).unwrap(), offset + len(chunk));
    }
    assert!(
        matches!(at.spool.blob(JOB), Err(SpoolError::NotFound { .. })),
        "not before admission"
    );
    at.spool
        .admit(JOB, len(&document), sha256(&document))
        .unwrap();
    at.spool
        .admit(JOB, len(&document), sha256(&document))
        .unwrap();
    assert_eq!(at.spool.key(JOB).unwrap(), b"sealed order");
    assert_eq!(at.spool.blob(JOB).unwrap(), document);
    assert_eq!(at.spool.part_len(JOB).unwrap(), 0);
    let stats = SpoolStats {
        size_bytes: 100_012,
        file_count: 2,
        quota_bytes: QUOTA_BYTES,
    };
    assert_eq!(at.spool.stats().unwrap(), stats);
    at.spool.shred(JOB).unwrap();
    at.spool.shred(JOB).unwrap();
    assert!(at.names().is_empty());
    assert!(matches!(
        at.spool.key(JOB),
        Err(SpoolError::NotFound { .. })
    ));
}

#[test]
fn folder_and_files_are_their_owners_alone() {
    let at = Place::new(QUOTA_BYTES);
    at.spool.put_key(JOB, b"k").unwrap();
    at.spool.admit_bytes(JOB, b"b").unwrap();
    at.spool.append_part(OTHER, 0, b"p").unwrap();
    assert_eq!(mode(&at.dir()), 0o700);
    for name in at.names() {
        assert_eq!(mode(&at.file(&name)), 0o600, "{name}");
    }
    std::fs::set_permissions(at.dir(), Permissions::from_mode(0o755)).unwrap();
    at.reopened();
    assert_eq!(mode(&at.dir()), 0o700, "an open folder is closed to others");
}

#[test]
fn a_folder_that_cannot_be_one_is_refused() {
    let at = Place::new(QUOTA_BYTES);
    let file = at.folder.path().join("file");
    std::fs::write(&file, b"x").unwrap();
    assert!(matches!(
        Spool::open(&file, 1),
        Err(SpoolError::NotAFile { .. })
    ));
    let orphan = at.folder.path().join("no").join("spool");
    assert!(matches!(
        Spool::open(&orphan, 1),
        Err(SpoolError::NotFound { .. })
    ));
}

#[test]
fn names_that_are_not_uuids_reach_no_file() {
    let at = Place::new(QUOTA_BYTES);
    for job in [
        "../../etc/passwd",
        "",
        "x",
        "0190F3A1-7B2C-7D4E-8F10-0123456789AB",
    ] {
        let refusals = [
            at.spool.put_key(job, b"k").unwrap_err(),
            at.spool.part_len(job).unwrap_err(),
            at.spool.append_part(job, 0, b"p").unwrap_err(),
            at.spool.drop_part(job).unwrap_err(),
            at.spool.admit(job, 1, [0; 32]).unwrap_err(),
            at.spool.admit_bytes(job, b"b").unwrap_err(),
            at.spool.key(job).unwrap_err(),
            at.spool.blob(job).unwrap_err(),
            at.spool.shred(job).unwrap_err(),
        ];
        for refusal in refusals {
            assert!(
                matches!(refusal, SpoolError::BadJobName),
                "{job:?}: {refusal:?}"
            );
            assert!(
                job.is_empty() || !refusal.to_string().contains(job),
                "names are not echoed"
            );
        }
    }
    assert!(at.names().is_empty());
}

#[test]
fn another_document_is_refused_and_its_part_dropped() {
    let at = Place::new(QUOTA_BYTES);
    at.spool.append_part(JOB, 0, b"altered").unwrap();
    let refused = at.spool.admit(JOB, 7, sha256(b"the one")).unwrap_err();
    assert!(
        matches!(refused, SpoolError::Mismatch { .. }),
        "{refused:?}"
    );
    assert!(at.names().is_empty(), "the fetch begins again");
    assert!(matches!(
        at.spool.admit(JOB, 7, sha256(b"the one")),
        Err(SpoolError::NotFound { .. })
    ));

    at.spool.append_part(JOB, 0, b"the one and more").unwrap();
    let refused = at.spool.admit(JOB, 7, sha256(b"the one")).unwrap_err();
    assert!(
        matches!(refused, SpoolError::Mismatch { .. }),
        "{refused:?}"
    );
    assert!(at.names().is_empty());
}

#[test]
fn a_part_grows_only_at_its_end_and_waits_while_it_is_short() {
    let at = Place::new(QUOTA_BYTES);
    at.spool.append_part(JOB, 0, b"the ").unwrap();
    for offset in [0, 3, 5] {
        let refused = at.spool.append_part(JOB, offset, b"one").unwrap_err();
        assert!(
            matches!(refused, SpoolError::WrongOffset { have_bytes: 4, .. }),
            "{refused:?}"
        );
    }
    let refused = at.spool.admit(JOB, 7, sha256(b"the one")).unwrap_err();
    assert!(matches!(
        refused,
        SpoolError::Incomplete {
            have_bytes: 4,
            size_bytes: 7,
            ..
        }
    ));
    let again = at.reopened();
    assert_eq!(
        again.part_len(JOB).unwrap(),
        4,
        "a fetch resumes after a restart"
    );
    again.append_part(JOB, 4, b"one").unwrap();
    again.admit(JOB, 7, sha256(b"the one")).unwrap();
    assert_eq!(again.blob(JOB).unwrap(), b"the one");
}

#[test]
fn an_admitted_document_is_never_replaced() {
    let at = Place::new(QUOTA_BYTES);
    at.spool.admit_bytes(JOB, b"first").unwrap();
    at.spool.admit_bytes(JOB, b"first").unwrap();
    let refused = at.spool.admit_bytes(JOB, b"other").unwrap_err();
    assert!(
        matches!(refused, SpoolError::OtherAdmitted { .. }),
        "{refused:?}"
    );
    at.spool.append_part(JOB, 0, b"other").unwrap();
    let refused = at.spool.admit(JOB, 5, sha256(b"other")).unwrap_err();
    assert!(
        matches!(refused, SpoolError::OtherAdmitted { .. }),
        "{refused:?}"
    );
    assert_eq!(at.spool.blob(JOB).unwrap(), b"first");
}

#[test]
fn a_key_is_replaced_whole() {
    let at = Place::new(QUOTA_BYTES);
    at.spool.put_key(JOB, b"first, and longer").unwrap();
    at.spool.put_key(JOB, b"second").unwrap();
    assert_eq!(at.spool.key(JOB).unwrap(), b"second");
    assert_eq!(at.names(), [format!("{JOB}.key")]);
}

#[test]
fn the_quota_is_asked_before_a_byte_is_written() {
    let at = Place::new(100);
    at.spool.put_key(JOB, &[1; 40]).unwrap();
    at.spool.append_part(JOB, 0, &[2; 60]).unwrap();
    let refusals = [
        at.spool.append_part(JOB, 60, b"x").unwrap_err(),
        at.spool.put_key(OTHER, b"x").unwrap_err(),
        at.spool.admit_bytes(OTHER, b"x").unwrap_err(),
    ];
    for refused in refusals {
        let full = SpoolError::OverQuota {
            need_bytes: 1,
            used_bytes: 100,
            quota_bytes: 100,
        };
        assert_eq!(refused.to_string(), full.to_string());
    }
    assert_eq!(at.spool.stats().unwrap().size_bytes, 100);
    at.spool.admit(JOB, 60, sha256(&[2; 60])).unwrap();
    at.spool.shred(JOB).unwrap();
    at.spool.put_key(OTHER, &[1; 100]).unwrap();
}

#[test]
fn documents_fetched_side_by_side_leave_each_other_room_to_become_whole() {
    let at = Place::new(100);
    let first = at.spool.claim(JOB, 60).unwrap();
    at.spool.append_part(JOB, 0, &[1; 20]).unwrap();
    let full = SpoolError::OverQuota {
        need_bytes: 50,
        used_bytes: 60,
        quota_bytes: 100,
    };
    let refused = at.spool.claim(OTHER, 50).unwrap_err();
    assert_eq!(refused.to_string(), full.to_string());
    assert!(at.spool.is_short(), "and says so until there is room");
    assert!(at.spool.put_key(OTHER, &[1; 41]).is_err(), "nor a key");
    at.spool.append_part(JOB, 20, &[1; 40]).unwrap();
    drop(first);
    at.spool.admit(JOB, 60, sha256(&[1; 60])).unwrap();
    at.spool.shred(JOB).unwrap();
    let _second = at.spool.claim(OTHER, 50).unwrap();
    assert!(!at.spool.is_short());
}

#[test]
fn room_that_was_claimed_is_given_back_and_a_part_on_disk_counts_once() {
    let at = Place::new(100);
    drop(at.spool.claim(JOB, 100).unwrap());
    at.spool.append_part(JOB, 0, &[1; 30]).unwrap();
    let again = at.reopened_with(100).claim(JOB, 100);
    assert!(again.is_ok(), "the rest of a part fits: {again:?}");
}

#[test]
fn a_document_that_the_quota_can_never_hold_is_told_apart_from_one_that_must_wait() {
    let at = Place::new(100);
    at.spool.put_key(JOB, &[1; 10]).unwrap();
    let never = at.spool.claim(JOB, 91).unwrap_err();
    assert!(matches!(never, SpoolError::BeyondQuota { .. }), "{never}");
    at.spool.put_key(OTHER, &[1; 10]).unwrap();
    let later = at.spool.claim(JOB, 90).unwrap_err();
    assert!(matches!(later, SpoolError::OverQuota { .. }), "{later}");
    let large = at.spool.claim(JOB, MAX_BLOB_BYTES + 1).unwrap_err();
    assert!(matches!(large, SpoolError::TooLarge { .. }), "{large}");
}

#[test]
fn sizes_over_their_limits_are_refused() {
    let at = Place::new(u64::MAX);
    let over = |limit: u64| vec![0; usize::try_from(limit + 1).unwrap()];
    let refusals = [
        at.spool.put_key(JOB, &over(MAX_KEY_BYTES)).unwrap_err(),
        at.spool
            .append_part(JOB, 0, &over(MAX_BLOB_BYTES))
            .unwrap_err(),
        at.spool
            .admit_bytes(JOB, &over(MAX_BLOB_BYTES))
            .unwrap_err(),
        at.spool
            .admit(JOB, MAX_BLOB_BYTES + 1, [0; 32])
            .unwrap_err(),
    ];
    for refused in refusals {
        assert!(
            matches!(refused, SpoolError::TooLarge { .. }),
            "{refused:?}"
        );
    }
    assert!(at.names().is_empty());
    std::fs::write(at.file(&format!("{JOB}.key")), over(MAX_KEY_BYTES)).unwrap();
    assert!(matches!(
        at.spool.key(JOB),
        Err(SpoolError::TooLarge { .. })
    ));
}

#[test]
fn a_sweep_leaves_strange_files_and_kept_jobs_alone() {
    let at = Place::new(QUOTA_BYTES);
    at.spool.put_key(JOB, b"k").unwrap();
    at.spool.admit_bytes(JOB, b"b").unwrap();
    at.spool.put_key(OTHER, b"k").unwrap();
    std::fs::write(at.file("README"), b"not ours").unwrap();
    assert_eq!(at.spool.sweep(&keep(&[JOB])).unwrap(), [OTHER]);
    assert_eq!(
        at.names(),
        [format!("{JOB}.blob"), format!("{JOB}.key"), "README".into()]
    );
    assert!(at.spool.sweep(&keep(&[JOB])).unwrap().is_empty());
}

#[test]
fn a_link_under_a_jobs_name_is_not_followed() {
    let at = Place::new(QUOTA_BYTES);
    let outside = at.folder.path().join("outside");
    std::fs::write(&outside, b"precious").unwrap();
    std::os::unix::fs::symlink(&outside, at.file(&format!("{JOB}.key"))).unwrap();
    assert!(matches!(
        at.spool.key(JOB),
        Err(SpoolError::NotAFile { .. })
    ));
    assert!(matches!(
        at.spool.shred(JOB),
        Err(SpoolError::NotAFile { .. })
    ));
    assert_eq!(std::fs::read(&outside).unwrap(), b"precious");
    assert!(at.names().is_empty(), "the link itself goes");
}

#[test]
fn a_file_that_cannot_be_read_is_not_called_missing() {
    let at = Place::new(QUOTA_BYTES);
    std::fs::create_dir(at.file(&format!("{JOB}.blob"))).unwrap();
    let error = at.spool.blob(JOB).unwrap_err();
    assert!(matches!(error, SpoolError::NotAFile { .. }), "{error:?}");
}
