//! How a link ends: in order, by a crash, by a configuration that cannot work.

use std::time::Duration;

use loket_link::{LinkConfig, LinkError, Publication, Will, open};
use tokio_util::sync::CancellationToken;

use crate::broker::Broker;
use crate::link::{Running, config, message};

fn with_will(broker: &Broker) -> LinkConfig {
    let will = Publication {
        retain: true,
        ..message("state/kiosk", "offline by will")
    };
    LinkConfig {
        will: Some(will.into()),
        ..config("kiosk", broker.address(), &[])
    }
}

#[tokio::test]
async fn a_stop_sends_what_was_accepted_and_leaves_no_will() {
    let broker = Broker::start("").await;
    let mut central = Running::up(config("central", broker.address(), &["state/+"])).await;
    let kiosk = Running::up(with_will(&broker)).await;
    for number in 0..10 {
        kiosk
            .handle
            .publish(message("state/kiosk", number.to_string()))
            .unwrap();
    }
    kiosk.stop().await;
    central.publish(message("state/mark", "end")).await;
    for number in 0..10 {
        assert_eq!(central.next_text().await, number.to_string());
    }
    assert_eq!(central.next_text().await, "end");
}

#[tokio::test]
async fn a_crash_lets_the_broker_publish_the_will() {
    let broker = Broker::start("").await;
    let mut central = Running::up(config("central", broker.address(), &["state/+"])).await;
    let kiosk = Running::up(with_will(&broker)).await;
    kiosk.crash().await;
    assert_eq!(central.next_text().await, "offline by will");
}

#[tokio::test]
async fn each_connection_has_a_will_of_its_own() {
    let mut broker = Broker::start("").await;
    let mut central = Running::up(config("central", broker.address(), &["state/+"])).await;
    let numbered = |generation| Some(message("state/kiosk", format!("will {generation}")));
    let mut kiosk = Running::up(LinkConfig {
        will: Some(Will::new(numbered)),
        ..config("kiosk", broker.address(), &[])
    })
    .await;
    let first = kiosk.handle.generation().expect("it is up");
    broker.kill().await;
    kiosk.next_down().await;
    assert_eq!(kiosk.handle.generation(), None);
    broker.wipe();
    broker.restart().await;
    central.next_up().await;
    let second = kiosk.next_up().await.generation;
    assert!(second > first);
    assert_eq!(kiosk.handle.generation(), Some(second));
    kiosk.crash().await;
    assert_eq!(central.next_text().await, format!("will {second}"));
}

#[tokio::test]
async fn a_return_within_the_wills_delay_cancels_it() {
    let broker = Broker::start("").await;
    let mut central = Running::up(config("central", broker.address(), &["state/+"])).await;
    let delayed = || LinkConfig {
        will_delay: Duration::from_secs(3600),
        ..with_will(&broker)
    };
    let kiosk = Running::up(delayed()).await;
    kiosk.crash().await;
    let kiosk = Running::up(delayed()).await;
    kiosk.publish(message("state/kiosk", "online")).await;
    assert_eq!(central.next_text().await, "online");
}

#[tokio::test]
async fn a_stop_is_heard_while_no_broker_answers() {
    let mut broker = Broker::start("").await;
    broker.kill().await;
    let slow = loket_link::Backoff {
        min: Duration::from_secs(3600),
        max: Duration::from_secs(3600),
    };
    let waiting = LinkConfig {
        backoff: slow,
        ..config("kiosk", broker.address(), &[])
    };
    let mut kiosk = Running::start(waiting);
    kiosk.next_down().await;
    kiosk.stop().await;
}

#[tokio::test]
async fn a_configuration_that_cannot_work_ends_the_link_at_once() {
    let (_handle, _inbox, task) = open(LinkConfig::new("kiosk", vec![]));
    assert_eq!(
        task.run(CancellationToken::new()).await,
        Err(LinkError::NoBroker)
    );
}

#[tokio::test]
async fn a_dropped_inbox_ends_the_link() {
    let broker = Broker::start("").await;
    let (_handle, inbox, task) = open(config("kiosk", broker.address(), &[]));
    drop(inbox);
    assert_eq!(
        task.run(CancellationToken::new()).await,
        Err(LinkError::InboxClosed)
    );
}
