//! The desk at ippeveprinter, which shares no code with us, takes one job at a time and keeps empty ones for good.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use loket_daemon::config::PrinterConfig;
use loket_daemon::device::{IppDevice, Printer as _};
use loket_device_profile::Profiles;
use loket_domain::print::{PrinterSurvey, RemoteState, Sighting, job_name};
use loket_wire::{JobState, Reason, Release};

use crate::world::{World, job_no, until};

/// Prints at once: notes it, and says that one side came out.
const PRINTS: &str = "#!/bin/sh
echo printed >>\"$OUT/sheets\"
echo 'ATTR: job-impressions-completed=1' >&2
";

/// A running ippeveprinter; dropping it kills it.
struct Peer {
    uri: String,
    folder: tempfile::TempDir,
    child: Child,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Compiles the stand-in for DNS-SD, without which ippeveprinter does not start.
fn no_dns_sd(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = source.join("../crates/ipp-printer/tests/support/avahi.c");
    let library = folder.join("no-dns-sd.so");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .status()
        .expect("a C compiler");
    assert!(compiled.success());
    library
}

impl Peer {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = no_dns_sd(folder.path());
        let script = folder.path().join("print.sh");
        std::fs::write(&script, PRINTS).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["spool", "keys"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let socket = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = socket.local_addr().unwrap().port();
        drop(socket);
        let mut child = Command::new("ippeveprinter")
            .args(["-v", "-n", "localhost", "-r", "off", "-k", "-p"])
            .arg(port.to_string())
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
            .spawn()
            .expect("ippeveprinter: install the Debian package cups-ipp-utils");
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // It listens before it writes out who it is; the rest is read and dropped, or it would stop at a full pipe.
        let listens = lines.any(|line| line.is_ok_and(|line| line.starts_with("printer-uuid=")));
        assert!(listens, "ippeveprinter ended before it listened");
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            uri: format!("ipp://localhost:{port}/ipp/print"),
            folder,
            child,
        }
    }

    /// The printer as `machine` reaches it.
    fn device(&self, machine: &str) -> IppDevice {
        let config = PrinterConfig {
            idle_poll_ms: None,
            exercise: None,
            name: "a4".to_owned(),
            uri: self.uri.clone(),
            pinned_spki_sha256: None,
            trusts_impressions: None,
        };
        let profiles = Arc::new(Profiles::none());
        IppDevice::new(&config, &machine.parse().unwrap(), profiles).unwrap()
    }

    fn sheet_count(&self) -> usize {
        let sheets = std::fs::read_to_string(self.folder.path().join("sheets"));
        sheets.map_or(0, |sheets| sheets.lines().count())
    }
}

const HERE: &str = "desa-contoh-1";

#[tokio::test]
async fn an_orphan_of_this_machine_no_longer_blocks_the_printer() {
    let peer = Peer::start();
    let mut world = World::new();
    world.real = Some(Arc::new(peer.device(HERE)));
    // What a lost journal leaves: an attempt of a job that nobody knows.
    let orphan = peer.device(HERE);
    orphan.create(&job_name(job_no(9), 1)).await.unwrap();
    world.start().await;
    world.accept(&world.spooled(1, Release::Now)).await.unwrap();
    let end = world.until_closed(job_no(1)).await;
    assert_eq!(end, (JobState::Printed, None));
    assert_eq!(peer.sheet_count(), 1);
}

/// What a sheet's fate rests on: the device that answers, and when it made the job.
#[tokio::test]
async fn a_job_that_waits_is_seen_with_its_device_and_its_time() {
    let peer = Peer::start();
    let device = peer.device(HERE);
    let PrinterSurvey::Ready { mark, .. } = device.survey().await.unwrap() else {
        panic!("it takes PDF");
    };
    assert!(mark.uuid.is_some());
    let made = device.create(&job_name(job_no(1), 1)).await.unwrap();
    let located = device.locate(&job_name(job_no(1), 1)).await.unwrap();
    for seen in [device.look(&made.remote).await.unwrap(), located] {
        let Sighting::Seen(view) = seen else {
            panic!("it was just made");
        };
        assert_eq!(view.state, RemoteState::AwaitingDocument);
        assert_eq!(view.printer_uuid, mark.uuid);
        let made_s = view.created_at_s.and_then(|s| u32::try_from(s).ok());
        assert!(made_s.is_some() && made_s >= mark.up_time_s, "{view:?}");
    }
}

#[tokio::test]
async fn a_job_of_another_station_is_waited_for_and_never_called_off() {
    let peer = Peer::start();
    let mut world = World::new();
    world.real = Some(Arc::new(peer.device(HERE)));
    let neighbour = peer.device("desa-contoh-2");
    let made = neighbour.create(&job_name(job_no(9), 1)).await.unwrap();
    world.start().await;
    world.accept(&world.spooled(1, Release::Now)).await.unwrap();
    until("central is told why it waits", || async {
        world.job(job_no(1)).await.reason == Some(Reason::PrinterBusy)
    })
    .await;
    let Sighting::Seen(theirs) = neighbour.look(&made.remote).await.unwrap() else {
        panic!("the neighbour's job is gone");
    };
    assert!(!theirs.is_canceled_by_person);
    neighbour.cancel(&made.remote).await.unwrap();
    let end = world.until_closed(job_no(1)).await;
    assert_eq!(end, (JobState::Printed, None));
    assert_eq!(peer.sheet_count(), 1);
}

#[tokio::test]
async fn a_sheet_that_the_journal_forgot_is_asked_about_and_not_printed_again() {
    let peer = Peer::start();
    let mut world = World::new();
    world.real = Some(Arc::new(peer.device(HERE)));
    world.start().await;
    let facts = world.spooled(1, Release::Now);
    world.accept(&facts).await.unwrap();
    world.until_closed(job_no(1)).await;
    world.stop().await.unwrap();
    // The same order comes to a journal that was lost.
    let mut again = World::new();
    again.real = Some(Arc::new(peer.device(HERE)));
    again.start().await;
    again.accept(&again.spooled(1, Release::Now)).await.unwrap();
    again.until_state(job_no(1), JobState::Unknown).await;
    assert_eq!(again.job(job_no(1)).await.reason, Some(Reason::FateNotSeen));
    assert_eq!(peer.sheet_count(), 1);
}
