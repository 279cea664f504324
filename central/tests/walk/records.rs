//! Records of printed sheets: handed in sealed, kept as the office says, told to a machine that asks, ended.

use std::path::Path;
use std::sync::LazyLock;

use hyper::Method;
use loket_paper::fingerprint;
use loket_paper::raster;
use loket_wire::sealed::{AUDIT, RecordBinding, SealingPublic};
use loket_wire::{JobId, JobState, MatchRecord, Randomness, RecordPage, Sha256Digest, Timestamp};
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::described::{Ask, Described, NONE};
use crate::machine::{Linked, Machine};
use crate::openapi::Jobs;
use crate::rig::{Rig, fixture};
use crate::{client_of, job_id, order};

/// What a QR code on the card says, beside the one that is on its page.
const CODE: &[u8] = b"https://layananonline.dukcapil.kemendagri.go.id/x/NII3578_contoh";

/// What the card's page is reduced to.
pub(crate) static PAGE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let page = raster::render(&fixture(CARD), 0, fingerprint::DPI).unwrap();
    fingerprint::of(&page).unwrap().to_bytes()
});

/// What the QR code on the card's page says.
static ITS_CODE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let page = raster::render(&fixture(CARD), 0, 200).unwrap();
    let read = loket_qr::read(
        page.width,
        page.height,
        &page.pixels,
        loket_qr::Effort::Page,
    );
    read.unwrap().codes[0].payload.as_bytes().to_vec()
});

/// A card that brings its fonts along.
pub(crate) const CARD: &str = "kk-embedded-unsigned.pdf";

struct Counting(u8);

impl Randomness for Counting {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_mul(5).wrapping_add(113);
            *byte = self.0;
        }
    }
}

pub(crate) fn record(job: JobId) -> MatchRecord {
    MatchRecord {
        job_id: job,
        revision_sha256: Sha256Digest::of(b"the signed revision"),
        made_at: Timestamp::from_unix_ms(1_790_000_000_000),
        fonts_inside: true,
        codes: vec![CODE.to_vec(), ITS_CODE.clone()],
        pages: vec![RecordPage {
            fingerprint: PAGE.clone(),
        }],
    }
}

/// The client that a machine is at its listener.
pub(crate) fn at_machines_door(machine: &Machine) -> Client {
    Client {
        address: machine.documents,
        tls: Some(machine.tls.clone()),
        token: String::new(),
    }
}

pub(crate) fn sealed(machine: &Machine, job: JobId, key: &Value, seed: u8) -> Vec<u8> {
    let public = SealingPublic::parse(key["public_key"].as_str().unwrap()).unwrap();
    assert_eq!(public.key_id().to_string(), key["key_id"]);
    let binding = RecordBinding {
        recipient: AUDIT,
        machine: &machine.id,
        job,
    };
    let plain = record(job).encode().unwrap();
    public
        .seal_record(&binding, &plain, &mut Counting(seed))
        .unwrap()
}

pub(crate) fn question(job: Option<JobId>) -> String {
    let codes = [Sha256Digest::of(CODE).to_string()];
    match job {
        Some(job) => json!({ "version": 1, "job_id": job, "by": "siti" }).to_string(),
        None => json!({ "version": 1, "codes_sha256": codes, "by": "siti" }).to_string(),
    }
}

/// Opens what the answer tells the machine.
pub(crate) fn told(machine: &Machine, answer: &Answer) -> Vec<MatchRecord> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let body = answer.json();
    let open = |told: &Value| {
        let job = told["job_id"].as_str().unwrap().parse().unwrap();
        let sealed = data_encoding::BASE64
            .decode(told["sealed"].as_str().unwrap().as_bytes())
            .unwrap();
        let binding = RecordBinding {
            recipient: machine.id.as_str(),
            machine: &machine.id,
            job,
        };
        let plain = machine.sealing.open_record(&binding, &sealed).unwrap();
        MatchRecord::decode(&plain).unwrap()
    };
    body["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(open)
        .collect()
}

pub(crate) async fn ask(client: &Client, question: &str) -> Answer {
    let kind = [("content-type", "application/json")];
    let body = question.as_bytes().to_vec();
    client
        .send(Method::POST, "/machine/v1/records/find", &kind, body)
        .await
}

pub(crate) async fn hand_in(client: &Client, job: JobId, sealed: Vec<u8>) -> Answer {
    let path = format!("/machine/v1/records/{job}");
    client.send(Method::PUT, &path, &[], sealed).await
}

/// How many files under `folder` hold `bytes`.
pub(crate) fn files_with(folder: &Path, bytes: &[u8]) -> usize {
    let entries = std::fs::read_dir(folder).unwrap();
    let holds = |path: &Path| {
        let content = std::fs::read(path).unwrap_or_default();
        content.windows(bytes.len()).any(|window| window == bytes)
    };
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| match path.is_dir() {
            true => files_with(&path, bytes),
            false => usize::from(holds(&path)),
        })
        .sum()
}

/// A machine that printed a card.
pub(crate) async fn printed(rig: &Rig, client: &Client) -> (Linked, JobId) {
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let order = order("desa-contoh-1");
    let job = job_id(
        &client
            .bring(&fixture("kk-sample-bb.pdf"), &order, None)
            .await,
    );
    machine.report(job, JobState::Journalled, None);
    let seq = machine.report(job, JobState::Printed, None);
    machine.until_acked(seq).await;
    (machine, job)
}

#[tokio::test]
async fn a_doubted_sheet_finds_its_record_at_any_machine_and_the_look_is_written_down() {
    let mut rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let (linked, job) = printed(&rig, &operator).await;
    let machine = &linked.machine;
    let door = at_machines_door(machine);
    let key = door.get("/machine/v1/audit-key").await.json();
    let first = hand_in(&door, job, sealed(machine, job, &key, 1)).await;
    assert_eq!((first.status, &first.json()["kept"]), (201, &json!(true)));
    // Power went away before the machine heard that.
    let again = hand_in(&door, job, sealed(machine, job, &key, 2)).await;
    assert_eq!((again.status, again.json()), (200, first.json()));

    // Central was started anew: its key is the same.
    rig.stop().await;
    rig.run().await;
    let other = rig.enrol("desa-contoh-2", 12);
    let others = at_machines_door(&other);
    let operator = Client {
        address: rig.api,
        ..operator
    };
    for asked in [question(None), question(Some(job))] {
        let answer = ask(&others, &asked).await;
        assert_eq!(told(&other, &answer), [record(job)], "{asked}");
    }
    let code = Sha256Digest::of(b"what another document says");
    let unknown = json!({ "version": 1, "codes_sha256": [code], "by": "siti" });
    let answer = ask(&others, &unknown.to_string()).await;
    assert!(told(&other, &answer).is_empty());

    let path = format!("/api/v1/jobs/{job}/history");
    let history = operator.get(&path).await.json();
    let rows = history["rows"].as_array().unwrap();
    let by = |kind: &str| {
        let rows = rows.iter().filter(|row| row["kind"] == kind);
        rows.map(|row| row["actor"].as_str().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(by("record-kept"), ["machine:desa-contoh-1"]);
    assert_eq!(by("record-shown"), ["officer:siti@desa-contoh-2"; 2]);
    // On central's disk it stands sealed.
    let code = Sha256Digest::of(CODE);
    for secret in [
        PAGE.as_slice(),
        CODE,
        &ITS_CODE,
        code.as_bytes(),
        code.to_string().as_bytes(),
    ] {
        assert_eq!(files_with(rig.home.path(), secret), 0);
    }
    let control = job.to_string();
    assert_ne!(files_with(rig.home.path(), control.as_bytes()), 0);
}

#[tokio::test]
async fn an_office_that_keeps_no_records_takes_none() {
    let rig = Rig::start().await;
    let offices = rig.home.path().join("offices.toml");
    let text = std::fs::read_to_string(&offices).unwrap();
    std::fs::write(&offices, format!("{text}paper_days = 0\n")).unwrap();
    let operator = client_of(&rig, "operator").await;
    let (linked, job) = printed(&rig, &operator).await;
    let door = at_machines_door(&linked.machine);
    let key = door.get("/machine/v1/audit-key").await.json();
    let bytes = sealed(&linked.machine, job, &key, 1);
    let answer = hand_in(&door, job, bytes).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), json!({ "kept": false, "until": null }));
    let answer = ask(&door, &question(Some(job))).await;
    assert!(told(&linked.machine, &answer).is_empty());
}

/// What is described of these doors is answered, and as it is described.
pub(crate) async fn ask_with_records(rig: &Rig, jobs: &Jobs, d: &mut Described) {
    let machine = &jobs.machine.machine;
    let door = at_machines_door(machine);
    // Vouched for by the authority, and enrolled here under another key or not at all.
    let pair = rig.authority.issue("desa-lain-9", 99);
    let stranger = Client {
        tls: Some(rig.authority.client_tls(&pair)),
        ..door.clone()
    };
    let (key, find) = ("/machine/v1/audit-key", "/machine/v1/records/find");
    Ask::new(&stranger, "get", key).get(d, 403).await;
    let key = Ask::new(&door, "get", key).get(d, 200).await.json();

    let put = |id| Ask::new(&door, "put", "/machine/v1/records/{job}").of(id);
    let job: JobId = jobs.printed.parse().unwrap();
    let bytes = sealed(machine, job, &key, 1);
    let long = vec![0; 2 << 20];
    put("%FF").get(d, 400).await;
    put(NONE).get(d, 404).await;
    put(&jobs.waiting_too).get(d, 403).await;
    put(&jobs.printed).bytes(&long).get(d, 413).await;
    put(&jobs.printed).bytes(b"no record").get(d, 422).await;
    put(&jobs.held).bytes(&bytes).get(d, 422).await;
    let mut elsewhere = bytes.clone();
    elsewhere[4] ^= 1;
    put(&jobs.printed).bytes(&elsewhere).get(d, 409).await;
    put(&jobs.printed).bytes(&bytes).get(d, 201).await;
    put(&jobs.printed).bytes(&bytes).get(d, 200).await;

    let question = question(None);
    let ask = |client, body| Ask::new(client, "post", find).json(body);
    ask(&stranger, &question).get(d, 403).await;
    for bad in ["{}", r#"{"version":2,"by":"siti"}"#] {
        ask(&door, bad).get(d, 400).await;
    }
    let long = " ".repeat(1 << 20);
    ask(&door, &long).get(d, 413).await;
    let answer = ask(&door, &question).get(d, 200).await;
    assert_eq!(told(machine, &answer).len(), 1);
}
