//! Documents at intake: judged in the inspector (docs/adr/0047).

use std::time::Duration;

use loket_inspection::{
    Brief, DOCUMENT_LIMITS, Document, Fault, Inspector, Judgement, Question, Work, answer, ask,
};
use loket_verify::{Policy, Trust};
use loket_wire::Timestamp;

/// Longest wait; far above its processor time, which bounds the work, for a busy computer shares it out.
const WITHIN: Duration = Duration::from_secs(40);

/// The longest answer: a report of the most findings and signatures that there can be has some tens of kilobytes.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Judges a document.
///
/// # Errors
/// [`Fault`]
///
/// # Cancel safety
/// Dropping the future ends the process.
pub(crate) async fn judge(
    inspector: &Inspector,
    document: &[u8],
    (trust, policy): (&Trust, &Policy),
    at: Timestamp,
) -> Result<Document, Fault> {
    let brief = Brief {
        policy: policy.clone(),
        hosts: None,
    };
    let brief = serde_json::to_vec(&brief).map_err(|_bug| Fault::Question)?;
    let question = Question {
        work: Work::Judge {
            at,
            or_paper: false,
        },
        limits: DOCUMENT_LIMITS,
        parts: &[&brief, &trust.carry(), document],
        within: WITHIN,
        max_answer_bytes: MAX_ANSWER_BYTES,
    };
    match answer(&ask(inspector, question).await?)? {
        Judgement::Document(document) => Ok(document),
        Judgement::Paper(_) => Err(Fault::Answer),
    }
}
