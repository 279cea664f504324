//! The scenarios, in the order in which they run; `scenarios.txt` names them for whoever checks that all of them ran.

mod discovery;
mod exchange;
mod fault;
mod figures;
mod hotplug;
mod kernel;
mod loketd;
mod pappl;
mod rates;
mod ticket;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

pub(crate) use figures::{ALONE, alone};

type Running = Pin<Box<dyn Future<Output = anyhow::Result<String>> + Send>>;

/// Something that must hold in a real kernel.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) run: fn() -> Running,
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

const fn scenario(name: &'static str, run: fn() -> Running) -> Scenario {
    Scenario { name, run }
}

/// All of them.
pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("kernel-sees-settings", || Box::pin(kernel::settings())),
    scenario("kernel-prints-raw", || Box::pin(kernel::prints())),
    scenario("kernel-sees-unplugging", || Box::pin(kernel::unplugging())),
    scenario("list-and-identity", || Box::pin(discovery::identity())),
    scenario("twins-by-serial", || Box::pin(discovery::twins_by_serial())),
    scenario("twins-by-port", || Box::pin(discovery::twins_by_port())),
    scenario("no-printer", || Box::pin(discovery::no_printer())),
    scenario("lying-descriptors", || Box::pin(discovery::liars())),
    scenario("hotplug-events", || Box::pin(discovery::hotplug())),
    scenario("hotplug-by-udev", || Box::pin(discovery::hotplug_by_udev())),
    scenario("hotplug-wakes-the-daemon", || Box::pin(hotplug::wakes())),
    scenario("hotplug-by-udev-wakes-the-daemon", || {
        Box::pin(hotplug::wakes_by_udev())
    }),
    scenario("device-id-faults", || {
        Box::pin(discovery::device_id_faults())
    }),
    scenario("exchange-instead-of-usblp", || {
        Box::pin(exchange::instead_of_usblp())
    }),
    scenario("exchange-without-zero-packets", || {
        Box::pin(exchange::without_zero_packets())
    }),
    scenario("exchange-with-stray-zero-packets", || {
        Box::pin(exchange::stray_zero_packets())
    }),
    scenario("exchange-ended-by-zero-packet", || {
        Box::pin(exchange::ended_by_zero_packet())
    }),
    scenario("pairs-side-by-side", || Box::pin(exchange::side_by_side())),
    scenario("caller-dropped-midway", || {
        Box::pin(exchange::dropped_midway())
    }),
    scenario("caller-dropped-before-answer", || {
        Box::pin(exchange::dropped_before_answer())
    }),
    scenario("print-job", || Box::pin(exchange::print_job())),
    scenario("unplug-in-document", || {
        Box::pin(fault::unplug_in_document())
    }),
    scenario("unplug-in-answer", || Box::pin(fault::unplug_in_answer())),
    scenario("stall-in-document", || Box::pin(fault::stall_in_document())),
    scenario("stall-in-answer", || Box::pin(fault::stall_in_answer())),
    scenario("silence-in-document", || {
        Box::pin(fault::silence_in_document())
    }),
    scenario("silence-before-answer", || {
        Box::pin(fault::silence_before_answer())
    }),
    scenario("short-answer", || Box::pin(fault::short_answer())),
    scenario("ticket-bytes-counted", || Box::pin(ticket::counted())),
    scenario("ticket-stalled-reader", || {
        Box::pin(ticket::stalled_reader())
    }),
    scenario("loketd-killed-amid-a-document", || {
        Box::pin(loketd::killed_amid_a_document())
    }),
    scenario("loketd-tickets", || Box::pin(loketd::tickets())),
    scenario("gadget-of-pappl", || Box::pin(pappl::prints())),
    scenario("figures", || Box::pin(figures::measured())),
];
