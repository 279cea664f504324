//! Reads an order from JSON or TOML; what is refused is named by code and place, never by its text.

use loket_wire::Order;
use serde_json::json;

use crate::problem::{Code, Problem};

/// The largest order: its keys need a few hundred bytes, so this leaves room for every reasonable tool.
pub(crate) const MAX_ORDER_BYTES: usize = 64 * 1024;

/// The notation of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notation {
    /// RFC 8259.
    Json,
    /// TOML 1.0; the watched folder takes it as well.
    Toml,
}

/// Reads and checks an order.
///
/// # Errors
/// The [`Problem`] that names what is wrong; a parser's own message may repeat a label, so only its place is kept.
pub(crate) fn parse(bytes: &[u8], notation: Notation) -> Result<Order, Problem> {
    if bytes.len() > MAX_ORDER_BYTES {
        return Err(Code::OrderTooLarge.into());
    }
    let order = match notation {
        Notation::Json => serde_json::from_slice::<Order>(bytes).map_err(|error| {
            let place = json!({ "line": error.line(), "column": error.column() });
            Problem::with(shape_code(&error.to_string()), place)
        })?,
        Notation::Toml => {
            let text = std::str::from_utf8(bytes).map_err(|_ignored| Code::OrderMalformed)?;
            toml::from_str::<Order>(text).map_err(|error| {
                let start = error.span().map_or(0, |span| span.start);
                let line = text.get(..start).unwrap_or_default().matches('\n').count();
                let place = json!({ "line": line.saturating_add(1) });
                Problem::with(shape_code(error.message()), place)
            })?
        }
    };
    order.check()?;
    Ok(order)
}

/// serde has no type for "unknown field"; its sentence begins so in every format.
fn shape_code(message: &str) -> Code {
    if message.starts_with("unknown field") {
        Code::OrderUnknownKey
    } else {
        Code::OrderMalformed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, notation: Notation, expect: Option<Code>) {
        let seen = parse(text.as_bytes(), notation)
            .err()
            .map(|problem| problem.code);
        assert_eq!(seen, expect, "{text}");
    }

    #[test]
    fn orders_are_taken_or_refused_by_code() {
        let with = |more: &str| {
            format!(r#"{{"version":1,"reference":"KK-1","service":"kk","machine":"desa-1"{more}}}"#)
        };
        check(&with(""), Notation::Json, None);
        check(
            &with(r#","copies":2"#),
            Notation::Json,
            Some(Code::OrderUnknownKey),
        );
        check(
            &with(r#","service":"kk""#),
            Notation::Json,
            Some(Code::OrderMalformed),
        );
        check(
            &with(r#","class":"own""#),
            Notation::Json,
            Some(Code::OrderOwnClass),
        );
        check(
            &with(r#","office":"kec-1""#),
            Notation::Json,
            Some(Code::OrderTarget),
        );
        check("[]", Notation::Json, Some(Code::OrderMalformed));
        check("", Notation::Json, Some(Code::OrderMalformed));
        check(
            &" ".repeat(MAX_ORDER_BYTES + 1),
            Notation::Json,
            Some(Code::OrderTooLarge),
        );
        let toml = "version = 1\nreference = \"KK-1\"\nservice = \"kk\"\nmachine = \"desa-1\"\n";
        check(toml, Notation::Toml, None);
        check(
            &format!("{toml}copies = 2\n"),
            Notation::Toml,
            Some(Code::OrderUnknownKey),
        );
        check(
            &format!("{toml}label = 3\n"),
            Notation::Toml,
            Some(Code::OrderMalformed),
        );
        check("version", Notation::Toml, Some(Code::OrderMalformed));
    }

    #[test]
    fn a_refusal_says_where_and_never_what() {
        let number = "9".repeat(16);
        for (text, notation) in [
            (format!(r#"{{"version":1,"{number}":1}}"#), Notation::Json),
            (
                format!(r#"{{"version":1,"reference":"{number}"}}"#),
                Notation::Json,
            ),
            (format!("version = 1\n\"{number}\" = 1\n"), Notation::Toml),
            (
                format!("version = 1\nservice = \"{number}\"\n"),
                Notation::Toml,
            ),
        ] {
            let problem = parse(text.as_bytes(), notation).unwrap_err();
            assert!(!problem.reason_text().contains(&number), "{problem:?}");
            assert!(problem.detail["line"].is_number());
        }
    }

    /// Some ten seconds without optimisation.
    const CASES: u64 = 60_000;

    #[test]
    fn fuzz_orders() {
        let json = br#"{"version":1,"reference":"KK-1","service":"kk","machine":"desa-1","release":"code","label":"SIPUT","not_after":"2026-12-01T08:00:00+07:00","reprint_of":{"job":"01890000-0000-7000-8000-000000000000","reason":"rusak"}}"#;
        let toml = b"version = 1\nreference = \"KK-1\"\nservice = \"kk\"\noffice = \"kec-1\"\nlabel = \"SIPUT\"\nnot_after = \"2026-12-01T08:00:00+07:00\"\n[reprint_of]\njob = \"01890000-0000-7000-8000-000000000000\"\nreason = \"rusak\"\n";
        assert!(parse(json, Notation::Json).is_ok() && parse(toml, Notation::Toml).is_ok());
        let (mut taken, mut refused) = (0_u64, 0_u64);
        loket_fuzz::fuzz("orders", CASES, &[json, toml], |bytes| {
            for notation in [Notation::Json, Notation::Toml] {
                match parse(bytes, notation) {
                    Ok(order) => {
                        taken += 1;
                        assert!(order.check().is_ok());
                    }
                    Err(problem) => {
                        refused += 1;
                        // The label is a person's: a refusal names its place at most.
                        assert!(!format!("{problem:?}").contains("SIPUT"));
                    }
                }
            }
        });
        assert!(taken > 0 && refused > 0, "control: {taken} and {refused}");
    }
}
