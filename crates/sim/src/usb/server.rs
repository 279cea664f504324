//! The running device: its socket, what stands behind its interfaces, and the handle to it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf,
};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::description::Description;
use super::device::Device;
use super::faults::{Trigger, UsbKnobs};
use super::port::Port;
use super::report::UsbReport;
use super::wire;

/// What a socket is read in; a request of the size that hosts use fits.
const READ_BYTES: usize = 64 * 1024;

/// What lies between an interface and what stands behind it, in each direction.
const CABLE_BYTES: usize = 16 * 1024;

#[derive(Debug)]
struct Shared {
    device: Mutex<Device>,
    /// Counts the changes of the device.
    changes: watch::Sender<u64>,
}

impl Shared {
    fn read<T>(&self, look: impl FnOnce(&Device) -> T) -> T {
        look(&self.device.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Device) -> T) -> T {
        let changed = change(&mut self.device.lock().unwrap_or_else(PoisonError::into_inner));
        self.changes
            .send_modify(|count| *count = count.wrapping_add(1));
        changed
    }

    /// Waits until the device is so.
    async fn until<T>(&self, mut look: impl FnMut(&Device) -> Option<T>) -> Option<T> {
        let mut changes = self.changes.subscribe();
        loop {
            changes.borrow_and_update();
            if let Some(seen) = self.read(&mut look) {
                return Some(seen);
            }
            if changes.changed().await.is_err() {
                return None;
            }
        }
    }
}

/// A virtual USB device that is plugged in; dropping it pulls the plug.
#[derive(Debug)]
pub struct VirtualUsb {
    shared: Arc<Shared>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl VirtualUsb {
    /// Plugs a device into a host controller: `socket` is the end of a stream whose other end speaks USB/IP, as the one
    /// that a kernel's `vhci_hcd` was given.
    pub fn plug<S>(description: Description, knobs: UsbKnobs, socket: S) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let ports: Vec<Vec<Option<Arc<dyn Port>>>> = description
            .interfaces
            .iter()
            .map(|it| it.alternates.iter().map(|it| it.port.clone()).collect())
            .collect();
        let shared = Arc::new(Shared {
            device: Mutex::new(Device::new(description, knobs)),
            changes: watch::Sender::new(0),
        });
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let (from_host, to_host) = tokio::io::split(socket);
        tasks.spawn(hear(from_host, Arc::clone(&shared), stop.clone()));
        tasks.spawn(answer(to_host, Arc::clone(&shared), stop.clone()));
        for (interface, ports) in ports.into_iter().enumerate() {
            tasks.spawn(behind(interface, ports, Arc::clone(&shared), stop.clone()));
        }
        Self {
            shared,
            stop,
            tasks,
        }
    }

    /// What it saw so far.
    #[must_use]
    pub fn report(&self) -> UsbReport {
        self.shared.read(Device::report)
    }

    /// Changes its knobs.
    pub fn turn(&self, change: impl FnOnce(&mut UsbKnobs)) {
        self.shared.change(|device| change(&mut device.knobs));
    }

    /// Sets a fault; of very many that wait the last are left out, which shows as `faults_fired`.
    pub fn arm(&self, trigger: Trigger) {
        self.shared.change(|device| device.arm(trigger));
    }

    /// Pulls the plug, and returns when nothing of the device is left.
    pub async fn unplug(mut self) -> UsbReport {
        self.shared.change(Device::unplug);
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        self.report()
    }

    /// Waits until what it saw satisfies a condition, and returns it.
    ///
    /// # Cancel safety
    /// Dropping the future only stops the waiting: put a deadline around it.
    pub async fn until(&self, mut condition: impl FnMut(&UsbReport) -> bool) -> UsbReport {
        let look = |device: &Device| Some(device.report()).filter(|it| condition(it));
        let seen = self.shared.until(look).await;
        seen.unwrap_or_else(|| self.report())
    }
}

/// Reads what the host asks, until one of them pulls the plug.
async fn hear<R: AsyncRead>(mut from: ReadHalf<R>, shared: Arc<Shared>, stop: CancellationToken) {
    let mut come = BytesMut::with_capacity(READ_BYTES);
    loop {
        loop {
            match wire::read_command(&mut come) {
                Ok(Some(command)) => shared.change(|device| device.hear(command)),
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "host is out of step");
                    return shared.change(Device::unplug);
                }
            }
        }
        let unplugged = shared.until(|device| device.is_unplugged().then_some(()));
        come.reserve(READ_BYTES);
        tokio::select! {
            () = stop.cancelled() => return,
            _ = unplugged => return,
            read = from.read_buf(&mut come) => if !matches!(read, Ok(1..)) {
                return shared.change(Device::unplug);
            },
        }
    }
}

/// Writes answers, in their order.
async fn answer<W: AsyncWrite>(mut to: WriteHalf<W>, shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let due = shared
            .until(|device| (device.is_unplugged() || !device.answers.is_empty()).then_some(()));
        tokio::select! {
            () = stop.cancelled() => break,
            _ = due => {}
        }
        // What was said before the plug was pulled has arrived; the rest has not.
        let (answers, pace, unplugged) = shared.change(|device| {
            let answers = std::mem::take(&mut device.answers);
            (answers, device.knobs.pace, device.is_unplugged())
        });
        for answer in answers {
            if pace > Duration::ZERO {
                tokio::time::sleep(pace).await;
            }
            if to.write_all(&answer).await.is_err() {
                return shared.change(Device::unplug);
            }
        }
        if unplugged {
            break;
        }
    }
    // The other side sees the end of the stream, as the kernel sees a plug that is pulled.
    drop(to.shutdown().await);
}

/// Carries bytes between an interface and what stands behind its present setting.
async fn behind(
    interface: usize,
    ports: Vec<Option<Arc<dyn Port>>>,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    loop {
        // What the host sends begins a connection, after the last one ended as at first.
        let begun = shared.until(|device| {
            let begins = device.is_unplugged() || device.has_taken(interface);
            begins.then(|| (device.setting(interface), device.is_unplugged()))
        });
        let begun = tokio::select! {
            () = stop.cancelled() => return,
            begun = begun => begun,
        };
        let Some(((setting, restarts), false)) = begun else {
            return;
        };
        let port = ports.get(usize::from(setting)).cloned().flatten();
        let Some(port) = port else {
            drop(shared.change(|device| device.take(interface)));
            continue;
        };
        let (ours, theirs) = tokio::io::duplex(CABLE_BYTES);
        let ended = shared.until(|device| {
            let goes_on = device.setting(interface) == (setting, restarts);
            (device.is_unplugged() || !goes_on).then_some(())
        });
        let (read, write) = tokio::io::split(ours);
        let carrying = async {
            tokio::join!(
                port.serve(theirs),
                to_port(interface, restarts, write, &shared),
                to_host(interface, restarts, read, &shared),
            )
        };
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ended => {}
            _ = carrying => {}
        }
    }
}

async fn to_port(
    interface: usize,
    restarts: u64,
    mut write: WriteHalf<DuplexStream>,
    shared: &Shared,
) {
    loop {
        let ready = |device: &Device| device.has_taken(interface).then_some(());
        if shared.until(ready).await.is_none() {
            return;
        }
        let taken = shared.change(|device| {
            let is_same = device.setting(interface).1 == restarts;
            is_same.then(|| device.take(interface))
        });
        let Some(taken) = taken else {
            return;
        };
        // What stands there has ended; what comes now begins the next connection.
        if write.write_all(&taken).await.is_err() {
            return;
        }
    }
}

async fn to_host(
    interface: usize,
    restarts: u64,
    mut read: ReadHalf<DuplexStream>,
    shared: &Shared,
) {
    let mut said = BytesMut::with_capacity(CABLE_BYTES);
    loop {
        let ready = |device: &Device| device.has_room(interface).then_some(());
        if shared.until(ready).await.is_none() {
            return;
        }
        said.reserve(CABLE_BYTES);
        match read.read_buf(&mut said).await {
            Ok(1..) => {
                let said: Bytes = said.split().freeze();
                shared.change(|device| device.say(interface, restarts, said));
            }
            Ok(0) | Err(_) => return,
        }
    }
}
