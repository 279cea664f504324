//! The inspector as those who ask it start it: what it answers, and that its limits end it.
#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails ends its test, as the test itself would"
)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use loket_inspection::{
    EXIT_NO_DOCUMENT, EXIT_NO_TRUST, EXIT_TOO_LARGE, Fault, Held, Inspector, Judgement, Limits,
    MAX_RASTER_BYTES, Question, RASTER_LIMITS, Read, SheetVerdict, Verdict, Work, answer, ask,
};
use loket_paper::print::{self, Back, Colour, Form, Paper, Setup, Sides};
use loket_paper::raster;
use loket_verify::Trust;
use loket_wire::{
    JobId, MatchRecord, RasterColours, RasterFormat, RasterSetup, Sha256Digest, Timestamp,
};

/// A deadline that ends a hung test; nothing is measured by it.
const DEADLINE: Duration = Duration::from_secs(60);

const ENOUGH: Limits = Limits {
    memory_bytes: 448 * 1024 * 1024,
    cpu_s: 20,
};

/// What the card is printed by.
const CARD: &str = "kk-embedded-bb.pdf";

const AT: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    std::fs::read(folder.join(name)).unwrap()
}

fn inspector() -> Inspector {
    Inspector::at(&PathBuf::from(env!("CARGO_BIN_EXE_loket-inspector")))
}

async fn asked(work: Work, limits: Limits, parts: &[&[u8]]) -> Result<Vec<u8>, Fault> {
    let question = Question {
        work,
        limits,
        parts,
        within: DEADLINE,
        max_answer_bytes: MAX_RASTER_BYTES,
    };
    ask(&inspector(), question)
        .await
        .map(|bytes| bytes.to_vec())
}

fn trust() -> Vec<u8> {
    let files = ["trust/root.pem", "trust/issuing.pem"].map(fixture);
    Trust::from_files(files.iter().map(Vec::as_slice))
        .unwrap()
        .carry()
}

fn record() -> Work {
    Work::Record {
        job: JobId::from_parts(1, [1; 10]),
        page_count: 1,
        made_at: AT,
    }
}

const JUDGE: Work = Work::Judge {
    at: AT,
    or_paper: true,
};

const BRIEF: &[u8] = br#"{"policy":{}}"#;

/// Whether it was ended by its limits: by a signal, or by itself where memory ran out, without a word.
fn is_ended(fault: &Fault) -> bool {
    let is_ended = matches!(fault, Fault::TookTooLong | Fault::Ended { .. });
    is_ended && !fault.is_exit(EXIT_NO_DOCUMENT)
}

#[tokio::test]
async fn a_document_is_judged_and_what_is_none_is_told() {
    let document = fixture("kk-sample-bb.pdf");
    let judged = asked(JUDGE, ENOUGH, &[BRIEF, &trust(), &document]).await;
    let Judgement::Document(judged) = answer(&judged.unwrap()).unwrap() else {
        panic!("a document");
    };
    assert_eq!(judged.verdict, Verdict::Valid);
    let revision = judged.revision.unwrap();
    assert_eq!(revision.sha256, Sha256Digest::of(&document));
    let nobody = asked(JUDGE, ENOUGH, &[BRIEF, b"", &document]).await;
    let Judgement::Document(judged) = answer(&nobody.unwrap()).unwrap() else {
        panic!("a document");
    };
    assert_eq!(judged.verdict, Verdict::Indeterminate);

    let archive = asked(JUDGE, ENOUGH, &[BRIEF, &trust(), b"PK\x03\x04"]).await;
    assert!(archive.unwrap_err().is_exit(EXIT_NO_DOCUMENT));
    let bent = asked(JUDGE, ENOUGH, &[BRIEF, b"bent", &document]).await;
    assert!(bent.unwrap_err().is_exit(EXIT_NO_TRUST));
    // Who takes documents alone hears from the verifier what is wrong.
    let work = Work::Judge {
        at: AT,
        or_paper: false,
    };
    let archive = asked(work, ENOUGH, &[BRIEF, &trust(), b"PK\x03\x04"]).await;
    let Judgement::Document(judged) = answer(&archive.unwrap()).unwrap() else {
        panic!("no document");
    };
    assert!(judged.verdict == Verdict::Invalid && !judged.codes().is_empty());
}

#[tokio::test]
async fn a_question_that_is_none_is_not_answered() {
    for parts in [&[BRIEF][..], &[b"{", b"", b""], &[]] {
        let ended = asked(JUDGE, ENOUGH, parts).await.unwrap_err();
        assert!(ended.is_exit(64), "{ended:?}");
    }
    let long = vec![0; 40 * 1024 * 1024];
    let ended = asked(JUDGE, ENOUGH, &[BRIEF, &long, b""]).await;
    assert!(ended.unwrap_err().is_exit(64));
}

#[tokio::test]
async fn a_sheet_is_found_by_its_code_and_held_against_its_record() {
    let card = fixture(CARD);
    let encoded = asked(record(), ENOUGH, &[&card]).await.unwrap();
    assert_eq!(MatchRecord::decode(&encoded).unwrap().made_at, AT);
    let page = raster::render(&card, 0, 200).unwrap();
    let scan = raster::png(&page).unwrap();
    let work = Work::Codes { page: None };
    let codes: Read<Vec<Sha256Digest>> =
        answer(&asked(work, ENOUGH, &[&scan]).await.unwrap()).unwrap();
    assert!(matches!(codes, Read::Told(codes) if codes.len() == 1));
    let blank = raster::png(&raster::Gray {
        pixels: vec![255; page.pixels.len()],
        ..page
    });
    for pictures in [true, false] {
        let work = Work::Compare {
            page: Some(1),
            pictures,
        };
        let parts = [blank.as_deref().unwrap(), &encoded, &encoded];
        let held: Read<Held> = answer(&asked(work, ENOUGH, &parts).await.unwrap()).unwrap();
        let Read::Told(held) = held else {
            panic!("{held:?}");
        };
        assert_eq!(held.verdict, SheetVerdict::CannotTell);
        assert_eq!(held.code.as_deref(), Some("R-401"));
        assert_eq!(held.pictures.is_some(), pictures);
    }
}

const fn drawn(format: RasterFormat, colours: RasterColours, resolution_dpi: u16) -> Work {
    Work::Raster {
        setup: RasterSetup {
            format,
            colours,
            resolution_dpi,
            coarser_dpi: None,
        },
    }
}

#[tokio::test]
async fn a_card_is_drawn_for_a_printer_in_less_than_64_mib_the_program_included() {
    let card = fixture(CARD);
    let work = drawn(RasterFormat::Pwg, RasterColours::Gray, 600);
    // Address space: what a process has in memory is less.
    let limits = Limits {
        memory_bytes: 64 * 1024 * 1024,
        ..RASTER_LIMITS
    };
    let seen = asked(work, limits, &[&card]).await.unwrap();
    let setup = Setup {
        form: Form::Pwg,
        colour: Colour::Gray,
        dpi: 600,
        paper: Paper::A4,
        sides: Sides::One,
        back: Back::Normal,
    };
    let mut expected = Vec::new();
    print::write(&card, &setup, u64::MAX, &mut expected).unwrap();
    assert!(seen == expected, "{} bytes", seen.len());

    let work = drawn(RasterFormat::Urf, RasterColours::Rgb, 300);
    let seen = asked(work, RASTER_LIMITS, &[&card]).await.unwrap();
    assert!(seen.starts_with(b"UNIRAST\0\0\0\0\x01\x18\x01"));
}

#[tokio::test]
async fn what_cannot_be_drawn_for_a_printer_or_is_too_much_is_told_apart() {
    let exit = async |resolution_dpi, document: &[u8]| {
        let work = drawn(RasterFormat::Pwg, RasterColours::Rgb, resolution_dpi);
        asked(work, RASTER_LIMITS, &[document]).await.unwrap_err()
    };
    let card = fixture(CARD);
    assert!(exit(300, b"no document").await.is_exit(EXIT_NO_DOCUMENT));
    assert!(exit(1_200, &card).await.is_exit(EXIT_NO_DOCUMENT));
    let noise = exit(600, &noisy_pdf()).await;
    assert!(noise.is_exit(EXIT_TOO_LARGE), "{noise:?}");
    let endless = exit(36, &endless_pdf()).await;
    assert!(is_ended(&endless), "{endless:?}");
}

/// A page of A4 that is one picture without two dots alike beside each other.
fn noisy_pdf() -> Vec<u8> {
    let (width, height) = (1_240, 1_754);
    let mut noise = 1_u32;
    let pixels = (0..width * height).map(|_at| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.to_be_bytes()[0]
    });
    let mut body = format!(
        "%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
        2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
        3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</XObject<</X 5 0 R>>>>/Contents 4 0 R>>endobj\n\
        4 0 obj<</Length 27>>stream\n595 0 0 842 0 0 cm /X Do\n\n\nendstream endobj\n\
        5 0 obj<</Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceGray/BitsPerComponent 8/Interpolate true/Length {}>>stream\n",
        width * height
    )
    .into_bytes();
    body.extend(pixels);
    body.extend_from_slice(b"\nendstream endobj\ntrailer<</Root 1 0 R/Size 6>>\n%%EOF\n");
    body
}

#[tokio::test]
async fn it_ends_when_its_time_or_its_memory_is_used_up() {
    let little = Limits {
        memory_bytes: 16_000_000,
        ..ENOUGH
    };
    let short = Limits { cpu_s: 1, ..ENOUGH };
    let none = Limits { cpu_s: 0, ..ENOUGH };
    let card = fixture(CARD);
    let large = [card.as_slice(), &[b'\n'; 6 * 1024 * 1024]].concat();
    for limits in [little, none] {
        let ended = asked(JUDGE, limits, &[BRIEF, b"", &large]).await;
        assert!(is_ended(ended.as_ref().unwrap_err()), "{ended:?}");
        let ended = asked(record(), limits, &[&large]).await;
        assert!(is_ended(ended.as_ref().unwrap_err()), "{ended:?}");
    }
    let endless = endless_pdf();
    let ended = asked(Work::Codes { page: None }, short, &[&endless]).await;
    assert!(is_ended(ended.as_ref().unwrap_err()), "{ended:?}");
    // A page that asks whatever draws it for more memory than there is.
    let greedy = fixture("kk-greedy-bb.pdf");
    let ended = asked(record(), ENOUGH, &[&greedy]).await;
    assert!(ended.is_err(), "{ended:?}");
}

/// A PDF whose page is a pattern of itself, deep and wide.
fn endless_pdf() -> Vec<u8> {
    let mut body = b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
        2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
        3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</XObject<</X 5 0 R>>>>/Contents 4 0 R>>endobj\n"
        .to_vec();
    let content = "/X Do\n".repeat(200);
    body.extend(
        format!(
            "4 0 obj<</Length {}>>stream\n{content}\nendstream endobj\n",
            content.len()
        )
        .bytes(),
    );
    for at in 5..45 {
        let inner = format!("/Y Do /Y Do /Y Do /Y Do 0 0 500 {at} re f\n");
        let next = at + 1;
        body.extend(
            format!(
                "{at} 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</XObject<</Y {next} 0 R>>>>/Length {}>>stream\n{inner}\nendstream endobj\n",
                inner.len()
            )
            .bytes(),
        );
    }
    body.extend_from_slice(b"trailer<</Root 1 0 R/Size 50>>\n%%EOF\n");
    body
}
