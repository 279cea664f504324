//! Whether systemd understands the units, by `systemd-analyze verify` on the staged root.

use std::fs;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::stage::{Stage, output};
use crate::unit::UNITS;

/// What systemd has to say about our units; lines about Debian's own are not our affair.
fn complaints(stage: &Stage) -> Result<Vec<String>> {
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--recursive-errors=no"]);
    command.arg(format!("--root={}", stage.path("").display()));
    let verified = output(command.args(UNITS), "systemd")?;
    let said = String::from_utf8(verified.stderr)?;
    let ours = said.lines().filter(|line| line.contains("loket"));
    let ours: Vec<String> = ours.map(str::to_owned).collect();
    ensure!(
        verified.status.success() || !ours.is_empty(),
        "verify the units: {said}"
    );
    Ok(ours)
}

#[test]
fn systemd_has_nothing_to_say_about_the_units() -> Result<()> {
    let stage = Stage::with_programs()?;
    let said = complaints(&stage)?;
    assert!(said.is_empty(), "{said:#?}");
    Ok(())
}

#[test]
fn a_misspelt_line_and_a_missing_program_are_noticed() -> Result<()> {
    let stage = Stage::with_programs()?;
    fs::remove_file(stage.program("loket-central"))?;
    let unit = stage.path("usr/lib/systemd/system/loketd.service");
    let text = fs::read_to_string(&unit)?;
    fs::write(&unit, text.replace("ProtectHome=", "ProtectHomes="))?;
    let said = complaints(&stage)?.join("\n");
    assert!(said.contains("ProtectHomes"), "{said}");
    assert!(said.contains("/usr/bin/loket-central"), "{said}");
    Ok(())
}
