//! A printer as a model: its jobs, its tray, and its habits when power, cable or program fail.

#[path = "habits.rs"]
mod habits;

use std::collections::{BTreeMap, BTreeSet};

use loket_domain::print::{
    PrinterMark, PrinterSurvey, RemoteJob, RemoteState, RemoteView, Revision, Sighting,
};
use loket_wire::{Sha256Digest, Timestamp};

use crate::machine::START;

pub(crate) use habits::{Counter, Habits, Memory, Torn};

/// Why the printer did not do it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum No {
    /// Switched off.
    Away,
    /// Busy with another job.
    Busy,
    /// It has no such job, or the job takes no document.
    Never,
}

#[derive(Debug, Clone)]
struct Doc {
    sha256: Sha256Digest,
    pages: u32,
}

#[derive(Debug, Clone)]
struct Entry {
    id: i32,
    uuid: Option<String>,
    name: String,
    state: RemoteState,
    docs: Vec<Doc>,
    pages_out: u32,
    is_canceled_by_person: bool,
}

impl Entry {
    fn is_ours(&self) -> bool {
        self.name.starts_with("loket:")
    }

    fn is_over(&self) -> bool {
        matches!(
            self.state,
            RemoteState::Canceled | RemoteState::Aborted | RemoteState::Completed
        )
    }
}

/// A printer.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    habits: Habits,
    /// Whether it can be reached.
    pub(crate) is_on: bool,
    entries: Vec<Entry>,
    late: Vec<(i32, Doc)>,
    late_names: Vec<String>,
    late_whole: Vec<(String, Doc)>,
    tray: BTreeMap<Sha256Digest, u32>,
    next_id: i32,
    made_count: u32,
    now: Timestamp,
    started_at: Timestamp,
    miscounted: BTreeSet<i32>,
    /// Whether a card was put into somebody else's job, or such a job called off.
    has_hurt_others: bool,
}

/// It has run since long before.
const FIRST_UP_TIME_MS: i64 = 1_000_000_000;

impl Printer {
    pub(crate) fn new(habits: Habits) -> Self {
        Self {
            habits,
            is_on: true,
            entries: Vec::new(),
            late: Vec::new(),
            tray: BTreeMap::new(),
            next_id: 1,
            made_count: 0,
            late_names: Vec::new(),
            late_whole: Vec::new(),
            now: START,
            started_at: Timestamp::from_unix_ms(START.unix_ms() - FIRST_UP_TIME_MS),
            miscounted: BTreeSet::new(),
            has_hurt_others: false,
        }
    }

    /// The time on everybody's clock.
    pub(crate) const fn tell_time(&mut self, now: Timestamp) {
        self.now = now;
    }

    fn up_time_s(&self) -> u32 {
        let ms = self.now.unix_ms() - self.started_at.unix_ms();
        u32::try_from(ms / 1_000).unwrap()
    }

    pub(crate) const fn has_hurt_others(&self) -> bool {
        self.has_hurt_others
    }

    /// Whether it can still tell that it took this job's document.
    pub(crate) fn is_witness_of(&self, prefix: &str) -> bool {
        self.entries.iter().any(|entry| {
            let gave_up = matches!(entry.state, RemoteState::Canceled | RemoteState::Aborted);
            entry.name.starts_with(prefix) && !entry.docs.is_empty() && !gave_up
        })
    }

    /// Whether a job of that name prefix has its document and is not over, or a document is on the line.
    pub(crate) fn may_yet_print(&self, prefix: &str) -> bool {
        let waits = |entry: &Entry| entry.name.starts_with(prefix) && !entry.is_over();
        !self.late.is_empty() || !self.late_whole.is_empty() || self.entries.iter().any(waits)
    }

    /// Pages of a document that lie in the tray.
    pub(crate) fn pages_of(&self, sha256: Sha256Digest) -> u32 {
        self.tray.get(&sha256).copied().unwrap_or(0)
    }

    /// Whether a job of that name prefix, other than `but`, may still put `sha256` on paper or has done so.
    pub(crate) fn another_may_print(
        &self,
        prefix: &str,
        but: Option<&RemoteJob>,
        sha256: Sha256Digest,
    ) -> bool {
        self.entries
            .iter()
            .filter(|entry| entry.name.starts_with(prefix))
            .filter(|entry| but.is_none_or(|but| entry.id != but.id || entry.uuid != but.uuid))
            .filter(|entry| entry.docs.iter().any(|doc| doc.sha256 == sha256))
            .any(|entry| !entry.is_over() || entry.pages_out > 0)
    }

    pub(crate) fn survey(&self) -> Result<PrinterSurvey, No> {
        self.reach()?;
        let is_others = |entry: &Entry| !entry.is_over() && !entry.is_ours();
        if self.habits.takes_whole && self.entries.iter().any(is_others) {
            return Err(No::Busy);
        }
        let mark = PrinterMark {
            uuid: Some(MODEL.to_owned()),
            up_time_s: Some(self.up_time_s()),
            format: "application/pdf".to_owned(),
            raster: None,
            is_single_document: self.habits.is_single_document || self.habits.is_believed,
            trusts_impressions: self.habits.counter != Counter::StuckAtZero
                || self.habits.is_believed,
            takes_whole: self.habits.takes_whole,
        };
        let ours = self.entries.iter().filter(|entry| entry.is_ours());
        let jobs = ours.map(|entry| self.view(entry)).collect();
        Ok(PrinterSurvey::Ready { mark, jobs })
    }

    pub(crate) fn create(&mut self, name: &str) -> Result<RemoteJob, No> {
        self.reach()?;
        if self.habits.is_one_at_a_time && self.entries.iter().any(|entry| !entry.is_over()) {
            return Err(No::Busy);
        }
        let id = self.next_id;
        self.next_id += 1;
        self.made_count += 1;
        let uuid = self
            .habits
            .has_uuid
            .then(|| format!("urn:uuid:{}", self.made_count));
        self.entries.push(Entry {
            id,
            uuid: uuid.clone(),
            name: name.to_owned(),
            state: RemoteState::AwaitingDocument,
            docs: Vec::new(),
            pages_out: 0,
            is_canceled_by_person: false,
        });
        Ok(RemoteJob { id, uuid })
    }

    /// A job of somebody else, which takes an id and waits for its document as ours do.
    pub(crate) fn print_foreign(&mut self) {
        drop(self.create("minutes.pdf"));
    }

    /// Create-Job that is on the line when its sender stops waiting.
    pub(crate) fn create_late(&mut self, name: &str) {
        if self.is_on {
            self.late_names.push(name.to_owned());
        }
    }

    /// Send-Document with every byte.
    pub(crate) fn send(&mut self, remote: &RemoteJob, revision: Revision) -> Result<(), No> {
        self.reach()?;
        self.take(remote.id, doc_of(revision))
    }

    /// Print-Job with every byte.
    pub(crate) fn print(&mut self, name: &str, revision: Revision) -> Result<RemoteJob, No> {
        let remote = self.create(name)?;
        self.take(remote.id, doc_of(revision))?;
        Ok(remote)
    }

    /// Print-Job whose bytes stop half way.
    pub(crate) fn print_torn(&mut self, name: &str, revision: Revision) {
        if let Ok(remote) = self.create(name) {
            self.send_torn(&remote, revision);
        }
    }

    /// Print-Job whose bytes are on the line when its sender dies.
    pub(crate) fn print_late(&mut self, name: &str, revision: Revision) {
        if self.is_on {
            self.late_whole.push((name.to_owned(), doc_of(revision)));
        }
    }

    /// A Print-Job whose sender is gone arrives.
    pub(crate) fn arrive_whole(&mut self) {
        for (name, doc) in std::mem::take(&mut self.late_whole) {
            if let Ok(remote) = self.create(&name) {
                drop(self.take(remote.id, doc));
            }
        }
    }

    /// Send-Document whose bytes stop half way.
    pub(crate) fn send_torn(&mut self, remote: &RemoteJob, revision: Revision) {
        let (torn, is_single) = (self.habits.torn, self.habits.is_single_document);
        let Some(entry) = self.waiting(remote.id) else {
            return;
        };
        match torn {
            Torn::AbortsJob => entry.state = RemoteState::Aborted,
            Torn::KeepsPart if !is_single => entry.docs.push(doc_of(revision)),
            Torn::WaitsAgain | Torn::KeepsPart => {}
        }
    }

    /// Send-Document whose bytes are on the line when its sender dies.
    pub(crate) fn send_late(&mut self, remote: &RemoteJob, revision: Revision) {
        if self.is_on {
            self.late.push((remote.id, doc_of(revision)));
        }
    }

    /// What was on the line arrives.
    pub(crate) fn arrive(&mut self) {
        for (id, doc) in std::mem::take(&mut self.late) {
            drop(self.take(id, doc));
        }
        for name in std::mem::take(&mut self.late_names) {
            drop(self.create(&name));
        }
        self.arrive_whole();
    }

    pub(crate) fn look(&self, remote: &RemoteJob) -> Result<Sighting, No> {
        self.reach()?;
        let found = self.entries.iter().find(|entry| entry.id == remote.id);
        Ok(found.map_or(Sighting::Absent, |entry| Sighting::Seen(self.view(entry))))
    }

    pub(crate) fn locate(&self, name: &str) -> Result<Sighting, No> {
        self.reach()?;
        let found = self.entries.iter().find(|entry| entry.name == name);
        Ok(found.map_or(Sighting::Absent, |entry| Sighting::Seen(self.view(entry))))
    }

    pub(crate) fn cancel(&mut self, remote: &RemoteJob) {
        if !self.is_on {
            return;
        }
        if let Some(entry) = self.entry(remote.id).filter(|entry| !entry.is_over()) {
            entry.state = RemoteState::Canceled;
            entry.is_canceled_by_person = true;
            let is_ours = entry.is_ours();
            self.has_hurt_others |= !is_ours;
        }
    }

    /// Somebody presses cancel at the printer, or it gives up waiting or printing.
    pub(crate) fn give_up(&mut self, is_panel: bool) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| !entry.is_over()) {
            entry.is_canceled_by_person = is_panel;
            entry.state = if is_panel {
                RemoteState::Canceled
            } else {
                RemoteState::Aborted
            };
        }
    }

    /// One step of work: a page, or the end of a job.
    pub(crate) fn work(&mut self) {
        let busy = |entry: &&mut Entry| {
            matches!(
                entry.state,
                RemoteState::Pending | RemoteState::Processing | RemoteState::Stopped
            )
        };
        let Some(entry) = self.entries.iter_mut().find(busy) else {
            self.serve_others();
            return;
        };
        let mut page = entry.pages_out;
        let doc = entry.docs.iter().find(|doc| {
            let is_here = page < doc.pages;
            page = page.saturating_sub(doc.pages);
            is_here
        });
        match (entry.state, doc) {
            (RemoteState::Pending | RemoteState::Stopped, _) => {
                entry.state = RemoteState::Processing;
            }
            (_processing, Some(doc)) => {
                *self.tray.entry(doc.sha256).or_default() += 1;
                entry.pages_out += 1;
            }
            (_processing, None) => entry.state = RemoteState::Completed,
        }
    }

    /// Somebody else's document arrives.
    fn serve_others(&mut self) {
        let waits =
            |entry: &&mut Entry| entry.state == RemoteState::AwaitingDocument && !entry.is_ours();
        if let Some(entry) = self.entries.iter_mut().find(waits) {
            entry.state = RemoteState::Pending;
        }
    }

    /// Jobs that waited too long for their document are given up where the printer does so.
    pub(crate) fn time_out(&mut self) {
        if !self.habits.gives_up_waiting {
            return;
        }
        let waits = |entry: &&mut Entry| entry.state == RemoteState::AwaitingDocument;
        for entry in self.entries.iter_mut().filter(waits) {
            entry.state = RemoteState::Aborted;
        }
    }

    /// How far it came: the states of its jobs, and the pages in the tray.
    pub(crate) fn progress(&self) -> (Vec<RemoteState>, u32) {
        let states = self.entries.iter().map(|entry| entry.state).collect();
        (states, self.tray.values().sum())
    }

    /// Jobs of ours that are not over, by their names.
    pub(crate) fn open_names(&self) -> Vec<String> {
        let open = |entry: &&Entry| !entry.is_over() && entry.is_ours();
        let open = self.entries.iter().filter(open);
        open.map(|entry| entry.name.clone()).collect()
    }

    /// Whether it has nothing to print.
    pub(crate) fn is_idle(&self) -> bool {
        let waits = |entry: &Entry| entry.state == RemoteState::AwaitingDocument && entry.is_ours();
        self.entries
            .iter()
            .all(|entry| entry.is_over() || waits(entry))
    }

    /// Paper is out, or a door open: what is printed stops.
    pub(crate) fn stop(&mut self) {
        let busy = |entry: &&mut Entry| entry.state == RemoteState::Processing;
        if let Some(entry) = self.entries.iter_mut().find(busy) {
            entry.state = RemoteState::Stopped;
        }
    }

    pub(crate) fn power_cycle(&mut self) {
        self.late.clear();
        self.late_names.clear();
        self.late_whole.clear();
        self.started_at = self.now;
        self.is_on = true;
        match self.habits.memory {
            Memory::ForgetsAndRestartsIds => {
                self.entries.clear();
                self.next_id = 1;
            }
            Memory::Forgets => self.entries.clear(),
            Memory::Keeps | Memory::KeepsButMiscounts => {
                for entry in self.entries.iter_mut().filter(|entry| !entry.is_over()) {
                    entry.state = RemoteState::Aborted;
                }
            }
        }
        if self.habits.memory == Memory::KeepsButMiscounts {
            self.miscounted
                .extend(self.entries.iter().map(|entry| entry.id));
        }
    }

    const fn reach(&self) -> Result<(), No> {
        if self.is_on { Ok(()) } else { Err(No::Away) }
    }

    fn entry(&mut self, id: i32) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.id == id)
    }

    /// The job, if it takes a document.
    fn waiting(&mut self, id: i32) -> Option<&mut Entry> {
        self.entry(id)
            .filter(|entry| entry.state == RemoteState::AwaitingDocument)
    }

    fn take(&mut self, id: i32, doc: Doc) -> Result<(), No> {
        let entry = self.waiting(id).ok_or(No::Never)?;
        entry.docs.push(doc);
        entry.state = RemoteState::Pending;
        let is_ours = entry.is_ours();
        self.has_hurt_others |= !is_ours;
        Ok(())
    }

    fn view(&self, entry: &Entry) -> RemoteView {
        RemoteView {
            id: entry.id,
            uuid: entry.uuid.clone(),
            name: Some(entry.name.clone()),
            state: entry.state,
            impressions: match self.habits.counter {
                Counter::Honest if self.miscounted.contains(&entry.id) => Some(0),
                Counter::Honest => Some(entry.pages_out),
                Counter::Absent => None,
                Counter::StuckAtZero => Some(0),
            },
            up_time_s: Some(self.up_time_s()),
            created_at_s: None,
            printer_uuid: Some(MODEL.to_owned()),
            is_canceled_by_person: entry.is_canceled_by_person,
        }
    }
}

/// Its printer-uuid.
const MODEL: &str = "urn:uuid:model";

const fn doc_of(revision: Revision) -> Doc {
    Doc {
        sha256: revision.sha256,
        pages: revision.page_count,
    }
}
