//! What a crash or a power cut leaves behind, and that what comes next mends it.

use super::*;

#[test]
fn a_crash_before_a_keys_rename_leaves_a_temporary_file_that_goes() {
    let at = Place::new(QUOTA_BYTES);
    std::fs::write(at.file(&format!("{JOB}.tmp")), b"half a k").unwrap();
    let again = at.reopened();
    assert!(matches!(again.key(JOB), Err(SpoolError::NotFound { .. })));
    again.put_key(JOB, b"whole").unwrap();
    assert_eq!(
        at.names(),
        [format!("{JOB}.key")],
        "a new try takes its place"
    );
    std::fs::write(at.file(&format!("{JOB}.tmp")), b"half a k").unwrap();
    assert!(again.sweep(&keep(&[JOB])).unwrap().is_empty());
    assert_eq!(
        at.names(),
        [format!("{JOB}.key")],
        "or a sweep takes it away"
    );
}

#[test]
fn a_crash_during_a_fetch_leaves_a_part_that_goes_on_or_goes() {
    let at = Place::new(QUOTA_BYTES);
    std::fs::write(at.file(&format!("{JOB}.part")), b"the ").unwrap();
    let again = at.reopened();
    assert!(again.sweep(&keep(&[JOB])).unwrap().is_empty());
    assert_eq!(again.part_len(JOB).unwrap(), 4);
    assert_eq!(again.sweep(&keep(&[])).unwrap(), [JOB]);
    assert!(at.names().is_empty());
}

#[test]
fn a_power_cut_that_left_zeros_in_a_part_is_caught_at_admission() {
    let at = Place::new(QUOTA_BYTES);
    std::fs::write(at.file(&format!("{JOB}.part")), [0; 7]).unwrap();
    let again = at.reopened();
    let refused = again.admit(JOB, 7, sha256(b"the one")).unwrap_err();
    assert!(matches!(refused, SpoolError::Mismatch { .. }));
    again.append_part(JOB, 0, b"the one").unwrap();
    again.admit(JOB, 7, sha256(b"the one")).unwrap();
}

#[test]
fn a_crash_after_admission_is_met_by_admitting_again() {
    let at = Place::new(QUOTA_BYTES);
    // The rename reached the disk, nobody was told; a second fetch had begun.
    std::fs::write(at.file(&format!("{JOB}.blob")), b"the one").unwrap();
    std::fs::write(at.file(&format!("{JOB}.part")), b"the").unwrap();
    let again = at.reopened();
    again.admit(JOB, 7, sha256(b"the one")).unwrap();
    assert_eq!(at.names(), [format!("{JOB}.blob")]);
}

#[test]
fn a_blob_without_its_key_stays_for_an_open_job_and_goes_for_another() {
    let at = Place::new(QUOTA_BYTES);
    for job in [JOB, OTHER] {
        std::fs::write(at.file(&format!("{job}.blob")), b"sealed").unwrap();
    }
    std::fs::write(at.file(&format!("{JOB}.part")), b"sea").unwrap();
    let again = at.reopened();
    assert_eq!(again.sweep(&keep(&[JOB])).unwrap(), [OTHER]);
    assert_eq!(
        at.names(),
        [format!("{JOB}.blob")],
        "the part beside it went"
    );
    assert!(matches!(again.key(JOB), Err(SpoolError::NotFound { .. })));
    assert_eq!(again.blob(JOB).unwrap(), b"sealed");
}

#[test]
fn a_shred_that_a_crash_stopped_is_finished_by_the_next() {
    let at = Place::new(QUOTA_BYTES);
    // The key is gone, the blob overwritten and not yet unlinked.
    std::fs::write(at.file(&format!("{JOB}.blob")), [0; 100]).unwrap();
    at.reopened().shred(JOB).unwrap();
    assert!(at.names().is_empty());
}

#[test]
fn shredding_overwrites_the_bytes_before_it_unlinks() {
    let at = Place::new(QUOTA_BYTES);
    at.spool.put_key(JOB, b"secret").unwrap();
    at.spool.admit_bytes(JOB, &[7; 200_000]).unwrap();
    at.spool.append_part(JOB, 0, b"part").unwrap();
    // Second names show what the first names' bytes became.
    let copies: Vec<PathBuf> = at
        .names()
        .into_iter()
        .map(|name| {
            let copy = at.folder.path().join(&name);
            std::fs::hard_link(at.file(&name), &copy).unwrap();
            copy
        })
        .collect();
    assert_eq!(copies.len(), 3);
    at.spool.shred(JOB).unwrap();
    assert!(at.names().is_empty());
    for copy in copies {
        let bytes = std::fs::read(&copy).unwrap();
        assert!(
            !bytes.is_empty() && bytes.iter().all(|byte| *byte == 0),
            "{}",
            copy.display()
        );
    }
}
