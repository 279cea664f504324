//! ipptool, which shares no code with us, judges the simulated printer.

#![expect(
    clippy::expect_used,
    reason = "a helper of tests fails its test where it cannot go on"
)]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use loket_sim::printer::{Knobs, PrinterConfig, SimPrinter};
use tokio::process::Command;
use tokio::time::timeout;

/// Where Debian's cups-ipp-utils has its test files.
const TEST_FILES: &str = "/usr/share/cups/ipptool";

/// Ends a hung judge; a run takes two seconds.
const DEADLINE: Duration = Duration::from_secs(60);

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/kk-sample-bb.pdf")
}

/// What ipptool says of the printer; the test fails where ipptool finds a fault.
async fn judge(printer: &SimPrinter, test_file: &Path) -> String {
    let run = Command::new("ipptool")
        .args(["-t", "-I", "-f"])
        .arg(sample())
        .arg(printer.uri())
        .arg(test_file)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let run = timeout(DEADLINE, run).await.expect("ipptool hung");
    let run = run.expect("ipptool did not start: install the Debian package cups-ipp-utils");
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    let complained = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}\n{complained}");
    assert!(complained.is_empty(), "{complained}");
    said
}

/// True where a test of this name passed, and none of this name was skipped or failed.
fn passed(said: &str, name: &str) -> bool {
    let mut lines = said
        .lines()
        .filter(|line| line.trim_start().starts_with(name))
        .peekable();
    lines.peek().is_some() && lines.all(|line| line.contains("[PASS]"))
}

#[tokio::test]
async fn the_printer_passes_the_ipp_1_1_file_from_its_first_line_to_its_last() {
    // Slow enough that the first job is still at work when ipptool asks for it, which it then does
    // again after five seconds: a job that is done already would leave six tests out.
    let knobs = Knobs {
        delay_ms: 500,
        ..Knobs::default()
    };
    let config = PrinterConfig {
        knobs,
        ..PrinterConfig::default()
    };
    let printer = SimPrinter::start(config).await.unwrap();
    // Debian ships the file without the documents it names, and ipptool stops at the first that
    // is missing: a copy beside stand-ins is run to its end.
    let folder = tempfile::tempdir().unwrap();
    let test_file = folder.path().join("ipp-1.1.test");
    let original = Path::new(TEST_FILES).join("ipp-1.1.test");
    std::fs::copy(original, &test_file).expect("install the Debian package cups-ipp-utils");
    let documents = [
        "document-a4.pdf",
        "document-a4.ps",
        "document-letter.pdf",
        "document-letter.ps",
    ];
    for name in documents.into_iter().chain(["color.jpg", "gray.jpg"]) {
        std::fs::copy(sample(), folder.path().join(name)).unwrap();
    }

    let said = judge(&printer, &test_file).await;

    for name in [
        "RFC 8011 section 4.2.1: Print-Job Operation",
        "RFC 8011 section 4.3.1: Send-Document Operation",
        "RFC 8011 section 4.3.3: Cancel-Job Operation",
        "RFC 8011 section 4.3.4: Get-Job-Attributes Operation",
        "Send-Document missing last-document: Create-Job Operation",
        "Send-Document missing last-document: Send-Document Operation",
        "Print-Job with copies",
        "Print-Job with A4 PDF  ",
    ] {
        assert!(passed(&said, name), "{name} did not pass:\n{said}");
    }
    let created = "RFC 8011 section 4.2.4: Create-Job Operation";
    assert!(
        said.lines()
            .any(|line| line.contains(created) && line.contains("[PASS]")),
        "{said}"
    );
    assert!(
        said.contains("Summary: 66 tests, 31 passed, 0 failed, 35 skipped"),
        "{said}"
    );
    printer.stop().await;
}

#[tokio::test]
async fn the_printer_passes_the_create_job_file_and_prints_its_document_once() {
    let printer = SimPrinter::start(PrinterConfig::default()).await.unwrap();
    let said = judge(&printer, &Path::new(TEST_FILES).join("create-job.test")).await;
    assert!(passed(&said, "Print test page using create-job"), "{said}");
    assert!(passed(&said, "... and send-document"), "{said}");

    let done = printer.until(|report| report.sheets > 0);
    let report = timeout(DEADLINE, done).await.expect("nothing came out");
    let sent = std::fs::read(sample()).unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, &sent);
    assert_eq!(
        report.printed_sha256,
        [data_encoding::HEXLOWER.encode(digest.as_ref())]
    );
    assert_eq!(printer.document(&report.printed_sha256[0]).unwrap(), sent);
    assert_eq!(
        (report.sheets, report.jobs[0].state.as_str()),
        (1, "completed")
    );
    printer.stop().await;
}

#[tokio::test]
async fn the_printer_passes_the_get_jobs_and_validate_job_files() {
    let printer = SimPrinter::start(PrinterConfig::default()).await.unwrap();
    let said = judge(&printer, &Path::new(TEST_FILES).join("get-jobs.test")).await;
    assert!(passed(&said, "Get pending jobs"), "{said}");
    let said = judge(&printer, &Path::new(TEST_FILES).join("validate-job.test")).await;
    assert!(
        passed(&said, "Validate file/ticket using Validate-Job"),
        "{said}"
    );
    assert_eq!(printer.report().jobs, []);
    printer.stop().await;
}

#[tokio::test]
async fn documents_are_written_only_where_a_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let keep = Some(folder.path().join("out"));
    let printer = SimPrinter::start(PrinterConfig {
        keep,
        ..PrinterConfig::default()
    })
    .await;
    let printer = printer.unwrap();
    judge(&printer, &Path::new(TEST_FILES).join("create-job.test")).await;
    printer.stop().await;
    let written: Vec<_> = std::fs::read_dir(folder.path().join("out"))
        .unwrap()
        .collect();
    assert_eq!(written.len(), 1);
    let file = written[0].as_ref().unwrap();
    let name = file.file_name();
    assert!(name.to_str().unwrap().ends_with(".received"), "{name:?}");
    assert_eq!(
        std::fs::read(file.path()).unwrap(),
        std::fs::read(sample()).unwrap()
    );
}
