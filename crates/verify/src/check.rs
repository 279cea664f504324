//! The door: a document in, a report out.

use loket_wire::{Sha256Digest, Timestamp};

use crate::chain::Ground;
use crate::code::Code;
use crate::fields;
use crate::pages;
use crate::pdf::{Budget, File};
use crate::report::{Coverage, Report, SignatureReport, SignedRevision};
use crate::signature;
use crate::trust::{Policy, Trust};

/// Largest document that is judged; honest family cards have 29 to 49 kB.
pub const MAX_DOCUMENT_BYTES: usize = 8 * 1024 * 1024;

/// Judges `document` as of `at`.
///
/// The report depends on nothing but the arguments. It tells whether the document is unchanged
/// since it was signed and whether `trust` vouches for the signer; it does not tell whether the
/// signer was entitled to issue this kind of document, or whether there is a newer one.
///
/// # Source
/// ISO 32000-2, 12.8; ETSI EN 319 142-1 (PAdES); ETSI EN 319 102-1 (the three verdicts).
#[must_use]
pub fn check(document: &[u8], trust: &Trust, policy: &Policy, at: Timestamp) -> Report {
    if document.len() > MAX_DOCUMENT_BYTES {
        return Report::conclude(Vec::new(), &[Code::TooLarge], None);
    }
    let ground = Ground { trust, policy, at };
    match examine(document, ground) {
        Ok((signatures, Ok(revision))) => Report::conclude(signatures, &[], revision),
        Ok((signatures, Err(code))) => Report::conclude(signatures, &[code], None),
        Err(code) => Report::conclude(Vec::new(), &[code], None),
    }
}

type Examined = (Vec<SignatureReport>, Result<Option<SignedRevision>, Code>);

fn examine(document: &[u8], ground: Ground<'_>) -> Result<Examined, Code> {
    let mut budget = Budget::new();
    let file = File::open(document, &mut budget)?;
    let catalog = file.catalog(&mut budget)?;
    let found = fields::signatures(&file, &catalog, &mut budget)?;
    if found.is_empty() {
        return Err(Code::Unsigned);
    }
    let signatures: Vec<SignatureReport> = found
        .iter()
        .map(|found| signature::judge(found, &file, ground))
        .collect();
    let revision = if signatures
        .iter()
        .any(|found| found.coverage == Coverage::Document)
    {
        pages::count(&file, &catalog, &mut budget).map(|page_count| {
            Some(SignedRevision {
                size_bytes: u64::try_from(document.len()).unwrap_or(u64::MAX),
                sha256: Sha256Digest::of(document),
                page_count,
            })
        })
    } else {
        Ok(None)
    };
    Ok((signatures, revision))
}
