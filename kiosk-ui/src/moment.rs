//! A moment as people say it.

use loket_wire::{Timestamp, Zone};

const MONTHS: [&str; 12] = [
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
];

/// The moment in a zone, for instance `14 Juli 2026, pukul 08.30 WIB`.
pub(crate) fn in_words(zone: Zone, at: Timestamp) -> String {
    let text = zone.local_text(at);
    spoken(&text).unwrap_or(text)
}

/// The day of the moment in a zone, for instance `14 Juli 2026`.
pub(crate) fn day(zone: Zone, at: Timestamp) -> String {
    let text = in_words(zone, at);
    text.split_once(',')
        .map_or(text.as_str(), |(day, _clock)| day)
        .to_owned()
}

/// `24-01-2026 09:30 WIB` with the month's name and the point of Indonesian clocks.
fn spoken(text: &str) -> Option<String> {
    let (date, clock) = text.split_once(' ')?;
    let mut parts = date.split('-');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let month = month.parse::<usize>().ok()?.checked_sub(1)?;
    let month = MONTHS.get(month)?;
    let (day, clock) = (day.trim_start_matches('0'), clock.replacen(':', ".", 1));
    Some(format!("{day} {month} {year}, pukul {clock}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_the_zone_of_the_office() {
        let at = Timestamp::parse_rfc3339("2026-07-13T23:05:00Z").unwrap();
        assert_eq!(in_words(Zone::Wib, at), "14 Juli 2026, pukul 06.05 WIB");
        assert_eq!(in_words(Zone::Wit, at), "14 Juli 2026, pukul 08.05 WIT");
        assert_eq!(day(Zone::Wib, at), "14 Juli 2026");
    }
}
