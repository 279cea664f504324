//! The publications that are on their way: how many may be, and which packet id is which.
//!
//! rumqttc numbers QoS 1 packets 1, 2, … *limit*, 1, …; when the broker has not yet confirmed the
//! one that last bore a number, it sets the new one aside as a "collision" and stops sending.
//! Fewer than *limit* numbers are ever handed out past the oldest unconfirmed one here, so that
//! cannot happen, whatever the order in which a broker confirms.

use std::collections::{BTreeMap, VecDeque};

/// One accepted publication.
#[derive(Debug)]
struct Slot {
    /// Order of acceptance among QoS 1 publications; `None` for QoS 0.
    seq: Option<u64>,
    topic: String,
}

/// The publications accepted on one connection and not yet done with.
#[derive(Debug)]
pub(crate) struct Window {
    limit: u64,
    next_seq: u64,
    /// Handed to rumqttc, no packet id yet; in order.
    queued: VecDeque<Slot>,
    /// On the wire, by packet id.
    sent: BTreeMap<u16, Slot>,
    /// Refused by the broker, the refusal not yet read by the caller: these keep their place.
    unread_refusals: u64,
}

impl Window {
    /// `packet_ids` is how many ids rumqttc cycles through on this connection.
    pub(crate) fn new(packet_ids: u16) -> Self {
        Self {
            limit: u64::from(packet_ids.saturating_sub(1).max(1)),
            next_seq: 0,
            queued: VecDeque::new(),
            sent: BTreeMap::new(),
            unread_refusals: 0,
        }
    }

    /// Whether one more publication of either kind is accepted.
    pub(crate) fn has_room(&self) -> bool {
        self.has_room_for_confirmed() && self.has_room_for_unconfirmed()
    }

    fn has_room_for_confirmed(&self) -> bool {
        let span = self
            .oldest_seq()
            .map_or(0, |oldest| self.next_seq.saturating_sub(oldest));
        span.saturating_add(self.unread_refusals) < self.limit
    }

    fn has_room_for_unconfirmed(&self) -> bool {
        let waiting = self.queued.iter().filter(|slot| slot.seq.is_none()).count();
        u64::try_from(waiting).is_ok_and(|waiting| waiting < self.limit)
    }

    fn oldest_seq(&self) -> Option<u64> {
        self.queued
            .iter()
            .chain(self.sent.values())
            .filter_map(|slot| slot.seq)
            .min()
    }

    /// Takes a place for a publication; `false` means that there is none.
    pub(crate) fn accept(&mut self, topic: &str, confirmed: bool) -> bool {
        let seq = if confirmed {
            if !self.has_room_for_confirmed() {
                return false;
            }
            let seq = self.next_seq;
            self.next_seq = self.next_seq.saturating_add(1);
            Some(seq)
        } else {
            if !self.has_room_for_unconfirmed() {
                return false;
            }
            None
        };
        self.queued.push_back(Slot {
            seq,
            topic: topic.to_owned(),
        });
        true
    }

    /// Undoes the latest [`Self::accept`].
    pub(crate) fn withdraw(&mut self) {
        if self
            .queued
            .pop_back()
            .is_some_and(|slot| slot.seq.is_some())
        {
            self.next_seq = self.next_seq.saturating_sub(1);
        }
    }

    /// Notes that rumqttc took the oldest queued publication; id 0 is QoS 0.
    pub(crate) fn on_sent(&mut self, packet_id: u16) {
        if let Some(slot) = self.queued.pop_front()
            && packet_id != 0
        {
            self.sent.insert(packet_id, slot);
        }
    }

    /// Frees the place of a confirmed publication and returns its topic.
    pub(crate) fn on_confirmed(&mut self, packet_id: u16) -> Option<String> {
        self.sent.remove(&packet_id).map(|slot| slot.topic)
    }

    /// Keeps one place until [`Self::on_refusal_read`].
    pub(crate) fn on_refused(&mut self) {
        self.unread_refusals = self.unread_refusals.saturating_add(1);
    }

    /// Frees the place of a refusal that reached the caller's queue.
    pub(crate) fn on_refusal_read(&mut self) {
        self.unread_refusals = self.unread_refusals.saturating_sub(1);
    }

    /// How many publications were accepted and are not confirmed.
    pub(crate) fn unconfirmed_count(&self) -> usize {
        self.queued.len().saturating_add(self.sent.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// rumqttc's numbering, as its `next_pkid` does it.
    fn next_id(last: &mut u16, limit: u16) -> u16 {
        let next = *last + 1;
        *last = if next == limit { 0 } else { next };
        next
    }

    #[test]
    fn ids_never_collide_in_whatever_order_the_broker_confirms() {
        for limit in [2_u16, 3, 16, 32] {
            let mut window = Window::new(limit);
            let mut last = 0;
            let mut pattern = 0x9E37_79B9_u32;
            // The SUBSCRIBE of each connection takes an id too.
            next_id(&mut last, limit);
            for _ in 0..5_000 {
                pattern = pattern.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if pattern & 0x100 != 0 && window.accept("t", true) {
                    let id = next_id(&mut last, limit);
                    assert!(
                        !window.sent.contains_key(&id),
                        "id {id} collides at {limit}"
                    );
                    window.on_sent(id);
                } else if !window.sent.is_empty() {
                    let nth = usize::try_from(pattern >> 16).unwrap() % window.sent.len();
                    let id = *window.sent.keys().nth(nth).unwrap();
                    assert!(window.on_confirmed(id).is_some());
                }
                assert!(window.sent.len() < usize::from(limit));
            }
        }
    }

    #[test]
    fn one_stuck_publication_stops_new_ones_before_its_id_comes_round() {
        let mut window = Window::new(4);
        for id in 1..=3 {
            assert!(window.accept("t", true));
            window.on_sent(id);
        }
        assert!(!window.accept("t", true));
        window.on_confirmed(2);
        window.on_confirmed(3);
        assert!(
            !window.accept("t", true),
            "id 4 is free, but 1 would be next after it"
        );
        window.on_confirmed(1);
        assert!(window.accept("t", true));
    }

    #[test]
    fn unconfirmed_publications_have_places_of_their_own() {
        let mut window = Window::new(4);
        while window.accept("t", true) {}
        assert!(window.accept("hb", false));
        assert!(!window.has_room());
        for id in 1..=3 {
            window.on_sent(id);
        }
        window.on_sent(0);
        assert_eq!(window.unconfirmed_count(), 3);
    }

    #[test]
    fn an_unread_refusal_keeps_its_place() {
        let mut window = Window::new(2);
        assert!(window.accept("t", true));
        window.on_sent(1);
        assert_eq!(window.on_confirmed(1).as_deref(), Some("t"));
        window.on_refused();
        assert!(!window.accept("t", true));
        window.on_refusal_read();
        assert!(window.accept("t", true));
    }

    #[test]
    fn a_withdrawn_publication_leaves_no_trace() {
        let mut window = Window::new(2);
        assert!(window.accept("t", true));
        window.withdraw();
        assert_eq!(window.unconfirmed_count(), 0);
        assert!(window.accept("t", true));
    }
}
