//! Printers that take no PDF: what the inspector draws is sent, and what it cannot draw is not.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use loket_daemon::clock::Word;
use loket_domain::print::{PrinterMark, PrinterSurvey};
use loket_inspection::Inspector;
use loket_wire::{
    JobState, RasterColours, RasterFormat, RasterSetup, Reason, Release, Sha256Digest,
};

use crate::printer::{Op, ready};
use crate::world::{DAY, World, job_no, until};

/// The head of a raster of one page: nobody reads more of it here.
const DRAWN: &[u8] = b"UNIRAST\0\0\0\0\x01";

/// An inspector that does what a shell script says.
fn inspector(folder: &Path, script: &str) -> Inspector {
    let file: PathBuf = folder.join("loket-inspector");
    std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    let runs = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&file, runs).unwrap();
    Inspector::at(&file)
}

/// A printer of URF alone.
fn survey() -> PrinterSurvey {
    let PrinterSurvey::Ready { mark, jobs } = ready(true) else {
        panic!("a printer that is ready");
    };
    let setup = RasterSetup {
        format: RasterFormat::Urf,
        colours: RasterColours::Gray,
        resolution_dpi: 600,
        coarser_dpi: Some(300),
    };
    let mark = PrinterMark {
        format: setup.format.media_type().to_owned(),
        raster: Some(setup),
        ..mark
    };
    PrinterSurvey::Ready { mark, jobs }
}

async fn world(script: &str) -> (World, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    world.inspector = inspector(folder.path(), script);
    world.printer().answers_survey(survey());
    world.start().await;
    world.accept(&world.spooled(1, Release::Now)).await.unwrap();
    (world, folder)
}

#[tokio::test]
async fn a_printer_without_pdf_gets_what_was_drawn_of_the_document() {
    // The question holds the document; the answer is the raster.
    let (world, _folder) = world(r"grep -aq '%PDF-' && printf 'UNIRAST\0\0\0\0\001'").await;
    let end = world.until_closed(job_no(1)).await;
    assert_eq!(end, (JobState::Printed, None));
    let sheets = world.printer().sheets();
    let digests: Vec<_> = sheets.iter().map(|(_name, digest)| *digest).collect();
    assert_eq!(digests, [Sha256Digest::of(DRAWN)]);
}

#[tokio::test]
async fn a_document_whose_raster_is_too_large_is_drawn_coarser() {
    // What it is asked for stands in its question.
    let script = r#"grep -aq '"resolution_dpi":600' && exit 73; printf 'UNIRAST\0\0\0\0\001'"#;
    let (world, _folder) = world(script).await;
    let end = world.until_closed(job_no(1)).await;
    assert_eq!(end, (JobState::Printed, None));
    assert_eq!(world.printer().count(Op::Send), 1);
}

#[tokio::test]
async fn a_document_that_cannot_be_drawn_is_not_sent_and_leaves_no_job_behind() {
    let other_count = r"cat > /dev/null; printf 'UNIRAST\0\0\0\0\002'";
    let no_raster = "cat > /dev/null; echo raster";
    for script in [
        "exit 65",
        "exit 73",
        "kill -SEGV $$",
        other_count,
        no_raster,
    ] {
        let (world, _folder) = world(script).await;
        let end = world.until_closed(job_no(1)).await;
        let reason = Some(Reason::NotDrawn);
        assert_eq!(end, (JobState::Failed, reason), "{script}");
        let printer = world.printer();
        assert_eq!(printer.count(Op::Send), 0, "{script}");
        assert!(printer.waiting().is_empty(), "{script}");
        let told = world.told(job_no(1)).await;
        assert_eq!(told.last().and_then(|report| report.reason), reason);
    }
}

#[tokio::test]
async fn an_inspector_that_fails_by_itself_is_asked_again_and_the_sheet_comes_out_once() {
    // It fails until its file says otherwise.
    let script =
        r#"test -e "${0%/*}/mended" || exit 70; cat > /dev/null; printf 'UNIRAST\0\0\0\0\001'"#;
    let (world, folder) = world(script).await;
    until("the attempt failed", || async {
        world.job(job_no(1)).await;
        let events = world.events(job_no(1)).await;
        events.iter().any(|kind| kind == "attempt-failed")
    })
    .await;
    assert_eq!(world.printer().count(Op::Send), 0);
    std::fs::write(folder.path().join("mended"), "").unwrap();
    // Past the pause that follows a failed attempt.
    let later = DAY.saturating_add(Duration::from_secs(301));
    world.clock.hear(Word::Command(2), later);
    world.job(job_no(1)).await;
    let end = world.until_closed(job_no(1)).await;
    assert_eq!(end, (JobState::Printed, None));
    assert_eq!(world.printer().sheets().len(), 1);
}
