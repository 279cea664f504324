//! The two folders of a demo: its state, which one demo holds at a time, and beside it what its printer printed.

use std::fmt;
use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};

/// A printed document is clear text about people, as in a tray: it is there to be looked at, and then gone.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);

/// Marks a folder whose contents the demo may remove.
const MARK: &str = ".loket-demo";

/// Another demo runs on the state folder.
#[derive(Debug)]
pub struct Held(PathBuf);

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "hold {}: another demo runs there; end it with Ctrl+C in its terminal, or use another folder with --state DIR",
            self.0.display()
        )
    }
}

impl std::error::Error for Held {}

/// A state folder that this process alone may use; the system gives it back when the process ends, however it ends.
#[derive(Debug)]
pub struct State {
    dir: PathBuf,
    _lock: File,
}

impl State {
    /// Makes the folder where it is missing, and holds it.
    ///
    /// # Errors
    /// [`Held`] when another demo does; when it cannot be made.
    pub fn hold(dir: &Path) -> anyhow::Result<Self> {
        let failed = || format!("make {}", dir.display());
        fs::create_dir_all(dir).with_context(failed)?;
        let dir = dir.canonicalize().with_context(failed)?;
        let lock = File::create(dir.join("lock")).with_context(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { dir, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Held(dir).into()),
            Err(TryLockError::Error(error)) => Err(error).with_context(failed),
        }
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// What the demo's printer printed. It lies beside the state, never in it: a state folder holds nothing of a person in
/// clear.
#[derive(Debug)]
pub struct Output {
    dir: PathBuf,
}

impl Output {
    /// Makes or finds the folder beside `state`, for its owner's eyes alone.
    ///
    /// # Errors
    /// When it cannot be made, or holds what no demo put there.
    pub fn beside(state: &State) -> anyhow::Result<Self> {
        let name = state.dir.file_name().context("name the state folder")?;
        let mut name = name.to_owned();
        name.push("-output");
        let dir = state.dir.with_file_name(name);
        let failed = || format!("make {}", dir.display());
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir)
            .with_context(failed)?;
        let is_empty = fs::read_dir(&dir).with_context(failed)?.next().is_none();
        if !is_empty && !dir.join(MARK).exists() {
            bail!(
                "use {} for what the printer prints: it holds other files; move it away, or use another folder with --state DIR",
                dir.display()
            );
        }
        fs::set_permissions(&dir, Permissions::from_mode(0o700)).with_context(failed)?;
        File::create(dir.join(MARK)).with_context(failed)?;
        Ok(Self { dir })
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Removes what was printed a day or longer before `now`.
    ///
    /// # Errors
    /// When the folder cannot be read or a file not removed.
    pub fn sweep(&self, now: SystemTime) -> anyhow::Result<()> {
        for entry in fs::read_dir(&self.dir).context("look at what the printer printed")? {
            let entry = entry.context("look at what the printer printed")?;
            let file = entry.metadata().context("look at a printed document")?;
            let age = now.duration_since(file.modified()?).unwrap_or_default();
            if file.is_file() && entry.file_name() != MARK && age >= KEPT_FOR {
                fs::remove_file(entry.path()).context("remove a printed document")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> (tempfile::TempDir, State) {
        let folder = tempfile::tempdir().unwrap();
        let state = State::hold(&folder.path().join("demo")).unwrap();
        (folder, state)
    }

    #[test]
    fn a_state_folder_is_held_by_one_demo_at_a_time() {
        let (_folder, state) = state();
        let second = State::hold(state.dir()).unwrap_err();
        assert!(second.downcast_ref::<Held>().is_some());
        assert!(second.to_string().contains("another demo runs there"));
        let dir = state.dir().to_owned();
        drop(state);
        State::hold(&dir).unwrap();
    }

    #[test]
    fn what_was_printed_lies_beside_the_state_and_goes_after_a_day() {
        let (folder, state) = state();
        let output = Output::beside(&state).unwrap();
        assert_eq!(output.dir().parent(), state.dir().parent());
        fs::set_permissions(output.dir(), Permissions::from_mode(0o755)).unwrap();
        let output = Output::beside(&state).unwrap();
        let mode = fs::metadata(output.dir()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let printed = output.dir().join("one.pdf");
        fs::write(&printed, b"%PDF").unwrap();
        let now = fs::metadata(&printed).unwrap().modified().unwrap();
        output
            .sweep(now + KEPT_FOR - Duration::from_secs(1))
            .unwrap();
        assert!(printed.exists());
        output.sweep(now + KEPT_FOR).unwrap();
        assert!(!printed.exists());
        Output::beside(&state).unwrap();
        drop(folder);
    }

    #[test]
    fn a_folder_of_somebody_else_is_left_alone() {
        let (_folder, state) = state();
        let mut beside = state.dir().as_os_str().to_owned();
        beside.push("-output");
        fs::create_dir(&beside).unwrap();
        fs::write(Path::new(&beside).join("thesis.pdf"), b"mine").unwrap();
        let refused = Output::beside(&state).unwrap_err().to_string();
        assert!(refused.contains("holds other files"), "{refused}");
    }
}
