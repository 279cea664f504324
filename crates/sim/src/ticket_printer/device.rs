//! The printer itself, without wires: bytes in, bytes out, paper in between.
//!
//! ```text
//! receive ──> buffer ──> Reader ──> Print ──> slips
//!    └─ DLE EOT, at once ┐    └─ GS r, in line ┐
//!                        └────> answers <──────┘
//! ```
//!
//! It is told the time and takes none, so it stands behind a socket as well as behind a virtual USB
//! interface: [`Device::receive`] is its OUT endpoint, [`Device::answers`] its IN endpoint.

use std::collections::VecDeque;
use std::time::Duration;

use super::command::{Command, Reader};
use super::knobs::{Knobs, Speaks, Truth};
use super::print::{Halt, Print};
use super::slip::Slip;

/// A host that never reads its answers.
const MAX_ANSWERS: usize = 4_096;

/// A timer that fires late is made up for, up to here; a printer that had nothing to do is not.
const MAX_LAG: Duration = Duration::from_millis(20);

const DLE: u8 = 0x10;
const EOT: u8 = 0x04;
const DC4: u8 = 0x14;

/// A simulated ticket printer.
#[derive(Debug)]
pub struct Device {
    knobs: Knobs,
    print: Print,
    reader: Reader,
    buffer: VecDeque<u8>,
    /// A command that waits for paper or a closed cover.
    halted: Option<Command>,
    cutter_stuck: bool,
    /// The last bytes received, in which a command is looked for that is executed on receipt.
    tail: [u8; 3],
    /// Answers, each with the moment at which it leaves.
    answers: VecDeque<(Duration, u8)>,
    automatic: u8,
    /// The last that it told by itself.
    told: Option<[u8; 4]>,
    received: u64,
    worked: u64,
    /// From when on the next byte may be worked through.
    free_at: Duration,
    is_unplugged: bool,
    power_cycles: u32,
}

impl Device {
    /// A printer with `dots` a line (384 for 58 mm, 576 for 80 mm) and these knobs.
    #[must_use]
    pub fn new(dots: u16, knobs: Knobs) -> Self {
        Self {
            print: Print::new(dots, knobs.double_byte),
            knobs,
            reader: Reader::default(),
            buffer: VecDeque::new(),
            halted: None,
            cutter_stuck: false,
            tail: [0; 3],
            answers: VecDeque::new(),
            automatic: 0,
            told: None,
            received: 0,
            worked: 0,
            free_at: Duration::ZERO,
            is_unplugged: false,
            power_cycles: 0,
        }
    }

    /// Its knobs.
    #[must_use]
    pub fn knobs(&self) -> &Knobs {
        &self.knobs
    }

    /// Turns its knobs: paper put in, a cover closed, a knife freed.
    pub fn turn(&mut self, knobs: Knobs, now: Duration) {
        self.is_unplugged = self.is_unplugged && knobs.unplugs_at == self.knobs.unplugs_at;
        self.cutter_stuck = self.cutter_stuck && knobs.cutter_jams;
        self.knobs = knobs;
        self.work(now);
        self.tell(now);
    }

    /// How many bytes it takes: none while its buffer is full, or the way to it is broken.
    #[must_use]
    pub fn room(&self) -> usize {
        if self.is_unplugged {
            return 0;
        }
        self.knobs.buffer_bytes.saturating_sub(self.buffer.len())
    }

    /// Takes bytes up to its room; says how many it took.
    pub fn receive(&mut self, bytes: &[u8], now: Duration) -> usize {
        let mut taken = 0_usize;
        for byte in bytes.iter().take(self.room()) {
            if self.knobs.unplugs_at.is_some_and(|at| self.received >= at) {
                self.is_unplugged = true;
                break;
            }
            self.received = self.received.saturating_add(1);
            taken = taken.saturating_add(1);
            self.buffer.push_back(*byte);
            self.on_receipt(*byte, now);
        }
        self.work(now);
        self.tell(now);
        taken
    }

    /// True where the way to it is broken, until the knob is turned.
    #[must_use]
    pub fn is_unplugged(&self) -> bool {
        self.is_unplugged
    }

    /// Somebody opens the way to it: what is left over of earlier is said first.
    pub fn connect(&mut self, now: Duration) {
        for byte in self.knobs.left_over.clone() {
            self.answer(byte, now);
        }
    }

    /// The way is closed: answers that nobody fetched are gone, the buffer is not.
    pub fn disconnect(&mut self) {
        self.answers.clear();
    }

    /// Works on; says when it wants to be asked again.
    pub fn tick(&mut self, now: Duration) -> Option<Duration> {
        self.work(now);
        self.tell(now);
        let working = (!self.buffer.is_empty() && self.halt().is_none()).then_some(self.free_at);
        // An answer that is due waits for whoever fetches it; to be asked again at once would be to spin.
        let answering = self
            .answers
            .iter()
            .map(|(due, _)| *due)
            .find(|due| *due > now);
        [working, answering].into_iter().flatten().min()
    }

    /// The answers that leave by now.
    pub fn answers(&mut self, now: Duration) -> Vec<u8> {
        let due = self
            .answers
            .iter()
            .take_while(|(due, _)| *due <= now)
            .count();
        self.answers.drain(..due).map(|(_due, byte)| byte).collect()
    }

    /// The byte with which a USB interface answers GET_PORT_STATUS.
    #[must_use]
    pub fn port_status(&self) -> u8 {
        let empty = if self.paper_ended() { 0x20 } else { 0 };
        let selected = if self.is_offline() { 0 } else { 0x10 };
        let no_error = if self.has_error() { 0 } else { 0x08 };
        empty | selected | no_error
    }

    /// Cuts its power and brings it back: what it had not printed is gone, the paper is not.
    pub fn power_cycle(&mut self, now: Duration) {
        self.power_cycles = self.power_cycles.saturating_add(1);
        self.reader = Reader::default();
        self.buffer.clear();
        self.halted = None;
        self.cutter_stuck = false;
        self.answers.clear();
        self.automatic = 0;
        self.told = None;
        self.knobs.broken = false;
        self.free_at = now;
        self.print.power_cycle(self.knobs.double_byte);
    }

    /// What came out, the oldest first; the last is not cut off yet where it says so.
    pub fn slips(&self) -> impl Iterator<Item = &Slip> {
        self.print.slips()
    }

    /// Slips that were cut off, ever.
    #[must_use]
    pub fn cuts(&self) -> u64 {
        self.print.cuts
    }

    /// Pulses to a drawer, ever.
    #[must_use]
    pub fn drawer_kicks(&self) -> u64 {
        self.print.drawer_kicks
    }

    /// Commands that it did not know, ever.
    #[must_use]
    pub fn unknown_commands(&self) -> u64 {
        self.print.unknown_commands
    }

    /// Bytes that it was sent, ever.
    #[must_use]
    pub fn received_bytes(&self) -> u64 {
        self.received
    }

    /// Bytes that it worked through, ever.
    #[must_use]
    pub fn worked_bytes(&self) -> u64 {
        self.worked
    }

    /// How often its power failed.
    #[must_use]
    pub fn power_cycles(&self) -> u32 {
        self.power_cycles
    }

    /// Commands that are executed on receipt, wherever they stand, amid data too.
    fn on_receipt(&mut self, byte: u8, now: Duration) {
        let [_, second, third] = self.tail;
        self.tail = [second, third, byte];
        match self.tail {
            [DLE, EOT, n @ 1..=4] => self.say_state(n, now),
            [DLE, DC4, 1] => self.print.drawer_kicks = self.print.drawer_kicks.saturating_add(1),
            [0x1d, b'r', n] if self.knobs.truth == Truth::Early => self.say_in_line(n, now),
            _other => {}
        }
    }

    /// Works through what stands in the buffer, as fast as it may and until something stops it.
    fn work(&mut self, now: Duration) {
        while self.halt().is_none() {
            if let Some(command) = self.halted.take() {
                self.execute(command, now);
                continue;
            }
            if self.free_at > now {
                return;
            }
            let Some(byte) = self.buffer.pop_front() else {
                return;
            };
            self.pace(now);
            self.worked = self.worked.saturating_add(1);
            let power_cycles = self.power_cycles;
            self.reach(self.worked, now);
            if self.power_cycles != power_cycles {
                continue;
            }
            if let Some(command) = self.reader.feed(byte) {
                self.execute(command, now);
            }
        }
    }

    fn pace(&mut self, now: Duration) {
        let Some(rate) = self.knobs.bytes_per_s.filter(|rate| *rate > 0) else {
            self.free_at = now;
            return;
        };
        let each = Duration::from_secs(1).checked_div(rate).unwrap_or_default();
        let behind = now.saturating_sub(MAX_LAG);
        self.free_at = self.free_at.max(behind).saturating_add(each);
    }

    /// What happens at this byte.
    fn reach(&mut self, place: u64, now: Duration) {
        if self.knobs.paper_ends_at == Some(place) {
            self.knobs.paper_dots = Some(0);
        }
        if self.knobs.cover_opens_at == Some(place) {
            self.knobs.cover_open = true;
        }
        if self.knobs.dies_at == Some(place) {
            self.power_cycle(now);
        }
    }

    fn execute(&mut self, command: Command, now: Duration) {
        if self.halt().is_some() {
            self.halted = Some(command);
            return;
        }
        if let Command::AskInLine(n) = command
            && self.knobs.truth != Truth::Early
        {
            self.say_in_line(n, now);
        } else if let Command::AskWord(word) = command {
            self.say_word(word, now);
        } else if let Command::Automatic(n) = command
            && self.knobs.speaks >= Speaks::Status
        {
            self.automatic = n;
            self.told = None;
            self.tell(now);
        } else if matches!(command, Command::Cut { .. }) && self.knobs.cutter_jams {
            self.cutter_stuck = true;
            self.halted = Some(command);
        } else if let Err(Halt::Paper) = self.print.execute(&command, &mut self.knobs.paper_dots) {
            self.halted = Some(command);
        }
    }

    /// Why it stands still.
    fn halt(&self) -> Option<()> {
        (self.knobs.stop() || self.cutter_stuck).then_some(())
    }

    fn paper_ended(&self) -> bool {
        self.knobs.paper_dots == Some(0)
    }

    fn has_error(&self) -> bool {
        self.cutter_stuck || self.knobs.hot || self.knobs.broken || self.knobs.failure
    }

    fn is_offline(&self) -> bool {
        self.halt().is_some()
    }

    /// The state that DLE EOT n tells.
    fn state(&self, n: u8) -> u8 {
        let when = |there: bool, bits: u8| if there { bits } else { 0 };
        let knobs = &self.knobs;
        let told = match n {
            1 => when(self.is_offline(), 0x08),
            2 => {
                when(knobs.cover_open, 0x04)
                    | when(self.paper_ended(), 0x20)
                    | when(self.has_error(), 0x40)
            }
            3 => {
                when(knobs.failure, 0x04)
                    | when(self.cutter_stuck, 0x08)
                    | when(knobs.broken, 0x20)
                    | when(knobs.hot, 0x40)
            }
            _paper => when(knobs.near_end, 0x0c) | when(self.paper_ended(), 0x60),
        };
        0x12 | if knobs.truth == Truth::AllIsWell {
            0
        } else {
            told
        }
    }

    fn say_state(&mut self, n: u8, now: Duration) {
        if self.knobs.speaks < Speaks::Status {
            return;
        }
        let state = self.state(n);
        self.answer(state, now);
        if self.knobs.truth == Truth::Twice {
            self.answer(state, now);
        }
    }

    fn say_in_line(&mut self, n: u8, now: Duration) {
        if self.knobs.speaks < Speaks::InLine || !matches!(n, 1 | 2 | 49 | 50) {
            return;
        }
        let near = matches!(n, 1 | 49) && self.knobs.near_end;
        self.answer(if near { 0x03 } else { 0 }, now);
    }

    fn say_word(&mut self, word: [u8; 4], now: Duration) {
        if self.knobs.speaks < Speaks::Words {
            self.print.unknown_commands = self.print.unknown_commands.saturating_add(1);
            return;
        }
        let block = [0x37, 0x22].into_iter().chain(word).chain([0]);
        block.for_each(|byte| self.answer(byte, now));
    }

    /// Tells what changed, where it was asked to (GS a).
    fn tell(&mut self, now: Duration) {
        if self.automatic == 0 || self.knobs.speaks < Speaks::Status {
            return;
        }
        let when = |there: bool, bits: u8| if there { bits } else { 0 };
        let first = 0x10 | when(self.is_offline(), 0x08) | when(self.knobs.cover_open, 0x20);
        let second = when(self.cutter_stuck, 0x08) | when(self.knobs.broken, 0x20);
        let third = when(self.knobs.near_end, 0x03) | when(self.paper_ended(), 0x0c);
        let told = [first, second, third, 0];
        if self.told.replace(told) != Some(told) {
            told.into_iter().for_each(|byte| self.answer(byte, now));
        }
    }

    fn answer(&mut self, byte: u8, now: Duration) {
        let due = now.saturating_add(Duration::from_millis(self.knobs.answer_ms.into()));
        let byte = match self.knobs.truth {
            Truth::Honest | Truth::Twice | Truth::Early | Truth::AllIsWell => byte,
            Truth::Garbage => 0xff,
            Truth::WrongBits => byte ^ 0x93,
        };
        if self.answers.len() < MAX_ANSWERS {
            self.answers.push_back((due, byte));
        }
    }
}
