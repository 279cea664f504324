//! What a document could be made with, before it was signed, to show different things to
//! different readers.
//!
//! Only the signed revision is printed, so what a later revision reveals or hides never gets on
//! paper. What is left are things that change what one and the same signed revision shows: with
//! the program that opens it, the moment, or whether it goes to a screen or to a printer. Those
//! weigh as `indeterminate`; what is signed, shown to everyone alike and only unusual for a
//! family card is a note.
//!
//! # Source
//! ISO 32000-2, 8.11 (layers), 12.5.3 (annotation flags), 12.6 (actions), 9.9 (fonts), 8.8 and
//! 8.10.4 (PostScript and reference XObjects), 10.5 (transfer functions).

mod font;
mod page;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::code::Code;
use crate::pdf::{Budget, Dictionary, Object, View};
use crate::unseen;

/// Actions that run something or leave the document.
const ACTIVE: [&[u8]; 14] = [
    b"JavaScript",
    b"Launch",
    b"ImportData",
    b"SubmitForm",
    b"ResetForm",
    b"GoToR",
    b"GoToE",
    b"GoToDp",
    b"Rendition",
    b"Movie",
    b"Sound",
    b"RichMediaExecute",
    b"SetOCGState",
    b"Hide",
];

/// Annotations that play something.
const PLAYING: [&[u8]; 6] = [
    b"Movie",
    b"Sound",
    b"Screen",
    b"RichMedia",
    b"3D",
    b"Projection",
];

/// Transfer functions that are looked at; honest files have none.
const MAX_TRANSFERS: usize = 64;

/// What was found so far. Keys alone prove little: fonts, pictures and glyphs bear names of their
/// writer's choice, so that a font may be called `/JS`. What such a key stands in, or leads to,
/// has to agree.
#[derive(Debug, Default)]
pub(crate) struct Hazards {
    codes: BTreeSet<Code>,
    fonts: font::Fonts,
    /// Values of `/TR` and `/TR2`.
    transfers: Vec<Object>,
}

impl Hazards {
    /// Looks at one object that the trailer leads to.
    pub(crate) fn look(&mut self, object: &Object) {
        if let Object::Array(items) = object {
            items.iter().for_each(|item| self.look(item));
        } else if let Object::Dictionary(dictionary) = object {
            self.dictionary(dictionary);
            dictionary.iter().for_each(|(_key, value)| self.look(value));
        }
    }

    /// Looks at the document as a whole; `dangling` are the objects that are named and not there.
    pub(crate) fn finish(
        mut self,
        view: View<'_, '_>,
        mut dangling: impl Iterator<Item = u32>,
        budget: &mut Budget,
    ) -> Result<BTreeSet<Code>, Code> {
        if dangling.next().is_some() {
            self.codes.insert(Code::Dangling);
        }
        let catalog = view.catalog(budget)?;
        if let Some(layers) = catalog.get("OCProperties") {
            let code = layers_of(view, layers, budget)?;
            self.codes.insert(code);
        }
        if catalog.get("Collection").is_some() {
            self.codes.insert(Code::ExternalContent);
        }
        if let Some(form) = catalog.get("AcroForm")
            && let Object::Dictionary(form) = view.resolve(form, budget)?
        {
            let renewed = form.get("NeedAppearances");
            let is_renewed = renewed.is_some_and(|value| *value != Object::Boolean(false));
            if is_renewed || form.get("XFA").is_some() {
                self.codes.insert(Code::DynamicForm);
            }
        }
        if let Some(names) = catalog.get("Names")
            && let Object::Dictionary(names) = view.resolve(names, budget)?
        {
            let has = |key: &str| names.get(key).is_some();
            self.codes
                .extend(has("JavaScript").then_some(Code::ActiveContent));
            self.codes
                .extend(has("EmbeddedFiles").then_some(Code::Attachment));
        }
        for transfer in &self.transfers {
            if is_function(view, transfer, budget)? {
                self.codes.insert(Code::DeviceDependent);
            }
        }
        let fonts = std::mem::take(&mut self.fonts);
        self.codes.extend(fonts.judge(view, budget)?);
        self.codes.extend(unseen::notes(view));
        Ok(self.codes)
    }

    fn dictionary(&mut self, dictionary: &Dictionary) {
        self.action(dictionary);
        self.outside(dictionary);
        self.device(dictionary);
        self.codes.extend(page::annotation(dictionary));
        self.codes.extend(page::crop(dictionary));
        self.fonts.look(dictionary);
    }

    fn action(&mut self, dictionary: &Dictionary) {
        let has = |key: &str| dictionary.get(key).is_some();
        let kind = dictionary.name("S");
        let plays = dictionary
            .name("Subtype")
            .is_some_and(|name| PLAYING.contains(&name));
        let acts = kind.is_some_and(|kind| ACTIVE.contains(&kind));
        let of_type = matches!(
            dictionary.name("Type"),
            Some(b"Catalog" | b"Page" | b"Annot")
        );
        let is_owner = of_type || ["FT", "T", "Rect", "Pages"].iter().any(|key| has(key));
        let triggers = has("AA") && is_owner;
        if acts || (has("JS") && kind.is_some()) || triggers || (plays && has("Rect")) {
            self.codes.insert(Code::ActiveContent);
        }
        if kind == Some(b"URI") && has("URI") {
            self.codes.insert(Code::ExternalLink);
        }
    }

    /// What stands in other files, or comes with this one.
    fn outside(&mut self, dictionary: &Dictionary) {
        let has = |key: &str| dictionary.get(key).is_some();
        let kind = dictionary.name("Subtype");
        // A stream whose data stands in another file; `/F` of anything else is something else.
        let is_outside = has("Length") && (has("FFilter") || has("FDecodeParms") || has("F"));
        let is_reference = kind == Some(b"Form") && has("Ref");
        let is_drawing = matches!(kind, Some(b"Form" | b"Image"));
        let has_other = is_drawing && (has("Alternates") || has("OPI"));
        if is_outside || is_reference || has_other {
            self.codes.insert(Code::ExternalContent);
        }
        let of_type = dictionary.name("Type");
        let is_attached = kind == Some(b"FileAttachment") && has("Rect");
        let is_file = has("EF") && matches!(of_type, Some(b"Filespec" | b"F"));
        if is_attached || is_file || (has("AF") && of_type.is_some()) {
            self.codes.insert(Code::Attachment);
        }
    }

    /// What only printers do, or each in its own way.
    fn device(&mut self, dictionary: &Dictionary) {
        let kind = dictionary.name("Subtype");
        let has = |key: &str| dictionary.get(key).is_some();
        let is_postscript = kind == Some(b"PS")
            || (kind == Some(b"Form") && (has("PS") || dictionary.name("Subtype2") == Some(b"PS")));
        if is_postscript {
            self.codes.insert(Code::DeviceDependent);
        }
        // The function of a soft mask bears the same name, and works everywhere alike.
        if !matches!(dictionary.name("S"), Some(b"Alpha" | b"Luminosity")) {
            let transfers = ["TR", "TR2"].iter().filter_map(|key| dictionary.get(key));
            self.transfers.extend(transfers.cloned());
        }
        if self.transfers.len() > MAX_TRANSFERS {
            self.transfers.clear();
            self.codes.insert(Code::DeviceDependent);
        }
    }
}

/// Whether `object` is a function, or one for each colour.
fn is_function(view: View<'_, '_>, object: &Object, budget: &mut Budget) -> Result<bool, Code> {
    let object = view.resolve(object, budget)?;
    if let Object::Array(all) = &object {
        for one in all {
            let one = view.resolve(one, budget)?;
            if matches!(one, Object::Dictionary(one) if one.get("FunctionType").is_some()) {
                return Ok(true);
            }
        }
    }
    Ok(matches!(object, Object::Dictionary(one) if one.get("FunctionType").is_some()))
}

/// How much the layers weigh: hidden ones, and such that a printer shows or hides.
fn layers_of(view: View<'_, '_>, layers: &Object, budget: &mut Budget) -> Result<Code, Code> {
    let Object::Dictionary(layers) = view.resolve(layers, budget)? else {
        return Ok(Code::HiddenLayers);
    };
    let Some(default) = layers.get("D") else {
        return Ok(Code::HiddenLayers);
    };
    let Object::Dictionary(default) = view.resolve(default, budget)? else {
        return Ok(Code::HiddenLayers);
    };
    for key in ["OFF", "AS"] {
        if let Some(value) = default.get(key)
            && view.resolve(value, budget)? != Object::Array(Vec::new())
        {
            return Ok(Code::HiddenLayers);
        }
    }
    let is_on = matches!(default.name("BaseState"), None | Some(b"ON"));
    let is_on =
        is_on && (default.get("BaseState").is_none() || default.name("BaseState").is_some());
    Ok(if is_on {
        Code::Layers
    } else {
        Code::HiddenLayers
    })
}
