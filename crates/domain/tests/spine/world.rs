//! Machines, central and a broker between them that loses, repeats, delays and forgets.
//!
//! What must hold once faults stop:
//! - no page came out twice (at every moment, see `machine`);
//! - every job that central knows has ended, is held for an officer, or is unknown where an officer can answer it;
//! - what central shows is what the machine's journal says last, where that journal knows the job;
//! - every job given by hand that a machine's journal knows is at central, never offered, with who gave it;
//! - an outbox row died only after central had taken it;
//! - what a person at central was allowed to call *none* never comes out afterwards, unless its machine is set back, or
//!   central restored, after that;
//! - a machine set back below what central had committed makes no second sheet once central was heard (`lost`);
//! - a refused order changed nothing.

#[path = "accounts.rs"]
mod accounts;
#[path = "agreement.rs"]
mod agreement;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use loket_domain::core::Now;
use loket_domain::print::Facts;
use loket_wire::{Epoch, JobId, Release, Timestamp};

use crate::central::{Central, Told};
use crate::hands::Way;
use crate::machine::{Disk, Machine, Row, START, SyncMessage, job_id, order, revision_of};
use crate::printer::{Habits, Printer};
pub(crate) use agreement::Lost;

/// Machines in a world.
pub(crate) const MACHINES: usize = 2;

/// Jobs in a world; job n is for machine n modulo [`MACHINES`].
pub(crate) const JOBS: u8 = 4;

/// A message from a machine.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    Sync(SyncMessage),
    Event(Epoch, u64, Row),
}

/// What may go wrong beyond the line and the printers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    /// Journals are lost.
    pub(crate) wipes: bool,
    /// Journals come back as older copies.
    pub(crate) rollbacks: bool,
    /// Journals come back as older copies where central can tell, the printer forgets as well, and central is heard
    /// before anything else happens.
    pub(crate) heard_first: bool,
    /// Central comes back from a backup.
    pub(crate) restores: bool,
    /// Central serves a document without having noted that the machine asked for it.
    pub(crate) notes_nothing: bool,
}

impl Faults {
    /// Whether older copies of journals come back.
    pub(crate) const fn sets_back(self) -> bool {
        self.rollbacks || self.heard_first
    }
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) faults: Faults,
    pub(crate) now: Timestamp,
    pub(crate) machines: Vec<Machine>,
    pub(crate) published: Vec<u64>,
    pub(crate) copies: Vec<Disk>,
    pub(crate) central: Central,
    pub(crate) backup: Central,
    pub(crate) to_machines: Vec<VecDeque<Told>>,
    pub(crate) to_central: VecDeque<(usize, Said)>,
    /// Everything a broker ever carried to machines: it may come again.
    pub(crate) carried: Vec<(usize, Told)>,
    /// Reports that central took, over all its lives.
    pub(crate) taken: BTreeSet<(usize, Epoch, u64, String)>,
    pub(crate) releases: BTreeMap<JobId, Release>,
    /// Jobs of which it was taken that there is no sheet.
    pub(crate) none: BTreeSet<JobId>,
    /// Every sync that a machine ever said: a broker may have kept it.
    pub(crate) syncs: Vec<(usize, SyncMessage)>,
    pub(crate) sealed: u8,
    pub(crate) epochs: u8,
    /// Documents given by hand so far; each has an id of its own, as in the program.
    pub(crate) by_hand: u8,
}

/// Ids of jobs given by hand begin here; those of orders are below, those of tests beyond.
const FIRST_BY_HAND: u8 = 20;

/// So many documents are given by hand in a history at most: ids are one byte here.
const MAX_BY_HAND: u8 = 100;

impl World {
    pub(crate) fn new(habits: Habits, faults: Faults) -> Self {
        let machine =
            |no: u8| Machine::new(Epoch::from_bytes([no + 1; 16]), vec![Printer::new(habits)]);
        let machines: Vec<Machine> = (0..2).map(machine).collect();
        let copies = machines
            .iter()
            .map(|machine| machine.disk.clone())
            .collect();
        Self {
            faults,
            now: START,
            machines,
            published: vec![0; MACHINES],
            copies,
            central: Central::new(MACHINES),
            backup: Central::new(MACHINES),
            to_machines: vec![VecDeque::new(); MACHINES],
            to_central: VecDeque::new(),
            carried: Vec::new(),
            taken: BTreeSet::new(),
            releases: BTreeMap::new(),
            none: BTreeSet::new(),
            syncs: Vec::new(),
            sealed: 0,
            epochs: 10,
            by_hand: 0,
        }
    }

    pub(crate) fn print_by_hand(&mut self, no: usize) -> JobId {
        let job = job_id(FIRST_BY_HAND + self.by_hand.min(MAX_BY_HAND));
        if self.by_hand < MAX_BY_HAND {
            self.by_hand += 1;
            self.machines[no].take_by_hand(job);
        }
        job
    }

    pub(crate) fn printer(&mut self, no: u8) -> &mut Printer {
        self.machines[usize::from(no)].printer("lane-0")
    }

    pub(crate) fn pass(&mut self, minutes: u64) {
        self.now = self.now.saturating_add(Duration::from_secs(60 * minutes));
        for machine in &mut self.machines {
            machine.now = Now {
                wall: self.now,
                trusted: true,
                floor: START,
            };
        }
    }

    pub(crate) fn send(&mut self, no: usize, told: Told) {
        self.carried.push((no, told.clone()));
        self.to_machines[no].push_back(told);
    }

    pub(crate) fn offer(&mut self, no: usize) {
        let mut told = self.central.offer(no, self.now, &mut self.sealed);
        told.extend(self.central.ask_again(no, self.now));
        for told in told {
            self.send(no, told);
        }
    }

    /// State and sync, then the whole outbox: what a machine does on each connect.
    pub(crate) fn connect(&mut self, no: usize) {
        let sync = self.machines[no].say_hello();
        self.syncs.push((no, sync.clone()));
        self.to_central.push_back((no, Said::Sync(sync)));
        self.published[no] = 0;
        self.publish(no);
    }

    pub(crate) fn publish(&mut self, no: usize) {
        let disk = &self.machines[no].disk;
        for (seq, row) in disk.outbox.range(self.published[no] + 1..) {
            self.to_central
                .push_back((no, Said::Event(disk.epoch, *seq, row.clone())));
        }
        self.published[no] = disk.last_event_seq;
    }

    pub(crate) fn run(&mut self, no: usize, pick: usize, way: Way) {
        self.show_documents(no);
        self.machines[no].run(pick, way);
        self.note_asked(no);
    }

    pub(crate) fn serve(&mut self, no: usize, is_heard: bool) {
        self.offer(no);
        for _told in 0..self.to_machines[no].len() {
            self.carry_down(no, 0, false);
        }
        self.show_documents(no);
        self.machines[no].round();
        self.note_asked(no);
        if is_heard {
            self.publish(no);
            for _said in 0..self.to_central.len() {
                self.carry_up(0, false);
            }
        }
    }

    /// The machine meets the document listener as central stands.
    pub(crate) fn show_documents(&mut self, no: usize) {
        let gone = (0..JOBS)
            .map(job_id)
            .filter(|job| !self.central.serves(*job, self.now));
        self.machines[no].gone = gone.collect();
    }

    /// In the program this is on disk before the first byte is served; here nothing comes in between.
    pub(crate) fn note_asked(&mut self, no: usize) {
        for job in std::mem::take(&mut self.machines[no].fetched) {
            if !self.faults.notes_nothing {
                self.central.note_asked(job, self.now);
            }
        }
    }

    pub(crate) fn roll_back(&mut self, no: usize) {
        let copy = self.copies[no].clone();
        if copy.epoch == self.machines[no].disk.epoch {
            self.none.retain(|job| machine_of(*job) != no);
            let forgotten = self.machines[no].replace_disk(copy);
            self.machines[no].forgotten.extend(forgotten);
            self.allow_again(no);
            self.machines[no].restart();
            self.published[no] = 0;
        }
    }

    /// As [`Self::roll_back`], and nobody on the site remembers; but the line is good and central is heard before the
    /// desk does anything. Where central committed no more than the copy holds it cannot tell, and this does nothing.
    pub(crate) fn roll_back_and_hear(&mut self, no: usize) {
        let (stream, copy) = (self.central.stream(no), &self.copies[no]);
        if stream.epoch != Some(copy.epoch) || stream.committed_seq <= copy.last_event_seq {
            return;
        }
        self.roll_back(no);
        self.machines[no].printer("lane-0").power_cycle();
        self.connect(no);
        self.flush();
    }

    /// A journal set back prints again by itself what it forgot to have sent, where the printer is no witness of it.
    pub(crate) fn allow_again(&mut self, no: usize) {
        if self.faults.heard_first {
            return;
        }
        let machine = &mut self.machines[no];
        for job in &machine.forgotten {
            let prefix = format!("loket:{job}:");
            let mut printers = machine.printers.values();
            if !printers.any(|printer| printer.is_witness_of(&prefix)) {
                let pages = machine.forgotten_pages.entry(*job).or_default();
                *pages += revision_of(*job).page_count;
            }
        }
    }

    pub(crate) fn wipe(&mut self, no: usize) {
        self.epochs += 1;
        let disk = Disk::new(Epoch::from_bytes([self.epochs; 16]));
        self.machines[no].replace_disk(disk.clone());
        self.machines[no].restart();
        self.copies[no] = disk;
        self.published[no] = 0;
    }

    pub(crate) fn carry_down(&mut self, no: usize, pick: usize, again: bool) {
        let queue = &mut self.to_machines[no];
        let Some(told) = pick
            .checked_rem(queue.len())
            .and_then(|at| queue.remove(at))
        else {
            return;
        };
        if again {
            queue.push_front(told.clone());
        }
        let machine = &mut self.machines[no];
        match told {
            Told::Order {
                job,
                epoch,
                seq,
                envelope,
            } => {
                let mut facts: Facts = order(job, epoch, seq, envelope);
                facts.not_after = not_after();
                facts.release = self.releases[&job];
                machine.take_order(facts);
            }
            Told::Cancel { job, seq } => machine.take_cancel(job, seq),
            Told::Ack { epoch, seq, hello } => {
                let asks = machine.hear(epoch, hello);
                for (seq, row) in machine.take_ack(epoch, seq) {
                    // An acknowledgement from before a journal was set back can meet new rows under old numbers: they
                    // are lost then, and the gap is seen at the next sync.
                    let is_taken = self.taken.contains(&(no, epoch, seq, row.mark()));
                    assert!(
                        is_taken || self.faults.sets_back(),
                        "a report died that central never took: {row:?}"
                    );
                }
                if asks {
                    self.connect(no);
                }
            }
        }
    }

    pub(crate) fn carry_up(&mut self, pick: usize, again: bool) {
        let at = pick.checked_rem(self.to_central.len());
        let Some((no, said)) = at.and_then(|at| self.to_central.remove(at)) else {
            return;
        };
        if again {
            self.to_central.push_front((no, said.clone()));
        }
        let before = self.central.stream(no);
        let told = match said {
            Said::Sync(sync) => self.central.sync(no, &sync, self.now),
            Said::Event(epoch, seq, row) => {
                let told = self.central.report(no, (epoch, seq), &row, self.now);
                let after = self.central.stream(no);
                if after.epoch == Some(epoch) && after.committed_seq >= seq {
                    let is_new = before != after;
                    if is_new {
                        self.taken.insert((no, epoch, seq, row.mark()));
                    }
                }
                told
            }
        };
        for told in told {
            self.send(no, told);
        }
    }

    /// Faults stop, the line is good, officers release nothing more; time passes.
    pub(crate) fn settle(&mut self) {
        let mut quiet = 0;
        for _round in 0..120 {
            let before = self.fingerprint();
            for no in 0..MACHINES {
                self.connect(no);
                self.flush();
                self.offer(no);
                self.flush();
                self.show_documents(no);
                let moved = self.machines[no].round();
                self.note_asked(no);
                self.publish(no);
                self.flush();
                if !moved {
                    self.machines[no].printer("lane-0").time_out();
                }
            }
            self.pass(61);
            quiet = if self.fingerprint() == before {
                quiet + 1
            } else {
                0
            };
            if quiet > 3 {
                return;
            }
        }
        panic!("nothing comes to rest: {:#?}", self.central.jobs);
    }

    pub(crate) fn flush(&mut self) {
        for _message in 0..10_000 {
            if !self.to_central.is_empty() {
                self.carry_up(0, false);
            } else if let Some(no) = (0..MACHINES).find(|no| !self.to_machines[*no].is_empty()) {
                self.carry_down(no, 0, false);
            } else {
                return;
            }
        }
        panic!("messages never end");
    }

    pub(crate) fn fingerprint(&self) -> String {
        let jobs = self
            .central
            .jobs
            .values()
            .map(|kept| (kept.job.state, kept.job.reason));
        let jobs: Vec<_> = jobs.collect();
        let events: Vec<usize> = self.machines.iter().map(Machine::change_count).collect();
        let printers = self.machines.iter();
        let printers = printers.flat_map(|machine| machine.printers.values());
        let progress: Vec<_> = printers.map(Printer::progress).collect();
        format!("{jobs:?} {events:?} {progress:?}")
    }

    /// A person looks into the tray and at the printer, and tells central what there is.
    pub(crate) fn answer_at_central(&mut self, job: JobId) {
        let machine = &self.machines[machine_of(job)];
        let pages = machine.pages_of(job);
        let prefix = format!("loket:{job}:");
        let mut printers = machine.printers.values();
        let may_come = printers.any(|printer| printer.may_yet_print(&prefix));
        if pages == 0 && may_come {
            return;
        }
        if self.central.answer(job, pages, self.now) {
            self.none.insert(job);
        }
    }
}

pub(crate) fn machine_of(job: JobId) -> usize {
    usize::from(job.as_bytes()[15]) % MACHINES
}

/// Beyond every history of these tests and their settling.
pub(crate) fn not_after() -> Timestamp {
    START.saturating_add(Duration::from_secs(90 * 86_400))
}
