//! Wall time on machines whose clock batteries are dead.
//!
//! The floor is a moment that has certainly passed: the build's date or the last time that central signed. Once
//! central spoke in this boot, wall time is central's time carried forward on the monotonic clock and trusted; before
//! that it is the later of system clock and floor, and untrusted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use loket_domain::core::Now;
use loket_wire::Timestamp;

/// No build of this program is older: 2026-11-01T00:00:00Z.
const BUILD_FLOOR: Timestamp = Timestamp::from_unix_ms(1_793_491_200_000);

/// Shared by every unit; reading it never blocks for long.
#[derive(Debug, Clone)]
pub struct Clock {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    floor: Timestamp,
    central: Option<(Timestamp, Instant)>,
    started: Instant,
}

impl Clock {
    /// A clock whose floor is the later of the build's date and the one kept in the journal.
    #[must_use]
    pub fn new(kept_floor: Option<Timestamp>) -> Self {
        let floor = kept_floor.map_or(BUILD_FLOOR, |kept| kept.max(BUILD_FLOOR));
        Self {
            inner: Arc::new(Mutex::new(Inner {
                floor,
                central: None,
                started: Instant::now(),
            })),
        }
    }

    /// The present moment and how far it may be trusted.
    #[must_use]
    pub fn now(&self) -> Now {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match inner.central {
            Some((at, heard)) => Now {
                wall: at.saturating_add(heard.elapsed()),
                trusted: true,
                floor: inner.floor,
            },
            None => Now {
                wall: system_time().max(inner.floor),
                trusted: false,
                floor: inner.floor,
            },
        }
    }

    /// Takes a time that central signed; an earlier one than is known already changes nothing, since a broker can
    /// delay messages.
    pub fn hear_central(&self, at: Timestamp) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = Instant::now();
        let known = inner
            .central
            .map(|(then, at)| then.saturating_add(at.elapsed()));
        if known.is_none_or(|known| at > known) {
            inner.central = Some((at, heard));
        }
        inner.floor = inner.floor.max(at);
    }

    /// The floor, to be kept in the journal.
    #[must_use]
    pub fn floor(&self) -> Timestamp {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .floor
    }

    /// System clock minus trusted time; `None` while nothing is trusted.
    #[must_use]
    pub fn offset_ms(&self) -> Option<i64> {
        let now = self.now();
        now.trusted
            .then(|| system_time().unix_ms().saturating_sub(now.wall.unix_ms()))
    }

    /// How long this program has run.
    #[must_use]
    pub fn up_time(&self) -> Duration {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .started
            .elapsed()
    }

    /// The moment by which TLS judges certificates: never before the floor, so that a machine whose clock says 1970
    /// still connects.
    #[must_use]
    pub fn tls_now(&self) -> Timestamp {
        let now = self.now();
        if now.trusted {
            now.wall
        } else {
            system_time().max(now.floor)
        }
    }
}

/// The latest moment that has certainly passed: a clock that nobody confirmed may be decades ahead.
#[must_use]
pub fn certain(now: Now) -> Timestamp {
    if now.trusted { now.wall } else { now.floor }
}

fn system_time() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::UNIX_EPOCH.saturating_add(since)
}

/// Certificate validity on a machine without a clock (CONTRACT, clock).
impl rustls::time_provider::TimeProvider for Clock {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        let ms = u64::try_from(self.tls_now().unix_ms()).ok()?;
        Some(rustls::pki_types::UnixTime::since_unix_epoch(
            Duration::from_millis(ms),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_later_word_of_central_moves_the_clock() {
        let clock = Clock::new(None);
        assert!(!clock.now().trusted);
        assert!(clock.now().wall >= BUILD_FLOOR);
        let later = Timestamp::from_unix_ms(2_000_000_000_000);
        clock.hear_central(later);
        assert!(clock.now().trusted && clock.now().wall >= later);
        clock.hear_central(BUILD_FLOOR);
        assert!(clock.now().wall >= later);
        assert_eq!(clock.floor(), later);
    }

    #[test]
    fn a_kept_floor_is_never_below_the_build() {
        let kept = Clock::new(Some(Timestamp::UNIX_EPOCH));
        assert_eq!(kept.floor(), BUILD_FLOOR);
    }
}
