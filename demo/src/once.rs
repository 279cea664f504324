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

/// The status with which central names the job that a document has already.
const CONFLICT: u16 = 409;

/// What `summary.json` says; what is not known is null.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    /// The job; none where central took none.
    pub job_id: Option<String>,
    /// Its state at central.
    pub state: Option<String>,
    /// The document as it was handed in.
    pub document_sha256: Option<String>,
    /// Its signed revision, as central judged it.
    pub revision_sha256: Option<String>,
    /// What the printer got.
    pub received_sha256: Option<String>,
    /// Sheets the printer counted.
    pub sheets: u64,
    /// How long each part took.
    pub timings_ms: Timings,
}

/// Milliseconds from handing the document in.
#[derive(Debug, Default, Serialize)]
pub struct Timings {
    /// Until central had verified, sealed and answered.
    pub accepted: Option<u64>,
    /// Until central knew how it ended.
    pub printed: Option<u64>,
}

impl Summary {
    /// Makes `out`, and takes away what an earlier run left there: it must not be read as this one's.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn clear(out: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(out).with_context(|| format!("make {}", out.display()))?;
        for name in ["summary.json", "received.pdf"] {
            match std::fs::remove_file(out.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("remove an old {name}"));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Writes `summary.json` to `out`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, out: &Path) -> anyhow::Result<()> {
        let json = serde_json::to_string_pretty(self)?;
        std::fs::write(out.join("summary.json"), json).context("write summary.json")
    }

    /// Whether the job came about as promised.
    fn check(&self) -> anyhow::Result<()> {
        let state = self.state.as_deref().unwrap_or("not known");
        ensure!(state == "printed", "the job is {state}, not printed");
        ensure!(
            self.document_sha256 == Some(hex(SAMPLE_KK)),
            "central tracked another document than was handed in"
        );
        ensure!(
            self.received_sha256.is_some() && self.received_sha256 == self.revision_sha256,
            "the printer got other bytes than the signed revision"
        );
        ensure!(self.sheets == 1, "{} sheets came out of one", self.sheets);
        Ok(())
    }
}

/// Runs the job, fills `summary` with what is known at the end, also of a job that failed, and writes `received.pdf` to
/// `out`.
///
/// # Errors
/// When any part of it did not hold.
pub async fn run(
    site: &Site,
    token: &str,
    printer: &str,
    kept: &Path,
    out: &Path,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    let started = Instant::now();
    let job_id = hand_in(site, token).await.context("hand the sample in")?;
    summary.timings_ms.accepted = Some(millis(started));
    summary.job_id = Some(job_id.clone());
    let ends = [
        "printed",
        "failed",
        "rejected",
        "expired",
        "cancelled",
        "unknown",
    ];
    let waited = site.wait_for_job(token, &job_id, &ends, DEADLINE).await;
    summary.timings_ms.printed = waited.is_ok().then(|| millis(started));
    let job = site.job(token, &job_id).await?;
    summary.state = word(&job, "state");
    summary.document_sha256 = word(&job, "document_sha256");
    summary.revision_sha256 = word(&job, "revision_sha256");
    let report = printer_report(printer).await?;
    let received = report.get("printed_sha256");
    let received = received.and_then(serde_json::Value::as_array);
    summary.received_sha256 = received
        .and_then(|all| all.last()?.as_str())
        .map(str::to_owned);
    let sheets = report.get("sheets").and_then(serde_json::Value::as_u64);
    summary.sheets = sheets.unwrap_or_default();
    if let Some(sha256) = &summary.received_sha256 {
        copy_received(kept, &out.join("received.pdf"), sha256)?;
    }
    waited?;
    summary.check()
}

/// Hands the sample in; gives the job. In a state where the document has a job already it is another sheet of that.
async fn hand_in(site: &Site, token: &str) -> anyhow::Result<String> {
    let (api, order) = (site.api(), SAMPLE_ORDER);
    let mut answer = http::post_document(&api, token, SAMPLE_KK, order, None).await?;
    if answer.status == CONFLICT {
        let refused: serde_json::Value = serde_json::from_slice(&answer.body)?;
        let previous = refused.pointer("/detail/job_id");
        if let Some(previous) = previous.and_then(serde_json::Value::as_str) {
            let order = reprint(previous)?;
            answer = http::post_document(&api, token, SAMPLE_KK, &order, None).await?;
        }
    }
    word(&answer.json()?, "job_id").context("read the job's id")
}

/// The sample's order for another sheet of what `previous` is about.
fn reprint(previous: &str) -> anyhow::Result<String> {
    let mut order: serde_json::Value = serde_json::from_str(SAMPLE_ORDER)?;
    let reprint = serde_json::json!({ "job": previous, "reason": "demo dijalankan lagi" });
    let fields = order.as_object_mut().context("read the sample's order")?;
    fields.insert("reprint_of".to_owned(), reprint);
    Ok(order.to_string())
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

fn word(job: &serde_json::Value, key: &str) -> Option<String> {
    let value = job.get(key).and_then(serde_json::Value::as_str);
    value.map(str::to_owned)
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn hex(bytes: &[u8]) -> String {
    loket_wire::Sha256Digest::of(bytes).to_string()
}
