//! Pages as pictures: renders documents, reads scans, and tells whether a sheet of paper shows what was printed.
//!
//! ```text
//! document ─> raster::render ─> Gray ─> fingerprint::of ─> Fingerprint ──┐
//! scan ─────> raster::image ──> Gray ────────────────────────────────────┴─> compare::scan ─> Comparison
//! document ─> print::write ─> PWG raster or URF, for a printer without PDF
//! ```
//!
//! It reads no clock, file, socket or environment and draws no random number: the same input gives the same bytes.
//! Sizes are bounded by named constants; wall time and memory of hostile documents are the program's to bound, by a
//! child process (see [`raster`]).

pub mod compare;
pub mod fingerprint;
pub mod form;
pub mod print;
pub mod raster;

mod num;
mod plane;

/// A code of this crate with what it says to a person; `None` of a code that is none here.
#[must_use]
pub fn told(code: &str) -> Option<(&'static str, &'static str)> {
    sentences().find(|(known, _sentence)| *known == code)
}

/// Every code of this crate with its sentence, in the order of the codes.
pub fn sentences() -> impl Iterator<Item = (&'static str, &'static str)> {
    let pixels = raster::RasterError::ALL.map(|it| (it.code(), it.sentence()));
    let prints = fingerprint::FingerprintError::ALL.map(|it| (it.code(), it.sentence()));
    let compared = compare::CompareError::ALL.map(|it| (it.code(), it.sentence()));
    let reasons = compare::Reason::ALL.map(|it| (it.code(), it.sentence()));
    let told = pixels.into_iter().chain(prints);
    told.chain(compared).chain(reasons)
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_code_stands_once_and_has_its_sentence() {
        let codes: Vec<&str> = super::sentences().map(|(code, _)| code).collect();
        assert!(codes.is_sorted_by(|one, next| one < next), "{codes:?}");
        assert!(super::told("R-404").is_some_and(|(_, it)| it.contains("huruf")));
        assert_eq!(super::told("V-101"), None);
    }
}
