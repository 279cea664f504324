//! How a certificate stands: what lists and answers say of it, and which of them may speak.
//!
//! # Source
//! RFC 5280, 6.3; RFC 6960; ETSI EN 319 102-1, 5.2.5 and 5.6.2; docs/adr/0011 and 0032.

use loket_wire::Timestamp;

use crate::certificate::Certificate;
use crate::chain::Ground;
use crate::crl::{RevocationList, Revoked, Scope};
use crate::ocsp::{Responder, Response, Status};
use crate::poe::Place;
use crate::report::{RevocationForm, RevocationReport, RevocationSource};

/// What is known about one certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Data of the right time does not call it revoked.
    Good,
    /// Data calls it revoked, whatever that data's age: what was revoked stays revoked.
    Revoked(Revoked),
    /// Its authority's responder does not know it.
    Denied,
    /// Data of the right time is there, but its signer's certificate has ended, and nothing proves that it is older.
    Unproved,
    /// Only data of another time is known, and it does not call it revoked.
    Stale,
    /// Only lists that cover a part are known, and they do not name it.
    Partial,
    /// Nothing is known.
    Unknown,
}

/// Whose standing is asked, and for when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) certificate: &'a Certificate,
    pub(crate) issuer: &'a Certificate,
    /// When what was signed is proved to have been there; where nothing proves it, the moment of judging.
    pub(crate) moment: Timestamp,
}

/// Where data comes from.
#[derive(Debug, Clone, Copy)]
enum Origin {
    /// Configuration: who can write there need not forge anything.
    Trust,
    Document(Place),
}

/// One piece of data that speaks about the certificate.
struct Said {
    about: Told,
    from: Timestamp,
    until: Timestamp,
    origin: Origin,
    report: RevocationReport,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Good,
    Revoked(Revoked),
    Denied,
    /// A list of a part that does not name it.
    Nothing,
}

/// How a certificate stands, and by what.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) standing: Standing,
    pub(crate) used: Option<RevocationReport>,
    /// Whether the document itself brings data about it, of whatever age.
    pub(crate) is_in_document: bool,
}

/// Finds out how a certificate stands.
pub(crate) fn standing(question: Question<'_>, ground: Ground<'_>) -> Known {
    let mut is_in_document = false;
    let mut standing = Standing::Unknown;
    let mut used: Option<RevocationReport> = None;
    let mut worst: Option<(Revoked, RevocationReport)> = None;
    for said in all_said(question, ground) {
        let next = match said.about {
            Told::Revoked(revoked) => {
                worst = Some(match worst.take() {
                    Some((other, report)) => (other.with(revoked), report),
                    None => (revoked, said.report),
                });
                continue;
            }
            Told::Nothing => Standing::Partial,
            Told::Denied => Standing::Denied,
            Told::Good if !is_of_time(&said, question) => Standing::Stale,
            Told::Good if !is_authentic(&said, question, ground) => Standing::Unproved,
            Told::Good => Standing::Good,
        };
        is_in_document |= said.about == Told::Good && matches!(said.origin, Origin::Document(_));
        // Among good ones the newest is what a report should show.
        let is_newer = used
            .as_ref()
            .is_none_or(|used| used.this_update < said.from);
        if rank(next) > rank(standing) || (next == standing && is_newer) {
            (standing, used) = (next, Some(said.report));
        }
    }
    if let Some((revoked, report)) = worst {
        (standing, used) = (Standing::Revoked(revoked), Some(report));
    }
    Known {
        standing,
        used,
        is_in_document,
    }
}

/// Which of two answers counts; the better one is the higher.
const fn rank(standing: Standing) -> u8 {
    match standing {
        Standing::Unknown => 0,
        Standing::Partial => 1,
        Standing::Stale => 2,
        Standing::Unproved => 3,
        Standing::Denied => 4,
        Standing::Good => 5,
        Standing::Revoked(_) => 6,
    }
}

/// Whether data tells how the certificate stood at the moment in question.
///
/// Data that was made after that moment tells it as well, and better: a certificate that is not revoked by then was not
/// revoked before (EN 319 102-1, 5.2.5: the freshness of revocation data has a lower bound in time, not an upper one).
/// Only where the certificate had ended by then the authority may have dropped it (RFC 5280, 5).
fn is_of_time(said: &Said, question: Question<'_>) -> bool {
    question.moment <= said.until && said.from <= question.certificate.ends()
}

/// Whether nobody but the authority can have made the data: its certificate holds now, or a time stamp proves that the
/// data was there before that certificate ended.
fn is_authentic(said: &Said, question: Question<'_>, ground: Ground<'_>) -> bool {
    let Origin::Document(place) = said.origin else {
        return true;
    };
    let ends = question.issuer.ends();
    let proved = ground.proofs.since(place);
    ground.at <= ends || proved.is_some_and(|since| since <= ends)
}

fn all_said(question: Question<'_>, ground: Ground<'_>) -> Vec<Said> {
    let document = &ground.evidence;
    let lists = ground
        .trust
        .lists()
        .iter()
        .map(|list| (list, Origin::Trust));
    let kept = document.lists.iter();
    let lists = lists.chain(kept.map(|kept| (&kept.what, Origin::Document(kept.place))));
    let mut said: Vec<Said> = lists
        .filter_map(|(list, origin)| of_list(list, origin, question, ground))
        .collect();
    let answers = ground.trust.responses().iter();
    let answers = answers.map(|response| (response, Origin::Trust));
    let kept = document.responses.iter();
    let answers = answers.chain(kept.map(|kept| (&kept.what, Origin::Document(kept.place))));
    said.extend(
        answers.filter_map(|(response, origin)| of_response(response, origin, question, ground)),
    );
    said
}

fn of_list(
    list: &RevocationList,
    origin: Origin,
    question: Question<'_>,
    ground: Ground<'_>,
) -> Option<Said> {
    if !list.is_of(question.issuer, ground.effort) {
        return None;
    }
    let about = match (list.scope(), list.entry(question.certificate.serial())) {
        (Scope::All | Scope::Part, Some(revoked)) => Told::Revoked(revoked),
        (Scope::All, None) => Told::Good,
        (Scope::Part, None) | (Scope::Unclear, _) => Told::Nothing,
    };
    let (from, until) = (list.this_update(), list.next_update());
    Some(Said {
        about,
        from,
        // A list without a next update says nothing about any later moment.
        until: until.unwrap_or(from),
        origin,
        report: report(question, origin, RevocationForm::Crl, (from, until), ground),
    })
}

fn of_response(
    response: &Response,
    origin: Origin,
    question: Question<'_>,
    ground: Ground<'_>,
) -> Option<Said> {
    let answer = response.answer(question.certificate, question.issuer)?;
    let known = ground.trust.intermediates().iter();
    let known = known.chain(ground.evidence.certificates.iter().map(|kept| &kept.what));
    let responder = response.responder(question.issuer, known, ground.effort)?;
    let (from, until) = (answer.this_update, answer.next_update);
    let mut holds_until = until.unwrap_or(from);
    if let Responder::Delegate(delegate) = responder {
        let is_in_time = delegate.holds_at(response.produced_at()) && delegate.holds_at(from);
        if !is_in_time || !is_unrevoked(delegate, question, ground) {
            return None;
        }
        // What such a key signs after its end proves nothing, so what it signed before says nothing about later.
        holds_until = holds_until.min(delegate.ends());
    }
    let about = match answer.status {
        Status::Good => Told::Good,
        Status::Revoked(revoked) => Told::Revoked(revoked),
        Status::Unknown => Told::Denied,
    };
    Some(Said {
        about,
        from,
        until: holds_until,
        origin,
        report: report(
            question,
            origin,
            RevocationForm::Ocsp,
            (from, until),
            ground,
        ),
    })
}

/// Whether a responder's own certificate may be relied on: its authority says that nobody needs to ask
/// (`id-pkix-ocsp-nocheck`), or no list at hand names it and one that covers it is there.
///
/// # Source
/// RFC 6960, 4.2.2.2.1.
fn is_unrevoked(delegate: &Certificate, question: Question<'_>, ground: Ground<'_>) -> bool {
    let own = ground.trust.lists().iter();
    let lists = own.chain(ground.evidence.lists.iter().map(|kept| &kept.what));
    let mut is_listed = false;
    for list in lists {
        if !list.is_of(question.issuer, ground.effort) {
            continue;
        }
        if list.entry(delegate.serial()).is_some() {
            return false;
        }
        let until = list.next_update();
        is_listed |=
            list.scope() == Scope::All && until.is_some_and(|until| question.moment <= until);
    }
    is_listed || delegate.is_never_revoked()
}

fn report(
    question: Question<'_>,
    origin: Origin,
    form: RevocationForm,
    (this_update, next_update): (Timestamp, Option<Timestamp>),
    ground: Ground<'_>,
) -> RevocationReport {
    RevocationReport {
        certificate: question.certificate.subject_text(),
        source: match origin {
            Origin::Trust => RevocationSource::TrustStore,
            Origin::Document(_) => RevocationSource::Document,
        },
        form,
        this_update,
        next_update,
        age_seconds: ground.at.since(this_update).as_secs(),
    }
}
