//! The officers' page that tries the ticket printer, after a roll was changed.

use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use serde::Deserialize;

use crate::ports::{PrinterKind, TestTicket};
use crate::problem::{Problem, html};
use crate::site::{Face, Shared};
use crate::station_printers::{TodoPart, Want, want_of};
use crate::words::Trouble;
use crate::words::printer::{Tried, tried};

#[derive(Template)]
#[template(path = "station_ticket.html")]
struct TicketPage {
    token: String,
    /// What the printer wants, where it wants something.
    wants: Vec<Want>,
}

#[derive(Template)]
#[template(path = "station_ticket_result.html")]
struct ResultPage {
    shown: Head,
    todos: Vec<TodoPart>,
    detail: String,
}

/// What became of it, in one word.
struct Head {
    word: &'static str,
    tone: &'static str,
    meaning: &'static str,
}

/// The form's only field.
#[derive(Debug, Deserialize)]
pub(crate) struct TicketForm {
    token: String,
}

/// `GET /station/tiket`
pub(crate) async fn choose(State(shared): State<Shared>) -> Result<Response, Problem> {
    if shared.site.tickets.is_none() {
        return Err(problem(Trouble::NoTicketPrinter));
    }
    let seen = shared.site.printers.printers().await.into_iter();
    let seen = seen.filter(|printer| printer.kind == PrinterKind::Tickets);
    Ok(html(&TicketPage {
        token: shared.forms.put(()),
        wants: seen.filter_map(want_of).collect(),
    }))
}

/// `POST /station/tiket`
pub(crate) async fn post(
    State(shared): State<Shared>,
    form: Result<Form<TicketForm>, FormRejection>,
) -> Result<Redirect, Problem> {
    let Form(form) = form.map_err(|_odd| problem(Trouble::FormStale))?;
    let tickets = shared.site.tickets.as_ref();
    let tickets = tickets.ok_or_else(|| problem(Trouble::NoTicketPrinter))?;
    // One ticket for each form: who presses twice gets one.
    let known = shared.forms.take(&form.token);
    known.ok_or_else(|| problem(Trouble::FormStale))?;
    let handle = shared.test_tickets.put(tickets.test().await);
    Ok(Redirect::to(&format!("/station/tiket/hasil/{handle}")))
}

/// `GET /station/tiket/hasil/{handle}`
pub(crate) async fn result(
    State(shared): State<Shared>,
    Path(handle): Path<String>,
) -> Result<Response, Problem> {
    let found = shared.test_tickets.take(&handle);
    let found = found.ok_or_else(|| problem(Trouble::ResultGone))?;
    Ok(std::future::ready(html(&shown(found))).await)
}

fn shown(test: TestTicket) -> ResultPage {
    let Tried {
        word,
        tone,
        meaning,
        todos,
    } = tried(test.fate, &test.reasons);
    ResultPage {
        shown: Head {
            word,
            tone: tone.class(),
            meaning,
        },
        todos: todos.into_iter().map(TodoPart::from).collect(),
        detail: test.detail.unwrap_or_default(),
    }
}

fn problem(trouble: Trouble) -> Problem {
    Problem::new(Face::Station, trouble).again("/station/tiket")
}
