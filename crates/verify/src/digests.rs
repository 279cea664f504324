//! Digests of what the signatures of one document cover.
//!
//! Each signature covers the document up to its own gap and a short rest behind it, a later one all of that again, and the
//! signed revision is the same bytes with the gap among them. So a digest of the bytes up to each gap is kept, and every
//! other one goes on from there: an archive with three time stamps is hashed once.
//!
//! ```text
//! 0 ──────────── gap 1 ── end 1 ──────────── gap 2 ── end 2
//! └─ kept ───────┘└ rest ─┘
//! └─ kept ───────┘└───── goes on ────────────┘└ rest ─┘
//! ```

use std::cell::RefCell;
use std::collections::BTreeMap;

use loket_wire::Sha256Digest;

use crate::algorithm::{self, Hash};
use crate::back_end::Running;
use crate::byterange::SignedBytes;
use crate::check::MAX_DOCUMENT_BYTES;
use crate::code::Code;

/// Bytes that are hashed for one document. The largest one needs twice its size where its signer uses SHA-512 or leaves
/// its gap at the start, for the report has its digests with SHA-256; sixteen signatures with the gap at the start would
/// need it sixteen times.
const MAX_HASHED_BYTES: usize = MAX_DOCUMENT_BYTES / 2 * 5;

/// What a signature or a time stamp is over.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Content<'c> {
    /// These bytes.
    Bytes(&'c [u8]),
    /// What a signature of a document covers.
    Covered(&'c SignedBytes<'c>, &'c Digests<'c>),
}

impl Content<'_> {
    /// Its digest.
    ///
    /// # Errors
    /// [`Code::TooComplex`], once too much of the document was hashed.
    pub(crate) fn digest(self, hash: Hash) -> Result<Vec<u8>, Code> {
        match self {
            Self::Bytes(bytes) => Ok(hash.digest(&[bytes])),
            Self::Covered(signed, digests) => digests.covered(hash, signed),
        }
    }
}

/// Hashes one document.
#[derive(Debug)]
pub(crate) struct Digests<'a> {
    document: &'a [u8],
    /// Where gaps begin, rising.
    gaps: Vec<usize>,
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    bytes_left: usize,
    /// Digests that are not at their end, by what they have taken in.
    kept: BTreeMap<(Hash, usize), Box<dyn Running>>,
    /// What signatures cover, by the end of it and where its gap begins and ends.
    known: BTreeMap<(Hash, [usize; 3]), Vec<u8>>,
}

impl<'a> Digests<'a> {
    /// Of a document whose gaps begin at `gaps`.
    pub(crate) fn new(document: &'a [u8], mut gaps: Vec<usize>) -> Self {
        gaps.sort_unstable();
        Self {
            document,
            gaps,
            state: RefCell::new(State {
                bytes_left: MAX_HASHED_BYTES,
                kept: BTreeMap::new(),
                known: BTreeMap::new(),
            }),
        }
    }

    /// The digest of what a signature covers: all up to its end, but for its gap.
    ///
    /// # Errors
    /// [`Code::TooComplex`], once too much was asked.
    pub(crate) fn covered(&self, hash: Hash, signed: &SignedBytes<'_>) -> Result<Vec<u8>, Code> {
        let mut state = self.state.borrow_mut();
        let place = [signed.end, signed.gap.start, signed.gap.end];
        if let Some(known) = state.known.get(&(hash, place)) {
            return Ok(known.clone());
        }
        let mut running = self.up_to(&mut state, hash, signed.gap.start)?;
        let rest = self.document.get(signed.gap.end..signed.end);
        state.take(running.as_mut(), rest)?;
        let digest = running.finish();
        state.known.insert((hash, place), digest.clone());
        Ok(digest)
    }

    /// The same with SHA-256, as the type that reports have.
    ///
    /// # Errors
    /// [`Code::TooComplex`], once too much was asked.
    pub(crate) fn content(&self, signed: &SignedBytes<'_>) -> Result<Sha256Digest, Code> {
        self.covered(Hash::Sha256, signed)
            .map(|digest| algorithm::as_sha256(&digest))
    }

    /// The digest of the whole document up to the end of a signature, its gap included.
    ///
    /// # Errors
    /// [`Code::TooComplex`], once too much was asked.
    pub(crate) fn revision(&self, signed: &SignedBytes<'_>) -> Result<Sha256Digest, Code> {
        let mut state = self.state.borrow_mut();
        let running = self.up_to(&mut state, Hash::Sha256, signed.end)?;
        Ok(algorithm::as_sha256(&running.finish()))
    }

    /// A digest of the first `end` bytes; those up to each gap on the way are kept.
    fn up_to(&self, state: &mut State, hash: Hash, end: usize) -> Result<Box<dyn Running>, Code> {
        let before = state.kept.range((hash, 0)..=(hash, end)).next_back();
        let (mut at, mut running) = match before {
            Some(((_hash, at), running)) => (*at, running.fork()),
            None => (0, hash.start()),
        };
        for gap in self.gaps.iter().copied() {
            if !(at..=end).contains(&gap) {
                continue;
            }
            state.take(running.as_mut(), self.document.get(at..gap))?;
            at = gap;
            state.kept.insert((hash, at), running.fork());
        }
        state.take(running.as_mut(), self.document.get(at..end))?;
        Ok(running)
    }
}

impl State {
    fn take(&mut self, running: &mut dyn Running, bytes: Option<&[u8]>) -> Result<(), Code> {
        let bytes = bytes.ok_or(Code::ByteRange)?;
        let left = self.bytes_left.checked_sub(bytes.len());
        self.bytes_left = left.unwrap_or(0);
        left.ok_or(Code::TooComplex)?;
        running.update(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Signatures behind one another, the gap of each near its end.
    const PLACES: [(usize, usize, usize); 3] = [
        (40_000, 41_000, 41_500),
        (70_000, 71_000, 71_500),
        (99_000, 99_500, 100_000),
    ];

    fn document() -> Vec<u8> {
        (0..100_000_u32)
            .map(|at| at.to_le_bytes()[1] ^ at.to_le_bytes()[0])
            .collect()
    }

    fn signed((start, behind, end): (usize, usize, usize)) -> SignedBytes<'static> {
        SignedBytes {
            gap: start..behind,
            end,
            revision: 0,
            contents: &[],
        }
    }

    fn digests(document: &[u8]) -> Digests<'_> {
        Digests::new(document, PLACES.map(|(start, _, _)| start).to_vec())
    }

    #[test]
    fn each_digest_is_that_of_its_bytes_in_whatever_order_they_are_asked_for() {
        let document = document();
        for order in [[0, 1, 2], [2, 0, 1], [2, 1, 0], [1, 1, 1]] {
            let digests = digests(&document);
            for place in order.map(|which| PLACES[which]) {
                let (start, behind, end) = place;
                let parts = [&document[..start], &document[behind..end]];
                for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
                    let found = digests.covered(hash, &signed(place));
                    assert_eq!(found, Ok(hash.digest(&parts)), "{place:?} {hash:?}");
                }
                let content = digests.content(&signed(place));
                assert_eq!(content, Ok(algorithm::sha256(&parts)));
                let revision = digests.revision(&signed(place));
                assert_eq!(revision, Ok(Sha256Digest::of(&document[..end])));
            }
        }
    }

    #[test]
    fn an_archive_is_hashed_once_and_its_short_ends_again() {
        let document = document();
        let digests = digests(&document);
        // As stamps are judged: the newest first.
        for place in PLACES.into_iter().rev() {
            assert!(digests.covered(Hash::Sha256, &signed(place)).is_ok());
            assert!(digests.content(&signed(place)).is_ok());
        }
        assert!(digests.revision(&signed(PLACES[0])).is_ok());
        let hashed = MAX_HASHED_BYTES - digests.state.borrow().bytes_left;
        assert!((99_000..103_000).contains(&hashed), "{hashed} bytes");
    }

    #[test]
    fn gaps_at_the_start_of_a_large_document_are_given_up() {
        let document = vec![0; 1024 * 1024];
        let places: Vec<_> = (0..64).map(|at| (at, at + 1, document.len())).collect();
        let digests = Digests::new(&document, places.iter().map(|place| place.0).collect());
        let given = places
            .into_iter()
            .map(|place| digests.covered(Hash::Sha512, &signed(place)));
        let given: Vec<bool> = given
            .map(|digest| digest == Err(Code::TooComplex))
            .collect();
        let first = given.iter().position(|given_up| *given_up);
        assert_eq!(first, Some(20), "of {MAX_HASHED_BYTES}");
        assert!(
            given.iter().skip(20).all(|given_up| *given_up),
            "nothing is left"
        );
    }
}
