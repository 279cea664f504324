//! One byte range of an HTTP request (RFC 9110 §14), as a machine asks for it when it resumes a fetch.

/// What a `Range` header asks of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Everything: no header, or one that RFC 9110 lets a server ignore.
    All,
    /// `first ..= last`, both inside the body.
    Part {
        /// The first byte.
        first: u64,
        /// The last byte.
        last: u64,
    },
    /// Nothing of the body lies in the range (416).
    Outside,
}

/// Reads the value of a `Range` header for a body of `size_bytes`.
///
/// More than one range is answered with the whole body, which RFC 9110 §14.2 allows.
pub(crate) fn asked(header: Option<&str>, size_bytes: u64) -> Asked {
    let Some(spec) = header.and_then(|value| value.trim().strip_prefix("bytes=")) else {
        return Asked::All;
    };
    let Some((first, last)) = spec.split_once('-') else {
        return Asked::All;
    };
    let (first, last) = (first.trim(), last.trim());
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        // More digits than a u64 holds are a number beyond every body.
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let end = size_bytes.saturating_sub(1);
    match (number(first), number(last)) {
        (Some(first), None) if last.is_empty() => within(first, end, size_bytes),
        (Some(first), Some(last)) if first <= last => within(first, last.min(end), size_bytes),
        (None, Some(0)) if first.is_empty() => Asked::Outside,
        (None, Some(count)) if first.is_empty() => {
            within(size_bytes.saturating_sub(count), end, size_bytes)
        }
        (_first, _last) => Asked::All,
    }
}

const fn within(first: u64, last: u64, size_bytes: u64) -> Asked {
    if first >= size_bytes {
        Asked::Outside
    } else {
        Asked::Part { first, last }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        let part = |first, last| Asked::Part { first, last };
        for (header, expect) in [
            (None, Asked::All),
            (Some("bytes=0-"), part(0, 99)),
            (Some("bytes=40-"), part(40, 99)),
            (Some("bytes=40-49"), part(40, 49)),
            (Some("bytes=40-4000"), part(40, 99)),
            (Some("bytes=-10"), part(90, 99)),
            (Some("bytes=-1000"), part(0, 99)),
            (Some("bytes=-0"), Asked::Outside),
            (Some("bytes=100-"), Asked::Outside),
            (Some("bytes=99999999999999999999999-"), Asked::Outside),
            (Some("bytes=50-40"), Asked::All),
            (Some("bytes=0-1,5-6"), Asked::All),
            (Some("bytes=a-b"), Asked::All),
            (Some("bytes=-"), Asked::All),
            (Some("bytes=+1-2"), Asked::All),
            (Some("lines=0-"), Asked::All),
            (Some(""), Asked::All),
        ] {
            assert_eq!(asked(header, 100), expect, "{header:?}");
        }
    }

    #[test]
    fn an_empty_body_has_no_range() {
        assert_eq!(asked(Some("bytes=0-"), 0), Asked::Outside);
    }

    /// Some seconds without optimisation.
    const CASES: u64 = 200_000;

    #[test]
    fn fuzz_ranges() {
        let good: [&[u8]; 4] = [b"bytes=0-", b"bytes=40-49", b"bytes=-10", b"bytes=0-1,5-6"];
        let mut parts = 0_u64;
        loket_fuzz::fuzz("ranges", CASES, &good, |bytes| {
            let header = String::from_utf8_lossy(bytes);
            for size_bytes in [0, 1, 100, u64::MAX] {
                if let Asked::Part { first, last } = asked(Some(&header), size_bytes) {
                    parts += 1;
                    assert!(first <= last && last < size_bytes, "{first}-{last}");
                }
            }
        });
        assert!(parts > 0, "control: some are still ranges");
    }
}
