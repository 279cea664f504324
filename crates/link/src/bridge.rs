//! A private local socket between rumqttc, which makes its own connections, and our stream.
//!
//! rumqttc takes no stream: it dials by itself, hides the TLS socket, names no reason when TLS is
//! refused after the handshake, and cannot be told a server name. It can connect to a Unix socket,
//! though; so it is given one in Linux's abstract namespace (no file, gone with its last user),
//! and the two ends are copied into each other. The one connection that is accepted comes from
//! this very process; the listener is closed at once after it.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::dial::Stream;

/// Bytes copied at a time in each direction: a heartbeat fits, and a link stays small in memory.
const COPY_BYTES: usize = 4_096;

/// How many taken names are passed over before giving up; only someone who squats on them makes
/// it more than one.
const NAME_TRIES: u32 = 16;

/// How long the last bytes may take to leave after the MQTT side has ended.
const LINGER: Duration = Duration::from_secs(1);

/// Numbers the sockets of this process.
static NEXT_NAME: AtomicU64 = AtomicU64::new(0);

/// A running copy between a local socket and the broker's stream; dropping it ends both.
#[derive(Debug)]
pub(crate) struct Bridge {
    address: String,
    copying: JoinSet<io::Result<()>>,
}

impl Bridge {
    /// Opens the local end for `remote`.
    pub(crate) fn open(remote: Box<dyn Stream>) -> io::Result<Self> {
        let (listener, address) = listen()?;
        let mut copying = JoinSet::new();
        copying.spawn(copy(listener, remote));
        Ok(Self { address, copying })
    }

    /// Returns what rumqttc must be told as broker address with its Unix transport.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Lets the last bytes pass, within a bound, and returns the error that ended the copying.
    pub(crate) async fn end(mut self) -> Option<io::Error> {
        let joined = timeout(LINGER, self.copying.join_next())
            .await
            .ok()
            .flatten()?;
        joined
            .map_err(io::Error::other)
            .and_then(|copied| copied)
            .err()
    }
}

fn listen() -> io::Result<(UnixListener, String)> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..NAME_TRIES {
        let number = NEXT_NAME.fetch_add(1, Ordering::Relaxed);
        let name = format!("loket-link-{}-{number}", std::process::id());
        let bound = net::SocketAddr::from_abstract_name(&name)
            .and_then(|address| net::UnixListener::bind_addr(&address));
        match bound {
            Ok(listener) => {
                listener.set_nonblocking(true)?;
                // A leading NUL is how the abstract namespace is spelt as a path.
                return Ok((UnixListener::from_std(listener)?, format!("\0{name}")));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn copy(listener: UnixListener, mut remote: Box<dyn Stream>) -> io::Result<()> {
    let mut local = accept_own(&listener).await?;
    drop(listener);
    copy_bidirectional_with_sizes(&mut local, &mut remote, COPY_BYTES, COPY_BYTES).await?;
    Ok(())
}

/// Accepts the connection of this process and turns away those of others, who could otherwise
/// speak to the broker under our certificate.
async fn accept_own(listener: &UnixListener) -> io::Result<UnixStream> {
    loop {
        let (stream, _) = listener.accept().await?;
        let peer = stream
            .peer_cred()?
            .pid()
            .and_then(|pid| u32::try_from(pid).ok());
        if peer == Some(std::process::id()) {
            return Ok(stream);
        }
        tracing::warn!("turned away another process at the link's local socket");
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn bytes_pass_both_ways_and_the_last_ones_arrive_after_the_end() {
        let (near, mut far) = duplex(64);
        let bridge = Bridge::open(Box::new(near)).unwrap();
        let mut local = UnixStream::connect(bridge.address()).await.unwrap();
        far.write_all(b"in").await.unwrap();
        let mut read = [0; 2];
        local.read_exact(&mut read).await.unwrap();
        local.write_all(b"last words").await.unwrap();
        drop(local);
        let mut heard = Vec::new();
        far.read_to_end(&mut heard).await.unwrap();
        drop(far);
        assert_eq!((&read, heard.as_slice()), (b"in", b"last words".as_slice()));
        assert!(bridge.end().await.is_none());
    }

    #[tokio::test]
    async fn the_socket_takes_one_connection_and_is_gone() {
        let (near, mut far) = duplex(64);
        let bridge = Bridge::open(Box::new(near)).unwrap();
        let mut first = UnixStream::connect(bridge.address()).await.unwrap();
        first.write_all(b"x").await.unwrap();
        assert_eq!(far.read_u8().await.unwrap(), b'x');
        let second = UnixStream::connect(bridge.address()).await;
        assert_eq!(second.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
}
