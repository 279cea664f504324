//! What a machine remembers of a document that somebody had checked there: that it happened, and nothing of it.
//!
//! There is no state: each is over when it is written. It deliberately does not know who asked, what the document was, who
//! signed it, or where it lay.

use loket_wire::Timestamp;
use serde::{Deserialize, Serialize};

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// TOTAL-PASSED.
    Valid,
    /// TOTAL-FAILED.
    Invalid,
    /// INDETERMINATE.
    Indeterminate,
    /// It was a picture of paper.
    Paper,
    /// It was not judged: too much, or no document.
    NotJudged,
}

impl Verdict {
    /// Its word in journal and log.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Indeterminate => "indeterminate",
            Self::Paper => "paper",
            Self::NotJudged => "not-judged",
        }
    }
}

/// A verification that is over, in its disk form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationDone {
    /// Version of this shape.
    v: u16,
    /// Always [`VerificationDone::KIND`].
    kind: String,
    /// What was answered.
    pub verdict: Verdict,
    /// Digest of the document under a key that ends with the program's run, hexadecimal.
    pub document: String,
    /// When, by the machine's clock.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
}

impl VerificationDone {
    /// The kind of the event.
    pub const KIND: &str = "verification-done";

    /// The version of its shape.
    pub const VERSION: u16 = 1;

    /// Of a verdict, the keyed digest of what was judged, and a moment.
    #[must_use]
    pub fn new(verdict: Verdict, document: String, at: Timestamp) -> Self {
        Self {
            v: Self::VERSION,
            kind: Self::KIND.to_owned(),
            verdict,
            document,
            at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As version 1 wrote it: journals are read across an upgrade.
    const DONE_V1: &str =
        r#"{"v":1,"kind":"verification-done","verdict":"not-judged","document":"0a0b","at_ms":7}"#;

    #[test]
    fn an_event_of_version_1_is_read_and_written_as_it_was() {
        let done: VerificationDone = serde_json::from_str(DONE_V1).unwrap();
        let made = VerificationDone::new(
            Verdict::NotJudged,
            "0a0b".to_owned(),
            Timestamp::from_unix_ms(7),
        );
        assert_eq!(done, made);
        assert_eq!(serde_json::to_string(&made).unwrap(), DONE_V1);
    }

    #[test]
    fn a_verdict_has_one_word() {
        for verdict in [
            Verdict::Valid,
            Verdict::Invalid,
            Verdict::Indeterminate,
            Verdict::Paper,
            Verdict::NotJudged,
        ] {
            let json = serde_json::to_value(verdict).unwrap();
            assert_eq!(json, verdict.word());
        }
    }
}
