//! What the head of an answer means for what was asked: everything is there, a body follows, or why not.

use hyper::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderMap};
use hyper::{Response, StatusCode};

use super::body::Body;
use super::{FetchEnd, FetchError};

/// What an answer's head means for the request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// The caller has everything.
    Complete(FetchEnd),
    /// A body follows.
    Body(Body),
}

impl Plan {
    pub(super) fn read<B>(
        response: &Response<B>,
        from: u64,
        max_total: u64,
    ) -> Result<Self, FetchError> {
        match response.status() {
            StatusCode::OK => Self::whole(response.headers(), from, max_total),
            StatusCode::PARTIAL_CONTENT => Self::part(response.headers(), from, max_total),
            StatusCode::RANGE_NOT_SATISFIABLE => match content_range(response.headers())? {
                ContentRange { part: None, total } if total == from => {
                    Ok(Self::Complete(FetchEnd { total_bytes: total }))
                }
                _ => Err(FetchError::Shrunk { from_bytes: from }),
            },
            StatusCode::NOT_FOUND => Err(FetchError::NotFound),
            StatusCode::GONE => Err(FetchError::Gone),
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => Err(FetchError::Forbidden),
            status => Err(FetchError::Status {
                status: status.as_u16(),
            }),
        }
    }

    fn whole(headers: &HeaderMap, from: u64, max_total: u64) -> Result<Self, FetchError> {
        let total = match headers.get(CONTENT_LENGTH) {
            None => None,
            Some(value) => {
                let digits = value.to_str().ok().and_then(decimal);
                Some(digits.ok_or(FetchError::BadRange)?)
            }
        };
        match total {
            Some(total) if total > max_total => Err(FetchError::TooLarge {
                limit_bytes: max_total,
            }),
            Some(total) if total < from => Err(FetchError::Shrunk { from_bytes: from }),
            _ => Ok(Self::Body(Body {
                start: 0,
                from,
                end: total,
                total,
                max_total,
            })),
        }
    }

    fn part(headers: &HeaderMap, from: u64, max_total: u64) -> Result<Self, FetchError> {
        let ContentRange {
            part: Some((first, last)),
            total,
        } = content_range(headers)?
        else {
            return Err(FetchError::BadRange);
        };
        if first != from || last < first || last >= total {
            return Err(FetchError::BadRange);
        }
        if total > max_total {
            return Err(FetchError::TooLarge {
                limit_bytes: max_total,
            });
        }
        let end = Some(last.saturating_add(1));
        Ok(Self::Body(Body {
            start: first,
            from,
            end,
            total: Some(total),
            max_total,
        }))
    }
}

/// A Content-Range in bytes with a known total.
#[derive(Debug, PartialEq, Eq)]
struct ContentRange {
    /// First and last byte; `None` for `*`.
    part: Option<(u64, u64)>,
    total: u64,
}

fn content_range(headers: &HeaderMap) -> Result<ContentRange, FetchError> {
    let value = headers
        .get(CONTENT_RANGE)
        .and_then(|value| value.to_str().ok());
    value
        .and_then(parse_content_range)
        .ok_or(FetchError::BadRange)
}

fn parse_content_range(value: &str) -> Option<ContentRange> {
    let (part, total) = value.strip_prefix("bytes ")?.split_once('/')?;
    let total = decimal(total)?;
    if part == "*" {
        return Some(ContentRange { part: None, total });
    }
    let (first, last) = part.split_once('-')?;
    Some(ContentRange {
        part: Some((decimal(first)?, decimal(last)?)),
        total,
    })
}

/// Digits alone: `str::parse` would take a sign.
fn decimal(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn only_whole_content_ranges_are_read() {
        let part = |first, last, total| {
            Some(ContentRange {
                part: Some((first, last)),
                total,
            })
        };
        assert_eq!(parse_content_range("bytes 5-9/10"), part(5, 9, 10));
        assert_eq!(
            parse_content_range("bytes */10"),
            Some(ContentRange {
                part: None,
                total: 10
            })
        );
        for odd in [
            "",
            "bytes",
            "bytes 5-9",
            "bytes 5-9/*",
            "bytes +5-9/10",
            "items 5-9/10",
        ] {
            assert_eq!(parse_content_range(odd), None, "{odd}");
        }
        assert_eq!(
            parse_content_range("bytes 0-1/99999999999999999999999"),
            None
        );
    }

    fn plan(status: u16, header: Option<(&str, &str)>, from: u64) -> Result<Plan, FetchError> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).map_err(|_| FetchError::Target)?;
        if let Some((name, value)) = header {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| FetchError::Target)?;
            let value = HeaderValue::from_str(value).map_err(|_| FetchError::Target)?;
            response.headers_mut().insert(name, value);
        }
        Plan::read(&response, from, 100)
    }

    #[test]
    fn each_refusal_is_an_error_of_its_own() {
        assert!(matches!(plan(404, None, 0), Err(FetchError::NotFound)));
        assert!(matches!(plan(410, None, 0), Err(FetchError::Gone)));
        assert!(matches!(plan(403, None, 0), Err(FetchError::Forbidden)));
        assert!(matches!(
            plan(503, None, 0),
            Err(FetchError::Status { status: 503 })
        ));
        assert!(matches!(
            plan(302, None, 0),
            Err(FetchError::Status { status: 302 })
        ));
    }

    #[test]
    fn a_part_must_be_the_part_that_was_asked_for() {
        let range = |value| plan(206, Some(("content-range", value)), 5);
        assert!(matches!(
            range("bytes 5-9/10"),
            Ok(Plan::Body(Body { start: 5, .. }))
        ));
        for odd in [
            "bytes 4-9/10",
            "bytes 5-4/10",
            "bytes 5-10/10",
            "bytes */10",
            "x",
        ] {
            assert!(matches!(range(odd), Err(FetchError::BadRange)), "{odd}");
        }
        assert!(matches!(
            range("bytes 5-9/101"),
            Err(FetchError::TooLarge { .. })
        ));
        assert!(matches!(plan(206, None, 5), Err(FetchError::BadRange)));
    }

    #[test]
    fn a_range_past_the_end_is_complete_or_another_resource() {
        let range = |value| plan(416, Some(("content-range", value)), 5);
        assert_eq!(
            range("bytes */5").unwrap(),
            Plan::Complete(FetchEnd { total_bytes: 5 })
        );
        assert!(matches!(
            range("bytes */4"),
            Err(FetchError::Shrunk { from_bytes: 5 })
        ));
        let whole = plan(200, Some(("content-length", "4")), 5);
        assert!(matches!(whole, Err(FetchError::Shrunk { from_bytes: 5 })));
    }
}
