//! How long something lasts, in plain Indonesian.

use loket_domain::supply::{DAYS_MAX, Forecast, WhyNot};

/// For instance `cukup ±3 hari (±120 lembar)`; nothing of what is empty, which its level says.
pub(crate) fn forecast(forecast: &Forecast) -> Option<String> {
    match forecast {
        Forecast::Empty => None,
        Forecast::Lasts(lasts) => {
            let days = match lasts.days_left {
                0 => "cukup untuk hari ini".to_owned(),
                DAYS_MAX.. => "cukup lebih dari 2 tahun".to_owned(),
                days => format!("cukup ±{days} hari"),
            };
            Some(match lasts.sheets_left {
                Some(sheets) => format!("{days} (±{sheets} lembar)"),
                None => days,
            })
        }
        Forecast::NotYet(why) => Some(format!("belum dapat diperkirakan: {}", why_not(*why))),
    }
}

/// Why nothing can be said yet.
fn why_not(why: WhyNot) -> &'static str {
    match why {
        WhyNot::NoReading | WhyNot::TooShort => "baru dipantau",
        WhyNot::NotMeasured => "printer tidak mengukurnya",
        WhyNot::TooLittleUsed => "baru sedikit terpakai",
        WhyNot::NeverEmpty => "belum pernah habis sejak dipantau",
        WhyNot::NoSheets => "jumlah lembar tercetak belum diketahui",
    }
}

#[cfg(test)]
mod tests {
    use loket_domain::supply::Lasts;
    use loket_wire::Timestamp;

    use super::*;

    #[test]
    fn days_and_sheets_are_said_as_about() {
        let lasts = |days_left, sheets_left| {
            let end = Timestamp::UNIX_EPOCH;
            let lasts = Lasts {
                days_left,
                sheets_left,
                ends_at: end,
                order_by: end,
            };
            forecast(&Forecast::Lasts(lasts)).unwrap_or_default()
        };
        assert_eq!(lasts(3, None), "cukup ±3 hari");
        assert_eq!(lasts(3, Some(120)), "cukup ±3 hari (±120 lembar)");
        assert_eq!(lasts(0, None), "cukup untuk hari ini");
        assert_eq!(lasts(DAYS_MAX, None), "cukup lebih dari 2 tahun");
        assert_eq!(forecast(&Forecast::Empty), None);
        let said = WhyNot::ALL.map(|why| forecast(&Forecast::NotYet(why)).unwrap_or_default());
        assert!(said.iter().all(|said| said.len() > 30), "{said:?}");
    }
}
