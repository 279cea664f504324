//! The main job without a person: the sample family card goes from central to paper, and everything said about it
//! must hold.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde::Serialize;

use crate::http;
use crate::site::Site;

/// The sample family card and its order; every name and number in them is fictitious.
pub const SAMPLE_KK: &[u8] = include_bytes!("../../tests/fixtures/kk-sample-bb.pdf");

/// The sample's order.
pub const SAMPLE_ORDER: &str = include_str!("../../tests/fixtures/order.json");

/// The machine the sample's order names.
pub const SAMPLE_MACHINE: &str = "desa-contoh-1";

/// From intake to printed; the demo's printer takes no time, a loaded machine some seconds.
const DEADLINE: Duration = Duration::from_secs(60);

/// What `summary.json` says.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// The job.
    pub job_id: String,
    /// Its state at central.
    pub state: String,
    /// The document as it was handed in.
    pub document_sha256: String,
    /// Its signed revision, as central judged it.
    pub revision_sha256: String,
    /// What the printer got.
    pub received_sha256: String,
    /// Sheets the printer counted.
    pub sheets: u64,
    /// How long each part took.
    pub timings_ms: Timings,
}

/// Milliseconds from handing the document in.
#[derive(Debug, Serialize)]
pub struct Timings {
    /// Until central had verified, sealed and answered.
    pub accepted: u64,
    /// Until central knew it printed.
    pub printed: u64,
}

/// Runs the job and writes `summary.json` and `received.pdf` to `out`.
///
/// # Errors
/// When any part of it did not hold.
pub async fn run(
    site: &Site,
    token: &str,
    printer: &str,
    kept: &Path,
    out: &Path,
) -> anyhow::Result<Summary> {
    std::fs::create_dir_all(out).with_context(|| format!("make {}", out.display()))?;
    let started = Instant::now();
    let answer = http::post_document(&site.api(), token, SAMPLE_KK, SAMPLE_ORDER, None).await?;
    let accepted = answer.json().context("hand the sample in")?;
    let accepted_ms = millis(started);
    let job_id = word(&accepted, "job_id")?;
    let ends = [
        "printed",
        "failed",
        "rejected",
        "expired",
        "cancelled",
        "unknown",
    ];
    let job = site.wait_for_job(token, &job_id, &ends, DEADLINE).await?;
    let printed_ms = millis(started);
    let report = printer_report(printer).await?;
    let received = report
        .get("printed_sha256")
        .and_then(serde_json::Value::as_array)
        .cloned()
        .unwrap_or_default();
    let Some(received) = received.last().and_then(serde_json::Value::as_str) else {
        bail!(
            "the job is {} and the printer printed nothing",
            word(&job, "state")?
        );
    };
    let summary = Summary {
        job_id,
        state: word(&job, "state")?,
        document_sha256: word(&job, "document_sha256")?,
        revision_sha256: word(&job, "revision_sha256")?,
        received_sha256: received.to_owned(),
        sheets: report
            .get("sheets")
            .and_then(serde_json::Value::as_u64)
            .unwrap_or_default(),
        timings_ms: Timings {
            accepted: accepted_ms,
            printed: printed_ms,
        },
    };
    let json = serde_json::to_string_pretty(&summary)?;
    std::fs::write(out.join("summary.json"), json).context("write summary.json")?;
    copy_received(kept, &out.join("received.pdf"), &summary.received_sha256)?;
    check(&summary)?;
    Ok(summary)
}

fn check(summary: &Summary) -> anyhow::Result<()> {
    let sample = hex(SAMPLE_KK);
    ensure!(
        summary.state == "printed",
        "the job is {}, not printed",
        summary.state
    );
    ensure!(
        summary.document_sha256 == sample,
        "central tracked another document than was handed in"
    );
    ensure!(
        summary.received_sha256 == summary.revision_sha256,
        "the printer got other bytes than the signed revision"
    );
    ensure!(
        summary.sheets == 1,
        "{} sheets came out of one",
        summary.sheets
    );
    Ok(())
}

/// What the simulated printer at `uri` says of itself.
///
/// # Errors
/// When it does not answer.
pub async fn printer_report(uri: &str) -> anyhow::Result<serde_json::Value> {
    let rest = uri
        .strip_prefix("ipp://")
        .context("read the printer's address")?;
    let at = rest.split('/').next().unwrap_or_default();
    http::call(at, "GET", "/control/state", None).await?.json()
}

fn copy_received(kept: &Path, to: &Path, sha256: &str) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(kept).context("look at what the printer kept")? {
        let bytes = std::fs::read(entry?.path()).context("read what the printer kept")?;
        if hex(&bytes) == sha256 {
            return std::fs::write(to, bytes).with_context(|| format!("write {}", to.display()));
        }
    }
    bail!("the printer kept no document with digest {sha256}")
}

fn word(job: &serde_json::Value, key: &str) -> anyhow::Result<String> {
    job.get(key)
        .and_then(serde_json::Value::as_str)
        .map(str::to_owned)
        .with_context(|| format!("read the job's {key}"))
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn hex(bytes: &[u8]) -> String {
    loket_wire::Sha256Digest::of(bytes).to_string()
}
