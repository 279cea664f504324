//! What one benchmark has to say, as its section of BENCHMARKS.md.

use std::fmt::{self, Write as _};

/// A section: figures beside their peers, then what a reader must know of them.
#[derive(Debug, Default)]
pub(crate) struct Section {
    rows: Vec<Row>,
    notes: Vec<String>,
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    figure: String,
    ours: String,
    peer: Option<String>,
    ratio: Option<f64>,
    target: Option<Target>,
}

#[derive(Debug)]
struct Target {
    text: &'static str,
    is_met: bool,
}

impl Row {
    /// A figure of ours, with nothing beside it yet.
    pub(crate) fn new(figure: impl Into<String>, ours: impl fmt::Display) -> Self {
        Self {
            figure: figure.into(),
            ours: ours.to_string(),
            peer: None,
            ratio: None,
            target: None,
        }
    }

    /// The peer's figure of the same run, and ours divided by it.
    pub(crate) fn beside(mut self, peer: impl fmt::Display, ratio: f64) -> Self {
        self.peer = Some(peer.to_string());
        self.ratio = Some(ratio);
        self
    }

    /// What the peer of the same run came to, where no ratio says anything.
    pub(crate) fn beside_words(mut self, peer: impl fmt::Display) -> Self {
        self.peer = Some(peer.to_string());
        self
    }

    /// What was aimed at, and whether this run reached it.
    pub(crate) const fn target(mut self, text: &'static str, is_met: bool) -> Self {
        self.target = Some(Target { text, is_met });
        self
    }
}

impl Section {
    /// Adds a line to the table.
    pub(crate) fn row(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Adds a remark below the table.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

/// Markdown: the table, then the remarks.
impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| figure | loket | peer | loket / peer | target |")?;
        writeln!(f, "|---|---|---|---|---|")?;
        for row in &self.rows {
            writeln!(f, "{row}")?;
        }
        for note in &self.notes {
            write!(f, "\n- {note}")?;
        }
        if !self.notes.is_empty() {
            f.write_char('\n')?;
        }
        Ok(())
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| {} | {} |", self.figure, self.ours)?;
        match &self.peer {
            Some(peer) => write!(f, " {peer} |")?,
            None => f.write_str(" |")?,
        }
        match self.ratio {
            Some(ratio) => write!(f, " {} |", digits(ratio))?,
            None => f.write_str(" |")?,
        }
        match &self.target {
            Some(Target { text, is_met }) => {
                let said = if *is_met { "met" } else { "**missed**" };
                write!(f, " {text}: {said} |")
            }
            None => f.write_str(" |"),
        }
    }
}

/// A ratio with the digits that a reader compares.
fn digits(ratio: f64) -> String {
    if ratio < 1.0 {
        format!("{ratio:.3}")
    } else {
        format!("{ratio:.2}")
    }
}
