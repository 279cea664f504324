//! Questions and answers over one open way, each answer kept for the question it belongs to.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use tokio::time::Instant;

use crate::answers::{Answer, Answers};
use crate::encode;
use crate::error::Garbage;
use crate::port::{Port, Written};
use crate::profile::{Answering, Profile};
use crate::status::{Fault, PrinterStatus, Question};

/// A printer has some ten bytes to say to all our questions.
const READ_BYTES: usize = 64;

/// A printer that talks more than this before a ticket talks of something else.
const MAX_NOISE: u32 = 64;

/// What comes between a question and its answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    Lost(io::Error),
    Silent,
    Garbage(Garbage),
}

/// An answer that stood in line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receipt {
    State(u8),
    Word([u8; 4]),
}

/// One open way and what was heard over it.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    port: Box<dyn Port>,
    profile: &'a Profile,
    answers: Answers,
    /// Told at once, and asked by nobody yet.
    at_once: VecDeque<u8>,
    /// Told in line, and looked at by nobody yet.
    in_line: VecDeque<Receipt>,
    noise: u32,
    /// Questions at once that had no answer in their time; it may still come.
    late: usize,
    /// The printer may lack the rest of a command's head.
    amid_head: bool,
}

impl<'a> Session<'a> {
    pub(crate) fn new(port: Box<dyn Port>, profile: &'a Profile) -> Self {
        Self {
            port,
            profile,
            answers: Answers::default(),
            at_once: VecDeque::new(),
            in_line: VecDeque::new(),
            noise: 0,
            late: 0,
            amid_head: false,
        }
    }

    /// Tells that what was sent last may have broken off anywhere.
    pub(crate) fn broke_off(&mut self) {
        self.amid_head = true;
    }

    /// All that the printer says of itself: its interface, then the four states.
    pub(crate) async fn status(&mut self) -> Result<PrinterStatus, Trouble> {
        let interface = self.interface().await;
        if self.profile.answering == Answering::Nothing {
            return Ok(interface);
        }
        match self.states().await {
            // What the printer says itself is more exact than what its interface can.
            Ok(states) if !states.faults.is_empty() || interface.can_print() => Ok(states),
            Ok(_) => Ok(interface),
            Err(Trouble::Silent) if !interface.can_print() => Ok(interface),
            Err(trouble) => Err(trouble),
        }
    }

    /// The four states.
    async fn states(&mut self) -> Result<PrinterStatus, Trouble> {
        let mut answers = [0; 4];
        for (question, answer) in Question::ALL.into_iter().zip(&mut answers) {
            *answer = self.ask(question).await?;
        }
        self.in_step()?;
        Ok(PrinterStatus::of(answers))
    }

    /// What a USB interface tells beside the data.
    async fn interface(&mut self) -> PrinterStatus {
        let Some(port) = self.port.status().await else {
            return PrinterStatus::default();
        };
        let told = [
            (port.paper_empty, Fault::PaperEnd),
            (port.error && !port.paper_empty, Fault::Failure),
            (
                !port.selected && !port.error && !port.paper_empty,
                Fault::Offline,
            ),
        ];
        let faults = told
            .into_iter()
            .filter_map(|(there, fault)| there.then_some(fault));
        PrinterStatus {
            faults: faults.collect(),
            is_known: true,
        }
    }

    /// Asks one state that is told at once.
    async fn ask(&mut self, question: Question) -> Result<u8, Trouble> {
        let asked = encode::ask_at_once(question.number());
        if self.amid_head {
            self.send(&[encode::HEAD_END.as_slice(), &asked].concat())
                .await?;
            self.amid_head = false;
        } else {
            self.send(&asked).await?;
        }
        let until = Instant::now() + self.profile.waits.answer();
        loop {
            if let Some(answer) = self.at_once.pop_front() {
                return Ok(answer);
            }
            if !self.hear(until).await? {
                self.late = self.late.saturating_add(1);
                return Err(Trouble::Silent);
            }
        }
    }

    /// Waits until nothing comes for the quiet time; fails where an answer came that nobody asked.
    pub(crate) async fn quiet(&mut self) -> Result<(), Trouble> {
        while self
            .hear(Instant::now() + self.profile.waits.quiet())
            .await?
        {}
        self.in_step()
    }

    /// The same, and what came is of no account: for a printer whose answers have slipped.
    pub(crate) async fn start_over(&mut self) -> Result<(), Trouble> {
        while self
            .hear(Instant::now() + self.profile.waits.quiet())
            .await?
        {}
        self.at_once.clear();
        self.late = 0;
        Ok(())
    }

    /// True where a question at once had no answer in its time.
    pub(crate) fn is_late(&self) -> bool {
        self.late > 0
    }

    /// Fails where an answer at once is left over: they have slipped against their questions.
    fn in_step(&self) -> Result<(), Trouble> {
        if self.at_once.len() <= self.late {
            return Ok(());
        }
        Err(Trouble::Garbage(Garbage::OutOfStep))
    }

    /// Asks in line and waits for the answer: the printer has then worked through all before it.
    ///
    /// `owed` answers in line may still come from earlier; those are waited for too, until they are
    /// here or nothing came for the quiet time. Gives the last, whose fixed bits others must have.
    pub(crate) async fn fence(&mut self, word: [u8; 4], owed: u32) -> Result<Receipt, Trouble> {
        // What is here before the question is asked cannot be its answer.
        let early = u32::try_from(self.in_line.len()).unwrap_or(u32::MAX);
        self.in_line.clear();
        self.send(&encode::ask_in_line(self.profile.answering, word))
            .await?;
        let last = Instant::now() + self.profile.waits.printed();
        let mut left = owed.saturating_sub(early);
        let in_words = self.profile.answering == Answering::ProcessId;
        let mut heard = None;
        loop {
            while let Some(receipt) = self.in_line.pop_front() {
                match receipt {
                    Receipt::Word(told) if told == word => return self.fenced(receipt),
                    Receipt::State(_) if in_words => {}
                    Receipt::State(_) if left == 0 => return self.fenced(receipt),
                    Receipt::State(_) => {
                        left = left.saturating_sub(1);
                        heard = Some(receipt);
                    }
                    Receipt::Word(_older) => {}
                }
            }
            let until = match heard {
                Some(_) => last.min(Instant::now() + self.profile.waits.quiet()),
                None => last,
            };
            if !self.hear(until).await? {
                let heard = heard.ok_or(Trouble::Silent)?;
                return self.fenced(heard);
            }
        }
    }

    /// What was heard before the fence is of no account behind it.
    fn fenced(&mut self, receipt: Receipt) -> Result<Receipt, Trouble> {
        self.in_step()?;
        self.noise = 0;
        self.in_line.clear();
        Ok(receipt)
    }

    /// The next answer in line, or nothing at the end of `until`; noise is not passed over.
    pub(crate) async fn receipt(&mut self, until: Instant) -> Result<Option<Receipt>, Trouble> {
        loop {
            if self.noise > 0 {
                return Err(Trouble::Garbage(Garbage::Noise));
            }
            if let Some(receipt) = self.in_line.pop_front() {
                return Ok(Some(receipt));
            }
            if !self.hear(until).await? {
                return Ok(None);
            }
            self.in_step()?;
        }
    }

    /// Hears what comes until `until`; false where nothing came.
    async fn hear(&mut self, until: Instant) -> Result<bool, Trouble> {
        let mut bytes = [0; READ_BYTES];
        let within = until.saturating_duration_since(Instant::now());
        let read = self.port.read(&mut bytes, within).await;
        let len = read.map_err(Trouble::Lost)?;
        for byte in bytes.iter().take(len) {
            match self.answers.feed(*byte) {
                None => {}
                Some(Answer::RealTime(state)) => self.at_once.push_back(state),
                Some(Answer::InLine(state)) => self.in_line.push_back(Receipt::State(state)),
                Some(Answer::ProcessId(word)) => self.in_line.push_back(Receipt::Word(word)),
                Some(Answer::Noise(_)) => self.noise = self.noise.saturating_add(1),
            }
        }
        let heard = self.at_once.len().saturating_add(self.in_line.len());
        if self.noise > MAX_NOISE || heard > READ_BYTES {
            return Err(Trouble::Garbage(Garbage::Noise));
        }
        Ok(len > 0)
    }

    /// Sends a question or what prepares a ticket: all of it, or it fails.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let written = self.write(bytes).await;
        match written.ended {
            None => Ok(()),
            Some(error) if error.kind() == io::ErrorKind::TimedOut => Err(Trouble::Silent),
            Some(error) => Err(Trouble::Lost(error)),
        }
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Written {
        self.port.write(bytes, self.profile.waits.stall()).await
    }

    pub(crate) async fn finish(&mut self, within: Duration) -> io::Result<()> {
        self.port.finish(within).await
    }
}
