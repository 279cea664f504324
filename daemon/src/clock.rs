//! Wall time on machines whose clock batteries are dead.
//!
//! The floor is a moment that has passed as far as anyone knows: the build's date or the last time that central signed.
//! Once central spoke in this boot, wall time is central's time carried forward on the monotonic clock and trusted;
//! before that it is the later of system clock and floor, and untrusted.
//!
//! What central signs may arrive late and in any order, and central's own clock may have been wrong. Its numbers tell
//! the two apart: commands and acknowledgements are numbered as they are signed, so a higher number with an earlier
//! time proves that central's clock was set back, which no broker can feign. An acknowledgement names the last command
//! as well, so that the two kinds are in one order. docs/adr/0012 and 0025 have the reasons.

mod order;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use loket_domain::core::Now;
use loket_wire::Timestamp;

pub(crate) use self::order::NUDGE;
pub use self::order::Word;
use self::order::{Mark, Memory, Worth};

/// No build of this program is older: 2026-11-01T00:00:00Z.
const BUILD_FLOOR: Timestamp = Timestamp::from_unix_ms(1_793_491_200_000);

/// Central's time is not believed at once where it runs ahead of the time carried forward by more than this. Twice the
/// usual life of an order: a command that a broker held back may be the first word of a boot, and is younger.
const LEAP: Duration = Duration::from_secs(14 * 24 * 3600);

/// How long central must stand by a leap before it is believed: time enough to see and mend a wrong clock there.
const STAND: Duration = Duration::from_secs(3600);

/// The version of what is kept in the journal.
const VERSION: u16 = 1;

/// Shared by every unit; reading it never blocks for long.
#[derive(Debug, Clone)]
pub struct Clock {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    memory: Memory,
    /// Central's time, and when it was heard.
    central: Option<(Timestamp, Instant)>,
    /// A leap that is not believed yet.
    leap: Option<(Timestamp, Instant)>,
    started: Instant,
}

impl Inner {
    fn now(&self, at: Instant) -> Now {
        let floor = self.memory.floor;
        Now {
            wall: self.carried(at).unwrap_or_else(system_time).max(floor),
            trusted: self.central.is_some() && self.leap.is_none(),
            floor,
        }
    }

    /// Central's time carried forward.
    fn carried(&self, at: Instant) -> Option<Timestamp> {
        self.central.map(|spoken| carry(spoken, at))
    }

    /// True where central's clock was set back.
    fn hear(&mut self, word: Word, at: Timestamp, heard: Instant) -> bool {
        // Central refuses to run on such a clock; should one sign all the same, it knows no time.
        if at < BUILD_FLOOR {
            return false;
        }
        let memory = &mut self.memory;
        let worth = match word {
            Word::Command(number) => memory.judge_command(number, at),
            Word::Ack { seq, command_seq } => memory.judge_ack(seq, command_seq, at),
        };
        match worth {
            Worth::Nothing => {}
            Worth::SetBack => {
                tracing::warn!(
                    from = %memory.floor,
                    to = %at,
                    "central's clock was set back; so is the time of this machine"
                );
                self.believe(at, heard);
            }
            // Held back by a broker: true once, of no use now.
            Worth::Usual if at < memory.floor => {}
            Worth::Usual => self.advance(at, heard),
        }
        worth == Worth::SetBack
    }

    /// Takes a time that is not below the floor, unless it leaps.
    fn advance(&mut self, at: Timestamp, heard: Instant) {
        let Some(carried) = self.carried(heard) else {
            return self.believe(at, heard);
        };
        if at <= carried.saturating_add(LEAP) {
            self.leap = None;
            // An earlier one than is known already changes nothing, since a broker can delay messages.
            if at > carried {
                self.believe(at, heard);
            }
            return;
        }
        match self.leap {
            Some(leap) if is_near(carry(leap, heard), at) => {
                if heard.duration_since(leap.1) >= STAND {
                    self.believe(at, heard);
                }
            }
            Some(_) | None => {
                tracing::warn!(from = %carried, to = %at, "central's time leaps; it is not believed yet");
                self.leap = Some((at, heard));
            }
        }
    }

    const fn believe(&mut self, at: Timestamp, heard: Instant) {
        self.central = Some((at, heard));
        self.leap = None;
        self.memory.floor = at;
    }
}

fn carry((at, heard): (Timestamp, Instant), now: Instant) -> Timestamp {
    at.saturating_add(now.duration_since(heard))
}

fn is_near(one: Timestamp, other: Timestamp) -> bool {
    one <= other.saturating_add(LEAP) && other <= one.saturating_add(LEAP)
}

impl Clock {
    /// A clock whose floor is the later of the build's date and a kept one.
    #[must_use]
    pub fn new(kept_floor: Option<Timestamp>) -> Self {
        Self::over(Memory {
            version: VERSION,
            floor: kept_floor.map_or(BUILD_FLOOR, |kept| kept.max(BUILD_FLOOR)),
            command: Mark::NONE,
            ack: Mark::NONE,
        })
    }

    /// The clock as [`Clock::kept`] wrote it; where nothing was kept, or nothing that can be read, a new one.
    #[must_use]
    pub fn restore(kept: Option<&[u8]>) -> Self {
        let Some(kept) = kept else {
            return Self::new(None);
        };
        match serde_json::from_slice::<Memory>(kept) {
            Ok(memory) if memory.version == VERSION => Self::over(Memory {
                floor: memory.floor.max(BUILD_FLOOR),
                ..memory
            }),
            Ok(_) | Err(_) => {
                tracing::warn!("the kept clock cannot be read; it begins at the build's date");
                Self::new(None)
            }
        }
    }

    fn over(memory: Memory) -> Self {
        Self {
            inner: Arc::new(Mutex::new(Inner {
                memory,
                central: None,
                leap: None,
                started: Instant::now(),
            })),
        }
    }

    /// The present moment and how far it may be trusted.
    #[must_use]
    pub fn now(&self) -> Now {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.now(Instant::now())
    }

    /// Takes a time that central signed, with the number under which it did; true where that proves that central's
    /// clock was set back.
    pub fn hear(&self, word: Word, at: Timestamp) -> bool {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.hear(word, at, Instant::now())
    }

    /// The highest command number that central named, in a command or in an acknowledgement.
    #[must_use]
    pub fn command_seq(&self) -> u64 {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.memory.command.number()
    }

    /// The floor with the numbers behind it, to be kept in the journal; [`Clock::restore`] reads it.
    #[must_use]
    pub fn kept(&self) -> Vec<u8> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::to_vec(&inner.memory).unwrap_or_default()
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
        self.now().wall
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
    use super::order::NUDGE;
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn day(count: u64) -> Timestamp {
        BUILD_FLOOR.saturating_add(HOUR * 24 * u32::try_from(count).unwrap())
    }

    /// An acknowledgement of a central that names no command beside it.
    const fn ack(seq: u64) -> Word {
        Word::Ack {
            seq,
            command_seq: None,
        }
    }

    /// One that was signed after this command was numbered and before the next.
    const fn ack_after(command_seq: u64, seq: u64) -> Word {
        Word::Ack {
            seq,
            command_seq: Some(command_seq),
        }
    }

    /// A clock that hears words at set moments of its monotonic clock.
    struct Bench {
        inner: Inner,
        start: Instant,
    }

    impl Bench {
        fn new() -> Self {
            Self::over(&Clock::new(None).kept())
        }

        fn over(kept: &[u8]) -> Self {
            let clock = Clock::restore(Some(kept));
            let inner = Arc::into_inner(clock.inner).unwrap();
            let inner = inner.into_inner().unwrap();
            let start = inner.started;
            Self { inner, start }
        }

        /// The same machine after a restart.
        fn again(&self) -> Self {
            Self::over(&serde_json::to_vec(&self.inner.memory).unwrap())
        }

        fn hear(&mut self, after: Duration, word: Word, at: Timestamp) -> Now {
            self.inner.hear(word, at, self.start + after);
            let now = self.now(after);
            assert!(now.wall >= now.floor, "{now:?}");
            now
        }

        fn now(&self, after: Duration) -> Now {
            self.inner.now(self.start + after)
        }
    }

    const fn trusted(wall: Timestamp, floor: Timestamp) -> Now {
        Now {
            wall,
            trusted: true,
            floor,
        }
    }

    #[test]
    fn central_is_trusted_from_its_first_word_and_carried_forward() {
        let mut bench = Bench::new();
        let before = bench.now(Duration::ZERO);
        assert!(!before.trusted && before.wall >= BUILD_FLOOR);
        let now = bench.hear(Duration::ZERO, ack(1), day(3));
        assert_eq!(now, trusted(day(3), day(3)));
        assert_eq!(bench.now(HOUR * 24), trusted(day(4), day(3)));
        let late = bench.hear(HOUR * 24, ack(2), day(3).saturating_add(HOUR));
        assert_eq!(late, trusted(day(4), day(3)), "a delayed word");
    }

    #[test]
    fn a_command_that_a_broker_held_back_is_no_time_below_the_floor() {
        let mut before = Bench::new();
        before.hear(Duration::ZERO, Word::Command(7), day(2));
        before.hear(HOUR, ack(20), day(6));
        let mut bench = before.again();
        let now = bench.hear(Duration::ZERO, Word::Command(8), day(3));
        assert!(!now.trusted, "{now:?}");
        assert_eq!(now.floor, day(6));
        let now = bench.hear(Duration::ZERO, ack(20), day(7));
        assert_eq!(now, trusted(day(7), day(7)));
    }

    /// Central was wrong by a month from the machine's start on; its next command after the mend undoes all of it.
    #[test]
    fn a_later_command_with_an_earlier_time_undoes_a_wrong_one() {
        let mut wrong = Bench::new();
        wrong.hear(Duration::ZERO, Word::Command(1), day(31));
        wrong.hear(HOUR, ack(5), day(32));
        for mut bench in [wrong.again(), wrong] {
            let now = bench.hear(HOUR, Word::Command(2), day(1));
            assert_eq!(now, trusted(day(1), day(1)));
            let mut bench = bench.again();
            for replayed in [Word::Command(1), ack(4), ack(5)] {
                let now = bench.hear(HOUR, replayed, day(32));
                assert!(!now.trusted && now.floor == day(1), "{replayed:?}: {now:?}");
            }
            let now = bench.hear(HOUR, ack(6), day(2));
            assert_eq!(now, trusted(day(2), day(2)));
        }
    }

    #[test]
    fn an_acknowledgement_undoes_a_wrong_time_too() {
        let mut bench = Bench::new();
        bench.hear(Duration::ZERO, Word::Command(1), day(31));
        bench.hear(Duration::ZERO, ack(5), day(31));
        let now = bench.hear(HOUR, ack(6), day(1));
        assert_eq!(now, trusted(day(1), day(1)));
        let now = bench.hear(HOUR, Word::Command(1), day(31));
        assert_eq!(now, trusted(day(1), day(1)), "a replayed command");
    }

    /// Central was wrong while it only acknowledged: the first command after the mend is the later word.
    #[test]
    fn a_command_undoes_a_wrong_time_that_acknowledgements_alone_brought() {
        let mut wrong = Bench::new();
        wrong.hear(Duration::ZERO, ack_after(1, 5), day(31));
        for mut bench in [wrong.again(), wrong] {
            let now = bench.hear(HOUR, Word::Command(2), day(1));
            assert_eq!(now, trusted(day(1), day(1)));
            // A broker held these back; the second reaches further than any that was heard.
            for late in [ack_after(1, 5), ack_after(1, 6)] {
                let now = bench.hear(HOUR, late, day(31));
                assert_eq!(now, trusted(day(1), day(1)), "{late:?}");
            }
            let now = bench.hear(HOUR, ack_after(2, 6), day(2));
            assert_eq!(now, trusted(day(2), day(2)));
        }
    }

    #[test]
    fn an_acknowledgement_behind_a_later_command_undoes_a_wrong_time_under_the_same_report() {
        let mut bench = Bench::new();
        bench.hear(Duration::ZERO, ack_after(1, 5), day(31));
        let now = bench.hear(HOUR, ack_after(2, 5), day(1));
        assert_eq!(now, trusted(day(1), day(1)));
        let now = bench.hear(HOUR, ack_after(1, 5), day(31));
        assert_eq!(now, trusted(day(1), day(1)), "replayed");
        let now = bench.hear(HOUR, ack_after(2, 6), day(2));
        assert_eq!(now, trusted(day(2), day(2)));
    }

    #[test]
    fn a_late_acknowledgement_of_fewer_reports_says_nothing_whatever_command_it_names() {
        let mut bench = Bench::new();
        bench.hear(Duration::ZERO, ack_after(1, 5), day(5));
        let now = bench.hear(Duration::ZERO, ack_after(9, 4), day(1));
        assert_eq!(now, trusted(day(5), day(5)));
        let now = bench.hear(Duration::ZERO, ack_after(9, 4), day(9));
        assert_eq!(now, trusted(day(5), day(5)));
    }

    #[test]
    fn the_same_number_never_sets_a_clock_back() {
        let mut bench = Bench::new();
        bench.hear(Duration::ZERO, ack(5), day(5));
        let now = bench.hear(Duration::ZERO, ack(5), day(1));
        assert_eq!(now, trusted(day(5), day(5)));
    }

    #[test]
    fn a_nudge_undoes_nothing() {
        let mut bench = Bench::new();
        bench.hear(Duration::ZERO, Word::Command(1), day(5));
        let earlier = day(5).saturating_sub(NUDGE);
        let now = bench.hear(Duration::ZERO, Word::Command(2), earlier);
        assert_eq!(now, trusted(day(5), day(5)));
    }

    #[test]
    fn a_leap_of_central_is_believed_when_it_stands() {
        let mut bench = Bench::new();
        bench.hear(Duration::ZERO, Word::Command(1), day(1));
        let doubted = Now {
            wall: day(1),
            trusted: false,
            floor: day(1),
        };
        let now = bench.hear(Duration::ZERO, Word::Command(2), day(31));
        assert_eq!(now, doubted, "nothing expires by it");
        let almost = STAND - Duration::from_secs(1);
        let now = bench.hear(almost, Word::Command(3), day(31).saturating_add(almost));
        assert!(!now.trusted && now.floor == day(1));
        let at = day(31).saturating_add(STAND);
        let now = bench.hear(STAND, Word::Command(4), at);
        assert_eq!(now, trusted(at, at));
    }

    #[test]
    fn a_leap_that_is_taken_back_leaves_nothing() {
        let mut bench = Bench::new();
        bench.hear(Duration::ZERO, Word::Command(1), day(1));
        bench.hear(Duration::ZERO, Word::Command(2), day(31));
        let now = bench.hear(HOUR, Word::Command(3), day(1).saturating_add(HOUR));
        let at = day(1).saturating_add(HOUR);
        assert_eq!(now, trusted(at, at));
        // Another leap begins its hour anew.
        bench.hear(HOUR, Word::Command(4), day(90));
        let now = bench.hear(HOUR + STAND / 2, Word::Command(5), day(300));
        assert!(!now.trusted, "{now:?}");
        let now = bench.hear(HOUR + STAND, Word::Command(6), day(300));
        assert!(!now.trusted, "{now:?}");
    }

    #[test]
    fn what_is_kept_is_never_below_the_build() {
        assert_eq!(
            Clock::new(Some(Timestamp::UNIX_EPOCH)).now().floor,
            BUILD_FLOOR
        );
        for unreadable in [&b"12345678"[..], b"", b"{}", br#"{"version":9}"#] {
            assert_eq!(Clock::restore(Some(unreadable)).now().floor, BUILD_FLOOR);
        }
        let mut bench = Bench::new();
        let dead = Timestamp::from_unix_ms(30_000);
        let now = bench.hear(Duration::ZERO, Word::Command(1), dead);
        assert!(!now.trusted && now.floor == BUILD_FLOOR);
    }
}
