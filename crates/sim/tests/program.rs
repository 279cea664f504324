//! The program as it is typed, and its control door as it is knocked at.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of tests fails its test where it cannot go on"
)]

use std::process::Stdio;
use std::time::Duration;

use loket_sim::printer::{Knobs, Memory, Report};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Ends a hung test; none takes a second.
const DEADLINE: Duration = Duration::from_secs(30);

const PROGRAM: &str = env!("CARGO_BIN_EXE_loket-sim-printer");

/// Starts the program, and returns it with the address it says it listens on.
async fn start(arguments: &[&str]) -> (Child, String) {
    let mut child = Command::new(PROGRAM)
        .args(arguments)
        .stdout(Stdio::piped())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = timeout(DEADLINE, lines.next_line())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let uri = line.strip_prefix("listening ipp://").unwrap();
    (child, uri.strip_suffix("/ipp/print").unwrap().to_owned())
}

/// One HTTP exchange by hand: the status, and the body.
async fn ask(address: &str, request_line: &str, body: impl AsRef<[u8]>) -> (u16, Vec<u8>) {
    let body = body.as_ref();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let len = body.len();
    let request = format!(
        "{request_line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {len}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap_or_default();
    let mut answer = Vec::new();
    timeout(DEADLINE, stream.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap();
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    let status = std::str::from_utf8(&answer[9..12])
        .unwrap()
        .parse()
        .unwrap();
    (status, answer.split_off(end + 4))
}

#[tokio::test]
async fn knobs_are_set_by_flags_and_turned_at_the_control_door() {
    let (mut child, address) = start(&[
        "--paper",
        "3",
        "--memory",
        "forget-restart-ids",
        "--delay-ms",
        "0",
    ])
    .await;

    let (status, body) = ask(&address, "GET /control/state", "").await;
    let report: Report = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (status, report.knobs.paper, report.knobs.delay_ms),
        (200, Some(3), 0)
    );
    assert_eq!(report.knobs.memory, Memory::ForgetRestartIds);

    let change = r#"{"paper": 0, "door_open": true}"#;
    let (status, body) = ask(&address, "POST /control", change).await;
    let knobs: Knobs = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (status, knobs.paper, knobs.door_open, knobs.delay_ms),
        (200, Some(0), true, 0)
    );

    let (status, _) = ask(&address, "POST /control", r#"{"papers": 1}"#).await;
    assert_eq!(status, 422);
    let (status, _) = ask(&address, "POST /control/power-cycle", "").await;
    assert_eq!(status, 200);
    let (status, _) = ask(&address, "GET /elsewhere", "").await;
    assert_eq!(status, 404);
    child.kill().await.unwrap();
}

#[tokio::test]
async fn what_is_no_ipp_gets_an_http_error_and_the_printer_lives_on() {
    let (mut child, address) = start(&[]).await;
    let (status, _) = ask(&address, "POST /ipp/print", "GARBAGE THAT IS NO IPP AT ALL").await;
    assert_eq!(status, 400);
    let (status, _) = ask(&address, "POST /ipp/print", "").await;
    assert_eq!(status, 400);
    let endless = "\u{1}".repeat(80 * 1024);
    let (status, _) = ask(&address, "POST /ipp/print", &endless).await;
    assert_eq!(status, 413);
    let (status, _) = ask(&address, "GET /control/state", "").await;
    assert_eq!(status, 200);
    child.kill().await.unwrap();
}

#[tokio::test]
async fn a_wrong_flag_ends_with_64() {
    for wrong in [
        &["--papers", "3"][..],
        &["--memory", "gold"],
        &["--listen", "nowhere"],
    ] {
        let run = Command::new(PROGRAM).args(wrong).output().await.unwrap();
        assert_eq!(run.status.code(), Some(64), "{wrong:?}");
    }
    let run = Command::new(PROGRAM).arg("--help").output().await.unwrap();
    assert_eq!(run.status.code(), Some(0));
}

#[tokio::test]
async fn an_address_in_use_ends_with_69() {
    let (mut child, address) = start(&[]).await;
    let run = Command::new(PROGRAM)
        .args(["--listen", &address])
        .output()
        .await
        .unwrap();
    assert_eq!(run.status.code(), Some(69));
    child.kill().await.unwrap();
}

/// The smallest Print-Job: charset, language, printer, user, then a document.
fn print_job(address: &str) -> Vec<u8> {
    let mut message = vec![1, 1, 0, 2, 0, 0, 0, 1, 1];
    let uri = format!("ipp://{address}/ipp/print");
    for (tag, name, value) in [
        (0x47, "attributes-charset", "utf-8"),
        (0x48, "attributes-natural-language", "en"),
        (0x45, "printer-uri", uri.as_str()),
        (0x42, "requesting-user-name", "loket"),
    ] {
        message.push(tag);
        for text in [name, value] {
            message.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
            message.extend(text.as_bytes());
        }
    }
    message.push(3);
    message.extend(b"%PDF-1.4 3 0 obj<</Type/Page>>endobj");
    message
}

#[tokio::test]
async fn a_printer_that_starts_again_keeps_documents_in_the_same_folder() {
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().to_str().unwrap();
    for started in 1..=2 {
        let (mut child, address) = start(&["--keep", keep, "--delay-ms", "0"]).await;
        let body = print_job(&address);
        let (status, answer) = ask(&address, "POST /ipp/print", &body).await;
        assert_eq!(
            (status, &answer[2..4]),
            (200, &[0, 0][..]),
            "start {started}"
        );
        assert_eq!(folder.path().read_dir().unwrap().count(), started);
        child.kill().await.unwrap();
    }
}
