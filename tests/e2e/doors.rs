//! The documented command lines, as typed.

use anyhow::{Context as _, ensure};
use loket_tests::world::{Build, bin_dir};
use tokio::process::Command;

/// `cargo demo -- --once --out DIR` in the repository's folder, as README says.
#[tokio::test]
async fn cargo_demo_once_prints_the_sample_and_writes_its_summary() -> anyhow::Result<()> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("find the repository")?;
    let out = tempfile::tempdir()?;
    let mut command = Command::new("cargo");
    command
        .current_dir(root)
        .args(["demo", "--", "--once", "--out"])
        .arg(out.path());
    let output = command.output().await.context("run cargo demo")?;
    ensure!(output.status.success(), "{output:?}");
    let text = std::fs::read_to_string(out.path().join("summary.json"))?;
    let summary: serde_json::Value = serde_json::from_str(&text)?;
    ensure!(
        summary["state"] == "printed" && summary["sheets"] == 1,
        "{summary}"
    );
    ensure!(
        summary["received_sha256"] == summary["revision_sha256"],
        "{summary}"
    );
    ensure!(
        summary["job_id"].is_string() && summary["document_sha256"].is_string(),
        "{summary}"
    );
    ensure!(summary["timings_ms"]["printed"].is_u64(), "{summary}");
    ensure!(
        out.path().join("received.pdf").exists(),
        "what the printer got is kept"
    );
    Ok(())
}

#[tokio::test]
async fn a_wrong_command_line_ends_with_64_and_wrong_settings_with_78() -> anyhow::Result<()> {
    let dir = bin_dir(Build::Plain)?;
    for program in [
        "loketd",
        "loket-central",
        "loket-provision",
        "loket-demo",
        "loket-sim-printer",
    ] {
        let output = Command::new(dir.join(program))
            .arg("--no-such-flag")
            .output()
            .await?;
        ensure!(output.status.code() == Some(64), "{program}: {output:?}");
        let output = Command::new(dir.join(program))
            .arg("--help")
            .output()
            .await?;
        ensure!(output.status.success(), "{program}: {output:?}");
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("loket.toml");
    std::fs::write(&file, "machine = \"desa-contoh-1\"\nunheard_of = 1\n")?;
    for (program, words) in [
        ("loketd", vec!["check-config"]),
        ("loketd", vec!["run"]),
        ("loket-central", vec!["check-config"]),
        ("loket-central", vec!["run"]),
    ] {
        let mut command = Command::new(dir.join(program));
        let output = command
            .args(&words)
            .arg("--config")
            .arg(&file)
            .output()
            .await?;
        ensure!(
            output.status.code() == Some(78),
            "{program} {words:?}: {output:?}"
        );
        let mut command = Command::new(dir.join(program));
        let output = command
            .args(&words)
            .args(["--config", "/no/such/file"])
            .output()
            .await?;
        ensure!(
            output.status.code() == Some(66),
            "{program} {words:?}: {output:?}"
        );
    }
    Ok(())
}
