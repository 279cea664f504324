//! What a document brings along to judge its signatures by: the document security store.
//!
//! Nothing of it is believed for standing there. Certificates are candidates for chains; lists and answers count when
//! their own authority signed them, and where that authority's certificate has ended since, when a time stamp proves that
//! they were there before (docs/adr/0032).
//!
//! # Source
//! ISO 32000-2, 12.8.4.3; ETSI EN 319 142-1, 5.4.

use std::collections::BTreeSet;

use crate::certificate::Certificate;
use crate::code::Code;
use crate::crl::RevocationList;
use crate::ocsp::Response;
use crate::pdf::{Budget, Dictionary, File, Object, View};
use crate::poe::Place;

/// Streams of one kind that are read; an honest archive with three time stamps has a dozen certificates.
const MAX_STREAMS: usize = 64;

/// Bytes of all streams together: room for a list of some 50,000 entries.
const MAX_STORE_BYTES: usize = 4 * 1024 * 1024;

/// Signatures for which the store names what belongs to them.
const MAX_RELATED: usize = 32;

/// What was found in a document about the certificates in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    pub(crate) certificates: Vec<Kept<Certificate>>,
    pub(crate) lists: Vec<Kept<RevocationList>>,
    pub(crate) responses: Vec<Kept<Response>>,
    /// Whether something was passed over because nobody could read it.
    pub(crate) has_unreadable: bool,
}

/// Something in a document, and what must be covered to prove that it was there.
#[derive(Debug, Clone)]
pub(crate) struct Kept<T> {
    pub(crate) what: T,
    pub(crate) place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Certificate,
    List,
    Response,
}

/// The keys of the store and of its entries for one signature.
const KEYS: [(&str, &str, Kind); 3] = [
    ("Certs", "Cert", Kind::Certificate),
    ("CRLs", "CRL", Kind::List),
    ("OCSPs", "OCSP", Kind::Response),
];

impl Evidence {
    /// Reads the stores of the revisions in `stages`, which rise: what stands in an early one was there early.
    pub(crate) fn read(
        file: &File<'_>,
        stages: &[usize],
        budget: &mut Budget,
    ) -> Result<Self, Code> {
        let mut reader = Reader {
            evidence: Self::default(),
            seen: BTreeSet::new(),
            bytes_left: MAX_STORE_BYTES,
        };
        for stage in stages {
            let view = file.view(*stage);
            let end = file.revisions().get(view.index());
            let end = end.map_or(file.data().len(), |revision| {
                revision.ends.iter().copied().max().unwrap_or_default()
            });
            reader.store(view, Place::in_revision(end), budget)?;
        }
        Ok(reader.evidence)
    }

    /// Adds what the signed attributes of a signature bring along.
    pub(crate) fn add_lists(&mut self, lists: &[&[u8]], responses: &[&[u8]], place: Place) {
        for der in lists {
            self.add(Kind::List, der, place);
        }
        for der in responses {
            self.add(Kind::Response, der, place);
        }
    }

    fn add(&mut self, kind: Kind, der: &[u8], place: Place) {
        let is_read = match kind {
            Kind::Certificate => Certificate::parse(der)
                .map(|what| self.certificates.push(Kept { what, place }))
                .is_ok(),
            Kind::List => RevocationList::parse(der)
                .map(|what| self.lists.push(Kept { what, place }))
                .is_ok(),
            Kind::Response => Response::parse(der)
                .map(|what| self.responses.push(Kept { what, place }))
                .is_ok(),
        };
        self.has_unreadable |= !is_read;
    }

    fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::Certificate => self.certificates.len(),
            Kind::List => self.lists.len(),
            Kind::Response => self.responses.len(),
        }
    }
}

struct Reader {
    evidence: Evidence,
    /// Streams that were read, as revision and number.
    seen: BTreeSet<(usize, u32)>,
    bytes_left: usize,
}

impl Reader {
    fn store(&mut self, view: View<'_, '_>, place: Place, budget: &mut Budget) -> Result<(), Code> {
        let catalog = view.catalog(budget)?;
        let Some(store) = catalog.get("DSS") else {
            return Ok(());
        };
        let Some(store) = view.dictionary(store, budget)? else {
            return Ok(());
        };
        for (key, _related, kind) in KEYS {
            self.streams(view, &store, key, kind, place, budget)?;
        }
        let Some(related) = store.get("VRI") else {
            return Ok(());
        };
        let Some(related) = view.dictionary(related, budget)? else {
            return Ok(());
        };
        for (position, (_digest, entry)) in related.iter().enumerate() {
            if position == MAX_RELATED {
                return Err(Code::TooComplex);
            }
            if let Some(entry) = view.dictionary(entry, budget)? {
                for (_store, key, kind) in KEYS {
                    self.streams(view, &entry, key, kind, place, budget)?;
                }
            }
        }
        Ok(())
    }

    fn streams(
        &mut self,
        view: View<'_, '_>,
        holder: &Dictionary,
        key: &str,
        kind: Kind,
        place: Place,
        budget: &mut Budget,
    ) -> Result<(), Code> {
        let Some(list) = holder.get(key) else {
            return Ok(());
        };
        for item in view.array(list, budget)?.unwrap_or_default() {
            let Object::Reference(id) = &item else {
                return Err(Code::Malformed);
            };
            let Some((revision, _entry)) = view.entry(id.number) else {
                continue;
            };
            if !self.seen.insert((revision, id.number)) {
                continue;
            }
            if self.evidence.count(kind) == MAX_STREAMS {
                return Err(Code::TooComplex);
            }
            let Some(stream) = view.stream(&item, budget)? else {
                continue;
            };
            match stream.decoded(budget) {
                Ok(der) => {
                    let left = self.bytes_left.checked_sub(der.len());
                    self.bytes_left = left.ok_or(Code::TooComplex)?;
                    self.evidence.add(kind, &der, place);
                }
                Err(Code::TooComplex) => return Err(Code::TooComplex),
                Err(_undecodable) => self.evidence.has_unreadable = true,
            }
        }
        Ok(())
    }
}
