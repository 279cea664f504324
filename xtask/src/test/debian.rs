//! The Debian packages whose programs tests run as real peers.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use super::{finish, shown};

/// A package, and what it is for.
const PACKAGES: &[(&str, &str)] = &[
    (
        "mosquitto",
        "the broker that security and durability are proved against",
    ),
    (
        "mosquitto-clients",
        "a subscriber that reads what a broker could read",
    ),
    (
        "cups-ipp-utils",
        "ippeveprinter and ipptool, the judges of what is printed and how",
    ),
    (
        "poppler-utils",
        "pdfsig and pdftotext, the judges of signatures and samples",
    ),
    ("faketime", "a machine whose clock is wrong"),
    ("systemd", "systemd-analyze, the judge of the units"),
    ("udev", "udevadm, the judge of the udev rules"),
    (
        "curl",
        "a client of central's API that shares no code with it",
    ),
    ("ca-certificates", "what curl trusts"),
    ("chromium", "the browser in which pages renew themselves"),
];

/// How long apt waits for another apt: an image's own update can take minutes.
const LOCK_WAIT_S: u32 = 600;

/// Installs what is missing, as root; elsewhere says what to install.
pub(super) fn install_missing() -> anyhow::Result<()> {
    if !starts("dpkg-query", "--version") {
        println!(
            "this is no Debian system: tests need the programs of {}",
            names().join(", ")
        );
        return Ok(());
    }
    let missing: Vec<&str> = names()
        .into_iter()
        .filter(|name| !is_installed(name))
        .collect();
    if missing.is_empty() {
        println!("nothing is missing");
        return Ok(());
    }
    let mut install = apt_get("install");
    install
        .args(["--yes", "--no-install-recommends"])
        .args(&missing);
    if !is_root()? {
        bail!(
            "install what is missing without being root; as root: {}",
            shown(&install)
        );
    }
    finish(apt_get("update"))?;
    finish(install)
}

fn names() -> Vec<&'static str> {
    PACKAGES.iter().map(|(name, _)| *name).collect()
}

fn is_installed(name: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat=${db:Status-Status}", name]);
    query
        .output()
        .is_ok_and(|output| output.status.success() && output.stdout == b"installed")
}

fn apt_get(action: &str) -> Command {
    let mut command = Command::new("apt-get");
    // In runlevel 1 a package's script starts no service: tests start their own broker.
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("RUNLEVEL", "1");
    command.args([
        "--quiet",
        &format!("--option=DPkg::Lock::Timeout={LOCK_WAIT_S}"),
        action,
    ]);
    command
}

fn is_root() -> anyhow::Result<bool> {
    let output = Command::new("id")
        .arg("-u")
        .output()
        .context("ask `id -u` who runs this")?;
    Ok(output.stdout.trim_ascii() == b"0")
}

fn starts(program: &str, argument: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg(argument)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_does_not_exist_is_not_installed() {
        assert!(!is_installed("loket-no-such-package"));
    }

    #[test]
    fn installing_starts_no_service() {
        let command = apt_get("install");
        let runlevel = command.get_envs().find(|(name, _)| *name == "RUNLEVEL");
        assert_eq!(runlevel.and_then(|(_, value)| value), Some("1".as_ref()));
    }
}
