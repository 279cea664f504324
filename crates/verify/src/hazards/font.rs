//! Fonts that are not in the document.
//!
//! A reader has to bring the standard 14 fonts, and their letters are known by name: a note. Of
//! another font that is not embedded each reader takes one of its own; where the letters are
//! chosen by names of the standard encodings the text stays what it is, in other shapes: a note
//! too. Where they are chosen by numbers of the missing font (a composite font, a symbolic one, an
//! encoding with names of its own), each printer may print another text: `indeterminate`.

use std::collections::BTreeSet;

use crate::code::Code;
use crate::pdf::{Budget, Dictionary, Object, View};

/// Fonts that are looked at; an honest family card has four.
const MAX_FONTS: usize = 256;

/// The fonts that every reader has (ISO 32000-1, 9.6.2.2).
const STANDARD: [&[u8]; 14] = [
    b"Courier",
    b"Courier-Bold",
    b"Courier-BoldOblique",
    b"Courier-Oblique",
    b"Helvetica",
    b"Helvetica-Bold",
    b"Helvetica-BoldOblique",
    b"Helvetica-Oblique",
    b"Symbol",
    b"Times-Bold",
    b"Times-BoldItalic",
    b"Times-Italic",
    b"Times-Roman",
    b"ZapfDingbats",
];

/// The fonts of a document that may lack a program.
#[derive(Debug, Default)]
pub(super) struct Fonts {
    found: Vec<Dictionary>,
    is_over: bool,
}

impl Fonts {
    pub(super) fn look(&mut self, dictionary: &Dictionary) {
        let kind = dictionary.name("Subtype");
        let has_program = matches!(
            kind,
            Some(b"Type1" | b"MMType1" | b"TrueType" | b"CIDFontType0" | b"CIDFontType2")
        );
        if !has_program || dictionary.get("BaseFont").is_none() {
            return;
        }
        if self.found.len() == MAX_FONTS {
            self.is_over = true;
        } else {
            self.found.push(dictionary.clone());
        }
    }

    pub(super) fn judge(
        self,
        view: View<'_, '_>,
        budget: &mut Budget,
    ) -> Result<BTreeSet<Code>, Code> {
        let mut codes = BTreeSet::new();
        if self.is_over {
            return Err(Code::TooComplex);
        }
        for font in &self.found {
            codes.extend(judge(font, view, budget)?);
        }
        Ok(codes)
    }
}

fn judge(font: &Dictionary, view: View<'_, '_>, budget: &mut Budget) -> Result<Option<Code>, Code> {
    let descriptor = match font.get("FontDescriptor") {
        Some(descriptor) => view.resolve(descriptor, budget)?,
        None => Object::Null,
    };
    if let Object::Dictionary(descriptor) = descriptor {
        let programs = ["FontFile", "FontFile2", "FontFile3"];
        if programs.iter().any(|key| descriptor.get(key).is_some()) {
            return Ok(None);
        }
    }
    let is_standard = font
        .name("BaseFont")
        .is_some_and(|name| STANDARD.contains(&name));
    let encoding = match font.get("Encoding") {
        Some(encoding) => view.resolve(encoding, budget)?,
        None => Object::Null,
    };
    let is_named = matches!(&encoding, Object::Name(name)
        if matches!(name.as_slice(), b"WinAnsiEncoding" | b"MacRomanEncoding"));
    let is_composite = font.get("CIDSystemInfo").is_some();
    Ok(Some(if !is_composite && (is_standard || is_named) {
        Code::FontStandard
    } else {
        Code::FontMissing
    }))
}
