//! Programs from Python's registry that judge what ours judges, in a place of their own under `target`.

use std::path::Path;
use std::process::Command;

use anyhow::Context;

use super::finish;

/// What is installed, each with its version.
const PINNED: &str = "tests/peers/requirements.txt";

/// The place, under the target folder; `bin/python` in it knows the peers.
const FOLDER: &str = "loket-peers";

/// Installs what [`PINNED`] says, unless that was done before.
pub(crate) fn install(root: &Path, target: &Path) -> anyhow::Result<()> {
    let folder = target.join(FOLDER);
    let pinned = root.join(PINNED);
    let wanted = std::fs::read(&pinned).with_context(|| format!("read {}", pinned.display()))?;
    // Written last: a place that was left half-made has none.
    let mark = folder.join("installed.txt");
    if std::fs::read(&mark).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&folder);
    finish(make)?;
    let mut fetch = Command::new(folder.join("bin/python"));
    fetch.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--only-binary",
        ":all:",
    ]);
    fetch.arg("--requirement").arg(&pinned);
    finish(fetch)?;
    std::fs::write(&mark, wanted).with_context(|| format!("write {}", mark.display()))
}
