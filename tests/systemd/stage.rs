//! A folder that holds what an installed computer would: units, users, folders, settings and the built programs.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;

/// Where each file of `systemd/` is installed.
const INSTALLED: &[(&str, &str)] = &[
    ("loketd.service", "usr/lib/systemd/system/loketd.service"),
    (
        "loket-central.service",
        "usr/lib/systemd/system/loket-central.service",
    ),
    ("sysusers.d/loket.conf", "usr/lib/sysusers.d/loket.conf"),
    ("tmpfiles.d/loket.conf", "usr/lib/tmpfiles.d/loket.conf"),
    (
        "udev/60-loket-usb.rules",
        "usr/lib/udev/rules.d/60-loket-usb.rules",
    ),
];

/// The programs that units start, and the one that makes their keys.
const PROGRAMS: &[&str] = &["loketd", "loket-central", "loket-provision"];

/// Debian's units, which ours name as targets and helpers.
const SYSTEM_UNITS: &str = "/usr/lib/systemd/system";

/// The staged root; gone with the test.
pub(crate) struct Stage {
    root: TempDir,
}

impl Stage {
    /// The units alone, on a root with Debian's own.
    pub(crate) fn with_units() -> Result<Self> {
        let root = TempDir::with_prefix("loket-").context("make a folder for the stage")?;
        // Programs run in it as other users.
        set_mode(root.path(), 0o755)?;
        let stage = Self { root };
        fs::create_dir_all(stage.path("usr/lib/systemd"))?;
        let mut copy = Command::new("cp");
        copy.arg("--archive").arg(SYSTEM_UNITS);
        finish(
            copy.arg(stage.path("usr/lib/systemd/system")),
            "systemd and coreutils",
        )?;
        fs::create_dir_all(stage.path("etc"))?;
        for (ours, installed) in INSTALLED {
            stage.install(&source(ours), installed)?;
        }
        Ok(stage)
    }

    /// The units and the built programs.
    pub(crate) fn with_programs() -> Result<Self> {
        let stage = Self::with_units()?;
        let Some(built) = std::env::var_os("LOKET_BIN_DIR") else {
            bail!("find the built programs: LOKET_BIN_DIR is not set; run cargo xtask test");
        };
        for program in PROGRAMS {
            let built = Path::new(&built).join("plain").join(program);
            stage.install(&built, &format!("usr/bin/{program}"))?;
            set_mode(&stage.program(program), 0o755)?;
        }
        // Whatever the umask of whoever runs this.
        let mut readable = Command::new("chmod");
        readable.args(["--recursive", "a+rX"]).arg(stage.path(""));
        finish(&mut readable, "coreutils")?;
        Ok(stage)
    }

    /// Puts the build with doors for tests in the place of a program.
    pub(crate) fn install_hooked(&self, program: &str) -> Result<()> {
        let built = std::env::var_os("LOKET_BIN_DIR").context("find LOKET_BIN_DIR")?;
        let hooked = Path::new(&built).join("hooks").join(program);
        self.install(&hooked, &format!("usr/bin/{program}"))?;
        set_mode(&self.program(program), 0o755)
    }

    /// Units, programs, and the users and folders that systemd's own programs make of our files.
    pub(crate) fn with_users() -> Result<Self> {
        let stage = Self::with_programs()?;
        stage.systemd("systemd-sysusers", &["loket.conf"])?;
        stage.systemd("systemd-tmpfiles", &["--create", "loket.conf"])?;
        Ok(stage)
    }

    /// Runs one of systemd's programs with the staged root in place of the computer's.
    fn systemd(&self, program: &str, arguments: &[&str]) -> Result<Output> {
        let root = self.path("");
        let root = root.to_str().context("a root that systemd can read")?;
        let mut command = as_root(program)?;
        command.arg(format!("--root={root}")).args(arguments);
        let output = finish(&mut command, "systemd")?;
        // They pass over a line they do not understand, and say so.
        let said = String::from_utf8_lossy(&output.stderr);
        let complaint = said.lines().find(|line| line.contains("loket.conf"));
        ensure!(complaint.is_none(), "{program}: {said}");
        Ok(output)
    }

    /// Copies `from` to `to` below the root.
    pub(crate) fn install(&self, from: &Path, to: &str) -> Result<()> {
        let to = self.path(to);
        fs::create_dir_all(to.parent().context("a file in a folder")?)?;
        fs::copy(from, &to).with_context(|| format!("copy {} to the stage", from.display()))?;
        set_mode(&to, 0o644)
    }

    /// The path below the staged root for a path below the computer's.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below.trim_start_matches('/'))
    }

    /// A staged program.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.path("usr/bin").join(name)
    }

    /// Writes an example of `systemd/etc/loket` to its place, its paths moved below the root and `edits` made.
    ///
    /// An edit that finds nothing fails: the example has changed and the test would run with other settings.
    pub(crate) fn settings(&self, name: &str, edits: &[(&str, &str)]) -> Result<PathBuf> {
        let mut text = fs::read_to_string(source(&format!("etc/loket/{name}")))?;
        for (from, to) in edits {
            ensure!(text.contains(from), "find {from} in the example {name}");
            text = text.replace(from, to);
        }
        let root = self.root.path().display();
        let path = self.path(&format!("etc/loket/{name}"));
        fs::create_dir_all(path.parent().context("a file in a folder")?)?;
        fs::write(&path, text.replace("= \"/", &format!("= \"{root}/")))?;
        set_mode(&path, 0o644)?;
        Ok(path)
    }

    /// The number of a user or group of the stage; `file` is `passwd` or `group`.
    pub(crate) fn number(&self, file: &str, name: &str) -> Result<u32> {
        let text = fs::read_to_string(self.path(&format!("etc/{file}")))?;
        let mut lines = text.lines().map(|line| line.split(':'));
        let number = lines.find_map(|mut fields| {
            let is_it = fields.next() == Some(name);
            fields.nth(1).filter(|_| is_it).map(str::to_owned)
        });
        let number = number.with_context(|| format!("find {name} in the stage's {file}"))?;
        number
            .parse()
            .with_context(|| format!("read the number of {name}"))
    }

    /// Mode, owner and group of what stands at `below`, as `2750 loket loket-officer`.
    pub(crate) fn standing(&self, below: &str) -> Result<String> {
        let mut stat = as_root("stat")?;
        stat.args(["--format", "%a %u %g"]).arg(self.path(below));
        let output = finish(&mut stat, "coreutils")?;
        let text = String::from_utf8(output.stdout)?;
        let fields: Vec<&str> = text.split_whitespace().collect();
        let &[mode, user, group] = fields.as_slice() else {
            bail!("understand stat: {text}");
        };
        let user = self.name("passwd", user)?;
        Ok(format!("{mode} {user} {}", self.name("group", group)?))
    }

    fn name(&self, file: &str, number: &str) -> Result<String> {
        let text = fs::read_to_string(self.path(&format!("etc/{file}")))?;
        let mut lines = text.lines().map(|line| line.split(':'));
        let named = lines.find_map(|mut fields| {
            let name = fields.next()?;
            (fields.nth(1) == Some(number)).then(|| name.to_owned())
        });
        Ok(match named {
            Some(name) => name,
            None if number == "0" => "root".to_owned(),
            None => number.to_owned(),
        })
    }
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .with_context(|| format!("set the mode of {}", path.display()))
}

/// A file of `systemd/`.
pub(crate) fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../systemd")
        .join(name)
}

/// A command that may change owners and users.
///
/// # Errors
/// When this test is not run by root.
pub(crate) fn as_root(program: impl AsRef<OsStr>) -> Result<Command> {
    let uid = fs::metadata("/proc/self").context("see who runs this test")?;
    ensure!(
        uid.uid() == 0,
        "become the users of the units: run this test as root, for instance in a container"
    );
    Ok(Command::new(program))
}

/// Runs `command` to its end, whichever that is.
pub(crate) fn output(command: &mut Command, package: &str) -> Result<Output> {
    let program = command.get_program().to_owned();
    command.output().with_context(|| {
        let program = program.display();
        format!("start {program}: is the Debian package {package} installed?")
    })
}

/// Runs `command` to its end, which must be a good one.
pub(crate) fn finish(command: &mut Command, package: &str) -> Result<Output> {
    let output = output(command, package)?;
    ensure!(
        output.status.success(),
        "{command:?}: {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output)
}
