//! Signature fields that are filled after signing: with a document time stamp, or by signing again.

use super::form;
use super::same::{differences, is_closed};
use super::step::{Rule, Step, Touch};
use crate::code::Code;
use crate::pdf::{Budget, Dictionary, Object};

/// Part of a page's area that the appearance of a later signature may cover, as one in so many:
/// a visible signature takes a tenth of a page at most, and one that hides a card takes more.
const MAX_APPEARANCE_SHARE: i64 = 4;

/// Objects of one later signature's appearance: a picture, a font, their parts.
const MAX_APPEARANCE_OBJECTS: usize = 64;

/// The value of a signature field that is new or was empty.
pub(super) fn value(
    step: &mut Step<'_, '_, '_>,
    holder: u32,
    value: &Object,
    budget: &mut Budget,
) -> Result<(), Code> {
    let Object::Reference(id) = value else {
        step.refuse(Code::ChangedField);
        return Ok(());
    };
    // One that was there already belongs to another field.
    if step.touched.get(&id.number) != Some(&Touch::Added) {
        step.refuse(Code::ChangedSignature);
        return Ok(());
    }
    let Object::Dictionary(found) = step.new.resolve(value, budget)? else {
        step.refuse(Code::ChangedField);
        return Ok(());
    };
    let is_stamp = found.name("Type") == Some(b"DocTimeStamp")
        && found.name("SubFilter") == Some(b"ETSI.RFC3161");
    let rule = if is_stamp {
        Rule::TimeStamp
    } else {
        Rule::Signature
    };
    let (number, _) = step.enter(holder, value, rule, budget)?;
    if !is_stamp {
        let is_signature = matches!(found.name("Type"), None | Some(b"Sig"));
        if !is_signature || step.terms.forbids_signing() {
            step.refuse(Code::ChangedRights);
        }
    }
    if !covers_own_revision(step, &found) {
        step.refuse(Code::ChangedField);
    }
    for (key, value) in found.iter() {
        let is_fit = match key {
            b"Type" | b"Filter" | b"SubFilter" => matches!(value, Object::Name(_)),
            b"Contents" | b"M" | b"Name" | b"Reason" | b"Location" | b"ContactInfo" => {
                matches!(value, Object::Text(_))
            }
            b"ByteRange" | b"Prop_Build" => is_closed(value),
            b"V" | b"R" | b"Prop_AuthTime" => matches!(value, Object::Integer(_)),
            b"Prop_AuthType" => matches!(value, Object::Name(_)),
            b"Reference" if !is_stamp => is_lock_reference(step, number, value),
            _other => false,
        };
        if !is_fit {
            step.refuse(Code::ChangedField);
        }
    }
    Ok(())
}

/// Whether the signature covers the file up to the end of the revision that brought it, with its
/// own value in the gap.
fn covers_own_revision(step: &Step<'_, '_, '_>, signature: &Dictionary) -> bool {
    let Some(Object::Array(range)) = signature.get("ByteRange") else {
        return false;
    };
    let Some(Object::Text(contents)) = signature.get("Contents") else {
        return false;
    };
    let numbers = range.iter().map(|item| {
        let Object::Integer(value) = item else {
            return None;
        };
        usize::try_from(*value).ok()
    });
    let numbers: Option<Vec<usize>> = numbers.collect();
    let (Some([0, gap_start, gap_end, tail]), Some(place)) = (numbers.as_deref(), contents.place())
    else {
        return false;
    };
    let end = gap_end.checked_add(*tail);
    place == (*gap_start..*gap_end)
        && place.start >= step.revision.start
        && end.is_some_and(|end| step.revision.ends.contains(&end))
}

/// References of a further signature: it may lock fields, and certify nothing.
fn is_lock_reference(step: &mut Step<'_, '_, '_>, holder: u32, value: &Object) -> bool {
    let Object::Array(references) = value else {
        return false;
    };
    let root = step.new.trailer().get("Root").cloned();
    references.iter().all(|reference| {
        let Object::Dictionary(reference) = reference else {
            return false;
        };
        let is_lock = reference.name("TransformMethod") == Some(b"FieldMDP");
        is_lock
            && reference.iter().all(|(key, value)| match key {
                b"Data" => {
                    step.clear(holder, value);
                    Some(value) == root.as_ref()
                }
                _other => is_closed(value),
            })
    })
}

/// `/Lock` of a new field.
pub(super) fn lock(
    step: &mut Step<'_, '_, '_>,
    holder: u32,
    value: &Object,
    budget: &mut Budget,
) -> Result<(), Code> {
    let (_, lock) = step.enter(holder, value, Rule::Signature, budget)?;
    let is_lock = matches!(&lock, Object::Dictionary(lock)
        if lock.name("Type") == Some(b"SigFieldLock"));
    if !is_lock || !is_closed(&lock) {
        step.refuse(Code::ChangedField);
    }
    Ok(())
}

/// A field that was there before: an empty signature field may be filled, no other may change.
pub(super) fn fill(
    step: &mut Step<'_, '_, '_>,
    field: &Object,
    budget: &mut Budget,
) -> Result<(), Code> {
    let Object::Reference(id) = field else {
        return Ok(());
    };
    if step.touched.get(&id.number) != Some(&Touch::Overridden) {
        return Ok(());
    }
    let old = step.old.resolve(field, budget)?;
    let new = step.new.resolve(field, budget)?;
    let (Object::Dictionary(old), Object::Dictionary(new)) = (old, new) else {
        return Ok(());
    };
    let is_empty = old.name("FT") == Some(b"Sig") && old.get("V").is_none();
    let is_merged = old.get("Kids").is_none() && old.name("Subtype") == Some(b"Widget");
    let (true, true, Some(signature)) = (is_empty, is_merged, new.get("V")) else {
        return Ok(());
    };
    let name = old.get("T").and_then(|name| step.old.bytes(name));
    if name.is_none_or(|name| step.terms.locks(name)) {
        step.refuse(Code::ChangedRights);
    }
    step.explain(id.number, Rule::Signature);
    // As it was but for its value and its appearance, which mean something in a field alone.
    step.open_paths(id.number);
    for (key, _old, after) in differences(&old, &new) {
        match (key, after) {
            (b"V", _) => {}
            (b"M", Some(Object::Text(_))) => {}
            (b"AP", Some(after)) => appearance(step, id.number, (&old, after), budget)?,
            _other => step.refuse(Code::ChangedField),
        }
    }
    value(step, id.number, signature, budget)
}

/// The appearance of a field that was empty: whatever it shows stays inside the rectangle that
/// was there when the document was signed, and nothing else leads to it.
fn appearance(
    step: &mut Step<'_, '_, '_>,
    holder: u32,
    (field, value): (&Dictionary, &Object),
    budget: &mut Budget,
) -> Result<(), Code> {
    if !is_small(step, field, budget)? {
        step.refuse(Code::ChangedAnnotation);
        return Ok(());
    }
    let mut queue = vec![(holder, value.clone())];
    let mut seen = 0_usize;
    while let Some((holder, value)) = queue.pop() {
        let mut references = Vec::new();
        collect(&value, &mut references);
        for reference in references {
            let Object::Reference(id) = &reference else {
                continue;
            };
            let Some(touch) = step.touched.get(&id.number).copied() else {
                continue;
            };
            step.clear(holder, &reference);
            if step.is_explained(id.number) {
                continue;
            }
            seen = seen.saturating_add(1);
            if touch != Touch::Added || seen > MAX_APPEARANCE_OBJECTS {
                step.refuse(Code::ChangedAnnotation);
                return Ok(());
            }
            step.explain(id.number, Rule::Signature);
            queue.push((id.number, step.new.resolve(&reference, budget)?));
        }
    }
    Ok(())
}

fn collect(object: &Object, references: &mut Vec<Object>) {
    if let Object::Array(items) = object {
        items.iter().for_each(|item| collect(item, references));
    } else if let Object::Dictionary(dictionary) = object {
        dictionary
            .iter()
            .for_each(|(_key, value)| collect(value, references));
    } else if matches!(object, Object::Reference(_)) {
        references.push(object.clone());
    }
}

/// Whether the field's rectangle is a small part of its page.
fn is_small(
    step: &Step<'_, '_, '_>,
    field: &Dictionary,
    budget: &mut Budget,
) -> Result<bool, Code> {
    let area = |rectangle: Option<&Object>| -> Option<i64> {
        let Some(Object::Array(sides)) = rectangle else {
            return None;
        };
        let sides: Option<Vec<i64>> = sides.iter().map(form::whole).collect();
        let [left, bottom, right, top] = sides?.try_into().ok()?;
        let width = right.checked_sub(left)?.checked_abs()?;
        width.checked_mul(top.checked_sub(bottom)?.checked_abs()?)
    };
    let Some(page) = field.get("P") else {
        return Ok(false);
    };
    let Object::Dictionary(page) = step.old.resolve(page, budget)? else {
        return Ok(false);
    };
    let (Some(field), Some(page)) = (area(field.get("Rect")), area(page.get("MediaBox"))) else {
        return Ok(false);
    };
    Ok(field
        .checked_mul(MAX_APPEARANCE_SHARE)
        .is_some_and(|times| times <= page))
}
