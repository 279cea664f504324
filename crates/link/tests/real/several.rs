//! A link that was told of more than one broker.

use std::time::Duration;

use loket_link::{Backoff, DownReason, LinkConfig, Publication};

use crate::broker::Broker;
use crate::link::{Running, config, message};

/// A link of `kiosk` over two brokers, whose every connection counts as one that lasted.
fn over(brokers: [&Broker; 2]) -> LinkConfig {
    let will = Publication {
        retain: true,
        ..message("state/kiosk", "offline by will")
    };
    LinkConfig {
        brokers: brokers.map(Broker::address).to_vec(),
        will: Some(will.into()),
        backoff: Backoff {
            min: Duration::from_nanos(1),
            max: Duration::from_millis(5),
        },
        ..config("kiosk", brokers[0].address(), &[])
    }
}

#[tokio::test]
async fn whoever_leaves_a_broker_has_his_last_words_there_and_is_with_the_next_one() {
    let (one, two) = (Broker::start("").await, Broker::start("").await);
    let mut at_one = Running::up(config("central", one.address(), &["state/+"])).await;
    let mut kiosk = Running::start(over([&one, &two]));
    assert_eq!(kiosk.next_up().await.broker, 0);
    for expect in [1, 0, 1] {
        kiosk
            .handle
            .publish(message("state/kiosk", "goodbye"))
            .unwrap();
        kiosk.handle.leave();
        assert_eq!(kiosk.next_down().await, DownReason::Left);
        assert_eq!(kiosk.next_up().await.broker, expect);
    }
    at_one.publish(message("state/mark", "end")).await;
    for expect in ["goodbye", "goodbye", "end"] {
        assert_eq!(at_one.next_text().await, expect, "and no will");
    }
}

#[tokio::test]
async fn a_connection_that_ended_is_made_again_with_the_same_broker_and_else_with_the_next() {
    let (one, mut two) = (Broker::start("").await, Broker::start("").await);
    let mut kiosk = Running::start(over([&one, &two]));
    assert_eq!(kiosk.next_up().await.broker, 0);
    kiosk.handle.leave();
    assert_eq!(kiosk.next_down().await, DownReason::Left);
    assert_eq!(kiosk.next_up().await.broker, 1);
    // Another one under its name takes the session over, and the broker throws it out.
    let rival = Running::up(config("kiosk", two.address(), &[])).await;
    rival.crash().await;
    kiosk.next_down().await;
    assert_eq!(
        kiosk.next_up().await.broker,
        1,
        "the broker is there: nothing to move for"
    );
    two.kill().await;
    assert_eq!(kiosk.next_up().await.broker, 0);
}

#[tokio::test]
async fn a_leave_without_a_connection_holds_for_none_that_comes() {
    let (mut one, two) = (Broker::start("").await, Broker::start("").await);
    one.kill().await;
    let mut kiosk = Running::start(LinkConfig {
        brokers: vec![one.address()],
        ..over([&one, &two])
    });
    kiosk.next_down().await;
    kiosk.handle.leave();
    one.restart().await;
    let up = kiosk.next_up().await;
    let mut central = Running::up(config("central", one.address(), &["state/+"])).await;
    kiosk.publish(message("state/kiosk", "here")).await;
    assert_eq!(central.next_text().await, "here");
    assert_eq!(kiosk.handle.generation(), Some(up.generation));
}
