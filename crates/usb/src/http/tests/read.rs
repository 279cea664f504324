//! The readers of requests and answers, on bytes that are nearly right.

use proptest::prelude::*;

use crate::http::pieces::{Piece, Pieces};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::quirks::Quirks;

const ANSWERS: [&[u8]; 4] = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nDigest: x\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nServer: x\r\n\r\n",
    b"HTTP/1.0 500 Internal\r\nX: y\r\n folded\r\n\r\nwithout a length",
];

const REQUESTS: [&[u8]; 3] = [
    b"POST /ipp/print HTTP/1.1\r\nHost: a\r\nContent-Type: application/ipp\r\nContent-Length: 4\r\n\r\nbody",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"HEAD /eSCL/ScannerStatus HTTP/1.1\r\nConnection: close\r\n\r\n",
];

/// How an answer reads: how many bytes are its own, whether it is whole; or that it is none.
fn read_answer(pieces: &[&[u8]]) -> Option<(usize, bool)> {
    let mut response = Response::new();
    let mut taken = 0;
    for piece in pieces {
        let count = response.take(piece, false).ok()?;
        assert!(count <= piece.len());
        taken += count;
        if count < piece.len() {
            assert!(response.is_whole(), "only behind its end something is left");
            break;
        }
    }
    Some((taken, response.is_whole()))
}

/// The bytes that leave for a request, and whether it is whole; or that it is none.
fn read_request(pieces: &[&[u8]]) -> Option<(Vec<u8>, bool)> {
    let (mut request, mut out) = (Request::new(), Pieces::default());
    for piece in pieces {
        let piece = Piece::of(piece.to_vec());
        request.take(piece, &Quirks::default(), &mut out).ok()?;
    }
    Some((out.parts(0, usize::MAX).concat(), request.is_whole()))
}

fn cut(bytes: &[u8], places: [usize; 3]) -> Vec<&[u8]> {
    let mut places = places.map(|place| place.min(bytes.len()));
    places.sort_unstable();
    let [one, two, three] = places;
    vec![
        &bytes[..one],
        &bytes[one..two],
        &bytes[two..three],
        &bytes[three..],
    ]
}

#[test]
fn fuzz_usb_http_no_bytes_panic_and_pieces_read_as_the_whole() {
    let good = [ANSWERS.as_slice(), REQUESTS.as_slice()].concat();
    loket_fuzz::fuzz("usb_http", 60_000, &good, |bytes| {
        let places = [bytes.len() / 7, bytes.len() / 3, bytes.len() / 2];
        let pieces = cut(bytes, places);
        assert_eq!(read_answer(&pieces), read_answer(&[bytes]));
        assert_eq!(read_request(&pieces), read_request(&[bytes]));
        // What leaves for a request is a request with the same end, and stays as it is when it is read again.
        if let Some((sent, true)) = read_request(&[bytes]) {
            let again = read_request(&[&sent]);
            assert_eq!(again, Some((sent, true)));
        }
    });
}

proptest! {
    #[test]
    fn chunks_of_any_size_are_followed_to_the_last(
        sizes in proptest::collection::vec(1_usize..600, 0..20),
        places in any::<[u16; 3]>(),
        behind in 0_usize..20,
    ) {
        let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for size in sizes {
            answer.extend(format!("{size:X}\r\n").bytes());
            answer.extend(std::iter::repeat_n(b'\n', size));
            answer.extend(b"\r\n");
        }
        answer.extend(b"0\r\n\r\n");
        let len = answer.len();
        answer.extend(std::iter::repeat_n(b'?', behind));
        let pieces = cut(&answer, places.map(|place| usize::from(place) % (len + 1)));
        prop_assert_eq!(read_answer(&pieces), Some((len, true)));
    }
}
