//! The three requests of the printer class.
//!
//! # Source
//! USB Printer Class 1.1 section 4.2.

use std::time::Duration;

use crate::error::{Doing, UsbError};
use crate::pipe::{ClassControl, ClassRequest, PipeFault};
use crate::plugged::Place;
use crate::quirks::SoftResetTo;

const DEVICE_ID: u8 = 0;
const PORT_STATUS: u8 = 1;
const SOFT_RESET: u8 = 2;

/// A control transfer must end within 5 s (USB 2.0 section 9.2.6.1).
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest device id that is asked for; the longest met has some 400 bytes, and Linux asks for 1024.
pub(crate) const MAX_DEVICE_ID_BYTES: u16 = 1024;

fn to_interface(place: Place, request: u8) -> ClassRequest {
    ClassRequest {
        to_other: false,
        request,
        value: 0,
        index: u16::from(place.interface),
    }
}

fn failed(doing: Doing) -> impl Fn(PipeFault) -> UsbError {
    move |fault| match fault {
        PipeFault::Cancelled => UsbError::TimedOut {
            doing,
            quiet_ms: u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX),
        },
        PipeFault::Unplugged | PipeFault::Stalled | PipeFault::Broken | PipeFault::System(_) => {
            fault.while_doing(doing)
        }
    }
}

/// GET_DEVICE_ID, as the device answers it.
pub(crate) async fn device_id(
    control: &dyn ClassControl,
    place: Place,
) -> Result<Vec<u8>, UsbError> {
    // Interface and setting in one number, the interface in its high byte; wValue is the index of the configuration.
    let request = ClassRequest {
        index: u16::from_be_bytes([place.interface, place.setting]),
        ..to_interface(place, DEVICE_ID)
    };
    let asked = control.ask(request, MAX_DEVICE_ID_BYTES, PATIENCE).await;
    asked.map_err(failed(Doing::AskingDeviceId))
}

/// GET_PORT_STATUS, as the device answers it.
pub(crate) async fn port_status(control: &dyn ClassControl, place: Place) -> Result<u8, UsbError> {
    let asked = control
        .ask(to_interface(place, PORT_STATUS), 1, PATIENCE)
        .await;
    let answer = asked.map_err(failed(Doing::AskingPortStatus))?;
    // A device that answers nothing has nothing to say about its port.
    answer.first().copied().ok_or(UsbError::Stalled {
        doing: Doing::AskingPortStatus,
    })
}

/// What clearing a stall means after SOFT_RESET, which cleared it already: some firmware refuses the second time.
pub(crate) fn halt_cleared(cleared: Result<(), PipeFault>) -> Result<(), UsbError> {
    match cleared {
        Err(fault @ PipeFault::Unplugged) => Err(fault.while_doing(Doing::SoftReset)),
        Ok(())
        | Err(
            PipeFault::Cancelled | PipeFault::Stalled | PipeFault::Broken | PipeFault::System(_),
        ) => Ok(()),
    }
}

/// SOFT_RESET to the one that is named, and where that stalls to the other one.
pub(crate) async fn soft_reset(
    control: &dyn ClassControl,
    place: Place,
    to: SoftResetTo,
) -> Result<(), UsbError> {
    let first = ClassRequest {
        to_other: to == SoftResetTo::Other,
        ..to_interface(place, SOFT_RESET)
    };
    let second = ClassRequest {
        to_other: !first.to_other,
        ..first
    };
    let told = match control.tell(first, PATIENCE).await {
        Err(PipeFault::Stalled) => control.tell(second, PATIENCE).await,
        told => told,
    };
    told.map_err(failed(Doing::SoftReset))
}
