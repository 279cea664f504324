//! Brokers that confirm out of order, never answer a ping, or send more than they may.

use std::time::Duration;

use loket_link::{DownReason, Inbound, LinkConfig, PublishError};
use tokio::time::timeout;

use crate::link::{DEADLINE, Running, config, message};
use crate::scripted::{DISCONNECT, PUBLISH, ScriptedBroker};

#[tokio::test]
async fn a_broker_that_confirms_out_of_order_causes_no_collision() {
    let broker = ScriptedBroker::bind().await;
    let four = LinkConfig {
        inflight_limit: 4,
        ..config("kiosk", broker.address(), &[])
    };
    let mut kiosk = Running::start(four);
    let mut session = broker.accept(&[]).await;
    kiosk.next_up().await;
    for _ in 0..3 {
        kiosk.handle.publish(message("evt/job", "x")).unwrap();
    }
    assert_eq!(
        kiosk.handle.publish(message("evt/job", "x")),
        Err(PublishError::Full)
    );
    let mut ids = Vec::new();
    while ids.len() < 3 {
        let packet = session.read().await.unwrap();
        assert_eq!(packet.kind(), PUBLISH);
        ids.push(packet.publish_id());
    }
    // The first stays unconfirmed: its id must not come round again.
    session.puback(ids[2]).await;
    session.puback(ids[1]).await;
    // PUBLISH QoS 0, topic "t": once it is here, both confirmations before it have been read.
    session.write(&[0x30, 5, 0, 1, b't', 0, b'!']).await;
    assert_eq!(kiosk.next_text().await, "!");
    assert_eq!(
        kiosk.handle.publish(message("evt/job", "x")),
        Err(PublishError::Full)
    );
    session.puback(ids[0]).await;
    for _ in 0..100 {
        kiosk.publish(message("evt/job", "x")).await;
        let packet = timeout(DEADLINE, session.read()).await.unwrap().unwrap();
        session.puback(packet.publish_id()).await;
    }
}

#[tokio::test]
async fn a_broker_that_answers_no_ping_is_left() {
    let broker = ScriptedBroker::bind().await;
    let mut kiosk = Running::start(config("kiosk", broker.address(), &[]));
    // CONNACK property 0x13: a keep-alive of 1 s, which the client must take over.
    let _silent = broker.accept(&[0x13, 0, 1]).await;
    kiosk.next_up().await;
    assert_eq!(kiosk.next_down().await, DownReason::NoPingResponse);
}

#[tokio::test]
async fn a_broker_that_sends_more_than_the_receive_maximum_is_held_back_and_nothing_is_dropped() {
    let broker = ScriptedBroker::bind().await;
    let one = LinkConfig {
        receive_maximum: 1,
        ..config("kiosk", broker.address(), &["t"])
    };
    let mut kiosk = Running::start(one);
    let mut session = broker.accept(&[]).await;
    session.suback().await;
    kiosk.next_up().await;
    // Not read before all is sent: the places of the inbox run out.
    for id in 1..=200 {
        // PUBLISH QoS 1, topic "t", no properties, payload of one byte.
        session.write(&[0x32, 7, 0, 1, b't', 0, id, 0, id]).await;
    }
    // Confirmations stand behind the messages, so waiting for them would be waiting for oneself.
    while kiosk.handle.publish(message("evt/job", "x")).is_ok() {}
    let room = timeout(DEADLINE, kiosk.handle.room())
        .await
        .expect("the wait ends");
    assert_eq!(room, Err(PublishError::Full));
    for expected in 1..=200 {
        let (_, payload, ack) = kiosk.next_message().await;
        kiosk.handle.ack(ack);
        assert_eq!(payload, [expected]);
    }
}

#[tokio::test]
async fn up_waits_for_the_answer_to_the_subscriptions_or_for_a_message() {
    let broker = ScriptedBroker::bind().await;
    let mut kiosk = Running::start(config("kiosk", broker.address(), &["t"]));
    let mut session = broker.accept(&[]).await;
    // The first packet of ours that the broker reads is the SUBSCRIBE; until then, nothing is up.
    assert_eq!(
        kiosk.handle.publish(message("evt/job", "x")),
        Err(PublishError::Down)
    );
    session.suback().await;
    kiosk.next_up().await;
    drop(session);
    assert_eq!(kiosk.next_down().await, DownReason::Closed);
    // A session that the broker still has may bring its messages before the answer.
    let mut session = broker.accept(&[]).await;
    session.write(&[0x32, 7, 0, 1, b't', 0, 1, 0, b'm']).await;
    kiosk.next_up().await;
    assert_eq!(kiosk.next_text().await, "m");
}

#[tokio::test]
async fn a_broker_that_never_answers_the_subscriptions_is_left_for_the_next() {
    let deaf = ScriptedBroker::bind().await;
    let sound = ScriptedBroker::bind().await;
    let mut kiosk = Running::start(LinkConfig {
        brokers: vec![deaf.address(), sound.address()],
        connect_timeout: Duration::from_secs(1),
        ..config("kiosk", deaf.address(), &["t"])
    });
    let _silent = deaf.accept(&[]).await;
    assert_eq!(kiosk.next_down().await, DownReason::ConnectTimeout);
    let mut session = sound.accept(&[]).await;
    session.suback().await;
    assert!(matches!(kiosk.next().await, Inbound::Up { .. }));
}

#[tokio::test]
async fn a_broker_that_takes_fewer_at_a_time_is_not_sent_more() {
    let broker = ScriptedBroker::bind().await;
    let mut kiosk = Running::start(config("kiosk", broker.address(), &[]));
    // CONNACK property 0x21: a receive maximum of 3.
    let _session = broker.accept(&[0x21, 0, 3]).await;
    kiosk.next_up().await;
    let accepted = (0..10).map_while(|_| kiosk.handle.publish(message("evt/job", "x")).ok());
    // One less than the broker takes: a full window would hold acknowledgements up.
    assert_eq!(accepted.count(), 2);
}

#[tokio::test]
async fn a_stop_sends_everything_to_a_broker_that_talks_meanwhile() {
    let broker = ScriptedBroker::bind().await;
    let mut kiosk = Running::start(config("kiosk", broker.address(), &[]));
    let mut session = broker.accept(&[]).await;
    kiosk.next_up().await;
    for _ in 0..20 {
        kiosk
            .handle
            .publish(message("evt/job", vec![b'x'; 32_000]))
            .unwrap();
    }
    let listening = async move {
        let mut kinds = Vec::new();
        loop {
            let packet = timeout(DEADLINE, session.read()).await.unwrap();
            let kind = packet.expect("DISCONNECT comes before the end").kind();
            kinds.push(kind);
            if kind == DISCONNECT {
                return kinds;
            }
            // PUBLISH QoS 0, topic "t".
            session.write(&[0x30, 5, 0, 1, b't', 0, b'!']).await;
        }
    };
    let ((), kinds) = tokio::join!(kiosk.stop(), listening);
    assert_eq!(kinds.iter().filter(|kind| **kind == PUBLISH).count(), 20);
}
