//! What the signed revision itself says about later changes: certification, rights and locks.

use std::collections::BTreeSet;

use super::same::words;
use crate::code::Code;
use crate::pdf::{Budget, Dictionary, Object, View};

/// Fields of the form that are looked at, as in `fields`.
const MAX_FIELDS: usize = 256;

/// How deep fields may nest.
const MAX_FIELD_DEPTH: u32 = 8;

/// Which fields a signature locks (ISO 32000-2, 12.8.2.4).
#[derive(Debug)]
enum Lock {
    All,
    Include(BTreeSet<Vec<u16>>),
    Exclude(BTreeSet<Vec<u16>>),
}

/// The terms under which the signed revision may be extended.
#[derive(Debug, Default)]
pub(super) struct Terms {
    /// `/P` of the certification, the strictest where there are several: 1 to 3.
    certified: Option<i64>,
    locks: Vec<Lock>,
    /// The objects that signatures of the signed revision are made of.
    protected: BTreeSet<u32>,
    /// What is wrong with the terms themselves.
    pub(super) codes: BTreeSet<Code>,
}

impl Terms {
    /// Reads the terms of the file as it was signed.
    pub(super) fn of(view: View<'_, '_>, budget: &mut Budget) -> Result<Self, Code> {
        let mut terms = Self::default();
        let catalog = view.catalog(budget)?;
        let mut values = BTreeSet::new();
        if let Some(form) = catalog.get("AcroForm")
            && let Object::Dictionary(form) = view.resolve(form, budget)?
            && let Some(fields) = form.get("Fields")
            && let Object::Array(fields) = view.resolve(fields, budget)?
        {
            let mut left = MAX_FIELDS;
            terms.fields(
                view,
                &fields,
                (MAX_FIELD_DEPTH, &mut left),
                &mut values,
                budget,
            )?;
        }
        if let Some(permissions) = catalog.get("Perms")
            && let Object::Dictionary(permissions) = view.resolve(permissions, budget)?
        {
            for (key, value) in permissions.iter() {
                let is_signature = matches!(value, Object::Reference(id)
                    if values.contains(&id.number));
                if key != b"DocMDP" || !is_signature {
                    terms.codes.insert(Code::RightsUnknown);
                }
            }
        }
        Ok(terms)
    }

    /// Whether no signature may follow.
    pub(super) fn forbids_signing(&self) -> bool {
        self.certified == Some(1)
    }

    /// Whether the signer certified what may follow.
    pub(super) fn is_certified(&self) -> bool {
        self.certified.is_some()
    }

    /// Whether the field `name` is locked.
    pub(super) fn locks(&self, name: &[u8]) -> bool {
        let name = words(name);
        self.locks.iter().any(|lock| match lock {
            Lock::All => true,
            Lock::Include(names) => names.contains(&name),
            Lock::Exclude(names) => !names.contains(&name),
        })
    }

    /// Whether object `number` belongs to a signature of the signed revision.
    pub(super) fn protects(&self, number: u32) -> bool {
        self.protected.contains(&number)
    }

    fn fields(
        &mut self,
        view: View<'_, '_>,
        fields: &[Object],
        (depth_left, left): (u32, &mut usize),
        values: &mut BTreeSet<u32>,
        budget: &mut Budget,
    ) -> Result<(), Code> {
        let depth_left = depth_left.checked_sub(1).ok_or(Code::TooComplex)?;
        for reference in fields {
            *left = left.checked_sub(1).ok_or(Code::TooComplex)?;
            let Object::Dictionary(field) = view.resolve(reference, budget)? else {
                continue;
            };
            if let Some(value) = field.get("V")
                && let Object::Dictionary(signature) = view.resolve(value, budget)?
                && signature.get("ByteRange").is_some()
            {
                for part in [
                    Some(reference),
                    Some(value),
                    field.get("AP"),
                    field.get("Parent"),
                ] {
                    self.protect(view, part, budget)?;
                }
                if let Object::Reference(id) = value {
                    values.insert(id.number);
                }
                self.signature(view, &signature, budget)?;
                if let Some(lock) = field.get("Lock")
                    && let Object::Dictionary(lock) = view.resolve(lock, budget)?
                {
                    self.lock(view, &lock, budget)?;
                    self.certify(lock.integer("P"));
                }
            }
            if let Some(kids) = field.get("Kids")
                && let Object::Array(kids) = view.resolve(kids, budget)?
            {
                self.fields(view, &kids, (depth_left, &mut *left), values, budget)?;
            }
        }
        Ok(())
    }

    /// Remembers an object of a signature, and what it shows.
    fn protect(
        &mut self,
        view: View<'_, '_>,
        object: Option<&Object>,
        budget: &mut Budget,
    ) -> Result<(), Code> {
        let Some(object) = object else {
            return Ok(());
        };
        if let Object::Reference(id) = object {
            self.protected.insert(id.number);
        }
        // Of an appearance: the pictures themselves.
        if let Object::Dictionary(dictionary) = view.resolve(object, budget)?
            && let Some(Object::Reference(id)) = dictionary.get("N")
        {
            self.protected.insert(id.number);
        }
        Ok(())
    }

    fn signature(
        &mut self,
        view: View<'_, '_>,
        signature: &Dictionary,
        budget: &mut Budget,
    ) -> Result<(), Code> {
        let Some(references) = signature.get("Reference") else {
            return Ok(());
        };
        let Object::Array(references) = view.resolve(references, budget)? else {
            return Ok(());
        };
        for reference in &references {
            let Object::Dictionary(reference) = view.resolve(reference, budget)? else {
                continue;
            };
            let parameters = match reference.get("TransformParams") {
                Some(parameters) => view.resolve(parameters, budget)?,
                None => Object::Null,
            };
            let parameters = if let Object::Dictionary(parameters) = parameters {
                parameters
            } else {
                Dictionary::default()
            };
            match reference.name("TransformMethod") {
                // Where nothing else is said, forms may be filled (ISO 32000-2, table 257).
                Some(b"DocMDP") => self.certify(parameters.integer("P").or(Some(2))),
                Some(b"FieldMDP") => self.lock(view, &parameters, budget)?,
                Some(_) | None => {
                    self.codes.insert(Code::RightsUnknown);
                }
            }
        }
        Ok(())
    }

    fn certify(&mut self, level: Option<i64>) {
        if let Some(level) = level {
            // What is not in the standard forbids everything.
            let level = if (1..=3).contains(&level) { level } else { 1 };
            self.certified = Some(self.certified.map_or(level, |other| other.min(level)));
        }
    }

    fn lock(
        &mut self,
        view: View<'_, '_>,
        lock: &Dictionary,
        budget: &mut Budget,
    ) -> Result<(), Code> {
        let mut names = BTreeSet::new();
        if let Some(fields) = lock.get("Fields")
            && let Object::Array(fields) = view.resolve(fields, budget)?
        {
            for field in &fields {
                let field = view.resolve(field, budget)?;
                names.extend(view.bytes(&field).map(words));
            }
        }
        self.locks.push(match lock.name("Action") {
            Some(b"Include") => Lock::Include(names),
            Some(b"Exclude") => Lock::Exclude(names),
            // `All`, and whatever is not in the standard.
            Some(_) | None => Lock::All,
        });
        Ok(())
    }
}
