//! A doubted sheet at central's own door and page: held against its record by a person with a reason, found by its job
//! or its code, whatever the scan is made of.

use hyper::Method;
use loket_paper::raster::{self, Gray};
use loket_store::{RecordRow, SqliteStore, Store};
use loket_wire::{JobId, JobState, Sha256Digest, Timestamp};
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::client_of;
use crate::described::{Ask, Described, NONE};
use crate::machine::Linked;
use crate::openapi::Jobs;
use crate::records::{
    CARD, PAGE, ask, at_machines_door, files_with, hand_in, printed, question, sealed, told,
};
use crate::rig::{Rig, fixture};
use crate::scans::{REASON, forged, form, pdf_form, scan_of};

const DOOR: &str = "/api/v1/records/compare";

async fn compare(client: &Client, scan: &[u8], job: &str) -> Answer {
    let (kind, body) = form(scan, REASON, job);
    let path = format!("{DOOR}?pictures=true");
    let kind = [("content-type", kind.as_str())];
    client.send(Method::POST, &path, &kind, body).await
}

/// A rig in which a card was printed and its record is kept.
async fn with_record() -> (Rig, Client, Linked, JobId) {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let (linked, job) = printed(&rig, &operator).await;
    let door = at_machines_door(&linked.machine);
    let key = door.get("/machine/v1/audit-key").await.json();
    let bytes = sealed(&linked.machine, job, &key, 1);
    assert_eq!(hand_in(&door, job, bytes).await.status, 201);
    (rig, operator, linked, job)
}

fn picture(answer: &Value, name: &str) -> Gray {
    let text = answer["pictures"][name].as_str().unwrap();
    let bytes = data_encoding::BASE64.decode(text.as_bytes()).unwrap();
    raster::image(&bytes).unwrap()
}

#[tokio::test]
async fn a_sheet_is_the_same_or_differs_and_who_looked_and_why_is_written_down() {
    let (rig, operator, _linked, job) = with_record().await;
    let (same, changed) = (scan_of(&fixture(CARD), 2_002), scan_of(&forged(), 2_002));
    let named = job.to_string();
    // By the code on it, then by its job.
    let answer = compare(&operator, &same, "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let said = answer.json();
    assert_eq!(
        (&said["verdict"], &said["page"]),
        (&json!("same"), &json!(1))
    );
    assert_eq!(said["job_id"], named.as_str());
    let said = compare(&operator, &changed, &named).await.json();
    assert_eq!(said["verdict"], "different", "{said}");
    assert!(!said["regions"].as_array().unwrap().is_empty());
    let (sheet, record) = (picture(&said, "sheet"), picture(&said, "record"));
    assert_eq!((sheet.width, sheet.height), (record.width, record.height));
    assert!(!said["pictures"]["cuts"].as_array().unwrap().is_empty());
    // Scanners give PDFs as well: the sheet stands on the page that is named.
    let (kind, body) = pdf_form(&same, &named);
    let kind = [("content-type", kind.as_str())];
    let said = operator.send(Method::POST, DOOR, &kind, body).await.json();
    assert_eq!(said["verdict"], "same", "{said}");
    // Without a wish no picture leaves central.
    assert_eq!(said["pictures"], Value::Null);

    let history = operator.get(&format!("/api/v1/jobs/{job}/history")).await;
    let history = history.json();
    let rows = history["rows"].as_array().unwrap();
    let looks = rows.iter().filter(|row| row["kind"] == "record-shown");
    let looks: Vec<_> = looks
        .map(|row| (&row["actor"], &row["body"]["reason"]))
        .collect();
    assert_eq!(looks, vec![(&json!("token:operator"), &json!(REASON)); 3]);
    let page = operator.get(&format!("/jobs/{job}")).await.text;
    assert!(page.contains(REASON) && page.contains(&format!("/paper?job={job}")));
    let numbers = operator.get("/metrics").await.text;
    for line in [
        "loket_paper_questions_total{at=\"central\",outcome=\"same\"} 2",
        "loket_paper_questions_total{at=\"central\",outcome=\"different\"} 1",
        "loket_records_handed_in_total{outcome=\"kept\"} 1",
        "loket_intake_verdicts_total{verdict=\"valid\"} 1",
    ] {
        assert!(numbers.contains(line), "{line} is not in {numbers}");
    }
    // Of the record and of the scan nothing lies anywhere.
    let middle = &same[same.len() / 2..][..64];
    for secret in [PAGE.as_slice(), middle] {
        assert_eq!(files_with(rig.home.path(), secret), 0);
    }
}

#[tokio::test]
async fn the_page_shows_both_pictures_once_and_says_what_to_do() {
    let (_rig, operator, _linked, job) = with_record().await;
    let page = operator.get(&format!("/paper?job={job}")).await;
    assert!(
        page.text.contains(&format!("value=\"{job}\"")),
        "{}",
        page.text
    );
    let policy = |answer: &Answer| {
        answer.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert!(!policy(&page).contains("img-src"));
    let send = async |scan: &[u8], reason: &str| {
        let (kind, body) = form(scan, reason, "");
        let kind = [("content-type", kind.as_str()), ("accept", "text/html")];
        operator.send(Method::POST, "/paper", &kind, body).await
    };
    let answer = send(&scan_of(&forged(), 2_002), REASON).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(policy(&answer).contains("img-src data:"));
    assert_eq!(answer.headers["cache-control"], "no-store");
    for part in [
        "<h1>BERBEDA</h1>",
        "data:image/jpeg;base64,",
        "Di kertas",
        "Saat dicetak",
    ] {
        assert!(answer.text.contains(part), "{part}");
    }
    let answer = send(&scan_of(&fixture(CARD), 2_002), REASON).await;
    assert!(answer.text.contains("<h1>SAMA</h1>"), "{}", answer.status);
    let blank = raster::png(&Gray {
        width: 1_654,
        height: 2_339,
        pixels: vec![250; 1_654 * 2_339],
        dpi: Some(200),
    });
    let answer = send(&blank.unwrap(), REASON).await;
    assert!(
        answer.status == 422 && answer.text.contains("SheetUnnamed"),
        "{answer:?}"
    );
    let answer = send(b"no picture", "").await;
    assert!(
        answer.status == 422 && answer.text.contains("LookReason"),
        "{answer:?}"
    );
    let answer = send(b"no picture", REASON).await;
    assert!(
        answer.status == 422 && answer.text.contains("ScanUnreadable"),
        "{answer:?}"
    );
    let live = operator.get("/").await.text;
    assert!(live.contains("href=\"/paper\""));
}

#[tokio::test]
async fn a_hostile_scan_ends_its_own_process_and_nobody_elses() {
    let (_rig, operator, _linked, job) = with_record().await;
    let job = job.to_string();
    // A picture of 36 million pixels is within the bounds, and takes the most of everything.
    let large = raster::png(&Gray {
        width: 6_000,
        height: 6_000,
        pixels: (0..36_000_000_u32)
            .map(|at| if at % 6_000 / 100 % 8 == 0 { 0 } else { 255 })
            .collect(),
        dpi: None,
    })
    .unwrap();
    let cut = large[..large.len() / 2].to_vec();
    for (what, scan, codes) in [
        ("large", &large, ["", "ScanNotCompared"]),
        ("cut", &cut, ["ScanUnreadable", ""]),
    ] {
        let answer = compare(&operator, scan, &job).await;
        let said = answer.json();
        let code = match answer.status {
            200 => "",
            _refused => said["code"].as_str().unwrap(),
        };
        assert!(codes.contains(&code), "{what}: {answer:?}");
    }
    let answer = compare(&operator, &scan_of(&fixture(CARD), 2_002), &job).await;
    assert_eq!(answer.json()["verdict"], "same");
}

#[tokio::test]
async fn an_exchanged_audit_key_opens_and_finds_what_was_sealed_to_it_as_long_as_it_is_named() {
    let (mut rig, operator, linked, job) = with_record().await;
    let machine = linked.machine;
    let key = at_machines_door(&machine)
        .get("/machine/v1/audit-key")
        .await
        .json();
    let same = scan_of(&fixture(CARD), 2_002);
    rig.stop().await;
    let state = rig.home.path().join("state");
    std::fs::rename(state.join("audit.key"), state.join("audit-2026.key")).unwrap();
    let path = rig.home.path().join("central.toml");
    let settings = std::fs::read_to_string(&path).unwrap();
    let named = "[identity]\nold_audit_keys = [\"state/audit-2026.key\"]\n";
    std::fs::write(&path, settings.replace("[identity]\n", named)).unwrap();
    rig.run().await;
    let operator = Client {
        address: rig.api,
        ..operator
    };
    let machine = rig.moved(machine);
    let door = at_machines_door(&machine);
    let newest = door.get("/machine/v1/audit-key").await.json();
    assert_ne!(newest["key_id"], key["key_id"]);
    // Found by its code, whose digest in the store is by the old key.
    let answer = compare(&operator, &same, "").await;
    assert_eq!(answer.json()["verdict"], "same", "{answer:?}");
    let answer = ask(&door, &question(None)).await;
    assert_eq!(told(&machine, &answer).len(), 1);
    let second = another_printed(&operator, &machine).await;
    let late = hand_in(&door, second, sealed(&machine, second, &key, 3)).await;
    assert_eq!(late.status, 201, "{late:?}");

    // Nobody named it after all.
    rig.stop().await;
    std::fs::write(&path, settings).unwrap();
    rig.run().await;
    let operator = Client {
        address: rig.api,
        ..operator
    };
    let machine = rig.moved(machine);
    let door = at_machines_door(&machine);
    let answer = compare(&operator, &same, &job.to_string()).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (500, "RecordNotOpened")
    );
    let third = another_printed(&operator, &machine).await;
    let refused = hand_in(&door, third, sealed(&machine, third, &key, 4)).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (409, "RecordOtherKey")
    );
    let sound = hand_in(&door, third, sealed(&machine, third, &newest, 5)).await;
    assert_eq!(sound.status, 201);
    let numbers = operator.get("/metrics").await.text;
    for line in [
        "loket_records_handed_in_total{outcome=\"other-key\"} 1",
        "loket_paper_questions_total{at=\"central\",outcome=\"not-opened\"} 1",
    ] {
        assert!(numbers.contains(line), "{line} is not in {numbers}");
    }
}

/// One more job at the machine; a record is taken whether it printed yet or not.
async fn another_printed(operator: &Client, machine: &crate::machine::Machine) -> JobId {
    let list = operator.get("/api/v1/jobs?limit=1").await.json();
    let last = list["jobs"][0]["job_id"].as_str().unwrap().to_owned();
    let mut order: Value = serde_json::from_str(&crate::order(machine.id.as_str())).unwrap();
    order["reprint_of"] = json!({ "job": last, "reason": "kertas rusak" });
    let document = fixture("kk-sample-bb.pdf");
    crate::job_id(&operator.bring(&document, &order.to_string(), None).await)
}

#[tokio::test]
async fn records_past_their_time_go_in_rounds_and_their_lines_stay() {
    let (mut rig, operator, linked, job) = with_record().await;
    let mut jobs = Vec::new();
    for _more in 0..70 {
        jobs.push(another_printed(&operator, &linked.machine).await);
    }
    rig.stop().await;
    let state = rig.home.path().join("state");
    let kept = std::fs::read(state.join(format!("records/{job}.rec"))).unwrap();
    let store = SqliteStore::open(&state.join("central.db")).unwrap();
    let row = store.record(job).unwrap().unwrap();
    let past = |job: JobId| RecordRow {
        job,
        keep_until: Timestamp::from_unix_ms(row.received_at.unix_ms() - 1),
        sha256: Sha256Digest::of(&kept),
        ..row.clone()
    };
    // More than one round takes.
    for job in &jobs {
        let past = past(*job);
        std::fs::write(state.join(format!("records/{job}.rec")), &kept).unwrap();
        store.put_record(&past, &[]).unwrap();
    }
    drop(store);
    rig.run().await;
    let operator = Client {
        address: rig.api,
        ..operator
    };
    let files = || std::fs::read_dir(state.join("records")).unwrap().count();
    while files() > 1 {
        operator.get("/healthz").await;
    }
    let answer = compare(&operator, &scan_of(&fixture(CARD), 2_002), &job.to_string()).await;
    assert_eq!(answer.json()["verdict"], "same", "its time is not over");
    let ended = jobs[7];
    let answer = compare(
        &operator,
        &scan_of(&fixture(CARD), 2_002),
        &ended.to_string(),
    )
    .await;
    assert_eq!(answer.code(), "RecordNone");
    let auditor = client_of(&rig, "auditor").await;
    let history = auditor.get("/api/v1/history").await.json();
    let rows = history["rows"].as_array().unwrap();
    let taken = rows.iter().filter(|row| row["kind"] == "record-kept");
    assert_eq!(taken.count(), 71);
}

#[tokio::test]
async fn a_record_that_finds_no_room_is_refused_and_taken_once_there_is() {
    let mut rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let (linked, job) = printed(&rig, &operator).await;
    let machine = linked.machine;
    let key = at_machines_door(&machine)
        .get("/machine/v1/audit-key")
        .await
        .json();
    rig.stop().await;
    let path = rig.home.path().join("central.toml");
    let settings = std::fs::read_to_string(&path).unwrap();
    let full = "[store]\ndisk_reserve_mib = 8796093022208\n";
    std::fs::write(&path, format!("{settings}{full}")).unwrap();
    rig.run().await;
    let machine = rig.moved(machine);
    let answer = hand_in(
        &at_machines_door(&machine),
        job,
        sealed(&machine, job, &key, 1),
    )
    .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (507, "StorageFull")
    );
    let records = rig.home.path().join("state/records");
    assert_eq!(std::fs::read_dir(&records).unwrap().count(), 0);
    rig.stop().await;
    std::fs::write(&path, settings).unwrap();
    rig.run().await;
    let machine = rig.moved(machine);
    let answer = hand_in(
        &at_machines_door(&machine),
        job,
        sealed(&machine, job, &key, 1),
    )
    .await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

/// What is described of these doors is answered, and as it is described.
pub(crate) async fn ask_about_sheets(rig: &Rig, operator: &Client, jobs: &Jobs, d: &mut Described) {
    let stranger = Client {
        token: String::new(),
        ..operator.clone()
    };
    let auditor = Client {
        token: rig.token_named("kertas", "auditor").await,
        ..stranger.clone()
    };
    assert_eq!(
        jobs.printed.parse::<JobId>().map(|_job| JobState::Printed),
        Ok(JobState::Printed)
    );
    let scan = scan_of(&fixture(CARD), 2_002);
    let long = vec![b'x'; 17 << 20];
    let text = [("accept", "text/html"), ("accept", "application/json")];
    for ((path, refused), accept) in [("/paper", 303), (DOOR, 401)].into_iter().zip(text) {
        let ask = |client| {
            let ask = Ask::new(client, "post", path);
            ask.with(accept.0, accept.1)
        };
        ask(&stranger).get(d, refused).await;
        ask(&auditor).get(d, 403).await;
        for (scan, reason, job, status) in [
            (scan.as_slice(), REASON, jobs.printed.as_str(), 200),
            (&scan, REASON, NONE, 404),
            (&long, REASON, "", 413),
            (b"no picture", REASON, "", 422),
            (&scan, "", "", 422),
        ] {
            let (kind, body) = form(scan, reason, job);
            let asked = ask(operator).with("content-type", &kind).bytes(&body);
            asked.get(d, status).await;
        }
        ask(operator).bytes(b"{}").get(d, 400).await;
    }
    let (kind, body) = form(&scan, REASON, &jobs.printed);
    let ask = |query| {
        let ask = Ask::new(operator, "post", DOOR).query(query);
        ask.with("content-type", &kind).bytes(&body)
    };
    ask("?pictures=true").get(d, 200).await;
    ask("?pictures=two").get(d, 400).await;
    let ask = |client| Ask::new(client, "get", "/paper");
    ask(operator).get(d, 200).await;
    ask(operator).query("?colour=red").get(d, 400).await;
    ask(&stranger).get(d, 303).await;
    ask(&auditor).get(d, 403).await;
}
