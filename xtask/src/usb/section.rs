//! What was measured in the guest, as a section of BENCHMARKS.md.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Context;

/// Figures by name, in the units that the guest tells.
type Figures = BTreeMap<String, u64>;

/// What stands below the table.
const NOTES: &str = "\
- In a Debian kernel under QEMU without hardware support (TCG), at virtual devices over vhci_hcd: read the ratios. An exchange \
  is one Get-Printer-Attributes, the median of 20. Ways of sending 1 MiB are measured in turns, 40 times each; the best counts.
- Overhead: what an exchange takes beyond the same one over a socket, without USB. Peer of exchanges and memory: Debian's ipp-usb \
  at the same device, a process of its own. Peer of raw bytes: the kernel's usblp.
- Two transfers of 16 KiB are in flight; what the printer accepted is known to the byte. The request goes to a device that only \
  counts what it takes, as raw bytes do. That the simulated printer reads a document as HTTP and IPP comes on top; the socket \
  tells how long that takes without USB.
- The emulated processor does not claim to be quick at `rep movsb`, which QEMU emulates byte by byte: copying would be all that \
  is measured.
- Memory of loket: what the pool added to the guest's program. Of the peer: its whole process.";

/// One row: what is measured, both sides, and the least or most that the ratio may be in percent.
struct Row {
    what: &'static str,
    unit: &'static str,
    loket: u64,
    peer: u64,
    target: Option<Target>,
}

/// What the ratio must be, in percent.
enum Target {
    AtLeast(u64),
    Below(u64),
}

const fn row(
    what: &'static str,
    unit: &'static str,
    (loket, peer): (u64, u64),
    target: Option<Target>,
) -> Row {
    Row {
        what,
        unit,
        loket,
        peer,
        target,
    }
}

impl Row {
    fn line(&self) -> String {
        let Self {
            what,
            unit,
            loket,
            peer,
            target,
        } = self;
        let percent = loket.saturating_mul(100).checked_div(*peer);
        let ratio = percent.map_or_else(String::new, |it| format!("{}.{:02}", it / 100, it % 100));
        let target = match (target, percent) {
            (Some(Target::AtLeast(least)), Some(percent)) => {
                let word = if percent >= *least { "met" } else { "missed" };
                format!("≥ {least} %: {word}")
            }
            (Some(Target::Below(most)), Some(percent)) => {
                let word = if percent < *most { "met" } else { "missed" };
                format!("below {most} %: {word}")
            }
            (None, _) | (_, None) => String::new(),
        };
        format!("| {what} | {loket} {unit} | {peer} {unit} | {ratio} | {target} |")
    }
}

/// The section.
///
/// # Errors
/// When a figure is missing or is none.
pub(super) fn of(lines: &[String]) -> anyhow::Result<String> {
    let figures = read(lines)?;
    let get = |name: &str| {
        let found = figures.get(name).copied();
        found.with_context(|| format!("find the figure {name}"))
    };
    let socket = get("exchange-socket-p50")?;
    let (ours, rival) = (get("exchange-loket-usb-p50")?, get("exchange-ipp-usb-p50")?);
    let raw = get("bulk-loket-usb-raw")?;
    let document = get("bulk-loket-usb-document")?;
    let beside = |ours: u64| ours.saturating_sub(socket);
    let rows = [
        row("an exchange over USB, p50", "µs", (ours, rival), None),
        row(
            "an exchange over USB, p95",
            "µs",
            (get("exchange-loket-usb-p95")?, get("exchange-ipp-usb-p95")?),
            None,
        ),
        row(
            "its overhead over a socket, p50",
            "µs",
            (beside(ours), beside(rival)),
            Some(Target::Below(100)),
        ),
        row(
            "memory",
            "KiB",
            (get("memory-added-by-loket-usb")?, get("memory-of-ipp-usb")?),
            None,
        ),
        row(
            "1 MiB as raw bytes",
            "kB/s",
            (raw, get("bulk-usblp")?),
            Some(Target::AtLeast(90)),
        ),
        row(
            "1 MiB as the body of a request, beside raw bytes",
            "kB/s",
            (get("bulk-loket-usb-http")?, raw),
            Some(Target::AtLeast(90)),
        ),
        row(
            "1 MiB as an IPP document, beside raw bytes",
            "kB/s",
            (document, raw),
            None,
        ),
        row(
            "1 MiB as an IPP document, beside ipp-usb",
            "kB/s",
            (document, get("bulk-ipp-usb-document")?),
            None,
        ),
        row(
            "1 MiB as an IPP document, beside a socket without USB",
            "kB/s",
            (document, get("bulk-socket-document")?),
            None,
        ),
    ];
    let mut text =
        "| figure | loket | peer | loket / peer | target |\n|---|---|---|---|---|\n".to_owned();
    for row in rows {
        // Writing into a string cannot fail.
        let _written = writeln!(text, "{}", row.line());
    }
    Ok(format!("{text}\n{NOTES}"))
}

/// `NAME VALUE UNIT`, a line each.
fn read(lines: &[String]) -> anyhow::Result<Figures> {
    let figures = lines.iter().map(|line| {
        let mut words = line.split_whitespace();
        let (name, value) = (words.next(), words.next());
        let (name, value) = name.zip(value).with_context(|| format!("read {line}"))?;
        let value = value.parse().with_context(|| format!("read {line}"))?;
        Ok((name.to_owned(), value))
    });
    figures.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_become_ratios_with_their_targets() {
        let lines = [
            "exchange-socket-p50 100 us",
            "exchange-loket-usb-p50 400 us",
            "exchange-loket-usb-p95 500 us",
            "exchange-ipp-usb-p50 700 us",
            "exchange-ipp-usb-p95 900 us",
            "memory-added-by-loket-usb 50 KiB",
            "memory-of-ipp-usb 9000 KiB",
            "bulk-usblp 1000 kB/s",
            "bulk-loket-usb-raw 950 kB/s",
            "bulk-loket-usb-http 800 kB/s",
            "bulk-loket-usb-document 600 kB/s",
            "bulk-ipp-usb-document 400 kB/s",
            "bulk-socket-document 1000 kB/s",
        ];
        let lines: Vec<String> = lines.map(str::to_owned).to_vec();
        let section = of(&lines).unwrap();
        for row in [
            "| its overhead over a socket, p50 | 300 µs | 600 µs | 0.50 | below 100 %: met |",
            "| 1 MiB as raw bytes | 950 kB/s | 1000 kB/s | 0.95 | ≥ 90 %: met |",
            "| 1 MiB as the body of a request, beside raw bytes | 800 kB/s | 950 kB/s | 0.84 | ≥ 90 %: missed |",
        ] {
            assert!(section.contains(row), "{section}");
        }
        assert!(of(&lines[1..]).is_err(), "one is missing");
        assert!(of(&["exchange-socket-p50 fast us".to_owned()]).is_err());
    }
}
