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
    let found = signatures(&file, &mut budget)?;
    let signatures: Vec<SignatureReport> = found
        .iter()
        .map(|found| signature::judge(found, &file, ground, &mut budget))
        .collect();
    // The newest that covers a revision: what is behind it is no signature of this kind.
    let newest = signatures
        .iter()
        .zip(&found)
        .filter(|(report, _found)| report.coverage != Coverage::Unclear)
        .filter_map(|(_report, found)| SignedBytes::of(found, &file).ok())
        .max_by_key(|covered| covered.end);
    let revision = match newest {
        Some(covered) => revision(&file, &covered, &mut budget).map(Some),
        None => Ok(None),
    };
    Ok((signatures, revision))
}

/// The signatures of the newest revision, none of an older one lost.
fn signatures(file: &File<'_>, budget: &mut Budget) -> Result<Vec<Dictionary>, Code> {
    let mut found: Vec<Dictionary> = Vec::new();
    for index in 0..file.revisions().len() {
        let view = file.view(index);
        let catalog = view.catalog(budget)?;
        let newer = fields::signatures(view, &catalog, budget)?;
        if !found.iter().all(|older| newer.contains(older)) {
            return Err(Code::SignatureRemoved);
        }
        found = newer;
    }
    if found.is_empty() {
        return Err(Code::Unsigned);
    }
    Ok(found)
}

/// What may be printed: the revision that a signature covers, and nothing behind it.
fn revision(
    file: &File<'_>,
    covered: &SignedBytes<'_>,
    budget: &mut Budget,
) -> Result<SignedRevision, Code> {
    let view = file.view(covered.revision);
    let catalog = view.catalog(budget)?;
    let bytes = file.data().get(..covered.end).ok_or(Code::CoverageEnd)?;
    Ok(SignedRevision {
        size_bytes: u64::try_from(covered.end).map_err(|_range| Code::TooLarge)?,
        sha256: Sha256Digest::of(bytes),
        content_sha256: algorithm::sha256(&covered.parts),
        page_count: pages::count(view, &catalog, budget)?,
    })
}
