//! Judges what people bring to the pages: in a process of its own, bounded in number, time and memory.
//!
//! ```text
//! page ─> turn (one of two) ─┬> inspector: judge ─> verdict ─┬> journal (VerificationDone), answer
//!                            └> inspector: look ──> pictures ┘
//!                               each killed when it takes too long
//! ```
//! The parent reads nothing of the document. It is wiped here before the answer is given.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use loket_domain::verification::{Verdict as Told, VerificationDone};
use loket_inspection::{
    Brief, DOCUMENT_LIMITS, EXIT_NO_DOCUMENT, EXIT_NO_TRUST, Fault, Inspector, Question, Work,
    answer, ask_after,
};
use loket_journal::{Batch, CloseStream, Journal, NewEvent};
use loket_kiosk_ui::ports::{Answer, Brought, Document, Judgement, Reader, Verdict, VerifyDesk};
use loket_kiosk_ui::words::Trouble;
use loket_verify::Policy;
use loket_wire::Timestamp;
use ring::hmac;
use tokio::sync::Semaphore;

use crate::clock::{Clock, certain};
use crate::identity::OsRandom;
use crate::judged::JudgedTally;
use crate::stops::{Hold, hold};
use crate::telemetry::chain;
use crate::trust::TrustStore;

/// Documents judged at a time: one a core of the smallest PC.
const MAX_TURNS: usize = 2;

/// Who waits this long for a turn is told that the machine is busy.
const TURN_WAIT: Duration = Duration::from_secs(20);

/// The longest answer: a report of the most findings and signatures that there can be has some tens of kilobytes.
pub(crate) const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Nobody waits longer for pictures: an honest page is drawn and read in a tenth of a second.
pub(crate) const LOOK_WITHIN: Duration = Duration::from_secs(5);

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Judges signatures.
    Verdict,
    /// Draws pages and reads the codes on them.
    Look,
}

/// What a document is judged by, as the inspector is given it.
struct Grounds {
    at: Timestamp,
    /// A [`Brief`] as JSON.
    brief: Vec<u8>,
    trust: Vec<u8>,
    /// Whether the trust folder is broken and this is what was last good.
    is_last_good: bool,
}

/// Has documents judged.
#[derive(Debug)]
pub struct VerifyUnit {
    inspector: Inspector,
    trust: Arc<TrustStore>,
    policy: Policy,
    within: Duration,
    clock: Clock,
    journal: Journal,
    tally: Arc<JudgedTally>,
    turns: Semaphore,
    /// Drawn at each start and nowhere kept: what the journal has of a document tells two of one run apart and cannot be
    /// compared with any file.
    digest_key: hmac::Key,
}

impl VerifyUnit {
    /// Judges by what orders are judged by, each document within a time, and counts the answers.
    #[must_use]
    pub fn new(
        inspector: Inspector,
        (trust, policy): (Arc<TrustStore>, Policy),
        within: Duration,
        (clock, journal, tally): (Clock, Journal, Arc<JudgedTally>),
    ) -> Arc<Self> {
        let key: [u8; 32] = loket_wire::random::draw(&mut OsRandom::default());
        Arc::new(Self {
            inspector,
            trust,
            policy,
            within,
            clock,
            journal,
            tally,
            turns: Semaphore::new(MAX_TURNS),
            digest_key: hmac::Key::new(hmac::HMAC_SHA256, &key),
        })
    }

    /// Judges one document.
    async fn verify(&self, document: Brought, reader: Reader) -> Result<Judgement, Trouble> {
        let turn = tokio::time::timeout(TURN_WAIT, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err(Trouble::Busy);
        };
        let digest = hmac::sign(&self.digest_key, &document);
        let judged = self.judge_and_look(&document, reader).await;
        drop(document);
        let told = match &judged {
            Ok(Judgement::Document(document)) => match document.verdict {
                Verdict::Valid => Told::Valid,
                Verdict::Invalid => Told::Invalid,
                Verdict::Indeterminate => Told::Indeterminate,
            },
            Ok(Judgement::Paper(_)) => Told::Paper,
            Err(_trouble) => Told::NotJudged,
        };
        self.tally.answered(reader, told);
        self.record(told, digest.as_ref()).await;
        judged
    }

    /// Judges in one process and looks at the pages in another: a page that takes too long to draw, or breaks what draws
    /// it, costs pictures and codes and no verdict.
    async fn judge_and_look(&self, document: &[u8], reader: Reader) -> Result<Judgement, Trouble> {
        let at = self.clock.now().wall;
        let grounds = self.grounds(at).await?;
        let (judged, looked) = tokio::join!(
            self.inspect(&grounds, document, reader, Part::Verdict),
            self.inspect(&grounds, document, reader, Part::Look)
        );
        let mut judged = judged?;
        if let Judgement::Document(document) = &mut judged {
            document.is_trust_last_good = grounds.is_last_good;
        }
        Ok(match looked {
            Ok(looked) => with_looks(judged, looked),
            Err(trouble) => {
                tracing::warn!(
                    code = trouble.id(),
                    "pages of a document were not looked at"
                );
                judged
            }
        })
    }

    /// What a document that is judged at a moment is judged by: what orders are judged by in that moment, also while the
    /// trust folder is broken.
    async fn grounds(&self, at: Timestamp) -> Result<Grounds, Trouble> {
        let (store, policy) = (Arc::clone(&self.trust), self.policy.clone());
        let read = move || {
            let trust = store.current().carry();
            let brief = Brief {
                policy,
                hosts: store.hosts(at),
            };
            let brief = serde_json::to_vec(&brief).map_err(|_bug| Trouble::NotStarted)?;
            let is_last_good = store.folder_fault().is_some();
            Ok(Grounds {
                at,
                brief,
                trust,
                is_last_good,
            })
        };
        let read = tokio::task::spawn_blocking(read).await;
        read.map_err(|_ended| Trouble::NotStarted)?
    }

    async fn inspect(
        &self,
        grounds: &Grounds,
        document: &[u8],
        reader: Reader,
        part: Part,
    ) -> Result<Judgement, Trouble> {
        let at = grounds.at;
        let (work, within) = match part {
            Part::Verdict => {
                let or_paper = true;
                (Work::Judge { at, or_paper }, self.within)
            }
            Part::Look => {
                let officer = reader == Reader::Officer;
                (Work::Look { at, officer }, self.within.min(LOOK_WITHIN))
            }
        };
        let parts: &[&[u8]] = match part {
            Part::Verdict => &[&grounds.brief, &grounds.trust, document],
            // Who only looks at pages trusts nobody.
            Part::Look => &[&grounds.brief, document],
        };
        let question = Question {
            work,
            limits: DOCUMENT_LIMITS,
            parts,
            within,
            max_answer_bytes: MAX_ANSWER_BYTES,
        };
        let answered = ask_after(&self.inspector, question, hold(Hold::Judging)).await;
        let answered = answered.and_then(|bytes| answer(&bytes));
        answered.map_err(|fault| {
            if fault.was_killed() {
                self.tally.killed();
            }
            let trouble = trouble_of(&fault);
            tracing::warn!(error = %chain(&fault), code = trouble.id(), "a document was not judged");
            trouble
        })
    }

    /// Writes down that something was judged: a verdict and a keyed digest, nothing else. What is not kept stops nobody.
    async fn record(&self, verdict: Told, digest: &[u8]) {
        let now = self.clock.now();
        let done = VerificationDone::new(verdict, HEXLOWER.encode(digest), now.wall);
        let Ok(bytes) = serde_json::to_vec(&done) else {
            tracing::error!("a verification cannot be written");
            return;
        };
        let stream = format!("verification-{}", uuid::Uuid::now_v7());
        let batch = Batch {
            events: vec![NewEvent {
                stream: stream.clone(),
                kind: VerificationDone::KIND.to_owned(),
                version: VerificationDone::VERSION,
                bytes,
            }],
            close_streams: vec![CloseStream {
                name: stream,
                at_ms: certain(now).unix_ms(),
            }],
            ..Batch::default()
        };
        match self.journal.append(batch).await {
            Ok(_at) => tracing::info!(
                verification.verdict = verdict.word(),
                "a document was judged"
            ),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "a verification is not written down");
            }
        }
    }
}

impl VerifyDesk for VerifyUnit {
    fn verify(&self, document: Brought, reader: Reader) -> Answer<'_, Result<Judgement, Trouble>> {
        Box::pin(Self::verify(self, document, reader))
    }
}

/// Adds what was seen on the pages; of everything else the process that only judged has the word.
fn with_looks(judged: Judgement, looked: Judgement) -> Judgement {
    match (judged, looked) {
        (Judgement::Document(judged), Judgement::Document(looked)) => {
            Judgement::Document(Document {
                is_looked_at: true,
                qr: looked.qr,
                compared: looked.compared,
                ..judged
            })
        }
        (Judgement::Paper(_), Judgement::Paper(looked)) => Judgement::Paper(looked),
        (judged, _other) => judged,
    }
}

fn trouble_of(fault: &Fault) -> Trouble {
    if matches!(fault, Fault::NotStarted(_)) {
        Trouble::NotStarted
    } else if fault.is_exit(EXIT_NO_DOCUMENT) {
        Trouble::NotADocument
    } else if fault.is_exit(EXIT_NO_TRUST) {
        Trouble::TrustBroken
    } else if matches!(fault, Fault::TookTooLong) {
        Trouble::TookTooLong
    } else {
        Trouble::JudgingBroke
    }
}
