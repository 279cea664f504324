//! Printers that answer by a script, late or wrongly: what a simulated one, which is honest, never says.

mod slipped;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use loket_ticket_printer::{
    Answering, Doubt, Garbage, Outcome, Port, PortFuture, QrBy, TicketPrinter, Written,
};
use tokio::time::{Instant, sleep_until, timeout};

use crate::bench::{profile, ticket};
use crate::over::printer_over;

/// What a printer is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// One of its four states, at once.
    State,
    /// A question in line, and whether a ticket stands before it in the same piece.
    InLine { is_behind: bool },
}

/// What it says: each after so many milliseconds of nothing.
type Says = Vec<(u64, Vec<u8>)>;

/// All is well, at once and in line.
const WELL: u8 = 0x12;
const DONE: u8 = 0x00;

/// Offline, at once.
const OFFLINE: u8 = 0x1a;

struct Script {
    answer: Box<dyn FnMut(Asked, [u8; 4]) -> Says + Send>,
    said: VecDeque<(u64, Vec<u8>)>,
    /// Pieces that were written, and which of them is given up after its time.
    written: Vec<Vec<u8>>,
    stalls_at: Option<&'static [u8]>,
}

/// A printer with a script; clones are the same printer.
#[derive(Clone)]
struct Scripted(Arc<Mutex<Script>>);

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

impl Scripted {
    fn new(answer: impl FnMut(Asked, [u8; 4]) -> Says + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Script {
            answer: Box::new(answer),
            said: VecDeque::new(),
            written: Vec::new(),
            stalls_at: None,
        })))
    }

    fn printer(&self, answering: Answering) -> TicketPrinter {
        let profile = profile(answering, QrBy::None);
        printer_over(self.clone(), profile)
    }
}

fn has(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|it| it == what)
}

/// The questions in a piece, each with the word that it carries.
fn questions(piece: &[u8]) -> Vec<(Asked, [u8; 4])> {
    let asked = |at: usize| {
        let (before, rest) = piece.split_at(at);
        let is_behind = has(before, b"A-00");
        match rest {
            [0x10, 0x04, 1..=4, ..] => Some((Asked::State, [0; 4])),
            [0x1d, b'r', 1, ..] => Some((Asked::InLine { is_behind }, [0; 4])),
            [0x1d, b'(', b'H', 6, 0, 48, 48, a, b, c, d, ..] => {
                Some((Asked::InLine { is_behind }, [*a, *b, *c, *d]))
            }
            _other => None,
        }
    };
    (0..piece.len()).filter_map(asked).collect()
}

impl Port for Scripted {
    fn write<'a>(&'a mut self, bytes: &'a [u8], _stall: Duration) -> PortFuture<'a, Written> {
        let mut script = self.0.lock().unwrap();
        script.written.push(bytes.to_vec());
        let stalls = script.stalls_at.is_some_and(|at| has(bytes, at));
        if !stalls {
            for (asked, word) in questions(bytes) {
                let says = (script.answer)(asked, word);
                script.said.extend(says);
            }
        }
        let taken = if stalls { 1 } else { bytes.len() };
        Box::pin(std::future::ready(Written {
            accepted: taken,
            at_most: taken,
            ended: stalls.then(|| io::ErrorKind::TimedOut.into()),
        }))
    }

    fn read<'a>(
        &'a mut self,
        into: &'a mut [u8],
        within: Duration,
    ) -> PortFuture<'a, io::Result<usize>> {
        let next = {
            let mut script = self.0.lock().unwrap();
            let is_due = |(wait, _): &(u64, Vec<u8>)| Duration::from_millis(*wait) <= within;
            let is_due = script.said.front().is_some_and(is_due);
            if !is_due && let Some((wait, _)) = script.said.front_mut() {
                let passed = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
                *wait = wait.saturating_sub(passed);
            }
            is_due.then(|| script.said.pop_front()).flatten()
        };
        Box::pin(async move {
            let Some((wait, bytes)) = next else {
                sleep_until(Instant::now() + within).await;
                return Ok(0);
            };
            sleep_until(Instant::now() + Duration::from_millis(wait)).await;
            into[..bytes.len()].copy_from_slice(&bytes);
            Ok(bytes.len())
        })
    }

    fn finish(&mut self, _within: Duration) -> PortFuture<'_, io::Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

fn now(byte: u8) -> Says {
    vec![(0, vec![byte])]
}

fn word(word: [u8; 4]) -> Says {
    vec![(0, [b"\x37\x22".as_slice(), &word, b"\0"].concat())]
}

/// The printer fell silent behind the ticket.
fn is_silent(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Unclear {
            why: Doubt::Silent,
            ..
        }
    )
}

async fn printed(scripted: &Scripted, answering: Answering) -> Outcome {
    scripted.printer(answering).print(&ticket("A-007")).await
}

#[tokio::test(start_paused = true)]
async fn one_answer_to_two_questions_behind_a_ticket_proves_nothing() {
    for (count, is_printed) in [(0, false), (1, false), (2, true)] {
        let mut left = count;
        let scripted = Scripted::new(move |asked, _word| match asked {
            Asked::State => now(WELL),
            Asked::InLine { is_behind: false } => now(DONE),
            Asked::InLine { is_behind: true } if left > 0 => {
                left -= 1;
                now(DONE)
            }
            Asked::InLine { is_behind: true } => Vec::new(),
        });
        let outcome = printed(&scripted, Answering::InLine).await;
        let is_silent = is_silent(&outcome);
        let told = matches!(outcome, Outcome::Printed { .. });
        assert_eq!((told, is_silent), (is_printed, !is_printed), "{count}");
    }
}

/// Of an earlier program nobody knows how much it asked.
#[tokio::test(start_paused = true)]
async fn what_an_earlier_program_asked_prints_no_ticket() {
    let scripted = Scripted::new(|asked, _word| match asked {
        Asked::State => now(WELL),
        // Two of old before the one that is asked for, and the printer dies with the ticket.
        Asked::InLine { is_behind: false } => {
            vec![(0, vec![DONE]), (50, vec![DONE]), (50, vec![DONE])]
        }
        Asked::InLine { is_behind: true } => Vec::new(),
    });
    let outcome = printed(&scripted, Answering::InLine).await;
    assert!(matches!(outcome, Outcome::Unclear { .. }), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn late_answers_of_a_ticket_that_was_unclear_print_not_the_next() {
    let mut fences = 0;
    let scripted = Scripted::new(move |asked, _word| match asked {
        Asked::State => now(WELL),
        Asked::InLine { is_behind: true } => Vec::new(),
        Asked::InLine { is_behind: false } => {
            fences += 1;
            let late = if fences == 1 { 0 } else { 2 };
            vec![(50, vec![DONE]); late + 1]
        }
    });
    let mut printer = scripted.printer(Answering::InLine);
    for number in ["A-007", "A-008"] {
        let outcome = printer.print(&ticket(number)).await;
        assert!(is_silent(&outcome), "{number}: {outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_line_of_another_shape_is_none() {
    // Other fixed bits than the one before; half of a pair that belongs together.
    for odd in [0x20, 0x01, 0x08] {
        let scripted = Scripted::new(move |asked, _word| match asked {
            Asked::State => now(WELL),
            Asked::InLine { is_behind: false } => now(DONE),
            Asked::InLine { is_behind: true } => now(odd),
        });
        let outcome = printed(&scripted, Answering::InLine).await;
        let is_odd = matches!(
            outcome,
            Outcome::Unclear {
                why: Doubt::Garbage(Garbage::Shape),
                ..
            }
        );
        assert!(is_odd, "{odd:02x}: {outcome:?}");
    }
}

/// Its own word came back behind the ticket: what it says afterwards takes nothing from that.
#[tokio::test(start_paused = true)]
async fn a_word_that_came_back_stands_though_the_printer_falls_silent() {
    let mut is_done = false;
    let scripted = Scripted::new(move |asked, told| match asked {
        Asked::State if is_done => Vec::new(),
        Asked::State => now(WELL),
        Asked::InLine { is_behind } => {
            is_done = is_behind;
            word(told)
        }
    });
    let outcome = printed(&scripted, Answering::ProcessId).await;
    let is_printed = matches!(outcome, Outcome::Printed { after: None, .. });
    assert!(is_printed, "{outcome:?}");
}

/// A printer that is busy answers late, and its late answer belongs to no question that comes after it.
#[tokio::test(start_paused = true)]
async fn a_late_answer_is_not_taken_for_the_state_after_a_ticket() {
    let mut is_behind_ticket = false;
    let mut is_late = false;
    let scripted = Scripted::new(move |asked, _word| match asked {
        Asked::InLine { is_behind: false } => now(DONE),
        Asked::InLine { is_behind: true } => {
            is_behind_ticket = true;
            Vec::new()
        }
        // The first question behind the ticket is answered when its time is over, after the ticket's own answers.
        Asked::State if is_behind_ticket && !is_late => {
            is_late = true;
            vec![(1_200, vec![DONE]), (0, vec![DONE, OFFLINE])]
        }
        Asked::State => now(WELL),
    });
    let outcome = printed(&scripted, Answering::InLine).await;
    let Outcome::Printed { after, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(after.is_some_and(|after| after.faults.is_empty()));
}

/// It may lack the end of a command's head, and would take the question for it.
#[tokio::test(start_paused = true)]
async fn a_printer_that_stopped_taking_is_asked_behind_the_end_of_any_head() {
    let scripted = Scripted::new(|asked, _word| match asked {
        Asked::State => now(WELL),
        Asked::InLine { .. } => now(DONE),
    });
    scripted.0.lock().unwrap().stalls_at = Some(b"A-007");
    let outcome = printed(&scripted, Answering::InLine).await;
    let is_stalled = matches!(
        outcome,
        Outcome::Unclear {
            why: Doubt::Stalled,
            ..
        }
    );
    assert!(is_stalled, "{outcome:?}");
    let written = scripted.0.lock().unwrap().written.clone();
    let ticket = written.iter().position(|piece| has(piece, b"A-007"));
    let next = written.get(ticket.unwrap() + 1).unwrap();
    assert_eq!(next[..], [0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x04, 1]);
}

/// Whoever asked left while the printer was silent: its answer still comes, and belongs to no later ticket.
#[tokio::test(start_paused = true)]
async fn an_answer_to_whoever_left_prints_no_later_ticket() {
    let mut fences = 0;
    let scripted = Scripted::new(move |asked, _word| match asked {
        Asked::State => now(WELL),
        Asked::InLine { is_behind: false } => {
            fences += 1;
            match fences {
                1 => now(DONE),
                2 => Vec::new(),
                _later => vec![(0, vec![DONE]), (50, vec![DONE])],
            }
        }
        Asked::InLine { is_behind: true } if fences == 1 => now(DONE),
        // The last ticket has one of its two.
        Asked::InLine { is_behind: true } if fences == 3 => {
            fences += 1;
            now(DONE)
        }
        Asked::InLine { is_behind: true } => Vec::new(),
    });
    let mut printer = scripted.printer(Answering::InLine);
    let first = printer.print(&ticket("A-007")).await;
    assert!(matches!(first, Outcome::Printed { .. }), "{first:?}");
    let left = timeout(Duration::from_secs(3), printer.print(&ticket("A-008"))).await;
    assert!(left.is_err(), "the printer is silent");
    let last = printer.print(&ticket("A-009")).await;
    assert!(is_silent(&last), "{last:?}");
}
