//! The documented command lines, as typed.

use std::path::Path;

use anyhow::{Context as _, ensure};
use loket_tests::world::{Build, bin_dir};
use tokio::process::Command;

const MACHINE: &str = include_str!("../../systemd/etc/loket/loket.toml");

const CENTRAL: &str = include_str!("../../docs/examples/central.toml");

/// `cargo demo -- --once --out DIR` in the repository's folder, as README says.
#[tokio::test]
async fn cargo_demo_once_prints_the_sample_and_writes_its_summary() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("find the repository")?;
    let out = tempfile::tempdir()?;
    let mut command = Command::new("cargo");
    command
        .current_dir(root)
        .args(["demo", "--", "--once", "--out"])
        .arg(out.path());
    // What a test runner says of this package is in no newcomer's shell, and build scripts that ask for it are run again,
    // with everything above them, here and in the next build by hand.
    let of_package = [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_",
    ];
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if of_package
            .iter()
            .any(|beginning| text.starts_with(beginning))
        {
            command.env_remove(&name);
        }
    }
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
async fn a_wrong_command_line_ends_with_64_and_help_with_0() -> anyhow::Result<()> {
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
    Ok(())
}

/// A settings file that a program takes, and the same with one key that it does not have.
#[tokio::test]
async fn one_unknown_key_is_refused_by_its_name_and_a_missing_file_is_another_code()
-> anyhow::Result<()> {
    let dir = bin_dir(Build::Plain)?;
    let folder = tempfile::tempdir()?;
    for (program, settings) in [("loketd", MACHINE), ("loket-central", CENTRAL)] {
        let file = folder.path().join(format!("{program}.toml"));
        let run = async |task: &str, file: &Path| {
            let mut command = Command::new(dir.join(program));
            command.arg(task).arg("--config").arg(file).output().await
        };
        // A machine has one from its enrolment; here it stands beside the settings.
        let trust = format!("trust_dir = \"{}\"", folder.path().display());
        let settings = settings.replace("trust_dir = \"/etc/loket/trust\"", &trust);
        std::fs::write(&file, &settings)?;
        let output = run("check-config", &file).await?;
        ensure!(output.status.success(), "{program}: {output:?}");
        std::fs::write(&file, format!("unheard_of = 1\n{settings}"))?;
        for task in ["check-config", "run"] {
            let output = run(task, &file).await?;
            ensure!(output.status.code() == Some(78), "{program}: {output:?}");
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(said.contains("unheard_of"), "{program} {task}: {said}");
            let output = run(task, Path::new("/no/such/file")).await?;
            ensure!(output.status.code() == Some(66), "{program}: {output:?}");
        }
    }
    Ok(())
}
