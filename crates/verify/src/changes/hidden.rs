//! What a hybrid original hides from readers before PDF 1.5, as the signed revision shows it.
//!
//! Such a reader, which many printers have, takes what stands in the cross-reference stream alone as not there. That may
//! be the structure tree, which tells programs what is a heading and draws nothing: Microsoft Word hides it, and the
//! standard has this form for it. Where a page, a field or an outline leads to something hidden, two readers see two
//! documents under one signature.
//!
//! # Source
//! ISO 32000-2, 7.5.8.4 and 14.7.2; docs/adr/0041.

use std::collections::BTreeSet;

use super::graph::{Graph, TRAILER};
use crate::code::Code;
use crate::pdf::{Budget, Entry, File, Object, View};

/// Whether anything but the structure tree leads to what is hidden.
pub(super) fn fault(
    file: &File<'_>,
    view: View<'_, '_>,
    graph: &Graph,
    budget: &mut Budget,
) -> Result<Option<Code>, Code> {
    // What a later revision defined anew is there for all readers.
    let is_hidden = |number: &u32| {
        let entry = view.entry(*number);
        entry.is_some_and(|(revision, entry)| revision == 0 && !matches!(entry, Entry::Free { .. }))
    };
    let mut queue: Vec<u32> = file.hidden().filter(is_hidden).collect();
    if queue.is_empty() {
        return Ok(None);
    }
    let tree = match view.catalog(budget)?.get("StructTreeRoot") {
        Some(Object::Reference(id)) => Some(id.number),
        Some(_) | None => None,
    };
    let root = match view.trailer().get("Root") {
        Some(Object::Reference(id)) => Some(id.number),
        Some(_) | None => None,
    };
    let mut seen: BTreeSet<u32> = queue.iter().copied().collect();
    while let Some(number) = queue.pop() {
        for (source, count) in graph.sources(number) {
            let is_structure = Some(number) == tree && Some(source) == root && count == 1;
            if is_structure {
                continue;
            }
            if source == TRAILER {
                return Ok(Some(Code::HybridHides));
            }
            if seen.insert(source) {
                queue.push(source);
            }
        }
    }
    Ok(None)
}
