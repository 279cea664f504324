//! Signature containers that are nearly right, in DER and spelled without lengths.

use super::*;
use crate::ber;
use crate::corpus::{self, CONTAINERS, Tree};

/// A second or two in a test run.
const CASES: u64 = 8_000;

/// One case in so many has its signature checked, which takes longer than all else.
const ONE_IN_CHECKED: u64 = 16;

/// How deep values are spelled without lengths; no signer goes so deep, and what is deeper is refused.
const MAX_DEPTH: usize = 14;

const CONSTRUCTED: u8 = 0x20;
const OCTET_STRING: u8 = 0x04;

/// The bytes of a container as it is read out of a document's gap.
fn in_der(bytes: &[u8]) -> Vec<u8> {
    let Some((der, taken)) = ber::to_der(bytes) else {
        return bytes.to_vec();
    };
    assert!(taken <= bytes.len() && der.len() <= 2 * bytes.len());
    assert_eq!(ber::to_der(&der), None, "lengths are put in once");
    der
}

/// The value without a length, and by chance some of those inside it; strings by chance in pieces.
fn respelt(
    tree: &Tree<'_>,
    number: usize,
    depth: usize,
    seeded: &mut loket_fuzz::Seeded,
) -> Vec<u8> {
    let (tag, content) = (tree.tag(number), tree.content(number));
    let is_kept = depth > 0 && (depth == MAX_DEPTH || seeded.below(3) == 0);
    if tag == OCTET_STRING && !is_kept {
        let cut = seeded.place(content.len() + 1);
        let (one, other) = content.split_at(cut);
        let pieces = [one, other].map(|piece| {
            let header = loket_fuzz::der::header_of(OCTET_STRING, piece.len());
            [header.as_slice(), piece].concat()
        });
        return [
            &[tag | CONSTRUCTED, 0x80],
            pieces.concat().as_slice(),
            &[0, 0],
        ]
        .concat();
    }
    if tag & CONSTRUCTED == 0 || is_kept {
        return tree.whole(number).to_vec();
    }
    let inside = tree.inside(number).into_iter();
    let inside: Vec<u8> = inside
        .flat_map(|each| respelt(tree, each, depth + 1, seeded))
        .collect();
    [&[tag, 0x80], inside.as_slice(), &[0, 0]].concat()
}

/// What of an accepted container must be as somebody signed it.
#[derive(Debug, PartialEq)]
struct Vouched {
    signature: Vec<u8>,
    claimed_time: Option<Timestamp>,
    names_a_policy: bool,
    lists: Vec<Vec<u8>>,
    answers: Vec<Vec<u8>>,
    signer: Vec<u8>,
}

fn vouched(read: &Container) -> Vouched {
    let (lists, answers) = read.revocation_data();
    let owned = |items: Vec<&[u8]>| items.into_iter().map(<[u8]>::to_vec).collect();
    Vouched {
        signature: read.signature().to_vec(),
        claimed_time: read.claimed_time(),
        names_a_policy: read.names_a_policy(),
        lists: owned(lists),
        answers: owned(answers),
        signer: read.signer().unwrap().der().to_vec(),
    }
}

/// All values of a container in order, but for its certificates, parameters of algorithms, what RSA is called and how the
/// signer's certificate is named: what is left can be written in one way only, or is reported as something that nobody
/// vouches for.
fn fixed(bytes: &[u8]) -> Option<Vec<u8>> {
    let tree = Tree::of(bytes)?;
    let data = tree.inside(tree.inside(tree.inside(0)[1])[0]);
    let parts = data.iter().filter(|part| tree.tag(**part) != 0xa0);
    let spelled = |part: &usize| match tree.tag(*part) {
        0x31 => tree
            .inside(*part)
            .into_iter()
            .flat_map(|each| signer(&tree, each))
            .collect(),
        _other => tree.whole(*part).to_vec(),
    };
    Some(parts.flat_map(spelled).collect())
}

/// The same of a signer; a digest's name is shorter than a signer, and stays as it is but for its parameters.
fn signer(tree: &Tree<'_>, number: usize) -> Vec<u8> {
    let parts = tree.inside(number);
    if parts.len() < 5 {
        return tree.whole(parts[0]).to_vec();
    }
    let rsa = |part: &usize| tree.tag(*part) == 0x30 && tree.tag(tree.inside(*part)[0]) == 0x06;
    let kept = parts.iter().filter(|part| **part != parts[1] && !rsa(part));
    kept.flat_map(|part| tree.whole(*part).to_vec()).collect()
}

#[test]
fn fuzz_reader_containers() {
    let content = corpus::signed_content();
    let accepts = |read: &Container| {
        let content = Content::Bytes(&content);
        read.is_detached() && read.verify(content, oid::ID_DATA, Naming::V2).is_ok()
    };
    let honest = CONTAINERS
        .iter()
        .filter_map(|der| Container::parse(der).ok());
    let honest = honest.filter(|read| accepts(read));
    let honest: Vec<Vouched> = honest.map(|read| vouched(&read)).collect();
    assert_eq!(honest.len(), 6, "control: all but the last two");
    let spellings: Vec<Vec<u8>> = CONTAINERS.iter().filter_map(|der| fixed(der)).collect();
    let (mut taken, mut accepted) = (0_u64, 0_u64);
    loket_fuzz::fuzz_der("reader-containers", CASES, &CONTAINERS, |bytes, seeded| {
        let der = seeded.pick(&CONTAINERS).unwrap();
        if seeded.below(8) == 0 {
            let spelled = respelt(&Tree::of(der).unwrap(), 0, 0, seeded);
            assert_eq!(ber::to_der(&spelled), Some((der.to_vec(), spelled.len())));
            let altered = loket_fuzz::Mutator::new(seeded.fork()).alter(&spelled);
            let _any = Container::parse(&in_der(&altered)).map(|read| accepts(&read));
        }
        let bytes = in_der(bytes);
        let Ok(read) = Container::parse(&bytes) else {
            return;
        };
        taken += 1;
        assert!(read.certificates.len() <= MAX_CERTIFICATES);
        let (lists, answers) = read.revocation_data();
        assert!(lists.len().max(answers.len()) <= 3 * MAX_REVOCATION_ITEMS);
        let token = read.token();
        let _any = (read.claimed_time(), read.names_a_policy(), read.content());
        if seeded.below(ONE_IN_CHECKED) == 0 && accepts(&read) {
            accepted += 1;
            assert!(honest.contains(&vouched(&read)), "altered and accepted");
            let is_vouched = !read.has_extras && token == (None, false);
            if let Some(fixed) = fixed(&bytes).filter(|_fixed| is_vouched) {
                assert!(spellings.contains(&fixed), "altered and vouched for");
            }
        }
    });
    assert!(taken > 0 && accepted > 0, "control: {taken}, {accepted}");
}
