//! What stands behind an interface: something that answers on a stream of bytes.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::HEXLOWER;
use ring::digest;
use tokio::io::{AsyncReadExt, DuplexStream};
use tokio::sync::watch;

use crate::printer::SimPrinter;
use crate::ticket_printer::SimTicketPrinter;

/// What a port does with a stream.
pub type PortFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Answers on the bulk endpoints of an interface.
///
/// It gets a new stream whenever the host makes the interface begin anew; the one before is dropped.
pub trait Port: fmt::Debug + Send + Sync {
    /// Serves one stream, and returns when it is through with it.
    fn serve(&self, cable: DuplexStream) -> PortFuture;
}

/// A simulated IPP printer behind class 7/1/4: HTTP as on a socket, one connection an interface.
#[derive(Debug, Clone)]
pub struct IppPort {
    printer: Arc<SimPrinter>,
}

impl IppPort {
    /// All interfaces of a device lead to the same printer.
    #[must_use]
    pub fn new(printer: Arc<SimPrinter>) -> Self {
        Self { printer }
    }
}

impl Port for IppPort {
    fn serve(&self, cable: DuplexStream) -> PortFuture {
        Box::pin(self.printer.serve(cable))
    }
}

/// A simulated ticket printer behind class 7/1/2.
#[derive(Debug, Clone)]
pub struct TicketPort {
    printer: Arc<SimTicketPrinter>,
}

impl TicketPort {
    /// The way to this printer.
    #[must_use]
    pub fn new(printer: Arc<SimTicketPrinter>) -> Self {
        Self { printer }
    }
}

impl Port for TicketPort {
    fn serve(&self, cable: DuplexStream) -> PortFuture {
        Box::pin(self.printer.serve(cable))
    }
}

/// Takes bytes, counts them and says nothing.
#[derive(Debug, Clone, Default)]
pub struct ByteSink {
    taken: Arc<Mutex<Taken>>,
    changes: watch::Sender<u64>,
}

struct Taken {
    count: u64,
    digest: digest::Context,
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taken")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl Default for Taken {
    fn default() -> Self {
        Self {
            count: 0,
            digest: digest::Context::new(&digest::SHA256),
        }
    }
}

/// So much is taken at a time.
const PIECE_BYTES: usize = 16 * 1024;

impl ByteSink {
    /// How many bytes came, ever.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.taken().count
    }

    /// The lowercase hex of the SHA-256 of all that came.
    #[must_use]
    pub fn sha256(&self) -> String {
        let so_far = self.taken().digest.clone();
        HEXLOWER.encode(so_far.finish().as_ref())
    }

    /// Waits until so many bytes came.
    ///
    /// # Cancel safety
    /// Dropping the future only stops the waiting: put a deadline around it.
    pub async fn until(&self, count: u64) {
        let mut changes = self.changes.subscribe();
        // Ends with an error only where this sink is gone, which the borrow excludes.
        drop(changes.wait_for(|come| *come >= count).await);
    }

    fn taken(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, bytes: &[u8]) {
        let count = {
            let mut taken = self.taken();
            taken.digest.update(bytes);
            let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            taken.count = taken.count.saturating_add(len);
            taken.count
        };
        self.changes.send_replace(count);
    }
}

impl Port for ByteSink {
    fn serve(&self, mut cable: DuplexStream) -> PortFuture {
        let sink = self.clone();
        Box::pin(async move {
            let mut piece = vec![0; PIECE_BYTES];
            while let Ok(len @ 1..) = cable.read(&mut piece).await {
                sink.take(piece.get(..len).unwrap_or_default());
            }
        })
    }
}
