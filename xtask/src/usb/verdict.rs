//! What the guest said of its scenarios, held against those that were to run.

use std::fmt::Write as _;

use anyhow::bail;

/// Every line of ours begins so; the kernel has the console too.
const BEGINNING: &str = "loket-usb ";

/// What the guest said so far.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    told: Vec<Told>,
    figures: Vec<String>,
    trouble: Vec<String>,
}

/// What it said of one scenario.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    name: String,
    is_ok: bool,
    took_ms: u64,
    detail: String,
}

impl Verdict {
    /// Hears a line of the console; what is not ours is kept where it tells of trouble.
    pub(super) fn hear(&mut self, line: &str) {
        // The kernel may have begun the line.
        let Some((_, ours)) = line.split_once(BEGINNING) else {
            if line.contains("Kernel panic") || line.contains("BUG:") {
                self.trouble.push(line.trim().to_owned());
            }
            return;
        };
        if let Some(rest) = ours.strip_prefix("scenario ") {
            match Told::read(rest) {
                Some(told) => self.told.push(told),
                None => self.trouble.push(ours.to_owned()),
            }
        } else if let Some(figure) = ours.strip_prefix("figure ") {
            self.figures.push(figure.trim().to_owned());
        } else if let Some(trouble) = ours.strip_prefix("trouble: ") {
            self.trouble.push(trouble.to_owned());
        }
    }

    /// What it measured, `NAME VALUE UNIT` each.
    pub(super) fn figures(&self) -> &[String] {
        &self.figures
    }

    /// What else the console told of trouble, for the error of a guest that did not come to its end.
    pub(super) fn trouble(&self) -> String {
        match self.trouble.as_slice() {
            [] => "drive USB in the guest kernel".to_owned(),
            trouble => format!("drive USB in the guest kernel: {}", trouble.join("; ")),
        }
    }

    /// All of it, for a person.
    pub(super) fn table(&self) -> String {
        let mut table = String::new();
        let width = self.told.iter().map(|it| it.name.len()).max().unwrap_or(0);
        for told in &self.told {
            let word = if told.is_ok { "ok" } else { "FAILED" };
            let Told {
                name,
                took_ms,
                detail,
                ..
            } = told;
            // Writing into a string cannot fail.
            let _written = writeln!(table, "{word:6} {name:width$} {took_ms:>7} ms  {detail}");
        }
        for figure in &self.figures {
            let _written = writeln!(table, "figure {figure}");
        }
        for trouble in &self.trouble {
            let _written = writeln!(table, "trouble {trouble}");
        }
        table
    }

    /// An error unless each of the expected scenarios was told of once and is well, and no other was.
    pub(super) fn hold(&self, expected: &[&str]) -> anyhow::Result<()> {
        let mut wrong = Vec::new();
        for name in expected {
            let mut told = self.told.iter().filter(|it| it.name == *name);
            match (told.next(), told.next()) {
                (None, _) => wrong.push(format!("{name} did not run")),
                (Some(one), None) if one.is_ok => {}
                (Some(_), None) => wrong.push(format!("{name} failed")),
                (Some(_), Some(_)) => wrong.push(format!("{name} ran twice")),
            }
        }
        let unknown = self
            .told
            .iter()
            .filter(|it| !expected.contains(&it.name.as_str()));
        wrong.extend(unknown.map(|it| format!("{} was not to run", it.name)));
        wrong.extend(self.trouble.iter().cloned());
        if !wrong.is_empty() {
            bail!("drive USB in the guest kernel: {}", wrong.join("; "));
        }
        Ok(())
    }
}

impl Told {
    /// `NAME ok|failed MILLISECONDS DETAIL`.
    fn read(line: &str) -> Option<Self> {
        let mut words = line.trim_end().splitn(4, ' ');
        let name = words.next()?.to_owned();
        let is_ok = match words.next()? {
            "ok" => true,
            "failed" => false,
            _ => return None,
        };
        let took_ms = words.next()?.parse().ok()?;
        let detail = words.next().unwrap_or_default().to_owned();
        Some(Self {
            name,
            is_ok,
            took_ms,
            detail,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(lines: &[&str]) -> Verdict {
        let mut verdict = Verdict::default();
        for line in lines {
            verdict.hear(line);
        }
        verdict
    }

    fn check(lines: &[&str], expected: &[&str], complaint: &str) {
        let held = heard(lines).hold(expected);
        let said = held
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert_eq!(said.is_empty(), complaint.is_empty(), "{said}");
        assert!(said.contains(complaint), "{said}");
    }

    #[test]
    fn scenarios_that_all_are_well_hold() {
        check(
            &[
                "loket-usb scenario a ok 12 fine",
                "[1.2] usb loket-usb scenario b ok 3",
            ],
            &["a", "b"],
            "",
        );
    }

    #[test]
    fn one_that_failed_is_missing_came_twice_or_is_unknown_does_not() {
        check(&["loket-usb scenario a failed 12 no"], &["a"], "a failed");
        check(
            &["loket-usb scenario a ok 12 yes"],
            &["a", "b"],
            "b did not run",
        );
        check(
            &["loket-usb scenario a ok 1 x", "loket-usb scenario a ok 1 x"],
            &["a"],
            "a ran twice",
        );
        check(&["loket-usb scenario a ok 1 x"], &[], "a was not to run");
        check(&[], &["a"], "a did not run");
    }

    #[test]
    fn trouble_is_a_failure_though_all_scenarios_are_well() {
        check(
            &["loket-usb scenario a ok 1", "loket-usb trouble: no module"],
            &["a"],
            "no module",
        );
        check(
            &[
                "loket-usb scenario a ok 1",
                "[9] Kernel panic - not syncing",
            ],
            &["a"],
            "panic",
        );
        check(&["loket-usb scenario a maybe 1"], &[], "a maybe");
    }

    #[test]
    fn figures_and_details_are_shown() {
        let table = heard(&[
            "loket-usb scenario a ok 12 all fine",
            "loket-usb figure rate 3 kB/s",
        ])
        .table();
        assert!(
            table.contains("all fine") && table.contains("figure rate 3 kB/s"),
            "{table}"
        );
    }
}
