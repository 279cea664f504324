//! Who asks: a bearer token in a header, or the same token in the console's cookie.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use loket_store::{Actor, Note, Role};
use loket_wire::Sha256Digest;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Web;
use super::api::unreadable;
use super::outcome::Page;
use super::tries::Tries;
use crate::clock::now;
use crate::listener::Peer;
use crate::metrics::count;
use crate::office::{Office, storage_problem};
use crate::problem::{Code, Problem};

/// The console's cookie.
const COOKIE: &str = "loket_token";

/// A token is 43 characters; whatever is far longer is none.
const MAX_TOKEN_BYTES: usize = 128;

/// Somebody with a good token.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) role: Role,
}

/// What a role may be needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// Give orders, call off, answer.
    Order,
    /// See jobs with what happened to each, machines and numbers.
    Look,
    /// Read the whole history: who did what, over all jobs.
    Audit,
    /// Take machines out of service.
    Machines,
    /// Hold a sheet of paper against its record, which shows the page. Whoever orders prints has seen the document.
    Compare,
}

impl Account {
    /// Whether the account's role has the right.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub(super) fn may(&self, right: Right) -> Result<(), Problem> {
        let allowed = match (right, self.role) {
            (Right::Look, Role::Operator | Role::It | Role::Auditor)
            | (Right::Order | Right::Compare, Role::Operator)
            | (Right::Audit, Role::It | Role::Auditor)
            | (Right::Machines, Role::It) => true,
            (Right::Order | Right::Compare, Role::It | Role::Auditor)
            | (Right::Audit, Role::Operator)
            | (Right::Machines, Role::Operator | Role::Auditor) => false,
        };
        if allowed {
            Ok(())
        } else {
            Err(Code::NotAllowed.into())
        }
    }

    /// The account as the history names it.
    pub(super) fn actor(&self) -> Actor {
        Actor::new(&format!("token:{}", self.name)).unwrap_or_else(|_too_long| Actor::central())
    }
}

impl FromRequestParts<Web> for Account {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let (token, bearer) = token(&parts.headers).ok_or(Code::NotSignedIn)?;
        let from = peer_ip(&parts.extensions);
        let account = account(&web.office, &web.bad_tokens, from, &token).await?;
        // A browser sends the cookie by itself, so what changes something must come from a page of ours.
        let changes = !parts.method.is_safe();
        if bearer == Bearer::Cookie && changes && !is_our_form(&parts.headers) {
            return Err(Code::ForeignForm.into());
        }
        Ok(account)
    }
}

/// How a token came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bearer {
    Header,
    Cookie,
}

fn token(headers: &HeaderMap) -> Option<(Zeroizing<String>, Bearer)> {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    if let Some(value) = headers.get(header::AUTHORIZATION).and_then(text) {
        let (scheme, token) = value.split_once(' ')?;
        let token = Zeroizing::new(token.trim().to_owned());
        return scheme
            .eq_ignore_ascii_case("bearer")
            .then_some((token, Bearer::Header));
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(text);
    let mut tokens = cookies.filter_map(|cookies| {
        cookies.split(';').find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == COOKIE).then(|| Zeroizing::new(value.to_owned()))
        })
    });
    Some((tokens.next()?, Bearer::Cookie))
}

/// Whether a request with the cookie comes from a page of ours: browsers say so, and no script can make them lie.
fn is_our_form(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let origin = text("origin").and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_scheme, place)| Some(place) == text("host"))
}

/// Where a request comes from; a router without a listener, in a test, is nowhere.
fn peer_ip(extensions: &Extensions) -> IpAddr {
    extensions
        .get::<Peer>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip)
}

/// Whose token it is. A bad one is counted, and told in the log as long as its address is within the bound of `tries`.
async fn account(
    office: &Arc<Office>,
    tries: &Tries,
    from: IpAddr,
    token: &str,
) -> Result<Account, Problem> {
    if token.len() <= MAX_TOKEN_BYTES {
        let digest = Sha256Digest::of(token.as_bytes());
        let row = office
            .blocking(move |office| office.store.token_by_hash(digest))
            .await?
            .map_err(|error| storage_problem(&error))?;
        if let Some(row) = row.filter(|row| row.is_good(now())) {
            return Ok(Account {
                name: row.name,
                role: row.role,
            });
        }
    }
    count(&office.tally.sign_ins_refused);
    if tries.failed(from, Instant::now()) {
        tracing::warn!(peer.ip = %from, "sign-in refused: the token is none, or has ended");
    }
    Err(Code::NotSignedIn.into())
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    code: &'static str,
    error: &'static str,
}

fn login_page(refused: Option<Code>) -> Response {
    let page = LoginPage {
        code: refused.map_or("", Code::as_str),
        error: refused.map_or("", Code::message),
    };
    let status = refused.map_or(StatusCode::OK, Code::status);
    match page.render() {
        Ok(page) => (status, Extension(Page), Html(page)).into_response(),
        Err(error) => {
            tracing::error!(%error, "sign-in page not rendered");
            Problem::new(Code::StorageFailed).into_response()
        }
    }
}

/// `GET /login`
pub(super) async fn form() -> Response {
    std::future::ready(login_page(None)).await
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Login {
    token: String,
}

/// `POST /login`
pub(super) async fn sign_in(
    State(web): State<Web>,
    Extension(peer): Extension<Peer>,
    form: Result<Form<Login>, FormRejection>,
) -> Result<Response, Problem> {
    let office = &web.office;
    if web.tries.is_over(peer.ip, Instant::now()) {
        count(&office.tally.sign_ins_refused);
        return Ok(login_page(Some(Code::TooManyTries)));
    }
    let login = match form {
        Ok(Form(login)) => login,
        Err(refused) => {
            let problem = unreadable(refused.status(), Code::FormMalformed);
            return Ok(login_page(Some(problem.code)));
        }
    };
    let token = Zeroizing::new(login.token.trim().to_owned());
    drop(Zeroizing::new(login.token));
    let account = match account(office, &web.tries, peer.ip, &token).await {
        Ok(account) => account,
        Err(problem) if problem.code.status().is_client_error() => {
            return Ok(login_page(Some(problem.code)));
        }
        Err(problem) => return Err(problem),
    };
    let actor = account.actor();
    let note = Note::Did {
        action: "signed-in".to_owned(),
    };
    office
        .blocking(move |office| office.store.note(&note, None, &actor, now()))
        .await?
        .map_err(|error| storage_problem(&error))?;
    set_cookie(office, &token, "")
}

/// `POST /logout`
pub(super) async fn sign_out(State(office): State<Arc<Office>>) -> Result<Response, Problem> {
    std::future::ready(set_cookie(&office, "", "; Max-Age=0")).await
}

fn set_cookie(office: &Office, token: &str, more: &str) -> Result<Response, Problem> {
    let secure = if office.is_api_tls { "; Secure" } else { "" };
    let cookie = Zeroizing::new(format!(
        "{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict{secure}{more}"
    ));
    let value = HeaderValue::from_str(&cookie).map_err(|_ignored| Code::NotSignedIn)?;
    Ok(([(header::SET_COOKIE, value)], Redirect::to("/")).into_response())
}
