//! Answers to a download that are nearly right: whatever they say, no byte lands where none was asked for.

use bytes::Bytes;
use loket_link::{FetchTarget, fetch_from};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Some ten seconds without optimisation.
const CASES: u64 = 8_000;

/// What the caller takes at most, and has already.
const BOUND: u64 = 1_000;
const HAS: u64 = 4;

/// The head of a request is shorter, and read in one piece on loopback.
const HEAD_BYTES: usize = 1_024;

#[test]
fn fuzz_downloads() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let target = FetchTarget {
        host: "127.0.0.1".to_owned(),
        port: listener.local_addr().unwrap().port(),
        tls: None,
        server_name: "127.0.0.1".to_owned(),
    };
    let part = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 4-9/10\r\nContent-Length: 6\r\n\r\nefghij";
    let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabcdefghij";
    let all = b"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */4\r\nContent-Length: 0\r\n\r\n";
    let good: [&[u8]; 3] = [part, whole, all];
    let mut whole_count = 0_u64;
    loket_fuzz::fuzz("downloads", CASES, &good, |answer| {
        let mut next = HAS;
        let mut sink = |at: u64, chunk: Bytes| {
            assert_eq!(at, next, "bytes for another place");
            next += u64::try_from(chunk.len()).unwrap();
            assert!(next <= BOUND, "more than was to be taken");
            Ok(())
        };
        let serve = async {
            let (mut stream, _peer) = listener.accept().await.unwrap();
            drop(stream.read(&mut [0; HEAD_BYTES]).await);
            drop(stream.write_all(answer).await);
            drop(stream.shutdown().await);
        };
        let fetch = fetch_from(&target, "/blob", HAS, BOUND, &mut sink);
        let (_served, fetched) = runtime.block_on(async { tokio::join!(serve, fetch) });
        whole_count += u64::from(fetched.is_ok());
    });
    assert!(whole_count > 0, "control: some are still good");
}
