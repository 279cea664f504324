//! Who may pass the officers' door, with the folder that tmpfiles made and the user that the unit names.

use anyhow::Result;

use crate::ready::DAEMON_EDITS;
use crate::running::Running;
use crate::stage::{Stage, as_root, output};

/// A person of the site, in no file of the stage.
const PERSON_ID: u32 = 64_003;

/// EX_UNAVAILABLE: the door does not open.
const UNAVAILABLE: i32 = 69;

/// The exit code of `loketd jobs`, asked by a person who is in `group` beside the person's own.
fn jobs_as(stage: &Stage, group: Option<&str>) -> Result<Option<i32>> {
    let mut command = as_root("setpriv")?;
    command.arg(format!("--reuid={PERSON_ID}"));
    command.arg(format!("--regid={PERSON_ID}"));
    match group {
        Some(group) => command.arg(format!("--groups={}", stage.number("group", group)?)),
        None => command.arg("--clear-groups"),
    };
    command.arg("--").arg(stage.program("loketd"));
    command.args(["jobs", "--config"]);
    command.arg(stage.path("etc/loket/loket.toml"));
    Ok(output(&mut command, "util-linux")?.status.code())
}

#[test]
fn officers_pass_the_door_and_others_do_not() -> Result<()> {
    let stage = Stage::with_users()?;
    stage.settings("loket.toml", DAEMON_EDITS)?;
    let mut daemon = Running::start(&stage, "loketd.service", None)?;
    daemon.wait_for("READY=1")?;
    assert_eq!(
        stage.standing("run/loket/control.sock")?,
        "660 loket loket-officer"
    );
    assert_eq!(jobs_as(&stage, Some("loket-officer"))?, Some(0));
    assert_eq!(jobs_as(&stage, None)?, Some(UNAVAILABLE));
    assert_eq!(jobs_as(&stage, Some("loket-usb"))?, Some(UNAVAILABLE));
    daemon.terminate()?;
    assert_eq!(daemon.exit_code()?, Some(0));
    Ok(())
}

#[test]
fn a_restarted_daemon_opens_the_same_door() -> Result<()> {
    let stage = Stage::with_users()?;
    stage.settings("loket.toml", DAEMON_EDITS)?;
    for _start in 0..2 {
        let mut daemon = Running::start(&stage, "loketd.service", None)?;
        daemon.wait_for("READY=1")?;
        assert_eq!(jobs_as(&stage, Some("loket-officer"))?, Some(0));
        daemon.terminate()?;
        assert_eq!(daemon.exit_code()?, Some(0));
        std::fs::remove_file(stage.path("run/notify.sock"))?;
    }
    Ok(())
}
