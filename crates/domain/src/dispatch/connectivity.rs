//! Whether a machine is there: online, late, or offline since.

use std::time::Duration;

use loket_wire::Timestamp;

/// How often a machine sends a heartbeat (CONTRACT, Messages).
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(900);

/// Silence after which a machine is late: two missed heartbeats.
pub const LATE_AFTER: Duration = Duration::from_secs(2 * 900);

/// Silence after which a machine is offline: an hour is beyond every restart and short cut of the line.
pub const OFFLINE_AFTER: Duration = Duration::from_secs(3600);

/// How far ahead a machine may seem to have been heard: central runs no clock that is further behind what it knew unless
/// a person says that the clock is right, and then what the wrong one noted says nothing (docs/adr/0012).
pub const SEEN_AHEAD_MAX: Duration = Duration::from_secs(3600);

/// What is known of a machine's link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    /// What its retained state says: false after its will.
    pub is_online: bool,
    /// When `is_online` last changed.
    pub online_changed_at: Option<Timestamp>,
    /// When the machine itself was last heard; a will is the broker's word and does not count.
    pub last_seen: Option<Timestamp>,
}

/// The three states that people see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connectivity {
    /// Linked and heard within two heartbeats.
    Online,
    /// Its will came, or two heartbeats are missing.
    Late {
        /// Since when.
        since: Timestamp,
    },
    /// Silent for an hour, or never heard.
    Offline {
        /// When it was last heard; `None` if never.
        since: Option<Timestamp>,
    },
}

/// Judges a machine's link at `now`.
#[must_use]
pub fn connectivity(presence: &Presence, now: Timestamp) -> Connectivity {
    let Some(last_seen) = presence.last_seen else {
        return Connectivity::Offline { since: None };
    };
    if last_seen > now.saturating_add(SEEN_AHEAD_MAX) {
        return Connectivity::Offline { since: None };
    }
    let silence = now.since(last_seen);
    if silence >= OFFLINE_AFTER {
        Connectivity::Offline {
            since: Some(last_seen),
        }
    } else if !presence.is_online {
        let since = presence.online_changed_at.unwrap_or(last_seen);
        Connectivity::Late { since }
    } else if silence >= LATE_AFTER {
        let since = last_seen.saturating_add(LATE_AFTER);
        Connectivity::Late { since }
    } else {
        Connectivity::Online
    }
}

/// Why a machine's silence is not yet its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSilent {
    /// It was heard within [`OFFLINE_AFTER`].
    MachineHeard,
    /// Central could not have heard it: it was not linked without a break to every place where the machine may be.
    CentralDeaf,
}

/// Whether a machine said nothing although central listened, for as long as makes it offline. `listened` is for how long
/// central has been linked without a break to everywhere the machine may be; `at_least` is how long that must be.
///
/// # Errors
/// Why the silence says nothing of the machine.
pub fn own_silence(
    presence: &Presence,
    now: Timestamp,
    listened: Option<Duration>,
    at_least: Duration,
) -> Result<(), NotSilent> {
    match connectivity(presence, now) {
        Connectivity::Online | Connectivity::Late { .. } => Err(NotSilent::MachineHeard),
        Connectivity::Offline { .. } if listened.is_some_and(|span| span >= at_least) => Ok(()),
        Connectivity::Offline { .. } => Err(NotSilent::CentralDeaf),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_the_machines_own_only_where_central_listened_as_long() {
        let hour = OFFLINE_AFTER;
        let judged = |silence: Duration, listened: Option<Duration>| {
            let presence = Presence {
                is_online: true,
                online_changed_at: None,
                last_seen: Some(Timestamp::UNIX_EPOCH),
            };
            let now = Timestamp::UNIX_EPOCH.saturating_add(silence);
            own_silence(&presence, now, listened, hour)
        };
        let second = Duration::from_secs(1);
        assert_eq!(judged(hour, Some(hour)), Ok(()));
        assert_eq!(judged(hour * 9, None), Err(NotSilent::CentralDeaf));
        assert_eq!(
            judged(hour * 9, Some(hour - second)),
            Err(NotSilent::CentralDeaf)
        );
        for listened in [None, Some(hour * 9)] {
            let heard = judged(hour - second, listened);
            assert_eq!(heard, Err(NotSilent::MachineHeard));
        }
    }

    fn check(is_online: bool, silence_s: u64, expect: Connectivity) {
        let presence = Presence {
            is_online,
            online_changed_at: Some(Timestamp::from_unix_ms(500)),
            last_seen: Some(Timestamp::UNIX_EPOCH),
        };
        let now = Timestamp::UNIX_EPOCH.saturating_add(Duration::from_secs(silence_s));
        assert_eq!(
            connectivity(&presence, now),
            expect,
            "{is_online} {silence_s}"
        );
    }

    #[test]
    fn a_machine_is_late_after_two_heartbeats_or_its_will_and_offline_after_an_hour() {
        let heard = Timestamp::UNIX_EPOCH;
        let missed = Connectivity::Late {
            since: heard.saturating_add(LATE_AFTER),
        };
        let willed = Connectivity::Late {
            since: Timestamp::from_unix_ms(500),
        };
        let offline = Connectivity::Offline { since: Some(heard) };
        check(true, 0, Connectivity::Online);
        check(true, 1799, Connectivity::Online);
        check(true, 1800, missed);
        check(true, 3600, offline);
        check(false, 1, willed);
        check(false, 3599, willed);
        check(false, 3600, offline);
    }

    #[test]
    fn a_moment_that_a_wrong_clock_noted_keeps_no_machine_online() {
        let presence = |ahead: Duration| Presence {
            is_online: true,
            online_changed_at: None,
            last_seen: Some(Timestamp::UNIX_EPOCH.saturating_add(ahead)),
        };
        let judged = |ahead| connectivity(&presence(ahead), Timestamp::UNIX_EPOCH);
        assert_eq!(judged(SEEN_AHEAD_MAX), Connectivity::Online);
        let month = Duration::from_secs(30 * 86_400);
        assert_eq!(judged(month), Connectivity::Offline { since: None });
    }

    #[test]
    fn a_machine_never_heard_is_offline_since_never() {
        let presence = Presence {
            is_online: true,
            online_changed_at: None,
            last_seen: None,
        };
        let judged = connectivity(&presence, Timestamp::UNIX_EPOCH);
        assert_eq!(judged, Connectivity::Offline { since: None });
    }
}
