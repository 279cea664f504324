//! What a machine asks about records of printed sheets, by curl.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use loket_daemon::identity::OsRandom;
use loket_demo::site::{Machine, text};
use loket_paper::{fingerprint, raster};
use loket_tests::curl::Curl;
use loket_wire::sealed::{AUDIT, RecordBinding, SealingPublic};
use loket_wire::{MatchRecord, RecordPage, Sha256Digest, Timestamp};

use super::super::ID;
use super::{Ask, Jobs, NONE, Office, SAMPLE_KK, as_machine};

/// Records of sheets: handed in for a job that has not printed, so that the daemon hands in none of its own.
pub(super) async fn asks(
    curl: &Curl,
    machine: &Machine,
    jobs: &Jobs,
    scratch: &Path,
) -> anyhow::Result<Vec<Ask>> {
    let own = as_machine(machine)?;
    let own = own.each_ref().map(String::as_str);
    let key = Ask::new("get", "/machine/v1/audit-key", 200).with(&own);
    let heard = key.send(curl).await?.json()?;
    let public = heard["public_key"].as_str().context("read a key")?;
    let (id, job) = (ID.parse()?, jobs.held.parse()?);
    let binding = RecordBinding {
        recipient: AUDIT,
        machine: &id,
        job,
    };
    let page = raster::render(SAMPLE_KK, 0, fingerprint::DPI)?;
    let record = MatchRecord {
        job_id: job,
        revision_sha256: Sha256Digest::of(b"a revision"),
        made_at: Timestamp::UNIX_EPOCH,
        fonts_inside: true,
        codes: Vec::new(),
        pages: vec![RecordPage {
            fingerprint: fingerprint::of(&page)?.to_bytes(),
        }],
    };
    let sealed = SealingPublic::parse(public)?.seal_record(
        &binding,
        &record.encode()?,
        &mut OsRandom::default(),
    )?;
    let file = |name: &str, bytes: &[u8]| {
        let path = scratch.join(name);
        fs::write(&path, bytes)?;
        anyhow::Ok(format!("@{}", text(&path)))
    };
    let (good, bad) = (file("good", &sealed)?, file("bad", b"no record")?);
    // Its key id is another one.
    let mut elsewhere = sealed.clone();
    if let Some(byte) = elsewhere.get_mut(4) {
        *byte ^= 1;
    }
    let other_key = file("other-key", &elsewhere)?;
    let (long, long_ask) = (vec![0; 3 << 20], vec![b' '; 3 << 20]);
    let (long, long_ask) = (file("long", &long)?, file("long-ask", &long_ask)?);
    let put = |status, job: &str, body: &str| {
        Ask::new("put", "/machine/v1/records/{job}", status)
            .of(job)
            .with(&own)
            .with(&["--data-binary", body])
    };
    let find = |status, body: &str| {
        Ask::new("post", "/machine/v1/records/find", status)
            .with(&own)
            .with(&["--data-binary", body])
    };
    let asked = format!(r#"{{"version":1,"job_id":"{}","by":"siti"}}"#, jobs.held);
    Ok(vec![
        key,
        put(400, "%FF", &good),
        put(403, &jobs.waiting, &good),
        put(404, NONE, &good),
        put(413, &jobs.held, &long),
        put(422, &jobs.held, &bad),
        put(409, &jobs.held, &other_key),
        put(201, &jobs.held, &good),
        put(200, &jobs.held, &good),
        find(400, "{}"),
        find(413, &long_ask),
        find(200, &asked),
    ])
}

/// What people ask about a doubted sheet: the one of the record above.
pub(super) fn asks_of_sheets(office: &Office, jobs: &Jobs) -> anyhow::Result<Vec<Ask>> {
    let tokens = &office.world.tokens;
    let page = raster::render(SAMPLE_KK, 0, 200)?;
    let scan = office.part("scan", "image/png", &raster::png(&page)?)?;
    let bad = office.part("bad", "image/png", b"no picture")?;
    let bad = bad.replacen("bad=", "scan=", 1);
    let large = office.part("large", "image/png", &vec![0; 17 << 20])?;
    let large = large.replacen("large=", "scan=", 1);
    let ask = |status, scan: &str, job: &str| {
        let job = format!("job_id={job}");
        Ask::new("post", "/api/v1/records/compare", status).with(&[
            "-F",
            scan,
            "-F",
            "reason=surat 12",
            "-F",
            &job,
        ])
    };
    Ok(vec![
        ask(200, &scan, &jobs.held).by(&tokens.operator),
        Ask::new("post", "/api/v1/records/compare", 400)
            .by(&tokens.operator)
            .with(&["-d", "{}"]),
        ask(401, &scan, &jobs.held),
        ask(403, &scan, &jobs.held).by(&tokens.it),
        ask(404, &scan, NONE).by(&tokens.operator),
        ask(413, &large, &jobs.held).by(&tokens.operator),
        ask(422, &bad, &jobs.held).by(&tokens.operator),
    ])
}
