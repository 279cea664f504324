//! Takes connections: bounded in number, each head of a request bounded in time.

use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::site::{Shared, Site, router};

/// Browsers open six each; a machine has one screen, an officer and a few phones.
const MAX_CONNECTIONS: usize = 64;

/// The head of a request is a few hundred bytes from this site.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// Taking connections fails for want of files or memory: at once again it would only take the processor as well.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// What nobody asked for is dropped this often.
const SWEEP_EVERY: Duration = Duration::from_secs(15);

/// Serves the pages of one machine until `stop`; a request under way is finished then.
pub async fn serve(listener: TcpListener, site: Site, stop: CancellationToken) {
    let shared = Shared::new(site);
    let router = router(shared.clone());
    let mut connections = JoinSet::new();
    let mut sweeps = tokio::time::interval(SWEEP_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _at = sweeps.tick() => shared.sweep(),
            Some(_ended) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _peer)) => {
                    connections.spawn(connection(stream, router.clone(), stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection to the pages is not taken; trying again");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            },
        }
    }
    while connections.join_next().await.is_some() {}
}

async fn connection(stream: TcpStream, router: Router, stop: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the pages ended early");
    }
}
