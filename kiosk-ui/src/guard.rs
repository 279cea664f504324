//! What stands before every page: who calls, how long it may take, and what a browser may do with the answer.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::problem::Problem;
use crate::site::{Face, Shared};
use crate::words::Trouble;

/// A request is over after this long: 8 MiB from a slow phone, a turn that is waited for, and the judging.
pub const REQUEST_DEADLINE: Duration = Duration::from_secs(90);

/// Nothing from elsewhere, no script, no frame, forms to this machine alone.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 8] = [
    // Neither a disk cache nor the button "back" shows what somebody else had on the screen.
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), usb=()",
    ),
];

/// Lets a request through that calls this machine by its own name and comes from its own pages.
pub(crate) async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let face = Face::of(request.uri());
    let mut response = match refusal(&shared, &request) {
        Some(trouble) => Problem::new(face, trouble).into_response(),
        None => match tokio::time::timeout(REQUEST_DEADLINE, next.run(request)).await {
            Ok(response) => response,
            Err(_late) => Problem::new(face, Trouble::Cut).into_response(),
        },
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn refusal(shared: &Shared, request: &Request) -> Option<Trouble> {
    let headers = request.headers();
    // A stranger's name that leads to this address lets a stranger's page read ours (DNS rebinding).
    let is_ours = text(headers, header::HOST).is_some_and(|host| shared.site.hosts.contains(host));
    if !is_ours {
        return Some(Trouble::ForeignHost);
    }
    let changes = request.method() != Method::GET && request.method() != Method::HEAD;
    (changes && !is_our_form(headers)).then_some(Trouble::ForeignForm)
}

/// Browsers say where a form comes from, and no script can make them lie. A client that says nothing is no browser, and
/// has the form's token or not.
fn is_our_form(headers: &HeaderMap) -> bool {
    if let Some(site) = text(headers, HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    let Some(origin) = text(headers, header::ORIGIN) else {
        return true;
    };
    let place = origin.split_once("://").map(|(_scheme, place)| place);
    place.is_some() && place == text(headers, header::HOST)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
