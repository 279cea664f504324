//! The faults of a simulated ticket printer, settable at start and while it runs.

use serde::{Deserialize, Serialize};

use crate::printer::SimError;

/// What a ticket printer answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speaks {
    /// Nothing at all.
    Nothing,
    /// Its state at once (`DLE EOT`).
    Status,
    /// Also questions in line (`GS r`).
    InLine,
    /// Also words in line (`GS ( H`).
    #[default]
    Words,
}

/// How true its answers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Truth {
    /// True.
    #[default]
    Honest,
    /// Bytes that answer nothing, in place of each answer.
    Garbage,
    /// The right bits in the wrong places: the fixed ones are turned over.
    WrongBits,
    /// Each answer at once comes twice.
    Twice,
    /// It answers a question in line when it gets it, not when it comes to it.
    Early,
    /// It answers, and forgets to tell of faults.
    AllIsWell,
}

/// The faults of a ticket printer; all are off in a sound one. Places are counted in bytes that it
/// worked through since its power came on, but for `unplugs_at`, which counts bytes it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Knobs {
    /// Rows of dots left on the roll; none for a roll without end.
    pub paper_dots: Option<u32>,
    /// The roll is nearly at its end.
    pub near_end: bool,
    /// The cover stands open.
    pub cover_open: bool,
    /// It is offline and says not why.
    pub offline: bool,
    /// Its knife sticks at the next cut.
    pub cutter_jams: bool,
    /// Its head is too hot.
    pub hot: bool,
    /// It is broken until its power is cut.
    pub broken: bool,
    /// It has an error that somebody can mend.
    pub failure: bool,
    /// The paper ends at this byte.
    pub paper_ends_at: Option<u64>,
    /// The cover is opened at this byte.
    pub cover_opens_at: Option<u64>,
    /// At this byte its power fails and comes back: what it had not printed is gone.
    pub dies_at: Option<u64>,
    /// At this byte the way to it breaks.
    pub unplugs_at: Option<u64>,
    /// Bytes that it works through in a second; none for all at once.
    pub bytes_per_s: Option<u32>,
    /// Bytes that it takes ahead; past these it takes no more.
    pub buffer_bytes: usize,
    /// What it answers.
    pub speaks: Speaks,
    /// How true that is.
    pub truth: Truth,
    /// Milliseconds until an answer leaves.
    pub answer_ms: u32,
    /// What it says to whoever connects, before it is asked.
    pub left_over: Vec<u8>,
    /// It starts with two bytes a character.
    pub double_byte: bool,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            paper_dots: None,
            near_end: false,
            cover_open: false,
            offline: false,
            cutter_jams: false,
            hot: false,
            broken: false,
            failure: false,
            paper_ends_at: None,
            cover_opens_at: None,
            dies_at: None,
            unplugs_at: None,
            bytes_per_s: None,
            // What most models have.
            buffer_bytes: 4_096,
            speaks: Speaks::default(),
            truth: Truth::default(),
            answer_ms: 0,
            left_over: Vec::new(),
            double_byte: false,
        }
    }
}

impl Knobs {
    /// These knobs with those of a JSON object changed.
    ///
    /// # Errors
    /// [`SimError::Knob`] where one is unknown or has a value it cannot have.
    pub fn turned(&self, change: &[u8]) -> Result<Self, SimError> {
        let change: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(change)?;
        let mut all = serde_json::to_value(self)?;
        if let Some(all) = all.as_object_mut() {
            all.extend(change);
        }
        Ok(serde_json::from_value(all)?)
    }

    /// True where it prints nothing while the knobs stand so.
    pub(crate) fn stop(&self) -> bool {
        self.cover_open
            || self.offline
            || self.hot
            || self.broken
            || self.failure
            || self.paper_dots == Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_leaves_the_other_knobs_as_they_are() {
        let knobs = Knobs {
            cover_open: true,
            ..Knobs::default()
        };
        let turned = knobs
            .turned(br#"{"paper_dots": 5, "speaks": "in-line"}"#)
            .unwrap();
        let speaks = Speaks::InLine;
        let paper_dots = Some(5);
        assert_eq!(
            turned,
            Knobs {
                speaks,
                paper_dots,
                ..knobs
            }
        );
        assert!(turned.turned(br#"{"papers": 5}"#).is_err());
    }
}
