//! The form: what a document time stamp needs of it.

use std::collections::BTreeSet;

use super::same::{differences, is_closed, is_zeros, words};
use super::signing;
use super::step::{Rule, Step, Touch};
use crate::code::Code;
use crate::pdf::{Budget, Dictionary, Object};

/// Bits of `/SigFlags`: signatures exist, and only append.
const KNOWN_SIGNATURE_FLAGS: i64 = 3;

/// Compares the forms; fields may come, and only at the end.
pub(super) fn form(
    step: &mut Step<'_, '_, '_>,
    holder: u32,
    old: Option<&Object>,
    new: Option<&Object>,
    budget: &mut Budget,
) -> Result<(), Code> {
    let (Some(old), Some(new)) = (old, new) else {
        // A signed document has a form, so it neither comes nor goes.
        if old.is_some() || new.is_some() {
            step.refuse(Code::ChangedField);
        }
        return Ok(());
    };
    let before = step.old.dictionary(old, budget)?.unwrap_or_default();
    let (holder, after) = step.enter(holder, new, Rule::Form, budget)?;
    let Object::Dictionary(after) = after else {
        step.refuse(Code::ChangedField);
        return Ok(());
    };
    for (key, old, new) in differences(&before, &after) {
        match key {
            b"Fields" => {}
            b"SigFlags" if is_raised(old, new) => {}
            b"XFA" => step.refuse(Code::ChangedAction),
            b"DR" => step.refuse(Code::ChangedResources),
            _other => step.refuse(Code::ChangedField),
        }
    }
    fields(
        step,
        holder,
        before.get("Fields"),
        after.get("Fields"),
        budget,
    )
}

fn is_raised(old: Option<&Object>, new: Option<&Object>) -> bool {
    let old = match old {
        Some(Object::Integer(old)) => *old,
        None => 0,
        Some(_) => return false,
    };
    let Some(Object::Integer(new)) = new else {
        return false;
    };
    new & !KNOWN_SIGNATURE_FLAGS == 0 && new & old == old
}

fn fields(
    step: &mut Step<'_, '_, '_>,
    holder: u32,
    old: Option<&Object>,
    new: Option<&Object>,
    budget: &mut Budget,
) -> Result<(), Code> {
    let (Some(old), Some(new)) = (old, new) else {
        if old.is_some() || new.is_some() {
            step.refuse(Code::ChangedField);
        }
        return Ok(());
    };
    let before = step.old.array(old, budget)?.unwrap_or_default();
    let (holder, after) = step.enter(holder, new, Rule::Form, budget)?;
    let Object::Array(after) = after else {
        step.refuse(Code::ChangedField);
        return Ok(());
    };
    let Some(added) = after.strip_prefix(before.as_slice()) else {
        step.refuse(Code::ChangedSignature);
        return Ok(());
    };
    let mut names = BTreeSet::new();
    for field in &before {
        signing::fill(step, field, budget)?;
        if let Some(field) = step.old.dictionary(field, budget)? {
            names.extend(
                field
                    .get("T")
                    .and_then(|name| step.old.bytes(name))
                    .map(words),
            );
        }
    }
    for field in added {
        add(step, holder, field, &mut names, budget)?;
    }
    Ok(())
}

/// A new field: one that nobody sees, and that holds a document time stamp or a signature.
fn add(
    step: &mut Step<'_, '_, '_>,
    holder: u32,
    field: &Object,
    names: &mut BTreeSet<Vec<u16>>,
    budget: &mut Budget,
) -> Result<(), Code> {
    let Object::Reference(id) = field else {
        step.refuse(Code::ChangedField);
        return Ok(());
    };
    let is_new = step.touched.get(&id.number) == Some(&Touch::Added);
    if !is_new || !step.widgets.insert(id.number) {
        step.refuse(Code::ChangedField);
        return Ok(());
    }
    let (number, field) = step.enter(holder, field, Rule::Form, budget)?;
    let Object::Dictionary(field) = field else {
        step.refuse(Code::ChangedField);
        return Ok(());
    };
    // Two fields of one name are one field (ISO 32000-2, 12.7.4.2), and a point would nest it.
    let name = field.get("T").and_then(|name| step.new.bytes(name));
    let name = name.map(words).unwrap_or_default();
    let is_named = !name.is_empty() && !name.contains(&u16::from(b'.')) && names.insert(name);
    if !is_named || !is_unseen(step, &field, budget)? {
        step.refuse(Code::ChangedField);
        return Ok(());
    }
    for (key, value) in field.iter() {
        match key {
            b"AP" => appearance(step, number, value, budget)?,
            b"V" => signing::value(step, number, value, budget)?,
            b"Lock" => signing::lock(step, number, value, budget)?,
            _checked => {}
        }
    }
    Ok(())
}

/// Whether the field is a signature field that shows nothing and does nothing.
fn is_unseen(
    step: &Step<'_, '_, '_>,
    field: &Dictionary,
    budget: &mut Budget,
) -> Result<bool, Code> {
    let has = |key: &str| field.get(key).is_some();
    if !(has("FT") && has("Rect") && has("V")) {
        return Ok(false);
    }
    for (key, value) in field.iter() {
        let is_fit = match key {
            b"Type" => *value == Object::Name(b"Annot".to_vec()),
            b"Subtype" => *value == Object::Name(b"Widget".to_vec()),
            b"FT" => *value == Object::Name(b"Sig".to_vec()),
            b"Rect" => is_zeros(value, 4),
            b"F" | b"Ff" => matches!(value, Object::Integer(_)),
            b"T" | b"TU" | b"NM" | b"M" => matches!(value, Object::Text(_)),
            b"MK" => matches!(value, Object::Dictionary(_)) && is_closed(value),
            b"P" => is_page(step, value, budget)?,
            b"AP" | b"V" | b"Lock" => true,
            _other => false,
        };
        if !is_fit {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether `value` leads to a page that was there before.
fn is_page(step: &Step<'_, '_, '_>, value: &Object, budget: &mut Budget) -> Result<bool, Code> {
    if !matches!(value, Object::Reference(_)) {
        return Ok(false);
    }
    let page = step.old.resolve(value, budget)?;
    Ok(matches!(page, Object::Dictionary(page) if page.name("Type") == Some(b"Page")))
}

/// The appearance of a field that nobody sees: an empty picture without extent, as some writers
/// give to each widget.
fn appearance(
    step: &mut Step<'_, '_, '_>,
    holder: u32,
    value: &Object,
    budget: &mut Budget,
) -> Result<(), Code> {
    let (holder, appearance) = step.enter(holder, value, Rule::Form, budget)?;
    let Object::Dictionary(appearance) = appearance else {
        step.refuse(Code::ChangedField);
        return Ok(());
    };
    for (key, value) in appearance.iter() {
        let is_stream = matches!(value, Object::Reference(_));
        if key != b"N" || !is_stream || !is_blank(step, holder, value, budget)? {
            step.refuse(Code::ChangedField);
        }
    }
    Ok(())
}

fn is_blank(
    step: &mut Step<'_, '_, '_>,
    holder: u32,
    value: &Object,
    budget: &mut Budget,
) -> Result<bool, Code> {
    let (number, _) = step.enter(holder, value, Rule::Form, budget)?;
    let Ok(Some(stream)) = step.new.stream(value, budget) else {
        return Ok(false);
    };
    step.length(number, stream.dictionary.get("Length"), budget)?;
    let is_fit = stream.dictionary.iter().all(|(key, value)| match key {
        b"Type" => *value == Object::Name(b"XObject".to_vec()),
        b"Subtype" => *value == Object::Name(b"Form".to_vec()),
        b"FormType" => *value == Object::Integer(1),
        b"BBox" => is_zeros(value, 4),
        b"Matrix" | b"Resources" => is_closed(value),
        b"Length" | b"Filter" | b"DecodeParms" => true,
        _other => false,
    });
    let is_empty = stream.decoded(budget)?.iter().all(u8::is_ascii_whitespace);
    Ok(is_fit && is_empty)
}

/// The whole part of a number that is direct; enough for points of a page.
pub(super) fn whole(object: &Object) -> Option<i64> {
    match object {
        Object::Integer(value) => Some(*value),
        Object::Real(text) => {
            let text = std::str::from_utf8(text).ok()?;
            let (whole, _fraction) = text.split_once('.').unwrap_or((text, ""));
            match whole {
                "" | "-" => Some(0),
                whole => whole.parse().ok(),
            }
        }
        Object::Null
        | Object::Boolean(_)
        | Object::Text(_)
        | Object::Name(_)
        | Object::Array(_)
        | Object::Dictionary(_)
        | Object::Reference(_) => None,
    }
}
