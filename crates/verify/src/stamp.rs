//! Time-stamp tokens: when something was there at the latest.
//!
//! # Source
//! RFC 3161, 2.4.2; RFC 5816. A nonce ties an answer to a question that nobody remembers any more: it is not looked at.

use std::time::Duration;

use const_oid::ObjectIdentifier;
use der::asn1::{AnyRef, IntRef, ObjectIdentifier as Oid};
use der::{Decode, Reader, SliceReader, Tag, TagNumber};
use loket_wire::Timestamp;
use x509_cert::spki::AlgorithmIdentifierRef;

use crate::algorithm::Hash;
use crate::asn1;
use crate::chain::{self, Case, Ground, Judged, Purpose};
use crate::cms::{Container, Naming};
use crate::code::{Code, Weight};
use crate::digests::Content;
use crate::moment;
use crate::poe::Place;
use crate::report::{TimeStampReport, findings};

#[cfg(test)]
mod fuzz;

const TIME_STAMP_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");

/// Widest accuracy that counts. Authorities claim a second; one that is wrong by more than this proves no order of
/// signature, expiry and revocation.
const MAX_ACCURACY: Duration = Duration::from_secs(600);

/// A token that was looked at.
#[derive(Debug)]
pub(crate) struct Stamped {
    pub(crate) report: TimeStampReport,
    /// The moment at which what it covers was there for sure: its own time and what it may be wrong by. None for a token
    /// that proves nothing.
    pub(crate) proves: Option<Timestamp>,
    /// The moment that it names, if it proves anything.
    pub(crate) moment: Option<Timestamp>,
    /// What this means for what it covers.
    pub(crate) codes: Vec<Code>,
    /// Whether the document brings along what is needed to judge it.
    pub(crate) is_self_contained: bool,
}

/// Judges a token over `content`; the token stands at `place`.
pub(crate) fn judge(
    token: &[u8],
    content: Content<'_>,
    place: Place,
    ground: Ground<'_>,
) -> Stamped {
    let mut report = TimeStampReport {
        proven_at: ground.proofs.since(place),
        ..TimeStampReport::default()
    };
    let mut judged = Judged::default();
    let read = read(token, content, place, ground, &mut report, &mut judged);
    let (proves, codes) = match read {
        Err(code) => {
            judged.codes.push(code);
            (None, vec![code])
        }
        Ok(stamp) => outcome(&stamp, &judged, ground),
    };
    report.findings = findings(&judged.codes);
    report.chain = judged.chain;
    report.revocation = judged.revocation;
    Stamped {
        moment: report.moment.filter(|_moment| proves.is_some()),
        proves,
        codes,
        is_self_contained: judged.is_self_contained,
        report,
    }
}

fn read(
    token: &[u8],
    content: Content<'_>,
    place: Place,
    ground: Ground<'_>,
    report: &mut TimeStampReport,
    judged: &mut Judged,
) -> Result<Stamp, Code> {
    let token = Container::parse(token).map_err(|_malformed| Code::StampBroken)?;
    let info = token.content().ok_or(Code::StampBroken)?;
    if let Ok(signer) = token.signer() {
        report.authority = Some(signer.subject_text());
        report.issuer = Some(signer.issuer_text());
    }
    token
        .verify(Content::Bytes(info), TIME_STAMP_INFO, Naming::Either)
        .map_err(|fault| match fault.weight() {
            Weight::Invalid => Code::StampBroken,
            Weight::Note | Weight::Indeterminate => Code::StampUntrusted,
        })?;
    let stamp = Stamp::parse(info).ok_or(Code::StampBroken)?;
    report.moment = Some(stamp.moment);
    let digest = content.digest(stamp.hash?);
    if digest.map_err(|_too_much| Code::StampUntrusted)? != stamp.imprint {
        return Err(Code::StampBroken);
    }
    *judged = chain::judge(
        Case {
            signer: token.signer()?,
            embedded: &token.certificates,
            purpose: Purpose::TimeStamp,
            proved: report.proven_at,
            place,
        },
        ground,
    );
    if token.has_extras || token.token() != (None, false) {
        judged.codes.push(Code::Unvouched);
    }
    Ok(stamp)
}

/// What a token proves whose signature and imprint are right.
fn outcome(stamp: &Stamp, judged: &Judged, ground: Ground<'_>) -> (Option<Timestamp>, Vec<Code>) {
    let heavy = judged
        .codes
        .iter()
        .filter(|code| code.weight() > Weight::Note);
    let heavy: Vec<Code> = heavy.copied().collect();
    // A stamp whose authority has ended is no better than none, and no worse.
    let has_ended =
        heavy.contains(&Code::OutOfValidity) && heavy.iter().all(|code| comes_of_age(*code));
    if has_ended && stamp.moment <= ground.at {
        return (None, vec![Code::StampExpired]);
    }
    if !heavy.is_empty() {
        return (None, vec![Code::StampUntrusted]);
    }
    if stamp.accuracy > MAX_ACCURACY {
        return (None, vec![Code::StampVague]);
    }
    let proves = stamp.moment.saturating_add(stamp.accuracy);
    // A stamp from the future is one of a wrong clock, here or there.
    if stamp.moment.saturating_sub(stamp.accuracy) > ground.at {
        return (None, vec![Code::StampUntrusted]);
    }
    let notes = judged
        .codes
        .iter()
        .filter(|code| code.weight() == Weight::Note);
    (Some(proves), notes.copied().collect())
}

/// Whether a fault of a chain comes of nothing but the time that went by.
fn comes_of_age(code: Code) -> bool {
    [
        Code::OutOfValidity,
        Code::CertificateUnproved,
        Code::RevocationStale,
        Code::RevocationMissing,
        Code::RevocationPartialMissing,
        Code::RevocationUnprovedMissing,
    ]
    .contains(&code)
}

/// What a TSTInfo says, as far as it matters here.
struct Stamp {
    hash: Result<Hash, Code>,
    imprint: Vec<u8>,
    moment: Timestamp,
    accuracy: Duration,
}

impl Stamp {
    fn parse(info: &[u8]) -> Option<Self> {
        let info = AnyRef::from_der(info).ok()?;
        if der::Tagged::tag(&info) != Tag::Sequence {
            return None;
        }
        // version, policy, messageImprint, serialNumber, genTime and up to five more.
        let parts = asn1::values(info.value(), 10)?;
        let [version, policy, imprint, serial, moment, rest @ ..] = parts.as_slice() else {
            return None;
        };
        Oid::from_der(policy).ok()?;
        IntRef::from_der(serial).ok()?;
        if u8::from_der(version).ok()? != 1 {
            return None;
        }
        let imprint = AnyRef::from_der(imprint).ok()?;
        let (hash, imprint) = imprint
            .sequence(|inner| {
                let algorithm: AlgorithmIdentifierRef<'_> = inner.decode()?;
                let imprint: der::asn1::OctetStringRef<'_> = inner.decode()?;
                Ok((Hash::of(algorithm), imprint.as_bytes().to_vec()))
            })
            .ok()?;
        let moment = AnyRef::from_der(moment).ok()?;
        if der::Tagged::tag(&moment) != Tag::GeneralizedTime {
            return None;
        }
        Some(Self {
            hash,
            imprint,
            moment: moment::of_generalized(moment.value())?,
            accuracy: optional_parts(rest)?,
        })
    }
}

/// Reads what may follow the moment, each at most once and in this order: accuracy, ordering, nonce, the authority's name
/// and extensions, of which none may be critical.
fn optional_parts(mut parts: &[&[u8]]) -> Option<Duration> {
    let mut take = |wanted: Tag| -> Option<AnyRef<'_>> {
        let (first, rest) = parts.split_first()?;
        let value = AnyRef::from_der(first).ok()?;
        (der::Tagged::tag(&value) == wanted).then(|| {
            parts = rest;
            value
        })
    };
    let context = |number| Tag::ContextSpecific {
        constructed: true,
        number,
    };
    let accuracy = match take(Tag::Sequence) {
        Some(value) => accuracy(value)?,
        None => Duration::ZERO,
    };
    let _ordering = take(Tag::Boolean);
    let _nonce = take(Tag::Integer);
    let _authority = take(context(TagNumber::N0));
    let extensions = take(context(TagNumber::N1));
    let is_critical = |extension: &&[u8]| {
        let members = asn1::inside(extension).and_then(|inner| asn1::values(inner, 3));
        // Identifier, criticality where it is not the default, value.
        members.is_none_or(|members| members.len() != 2)
    };
    if let Some(extensions) = extensions
        && asn1::values(extensions.value(), 8)?.iter().any(is_critical)
    {
        return None;
    }
    parts.is_empty().then_some(accuracy)
}

/// Seconds, thousandths and millionths by which a moment may be wrong.
fn accuracy(value: AnyRef<'_>) -> Option<Duration> {
    let mut reader = SliceReader::new(value.value()).ok()?;
    let mut seconds = 0;
    if !reader.is_finished() && reader.peek_tag().ok()? == Tag::Integer {
        seconds = reader.decode::<u32>().ok()?;
    }
    let millis: Option<u16> = asn1::implicit(&mut reader, TagNumber::N0, Tag::Integer).ok()?;
    let micros: Option<u16> = asn1::implicit(&mut reader, TagNumber::N1, Tag::Integer).ok()?;
    let in_range = |part: Option<u16>| part.is_none_or(|part| (1..=999).contains(&part));
    if !reader.is_finished() || !in_range(millis) || !in_range(micros) {
        return None;
    }
    let fraction = Duration::from_millis(u64::from(millis.unwrap_or(0)))
        .saturating_add(Duration::from_micros(u64::from(micros.unwrap_or(0))));
    Some(Duration::from_secs(u64::from(seconds)).saturating_add(fraction))
}
