//! Proofs of existence: what was there when, on the word of time stamps that hold.
//!
//! A document time stamp covers every byte of the document up to its own end: the signatures before it, and what was
//! stored about their certificates. Time stamps are judged from the newest to the oldest, so that each one may rest on
//! those that came after it.
//!
//! # Source
//! ETSI EN 319 102-1, 5.6.2 (past signature validation); docs/adr/0032.

use loket_wire::Timestamp;

/// What the document time stamps that were found good prove.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proofs(Vec<Proof>);

#[derive(Debug, Clone, Copy)]
struct Proof {
    /// All bytes before this one were there, but for the time stamp's own container.
    covers: usize,
    moment: Timestamp,
}

/// How many bytes of a document must be covered to prove something in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(usize);

impl Place {
    /// Something that stands in the revision that ends at `end`; a time stamp of that same revision covers it.
    pub(crate) const fn in_revision(end: usize) -> Self {
        Self(end)
    }

    /// Something inside the container of the signature or time stamp whose bytes end at `end`: only a later one covers
    /// it, for no signature covers its own container.
    pub(crate) const fn in_container(end: usize) -> Self {
        Self(end.saturating_add(1))
    }
}

impl Proofs {
    /// Adds a document time stamp that was found good.
    pub(crate) fn add(&mut self, covers: usize, moment: Timestamp) {
        self.0.push(Proof { covers, moment });
    }

    /// Since when something is proved to be there.
    pub(crate) fn since(&self, place: Place) -> Option<Timestamp> {
        let covering = self.0.iter().filter(|proof| proof.covers >= place.0);
        covering.map(|proof| proof.moment).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_the_stamps_that_cover_a_place_counts_and_none_covers_itself() {
        let moment = Timestamp::from_unix_ms;
        let mut proofs = Proofs::default();
        proofs.add(300, moment(3_000));
        proofs.add(200, moment(2_000));
        for (place, since) in [
            (Place::in_revision(100), Some(2_000)),
            (Place::in_revision(200), Some(2_000)),
            (Place::in_container(200), Some(3_000)),
            (Place::in_revision(300), Some(3_000)),
            (Place::in_container(300), None),
        ] {
            assert_eq!(proofs.since(place), since.map(moment), "{place:?}");
        }
    }
}
