//! A running link, read with a deadline.

use std::time::Duration;

use loket_link::{
    AckToken, Backoff, BrokerAddress, DownReason, Inbound, Inbox, LinkConfig, LinkError,
    LinkHandle, Publication, Qos, open,
};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// A deadline that ends a hung test; nothing is judged by it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(15);

pub(crate) fn config(client_id: &str, broker: BrokerAddress, subscriptions: &[&str]) -> LinkConfig {
    LinkConfig {
        backoff: Backoff {
            min: Duration::from_millis(5),
            max: Duration::from_millis(50),
        },
        subscriptions: subscriptions
            .iter()
            .map(|filter| (*filter).to_owned())
            .collect(),
        ..LinkConfig::new(client_id, vec![broker])
    }
}

pub(crate) fn message(topic: &str, payload: impl Into<Vec<u8>>) -> Publication {
    Publication {
        topic: topic.to_owned(),
        payload: payload.into(),
        qos: Qos::AtLeastOnce,
        retain: false,
        expiry: None,
    }
}

/// What an `Up` said.
#[derive(Debug)]
pub(crate) struct Up {
    pub(crate) generation: u64,
    pub(crate) broker: usize,
    pub(crate) session_present: bool,
    pub(crate) max_packet_bytes: Option<u32>,
}

pub(crate) struct Running {
    pub(crate) handle: LinkHandle,
    pub(crate) inbox: Inbox,
    stop: CancellationToken,
    task: JoinSet<Result<(), LinkError>>,
}

impl Running {
    pub(crate) fn start(config: LinkConfig) -> Self {
        let (handle, inbox, link) = open(config);
        let stop = CancellationToken::new();
        let mut task = JoinSet::new();
        task.spawn(link.run(stop.clone()));
        Self {
            handle,
            inbox,
            stop,
            task,
        }
    }

    /// Starts a link and waits for its first `Up`.
    pub(crate) async fn up(config: LinkConfig) -> Self {
        let mut link = Self::start(config);
        link.next_up().await;
        link
    }

    pub(crate) async fn next(&mut self) -> Inbound {
        let next = timeout(DEADLINE, self.inbox.next())
            .await
            .expect("something happens in time");
        next.expect("the link runs")
    }

    /// Waits for `Up`, past failed attempts.
    pub(crate) async fn next_up(&mut self) -> Up {
        loop {
            match self.next().await {
                Inbound::Up {
                    generation,
                    broker,
                    session_present,
                    max_packet_bytes,
                } => {
                    return Up {
                        generation,
                        broker,
                        session_present,
                        max_packet_bytes,
                    };
                }
                Inbound::Down { .. } => {}
                other => panic!("neither up nor down: {other:?}"),
            }
        }
    }

    /// Expects the next thing to be `Down`.
    pub(crate) async fn next_down(&mut self) -> DownReason {
        match self.next().await {
            Inbound::Down { reason, .. } => reason,
            other => panic!("not down: {other:?}"),
        }
    }

    /// Expects the next thing to be a message.
    pub(crate) async fn next_message(&mut self) -> (String, Vec<u8>, AckToken) {
        match self.next().await {
            Inbound::Message {
                topic,
                payload,
                ack,
                ..
            } => (topic, payload, ack),
            other => panic!("not a message: {other:?}"),
        }
    }

    /// Expects the next thing to be a message, acknowledges it and returns its payload as text.
    pub(crate) async fn next_text(&mut self) -> String {
        let (_, payload, ack) = self.next_message().await;
        self.handle.ack(ack);
        String::from_utf8(payload).unwrap()
    }

    /// Publishes, waiting for room where there is none.
    pub(crate) async fn publish(&self, publication: Publication) {
        timeout(DEADLINE, self.handle.room())
            .await
            .expect("there is room in time")
            .unwrap();
        self.handle.publish(publication).unwrap();
    }

    /// Stops the link and waits for its end.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        let ended = timeout(DEADLINE, self.task.join_next())
            .await
            .expect("the link ends in time");
        assert_eq!(ended.unwrap().unwrap(), Ok(()));
    }

    /// Ends the link as a crash of the process would.
    pub(crate) async fn crash(mut self) {
        self.task.shutdown().await;
    }
}
