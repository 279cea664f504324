//! What must never be printed, and what is said about it.

use anyhow::ensure;
use loket_demo::http;
use loket_tests::world::{Build, World, bin_dir, fixture, order};

/// Central refuses with 422 and a code, and not one byte reaches the printer.
#[tokio::test(flavor = "multi_thread")]
async fn documents_that_are_not_valid_are_refused_at_intake_and_reach_no_printer()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station("desa-contoh-1", &[]).await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let mut flipped = fixture("kk-sample-bb.pdf")?;
    let at = flipped
        .windows(2)
        .position(|pair| pair == b"KK")
        .unwrap_or(600);
    flipped[at] ^= 1;
    let mut cases = vec![("one altered byte", flipped), ("no PDF", b"hello".to_vec())];
    for name in [
        "altered",
        "appended",
        "unsigned",
        "untrusted",
        "revoked",
        "encrypted",
    ] {
        cases.push((name, fixture(&format!("kk-sample-{name}.pdf"))?));
    }
    for (number, (name, document)) in cases.into_iter().enumerate() {
        let order = order("desa-contoh-1", &format!("KK-{number}"), "now", None);
        let answer = http::post_document(
            &world.site.api(),
            &world.tokens.operator,
            &document,
            &order,
            None,
        )
        .await?;
        let said: serde_json::Value = serde_json::from_slice(&answer.body)?;
        ensure!(answer.status == 422, "{name}: {} {said}", answer.status);
        ensure!(
            said["code"].is_string() && said["message"].is_string(),
            "{name}: {said}"
        );
    }
    let good = world.order("desa-contoh-1", "KK-GOOD", "now").await?;
    world.wait(&good, &["printed"]).await?;
    ensure!(
        station.printed().await?.sheets == 1,
        "only the good one came out"
    );
    Ok(())
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
        ("not JSON", "{".to_owned()),
        ("unknown key", good.replacen('{', r#"{"copies":2,"#, 1)),
        (
            "unknown machine",
            good.replace("desa-contoh-1", "desa-contoh-9"),
        ),
        (
            "long number in reference",
            good.replace("KK-1", "9971010101800001"),
        ),
        (
            "past its time",
            order("desa-contoh-1", "KK-2", "now", Some("2020-01-01T00:00:00Z")),
        ),
    ];
    for (name, order) in cases {
        let answer = http::post_document(
            &world.site.api(),
            &world.tokens.operator,
            &document,
            &order,
            None,
        )
        .await?;
        let said: serde_json::Value = serde_json::from_slice(&answer.body)?;
        ensure!(answer.status == 422, "{name}: {} {said}", answer.status);
        ensure!(said["code"].is_string(), "{name}: {said}");
    }
    let large = vec![b' '; 9 * 1024 * 1024];
    let answer = http::post_document(
        &world.site.api(),
        &world.tokens.operator,
        &large,
        &good,
        None,
    )
    .await;
    ensure!(
        answer.is_err() || answer.is_ok_and(|answer| answer.status == 413),
        "9 MiB are too many"
    );
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
        ("kk-sample-revoked.pdf", 1),
        ("kk-sample-untrusted.pdf", 2),
        ("kk-sample-appended.pdf", 2),
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
