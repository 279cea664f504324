//! The guest's files: what its first program needs, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::cpio::Archive;
use super::packages::Unpacked;
use super::said_by;

/// The modules, in the order in which they load: each after what it needs.
const MODULES: &[&str] = &[
    "configfs",
    "usb-common",
    "usbcore",
    "udc-core",
    "usbip-core",
    "vhci-hcd",
    "usblp",
    "dummy_hcd",
    "libcomposite",
    "usb_f_printer",
    "usb_f_fs",
];

/// Folders in which something is mounted or written.
const FOLDERS: &[&str] = &[
    "proc",
    "sys",
    "dev",
    "tmp",
    "run",
    "var/log/ipp-usb",
    "var/ipp-usb",
];

/// Where the dynamic linker looks without being told.
const LIBRARIES: &str = "lib/x86_64-linux-gnu";

/// The rival's settings: as shipped, but for Avahi, which the guest has not.
const RIVAL_SETTINGS: &str = "\
[network]
  http-min-port = 60000
  http-max-port = 65535
  dns-sd = disable
  interface = loopback
  ipv6 = disable
[logging]
  device-log = error
  main-log = error
  console-log = error
";

/// Our programs in the guest: what runs the scenarios, and what some of them run.
const PROGRAMS: &[&str] = &["loket-usb-guest", "loketd"];

/// What is printed in the guest, and who may sign it.
const SIGNED: &[(&str, &str)] = &[
    ("srv/kk.pdf", "kk-sample-bb.pdf"),
    ("srv/trust/root.pem", "trust/root.pem"),
    ("srv/trust/root.crl.pem", "trust/root.crl.pem"),
    ("srv/trust/issuing.pem", "trust/issuing.pem"),
    ("srv/trust/issuing.crl", "trust/issuing.crl"),
];

/// The programs that the guest runs.
#[derive(Debug)]
pub(super) struct Guests {
    /// The folder of ours.
    pub(super) ours: PathBuf,
    /// The printer that others made.
    pub(super) peer: PathBuf,
}

/// Writes the archive with these programs.
pub(super) fn write(
    root: &Path,
    unpacked: &Unpacked,
    guests: &Guests,
    archive: &Path,
) -> anyhow::Result<()> {
    let mut files = BTreeMap::new();
    files.insert("init".to_owned(), root.join("tests/usb-guest/init.sh"));
    files.insert("bin/busybox".to_owned(), unpacked.path("bin/busybox"));
    for name in PROGRAMS {
        let stripped = archive.with_file_name(name);
        let mut strip = Command::new("strip");
        strip.arg("--strip-all").arg("-o").arg(&stripped);
        strip.arg(guests.ours.join(name));
        said_by(strip)?;
        add_libraries(&stripped, unpacked, &mut files)?;
        files.insert(format!("bin/{name}"), stripped);
    }
    for (path, from) in SIGNED {
        files.insert((*path).to_owned(), root.join("tests/fixtures").join(from));
    }
    let rival = unpacked.path("sbin/ipp-usb");
    let udev = unpacked.path("bin/udevadm");
    for program in [&rival, &guests.peer, &udev] {
        add_libraries(program, unpacked, &mut files)?;
    }
    // By this name it is the daemon.
    files.insert("lib/systemd/systemd-udevd".to_owned(), udev);
    files.insert("bin/pappl-printer".to_owned(), guests.peer.clone());
    files.insert("sbin/ipp-usb".to_owned(), rival);
    for name in ["default.conf", "blacklist.conf", "HP.conf"] {
        let path = format!("usr/share/ipp-usb/quirks/{name}");
        files.insert(path.clone(), unpacked.path(&path));
    }
    let settings = archive.with_file_name("ipp-usb.conf");
    std::fs::write(&settings, RIVAL_SETTINGS).context("write the rival's settings")?;
    files.insert("etc/ipp-usb/ipp-usb.conf".to_owned(), settings);
    let modules = unpacked.path("lib/modules");
    for (number, name) in (10..).zip(MODULES) {
        let module = find(&modules, &format!("{name}.ko"))?;
        files.insert(format!("modules/{number}-{name}.ko"), module);
    }
    let written = pack(&files, archive);
    written.with_context(|| format!("write {}", archive.display()))
}

fn pack(files: &BTreeMap<String, PathBuf>, to: &Path) -> anyhow::Result<()> {
    let mut archive = Archive::new(BufWriter::new(File::create(to)?));
    let above = files.keys().flat_map(|path| folders_above(path));
    let own = FOLDERS.iter().flat_map(|path| {
        let above = folders_above(path);
        above.into_iter().chain([*path])
    });
    let folders: BTreeSet<&str> = above.chain(own).collect();
    for folder in folders {
        archive.folder(folder)?;
    }
    archive.device("dev/console", 5, 1)?;
    archive.link("var/run", "/run")?;
    for (path, from) in files {
        let content = std::fs::read(from).with_context(|| format!("read {}", from.display()))?;
        archive.file(path, &content)?;
    }
    archive.finish()?;
    Ok(())
}

/// The folders that a path needs, the outermost first.
fn folders_above(path: &str) -> Vec<&str> {
    let ends = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
    ends.collect()
}

/// Adds the libraries that a program is linked with, by the names it asks for, and its dynamic linker.
fn add_libraries(
    program: &Path,
    unpacked: &Unpacked,
    files: &mut BTreeMap<String, PathBuf>,
) -> anyhow::Result<()> {
    let own = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"];
    let own = own.map(|folder| unpacked.path(folder).display().to_string());
    let mut ask = Command::new("ldd");
    ask.arg(program).env("LD_LIBRARY_PATH", own.join(":"));
    for line in said_by(ask)?.lines() {
        match library(line) {
            Some((name, Some(path))) if name.starts_with('/') => {
                files.insert(name.trim_start_matches('/').to_owned(), path.into());
            }
            Some((name, Some(path))) => {
                files.insert(format!("{LIBRARIES}/{name}"), path.into());
            }
            Some((name, None)) => {
                bail!("find {name}, which {} is linked with", program.display());
            }
            None => {}
        }
    }
    Ok(())
}

/// A line of ldd: the name that is asked for and where it is, if anywhere; nothing for what the kernel brings.
fn library(line: &str) -> Option<(&str, Option<&str>)> {
    let line = line.trim();
    if let Some((name, found)) = line.split_once(" => ") {
        let path = found.split(" (").next().filter(|it| it.starts_with('/'));
        return Some((name, path));
    }
    let path = line.split(" (").next().filter(|it| it.starts_with('/'))?;
    Some((path, Some(path)))
}

/// The file of this name under a folder.
fn find(folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let mut ahead = vec![folder.to_owned()];
    while let Some(folder) = ahead.pop() {
        let entries =
            std::fs::read_dir(&folder).with_context(|| format!("read {}", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("read {}", folder.display()))?;
            if entry.file_type().is_ok_and(|it| it.is_dir()) {
                ahead.push(entry.path());
            } else if entry.file_name() == name {
                return Ok(entry.path());
            }
        }
    }
    bail!("find the module {name} under {}", folder.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_is_linked_with_is_read_off_its_lines() {
        let found = "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)";
        assert_eq!(
            library(found),
            Some(("libc.so.6", Some("/lib/x86_64-linux-gnu/libc.so.6")))
        );
        assert_eq!(
            library("\tlibusb.so => not found"),
            Some(("libusb.so", None))
        );
        let linker = "/lib64/ld-linux-x86-64.so.2";
        assert_eq!(
            library(&format!("\t{linker} (0x00007f)")),
            Some((linker, Some(linker)))
        );
        assert_eq!(library("\tlinux-vdso.so.1 (0x00007ffd)"), None);
    }

    #[test]
    fn folders_come_from_the_outside_in() {
        assert_eq!(folders_above("a/b/c"), ["a", "a/b"]);
        assert_eq!(folders_above("init"), Vec::<&str>::new());
    }

    #[test]
    fn a_module_is_found_wherever_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("kernel/drivers/usb");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(deep.join("usblp.ko"), "").unwrap();
        assert_eq!(
            find(folder.path(), "usblp.ko").unwrap(),
            deep.join("usblp.ko")
        );
        assert!(find(folder.path(), "usblp").is_err());
    }
}
