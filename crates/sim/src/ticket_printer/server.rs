//! The running ticket printer: its wire, its control door, its engine, and the handle to all.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::control::{self, Report};
use super::device::Device;
use super::knobs::Knobs;
use super::picture::picture;
use super::slip::Slip;
use crate::printer::SimError;
use crate::printer::http::plain;
use crate::printer::keep::{self, Keep};

/// Open connections to the control door; a further one waits in the listener's backlog.
const MAX_CONTROLS: usize = 16;

/// A client of the control door that has connected and asks nothing for so long is cut off.
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);

/// Accepting fails while the process has no free file descriptor; trying again at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Read at once from the wire.
const PIECE_BYTES: usize = 1_024;

/// Says what a simulated ticket printer is.
#[derive(Debug, Clone)]
pub struct TicketPrinterConfig {
    /// Where it is written to; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where its control door is; port 0 takes a free one.
    pub control: SocketAddr,
    /// Dots a line: 384 for 58 mm, 576 for 80 mm.
    pub dots: u16,
    /// The folder into which each slip that is cut off is drawn; none where nothing is written.
    pub keep: Option<PathBuf>,
    /// Its faults at start.
    pub knobs: Knobs,
}

impl Default for TicketPrinterConfig {
    fn default() -> Self {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            listen: free,
            control: free,
            dots: 576,
            keep: None,
            knobs: Knobs::default(),
        }
    }
}

/// What connections, control and engine share.
#[derive(Debug)]
pub(crate) struct Shared {
    address: String,
    dots: u16,
    started: Instant,
    device: Mutex<Device>,
    /// Counts the changes of the device.
    changes: watch::Sender<u64>,
    /// Slips that were cut off and are written, where there is a folder.
    kept: watch::Sender<u64>,
}

impl Shared {
    fn now(&self) -> Duration {
        Instant::now().saturating_duration_since(self.started)
    }

    fn read<T>(&self, look: impl FnOnce(&Device) -> T) -> T {
        look(&self.device.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the device and wakes whoever waits for that.
    fn change<T>(&self, change: impl FnOnce(&mut Device, Duration) -> T) -> T {
        let now = self.now();
        let changed = change(
            &mut self.device.lock().unwrap_or_else(PoisonError::into_inner),
            now,
        );
        self.changes
            .send_modify(|count| *count = count.wrapping_add(1));
        changed
    }

    /// Lets the device work on; wakes nobody where nothing came of it. Gives when to do so again.
    fn tick(&self) -> (bool, Option<Instant>) {
        let now = self.now();
        let mut device = self.device.lock().unwrap_or_else(PoisonError::into_inner);
        let before = device.worked_bytes();
        let due = device.tick(now);
        let changed = device.worked_bytes() != before;
        (changed, due.map(|due| self.started + due))
    }

    /// The answers that leave now, whether the wire is broken, and the room for more.
    fn exchange(&self) -> (Vec<u8>, bool, usize) {
        let now = self.now();
        let mut device = self.device.lock().unwrap_or_else(PoisonError::into_inner);
        (device.answers(now), device.is_unplugged(), device.room())
    }

    pub(crate) fn turn(
        &self,
        turn: impl FnOnce(&Knobs) -> Result<Knobs, SimError>,
    ) -> Result<Knobs, SimError> {
        self.change(|device, now| {
            let knobs = turn(device.knobs())?;
            device.turn(knobs.clone(), now);
            Ok(knobs)
        })
    }

    pub(crate) fn power_cycle(&self) {
        self.change(Device::power_cycle);
    }

    pub(crate) fn report(&self) -> Report {
        self.read(|device| Report::of(device, &self.address))
    }

    pub(crate) fn dots(&self) -> u16 {
        self.dots
    }

    pub(crate) fn slip(&self, number: usize) -> Option<Slip> {
        let seen = |slip: &&Slip| !slip.is_blank();
        self.read(|device| device.slips().filter(seen).nth(number).cloned())
    }
}

/// A running simulated ticket printer; dropping it ends it at once.
#[derive(Debug)]
pub struct SimTicketPrinter {
    shared: Arc<Shared>,
    address: SocketAddr,
    control: SocketAddr,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl SimTicketPrinter {
    /// Starts a printer; it listens when this returns.
    ///
    /// # Errors
    /// [`SimError::Listen`] where an address is taken, [`SimError::Keep`] where the folder for
    /// slips cannot be made.
    pub async fn start(config: TicketPrinterConfig) -> Result<Self, SimError> {
        let keep = Keep::open(config.keep)?;
        let (wire, address) = listen(config.listen).await?;
        let (door, control) = listen(config.control).await?;
        let shared = Arc::new(Shared {
            address: address.to_string(),
            dots: config.dots,
            started: Instant::now(),
            device: Mutex::new(Device::new(config.dots, config.knobs)),
            changes: watch::Sender::new(0),
            kept: watch::Sender::new(0),
        });
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(engine(Arc::clone(&shared), stop.clone()));
        tasks.spawn(keep_slips(Arc::clone(&shared), keep.clone(), stop.clone()));
        tasks.spawn(keep::empty_hourly(keep, stop.clone()));
        tasks.spawn(serve_wire(wire, Arc::clone(&shared), stop.clone()));
        tasks.spawn(serve_control(door, Arc::clone(&shared), stop.clone()));
        Ok(Self {
            shared,
            address,
            control,
            stop,
            tasks,
        })
    }

    /// Where it is written to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of its control door, `http://127.0.0.1:PORT/control`.
    #[must_use]
    pub fn control_url(&self) -> String {
        format!("http://{}/control", self.control)
    }

    /// Serves a stream that came by another way than TCP, as over a cable; returns at its end.
    pub fn serve<S>(&self, mut stream: S) -> impl Future<Output = ()> + Send + use<S>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (shared, stop) = (Arc::clone(&self.shared), self.stop.clone());
        async move {
            cable(&mut stream, &shared, &stop).await;
        }
    }

    /// What it did so far.
    #[must_use]
    pub fn report(&self) -> Report {
        self.shared.report()
    }

    /// The n-th slip that is remembered, from 0.
    #[must_use]
    pub fn slip(&self, number: usize) -> Option<Slip> {
        self.shared.slip(number)
    }

    /// Changes its knobs.
    pub fn turn(&self, change: impl FnOnce(&mut Knobs)) {
        self.shared.change(|device, now| {
            let mut knobs = device.knobs().clone();
            change(&mut knobs);
            device.turn(knobs, now);
        });
    }

    /// Cuts the power and brings it back: the connection breaks, and its buffer is gone.
    pub fn power_cycle(&self) {
        self.shared.power_cycle();
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

    /// Waits until so many slips are written into its folder.
    ///
    /// # Cancel safety
    /// Dropping the future only stops the waiting: put a deadline around it.
    pub async fn until_kept(&self, slips: u64) {
        let mut kept = self.shared.kept.subscribe();
        // The sender lives as long as this printer does.
        kept.wait_for(|kept| *kept >= slips).await.ok();
    }

    /// Ends it: no new connection, running ones cut, tasks joined.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn listen(listen: SocketAddr) -> Result<(TcpListener, SocketAddr), SimError> {
    let failed = |source| SimError::Listen { listen, source };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

async fn wait(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Moves the printer on whenever something changed or is due.
async fn engine(shared: Arc<Shared>, stop: CancellationToken) {
    let mut changes = shared.changes.subscribe();
    loop {
        changes.borrow_and_update();
        let (changed, due) = shared.tick();
        if changed {
            shared
                .changes
                .send_modify(|count| *count = count.wrapping_add(1));
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = wait(due) => shared.changes.send_modify(|count| *count = count.wrapping_add(1)),
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

/// Draws each slip that is cut off into the folder, where there is one.
async fn keep_slips(shared: Arc<Shared>, keep: Keep, stop: CancellationToken) {
    if !keep.is_somewhere() {
        return;
    }
    let mut changes = shared.changes.subscribe();
    let mut kept = 0_u64;
    loop {
        changes.borrow_and_update();
        let cut: Vec<Slip> = shared.read(|device| {
            let new = device.cuts().saturating_sub(kept);
            kept = device.cuts();
            let cut: Vec<&Slip> = device.slips().filter(|slip| slip.is_cut).collect();
            let old = cut
                .len()
                .saturating_sub(usize::try_from(new).unwrap_or(usize::MAX));
            cut.into_iter().skip(old).cloned().collect()
        });
        let first = kept.saturating_sub(u64::try_from(cut.len()).unwrap_or(0));
        for (number, slip) in (first.saturating_add(1)..).zip(cut) {
            let drawn = picture(&slip, shared.dots);
            if let Err(error) = keep.write_slip(number, drawn.into()).await {
                tracing::warn!(%error, "slip not kept");
            }
            shared.kept.send_replace(number);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

/// One connection after the other, as printers do; others wait in the backlog.
async fn serve_wire(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((mut stream, _peer)) => {
                if cable(&mut stream, &shared, &stop).await == Ended::Broken {
                    // The other side gets a reset, as from a cable that is pulled and put in again.
                    stream.set_zero_linger().ok();
                }
            }
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                sleep_until(Instant::now() + ACCEPT_PAUSE).await;
            }
        }
    }
}

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// In order, or by the other side.
    Through,
    /// The printer's power failed, or its cable was pulled.
    Broken,
}

/// One stream from its beginning to its end, whatever wire it comes over.
async fn cable<S>(stream: &mut S, shared: &Shared, stop: &CancellationToken) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    shared.change(Device::connect);
    let ended = exchange(stream, shared, stop).await;
    shared.change(|device, _now| device.disconnect());
    ended.unwrap_or_else(|error| {
        tracing::debug!(%error, "connection ended");
        Ended::Through
    })
}

async fn exchange<S>(
    stream: &mut S,
    shared: &Shared,
    stop: &CancellationToken,
) -> std::io::Result<Ended>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut changes = shared.changes.subscribe();
    let power_cycles = shared.read(Device::power_cycles);
    let mut piece = [0; PIECE_BYTES];
    loop {
        changes.borrow_and_update();
        let (answers, is_unplugged, room) = shared.exchange();
        if is_unplugged || shared.read(Device::power_cycles) != power_cycles {
            return Ok(Ended::Broken);
        }
        if !answers.is_empty() {
            stream.write_all(&answers).await?;
        }
        let len = room.min(PIECE_BYTES);
        let into = piece.get_mut(..len).unwrap_or_default();
        let read = tokio::select! {
            () = stop.cancelled() => return Ok(Ended::Through),
            changed = changes.changed() => {
                if changed.is_err() { return Ok(Ended::Through) }
                continue;
            }
            read = stream.read(into), if len > 0 => read?,
        };
        if read == 0 {
            return Ok(Ended::Through);
        }
        shared.change(|device, now| device.receive(piece.get(..read).unwrap_or_default(), now));
    }
}

async fn serve_control(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next(), if connections.len() >= MAX_CONTROLS => {}
            accepted = listener.accept(), if connections.len() < MAX_CONTROLS => match accepted {
                Ok((stream, peer)) => {
                    let (shared, stop) = (Arc::clone(&shared), stop.clone());
                    connections.spawn(control_connection(stream, peer, shared, stop));
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

async fn control_connection(
    stream: TcpStream,
    peer: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    let service = service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move {
            Ok::<_, std::convert::Infallible>(if peer.ip().is_loopback() {
                control::serve(&shared, request).await
            } else {
                plain(hyper::StatusCode::FORBIDDEN)
            })
        }
    });
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
