//! The document security store: certificates and revocation data, and nothing else.

use std::collections::BTreeSet;

use super::step::{Rule, Step};
use crate::asn1;
use crate::code::Code;
use crate::pdf::{Budget, Dictionary, Object};

/// Signatures that a store may hold data for; a document has at most 16 that are judged.
const MAX_VRI: usize = 64;

/// Certificates, answers and lists of one array; a chain of four with its revocation data has 8.
const MAX_VALUES: usize = 256;

/// Looks at the whole store, also at what an earlier revision put there: an array that was there
/// may lead to an object that this revision replaced.
pub(super) fn archive(
    step: &mut Step<'_, '_, '_>,
    holder: u32,
    old: Option<&Object>,
    new: Option<&Object>,
    budget: &mut Budget,
) -> Result<(), Code> {
    let Some(store) = new else {
        if old.is_some() {
            step.refuse(Code::ChangedArchive);
        }
        return Ok(());
    };
    let mut walk = Walk {
        step,
        seen: BTreeSet::new(),
    };
    let Some((holder, store)) = walk.dictionary(holder, store, budget)? else {
        return Ok(());
    };
    for (key, value) in store.iter() {
        match key {
            b"Type" if *value == Object::Name(b"DSS".to_vec()) => {}
            b"Certs" | b"OCSPs" | b"CRLs" => walk.streams(holder, value, budget)?,
            b"VRI" => walk.signatures(holder, value, budget)?,
            _other => walk.step.refuse(Code::ChangedArchive),
        }
    }
    Ok(())
}

struct Walk<'w, 's, 'f, 'a> {
    step: &'w mut Step<'s, 'f, 'a>,
    /// Objects that were walked: a second way to one of them is cleared, and not walked again.
    seen: BTreeSet<u32>,
}

impl Walk<'_, '_, '_, '_> {
    /// Enters `value`; none if it is an object that was walked already.
    fn enter(
        &mut self,
        holder: u32,
        value: &Object,
        budget: &mut Budget,
    ) -> Result<Option<(u32, Object)>, Code> {
        let (inner, object) = self.step.enter(holder, value, Rule::Archive, budget)?;
        let is_new = inner == holder || self.seen.insert(inner);
        Ok(is_new.then_some((inner, object)))
    }

    fn dictionary(
        &mut self,
        holder: u32,
        value: &Object,
        budget: &mut Budget,
    ) -> Result<Option<(u32, Dictionary)>, Code> {
        match self.enter(holder, value, budget)? {
            Some((holder, Object::Dictionary(dictionary))) => Ok(Some((holder, dictionary))),
            Some(_) => {
                self.step.refuse(Code::ChangedArchive);
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// `/VRI`: a dictionary for each signature, under the digest of its container.
    fn signatures(&mut self, holder: u32, value: &Object, budget: &mut Budget) -> Result<(), Code> {
        let Some((holder, all)) = self.dictionary(holder, value, budget)? else {
            return Ok(());
        };
        for (count, (key, value)) in all.iter().enumerate() {
            let is_type = key == b"Type" && *value == Object::Name(b"VRI".to_vec());
            if is_type {
                continue;
            }
            let is_digest = key.len() == 40 && key.iter().all(u8::is_ascii_hexdigit);
            if !is_digest || count > MAX_VRI {
                self.step.refuse(Code::ChangedArchive);
                return Ok(());
            }
            self.signature(holder, value, budget)?;
        }
        Ok(())
    }

    fn signature(&mut self, holder: u32, value: &Object, budget: &mut Budget) -> Result<(), Code> {
        let Some((holder, data)) = self.dictionary(holder, value, budget)? else {
            return Ok(());
        };
        for (key, value) in data.iter() {
            match key {
                b"Type" if *value == Object::Name(b"VRI".to_vec()) => {}
                b"Cert" | b"OCSP" | b"CRL" => self.streams(holder, value, budget)?,
                b"TU" if matches!(value, Object::Text(_)) => {}
                b"TS" => self.stream(holder, value, budget)?,
                _other => self.step.refuse(Code::ChangedArchive),
            }
        }
        Ok(())
    }

    fn streams(&mut self, holder: u32, value: &Object, budget: &mut Budget) -> Result<(), Code> {
        let Some((holder, values)) = self.enter(holder, value, budget)? else {
            return Ok(());
        };
        let Object::Array(values) = values else {
            self.step.refuse(Code::ChangedArchive);
            return Ok(());
        };
        if values.len() > MAX_VALUES {
            self.step.refuse(Code::ChangedArchive);
            return Ok(());
        }
        for value in &values {
            self.stream(holder, value, budget)?;
        }
        Ok(())
    }

    /// One certificate, answer, list or token: exactly one value in DER.
    fn stream(&mut self, holder: u32, value: &Object, budget: &mut Budget) -> Result<(), Code> {
        if !matches!(value, Object::Reference(_)) {
            self.step.refuse(Code::ChangedArchive);
            return Ok(());
        }
        let Some((number, _dictionary)) = self.enter(holder, value, budget)? else {
            return Ok(());
        };
        // What an earlier revision archived was looked at then.
        if !self.step.touched.contains_key(&number) && self.step.archived.contains(&number) {
            return Ok(());
        }
        let Ok(Some(stream)) = self.step.new.stream(value, budget) else {
            self.step.refuse(Code::ChangedArchive);
            return Ok(());
        };
        let mut keys = stream.dictionary.keys();
        let is_plain = keys.all(|key| matches!(key, b"Length" | b"Filter" | b"DecodeParms"));
        self.step
            .length(number, stream.dictionary.get("Length"), budget)?;
        let data = stream.decoded(budget)?;
        let is_sequence = data.first() == Some(&0x30);
        let is_one = asn1::first_value(&data).is_some_and(|value| value.len() == data.len());
        if is_plain && is_sequence && is_one {
            self.step.archived.insert(number);
        } else {
            self.step.refuse(Code::ChangedArchive);
        }
        Ok(())
    }
}
