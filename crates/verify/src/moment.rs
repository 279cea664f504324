//! Times as documents and certificates write them.

use loket_wire::Timestamp;
use x509_cert::time::Time;

/// A time of a certificate or revocation list.
pub(crate) fn of_certificate(time: &Time) -> Timestamp {
    let ms = i64::try_from(time.to_unix_duration().as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_unix_ms(ms)
}

/// ASN.1 GeneralizedTime in DER, fractions allowed: `20240124030500.25Z`.
pub(crate) fn of_generalized(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let fraction_is_plain = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 14 || fraction.is_empty() || fraction.len() > 9 || !fraction_is_plain {
        return None;
    }
    calendar(whole, fraction, "Z")
}

/// A PDF date (ISO 32000-2, 7.9.4), complete to the second: `D:20240124030000+07'00'`.
pub(crate) fn of_pdf(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_prefix("D:")?;
    let (whole, zone) = text.split_at_checked(14)?;
    let digits: String = zone.chars().filter(|letter| *letter != '\'').collect();
    let zone = match digits.as_str() {
        "" | "Z" | "Z0000" => "Z".to_owned(),
        zone => {
            let (hours, minutes) = zone.split_at_checked(3)?;
            format!(
                "{hours}:{}",
                if minutes.is_empty() { "00" } else { minutes }
            )
        }
    };
    calendar(whole, "0", &zone)
}

fn calendar(whole: &str, fraction: &str, zone: &str) -> Option<Timestamp> {
    if whole.len() != 14 || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| whole.get(from..to);
    let text = format!(
        "{}-{}-{}T{}:{}:{}.{fraction}{zone}",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?,
    );
    Timestamp::parse_rfc3339(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_their_zone() {
        let expect = Timestamp::parse_rfc3339("2024-01-24T03:00:00Z").ok();
        for text in [
            "D:20240124030000Z",
            "D:20240124030000",
            "D:20240124100000+07'00'",
            "D:20240124100000+07",
        ] {
            assert_eq!(of_pdf(text.as_bytes()), expect, "{text}");
        }
        assert_eq!(of_generalized(b"20240124030000Z"), expect);
        let quarter = Timestamp::parse_rfc3339("2024-01-24T03:00:00.25Z").ok();
        assert_eq!(of_generalized(b"20240124030000.25Z"), quarter);
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "D:",
            "D:2024",
            "D:20241324030000Z",
            "D:20240124030000+",
            "D:2024é124030000",
        ] {
            assert_eq!(of_pdf(text.as_bytes()), None, "{text}");
        }
        assert_eq!(of_generalized(b"20240124030000"), None);
        assert_eq!(of_generalized(b"20240124030000.Z"), None);
    }
}
