//! Starts the units, in an order that tells the truth to systemd, and stops them in the opposite one.
//!
//! READY follows reading the open jobs; nothing is bound or dialled before the settings are accepted and the state
//! folder's lock is held. The watchdog is fed by the loop that owns the desk: a desk that does not answer is a
//! program that must be restarted. A damaged journal, whoever met it, ends the run and is set aside.

mod error;
mod links;
mod units;
mod vigil;

use std::sync::Arc;
use std::time::Duration;

use loket_link::FetchTarget;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::ground::{Ground, Session, identity_dir, next_session, sweep};
use crate::identity::{Identity, IdentityError};
use crate::paper::PaperDesk;
use crate::store::Store;
use crate::unit::print::recover;
use loket_inspection::Inspector;

pub(crate) use error::DISK_FULL;
pub use error::RunError;
use units::{Around, Units};
use vigil::{Vigil, notify};

/// Of the time to drain, what is kept at most for the link to send what was said last and to take its leave: it needs
/// a few round trips, and 3 s by its own measure.
const LINK_SHARE: Duration = Duration::from_secs(3);

/// Of the time to drain, what is kept at most for closing the journal: moving 4 MiB of log on worn flash.
pub(crate) const CLOSE_SHARE: Duration = Duration::from_secs(2);

/// Runs the daemon until `stop`, then drains. `inspector` reads what people bring.
///
/// # Errors
/// [`RunError`]
pub async fn run(
    config: Config,
    inspector: Inspector,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let store = Store::open(&config).await.inspect_err(tell_full)?;
    let mut deadlines = None;
    let ended = serve(&config, inspector, (&store, &stop), &mut deadlines).await;
    let deadlines = deadlines.unwrap_or_else(|| Deadlines::of(&config));
    let left = deadlines.all.saturating_duration_since(Instant::now());
    store.close(ended, left).await
}

/// Who looks at the unit's status learns what a disk without any room means.
fn tell_full(error: &RunError) {
    if let RunError::DiskFull(dir) = error {
        let status = format!(
            "disk penuh ({DISK_FULL}): kosongkan ruang di {}, lalu layanan mulai sendiri",
            dir.display()
        );
        notify(&[sd_notify::NotifyState::Status(&status)]);
    }
}

async fn serve(
    config: &Config,
    inspector: Inspector,
    (store, stop): (&Store, &CancellationToken),
    deadlines: &mut Option<Deadlines>,
) -> Result<(), RunError> {
    if !inspector.is_there() {
        tracing::error!(
            "loket-inspector is not beside this program: nothing that people bring is judged; install it there"
        );
    }
    let ground = Ground::lay(config, store, inspector).await?;
    let enrolment = Enrolment::find(config, &ground).await?;
    let desk = recover(&ground.journal, lanes(config))
        .await
        .map_err(RunError::Recover)?;
    sweep(&ground, &desk)?;
    let open_count = desk.open_jobs().len();
    let session = enrolment.as_ref().map(|enrolment| enrolment.session);
    let paper = enrolment
        .as_ref()
        .map(|enrolment| enrolment.paper(config, &ground));
    let mut units = Units::default();
    let plugs = units.start_hotplug(config);
    let tickets = units.start_tickets(config, &ground);
    let around = Around {
        enrolment: enrolment.as_ref(),
        paper: paper.as_ref(),
        tickets: tickets.as_ref(),
        plugs: &plugs,
    };
    let handle = units.start_desk(config, &ground, desk, around)?;
    let link = match enrolment {
        Some(enrolment) => Some(units.start_link(config, &ground, &handle, enrolment)?),
        None => None,
    };
    units.start_health(config, &ground, (&handle, &plugs), link);
    units.start_exercise(config, &ground, &handle)?;
    units.start_pages(config, &ground, (paper, tickets));
    notify(&[
        sd_notify::NotifyState::Ready,
        sd_notify::NotifyState::Status("bekerja"),
    ]);
    tracing::info!(machine.id = %config.machine, jobs = open_count, "ready");
    let ended = Vigil::over(&ground, &handle, session)
        .keep(&mut units, stop)
        .await;
    notify(&[sd_notify::NotifyState::Stopping]);
    let until = deadlines.insert(Deadlines::of(config));
    units.drain(until).await;
    ended
}

fn lanes(config: &Config) -> Vec<String> {
    let printers = config.printers.iter();
    printers.map(|printer| printer.name.clone()).collect()
}

/// When each part of a stop must be over. The last is the whole: what hangs in one part cannot eat the next one's time.
#[derive(Debug, Clone, Copy)]
struct Deadlines {
    /// Running attempts, the officer's door and health.
    units: Instant,
    /// What is said of them, and the leave from the broker.
    link: Instant,
    /// The journal too.
    all: Instant,
}

impl Deadlines {
    /// Counted from this moment.
    fn of(config: &Config) -> Self {
        Self::within(Duration::from_secs(config.drain_s))
    }

    fn within(drain: Duration) -> Self {
        // However short the whole is, attempts have half of it.
        let quarter = drain / 4;
        let (link, close) = (LINK_SHARE.min(quarter), CLOSE_SHARE.min(quarter));
        let all = Instant::now() + drain;
        Self {
            units: all - close - link,
            link: all - close,
            all,
        }
    }
}

/// An enrolled machine's keys, ready for TLS, and the number of this session.
struct Enrolment {
    identity: Arc<Identity>,
    tls: Arc<rustls::ClientConfig>,
    session: Session,
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
        let session = next_session(&ground.journal).await?;
        Ok(Some(Self {
            identity,
            tls,
            session,
        }))
    }

    /// Holds doubted sheets against what central keeps of them.
    fn paper(&self, config: &Config, ground: &Ground) -> Arc<PaperDesk> {
        let key = (config.machine.clone(), self.identity.sealing.clone());
        PaperDesk::new(self.documents(), key, Arc::clone(&ground.sheets))
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
