//! The hotplug unit: hears what is plugged in and out by USB, and wakes who looks at or waits for a printer of the settings.
//!
//! It opens and asks nothing: a health look and a job's next try do that, sooner than they would have. Everything goes on as
//! it does without this unit where it is late, wrong or silent (docs/adr/0062).
//!
//! ```text
//! loket_usb::Watch ──events──► Cable (one a printer) ──► Plug ──► the health unit's look, the print unit's pause
//! ```

mod cable;
mod plugs;

use std::time::Duration;

use loket_usb::{DeviceAddress, Event, UsbError, Watch};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

pub use plugs::{Plug, Plugs};

use crate::config::Config;
use crate::standstill::Standstill;
use crate::telemetry::chain;
use cable::Cable;

/// Where no udev runs the list of devices is read so often: an officer who plugs a cable in sees it within a second, and a
/// list of ten devices takes less than a millisecond of a processor.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// After a list that could not be read the next one is tried this late: a computer whose USB cannot be read rarely mends.
const BROKEN_PAUSE: Duration = Duration::from_secs(10);

/// What hears of printers on cables.
#[derive(Debug)]
pub struct HotplugUnit {
    watch: Watch,
    cables: Vec<(Cable, watch::Sender<bool>)>,
}

impl HotplugUnit {
    /// The unit for the printers of the settings that are on USB cables, and what it tells; none where there is no such
    /// printer: then nothing is watched, and no thread is started.
    #[must_use]
    pub fn of(config: &Config) -> Option<(Self, Plugs)> {
        let printers = config.printers.iter().filter_map(|printer| {
            // What is wrong with an address was told when the settings were read.
            let address = printer.usb().ok().flatten()?;
            Some((printer.name.clone(), address))
        });
        let of_tickets = config.ticket_printer.iter();
        let of_tickets = of_tickets.filter_map(|it| Some((it.name.clone(), it.usb()?)));
        let printers: Vec<(String, DeviceAddress)> = printers.chain(of_tickets).collect();
        (!printers.is_empty()).then(|| Self::over(loket_usb::watch(LOOK_EVERY), printers))
    }

    /// The unit for these printers, by their names, over what tells of devices.
    #[must_use]
    pub fn over(watch: Watch, printers: Vec<(String, DeviceAddress)>) -> (Self, Plugs) {
        let mut plugs = Plugs::default();
        let mut cables = Vec::with_capacity(printers.len());
        for (name, address) in printers {
            let (told, heard) = watch::channel(false);
            plugs.add(&name, heard);
            cables.push((Cable::new(name, address), told));
        }
        (Self { watch, cables }, plugs)
    }

    /// Runs until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let standstill = Standstill::default();
        let mut broken_until = None;
        loop {
            let due = self
                .cables
                .iter()
                .filter_map(|(cable, _told)| cable.due())
                .min();
            tokio::select! {
                () = stop.cancelled() => return,
                heard = self.watch.next(), if broken_until.is_none() => {
                    broken_until = self.hear(&heard, &standstill);
                }
                () = until(broken_until), if broken_until.is_some() => broken_until = None,
                () = until(due), if due.is_some() => self.tell(),
            }
        }
    }

    /// Notes what hangs at each cable; until when the bus is left alone where it could not be read.
    fn hear(
        &mut self,
        heard: &Result<Event, UsbError>,
        standstill: &Standstill,
    ) -> Option<Instant> {
        let now = Instant::now();
        if let Err(error) = heard {
            let why = chain(error);
            if standstill.begins(&why) {
                tracing::warn!(
                    error = why,
                    "devices on USB cannot be listed; printers there are looked at as those on the network"
                );
            }
            return Some(now + BROKEN_PAUSE);
        }
        if standstill.ends() {
            tracing::info!("devices on USB are listed again");
        }
        for (cable, _told) in &mut self.cables {
            cable.see(self.watch.plugged(), now);
        }
        None
    }

    /// Tells what is due to be told.
    fn tell(&mut self) {
        let now = Instant::now();
        for (cable, told) in &mut self.cables {
            if let Some(is_there) = cable.tell(now) {
                let what = if is_there { "plugged in" } else { "unplugged" };
                tracing::info!(device.id = cable.name(), "printer {what}");
                // Who is told may have ended already, at the program's end.
                told.send_replace(is_there);
            }
        }
    }
}

/// Waits for a moment; never where there is none.
async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
