use loket_paper::fingerprint;
use loket_wire::RecordPage;

use super::*;

/// A card that brings its fonts along.
const CARD: &[u8] = include_bytes!("../../../tests/fixtures/kk-embedded-bb.pdf");

/// The card with one digit of its number changed: its content stands in clear.
fn forged() -> Vec<u8> {
    let mut forged = CARD.to_vec();
    let number = b"(No. 9971";
    let at = forged.windows(number.len()).position(|it| it == number);
    let at = at.unwrap() + number.len() + 3;
    forged[at] = if forged[at] == b'8' { b'3' } else { b'8' };
    forged
}

/// A scan with the blur and the noise of any scan; what else scanners do is the matter of loket-paper's tests.
fn scan_of(document: &[u8]) -> Gray {
    let mut scan = raster::render(document, 0, 200).unwrap();
    let width = usize::try_from(scan.width).unwrap();
    let sharp = scan.pixels.clone();
    let (mut noise, last) = (1_u32, sharp.len() - width - 1);
    for (at, pixel) in scan
        .pixels
        .iter_mut()
        .enumerate()
        .take(last)
        .skip(width + 1)
    {
        let around = [at - width, at - 1, at, at + 1, at + width];
        let sum: u16 = around.iter().map(|it| u16::from(sharp[*it])).sum();
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let speckle = u16::try_from(noise >> 29).unwrap();
        *pixel = u8::try_from((sum / 5).saturating_sub(speckle)).unwrap();
    }
    scan
}

fn record_with(fonts_inside: bool) -> MatchRecord {
    let page = raster::render(CARD, 0, fingerprint::DPI).unwrap();
    MatchRecord {
        job_id: JobId::from_parts(1, [1; 10]),
        revision_sha256: Sha256Digest::of(CARD),
        made_at: Timestamp::UNIX_EPOCH,
        fonts_inside,
        codes: Vec::new(),
        pages: vec![RecordPage {
            fingerprint: fingerprint::of(&page).unwrap().to_bytes(),
        }],
    }
}

#[test]
fn a_changed_digit_is_a_difference_only_where_the_document_brings_its_fonts_along() {
    let (same, changed) = (scan_of(CARD), scan_of(&forged()));
    for fonts_inside in [true, false] {
        let records = [record_with(fonts_inside)];
        let held = held::best(&records, &same, true).unwrap();
        assert_eq!(held.verdict, PaperVerdict::Same, "{:?}", held.regions);
        assert!(held.pictures.is_none(), "nothing differs");
        let held = held::best(&records, &changed, true).unwrap();
        let (verdict, code) = match fonts_inside {
            true => (PaperVerdict::Different, None),
            false => (PaperVerdict::CannotTell, Some("C-114".to_owned())),
        };
        assert_eq!((held.verdict, held.code), (verdict, code));
        let pictures = held.pictures.unwrap();
        assert!(!held.regions.is_empty() && !pictures.sheet.is_empty());
        assert_eq!(pictures.places.len(), held.regions.len().min(5));
    }
}

#[test]
fn of_several_records_the_nearest_is_told() {
    let mut other = record_with(true);
    let blank = Gray {
        width: 1_240,
        height: 1_754,
        pixels: vec![255; 1_240 * 1_754],
        dpi: Some(fingerprint::DPI),
    };
    other.pages[0].fingerprint = fingerprint::of(&blank).unwrap().to_bytes();
    let held = held::best(&[other, record_with(true)], &scan_of(CARD), false).unwrap();
    assert_eq!((held.record, held.verdict), (1, PaperVerdict::Same));
}

#[test]
fn a_record_is_of_the_document_and_the_job_that_were_given() {
    let job = JobId::from_parts(2, [2; 10]);
    let made_at = Timestamp::from_unix_ms(3);
    let bytes = record(CARD, (job, 1), made_at).unwrap();
    let record = MatchRecord::decode(&bytes).unwrap();
    assert_eq!(record.revision_sha256, Sha256Digest::of(CARD));
    assert_eq!((record.job_id, record.made_at), (job, made_at));
    assert!(record.fonts_inside && record.pages.len() == 1 && record.codes.len() == 1);
    let again = super::record(CARD, (job, 2), made_at);
    assert_eq!(again.err(), Some(Exit::Refused), "it has no second page");
}

#[test]
fn a_scan_that_is_none_is_told_by_its_code() {
    assert_eq!(
        Seen::from(codes(b"no picture")),
        Seen::Unread("R-107".to_owned())
    );
    // A PDF of one page is the scan of one sheet, unless it is the document itself.
    let scan = include_bytes!("../../../tests/fixtures/kk-embedded-unsigned.pdf");
    assert_eq!(codes(scan).unwrap().len(), 1);
    assert_eq!(Seen::from(codes(CARD)), Seen::Unread("R-110".to_owned()));
}

#[test]
fn a_task_is_read_as_it_is_written() {
    #[derive(clap::Parser)]
    struct Line {
        #[command(subcommand)]
        command: Command,
    }
    #[derive(clap::Subcommand)]
    enum Command {
        Sheet(Task),
    }
    for work in [
        Work::Record {
            job: JobId::from_parts(1, [1; 10]),
            page_count: 2,
            made_at_ms: 3,
        },
        Work::Codes,
        Work::Compare {
            record_bytes: vec![1, 22],
            pictures: true,
        },
    ] {
        let mut words = Task::new(work.clone()).words();
        words.insert(0, "loketd".into());
        let Command::Sheet(read) = <Line as clap::Parser>::parse_from(words).command;
        assert_eq!(
            (read.work, read.memory_bytes, read.cpu_s),
            (work, MEMORY_BYTES, CPU_S)
        );
    }
}
