//! Serves the pages of the site on the address of the settings.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use loket_kiosk_ui::ports::{self, DayDesk, MediaDesk, PrinterDesk, VerifyDesk};
use loket_kiosk_ui::{Face, Site, serve};
use loket_wire::Zone;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::{PagesConfig, ShownFace};
use crate::identity::OsRandom;
use crate::paper::PaperDesk;
use crate::unit::tickets::TicketHandle;

/// A port that another program has is tried again this often: whoever has it may be on the way out.
const BIND_AGAIN: Duration = Duration::from_secs(5);

/// The unit before it runs.
pub struct PagesUnit {
    /// Where, for whom, how long.
    pub config: PagesConfig,
    /// The zone in which moments are told.
    pub zone: Zone,
    /// Judges documents.
    pub verify: Arc<dyn VerifyDesk>,
    /// Holds doubted sheets against their records; none on a machine that is not enrolled.
    pub(crate) paper: Option<Arc<PaperDesk>>,
    /// Accounts for days.
    pub days: Arc<dyn DayDesk>,
    /// Knows how printers were seen last.
    pub printers: Arc<dyn PrinterDesk>,
    /// Prints test tickets; none on a machine without a ticket printer.
    pub tickets: Option<TicketHandle>,
    /// Reads what is plugged in.
    pub media: Arc<dyn MediaDesk>,
}

impl std::fmt::Debug for PagesUnit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PagesUnit")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl PagesUnit {
    /// Serves until `stop`. A port that cannot be taken keeps the pages away and nothing else: orders are printed.
    pub async fn run(self, stop: CancellationToken) {
        let Some((listener, at)) = self.listen(&stop).await else {
            return;
        };
        tracing::info!(pages.listen = %at, "pages are served");
        let faces = self.config.show.iter().map(|face| match face {
            ShownFace::Kiosk => Face::Kiosk,
            ShownFace::Station => Face::Station,
        });
        let site = Site {
            faces: faces.collect(),
            hosts: self.config.hosts_at(at),
            verify: self.verify,
            paper: self
                .paper
                .map(|paper| -> Arc<dyn ports::PaperDesk> { paper }),
            media: self.media,
            days: self.days,
            printers: self.printers,
            tickets: self
                .tickets
                .map(|tickets| -> Arc<dyn ports::TicketDesk> { Arc::new(tickets) }),
            zone: self.zone,
            idle: Duration::from_secs(self.config.idle_s),
            fresh: || loket_wire::random::draw(&mut OsRandom::default()),
        };
        serve(listener, site, stop).await;
    }

    /// Takes the port, however often it has to be tried; nothing where it is time to stop.
    async fn listen(&self, stop: &CancellationToken) -> Option<(TcpListener, SocketAddr)> {
        let mut is_told = false;
        loop {
            let bound = TcpListener::bind(self.config.listen).await;
            // Where the settings leave the port to the system, pages are called by the one that it gave.
            match bound.and_then(|listener| listener.local_addr().map(|at| (listener, at))) {
                Ok(bound) => return Some(bound),
                Err(error) if !is_told => {
                    is_told = true;
                    tracing::error!(%error, pages.listen = %self.config.listen, "pages are not served; trying again");
                }
                Err(_same) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return None,
                () = tokio::time::sleep(BIND_AGAIN) => {}
            }
        }
    }
}
