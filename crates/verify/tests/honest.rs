//! Every honest file under `tests/fixtures/originals` is judged as this table says; none is refused without a rule.
#![expect(
    clippy::unwrap_used,
    reason = "a fixture that cannot be read fails the test"
)]

use loket_verify::{Policy, Trust, Verdict, check};
use loket_wire::{Sha256Digest, Timestamp};

macro_rules! fixture {
    ($name:expr) => {
        include_bytes!(concat!("../../../tests/fixtures/", $name)).as_slice()
    };
}

/// A file, what it is judged, what is found, and why it is refused where it is.
struct Honest {
    name: &'static str,
    document: &'static [u8],
    verdict: Verdict,
    codes: &'static [&'static str],
    why_refused: &'static str,
}

macro_rules! honest {
    ($($name:literal $verdict:ident [$($code:literal)*] $why:literal;)+) => {
        &[$(Honest {
            name: $name,
            document: fixture!(concat!("originals/", $name, ".pdf")),
            verdict: Verdict::$verdict,
            codes: &[$($code),*],
            why_refused: $why,
        },)+]
    };
}

// V-421: no office's signers are configured. V-501: no time stamp. V-640: the standard fonts are not in the file.
static TABLE: &[Honest] = honest! {
    "endesive-bb-table" Valid ["V-421" "V-501" "V-640"] "";
    "endesive-certified-table" Valid ["V-421" "V-501" "V-640"] "";
    "endesive-visible-table" Valid ["V-421" "V-501" "V-640"] "";
    "itext2-bb-stream" Valid ["V-421" "V-501" "V-640"] "";
    "itext2-bb-table" Valid ["V-421" "V-501" "V-640"] "";
    "itext5-bb-stream" Valid ["V-421" "V-501" "V-640"] "";
    "itext5-bb-table" Valid ["V-421" "V-501" "V-640"] "";
    "itext5-visible-table" Valid ["V-421" "V-501" "V-640"] "";
    "libreoffice-archive-bb-table" Valid ["V-421" "V-501"] "";
    "libreoffice-bb-stream" Invalid ["V-113"] "its update holds the file's head where a page should stand: it takes the place of an object in an object stream for one in the file";
    "libreoffice-bb-table" Valid ["V-421" "V-501" "V-640"] "";
    "libreoffice-written-bb-table" Valid ["V-421" "V-501"] "";
    "pdfbox-bb-stream" Valid ["V-421" "V-501" "V-640"] "";
    "pdfbox-bb-table" Valid ["V-421" "V-501" "V-640"] "";
    "pdfbox-twice-stream" Indeterminate ["V-421" "V-501" "V-616" "V-640"] "a second signature changes the document as the office signed it";
    "pdfbox-twice-table" Indeterminate ["V-421" "V-501" "V-616" "V-640"] "a second signature changes the document as the office signed it";
    "podofo-bb-table" Invalid ["V-301" "V-640"] "its container holds two entries of signers, and PAdES baseline asks for one";
    "pyhanko-bb-stream" Valid ["V-421" "V-501" "V-640"] "";
    "pyhanko-bb-table" Valid ["V-421" "V-501" "V-640"] "";
    "pyhanko-bt-stream" Valid ["V-421" "V-640"] "";
    "pyhanko-bt-table" Valid ["V-421" "V-640"] "";
    "pyhanko-expired-bb-table" Indeterminate ["V-421" "V-436" "V-501" "V-640"] "the certificate has ended and nothing proves that the signature is older";
    "pyhanko-expired-bt-table" Valid ["V-421" "V-640"] "";
    "pyhanko-expired-lt-stream" Valid ["V-421" "V-640"] "";
    "pyhanko-expired-lt-table" Valid ["V-421" "V-640"] "";
    "pyhanko-expired-lta-table" Valid ["V-421" "V-640"] "";
    "pyhanko-expired-ocsp-lt-table" Valid ["V-421" "V-640"] "";
    "pyhanko-hybrid-bb-table" Valid ["V-421" "V-501" "V-640"] "";
    "pyhanko-hybrid-one-bb-table" Valid ["V-421" "V-501" "V-640"] "";
    "pyhanko-hybrid-word-lt-table" Valid ["V-421" "V-640"] "";
    "pyhanko-lt-stream" Valid ["V-421" "V-640"] "";
    "pyhanko-lt-table" Valid ["V-421" "V-640"] "";
    "pyhanko-lta-stream" Valid ["V-421" "V-640"] "";
    "pyhanko-lta-table" Valid ["V-421" "V-640"] "";
    "pyhanko-ocsp-lt-table" Valid ["V-421" "V-640"] "";
    "pyhanko-p1-bt-stream" Valid ["V-421" "V-640"] "";
    "pyhanko-p1-bt-table" Valid ["V-421" "V-640"] "";
    "pyhanko-p1-lta-stream" Valid ["V-421" "V-640"] "";
    "pyhanko-p1-lta-table" Valid ["V-421" "V-640"] "";
    "pyhanko-p2-bt-stream" Valid ["V-421" "V-640"] "";
    "pyhanko-p2-bt-table" Valid ["V-421" "V-640"] "";
    "pyhanko-p2-lta-stream" Valid ["V-421" "V-640"] "";
    "pyhanko-p2-lta-table" Valid ["V-421" "V-640"] "";
    "pyhanko-p256-lt-table" Valid ["V-421" "V-618" "V-640"] "";
    "pyhanko-p256-sha512-lt-table" Valid ["V-421" "V-618" "V-640"] "";
    "pyhanko-p3-bt-stream" Valid ["V-421" "V-640"] "";
    "pyhanko-p3-bt-table" Valid ["V-421" "V-640"] "";
    "pyhanko-p3-lta-stream" Valid ["V-421" "V-640"] "";
    "pyhanko-p3-lta-table" Valid ["V-421" "V-640"] "";
    "pyhanko-p384-lt-table" Valid ["V-421" "V-618" "V-640"] "";
    "pyhanko-p384-sha512-lt-table" Valid ["V-421" "V-618" "V-640"] "";
    "pyhanko-pss-lt-table" Valid ["V-421" "V-640"] "";
    "pyhanko-renewed-stream" Valid ["V-421" "V-640"] "";
    "pyhanko-renewed-table" Valid ["V-421" "V-640"] "";
    "pyhanko-sha512-lt-table" Valid ["V-421" "V-640"] "";
    "pyhanko-twice-stream" Indeterminate ["V-421" "V-616" "V-640"] "a second signature changes the document as the office signed it";
    "pyhanko-twice-table" Indeterminate ["V-421" "V-616" "V-640"] "a second signature changes the document as the office signed it";
    "pyhanko-visible-lt-stream" Valid ["V-421" "V-640"] "";
    "pyhanko-visible-lt-table" Valid ["V-421" "V-640"] "";
    "signpdf-cades-table" Invalid ["V-304" "V-640"] "no ESS signing certificate among the signed attributes, which PAdES baseline wants";
    "signpdf-pkcs7-table" Invalid ["V-304" "V-640"] "no ESS signing certificate among the signed attributes, which PAdES baseline wants";
};

fn trust() -> Trust {
    Trust::from_files([
        fixture!("trust/root.pem"),
        fixture!("trust/issuing.pem"),
        fixture!("trust/root.crl.pem"),
        fixture!("trust/issuing.crl"),
    ])
    .unwrap()
}

#[test]
fn no_honest_file_is_refused_without_a_rule() {
    let at = Timestamp::parse_rfc3339("2026-11-22T00:00:00Z").unwrap();
    for honest in TABLE {
        let report = check(honest.document, &trust(), &Policy::default(), at);
        let of_signatures = report
            .signatures
            .iter()
            .flat_map(|signature| &signature.findings);
        let mut codes: Vec<&str> = of_signatures
            .chain(&report.findings)
            .map(|finding| finding.code.id())
            .collect();
        codes.sort_unstable();
        codes.dedup();
        let found = (report.verdict, codes.as_slice());
        assert_eq!(found, (honest.verdict, honest.codes), "{}", honest.name);
        let is_refused = report.verdict != Verdict::Valid;
        assert_eq!(
            is_refused,
            !honest.why_refused.is_empty(),
            "{}",
            honest.name
        );
        if let Some(revision) = report.revision {
            let end = usize::try_from(revision.size_bytes).unwrap();
            let signed = honest.document.get(..end).unwrap();
            assert_eq!(revision.sha256, Sha256Digest::of(signed), "{}", honest.name);
            assert_eq!(revision.page_count, 2, "{}", honest.name);
        }
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the folder says which files there are"
)]
fn every_original_stands_in_the_table() {
    let folder = std::fs::read_dir("../../tests/fixtures/originals").unwrap();
    for file in folder {
        let name = file.unwrap().file_name().into_string().unwrap();
        let Some(name) = name.strip_suffix(".pdf") else {
            continue;
        };
        let stands = TABLE.iter().any(|honest| honest.name == name);
        assert!(stands || name.starts_with("unsigned"), "{name}");
    }
}
