//! Rules of the desk, one by one, and its disk form. Random histories are in `tests/spine`.
#![expect(
    clippy::wildcard_enum_match_arm,
    clippy::unwrap_in_result,
    reason = "tests look for single events among many, and a wrong one fails them"
)]

mod asking;
mod disk;
mod exercise;
mod faults;
mod garbage;
mod lives;
mod local;
mod many;
mod sightings;
mod strays;
mod whole;

use std::time::Duration;

use loket_wire::{
    Blob, Class, Epoch, JobId, JobState, RasterColours, RasterFormat, RasterSetup, Reason, Release,
    Service, Sha256Digest, Timestamp,
};

use super::{
    Actor, Attempt, Command, Desk, Event, Facts, Intake, Job, Origin, PrinterMark, PrinterSurvey,
    Refusal, RemoteJob, RemoteState, RemoteView, Revision, Sighting, Stage, Verification, What,
    job_name,
};
use crate::core::{Core as _, Now};

const NOON: Timestamp = Timestamp::from_unix_ms(1_795_435_200_000);

/// Pages of the document in these tests.
const PAGES: u32 = 2;

fn job_no(no: u8) -> JobId {
    JobId::from_parts(1_795_435_200_000, [0, 0, 0, 0, 0, 0, 0, 0, 0, no])
}

fn officer() -> Actor {
    Actor::Officer("sari".to_owned())
}

fn facts(job: JobId) -> Facts {
    Facts {
        job_id: job,
        origin: Origin::Central {
            command_seq: 7,
            epoch: Epoch::from_bytes([1; 16]),
            envelope: Sha256Digest::from_bytes([2; 32]),
            blob: Blob {
                sha256: Sha256Digest::from_bytes([3; 32]),
                size_bytes: 40_100,
            },
        },
        reference: "KK-1".parse().unwrap(),
        service: Service::new("kk").unwrap(),
        class: Class::Controlled,
        release: Release::Now,
        not_after: NOON.saturating_add(Duration::from_secs(86_400)),
        verified_at: NOON,
        printer: None,
        reprint: None,
    }
}

const fn revision() -> Revision {
    Revision {
        size_bytes: 40_000,
        sha256: Sha256Digest::from_bytes([4; 32]),
        page_count: PAGES,
    }
}

fn mark() -> PrinterMark {
    PrinterMark {
        uuid: Some("urn:uuid:printer".to_owned()),
        up_time_s: Some(500),
        format: "application/pdf".to_owned(),
        raster: None,
        is_single_document: true,
        trusts_impressions: true,
        takes_whole: false,
    }
}

fn remote() -> RemoteJob {
    RemoteJob {
        id: 12,
        uuid: Some("urn:uuid:job".to_owned()),
    }
}

fn view(state: RemoteState, impressions: Option<u32>) -> RemoteView {
    RemoteView {
        id: 12,
        uuid: Some("urn:uuid:job".to_owned()),
        name: Some(job_name(job_no(1), 1)),
        state,
        impressions,
        up_time_s: Some(600),
        created_at_s: None,
        printer_uuid: None,
        is_canceled_by_person: false,
    }
}

/// A printer with this mark and none of our jobs.
fn ready(mark: PrinterMark) -> PrinterSurvey {
    PrinterSurvey::Ready {
        mark,
        jobs: Vec::new(),
    }
}

/// A desk with two lanes, `a` and `b`, at noon on a trusted clock.
struct Bench {
    desk: Desk,
    now: Now,
    mark: PrinterMark,
    /// What the printer lists of our jobs.
    jobs: Vec<RemoteView>,
}

impl Bench {
    fn new() -> Self {
        Self {
            desk: Desk::new(vec!["a".to_owned(), "b".to_owned()]),
            now: Now {
                wall: NOON,
                trusted: true,
                floor: NOON,
            },
            mark: mark(),
            jobs: Vec::new(),
        }
    }

    /// The lane's printer is asked for job 1.
    fn survey(&mut self) -> String {
        let survey = PrinterSurvey::Ready {
            mark: self.mark.clone(),
            jobs: self.jobs.clone(),
        };
        self.give(Command::Surveyed {
            job: job_no(1),
            printer: "a".to_owned(),
            survey,
        })
    }

    /// Time passes.
    fn pass(&mut self, seconds: u64) {
        self.now.wall = self.now.wall.saturating_add(Duration::from_secs(seconds));
    }

    /// Decides and applies.
    fn submit(&mut self, command: Command) -> Result<Vec<Event>, Refusal> {
        let events = self.desk.decide(self.now, command)?;
        for event in &events {
            self.desk.apply(event).unwrap();
        }
        Ok(events)
    }

    /// Decides and applies; the kinds of what happened, or the code of the refusal.
    fn give(&mut self, command: Command) -> String {
        match self.submit(command) {
            Ok(events) => {
                let kinds: Vec<&str> = events.iter().map(|event| event.what.kind()).collect();
                kinds.join(" ")
            }
            Err(refusal) => refusal.code().to_owned(),
        }
    }

    fn accept(&mut self, facts: Facts) -> String {
        self.give(Command::Accept(Intake::Good(Box::new(facts))))
    }

    /// Brings job 1 to a stage or step, by its name in errors.
    fn at(mut self, stage: &str) -> Self {
        let job = job_no(1);
        self.mark.takes_whole |= OF_WHOLE.contains(&stage);
        let mut facts = facts(job);
        if stage == "held" {
            facts.release = Release::Officer;
        }
        self.accept(facts);
        let way = self.way_to(stage);
        for command in way {
            self.submit(command).unwrap();
        }
        let reached = self.job().stage_name();
        assert_eq!(
            reached,
            if stage == "calling-off" {
                "creating"
            } else {
                stage
            }
        );
        self
    }

    fn way_to(&self, stage: &str) -> Vec<Command> {
        let (job, attempt) = (job_no(1), 1);
        let survey = ready(self.mark.clone());
        let printer = "a".to_owned();
        let outcome = Verification::Valid(revision());
        let opened = Some(revision().sha256);
        let received = Command::Received { job };
        let verified = Command::Verified { job, outcome };
        let surveyed = Command::Surveyed {
            job,
            printer,
            survey,
        };
        let created = Command::Created {
            job,
            attempt,
            remote: remote(),
            unsupported: Vec::new(),
        };
        let prepared = Command::Prepared {
            job,
            attempt,
            opened,
        };
        let prepared_whole = prepared.clone();
        let sent = Command::Sent { job, attempt };
        let unclear = Command::SendUnclear { job, attempt };
        let sighting = Sighting::Absent;
        let absent = Command::Sighted {
            job,
            attempt,
            sighting,
        };
        let cancel = Command::Cancel { job, by: officer() };
        let whole = [received, verified, surveyed, created, prepared, sent];
        let stray = self.stray_found();
        let (length, then) = match stage {
            "fetching" => (0, vec![]),
            "received" => (1, vec![]),
            "held" | "released" => (2, vec![]),
            "clearing" => (2, vec![stray]),
            "creating" => (3, vec![]),
            "calling-off" => (3, vec![cancel]),
            "locating" => (3, vec![Command::CreateUnclear { job, attempt }]),
            "checking" => (4, vec![Command::Resume]),
            "created" => (4, vec![]),
            "cancelling" => (4, vec![cancel]),
            "sending" => (5, vec![]),
            "preparing" => (3, vec![]),
            "sending-whole" => (3, vec![prepared_whole]),
            "seeking" => (3, vec![prepared_whole, unclear]),
            "probing" => (5, vec![unclear]),
            "sent" => (6, vec![]),
            "unknown" => (6, vec![absent]),
            "ended" => (2, vec![cancel]),
            "closed" => (2, vec![cancel, Command::Shredded { job }]),
            other => panic!("no way to {other}"),
        };
        whole.into_iter().take(length).chain(then).collect()
    }

    /// The printer lists an empty job of ours that nobody here made.
    fn stray_found(&self) -> Command {
        let stray = RemoteView {
            name: Some(job_name(job_no(9), 1)),
            ..view(RemoteState::AwaitingDocument, None)
        };
        Command::Surveyed {
            job: job_no(1),
            printer: "a".to_owned(),
            survey: PrinterSurvey::Ready {
                mark: self.mark.clone(),
                jobs: vec![stray],
            },
        }
    }

    fn job(&self) -> &Job {
        self.desk.job(job_no(1)).unwrap()
    }

    fn attempt(&self) -> &Attempt {
        match &self.job().stage {
            Stage::Attempting(attempt) => attempt,
            other => panic!("no attempt: {other:?}"),
        }
    }

    /// The names of what is to be done.
    fn effects(&self) -> String {
        let effects = self.desk.effects(self.now);
        let names = effects.iter().map(|effect| format!("{:?}", effect.id.step));
        names.collect::<Vec<_>>().join(" ").to_lowercase()
    }

    /// Public state and reason, as central reads them.
    fn public(&self) -> (JobState, Option<Reason>) {
        self.job().public_state()
    }

    fn see(&mut self, view: RemoteView) -> String {
        let sighting = Sighting::Seen(view);
        self.give(Command::Sighted {
            job: job_no(1),
            attempt: 1,
            sighting,
        })
    }

    fn see_nothing(&mut self) -> String {
        let sighting = Sighting::Absent;
        self.give(Command::Sighted {
            job: job_no(1),
            attempt: 1,
            sighting,
        })
    }

    fn cancel(&mut self, by: Actor) -> String {
        self.give(Command::Cancel { job: job_no(1), by })
    }
}

/// Steps at a printer that takes a job only with its document.
const OF_WHOLE: [&str; 3] = ["preparing", "sending-whole", "seeking"];

/// Every stage and step, by its name in errors.
const STAGES: [&str; 19] = [
    "fetching",
    "received",
    "held",
    "released",
    "clearing",
    "creating",
    "locating",
    "checking",
    "created",
    "preparing",
    "sending-whole",
    "seeking",
    "sending",
    "probing",
    "sent",
    "cancelling",
    "unknown",
    "ended",
    "closed",
];
