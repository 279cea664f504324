//! Bytes that are nearly right, for the reader of answers and for a whole print.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use loket_fuzz::{Mutator, fuzz, fuzz_from};
use loket_ticket_printer::{
    Answer, Answering, Answers, Outcome, Port, PortFuture, QrBy, Written, render,
};

use crate::bench::{profile, ticket};
use crate::over::printer_over;

/// What sound printers say to a first print: four states, a fence behind an answer that is owed, two
/// answers, four states.
const IN_LINE: &[u8] = &[0x12, 0x12, 0x12, 0x12, 0, 0, 0, 0, 0x12, 0x12, 0x12, 0x12];
const WORDS: &[u8] = b"\x12\x12\x12\x12\x37\x220001\x00\x37\x220002\x00\x12\x12\x12\x12";
const AUTOMATIC: &[u8] = &[0x14, 0, 0, 0x0f, 0x12, 0x11, 0x12, 0x13, 0x12, 0x12, 0, 0];

#[test]
fn fuzz_answers() {
    fuzz(
        "ticket-answers",
        200_000,
        &[IN_LINE, WORDS, AUTOMATIC],
        |bytes| {
            let mut answers = Answers::default();
            let mut count = 0;
            for byte in bytes {
                match answers.feed(*byte) {
                    Some(Answer::RealTime(state)) => assert_eq!(state & 0x93, 0x12),
                    Some(Answer::InLine(state)) => assert_eq!(state & 0x90, 0),
                    Some(Answer::ProcessId(word)) => {
                        assert!(word.iter().all(|byte| (0x20..=0x7e).contains(byte)));
                    }
                    Some(Answer::Noise(_)) | None => continue,
                }
                count += 1;
            }
            assert!(count <= bytes.len());
        },
    );
}

/// A printer that takes everything and says these bytes, a few at a time, whatever it is asked.
#[derive(Debug, Clone)]
struct Says(Arc<Mutex<VecDeque<u8>>>);

impl Port for Says {
    fn write<'a>(&'a mut self, bytes: &'a [u8], _stall: Duration) -> PortFuture<'a, Written> {
        let accepted = bytes.len();
        Box::pin(std::future::ready(Written {
            accepted,
            at_most: accepted,
            ended: None,
        }))
    }

    fn read<'a>(
        &'a mut self,
        into: &'a mut [u8],
        within: Duration,
    ) -> PortFuture<'a, io::Result<usize>> {
        Box::pin(async move {
            let byte = self.0.lock().unwrap().pop_front();
            match byte {
                Some(byte) => {
                    into[0] = byte;
                    Ok(1)
                }
                None => {
                    let nothing = tokio::time::timeout(within, std::future::pending::<()>());
                    drop(nothing.await);
                    Ok(0)
                }
            }
        })
    }

    fn finish(&mut self, _within: Duration) -> PortFuture<'_, io::Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Whatever a printer says, a print ends, and *printed* has an answer to each question behind it.
#[test]
fn fuzz_conversations() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let mut printed = 0_u64;
    fuzz_from("ticket-conversations", 1_000, |seeded| {
        let (answering, good) = seeded
            .pick(&[
                (Answering::InLine, IN_LINE),
                (Answering::ProcessId, WORDS),
                (Answering::Status, AUTOMATIC),
            ])
            .unwrap();
        let bytes = Mutator::new(seeded.clone()).alter(good);
        let profile = profile(answering, QrBy::None);
        let says = Says(Arc::new(Mutex::new(bytes.iter().copied().collect())));
        let mut printer = printer_over(says, profile.clone());
        let outcome = runtime.block_on(printer.print(&ticket("A-007")));
        match outcome {
            Outcome::Printed { .. } => {
                let real_time = bytes.iter().filter(|byte| **byte & 0x93 == 0x12).count();
                assert!(
                    answering >= Answering::InLine && real_time >= 4,
                    "{bytes:02x?}"
                );
                printed += 1;
            }
            Outcome::Accepted { bytes, .. } => {
                assert_eq!(bytes, render(&ticket("A-007"), &profile).len());
                assert_eq!(answering, Answering::Status);
            }
            Outcome::Unclear {
                accepted_bytes,
                of_bytes,
                ..
            } => assert_eq!(accepted_bytes, of_bytes),
            Outcome::NotPrinted(_) => {}
        }
    });
    assert!(printed > 0, "good bytes print");
}
