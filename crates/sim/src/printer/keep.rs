//! The folder into which received documents are written, and how it is emptied again.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use tokio_util::sync::CancellationToken;

use super::config::SimError;
use super::job::JobKey;

/// What a printer puts out is the outside: it stays for a day and no longer.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// A document outlives its day by this much at most.
const EMPTIED_EVERY: Duration = Duration::from_secs(60 * 60);

/// Written documents end so: a folder that holds other things too loses none of them.
const ENDING: &str = ".received";

/// Written slips of a ticket printer end so.
const SLIP_ENDING: &str = ".slip.svg";

/// Where received documents are written, if anywhere.
#[derive(Debug, Clone)]
pub(crate) struct Keep {
    folder: Option<PathBuf>,
}

impl Keep {
    /// Makes the folder, or takes one that is there, readable to its owner alone.
    pub(crate) fn open(folder: Option<PathBuf>) -> Result<Self, SimError> {
        if let Some(folder) = &folder {
            let made = DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .and_then(|()| std::fs::set_permissions(folder, Permissions::from_mode(0o700)));
            made.map_err(|source| SimError::Keep {
                folder: folder.clone(),
                source,
            })?;
        }
        Ok(Self { folder })
    }

    /// Writes a document as `<job uuid>-<sha256>.received`, where there is a folder.
    pub(crate) async fn write(
        &self,
        job: JobKey,
        sha256: &[u8; 32],
        bytes: Bytes,
    ) -> Result<(), SimError> {
        let name = format!("{}-{}{ENDING}", job.uuid, HEXLOWER.encode(sha256));
        self.put(name, bytes).await
    }

    /// Writes the `number`-th slip of a ticket printer as `<number>.slip.svg`, where there is a folder.
    pub(crate) async fn write_slip(&self, number: u64, svg: Bytes) -> Result<(), SimError> {
        self.put(format!("{number:05}{SLIP_ENDING}"), svg).await
    }

    /// True where there is a folder.
    pub(crate) fn is_somewhere(&self) -> bool {
        self.folder.is_some()
    }

    async fn put(&self, name: String, bytes: Bytes) -> Result<(), SimError> {
        let Some(folder) = self.folder.clone() else {
            return Ok(());
        };
        let file = folder.join(name);
        let written = tokio::task::spawn_blocking(move || write(&file, &bytes)).await;
        let written = written.unwrap_or_else(|error| Err(io::Error::other(error)));
        written.map_err(|source| SimError::Keep { folder, source })
    }
}

/// What a printer gets is readable to its owner alone; the same document for the same job is the same file.
fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)?;
    file.write_all(bytes)
}

/// Deletes what has been kept for its day: at the start, then every hour.
pub(crate) async fn empty_hourly(keep: Keep, stop: CancellationToken) {
    let Some(folder) = keep.folder else {
        return;
    };
    let mut due = tokio::time::interval(EMPTIED_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _at = due.tick() => {}
        }
        let folder = folder.clone();
        let emptied = tokio::task::spawn_blocking(move || empty(&folder, SystemTime::now())).await;
        let emptied = emptied.unwrap_or_else(|error| Err(io::Error::other(error)));
        if let Err(error) = emptied {
            tracing::warn!(%error, "old documents not deleted");
        }
    }
}

fn empty(folder: &Path, now: SystemTime) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_ours = name.ends_with(ENDING) || name.ends_with(SLIP_ENDING);
        let written = entry.metadata()?.modified()?;
        // A file from the future has no age: the clock was set back, and it waits for its day.
        let age = now.duration_since(written).unwrap_or_default();
        if is_ours && age >= KEPT_FOR {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn a_document_is_deleted_after_its_day_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = folder.path().join(name);
            File::create(&path).unwrap();
            path
        };
        let (document, slip) = (write("0-0.received"), write("00001.slip.svg"));
        let other = write("notes.txt");
        let written = document.metadata().unwrap().modified().unwrap();
        let almost = written + KEPT_FOR - Duration::from_secs(1);
        empty(folder.path(), almost).unwrap();
        assert!(document.exists());
        let later = other.metadata().unwrap().modified().unwrap() + 2 * KEPT_FOR;
        empty(folder.path(), later).unwrap();
        assert!(!document.exists() && !slip.exists() && other.exists());
    }

    #[test]
    fn a_folder_that_is_open_to_others_is_closed_to_them() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        Keep::open(Some(folder.path().to_owned())).unwrap();
        let mode = folder.path().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
