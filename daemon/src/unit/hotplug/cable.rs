//! One printer's cable: what hangs at it, and when that is told.

use std::time::Duration;

use loket_usb::{DeviceAddress, Plugged};
use tokio::time::Instant;

/// A printer that resets itself is off the bus for some 400 ms (the hub's 100 ms of debounce, a reset, its descriptors
/// anew): one that is back within this was never away.
const AWAY_FOR: Duration = Duration::from_millis(500);

/// Between two tellings of one printer: a loose plug or a firmware that starts over and over wakes nobody more often.
const TOLD_AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// What is known of the device at one address. Reads no clock.
#[derive(Debug)]
pub(super) struct Cable {
    name: String,
    address: DeviceAddress,
    /// What hung there when it was told last; nothing before anything was told.
    told: Option<Plugged>,
    /// What hangs there.
    seen: Option<Plugged>,
    told_at: Option<Instant>,
    due: Option<Instant>,
}

impl Cable {
    pub(super) const fn new(name: String, address: DeviceAddress) -> Self {
        Self {
            name,
            address,
            told: None,
            seen: None,
            told_at: None,
            due: None,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// When something is to be told.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Takes in what is plugged in at this moment. An address that fits two devices means none of them.
    ///
    /// A device that was out and in again between two looks has another number, and is told as plugged in.
    pub(super) fn see(&mut self, plugged: &[Plugged], now: Instant) {
        let seen = self.address.choose(plugged).ok().cloned();
        if seen == self.seen {
            return;
        }
        self.seen = seen;
        if self.seen == self.told {
            self.due = None;
            return;
        }
        let wait = if self.seen.is_some() {
            Duration::ZERO
        } else {
            AWAY_FOR
        };
        let free = self.told_at.map(|at| at + TOLD_AT_MOST_EVERY);
        self.due = Some(free.map_or(now + wait, |free| free.max(now + wait)));
    }

    /// What is due to be told: whether the printer is there.
    pub(super) fn tell(&mut self, now: Instant) -> Option<bool> {
        self.due.filter(|due| *due <= now)?;
        self.due = None;
        self.told_at = Some(now);
        self.told.clone_from(&self.seen);
        Some(self.seen.is_some())
    }
}

#[cfg(test)]
mod tests {
    use loket_fuzz::Seeded;
    use loket_usb::fake::FakeDevice;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn device(number: u8) -> Plugged {
        Plugged {
            number,
            ..FakeDevice::http(1, 64, |_request| Vec::new()).plugged(Some("S1"), 1)
        }
    }

    fn cable() -> Cable {
        let address = "ippusb://1209:0001/S1".parse().unwrap();
        Cable::new("a4".to_owned(), address)
    }

    #[test]
    fn a_printer_that_is_plugged_in_is_told_at_once_and_one_that_left_once_it_stayed_away() {
        let (mut cable, start) = (cable(), Instant::now());
        cable.see(&[], start);
        assert_eq!(cable.due(), None, "who was never there is not told as away");
        cable.see(&[device(7)], start);
        assert_eq!(cable.tell(start), Some(true));
        assert_eq!(cable.due(), None);
        let later = start + 60 * TOLD_AT_MOST_EVERY;
        cable.see(&[], later);
        assert_eq!(cable.tell(later), None);
        assert_eq!(cable.tell(later + AWAY_FOR - MS), None);
        assert_eq!(cable.tell(later + AWAY_FOR), Some(false));
    }

    #[test]
    fn a_printer_that_resets_itself_is_told_once_as_back_and_never_as_away() {
        let (mut cable, start) = (cable(), Instant::now());
        cable.see(&[device(7)], start);
        cable.tell(start);
        let later = start + 60 * TOLD_AT_MOST_EVERY;
        cable.see(&[], later);
        assert_eq!(cable.tell(later + AWAY_FOR - MS), None);
        cable.see(&[device(8)], later + AWAY_FOR - MS);
        assert_eq!(cable.tell(later + AWAY_FOR - MS), Some(true));
        assert_eq!(cable.due(), None);
    }

    #[test]
    fn a_device_that_is_the_same_as_before_is_no_news() {
        let (mut cable, start) = (cable(), Instant::now());
        cable.see(&[device(7)], start);
        cable.tell(start);
        cable.see(&[], start + TOLD_AT_MOST_EVERY);
        cable.see(&[device(7)], start + TOLD_AT_MOST_EVERY);
        assert_eq!(cable.due(), None);
    }

    #[test]
    fn an_address_that_fits_two_devices_means_none_of_them() {
        let (mut cable, start) = (cable(), Instant::now());
        cable.see(&[device(7)], start);
        cable.tell(start);
        let mut twin = device(9);
        twin.identity.port = "1-2".parse().unwrap();
        cable.see(&[device(7), twin], start + TOLD_AT_MOST_EVERY);
        assert_eq!(cable.tell(start + 2 * TOLD_AT_MOST_EVERY), Some(false));
    }

    /// However it flaps: told at most once a second, and what is told last is what is there.
    #[test]
    fn a_cable_that_flaps_wakes_nobody_more_than_once_a_second() {
        for round in 0..200 {
            let mut seeded = Seeded::of_round(62, round).unwrap();
            let (mut cable, mut now) = (cable(), Instant::now());
            let (mut tellings, mut number) = (Vec::new(), 0_u8);
            for _event in 0..200 {
                now += MS * u32::try_from(seeded.below(400)).unwrap();
                if let Some(is_there) = cable.tell(now) {
                    tellings.push((now, is_there));
                }
                number = number.wrapping_add(1);
                let there = (seeded.below(2) == 0).then(|| device(number));
                cable.see(there.as_slice(), now);
            }
            if let Some(due) = cable.due() {
                tellings.push((due, cable.tell(due).unwrap()));
            }
            let gaps = tellings.windows(2).map(|pair| pair[1].0 - pair[0].0);
            assert!(gaps.into_iter().all(|gap| gap >= TOLD_AT_MOST_EVERY));
            let last = tellings.last().map(|(_at, is_there)| *is_there);
            assert_eq!(last.unwrap_or_default(), cable.seen.is_some());
        }
    }
}
