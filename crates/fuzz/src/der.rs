//! DER that is nearly right: values moved, doubled, dropped and renamed, with the lengths around them mended.
//!
//! Edits of bytes alone nearly always break a length, and a reader refuses that at once. What stands deeper in a
//! certificate is met only by a file whose lengths are right.

use crate::mutate::Mutator;
use crate::seed::Seeded;

/// Most edits of one file.
const MAX_EDITS: u64 = 3;

/// Values that are looked at in one file; what is beyond is only copied.
pub const MAX_VALUES: usize = 4_096;

/// How deep they nest.
const MAX_DEPTH: usize = 48;

/// One edit in so many says the same value again and again, up to so many bytes in all.
const ONE_IN_REPEATS: u64 = 64;
const MAX_REPEATED_BYTES: u64 = 48 * 1024;

/// One edit in so many changes a byte where it stands, whatever that breaks.
const ONE_IN_BLIND: u64 = 6;

const CONSTRUCTED: u8 = 0x20;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;

/// Tags that certificates and their kin have, and some that they have not.
const TAGS: [u8; 22] = [
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x16, 0x17, 0x18, 0x1e, 0x30, 0x31, 0x80,
    0x81, 0xa0, 0xa1, 0xa3, 0x1f, 0x24,
];

/// Contents that readers of numbers, times and names stumble over.
const CONTENTS: [&[u8]; 16] = [
    b"",
    b"\0",
    b"\x01",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\0\x80",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"000101000000Z",
    b"991231235960Z",
    b"00000101000000Z",
    b"99991231235959Z",
    b"20240229235959.999999999Z",
    b"\x2b\x80\x01",
    b"\xed\xa0\x80",
];

/// A value in a file, as places in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its tag.
    pub tag: u8,
    /// Where its tag stands.
    pub start: usize,
    /// Where its content begins.
    pub inside: usize,
    /// Behind its content.
    pub end: usize,
    /// The value that it stands in, by its number; strings that hold values count.
    pub parent: Option<usize>,
}

/// Every value in `bytes`, each before those inside it; none where `bytes` are not values from the first to the last.
///
/// It is written apart from the readers that it helps to test, and says the same as they do where they take a file.
#[must_use]
pub fn places(bytes: &[u8]) -> Option<Vec<Place>> {
    let mut found = Vec::new();
    walk(bytes, 0..bytes.len(), None, MAX_DEPTH, &mut found).then_some(found)
}

/// Whether the stretch is nothing but values; if not, none of them is kept.
fn walk(
    bytes: &[u8],
    stretch: std::ops::Range<usize>,
    parent: Option<usize>,
    depth_left: usize,
    found: &mut Vec<Place>,
) -> bool {
    let kept = found.len();
    let mut at = stretch.start;
    while at < stretch.end {
        let Some(place) = header(bytes, at, stretch.end, parent) else {
            found.truncate(kept);
            return false;
        };
        at = place.end;
        let number = found.len();
        if number == MAX_VALUES {
            continue;
        }
        found.push(place);
        // A bit string says first how many bits of its last byte do not count.
        let inside = match place.tag {
            BIT_STRING => place.inside.saturating_add(1)..place.end,
            _other => place.inside..place.end,
        };
        let may_hold =
            place.tag & CONSTRUCTED != 0 || [BIT_STRING, OCTET_STRING].contains(&place.tag);
        if may_hold && !inside.is_empty() && depth_left > 0 {
            walk(bytes, inside, Some(number), depth_left - 1, found);
        }
    }
    true
}

fn header(bytes: &[u8], start: usize, end: usize, parent: Option<usize>) -> Option<Place> {
    let [tag, first, rest @ ..] = bytes.get(start..end)? else {
        return None;
    };
    if tag & 0x1f == 0x1f {
        return None;
    }
    let octets = match first {
        0..=0x7f => 0,
        0x81..=0x84 => usize::from(first & 0x7f),
        _no_length => return None,
    };
    let length = rest
        .get(..octets)?
        .iter()
        .fold(0_usize, |length, octet| length << 8 | usize::from(*octet));
    let length = if octets == 0 {
        usize::from(*first)
    } else {
        length
    };
    let inside = start + 2 + octets;
    let behind = inside.checked_add(length)?;
    (behind <= end).then_some(Place {
        tag: *tag,
        start,
        inside,
        end: behind,
        parent,
    })
}

/// Tag and length of a value with so much content.
#[must_use]
pub fn header_of(tag: u8, length: usize) -> Vec<u8> {
    let octets = length.to_be_bytes();
    let skipped = octets.iter().take_while(|octet| **octet == 0).count();
    let octets = octets.get(skipped..).unwrap_or_default();
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => vec![tag, short],
        _long => {
            let count = u8::try_from(octets.len()).unwrap_or_default();
            [&[tag, 0x80 | count], octets].concat()
        }
    }
}

/// Alters DER, the same way for the same seed.
#[derive(Debug)]
pub struct DerMutator {
    seeded: Seeded,
}

impl DerMutator {
    /// Draws from `seeded`.
    #[must_use]
    pub const fn new(seeded: Seeded) -> Self {
        Self { seeded }
    }

    /// A copy of `bytes` with one to three edits; values of `others` may come into it.
    pub fn alter(&mut self, bytes: &[u8], others: &[&[u8]]) -> Vec<u8> {
        let mut altered = bytes.to_vec();
        for _edit in 0..=self.seeded.below(MAX_EDITS) {
            match places(&altered) {
                Some(places) if !places.is_empty() && self.seeded.below(ONE_IN_BLIND) != 0 => {
                    self.edit(&mut altered, &places, others);
                }
                Some(_) | None => {
                    altered = Mutator::new(self.seeded.fork()).alter(&altered);
                }
            }
        }
        altered
    }

    fn edit(&mut self, bytes: &mut Vec<u8>, places: &[Place], others: &[&[u8]]) {
        let Some(place) = self.seeded.pick(places) else {
            return;
        };
        let whole = bytes
            .get(place.start..place.end)
            .unwrap_or_default()
            .to_vec();
        let content = bytes
            .get(place.inside..place.end)
            .unwrap_or_default()
            .to_vec();
        let made = if self.seeded.below(ONE_IN_REPEATS) == 0 {
            let most = MAX_REPEATED_BYTES / u64::try_from(whole.len().max(1)).unwrap_or(1);
            whole.repeat(usize::try_from(self.seeded.below(most + 1)).unwrap_or_default())
        } else {
            match self.seeded.below(11) {
                0 => Vec::new(),
                1 => [whole.as_slice(), &whole].concat(),
                2 => self.with_brother(bytes, places, place),
                3 => self.value_of(bytes),
                4 => {
                    let other = self.seeded.pick(others).unwrap_or(bytes);
                    self.value_of(other)
                }
                5 => [whole.as_slice(), &self.value_of(bytes)].concat(),
                6 => {
                    let tag = self.tag(place.tag);
                    [header_of(tag, content.len()).as_slice(), &content].concat()
                }
                7 => self.other_length(place.tag, &content),
                8 => {
                    let content = self.seeded.pick(&CONTENTS).unwrap_or_default();
                    [header_of(place.tag, content.len()).as_slice(), content].concat()
                }
                9 => {
                    let tag = self
                        .seeded
                        .pick(&[0x30, 0x31, 0xa0, 0x04, 0xa1])
                        .unwrap_or(0x30);
                    [header_of(tag, whole.len()).as_slice(), &whole].concat()
                }
                _ten => self.other_content(place.tag, content),
            }
        };
        replace(bytes, places, place, &made);
    }

    /// The value and the one behind it, the other way round.
    fn with_brother(&mut self, bytes: &mut Vec<u8>, places: &[Place], place: Place) -> Vec<u8> {
        let brothers: Vec<Place> = places
            .iter()
            .filter(|other| other.parent == place.parent && other.start != place.start)
            .copied()
            .collect();
        let whole = |bytes: &[u8], place: Place| {
            let whole = bytes.get(place.start..place.end);
            whole.unwrap_or_default().to_vec()
        };
        let own = whole(bytes, place);
        let Some(brother) = self.seeded.pick(&brothers) else {
            return own;
        };
        let other = whole(bytes, brother);
        // The one further back first: what stands before it keeps its place, and both are as long together as before.
        if brother.start > place.start && other.len() == own.len() {
            drop(bytes.splice(brother.start..brother.end, own));
            return other;
        }
        if brother.start == place.end {
            return [other, own].concat();
        }
        other
    }

    /// Any value of a file, header and all.
    fn value_of(&mut self, bytes: &[u8]) -> Vec<u8> {
        let places = places(bytes).unwrap_or_default();
        let place = self.seeded.pick(&places);
        let whole = place.and_then(|place| bytes.get(place.start..place.end));
        whole.unwrap_or_default().to_vec()
    }

    fn tag(&mut self, tag: u8) -> u8 {
        match self.seeded.below(3) {
            0 => tag ^ CONSTRUCTED,
            1 => tag ^ 1,
            _two => self.seeded.pick(&TAGS).unwrap_or(tag),
        }
    }

    /// The same content under a length that is wrong, longer than it needs to be, or left out.
    fn other_length(&mut self, tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let [.., a, b, c, d] = length.to_be_bytes();
        let header = match self.seeded.below(6) {
            0 => header_of(tag, length.saturating_add(1)),
            1 => header_of(tag, length.saturating_sub(1)),
            2 => vec![tag, 0x84, a, b, c, d],
            3 => vec![tag, 0x82, c, d],
            4 => vec![tag, 0x84, 0xff, 0xff, 0xff, 0xff],
            _five => return [&[tag | CONSTRUCTED, 0x80], content, &[0, 0]].concat(),
        };
        [header.as_slice(), content].concat()
    }

    fn other_content(&mut self, tag: u8, mut content: Vec<u8>) -> Vec<u8> {
        let at = self.seeded.place(content.len());
        match (self.seeded.below(3), content.get_mut(at)) {
            (0, Some(byte)) => *byte = byte.wrapping_add(1),
            (1, Some(byte)) => *byte ^= 0x80,
            _two => content.truncate(at),
        }
        [header_of(tag, content.len()).as_slice(), &content].concat()
    }
}

/// Puts `made` where a value stands, and mends the lengths of all that it stands in.
fn replace(bytes: &mut Vec<u8>, places: &[Place], place: Place, made: &[u8]) {
    let (mut was, mut is) = (place.end - place.start, made.len());
    drop(bytes.splice(place.start..place.end, made.iter().copied()));
    let mut above = place.parent;
    while let Some(around) = above.and_then(|number| places.get(number)) {
        let length = around.end - around.inside + is - was;
        let header = header_of(around.tag, length);
        was = around.end - around.start;
        is = header.len() + length;
        drop(bytes.splice(around.start..around.inside, header));
        above = around.parent;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// SEQUENCE { INTEGER 5, OCTET STRING { SEQUENCE { NULL } }, BIT STRING { OCTET STRING "a" }, OCTET STRING "no DER" }
    const GOOD: [u8; 27] = [
        0x30, 25, 0x02, 1, 5, 0x04, 4, 0x30, 2, 0x05, 0, 0x03, 4, 0, 0x04, 1, b'a', 0x04, 6, b'n',
        b'o', b' ', b'D', b'E', b'R', 0x05, 0,
    ];

    #[test]
    fn every_value_is_found_with_the_one_that_it_stands_in() {
        let found = places(&GOOD).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|place| (place.tag, place.start, place.end, place.parent))
            .collect();
        let expect = [
            (0x30, 0, 27, None),
            (0x02, 2, 5, Some(0)),
            (0x04, 5, 11, Some(0)),
            (0x30, 7, 11, Some(2)),
            (0x05, 9, 11, Some(3)),
            (0x03, 11, 17, Some(0)),
            (0x04, 14, 17, Some(5)),
            (0x04, 17, 25, Some(0)),
            (0x05, 25, 27, Some(0)),
        ];
        assert_eq!(found, expect);
        assert_eq!(places(&GOOD[..26]), None);
        assert_eq!(places(&[0x30, 0x80, 0, 0]), None);
    }

    #[test]
    fn a_value_of_another_length_lengthens_all_that_it_stands_in() {
        let found = places(&GOOD).unwrap();
        for place in &found[1..] {
            for length in [0, 1, 100, 150, 70_000] {
                let made = [header_of(0x04, length), vec![0xff; length]].concat();
                let mut bytes = GOOD.to_vec();
                replace(&mut bytes, &found, *place, &made);
                let again = places(&bytes).unwrap();
                let around = again[0];
                assert_eq!((around.start, around.end), (0, bytes.len()));
                assert!(again.iter().any(|it| bytes[it.start..it.end] == made));
            }
        }
    }

    #[test]
    fn most_alterations_keep_their_lengths_and_none_is_like_another() {
        let altered: BTreeSet<Vec<u8>> = (0..1_000)
            .map(|seed| DerMutator::new(Seeded::from(seed)).alter(&GOOD, &[&GOOD]))
            .collect();
        assert!(altered.len() > 600, "{}", altered.len());
        let whole = altered.iter().filter(|bytes| places(bytes).is_some());
        let whole = whole.count();
        assert!(whole * 2 > altered.len(), "{whole} of {}", altered.len());
        assert!(altered.iter().any(|bytes| bytes.len() > 10_000));
        assert!(altered.iter().all(|bytes| bytes.len() < 400_000));
    }
}
