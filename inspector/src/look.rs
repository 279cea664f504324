//! Looks at pages instead of reading them: which QR codes stand there, and what somebody changed on one.

use data_encoding::BASE64;
use loket_inspection::{Brief, Compared, Document, Judgement, Leads, Paper, Qr};
use loket_paper::raster::{self, Gray};
use loket_qr::{Class, DigestKey, Effort, Hosts, QrReport, Sheet};
use loket_verify::{Changes, Report, Trust};
use loket_wire::{HostRules, Timestamp};
use ring::rand::SecureRandom as _;

use crate::Exit;
use crate::judge::{Kind, kind};

/// Pages whose codes are read: a family card has one, and each takes a tenth of a second on an old PC.
const MAX_PAGES: u32 = 4;

/// Fine enough for a code of 15 mm.
const CODE_DPI: u16 = 200;

/// Two pages side by side on an officer's screen.
const SCREEN_DPI: u16 = 80;

/// Pages that are compared until one differs.
const MAX_COMPARED_PAGES: u32 = 10;

/// A picture of a page beyond this is none of a form: it would only fill the answer.
const MAX_PICTURE_BYTES: usize = 1_250_000;

/// Looks at what was brought; what changed after signing is told without trusting anybody.
pub(crate) fn look(
    document: &[u8],
    brief: &Brief,
    at: Timestamp,
    officer: bool,
) -> Result<Judgement, Exit> {
    let hosts = brief.hosts.as_ref();
    Ok(match kind(document).ok_or(Exit::NoDocument)? {
        Kind::Pdf => {
            let report = loket_verify::check(document, &Trust::default(), &brief.policy, at);
            Judgement::Document(Document {
                is_looked_at: true,
                qr: of_pages(document, hosts),
                compared: officer.then(|| compare(document, &report)).flatten(),
                ..Document::of(&report, at)
            })
        }
        Kind::Picture => Judgement::Paper(of_picture(document, hosts)),
    })
}

/// The codes on a photograph or scan.
fn of_picture(picture: &[u8], hosts: Option<&HostRules>) -> Paper {
    let Some(rules) = Rules::of(hosts) else {
        return Paper::default();
    };
    let read = raster::image(picture)
        .ok()
        .and_then(|gray| rules.codes(&gray, 1, Effort::Photograph));
    Paper {
        is_read: read.is_some(),
        qr: read.unwrap_or_default().iter().map(qr).collect(),
    }
}

/// The codes on the pages of a document; nothing where none could be looked at.
fn of_pages(document: &[u8], hosts: Option<&HostRules>) -> Vec<Qr> {
    let (Some(rules), Ok(pages)) = (Rules::of(hosts), raster::page_count(document)) else {
        return Vec::new();
    };
    let look = |page: u32| {
        let gray = raster::render(document, page, CODE_DPI).ok()?;
        rules.codes(&gray, page.saturating_add(1), Effort::Page)
    };
    let found = (0..pages.min(MAX_PAGES)).filter_map(look).flatten();
    found.map(|report| qr(&report)).collect()
}

/// The first page that looks another way than the office signed it, both ways; of a document that was changed alone.
fn compare(document: &[u8], report: &Report) -> Option<Compared> {
    let changed = report.signatures.iter();
    let mut changed = changed.filter(|signature| signature.changes == Changes::Altered);
    let after: usize = changed
        .next()?
        .revisions
        .iter()
        .fold(0, |sum, revision| sum.saturating_add(revision.size_bytes));
    let signed = document.get(..document.len().checked_sub(after)?)?;
    // Bytes that belong to no revision would move the cut: no picture is better than one of something else.
    if after == 0 || !signed.trim_ascii_end().ends_with(b"%%EOF") {
        return None;
    }
    let pages = raster::page_count(signed).ok()?.min(MAX_COMPARED_PAGES);
    let pair = |page: u32| {
        let signed = raster::render_colour(signed, page, SCREEN_DPI).ok()?;
        let whole = raster::render_colour(document, page, SCREEN_DPI).ok()?;
        Some((page, signed, whole))
    };
    let differs = |signed: &raster::Rgb, whole: &raster::Rgb| {
        signed.width != whole.width || signed.pixels != whole.pixels
    };
    let mut pairs = (0..pages).filter_map(pair);
    let (page, signed, whole) = pairs
        .find(|(_page, signed, whole)| differs(signed, whole))
        .or_else(|| pair(0))?;
    let png = |rgb: &raster::Rgb| {
        let png = raster::png_colour(rgb).ok()?;
        (png.len() <= MAX_PICTURE_BYTES).then(|| BASE64.encode(&png))
    };
    Some(Compared {
        page: page.saturating_add(1),
        differs: differs(&signed, &whole),
        signed: png(&signed)?,
        whole: png(&whole)?,
    })
}

struct Rules {
    hosts: Hosts,
    key: DigestKey,
}

impl Rules {
    fn of(hosts: Option<&HostRules>) -> Option<Self> {
        // Nobody compares these digests with any of another process.
        let mut key = [0; 32];
        ring::rand::SystemRandom::new().fill(&mut key).ok()?;
        Some(Self {
            hosts: Hosts::new(hosts?).ok()?,
            key: DigestKey::from_bytes(key),
        })
    }

    /// The codes on one page; nothing where it cannot be looked at.
    fn codes(&self, gray: &Gray, page: u32, effort: Effort) -> Option<Vec<QrReport>> {
        let reading = loket_qr::read(gray.width, gray.height, &gray.pixels, effort).ok()?;
        let sheet = Sheet {
            page,
            dpi: gray.dpi,
        };
        Some(loket_qr::reports(
            &reading.codes,
            sheet,
            &self.hosts,
            &self.key,
            None,
        ))
    }
}

/// What crosses to the pages.
fn qr(report: &QrReport) -> Qr {
    Qr {
        leads: match report.class {
            Class::OfficialHost => Leads::Official,
            Class::OtherHost
            | Class::LookAlike
            | Class::RawIp
            | Class::Idn
            | Class::UserInfo
            | Class::OtherScheme => Leads::Elsewhere,
            Class::NotAUrl | Class::Empty | Class::TooLong | Class::Binary | Class::Part => {
                Leads::Nowhere
            }
        },
        rule: report.rule.id().to_owned(),
        sentence: report.rule.sentence().to_owned(),
        host: report.host.clone(),
        hosts_valid_from: report.hosts_valid_from,
        page: report.page,
        told: serde_json::to_value(report).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[u8] = include_bytes!("../../tests/fixtures/kk-sample-bb.pdf");

    fn hosts() -> HostRules {
        loket_trust_folder::parse_hosts(include_bytes!("../../crates/qr/hosts.toml")).unwrap()
    }

    #[test]
    fn the_code_of_a_document_is_read_from_its_page_and_told_with_the_day_of_the_rules() {
        let hosts = hosts();
        let codes = of_pages(SAMPLE, Some(&hosts));
        assert_eq!(codes.len(), 1, "{codes:?}");
        assert_eq!(codes[0].page, 1);
        assert_eq!(codes[0].hosts_valid_from, hosts.valid_from);
        assert!(of_pages(SAMPLE, None).is_empty());
    }

    #[test]
    fn paper_that_was_photographed_has_the_same_code() {
        let page = raster::render_colour(SAMPLE, 0, CODE_DPI).unwrap();
        let paper = of_picture(&raster::png_colour(&page).unwrap(), Some(&hosts()));
        assert!(paper.is_read);
        assert_eq!(paper.qr.len(), 1);
        assert_eq!(
            of_picture(b"\x89PNG\r\n\x1a\n", Some(&hosts())),
            Paper::default()
        );
    }
}
