//! A way to a printer that can be cut: connections over it are reset after as many bytes as a test wants.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Read at once; a cut falls into the middle of such a piece as well as between two.
const PIECE_LEN: usize = 4096;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Requests and documents.
    ToPrinter,
    /// Answers.
    FromPrinter,
}

/// Where the next connection is cut.
#[derive(Debug, Clone, Copy)]
struct Cut {
    direction: Direction,
    left: u64,
}

/// What the connections share: the next cut, and how many there were.
#[derive(Debug, Default)]
struct Scissors {
    next: Option<Cut>,
    cut_count: u64,
}

/// A listener on loopback that hands every connection on to a printer.
#[derive(Debug)]
pub struct Way {
    listen: SocketAddr,
    scissors: Arc<Mutex<Scissors>>,
    /// Ends all connections when it is dropped.
    _tasks: JoinSet<()>,
}

impl Way {
    /// Opens the way to a printer, `host:port`.
    ///
    /// # Errors
    /// When nothing can be listened on.
    pub async fn to(printer: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.context("open a way to a printer")?;
        let listen = listener.local_addr().context("read a way's address")?;
        let scissors = Arc::<Mutex<Scissors>>::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, printer.to_owned(), Arc::clone(&scissors)));
        Ok(Self {
            listen,
            scissors,
            _tasks: tasks,
        })
    }

    /// Where it begins, `host:port`.
    #[must_use]
    pub const fn at(&self) -> SocketAddr {
        self.listen
    }

    /// Resets the connection that carries the byte after the next `bytes` in this direction, and cuts no other.
    pub fn cut_after(&self, direction: Direction, bytes: u64) {
        let cut = Cut {
            direction,
            left: bytes,
        };
        lock(&self.scissors).next = Some(cut);
    }

    /// Leaves all connections whole from here on.
    pub fn mend(&self) {
        lock(&self.scissors).next = None;
    }

    /// Connections that were cut so far.
    #[must_use]
    pub fn cut_count(&self) -> u64 {
        lock(&self.scissors).cut_count
    }
}

fn lock(scissors: &Mutex<Scissors>) -> std::sync::MutexGuard<'_, Scissors> {
    scissors.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, printer: String, scissors: Arc<Mutex<Scissors>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((ours, _peer)) = accepted else { continue };
                connections.spawn(carry(ours, printer.clone(), Arc::clone(&scissors)));
            }
            Some(_ended) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// One connection, both ways. A printer that is away is answered with a reset, as its own host would.
async fn carry(ours: TcpStream, printer: String, scissors: Arc<Mutex<Scissors>>) {
    let theirs = match TcpStream::connect(&printer).await {
        Ok(theirs) => theirs,
        Err(_away) => return reset(ours),
    };
    drop((ours.set_nodelay(true), theirs.set_nodelay(true)));
    let (from_us, to_us) = ours.into_split();
    let (from_them, to_them) = theirs.into_split();
    let (stop, stopped) = watch::channel(false);
    let out = pump(
        from_us,
        to_them,
        Direction::ToPrinter,
        &scissors,
        &stop,
        stopped.clone(),
    );
    let back = pump(
        from_them,
        to_us,
        Direction::FromPrinter,
        &scissors,
        &stop,
        stopped.clone(),
    );
    let ((from_us, to_them), (from_them, to_us)) = tokio::join!(out, back);
    let is_cut = *stopped.borrow();
    for stream in [from_us.reunite(to_us), from_them.reunite(to_them)]
        .into_iter()
        .flatten()
    {
        if is_cut {
            reset(stream);
        }
    }
}

/// Carries bytes until the end, or until one of the two directions is cut.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    direction: Direction,
    scissors: &Mutex<Scissors>,
    stop: &watch::Sender<bool>,
    mut stopped: watch::Receiver<bool>,
) -> (OwnedReadHalf, OwnedWriteHalf) {
    let mut piece = vec![0; PIECE_LEN];
    loop {
        let read = tokio::select! {
            read = from.read(&mut piece) => read,
            _cut = stopped.changed() => break,
        };
        let Ok(len) = read else {
            stop.send_replace(true);
            break;
        };
        let passes = allowed(scissors, direction, len);
        let sent = to.write_all(piece.get(..passes).unwrap_or_default()).await;
        if passes < len || sent.is_err() {
            stop.send_replace(true);
            break;
        }
        if len == 0 {
            drop(to.shutdown().await);
            break;
        }
    }
    (from, to)
}

/// How many of the next `len` bytes pass.
fn allowed(scissors: &Mutex<Scissors>, direction: Direction, len: usize) -> usize {
    let mut scissors = lock(scissors);
    let Some(cut) = scissors
        .next
        .as_mut()
        .filter(|cut| cut.direction == direction)
    else {
        return len;
    };
    let all = u64::try_from(len).unwrap_or(u64::MAX);
    if all <= cut.left {
        cut.left -= all;
        return len;
    }
    let passes = usize::try_from(cut.left).unwrap_or(len);
    scissors.next = None;
    scissors.cut_count += 1;
    passes
}

/// Ends a connection as a router does that has forgotten it.
fn reset(stream: TcpStream) {
    drop(stream.set_zero_linger());
    drop(stream);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives back every byte, as one large answer after the other side's end.
    async fn echo() -> (JoinSet<()>, SocketAddr) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while let Ok((mut stream, _peer)) = listener.accept().await {
                let mut all = Vec::new();
                if stream.read_to_end(&mut all).await.is_ok() {
                    drop(stream.write_all(&all).await);
                }
            }
        });
        (tasks, at)
    }

    async fn exchange(way: &Way, len: usize) -> std::io::Result<usize> {
        let mut stream = TcpStream::connect(way.at()).await?;
        stream.write_all(&vec![7; len]).await?;
        stream.shutdown().await?;
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await?;
        Ok(all.len())
    }

    #[tokio::test]
    async fn a_way_carries_everything_until_it_is_cut_and_is_whole_again_afterwards() {
        let (_tasks, at) = echo().await;
        let way = Way::to(&at.to_string()).await.unwrap();
        assert_eq!(exchange(&way, 100_000).await.unwrap(), 100_000);
        for (direction, bytes) in [
            (Direction::ToPrinter, 0),
            (Direction::ToPrinter, 50_001),
            (Direction::FromPrinter, 0),
            (Direction::FromPrinter, 99_999),
        ] {
            let before = way.cut_count();
            way.cut_after(direction, bytes);
            assert!(
                exchange(&way, 100_000).await.is_err(),
                "{direction:?} {bytes}"
            );
            assert_eq!(way.cut_count(), before + 1);
            assert_eq!(exchange(&way, 100_000).await.unwrap(), 100_000);
        }
    }

    #[tokio::test]
    async fn a_cut_counts_the_bytes_of_its_direction_over_all_connections() {
        let (_tasks, at) = echo().await;
        let way = Way::to(&at.to_string()).await.unwrap();
        way.cut_after(Direction::ToPrinter, 1_500);
        assert_eq!(exchange(&way, 1_000).await.unwrap(), 1_000);
        assert!(exchange(&way, 1_000).await.is_err());
        way.cut_after(Direction::FromPrinter, 10);
        way.mend();
        assert_eq!(exchange(&way, 1_000).await.unwrap(), 1_000);
        assert_eq!(way.cut_count(), 1);
    }

    #[tokio::test]
    async fn a_printer_that_is_away_is_a_reset() {
        let gone = TcpListener::bind(("127.0.0.1", 0))
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        let way = Way::to(&gone.to_string()).await.unwrap();
        assert!(exchange(&way, 10).await.is_err());
        assert_eq!(way.cut_count(), 0);
    }
}
