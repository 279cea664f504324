//! The door: a document in, a report out.

use loket_wire::{Sha256Digest, Timestamp};

use crate::algorithm;
use crate::byterange::SignedBytes;
use crate::chain::Ground;
use crate::code::Code;
use crate::fields;
use crate::pages;
use crate::pdf::{Budget, Dictionary, File};
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
    let latest = file.latest();
    let catalog = latest.catalog(&mut budget)?;
    let found = fields::signatures(latest, &catalog, &mut budget)?;
    if found.is_empty() {
        return Err(Code::Unsigned);
    }
    let signatures: Vec<SignatureReport> = found
        .iter()
        .map(|found| signature::judge(found, &file, ground))
        .collect();
    let whole = signatures
        .iter()
        .position(|report| report.coverage == Coverage::Document);
    let revision = match whole.and_then(|position| found.get(position)) {
        Some(signature) => revision(&file, &catalog, signature, &mut budget).map(Some),
        None => Ok(None),
    };
    Ok((signatures, revision))
}

/// What may be printed of a file that `signature` covers as a whole.
fn revision(
    file: &File<'_>,
    catalog: &Dictionary,
    signature: &Dictionary,
    budget: &mut Budget,
) -> Result<SignedRevision, Code> {
    let covered = SignedBytes::of(signature, file)?;
    Ok(SignedRevision {
        size_bytes: u64::try_from(covered.end).map_err(|_range| Code::TooLarge)?,
        sha256: Sha256Digest::of(file.data()),
        content_sha256: algorithm::sha256(&covered.parts),
        page_count: pages::count(file.latest(), catalog, budget)?,
    })
}
