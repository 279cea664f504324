//! At which of central's brokers a machine is, and where what is said to it goes.
//!
//! Brokers are bare numbers here: their places in central's settings.

use loket_wire::Epoch;

/// The broker at which a machine was last heard, with the connection it was heard on.
///
/// A connection has one broker and a number that grows ([`loket_wire::presence::session_seq`]), so what an earlier one
/// left behind (a retained state, a late will, a queued sync) moves nobody, whichever order brokers bring it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home {
    /// Its place in central's settings.
    pub broker: usize,
    /// The number of that connection.
    pub session_seq: u64,
    epoch: Option<Epoch>,
}

/// What a message tells of the connection it was said on. A report names none, and moves nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spoke {
    /// The life of its journal; a heartbeat names none.
    pub epoch: Option<Epoch>,
    /// The number of its connection.
    pub session_seq: u64,
    /// Whether it is known to be of the present connection whatever its number: it answers a question that central drew
    /// for this machine, or the store took it for the present one. A journal that was set back numbers its connections
    /// lower than before.
    pub is_proven: bool,
}

impl Home {
    /// Where a machine is, after it was heard at `broker`.
    #[must_use]
    pub fn after(known: Option<Self>, spoke: Spoke, broker: usize) -> Self {
        let here = Self {
            broker,
            session_seq: spoke.session_seq,
            epoch: spoke.epoch.or_else(|| known.and_then(|known| known.epoch)),
        };
        match known {
            None => here,
            Some(_any) if spoke.is_proven => here,
            Some(known) => {
                // Numbers of two journals have no order of their own.
                let has_order = known.epoch.is_none() || known.epoch == here.epoch;
                if has_order && spoke.session_seq >= known.session_seq {
                    here
                } else {
                    known
                }
            }
        }
    }
}

/// Where something goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// At this broker alone: each further copy is paid for on the machine's line, or lies in a session for days.
    To(usize),
    /// At every broker that is up: the machine takes the first copy and knows the others again.
    Everywhere,
}

/// The way to a machine. What was said `said_count` times and not heard goes everywhere: the machine may be elsewhere
/// than central believes.
#[must_use]
pub const fn way(home: Option<Home>, said_count: u32) -> Way {
    match home {
        Some(home) if said_count == 0 => Way::To(home.broker),
        Some(_) | None => Way::Everywhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Epoch = Epoch::from_bytes([1; 16]);
    const OTHER: Epoch = Epoch::from_bytes([2; 16]);

    const fn spoke(epoch: Option<Epoch>, session_seq: u64, is_proven: bool) -> Spoke {
        Spoke {
            epoch,
            session_seq,
            is_proven,
        }
    }

    #[test]
    fn the_latest_connection_says_where_a_machine_is_whatever_comes_late_from_another() {
        let (state, sync, beat) = (Some(EPOCH), Some(EPOCH), None);
        let steps = [
            ("first heard", spoke(state, 5, true), 0, 0),
            ("moved", spoke(state, 6, true), 1, 1),
            ("retained where it was", spoke(state, 5, false), 0, 1),
            ("a sync that waited there", spoke(sync, 5, false), 0, 1),
            ("a heartbeat of then", spoke(beat, 5, false), 0, 1),
            ("a heartbeat", spoke(beat, 6, false), 1, 1),
            ("back", spoke(sync, 7, false), 0, 0),
            (
                "another journal, unproven",
                spoke(Some(OTHER), 9, false),
                1,
                0,
            ),
            ("another journal", spoke(Some(OTHER), 1, true), 1, 1),
            ("of the journal before", spoke(sync, 8, false), 0, 1),
            ("a heartbeat of this one", spoke(beat, 2, false), 0, 0),
            ("set back, asked for", spoke(Some(OTHER), 1, true), 1, 1),
            ("and its next", spoke(Some(OTHER), 2, false), 0, 0),
        ];
        let mut home = None;
        for (what, spoke, broker, expect) in steps {
            let now = Home::after(home, spoke, broker);
            assert_eq!(now.broker, expect, "{what}");
            home = Some(now);
        }
    }

    #[test]
    fn retained_states_settle_on_the_latest_in_either_order() {
        let (old, new) = (spoke(Some(EPOCH), 5, false), spoke(Some(EPOCH), 6, false));
        for order in [[(old, 0), (new, 1)], [(new, 1), (old, 0)]] {
            let home = order.iter().fold(None, |home, (spoke, broker)| {
                Some(Home::after(home, *spoke, *broker))
            });
            assert_eq!(home.map(|home| home.broker), Some(1));
        }
    }

    #[test]
    fn what_is_said_first_goes_where_the_machine_is_and_what_was_not_heard_everywhere() {
        let home = Some(Home::after(None, spoke(None, 1, false), 2));
        assert_eq!(way(home, 0), Way::To(2));
        assert_eq!(way(home, 1), Way::Everywhere);
        assert_eq!(way(None, 0), Way::Everywhere);
    }
}
