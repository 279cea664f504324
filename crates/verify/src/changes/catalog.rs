//! The catalog, the document's information and its metadata.

use super::graph::TRAILER;
use super::same::{differences, same_value};
use super::step::{Rule, Step};
use crate::code::Code;
use crate::pdf::{Budget, Dictionary, Object};

/// The versions that a catalog may name, rising.
const VERSIONS: [&[u8]; 9] = [
    b"1.0", b"1.1", b"1.2", b"1.3", b"1.4", b"1.5", b"1.6", b"1.7", b"2.0",
];

/// Compares the catalogs; gives the object that holds the new one, the old one and the new one.
pub(super) fn catalog(
    step: &mut Step<'_, '_, '_>,
    budget: &mut Budget,
) -> Result<Option<(u32, Dictionary, Dictionary)>, Code> {
    let Some(root) = step.new.trailer().get("Root").cloned() else {
        return Err(Code::Malformed);
    };
    // `Step::trailer` speaks of another root.
    if !same_value(step.old.trailer().get("Root"), Some(&root)) {
        return Ok(None);
    }
    let old = step.old.catalog(budget)?;
    let new = step.new.catalog(budget)?;
    let (holder, _) = step.enter(TRAILER, &root, Rule::Catalog, budget)?;
    // It is as it was but for keys that mean nothing but in a catalog, so other ways to it (a
    // signature's `/Data`) find nothing new.
    step.open_paths(holder);
    let extensions = (old.get("Extensions"), new.get("Extensions"));
    for (key, before, after) in differences(&old, &new) {
        match key {
            b"DSS" | b"AcroForm" | b"Extensions" | b"Metadata" => {}
            b"Version" if is_no_lower(step, before, after) => {}
            _other => step.refuse(code_of(key)),
        }
    }
    extend(step, holder, extensions, budget)?;
    let metadata_values = (old.get("Metadata"), new.get("Metadata"));
    metadata(step, holder, metadata_values, budget)?;
    Ok(Some((holder, old, new)))
}

/// What a change of the catalog's entry `key` is.
fn code_of(key: &[u8]) -> Code {
    match key {
        b"OpenAction" | b"AA" | b"Names" => Code::ChangedAction,
        b"Pages" | b"PageLabels" => Code::ChangedPages,
        b"OCProperties" => Code::ChangedContent,
        b"Perms" => Code::ChangedRights,
        _other => Code::ChangedCatalog,
    }
}

/// Whether the version does not go down; a catalog's counts from that of the header upwards.
fn is_no_lower(step: &Step<'_, '_, '_>, old: Option<&Object>, new: Option<&Object>) -> bool {
    let rank = |version: &[u8]| VERSIONS.iter().position(|known| *known == version);
    let of_name = |object: Option<&Object>| match object {
        Some(Object::Name(name)) => rank(name),
        Some(_) | None => None,
    };
    let header = step.file.data().get(5..8).and_then(rank);
    let before = header.max(of_name(old));
    of_name(new).is_some_and(|after| Some(after) >= before)
}

/// `/Extensions`: what was there stays or rises; what a signer needs may come.
fn extend(
    step: &mut Step<'_, '_, '_>,
    holder: u32,
    (old, new): (Option<&Object>, Option<&Object>),
    budget: &mut Budget,
) -> Result<(), Code> {
    let before = match old {
        Some(old) => step.old.dictionary(old, budget)?.unwrap_or_default(),
        None => Dictionary::default(),
    };
    let after = match new {
        Some(new) => step.enter(holder, new, Rule::Catalog, budget)?.1,
        None => Object::Dictionary(Dictionary::default()),
    };
    let Object::Dictionary(after) = after else {
        step.refuse(Code::ChangedCatalog);
        return Ok(());
    };
    for (key, old, new) in differences(&before, &after) {
        let is_known = matches!(key, b"ESIC" | b"ADBE" | b"ISO_");
        let is_fit = match (old, new) {
            (None, Some(new)) => is_known && is_extension(new),
            (Some(old), Some(new)) => is_known && is_extension(new) && level(old) <= level(new),
            (Some(_) | None, None) => false,
        };
        if !is_fit {
            step.refuse(Code::ChangedCatalog);
        }
    }
    Ok(())
}

/// A developer extensions dictionary, or several, all of it in place.
fn is_extension(object: &Object) -> bool {
    if let Object::Array(all) = object {
        return all
            .iter()
            .all(|one| matches!(one, Object::Dictionary(_)) && is_extension(one));
    }
    let Object::Dictionary(extension) = object else {
        return false;
    };
    extension.iter().all(|(key, value)| match key {
        b"Type" => *value == Object::Name(b"DeveloperExtensions".to_vec()),
        b"BaseVersion" => matches!(value, Object::Name(_)),
        b"ExtensionLevel" => matches!(value, Object::Integer(_)),
        b"URL" | b"ExtensionRevision" => matches!(value, Object::Text(_)),
        _other => false,
    })
}

fn level(object: &Object) -> Option<i64> {
    match object {
        Object::Dictionary(extension) => extension.integer("ExtensionLevel"),
        Object::Array(all) => all.iter().filter_map(level).max(),
        Object::Null
        | Object::Boolean(_)
        | Object::Integer(_)
        | Object::Real(_)
        | Object::Text(_)
        | Object::Name(_)
        | Object::Reference(_) => None,
    }
}

/// `/Metadata`: XMP that only the catalog leads to. Signers and archivers write the moment of
/// their work into it; nothing of it is on a page, so it is noted and no more.
fn metadata(
    step: &mut Step<'_, '_, '_>,
    holder: u32,
    (old, new): (Option<&Object>, Option<&Object>),
    budget: &mut Budget,
) -> Result<(), Code> {
    let Some(value) = new else {
        if old.is_some() {
            step.refuse(Code::ChangedCatalog);
        }
        return Ok(());
    };
    let is_touched =
        matches!(value, Object::Reference(id) if step.touched.contains_key(&id.number));
    if !is_touched {
        if !same_value(old, new) {
            step.refuse(Code::ChangedCatalog);
        }
        return Ok(());
    }
    let (number, _) = step.enter(holder, value, Rule::Metadata, budget)?;
    let Ok(Some(stream)) = step.new.stream(value, budget) else {
        step.refuse(Code::ChangedCatalog);
        return Ok(());
    };
    let is_metadata = stream.dictionary.iter().all(|(key, value)| match key {
        b"Type" => *value == Object::Name(b"Metadata".to_vec()),
        b"Subtype" => *value == Object::Name(b"XML".to_vec()),
        b"Length" | b"Filter" | b"DecodeParms" => true,
        _other => false,
    });
    step.length(number, stream.dictionary.get("Length"), budget)?;
    step.refuse(if is_metadata {
        Code::MetadataChanged
    } else {
        Code::ChangedCatalog
    });
    Ok(())
}

/// `/Info` of the trailer: the moment of the update and the program that made it, nothing else.
pub(super) fn information(step: &mut Step<'_, '_, '_>, budget: &mut Budget) -> Result<(), Code> {
    let old = step.old.trailer().get("Info").cloned();
    let new = step.new.trailer().get("Info").cloned();
    let Some(new) = new else {
        if old.is_some() {
            step.refuse(Code::ChangedInformation);
        }
        return Ok(());
    };
    let before = match &old {
        Some(old) => step.old.dictionary(old, budget)?.unwrap_or_default(),
        None => Dictionary::default(),
    };
    let (_, after) = step.enter(TRAILER, &new, Rule::Information, budget)?;
    if after == Object::Null && before == Dictionary::default() {
        return Ok(());
    }
    let Object::Dictionary(after) = after else {
        step.refuse(Code::ChangedInformation);
        return Ok(());
    };
    let is_moment = |key: &[u8]| matches!(key, b"ModDate" | b"Producer");
    let is_fit = differences(&before, &after)
        .iter()
        .all(|(key, _old, new)| is_moment(key) && matches!(new, Some(Object::Text(_))));
    if !is_fit {
        step.refuse(Code::ChangedInformation);
    }
    // A value that stands elsewhere and was replaced there is left unexplained.
    Ok(())
}
