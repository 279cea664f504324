//! How refusals leave: each coded and Indonesian, as JSON for programs and as a page for people, each in time.

use std::time::Duration;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use tokio::time::timeout;

use super::unread;
use crate::problem::{Code, Problem};

/// The page loads nothing from elsewhere and runs no script but its own.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The same for a page that brings pictures inside of itself.
const PICTURE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; \
     frame-ancestors 'none'; base-uri 'none'";

/// Paths whose callers are programs, whatever they accept.
const FOR_PROGRAMS: [&str; 5] = ["/api/", "/machine/", "/metrics", "/healthz", "/console/"];

/// Says of an answer that it is a page for people already, refusal or not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page;

/// Says of a page that it brings pictures inside of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pictured;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    code: &'static str,
    message: &'static str,
}

/// Bounds each request in time until its answer begins, and gives every answer its headers and its words.
pub(super) async fn guard(
    State(deadline): State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    let is_page = wants_page(request.uri().path(), request.headers());
    let (request, unread) = unread::watch(request);
    let response = match timeout(deadline, next.run(request)).await {
        Ok(response) => {
            unread.throw_away().await;
            response
        }
        Err(_elapsed) => {
            tracing::warn!("a request took too long");
            Problem::new(Code::RequestTooSlow).into_response()
        }
    };
    let mut response = in_our_words(response, is_page);
    let policy = match response.extensions().get::<Pictured>() {
        Some(_pictured) => PICTURE_POLICY,
        None => CONTENT_POLICY,
    };
    set_headers(response.headers_mut(), policy);
    response
}

fn wants_page(path: &str, headers: &HeaderMap) -> bool {
    let accepts = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/html"));
    accepts && !FOR_PROGRAMS.iter().any(|prefix| path.starts_with(prefix))
}

/// What the framework refuses by itself is plain English: it gets one of our codes. Headers stay, `Allow` for one.
fn in_our_words(response: Response, is_page: bool) -> Response {
    let status = response.status();
    let is_refusal = status.is_client_error() || status.is_server_error();
    if !is_refusal || response.extensions().get::<Page>().is_some() {
        return response;
    }
    let said = response.extensions().get::<Problem>().cloned();
    if said.is_some() && !is_page {
        return response;
    }
    let problem = said.unwrap_or_else(|| Problem::new(code_of(status)));
    let (mut parts, _old_words) = response.into_parts();
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        parts.headers.remove(name);
    }
    let words = if is_page {
        page(&problem)
    } else {
        problem.into_response()
    };
    let (new, body) = words.into_parts();
    parts.status = new.status;
    parts.headers.extend(new.headers);
    Response::from_parts(parts, body)
}

fn page(problem: &Problem) -> Response {
    let page = ProblemPage {
        code: problem.code.as_str(),
        message: problem.code.message(),
    };
    match page.render() {
        Ok(text) => (problem.code.status(), Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a refusal was not rendered");
            problem.clone().into_response()
        }
    }
}

fn code_of(status: StatusCode) -> Code {
    match status {
        StatusCode::NOT_FOUND => Code::RouteUnknown,
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge,
        other if other.is_server_error() => Code::StorageFailed,
        _other => Code::RequestMalformed,
    }
}

fn set_headers(headers: &mut HeaderMap, policy: &'static str) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not no-referrer: browsers then hide the origin of our own forms too, by which a foreign one is told.
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}
