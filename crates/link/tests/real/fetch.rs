//! Downloads against servers that cut, ignore ranges, refuse, lie and stall.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use loket_link::{
    FetchEnd, FetchError, FetchTarget, FetchTimeouts, SinkError, fetch_from, fetch_from_within,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::pki::Authority;

const BOUND: u64 = 1_000_000;

/// A server that answers each connection with the next of its answers and then closes it.
struct Server {
    target: FetchTarget,
    requests: JoinSet<Vec<String>>,
}

impl Server {
    async fn start(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = FetchTarget {
            host: "127.0.0.1".into(),
            port: listener.local_addr().unwrap().port(),
            tls: None,
            server_name: "127.0.0.1".into(),
        };
        let mut requests = JoinSet::new();
        requests.spawn(async move {
            let mut heard = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                heard.push(read_head(&mut stream).await);
                stream.write_all(&answer).await.unwrap();
                stream.shutdown().await.unwrap();
            }
            heard
        });
        Self { target, requests }
    }

    /// The heads of the requests, once all answers were given.
    async fn requests(mut self) -> Vec<String> {
        self.requests.join_next().await.unwrap().unwrap()
    }
}

async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

fn document() -> Vec<u8> {
    (0..50_000_u32)
        .map(|n| u8::try_from(n * 7 % 251).unwrap())
        .collect()
}

fn whole(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn part(body: &[u8], from: usize) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {from}-{}/{}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len() - 1,
        body.len(),
        body.len() - from
    );
    [head.as_bytes(), &body[from..]].concat()
}

/// A sink that insists on order.
#[derive(Default)]
struct Kept(Vec<u8>);

impl Kept {
    fn at(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap()
    }

    async fn fetch(&mut self, target: &FetchTarget) -> Result<FetchEnd, FetchError> {
        let from = self.at();
        let mut sink = |offset: u64, chunk: Bytes| {
            assert_eq!(offset, self.at());
            self.0.extend_from_slice(&chunk);
            Ok(())
        };
        fetch_from(target, "/machine/v1/blobs/x", from, BOUND, &mut sink).await
    }
}

#[tokio::test]
async fn a_download_cut_at_any_byte_resumes_to_the_same_bytes() {
    let document = document();
    let head = whole(&document).len() - document.len();
    for cut in [0, 1, 777, 49_999] {
        let second = cut + (document.len() - cut) / 2;
        let first_answer = whole(&document)[..head + cut].to_vec();
        let mut second_answer = part(&document, cut);
        second_answer.truncate(second_answer.len() - (document.len() - second));
        // With nothing kept, there is nothing to resume: the whole is asked for again.
        let second_answer = if cut == 0 {
            whole(&document)[..head + second].to_vec()
        } else {
            second_answer
        };
        let answers = vec![first_answer, second_answer, part(&document, second)];
        let server = Server::start(answers).await;
        let mut kept = Kept::default();
        assert!(matches!(
            kept.fetch(&server.target).await,
            Err(FetchError::Cut(_))
        ));
        assert_eq!(kept.0.len(), cut);
        assert!(matches!(
            kept.fetch(&server.target).await,
            Err(FetchError::Cut(_))
        ));
        assert_eq!(kept.0.len(), second);
        let end = kept.fetch(&server.target).await.unwrap();
        assert_eq!(
            end,
            FetchEnd {
                total_bytes: 50_000
            }
        );
        assert!(kept.0 == document, "the bytes are the same");
        let requests = server.requests().await;
        assert!(requests[0].starts_with("GET /machine/v1/blobs/x HTTP/1.1\r\n"));
        assert!(!requests[0].to_lowercase().contains("range:"));
        assert!(
            requests[2]
                .to_lowercase()
                .contains(&format!("range: bytes={second}-\r\n"))
        );
    }
}

#[tokio::test]
async fn a_server_that_ignores_the_range_is_read_past_what_is_known() {
    let document = document();
    let server = Server::start(vec![whole(&document)]).await;
    let mut kept = Kept(document[..20_001].to_vec());
    assert_eq!(
        kept.fetch(&server.target).await.unwrap().total_bytes,
        50_000
    );
    assert!(kept.0 == document, "the bytes are the same");
}

#[tokio::test]
async fn refusals_reach_the_sink_with_nothing() {
    let answer = |line: &str| format!("HTTP/1.1 {line}\r\nContent-Length: 4\r\n\r\noops");
    let lines = [
        "404 Not Found",
        "410 Gone",
        "403 Forbidden",
        "500 Internal Server Error",
    ];
    let server = Server::start(lines.iter().map(|line| answer(line).into_bytes()).collect()).await;
    let mut kept = Kept::default();
    assert!(matches!(
        kept.fetch(&server.target).await,
        Err(FetchError::NotFound)
    ));
    assert!(matches!(
        kept.fetch(&server.target).await,
        Err(FetchError::Gone)
    ));
    assert!(matches!(
        kept.fetch(&server.target).await,
        Err(FetchError::Forbidden)
    ));
    assert!(matches!(
        kept.fetch(&server.target).await,
        Err(FetchError::Status { status: 500 })
    ));
    assert!(kept.0.is_empty());
}

#[tokio::test]
async fn a_body_without_a_length_is_bounded_all_the_same() {
    let mut endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    endless.extend(vec![b'x'; 10_000]);
    let server = Server::start(vec![endless]).await;
    let mut kept = 0;
    let mut sink = |_, chunk: Bytes| {
        kept += chunk.len();
        Ok(())
    };
    let fetched = fetch_from(&server.target, "/x", 0, 5_000, &mut sink).await;
    assert!(matches!(
        fetched,
        Err(FetchError::TooLarge { limit_bytes: 5_000 })
    ));
    assert!(kept <= 5_000);
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let mut head = b"HTTP/1.1 200 OK\r\n".to_vec();
    head.extend(b"x-filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(1_000));
    let server = Server::start(vec![head]).await;
    let mut kept = Kept::default();
    assert!(matches!(
        kept.fetch(&server.target).await,
        Err(FetchError::Cut(_))
    ));
}

#[tokio::test]
async fn a_part_of_the_rest_is_kept_and_told_as_short() {
    let answer = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-4/10\r\n\
                   Content-Length: 3\r\n\r\nabc";
    let server = Server::start(vec![answer.to_vec()]).await;
    let mut kept = Kept(b"xy".to_vec());
    let fetched = kept.fetch(&server.target).await;
    assert!(matches!(
        fetched,
        Err(FetchError::Short {
            at_bytes: 5,
            total_bytes: 10
        })
    ));
    assert_eq!(kept.0, b"xyabc");
}

#[tokio::test]
async fn a_sink_that_refuses_ends_the_fetch() {
    let server = Server::start(vec![whole(b"abc")]).await;
    let mut full = |_, _: Bytes| Err(SinkError(std::io::ErrorKind::StorageFull.into()));
    let fetched = fetch_from(&server.target, "/x", 0, BOUND, &mut full).await;
    assert!(matches!(fetched, Err(FetchError::Sink(_))));
}

#[tokio::test]
async fn a_silent_server_is_left_before_and_within_the_body() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = FetchTarget {
        host: "127.0.0.1".into(),
        port: listener.local_addr().unwrap().port(),
        tls: None,
        server_name: "127.0.0.1".into(),
    };
    let short = FetchTimeouts {
        idle: Duration::from_millis(50),
        ..FetchTimeouts::default()
    };
    for said in [&b""[..], b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"] {
        let mut kept = Vec::new();
        let mut sink = |_, chunk: Bytes| {
            kept.extend_from_slice(&chunk);
            Ok(())
        };
        let fetching = fetch_from_within(short, &target, "/x", 0, BOUND, &mut sink);
        let serving = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_head(&mut stream).await;
            stream.write_all(said).await.unwrap();
            stream
        };
        let (fetched, _stream) = tokio::join!(fetching, serving);
        assert!(matches!(fetched, Err(FetchError::TimedOut { limit }) if limit == short.idle));
        assert_eq!(kept.len(), if said.is_empty() { 0 } else { 3 });
    }
}

#[tokio::test]
async fn a_dropped_fetch_loses_nothing_that_the_sink_had() {
    let document = document();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = FetchTarget {
        host: "127.0.0.1".into(),
        port: listener.local_addr().unwrap().port(),
        tls: None,
        server_name: "127.0.0.1".into(),
    };
    let mut kept = Kept::default();
    let head = whole(&document).len() - document.len();
    {
        let first_half = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_head(&mut stream).await;
            stream
                .write_all(&whole(&document)[..head + 30_000])
                .await
                .unwrap();
            // The client leaves with the rest outstanding.
            assert!(stream.read_u8().await.is_err());
        };
        let (arrived, wait) = tokio::sync::oneshot::channel();
        let mut arrived = Some(arrived);
        let mut sink = |_, chunk: Bytes| {
            kept.0.extend_from_slice(&chunk);
            if kept.0.len() == 30_000 {
                arrived.take().unwrap().send(()).unwrap();
            }
            Ok(())
        };
        let fetching = async {
            tokio::select! {
                ended = fetch_from(&target, "/x", 0, BOUND, &mut sink) => panic!("{ended:?}"),
                dropped = wait => dropped.unwrap(),
            }
        };
        tokio::join!(fetching, first_half);
    }
    let rest = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = read_head(&mut stream).await;
        assert!(head.to_lowercase().contains("range: bytes=30000-"));
        stream.write_all(&part(&document, 30_000)).await.unwrap();
        stream
    };
    let (fetched, _stream) = tokio::join!(kept.fetch(&target), rest);
    assert_eq!(fetched.unwrap().total_bytes, 50_000);
    assert!(kept.0 == document, "the bytes are the same");
}

async fn serve_secured(listener: &TcpListener, acceptor: &TlsAcceptor, body: &[u8]) {
    let (tcp, _) = listener.accept().await.unwrap();
    let Ok(mut stream) = acceptor.accept(tcp).await else {
        return;
    };
    answer(&mut stream, body).await;
}

async fn answer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), body: &[u8]) {
    read_head(stream).await;
    stream.write_all(&whole(body)).await.unwrap();
    stream.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_fetch_proves_its_certificate_and_is_refused_without_one() {
    let authority = Authority::new();
    let server = authority.server(&authority.issue("central", &["central.example"]));
    let acceptor = TlsAcceptor::from(server);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = |tls| FetchTarget {
        host: "127.0.0.1".into(),
        port: listener.local_addr().unwrap().port(),
        tls: Some(tls),
        server_name: "central.example".into(),
    };
    let own = authority.client(Some(&authority.issue("kiosk", &[])));
    let mut kept = Kept::default();
    let known = target(Arc::clone(&own));
    let (fetched, ()) = tokio::join!(
        kept.fetch(&known),
        serve_secured(&listener, &acceptor, b"blob")
    );
    assert_eq!(
        (fetched.unwrap().total_bytes, kept.0.as_slice()),
        (4, b"blob".as_slice())
    );

    let unknown = target(authority.client(None));
    let mut none = Kept::default();
    let (fetched, ()) = tokio::join!(
        none.fetch(&unknown),
        serve_secured(&listener, &acceptor, b"blob")
    );
    assert!(matches!(fetched, Err(FetchError::Tls(_))), "{fetched:?}");

    let elsewhere = FetchTarget {
        server_name: "elsewhere.example".into(),
        ..target(own)
    };
    let (fetched, ()) = tokio::join!(
        none.fetch(&elsewhere),
        serve_secured(&listener, &acceptor, b"blob")
    );
    assert!(matches!(fetched, Err(FetchError::Tls(_))), "{fetched:?}");
    assert!(none.0.is_empty());
}
