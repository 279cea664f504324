//! A way that breaks amid a transfer of which nobody tells the end: a cable that is pulled, as kernels report it.

use std::io;
use std::time::Duration;

use loket_ticket_printer::{Answering, Doubt, Outcome, Port, PortFuture, QrBy, Refusal, Written};

use crate::bench::{profile, ticket};
use crate::over::printer_over;

/// Takes everything but what has this in it; of that, up to so many bytes may have arrived.
#[derive(Debug, Clone)]
struct Vague {
    breaks_at: &'static [u8],
    at_most: usize,
    /// Its end hangs up in order.
    ends_well: bool,
}

impl Port for Vague {
    fn write<'a>(&'a mut self, bytes: &'a [u8], _stall: Duration) -> PortFuture<'a, Written> {
        let breaks = bytes
            .windows(self.breaks_at.len())
            .any(|it| it == self.breaks_at);
        let (accepted, at_most) = if breaks {
            (0, self.at_most)
        } else {
            (bytes.len(), bytes.len())
        };
        Box::pin(std::future::ready(Written {
            accepted,
            at_most,
            ended: breaks.then(|| io::ErrorKind::BrokenPipe.into()),
        }))
    }

    fn read<'a>(
        &'a mut self,
        _into: &'a mut [u8],
        _within: Duration,
    ) -> PortFuture<'a, io::Result<usize>> {
        Box::pin(std::future::ready(Ok(0)))
    }

    fn finish(&mut self, _within: Duration) -> PortFuture<'_, io::Result<()>> {
        let ended = if self.ends_well {
            Ok(())
        } else {
            Err(io::ErrorKind::ConnectionReset.into())
        };
        Box::pin(std::future::ready(ended))
    }
}

async fn printed_over(at_most: usize) -> Outcome {
    printed(Vague {
        breaks_at: b"A-007",
        at_most,
        ends_well: true,
    })
    .await
}

async fn printed(vague: Vague) -> Outcome {
    let profile = profile(Answering::Nothing, QrBy::Native);
    let mut printer = printer_over(vague, profile);
    printer.print(&ticket("A-007")).await
}

#[tokio::test(start_paused = true)]
async fn bytes_that_may_have_arrived_are_no_ticket_that_never_left() {
    let outcome = printed_over(64).await;
    let Outcome::Unclear {
        accepted_bytes,
        why: Doubt::Lost(_),
        ..
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!(accepted_bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_of_which_no_byte_can_have_arrived_is_not_printed() {
    let outcome = printed_over(0).await;
    let is_untouched = matches!(outcome, Outcome::NotPrinted(Refusal::NothingTaken(_)));
    assert!(is_untouched, "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_ticket_whose_printer_hung_up_amid_it_is_unclear() {
    for ends_well in [true, false] {
        let outcome = printed(Vague {
            breaks_at: b"nothing of the kind",
            at_most: 0,
            ends_well,
        })
        .await;
        let is_lost = matches!(
            outcome,
            Outcome::Unclear {
                why: Doubt::Lost(_),
                ..
            }
        );
        let is_accepted = matches!(outcome, Outcome::Accepted { .. });
        assert_eq!(
            (is_accepted, is_lost),
            (ends_well, !ends_well),
            "{outcome:?}"
        );
    }
}
