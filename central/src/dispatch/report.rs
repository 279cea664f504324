//! What machines say: checked, committed, and only then acknowledged.

use loket_domain::dispatch::{Home, Spoke};
use loket_store::{AckPoint, Ingested, JobNow, StoreError, SyncOutcome, Taken};
use loket_wire::enrolment::MachineRecord;
use loket_wire::event::{DecodeError, EventPlace};
use loket_wire::presence::decode;
use loket_wire::topic::{CENTRAL_STATE, Channel};
use loket_wire::{Beat, Event, Heartbeat, MachineId, MachineState, Sha256Digest, Sync, frame};

use super::links::AckDue;
use super::{DispatchError, Dispatcher, Question};
use crate::clock::now;
use crate::metrics::count;
use crate::office::{CancelAsk, Office, RosterError, is_store_wide};

/// A report of a kind that this version does not have.
const UNKNOWN_KIND: &str = "C-201";
/// A report whose bytes are not of its kind.
const MALFORMED: &str = "C-202";
/// A report that came on another kind's topic.
const WRONG_TOPIC: &str = "C-203";

/// What a committed message asks the dispatcher to do.
#[derive(Debug, Default)]
struct Follow {
    /// Acknowledge so far.
    ack: Option<AckPoint>,
    /// The last command number drawn for the machine; only beside `ack`.
    command_seq: Option<u64>,
    /// Ask these jobs to be called off.
    cancels: Vec<CancelAsk>,
    /// A job ended.
    ended: bool,
    /// The machine is there: offer what is due for it.
    alive: bool,
    /// The machine answered the question for its sync.
    has_answered: bool,
    /// It must be asked for its sync.
    must_ask: bool,
    /// The connection it was said on, where it names one that is not known to be over.
    spoke: Option<Spoke>,
    /// The trust bundle that the machine holds, where it takes any.
    trust_serial: Option<u64>,
}

/// What is known of a message beside its bytes.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    /// What a sync must echo to be an answer.
    asked: Option<Question>,
    /// Whether the broker had kept it.
    is_retained: bool,
}

impl Dispatcher {
    /// Commits one message; says for which machine offers may be due. What cannot be trusted or read is dropped.
    pub(super) async fn message(
        &mut self,
        broker: usize,
        topic: String,
        payload: Vec<u8>,
        is_retained: bool,
    ) -> Result<Option<MachineId>, DispatchError> {
        // `+/state` brings back what central says itself.
        if topic == CENTRAL_STATE {
            return Ok(None);
        }
        count(&self.office.tally.messages);
        let Some((machine, channel)) = Channel::parse(&topic) else {
            count(&self.office.tally.dropped);
            return Ok(None);
        };
        let sender = machine.clone();
        let way = Arrival {
            asked: self.asked.get(&machine).copied(),
            is_retained,
        };
        let committed = self
            .blocking(move |office| commit(office, &sender, (&channel, way), &topic, &payload))
            .await;
        let follow = match committed {
            Ok(follow) => follow,
            // A bug that one message meets must not stop the others; it stays in the machine's outbox.
            Err(DispatchError::Join(error)) => {
                count(&self.office.tally.dropped);
                tracing::error!(machine.id = %machine, %error, "message could not be handled");
                Follow::default()
            }
            Err(error) => return Err(error),
        };
        if follow.has_answered {
            self.asked.remove(&machine);
        }
        if follow.must_ask {
            self.ask_for_sync(&machine)?;
        }
        if let Some(spoke) = follow.spoke {
            let home = Home::after(self.homes.get(&machine).copied(), spoke, broker);
            self.homes.insert(machine.clone(), home);
        }
        if let Some(serial) = follow.trust_serial {
            self.trust_heard(&machine, serial);
        }
        if let Some(point) = follow.ack {
            let due = AckDue {
                point,
                command_seq: follow.command_seq,
            };
            // It goes back the way the message came; where that waited at a broker that the machine left, also to where
            // the machine is.
            let home = self.homes.get(&machine).map(|home| home.broker);
            let elsewhere = home.filter(|home| *home != broker);
            for at in [Some(broker), elsewhere].into_iter().flatten() {
                if let Some(link) = self.links.get_mut(at) {
                    link.owe(machine.clone(), due);
                }
            }
        }
        for asked in &follow.cancels {
            self.ask_cancel(asked, 0)?;
        }
        if follow.ended {
            self.office.sweep_bell.notify_one();
        }
        Ok(follow.alive.then_some(machine))
    }
}

fn commit(
    office: &Office,
    machine: &MachineId,
    (channel, way): (&Channel, Arrival),
    topic: &str,
    payload: &[u8],
) -> Result<Follow, DispatchError> {
    let record = match office.record(machine) {
        Ok(record) => record,
        Err(RosterError::Store(error)) if !is_store_wide(&error) => {
            count(&office.tally.dropped);
            tracing::error!(machine.id = %machine, error = %crate::chain(&error), "machine not stored");
            return Ok(Follow::default());
        }
        Err(RosterError::Record(error)) => {
            count(&office.tally.dropped);
            tracing::warn!(machine.id = %machine, error = %crate::chain(&error), "message of no known machine dropped");
            return Ok(Follow::default());
        }
        Err(error) => return Err(DispatchError::Roster(error)),
    };
    let body = match frame::open(topic, payload, &record.report_key) {
        Ok(body) => body,
        Err(error) => {
            count(&office.tally.dropped);
            tracing::warn!(machine.id = %machine, code = error.code(), %error, "message dropped");
            return Ok(Follow::default());
        }
    };
    let committed = match channel {
        Channel::State => state(office, machine, way.is_retained, &body),
        Channel::Heartbeat => heartbeat(office, machine, &body),
        Channel::Sync => sync(office, machine, way.asked, &body),
        Channel::Event(kind) => event(office, &record, kind, payload, &body),
        // Central does not subscribe to what it says itself.
        Channel::Command(_) | Channel::Ack => Ok(None),
    };
    let follow = match committed.and_then(|follow| numbered(office, machine, follow)) {
        Ok(follow) => follow,
        Err(error) if is_store_wide(&error) => return Err(DispatchError::Store(error)),
        Err(error) => {
            tracing::error!(machine.id = %machine, error = %crate::chain(&error), "message not committed");
            None
        }
    };
    Ok(follow.unwrap_or_else(|| {
        count(&office.tally.dropped);
        tracing::warn!(machine.id = %machine, "message dropped");
        Follow::default()
    }))
}

/// Names the last command beside what is acknowledged: by it a machine's clock tells which time is the later one.
fn numbered(office: &Office, machine: &MachineId, follow: Option<Follow>) -> Committed {
    let Some(mut follow) = follow else {
        return Ok(None);
    };
    if follow.ack.is_some() {
        let row = office.store.machine(machine)?;
        follow.command_seq = row.map(|row| row.last_command_seq);
    }
    Ok(Some(follow))
}

/// `None` stands for a body that cannot be read and has no place to acknowledge.
type Committed = Result<Option<Follow>, StoreError>;

/// What the broker kept says how a machine left off, not that it is there: no bell is rung for it.
fn state(office: &Office, machine: &MachineId, is_retained: bool, body: &[u8]) -> Committed {
    let Ok(state) = decode::<MachineState>(body) else {
        return Ok(None);
    };
    let store = &office.store;
    let taken = store.record_state(machine, &state, is_retained, now())?;
    tracing::info!(machine.id = %machine, online = state.online, is_retained, taken, "machine state");
    Ok(Some(Follow {
        alive: taken && state.online && !is_retained,
        spoke: taken.then_some(Spoke {
            epoch: Some(state.epoch),
            session_seq: state.session_seq,
            is_proven: true,
        }),
        ..Follow::default()
    }))
}

fn heartbeat(office: &Office, machine: &MachineId, body: &[u8]) -> Committed {
    let Ok(heartbeat) = decode::<Heartbeat>(body) else {
        return beat(office, machine, body);
    };
    office.store.record_heartbeat(machine, &heartbeat, now())?;
    // An acknowledgement carries central's signed time, and makes up for one that was lost.
    let row = office.store.machine(machine)?;
    let spoke = row
        .as_ref()
        .filter(|row| row.is_of_present(heartbeat.session_seq))
        .map(|_present| on_connection(heartbeat.session_seq));
    let must_ask = row.as_ref().is_some_and(|row| row.is_in_doubt);
    let ack = row.and_then(|row| {
        row.epoch.map(|epoch| AckPoint {
            epoch,
            seq: if must_ask { 0 } else { row.acked_seq },
        })
    });
    Ok(Some(Follow {
        ack,
        alive: true,
        must_ask,
        trust_serial: spoke.and(heartbeat.trust_serial),
        spoke,
        ..Follow::default()
    }))
}

/// The short heartbeat: what the last whole one counted still holds. One of an earlier connection says nothing.
fn beat(office: &Office, machine: &MachineId, body: &[u8]) -> Committed {
    let Ok(beat) = decode::<Beat>(body) else {
        return Ok(None);
    };
    let row = office.store.machine(machine)?;
    let alive = row.is_some_and(|row| row.is_of_present(beat.session_seq));
    if alive {
        office.store.record_link_seen(machine, now())?;
    }
    Ok(Some(Follow {
        alive,
        spoke: alive.then(|| on_connection(beat.session_seq)),
        ..Follow::default()
    }))
}

/// A heartbeat names its connection and no journal.
const fn on_connection(session_seq: u64) -> Spoke {
    Spoke {
        epoch: None,
        session_seq,
        is_proven: false,
    }
}

fn sync(office: &Office, machine: &MachineId, asked: Option<Question>, body: &[u8]) -> Committed {
    let Ok(sync) = decode::<Sync>(body) else {
        return Ok(None);
    };
    let answered = asked.filter(|question| sync.hello == Some(question.hello));
    let has_answered = answered.is_some();
    let asked_at = answered.map(|question| question.at);
    let outcome = office.store.ingest_sync(machine, &sync, asked_at, now())?;
    tell_sync(machine, &outcome);
    let cancels = outcome
        .ask_cancel
        .iter()
        .map(|(job, command_seq)| CancelAsk {
            machine: machine.clone(),
            job: *job,
            command_seq: *command_seq,
        })
        .collect();
    Ok(Some(Follow {
        ack: Some(outcome.ack),
        cancels,
        alive: true,
        has_answered,
        must_ask: outcome.must_ask,
        trust_serial: sync.trust_serial.filter(|_serial| !outcome.is_late),
        spoke: (!outcome.is_late).then_some(Spoke {
            epoch: Some(sync.epoch),
            session_seq: sync.session_seq,
            is_proven: has_answered,
        }),
        ..Follow::default()
    }))
}

fn tell_sync(machine: &MachineId, outcome: &SyncOutcome) {
    tracing::info!(machine.id = %machine, outcome.must_ask, outcome.is_new_epoch, "machine synced");
    if outcome.is_rolled_back || outcome.is_new_epoch {
        tracing::error!(
            machine.id = %machine,
            lost_job_count = outcome.lost_jobs.len(),
            outcome.is_rolled_back,
            "the machine's journal was lost; its open jobs are unknown"
        );
    }
    if let Some((from_seq, to_seq)) = outcome.gap {
        tracing::error!(machine.id = %machine, from_seq, to_seq, "reports are lost for good");
    }
}

fn event(
    office: &Office,
    record: &MachineRecord,
    kind: &str,
    payload: &[u8],
    body: &[u8],
) -> Committed {
    let machine = &record.machine;
    let aside = |code: &str, place: EventPlace| -> Committed {
        tracing::warn!(machine.id = %machine, code, seq = place.seq, "report set aside");
        let digest = Sha256Digest::of(payload);
        let ingested =
            office
                .store
                .quarantine_event(machine, place.epoch, place.seq, code, digest, now())?;
        Ok(Some(follow(machine, &ingested)))
    };
    match Event::decode(body) {
        Ok(event) if event.report.kind() == kind => {
            let ingested = office.store.ingest_event(machine, &event, now())?;
            Ok(Some(follow(machine, &ingested)))
        }
        Ok(event) => aside(
            WRONG_TOPIC,
            EventPlace {
                epoch: event.epoch,
                seq: event.seq,
            },
        ),
        Err(error) => {
            let Ok(place) = decode::<EventPlace>(body) else {
                return Ok(None);
            };
            let code = match error {
                DecodeError::UnknownKind => UNKNOWN_KIND,
                DecodeError::Malformed => MALFORMED,
            };
            aside(code, place)
        }
    }
}

fn follow(machine: &MachineId, ingested: &Ingested) -> Follow {
    match ingested.taken {
        Taken::Committed | Taken::Duplicate => {}
        Taken::Quarantined => tracing::warn!(machine.id = %machine, "report set aside"),
        Taken::Ahead { expected_seq } => {
            tracing::info!(machine.id = %machine, expected_seq, "report came too early; earlier ones are missing");
        }
        Taken::InDoubt => {
            tracing::warn!(machine.id = %machine, "another report was committed under a number of this journal");
        }
        Taken::UnknownEpoch => {
            tracing::info!(machine.id = %machine, "report of a journal that no sync announced");
        }
    }
    let job = ingested.job.as_ref();
    if let Some(JobNow {
        id,
        state,
        has_moved: true,
        ..
    }) = job
    {
        tracing::info!(job.id = %id, job.state = %state, machine.id = %machine, "job moved");
    }
    let cancels = job
        .and_then(|job| job.ask_cancel_seq.map(|command_seq| (job.id, command_seq)))
        .map(|(job, command_seq)| CancelAsk {
            machine: machine.clone(),
            job,
            command_seq,
        });
    Follow {
        ack: ingested.ack,
        cancels: cancels.into_iter().collect(),
        ended: job.is_some_and(|job| job.is_end),
        must_ask: ingested.must_ask,
        ..Follow::default()
    }
}
