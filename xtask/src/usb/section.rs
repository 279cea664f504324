//! What was measured in the guest, as a section of BENCHMARKS.md.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Context;

/// Figures by name, in the units that the guest tells.
struct Figures(BTreeMap<String, u64>);

/// What stands below the table.
const NOTES: &str = "\
- In a Debian kernel under QEMU without hardware support (TCG), at virtual devices over vhci_hcd: read the ratios. What is \
  compared takes turns; a figure is the median, and of the ratios turn by turn the median is told, with the quartiles.
- An exchange is one Get-Printer-Attributes, 40 of them. Overhead: what one takes beyond the same one over a socket, without USB, in \
  the same turn. Peer of exchanges and memory: Debian's ipp-usb at the same device, a process of its own.
- Of 1 MiB there are 60 turns, at devices that are plugged in four times. usblp is the kernel's own printer driver: the raw bulk \
  rate there. The body of a request goes to a device that only counts what it takes, as raw bytes do, and answers. That the simulated \
  printer reads a document as HTTP and IPP comes on top; the socket tells how long that takes without USB.
- Of a request three transfers of 32 KiB are in flight, of raw bytes two; what the printer accepted is known to the byte.
- The emulated processor does not claim to be quick at `rep movsb`, which QEMU emulates byte by byte: copying would be all that \
  is measured.
- Memory: a whole process that did as many exchanges, of both.";

/// One row: what is measured, both sides, their ratio in percent, and the least or most that it may be.
struct Row {
    what: &'static str,
    unit: &'static str,
    loket: u64,
    peer: u64,
    ratio: Option<Ratio>,
    target: Option<Target>,
}

/// A ratio in percent, with its quartiles where it was taken turn by turn.
struct Ratio {
    median: u64,
    quartiles: Option<(u64, u64)>,
}

/// What the ratio must be, in percent.
enum Target {
    AtLeast(u64),
    Below(u64),
}

/// A row whose ratio is that of its two figures.
fn row(
    what: &'static str,
    unit: &'static str,
    (loket, peer): (u64, u64),
    target: Option<Target>,
) -> Row {
    let percent = loket.saturating_mul(100).checked_div(peer);
    Row {
        what,
        unit,
        loket,
        peer,
        ratio: percent.map(|median| Ratio {
            median,
            quartiles: None,
        }),
        target,
    }
}

/// `0.95`.
fn hundredths(percent: u64) -> String {
    format!("{}.{:02}", percent / 100, percent % 100)
}

impl Row {
    fn line(&self) -> String {
        let Self {
            what,
            unit,
            loket,
            peer,
            ratio,
            target,
        } = self;
        let told = ratio.as_ref().map_or_else(String::new, Ratio::told);
        let target = match (target, ratio) {
            (Some(Target::AtLeast(least)), Some(ratio)) => {
                let word = met(ratio.median >= *least);
                format!("≥ {least} %: {word}")
            }
            (Some(Target::Below(most)), Some(ratio)) => {
                let word = met(ratio.median < *most);
                format!("below {most} %: {word}")
            }
            (None, _) | (_, None) => String::new(),
        };
        format!("| {what} | {loket} {unit} | {peer} {unit} | {told} | {target} |")
    }
}

impl Ratio {
    fn told(&self) -> String {
        let median = hundredths(self.median);
        let spread = self.quartiles.map(|(low, high)| {
            let (low, high) = (hundredths(low), hundredths(high));
            format!(" ({low} to {high})")
        });
        format!("{median}{}", spread.unwrap_or_default())
    }
}

fn met(is_met: bool) -> &'static str {
    if is_met { "met" } else { "missed" }
}

impl Figures {
    fn get(&self, name: &str) -> anyhow::Result<u64> {
        let found = self.0.get(name).copied();
        found.with_context(|| format!("find the figure {name}"))
    }

    /// A row of exchanges with ours and the rival's.
    fn beside_ipp_usb(
        &self,
        what: &'static str,
        (kind, part): (&str, &str),
        target: Option<Target>,
    ) -> anyhow::Result<Row> {
        let ours = self.get(&format!("{kind}-loket-usb-{part}"))?;
        let rival = self.get(&format!("{kind}-ipp-usb-{part}"))?;
        Ok(row(what, "µs", (ours, rival), target))
    }

    /// A row of rates that took turns.
    fn in_turns(
        &self,
        what: &'static str,
        (way, other): (&str, &str),
        ratio: &str,
        target: Option<Target>,
    ) -> anyhow::Result<Row> {
        let part = |part: &str| self.get(&format!("{ratio}-{part}"));
        Ok(Row {
            what,
            unit: "kB/s",
            loket: self.get(way)?,
            peer: self.get(other)?,
            ratio: Some(Ratio {
                median: part("p50")?,
                quartiles: Some((part("p25")?, part("p75")?)),
            }),
            target,
        })
    }

    fn rows(&self) -> anyhow::Result<Vec<Row>> {
        let least = || Some(Target::AtLeast(90));
        let (raw, usblp) = ("bulk-loket-usb-raw", "bulk-usblp");
        let (http, document) = ("bulk-loket-usb-http", "bulk-loket-usb-document");
        let sent = self.get(document)?;
        let through_rival = (sent, self.get("bulk-ipp-usb-document")?);
        let without_usb = (sent, self.get("bulk-socket-document")?);
        let memory = (
            self.get("memory-of-loket-usb")?,
            self.get("memory-of-ipp-usb")?,
        );
        Ok(vec![
            self.beside_ipp_usb("an exchange over USB, p50", ("exchange", "p50"), None)?,
            self.beside_ipp_usb("an exchange over USB, p95", ("exchange", "p95"), None)?,
            self.beside_ipp_usb(
                "its overhead over a socket, p50",
                ("overhead", "p50"),
                Some(Target::Below(100)),
            )?,
            row("memory", "KiB", memory, None),
            self.in_turns(
                "1 MiB as raw bytes, beside usblp",
                (raw, usblp),
                "raw-to-usblp",
                least(),
            )?,
            self.in_turns(
                "1 MiB as the body of a request, beside usblp",
                (http, usblp),
                "http-to-usblp",
                least(),
            )?,
            self.in_turns(
                "1 MiB as the body of a request, beside our raw bytes",
                (http, raw),
                "http-to-raw",
                least(),
            )?,
            self.in_turns(
                "1 MiB as an IPP document, beside usblp",
                (document, usblp),
                "document-to-usblp",
                None,
            )?,
            row(
                "1 MiB as an IPP document, beside ipp-usb",
                "kB/s",
                through_rival,
                None,
            ),
            row(
                "1 MiB as an IPP document, beside a socket without USB",
                "kB/s",
                without_usb,
                None,
            ),
        ])
    }
}

/// The section.
///
/// # Errors
/// When a figure is missing or is none.
pub(super) fn of(lines: &[String]) -> anyhow::Result<String> {
    let rows = read(lines)?.rows()?;
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
    figures.collect::<anyhow::Result<_>>().map(Figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_become_ratios_with_their_targets() {
        let lines = [
            "exchange-loket-usb-p50 400 us",
            "exchange-loket-usb-p95 500 us",
            "exchange-ipp-usb-p50 700 us",
            "exchange-ipp-usb-p95 900 us",
            "overhead-loket-usb-p50 300 us",
            "overhead-ipp-usb-p50 600 us",
            "memory-of-loket-usb 50 KiB",
            "memory-of-ipp-usb 9000 KiB",
            "bulk-usblp 1000 kB/s",
            "bulk-loket-usb-raw 960 kB/s",
            "bulk-loket-usb-http 880 kB/s",
            "bulk-loket-usb-document 600 kB/s",
            "bulk-ipp-usb-document 400 kB/s",
            "bulk-socket-document 1000 kB/s",
            "raw-to-usblp-p25 91 %",
            "raw-to-usblp-p50 95 %",
            "raw-to-usblp-p75 101 %",
            "http-to-usblp-p25 80 %",
            "http-to-usblp-p50 89 %",
            "http-to-usblp-p75 90 %",
            "http-to-raw-p25 90 %",
            "http-to-raw-p50 90 %",
            "http-to-raw-p75 95 %",
            "document-to-usblp-p25 50 %",
            "document-to-usblp-p50 60 %",
            "document-to-usblp-p75 70 %",
        ];
        let lines: Vec<String> = lines.map(str::to_owned).to_vec();
        let section = of(&lines).unwrap();
        for row in [
            "| its overhead over a socket, p50 | 300 µs | 600 µs | 0.50 | below 100 %: met |",
            "| 1 MiB as raw bytes, beside usblp | 960 kB/s | 1000 kB/s | 0.95 (0.91 to 1.01) | ≥ 90 %: met |",
            "| 1 MiB as the body of a request, beside usblp | 880 kB/s | 1000 kB/s | 0.89 (0.80 to 0.90) | ≥ 90 %: missed |",
            "| 1 MiB as the body of a request, beside our raw bytes | 880 kB/s | 960 kB/s | 0.90 (0.90 to 0.95) | ≥ 90 %: met |",
            "| 1 MiB as an IPP document, beside ipp-usb | 600 kB/s | 400 kB/s | 1.50 |  |",
        ] {
            assert!(section.contains(row), "{section}");
        }
        assert!(of(&lines[1..]).is_err(), "one is missing");
        assert!(of(&["exchange-socket-p50 fast us".to_owned()]).is_err());
    }
}
