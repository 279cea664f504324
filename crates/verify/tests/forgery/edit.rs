//! One thing that a forger changes behind a signature.

use crate::update::Update;

/// A change, and where it belongs.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    pub(crate) family: &'static str,
    pub(crate) name: String,
    pub(crate) update: Update,
}

/// Collects the edits of one family after the other.
#[derive(Debug, Default)]
pub(crate) struct Edits(pub(crate) Vec<Edit>);

impl Edits {
    pub(crate) fn add(&mut self, family: &'static str, name: impl Into<String>, update: Update) {
        self.0.push(Edit {
            family,
            name: name.into(),
            update,
        });
    }
}

/// An appearance that covers the page with another text.
pub(crate) const APPEARANCE: &[u8] =
    b"1 g 0 0 842 595 re f BT /F1 11 Tf 60 500 Td (No. 9971010000000000) Tj ET";

/// The keys of a form XObject that draws it.
pub(crate) const APPEARANCE_KEYS: &str = "/Type /XObject /Subtype /Form /BBox [0 0 842 595] \
     /Resources << /Font << /F1 3 0 R >> >>";
