//! What the programs tell systemd, on the example settings.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::running::Running;
use crate::stage::{Stage, as_root, finish, output, source};
use crate::unit::Unit;

/// Short, so that several feedings take a second; the unit's own is 30 s.
const WATCHDOG: Duration = Duration::from_millis(600);

/// The example's printer and log, replaced by what a test may use.
pub(crate) const DAEMON_EDITS: &[(&str, &str)] = &[
    ("192.168.1.50", "127.0.0.1:9"),
    ("\"journald\"", "\"text\""),
];

/// Free ports in place of the example's.
const CENTRAL_EDITS: &[(&str, &str)] = &[
    ("0.0.0.0:8443", "127.0.0.1:0"),
    ("0.0.0.0:8444", "127.0.0.1:0"),
    (
        "host = \"broker.contoh.example\", port = 8883",
        "host = \"127.0.0.1\", port = 9",
    ),
];

#[test]
fn loketd_says_that_it_is_ready_alive_and_stopping() -> Result<()> {
    let stage = Stage::with_users()?;
    stage.settings("loket.toml", DAEMON_EDITS)?;
    let mut daemon = Running::start(&stage, "loketd.service", Some(WATCHDOG))?;
    let said = daemon.wait_for("READY=1")?;
    assert!(
        said.iter().any(|line| line.starts_with("STATUS=")),
        "{said:?}"
    );
    for _feeding in 0..3 {
        daemon.wait_for("WATCHDOG=1")?;
    }
    daemon.terminate()?;
    daemon.wait_for("STOPPING=1")?;
    assert_eq!(daemon.exit_code()?, Some(0));
    Ok(())
}

/// The loop that owns the desk hangs while everything else goes on, timers too; let go, it feeds again.
#[test]
fn a_desk_that_hangs_feeds_no_watchdog() -> Result<()> {
    let stage = Stage::with_users()?;
    stage.settings("loket.toml", DAEMON_EDITS)?;
    stage.install_hooked("loketd")?;
    let file = stage.path("run/hold");
    fs::write(&file, "")?;
    let hold = format!("append:{}", file.display());
    let variable = Some(("LOKET_HOLD_AT", hold.as_str()));
    let mut daemon = Running::start_with(&stage, "loketd.service", Some(WATCHDOG), variable)?;
    daemon.wait_for("READY=1")?;
    daemon.wait_for_silence("WATCHDOG=1", WATCHDOG * 3)?;
    fs::remove_file(&file)?;
    daemon.wait_for("WATCHDOG=1")?;
    daemon.terminate()?;
    assert_eq!(daemon.exit_code()?, Some(0));
    Ok(())
}

#[test]
fn central_with_its_keys_as_credentials_says_that_it_is_ready_alive_and_stopping() -> Result<()> {
    let stage = Stage::with_users()?;
    stage.settings("central.toml", CENTRAL_EDITS)?;
    stage.install(&source("etc/loket/offices.toml"), "etc/loket/offices.toml")?;
    enrol_central(&stage)?;
    let mut central = Running::start(&stage, "loket-central.service", Some(WATCHDOG))?;
    central.wait_for("READY=1")?;
    for _feeding in 0..3 {
        central.wait_for("WATCHDOG=1")?;
    }
    central.terminate()?;
    central.wait_for("STOPPING=1")?;
    assert_eq!(central.exit_code()?, Some(0));
    Ok(())
}

/// Makes an authority and central's identity where README.md says, with the keys root's alone.
fn enrol_central(stage: &Stage) -> Result<()> {
    let authority = stage.path("root/authority");
    fs::create_dir_all(authority.parent().context("a folder")?)?;
    let central = stage.path("etc/loket/central");
    let request = stage.path("root/central.request.json");
    let provision = |arguments: &[&str], paths: &[(&str, &Path)]| -> Result<()> {
        let mut command = as_root(stage.program("loket-provision"))?;
        command.args(arguments);
        for (option, path) in paths {
            command.arg(option).arg(path);
        }
        finish(&mut command, "loket").map(drop)
    };
    provision(
        &[
            "init",
            "--broker",
            "localhost:8883",
            "--documents",
            "localhost:8444",
        ],
        &[("--dir", &authority)],
    )?;
    let key = central.join("central.key");
    provision(
        &["request", "--kind", "central", "--name", "localhost"],
        &[("--out", &request), ("--key", &key)],
    )?;
    let request = request.to_str().context("a path in words")?;
    let certificate = central.join("central.crt");
    provision(
        &["enrol", request, "--kind", "central"],
        &[("--dir", &authority), ("--out", &certificate)],
    )?;
    let install = |mode: &str, from: &Path, to: &Path| -> Result<()> {
        let mut command = as_root("install")?;
        command.args(["-D", "-m", mode]).arg(from).arg(to);
        finish(&mut command, "coreutils").map(drop)
    };
    let public = central.join("authority.crt");
    install("0644", &authority.join("authority.crt"), &public)?;
    let signing = "central-signing.key";
    install("0600", &authority.join(signing), &central.join(signing))?;
    let mut machines = as_root("install")?;
    machines.args(["-d", "-m", "0755"]);
    finish(machines.arg(central.join("machines")), "coreutils")?;
    load_credentials(stage)
}

/// Hands over what the unit's LoadCredential= lines name, as systemd does: a copy that the unit's user may read.
fn load_credentials(stage: &Stage) -> Result<()> {
    let unit = Unit::read("loket-central.service")?;
    let uid = stage.number("passwd", unit.value("User")?)?;
    for credential in unit.values("LoadCredential") {
        let (id, from) = credential.split_once(':').context("a name and a path")?;
        let to = stage.path(&format!("run/credentials/{}/{id}", unit.name));
        let mut command = as_root("install")?;
        command.args(["-D", "-m", "0400", "-o", &uid.to_string()]);
        command.arg(stage.path(from)).arg(to);
        finish(&mut command, "coreutils")?;
    }
    Ok(())
}

#[test]
fn the_private_keys_of_central_are_not_its_users_to_read_elsewhere() -> Result<()> {
    let stage = Stage::with_users()?;
    enrol_central(&stage)?;
    let uid = stage.number("passwd", "loket-central")?;
    let gid = stage.number("group", "loket-central")?;
    let can_read = |below: &str| -> Result<bool> {
        let mut cat = as_root("setpriv")?;
        cat.arg(format!("--reuid={uid}"))
            .arg(format!("--regid={gid}"));
        cat.args(["--clear-groups", "--", "cat"])
            .arg(stage.path(below));
        let read = output(&mut cat, "util-linux")?;
        Ok(read.status.success())
    };
    assert!(can_read("etc/loket/central/central.crt")?);
    for key in ["central.key", "central-signing.key"] {
        assert!(!can_read(&format!("etc/loket/central/{key}"))?);
        assert!(can_read(&format!(
            "run/credentials/loket-central.service/{key}"
        ))?);
    }
    Ok(())
}
