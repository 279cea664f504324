//! A disk of a few megabytes for the state of one program, which a test fills and makes room on.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use loket_demo::child::{Program, Running};
use loket_demo::site::text;

use crate::look::until;
use crate::world::DEADLINE;

/// A disk in memory. It is seen by the programs that run [inside](Self::inside) alone and ends with this value, however
/// the test ends.
#[derive(Debug)]
pub struct SmallDisk {
    holder: Running,
    filler: PathBuf,
}

impl SmallDisk {
    /// Mounts in a namespace of its own, which the holder keeps.
    const MOUNT: &str = r#"set -e
mkdir -p "$1/small"
mount -t tmpfs -o size=$2M,mode=0700 loket-small "$1/small"
cp -a "$1/state/." "$1/small/"
mount --bind "$1/small" "$1/state"
exec sleep infinity
"#;

    /// Mounts a disk of so many MiB over `state` of a folder, in which `known` stands.
    ///
    /// # Errors
    /// When it cannot be mounted: that takes root.
    pub async fn mount(home: &Path, known: &str, mib: u32, logs: &Path) -> anyhow::Result<Self> {
        let unshare = Program::at(Path::new("/usr/bin/unshare"));
        let (home_text, size) = (text(home), mib.to_string());
        let words = [
            "--mount",
            "/bin/sh",
            "-c",
            Self::MOUNT,
            "sh",
            &home_text,
            &size,
        ];
        let mut holder = Running::start("small-disk", unshare.command(words), logs)?;
        let inside = home.join("small/filler");
        let filler = Path::new("/proc")
            .join(holder.pid().context("find the holder")?.to_string())
            .join("root")
            .join(inside.strip_prefix("/").context("read a path")?);
        let copied = filler.with_file_name(known);
        until("the small disk", DEADLINE, async || {
            holder
                .check()
                .context("mount as root: run the test as root")?;
            Ok(copied.exists().then_some(()))
        })
        .await?;
        Ok(Self { holder, filler })
    }

    /// A program as it runs where this disk is.
    ///
    /// # Errors
    /// When the holder is gone.
    pub fn inside(&self, program: &Program) -> anyhow::Result<Program> {
        let pid = self.holder.pid().context("find the holder")?;
        let nsenter = Program::at(Path::new("/usr/bin/nsenter"));
        Ok(nsenter.running(&[&format!("--mount=/proc/{pid}/ns/mnt")], program))
    }

    /// Writes until nothing more goes on the disk, to the last kibibyte.
    ///
    /// # Errors
    /// When that fails for another reason.
    pub fn fill(&self) -> anyhow::Result<()> {
        let mut file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&self.filler)
            .context("fill the disk")?;
        for size in [64 * 1024, 1024] {
            let block = vec![0_u8; size];
            let full = loop {
                if let Err(error) = file.write_all(&block) {
                    break error;
                }
            };
            ensure!(full.kind() == ErrorKind::StorageFull, "{full}");
        }
        Ok(())
    }

    /// Makes room again, where it was filled.
    ///
    /// # Errors
    /// When that fails.
    pub fn empty(&self) -> anyhow::Result<()> {
        match std::fs::remove_file(&self.filler) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context("make room"),
            _gone => Ok(()),
        }
    }

    /// Whether a file of this name stands on it.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.filler.with_file_name(name).exists()
    }
}
