//! What one case took: processor time of the thread that had it, and the most memory that the process ever held.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Asks what cases take; test runs do not.
const COST_VARIABLE: &str = "LOKET_COST";

/// A case that seems to be the dearest is had so many times more, and the least of it counts.
const AGAIN: usize = 4;

/// Processor time of this thread so far: what others do on the same computer does not count.
pub(crate) fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let whole = Duration::from_secs(u64::try_from(now.tv_sec).unwrap_or_default());
    whole.saturating_add(Duration::from_nanos(
        u64::try_from(now.tv_nsec).unwrap_or_default(),
    ))
}

/// The most memory that the process held at once, all its tests and their fixtures included; none where no kernel says so.
pub(crate) fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// The dearest case so far.
#[derive(Debug, Default)]
pub(crate) struct Slowest {
    pub(crate) time: Duration,
    pub(crate) number: u64,
}

impl Slowest {
    pub(crate) fn if_asked() -> Option<Self> {
        std::env::var_os(COST_VARIABLE).map(|_asked| Self::default())
    }

    /// Weighs a case that began at `started` of this thread's time and is over now.
    pub(crate) fn weigh(&mut self, number: u64, started: Duration, mut have: impl FnMut(u64)) {
        let mut before = processor_time();
        let mut time = before.saturating_sub(started);
        if time <= self.time {
            return;
        }
        // A tick of the kernel that came amidst a case is none of what the case takes.
        for _again in 0..AGAIN {
            have(number);
            let after = processor_time();
            time = time.min(after.saturating_sub(before));
            before = after;
        }
        self.take(time, number);
    }

    fn take(&mut self, time: Duration, number: u64) {
        if time > self.time {
            *self = Self { time, number };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_a_thread_works_and_memory_that_it_holds_are_seen() {
        let start = processor_time();
        let held: Vec<u64> = (0..4_000_000).collect();
        assert_eq!(held.iter().sum::<u64>(), 7_999_998_000_000);
        assert!(processor_time() > start);
        assert!(peak_kib().unwrap() > 32_000_000 / 1024);
    }

    #[test]
    fn a_case_that_seems_the_dearest_is_had_again_and_a_cheaper_one_is_not() {
        let mut slowest = Slowest::default();
        let mut again = Vec::new();
        slowest.weigh(7, Duration::ZERO, |number| again.push(number));
        assert_eq!(again, [7; AGAIN]);
        slowest.time = Duration::from_hours(1);
        slowest.weigh(8, Duration::ZERO, |number| again.push(number));
        assert_eq!(again.len(), AGAIN);
    }

    #[test]
    fn the_dearest_case_is_kept_and_the_first_of_equals() {
        let mut slowest = Slowest::default();
        for (number, micros) in [(0, 3), (1, 9), (2, 9), (3, 5)] {
            slowest.take(Duration::from_micros(micros), number);
        }
        assert_eq!((slowest.time.as_micros(), slowest.number), (9, 1));
    }
}
