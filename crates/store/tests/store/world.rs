//! A store with machines, jobs and reports to feed it.

use loket_domain::dispatch::{Change, Job, apply};
use loket_store::{
    Actor, HistoryVerdict, Ingested, Inserted, Intake, JobFacts, JobRow, NewJob, Offerable, Origin,
    SqliteStore, Store, SyncOutcome,
};
use loket_wire::enrolment::MachineRecord;
use loket_wire::sign::VerifyingKey;
use loket_wire::{
    Blob, Class, Epoch, Event, JobId, JobReport, JobState, KeyId, MachineId, MachineState, OpenJob,
    Reason, Release, Report, Service, Sha256Digest, Sync, Timestamp,
};

pub(crate) const EPOCH: Epoch = Epoch::from_bytes([1; 16]);
pub(crate) const NEW_EPOCH: Epoch = Epoch::from_bytes([2; 16]);

pub(crate) struct World {
    pub(crate) store: SqliteStore,
    pub(crate) machine: MachineId,
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_ms(seconds * 1000)
}

pub(crate) fn job_id(number: u8) -> JobId {
    JobId::from_parts(u64::from(number), [number; 10])
}

pub(crate) fn central() -> Actor {
    Actor::central()
}

pub(crate) fn record(machine: &MachineId, key: u8) -> MachineRecord {
    let public_key = [key; 32];
    MachineRecord {
        version: 1,
        machine: machine.clone(),
        office: "kec-1".parse().unwrap(),
        certificate_serial: "01".to_owned(),
        report_key: VerifyingKey::parse(REPORT_KEY).unwrap(),
        sealing_public_key: data_encoding::BASE64.encode(&public_key),
        key_id: KeyId::of(&public_key),
        enrolled_at: at(0),
    }
}

/// An Ed25519 public key of zeros reads as a key; nothing here verifies with it.
const REPORT_KEY: &str = "ed25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Every offer for one machine.
pub(crate) fn offers_of(machine: &MachineId) -> Offerable {
    Offerable {
        machine: Some(machine.clone()),
        a_machine: 10,
        limit: 10,
        ..Offerable::default()
    }
}

pub(crate) fn new_job(number: u8, machine: &MachineId) -> NewJob {
    let digest = Sha256Digest::of(&[number]);
    NewJob {
        facts: JobFacts {
            id: job_id(number),
            reference: format!("KK-{number}").parse().unwrap(),
            service: Service::new("kk").unwrap(),
            class: Class::Controlled,
            release: Release::Officer,
            machine: machine.clone(),
            office: "kec-1".parse().unwrap(),
            not_after: at(1_000_000),
        },
        intake: Intake {
            due_at: at(86_400),
            document_sha256: digest,
            revision_sha256: digest,
            content_sha256: digest,
            page_count: 1,
            size_bytes: 40_000,
            blob: Blob {
                sha256: digest,
                size_bytes: 40_016,
            },
            reprint_of: None,
        },
        idempotency_key: None,
        folder_sha256: None,
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::over(SqliteStore::open_in_memory().unwrap())
    }

    pub(crate) fn over(store: SqliteStore) -> Self {
        let machine: MachineId = "desa-1".parse().unwrap();
        store.upsert_machine(&record(&machine, 7), at(0)).unwrap();
        Self { store, machine }
    }

    pub(crate) fn insert(&self, number: u8) -> JobId {
        let new = new_job(number, &self.machine);
        let inserted = self
            .store
            .insert_job(&new, &central(), at(i64::from(number)))
            .unwrap();
        assert_eq!(inserted, Inserted::Created);
        new.facts.id
    }

    /// Says that the machine connected, with nothing to tell.
    pub(crate) fn connect(&self, session_seq: u64, seconds: i64) -> SyncOutcome {
        let row = self.store.machine(&self.machine).unwrap().unwrap();
        let mut sync = sync(session_seq, None, row.committed_seq);
        sync.last_command_seq = row.last_command_seq;
        self.sync(&sync, seconds)
    }

    /// A sync for which central had asked.
    pub(crate) fn sync(&self, sync: &Sync, seconds: i64) -> SyncOutcome {
        let answered = self
            .store
            .ingest_sync(&self.machine, sync, Some(at(seconds)), at(seconds));
        answered.unwrap()
    }

    /// A sync that may have been said at any time.
    pub(crate) fn sync_unasked(&self, sync: &Sync, seconds: i64) -> SyncOutcome {
        let heard = self
            .store
            .ingest_sync(&self.machine, sync, None, at(seconds));
        heard.unwrap()
    }

    pub(crate) fn offer(&self, job: JobId, seconds: i64) -> u64 {
        self.store
            .mark_offered(job, EPOCH, at(seconds))
            .unwrap()
            .command_seq
    }

    pub(crate) fn tell(&self, epoch: Epoch, seq: u64, report: Report, seconds: i64) -> Ingested {
        let event = Event { epoch, seq, report };
        self.store
            .ingest_event(&self.machine, &event, at(seconds))
            .unwrap()
    }

    pub(crate) fn tell_job(&self, seq: u64, job: JobId, state: JobState) -> Ingested {
        self.tell(EPOCH, seq, say(job, state, None), 50)
    }

    /// A job that the machine holds, told with reports `first_seq` to `first_seq + 2`.
    pub(crate) fn held(&self, number: u8, first_seq: u64) -> JobId {
        let job = self.insert(number);
        self.offer(job, i64::from(number));
        self.tell_job(first_seq, job, JobState::Fetching);
        self.tell_job(first_seq + 1, job, JobState::Journalled);
        self.tell_job(first_seq + 2, job, JobState::Held);
        assert_eq!(self.state(job), JobState::Held);
        job
    }

    pub(crate) fn row(&self, job: JobId) -> JobRow {
        self.store.job(job).unwrap().unwrap()
    }

    pub(crate) fn state(&self, job: JobId) -> JobState {
        self.row(job).job.state
    }

    /// Checks what holds after every test: the chain is whole, and each row is the fold of its history.
    pub(crate) fn check(&self) {
        let verdict = self.store.verify_history().unwrap();
        assert!(
            matches!(verdict, HistoryVerdict::Intact { .. }),
            "{verdict:?}"
        );
        let jobs = self.store.jobs(&Default::default()).unwrap().jobs;
        let counts = self.store.counts(at(0)).unwrap();
        for (origin, by_state) in [
            (Origin::Central, counts.jobs),
            (Origin::Local, counts.local_jobs),
        ] {
            for (state, count) in by_state {
                let listed = jobs
                    .iter()
                    .filter(|row| (row.origin(), row.job.state) == (origin, state));
                assert_eq!(
                    u64::try_from(listed.count()).unwrap(),
                    count,
                    "{origin:?} {state}"
                );
            }
        }
        for row in jobs {
            let mut folded: Option<Job> = None;
            for entry in self.store.history(row.facts.id).unwrap() {
                match (entry.change(), &mut folded) {
                    (
                        Ok(Change::Created {
                            machine, not_after, ..
                        }),
                        empty @ None,
                    ) => {
                        *empty = Some(Job::created(row.facts.id, machine, not_after, entry.at));
                    }
                    (Ok(Change::GivenByHand { machine, local }), empty @ None) => {
                        let id = row.facts.id;
                        *empty = Some(Job::given_by_hand(id, machine, *local, entry.at));
                    }
                    (Ok(change), Some(job)) => apply(job, entry.at, &change),
                    (Ok(change), None) => panic!("{} before the beginning", change.kind()),
                    (Err(_note), _job) => {}
                }
            }
            // How often it was asked for one reason has no lines.
            if let Some(folded) = &mut folded {
                folded.ask_count = row.job.ask_count;
                folded.next_ask_at = row.job.next_ask_at;
            }
            assert_eq!(folded.as_ref(), Some(&row.job));
        }
    }
}

pub(crate) fn say(job: JobId, state: JobState, reason: Option<Reason>) -> Report {
    Report::Job(JobReport {
        job_id: job,
        state,
        reason,
        attempt: None,
        sheet_count: None,
        actor: None,
        at: at(1),
        clock_trusted: true,
        local: None,
    })
}

pub(crate) fn sync(session_seq: u64, first: Option<u64>, last: u64) -> Sync {
    Sync {
        epoch: EPOCH,
        session_seq,
        last_command_seq: 0,
        first_event_seq: first,
        last_event_seq: last,
        open_jobs: Vec::new(),
        is_complete: true,
        hello: None,
        trust_serial: None,
    }
}

pub(crate) fn open(job: JobId, state: JobState) -> OpenJob {
    OpenJob {
        job_id: job,
        state,
        local: None,
    }
}

pub(crate) fn presence(epoch: Epoch, session_seq: u64, online: bool) -> MachineState {
    MachineState {
        online,
        boot_id: "boot".to_owned(),
        session_seq,
        epoch,
        software: "0.1.0".to_owned(),
        config_hash: "00".to_owned(),
        key_id: KeyId::of(&[7; 32]),
    }
}
