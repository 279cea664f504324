//! Prints tickets one after the other, to their end, whoever asked for them and has left meanwhile.

use loket_kiosk_ui::ports::{Answer, TestFate, TestTicket, TicketDesk};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::ground::Ground;
use crate::ticket::{TicketSeen, Tickets};

/// Tickets that are asked for and not begun; whoever asks for one more waits until there is room.
const MAX_ASKED: usize = 8;

/// Where whoever asked for a ticket waits.
type Reply = oneshot::Sender<TestTicket>;

/// The unit before it runs.
#[derive(Debug)]
pub struct TicketUnit {
    tickets: Tickets,
    asked: mpsc::Receiver<Reply>,
}

/// The way to the running unit. Clones lead to the same one.
#[derive(Debug, Clone)]
pub struct TicketHandle {
    tickets: Tickets,
    asked: mpsc::Sender<Reply>,
}

impl TicketUnit {
    /// Over a ticket printer's desk.
    #[must_use]
    pub fn new(tickets: Tickets) -> (Self, TicketHandle) {
        let (asking, asked) = mpsc::channel(MAX_ASKED);
        let handle = TicketHandle {
            tickets: tickets.clone(),
            asked: asking,
        };
        (Self { tickets, asked }, handle)
    }

    /// That of the settings' ticket printer, where there is one.
    pub(crate) fn of(config: &Config, ground: &Ground) -> Option<(Self, TicketHandle)> {
        let device = ground.tickets.clone()?;
        Some(Self::new(Tickets::new(
            device,
            config,
            ground.clock.clone(),
        )))
    }

    /// Prints what is asked for until `stop`; a ticket that is begun is printed to its end.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(reply) = self.asked.recv() => {
                    // Who left before it began needs none; who leaves from here on finds in the log what became of it.
                    if !reply.is_closed() {
                        drop(reply.send(self.tickets.test().await));
                    }
                }
            }
        }
        self.asked.close();
        while let Some(reply) = self.asked.recv().await {
            drop(reply.send(told_at_the_end(TestFate::NotPrinted)));
        }
    }
}

/// What is told of a ticket at the daemon's end.
fn told_at_the_end(fate: TestFate) -> TestTicket {
    TestTicket {
        fate,
        reasons: Vec::new(),
        detail: Some("loketd is stopping".to_owned()),
    }
}

impl TicketHandle {
    /// Asks the printer what it is at.
    ///
    /// # Cancel safety
    /// Dropping the future does no harm.
    pub async fn look(&self) -> TicketSeen {
        self.tickets.look().await
    }

    /// Prints a ticket that nobody waits for, once.
    ///
    /// # Cancel safety
    /// A ticket that is begun when the future is dropped is printed to its end; one that is not is not printed.
    pub async fn test(&self) -> TestTicket {
        let (reply, answer) = oneshot::channel();
        if self.asked.send(reply).await.is_err() {
            return told_at_the_end(TestFate::NotPrinted);
        }
        // Only where the unit was cut short is there no answer.
        answer
            .await
            .unwrap_or_else(|_cut| told_at_the_end(TestFate::Unclear))
    }
}

impl TicketDesk for TicketHandle {
    fn test(&self) -> Answer<'_, TestTicket> {
        Box::pin(Self::test(self))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;

    use loket_device_profile::Profiles;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinSet;
    use tokio::time::timeout;

    use super::*;
    use crate::clock::Clock;
    use crate::config::TicketPrinterConfig;
    use crate::device::TicketDevice;

    /// `DLE EOT`, before the number of a question.
    const QUESTION: &[u8] = b"\x10\x04";

    /// That all is well, whatever was asked.
    const WELL: u8 = 0x12;

    /// The last line of a test ticket.
    const LAST_LINE: &[u8] = b"boleh dibuang";

    /// A unit at work, the way to it, and the printer's end.
    struct Bench {
        units: JoinSet<()>,
        stop: CancellationToken,
        handle: TicketHandle,
        printer: TcpListener,
    }

    async fn bench() -> Bench {
        let printer = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = printer.local_addr().unwrap();
        let text = format!("uri = \"tcp://{at}\"\nprofile.answering = \"status\"");
        let settings: TicketPrinterConfig = toml::from_str(&text).unwrap();
        let device = TicketDevice::new(&settings, &Profiles::none()).unwrap();
        let (office, zone) = ("Kantor Contoh".to_owned(), loket_wire::Zone::Wib);
        let tickets = Tickets::over(Arc::new(device), Some(office), zone, Clock::new(None));
        let (unit, handle) = TicketUnit::new(tickets);
        let stop = CancellationToken::new();
        let mut units = JoinSet::new();
        units.spawn(unit.run(stop.clone()));
        Bench {
            units,
            stop,
            handle,
            printer,
        }
    }

    impl Bench {
        /// The connection of a ticket, of which nothing is sent before the printer's state is known.
        async fn begun(&self) -> TcpStream {
            self.printer.accept().await.unwrap().0
        }

        /// Asks for a ticket and leaves.
        async fn ask_and_leave(&self) {
            let left = timeout(std::time::Duration::ZERO, pin!(self.handle.test())).await;
            assert!(left.is_err(), "no printer answered");
        }

        fn ask(&self) -> JoinSet<TestTicket> {
            let handle = self.handle.clone();
            let mut asking = JoinSet::new();
            asking.spawn(async move { handle.test().await });
            asking
        }
    }

    /// Answers each question until the other side hangs up; how many tickets came to their last line.
    async fn printed(mut stream: TcpStream) -> usize {
        let (mut heard, mut answered) = (Vec::new(), 0);
        loop {
            if stream.read_buf(&mut heard).await.unwrap() == 0 {
                return count(&heard, LAST_LINE);
            }
            // The last byte may be the first of a question.
            let asked = count(&heard, QUESTION);
            stream
                .write_all(&vec![WELL; asked - answered])
                .await
                .unwrap();
            answered = asked;
        }
    }

    fn count(bytes: &[u8], what: &[u8]) -> usize {
        bytes.windows(what.len()).filter(|it| *it == what).count()
    }

    #[tokio::test]
    async fn a_ticket_is_printed_to_its_end_though_whoever_asked_left_amid_it() {
        let bench = bench().await;
        let mut asking = bench.ask();
        let begun = bench.begun().await;
        asking.shutdown().await;
        assert_eq!(printed(begun).await, 1);
    }

    #[tokio::test]
    async fn who_leaves_before_a_ticket_began_gets_none() {
        let bench = bench().await;
        let mut first = bench.ask();
        let begun = bench.begun().await;
        bench.ask_and_leave().await;
        let mut third = bench.ask();
        assert_eq!(printed(begun).await, 1);
        assert_eq!(
            first.join_next().await.unwrap().unwrap().fate,
            TestFate::Accepted
        );
        assert_eq!(printed(bench.begun().await).await, 1);
        assert_eq!(
            third.join_next().await.unwrap().unwrap().fate,
            TestFate::Accepted
        );
        let further = timeout(std::time::Duration::ZERO, bench.begun()).await;
        assert!(further.is_err(), "the second was not printed");
    }

    #[tokio::test]
    async fn at_the_end_what_is_begun_is_printed_and_what_is_not_is_told_so() {
        let mut bench = bench().await;
        let mut first = bench.ask();
        let begun = bench.begun().await;
        let mut second = pin!(bench.handle.test());
        let waits = timeout(std::time::Duration::ZERO, &mut second).await;
        assert!(waits.is_err());
        bench.stop.cancel();
        assert_eq!(printed(begun).await, 1);
        assert_eq!(
            first.join_next().await.unwrap().unwrap().fate,
            TestFate::Accepted
        );
        assert_eq!(second.await.fate, TestFate::NotPrinted);
        assert!(bench.units.join_next().await.unwrap().is_ok());
        assert_eq!(bench.handle.test().await.fate, TestFate::NotPrinted);
    }
}
