//! The one task of a link: connects, serves, waits, connects again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::backoff::Schedule;
use crate::config::{BrokerAddress, LinkConfig};
use crate::connection::{Connection, End};
use crate::inbound::{Inbound, Inbox, InboxSender, inbox};
use crate::outbound::{LinkHandle, Outbound};
use crate::reason::DownReason;

/// Why a link cannot run at all; a broker that is away is no such reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// No broker is configured.
    #[error("run the link: no broker is configured")]
    NoBroker,
    /// The client id is empty, over 128 bytes, or has a NUL in it.
    #[error("run the link: the client id of {size_bytes} bytes is not usable")]
    ClientId {
        /// Its length.
        size_bytes: usize,
    },
    /// The keep-alive is outside 5 s to 65,535 s.
    #[error("run the link: the keep-alive of {keep_alive:?} is not between 5 s and 65535 s")]
    KeepAlive {
        /// What was configured.
        keep_alive: Duration,
    },
    /// The connect timeout is below 1 s.
    #[error("run the link: the connect timeout of {connect_timeout:?} is below 1 s")]
    ConnectTimeout {
        /// What was configured.
        connect_timeout: Duration,
    },
    /// The inflight limit is below 2, or the receive maximum is 0.
    #[error("run the link: an inflight limit of 2 and a receive maximum of 1 are the least")]
    Window,
    /// There are more than 16 subscriptions.
    #[error("run the link: {count} subscriptions are more than 16")]
    TooManySubscriptions {
        /// How many were configured.
        count: usize,
    },
    /// A subscription is not a topic filter.
    #[error("run the link: subscription {index} is not a topic filter")]
    Filter {
        /// Its place in the list, from 0.
        index: usize,
    },
    /// The will's topic is not usable, or its payload is over the bound.
    #[error("run the link: the will has no usable topic or is too large")]
    Will,
    /// The inbox was dropped while the link ran.
    #[error("run the link: nobody reads its inbox")]
    InboxClosed,
}

/// Makes a link's three ends; nothing happens before [`LinkTask::run`].
pub fn open(config: LinkConfig) -> (LinkHandle, Inbox, LinkTask) {
    let outbound = Arc::new(Outbound::default());
    let (sender, inbox) = inbox(config.receive_maximum);
    let task = LinkTask {
        config,
        outbound: Arc::clone(&outbound),
        inbox: sender,
    };
    (LinkHandle { outbound }, inbox, task)
}

/// The task that keeps a link up.
#[derive(Debug)]
pub struct LinkTask {
    config: LinkConfig,
    outbound: Arc<Outbound>,
    inbox: InboxSender,
}

impl LinkTask {
    /// Keeps the link up until `stop`: tries the brokers in order, from the first, and pauses after
    /// each round. When a connection has ended, the next round begins with the same broker, so that
    /// one that restarts moves nobody; with the one after it where the connection did not last, or
    /// was left ([`LinkHandle::leave`]: without a pause). So nothing but a reason at the present
    /// broker makes a link change.
    ///
    /// On `stop` it sends what was accepted, disconnects (so that the broker drops the will) and
    /// returns within 3 s.
    ///
    /// # Errors
    /// [`LinkError`] for a configuration that cannot work, before any connection, and for a
    /// dropped inbox. Brokers that are away, refuse or misbehave are no errors: they are told as
    /// [`Inbound::Down`] and tried again.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection without a DISCONNECT; the broker publishes the
    /// will.
    pub async fn run(self, stop: CancellationToken) -> Result<(), LinkError> {
        self.config.check()?;
        let mut schedule = Schedule::new(self.config.backoff, self.config.jitter_seed);
        let mut round = Round {
            generation: 0,
            told: BTreeMap::new(),
        };
        let mut first = 0;
        'rounds: loop {
            let brokers = self.config.brokers.iter().enumerate().cycle();
            for (index, broker) in brokers.skip(first).take(self.config.brokers.len()) {
                match self
                    .attempt((index, broker), &mut round, &mut schedule, &stop)
                    .await
                {
                    Attempt::Failed => {}
                    Attempt::Lost { has_lasted } => {
                        first = if has_lasted { index } else { self.after(index) };
                        break;
                    }
                    Attempt::Left => {
                        first = self.after(index);
                        continue 'rounds;
                    }
                    Attempt::Ended(outcome) => return outcome,
                }
            }
            let delay = schedule.next_delay();
            tracing::debug!(
                delay_ms = delay.as_millis(),
                "waiting before the next connection"
            );
            if stop.run_until_cancelled(sleep(delay)).await.is_none() {
                return Ok(());
            }
        }
    }

    /// The place of the broker after this one; the first comes after the last.
    fn after(&self, index: usize) -> usize {
        let next = index.saturating_add(1);
        if next < self.config.brokers.len() {
            next
        } else {
            0
        }
    }

    async fn attempt(
        &self,
        (index, broker): (usize, &BrokerAddress),
        round: &mut Round,
        schedule: &mut Schedule,
        stop: &CancellationToken,
    ) -> Attempt {
        round.generation = round.generation.saturating_add(1);
        let generation = round.generation;
        let opening = Connection::open(
            &self.config,
            (index, broker),
            &self.outbound,
            &self.inbox,
            generation,
        );
        let mut has_lasted = false;
        let end = match stop.run_until_cancelled(opening).await {
            None => End::Stopped,
            Some(Err(reason)) => End::NeverUp(reason),
            Some(Ok(connection)) => {
                let since = Instant::now();
                let end = connection.serve(stop).await;
                has_lasted = schedule.lived(since.elapsed());
                end
            }
        };
        let (reason, attempt) = match end {
            End::Stopped => return Attempt::Ended(Ok(())),
            End::InboxClosed => return Attempt::Ended(Err(LinkError::InboxClosed)),
            End::NeverUp(reason)
                if round
                    .told
                    .get(&index)
                    .is_some_and(|told| told.is_like(&reason)) =>
            {
                return Attempt::Failed;
            }
            End::NeverUp(reason) => {
                tracing::warn!(generation, %reason, "no connection");
                round.told.insert(index, reason.clone());
                (reason, Attempt::Failed)
            }
            End::Down(reason) => {
                tracing::warn!(generation, %reason, "link down");
                round.told.clear();
                (reason, Attempt::Lost { has_lasted })
            }
            End::Left => {
                tracing::info!(generation, "broker left");
                round.told.clear();
                (DownReason::Left, Attempt::Left)
            }
        };
        self.tell(generation, reason, stop).await.unwrap_or(attempt)
    }

    /// Tells `Down`, waiting for a place: no connection stands that this could hold up.
    async fn tell(
        &self,
        generation: u64,
        reason: DownReason,
        stop: &CancellationToken,
    ) -> Option<Attempt> {
        let down = Inbound::Down { generation, reason };
        match stop.run_until_cancelled(self.inbox.send(down)).await {
            Some(Ok(())) => None,
            Some(Err(_)) => Some(Attempt::Ended(Err(LinkError::InboxClosed))),
            None => Some(Attempt::Ended(Ok(()))),
        }
    }
}

/// What the task remembers from one attempt to the next.
struct Round {
    generation: u64,
    /// The reason last told for a failed attempt at each broker, so that it is told once.
    told: BTreeMap<usize, DownReason>,
}

/// What came of one broker.
enum Attempt {
    /// No connection: the next broker is tried.
    Failed,
    /// There was a connection, and it ended.
    Lost {
        /// Whether it outlived the pauses before it.
        has_lasted: bool,
    },
    /// There was a connection, and the caller left it.
    Left,
    /// The link is done.
    Ended(Result<(), LinkError>),
}
