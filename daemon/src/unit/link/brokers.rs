//! Which broker of its list the machine is with, and when it goes to the next: where central is not.
//!
//! What central says of itself is kept apart for each broker: its presence at one is signed on another connection than
//! its presence at the next, so the two have no order, and neither says anything of the other. Its presence alone is not
//! believed: a broker may have it from before it was set back. Central is here when it also answers.

use std::collections::BTreeMap;

use loket_domain::roam::Roam;
use loket_link::LinkHandle;
use loket_wire::presence::decode;
use loket_wire::topic::CENTRAL_STATE;
use loket_wire::{CentralState, Hello, Timestamp, frame};
use tokio::time::Instant;

use super::{Cursor, LinkUnit};
use crate::clock::{NUDGE, Word};
use crate::identity::OsRandom;

/// A broker at which central is not was left: the code in the log, for whoever looks after the machine.
const NO_CENTRAL: &str = "B-101";

/// The broker the machine is with, and what it knows of the others.
#[derive(Debug)]
pub(super) struct Place {
    roam: Roam,
    began: Instant,
    /// Its place in the list; `None` before the first connection.
    broker: Option<usize>,
    /// Whether central's word on this connection is that it is here.
    is_present: bool,
    /// Whether it acknowledged anything said on this connection since it was away; it does so to every sync.
    has_answered: bool,
    /// What was heard at the others, by their places in the list, which is bounded.
    elsewhere: BTreeMap<usize, (Option<CentralState>, Option<Hello>)>,
}

impl Default for Place {
    fn default() -> Self {
        Self::new(Roam::new(1, std::time::Duration::ZERO))
    }
}

impl Place {
    pub(super) fn new(roam: Roam) -> Self {
        Self {
            roam,
            began: Instant::now(),
            broker: None,
            is_present: false,
            has_answered: false,
            elsewhere: BTreeMap::new(),
        }
    }

    /// Central said that it is here, or that it leaves.
    pub(super) fn heard(&mut self, is_present: bool) {
        self.is_present = is_present;
        if !is_present {
            self.has_answered = false;
            self.roam.heard(false, self.began.elapsed(), drawn());
        }
        self.judge();
    }

    /// Central acknowledged something, having heard this machine on this connection.
    pub(super) fn answered(&mut self) {
        self.has_answered = true;
        self.judge();
    }

    fn judge(&mut self) {
        if self.is_present && self.has_answered {
            self.roam.heard(true, self.began.elapsed(), drawn());
        }
    }

    /// When the broker is to be left.
    pub(super) fn leave_at(&self) -> Option<Instant> {
        let after = self.roam.leave_at()?;
        self.began.checked_add(after)
    }
}

impl Cursor {
    /// A connection to this broker stands; from here on what was heard at it counts, and nothing else.
    pub(super) fn arrive(&mut self, broker: usize) {
        let left = self.place.broker.replace(broker);
        let now = self.place.began.elapsed();
        if left == Some(broker) {
            self.place.roam.returned(now, drawn());
        } else {
            self.place.roam.arrived(now, drawn());
            if let Some(left) = left {
                let heard = (self.central, self.hello);
                self.place.elsewhere.insert(left, heard);
            }
            let known = self.place.elsewhere.remove(&broker);
            (self.central, self.hello) = known.unwrap_or_default();
            self.passed_over = None;
        }
        (self.place.is_present, self.place.has_answered) = (false, false);
    }

    /// Central's clock was set back: what it said of itself before bears times that will not come again for long, and
    /// would make all that it says from here on look like a word of old.
    pub(super) fn forget_times_after(&mut self, at: Timestamp) {
        let is_void = |state: &CentralState| at.saturating_add(NUDGE) < state.at;
        self.central = self.central.filter(|known| !is_void(known));
        self.passed_over = self.passed_over.filter(|state| !is_void(state));
        for (known, _hello) in self.place.elsewhere.values_mut() {
            *known = known.filter(|known| !is_void(known));
        }
    }
}

impl LinkUnit {
    /// Takes what central says of itself; true where it wants to hear what is held here: it draws another hello on
    /// each of its connections. An old announcement that a broker held back says nothing.
    pub(super) fn asks_for_sync(&self, payload: &[u8], cursor: &mut Cursor) -> bool {
        let Ok(body) = frame::open(CENTRAL_STATE, payload, &self.identity.bundle.central_key)
        else {
            return false;
        };
        decode::<CentralState>(&body).is_ok_and(|state| Self::takes_presence(state, cursor))
    }

    fn takes_presence(state: CentralState, cursor: &mut Cursor) -> bool {
        let is_later = cursor.central.is_none_or(|known| state.at > known.at);
        // A will was signed before its connection stood, so it is earlier than what central said on it.
        let is_will = cursor.central.is_some_and(|known| {
            !state.online && state.hello.is_some() && state.hello == known.hello
        });
        if !is_later && !is_will {
            // The broker keeps it and says it on each connection.
            if let Some(known) = cursor.central.filter(|known| known.at == state.at) {
                cursor.place.heard(known.online);
            } else {
                cursor.passed_over = Some(state);
            }
            return false;
        }
        let is_back = cursor.is_central_away();
        let at = cursor
            .central
            .map_or(state.at, |known| known.at.max(state.at));
        cursor.central = Some(CentralState { at, ..state });
        cursor.place.heard(state.online);
        if !state.online {
            return false;
        }
        cursor.hello = state.hello;
        is_back || state.hello.is_none() || state.hello != cursor.answered
    }

    /// Takes a time that central signed. Where it proves that central's clock was set back, what central said of itself
    /// since counts after all.
    pub(super) fn hear(&self, word: Word, at: Timestamp, cursor: &mut Cursor) {
        if !self.clock.hear(word, at) {
            return;
        }
        cursor.forget_times_after(at);
        if let Some(state) = cursor.passed_over.take()
            && Self::takes_presence(state, cursor)
        {
            cursor.owes_sync = true;
            cursor.rewind();
        }
    }

    /// Says goodbye where central is not, and goes to the next broker of the list. Where the goodbye finds no room, the
    /// higher number of the next connection tells as much.
    pub(super) fn leave(&self, link: &LinkHandle, cursor: &mut Cursor) {
        tracing::warn!(
            code = NO_CENTRAL,
            broker = cursor.place.broker,
            "central is not at this broker; going to the next one"
        );
        if !self.publish_state(link, cursor, false) {
            tracing::debug!("no room to say goodbye to the broker");
        }
        link.leave();
        cursor.is_up = false;
        cursor.place.roam.left();
    }
}

/// Waits until then, or for ever.
pub(super) async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn drawn() -> u64 {
    u64::from_le_bytes(loket_wire::random::draw(&mut OsRandom::default()))
}
