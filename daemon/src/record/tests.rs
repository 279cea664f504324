use super::*;
use loket_inspection::Inspector;

fn records(dir: &Path, clock: Clock) -> Arc<Records> {
    let sheets = Arc::new(SheetReader::new(Inspector::at(
        "/nonexistent/loket-inspector".as_ref(),
    )));
    Records::open(dir, "desa-contoh-1".parse().unwrap(), clock, sheets).unwrap()
}

fn job(at_ms: u64) -> JobId {
    JobId::from_parts(at_ms, [1; 10])
}

fn now_ms(clock: &Clock) -> u64 {
    u64::try_from(certain(clock.now()).unix_ms()).unwrap()
}

/// A record that waits, as if it had been made.
fn waits(records: &Records, job: JobId) {
    let name = job.to_string();
    records.spool.admit_bytes(&name, b"sealed").unwrap();
}

#[test]
fn what_central_cannot_open_is_put_aside_and_found_again_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::new(None);
    let kept = records(dir.path(), clock.clone());
    let job = job(now_ms(&clock));
    waits(&kept, job);
    kept.put_aside(job).unwrap();
    assert!(kept.waiting().unwrap().is_empty());
    // Once more, as after a crash between the two folders.
    waits(&kept, job);
    kept.put_aside(job).unwrap();
    drop(kept);
    let kept = records(dir.path(), Clock::new(None));
    assert_eq!(
        (kept.refused().unwrap(), kept.refused_count()),
        (vec![job], 1)
    );
    assert_eq!(kept.sealed(job, Lying::Refused).unwrap(), b"sealed");
    kept.erase(job, Lying::Refused).unwrap();
    assert_eq!(kept.refused_count(), 0);
}

#[test]
fn of_too_many_the_oldest_goes() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::new(None);
    let (kept, first) = (records(dir.path(), clock.clone()), now_ms(&clock));
    for no in 0..MAX_REFUSED {
        let name = job(first + u64::try_from(no).unwrap()).to_string();
        // Not durably: a thousand flushes are a minute on a slow disk.
        std::fs::write(
            dir.path()
                .join("records-refused")
                .join(format!("{name}.blob")),
            b"x",
        )
        .unwrap();
    }
    let newest = job(first + 1_000_000);
    waits(&kept, newest);
    kept.put_aside(newest).unwrap();
    let refused = kept.refused().unwrap();
    assert_eq!(
        (refused.len(), kept.refused_count()),
        (MAX_REFUSED, MAX_REFUSED)
    );
    assert_eq!(
        (refused[0], refused.last()),
        (job(first + 1), Some(&newest))
    );
    assert_eq!(kept.forget_refused().unwrap(), MAX_REFUSED);
    assert_eq!(kept.refused_count(), 0);
}

#[test]
fn a_record_of_a_job_that_central_has_forgotten_goes() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::new(None);
    let kept = records(dir.path(), clock.clone());
    let now_ms = now_ms(&clock);
    let span_ms = u64::try_from(REFUSED_DAYS * DAY_MS).unwrap();
    let (old, fresh) = (
        job(now_ms - span_ms - 86_400_000),
        job(now_ms - span_ms + 86_400_000),
    );
    for each in [old, fresh] {
        waits(&kept, each);
        kept.put_aside(each).unwrap();
    }
    kept.drop_old_refused().unwrap();
    assert_eq!(kept.refused().unwrap(), [fresh]);
}
