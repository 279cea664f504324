//! The Debian packages that make the guest: downloaded and unpacked under `target`, never installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::said_by;
use crate::test::finish;

/// Names the kernel image that Debian has at present, with USB as modules; the `-cloud-` images have none.
const KERNEL_OF_DEBIAN: &str = "linux-image-amd64";

/// What else the guest holds.
const OTHERS: &[&str] = &[
    // Its shell, and what mounts, loads modules and switches off: one static program.
    "busybox-static",
    // The rival, and what it is linked with.
    "ipp-usb",
    "libusb-1.0-0",
    "libavahi-client3",
    "libavahi-common3",
    "libudev1",
    "libdbus-1-3",
    // What tells programs of devices on every Debian, and what it is linked with.
    "udev",
    "libacl1",
    "libblkid1",
    "libcap2",
    "libkmod2",
    "libpcre2-8-0",
    "libselinux1",
];

/// Written last: a folder that was left half-made has none.
const MARK: &str = "unpacked.txt";

/// The unpacked packages.
#[derive(Debug)]
pub(super) struct Unpacked {
    folder: PathBuf,
}

impl Unpacked {
    /// Where a file of the packages lies.
    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// The kernel.
    pub(super) fn kernel(&self) -> anyhow::Result<PathBuf> {
        let boot = self.path("boot");
        let entries =
            std::fs::read_dir(&boot).with_context(|| format!("read {}", boot.display()))?;
        let mut kernels = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                path.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz-"))
            });
        let kernel = kernels.next();
        kernel.with_context(|| format!("find a kernel in {}", boot.display()))
    }
}

/// The packages under `folder`, downloaded and unpacked unless that was done before.
pub(super) fn unpacked(folder: &Path) -> anyhow::Result<Unpacked> {
    let (packages, files) = (folder.join("packages"), folder.join("unpacked"));
    let mark = folder.join(MARK);
    let unpacked = Unpacked {
        folder: files.clone(),
    };
    if let Ok(told) = std::fs::read_to_string(&mark)
        && are_all_in(&told)
    {
        println!("the guest is made of\n{}", told.trim_end());
        return Ok(unpacked);
    }
    for old in [&packages, &files] {
        if old.exists() {
            std::fs::remove_dir_all(old).with_context(|| format!("empty {}", old.display()))?;
        }
        std::fs::create_dir_all(old).with_context(|| format!("make {}", old.display()))?;
    }
    let kernel = kernel_package()?;
    let mut download = Command::new("apt-get");
    download
        .current_dir(&packages)
        .args(["--quiet", "download"])
        .arg(&kernel)
        .args(OTHERS);
    finish(download)?;
    let mut told = String::new();
    for archive in archives(&packages)? {
        let mut unpack = Command::new("dpkg-deb");
        unpack.arg("--extract").arg(&archive).arg(&files);
        finish(unpack)?;
        let mut sum = Command::new("sha256sum");
        sum.current_dir(&packages)
            .arg(archive.file_name().unwrap_or_default());
        told.push_str(&said_by(sum)?);
    }
    println!("the guest is made of\n{}", told.trim_end());
    std::fs::write(&mark, told).with_context(|| format!("write {}", mark.display()))?;
    Ok(unpacked)
}

/// True where the lines of a mark, `SUM  NAME_VERSION_ARCH.deb`, name every package: an older guest had fewer.
fn are_all_in(told: &str) -> bool {
    OTHERS
        .iter()
        .all(|name| told.contains(&format!("  {name}_")))
}

fn archives(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    let mut archives: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|it| it == "deb"))
        .collect();
    archives.sort();
    Ok(archives)
}

/// The package of the kernel's own version, on which Debian's package of no version depends.
fn kernel_package() -> anyhow::Result<String> {
    let ask = || {
        let mut ask = Command::new("apt-cache");
        ask.args(["show", "--no-all-versions", KERNEL_OF_DEBIAN]);
        said_by(ask)
    };
    let shown = match ask() {
        Ok(shown) => shown,
        // A fresh image has no lists of packages.
        Err(_unknown) => {
            let mut update = Command::new("apt-get");
            update.args(["--quiet", "update"]);
            finish(update)?;
            ask()?
        }
    };
    match dependency(&shown) {
        Some(name) => Ok(name.to_owned()),
        None => bail!("find the kernel that {KERNEL_OF_DEBIAN} stands for in: {shown}"),
    }
}

/// The kernel's own package in `Depends: linux-image-6.1.0-56-amd64 (= 6.1.192-2)`.
fn dependency(shown: &str) -> Option<&str> {
    let depends = shown
        .lines()
        .find_map(|line| line.strip_prefix("Depends: "))?;
    let mut names = depends
        .split(',')
        .filter_map(|it| it.split_whitespace().next());
    names.find(|name| name.starts_with("linux-image-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_found_in_what_depends_on_it() {
        let shown =
            "Package: linux-image-amd64\nDepends: linux-image-6.1.0-56-amd64 (= 6.1.192-2)\n";
        assert_eq!(dependency(shown), Some("linux-image-6.1.0-56-amd64"));
        assert_eq!(dependency("Depends: libc6\n"), None);
    }

    #[test]
    fn packages_that_are_there_are_not_downloaded_again() {
        let folder = tempfile::tempdir().unwrap();
        let lines = OTHERS.iter().map(|it| format!("abc  {it}_1_amd64.deb\n"));
        std::fs::write(folder.path().join(MARK), lines.collect::<String>()).unwrap();
        let boot = folder.path().join("unpacked/boot");
        std::fs::create_dir_all(&boot).unwrap();
        std::fs::write(boot.join("vmlinuz-6"), "").unwrap();
        std::fs::write(boot.join("config-6"), "").unwrap();
        let unpacked = unpacked(folder.path()).unwrap();
        assert_eq!(unpacked.kernel().unwrap(), boot.join("vmlinuz-6"));
    }

    #[test]
    fn a_guest_that_lacks_a_package_is_made_anew() {
        let names = |names: &[&str]| -> String {
            let lines = names.iter().map(|it| format!("abc  {it}_1_amd64.deb\n"));
            lines.collect()
        };
        assert!(are_all_in(&names(OTHERS)));
        assert!(!are_all_in(&names(&OTHERS[1..])));
    }
}
