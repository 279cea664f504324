//! What honest programs write is read: no rule of the scanner refuses it.
#![expect(
    clippy::unwrap_used,
    reason = "a fixture that is not as expected fails the test"
)]

use loket_verify::{Code, Policy, Report, Trust, Verdict, check};
use loket_wire::Timestamp;

macro_rules! producers {
    ($($name:literal)+) => {
        [$(($name, include_bytes!(concat!("../../../tests/fixtures/producers/", $name, ".pdf")).as_slice()),)+]
    };
}

static PRODUCERS: &[(&str, &[u8])] = &producers! {
    "cairo" "chromium" "fpdf2" "ghostscript" "libreoffice" "mupdf" "mupdf-object-streams"
    "mupdf-update-of-mupdf" "mupdf-update-of-mupdf-object-streams" "mupdf-update-of-qpdf-linearized"
    "pdf-lib-of-libreoffice" "pdf-lib-of-reportlab" "pdfbox" "pdfbox-update" "pikepdf" "pikepdf-streams"
    "pyhanko-update-of-qpdf-linearized" "pyhanko-update-of-qpdf-linearized-object-streams"
    "pyhanko-update-of-qpdf-object-streams" "pyhanko-update-of-reportlab" "pypdf"
    "pypdf-update-of-qpdf-linearized-object-streams" "pypdf-update-of-qpdf-object-streams"
    "pypdf-update-of-reportlab" "qpdf" "qpdf-linearized" "qpdf-linearized-object-streams"
    "qpdf-object-streams" "qpdf-old" "qpdf-qdf" "reportlab" "reportlab-compressed" "signpdf"
};

fn judge(document: &[u8]) -> Report {
    let trust = Trust::from_files([]).unwrap();
    let at = Timestamp::parse_rfc3339("2026-11-26T00:00:00Z").unwrap();
    check(document, &trust, &Policy::default(), at)
}

/// Findings about the structure of the file.
fn structural(report: &Report) -> Vec<Code> {
    let signatures = report.signatures.iter();
    let findings = signatures.flat_map(|signature| signature.findings.iter());
    let findings = findings.chain(report.findings.iter());
    let codes = findings.map(|finding| finding.code);
    codes.filter(|code| code.id() < "V-2").collect()
}

#[test]
fn no_file_of_an_honest_producer_is_refused_for_its_structure() {
    for (name, document) in PRODUCERS {
        let report = judge(document);
        assert_eq!(structural(&report), [], "{name}");
        // Not one of them is signed; some have an empty field for a signature.
        assert_eq!(report.verdict, Verdict::Invalid, "{name}: {report:?}");
    }
}

#[test]
fn a_producers_file_with_bytes_behind_or_in_front_is_refused() {
    for (name, document) in PRODUCERS {
        let behind = judge(&[document, b"9 0 obj".as_slice()].concat());
        assert_eq!(structural(&behind), [Code::Stray], "{name}");
        let front = judge(&[b"\n", *document].concat());
        assert_eq!(structural(&front), [Code::NotPdf], "{name}");
    }
}

/// What honest programs write against the rule, and what is said of it (docs/adr/0030).
#[test]
fn what_pdfunite_writes_against_the_rule_is_refused_by_its_name() {
    let document = include_bytes!("../../../tests/fixtures/producers/poppler-pdfunite.pdf");
    assert_eq!(structural(&judge(document)), [Code::SizeWrong]);
}
