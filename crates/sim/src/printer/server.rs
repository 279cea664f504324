//! The running printer: its listener, its engine, and the handle to both.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::config::{PrinterConfig, SimError};
use super::control::Report;
use super::http;
use super::job::CanceledBy;
use super::keep::{self, Keep};
use super::knobs::Knobs;
use super::request::PATH;
use super::state::State;

/// Open connections; a further one waits in the listener's backlog.
const MAX_CONNECTIONS: usize = 64;

/// A client that has connected and asks nothing for so long is cut off.
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);

/// Accepting fails while the process has no free file descriptor; trying again at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What stays the same for as long as the printer runs.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) uri: String,
    /// Where its control door tells what it did.
    pub(crate) more_info: String,
    pub(crate) name: String,
    pub(crate) uuid: Uuid,
    pub(crate) time_out: Duration,
}

/// What connections, control and engine share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) identity: Identity,
    pub(crate) keep: Keep,
    state: Mutex<State>,
    /// Counts the changes of the state.
    changes: watch::Sender<u64>,
    /// Cancelled when the power goes; each power-on has its own.
    power: Mutex<CancellationToken>,
}

impl Shared {
    /// Looks at the state.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the state and wakes whoever waits for that.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changes
            .send_modify(|count| *count = count.wrapping_add(1));
        changed
    }

    pub(crate) fn turn(
        &self,
        turn: impl FnOnce(&Knobs) -> Result<Knobs, SimError>,
    ) -> Result<Knobs, SimError> {
        self.change(|state| {
            let knobs = turn(&state.knobs)?;
            state.turn(knobs.clone(), Instant::now());
            Ok(knobs)
        })
    }

    pub(crate) fn power(&self) -> CancellationToken {
        self.power
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn power_cycle(&self) {
        let mut power = self.power.lock().unwrap_or_else(PoisonError::into_inner);
        power.cancel();
        self.change(|state| state.power_cycle(Instant::now()));
        *power = CancellationToken::new();
    }

    /// Ends a job as somebody at the panel would; false where there is none that can be ended.
    pub(crate) fn cancel_at_device(&self, id: i32) -> bool {
        self.change(|state| state.cancel(id, CanceledBy::Device, Instant::now()))
            .is_ok()
    }

    /// Moves the state on; unlike [`change`](Self::change) it wakes nobody when nothing changed.
    fn tick(&self, now: Instant) -> (bool, Option<Instant>) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .tick(now)
    }

    pub(crate) fn report(&self) -> Report {
        self.read(|state| Report::new(state, &self.identity, Instant::now()))
    }
}

/// A running simulated printer; dropping it ends it at once.
#[derive(Debug)]
pub struct SimPrinter {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl SimPrinter {
    /// Starts a printer; it listens when this returns.
    ///
    /// # Errors
    /// [`SimError::Listen`] where the address is taken, [`SimError::Keep`] where the folder for
    /// received documents cannot be made.
    pub async fn start(config: PrinterConfig) -> Result<Self, SimError> {
        let PrinterConfig {
            listen,
            name,
            uuid,
            multiple_operation_time_out,
            keep,
            knobs,
        } = config;
        let keep = Keep::open(keep)?;
        let failed = |source| SimError::Listen { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let time_out = multiple_operation_time_out;
        let shared = Arc::new(Shared {
            identity: Identity {
                uri: format!("ipp://{address}{PATH}"),
                more_info: format!("http://{address}/control/state"),
                name,
                uuid,
                time_out,
            },
            keep,
            state: Mutex::new(State::new(knobs, time_out, Instant::now())),
            changes: watch::Sender::new(0),
            power: Mutex::new(CancellationToken::new()),
        });
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(engine(Arc::clone(&shared), stop.clone()));
        tasks.spawn(keep::empty_hourly(shared.keep.clone(), stop.clone()));
        tasks.spawn(accept(listener, Arc::clone(&shared), stop.clone()));
        Ok(Self {
            shared,
            address,
            stop,
            tasks,
        })
    }

    /// Its IPP address, `ipp://127.0.0.1:PORT/ipp/print`.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.shared.identity.uri
    }

    /// The address of its control door, `http://127.0.0.1:PORT/control`.
    #[must_use]
    pub fn control_url(&self) -> String {
        format!("http://{}/control", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it did so far.
    #[must_use]
    pub fn report(&self) -> Report {
        self.shared.report()
    }

    /// Changes its knobs.
    pub fn turn(&self, change: impl FnOnce(&mut Knobs)) {
        self.shared.change(|state| {
            let mut knobs = state.knobs.clone();
            change(&mut knobs);
            state.turn(knobs, Instant::now());
        });
    }

    /// Cuts the power and brings it back: connections break, and it remembers what it can.
    pub fn power_cycle(&self) {
        self.shared.power_cycle();
    }

    /// Ends a job as somebody at the panel would; false where there is none that can be ended.
    #[must_use]
    pub fn cancel_at_device(&self, id: i32) -> bool {
        self.shared.cancel_at_device(id)
    }

    /// The bytes of a received document by the lowercase hex of their SHA-256, while kept.
    #[must_use]
    pub fn document(&self, sha256: &str) -> Option<Bytes> {
        let digest: [u8; 32] = HEXLOWER.decode(sha256.as_bytes()).ok()?.try_into().ok()?;
        self.shared.read(|state| state.document(&digest))
    }

    /// Serves one connection over any byte stream, as over a socket from this computer.
    ///
    /// # Cancel safety
    /// Dropping the future cuts the connection.
    pub fn serve<S>(&self, stream: S) -> impl Future<Output = ()> + Send + use<S>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        connection(stream, peer, Arc::clone(&self.shared), self.stop.clone())
    }

    /// Waits until what it did satisfies a condition, and returns it.
    ///
    /// # Cancel safety
    /// Dropping the future only stops the waiting: put a deadline around it.
    pub async fn until(&self, mut condition: impl FnMut(&Report) -> bool) -> Report {
        let mut changes = self.shared.changes.subscribe();
        loop {
            changes.borrow_and_update();
            let report = self.report();
            if condition(&report) || changes.changed().await.is_err() {
                return report;
            }
        }
    }

    /// Ends it: no new connection, running ones cut, tasks joined.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Moves the printer on whenever something changed or is due.
async fn engine(shared: Arc<Shared>, stop: CancellationToken) {
    let mut changes = shared.changes.subscribe();
    loop {
        changes.borrow_and_update();
        let now = Instant::now();
        let (changed, due) = shared.tick(now);
        if changed {
            shared
                .changes
                .send_modify(|count| *count = count.wrapping_add(1));
            continue;
        }
        let wait = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = wait => {}
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next(), if connections.len() >= MAX_CONNECTIONS => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, peer)) => {
                    let (shared, stop) = (Arc::clone(&shared), stop.clone());
                    connections.spawn(connection(stream, peer, shared, stop));
                }
                Err(error) => {
                    tracing::warn!(%error, "connection not accepted");
                    sleep_until(Instant::now() + ACCEPT_PAUSE).await;
                }
            },
        }
    }
    while connections.join_next().await.is_some() {}
}

async fn connection<S>(stream: S, peer: SocketAddr, shared: Arc<Shared>, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = service_fn(|request| http::serve(Arc::clone(&shared), peer, request));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        () = stop.cancelled() => {}
        served = serving => if let Err(error) = served {
            tracing::debug!(%error, "connection ended");
        },
    }
}
