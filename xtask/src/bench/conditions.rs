//! Under which conditions figures came about: what a reader needs to judge or to repeat them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

/// The lines above a section's table.
pub(super) fn told(root: &Path, command: &str) -> anyhow::Result<String> {
    let date = said("date", &["--utc", "--iso-8601=minutes"], root)?;
    let commit = said("git", &["rev-parse", "--short=12", "HEAD"], root)?;
    let changed = said(
        "git",
        &["status", "--porcelain", "--untracked-files=no"],
        root,
    )?;
    let changed = changed.lines().any(|line| !line.ends_with("BENCHMARKS.md"));
    let with_changes = if changed { " with changes" } else { "" };
    let kernel = said("uname", &["--kernel-release", "--machine"], root)?;
    let rust = said("rustc", &["--version"], root)?;
    Ok(format!(
        "`{command}` on {date}, commit {commit}{with_changes}, {rust}.  \n{}, Linux {kernel}.",
        hardware()
    ))
}

/// `2 × AMD EPYC, 24 GiB`.
fn hardware() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut models = cpus.lines().filter_map(|line| value(line, "model name"));
    let model = models.next().unwrap_or("unknown processor");
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory.lines().find_map(|line| value(line, "MemTotal"));
    let kib = kib.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
    let gib = kib.unwrap_or_default().div_ceil(1024 * 1024);
    format!("{count} × {model}, {gib} GiB")
}

/// The value of a line `key : value`.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (name, value) = line.split_once(':')?;
    (name.trim() == key).then(|| value.trim())
}

fn said(program: &str, arguments: &[&str], root: &Path) -> anyhow::Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root)
        .output()
        .with_context(|| format!("start {program}"))?;
    ensure!(
        output.status.success(),
        "ask {program}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let text =
        String::from_utf8(output.stdout).with_context(|| format!("read what {program} says"))?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_name_command_commit_and_machine() {
        let told = told(
            Path::new(env!("CARGO_MANIFEST_DIR")),
            "cargo xtask bench idle",
        )
        .unwrap();
        assert!(told.starts_with("`cargo xtask bench idle` on 2"), "{told}");
        assert!(
            told.contains(", commit ") && told.contains("rustc 1."),
            "{told}"
        );
        assert!(told.contains(" GiB, Linux "), "{told}");
    }

    #[test]
    fn a_line_of_another_key_has_no_value() {
        assert_eq!(value("model name\t: A B", "model name"), Some("A B"));
        assert_eq!(value("model\t: 7", "model name"), None);
    }
}
