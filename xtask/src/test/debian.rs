//! The Debian packages whose programs tests and benchmarks run as real peers.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use super::{finish, shown};

/// A package's name, and what it is for.
pub(crate) type Package = (&'static str, &'static str);

/// What the step `packages` installs.
pub(super) const FOR_TESTS: &[Package] = &[
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
    (
        "libnss3-tools",
        "certutil, which makes the store of certificates that pdfsig reads",
    ),
    ("python3-venv", "a place for pyHanko, a judge of signatures"),
    ("zbar-tools", "zbarimg, the judge of the sample's QR code"),
    ("faketime", "a machine whose clock is wrong"),
    (
        "sqlite3",
        "another program that damages or locks a machine's journal",
    ),
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

/// Installs those of `packages` that are missing, as root; elsewhere says what to install.
///
/// `who` needs them, in the plural: "tests".
///
/// On a system without dpkg it names them and goes on: the programs may be there by another name of package.
pub(crate) fn install_missing(who: &str, packages: &[Package]) -> anyhow::Result<()> {
    if !starts("dpkg-query", "--version") {
        println!(
            "this is no Debian system: {who} need the programs of {}",
            listed(packages)
        );
        return Ok(());
    }
    let missing: Vec<Package> = packages
        .iter()
        .filter(|(name, _)| !is_installed(name))
        .copied()
        .collect();
    if missing.is_empty() {
        println!("nothing is missing");
        return Ok(());
    }
    let install = install(&missing);
    if !is_root()? {
        bail!(
            "install what {who} need ({}) without being root; as root: {}",
            listed(&missing),
            shown(&install)
        );
    }
    finish(apt_get("update"))?;
    finish(install)
}

/// Each package with what it is for.
fn listed(packages: &[Package]) -> String {
    let each = packages
        .iter()
        .map(|(name, purpose)| format!("{name}: {purpose}"));
    each.collect::<Vec<_>>().join("; ")
}

fn install(packages: &[Package]) -> Command {
    let mut command = apt_get("install");
    command
        .args(["--yes", "--no-install-recommends"])
        .args(packages.iter().map(|(name, _)| name));
    command
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
    fn what_is_installed_is_left_alone_and_what_does_not_exist_is_asked_for_by_name() {
        // Present on every Debian system: dpkg itself would not run without it.
        install_missing("tests", &[("dpkg", "the judge of what is installed")]).unwrap();
        let line = shown(&install(&[("a", "one"), ("b", "another")]));
        assert!(
            line.ends_with("install --yes --no-install-recommends a b"),
            "{line}"
        );
        assert_eq!(
            listed(&[("a", "one"), ("b", "another")]),
            "a: one; b: another"
        );
    }

    #[test]
    fn installing_starts_no_service() {
        let command = install(&[("a", "one")]);
        let runlevel = command.get_envs().find(|(name, _)| *name == "RUNLEVEL");
        assert_eq!(runlevel.and_then(|(_, value)| value), Some("1".as_ref()));
    }
}
