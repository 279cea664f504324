//! What the pages of one machine share, and the table of their routes.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Uri, header};
use axum::middleware;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use loket_wire::Zone;
use tokio::sync::Semaphore;

use crate::handles::Handles;
use crate::picture::Picture;
use crate::ports::{
    DayDesk, Judgement, MediaDesk, MediaFile, PaperDesk, PrinterDesk, TestTicket, TicketDesk,
    VerifyDesk,
};
use crate::problem::Problem;
use crate::station_paper::SheetResult;
use crate::words::Trouble;
use crate::{
    guard, kiosk, picture, station, station_paper, station_printers, station_report, station_ticket,
};

/// Documents that are received or judged at a time: each may take 8 MiB, and one screen asks for one.
const MAX_UPLOADS: usize = 4;

/// Forms that are drawn at a time: whoever waits for the next one is at the same machine.
const MAX_DRAWINGS: usize = 1;

/// Forms that are open at a time: a kiosk has one, an officer a few windows.
const MAX_FORMS: usize = 64;

/// A form may stay open as long as a person is away from it with a cup of tea.
const FORM_LIFE: Duration = Duration::from_secs(900);

/// Results that nobody has looked at yet: the browser asks for each at once.
const MAX_RESULTS: usize = 8;

/// Pictures of those results: an original and an altered page each, or a sheet and ten close-ups, which are small, in two
/// windows.
const MAX_PICTURES: usize = 24;

/// Beside the document, the fields of a form take this much of a body.
const SMALL_BODY_BYTES: usize = 16 * 1024;

/// Which pages a machine shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Face {
    /// For residents.
    Kiosk,
    /// For officers.
    Station,
}

impl Face {
    /// Whose page an address is.
    pub(crate) fn of(uri: &Uri) -> Self {
        if uri.path().starts_with("/station") {
            Self::Station
        } else {
            Self::Kiosk
        }
    }
}

/// What the pages of one machine stand on.
pub struct Site {
    /// Judges documents.
    pub verify: Arc<dyn VerifyDesk>,
    /// Holds doubted sheets against their records; none on a machine that central does not know.
    pub paper: Option<Arc<dyn PaperDesk>>,
    /// Reads what is plugged in.
    pub media: Arc<dyn MediaDesk>,
    /// Accounts for days.
    pub days: Arc<dyn DayDesk>,
    /// Knows how printers were seen last.
    pub printers: Arc<dyn PrinterDesk>,
    /// Prints test tickets; none on a machine without a ticket printer.
    pub tickets: Option<Arc<dyn TicketDesk>>,
    /// Which pages are shown.
    pub faces: BTreeSet<Face>,
    /// `host:port` by which browsers may call this machine; any other name is a stranger's page.
    pub hosts: BTreeSet<String>,
    /// The zone in which moments are told.
    pub zone: Zone,
    /// A page that nobody touches goes back to the start after this long.
    pub idle: Duration,
    /// Draws what cannot be guessed.
    pub fresh: fn() -> [u8; 16],
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site")
            .field("faces", &self.faces)
            .finish_non_exhaustive()
    }
}

/// What requests share.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Inner>);

impl std::ops::Deref for Shared {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

pub(crate) struct Inner {
    pub(crate) site: Site,
    /// Forms that were shown: each may be sent once.
    pub(crate) forms: Handles<()>,
    /// What was listed on a medium, as the buttons of a page count it.
    pub(crate) listings: Handles<Vec<MediaFile>>,
    /// Results for residents.
    pub(crate) results: Handles<Judgement>,
    /// Results for officers: a resident's page cannot ask for one.
    pub(crate) officer_results: Handles<Judgement>,
    /// What was found of sheets of paper.
    pub(crate) sheet_results: Handles<SheetResult>,
    /// What became of test tickets.
    pub(crate) test_tickets: Handles<TestTicket>,
    /// Names of officers who may go on with another sheet.
    pub(crate) names: Handles<String>,
    pub(crate) pictures: Handles<Picture>,
    pub(crate) uploads: Semaphore,
    /// Turns at drawing forms: a day of thousands of documents takes a processor for seconds.
    pub(crate) drawings: Arc<Semaphore>,
}

impl Shared {
    pub(crate) fn new(site: Site) -> Self {
        let fresh = site.fresh;
        // Longer than the page that shows it, since that page still asks for more time.
        let result_life = site.idle * 3;
        Self(Arc::new(Inner {
            site,
            forms: Handles::new(fresh, MAX_FORMS, FORM_LIFE),
            listings: Handles::new(fresh, MAX_FORMS, FORM_LIFE),
            results: Handles::new(fresh, MAX_RESULTS, result_life),
            officer_results: Handles::new(fresh, MAX_RESULTS, result_life),
            sheet_results: Handles::new(fresh, MAX_RESULTS, result_life),
            test_tickets: Handles::new(fresh, MAX_RESULTS, result_life),
            names: Handles::new(fresh, MAX_FORMS, FORM_LIFE),
            pictures: Handles::new(fresh, MAX_PICTURES, result_life),
            uploads: Semaphore::new(MAX_UPLOADS),
            drawings: Arc::new(Semaphore::new(MAX_DRAWINGS)),
        }))
    }

    /// Drops what nobody asked for in time.
    pub(crate) fn sweep(&self) {
        self.forms.sweep();
        self.listings.sweep();
        self.results.sweep();
        self.officer_results.sweep();
        self.sheet_results.sweep();
        self.test_tickets.sweep();
        self.names.sweep();
        self.pictures.sweep();
    }

    pub(crate) fn serves(&self, face: Face) -> bool {
        self.site.faces.contains(&face)
    }
}

type Routes = Vec<(&'static str, MethodRouter<Shared>)>;

fn kiosk_routes() -> Routes {
    vec![
        ("/kiosk", get(kiosk::start)),
        (
            "/kiosk/periksa",
            get(kiosk::choose).merge(upload(post(kiosk::post_verify))),
        ),
        ("/kiosk/periksa/usb", post(kiosk::post_verify_medium)),
        ("/kiosk/hasil/{handle}", get(kiosk::result)),
        ("/kiosk/selesai/{handle}", get(kiosk::done)),
    ]
}

fn station_routes() -> Routes {
    vec![
        (
            "/station",
            get(|| async { Redirect::to("/station/periksa") }),
        ),
        (
            "/station/periksa",
            get(station::choose).merge(upload(post(station::post_verify))),
        ),
        ("/station/periksa/usb", post(station::post_verify_medium)),
        ("/station/hasil/{handle}", get(station::result)),
        (
            "/station/kertas",
            get(station_paper::choose).merge(upload(post(station_paper::post))),
        ),
        ("/station/kertas/lagi/{handle}", get(station_paper::again)),
        ("/station/kertas/hasil/{handle}", get(station_paper::result)),
        ("/station/printer", get(station_printers::page)),
        (
            "/station/tiket",
            get(station_ticket::choose).post(station_ticket::post),
        ),
        ("/station/tiket/hasil/{handle}", get(station_ticket::result)),
        ("/station/laporan", get(station_report::page)),
        ("/station/laporan/berkas", get(station_report::file)),
        ("/station/gambar/{handle}", get(picture::show)),
    ]
}

/// A document's own reader counts its bytes and says what is too much: a cut body would show a browser's error page.
fn upload(route: MethodRouter<Shared>) -> MethodRouter<Shared> {
    route.layer(DefaultBodyLimit::disable())
}

pub(crate) fn router(shared: Shared) -> Router {
    let mut routes: Routes = vec![("/pages.css", get(style))];
    let home = if shared.serves(Face::Kiosk) {
        "/kiosk"
    } else {
        "/station"
    };
    routes.push(("/", get(move || async move { Redirect::to(home) })));
    if shared.serves(Face::Kiosk) {
        routes.extend(kiosk_routes());
    }
    if shared.serves(Face::Station) {
        routes.extend(station_routes());
    }
    let router = routes
        .into_iter()
        .fold(Router::new(), |router, (path, route)| {
            router.route(path, route)
        });
    router
        .fallback(|uri: Uri| async move { Problem::new(Face::of(&uri), Trouble::NoPage) })
        .method_not_allowed_fallback(|uri: Uri| async move {
            Problem::new(Face::of(&uri), Trouble::NoMethod)
        })
        .layer(DefaultBodyLimit::max(SMALL_BODY_BYTES))
        .layer(middleware::from_fn_with_state(shared.clone(), guard::guard))
        .with_state(shared)
}

/// The one style sheet, with how long the bar runs that tells when a page goes back to the start.
async fn style(State(shared): State<Shared>) -> Response {
    let sheet = include_str!("../assets/pages.css");
    let idle_s = std::future::ready(shared.site.idle.as_secs()).await;
    let kind = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    (kind, format!(":root {{ --idle: {idle_s}s; }}\n{sheet}")).into_response()
}
