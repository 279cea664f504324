//! Failed sign-ins: counted by where they come from, bounded in a minute, told in the log within that bound.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Failed tries from one address in a window; a person who mistypes needs three. A token has 256 random bits, so the
/// bound keeps logs and store quiet rather than guessers out.
const MAX_TRIES: u32 = 10;

/// The window.
const WINDOW: Duration = Duration::from_secs(60);

/// Addresses remembered at once; all others share one place while there are more.
const MAX_ADDRESSES: usize = 1024;

/// The failed tries of the last minute.
#[derive(Debug, Default)]
pub(super) struct Tries(Mutex<BTreeMap<IpAddr, Window>>);

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Instant,
    count: u32,
}

impl Tries {
    /// Whether the address has used up its tries.
    pub(super) fn is_over(&self, from: IpAddr, now: Instant) -> bool {
        let known = self.lock();
        let found = known.get(&network(from)).or_else(|| known.get(&OTHERS));
        found.is_some_and(|window| !window.is_past(now) && window.count >= MAX_TRIES)
    }

    /// Counts a failed try; says whether it was within the bound.
    pub(super) fn failed(&self, from: IpAddr, now: Instant) -> bool {
        let mut known = self.lock();
        known.retain(|_from, window| !window.is_past(now));
        let mut from = network(from);
        if known.len() >= MAX_ADDRESSES && !known.contains_key(&from) {
            from = OTHERS;
        }
        let began = now;
        let window = known.entry(from).or_insert(Window { began, count: 0 });
        window.count = window.count.saturating_add(1);
        window.count <= MAX_TRIES
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, Window>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    fn is_past(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.began) >= WINDOW
    }
}

/// Where those are counted for whom there is no place.
const OTHERS: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// Whoever has one IPv6 address has the 2^64 of its network.
fn network(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let prefix = v6.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(prefix))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_ten_tries_a_minute_and_then_ten_more() {
        let (tries, start) = (Tries::default(), Instant::now());
        let (one, two) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        for _try in 0..MAX_TRIES {
            assert!(!tries.is_over(one, start));
            assert!(tries.failed(one, start));
        }
        assert!(tries.is_over(one, start) && !tries.failed(one, start));
        assert!(!tries.is_over(two, start), "others are not shut out");
        let later = start + WINDOW;
        assert!(!tries.is_over(one, later) && tries.failed(one, later));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_a_network_is_one_address() {
        let (tries, now) = (Tries::default(), Instant::now());
        for number in 0..5_000_u32 {
            tries.failed(IpAddr::from(number.to_be_bytes()), now);
        }
        assert!(tries.lock().len() <= MAX_ADDRESSES + 1);
        let newcomer: IpAddr = "2001:db8::1".parse().unwrap();
        assert!(tries.is_over(newcomer, now), "there is no place for it");
        assert_eq!(network(newcomer), network("2001:db8::2".parse().unwrap()));
    }
}
