//! An opened device and its claimed interfaces.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use nusb::transfer::{Bulk, In, Out};
use tokio::time::timeout;

use super::error;
use super::list::info;
use super::transfer::{Control, Input, Output};
use crate::descriptor::DescriptorFault;
use crate::error::{Doing, UsbError};
use crate::identity::Identity;
use crate::pipe::{BulkIn, Claimed, Device, PipeFuture};
use crate::plugged::{Place, Plugged};

/// The kernel tries an enumeration four times, with control transfers of 5 s each: what takes longer than this hangs.
const KERNEL_PATIENCE: Duration = Duration::from_secs(30);

/// Opens the device that is listed as `plugged`.
///
/// # Errors
/// [`UsbError::Unplugged`] where it is there no more, [`UsbError::Denied`].
pub(crate) async fn open(plugged: &Plugged) -> Result<Arc<dyn Device>, UsbError> {
    Ok(Arc::new(
        within(
            Doing::Opening,
            Native::open(plugged.identity.clone(), plugged.number),
        )
        .await?,
    ))
}

/// A device of this computer.
struct Native {
    device: nusb::Device,
    identity: Identity,
    number: u8,
}

impl Native {
    /// Opens what hangs at that socket under that number, where it is still the same.
    async fn open(identity: Identity, number: u8) -> Result<Self, UsbError> {
        let doing = Doing::Opening;
        let info = info(identity.clone(), number).await?;
        let device = info.open().await.map_err(|failed| error(doing, &failed))?;
        Ok(Self {
            device,
            identity,
            number,
        })
    }

    async fn claim(&self, place: Place) -> Result<Claimed, UsbError> {
        let doing = Doing::Claiming;
        let failed = |failed: nusb::Error| error(doing, &failed);
        let number = place.interface;
        let interface = self.device.detach_and_claim_interface(number).await;
        let interface = interface.map_err(failed)?;
        // Setting 0 is selected too: the request puts the data toggles of the interface back to their beginning.
        interface
            .set_alt_setting(place.setting)
            .await
            .map_err(failed)?;
        let output = interface.endpoint::<Bulk, Out>(place.out.address);
        let output = output.map_err(failed)?;
        let input = match place.input {
            Some(pipe) => {
                let input = interface
                    .endpoint::<Bulk, In>(pipe.address)
                    .map_err(failed)?;
                // The list was made of the same bytes; a length of 0 would be divided by.
                if input.max_packet_size() != pipe.packet_len {
                    return Err(UsbError::BadDescriptor {
                        device: self.identity.model.to_string(),
                        fault: DescriptorFault::PacketLen {
                            interface: number,
                            len: u16::try_from(input.max_packet_size()).unwrap_or(u16::MAX),
                        },
                    });
                }
                let input: Box<dyn BulkIn> = Box::new(Input::new(input));
                Some(input)
            }
            None => None,
        };
        Ok(Claimed {
            place,
            out: Box::new(Output::new(output)),
            input,
            control: Box::new(Control::new(interface)),
        })
    }

    async fn reset(&self) -> Result<Self, UsbError> {
        let failed = |failed: nusb::Error| error(Doing::HardReset, &failed);
        self.device.reset().await.map_err(failed)?;
        Self::open(self.identity.clone(), self.number).await
    }
}

impl fmt::Debug for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Native")
            .field("identity", &self.identity)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl Device for Native {
    fn claim(&self, place: Place) -> PipeFuture<'_, Result<Claimed, UsbError>> {
        Box::pin(within(Doing::Claiming, self.claim(place)))
    }

    fn reset(&self) -> PipeFuture<'_, Result<Arc<dyn Device>, UsbError>> {
        Box::pin(async {
            let device = within(Doing::HardReset, self.reset()).await?;
            let device: Arc<dyn Device> = Arc::new(device);
            Ok(device)
        })
    }
}

/// Ends the wait for the kernel; what it does then goes on in its own thread.
async fn within<T>(
    doing: Doing,
    wait: impl Future<Output = Result<T, UsbError>>,
) -> Result<T, UsbError> {
    timeout(KERNEL_PATIENCE, wait)
        .await
        .unwrap_or_else(|_late| {
            Err(UsbError::TimedOut {
                doing,
                quiet_ms: u64::try_from(KERNEL_PATIENCE.as_millis()).unwrap_or(u64::MAX),
            })
        })
}
