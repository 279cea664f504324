//! Accepts connections: bounded in number, each handshake and each request bounded in time, TLS where told.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::identity::{Subject, subject};

/// Connections open at once; 500 machines that fetch at once queue behind it for seconds, not for ever.
const MAX_CONNECTION_COUNT: usize = 512;

/// A TLS handshake over a satellite link takes four round trips of 0.6 s.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);

/// How long the head of a request may take; it also bounds how long an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long accepting pauses when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Who is at the other end.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// As TLS proved it; `None` for a listener without client certificates.
    pub(crate) subject: Option<Subject>,
    /// Where the connection comes from.
    pub(crate) ip: IpAddr,
}

/// One listening socket with what it serves.
pub(crate) struct Listener {
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    name: &'static str,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Listener {
    pub(crate) fn new(
        socket: TcpListener,
        tls: Option<Arc<ServerConfig>>,
        router: Router,
        name: &'static str,
    ) -> Self {
        Self {
            socket,
            tls: tls.map(TlsAcceptor::from),
            router,
            name,
        }
    }

    /// Serves until `stop`; then accepts no more and lets connections finish the request under way.
    ///
    /// It returns once all of them have ended: the caller bounds that.
    pub(crate) async fn serve(self, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(MAX_CONNECTION_COUNT));
        let connections = TaskTracker::new();
        loop {
            let place = tokio::select! {
                () = stop.cancelled() => break,
                place = Arc::clone(&places).acquire_owned() => place,
            };
            let Ok(place) = place else { break };
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, from)) => {
                    let connection = connection(
                        stream,
                        from,
                        self.tls.clone(),
                        self.router.clone(),
                        stop.clone(),
                    );
                    connections.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(listener = self.name, %error, "no connection accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        connections.close();
        connections.wait().await;
    }
}

async fn connection(
    stream: TcpStream,
    from: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    stop: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let peer = |subject| Peer {
        subject,
        ip: from.ip(),
    };
    let Some(tls) = tls else {
        return serve_one(stream, peer(None), router, stop).await;
    };
    match timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
        Ok(Ok(stream)) => {
            let chain = stream.get_ref().1.peer_certificates();
            let own = chain.and_then(|chain| chain.first());
            let proved = own.and_then(|own| subject(own));
            serve_one(stream, peer(proved), router, stop).await;
        }
        Ok(Err(error)) => tracing::info!(peer.ip = %from.ip(), %error, "TLS handshake refused"),
        Err(_elapsed) => tracing::info!(peer.ip = %from.ip(), "TLS handshake took too long"),
    }
}

async fn serve_one(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    router: Router,
    stop: CancellationToken,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        router.call(request)
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}
