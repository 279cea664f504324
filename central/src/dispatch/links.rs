//! Central's links, one to each broker: read in one place, each with its own presence, debts and room.
//!
//! A broker that is down or hangs holds up what is for it and nothing else.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use loket_domain::dispatch::Way;
use loket_link::{Inbound, Inbox, LinkHandle, Publication, PublishError};
use loket_store::AckPoint;
use loket_wire::{Hello, MachineId};
use tokio::time::timeout;

use super::Greeting;

/// What is to be acknowledged.
#[derive(Debug, Clone, Copy)]
pub(super) struct AckDue {
    pub(super) point: AckPoint,
    /// The machine's last command number when it was committed: a command drawn meanwhile is not named.
    pub(super) command_seq: Option<u64>,
}

/// How long an offer waits for room on a link before the link is left out of the rounds until it has some.
const ROOM_TIMEOUT: Duration = Duration::from_secs(5);

/// One link and what stands open on it.
#[derive(Debug)]
pub(crate) struct Link {
    /// Where it goes, for logs: `host:port`.
    pub(super) name: String,
    pub(super) handle: LinkHandle,
    inbox: Inbox,
    greeting: Greeting,
    /// What was drawn for the present connection.
    pub(super) hello: Option<Hello>,
    /// Whether this connection's presence is still to be said.
    pub(super) owes_presence: bool,
    /// The newest acknowledgement for each machine that is not sent yet.
    pub(super) acks: BTreeMap<MachineId, AckDue>,
    /// Waited for in vain: it is asked without waiting until it has room.
    is_stuck: bool,
}

impl Link {
    pub(crate) const fn new(
        name: String,
        handle: LinkHandle,
        inbox: Inbox,
        greeting: Greeting,
    ) -> Self {
        Self {
            name,
            handle,
            inbox,
            greeting,
            hello: None,
            owes_presence: false,
            acks: BTreeMap::new(),
            is_stuck: false,
        }
    }

    /// A new connection stands.
    pub(super) fn came_up(&mut self, generation: u64) {
        self.hello = Some(self.greeting.of(generation));
        self.owes_presence = true;
        self.is_stuck = false;
    }

    /// Notes what is to be acknowledged. An acknowledgement of nothing, which carries a question, takes nothing back of
    /// one of the same journal that is still to be sent: that carries the question as well.
    pub(super) fn owe(&mut self, machine: MachineId, due: AckDue) {
        let is_said = self
            .acks
            .get(&machine)
            .is_some_and(|standing| due.point.seq == 0 && standing.point.epoch == due.point.epoch);
        if !is_said {
            self.acks.insert(machine, due);
        }
    }

    /// Whether it takes a publication at once.
    async fn is_free(&self) -> bool {
        matches!(
            timeout(Duration::ZERO, self.handle.room()).await,
            Ok(Ok(()))
        )
    }

    /// Whether it takes a publication, waiting a bounded time once.
    pub(super) async fn has_room(&mut self) -> bool {
        if self.is_stuck {
            self.is_stuck = !self.is_free().await;
            return !self.is_stuck;
        }
        match timeout(ROOM_TIMEOUT, self.handle.room()).await {
            Ok(room) => room.is_ok(),
            Err(_late) => {
                tracing::warn!(link.broker = self.name, "no room on the link");
                self.is_stuck = true;
                false
            }
        }
    }

    /// Whether nothing can be sent on it for now, and waiting is in vain.
    async fn is_closed(&mut self) -> bool {
        if self.is_stuck {
            self.is_stuck = !self.is_free().await;
        }
        self.is_stuck || self.handle.generation().is_none()
    }
}

/// All links, by their brokers' places in the settings.
#[derive(Debug)]
pub(crate) struct Links {
    links: Vec<Link>,
    /// The one that is looked at first next time, so that a busy broker does not keep the others from being read.
    turn: usize,
}

impl Links {
    pub(crate) const fn new(links: Vec<Link>) -> Self {
        Self { links, turn: 0 }
    }

    pub(super) fn get(&self, broker: usize) -> Option<&Link> {
        self.links.get(broker)
    }

    pub(super) fn get_mut(&mut self, broker: usize) -> Option<&mut Link> {
        self.links.get_mut(broker)
    }

    /// The next thing that happens on any link; `None` once one of them has ended.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Option<(usize, Inbound)> {
        poll_fn(|context| {
            let count = self.links.len();
            for place in (0..count).cycle().skip(self.turn).take(count) {
                let Some(link) = self.links.get_mut(place) else {
                    continue;
                };
                if let Poll::Ready(happened) = link.inbox.poll_next(context) {
                    let next = place.saturating_add(1);
                    self.turn = if next < count { next } else { 0 };
                    return Poll::Ready(happened.map(|inbound| (place, inbound)));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Publishes on its way. Where that is everywhere, one link that takes it is enough.
    pub(super) fn publish(&self, way: Way, publication: Publication) -> Result<(), PublishError> {
        match way {
            Way::To(broker) => {
                let link = self.links.get(broker).ok_or(PublishError::Down)?;
                link.handle.publish(publication)
            }
            Way::Everywhere => {
                let mut outcome = Err(PublishError::Down);
                for link in &self.links {
                    match (link.handle.publish(publication.clone()), outcome) {
                        (Ok(()), _) => outcome = Ok(()),
                        (Err(PublishError::Down), _) | (Err(_), Ok(())) => {}
                        (Err(error), Err(_)) => outcome = Err(error),
                    }
                }
                outcome
            }
        }
    }

    /// Whether something finds room on its way; waits a bounded time.
    pub(super) async fn has_room(&mut self, way: Way) -> bool {
        match way {
            Way::To(broker) => match self.links.get_mut(broker) {
                Some(link) => link.has_room().await,
                None => false,
            },
            Way::Everywhere => {
                for link in &self.links {
                    if link.is_free().await {
                        return true;
                    }
                }
                for link in &mut self.links {
                    if link.has_room().await {
                        return true;
                    }
                }
                false
            }
        }
    }

    /// The brokers to which nothing can go for now.
    pub(super) async fn closed(&mut self) -> Vec<usize> {
        let mut closed = Vec::new();
        for (broker, link) in self.links.iter_mut().enumerate() {
            if link.is_closed().await {
                closed.push(broker);
            }
        }
        closed
    }

    pub(super) fn count(&self) -> usize {
        self.links.len()
    }
}
