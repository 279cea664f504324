//! What must never be printed, and what is said about it.

use anyhow::{Context as _, ensure};
use loket_demo::http;
use loket_demo::once::printer_report;
use loket_tests::world::{Build, World, bin_dir, fixture, order};

/// Central refuses with 422 and a code, and not one byte reaches the printer.
#[tokio::test(flavor = "multi_thread")]
async fn documents_that_are_not_valid_are_refused_at_intake_and_reach_no_printer()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station("desa-contoh-1", &[]).await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let mut flipped = fixture("kk-sample-bb.pdf")?;
    // Within a number that the page shows: another digit, and a PDF as good as before.
    let at = flipped
        .windows(16)
        .position(|run| run.iter().all(u8::is_ascii_digit))
        .context("find a number in the page's content")?;
    flipped[at] ^= 1;
    let cases = [
        ("one altered byte", flipped, INVALID, "V-302"),
        ("no PDF", b"hello".to_vec(), INVALID, "V-102"),
        ("altered", sample("altered")?, INVALID, "V-302"),
        ("unsigned", sample("unsigned")?, INVALID, "V-201"),
        ("appended", sample("appended")?, INVALID, "V-611"),
        ("untrusted", sample("untrusted")?, UNSURE, "V-401"),
        ("revoked", sample("revoked")?, UNSURE, "V-413"),
        ("encrypted", sample("encrypted")?, UNSURE, "V-105"),
    ];
    for (number, (name, document, code, finding)) in cases.into_iter().enumerate() {
        let order = order("desa-contoh-1", &format!("KK-{number}"), "now", None);
        let said = refused(&world, &document, &order, 422, code).await;
        let said = said.with_context(|| format!("see '{name}' refused"))?;
        let findings = said["detail"]["findings"].as_array();
        ensure!(
            findings.is_some_and(|all| all.iter().any(|it| it == finding)),
            "{name}: {said}"
        );
    }
    let report = printer_report(&station.uri).await?;
    let jobs = report["jobs"]
        .as_array()
        .context("read the printer's jobs")?;
    ensure!(
        jobs.is_empty() && report["sheets"] == 0,
        "no job and so no byte: {report}"
    );
    let good = world.order("desa-contoh-1", "KK-GOOD", "now").await?;
    world.wait(&good, &["printed"]).await?;
    let report = printer_report(&station.uri).await?;
    let jobs = report["jobs"]
        .as_array()
        .context("read the printer's jobs")?;
    ensure!(
        jobs.len() == 1 && report["sheets"] == 1,
        "control: the good one is seen there: {report}"
    );
    Ok(())
}

const INVALID: &str = "SignatureInvalid";
const UNSURE: &str = "SignatureIndeterminate";

fn sample(name: &str) -> anyhow::Result<Vec<u8>> {
    fixture(&format!("kk-sample-{name}.pdf"))
}

/// Hands a document in, sees it refused with this status and code, and gives what was said.
async fn refused(
    world: &World,
    document: &[u8],
    order: &str,
    status: u16,
    code: &str,
) -> anyhow::Result<serde_json::Value> {
    let (api, token) = (world.site.api(), &world.tokens.operator);
    let answer = http::post_document(&api, token, document, order, None).await?;
    let said: serde_json::Value = serde_json::from_slice(&answer.body)?;
    ensure!(
        answer.status == status && said["code"] == code,
        "{} and {said}, not {status} and {code}",
        answer.status
    );
    let message = said["message"].as_str().context("read the message")?;
    ensure!(message.ends_with('.'), "{message}");
    Ok(said)
}

/// Central's copy is altered on its disk after intake: the machine must notice, print nothing, and say so.
#[tokio::test(flavor = "multi_thread")]
async fn a_document_altered_on_centrals_disk_is_rejected_by_the_machine() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station("desa-contoh-1", &[]).await?;
    let job = world.order("desa-contoh-1", "KK-1", "now").await?;
    let blob = world
        .site
        .path(&format!("central/state/documents/{job}.blob"));
    let mut bytes = std::fs::read(&blob)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&blob, bytes)?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let seen = world.wait(&job, &["rejected", "printed", "failed"]).await?;
    ensure!(
        seen["state"] == "rejected" && seen["reason"] == "document-mismatch",
        "{seen}"
    );
    ensure!(station.printed().await?.sheets == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_orders_are_refused_with_a_code_each() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let _station = world.station("desa-contoh-1", &[]).await?;
    let document = fixture("kk-sample-bb.pdf")?;
    let good = order("desa-contoh-1", "KK-1", "now", None);
    let cases = [
        ("{".to_owned(), "OrderMalformed"),
        (good.replacen('{', r#"{"copies":2,"#, 1), "OrderUnknownKey"),
        (
            good.replace("desa-contoh-1", "desa-contoh-9"),
            "MachineUnknown",
        ),
        (good.replace("KK-1", "9971010101800001"), "OrderMalformed"),
        (
            order("desa-contoh-1", "KK-2", "now", Some("2020-01-01T00:00:00Z")),
            "OrderExpired",
        ),
    ];
    for (order, code) in cases {
        let refused = refused(&world, &document, &order, 422, code).await;
        refused.with_context(|| format!("see {order} refused"))?;
    }
    let large = vec![b' '; 9 * 1024 * 1024];
    refused(&world, &large, &good, 413, "DocumentTooLarge").await?;
    Ok(())
}

/// `loketd verify` as the table of doors has it.
#[tokio::test]
async fn verify_answers_with_the_documented_exit_codes() -> anyhow::Result<()> {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let loketd = bin_dir(Build::Plain)?.join("loketd");
    let cases = [
        ("kk-sample-bb.pdf", 0),
        ("kk-sample-bt.pdf", 0),
        ("kk-sample-altered.pdf", 1),
        ("kk-sample-unsigned.pdf", 1),
        ("kk-sample-revoked.pdf", 2),
        ("kk-sample-untrusted.pdf", 2),
        ("kk-sample-appended.pdf", 1),
        ("no-such-file.pdf", 66),
    ];
    for (name, code) in cases {
        let output = tokio::process::Command::new(&loketd)
            .arg("verify")
            .arg(fixtures.join(name))
            .arg("--trust")
            .arg(fixtures.join("trust"))
            .args(["--at", "2026-11-22T00:00:00Z", "--json"])
            .output()
            .await?;
        ensure!(output.status.code() == Some(code), "{name}: {output:?}");
        if code < 3 {
            let report: serde_json::Value = serde_json::from_slice(&output.stdout)?;
            let word = ["valid", "invalid", "indeterminate"];
            ensure!(
                report["verdict"] == word[usize::try_from(code)?],
                "{name}: {report}"
            );
            ensure!(
                report["signatures"].is_array() && report["qr"].is_array(),
                "{name}: {report}"
            );
        }
    }
    Ok(())
}
