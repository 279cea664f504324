//! Counts the pages of a document.

use std::collections::BTreeSet;

use crate::code::Code;
use crate::pdf::{Budget, Dictionary, Object, ObjectId, View};

/// Nodes of the page tree that are looked at: far more than any paper of the registry has.
const MAX_NODES: usize = 4_096;

/// How deep the page tree may be; 8 levels of 10 kids hold any document.
const MAX_TREE_DEPTH: u32 = 16;

/// Pages in the tree under the catalog, at least 1; every node's own count must agree.
pub(crate) fn count(
    view: View<'_, '_>,
    catalog: &Dictionary,
    budget: &mut Budget,
) -> Result<u32, Code> {
    let root = catalog.get("Pages").ok_or(Code::PageTree)?;
    let mut seen = BTreeSet::new();
    let pages = node(view, root, &mut seen, MAX_TREE_DEPTH, budget)?;
    if pages == 0 {
        Err(Code::PageTree)
    } else {
        Ok(pages)
    }
}

fn node(
    view: View<'_, '_>,
    object: &Object,
    seen: &mut BTreeSet<ObjectId>,
    depth_left: u32,
    budget: &mut Budget,
) -> Result<u32, Code> {
    let depth_left = depth_left.checked_sub(1).ok_or(Code::TooComplex)?;
    let Object::Reference(id) = object else {
        return Err(Code::PageTree);
    };
    if seen.len() == MAX_NODES {
        return Err(Code::TooComplex);
    }
    if !seen.insert(*id) {
        return Err(Code::PageTree);
    }
    let node_of_tree = view.dictionary(object, budget)?.ok_or(Code::PageTree)?;
    match node_of_tree.name("Type") {
        Some(b"Page") if node_of_tree.get("Kids").is_none() => Ok(1),
        Some(b"Pages") => {
            let kids = node_of_tree.get("Kids").ok_or(Code::PageTree)?;
            let kids = view.array(kids, budget)?.ok_or(Code::PageTree)?;
            let mut pages = 0_u32;
            for kid in &kids {
                pages = pages.saturating_add(node(view, kid, seen, depth_left, budget)?);
            }
            if node_of_tree.integer("Count") != Some(i64::from(pages)) {
                return Err(Code::PageTree);
            }
            Ok(pages)
        }
        Some(_) | None => Err(Code::PageTree),
    }
}
