//! The client over TLS, to a printer that signed its own certificate.
#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests fails its test where it cannot go on"
)]

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use loket_ipp_printer::{IppError, IppPrinter, JobState, NewJob, Options};
use loket_sim::printer::{PrinterConfig, SimPrinter};
use rcgen::PublicKeyData;
use ring::digest::{SHA256, digest};
use rustls::HandshakeKind;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A door of TLS in front of a simulated printer.
struct Door {
    sim: SimPrinter,
    uri: String,
    pin: [u8; 32],
    /// How each handshake went, in order.
    handshakes: Arc<Mutex<Vec<HandshakeKind>>>,
    _tasks: JoinSet<()>,
}

/// A key of its own, with its pin.
fn keyed(
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> (Arc<rustls::ServerConfig>, [u8; 32]) {
    let made = rcgen::generate_simple_self_signed(["a name nobody checks".to_owned()]).unwrap();
    let pin = digest(&SHA256, &made.signing_key.subject_public_key_info());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (Arc::new(config), pin.as_ref().try_into().unwrap())
}

async fn door(versions: &[&'static rustls::SupportedProtocolVersion]) -> Door {
    let (config, pin) = keyed(versions);
    let again = Arc::clone(&config);
    swapped_door(vec![config, again], pin).await
}

/// A door that shows these keys, one a connection, the last one from then on; the pin is of the first.
async fn swapped_door(configs: Vec<Arc<rustls::ServerConfig>>, pin: [u8; 32]) -> Door {
    let sim = SimPrinter::start(PrinterConfig::default()).await.unwrap();
    let handshakes = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("ipps://{}/ipp/print", listener.local_addr().unwrap());
    let behind = sim.address();
    let mut tasks = JoinSet::new();
    let seen = Arc::clone(&handshakes);
    tasks.spawn(async move {
        let last = configs.last().unwrap().clone();
        for config in configs.into_iter().chain(std::iter::repeat(last)) {
            let acceptor = TlsAcceptor::from(config);
            let (stream, _) = listener.accept().await.unwrap();
            // A client that refuses the key ends the handshake; the next one may come.
            let Ok(mut clear) = acceptor.accept(stream).await else {
                continue;
            };
            let kind = clear.get_ref().1.handshake_kind().unwrap();
            seen.lock().unwrap().push(kind);
            let mut printer = TcpStream::connect(behind).await.unwrap();
            drop(tokio::io::copy_bidirectional(&mut clear, &mut printer).await);
        }
    });
    Door {
        sim,
        uri,
        pin,
        handshakes,
        _tasks: tasks,
    }
}

fn pinned(uri: &str, pin: [u8; 32]) -> IppPrinter {
    let options = Options {
        pinned_spki_sha256: Some(pin),
        ..Options::default()
    };
    IppPrinter::new(uri, options).unwrap()
}

#[tokio::test]
async fn the_printer_of_the_pinned_key_is_printed_on_with_tls_1_2_and_1_3() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let door = door(&[version]).await;
        let printer = pinned(&door.uri, door.pin);
        let id = printer
            .create_job(&NewJob::new("loket:1:1"))
            .await
            .unwrap()
            .id;
        let document: Bytes = [&b"%PDF"[..], &[b'x'; 200_000]].concat().into();
        printer
            .send_document(id, "application/pdf", document.clone())
            .await
            .unwrap();
        let report = door
            .sim
            .until(|report| !report.printed_sha256.is_empty())
            .await;
        assert_eq!(
            door.sim.document(&report.printed_sha256[0]).unwrap(),
            document
        );
        assert_eq!(
            printer.job_attributes(id).await.unwrap().state,
            JobState::Completed
        );
        door.sim.stop().await;
    }
}

#[tokio::test]
async fn a_printer_that_is_asked_again_proves_its_key_by_the_session_it_made() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let door = door(&[version]).await;
        let printer = pinned(&door.uri, door.pin);
        for _ in 0..3 {
            printer.printer_attributes().await.unwrap();
        }
        let handshakes = door.handshakes.lock().unwrap().clone();
        let resumed = HandshakeKind::Resumed;
        assert_eq!(handshakes, [HandshakeKind::Full, resumed, resumed]);
        door.sim.stop().await;
    }
}

#[tokio::test]
async fn a_printer_swapped_for_another_cannot_resume_the_session_of_the_first() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (ours, pin) = keyed(&[version]);
        let (rogue, rogue_pin) = keyed(&[version]);
        let door = swapped_door(vec![ours, rogue], pin).await;
        let printer = pinned(&door.uri, pin);
        printer.printer_attributes().await.unwrap();
        let error = printer.create_job(&NewJob::new("loket:4:1")).await;
        let error = error.unwrap_err();
        let IppError::Pin { presented } = error else {
            panic!("{error:?}")
        };
        assert_eq!(presented, HEXLOWER.encode(&rogue_pin));
        assert_eq!(door.sim.report().jobs, vec![]);
        door.sim.stop().await;
    }
}

#[tokio::test]
async fn a_printer_of_another_key_is_named_and_gets_nothing() {
    let door = door(rustls::ALL_VERSIONS).await;
    let printer = pinned(&door.uri, [7; 32]);
    let error = printer
        .create_job(&NewJob::new("loket:2:1"))
        .await
        .unwrap_err();
    assert!(error.nothing_left());
    let IppError::Pin { presented } = error else {
        panic!("{error:?}")
    };
    assert_eq!(presented, HEXLOWER.encode(&door.pin));
    assert_eq!(door.sim.report().jobs, vec![]);
    door.sim.stop().await;
}

#[tokio::test]
async fn a_printer_that_speaks_no_tls_gets_nothing() {
    let sim = SimPrinter::start(PrinterConfig::default()).await.unwrap();
    let uri = sim.uri().replace("ipp://", "ipps://");
    let error = pinned(&uri, [7; 32])
        .create_job(&NewJob::new("loket:3:1"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, IppError::Tls { .. }) && error.nothing_left(),
        "{error:?}"
    );
    assert_eq!(sim.report().jobs, vec![]);
    sim.stop().await;
}
