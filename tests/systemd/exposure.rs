//! How much of the computer a unit leaves open, by `systemd-analyze security`.

use std::fs;
use std::process::{Command, Output};

use anyhow::Result;

use crate::stage::{Stage, output, source};

/// The most that loketd may leave open, in tenths: network and USB are its work, and weigh 1.0 together.
const DAEMON_TENTHS: u32 = 10;

/// The most that central may leave open: it has no device, and hears from addresses that a unit cannot know (0.2).
const CENTRAL_TENTHS: u32 = 11;

fn judge(stage: &Stage, unit: &str, tenths: u32) -> Result<Output> {
    let mut command = Command::new("systemd-analyze");
    command.args(["security", "--offline=true", "--no-pager"]);
    command.arg(format!("--root={}", stage.path("").display()));
    command.arg(format!("--threshold={tenths}")).arg(unit);
    output(&mut command, "systemd")
}

#[track_caller]
fn assert_within(judged: &Output, is_within: bool) {
    let text = String::from_utf8_lossy(&judged.stdout);
    let said = String::from_utf8_lossy(&judged.stderr);
    assert!(text.contains("Overall exposure level"), "{text}{said}");
    assert_eq!(judged.status.success(), is_within, "{text}{said}");
}

fn drop_in(stage: &Stage, unit: &str, text: &str) -> Result<()> {
    let folder = stage.path(&format!("etc/systemd/system/{unit}.d"));
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("90-test.conf"), text)?;
    Ok(())
}

#[test]
fn loketd_leaves_open_what_it_needs_and_no_more() -> Result<()> {
    let stage = Stage::with_units()?;
    assert_within(&judge(&stage, "loketd.service", DAEMON_TENTHS)?, true);
    Ok(())
}

#[test]
fn loketd_stays_within_the_bound_with_a_sites_drop_in() -> Result<()> {
    let stage = Stage::with_units()?;
    let example = "etc/systemd/system/loketd.service.d/50-site.conf";
    stage.install(&source(example), example)?;
    assert_within(&judge(&stage, "loketd.service", DAEMON_TENTHS)?, true);
    Ok(())
}

#[test]
fn central_stays_within_its_stated_bound() -> Result<()> {
    let stage = Stage::with_units()?;
    assert_within(
        &judge(&stage, "loket-central.service", CENTRAL_TENTHS)?,
        true,
    );
    Ok(())
}

#[test]
fn a_unit_that_lost_one_line_is_past_the_bound() -> Result<()> {
    for lost in [
        "PrivateUsers=no",
        "IPAddressDeny=",
        "CapabilityBoundingSet=~",
    ] {
        let stage = Stage::with_units()?;
        drop_in(&stage, "loketd.service", &format!("[Service]\n{lost}\n"))?;
        assert_within(&judge(&stage, "loketd.service", DAEMON_TENTHS)?, false);
    }
    Ok(())
}
