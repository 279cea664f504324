//! A page that says what does not go.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use crate::site::Face;
use crate::words::{Said, Trouble, say, say_officer};

/// What a person is told in place of what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Problem {
    face: Face,
    trouble: Trouble,
    again: Option<&'static str>,
}

impl Problem {
    pub(crate) const fn new(face: Face, trouble: Trouble) -> Self {
        Self {
            face,
            trouble,
            again: None,
        }
    }

    /// Where it is tried again, if not where this face begins.
    pub(crate) const fn again(self, address: &'static str) -> Self {
        Self {
            again: Some(address),
            ..self
        }
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct KioskProblem {
    said: Said,
    code: &'static str,
    again: &'static str,
    home: &'static str,
}

#[derive(Template)]
#[template(path = "station_problem.html")]
struct StationProblem {
    said: Said,
    code: &'static str,
    again: &'static str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let code = self.trouble.id();
        let page = match self.face {
            Face::Kiosk => html(&KioskProblem {
                said: say(self.trouble),
                code,
                again: self.again.unwrap_or("/kiosk/periksa"),
                home: "/kiosk",
            }),
            Face::Station => html(&StationProblem {
                said: say_officer(self.trouble),
                code,
                again: self.again.unwrap_or("/station/periksa"),
            }),
        };
        let status = StatusCode::from_u16(self.trouble.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, page).into_response()
    }
}

/// A rendered page. A template that cannot be rendered is a bug; the code is said without one then.
pub(crate) fn html(page: &impl Template) -> Response {
    match page.render() {
        Ok(page) => Html(page).into_response(),
        Err(error) => {
            tracing::error!(%error, "page not rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
