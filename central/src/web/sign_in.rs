//! Who asks: a bearer token in a header, or the same token in the console's cookie.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use loket_store::{Actor, Note, Role};
use loket_wire::Sha256Digest;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::clock::now;
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
    /// See jobs, machines and numbers.
    Look,
    /// Read the history.
    Audit,
}

impl Account {
    /// Whether the account's role has the right.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub(super) fn may(&self, right: Right) -> Result<(), Problem> {
        let allowed = match (right, self.role) {
            (Right::Look, Role::Operator | Role::It | Role::Auditor)
            | (Right::Order, Role::Operator)
            | (Right::Audit, Role::Auditor) => true,
            (Right::Order, Role::It | Role::Auditor)
            | (Right::Audit, Role::Operator | Role::It) => false,
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

impl FromRequestParts<Arc<Office>> for Account {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, office: &Arc<Office>) -> Result<Self, Problem> {
        let token = token(&parts.headers).ok_or(Code::NotSignedIn)?;
        account(office, &token).await
    }
}

fn token(headers: &HeaderMap) -> Option<Zeroizing<String>> {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    if let Some(value) = headers.get(header::AUTHORIZATION).and_then(text) {
        let (scheme, token) = value.split_once(' ')?;
        return scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| Zeroizing::new(token.trim().to_owned()));
    }
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(text)
        .find_map(|cookies| {
            cookies.split(';').find_map(|pair| {
                let (name, value) = pair.trim().split_once('=')?;
                (name == COOKIE).then(|| Zeroizing::new(value.to_owned()))
            })
        })
}

async fn account(office: &Arc<Office>, token: &str) -> Result<Account, Problem> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Code::NotSignedIn.into());
    }
    let digest = Sha256Digest::of(token.as_bytes());
    let row = office
        .blocking(move |office| office.store.token_by_hash(digest))
        .await?
        .map_err(|error| storage_problem(&error))?;
    match row {
        Some(row) if row.is_good(now()) => Ok(Account {
            name: row.name,
            role: row.role,
        }),
        Some(_) | None => Err(Code::NotSignedIn.into()),
    }
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    error: &'static str,
}

fn login_page(status: StatusCode, error: &'static str) -> Response {
    match (LoginPage { error }).render() {
        Ok(page) => (status, Html(page)).into_response(),
        Err(error) => {
            tracing::error!(%error, "sign-in page not rendered");
            Problem::new(Code::StorageFailed).into_response()
        }
    }
}

/// `GET /login`
pub(super) async fn form() -> Response {
    std::future::ready(login_page(StatusCode::OK, "")).await
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Login {
    token: String,
}

/// `POST /login`
pub(super) async fn sign_in(
    State(office): State<Arc<Office>>,
    Form(login): Form<Login>,
) -> Result<Response, Problem> {
    let token = Zeroizing::new(login.token.trim().to_owned());
    drop(Zeroizing::new(login.token));
    let account = match account(&office, &token).await {
        Ok(account) => account,
        Err(problem) if problem.code == Code::NotSignedIn => {
            return Ok(login_page(
                StatusCode::UNAUTHORIZED,
                Code::NotSignedIn.message(),
            ));
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
    set_cookie(&office, &token, "")
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
