//! Reads typed values out of an attribute group; what has another type counts as absent.

use ipp::attribute::{IppAttribute, IppAttributeGroup};
use ipp::value::IppValue;

/// The values of an attribute: none where it is absent, several where it is a set.
pub(crate) fn values<'a>(group: &'a IppAttributeGroup, name: &str) -> &'a [IppValue] {
    match group.get(name).map(IppAttribute::value) {
        Some(IppValue::Array(values)) => values,
        Some(value) => std::slice::from_ref(value),
        None => &[],
    }
}

/// The first value as text of any textual type.
pub(crate) fn text(group: &IppAttributeGroup, name: &str) -> Option<String> {
    values(group, name)
        .first()
        .and_then(as_text)
        .map(str::to_owned)
}

/// All values of any textual type.
pub(crate) fn texts(group: &IppAttributeGroup, name: &str) -> Vec<String> {
    values(group, name)
        .iter()
        .filter_map(as_text)
        .map(str::to_owned)
        .collect()
}

/// The bytes of all octetStrings; a printer that sends text in their place is understood too.
pub(crate) fn octets<'a>(group: &'a IppAttributeGroup, name: &str) -> Vec<&'a [u8]> {
    values(group, name)
        .iter()
        .filter_map(|value| {
            let octets = value.as_octet_string().map(AsRef::as_ref);
            octets.or_else(|| as_text(value).map(str::as_bytes))
        })
        .collect()
}

/// All integers and enums.
pub(crate) fn integers(group: &IppAttributeGroup, name: &str) -> Vec<i32> {
    values(group, name).iter().filter_map(as_integer).collect()
}

/// The first value as integer or enum.
pub(crate) fn integer(group: &IppAttributeGroup, name: &str) -> Option<i32> {
    values(group, name).first().and_then(as_integer)
}

/// The first value as a count; negative ones (unknown) count as absent.
pub(crate) fn count(group: &IppAttributeGroup, name: &str) -> Option<u32> {
    integer(group, name).and_then(|value| u32::try_from(value).ok())
}

/// The first value as boolean.
pub(crate) fn boolean(group: &IppAttributeGroup, name: &str) -> Option<bool> {
    values(group, name)
        .first()
        .and_then(|value| value.as_boolean().copied())
}

fn as_integer(value: &IppValue) -> Option<i32> {
    value.as_integer().or_else(|| value.as_enum()).copied()
}

fn as_text(value: &IppValue) -> Option<&str> {
    if let Some(keyword) = value.as_keyword().or_else(|| value.as_mime_media_type()) {
        return Some(keyword);
    }
    if let Some(name) = value.as_name_without_language() {
        return Some(name);
    }
    if let Some(text) = value.as_text_without_language() {
        return Some(text);
    }
    if let Some((_, name)) = value.as_name_with_language() {
        return Some(name);
    }
    if let Some((_, text)) = value.as_text_with_language() {
        return Some(text);
    }
    if let Some(octets) = value.as_octet_string() {
        return std::str::from_utf8(octets).ok();
    }
    value.as_uri().map(|uri| uri.as_str())
}
