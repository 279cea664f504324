//! Answers of responders that are nearly right.

use super::*;
use crate::corpus::{self, ANSWERS, CERTIFICATES, Tree};

/// A second in a test run.
const CASES: u64 = 10_000;

/// One case in so many has its signature checked, which takes longer than all else.
const ONE_IN_CHECKED: u64 = 16;

/// What a responder signed of an answer.
fn signed(basic: &[u8]) -> &[u8] {
    let (blob, _tail) = SignedBlob::parse_with_tail(basic).unwrap();
    blob.signed
}

/// What is read is what stands there, found without the reader, and no more than is allowed.
fn says_what_stands_there(read: &Response, bytes: &[u8]) {
    let inner = read.der();
    assert!(bytes.windows(inner.len()).any(|part| part == inner));
    let Some(tree) = Tree::of(inner) else {
        return;
    };
    let parts = tree.inside(0);
    let told = tree.inside(parts[0]);
    let is_singles = |part: &&usize| tree.tag(**part) == 0x30;
    let singles = tree.inside(*told.iter().find(is_singles).unwrap());
    let found = read.parsed.tbs_response_data.responses.len();
    assert_eq!(singles.len(), found);
    assert!(found <= MAX_SINGLE_RESPONSES);
    let tail = parts.get(3).map(|tail| tree.inside(tree.inside(*tail)[0]));
    let tail = tail.unwrap_or_default();
    assert!(tail.len() <= MAX_CERTIFICATES);
    let certificates = read.certificates.iter().map(Certificate::der);
    assert!(certificates.eq(tail.iter().map(|each| tree.whole(*each))));
}

#[test]
fn fuzz_reader_answers() {
    let issuing = corpus::issuing();
    let signer = Certificate::parse(CERTIFICATES[2]).unwrap();
    let honest: Vec<Response> = ANSWERS
        .iter()
        .map(|answer| Response::parse(answer).unwrap())
        .collect();
    let honest: Vec<&[u8]> = honest.iter().map(|read| signed(read.der())).collect();
    let (mut taken, mut accepted) = (0_u64, 0_u64);
    loket_fuzz::fuzz_der("reader-answers", CASES, &ANSWERS, |bytes, seeded| {
        let Ok(read) = Response::parse(bytes) else {
            return;
        };
        taken += 1;
        says_what_stands_there(&read, bytes);
        let _any = (read.produced_at(), read.answer(&signer, &issuing));
        if seeded.below(ONE_IN_CHECKED) != 0 {
            return;
        }
        let known = std::iter::empty();
        if read.responder(&issuing, known, &Effort::new()).is_some() {
            accepted += 1;
            assert!(honest.contains(&signed(read.der())), "altered and accepted");
        }
    });
    assert!(taken > 0 && accepted > 0, "control: {taken}, {accepted}");
}
