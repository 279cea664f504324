//! Central through its doors, with a real broker: what is brought is offered, opened by its machine alone, and known
//! as printed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests stand outside of what clippy takes for a test"
)]

#[path = "walk/away.rs"]
mod away;
#[path = "walk/brokers.rs"]
mod brokers;
#[path = "walk/client.rs"]
mod client;
#[path = "walk/console.rs"]
mod console;
#[path = "walk/described.rs"]
mod described;
#[path = "walk/doors.rs"]
mod doors;
#[path = "walk/faults.rs"]
mod faults;
#[path = "walk/ledger.rs"]
mod ledger;
#[path = "walk/local.rs"]
mod local;
#[path = "walk/lost.rs"]
mod lost;
#[path = "walk/machine.rs"]
mod machine;
#[path = "walk/offices.rs"]
mod offices;
#[path = "walk/openapi.rs"]
mod openapi;
#[path = "walk/paper.rs"]
mod paper;
#[path = "walk/presence.rs"]
mod presence;
#[path = "walk/records.rs"]
mod records;
#[path = "walk/refusals.rs"]
mod refusals;
#[path = "walk/rig.rs"]
mod rig;
#[path = "walk/scans.rs"]
mod scans;
#[path = "walk/search.rs"]
mod search;
#[path = "walk/stock.rs"]
mod stock;
#[path = "walk/trust.rs"]
mod trust;

use client::{Answer, Client};
use loket_link::FetchError;
use loket_wire::event::DeviceReport;
use loket_wire::topic::Channel;
use loket_wire::{JobId, JobState, Reason, Report, Sha256Digest, Timestamp};
use machine::Linked;
use rig::{Rig, fixture};
use serde_json::{Value, json};

/// The order of the fixtures, whose label holds canaries, for another machine.
fn order(machine: &str) -> String {
    let mut order: Value = serde_json::from_slice(&fixture("order.json")).unwrap();
    order["machine"] = json!(machine);
    order.to_string()
}

fn label() -> String {
    let order: Value = serde_json::from_slice(&fixture("order.json")).unwrap();
    order["label"].as_str().unwrap().to_owned()
}

fn job_id(answer: &Answer) -> JobId {
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["job_id"].as_str().unwrap().parse().unwrap()
}

async fn client_of(rig: &Rig, role: &str) -> Client {
    Client {
        address: rig.api,
        token: rig.token(role).await,
        tls: None,
    }
}

async fn state(client: &Client, job: JobId) -> Value {
    client.get(&format!("/api/v1/jobs/{job}")).await.json()["state"].clone()
}

/// Asks until the job's files are gone from central's disk; the deadline of each request bounds it.
async fn until_erased(rig: &Rig, auditor: &Client, job: JobId) {
    loop {
        let history = auditor.get(&format!("/api/v1/jobs/{job}/history")).await;
        if history.text.contains("secrets-dropped") {
            break;
        }
    }
    let folder = rig.home.path().join("state/documents");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
}

async fn print(machine: &mut Linked, job: JobId) {
    for state in [JobState::Fetching, JobState::Journalled, JobState::Printing] {
        machine.report(job, state, None);
    }
    let last = machine.report(job, JobState::Printed, None);
    machine.until_acked(last).await;
}

#[tokio::test]
async fn a_document_is_offered_sealed_fetched_by_its_machine_alone_and_known_as_printed() {
    let mut rig = Rig::start().await;
    let (operator, auditor) = (
        client_of(&rig, "operator").await,
        client_of(&rig, "auditor").await,
    );
    let other = rig.enrol("desa-contoh-2", 12);
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let document = fixture("kk-sample-bb.pdf");

    let answer = operator
        .bring(&document, &order("desa-contoh-1"), None)
        .await;
    let job = job_id(&answer);
    assert_eq!(answer.headers["location"], format!("/api/v1/jobs/{job}"));
    assert_eq!(
        answer.json()["document_sha256"],
        Sha256Digest::of(&document).to_string()
    );
    assert_eq!(answer.json()["page_count"], 1);
    assert!(!answer.text.contains(&label()), "no label comes back");

    let order = machine.order().await;
    assert_eq!(order.job_id, job);
    let secrets = machine
        .machine
        .sealing
        .open(&order.binding(), &order.envelope)
        .unwrap();
    assert_eq!(secrets.label, label());
    assert_eq!(state(&operator, job).await, "offered");

    let blob = machine.machine.fetch(job, 0).await.unwrap();
    assert_eq!(Sha256Digest::of(&blob), order.blob.sha256);
    assert_eq!(*secrets.open_document(job, &blob).unwrap(), document);
    assert_eq!(
        machine.machine.fetch(job, 1000).await.unwrap(),
        blob[1000..]
    );
    assert!(matches!(
        other.fetch(job, 0).await,
        Err(FetchError::Forbidden)
    ));

    print(&mut machine, job).await;
    assert_eq!(state(&operator, job).await, "printed");
    until_erased(&rig, &auditor, job).await;
    assert!(matches!(
        machine.machine.fetch(job, 0).await,
        Err(FetchError::Gone)
    ));

    let verdict = auditor.get("/api/v1/history/verdict").await.json();
    assert_eq!(verdict["verdict"], "intact");
    rig.stop().await;
}

#[tokio::test]
async fn nothing_on_disk_at_central_holds_a_canary() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let _machine = rig.enrol("desa-contoh-1", 11);
    let document = fixture("kk-sample-bb.pdf");
    job_id(
        &operator
            .bring(&document, &order("desa-contoh-1"), None)
            .await,
    );
    let canaries = String::from_utf8(fixture("canaries.txt")).unwrap();
    let held = |bytes: &[u8]| {
        canaries
            .lines()
            .filter(|line| !line.is_empty())
            .any(|canary| {
                bytes
                    .windows(canary.len())
                    .any(|window| window == canary.as_bytes())
            })
    };
    assert!(
        held(&document),
        "the control: the document in clear is caught"
    );
    let mut folders = vec![rig.home.path().join("state")];
    let mut file_count = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                file_count += 1;
                assert!(!held(&std::fs::read(&path).unwrap()), "{}", path.display());
            }
        }
    }
    assert!(
        file_count >= 4,
        "database, sealing key, blob and key were looked at"
    );
}

#[tokio::test]
async fn the_same_document_twice_is_answered_with_the_job_it_has() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let _machine = rig.enrol("desa-contoh-1", 11);
    let document = fixture("kk-sample-bb.pdf");
    let order = order("desa-contoh-1");
    let job = job_id(&operator.bring(&document, &order, Some("key-1")).await);

    assert_eq!(
        job_id(&operator.bring(&document, &order, Some("key-1")).await),
        job
    );
    let other = operator
        .bring(&fixture("kk-sample-bt.pdf"), &order, Some("key-1"))
        .await;
    assert_eq!(
        (other.status, other.code().as_str()),
        (422, "IdempotencyMismatch")
    );

    let again = operator.bring(&document, &order, None).await;
    assert_eq!(
        (again.status, again.code().as_str()),
        (409, "AlreadyOrdered")
    );
    assert_eq!(again.json()["detail"]["job_id"], job.to_string());
    assert_eq!(again.json()["detail"]["state"], "created");

    let mut reprint: Value = serde_json::from_str(&order).unwrap();
    reprint["reprint_of"] = json!({ "job": job, "reason": "kertas macet" });
    let second = job_id(&operator.bring(&document, &reprint.to_string(), None).await);
    assert_ne!(second, job);
    let folder = std::fs::read_dir(rig.home.path().join("state/documents")).unwrap();
    assert_eq!(
        folder.count(),
        4,
        "two jobs, a blob and a key each; refused copies are erased"
    );
}

/// Brings each pair and compares status and code; nothing of what was brought comes back or stays.
async fn refuses(rig: &Rig, cases: Vec<(Vec<u8>, String, u16, &str)>) {
    let operator = client_of(rig, "operator").await;
    for (document, order, status, code) in cases {
        let answer = operator.bring(&document, &order, None).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{order:.200}"
        );
        assert!(!answer.text.contains(&label()));
    }
    let folder = std::fs::read_dir(rig.home.path().join("state/documents")).unwrap();
    assert_eq!(folder.count(), 0);
}

#[tokio::test]
async fn documents_that_may_not_be_printed_are_refused_with_their_code() {
    let rig = Rig::start().await;
    let _machine = rig.enrol("desa-contoh-1", 11);
    let (invalid, unsure) = ("SignatureInvalid", "SignatureIndeterminate");
    let mut cases: Vec<_> = [
        ("kk-sample-altered.pdf", invalid),
        ("kk-sample-unsigned.pdf", invalid),
        ("kk-sample-revoked.pdf", unsure),
        ("kk-sample-untrusted.pdf", unsure),
        ("kk-sample-appended.pdf", invalid),
        ("kk-sample-encrypted.pdf", unsure),
    ]
    .map(|(name, code)| (fixture(name), order("desa-contoh-1"), 422, code))
    .into();
    cases.push((b"no PDF".to_vec(), order("desa-contoh-1"), 422, invalid));
    cases.push((Vec::new(), order("desa-contoh-1"), 422, invalid));
    let large = vec![b' '; 8 * 1024 * 1024 + 1];
    cases.push((large, order("desa-contoh-1"), 413, "DocumentTooLarge"));
    refuses(&rig, cases).await;

    let second = Client {
        address: rig.api,
        token: rig.token_named("second", "operator").await,
        tls: None,
    };
    let altered = fixture("kk-sample-altered.pdf");
    let answer = second.bring(&altered, &order("desa-contoh-1"), None).await;
    assert!(
        answer.json()["detail"]["findings"]
            .as_array()
            .unwrap()
            .contains(&json!("V-302"))
    );
    let empty = second.post("/api/v1/documents").await;
    assert_eq!(
        (empty.status, empty.code().as_str()),
        (400, "RequestMalformed")
    );
}

#[tokio::test]
async fn orders_that_cannot_be_followed_are_refused_with_their_code() {
    let rig = Rig::start().await;
    let _machine = rig.enrol("desa-contoh-1", 11);
    let with = |key: &str, value: Value| {
        let mut text: Value = serde_json::from_str(&order("desa-contoh-1")).unwrap();
        text[key] = value;
        text.to_string()
    };
    let job = JobId::from_parts(1_790_000_000_000, [1; 10]);
    let reason = |text: &str| with("reprint_of", json!({ "job": job, "reason": text }));
    let cases = [
        (" ".repeat(64 * 1024 + 1), 413, "OrderTooLarge"),
        ("{".to_owned(), 422, "OrderMalformed"),
        (with("copies", json!(2)), 422, "OrderUnknownKey"),
        (
            with("machine", json!("desa-tidak-ada")),
            422,
            "MachineUnknown",
        ),
        (with("office", json!("kec-contoh")), 422, "OrderTarget"),
        (
            with("not_after", json!("2020-01-01T00:00:00Z")),
            422,
            "OrderExpired",
        ),
        (with("release", json!("code")), 422, "ReleaseUnsupported"),
        (with("class", json!("own")), 422, "OrderOwnClass"),
        (reason("macet\nlagi"), 422, "OrderReprintReasonControl"),
        (reason("macet\u{7}"), 422, "OrderReprintReasonControl"),
        (reason(&"9".repeat(16)), 422, "OrderReprintReasonNumber"),
        (reason(""), 422, "OrderReprintReason"),
    ];
    let good = fixture("kk-sample-bb.pdf");
    let cases = cases.map(|(order, status, code)| (good.clone(), order, status, code));
    refuses(&rig, cases.into()).await;
}

#[tokio::test]
async fn a_cancel_ends_what_no_machine_has_and_asks_the_machine_for_the_rest() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let machine = rig.enrol("desa-contoh-1", 11);
    let document = fixture("kk-sample-bb.pdf");
    let order = order("desa-contoh-1");
    let first = job_id(&operator.bring(&document, &order, None).await);
    let cancelled = operator.post(&format!("/api/v1/jobs/{first}/cancel")).await;
    assert_eq!(
        (cancelled.status, &cancelled.json()["state"]),
        (200, &json!("cancelled"))
    );
    let again = operator.post(&format!("/api/v1/jobs/{first}/cancel")).await;
    assert_eq!(
        (again.status, again.code().as_str()),
        (409, "TooLateToCancel")
    );

    let mut machine = machine.connect().await;
    let second = job_id(&operator.bring(&document, &order, None).await);
    assert_eq!(machine.order().await.job_id, second);
    let held = machine.report(second, JobState::Fetching, None);
    machine.until_acked(held).await;
    let asked = operator
        .post(&format!("/api/v1/jobs/{second}/cancel"))
        .await;
    assert_eq!(
        (asked.status, &asked.json()["cancel_asked"]),
        (202, &json!(true))
    );
    assert_eq!(machine.cancel().await, second);
    let done = machine.report(second, JobState::Cancelled, Some(Reason::ByCentral));
    machine.until_acked(done).await;
    assert_eq!(state(&operator, second).await, "cancelled");
    assert_eq!(
        operator
            .post(&format!("/api/v1/jobs/{second}/answer"))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn machines_and_their_devices_are_known_and_what_cannot_be_read_is_set_aside() {
    let rig = Rig::start().await;
    let it = client_of(&rig, "it").await;
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let seq = machine.say(Report::Device(DeviceReport {
        device: "printer-1".to_owned(),
        state: "stopped".to_owned(),
        reasons: vec!["media-empty-error".to_owned()],
        model: Some("Contoh 1000".to_owned()),
        stock: None,
        at: Timestamp::from_unix_ms(1_790_000_000_000),
    }));
    machine.until_acked(seq).await;
    let machines = it.get("/api/v1/machines").await.json();
    let known = &machines["machines"][0];
    assert_eq!(known["machine"], "desa-contoh-1");
    assert_eq!(known["connectivity"], "online");
    assert_eq!(known["devices"][0]["state"], "stopped");
    let page = it.get("/console/live").await.text;
    assert!(
        page.contains("kertas habis") && page.contains("tersambung"),
        "{page}"
    );

    // Another's signature, then a kind from the future under the next number, then a broken body.
    let topic = Channel::Event("job".to_owned()).topic(&machine.machine.id);
    machine.publish_raw(topic, b"{}".to_vec());
    let epoch = machine.machine.epoch;
    for kind in ["weather", "job"] {
        machine.seq += 1;
        let body = json!({ "epoch": epoch, "seq": machine.seq, "report": { "kind": kind } });
        machine.publish(
            &Channel::Event(kind.to_owned()),
            body.to_string().as_bytes(),
        );
    }
    machine.until_acked(3).await;
    let metrics = it.get("/metrics").await.text;
    for line in [
        "loket_reports_quarantined_total 2",
        "loket_messages_dropped_total 1",
        "loket_machines{connectivity=\"online\"} 1",
        "loket_link_up 1",
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line} in {metrics}"
        );
    }
    assert!(
        !metrics.contains("desa-contoh"),
        "no labels of single machines"
    );
}

#[tokio::test]
async fn an_order_offered_again_carries_the_same_envelope() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    job_id(
        &operator
            .bring(&fixture("kk-sample-bb.pdf"), &order("desa-contoh-1"), None)
            .await,
    );
    let first = machine.order().await;
    // A sync that does not name the job says that the order was lost on its way.
    machine.session_seq = 2;
    machine.say_sync(Vec::new());
    let second = machine.order().await;
    assert_eq!(second.envelope, first.envelope);
    assert!(second.seq > first.seq);
}

#[tokio::test]
async fn a_pair_in_the_intake_folder_is_taken_and_a_bad_one_rejected_with_its_reason() {
    let rig = Rig::start_with(|settings| {
        settings
            + "[intake]\nfolder = \"masuk\"\nsettle_ms = 20\nreject_after_ms = 60\npoll_ms = 10\n"
    })
    .await;
    let operator = client_of(&rig, "operator").await;
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let folder = rig.home.path().join("masuk");
    std::fs::write(folder.join("b.pdf"), fixture("kk-sample-altered.pdf")).unwrap();
    std::fs::write(folder.join("b.json"), order("desa-contoh-1")).unwrap();
    std::fs::write(folder.join("a.pdf"), fixture("kk-sample-bb.pdf")).unwrap();
    let toml = "version = 1\nreference = \"KK-1\"\nservice = \"kk\"\noffice = \"kec-contoh\"\n";
    std::fs::write(folder.join("a.toml"), toml).unwrap();
    let order = machine.order().await;
    assert_eq!(order.reference.as_str(), "KK-1");
    let reason = folder.join("rejected/b.reason.txt");
    while !reason.exists() || folder.join("b.json").exists() || folder.join("a.toml").exists() {
        assert_eq!(operator.get("/healthz").await.status, 200);
    }
    assert!(
        std::fs::read_to_string(reason)
            .unwrap()
            .starts_with("SignatureInvalid: ")
    );
    assert!(folder.join("rejected/b.pdf").exists() && folder.join("rejected/b.json").exists());
    assert!(!folder.join("a.pdf").exists() && !folder.join("rejected/a.pdf").exists());
}
