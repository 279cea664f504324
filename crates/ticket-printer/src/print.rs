//! One ticket from bytes to paper, and how sure anybody can be of it.
//!
//! ```text
//! open ─> status ─> resume? ─> fence ─> ticket + question ─> answer ─> status ─> close
//!   └────────┴─────────┴─────────┴─ NotPrinted   └───────────┴──────────┴─ Unclear
//! ```
//!
//! *Resume*: after a ticket that may have broken off, the printer is first brought out of whatever
//! it waits for. *Fence*: a question in line whose answer shows that the printer works on what it
//! gets, that nothing of earlier is left in it, and which fixed bits its answers have. Only then the
//! ticket leaves, in one piece with the question behind it.

use tokio::time::Instant;

use crate::encode;
use crate::error::{Doubt, Garbage, Refusal};
use crate::port::{Port, Transport};
use crate::profile::{Answering, Profile, ProfileError};
use crate::render::render;
use crate::session::{Receipt, Session, Trouble};
use crate::status::{Fault, PrinterStatus};
use crate::ticket::Ticket;

/// How a printer showed that a ticket came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// It answered the question in line behind the ticket, and reported no fault then.
    InLine,
    /// It gave back the word behind the ticket, which it does when what stood before is printed.
    ProcessId,
}

/// What became of a ticket.
#[derive(Debug)]
#[must_use]
pub enum Outcome {
    /// It is printed: the resident can take it.
    Printed {
        /// How that is known.
        evidence: Evidence,
        /// What the printer reported afterwards; nothing where it said nothing in time.
        after: Option<PrinterStatus>,
    },
    /// All of it was taken, by a printer that cannot say more.
    Accepted {
        /// Bytes taken, as [`Written::accepted`](crate::Written::accepted) counts.
        bytes: usize,
        /// What the printer reported afterwards, where it reports anything.
        after: Option<PrinterStatus>,
    },
    /// Nothing of it left, and nothing of it will come out.
    NotPrinted(Refusal),
    /// It may have come out whole, in part or not at all; what is still in the printer may come
    /// out later.
    Unclear {
        /// Bytes taken, as [`Written::accepted`](crate::Written::accepted) counts: fewer than
        /// `of_bytes` where its cut, and mostly its end, never came.
        accepted_bytes: usize,
        /// Bytes it has.
        of_bytes: usize,
        /// Why that is so.
        why: Doubt,
    },
}

impl Outcome {
    /// True where the caller must show the number on the screen and have it confirmed, or void it:
    /// always, but for a printed ticket. A ticket is a ticket once it is in the resident's hand.
    #[must_use]
    pub fn confirm_on_screen(&self) -> bool {
        !matches!(self, Self::Printed { .. })
    }
}

/// A second slip of answers is no left-over of earlier any more.
const TRIES: usize = 2;

/// A question in line without a word is asked so often behind a ticket, and each must be answered:
/// one answer of somebody else's question, which nobody can tell from ours, then proves nothing yet.
const CLOSING_QUESTIONS: u32 = 2;

/// The words of questions: four visible characters.
const WORD_BASE: u32 = 36;

/// One ticket printer; whoever holds it prints one ticket at a time.
///
/// It remembers what the printer may still owe from a ticket that broke off, so it is kept for as
/// long as the printer is the same. Two of them for one printer would hear each other's answers.
#[derive(Debug)]
pub struct TicketPrinter {
    transport: Box<dyn Transport>,
    profile: Profile,
    /// True where the printer may wait for the rest of something, or has something in its line.
    may_be_amid: bool,
    /// Answers in line that may still come.
    owed: u32,
    next_word: u32,
}

impl TicketPrinter {
    /// A printer of this kind on this way. The words of its questions begin at `first_word`: a
    /// caller draws it at random, so that no answer of an earlier program is taken for one of its.
    ///
    /// # Errors
    /// [`ProfileError`] where no printer can be like that.
    pub fn new(
        transport: Box<dyn Transport>,
        profile: Profile,
        first_word: u32,
    ) -> Result<Self, ProfileError> {
        profile.check()?;
        Ok(Self {
            transport,
            profile,
            // What an earlier program left in the printer is not known.
            may_be_amid: true,
            owed: 1,
            next_word: first_word,
        })
    }

    /// Its kind.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Asks the printer what is wrong with it; of one that never answers, only whether it is there.
    ///
    /// # Errors
    /// [`Refusal`] where it is not reached or not understood.
    ///
    /// # Cancel safety
    /// Dropping the future does no harm.
    pub async fn status(&mut self) -> Result<PrinterStatus, Refusal> {
        let port = self.open().await?;
        let mut session = Session::new(port, &self.profile);
        if self.may_be_amid {
            session.broke_off();
        }
        let status = in_step_status(&mut session).await?;
        session.quiet().await?;
        // The answers are here; how the printer hangs up changes nothing.
        session.finish(self.profile.waits.quiet()).await.ok();
        Ok(status)
    }

    /// Prints a ticket once; what became of it is in the outcome, and nothing is tried again.
    ///
    /// The number on it is the caller's: given away once, voided where the outcome says so and the
    /// resident does not confirm it, printed again only as [`Ticket::copy`].
    ///
    /// # Cancel safety
    /// A future that is dropped leaves open what became of the ticket: treat it as
    /// [`Outcome::Unclear`]. The next ticket is printed on a fresh sheet all the same.
    pub async fn print(&mut self, ticket: &Ticket) -> Outcome {
        let port = match self.open().await {
            Ok(port) => port,
            Err(refusal) => return Outcome::NotPrinted(refusal),
        };
        let bytes = render(ticket, &self.profile);
        let profile = self.profile.clone();
        let mut session = Session::new(port, &profile);
        if self.may_be_amid {
            session.broke_off();
        }
        let fence = match self.prepare(&mut session).await {
            Ok(fence) => fence,
            Err(refusal) => return Outcome::NotPrinted(refusal),
        };
        self.send(&mut session, bytes, fence).await
    }

    async fn open(&self) -> Result<Box<dyn Port>, Refusal> {
        let opened = self.transport.open(self.profile.waits.connect()).await;
        opened.map_err(Refusal::NotReached)
    }

    /// Everything before the first byte of a ticket; gives the answer in line, where there is one.
    async fn prepare(&mut self, session: &mut Session<'_>) -> Result<Option<Receipt>, Refusal> {
        for left in (0..TRIES).rev() {
            let status = in_step_status(session).await?;
            if !status.can_print() {
                return Err(Refusal::Faults(status));
            }
            if self.may_be_amid {
                session.send(&encode::resume(&self.profile)).await?;
            }
            match self.fence(session).await {
                Err(Trouble::Garbage(Garbage::OutOfStep)) if left > 0 => {
                    session.start_over().await?;
                }
                fenced => {
                    let fenced = fenced?;
                    self.may_be_amid = false;
                    return Ok(fenced);
                }
            }
        }
        Err(Refusal::Garbage(Garbage::OutOfStep))
    }

    async fn fence(&mut self, session: &mut Session<'_>) -> Result<Option<Receipt>, Trouble> {
        match self.profile.answering {
            Answering::Nothing => Ok(None),
            Answering::Status => session.quiet().await.map(|()| None),
            Answering::InLine | Answering::ProcessId => {
                let (word, owed) = (self.word(), self.owed);
                self.owed = owed.saturating_add(1);
                let receipt = session.fence(word, owed).await?;
                self.owed = 0;
                Ok(Some(receipt))
            }
        }
    }

    /// The ticket and the question behind it, and what comes of them.
    async fn send(
        &mut self,
        session: &mut Session<'_>,
        mut bytes: Vec<u8>,
        fence: Option<Receipt>,
    ) -> Outcome {
        let of_bytes = bytes.len();
        let word = self.word();
        let questions = self.closing_questions();
        for _question in 0..questions {
            bytes.extend(encode::ask_in_line(self.profile.answering, word));
        }
        // From here on a dropped future leaves a printer that may be amid a ticket.
        self.may_be_amid = true;
        self.owed = self.owed.saturating_add(questions);
        let written = session.write(&bytes).await;
        let accepted_bytes = written.accepted.min(of_bytes);
        if let Some(error) = written.ended {
            if written.at_most == 0 {
                self.may_be_amid = false;
                self.owed = 0;
                return Outcome::NotPrinted(Refusal::NothingTaken(error));
            }
            let why = if error.kind() == std::io::ErrorKind::TimedOut {
                self.stalled(session).await
            } else {
                Doubt::Lost(error)
            };
            return Outcome::Unclear {
                accepted_bytes,
                of_bytes,
                why,
            };
        }
        match self.follow(session, fence, word, of_bytes).await {
            Ok(outcome) => outcome,
            Err(why) => Outcome::Unclear {
                accepted_bytes,
                of_bytes,
                why,
            },
        }
    }

    /// Why a printer took no more: it may say so.
    async fn stalled(&self, session: &mut Session<'_>) -> Doubt {
        session.broke_off();
        match session.status().await {
            Ok(status) if !status.can_print() => Doubt::Stopped(status),
            Ok(_) | Err(_) => Doubt::Stalled,
        }
    }

    /// What becomes of a ticket that was taken whole.
    async fn follow(
        &mut self,
        session: &mut Session<'_>,
        fence: Option<Receipt>,
        word: [u8; 4],
        of_bytes: usize,
    ) -> Result<Outcome, Doubt> {
        let Some(fence) = fence else {
            return self.accepted(session, of_bytes).await;
        };
        let evidence = self.receipt(session, fence, word).await?;
        let after = self.after(session).await;
        let after = match evidence {
            Evidence::ProcessId => after.ok(),
            Evidence::InLine => Some(after?),
        };
        let stopped = after.as_ref().filter(|status| !status.can_print());
        if let (Evidence::InLine, Some(status)) = (evidence, stopped) {
            return Err(Doubt::Stopped(status.clone()));
        }
        // It is printed; how the printer hangs up changes nothing.
        session.finish(self.profile.waits.quiet()).await.ok();
        Ok(Outcome::Printed { evidence, after })
    }

    /// Waits for the answer behind a ticket; asks meanwhile whether the printer still prints.
    async fn receipt(
        &mut self,
        session: &mut Session<'_>,
        fence: Receipt,
        word: [u8; 4],
    ) -> Result<Evidence, Doubt> {
        let last = Instant::now() + self.profile.waits.printed();
        // A roll that ran out is told within this time, and not when all patience has gone.
        let look = self.profile.waits.answer();
        let mut left = self.closing_questions();
        loop {
            let until = if session.is_late() {
                last
            } else {
                last.min(Instant::now() + look)
            };
            match session.receipt(until).await? {
                Some(receipt) => {
                    let Some(evidence) = evidence_of(receipt, fence, word)? else {
                        continue;
                    };
                    left = left.saturating_sub(1);
                    if left == 0 {
                        self.may_be_amid = false;
                        self.owed = 0;
                        return Ok(evidence);
                    }
                }
                None if Instant::now() >= last => return Err(Doubt::Silent),
                None => match session.status().await {
                    Ok(status) if !status.can_print() => return Err(Doubt::Stopped(status)),
                    // A printer that is busy may answer late; the last wait is for the ticket alone.
                    Ok(_) | Err(Trouble::Silent) => {}
                    Err(trouble) => return Err(trouble.into()),
                },
            }
        }
    }

    async fn after(&self, session: &mut Session<'_>) -> Result<PrinterStatus, Trouble> {
        if session.is_late() {
            session.start_over().await?;
        }
        session.status().await
    }

    /// A printer that answers nothing in line: what it says at once, and whether it hangs up well.
    async fn accepted(
        &mut self,
        session: &mut Session<'_>,
        bytes: usize,
    ) -> Result<Outcome, Doubt> {
        let after = match session.status().await {
            Ok(status) if !status.can_print() => return Err(Doubt::Stopped(status)),
            Ok(status) => Some(status),
            Err(Trouble::Lost(error)) => return Err(Doubt::Lost(error)),
            Err(Trouble::Silent | Trouble::Garbage(_)) => None,
        };
        let finished = session.finish(self.profile.waits.stall()).await;
        finished.map_err(Doubt::Lost)?;
        self.may_be_amid = false;
        self.owed = 0;
        Ok(Outcome::Accepted { bytes, after })
    }

    fn closing_questions(&self) -> u32 {
        match self.profile.answering {
            Answering::Nothing | Answering::Status => 0,
            Answering::InLine => CLOSING_QUESTIONS,
            Answering::ProcessId => 1,
        }
    }

    /// Another word for each question: 36⁴ of them, of digits and capitals.
    fn word(&mut self) -> [u8; 4] {
        let mut number = self.next_word;
        self.next_word = self.next_word.wrapping_add(1);
        let mut word = [b'0'; 4];
        for place in word.iter_mut().rev() {
            let digit = char::from_digit(number % WORD_BASE, WORD_BASE).unwrap_or('0');
            *place = u8::try_from(digit.to_ascii_uppercase()).unwrap_or(b'0');
            number /= WORD_BASE;
        }
        word
    }
}

/// The status; once more, after a silence, where the answers had slipped against their questions.
async fn in_step_status(session: &mut Session<'_>) -> Result<PrinterStatus, Trouble> {
    match session.status().await {
        // Something old on the wire may have been taken for the first answer: a fault is told only
        // where it is told again after a silence.
        Ok(status) if !status.can_print() => {
            session.start_over().await?;
            session.status().await
        }
        Err(Trouble::Garbage(Garbage::OutOfStep)) => {
            session.start_over().await?;
            session.status().await
        }
        status => status,
    }
}

/// What an answer in line says of the ticket before it; nothing where it belongs to an older one.
fn evidence_of(receipt: Receipt, fence: Receipt, word: [u8; 4]) -> Result<Option<Evidence>, Doubt> {
    match (receipt, fence) {
        (Receipt::Word(told), Receipt::Word(_)) => {
            Ok((told == word).then_some(Evidence::ProcessId))
        }
        (Receipt::State(state), Receipt::State(before)) => {
            // Bits 0 and 1 say one thing together, 2 and 3 another; the rest is fixed in a model.
            let pairs = (state & 0x03, state & 0x0c);
            let is_pair = matches!(pairs, (0 | 0x03, 0 | 0x0c));
            if !is_pair || state & 0xf0 != before & 0xf0 {
                return Err(Doubt::Garbage(Garbage::Shape));
            }
            if pairs.1 != 0 {
                let faults = vec![Fault::PaperEnd];
                let is_known = true;
                return Err(Doubt::Stopped(PrinterStatus { faults, is_known }));
            }
            Ok(Some(Evidence::InLine))
        }
        (Receipt::Word(_), Receipt::State(_)) | (Receipt::State(_), Receipt::Word(_)) => {
            Err(Doubt::Garbage(Garbage::Shape))
        }
    }
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Lost(error) => Self::NothingTaken(error),
            Trouble::Silent => Self::Silent,
            Trouble::Garbage(garbage) => Self::Garbage(garbage),
        }
    }
}

impl From<Trouble> for Doubt {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Lost(error) => Self::Lost(error),
            Trouble::Silent => Self::Silent,
            Trouble::Garbage(garbage) => Self::Garbage(garbage),
        }
    }
}
