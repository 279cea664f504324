//! The client against ippeveprinter, which shares no code with us.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper of tests fails its test where it cannot go on"
)]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use loket_ipp_printer::{
    CreatedJob, IppError, IppPrinter, JobAttributes, JobState, Media, NewJob, Options,
    PrinterState, WhichJobs,
};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::{interval, timeout};

/// Ends a hung test; none takes two seconds on a quiet machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// How often a job is asked for: ippeveprinter tells nobody by itself.
const POLL: Duration = Duration::from_millis(20);

const PDF: &str = "application/pdf";

/// Prints at once: keeps the document, and says that one side came out.
const PRINTS: &str = r#"cp "$1" "$OUT/printed" && echo "ATTR: job-impressions-completed=1" >&2"#;

/// Prints when told: a byte in the pipe lets it go on, and it has no paper till then.
const WAITS: &str = r#"echo "STATE: +media-empty" >&2; read line < "$OUT/pipe"
echo "STATE: -media-empty" >&2; cp "$1" "$OUT/printed""#;

/// A running ippeveprinter; dropping it kills it.
struct Peer {
    printer: IppPrinter,
    secure_uri: String,
    folder: TempDir,
    _child: Child,
}

async fn run(program: &str, arguments: &[&Path]) {
    let status = Command::new(program).args(arguments).status().await;
    let status = status.unwrap_or_else(|error| panic!("{program} did not start: {error}"));
    assert!(status.success(), "{program} ended with {status}");
}

/// Compiles the stand-in for DNS-SD, without which ippeveprinter does not start.
async fn stand_in(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/avahi.c");
    let library = folder.join("avahi.so");
    let flags = [Path::new("-shared"), Path::new("-fPIC"), Path::new("-o")];
    run("cc", &[&flags[..], &[&library, &source]].concat()).await;
    library
}

async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

async fn start(command: &str) -> Peer {
    let folder = tempfile::tempdir().unwrap();
    let library = stand_in(folder.path()).await;
    let script = folder.path().join("print.sh");
    std::fs::write(&script, format!("#!/bin/sh\n{command}\n")).unwrap();
    run("chmod", &[Path::new("755"), &script]).await;
    run("mkfifo", &[&folder.path().join("pipe")]).await;
    for name in ["spool", "keys"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    let port = free_port().await;
    let mut child = Command::new("ippeveprinter")
        .args([
            "-v",
            "-p",
            &port.to_string(),
            "-n",
            "localhost",
            "-r",
            "off",
            "-k",
        ])
        .arg("-d")
        .arg(folder.path().join("spool"))
        .arg("-K")
        .arg(folder.path().join("keys"))
        .arg("-c")
        .arg(&script)
        .args(["-f", "application/pdf,image/pwg-raster", "Peer"])
        .env("LD_PRELOAD", library)
        .env("OUT", folder.path())
        .env("HOME", folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("ippeveprinter did not start: install the Debian package cups-ipp-utils");
    // It listens before it writes out who it is; the rest of what it says is read and dropped,
    // or it would stop when the pipe is full.
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let listening = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.starts_with("printer-uuid=") {
                return;
            }
        }
        panic!("ippeveprinter ended before it listened");
    };
    timeout(DEADLINE, listening)
        .await
        .expect("ippeveprinter does not listen");
    drain(lines);
    let uri = |scheme: &str| format!("{scheme}://localhost:{port}/ipp/print");
    let printer = IppPrinter::new(&uri("ipp"), Options::default()).unwrap();
    Peer {
        printer,
        secure_uri: uri("ipps"),
        folder,
        _child: child,
    }
}

/// Reads on until the printer ends, on a thread of its own that ends with it.
fn drain(lines: tokio::io::Lines<BufReader<tokio::process::ChildStderr>>) {
    let stderr = lines.into_inner().into_inner().into_owned_fd().unwrap();
    std::thread::spawn(move || {
        let mut stderr = std::fs::File::from(stderr);
        std::io::copy(&mut stderr, &mut std::io::sink()).unwrap_or_default();
    });
}

impl Peer {
    async fn create(&self, name: &str) -> CreatedJob {
        self.printer.create_job(&NewJob::new(name)).await.unwrap()
    }

    /// Asks until the job is in this state.
    async fn job_in(&self, id: i32, state: JobState) -> JobAttributes {
        let mut poll = interval(POLL);
        let reached = async {
            loop {
                poll.tick().await;
                let job = self.printer.job_attributes(id).await.unwrap();
                if job.state == state {
                    return job;
                }
                assert!(!job.state.is_final(), "{job:?} instead of {state:?}");
            }
        };
        timeout(DEADLINE, reached)
            .await
            .expect("the job does not get there")
    }

    fn printed(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("printed")).unwrap()
    }
}

fn sample() -> Bytes {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/kk-sample-bb.pdf");
    std::fs::read(file).unwrap().into()
}

#[tokio::test]
async fn a_document_is_created_sent_watched_and_comes_out_byte_for_byte() {
    let peer = start(PRINTS).await;
    let said = peer.printer.printer_attributes().await.unwrap();
    assert_eq!(
        (said.state, said.is_accepting_jobs),
        (PrinterState::Idle, true)
    );
    assert!(said.operations.create_job() && said.formats.iter().any(|format| format == PDF));
    assert_eq!(said.multiple_document_jobs_supported, Some(false));
    assert_eq!(said.media, Media::Collection);
    assert!(said.uuid.unwrap().starts_with("urn:uuid:") && said.up_time_s.is_some());

    let job = NewJob::new("loket:1:1");
    peer.printer.validate_job(&job, PDF).await.unwrap();
    let created = peer.printer.create_job(&job).await.unwrap();
    assert_eq!(created.state, JobState::PendingHeld);
    assert!(
        created
            .state_reasons
            .iter()
            .any(|reason| reason == "job-data-insufficient")
    );
    let held = peer
        .printer
        .jobs(WhichJobs::NotCompleted, 10)
        .await
        .unwrap();
    assert_eq!((held.len(), held[0].id), (1, created.id));
    assert_eq!(held[0].name.as_deref(), Some("loket:1:1"));

    peer.printer
        .send_document(created.id, PDF, sample())
        .await
        .unwrap();
    let job = peer.job_in(created.id, JobState::Completed).await;
    assert_eq!(
        (job.name.as_deref(), job.impressions_completed),
        (Some("loket:1:1"), Some(1))
    );
    assert!(job.uuid.is_some());
    assert_eq!(peer.printed(), sample());
    let ended = peer.printer.jobs(WhichJobs::Completed, 10).await.unwrap();
    assert_eq!((ended.len(), ended[0].id), (1, created.id));
}

#[tokio::test]
async fn a_second_document_for_the_same_job_is_refused() {
    let peer = start(PRINTS).await;
    let id = peer.create("loket:2:1").await.id;
    peer.printer.send_document(id, PDF, sample()).await.unwrap();
    peer.job_in(id, JobState::Completed).await;
    let refused = peer
        .printer
        .send_document(id, PDF, sample())
        .await
        .unwrap_err();
    assert!(refused.is_second_document(), "{refused:?}");
}

#[tokio::test]
async fn a_job_that_waits_for_its_document_is_canceled_and_an_unknown_one_is_not_found() {
    let peer = start(PRINTS).await;
    let id = peer.create("loket:3:1").await.id;
    let busy = peer
        .printer
        .create_job(&NewJob::new("loket:3:2"))
        .await
        .unwrap_err();
    assert!(busy.is_busy(), "{busy:?}");
    peer.printer.cancel_job(id).await.unwrap();
    peer.job_in(id, JobState::Canceled).await;
    assert!(
        peer.printer
            .job_attributes(4711)
            .await
            .unwrap_err()
            .is_not_found()
    );
    assert!(
        peer.printer
            .cancel_job(4711)
            .await
            .unwrap_err()
            .is_not_found()
    );
}

#[tokio::test]
async fn an_empty_tray_is_told_while_the_job_waits_and_gone_when_it_is_done() {
    let peer = start(WAITS).await;
    let id = peer.create("loket:4:1").await.id;
    peer.printer.send_document(id, PDF, sample()).await.unwrap();
    let mut poll = interval(POLL);
    let told = async {
        loop {
            poll.tick().await;
            let said = peer.printer.printer_attributes().await.unwrap();
            if said
                .state_reasons
                .iter()
                .any(|reason| reason.keyword == "media-empty")
            {
                return said.state;
            }
        }
    };
    assert_eq!(
        timeout(DEADLINE, told).await.unwrap(),
        PrinterState::Processing
    );
    assert!(
        !peer
            .printer
            .job_attributes(id)
            .await
            .unwrap()
            .state
            .is_final()
    );

    tokio::fs::write(peer.folder.path().join("pipe"), "go on\n")
        .await
        .unwrap();
    peer.job_in(id, JobState::Completed).await;
    let said = peer.printer.printer_attributes().await.unwrap();
    assert_eq!(said.state_reasons, vec![]);
    assert_eq!(peer.printed(), sample());
}

#[tokio::test]
async fn a_printer_met_over_tls_is_refused_until_its_own_key_is_pinned() {
    let peer = start(PRINTS).await;
    let pinned = |pin| {
        let options = Options {
            pinned_spki_sha256: Some(pin),
            ..Options::default()
        };
        IppPrinter::new(&peer.secure_uri, options).unwrap()
    };
    let refused = pinned([0; 32]).printer_attributes().await.unwrap_err();
    let IppError::Pin { presented } = refused else {
        panic!("{refused:?}")
    };
    let pin = data_encoding::HEXLOWER
        .decode(presented.as_bytes())
        .unwrap();

    let printer = pinned(pin.try_into().unwrap());
    let id = printer
        .create_job(&NewJob::new("loket:5:1"))
        .await
        .unwrap()
        .id;
    printer.send_document(id, PDF, sample()).await.unwrap();
    peer.job_in(id, JobState::Completed).await;
    assert_eq!(peer.printed(), sample());
}
