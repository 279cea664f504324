//! Session loss, packets that are too large, echoes from the handler, kills, refusals.

use std::fs;
use std::time::Duration;

use loket_link::{
    Backoff, DownReason, Inbound, LinkConfig, MAX_PAYLOAD_BYTES, PublishError, Qos, ReasonCode,
    RefusedReason,
};

use tokio::select;
use tokio::time::timeout;

use crate::broker::Broker;
use crate::link::{DEADLINE, Running, config, message};

#[tokio::test]
async fn a_publication_while_the_broker_is_away_is_refused_and_never_silently_lost() {
    let mut broker = Broker::start("").await;
    let mut kiosk = Running::up(config("kiosk", broker.address(), &[])).await;
    let mut central = Running::up(config("central", broker.address(), &["evt/+"])).await;
    broker.kill().await;
    assert_eq!(kiosk.next_down().await, DownReason::Closed);
    for number in 0..100 {
        let refused = kiosk.handle.publish(message("evt/job", number.to_string()));
        assert_eq!(refused, Err(PublishError::Down));
    }
    assert_eq!(kiosk.handle.room().await, Err(PublishError::Down));
    broker.wipe();
    broker.restart().await;
    assert!(!kiosk.next_up().await.session_present);
    assert!(!central.next_up().await.session_present);
    for number in 0..100 {
        kiosk.publish(message("evt/job", number.to_string())).await;
    }
    for number in 0..100 {
        assert_eq!(central.next_text().await, number.to_string());
    }
}

#[tokio::test]
async fn what_was_accepted_before_a_lost_session_takes_no_place_after_it() {
    let mut broker = Broker::start("").await;
    let mut kiosk = Running::up(config("kiosk", broker.address(), &[])).await;
    for _ in 0..3 {
        broker.kill().await;
        // Whether the link knows of the end is a matter of moments: both answers are honest.
        while kiosk.handle.publish(message("evt/job", "lost")) == Ok(()) {}
        broker.wipe();
        broker.restart().await;
        kiosk.next_up().await;
        let places = std::iter::repeat_with(|| kiosk.handle.publish(message("evt/job", "new")));
        // mosquitto lets 20 be under way; one less is ours to use.
        assert!(places.take_while(Result::is_ok).count() >= 19);
    }
}

#[tokio::test]
async fn a_packet_over_the_announced_size_is_dropped_by_the_broker_and_the_next_arrives() {
    let broker = Broker::start("").await;
    let mut kiosk = Running::up(config("kiosk", broker.address(), &["cmd/+"])).await;
    broker
        .publish_foreign("cmd/print", &vec![b'x'; 40_000], 1)
        .await;
    broker
        .publish_foreign("cmd/print", &vec![b'y'; MAX_PAYLOAD_BYTES], 1)
        .await;
    let (topic, payload, ack) = kiosk.next_message().await;
    kiosk.handle.ack(ack);
    assert_eq!(
        (topic.as_str(), payload.len()),
        ("cmd/print", MAX_PAYLOAD_BYTES)
    );
    assert!(payload.iter().all(|byte| *byte == b'y'));
    broker.publish_foreign("cmd/print", b"small", 1).await;
    assert_eq!(kiosk.next_text().await, "small");
}

#[tokio::test]
async fn a_packet_over_the_brokers_size_is_refused_before_the_wire_and_holds_nothing_up() {
    let broker = Broker::start("max_packet_size 1000").await;
    let mut kiosk = Running::start(config("kiosk", broker.address(), &["evt/+"]));
    assert_eq!(kiosk.next_up().await.max_packet_bytes, Some(1000));
    let refused = kiosk
        .handle
        .publish(message("evt/job", vec![0; 1_000]))
        .unwrap_err();
    assert!(matches!(
        refused,
        PublishError::TooLarge {
            limit_bytes: 1_000,
            size_bytes: 1_001..
        }
    ));
    for size in 950..1_000 {
        // Each size is either refused here or taken by the broker: none breaks the connection.
        if kiosk
            .handle
            .publish(message("evt/job", vec![b'x'; size]))
            .is_ok()
        {
            let (_, payload, ack) = kiosk.next_message().await;
            kiosk.handle.ack(ack);
            assert_eq!(payload.len(), size);
        }
    }
    kiosk.publish(message("evt/job", "small")).await;
    assert_eq!(kiosk.next_text().await, "small");
}

#[tokio::test]
async fn a_payload_over_the_contracts_bound_is_refused_at_any_broker_and_without_one() {
    let broker = Broker::start("").await;
    let kiosk = Running::up(config("kiosk", broker.address(), &[])).await;
    let over = message("evt/job", vec![0; MAX_PAYLOAD_BYTES + 1]);
    let refused = PublishError::TooLarge {
        size_bytes: 32_769,
        limit_bytes: 32_768,
    };
    assert_eq!(kiosk.handle.publish(over.clone()), Err(refused));
    assert_eq!(
        kiosk.handle.publish(message("evt/+", "x")),
        Err(PublishError::InvalidTopic)
    );
    let (unconnected, _inbox, _task) = loket_link::open(config("kiosk", broker.address(), &[]));
    assert_eq!(unconnected.publish(over), Err(refused));
    assert_eq!(
        unconnected.publish(message("evt/job", "x")),
        Err(PublishError::Down)
    );
}

/// Echoes each message from the handler, as a unit does: what has no room waits in its own backlog
/// (the outbox), never in the handler.
async fn echo(link: &mut Running, count: usize) {
    let mut backlog = std::collections::VecDeque::new();
    let mut read = 0;
    while read < count || !backlog.is_empty() {
        select! {
            inbound = link.inbox.next(), if read < count => {
                let Some(Inbound::Message { payload, ack, .. }) = inbound else {
                    panic!("not a message: {inbound:?}");
                };
                read += 1;
                backlog.push_back(payload);
                link.handle.ack(ack);
            }
            room = link.handle.room(), if !backlog.is_empty() => {
                if room.is_ok() {
                    let payload = backlog.pop_front().unwrap();
                    link.handle.publish(message("pong", payload)).unwrap();
                }
            }
        }
    }
}

#[tokio::test]
async fn a_hundred_echoes_from_the_handler_do_not_deadlock() {
    let broker = Broker::start("").await;
    let mut echoing = Running::up(config("echo", broker.address(), &["ping"])).await;
    let mut caller = Running::up(config("caller", broker.address(), &["pong"])).await;
    let calling = async {
        for number in 0..100 {
            caller.publish(message("ping", number.to_string())).await;
        }
        for number in 0..100 {
            assert_eq!(caller.next_text().await, number.to_string());
        }
    };
    timeout(DEADLINE, async {
        tokio::join!(echo(&mut echoing, 100), calling)
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_handler_that_waits_for_room_instead_of_reading_is_told_and_not_left_waiting() {
    let broker = Broker::start("").await;
    let mut slow = Running::up(config("slow", broker.address(), &["ping"])).await;
    let caller = Running::up(config("caller", broker.address(), &[])).await;
    let calling = async {
        for number in 0..300 {
            caller.publish(message("ping", number.to_string())).await;
        }
    };
    let waiting = async {
        for number in 0..300 {
            assert_eq!(slow.next_text().await, number.to_string());
            let _either = timeout(DEADLINE, async {
                while slow.handle.publish(message("evt", "x")) != Err(PublishError::Full) {}
                slow.handle.room().await
            })
            .await
            .expect("the wait ends");
        }
    };
    tokio::join!(calling, waiting);
}

#[tokio::test]
async fn an_inbox_that_nobody_reads_keeps_every_confirmed_message_and_the_connection() {
    let broker = Broker::start("").await;
    let mut idle = Running::up(config("idle", broker.address(), &["in/+"])).await;
    let busy = Running::up(config("busy", broker.address(), &[])).await;
    while idle.handle.shed_message_count() == 0 {
        let beat = loket_link::Publication {
            qos: Qos::AtMostOnce,
            ..message("in/hb", "beat")
        };
        busy.publish(beat).await;
    }
    for number in 0..40 {
        busy.publish(message("in/order", number.to_string())).await;
    }
    let mut orders = Vec::new();
    while orders.len() < 40 {
        let (topic, payload, ack) = idle.next_message().await;
        idle.handle.ack(ack);
        if topic == "in/order" {
            orders.push(String::from_utf8(payload).unwrap());
        }
    }
    assert_eq!(
        orders,
        (0..40).map(|number| number.to_string()).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_killed_broker_is_told_and_its_return_brings_the_subscriptions_back() {
    let mut broker = Broker::start("").await;
    let mut kiosk = Running::start(config("kiosk", broker.address(), &["cmd/+"]));
    let first = kiosk.next_up().await;
    for _ in 0..3 {
        broker.kill().await;
        assert_eq!(kiosk.next_down().await, DownReason::Closed);
        broker.wipe();
        broker.restart().await;
        let next = kiosk.next_up().await;
        assert!(next.generation > first.generation && !next.session_present);
        broker.publish_foreign("cmd/print", b"after", 1).await;
        assert_eq!(kiosk.next_text().await, "after");
    }
}

#[tokio::test]
async fn a_broker_that_stays_away_is_told_once() {
    let mut broker = Broker::start("").await;
    let mut kiosk = Running::up(config("kiosk", broker.address(), &[])).await;
    broker.kill().await;
    assert_eq!(kiosk.next_down().await, DownReason::Closed);
    let away = DownReason::Unreachable {
        kind: std::io::ErrorKind::ConnectionRefused,
    };
    assert_eq!(kiosk.next_down().await, away);
    broker.restart().await;
    // Had each failed attempt been told, more of them would stand before this.
    assert!(matches!(kiosk.next().await, Inbound::Up { .. }));
}

#[tokio::test]
async fn a_lost_connection_is_not_tried_again_before_its_pause_is_over() {
    let mut broker = Broker::start("").await;
    let hour = Duration::from_secs(3_600);
    let patient = LinkConfig {
        backoff: Backoff {
            min: hour,
            max: hour,
        },
        ..config("patient", broker.address(), &["t"])
    };
    let mut patient = Running::up(patient).await;
    let mut eager = Running::up(config("eager", broker.address(), &["t"])).await;
    broker.kill().await;
    patient.next_down().await;
    broker.restart().await;
    // Another link of this process comes back and speaks for a while.
    eager.next_up().await;
    for number in 0..50 {
        eager.publish(message("t", number.to_string())).await;
        assert_eq!(eager.next_text().await, number.to_string());
    }
    assert_eq!(patient.handle.generation(), None);
    assert!(timeout(Duration::ZERO, patient.inbox.next()).await.is_err());
}

/// Kilobytes of this process in memory (proc_pid_status(5)).
fn resident_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.unwrap().split_ascii_whitespace().nth(1);
    number.unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_link_takes_less_than_a_megabyte() {
    const LINKS: u64 = 50;
    let broker = Broker::start("").await;
    let _first = Running::up(config("first", broker.address(), &["t"])).await;
    let before = resident_kb();
    let mut links = Vec::new();
    for no in 0..LINKS {
        links.push(Running::up(config(&format!("link-{no}"), broker.address(), &["t"])).await);
    }
    let each = resident_kb().saturating_sub(before) / LINKS;
    assert!(
        each < 1_024,
        "{each} kB a link; rumqttc left alone takes 14 MB"
    );
}

#[tokio::test]
async fn the_second_broker_is_used_while_the_first_is_away() {
    let mut first = Broker::start("").await;
    let second = Broker::start("").await;
    let brokers = vec![first.address(), second.address()];
    let one = config("kiosk", first.address(), &["where"]);
    let mut kiosk = Running::up(LinkConfig { brokers, ..one }).await;
    first.publish_foreign("where", b"first", 1).await;
    assert_eq!(kiosk.next_text().await, "first");
    first.kill().await;
    assert_eq!(kiosk.next_down().await, DownReason::Closed);
    kiosk.next_up().await;
    second.publish_foreign("where", b"second", 1).await;
    assert_eq!(kiosk.next_text().await, "second");
}

#[tokio::test]
async fn a_refused_publication_is_told_with_its_topic_and_reason() {
    let broker = Broker::start_with(|folder| {
        let rules = folder.join("acl");
        fs::write(&rules, "topic readwrite own/#\n").unwrap();
        format!("allow_anonymous true\nacl_file {}", rules.display())
    })
    .await;
    let mut kiosk = Running::up(config("kiosk", broker.address(), &["own/+"])).await;
    for _ in 0..50 {
        kiosk.publish(message("foreign/evt", "x")).await;
        let Inbound::Refused { topic, reason } = kiosk.next().await else {
            panic!("the refusal is told");
        };
        assert_eq!(topic, "foreign/evt");
        assert_eq!(reason, RefusedReason::Publish(ReasonCode::NOT_AUTHORIZED));
    }
    kiosk.publish(message("own/evt", "mine")).await;
    assert_eq!(kiosk.next_text().await, "mine");
}
