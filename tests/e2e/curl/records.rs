//! What a machine asks about records of printed sheets, by curl.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use loket_daemon::identity::OsRandom;
use loket_demo::site::{Machine, text};
use loket_tests::curl::Curl;
use loket_wire::sealed::{AUDIT, RecordBinding, SealingPublic};
use loket_wire::{MatchRecord, Sha256Digest, Timestamp};

use super::super::ID;
use super::{Ask, Jobs, NONE, as_machine};

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
    let record = MatchRecord {
        job_id: job,
        revision_sha256: Sha256Digest::of(b"a revision"),
        made_at: Timestamp::UNIX_EPOCH,
        fonts_inside: true,
        codes: Vec::new(),
        pages: Vec::new(),
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
        put(201, &jobs.held, &good),
        put(200, &jobs.held, &good),
        find(400, "{}"),
        find(413, &long_ask),
        find(200, &asked),
    ])
}
