//! What kind of thing an unexplained change touches, as far as it can be told.

use super::graph;
use super::step::{Step, Touch};
use crate::code::Code;
use crate::pdf::{Budget, Dictionary, Object};

/// Objects that are asked what they call the one that changed.
const MAX_SOURCES: usize = 32;

/// The code for an object that no rule explains.
pub(super) fn of(
    step: &Step<'_, '_, '_>,
    number: u32,
    touch: Touch,
    budget: &mut Budget,
) -> Result<Code, Code> {
    if step.terms.protects(number) {
        return Ok(Code::ChangedSignature);
    }
    if touch == Touch::Freed {
        return Ok(Code::ChangedFreed);
    }
    // Of what a rule explained, the other ways that lead to it tell what it is besides.
    if step.is_explained(number)
        && let Some(code) = by_sources(step, number, budget)?
    {
        return Ok(code);
    }
    for view in [step.new, step.old] {
        if let Object::Dictionary(dictionary) = graph::object(view, number, budget)?
            && let Some(code) = of_dictionary(&dictionary)
        {
            return Ok(code);
        }
    }
    let code = by_sources(step, number, budget)?;
    Ok(code.unwrap_or(Code::ChangedStructure))
}

/// What those call the object whose reference to it no rule accepted.
fn by_sources(
    step: &Step<'_, '_, '_>,
    number: u32,
    budget: &mut Budget,
) -> Result<Option<Code>, Code> {
    for source in step.uncleared(number).take(MAX_SOURCES) {
        let source = graph::object(step.new, source, budget)?;
        let mut called = None;
        find(&source, number, b"", &mut called);
        let code = called.and_then(|key| of_key(&key));
        if code.is_some() {
            return Ok(code);
        }
    }
    Ok(None)
}

fn of_dictionary(dictionary: &Dictionary) -> Option<Code> {
    let has = |key: &str| dictionary.get(key).is_some();
    if has("JS") || dictionary.name("Type") == Some(b"Action") {
        return Some(Code::ChangedAction);
    }
    if has("FT") {
        return Some(Code::ChangedField);
    }
    if has("Rect") && has("Subtype") {
        return Some(Code::ChangedAnnotation);
    }
    match dictionary.name("Type")? {
        b"Catalog" => Some(Code::ChangedCatalog),
        b"Page" | b"Pages" => Some(Code::ChangedPages),
        b"Annot" => Some(Code::ChangedAnnotation),
        b"XObject" | b"OCG" | b"OCMD" => Some(Code::ChangedContent),
        b"Font" | b"FontDescriptor" | b"Encoding" | b"ExtGState" | b"Pattern" | b"CMap" => {
            Some(Code::ChangedResources)
        }
        b"Sig" | b"DocTimeStamp" => Some(Code::ChangedField),
        _other => None,
    }
}

fn of_key(key: &[u8]) -> Option<Code> {
    Some(match key {
        b"Contents" | b"XObject" | b"OCGs" | b"OCProperties" => Code::ChangedContent,
        b"Resources" | b"Font" | b"ExtGState" | b"ColorSpace" | b"Pattern" | b"Shading"
        | b"Properties" | b"FontDescriptor" | b"FontFile" | b"FontFile2" | b"FontFile3"
        | b"Widths" | b"Encoding" | b"ToUnicode" | b"DescendantFonts" | b"CharProcs" | b"DR" => {
            Code::ChangedResources
        }
        b"Kids" | b"Pages" | b"MediaBox" | b"CropBox" | b"Rotate" => Code::ChangedPages,
        b"Annots" | b"Popup" | b"AP" | b"N" | b"D" => Code::ChangedAnnotation,
        b"Fields" | b"AcroForm" | b"V" => Code::ChangedField,
        b"OpenAction" | b"AA" | b"A" | b"JavaScript" | b"JS" | b"Names" | b"XFA" => {
            Code::ChangedAction
        }
        b"DSS" | b"VRI" | b"Certs" | b"OCSPs" | b"CRLs" => Code::ChangedArchive,
        b"Info" => Code::ChangedInformation,
        _other => return None,
    })
}

/// The key under which `object` first names `number`.
fn find(object: &Object, number: u32, key: &[u8], called: &mut Option<Vec<u8>>) {
    if called.is_some() {
        return;
    }
    if matches!(object, Object::Reference(id) if id.number == number) {
        *called = Some(key.to_vec());
    } else if let Object::Array(items) = object {
        items
            .iter()
            .for_each(|item| find(item, number, key, called));
    } else if let Object::Dictionary(dictionary) = object {
        for (inner, value) in dictionary.iter() {
            // Names of fonts and pictures are the writer's own: what holds them tells.
            let is_own = matches!(key, b"Font" | b"XObject" | b"ExtGState" | b"Pattern");
            find(value, number, if is_own { key } else { inner }, called);
        }
    }
}
