//! The order of one machine's reports: what to commit, what to acknowledge, what is lost.

use loket_wire::{Epoch, Sync};

use super::job::Place;

/// How far one life of a machine's journal is committed at central.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stream {
    /// The journal's epoch; `None` before the machine was ever heard.
    pub epoch: Option<Epoch>,
    /// Which life of the journal, from 1; 0 before the machine was ever heard.
    pub generation: u64,
    /// Every report up to here is committed, set aside or known to be lost.
    pub committed_seq: u64,
}

/// What to do with one report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ingest {
    /// It is the next one: commit it and go on from `stream`.
    Commit {
        /// The stream with the report in it.
        stream: Stream,
        /// The report's place.
        place: Place,
    },
    /// It is committed already: acknowledge again.
    Duplicate,
    /// Reports before it are missing: neither commit nor acknowledge it.
    Ahead {
        /// The report that is next.
        expected_seq: u64,
    },
    /// It belongs to another life of the journal; only a sync begins one.
    OtherEpoch,
}

/// What of a sync bears on the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncView {
    /// The life of the journal.
    pub epoch: Epoch,
    /// Lowest report still held.
    pub first_event_seq: Option<u64>,
    /// Highest report ever numbered.
    pub last_event_seq: u64,
}

impl From<&Sync> for SyncView {
    fn from(sync: &Sync) -> Self {
        Self {
            epoch: sync.epoch,
            first_event_seq: sync.first_event_seq,
            last_event_seq: sync.last_event_seq,
        }
    }
}

/// A report differs from the one that was committed under its number. It may be one of a forgotten life that a broker
/// kept, or the machine's journal was set back: only an answered sync tells (docs/adr/0029).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// The highest number that two reports bear.
    pub seq: u64,
    /// Whether the machine said, in the last sync that was believed, that it still held a report of such a number.
    pub is_claimed: bool,
}

impl Doubt {
    /// With one more report under the number `seq`; `overlap` is that of the last sync ([`Stream::overlap`]).
    #[must_use]
    pub fn with(known: Option<Self>, seq: u64, overlap: Option<(u64, u64)>) -> Self {
        let is_claimed = overlap.is_some_and(|(from, to)| (from..=to).contains(&seq));
        Self {
            seq: known.map_or(seq, |known| known.seq.max(seq)),
            is_claimed: is_claimed || known.is_some_and(|known| known.is_claimed),
        }
    }

    /// Whether a sync that answers a question makes it certain that the journal was set back: the machine holds, or held
    /// at its last sync, a report of its own under such a number. A machine that has nothing of the kind was not heard:
    /// the report is one of a forgotten life.
    const fn is_borne_out(self, view: &SyncView) -> bool {
        match view.first_event_seq {
            Some(first) => self.is_claimed || first <= self.seq,
            None => self.is_claimed,
        }
    }
}

/// What a sync means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Synced {
    /// The stream from now on.
    pub stream: Stream,
    /// The machine's former journal is gone: what it held is lost.
    pub is_new_epoch: bool,
    /// The machine's journal was set back to an earlier copy: what it held is not to be trusted.
    pub is_rolled_back: bool,
    /// Reports from the first to the second number are lost for good.
    pub gap: Option<(u64, u64)>,
    /// Every report that the machine ever numbered is committed here.
    pub is_settled: bool,
}

impl Synced {
    /// Whether what the machine held before is lost.
    #[must_use]
    pub const fn is_journal_lost(&self) -> bool {
        self.is_new_epoch || self.is_rolled_back
    }

    /// The place of the last report that the sync takes into account.
    #[must_use]
    pub const fn place(&self, last_event_seq: u64) -> Place {
        Place {
            generation: self.stream.generation,
            seq: last_event_seq,
        }
    }
}

impl Stream {
    /// Judges one report by its number alone.
    ///
    /// A machine never heard before may begin with its first report; any other life of a journal begins with a sync.
    #[must_use]
    pub fn ingest(&self, epoch: Epoch, seq: u64) -> Ingest {
        let known = match self.epoch {
            Some(known) if known != epoch => return Ingest::OtherEpoch,
            Some(_same) => *self,
            None => Self {
                epoch: Some(epoch),
                generation: 1,
                ..*self
            },
        };
        let expected_seq = known.committed_seq.saturating_add(1);
        if seq <= known.committed_seq {
            Ingest::Duplicate
        } else if seq > expected_seq {
            Ingest::Ahead { expected_seq }
        } else {
            let stream = Self {
                committed_seq: seq,
                ..known
            };
            let place = Place {
                generation: stream.generation,
                seq,
            };
            Ingest::Commit { stream, place }
        }
    }

    /// Judges what the machine says of its journal on connect.
    ///
    /// `earlier_seq` is how far that epoch was committed in an earlier life, where central met it before it met the
    /// present one: a journal that was set back beyond its own beginning.
    #[must_use]
    pub fn sync(&self, view: &SyncView, earlier_seq: Option<u64>) -> Synced {
        self.sync_in_doubt(view, earlier_seq, None)
    }

    /// The same, where a report differed from what was committed under its number. It counts as a loss only if the sync
    /// is an answer; that is for the caller to know.
    #[must_use]
    pub fn sync_in_doubt(
        &self,
        view: &SyncView,
        earlier_seq: Option<u64>,
        doubt: Option<Doubt>,
    ) -> Synced {
        let is_same = self.epoch == Some(view.epoch);
        let is_forked = doubt.is_some_and(|doubt| doubt.is_borne_out(view));
        let is_rolled_back = is_same && (is_forked || view.last_event_seq < self.committed_seq);
        // Everything below the lowest report it holds was acknowledged by central, in this life of central or another.
        let floor = match view.first_event_seq {
            Some(first) => first.saturating_sub(1).min(view.last_event_seq),
            None => view.last_event_seq,
        };
        let base = if is_rolled_back {
            self.set_back(floor)
        } else if is_same {
            *self
        } else {
            Self {
                epoch: Some(view.epoch),
                generation: self.generation.saturating_add(1),
                committed_seq: earlier_seq.unwrap_or(0).min(floor),
            }
        };
        let gap = (floor > base.committed_seq).then(|| (base.committed_seq + 1, floor));
        let stream = Self {
            committed_seq: base.committed_seq.max(floor),
            ..base
        };
        Synced {
            stream,
            is_new_epoch: !is_same && self.epoch.is_some(),
            is_rolled_back,
            gap,
            is_settled: stream.committed_seq >= view.last_event_seq,
        }
    }

    /// The numbers of reports that the machine says it holds though they are committed here: acknowledgements that it
    /// has not heard, or other reports under the same numbers.
    #[must_use]
    pub fn overlap(&self, view: &SyncView) -> Option<(u64, u64)> {
        let first = view
            .first_event_seq
            .filter(|first| *first <= self.committed_seq)?;
        (self.epoch == Some(view.epoch)).then_some((first, self.committed_seq))
    }

    /// The next life of the same epoch, of which reports up to `floor` are as good as committed.
    fn set_back(&self, floor: u64) -> Self {
        Self {
            epoch: self.epoch,
            generation: self.generation.saturating_add(1),
            committed_seq: self.committed_seq.min(floor),
        }
    }
}
