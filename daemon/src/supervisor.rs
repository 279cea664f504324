//! Starts the units, in an order that tells the truth to systemd, and stops them in the opposite one.
//!
//! READY follows reading the open jobs; nothing is bound or dialled before the settings are accepted and the state
//! folder's lock is held. The watchdog is fed by the loop that owns the desk: a desk that does not answer is a
//! program that must be restarted.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use loket_domain::print::{Job, Stage};
use loket_journal::{Batch, JournalError};
use loket_link::{BrokerAddress, FetchTarget, LinkConfig, LinkError};
use loket_spool::SpoolError;
use loket_wire::presence::MachineState;
use loket_wire::topic::for_machine;
use loket_wire::{JobId, JobState};
use thiserror::Error;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::config::Config;
use crate::document::TrustReadError;
use crate::exit::Exit;
use crate::ground::{Ground, identity_dir, journal_path, next_session, put_aside, sweep};
use crate::identity::{Identity, IdentityError, OsRandom};
use crate::local::{self, LocalError};
use crate::telemetry::chain;
use crate::unit::control::{ControlError, ControlUnit, Door};
use crate::unit::health::{HealthLink, HealthUnit};
use crate::unit::link::{LinkUnit, LinkUnitError, META_CLOCK_FLOOR, will};
use crate::unit::print::{DeskError, DeskHandle, Hands, PrintUnit, RecoverError, recover};

/// The will goes out this long after the connection broke: one that comes back within it alarms nobody.
const WILL_DELAY: Duration = Duration::from_secs(60);

/// The clock's floor is kept this often.
const FLOOR_EVERY: Duration = Duration::from_secs(3_600);

/// Why the daemon did not start or did not go on.
#[derive(Debug, Error)]
pub enum RunError {
    /// The state folder cannot be used.
    #[error("use the state folder {}", path.display())]
    State {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another process holds the state folder.
    #[error("use the state folder {}: another loketd holds it", .0.display())]
    Locked(PathBuf),
    /// The journal cannot be opened.
    #[error("open the journal")]
    Journal(#[source] JournalError),
    /// The journal is damaged; it is set aside, and the next start begins a new one.
    #[error("go on with a damaged journal")]
    JournalBroken,
    /// The journal cannot be read back.
    #[error("recover from the journal")]
    Recover(#[source] RecoverError),
    /// The spool cannot be opened.
    #[error("open the spool")]
    Spool(#[source] SpoolError),
    /// The identity is missing or broken.
    #[error("use this machine's identity")]
    Identity(#[source] IdentityError),
    /// Trust anchors cannot be read.
    #[error("read the trust anchors")]
    Trust(#[source] TrustReadError),
    /// A printer's address cannot be used.
    #[error("use the printer '{name}'")]
    Printer {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: Box<loket_ipp_printer::IppError>,
    },
    /// The control socket cannot be bound.
    #[error("open the officer's door")]
    Control(#[source] ControlError),
    /// The link's settings cannot be used.
    #[error("run the link")]
    Link(#[source] LinkError),
    /// The print unit ended by itself.
    #[error("run the print unit")]
    Print(#[source] DeskError),
    /// The link unit ended by itself.
    #[error("run the link unit")]
    LinkUnit(#[source] LinkUnitError),
    /// Other jobs are on their way to a printer: only the daemon may finish them.
    #[error("print by hand: other jobs are on their way to a printer; start the daemon first")]
    JobsWaiting,
    /// A document given by hand was not taken.
    #[error("take the document")]
    Local(#[source] LocalError),
    /// A unit panicked.
    #[error("run a unit: it ended without an answer")]
    Panicked,
}

impl RunError {
    /// The exit code that says it.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::State { .. }
            | Self::Journal(_)
            | Self::JournalBroken
            | Self::Recover(_)
            | Self::Spool(_) => Exit::State,
            Self::Locked(_) | Self::JobsWaiting => Exit::Busy,
            Self::Identity(_) | Self::Trust(_) | Self::Printer { .. } | Self::Link(_) => {
                Exit::Config
            }
            Self::Control(_) => Exit::State,
            Self::Local(LocalError::TooLarge { .. }) => Exit::Unreadable,
            Self::Print(_) | Self::LinkUnit(_) | Self::Local(_) | Self::Panicked => Exit::Bug,
        }
    }
}

/// Runs the daemon until `stop`, then drains.
///
/// # Errors
/// [`RunError`]
pub async fn run(config: Config, stop: CancellationToken) -> Result<(), RunError> {
    let ground = Ground::open(&config).await?;
    let enrolment = Enrolment::find(&config, &ground).await?;
    let lanes = config
        .printers
        .iter()
        .map(|printer| printer.name.clone())
        .collect();
    let desk = recover(&ground.journal, lanes)
        .await
        .map_err(RunError::Recover)?;
    sweep(&ground, &desk)?;
    let open_count = desk.open_jobs().len();
    let mut units = Units::default();
    let handle = units.start_desk(&config, &ground, desk, enrolment.as_ref())?;
    let link = match enrolment {
        Some(enrolment) => Some(units.start_link(&config, &ground, &handle, enrolment)?),
        None => None,
    };
    units.start_health(&config, &ground, &handle, link);
    notify(&[
        sd_notify::NotifyState::Ready,
        sd_notify::NotifyState::Status("bekerja"),
    ]);
    tracing::info!(machine.id = %config.machine, jobs = open_count, "ready");
    let ended = units.supervise(&handle, &ground, &stop).await;
    notify(&[sd_notify::NotifyState::Stopping]);
    units.drain(Duration::from_secs(config.drain_s)).await;
    drop(handle);
    if let Err(error) = ground.journal.close().await {
        tracing::warn!(error = %chain(&error), "journal not closed cleanly; it is checked at the next start");
    }
    if matches!(ended, Err(RunError::JournalBroken)) {
        put_aside(&journal_path(&config.state_dir))?;
    }
    ended
}

/// Prints one document by hand while no daemon runs, and gives the job with its end or `unknown`.
///
/// # Errors
/// [`RunError::Locked`] when a daemon holds the state folder after all; the others as [`run`].
pub async fn run_one(
    config: Arc<Config>,
    document: Zeroizing<Vec<u8>>,
    lane: String,
    stop: CancellationToken,
) -> Result<(JobId, JobState), RunError> {
    let ground = Ground::open(&config).await?;
    let lanes = config
        .printers
        .iter()
        .map(|printer| printer.name.clone())
        .collect();
    let desk = recover(&ground.journal, lanes)
        .await
        .map_err(RunError::Recover)?;
    let is_busy = |job: &Job| matches!(job.stage, Stage::Released | Stage::Attempting(_));
    if desk.jobs().any(is_busy) {
        return Err(RunError::JobsWaiting);
    }
    let (print, handle) = PrintUnit::new(desk, ground.journal.clone(), ground.clock.clone());
    let hands = Arc::new(Hands {
        documents: Arc::clone(&ground.documents),
        printers: ground.printers.clone(),
        source: None,
        desk: handle.clone(),
    });
    if let Err(error) = ground.check().await {
        if matches!(error, RunError::JournalBroken) {
            put_aside(&journal_path(&config.state_dir))?;
        }
        return Err(error);
    }
    let over = CancellationToken::new();
    let mut unit = JoinSet::new();
    let (print, then) = (print.leaving_present_jobs_alone(), over.clone());
    unit.spawn(async move { print.run(hands, then).await });
    let job = local::admit(&ground.documents, &handle, &ground.clock, document, lane).await;
    let ended = match job {
        Ok(job) => follow(&handle, job, &stop)
            .await
            .map(|state| (job, state))
            .map_err(RunError::Print),
        Err(error) => Err(RunError::Local(error)),
    };
    over.cancel();
    while unit.join_next().await.is_some() {}
    ground.journal.close().await.map_err(RunError::Journal)?;
    ended
}

/// Waits until a job is over and its document destroyed, or its fate is not known.
async fn follow(
    desk: &DeskHandle,
    job: JobId,
    stop: &CancellationToken,
) -> Result<JobState, DeskError> {
    let mut look = tokio::time::interval(FOLLOW_EVERY);
    loop {
        look.tick().await;
        let open = desk.jobs().await?.iter().any(|each| each.job_id == job);
        let Some(view) = desk.job(job).await? else {
            return Err(DeskError::Gone);
        };
        if view.state == JobState::Unknown || stop.is_cancelled() || (!open && view.is_closed) {
            return Ok(view.state);
        }
    }
}

/// Between two looks at a job printed by hand.
const FOLLOW_EVERY: Duration = Duration::from_millis(50);

/// An enrolled machine's keys, ready for TLS, and the number of this session.
struct Enrolment {
    identity: Arc<Identity>,
    tls: Arc<rustls::ClientConfig>,
    session_seq: u64,
}

impl Enrolment {
    async fn find(config: &Config, ground: &Ground) -> Result<Option<Self>, RunError> {
        let identity = match identity_dir(config)?.load() {
            Ok(identity) => Arc::new(identity),
            Err(IdentityError::NotEnrolled(dir)) => {
                tracing::warn!(dir = %dir.display(), "not enrolled: this machine works alone");
                return Ok(None);
            }
            Err(error) => return Err(RunError::Identity(error)),
        };
        let tls = identity
            .tls_config(&ground.clock)
            .map_err(RunError::Identity)?;
        let session_seq = next_session(&ground.journal).await?;
        Ok(Some(Self {
            identity,
            tls,
            session_seq,
        }))
    }

    /// Where sealed documents are fetched.
    fn documents(&self) -> FetchTarget {
        let at = &self.identity.bundle.documents;
        FetchTarget {
            host: at.host.clone(),
            port: at.port,
            tls: Some(Arc::clone(&self.tls)),
            server_name: at.host.clone(),
        }
    }
}

/// The running units and how they are stopped.
#[derive(Default)]
struct Units {
    /// Desk, officer's door, health.
    tasks: JoinSet<Result<(), RunError>>,
    stop: CancellationToken,
    /// The link; it ends last, so that what the others report still leaves.
    links: JoinSet<Result<(), RunError>>,
    link_stop: CancellationToken,
}

impl Units {
    fn start_desk(
        &mut self,
        config: &Config,
        ground: &Ground,
        desk: loket_domain::print::Desk,
        enrolment: Option<&Enrolment>,
    ) -> Result<DeskHandle, RunError> {
        let (print, handle) = PrintUnit::new(desk, ground.journal.clone(), ground.clock.clone());
        let documents = Arc::clone(&ground.documents);
        let lanes = config.printers.iter();
        let door = Door {
            desk: handle.clone(),
            documents,
            clock: ground.clock.clone(),
            lanes: lanes
                .map(|printer| (printer.uri.clone(), printer.name.clone()))
                .collect(),
        };
        let control = ControlUnit::bind(&config.runtime_dir, door).map_err(RunError::Control)?;
        let hands = Arc::new(Hands {
            documents: Arc::clone(&ground.documents),
            printers: ground.printers.clone(),
            source: enrolment.map(Enrolment::documents),
            desk: handle.clone(),
        });
        let stop = self.stop.clone();
        self.tasks
            .spawn(async move { print.run(hands, stop).await.map_err(RunError::Print) });
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            control.run(stop).await;
            Ok(())
        });
        Ok(handle)
    }

    fn start_link(
        &mut self,
        config: &Config,
        ground: &Ground,
        desk: &DeskHandle,
        enrolment: Enrolment,
    ) -> Result<HealthLink, RunError> {
        let public = enrolment.identity.sealing.public();
        let key_id = public
            .map_err(|error| RunError::Identity(error.into()))?
            .key_id();
        let state = MachineState {
            online: false,
            boot_id: boot_id(),
            session_seq: enrolment.session_seq,
            epoch: ground.epoch,
            software: env!("CARGO_PKG_VERSION").to_owned(),
            config_hash: config.hash(),
            key_id,
        };
        let (handle, inbox, task) = loket_link::open(link_config(config, &enrolment, &state));
        let unit = LinkUnit {
            machine: config.machine.clone(),
            identity: Arc::clone(&enrolment.identity),
            state,
            journal: ground.journal.clone(),
            desk: desk.clone(),
            documents: Arc::clone(&ground.documents),
            clock: ground.clock.clone(),
            republish_after: Duration::from_millis(config.link.republish_after_ms),
        };
        // The task outlives the unit: what the unit says last still leaves.
        let task_stop = CancellationToken::new();
        let (link, stop, then) = (handle.clone(), self.link_stop.clone(), task_stop.clone());
        self.links.spawn(async move {
            let ended = unit.run(link, inbox, stop).await;
            then.cancel();
            ended.map_err(RunError::LinkUnit)
        });
        self.links
            .spawn(async move { task.run(task_stop).await.map_err(RunError::Link) });
        let Enrolment {
            identity,
            session_seq,
            ..
        } = enrolment;
        Ok(HealthLink {
            handle,
            identity,
            session_seq,
        })
    }

    fn start_health(
        &mut self,
        config: &Config,
        ground: &Ground,
        desk: &DeskHandle,
        link: Option<HealthLink>,
    ) {
        let health = HealthUnit {
            machine: config.machine.clone(),
            printers: ground.printers.clone(),
            desk: desk.clone(),
            journal: ground.journal.clone(),
            documents: Arc::clone(&ground.documents),
            state_dir: config.state_dir.clone(),
            clock: ground.clock.clone(),
            idle_poll: Duration::from_millis(config.idle_poll_ms),
            heartbeat: Duration::from_secs(config.heartbeat_s),
            link,
        };
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            health.run(stop).await;
            Ok(())
        });
    }

    /// Waits for `stop` or the first unit that ends by itself, feeding the watchdog meanwhile.
    async fn supervise(
        &mut self,
        desk: &DeskHandle,
        ground: &Ground,
        stop: &CancellationToken,
    ) -> Result<(), RunError> {
        let watchdog = sd_notify::watchdog_enabled();
        let mut feed = tokio::time::interval(watchdog.map_or(FLOOR_EVERY, |limit| limit / 3));
        let mut keep_floor = tokio::time::interval(FLOOR_EVERY);
        let check = ground.check();
        tokio::pin!(check);
        let mut is_checked = false;
        loop {
            tokio::select! {
                checked = &mut check, if !is_checked => {
                    checked?;
                    is_checked = true;
                }
                Some(ended) = self.links.join_next() => return end_of(ended),
                () = stop.cancelled() => return Ok(()),
                Some(ended) = self.tasks.join_next() => return end_of(ended),
                _at = feed.tick() => {
                    // Only a desk that answers feeds the watchdog.
                    if let Ok(jobs) = desk.jobs().await {
                        let status = format!("{} pekerjaan terbuka", jobs.len());
                        notify(&[sd_notify::NotifyState::Status(&status)]);
                        if watchdog.is_some() {
                            notify(&[sd_notify::NotifyState::Watchdog]);
                        }
                    }
                }
                _at = keep_floor.tick() => {
                    let floor = ground.clock.floor().unix_ms().to_le_bytes().to_vec();
                    let meta = vec![(META_CLOCK_FLOOR.to_owned(), floor)];
                    // What is wrong with the journal for good, the desk meets at its next question.
                    if let Err(error) = ground.journal.append(Batch { meta, ..Batch::default() }).await {
                        tracing::warn!(error = %chain(&error), "clock floor not kept");
                    }
                }
            }
        }
    }

    /// Running attempts first, then what is said of them, then the rest; past the deadline what still runs is cut.
    async fn drain(&mut self, deadline: Duration) {
        self.stop.cancel();
        let all = async {
            while self.tasks.join_next().await.is_some() {}
            self.link_stop.cancel();
            while self.links.join_next().await.is_some() {}
        };
        if tokio::time::timeout(deadline, all).await.is_err() {
            tracing::warn!(
                "running work did not finish within the drain deadline; the printer is asked at the next start"
            );
            self.tasks.shutdown().await;
            self.links.shutdown().await;
        }
    }
}

/// No unit ends by itself unless something failed.
fn end_of(ended: Result<Result<(), RunError>, tokio::task::JoinError>) -> Result<(), RunError> {
    match ended {
        Ok(Err(error)) => Err(error),
        Ok(Ok(())) | Err(_) => Err(RunError::Panicked),
    }
}

fn link_config(config: &Config, enrolment: &Enrolment, state: &MachineState) -> LinkConfig {
    let brokers = enrolment.identity.bundle.brokers.iter();
    let brokers = brokers
        .map(|at| BrokerAddress {
            host: at.host.clone(),
            port: at.port,
        })
        .collect();
    let mut link = LinkConfig::new(config.machine.as_str(), brokers);
    link.tls = Some(Arc::clone(&enrolment.tls));
    let identity = Arc::clone(&enrolment.identity);
    link.will = Some(will(config.machine.clone(), identity, state.clone()));
    link.will_delay = WILL_DELAY;
    link.subscriptions = for_machine(&config.machine);
    link.backoff.min = Duration::from_millis(config.link.backoff_min_ms);
    link.backoff.max = Duration::from_millis(config.link.backoff_max_ms);
    link.jitter_seed = u64::from_le_bytes(loket_wire::random::draw(&mut OsRandom::default()));
    link
}

fn notify(states: &[sd_notify::NotifyState<'_>]) {
    // Not under systemd: nobody listens.
    drop(sd_notify::notify(states));
}

fn boot_id() -> String {
    let given = std::env::var("LOKET_BOOT_ID").ok();
    let read = || std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
    given
        .or_else(read)
        .map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned())
}
