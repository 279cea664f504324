//! Central's HTTP doors: the API and console for people and systems, the blobs for machines.

mod api;
mod blobs;
mod compare;
mod console;
mod history;
mod job_query;
mod machines;
mod outcome;
mod range;
mod records;
mod report;
mod shapes;
mod sign_in;
mod stock;
mod tries;
mod unread;
mod upload;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::middleware;
use axum::routing::{MethodRouter, get, post, put};

use self::console::Shared;
use self::tries::Tries;
use crate::intake::order_text::MAX_ORDER_BYTES;
use crate::office::Office;
use crate::problem::{Code, Problem};
use loket_wire::order::MAX_DOCUMENT_BYTES;
use loket_wire::record::MAX_SEALED_RECORD_BYTES;

/// A multipart body: one document, one order, and the lines between them.
const MAX_UPLOAD_BYTES: usize = MAX_DOCUMENT_BYTES + MAX_ORDER_BYTES + 16 * 1024;

/// Every other body is a token or a short answer.
const MAX_SMALL_BODY_BYTES: usize = 16 * 1024;

type Routes = Vec<(&'static str, MethodRouter<Web>)>;

/// What the requests at one listener share: the office, and what is the web's alone.
#[derive(Debug, Clone)]
struct Web {
    office: Arc<Office>,
    /// What the console's viewers share.
    shared: Arc<Shared>,
    /// Requests with a bad token in the last minute: bounds what of them is logged.
    bad_tokens: Arc<Tries>,
    /// Failed tries at the sign-in form in the last minute: bounds them.
    tries: Arc<Tries>,
}

impl Web {
    fn of(office: Arc<Office>) -> Self {
        Self {
            office,
            shared: Arc::default(),
            bad_tokens: Arc::default(),
            tries: Arc::default(),
        }
    }
}

impl FromRef<Web> for Arc<Office> {
    fn from_ref(web: &Web) -> Self {
        Self::clone(&web.office)
    }
}

/// For programs. `openapi.json` describes every route: a test holds the two together.
fn api_routes() -> Routes {
    vec![
        (
            "/api/v1/documents",
            post(upload::post_document).layer(DefaultBodyLimit::max(MAX_UPLOAD_BYTES)),
        ),
        ("/api/v1/jobs", get(api::jobs)),
        ("/api/v1/jobs/{id}", get(api::job)),
        ("/api/v1/jobs/{id}/cancel", post(api::cancel)),
        ("/api/v1/jobs/{id}/answer", post(api::answer)),
        ("/api/v1/jobs/{id}/history", get(history::of_job)),
        ("/api/v1/history", get(history::page)),
        ("/api/v1/history/verdict", get(history::verdict)),
        (
            "/api/v1/records/compare",
            post(compare::post).layer(DefaultBodyLimit::max(compare::MAX_FORM_BYTES)),
        ),
        ("/api/v1/reports/day", get(report::day)),
        ("/api/v1/machines", get(api::machines)),
        ("/api/v1/brokers", get(api::brokers)),
        ("/api/v1/machines/{id}/write-off", post(machines::write_off)),
        ("/api/v1/openapi.json", get(api::openapi)),
        ("/metrics", get(api::metrics)),
        ("/healthz", get(api::health)),
    ]
}

/// Pages for people; described as well, but no contract.
fn page_routes() -> Routes {
    vec![
        ("/", get(console::page)),
        ("/console/live", get(console::live)),
        ("/console/jobs/{id}", get(console::job_live)),
        ("/jobs/{id}", get(console::job_page)),
        ("/jobs/{id}/cancel", post(console::cancel)),
        ("/jobs/{id}/answer", post(console::answer)),
        ("/machines/{id}/write-off", post(console::write_off)),
        (
            "/paper",
            get(console::paper_form)
                .post(console::paper_compare)
                .layer(DefaultBodyLimit::max(compare::MAX_FORM_BYTES)),
        ),
        ("/console.css", get(console::style)),
        ("/console.js", get(console::script)),
        ("/login", get(sign_in::form).post(sign_in::sign_in)),
        ("/logout", post(sign_in::sign_out)),
    ]
}

/// What machines fetch and hand in, on a listener of their own.
fn machine_routes() -> Routes {
    vec![
        ("/machine/v1/blobs/{job}", get(blobs::blob)),
        ("/machine/v1/trust/{serial}", get(blobs::trust)),
        ("/machine/v1/audit-key", get(records::audit_key)),
        (
            "/machine/v1/records/{job}",
            put(records::put).layer(DefaultBodyLimit::max(MAX_SEALED_RECORD_BYTES)),
        ),
        ("/machine/v1/records/find", post(records::find)),
    ]
}

/// The router for people and systems.
pub(crate) fn api_router(office: Arc<Office>) -> Router {
    let mut routes = api_routes();
    routes.extend(page_routes());
    finish(routes, office)
}

/// The router for machines.
pub(crate) fn machine_router(office: Arc<Office>) -> Router {
    finish(machine_routes(), office)
}

fn finish(routes: Routes, office: Arc<Office>) -> Router {
    let deadline = office.request_deadline;
    routes
        .into_iter()
        .fold(Router::new(), |router, (path, route)| {
            router.route(path, route)
        })
        .fallback(|| async { Problem::new(Code::RouteUnknown) })
        .layer(DefaultBodyLimit::max(MAX_SMALL_BODY_BYTES))
        .layer(middleware::from_fn_with_state(deadline, outcome::guard))
        .with_state(Web::of(office))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn openapi_describes_every_route_and_no_other() {
        let document: serde_json::Value =
            serde_json::from_str(include_str!("../assets/openapi.json")).unwrap();
        let described: BTreeSet<_> = document["paths"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let routes = [
            super::api_routes(),
            super::page_routes(),
            super::machine_routes(),
        ];
        let routed: BTreeSet<_> = routes
            .iter()
            .flatten()
            .map(|(path, _route)| *path)
            .collect();
        assert_eq!(described, routed);
    }

    #[test]
    fn every_code_of_a_door_is_told_beside_a_status_of_its_own() {
        let document: serde_json::Value =
            serde_json::from_str(include_str!("../assets/openapi.json")).unwrap();
        // Of the folder there is no door, and what no route has is told of all of them.
        let elsewhere = [
            "FolderPairMissing",
            "FolderFileUnreadable",
            "FolderNameTwice",
        ];
        let told = |code: &str, status: &str| {
            let shared = document["components"]["responses"].as_object().unwrap();
            let operations = document["paths"].as_object().unwrap().values();
            let operations = operations.flat_map(|methods| methods.as_object().unwrap().values());
            let mut responses = operations.filter_map(|it| it["responses"].get(status));
            responses.any(|response| {
                let name = response["$ref"].as_str().unwrap_or_default();
                let name = name.rsplit('/').next().unwrap_or_default();
                let response = shared.get(name).unwrap_or(response);
                response["description"].as_str().unwrap().contains(code)
            })
        };
        assert!(
            document["info"]["description"]
                .as_str()
                .unwrap()
                .contains("RouteUnknown")
        );
        for code in crate::problem::Code::ALL {
            let (name, status) = (code.as_str(), code.status().as_u16().to_string());
            let is_elsewhere = elsewhere.contains(&name) || name == "RouteUnknown";
            assert!(is_elsewhere || told(name, &status), "{name} {status}");
        }
        assert!(!told("Busy", "422"), "the control");
    }

    #[test]
    fn every_request_that_writes_is_told_that_the_room_may_be_short() {
        let document: serde_json::Value =
            serde_json::from_str(include_str!("../assets/openapi.json")).unwrap();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                // Signing out changes a browser alone.
                let writes = method != "get" && path != "/logout";
                let told = operation["responses"].get("507").is_some();
                assert_eq!(told, writes, "{method} {path}");
            }
        }
    }

    #[test]
    fn every_code_of_openapi_is_one_that_central_says() {
        let text = include_str!("../assets/openapi.json");
        let document: serde_json::Value = serde_json::from_str(text).unwrap();
        let listed: BTreeSet<_> =
            document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]
                .as_array()
                .unwrap()
                .iter()
                .map(|code| code.as_str().unwrap())
                .collect();
        let said: BTreeSet<_> = crate::problem::Code::ALL
            .iter()
            .map(|code| code.as_str())
            .collect();
        assert_eq!(listed, said);
    }
}
