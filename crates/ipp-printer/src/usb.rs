//! IPP over USB: the way to a printer that is plugged into this computer.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;

use loket_usb::{HttpPool, UsbError};
use tokio::sync::Mutex;

use crate::transport::{DialError, DialFuture, Stream, Transport};

/// What a printer over USB is told of itself in requests (IPP over USB 1.0 section 4: the device knows no other name).
pub const USB_PRINTER_URI: &str = "ipp://localhost/ipp/print";

/// The future of an opening.
pub type OpenFuture<'a> = Pin<Box<dyn Future<Output = Result<HttpPool, UsbError>> + Send + 'a>>;

/// Opens one USB device; asked again after it was gone.
pub trait OpenUsb: fmt::Debug + Send + Sync {
    /// Finds the device and takes its interfaces.
    ///
    /// # Errors
    /// [`UsbError`]; nothing of the device is held then.
    fn open(&self) -> OpenFuture<'_>;
}

/// HTTP over USB to one device: opened when it is first dialled, and anew once it was unplugged.
#[derive(Debug)]
pub struct UsbTransport {
    device: Box<dyn OpenUsb>,
    pool: Mutex<Option<HttpPool>>,
}

impl UsbTransport {
    /// The way to a device; nothing is opened yet.
    #[must_use]
    pub fn new(device: Box<dyn OpenUsb>) -> Self {
        Self {
            device,
            pool: Mutex::new(None),
        }
    }

    async fn connect(&self) -> Result<Stream, UsbError> {
        let kept = self.pool.lock().await.clone();
        if let Some(pool) = kept {
            match pool.dial().await {
                Ok(stream) => return Ok(Box::new(stream)),
                Err(error) if !error.is_gone() => return Err(error),
                // Nothing left while dialling: what is plugged in by now may be opened.
                Err(_gone) => self.forget(&pool).await,
            }
        }
        let pool = self.opened().await?;
        let stream = pool.dial().await?;
        Ok(Box::new(stream))
    }

    /// The pool that another caller opened meanwhile, or a new one.
    async fn opened(&self) -> Result<HttpPool, UsbError> {
        let mut kept = self.pool.lock().await;
        if let Some(pool) = kept.as_ref() {
            return Ok(pool.clone());
        }
        let pool = self.device.open().await?;
        *kept = Some(pool.clone());
        Ok(pool)
    }

    /// Lets go of a pool that is over, unless it was replaced already.
    async fn forget(&self, over: &HttpPool) {
        let mut kept = self.pool.lock().await;
        if kept.as_ref().is_some_and(|pool| pool.is_same(over)) {
            *kept = None;
        }
    }
}

impl Transport for UsbTransport {
    fn dial(&self) -> DialFuture<'_> {
        Box::pin(async {
            let dialled = self.connect().await;
            dialled.map_err(|error| DialError::NotReached(io::Error::from(error)))
        })
    }
}
