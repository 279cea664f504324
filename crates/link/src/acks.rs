//! Acknowledgements that wait for a place in rumqttc's queue.
//!
//! rumqttc takes one request between two batches of packets that arrived, and mosquitto 2.0.11
//! passes the receive maximum (its issue 2301). So more acknowledgements can be due at a time than
//! the queue has places, and one that is lost is never made up for on that connection: the broker
//! would count the message as on its way for good. They wait here, and take only their own places
//! in the queue, so that publications always find theirs.

use std::collections::VecDeque;

/// A broker has at most one message under way for each packet id.
const MAX_WAITING: usize = 65_535;

/// The acknowledgements of one connection that are not sent yet.
#[derive(Debug)]
pub(crate) struct AckQueue {
    /// Places in rumqttc's queue that are kept for acknowledgements.
    places: u16,
    /// Handed to rumqttc, not on the wire.
    handed_over: u16,
    waiting: VecDeque<u16>,
}

impl AckQueue {
    pub(crate) const fn new(places: u16) -> Self {
        Self {
            places,
            handed_over: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Takes a packet id in; `false` when the broker has more under way than there are ids.
    pub(crate) fn push(&mut self, packet_id: u16) -> bool {
        let has_place = self.waiting.len() < MAX_WAITING;
        if has_place {
            self.waiting.push_back(packet_id);
        }
        has_place
    }

    /// Gives the next packet id to hand to rumqttc, if it has a place.
    pub(crate) fn hand_over(&mut self) -> Option<u16> {
        if self.handed_over >= self.places {
            return None;
        }
        let packet_id = self.waiting.pop_front()?;
        self.handed_over += 1;
        Some(packet_id)
    }

    /// Notes that rumqttc sent one.
    pub(crate) const fn on_sent(&mut self) {
        self.handed_over = self.handed_over.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_handed_over_once_in_order_and_never_more_than_have_places() {
        let mut acks = AckQueue::new(2);
        for id in 1..=5 {
            assert!(acks.push(id));
        }
        assert_eq!([acks.hand_over(), acks.hand_over()], [Some(1), Some(2)]);
        assert_eq!(acks.hand_over(), None);
        for id in 3..=5 {
            acks.on_sent();
            assert_eq!(acks.hand_over(), Some(id));
            assert_eq!(acks.hand_over(), None);
        }
        acks.on_sent();
        assert_eq!(acks.hand_over(), None, "nothing waits");
    }

    #[test]
    fn a_broker_that_uses_ids_again_before_their_end_does_not_fill_memory() {
        let mut acks = AckQueue::new(1);
        assert!((0..MAX_WAITING).all(|_| acks.push(7)));
        assert!(!acks.push(7));
    }
}
