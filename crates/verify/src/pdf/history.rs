//! What each revision says of each object, and the rules on how that may change.

use super::revision::{Entry, MAX_ENTRIES, Revision};
use crate::code::Code;

/// What one revision says of one object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) number: u32,
    pub(super) revision: usize,
    pub(super) entry: Entry,
}

/// All slots, by number and then by revision, oldest first.
#[derive(Debug)]
pub(super) struct History(Vec<Slot>);

impl History {
    pub(super) fn of(revisions: &[Revision]) -> Result<Self, Code> {
        let mut slots = Vec::new();
        for (revision, told) in revisions.iter().enumerate() {
            slots.extend(told.entries.iter().map(|(number, entry)| Slot {
                number: *number,
                revision,
                entry: *entry,
            }));
        }
        // The sections themselves add one for each stream that did not list itself.
        debug_assert!(slots.len() <= MAX_ENTRIES.saturating_add(revisions.len().saturating_mul(2)));
        slots.sort_unstable_by_key(|slot| (slot.number, slot.revision));
        let history = Self(slots);
        history.generations()?;
        Ok(history)
    }

    /// What is said of `number` at the end of `revision`, and by which revision.
    pub(super) fn at(&self, number: u32, revision: usize) -> Option<Slot> {
        let place = self.behind(number, revision);
        let slot = self.0.get(place.checked_sub(1)?)?;
        (slot.number == number).then_some(*slot)
    }

    /// What is said of `number` after `revision`.
    pub(super) fn after(&self, number: u32, revision: usize) -> impl Iterator<Item = &Slot> {
        let later = self.0.get(self.behind(number, revision)..);
        let later = later.unwrap_or_default().iter();
        later.take_while(move |slot| slot.number == number)
    }

    /// All objects in use at the end of `revision`, numbers rising.
    #[cfg(test)]
    pub(super) fn in_use(&self, revision: usize) -> impl Iterator<Item = (u32, Entry)> + '_ {
        let told = self.0.iter();
        let mut told = told
            .filter(move |slot| slot.revision <= revision)
            .peekable();
        std::iter::from_fn(move || {
            loop {
                let slot = told.next()?;
                let is_superseded = told.peek().is_some_and(|next| next.number == slot.number);
                if !is_superseded && !matches!(slot.entry, Entry::Free { .. }) {
                    return Some((slot.number, slot.entry));
                }
            }
        })
    }

    fn behind(&self, number: u32, revision: usize) -> usize {
        let key = (number, revision);
        self.0
            .partition_point(|slot| (slot.number, slot.revision) <= key)
    }

    /// An object keeps its generation, and a number that was freed is never used again.
    fn generations(&self) -> Result<(), Code> {
        let older = self.0.iter();
        let newer = self.0.iter().skip(1);
        let mut was_used = false;
        for (older, newer) in older.zip(newer) {
            if older.number != newer.number {
                was_used = false;
                continue;
            }
            was_used = was_used || generation(older.entry).is_some();
            let fits = match (generation(older.entry), generation(newer.entry)) {
                (_, None) => true,
                (Some(older), Some(newer)) => older == newer,
                (None, Some(newer)) => !was_used && newer == 0,
            };
            if !fits {
                return Err(Code::Generation);
            }
        }
        Ok(())
    }
}

/// The generation of an object in use.
pub(super) fn generation(entry: Entry) -> Option<u16> {
    match entry {
        Entry::Free { .. } => None,
        Entry::Used { generation, .. } => Some(generation),
        Entry::Packed { .. } => Some(0),
    }
}
