//! Acknowledgements: after the commit, on the connection that brought the message, on no other.

use loket_link::{LinkConfig, Publication, Qos};
use tokio::time::timeout;

use crate::broker::Broker;
use crate::link::{DEADLINE, Running, config, message};
use crate::scripted::{PUBACK, PUBLISH, ScriptedBroker};

fn beat(text: &str) -> Publication {
    Publication {
        qos: Qos::AtMostOnce,
        ..message("cmd/beat", text)
    }
}

#[tokio::test]
async fn the_broker_sends_no_more_than_the_receive_maximum_before_an_acknowledgement() {
    let broker = Broker::start("").await;
    let narrow = |id| LinkConfig {
        receive_maximum: 2,
        ..config(id, broker.address(), &["cmd/+"])
    };
    let mut kiosk = Running::up(narrow("kiosk")).await;
    let central = Running::up(config("central", broker.address(), &[])).await;
    for text in ["a", "b", "c", "d"] {
        central.publish(message("cmd/print", text)).await;
    }
    // QoS 0 has no such bound, so it overtakes what the broker must hold back.
    central.publish(beat("now")).await;
    let (_, a, ack_a) = kiosk.next_message().await;
    let (_, b, _held_b) = kiosk.next_message().await;
    let (_, third, _none) = kiosk.next_message().await;
    assert_eq!(
        (a, b, third),
        (b"a".to_vec(), b"b".to_vec(), b"now".to_vec())
    );
    kiosk.handle.ack(ack_a);
    let (_, c, _held_c) = kiosk.next_message().await;
    assert_eq!(c, b"c");

    kiosk.stop().await;
    let mut kiosk = Running::start(narrow("kiosk"));
    assert!(kiosk.next_up().await.session_present);
    for text in ["b", "c", "d"] {
        assert_eq!(kiosk.next_text().await, text);
    }
}

#[tokio::test]
async fn a_message_in_the_hands_of_a_crashed_process_comes_to_the_next_one() {
    let broker = Broker::start("").await;
    let mut kiosk = Running::up(config("kiosk", broker.address(), &["cmd/+"])).await;
    broker.publish_foreign("cmd/print", b"order", 1).await;
    let (_, _, _uncommitted) = kiosk.next_message().await;
    kiosk.crash().await;
    let mut kiosk = Running::up(config("kiosk", broker.address(), &["cmd/+"])).await;
    assert_eq!(kiosk.next_text().await, "order");
}

#[tokio::test]
async fn an_acknowledgement_of_an_older_generation_does_not_end_another_order() {
    let mut broker = Broker::start("").await;
    let mut kiosk = Running::up(config("kiosk", broker.address(), &["cmd/+"])).await;
    broker.publish_foreign("cmd/print", b"a", 1).await;
    let (_, a, ack_a) = kiosk.next_message().await;
    assert_eq!(a, b"a");
    broker.kill().await;
    broker.wipe();
    broker.restart().await;
    assert!(!kiosk.next_up().await.session_present);
    // The wiped broker numbers from 1 again: this one bears the packet id of the held order.
    broker.publish_foreign("cmd/print", b"b", 1).await;
    let (_, b, _held_b) = kiosk.next_message().await;
    assert_eq!(b, b"b");
    kiosk.handle.ack(ack_a);
    // What was wrongly acknowledged would be gone by the time this was answered.
    kiosk.publish(message("cmd/round", "trip")).await;
    let (_, trip, ack_trip) = kiosk.next_message().await;
    assert_eq!(trip, b"trip");
    kiosk.handle.ack(ack_trip);

    kiosk.stop().await;
    let mut kiosk = Running::start(config("kiosk", broker.address(), &["cmd/+"]));
    assert!(kiosk.next_up().await.session_present);
    assert_eq!(kiosk.next_text().await, "b");
    kiosk.publish(message("cmd/round", "end")).await;
    assert_eq!(kiosk.next_text().await, "end");
}

#[tokio::test]
async fn acknowledgements_pass_while_publications_wait_for_room() {
    let broker = Broker::start("max_inflight_messages 2").await;
    let few = LinkConfig {
        receive_maximum: 1,
        ..config("kiosk", broker.address(), &["cmd/+"])
    };
    let mut kiosk = Running::up(few).await;
    let central = Running::up(config("central", broker.address(), &[])).await;
    for number in 0..50 {
        central
            .publish(message("cmd/print", number.to_string()))
            .await;
        while kiosk.handle.publish(message("evt/job", "x")).is_ok() {}
        assert_eq!(kiosk.next_text().await, number.to_string());
    }
}

#[tokio::test]
async fn a_broker_that_passes_the_receive_maximum_gets_every_acknowledgement() {
    const COUNT: u16 = 1_000;
    let broker = ScriptedBroker::bind().await;
    let mut kiosk = Running::start(config("kiosk", broker.address(), &["t"]));
    let mut session = broker.accept(&[]).await;
    session.suback().await;
    kiosk.next_up().await;
    let mut packets = Vec::new();
    for id in 1..=COUNT {
        let [high, low] = id.to_be_bytes();
        // PUBLISH QoS 1, topic "t", no properties, payload of one byte.
        packets.extend_from_slice(&[0x32, 7, 0, 1, b't', high, low, 0, low]);
    }
    let receive = async {
        for _ in 0..COUNT {
            let (_, _, ack) = kiosk.next_message().await;
            kiosk.handle.ack(ack);
        }
        kiosk.publish(message("evt/job", "x")).await;
    };
    let confirm = async {
        session.write(&packets).await;
        let (mut acknowledged, mut published) = (Vec::new(), 0);
        while acknowledged.len() < usize::from(COUNT) || published < 1 {
            let packet = session.read().await.unwrap();
            if packet.kind() == PUBACK {
                acknowledged.push(u16::from_be_bytes([packet.body[0], packet.body[1]]));
            } else if packet.kind() == PUBLISH {
                published += 1;
            }
        }
        acknowledged
    };
    let (acknowledged, ()) = timeout(DEADLINE, async { tokio::join!(confirm, receive) })
        .await
        .expect("all acknowledgements arrive");
    assert_eq!(acknowledged, (1..=COUNT).collect::<Vec<_>>());
}
