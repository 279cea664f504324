//! The device as a state machine: requests in, answers out.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;

use super::control::{self, Asked};
use super::description::Description;
use super::endpoint::{InPipe, Moved, OutPipe};
use super::faults::{ControlFault, Direction, Fault, Heals, Trigger, UsbKnobs};
use super::report::{InterfaceReport, UsbReport};
use super::wire::{self, Command, Setup, Status, Submit};

/// The kernel's own limit of open requests of one user is memory: 16 MiB in requests of 16 KiB are as many.
const MAX_OPEN_REQUESTS: usize = 1024;

/// Twice what the kernel's usbfs holds for all of its users.
const MAX_WAITING_BYTES: usize = 32 * 1024 * 1024;

/// Faults that wait at one time; a test has one or two.
const MAX_TRIGGERS: usize = 64;

/// A virtual device between its plug and what stands behind its interfaces.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) description: Description,
    pub(crate) knobs: UsbKnobs,
    /// For the host, in order.
    pub(crate) answers: VecDeque<Bytes>,
    interfaces: Vec<State>,
    triggers: Vec<(Trigger, u64)>,
    silent_controls: BTreeSet<u32>,
    configuration: u8,
    report: UsbReport,
}

/// An interface between two restarts.
#[derive(Debug, Default)]
struct State {
    out: OutPipe,
    into_host: InPipe,
    is_silent: bool,
    loses_out: bool,
    loses_in: bool,
    report: InterfaceReport,
}

impl Device {
    pub(crate) fn new(description: Description, knobs: UsbKnobs) -> Self {
        let interfaces = description.interfaces.iter().map(|_| State::default());
        Self {
            interfaces: interfaces.collect(),
            description,
            knobs,
            answers: VecDeque::new(),
            triggers: Vec::new(),
            silent_controls: BTreeSet::new(),
            configuration: 0,
            report: UsbReport::default(),
        }
    }

    /// Hears the host. Its answers come as they can be given.
    pub(crate) fn hear(&mut self, command: Command) {
        match command {
            Command::Unlink { seq, of } => self.unlink(seq, of),
            Command::Submit(submit) if submit.endpoint == 0 => self.control(&submit),
            Command::Submit(submit) => self.bulk(submit),
        }
    }

    /// Sets a fault; those beyond the bound are not set, which the report shows.
    pub(crate) fn arm(&mut self, trigger: Trigger) {
        if self.triggers.len() < MAX_TRIGGERS {
            self.triggers.push((trigger, 0));
            self.advance(usize::from(trigger.interface));
        }
    }

    pub(crate) fn unplug(&mut self) {
        self.report.is_unplugged = true;
    }

    pub(crate) fn is_unplugged(&self) -> bool {
        self.report.is_unplugged
    }

    pub(crate) fn report(&self) -> UsbReport {
        let interfaces = self.interfaces.iter().map(|state| InterfaceReport {
            open_requests: state
                .out
                .open_requests()
                .saturating_add(state.into_host.open_requests()),
            ..state.report.clone()
        });
        UsbReport {
            is_configured: self.configuration != 0,
            interfaces: interfaces.collect(),
            ..self.report.clone()
        }
    }

    /// The interface's alternate setting, and how often it began anew.
    pub(crate) fn setting(&self, interface: usize) -> (u8, u64) {
        let report = self.interfaces.get(interface).map(|state| &state.report);
        report.map_or((0, 0), |report| (report.alternate, report.restarts))
    }

    /// Whether there is something for what stands behind the interface.
    pub(crate) fn has_taken(&self, interface: usize) -> bool {
        let state = self.interfaces.get(interface);
        self.knobs.reads && state.is_some_and(|state| state.out.has_taken())
    }

    /// What stands behind the interface reads.
    pub(crate) fn take(&mut self, interface: usize) -> Bytes {
        if !self.knobs.reads {
            return Bytes::new();
        }
        let state = self.interfaces.get_mut(interface);
        let taken = state.map(|state| state.out.take()).unwrap_or_default();
        self.advance(interface);
        taken
    }

    /// Whether what stands behind the interface may speak.
    pub(crate) fn has_room(&self, interface: usize) -> bool {
        let state = self.interfaces.get(interface);
        state.is_none_or(|state| state.into_host.has_room())
    }

    /// What stands behind the interface speaks; nothing where the interface began anew meanwhile.
    pub(crate) fn say(&mut self, interface: usize, restarts: u64, said: Bytes) {
        let ends_with_zero_packet = self.knobs.ends_with_zero_packet;
        let stray = self.knobs.stray_zero_packets;
        let Some(state) = self.interfaces.get_mut(interface) else {
            return;
        };
        if state.report.restarts != restarts || state.loses_in {
            return;
        }
        for _ in 0..stray {
            state.into_host.say_zero_packet();
        }
        state.into_host.say(said, ends_with_zero_packet);
        self.advance(interface);
    }

    fn bulk(&mut self, submit: Submit) {
        let interface = usize::from(submit.endpoint).saturating_sub(1);
        let is_configured = self.configuration != 0;
        let Some(state) = self.interfaces.get_mut(interface).filter(|_| is_configured) else {
            self.answers
                .push_back(wire::ret_submit(submit.seq, Status::Stall, 0, &[]));
            return;
        };
        if submit.is_in {
            state.into_host.submit(&submit);
        } else {
            state.out.submit(submit);
        }
        let open = state
            .out
            .open_requests()
            .max(state.into_host.open_requests());
        if open > MAX_OPEN_REQUESTS || state.out.waiting_bytes() > MAX_WAITING_BYTES {
            self.unplug();
        }
        self.advance(interface);
    }

    /// Moves what can move on an interface, up to the next fault and past it.
    fn advance(&mut self, interface: usize) {
        loop {
            let out = self.until_fault(interface, Direction::Out);
            let into_host = self.until_fault(interface, Direction::In);
            if self.report.is_unplugged {
                return;
            }
            let Some(state) = self.interfaces.get_mut(interface) else {
                return;
            };
            if state.is_silent {
                return;
            }
            let taken = state.out.advance(out, state.loses_out, &mut self.answers);
            let given = state.into_host.advance(into_host, &mut self.answers);
            state.count(taken, given);
            let fired_out = self.fire(interface, Direction::Out, taken.bytes);
            let fired_in = self.fire(interface, Direction::In, given.bytes);
            if !fired_out && !fired_in {
                return;
            }
        }
    }

    /// How many bytes may go this way before something happens.
    fn until_fault(&self, interface: usize, direction: Direction) -> u64 {
        let here = self
            .triggers
            .iter()
            .filter(|(trigger, _)| trigger.is_at(interface, direction));
        let rest = here.map(|(trigger, moved)| trigger.after_bytes.saturating_sub(*moved));
        rest.min().unwrap_or(u64::MAX)
    }

    /// Counts bytes towards the faults that wait for them; true where one of them happened.
    fn fire(&mut self, interface: usize, direction: Direction, bytes: u64) -> bool {
        let mut due = Vec::new();
        self.triggers.retain_mut(|(trigger, moved)| {
            if !trigger.is_at(interface, direction) {
                return true;
            }
            *moved = moved.saturating_add(bytes);
            let waits = *moved < trigger.after_bytes;
            if !waits {
                due.push(trigger.fault);
            }
            waits
        });
        let has_fired = !due.is_empty();
        for fault in due {
            self.happen(interface, direction, fault);
        }
        has_fired
    }

    fn happen(&mut self, interface: usize, direction: Direction, fault: Fault) {
        let Some(state) = self.interfaces.get_mut(interface) else {
            return;
        };
        state.report.faults_fired = state.report.faults_fired.saturating_add(1);
        match (fault, direction) {
            (Fault::Unplug, _) => self.unplug(),
            (Fault::Stall, Direction::Out) => state.out.is_halted = true,
            (Fault::Stall, Direction::In) => state.into_host.is_halted = true,
            (Fault::Silence, _) => state.is_silent = true,
            (Fault::Cut, Direction::Out) => state.loses_out = true,
            (Fault::Cut, Direction::In) => {
                state.loses_in = true;
                state.into_host.restart();
            }
        }
    }

    fn unlink(&mut self, seq: u32, of: u32) {
        let pipes = self.interfaces.iter_mut();
        let mut taken_back = pipes
            .filter_map(|state| state.out.unlink(of).or_else(|| state.into_host.unlink(of)))
            .next();
        if self.silent_controls.remove(&of) {
            taken_back = Some(wire::ret_submit(of, Status::Unlinked, 0, &[]));
        }
        // A host that was told how far a request came counts those bytes; one that is only told that it ended does not.
        if let Some(answer) = taken_back {
            self.report.unlinked = self.report.unlinked.saturating_add(1);
            self.answers.push_back(answer);
        }
        self.answers
            .push_back(wire::ret_unlink(seq, Status::Success));
    }

    fn control(&mut self, submit: &Submit) {
        let setup = submit.setup;
        let asked = Asked::read(setup);
        let fault = control::fault(&asked, &self.knobs);
        if matches!(asked, Asked::DeviceId) {
            self.report.device_id_requests = self.report.device_id_requests.saturating_add(1);
        }
        let answer = match fault {
            Some(ControlFault::Silence) => {
                self.silent_controls.insert(submit.seq);
                if self.silent_controls.len() > MAX_OPEN_REQUESTS {
                    self.unplug();
                }
                return;
            }
            Some(ControlFault::Stall) => None,
            Some(ControlFault::OneByte) => self.obey(&asked, setup).map(|mut answer| {
                answer.truncate(1);
                answer
            }),
            None => self.obey(&asked, setup),
        };
        let answer = match answer {
            None => wire::ret_submit(submit.seq, Status::Stall, 0, &[]),
            Some(mut data) if submit.is_in => {
                data.truncate(usize::from(setup.length).min(submit.len));
                wire::ret_submit(submit.seq, Status::Success, data.len(), &data)
            }
            Some(_) => wire::ret_submit(submit.seq, Status::Success, submit.data.len(), &[]),
        };
        self.answers.push_back(answer);
    }

    /// Does what the control endpoint is asked; none where that is refused.
    fn obey(&mut self, asked: &Asked, setup: Setup) -> Option<Vec<u8>> {
        match *asked {
            Asked::Descriptor { kind, number } => self.description.descriptor(kind, number),
            Asked::Configuration => Some(vec![self.configuration]),
            Asked::SetConfiguration(number) => self.configure(number).then(Vec::new),
            Asked::Alternate { interface } => Some(vec![self.setting(interface.into()).0]),
            Asked::SetAlternate { interface, setting } => {
                self.choose(interface, setting).then(Vec::new)
            }
            // Powered by itself, and nothing halted that anybody asked for.
            Asked::Status => Some(vec![1, 0]),
            Asked::EndpointStatus { endpoint } => Some(vec![u8::from(*self.halt(endpoint)?), 0]),
            Asked::ClearHalt { endpoint } => {
                *self.halt(endpoint)? = false;
                let state = self.interfaces.get_mut(pair(endpoint))?;
                state.report.halts_cleared = state.report.halts_cleared.saturating_add(1);
                self.advance(pair(endpoint));
                Some(Vec::new())
            }
            Asked::SetHalt { endpoint } => {
                *self.halt(endpoint)? = true;
                self.advance(pair(endpoint));
                Some(Vec::new())
            }
            Asked::DeviceId => Some(self.description.device_id()),
            Asked::PortStatus => Some(vec![self.knobs.port_status]),
            Asked::SoftReset => {
                let [interface, _] = setup.index.to_le_bytes();
                let state = self.interfaces.get_mut(usize::from(interface))?;
                state.report.soft_resets = state.report.soft_resets.saturating_add(1);
                self.restart(interface.into(), Heals::Interface);
                Some(Vec::new())
            }
            Asked::Unknown => None,
        }
    }

    fn configure(&mut self, number: u8) -> bool {
        if number > 1 {
            return false;
        }
        self.configuration = number;
        self.report.configurations = self.report.configurations.saturating_add(1);
        for interface in 0..self.interfaces.len() {
            if let Some(state) = self.interfaces.get_mut(interface) {
                state.report.alternate = 0;
            }
            self.restart(interface, Heals::Device);
        }
        true
    }

    fn choose(&mut self, interface: u8, setting: u8) -> bool {
        let described = self.description.interfaces.get(usize::from(interface));
        let exists = described.is_some_and(|it| it.alternates.len() > usize::from(setting));
        if let Some(state) = self
            .interfaces
            .get_mut(usize::from(interface))
            .filter(|_| exists)
        {
            state.report.alternate = setting;
            self.restart(interface.into(), Heals::Interface);
        }
        exists
    }

    fn restart(&mut self, interface: usize, by: Heals) {
        let is_healed = by >= self.knobs.heals;
        if let Some(state) = self.interfaces.get_mut(interface) {
            state.report.restarts = state.report.restarts.saturating_add(1);
            state.out.restart();
            state.into_host.restart();
            if is_healed {
                state.is_silent = false;
                state.loses_out = false;
                state.loses_in = false;
            }
        }
        self.advance(interface);
    }

    fn halt(&mut self, endpoint: u8) -> Option<&mut bool> {
        let state = self.interfaces.get_mut(pair(endpoint))?;
        Some(if endpoint & 0x80 == 0 {
            &mut state.out.is_halted
        } else {
            &mut state.into_host.is_halted
        })
    }
}

impl State {
    fn count(&mut self, taken: Moved, given: Moved) {
        let report = &mut self.report;
        report.received_bytes = report.received_bytes.saturating_add(taken.bytes);
        report.zero_packets = report.zero_packets.saturating_add(taken.zero_packets);
        report.sent_bytes = report.sent_bytes.saturating_add(given.bytes);
    }
}

impl Trigger {
    fn is_at(&self, interface: usize, direction: Direction) -> bool {
        usize::from(self.interface) == interface && self.direction == direction
    }
}

/// The interface of an endpoint's address; one that no interface has for endpoint 0.
fn pair(endpoint: u8) -> usize {
    usize::from(endpoint & 0x0f)
        .checked_sub(1)
        .unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
