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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::{ChangeLevel, after_signing};

    const SIGNED: &[u8] =
        include_bytes!("../../../../tests/fixtures/originals/pyhanko-hybrid-bb-table.pdf");

    /// What is found where every `from` says `to`.
    fn codes(from: &str, to: &str) -> Vec<Code> {
        assert_eq!(from.len(), to.len());
        let mut bytes = SIGNED.to_vec();
        let places = bytes.windows(from.len()).enumerate();
        let places = places.filter(|(_, window)| *window == from.as_bytes());
        let places: Vec<usize> = places.map(|(place, _)| place).collect();
        assert!(!places.is_empty(), "{from}");
        for place in places {
            bytes[place..place + to.len()].copy_from_slice(to.as_bytes());
        }
        let mut budget = Budget::new();
        let file = File::open(&bytes, &mut budget).unwrap();
        after_signing(&file, 1, ChangeLevel::Sealed, &mut budget).codes
    }

    #[test]
    fn the_structure_tree_alone_may_lead_to_what_is_hidden() {
        let tree = "/StructTreeRoot 9 0 R";
        assert!(!codes(tree, tree).contains(&Code::HybridHides));
        for (from, to) in [
            (tree, "/Outlines 9 0 R      "),
            (tree, "/StructTreeRoot 7 0 R"),
            ("/Info 8 0 R", "/Info 9 0 R"),
            ("/F1 3 0 R", "/F1 9 0 R"),
            ("/Contents 4 0 R", "/Contents 9 0 R"),
        ] {
            let is_told = codes(from, to).contains(&Code::HybridHides);
            // A tree that nobody needs hides nothing.
            assert_eq!(is_told, to != "/StructTreeRoot 7 0 R", "{to}");
        }
    }
}
