//! What comes first where the window to the broker is full, and at the end.

use loket_link::{BrokerAddress, Inbox, LinkConfig, LinkHandle, open};
use loket_wire::topic::{CENTRAL_STATE, for_machine};
use loket_wire::{Report, Sha256Digest};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Bench;
use super::presence::{DEADLINE, FIRST, Said, at, presence, read};

/// A broker that confirms when the test says so, and lets two publications be under way.
struct Reluctant(TcpStream);

impl Reluctant {
    async fn accept(listener: &TcpListener) -> Self {
        let (stream, _peer) = listener.accept().await.unwrap();
        let mut broker = Self(stream);
        assert_eq!(broker.packet().await.0 >> 4, 1, "CONNECT");
        // CONNACK with property 0x21: a receive maximum of 3, of which the link uses one less.
        broker
            .0
            .write_all(&[0x20, 6, 0, 0, 3, 0x21, 0, 3])
            .await
            .unwrap();
        let (first, body) = broker.packet().await;
        assert_eq!(first >> 4, 8, "SUBSCRIBE");
        let granted = u8::try_from(for_machine(&"abc".parse().unwrap()).len()).unwrap();
        let mut suback = vec![0x90, 3 + granted, body[0], body[1], 0];
        suback.resize(5 + usize::from(granted), 1);
        broker.0.write_all(&suback).await.unwrap();
        broker
    }

    async fn packet(&mut self) -> (u8, Vec<u8>) {
        let first = self.0.read_u8().await.unwrap();
        let (mut length, mut shift) = (0_usize, 0);
        loop {
            let byte = self.0.read_u8().await.unwrap();
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        (first, body)
    }

    /// The next publication of the machine, and its packet id.
    async fn said(&mut self, bench: &Bench) -> (Said, [u8; 2]) {
        loop {
            let (first, body) = self.packet().await;
            if first >> 4 != 3 {
                continue;
            }
            let topic_bytes = usize::from(u16::from_be_bytes([body[0], body[1]]));
            let (topic, rest) = body[2..].split_at(topic_bytes);
            // Packet id, then an empty list of properties.
            let (id, payload) = ([rest[0], rest[1]], &rest[3..]);
            let topic = std::str::from_utf8(topic).unwrap();
            return (read(bench, topic, payload), id);
        }
    }

    async fn confirm(&mut self, id: [u8; 2]) {
        self.0.write_all(&[0x40, 2, id[0], id[1]]).await.unwrap();
    }

    /// A message with QoS 1 for the machine.
    async fn publish(&mut self, topic: &str, payload: &[u8]) {
        let mut body = u16::try_from(topic.len()).unwrap().to_be_bytes().to_vec();
        body.extend_from_slice(topic.as_bytes());
        body.extend_from_slice(&[0, 1, 0]);
        body.extend_from_slice(payload);
        let length = u16::try_from(body.len()).unwrap();
        assert!((128..16_384).contains(&length), "two bytes of length");
        let low = u8::try_from(length & 0x7f).unwrap() | 0x80;
        let mut packet = vec![0x32, low, u8::try_from(length >> 7).unwrap()];
        packet.extend_from_slice(&body);
        self.0.write_all(&packet).await.unwrap();
    }
}

/// More reports than the window of [`Reluctant`] holds.
async fn report_often(bench: &Bench) {
    for _report in 0..8 {
        let aside = loket_wire::event::QuarantineReport {
            code: "M-101".to_owned(),
            payload_sha256: Sha256Digest::of(b"x"),
            size_bytes: 1,
        };
        let told = bench.unit.desk.report(Report::Quarantine(aside));
        told.await.unwrap();
    }
}

/// The machine's link to a broker of the test's own.
fn linked_to(
    listener: &TcpListener,
    bench: &Bench,
    running: &mut JoinSet<Result<(), loket_link::LinkError>>,
) -> (LinkHandle, Inbox) {
    let address = BrokerAddress {
        host: "127.0.0.1".to_owned(),
        port: listener.local_addr().unwrap().port(),
    };
    let (link, inbox, task) = open(LinkConfig {
        subscriptions: for_machine(&bench.unit.machine),
        ..LinkConfig::new("desa-contoh-1", vec![address])
    });
    running.spawn(task.run(CancellationToken::new()));
    (link, inbox)
}

#[tokio::test]
async fn state_and_sync_and_the_goodbye_find_room_before_any_report() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bench = Bench::new().await;
    report_often(&bench).await;
    let mut running = JoinSet::new();
    let (link, inbox) = linked_to(&listener, &bench, &mut running);
    let stop = CancellationToken::new();
    let unit = bench.unit_alike();
    let reading = async {
        let mut broker = Reluctant::accept(&listener).await;
        let (Said::State(state), first) = broker.said(&bench).await else {
            panic!("state comes first");
        };
        assert!(
            state.online && state.session_seq > 1 << 20,
            "{}",
            state.session_seq
        );
        let (Said::Sync(sync), second) = broker.said(&bench).await else {
            panic!("then the sync");
        };
        assert_eq!((sync.hello, sync.session_seq), (None, state.session_seq));
        // The window is full: central announces itself, and one message after it is known to be read.
        let payload = presence(&bench, true, Some(FIRST), at(10));
        broker.publish(CENTRAL_STATE, &payload).await;
        while broker.packet().await.0 >> 4 != 4 {}
        broker.confirm(first).await;
        let (Said::Sync(sync), third) = broker.said(&bench).await else {
            panic!("the answer comes before any report");
        };
        assert_eq!(sync.hello, Some(FIRST));
        broker.confirm(second).await;
        let (Said::Report(1, _report), fourth) = broker.said(&bench).await else {
            panic!("then the reports in order");
        };
        stop.cancel();
        broker.confirm(third).await;
        broker.confirm(fourth).await;
        // A report may have taken the place before the stop was seen.
        let mut reports = 0;
        loop {
            match broker.said(&bench).await {
                (Said::State(state), _id) => {
                    assert!(!state.online);
                    break;
                }
                (Said::Report(..), id) => {
                    reports += 1;
                    broker.confirm(id).await;
                }
                (Said::Sync(sync), _id) => panic!("{sync:?}"),
            }
        }
        assert!(
            reports < 7,
            "the goodbye does not wait for the whole outbox"
        );
        broker
    };
    let both = tokio::time::timeout(DEADLINE, async {
        tokio::join!(unit.run(link, inbox, stop.clone()), reading)
    });
    both.await.expect("both sides come to the end").0.unwrap();
    running.shutdown().await;
}

#[tokio::test]
async fn a_desk_that_has_ended_leaves_the_unit_running() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut bench = Bench::new().await;
    bench.desk.shutdown().await;
    let mut running = JoinSet::new();
    let (link, inbox) = linked_to(&listener, &bench, &mut running);
    let stop = CancellationToken::new();
    let unit = bench.unit_alike();
    let reading = async {
        let mut broker = Reluctant::accept(&listener).await;
        for expect_online in [true, false] {
            let (Said::State(state), id) = broker.said(&bench).await else {
                panic!("only the state can be said");
            };
            assert_eq!(state.online, expect_online);
            broker.confirm(id).await;
            stop.cancel();
        }
        broker
    };
    let both = tokio::time::timeout(DEADLINE, async {
        tokio::join!(unit.run(link, inbox, stop.clone()), reading)
    });
    both.await.expect("both sides come to the end").0.unwrap();
    running.shutdown().await;
}
