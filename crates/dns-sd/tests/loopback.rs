//! Searches at the interface of this computer alone, where a peer announces printers: a second instance of the library, and
//! bytes that no library would send.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper of tests fails its test where it cannot go on"
)]

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use loket_dns_sd::{Formats, Found, RecordFault, Search, SearchError, Service, search};
use mdns_sd::{IfKind, ServiceDaemon, ServiceInfo};
use tokio::net::UdpSocket;

/// A search ends when its time is over: long enough for the library's second question on a busy computer.
const WITHIN: Duration = Duration::from_secs(3);

/// The group of multicast DNS (RFC 6762 section 3).
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);

/// A port of its own, so that no network is disturbed and no other test is heard.
async fn free_port() -> u16 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    socket.local_addr().unwrap().port()
}

/// Announces printers at the loopback interface until it is dropped.
struct Peer(ServiceDaemon);

impl Peer {
    fn new(port: u16) -> Self {
        let daemon = ServiceDaemon::new_with_port(port).unwrap();
        daemon.disable_interface(IfKind::All).unwrap();
        daemon.enable_interface(IfKind::LoopbackV4).unwrap();
        Self(daemon)
    }

    fn announce(&self, service: Service, name: &str, port: u16, txt: &[(&str, &str)]) {
        let host = "printer-of-a-test.local.";
        let info = ServiceInfo::new(service.domain(), name, host, "127.0.0.1", port, txt);
        self.0.register(info.unwrap()).unwrap();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Ok(ended) = self.0.shutdown() {
            drop(ended.recv_timeout(Duration::from_secs(5)));
        }
    }
}

async fn found(port: u16) -> Found {
    let asked = Search {
        within: WITHIN,
        interface: Some("lo".to_owned()),
        port: Some(port),
    };
    search(&asked)
        .await
        .expect("multicast on the loopback interface")
}

#[tokio::test]
async fn printers_that_announce_themselves_are_found_and_what_is_none_is_counted() {
    let port = free_port().await;
    let peer = Peer::new(port);
    let whole = [
        ("rp", "ipp/print"),
        ("ty", "EPSON ET-5800 Series"),
        ("pdl", "image/urf,application/pdf"),
        ("UUID", "cfe92100-67c4-11d4-a45f-f8d027761251"),
    ];
    peer.announce(Service::Ipp, "Ruang Pelayanan", 631, &whole);
    peer.announce(Service::Ipps, "Ruang Pelayanan", 631, &whole);
    peer.announce(
        Service::Ipp,
        "Raster",
        8631,
        &[("rp", "ipp/raster"), ("pdl", "image/pwg-raster")],
    );
    peer.announce(Service::Ipp, "Odd", 631, &[("rp", "a b\"")]);
    let found = found(port).await;
    let told: Vec<(&str, String, Formats)> = found
        .printers
        .iter()
        .map(|it| (it.name.as_str(), it.uri(), it.takes()))
        .collect();
    let uri = |text: &str| text.to_owned();
    assert_eq!(
        told,
        [
            (
                "Raster",
                uri("ipp://127.0.0.1:8631/ipp/raster"),
                Formats::Raster
            ),
            (
                "Ruang Pelayanan",
                uri("ipp://127.0.0.1:631/ipp/print"),
                Formats::Pdf
            ),
            (
                "Ruang Pelayanan",
                uri("ipps://127.0.0.1:631/ipp/print"),
                Formats::Pdf
            ),
        ]
    );
    assert_eq!(
        found.faults.into_iter().collect::<Vec<_>>(),
        [(RecordFault::Path, 1)]
    );
    assert!(!found.is_cut);
}

#[tokio::test]
async fn who_floods_the_network_with_names_is_cut_off() {
    let port = free_port().await;
    let peer = Peer::new(port);
    for number in 0..loket_dns_sd::MAX_PRINTERS + 6 {
        peer.announce(
            Service::Ipp,
            &format!("Printer {number}"),
            631,
            &[("rp", "ipp/print")],
        );
    }
    let found = found(port).await;
    assert!(found.is_cut);
    assert_eq!(found.printers.len(), loket_dns_sd::MAX_PRINTERS);
}

#[tokio::test]
async fn garbage_beside_a_good_answer_ends_no_search() {
    let port = free_port().await;
    let peer = Peer::new(port);
    peer.announce(Service::Ipp, "Good", 631, &[("rp", "ipp/print")]);
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let socket = socket.into_std().unwrap();
    let garbage = async {
        let mut pace = tokio::time::interval(Duration::from_millis(2));
        for round in 0..500_u64 {
            pace.tick().await;
            let bytes = loket_fuzz::Mutator::new(loket_fuzz::Seeded::of_round(62, round).unwrap())
                .alter(&answer());
            drop(socket.send_to(&bytes, SocketAddrV4::new(GROUP, port)));
            drop(socket.send_to(&bytes, SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)));
        }
    };
    let (found, ()) = tokio::join!(found(port), garbage);
    assert!(
        found.printers.iter().any(|it| it.name == "Good"),
        "{found:?}"
    );
}

/// An answer by hand: PTR, SRV, TXT and A of a printer, with names that point to earlier ones (RFC 1035 section 4.1.4).
fn answer() -> Vec<u8> {
    let mut out = vec![0, 0, 0x84, 0, 0, 0, 0, 4, 0, 0, 0, 0];
    out.extend(b"\x04_ipp\x04_tcp\x05local\0");
    out.extend([0, 12, 0, 1, 0, 0, 0, 120, 0, 6]);
    out.extend(b"\x03Bad\xc0\x0c");
    let instance = [0xc0, 39];
    out.extend(instance);
    out.extend([0, 33, 0x80, 1, 0, 0, 0, 120, 0, 13, 0, 0, 0, 0, 2, 0x77]);
    out.extend(b"\x04host\xc0\x16");
    out.extend(instance);
    out.extend([0, 16, 0x80, 1, 0, 0, 0, 120, 0, 13]);
    out.extend(b"\x0crp=ipp/print");
    out.extend(b"\x04host\xc0\x16");
    out.extend([0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4, 127, 0, 0, 1]);
    out
}

#[tokio::test]
async fn a_search_where_nobody_answers_ends_in_its_time_with_nothing() {
    let port = free_port().await;
    let started = tokio::time::Instant::now();
    let found = found(port).await;
    assert_eq!(found, Found::default());
    assert!(started.elapsed() >= WITHIN);
}

#[tokio::test]
async fn an_interface_that_is_not_there_is_told_at_once() {
    for name in ["", "none0", "../lo", "lo/statistics"] {
        let asked = Search {
            within: Duration::from_secs(30),
            interface: Some(name.to_owned()),
            port: None,
        };
        let error = search(&asked).await.unwrap_err();
        assert!(
            matches!(error, SearchError::NoInterface { .. }),
            "{name}: {error}"
        );
    }
}
