//! The small files that fuzzers of single readers begin with, and a second way to look into them.

use loket_fuzz::der::{MAX_VALUES, Place, places};

use crate::certificate::Certificate;
use crate::trust::Trust;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/", $name)).as_slice()
    };
}

pub(crate) const CERTIFICATES: [&[u8]; 7] = [
    fixture!("readers/certificate.der"),
    fixture!("readers/certificate-first-version.der"),
    fixture!("originals/own.der"),
    fixture!("originals/expired.der"),
    fixture!("originals/tsa.der"),
    fixture!("ltv/weak-issuing.der"),
    fixture!("ltv/weak-leaf.der"),
];

pub(crate) const LISTS: [&[u8]; 5] = [
    fixture!("readers/list.der"),
    fixture!("readers/list-of-part.der"),
    fixture!("readers/list-delta.der"),
    fixture!("trust/issuing.crl"),
    fixture!("ltv/root-2024.crl"),
];

pub(crate) const ANSWERS: [&[u8]; 5] = [
    fixture!("readers/answer.der"),
    fixture!("ltv/ocsp/good-delegate.der"),
    fixture!("ltv/ocsp/good-issuer.der"),
    fixture!("ltv/ocsp/revoked-after.der"),
    fixture!("ltv/ocsp/unknown.der"),
];

/// Time-stamp tokens.
pub(crate) const STAMPS: [&[u8]; 2] = [
    fixture!("readers/stamp.der"),
    fixture!("readers/stamp-plain.der"),
];

/// Signatures over [`signed_content`].
pub(crate) const CONTAINERS: [&[u8]; 8] = [
    fixture!("readers/container.der"),
    fixture!("containers/honest.der"),
    fixture!("containers/extra-attribute.der"),
    fixture!("containers/extra-list.der"),
    fixture!("containers/extra-root.der"),
    fixture!("containers/stamp.der"),
    fixture!("containers/ess-twice.der"),
    fixture!("containers/two-signers.der"),
];

/// What the containers are over: the card without its gap.
pub(crate) fn signed_content() -> Vec<u8> {
    let document = fixture!("kk-sample-bb.pdf");
    let key = b"/Contents <";
    let start = document.windows(key.len()).position(|part| part == key);
    let start = start.unwrap() + key.len() - 1;
    let length = document[start..].iter().position(|byte| *byte == b'>');
    let behind = start + length.unwrap() + 1;
    [&document[..start], &document[behind..]].concat()
}

/// The authority that issued nearly all of it.
pub(crate) fn issuing() -> Certificate {
    let trust = Trust::from_files([fixture!("trust/issuing.pem")]).unwrap();
    trust.intermediates()[0].clone()
}

/// The values of a file, read apart from the readers.
#[derive(Debug)]
pub(crate) struct Tree<'a> {
    bytes: &'a [u8],
    places: Vec<Place>,
    /// The number behind each value and all inside it.
    behind: Vec<usize>,
}

impl<'a> Tree<'a> {
    /// None where there are more values than are looked at.
    pub(crate) fn of(bytes: &'a [u8]) -> Option<Self> {
        let Some(places) = places(bytes) else {
            panic!("what a reader of DER took is DER: {bytes:02x?}");
        };
        let mut behind: Vec<usize> = (1..=places.len()).collect();
        for number in (0..places.len()).rev() {
            let end = places[number].end;
            let mut next = number + 1;
            while places.get(next).is_some_and(|place| place.start < end) {
                next = behind[next];
            }
            behind[number] = next;
        }
        (places.len() < MAX_VALUES).then_some(Self {
            bytes,
            places,
            behind,
        })
    }

    /// The values inside one.
    pub(crate) fn inside(&self, number: usize) -> Vec<usize> {
        let end = self.behind[number];
        let first = (number + 1 < end).then_some(number + 1);
        let next = |own: &usize| Some(self.behind[*own]).filter(|next| *next < end);
        std::iter::successors(first, next).collect()
    }

    pub(crate) fn tag(&self, number: usize) -> u8 {
        self.places[number].tag
    }

    pub(crate) fn whole(&self, number: usize) -> &'a [u8] {
        &self.bytes[self.places[number].start..self.places[number].end]
    }

    pub(crate) fn content(&self, number: usize) -> &'a [u8] {
        &self.bytes[self.places[number].inside..self.places[number].end]
    }
}
