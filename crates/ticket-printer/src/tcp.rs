//! TCP, by custom on port 9100.
//!
//! What TCP takes is taken by this computer: how much of it reached the printer is not told. A
//! printer that answers in line makes up for that; of one that does not, [`Port::finish`] says at
//! least whether its end hung up in order.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::port::{OpenError, OpenFuture, Port, PortFuture, Transport, Written};

/// Answers that are thrown away while the end of a connection is awaited.
const SCRAP_BYTES: usize = 256;

/// The way to a printer over TCP. A printer serves one connection; others wait in line.
#[derive(Debug, Clone)]
pub struct TcpTransport {
    address: SocketAddr,
}

impl TcpTransport {
    /// The way to this address. Ticket printers are given fixed addresses: a name would have to be
    /// asked for while a person waits.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self { address }
    }
}

impl Transport for TcpTransport {
    fn open(&self, within: Duration) -> OpenFuture<'_> {
        Box::pin(async move {
            let connected = timeout(within, TcpStream::connect(self.address)).await;
            let stream = connected
                .map_err(|_elapsed| OpenError::TimedOut(within))?
                .map_err(OpenError::NotThere)?;
            // Questions of three bytes wait for their answers: Nagle would only delay them.
            stream.set_nodelay(true).map_err(OpenError::NotThere)?;
            let port: Box<dyn Port> = Box::new(TcpPort { stream });
            Ok(port)
        })
    }
}

#[derive(Debug)]
struct TcpPort {
    stream: TcpStream,
}

impl Port for TcpPort {
    fn write<'a>(&'a mut self, bytes: &'a [u8], stall: Duration) -> PortFuture<'a, Written> {
        Box::pin(async move {
            let mut accepted = 0_usize;
            while let Some(rest) = bytes.get(accepted..).filter(|rest| !rest.is_empty()) {
                let ended = match timeout(stall, self.stream.write(rest)).await {
                    Ok(Ok(taken)) if taken > 0 => {
                        accepted = accepted.saturating_add(taken);
                        continue;
                    }
                    Ok(Ok(_nothing)) => io::ErrorKind::WriteZero.into(),
                    Ok(Err(error)) => error,
                    Err(_elapsed) => io::ErrorKind::TimedOut.into(),
                };
                return Written {
                    accepted,
                    at_most: accepted,
                    ended: Some(ended),
                };
            }
            Written {
                accepted,
                at_most: accepted,
                ended: None,
            }
        })
    }

    fn read<'a>(
        &'a mut self,
        into: &'a mut [u8],
        within: Duration,
    ) -> PortFuture<'a, io::Result<usize>> {
        Box::pin(async move {
            match timeout(within, self.stream.read(into)).await {
                Err(_elapsed) => Ok(0),
                Ok(Ok(0)) => Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => read,
            }
        })
    }

    fn finish(&mut self, within: Duration) -> PortFuture<'_, io::Result<()>> {
        Box::pin(async move {
            self.stream.shutdown().await?;
            // Closed with answers unread, TCP would throw away what has not arrived yet. Many
            // printers keep their side open: the end of the time is an end in order, too.
            let mut scrap = [0; SCRAP_BYTES];
            let end = async {
                while self.stream.read(&mut scrap).await? > 0 {}
                Ok(())
            };
            timeout(within, end).await.unwrap_or(Ok(()))
        })
    }
}
