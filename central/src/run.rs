//! Starts every part, and stops them in order: no new requests, then what is under way, then the link.

use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use loket_inspection::Inspector;
use loket_link::{Backoff, BrokerAddress, LinkConfig, Will};
use loket_store::{SqliteStore, StoreError};
use loket_wire::enrolment::Endpoint;
use loket_wire::random::draw;
use loket_wire::topic::FROM_MACHINES;
use sd_notify::NotifyState;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::clock::{self, ClockError, now};
use crate::config::Config;
use crate::dispatch::{Dispatcher, Greeting, Link, Links, presence_publication};
use crate::documents::Documents;
use crate::files;
use crate::identity::{self, Identity, IdentityError};
use crate::intake::folder::{self, Folder};
use crate::listener::Listener;
use crate::machines::Machines;
use crate::office::{CancelAsk, Office, Parts};
use crate::offices::{OfficesError, OfficesFile};
use crate::random::SystemRandomness;
use crate::records::Records;
use crate::room::Room;
use crate::sweep;
use crate::trust_bundle;
use crate::web;
use loket_trust_folder::{TrustFolder, TrustFolderError};

/// Central's name on the broker, as its certificate bears it.
const CLIENT_ID: &str = "central";

/// The will goes out this long after the connection broke: a restart within it alarms nobody.
const WILL_DELAY: Duration = Duration::from_secs(60);

/// Central hears every machine: more of their messages may wait than on a machine's own link.
const RECEIVE_MAXIMUM: u16 = 64;

/// Pause before a dispatcher that failed begins again with a fresh connection.
const DISPATCH_PAUSE: Duration = Duration::from_secs(3);

/// How long dispatcher, sweeper and link may take to end; the link itself needs at most 3 s.
const UNITS_STOP: Duration = Duration::from_secs(8);

/// Why central could not start, or had to end.
#[derive(Debug, Error)]
pub enum RunError {
    /// The state folder could not be made.
    #[error("make the state folder {}", path.display())]
    StateDir {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Another central runs on the same state folder.
    #[error("lock the state folder {}: another central runs on it", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The store could not be opened.
    #[error("open the store {}", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<StoreError>,
    },
    /// The clock cannot be right.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// Central's identity cannot be used.
    #[error("take up central's identity")]
    Identity(#[from] IdentityError),
    /// The offices cannot be used.
    #[error("know the offices")]
    Offices(#[from] OfficesError),
    /// The trust folder cannot be used.
    #[error("know whom to trust")]
    Trust(#[from] TrustFolderError),
    /// The machines' records could not be listed or stored.
    #[error("know the machines in {}", path.display())]
    Machines {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An address could not be bound.
    #[error("listen on {listen}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The intake folder could not be made ready.
    #[error("watch the intake folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The first message could not be made.
    #[error("set up the link to the broker")]
    Link(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl RunError {
    /// The exit code by sysexits: 73 for the state folder, 75 when another runs on it,
    /// 66 for unreadable files, 78 for wrong ones or a wrong clock, 69 for addresses.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Locked { .. } => 75,
            Self::Clock(error) => error.exit_code(),
            Self::StateDir { .. } | Self::Store { .. } | Self::Folder { .. } => 73,
            Self::Identity(IdentityError::Unreadable { .. })
            | Self::Offices(OfficesError::Unreadable { .. })
            | Self::Trust(TrustFolderError::Unreadable { .. }) => 66,
            Self::Identity(_) | Self::Offices(_) | Self::Trust(_) | Self::Machines { .. } => 78,
            Self::Listen { .. } => 69,
            Self::Link(_) => 70,
        }
    }
}

/// Runs central until `stop`; `inspector` reads what strangers bring.
///
/// # Errors
/// The [`RunError`] that kept it from starting; once it runs, faults are logged and what failed begins again.
pub async fn run(
    config: Config,
    inspector: Inspector,
    stop: CancellationToken,
) -> Result<(), RunError> {
    bind(config, inspector).await?.serve(stop).await
}

/// Central with its files read and its addresses bound, not serving yet.
#[derive(Debug)]
pub struct Bound {
    config: Config,
    office: Arc<Office>,
    cancels: mpsc::Receiver<CancelAsk>,
    /// Held until the end: two centrals on one state would offer everything twice.
    lock: File,
    api: TcpListener,
    documents: TcpListener,
    folder: Option<Folder>,
}

/// Reads every file and binds both addresses.
///
/// # Errors
/// The [`RunError`] that names what could not be used.
pub async fn bind(config: Config, inspector: Inspector) -> Result<Bound, RunError> {
    install_crypto();
    let lock = lock(&config.state_dir)?;
    clock::look(&config.state_dir, now())?;
    if !inspector.is_there() {
        tracing::error!(
            "loket-inspector is not beside this program: no document is taken and no sheet compared; install it there"
        );
    }
    let (office, cancels) = open_office(&config, inspector)?;
    let folder = match &config.intake {
        None => None,
        Some(intake) => Some(Folder::open(intake).map_err(|source| RunError::Folder {
            path: intake.folder.clone(),
            source,
        })?),
    };
    Ok(Bound {
        api: listen(config.api.listen).await?,
        documents: listen(config.documents.listen).await?,
        config,
        office,
        cancels,
        lock,
        folder,
    })
}

/// Takes the state folder for this process alone; the system gives it back when the process ends, however it ends.
fn lock(state_dir: &Path) -> Result<File, RunError> {
    let failed = |source| RunError::StateDir {
        path: state_dir.to_owned(),
        source,
    };
    files::make_dir(state_dir).map_err(failed)?;
    let file = File::create(state_dir.join("lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(RunError::Locked {
            path: state_dir.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// rustls and the link share this one provider; another program part may have set it already.
fn install_crypto() {
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        tracing::debug!("a TLS provider was set before");
    }
}

fn open_office(
    config: &Config,
    inspector: Inspector,
) -> Result<(Arc<Office>, mpsc::Receiver<CancelAsk>), RunError> {
    let state = |source| RunError::StateDir {
        path: config.state_dir.clone(),
        source,
    };
    let documents = Documents::open(config.state_dir.join("documents")).map_err(state)?;
    let audit = identity::sealing_key(&config.audit_key())?;
    let before = config.identity.old_audit_keys.iter();
    let before = before.map(|path| identity::existing_sealing_key(path));
    let before = before.collect::<Result<_, _>>()?;
    let records = Records::open(config.state_dir.join("records"), audit, before).map_err(state)?;
    let identity = Identity::load(config)?;
    let path = config.database();
    let opened = SqliteStore::open_bounded(&path, config.store.max_bytes());
    let store = opened.map_err(|source| RunError::Store {
        path,
        source: Box::new(source),
    })?;
    let (office, cancels) = Office::new(Parts {
        store: Arc::new(store),
        machines: Machines::new(config.machines_dir.clone(), identity.authority.clone()),
        identity,
        offices: OfficesFile::open(config.offices.clone())?,
        documents,
        records,
        inspector,
        trust: TrustFolder::open(config.trust_dir.clone())?,
        policy: config.policy.clone(),
        timings: config.timings,
        room: Room::new(&config.state_dir, config.store.disk_reserve_bytes()),
        brokers: config
            .broker
            .endpoints
            .iter()
            .map(Endpoint::to_string)
            .collect(),
    });
    // Bad records are told and passed over; the sweeper looks again.
    office.record_all().map_err(|source| RunError::Machines {
        path: config.machines_dir.clone(),
        source: Box::new(source),
    })?;
    sweep::sweep_orphans(&office);
    sweep::sweep_orphan_records(&office);
    Ok((office, cancels))
}

async fn listen(address: SocketAddr) -> Result<TcpListener, RunError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| RunError::Listen {
            listen: address,
            source,
        })
}

impl Bound {
    /// Where people and systems reach it.
    #[must_use]
    pub fn api_address(&self) -> SocketAddr {
        self.api.local_addr().unwrap_or(self.config.api.listen)
    }

    /// Where machines fetch documents.
    #[must_use]
    pub fn documents_address(&self) -> SocketAddr {
        self.documents
            .local_addr()
            .unwrap_or(self.config.documents.listen)
    }

    /// Serves until `stop`, then ends every part within the drain deadline.
    ///
    /// # Errors
    /// [`RunError::Link`] when the first message to the broker could not be made; [`RunError::Clock`] when the clock
    /// went wrong meanwhile.
    pub async fn serve(self, stop: CancellationToken) -> Result<(), RunError> {
        let (api_address, documents_address) = (self.api_address(), self.documents_address());
        tracing::info!(
            api = %api_address,
            documents = %documents_address,
            tls = self.office.is_api_tls,
            "central listens"
        );
        let Self {
            config,
            office,
            cancels,
            lock,
            api,
            documents,
            folder,
        } = self;
        let doors = stop.child_token();
        let units_stop = CancellationToken::new();
        let mut serving = JoinSet::new();
        let tls = office.identity.api_tls.clone();
        let api = Listener::new(api, tls, web::api_router(Arc::clone(&office)), "api");
        serving.spawn(api.serve(doors.clone()));
        let tls = Some(Arc::clone(&office.identity.documents_tls));
        let router = web::machine_router(Arc::clone(&office));
        serving.spawn(Listener::new(documents, tls, router, "documents").serve(doors.clone()));
        if let Some(folder) = folder {
            serving.spawn(folder::run(Arc::clone(&office), folder, doors.clone()));
        }
        let mut units = JoinSet::new();
        units.spawn(sweep::run(Arc::clone(&office), units_stop.clone()));
        units.spawn(trust_bundle::run(Arc::clone(&office), units_stop.clone()));
        presence_publication(&office, false, None, now())
            .map_err(|error| RunError::Link(Box::new(error)))?;
        let endpoints = config.broker.endpoints.iter();
        let links =
            endpoints.map(|broker| (broker.to_string(), link_config(&config, &office, broker)));
        units.spawn(keep_dispatching(
            Arc::clone(&office),
            links.collect(),
            cancels,
            Duration::from_millis(config.timings.tick_ms),
            units_stop.clone(),
        ));
        let status = format!("API on {}, documents on {}", api_address, documents_address);
        tell_systemd(&[NotifyState::Ready, NotifyState::Status(&status)]);
        let ended = tokio::select! {
            () = stop.cancelled() => Ok(()),
            wrong = clock::watch(config.state_dir.clone()) => Err(RunError::Clock(wrong)),
        };
        doors.cancel();
        tell_systemd(&[NotifyState::Stopping]);
        let drain = Duration::from_millis(config.timings.drain_ms);
        end(serving, drain, "requests").await;
        units_stop.cancel();
        end(units, UNITS_STOP, "units").await;
        drop(lock);
        tracing::info!("central stopped");
        ended
    }
}

/// Waits for `tasks` until the deadline; what is left is dropped.
async fn end(mut tasks: JoinSet<()>, deadline: Duration, what: &'static str) {
    let all = async {
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                // Its text is that of the panic, which may be a document's.
                let is_panic = error.is_panic();
                tracing::error!(is_panic, what, "a part of central failed");
            }
        }
    };
    if timeout(deadline, all).await.is_err() {
        tracing::warn!(
            what,
            deadline_ms = deadline.as_millis(),
            "not all ended in time"
        );
    }
}

fn tell_systemd(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "no service manager was told");
    }
}

/// The link to one broker. Central has one to each: it must be where any machine is.
fn link_config(config: &Config, office: &Office, broker: &Endpoint) -> LinkConfig {
    let mut random = SystemRandomness::new();
    let jitter_seed = u64::from_be_bytes(draw(&mut random));
    let address = BrokerAddress {
        host: broker.host.clone(),
        port: broker.port,
    };
    LinkConfig {
        tls: config
            .broker
            .tls
            .then(|| Arc::clone(&office.identity.broker_tls)),
        backoff: Backoff {
            min: Duration::from_millis(config.timings.reconnect_min_ms),
            max: Duration::from_millis(config.timings.reconnect_max_ms),
        },
        jitter_seed,
        will_delay: WILL_DELAY,
        subscriptions: FROM_MACHINES
            .iter()
            .map(|&filter| filter.to_owned())
            .collect(),
        receive_maximum: RECEIVE_MAXIMUM,
        ..LinkConfig::new(CLIENT_ID, vec![address])
    }
}

/// What a broker says of central when it falls silent: the number of that connection with it, by which machines tell it
/// from an old one.
fn will(office: &Arc<Office>, greeting: Greeting) -> Will {
    let office = Arc::clone(office);
    Will::new(move |generation| {
        let hello = Some(greeting.of(generation));
        match presence_publication(&office, false, hello, now()) {
            Ok(publication) => Some(publication),
            Err(error) => {
                tracing::error!(error = %crate::chain(&error), "connecting without a will");
                None
            }
        }
    })
}

/// Runs dispatcher and links together; when one fails all begin again, so that what was not acknowledged comes again.
async fn keep_dispatching(
    office: Arc<Office>,
    configs: Vec<(String, LinkConfig)>,
    mut cancels: mpsc::Receiver<CancelAsk>,
    tick: Duration,
    stop: CancellationToken,
) {
    while !stop.is_cancelled() {
        let link_stop = CancellationToken::new();
        let mut running = JoinSet::new();
        let mut links = Vec::new();
        for (name, config) in &configs {
            let greeting = Greeting::new(draw(&mut SystemRandomness::new()));
            let (handle, inbox, task) = loket_link::open(LinkConfig {
                will: Some(will(&office, greeting)),
                ..config.clone()
            });
            running.spawn(task.run(link_stop.clone()));
            links.push(Link::new(name.clone(), handle, inbox, greeting));
        }
        let dispatcher = Dispatcher::new(Arc::clone(&office), Links::new(links));
        let ended = dispatcher.run(&mut cancels, tick, stop.clone()).await;
        link_stop.cancel();
        while let Some(outcome) = running.join_next().await {
            match outcome {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "link ended"),
                Err(error) => tracing::error!(is_panic = error.is_panic(), "link task failed"),
            }
        }
        if let Err(error) = ended {
            tracing::error!(error = %crate::chain(&error), "dispatcher begins again");
            stop.run_until_cancelled(tokio::time::sleep(DISPATCH_PAUSE))
                .await;
        }
    }
}
