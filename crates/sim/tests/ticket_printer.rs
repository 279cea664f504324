//! The simulated ticket printer: as a program, behind its wire, and given bytes that are nearly right.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of tests fails its test where it cannot go on"
)]

use std::process::Stdio;
use std::time::Duration;

use loket_fuzz::fuzz;
use loket_sim::ticket_printer::{
    Device, Item, Knobs, Report, SimTicketPrinter, Speaks, TicketPrinterConfig,
};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Ends a hung test; none takes a second.
const DEADLINE: Duration = Duration::from_secs(30);

const PROGRAM: &str = env!("CARGO_BIN_EXE_loket-sim-ticket-printer");

/// A ticket by hand: a large number, a line with an accent, a code, a feed and a cut.
const TICKET: &[u8] = b"\x1b@\x1bt\x02\x1ba\x01\x1d!\x77A-007\n\x1d!\x00Caf\x82\n\
    \x1d(k\x04\x001A2\x00\x1d(k\x03\x001C\x06\x1d(k\x03\x001E1\
    \x1d(k\x07\x001P0T/07\x1d(k\x03\x001Q0\x1bd\x05\x1dV\x01";

fn device(knobs: Knobs) -> Device {
    Device::new(576, knobs)
}

#[test]
fn bytes_become_what_a_person_reads() {
    let mut device = device(Knobs::default());
    assert_eq!(device.receive(TICKET, Duration::ZERO), TICKET.len());
    let slips: Vec<_> = device.slips().cloned().collect();
    assert_eq!(slips.len(), 1);
    assert!(slips[0].is_cut);
    assert_eq!(slips[0].text(), ["A-007", "Café"]);
    assert_eq!(slips[0].codes(), ["T/07"]);
    let Item::Line { style, .. } = &slips[0].items[0] else {
        panic!("{slips:?}")
    };
    assert_eq!((style.width, style.height), (8, 8));
    assert_eq!((device.unknown_commands(), device.drawer_kicks()), (0, 0));
}

#[test]
fn a_question_at_once_is_answered_at_once_and_one_in_line_in_its_turn() {
    let mut device = device(Knobs {
        paper_dots: Some(100),
        ..Knobs::default()
    });
    let asked = [TICKET, b"\x1dr\x01\x10\x04\x01\x10\x04\x04"].concat();
    device.receive(&asked, Duration::ZERO);
    assert_eq!(device.answers(Duration::ZERO), [0x12, 0x12]);
    device.receive(b"\x10\x04\x01\x10\x04\x02\x10\x04\x04", Duration::ZERO);
    assert_eq!(device.answers(Duration::ZERO), [0x1a, 0x32, 0x72]);
    let knobs = device.knobs().clone();
    device.turn(
        Knobs {
            paper_dots: None,
            ..knobs
        },
        Duration::ZERO,
    );
    assert_eq!(device.answers(Duration::ZERO), [0x00]);
    assert_eq!(device.slips().count(), 1);
}

#[test]
fn what_a_printer_does_not_speak_it_does_not_answer() {
    let asked = b"\x10\x04\x01\x1dr\x01\x1d(H\x06\x0000abcd";
    for (speaks, answers, unknown) in [
        (Speaks::Nothing, &b""[..], 1),
        (Speaks::Status, b"\x12", 1),
        (Speaks::InLine, b"\x12\x00", 1),
        (Speaks::Words, b"\x12\x00\x37\x22abcd\x00", 0),
    ] {
        let mut device = device(Knobs {
            speaks,
            ..Knobs::default()
        });
        device.receive(asked, Duration::ZERO);
        assert_eq!(device.answers(Duration::ZERO), answers, "{speaks:?}");
        assert_eq!(device.unknown_commands(), unknown, "{speaks:?}");
    }
}

#[test]
fn it_works_as_fast_as_it_may_and_takes_no_more_than_its_buffer_holds() {
    let mut device = device(Knobs {
        bytes_per_s: Some(1_000),
        buffer_bytes: 64,
        ..Knobs::default()
    });
    let taken = device.receive(TICKET, Duration::ZERO);
    assert_eq!((taken, device.room()), (64, 1));
    let due = device.tick(Duration::from_millis(10)).unwrap();
    assert!(due > Duration::from_millis(10));
    let worked = device.worked_bytes();
    assert!((2..=12).contains(&worked), "{worked}");
}

#[test]
fn an_answer_that_nobody_fetches_is_no_reason_to_be_asked_again() {
    let mut device = device(Knobs {
        answer_ms: 40,
        ..Knobs::default()
    });
    device.receive(b"\x10\x04\x01", Duration::ZERO);
    let due = Duration::from_millis(40);
    assert_eq!(device.tick(Duration::ZERO), Some(due));
    assert_eq!(device.tick(due), None);
    assert_eq!(device.answers(due), [0x12]);
}

#[test]
fn a_command_executed_on_receipt_is_found_amid_other_data() {
    let mut device = device(Knobs::default());
    device.receive(
        b"\x1dv0\x00\x05\x00\x01\x00\x10\x14\x01\x00\x01",
        Duration::ZERO,
    );
    assert_eq!(device.drawer_kicks(), 1);
    device.receive(b"\x1dv0\x00\x03\x00\x01\x00\x10\x04\x01", Duration::ZERO);
    assert_eq!(device.answers(Duration::ZERO), [0x12]);
}

#[test]
fn states_are_told_by_themselves_where_that_was_asked_for() {
    let mut device = device(Knobs::default());
    device.receive(b"\x1da\x0f", Duration::ZERO);
    assert_eq!(device.answers(Duration::ZERO), [0x10, 0, 0, 0]);
    let knobs = Knobs {
        cover_open: true,
        ..Knobs::default()
    };
    device.turn(knobs, Duration::ZERO);
    assert_eq!(device.answers(Duration::ZERO), [0x38, 0, 0, 0]);
}

#[test]
fn fuzz_interpreter() {
    let raster =
        b"\x1b@\x1dv0\x00\x02\x00\x02\x00\xff\x81\x81\xff\x1bJ\x10\x1dV\x42\x03\x1bp\x00\x19\xfa";
    let asks =
        b"\x10\x04\x01\x1dr\x01\x1d(H\x06\x0000abcd\x1da\xff\x1dI\x43\x1b*\x21\x02\x00abcdef\x1c.";
    fuzz(
        "ticket-interpreter",
        3_000,
        &[TICKET, raster, asks],
        |bytes| {
            let mut device = device(Knobs {
                buffer_bytes: usize::MAX,
                paper_dots: Some(20_000),
                ..Knobs::default()
            });
            device.receive(bytes, Duration::ZERO);
            let sent = u64::try_from(bytes.len()).unwrap();
            assert_eq!(device.received_bytes(), sent);
            assert!(device.worked_bytes() <= sent);
            assert!(device.answers(Duration::ZERO).len() <= 7 * bytes.len());
            let height: u32 = device.slips().map(|slip| slip.height_dots()).sum();
            assert!(height <= 20_000, "{height}");
            for slip in device.slips() {
                drop(loket_sim::ticket_printer::picture(slip, 576));
            }
        },
    );
}

/// Starts the program, and returns it with its wire and its control door.
async fn start(arguments: &[&str]) -> (Child, String, String) {
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
    let rest = line.strip_prefix("listening ").unwrap();
    let (wire, door) = rest.split_once(" control http://").unwrap();
    let door = door.strip_suffix("/control").unwrap();
    (child, wire.to_owned(), door.to_owned())
}

/// One HTTP exchange by hand: the status, and the body.
async fn ask(address: &str, request_line: &str, body: &str) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let len = body.len();
    let request = format!(
        "{request_line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {len}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
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
async fn the_program_prints_what_it_is_sent_and_its_knobs_turn() {
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().to_str().unwrap();
    let (mut child, wire, door) = start(&[
        "--width-mm",
        "58",
        "--near-end",
        "--keep",
        keep,
        "--speaks",
        "in-line",
    ])
    .await;
    let mut stream = TcpStream::connect(&wire).await.unwrap();
    stream
        .write_all(&[TICKET, b"\x1dr\x01"].concat())
        .await
        .unwrap();
    let mut answer = [0];
    timeout(DEADLINE, stream.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(answer, [0x03], "nearly at its end");

    let (status, body) = ask(&door, "GET /control/state", "").await;
    let report: Report = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (status, report.cuts, report.slips[0].codes[0].as_str()),
        (200, 1, "T/07")
    );
    let (status, body) = ask(&door, "POST /control", r#"{"paper_dots": 0}"#).await;
    let knobs: Knobs = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (status, knobs.paper_dots, knobs.near_end),
        (200, Some(0), true)
    );
    let (status, _) = ask(&door, "POST /control", r#"{"papers": 0}"#).await;
    assert_eq!(status, 422);
    let (status, svg) = ask(&door, "GET /control/slips/0.svg", "").await;
    assert_eq!(status, 200);
    assert!(String::from_utf8(svg).unwrap().starts_with("<svg"));
    let (status, _) = ask(&door, "GET /control/slips/1.svg", "").await;
    assert_eq!(status, 404);
    let (status, _) = ask(&door, "POST /control/power-cycle", "").await;
    assert_eq!(status, 200);
    let ended = timeout(DEADLINE, stream.read(&mut answer)).await.unwrap();
    assert!(
        ended.is_err() || ended.is_ok_and(|len| len == 0),
        "its power failed"
    );
    child.kill().await.unwrap();
}

#[tokio::test]
async fn a_wrong_flag_ends_with_64() {
    for wrong in [
        &["--papers", "3"][..],
        &["--width-mm", "70"],
        &["--speaks", "gold"],
    ] {
        let run = Command::new(PROGRAM).args(wrong).output().await.unwrap();
        assert_eq!(run.status.code(), Some(64), "{wrong:?}");
    }
}

#[tokio::test]
async fn each_slip_that_is_cut_is_drawn_into_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let config = TicketPrinterConfig {
        keep: Some(folder.path().to_owned()),
        ..TicketPrinterConfig::default()
    };
    let printer = SimTicketPrinter::start(config).await.unwrap();
    let mut stream = TcpStream::connect(printer.address()).await.unwrap();
    for _ticket in 0..3 {
        stream.write_all(TICKET).await.unwrap();
    }
    timeout(DEADLINE, printer.until_kept(3)).await.unwrap();
    let names = folder
        .path()
        .read_dir()
        .unwrap()
        .map(|it| it.unwrap().file_name());
    let mut names: Vec<_> = names.map(|it| it.into_string().unwrap()).collect();
    names.sort();
    assert_eq!(
        names,
        ["00001.slip.svg", "00002.slip.svg", "00003.slip.svg"]
    );
    printer.stop().await;
}
