//! What may be told of a code: its place, its class, a keyed digest; never what it says.

use loket_wire::{Sha256Digest, Timestamp};
use serde::{Serialize, Serializer};

use crate::class::{Class, Judgement, classify};
use crate::compare::compare;
use crate::hosts::Hosts;
use crate::payload::{DigestKey, Payload};
use crate::read::Code;
use crate::rule::Rule;

/// Millimetres of an inch, times ten.
const TENTHS_OF_MM_PER_INCH: u64 = 254;

/// A page that codes were read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sheet {
    /// Its number in the document or bundle, from 1.
    pub page: u32,
    /// Pixels of an inch; `None` of a photograph.
    pub dpi: Option<u16>,
}

/// A rectangle of a page, in whole millimetres from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Region {
    /// From the left edge.
    pub left_mm: u32,
    /// From the upper edge.
    pub top_mm: u32,
    /// From left to right.
    pub width_mm: u32,
    /// From top to bottom.
    pub height_mm: u32,
}

/// One code, as it stands in `qr` of `loketd verify --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QrReport {
    /// On which page, from 1.
    pub page: u32,
    /// Where on it; `None` in a photograph.
    pub region: Option<Region>,
    /// What kind of thing the code holds.
    pub class: Class,
    /// The code of the rule that decided the class, for instance `Q-171`.
    #[serde(serialize_with = "as_id")]
    pub rule: Rule,
    /// The host of official and look-alike addresses alone.
    pub host: Option<String>,
    /// From when on the host rules count that this was judged by; RFC 3339 in text.
    #[serde(serialize_with = "as_rfc3339")]
    pub hosts_valid_from: Timestamp,
    /// HMAC-SHA-256 of the payload under the caller's key: two sightings of one code have the same.
    pub digest: Sha256Digest,
    /// Whether the document has the same code; `None` where it was not compared.
    pub matches_document: Option<bool>,
    /// All that was found, with words for officers.
    pub findings: Vec<Rule>,
}

/// Tells of each code of a page what may be told.
///
/// `of_document`: the payloads of the document that the page is said to be, where it is to be compared.
#[must_use]
pub fn reports(
    codes: &[Code],
    sheet: Sheet,
    hosts: &Hosts,
    key: &DigestKey,
    of_document: Option<&[&Payload]>,
) -> Vec<QrReport> {
    let payloads: Vec<&Payload> = codes.iter().map(|code| &code.payload).collect();
    let matches = of_document.map(|document| compare(&payloads, document).matches);
    let of_code = |(at, code): (usize, &Code)| {
        let Judgement {
            class,
            rule,
            mut findings,
            host,
        } = judge(code, hosts);
        let matches_document = matches.as_ref().and_then(|all| all.get(at).copied());
        findings.extend(matches_document.map(|same| match (same, of_document) {
            (true, _) => Rule::OfDocument,
            (false, Some([])) => Rule::DocumentWithout,
            (false, _) => Rule::NotOfDocument,
        }));
        QrReport {
            page: sheet.page,
            region: sheet.dpi.map(|dpi| region(code, dpi)),
            class,
            rule,
            host,
            hosts_valid_from: hosts.valid_from,
            digest: code.payload.digest(key),
            matches_document,
            findings,
        }
    };
    codes.iter().enumerate().map(of_code).collect()
}

/// The class of a code: what its payload says, unless the code itself is no whole message.
#[must_use]
pub fn judge(code: &Code, hosts: &Hosts) -> Judgement {
    let rule = match (code.is_part, code.is_trade) {
        (true, _) => Rule::Part,
        (false, true) => Rule::TradeData,
        (false, false) => return classify(code.payload.as_bytes(), hosts),
    };
    Judgement {
        class: Class::Part,
        rule,
        findings: vec![rule],
        host: None,
    }
}

fn region(code: &Code, dpi: u16) -> Region {
    let area = code.area;
    let mm = |pixels: u32| {
        let tenths = u64::from(pixels).saturating_mul(TENTHS_OF_MM_PER_INCH);
        let mm = tenths.checked_div(u64::from(dpi).saturating_mul(10));
        u32::try_from(mm.unwrap_or_default()).unwrap_or(u32::MAX)
    };
    Region {
        left_mm: mm(area.left),
        top_mm: mm(area.top),
        width_mm: mm(area.width),
        height_mm: mm(area.height),
    }
}

fn as_id<S: Serializer>(rule: &Rule, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(rule.id())
}

fn as_rfc3339<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(moment)
}

#[cfg(test)]
mod tests {
    use loket_wire::{HostRules, OfficialHost};

    use super::*;
    use crate::read::CodeArea;

    fn hosts() -> Hosts {
        let official = vec![OfficialHost {
            host: "kk.contoh.invalid".to_owned(),
            sub_domains: false,
        }];
        let rules = HostRules {
            valid_from: Timestamp::from_unix_ms(1_767_200_400_000),
            official,
            words: Vec::new(),
            reserved: Vec::new(),
        };
        Hosts::new(&rules).unwrap()
    }

    fn code(text: &str) -> Code {
        Code {
            payload: Payload::of(text.as_bytes()),
            area: CodeArea {
                left: 2_000,
                top: 1_000,
                width: 173,
                height: 174,
            },
            is_part: false,
            is_trade: false,
        }
    }

    const SHEET: Sheet = Sheet {
        page: 1,
        dpi: Some(200),
    };

    #[test]
    fn a_report_says_where_and_what_and_keeps_the_token_to_itself() {
        let key = DigestKey::from_bytes([1; 32]);
        let codes = [code("https://kk.contoh.invalid/RAHASIA")];
        let of_document = Payload::of(b"https://kk.contoh.invalid/RAHASIA");
        let reports = reports(&codes, SHEET, &hosts(), &key, Some(&[&of_document]));
        let json = serde_json::to_string(&reports).unwrap();
        assert!(!json.contains("RAHASIA"), "{json}");
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json[0]["class"], "official_host");
        assert_eq!(json[0]["rule"], "Q-171");
        assert_eq!(json[0]["host"], "kk.contoh.invalid");
        assert_eq!(json[0]["hosts_valid_from"], "2025-12-31T17:00:00Z");
        assert_eq!(json[0]["matches_document"], true);
        assert_eq!(json[0]["region"]["left_mm"], 254);
        assert_eq!(json[0]["region"]["width_mm"], 21);
        assert_eq!(json[0]["findings"][0]["code"], "Q-171");
        assert_eq!(json[0]["findings"][1]["code"], "Q-201");
        assert_eq!(json[0]["digest"].as_str().map(str::len), Some(64));
    }

    #[test]
    fn a_code_beside_the_documents_own_is_told() {
        let key = DigestKey::from_bytes([1; 32]);
        let codes = [
            code("https://kk.contoh.invalid/a"),
            code("https://192.0.2.7/"),
        ];
        let own = Payload::of(b"https://kk.contoh.invalid/a");
        let check =
            |of_document: Option<&[&Payload]>, expect: [Option<bool>; 2], rule: Option<Rule>| {
                let reports = reports(&codes, SHEET, &hosts(), &key, of_document);
                let matches: Vec<_> = reports.iter().map(|it| it.matches_document).collect();
                assert_eq!(matches, expect);
                assert_eq!(reports[1].findings.get(1).copied(), rule);
            };
        check(
            Some(&[&own]),
            [Some(true), Some(false)],
            Some(Rule::NotOfDocument),
        );
        check(
            Some(&[]),
            [Some(false), Some(false)],
            Some(Rule::DocumentWithout),
        );
        check(None, [None, None], None);
    }

    #[test]
    fn a_part_of_a_message_is_never_official() {
        let whole = code("https://kk.contoh.invalid/a");
        assert_eq!(judge(&whole, &hosts()).class, Class::OfficialHost);
        let part = Code {
            is_part: true,
            ..whole.clone()
        };
        assert_eq!(judge(&part, &hosts()).rule, Rule::Part);
        let trade = Code {
            is_trade: true,
            ..whole
        };
        assert_eq!(judge(&trade, &hosts()).rule, Rule::TradeData);
    }
}
