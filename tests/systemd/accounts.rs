//! Users and folders as systemd's own programs make them of our files.

use anyhow::Result;

use crate::stage::Stage;
use crate::unit::{UNITS, Unit};

#[test]
fn folders_are_open_to_those_who_need_them_and_nobody_else() -> Result<()> {
    let stage = Stage::with_users()?;
    let folders = [
        ("run/loket", "2750 loket loket-officer"),
        ("var/lib/loket", "700 loket loket"),
        ("var/lib/loket-central", "700 loket-central loket-central"),
        ("etc/loket", "755 root root"),
        ("etc/loket/trust", "755 root root"),
        ("etc/loket/central", "750 root loket-central"),
    ];
    for (folder, standing) in folders {
        assert_eq!(stage.standing(folder)?, standing, "{folder}");
    }
    Ok(())
}

#[test]
fn users_cannot_sign_in_and_nobody_is_in_a_group_of_theirs() -> Result<()> {
    let stage = Stage::with_users()?;
    let passwd = std::fs::read_to_string(stage.path("etc/passwd"))?;
    for user in ["loket", "loket-central"] {
        let line = passwd
            .lines()
            .find(|line| line.starts_with(&format!("{user}:")));
        assert!(line.is_some_and(|line| line.ends_with(":/usr/sbin/nologin")));
    }
    let groups = std::fs::read_to_string(stage.path("etc/group"))?;
    for group in ["loket", "loket-central", "loket-usb", "loket-officer"] {
        let line = groups
            .lines()
            .find(|line| line.starts_with(&format!("{group}:")));
        // Officers are put in by the site; the daemon owns their door without being one of them.
        assert!(line.is_some_and(|line| line.ends_with(':')), "{line:?}");
    }
    Ok(())
}

#[test]
fn every_user_group_and_folder_that_a_unit_names_is_made() -> Result<()> {
    let stage = Stage::with_users()?;
    for name in UNITS {
        let unit = Unit::read(name)?;
        let user = unit.value("User")?;
        stage.number("passwd", user)?;
        for group in unit
            .values("Group")
            .chain(unit.values("SupplementaryGroups"))
        {
            stage.number("group", group)?;
        }
        for folder in unit.values("ReadWritePaths") {
            assert!(stage.path(folder).is_dir(), "{name}: {folder}");
        }
        let state = format!("var/lib/{}", unit.value("StateDirectory")?);
        let mode = unit.value("StateDirectoryMode")?.trim_start_matches('0');
        // Both make it; they must not take turns in changing it.
        let standing = format!("{mode} {user} {}", unit.value("Group")?);
        assert_eq!(stage.standing(&state)?, standing, "{name}");
    }
    Ok(())
}
