//! Finds the signatures of a document by the way a reader does: catalog, form, fields.

use std::collections::BTreeSet;

use crate::code::Code;
use crate::pdf::{Budget, Dictionary, Object, ObjectId, View};

/// Form fields that are looked at; a family card has one.
const MAX_FIELDS: usize = 256;

/// How deep fields may nest.
const MAX_FIELD_DEPTH: u32 = 8;

/// Signatures that are judged; honest documents have up to three, time stamps included.
const MAX_SIGNATURES: usize = 16;

/// The signature dictionaries of all signed fields, in the order of the form.
pub(crate) fn signatures(
    view: View<'_, '_>,
    catalog: &Dictionary,
    budget: &mut Budget,
) -> Result<Vec<Dictionary>, Code> {
    let mut walk = Walk {
        view,
        seen: BTreeSet::new(),
        values: BTreeSet::new(),
        found: Vec::new(),
    };
    let Some(form) = catalog.get("AcroForm") else {
        return Ok(Vec::new());
    };
    let Some(form) = view.dictionary(form, budget)? else {
        return Ok(Vec::new());
    };
    let Some(fields) = form.get("Fields") else {
        return Ok(Vec::new());
    };
    let fields = view.array(fields, budget)?.unwrap_or_default();
    walk.fields(&fields, false, MAX_FIELD_DEPTH, budget)?;
    Ok(walk.found)
}

struct Walk<'f, 'a> {
    view: View<'f, 'a>,
    seen: BTreeSet<ObjectId>,
    values: BTreeSet<ObjectId>,
    found: Vec<Dictionary>,
}

impl Walk<'_, '_> {
    fn fields(
        &mut self,
        fields: &[Object],
        signing: bool,
        depth_left: u32,
        budget: &mut Budget,
    ) -> Result<(), Code> {
        let depth_left = depth_left.checked_sub(1).ok_or(Code::TooComplex)?;
        for field in fields {
            let Object::Reference(id) = field else {
                return Err(Code::Malformed);
            };
            if self.seen.len() == MAX_FIELDS {
                return Err(Code::TooComplex);
            }
            // A field that is reached twice would be a loop or have two parents.
            if !self.seen.insert(*id) {
                return Err(Code::Malformed);
            }
            let Some(field) = self.view.dictionary(field, budget)? else {
                continue;
            };
            let signing = match field.get("FT") {
                Some(kind) => self.view.resolve(kind, budget)? == Object::Name(b"Sig".to_vec()),
                None => signing,
            };
            if signing && let Some(value) = field.get("V") {
                self.value(value, budget)?;
            }
            if let Some(kids) = field.get("Kids") {
                let kids = self.view.array(kids, budget)?.unwrap_or_default();
                self.fields(&kids, signing, depth_left, budget)?;
            }
        }
        Ok(())
    }

    fn value(&mut self, value: &Object, budget: &mut Budget) -> Result<(), Code> {
        if let Object::Reference(id) = value
            && !self.values.insert(*id)
        {
            return Err(Code::Malformed);
        }
        if let Some(signature) = self.view.dictionary(value, budget)? {
            if self.found.len() == MAX_SIGNATURES {
                return Err(Code::TooComplex);
            }
            self.found.push(signature);
        }
        Ok(())
    }
}
