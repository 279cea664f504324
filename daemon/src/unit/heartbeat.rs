//! Which heartbeat is said: the whole one, or the short one that it still holds.
//!
//! Nine in ten heartbeats of an office say what the one before said. The counters cost more than the sign of life, so
//! they are said where they tell something; how many documents people had checked goes with them and is no reason of its
//! own: first on each connection, twice after a change (a heartbeat is not
//! confirmed), and every two hours, because central answers a whole one with its signed time.

use std::time::Duration;

use loket_wire::event::DecodeError;
use loket_wire::presence::encode;
use loket_wire::{Beat, Heartbeat, Timestamp};
use tokio::time::Instant;

/// The longest time without a whole heartbeat: central's time, and with it the clock's floor, follows this often.
const WHOLE_EVERY: Duration = Duration::from_secs(2 * 3600);

/// What was said of this machine's health last.
#[derive(Debug, Default)]
pub struct Beats {
    whole: Option<Whole>,
    offered: Option<Offered>,
}

#[derive(Debug)]
struct Whole {
    heartbeat: Heartbeat,
    at: Instant,
    /// Whether it was said once more.
    is_repeated: bool,
}

/// What was handed out and may not leave.
#[derive(Debug)]
enum Offered {
    Whole(Box<Heartbeat>, Instant),
    Short,
}

impl Beats {
    /// The body to send for `heartbeat` at `now`.
    ///
    /// # Errors
    /// [`DecodeError`] when it cannot be written.
    pub fn body(&mut self, heartbeat: Heartbeat, now: Instant) -> Result<Vec<u8>, DecodeError> {
        let holds = self.whole.as_ref().is_some_and(|whole| {
            whole.is_repeated
                && now.saturating_duration_since(whole.at) < WHOLE_EVERY
                && is_same(&whole.heartbeat, &heartbeat)
        });
        if holds {
            self.offered = Some(Offered::Short);
            return encode(&Beat {
                session_seq: heartbeat.session_seq,
                at: heartbeat.at,
            });
        }
        let body = encode(&heartbeat);
        self.offered = Some(Offered::Whole(Box::new(heartbeat), now));
        body
    }

    /// Notes that the link took the last body.
    pub fn sent(&mut self) {
        let Some(Offered::Whole(heartbeat, at)) = self.offered.take() else {
            return;
        };
        let before = self.whole.take();
        self.whole = Some(Whole {
            is_repeated: before.is_some_and(|whole| is_same(&whole.heartbeat, &heartbeat)),
            at,
            heartbeat: *heartbeat,
        });
    }
}

/// Whether the two differ only in what moves by itself.
fn is_same(before: &Heartbeat, present: &Heartbeat) -> bool {
    let still = |heartbeat: &Heartbeat| Heartbeat {
        at: Timestamp::UNIX_EPOCH,
        clock_offset_ms: None,
        up_time_s: 0,
        disk_free_bytes: None,
        link_sent_bytes: None,
        link_received_bytes: None,
        judged: None,
        ..heartbeat.clone()
    };
    still(before) == still(present)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heartbeat(session_seq: u64, outbox_count: u64, minutes: u64) -> Heartbeat {
        Heartbeat {
            session_seq,
            at: Timestamp::UNIX_EPOCH.saturating_add(Duration::from_secs(60 * minutes)),
            clock_trusted: true,
            clock_offset_ms: i64::try_from(minutes).ok(),
            up_time_s: 60 * minutes,
            open_job_count: 0,
            outbox_count,
            spool_bytes: 0,
            disk_free_bytes: Some(1_000 + minutes),
            certificate_days_left: Some(300),
            link_sent_bytes: Some(300 * minutes),
            link_received_bytes: Some(50 * minutes),
            troubles: Vec::new(),
            trust_serial: None,
            trust_made_at: None,
            judged: None,
            devices: Vec::new(),
        }
    }

    /// Whether the heartbeat goes out whole, and that it left.
    fn is_whole(beats: &mut Beats, heartbeat: Heartbeat, now: Instant) -> bool {
        let body = beats.body(heartbeat, now).unwrap();
        beats.sent();
        serde_json::from_slice::<Heartbeat>(&body).is_ok()
    }

    #[test]
    fn what_does_not_change_is_said_twice_and_then_every_two_hours() {
        let mut beats = Beats::default();
        let start = Instant::now();
        let mut is_whole_at = |no: u64| {
            let now = start + Duration::from_secs(900 * no);
            is_whole(&mut beats, heartbeat(7, 0, 15 * no), now)
        };
        let whole: Vec<_> = (0..12).filter(|no| is_whole_at(*no)).collect();
        assert_eq!(whole, [0, 1, 9]);
    }

    #[test]
    fn a_change_and_another_connection_are_said_in_full_twice() {
        let mut beats = Beats::default();
        let now = Instant::now();
        for (session_seq, outbox_count) in [(7, 0), (7, 1), (8, 1)] {
            let said = [0, 1, 2]
                .map(|no| is_whole(&mut beats, heartbeat(session_seq, outbox_count, no), now));
            assert_eq!(said, [true, true, false], "{session_seq} {outbox_count}");
        }
    }

    #[test]
    fn what_the_link_did_not_take_counts_as_unsaid() {
        let mut beats = Beats::default();
        for _no in 0..3 {
            let body = beats.body(heartbeat(7, 0, 0), Instant::now()).unwrap();
            assert!(serde_json::from_slice::<Heartbeat>(&body).is_ok());
        }
    }
}
