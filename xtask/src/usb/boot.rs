//! Boots the guest and listens to its console.

use std::io::BufReader;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

const PROGRAM: &str = "qemu-system-x86_64";

/// KVM does not start stock kernels on every machine that this runs on; an emulated processor does, on all.
///
/// It does not say that it is quick at `rep movsb` (ERMS, FSRM): QEMU moves a byte in each round of a loop then, and who
/// believes it, as kernel and C library do, copies more slowly than in any other way. What is measured would be copying.
const MACHINE: &[&str] = &[
    "-accel",
    "tcg,thread=multi",
    "-cpu",
    "max,-erms,-fsrm",
    "-M",
    "pc",
    "-m",
    "768",
    "-smp",
    "2",
    "-nodefaults",
    "-no-reboot",
    "-display",
    "none",
    "-serial",
    "stdio",
];

/// No clock of the emulated processor is waited for, and a panic ends the machine.
const KERNEL_LINE: &str =
    "console=ttyS0 panic=-1 quiet mitigations=off tsc=reliable no_timer_check";

/// Lines that wait to be judged; the guest writes some ten a second.
const MAX_LINES: usize = 1024;

/// The guest's program says this last.
const END: &str = "loket-usb end ";

/// Boots `kernel` with `archive`, gives each line of its console to `hear`, and returns when the machine is off.
///
/// # Errors
/// Where QEMU does not start, the guest is not through by the deadline, or it switched itself off before its end.
pub(super) fn run(
    kernel: &Path,
    archive: &Path,
    named: &[String],
    deadline: Duration,
    mut hear: impl FnMut(&str),
) -> anyhow::Result<()> {
    let mut command = Command::new(PROGRAM);
    command.args(MACHINE).arg("-kernel").arg(kernel);
    command.arg("-initrd").arg(archive);
    command.args(["-append", &kernel_line(named)]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut guest = command
        .spawn()
        .with_context(|| format!("start {PROGRAM}"))?;
    let console = guest.stdout.take().context("hear the guest's console")?;
    let (sender, lines) = sync_channel(MAX_LINES);
    let listener = std::thread::spawn(move || listen(BufReader::new(console), &sender));
    let end = Instant::now()
        .checked_add(deadline)
        .context("reckon the deadline")?;
    let mut last = String::new();
    let mut has_ended = false;
    let outcome = loop {
        let left = end.saturating_duration_since(Instant::now());
        match lines.recv_timeout(left) {
            Ok(line) => {
                has_ended |= line.contains(END);
                if line.contains("loket-usb") {
                    println!("{line}");
                }
                hear(&line);
                last = line;
            }
            Err(RecvTimeoutError::Disconnected) => break Ok(()),
            Err(RecvTimeoutError::Timeout) => {
                break Err(anyhow::anyhow!(
                    "run the guest within {deadline:?}; it said last: {last}"
                ));
            }
        }
    };
    stop(&mut guest)?;
    drop(lines);
    if listener.join().is_err() {
        bail!("hear the guest's console");
    }
    outcome?;
    if !has_ended {
        bail!("run the guest to its end; it said last: {last}");
    }
    Ok(())
}

/// The kernel's command line. The scenarios are one word of it: more than 32 for the first program are a panic.
fn kernel_line(named: &[String]) -> String {
    format!("{KERNEL_LINE} -- {}", named.join(","))
}

/// Ends the machine where it is still on.
fn stop(guest: &mut Child) -> anyhow::Result<()> {
    if guest.try_wait().context("ask how the guest is")?.is_none() {
        // It may have switched itself off since.
        drop(guest.kill());
    }
    guest.wait().context("wait for the guest's end").map(drop)
}

fn listen(mut console: impl std::io::BufRead, to: &SyncSender<String>) {
    let mut line = Vec::new();
    while console
        .read_until(b'\n', &mut line)
        .is_ok_and(|len| len > 0)
    {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        line.clear();
        if to.send(text).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::kernel_line;
    use crate::usb::SCENARIOS;

    /// Of x86 (`COMMAND_LINE_SIZE`), with the zero at its end.
    const MAX_LINE_BYTES: usize = 2048;

    #[test]
    fn the_kernel_takes_the_names_of_all_scenarios() {
        let all: Vec<String> = SCENARIOS.lines().map(str::to_owned).collect();
        let line = kernel_line(&all);
        assert!(line.len() < MAX_LINE_BYTES, "{line}");
        let (_, named) = line.split_once(" -- ").unwrap();
        assert_eq!(named.split_whitespace().count(), 1, "{named}");
        assert_eq!(named.split(',').count(), all.len());
        assert_eq!(kernel_line(&[]).split_once(" -- ").unwrap().1, "");
    }
}
