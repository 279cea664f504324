//! Whether two objects mean the same, whoever wrote them.

use std::collections::BTreeMap;

use crate::pdf::{Dictionary, Object};

/// A key whose value is another one now, with the value before and the value after.
pub(super) type Difference<'d> = (&'d [u8], Option<&'d Object>, Option<&'d Object>);

/// Whether two values mean the same. References must name the same object: what became of that
/// is looked at on its own. `1` and `1.0` are the same number; writers turn one into the other.
pub(super) fn same(old: &Object, new: &Object) -> bool {
    if let (Object::Array(old), Object::Array(new)) = (old, new) {
        return old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same(old, new));
    }
    if let (Object::Dictionary(old), Object::Dictionary(new)) = (old, new) {
        return differences(old, new).is_empty();
    }
    if let (Object::Real(real), Object::Integer(integer))
    | (Object::Integer(integer), Object::Real(real)) = (old, new)
    {
        return **real == *integer.to_string().as_bytes();
    }
    old == new
}

/// Whether two values that may be absent mean the same; absent is not null here, but stricter.
pub(super) fn same_value(old: Option<&Object>, new: Option<&Object>) -> bool {
    match (old, new) {
        (None, None) => true,
        (Some(old), Some(new)) => same(old, new),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// What differs between two dictionaries, by key.
pub(super) fn differences<'d>(old: &'d Dictionary, new: &'d Dictionary) -> Vec<Difference<'d>> {
    let mut both: BTreeMap<&[u8], (Option<&Object>, Option<&Object>)> = BTreeMap::new();
    for (key, value) in old.iter() {
        both.entry(key).or_default().0 = Some(value);
    }
    for (key, value) in new.iter() {
        both.entry(key).or_default().1 = Some(value);
    }
    both.retain(|_key, (old, new)| !same_value(*old, *new));
    let differing = both.into_iter();
    differing.map(|(key, (old, new))| (key, old, new)).collect()
}

/// Whether `object` is an array of `length` numbers that are all zero.
pub(crate) fn is_zeros(object: &Object, length: usize) -> bool {
    let Object::Array(items) = object else {
        return false;
    };
    let zero = Object::Integer(0);
    items.len() == length && items.iter().all(|item| same(item, &zero))
}

/// Whether nothing in `object` refers to another object.
pub(super) fn is_closed(object: &Object) -> bool {
    if let Object::Array(items) = object {
        items.iter().all(is_closed)
    } else if let Object::Dictionary(dictionary) = object {
        dictionary.iter().all(|(_key, value)| is_closed(value))
    } else {
        !matches!(object, Object::Reference(_))
    }
}

/// What a text string says, whichever of its three encodings it is in (ISO 32000-2, 7.9.2.2), so
/// that one name cannot be written as two. Bytes that only PDFDocEncoding knows stay as they are:
/// names of fields are compared, not shown.
pub(super) fn words(text: &[u8]) -> Vec<u16> {
    if let Some(units) = text.strip_prefix(&[0xfe, 0xff]) {
        let units = units.chunks_exact(2);
        return units
            .map(|unit| unit.iter().fold(0, |all, byte| all << 8 | u16::from(*byte)))
            .collect();
    }
    if let Some(utf8) = text.strip_prefix(&[0xef, 0xbb, 0xbf]) {
        return String::from_utf8_lossy(utf8).encode_utf16().collect();
    }
    text.iter().map(|byte| u16::from(*byte)).collect()
}
