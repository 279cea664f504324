//! Judges one signature of a document.

use const_oid::db::rfc5911 as oid;
use loket_wire::Timestamp;

use crate::byterange::SignedBytes;
use crate::chain::{self, Ground, Purpose};
use crate::cms::{Container, Naming};
use crate::code::Code;
use crate::moment;
use crate::pdf::{Dictionary, File, Object};
use crate::report::{Changes, Coverage, SignatureReport, findings};
use crate::stamp;

/// What is known about a signature so far; every step adds to it.
struct Draft {
    codes: Vec<Code>,
    signer: Option<String>,
    issuer: Option<String>,
    signed_at: Option<Timestamp>,
    is_stamped: bool,
    coverage: Coverage,
    changes: Changes,
}

/// Judges the signature in `signature`.
pub(crate) fn judge(
    signature: &Dictionary,
    file: &File<'_>,
    ground: Ground<'_>,
) -> SignatureReport {
    let mut draft = Draft {
        codes: Vec::new(),
        signer: None,
        issuer: None,
        signed_at: None,
        is_stamped: false,
        coverage: Coverage::Unclear,
        changes: Changes::Unknown,
    };
    if let Err(code) = draft.fill(signature, file, ground) {
        draft.codes.push(code);
    }
    SignatureReport {
        signer: draft.signer,
        issuer: draft.issuer,
        signed_at: draft.signed_at,
        is_stamped: draft.is_stamped,
        coverage: draft.coverage,
        changes: draft.changes,
        findings: findings(&draft.codes),
    }
}

impl Draft {
    fn fill(
        &mut self,
        signature: &Dictionary,
        file: &File<'_>,
        ground: Ground<'_>,
    ) -> Result<(), Code> {
        let is_signature = matches!(signature.name("Type"), None | Some(b"Sig"));
        let kind = signature.name("SubFilter");
        let is_known = matches!(kind, Some(b"ETSI.CAdES.detached" | b"adbe.pkcs7.detached"));
        if !is_signature || !is_known {
            return Err(Code::SignatureKind);
        }
        let bytes = SignedBytes::of(signature, file)?;
        if bytes.end == file.data().len() {
            (self.coverage, self.changes) = (Coverage::Document, Changes::None);
        } else {
            (self.coverage, self.changes) = (Coverage::Revision, Changes::Unexamined);
            self.codes.push(Code::BytesAfter);
        }
        let container = Container::parse(&bytes.container()?)?;
        if !container.is_detached() {
            return Err(Code::CmsMalformed);
        }
        if let Ok(signer) = container.signer() {
            self.signer = Some(signer.subject_text());
            self.issuer = Some(signer.issuer_text());
        }
        self.signed_at = container.claimed_time().or_else(|| claimed_time(signature));
        container.verify(&bytes.parts, oid::ID_DATA, Naming::V2)?;
        let signer = container.signer()?;
        // First: a stamp proves that the signature is older than what became of its certificate later.
        self.stamp(&container, ground);
        let proved = self.signed_at.filter(|_moment| self.is_stamped);
        let purpose = Purpose::Document { proved };
        let chain = chain::judge(signer, &container.certificates, purpose, ground);
        self.codes.extend(chain);
        Ok(())
    }

    /// Judges the time stamp, if there is one, and what else nobody signed.
    fn stamp(&mut self, container: &Container, ground: Ground<'_>) {
        let (token, has_extras) = container.token();
        if has_extras || container.has_extras {
            self.codes.push(Code::Unvouched);
        }
        let Some(token) = token else {
            self.codes.push(Code::TimeClaimed);
            return;
        };
        match stamp::judge(&token, container.signature(), ground) {
            Ok((moment, codes)) => {
                (self.signed_at, self.is_stamped) = (Some(moment), true);
                self.codes.extend(codes);
            }
            Err(code) => self.codes.extend([code, Code::TimeClaimed]),
        }
    }
}

/// The time that the signature dictionary claims.
fn claimed_time(signature: &Dictionary) -> Option<Timestamp> {
    let Some(Object::Text(text)) = signature.get("M") else {
        return None;
    };
    moment::of_pdf(text.bytes())
}
