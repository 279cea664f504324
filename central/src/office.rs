//! What every part of central shares: the store, the documents, the keys, the bells that ring the units.

use std::sync::Arc;
use std::time::{Duration, Instant};

use loket_domain::dispatch::{Connectivity, NotSilent, own_silence};
use loket_inspection::Inspector;
use loket_store::{MachineRow, Store, StoreError};
use loket_verify::Policy;
use loket_wire::enrolment::MachineRecord;
use loket_wire::{JobId, MachineId, Timestamp};
use tokio::sync::{Notify, Semaphore, mpsc};

use crate::clock::now;
use crate::config::Timings;
use crate::documents::Documents;
use crate::identity::Identity;
use crate::listener::Peer;
use crate::machines::{Machines, RecordError};
use crate::metrics::{Fleet, Tally};
use crate::offices::OfficesFile;
use crate::problem::{Code, Problem};
use crate::records::Records;
use crate::room::{self, Room, Shortage};
use crate::sheet::SheetDesk;
use crate::supplies::SupplyDesk;
use crate::trust_bundle::TrustDesk;
use loket_trust_folder::TrustFolder;

/// Cancels on their way to the dispatcher; what finds no room is asked again at the machine's next sync.
pub(crate) const CANCEL_QUEUE_LENGTH: usize = 256;

/// Documents judged and sealed at once: each keeps a core busy for milliseconds and up to 24 MiB in memory.
const INTAKE_AT_ONCE: usize = 4;

/// Uploads read at once: each holds up to 12 MiB while it grows, on a slow line for a minute.
const UPLOADS_AT_ONCE: usize = 16;

/// A question to a machine that the store has numbered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CancelAsk {
    pub(crate) machine: MachineId,
    pub(crate) job: JobId,
    pub(crate) command_seq: u64,
}

/// Central's shared parts.
#[derive(Debug)]
pub(crate) struct Office {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) identity: Identity,
    pub(crate) machines: Machines,
    pub(crate) offices: OfficesFile,
    pub(crate) documents: Documents,
    pub(crate) records: Records,
    /// Where scans of doubted sheets are looked at.
    pub(crate) sheets: SheetDesk,
    pub(crate) trust: TrustFolder,
    pub(crate) trust_desk: TrustDesk,
    /// What forecasts of supplies rest on.
    pub(crate) supplies: SupplyDesk,
    pub(crate) policy: Policy,
    /// Who reads what strangers bring.
    pub(crate) inspector: Inspector,
    pub(crate) tally: Tally,
    pub(crate) room: Room,
    /// A job is there to be offered.
    pub(crate) offer_bell: Notify,
    /// A job ended: its sealed copy is to be erased.
    pub(crate) sweep_bell: Notify,
    /// Cancels for the dispatcher.
    pub(crate) cancels: mpsc::Sender<CancelAsk>,
    pub(crate) intake_places: Semaphore,
    /// Uploads that may be read at once.
    pub(crate) upload_places: Semaphore,
    /// How long an upload waits for its place.
    pub(crate) upload_wait: Duration,
    /// How long a request may take until its answer begins.
    pub(crate) request_deadline: Duration,
    /// How long all links must have stood before a machine's silence is its own.
    pub(crate) listened_at_least: Duration,
    pub(crate) started: Instant,
    /// Whether the API speaks TLS: its cookie is then for TLS alone.
    pub(crate) is_api_tls: bool,
}

/// The parts that [`Office::new`] puts together.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) identity: Identity,
    pub(crate) machines: Machines,
    pub(crate) offices: OfficesFile,
    pub(crate) documents: Documents,
    pub(crate) records: Records,
    /// Who reads what strangers bring.
    pub(crate) inspector: Inspector,
    pub(crate) trust: TrustFolder,
    pub(crate) policy: Policy,
    pub(crate) timings: Timings,
    pub(crate) room: Room,
    /// Where the links go, in the order of the settings.
    pub(crate) brokers: Vec<String>,
}

impl Office {
    pub(crate) fn new(parts: Parts) -> (Arc<Self>, mpsc::Receiver<CancelAsk>) {
        let (cancels, asked) = mpsc::channel(CANCEL_QUEUE_LENGTH);
        let Parts {
            store,
            identity,
            machines,
            offices,
            documents,
            records,
            inspector,
            trust,
            policy,
            timings,
            room,
            brokers,
        } = parts;
        let upload_wait = Duration::from_millis(timings.upload_wait_ms);
        let is_api_tls = identity.api_tls.is_some();
        let office = Self {
            store,
            identity,
            machines,
            offices,
            documents,
            records,
            sheets: SheetDesk::new(inspector.clone(), upload_wait),
            inspector,
            trust,
            trust_desk: TrustDesk::default(),
            supplies: SupplyDesk::default(),
            policy,
            tally: Tally::of(brokers),
            room,
            offer_bell: Notify::new(),
            sweep_bell: Notify::new(),
            cancels,
            intake_places: Semaphore::new(INTAKE_AT_ONCE),
            upload_places: Semaphore::new(UPLOADS_AT_ONCE),
            upload_wait,
            request_deadline: Duration::from_millis(timings.request_ms),
            listened_at_least: Duration::from_millis(timings.listened_ms),
            started: Instant::now(),
            is_api_tls,
        };
        (Arc::new(office), asked)
    }

    /// The authority's record of `machine`, handed on to the store when it is new or changed. Blocks.
    pub(crate) fn record(&self, machine: &MachineId) -> Result<MachineRecord, RosterError> {
        let found = self.machines.find(machine).map_err(RosterError::Record)?;
        if !self.machines.is_stored(&found) {
            self.store
                .upsert_machine(&found, now())
                .map_err(RosterError::Store)?;
            self.machines.set_stored(&found);
        }
        Ok(found)
    }

    /// The machine behind a connection: its certificate's name is enrolled with the certificate's key. Blocks.
    ///
    /// # Errors
    /// [`Code::MachineNotRecognised`].
    pub(crate) fn machine_of(&self, peer: &Peer) -> Result<MachineId, Problem> {
        let unknown = || Problem::new(Code::MachineNotRecognised);
        let subject = peer.subject.as_ref().ok_or_else(unknown)?;
        let machine: MachineId = subject.common_name.parse().map_err(|_ignored| unknown())?;
        let record = self.machines.find(&machine).map_err(|error| {
            tracing::warn!(machine.id = %machine, error = %crate::chain(&error), "machine refused");
            unknown()
        })?;
        // A renewed certificate has another serial and the same key; a replaced machine has another key.
        if record.report_key == subject.key {
            Ok(machine)
        } else {
            tracing::warn!(machine.id = %machine, "machine with another key than the enrolled one refused");
            Err(unknown())
        }
    }

    /// Hands every good record to the store; a bad one is told and passed over. Blocks.
    pub(crate) fn record_all(&self) -> Result<(), RosterError> {
        let names = self.machines.names().map_err(RosterError::Folder)?;
        for machine in names {
            match self.record(&machine) {
                Ok(_record) => {}
                Err(RosterError::Record(error)) => {
                    tracing::warn!(machine.id = %machine, error = %crate::chain(&error), "machine record not usable");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// How many enrolled machines are online, late and offline; one whose record is gone troubles nobody. Blocks.
    pub(crate) fn fleet(&self, now: Timestamp) -> Result<Fleet, StoreError> {
        let newest = self.trust_desk.newest();
        let mut fleet = Fleet {
            trust_made_at: newest.as_ref().map(|newest| newest.made_at),
            trust_failing: self.trust_desk.fault().is_some(),
            ..Fleet::default()
        };
        for row in self.store.machines()? {
            if self.machines.find(&row.id).is_err() {
                continue;
            }
            let count = match row.connectivity(now) {
                Connectivity::Online => &mut fleet.online,
                Connectivity::Late { .. } => &mut fleet.late,
                Connectivity::Offline { .. } => &mut fleet.offline,
            };
            *count += 1;
            let judged = row.heartbeat.as_ref().and_then(|it| it.heartbeat.judged);
            fleet
                .judged
                .extend(judged.map(|judged| (row.id.clone(), judged)));
            let last = row.heartbeat.as_ref();
            let held = last.and_then(|it| it.heartbeat.trust_serial);
            fleet.trust_taking += u64::from(held.is_some());
            let dated = last.and_then(|it| it.heartbeat.trust_made_at);
            fleet.trust_oldest = match (fleet.trust_oldest, dated) {
                (Some(oldest), Some(dated)) => Some(oldest.min(dated)),
                (oldest, dated) => oldest.or(dated),
            };
            let is_behind = newest
                .as_ref()
                .zip(held)
                .is_some_and(|(it, held)| held < it.serial);
            fleet.trust_behind += u64::from(is_behind);
        }
        Ok(fleet)
    }

    /// Whether a machine said nothing for an hour although central listened everywhere it may be.
    ///
    /// # Errors
    /// Why its silence says nothing of it.
    pub(crate) fn own_silence(&self, row: &MachineRow, now: Timestamp) -> Result<(), NotSilent> {
        let listened = self.tally.listened(Instant::now());
        own_silence(&row.presence, now, listened, self.listened_at_least)
    }

    /// What room is short, worst first. Blocks.
    pub(crate) fn shortages(&self) -> Result<Vec<Shortage>, StoreError> {
        Ok(room::shortages(&self.store.size()?, self.room.disk()))
    }

    /// Runs blocking work with the office on a blocking thread.
    pub(crate) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let office = Arc::clone(self);
        tokio::task::spawn_blocking(move || work(&office))
            .await
            .map_err(|error| {
                // Its text is that of the panic, which may be a document's.
                let is_panic = error.is_panic();
                tracing::error!(is_panic, "blocking work ended early");
                Code::StorageFailed.into()
            })
    }
}

/// Why a machine could not be looked up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RosterError {
    /// Its record cannot be used.
    #[error("know the machine")]
    Record(#[source] RecordError),
    /// The folder of records could not be listed.
    #[error("list the machines' records")]
    Folder(#[source] std::io::Error),
    /// The store did not take it.
    #[error("store the machine")]
    Store(#[source] StoreError),
}

/// Whether the store as a whole is in trouble, so that nothing can be committed; else the trouble is one thing's own
/// (a number out of range, a damaged row) and must not stop the others.
pub(crate) const fn is_store_wide(error: &StoreError) -> bool {
    match error {
        StoreError::File { .. }
        | StoreError::Full
        | StoreError::Busy
        | StoreError::TooNew
        | StoreError::TooOld
        | StoreError::Migrate(_)
        | StoreError::Io { .. } => true,
        StoreError::NoSuchJob { .. }
        | StoreError::NoSuchMachine
        | StoreError::NoSuchToken
        | StoreError::TokenNameTaken
        | StoreError::Refused(_)
        | StoreError::Reserved
        | StoreError::EpochChanged { .. }
        | StoreError::Text(_)
        | StoreError::OutOfRange { .. }
        | StoreError::Corrupt { .. }
        | StoreError::Change(_) => false,
    }
}

/// Logs a fault of the store once and gives what the door answers.
pub(crate) fn storage_problem(error: &StoreError) -> Problem {
    tracing::error!(error = %crate::chain(error), "store failed");
    let is_full = matches!(error, StoreError::Full | StoreError::Reserved);
    Problem::new(if is_full {
        Code::StorageFull
    } else {
        Code::StorageFailed
    })
}
