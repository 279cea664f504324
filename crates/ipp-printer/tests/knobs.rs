//! Each fault of the simulated printer, set at its control door and met through IPP.
#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests fails its test where it cannot go on"
)]

use std::time::Duration;

use bytes::Bytes;
use loket_ipp_printer::{
    Asked, Garbage, IppError, IppPrinter, JobAttributes, JobState, NewJob, Options, PrinterState,
    WhichJobs,
};
use loket_sim::printer::{PrinterConfig, Report, SimPrinter};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Ends a hung test; none takes a second.
const DEADLINE: Duration = Duration::from_secs(30);

const PDF: &str = "application/pdf";

/// A printer, its control door, and the client under test.
struct Bench {
    sim: SimPrinter,
    printer: IppPrinter,
}

impl Bench {
    /// A printer whose knobs were turned by this JSON at its door.
    async fn new(knobs: &str) -> Self {
        let sim = SimPrinter::start(PrinterConfig::default()).await.unwrap();
        let printer = IppPrinter::new(sim.uri(), Options::default()).unwrap();
        let bench = Self { sim, printer };
        bench.turn(knobs).await;
        bench
    }

    async fn turn(&self, knobs: &str) {
        assert_eq!(self.post("/control", knobs).await, 200, "{knobs}");
    }

    /// Posts to the control door; the status of the answer.
    async fn post(&self, path: &str, body: &str) -> u16 {
        let mut stream = TcpStream::connect(self.sim.address()).await.unwrap();
        let len = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: printer\r\nConnection: close\r\nContent-Length: {len}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer);
        timeout(DEADLINE, read).await.unwrap().unwrap();
        answer.get(9..12).unwrap().parse().unwrap()
    }

    async fn create(&self, name: &str) -> Result<i32, IppError> {
        let created = self.printer.create_job(&NewJob::new(name)).await?;
        Ok(created.id)
    }

    /// Makes a job and gives it two sheets.
    async fn print(&self) -> i32 {
        let id = self.create("loket:1:1").await.unwrap();
        let pages = "3 0 obj<</Type/Page>>endobj 4 0 obj<</Type/Page>>endobj";
        let document = Bytes::from(format!("%PDF-1.4 {pages}"));
        self.printer.send_document(id, PDF, document).await.unwrap();
        id
    }

    async fn job(&self, id: i32) -> JobAttributes {
        self.printer.job_attributes(id).await.unwrap()
    }

    async fn until(&self, condition: impl FnMut(&Report) -> bool) -> Report {
        timeout(DEADLINE, self.sim.until(condition)).await.unwrap()
    }

    async fn until_state(&self, state: &str) -> Report {
        self.until(|report| report.jobs.iter().any(|job| job.state == state))
            .await
    }

    /// The printer's state and the keywords of its reasons.
    async fn said(&self) -> (PrinterState, Vec<String>) {
        let said = self.printer.printer_attributes().await.unwrap();
        let reasons = said.state_reasons.into_iter();
        (said.state, reasons.map(|reason| reason.keyword).collect())
    }
}

#[tokio::test]
async fn a_slow_printer_is_seen_at_work_until_it_is_canceled() {
    let bench = Bench::new(r#"{"delay_ms": 4000000}"#).await;
    let id = bench.print().await;
    bench.until_state("processing").await;
    assert_eq!(bench.said().await, (PrinterState::Processing, vec![]));
    bench.printer.cancel_job(id).await.unwrap();
    let job = bench.job(id).await;
    assert_eq!(
        (job.state, job.state_reasons, job.impressions_completed),
        (
            JobState::Canceled,
            vec!["job-canceled-by-user".to_owned()],
            Some(0)
        )
    );
}

#[tokio::test]
async fn the_device_behind_an_address_is_told_by_its_uuid() {
    let bench = Bench::new("{}").await;
    let id = bench.create("loket:1:1").await.unwrap();
    let before = bench.printer.printer_attributes().await.unwrap();
    let known = bench.printer.printer_uuid().await.unwrap();
    assert!(known.is_some() && known == before.uuid);
    let job = bench.job(id).await;
    let made_s = job.created_at_s.and_then(|s| u32::try_from(s).ok());
    assert!(made_s <= before.up_time_s && made_s.is_some(), "{made_s:?}");
    let other = "0190f3a1-7b2c-7d4e-8f10-0123456789ab";
    bench.turn(&format!(r#"{{"uuid": "{other}"}}"#)).await;
    let seen = bench.printer.printer_uuid().await.unwrap();
    assert_eq!(seen, Some(format!("urn:uuid:{other}")));
}

#[tokio::test]
async fn a_jam_and_an_open_door_stop_the_job_and_are_named() {
    for (knob, mended, reason) in [
        (r#"{"jam_after": 1}"#, r#"{"jam_after": null}"#, "media-jam"),
        (
            r#"{"door_open": true}"#,
            r#"{"door_open": false}"#,
            "door-open",
        ),
    ] {
        let bench = Bench::new(knob).await;
        let id = bench.print().await;
        bench.until_state("processing-stopped").await;
        assert_eq!(
            bench.said().await,
            (PrinterState::Stopped, vec![reason.to_owned()])
        );
        assert_eq!(bench.job(id).await.state, JobState::ProcessingStopped);
        bench.turn(r#"{"hides_faults": true}"#).await;
        assert_eq!(bench.said().await, (PrinterState::Idle, vec![]));
        bench.turn(mended).await;
        assert_eq!(bench.until_state("completed").await.sheets, 2);
    }
}

#[tokio::test]
async fn a_job_is_canceled_at_the_panel_with_the_sheets_that_came_out() {
    let bench = Bench::new(r#"{"paper": 1}"#).await;
    let id = bench.print().await;
    bench.until_state("processing-stopped").await;
    assert_eq!(bench.post(&format!("/control/cancel/{id}"), "").await, 200);
    let job = bench.job(id).await;
    assert_eq!(
        (job.state, job.state_reasons, job.impressions_completed),
        (
            JobState::Canceled,
            vec!["job-canceled-at-device".to_owned()],
            Some(1)
        )
    );
    assert_eq!(bench.post(&format!("/control/cancel/{id}"), "").await, 404);
    assert_eq!(bench.post("/control/cancel/none", "").await, 404);
}

#[tokio::test]
async fn a_fixed_status_is_said_to_each_request_of_its_kind_and_nothing_is_done() {
    for status in [0x0500, 0x0502, 0x0505, 0x0507] {
        let knob = format!(r#"{{"reply": {{"to": "create-job", "ipp_status": {status}}}}}"#);
        let bench = Bench::new(&knob).await;
        for _ in 0..3 {
            let refused = bench.create("loket:2:1").await.unwrap_err();
            assert_eq!(refused.status(), Some(status));
        }
        assert_eq!(bench.said().await.0, PrinterState::Idle);
        assert_eq!(bench.sim.report().fixed_replies, 3);
        assert_eq!(bench.sim.report().jobs, vec![]);
        bench.turn(r#"{"reply": null}"#).await;
        bench.create("loket:2:1").await.unwrap();
    }
}

#[tokio::test]
async fn a_printer_whose_web_server_is_busy_answers_503() {
    let bench = Bench::new(r#"{"reply": {"to": "all", "http_status": 503}}"#).await;
    let error = bench.create("loket:3:1").await.unwrap_err();
    let unavailable = Garbage::HttpStatus(503);
    assert!(
        matches!(error, IppError::NotIpp { garbage, .. } if garbage == unavailable),
        "{error:?}"
    );
    assert!(bench.printer.printer_attributes().await.is_err());
    assert_eq!(bench.sim.report().jobs, vec![]);
}

#[tokio::test]
async fn a_printer_that_acts_and_then_says_no_has_acted() {
    let knob = r#"{"reply": {"to": "send-document", "ipp_status": 1280, "acts": true}}"#;
    let bench = Bench::new(knob).await;
    let id = bench.create("loket:4:1").await.unwrap();
    let document = Bytes::from_static(b"%PDF-1.4 3 0 obj<</Type/Page>>endobj");
    let refused = bench.printer.send_document(id, PDF, document).await;
    assert!(refused.unwrap_err().outcome_unknown());
    assert_eq!(bench.until_state("completed").await.sheets, 1);
}

#[tokio::test]
async fn a_printer_that_holds_one_job_is_busy_for_the_next() {
    let bench = Bench::new(r#"{"busy": true, "paper": 0}"#).await;
    let id = bench.print().await;
    let busy = bench.create("loket:5:2").await.unwrap_err();
    assert!(busy.is_busy(), "{busy}");
    bench.printer.cancel_job(id).await.unwrap();
    bench.create("loket:5:2").await.unwrap();
}

#[tokio::test]
async fn a_printer_that_refuses_takes_no_job() {
    let bench = Bench::new(r#"{"refuse": true}"#).await;
    let refused = bench.create("loket:6:1").await.unwrap_err();
    assert!(refused.is_not_accepting_jobs(), "{refused}");
}

#[tokio::test]
async fn a_document_stops_after_so_many_bytes() {
    let bench = Bench::new(r#"{"stop_after_bytes": 10}"#).await;
    let id = bench.create("loket:7:1").await.unwrap();
    let document = Bytes::from(vec![b'%'; 100_000]);
    let lost = bench.printer.send_document(id, PDF, document).await;
    assert!(lost.unwrap_err().outcome_unknown());
    bench.until_state("aborted").await;
}

#[tokio::test]
async fn a_memory_that_is_lost_gives_numbers_anew_or_goes_on_with_them() {
    for (memory, next) in [
        ("forget-restart-ids", 1),
        ("forget-keep-ids", 2),
        ("keep", 2),
    ] {
        let bench = Bench::new(&format!(r#"{{"memory": "{memory}", "paper": 0}}"#)).await;
        let id = bench.print().await;
        assert_eq!(bench.post("/control/power-cycle", "").await, 200);
        let known = bench.printer.job_attributes(id).await;
        assert_eq!(known.is_ok(), memory == "keep", "{memory}");
        assert_eq!(bench.create("loket:8:2").await.unwrap(), next, "{memory}");
    }
}

#[tokio::test]
async fn a_printer_lies_about_its_jobs_and_about_what_came_out() {
    let bench = Bench::new(r#"{"claims": "completed", "paper": 0}"#).await;
    let id = bench.print().await;
    assert_eq!(bench.job(id).await.state, JobState::Completed);
    assert_eq!(bench.sim.report().sheets, 0);
    bench.turn(r#"{"claims": "aborted", "paper": null}"#).await;
    assert_eq!(bench.until_state("completed").await.sheets, 2);
    let jobs = bench.printer.jobs(WhichJobs::Completed, 10).await.unwrap();
    assert_eq!(jobs.first().unwrap().state, JobState::Aborted);

    for (said, count) in [
        ("honest", Some(2)),
        ("absent", None),
        ("zero", Some(0)),
        ("one-more", Some(3)),
    ] {
        bench.turn(&format!(r#"{{"impressions": "{said}"}}"#)).await;
        assert_eq!(bench.job(id).await.impressions_completed, count, "{said}");
    }
}

#[tokio::test]
async fn a_printer_completes_without_paper() {
    let bench = Bench::new(r#"{"completes_without_paper": true}"#).await;
    bench.print().await;
    assert_eq!(bench.until_state("completed").await.sheets, 0);
}

#[tokio::test]
async fn replies_get_lost_and_a_printer_goes_offline() {
    let bench = Bench::new(r#"{"lose_reply": "get-printer-attributes"}"#).await;
    assert!(
        bench
            .printer
            .printer_attributes()
            .await
            .unwrap_err()
            .outcome_unknown()
    );
    bench.create("loket:9:1").await.unwrap();
    bench.turn(r#"{"lose_reply": "get-jobs"}"#).await;
    assert!(
        bench
            .printer
            .job_attributes(1)
            .await
            .unwrap_err()
            .outcome_unknown()
    );
    bench.turn(r#"{"lose_reply": null, "offline": true}"#).await;
    assert!(bench.printer.printer_attributes().await.is_err());
}

#[tokio::test]
async fn a_second_document_is_printed_where_the_printer_takes_several() {
    let bench = Bench::new(r#"{"multiple_document_jobs": true}"#).await;
    let id = bench.print().await;
    let document = Bytes::from_static(b"%PDF-1.4 3 0 obj<</Type/Page>>endobj");
    bench
        .printer
        .send_document(id, PDF, document)
        .await
        .unwrap();
    bench.until(|report| report.sheets == 3).await;
}

#[tokio::test]
async fn what_a_printer_ignores_is_named() {
    let bench = Bench::new(r#"{"ignores": ["print-scaling", "media-col"]}"#).await;
    let created = bench
        .printer
        .create_job(&NewJob::new("loket:10:1"))
        .await
        .unwrap();
    assert_eq!(created.unsupported, ["print-scaling", "media-col"]);
    assert_eq!(created.ignored(), [Asked::Scaling, Asked::Media]);
}
