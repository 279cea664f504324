//! A simulated printer behind a wire like USB's: each byte that it takes is counted, on paused time.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use loket_sim::ticket_printer::{Device, Item, Knobs, Slip, Speaks};
use loket_ticket_printer::{
    Answering, Labels, Number, OpenError, OpenFuture, Outcome, Port, PortFuture, PortStatus,
    Profile, QrBy, QrPayload, Text, Ticket, TicketDetails, TicketPrinter, Transport, Written,
};
use tokio::time::{Instant, sleep_until};

/// A device, and the wire to it.
#[derive(Debug, Clone)]
pub(crate) struct Bench {
    device: Arc<Mutex<Device>>,
    started: Instant,
    /// Tells the state of its interface, as USB printers do.
    pub(crate) has_port_status: bool,
    /// The way ends where the printer's power does: always, but for a box in between that has its own.
    pub(crate) breaks_with_power: bool,
}

impl Bench {
    pub(crate) fn new(profile: &Profile, knobs: Knobs) -> Self {
        Self {
            device: Arc::new(Mutex::new(Device::new(profile.dots, knobs))),
            started: Instant::now(),
            has_port_status: false,
            breaks_with_power: false,
        }
    }

    pub(crate) fn device(&self) -> MutexGuard<'_, Device> {
        self.device.lock().unwrap()
    }

    pub(crate) fn now(&self) -> Duration {
        Instant::now() - self.started
    }

    pub(crate) fn turn(&self, change: impl FnOnce(&mut Knobs)) {
        let mut device = self.device();
        let mut knobs = device.knobs().clone();
        change(&mut knobs);
        device.turn(knobs, self.now());
    }

    /// Everything mended: paper in, cover closed, cable in.
    pub(crate) fn mend(&self) {
        self.turn(|knobs| {
            let speaks = knobs.speaks;
            *knobs = Knobs {
                speaks,
                ..Knobs::default()
            };
        });
    }

    pub(crate) fn printer(&self, profile: &Profile) -> TicketPrinter {
        TicketPrinter::new(Box::new(self.clone()), profile.clone(), 1).unwrap()
    }

    /// What came out, without blank slips.
    pub(crate) fn slips(&self) -> Vec<Slip> {
        let device = self.device();
        device
            .slips()
            .filter(|slip| !slip.is_blank())
            .cloned()
            .collect()
    }

    /// The slips on which this number can be read whole.
    pub(crate) fn with_number(&self, number: &str) -> Vec<Slip> {
        let has = |slip: &Slip| slip.text().contains(&number);
        self.slips().into_iter().filter(has).collect()
    }
}

impl Transport for Bench {
    fn open(&self, _within: Duration) -> OpenFuture<'_> {
        Box::pin(async move {
            if self.device().is_unplugged() {
                return Err(OpenError::NotThere(io::ErrorKind::NotFound.into()));
            }
            self.device().connect(self.now());
            let power_cycles = self.device().power_cycles();
            let port: Box<dyn Port> = Box::new(BenchPort(self.clone(), power_cycles));
            Ok(port)
        })
    }
}

#[derive(Debug)]
struct BenchPort(Bench, u32);

impl BenchPort {
    fn gone() -> io::Error {
        io::ErrorKind::BrokenPipe.into()
    }

    fn is_gone(&self) -> bool {
        let device = self.0.device();
        let is_off = self.0.breaks_with_power && device.power_cycles() != self.1;
        device.is_unplugged() || is_off
    }

    /// Waits until the device has something to do, or `until`.
    async fn wait(&self, until: Instant) {
        let now = self.0.now();
        let due = self.0.device().tick(now);
        let due = due.map_or(until, |due| until.min(self.0.started + due));
        sleep_until(due).await;
    }
}

impl Port for BenchPort {
    fn write<'a>(&'a mut self, bytes: &'a [u8], stall: Duration) -> PortFuture<'a, Written> {
        Box::pin(async move {
            let mut accepted = 0;
            let mut last = Instant::now() + stall;
            loop {
                let now = self.0.now();
                let taken = self.0.device().receive(&bytes[accepted..], now);
                accepted += taken;
                let ended = if self.is_gone() {
                    Some(Self::gone())
                } else if taken == 0 && Instant::now() >= last {
                    Some(io::ErrorKind::TimedOut.into())
                } else {
                    None
                };
                if accepted == bytes.len() || ended.is_some() {
                    let at_most = accepted;
                    return Written {
                        accepted,
                        at_most,
                        ended,
                    };
                }
                if taken > 0 {
                    last = Instant::now() + stall;
                }
                self.wait(last).await;
            }
        })
    }

    fn read<'a>(
        &'a mut self,
        into: &'a mut [u8],
        within: Duration,
    ) -> PortFuture<'a, io::Result<usize>> {
        Box::pin(async move {
            let until = Instant::now() + within;
            loop {
                let now = self.0.now();
                let answers = self.0.device().answers(now);
                if !answers.is_empty() {
                    into[..answers.len()].copy_from_slice(&answers);
                    return Ok(answers.len());
                }
                if self.is_gone() {
                    return Err(Self::gone());
                }
                if Instant::now() >= until {
                    return Ok(0);
                }
                self.wait(until).await;
            }
        })
    }

    fn status(&mut self) -> PortFuture<'_, Option<PortStatus>> {
        let byte = self.0.device().port_status();
        let status = self.0.has_port_status.then_some(PortStatus {
            paper_empty: byte & 0x20 != 0,
            selected: byte & 0x10 != 0,
            error: byte & 0x08 == 0,
        });
        Box::pin(std::future::ready(status))
    }

    fn finish(&mut self, _within: Duration) -> PortFuture<'_, io::Result<()>> {
        let ended = if self.is_gone() {
            Err(Self::gone())
        } else {
            Ok(())
        };
        Box::pin(std::future::ready(ended))
    }
}

pub(crate) const ADDRESS: &str = "https://192.0.2.7:8443/t/01996a3c-7d52-7b1e-9d0c-2f6a5b1c4e90";

/// A ticket as an office gives it.
pub(crate) fn ticket(number: &str) -> Ticket {
    let text = |text: &str| Text::new(text).unwrap();
    let details = TicketDetails {
        number: Number::new(number).unwrap(),
        service: text("Penerbitan KK Karena Rusak"),
        office: text("Disdukcapil Kota Contoh"),
        taken_on: text("Jumat, 27 November 2026"),
        taken_at: text("08.41 WIB"),
        waiting: Some(7),
        code: Some(QrPayload::new(ADDRESS).unwrap()),
        notes: [
            "Formulir F-1.02 yang telah diisi lengkap",
            "KK yang rusak",
            "KTP-el",
        ]
        .map(text)
        .to_vec(),
    };
    Ticket::new(details, Labels::indonesian().unwrap())
}

/// A model that answers so, and draws codes so.
pub(crate) fn profile(answering: Answering, qr: QrBy) -> Profile {
    Profile {
        answering,
        qr,
        ..Profile::plain_80mm()
    }
}

/// The knobs of a printer that answers so.
pub(crate) fn speaking(answering: Answering) -> Knobs {
    let speaks = match answering {
        Answering::Nothing => Speaks::Nothing,
        Answering::Status => Speaks::Status,
        Answering::InLine => Speaks::InLine,
        Answering::ProcessId => Speaks::Words,
    };
    Knobs {
        speaks,
        ..Knobs::default()
    }
}

pub(crate) const ANSWERING: [Answering; 4] = [
    Answering::Nothing,
    Answering::Status,
    Answering::InLine,
    Answering::ProcessId,
];

/// True where a slip is the whole ticket and nothing but it; white above it does no harm.
pub(crate) fn is_whole(slip: &Slip, clean: &Slip) -> bool {
    let begun = |slip: &Slip| -> Vec<Item> {
        let white = |item: &&Item| matches!(item, Item::Feed { .. });
        slip.items.iter().skip_while(white).cloned().collect()
    };
    begun(slip) == begun(clean) && slip.is_cut == clean.is_cut
}

/// The slip of a ticket on a sound printer.
pub(crate) async fn clean_slip(profile: &Profile, ticket: &Ticket) -> Slip {
    let bench = Bench::new(profile, speaking(profile.answering));
    let outcome = bench.printer(profile).print(ticket).await;
    let expected = profile.answering < Answering::InLine;
    assert_eq!(outcome.confirm_on_screen(), expected, "{outcome:?}");
    let mut slips = bench.slips();
    assert_eq!(slips.len(), 1, "{slips:?}");
    slips.remove(0)
}

/// The size of the line on which this text stands.
pub(crate) fn size_of(slip: &Slip, text: &str) -> Option<(u8, u8)> {
    slip.items.iter().find_map(|item| match item {
        Item::Line {
            text: line, style, ..
        } if line.trim() == text => Some((style.width, style.height)),
        Item::Line { .. } | Item::Code { .. } | Item::Raster { .. } | Item::Feed { .. } => None,
    })
}

pub(crate) fn name_of(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Printed { .. } => "printed",
        Outcome::Accepted { .. } => "accepted",
        Outcome::NotPrinted(_) => "not printed",
        Outcome::Unclear { .. } => "unclear",
    }
}
