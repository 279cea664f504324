//! Printing waits for the journal's check after an unclean stop; everything else goes on meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use loket_device_profile::Profiles;
use loket_domain::print::{PrinterSurvey, RemoteJob, Sighting};
use loket_ipp_printer::IppError;
use loket_wire::Class;

use crate::config::Config;
use crate::device::{DeviceFault, DeviceFuture, IppDevice, Made, Printer, PrinterStatus};
use crate::supervisor::RunError;

/// Opens once, for all printers behind it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate(Arc<AtomicBool>);

impl Gate {
    /// Lets everything through from here on.
    pub(crate) fn open(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn check(&self) -> Result<(), DeviceFault> {
        if self.0.load(Ordering::Acquire) {
            return Ok(());
        }
        let source = std::io::Error::other("the journal is being checked");
        Err(DeviceFault::Wait(IppError::NotReached { source }))
    }
}

/// A printer behind a gate: while it is shut every operation but its state says *wait*.
#[derive(Debug)]
pub(crate) struct Gated<P> {
    printer: P,
    gate: Gate,
}

impl<P> Gated<P> {
    /// Puts `printer` behind `gate`.
    pub(crate) const fn new(printer: P, gate: Gate) -> Self {
        Self { printer, gate }
    }
}

impl<P: Printer> Printer for Gated<P> {
    fn survey(&self) -> DeviceFuture<'_, PrinterSurvey> {
        Box::pin(async {
            self.gate.check()?;
            self.printer.survey().await
        })
    }

    fn status(&self) -> DeviceFuture<'_, PrinterStatus> {
        self.printer.status()
    }

    fn create<'a>(&'a self, name: &'a str) -> DeviceFuture<'a, Made> {
        Box::pin(async move {
            self.gate.check()?;
            self.printer.create(name).await
        })
    }

    fn locate<'a>(&'a self, name: &'a str) -> DeviceFuture<'a, Sighting> {
        Box::pin(async move {
            self.gate.check()?;
            self.printer.locate(name).await
        })
    }

    fn send<'a>(
        &'a self,
        job: &'a RemoteJob,
        format: &'a str,
        document: Bytes,
    ) -> DeviceFuture<'a, ()> {
        Box::pin(async move {
            self.gate.check()?;
            self.printer.send(job, format, document).await
        })
    }

    fn print<'a>(
        &'a self,
        name: &'a str,
        class: Class,
        format: &'a str,
        document: Bytes,
    ) -> DeviceFuture<'a, Made> {
        Box::pin(async move {
            self.gate.check()?;
            self.printer.print(name, class, format, document).await
        })
    }

    fn look<'a>(&'a self, job: &'a RemoteJob) -> DeviceFuture<'a, Sighting> {
        Box::pin(async move {
            self.gate.check()?;
            self.printer.look(job).await
        })
    }

    fn cancel<'a>(&'a self, job: &'a RemoteJob) -> DeviceFuture<'a, ()> {
        Box::pin(async move {
            self.gate.check()?;
            self.printer.cancel(job).await
        })
    }
}

/// The printers of the settings, by name, each behind the gate.
pub(crate) fn behind_gate(
    config: &Config,
    gate: &Gate,
    profiles: &Arc<Profiles>,
) -> Result<BTreeMap<String, Arc<dyn Printer>>, RunError> {
    let mut printers: BTreeMap<String, Arc<dyn Printer>> = BTreeMap::new();
    for printer in &config.printers {
        let name = printer.name.clone();
        let device = IppDevice::new(printer, &config.machine, Arc::clone(profiles));
        let device = device.map_err(|source| RunError::Printer {
            name: name.clone(),
            source: Box::new(source),
        })?;
        printers.insert(name, Arc::new(Gated::new(device, gate.clone())));
    }
    Ok(printers)
}
