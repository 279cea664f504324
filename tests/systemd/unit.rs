//! A unit file as its lines say it.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::stage::source;

/// The units that are shipped.
pub(crate) const UNITS: &[&str] = &["loketd.service", "loket-central.service"];

/// One `Key=value` line.
pub(crate) struct Directive {
    pub(crate) section: String,
    pub(crate) key: String,
    pub(crate) value: String,
    /// The line above, when it is a comment with words in it.
    pub(crate) reason: Option<String>,
    pub(crate) line_no: usize,
}

/// A unit file.
pub(crate) struct Unit {
    pub(crate) name: String,
    pub(crate) directives: Vec<Directive>,
}

impl Unit {
    /// Reads a unit of `systemd/`.
    pub(crate) fn read(name: &str) -> Result<Self> {
        let text = fs::read_to_string(source(name)).with_context(|| format!("read {name}"))?;
        Self::parse(name, &text)
    }

    pub(crate) fn parse(name: &str, text: &str) -> Result<Self> {
        let mut directives = Vec::new();
        let mut section = String::new();
        let mut above = None;
        for (line_no, line) in (1..).zip(text.lines()) {
            if let Some(comment) = line.strip_prefix('#') {
                let reason = comment.trim();
                above = (!reason.is_empty()).then(|| reason.to_owned());
            } else if let Some(head) = line.strip_prefix('[') {
                section = head.trim_end_matches(']').to_owned();
                above = None;
            } else if let Some((key, value)) = line.split_once('=') {
                directives.push(Directive {
                    section: section.clone(),
                    key: key.to_owned(),
                    value: value.to_owned(),
                    reason: above.take(),
                    line_no,
                });
            } else if line.trim().is_empty() {
                above = None;
            } else {
                bail!("{name}:{line_no}: neither comment, section nor directive: {line}");
            }
        }
        Ok(Self {
            name: name.to_owned(),
            directives,
        })
    }

    /// Every value of a key.
    pub(crate) fn values<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a str> {
        let same = self.directives.iter().filter(move |it| it.key == key);
        same.map(|it| it.value.as_str())
    }

    /// The one value of a key.
    pub(crate) fn value(&self, key: &str) -> Result<&str> {
        let mut values = self.values(key);
        match (values.next(), values.next()) {
            (Some(value), None) => Ok(value),
            (None, _) => bail!("{}: {key}= is missing", self.name),
            (Some(_), Some(_)) => bail!("{}: {key}= stands there twice", self.name),
        }
    }

    /// The one value of a key, as a time: `2s`, `5min`.
    pub(crate) fn span(&self, key: &str) -> Result<Duration> {
        let value = self.value(key)?;
        let digits = value.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let number: u64 = digits
            .parse()
            .with_context(|| format!("{}: {key}={value}", self.name))?;
        match value.strip_prefix(digits) {
            Some("s") => Ok(Duration::from_secs(number)),
            Some("min") => Ok(Duration::from_secs(number.saturating_mul(60))),
            Some(_) | None => bail!("{}: {key}={value} has no unit", self.name),
        }
    }
}
