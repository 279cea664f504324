//! What the signed pages draw and nobody sees: text without ink, in the colour of paper, cut away or drawn over, and what
//! lies beyond the edge of a page.
//!
//! Everything found here is a note. It is signed, and shown to everyone alike; scans bear the text that a program
//! recognised in them, printers want colours beyond the edge. But who copies such a page, or gives it to a program that
//! reads it, gets another text than who looks at it, and an officer should know. What draws is followed as far as that
//! takes: where text begins, not how long it runs; rectangles, not outlines; colours of devices, not of profiles. What was
//! not followed to its end says so (`V-648`).
//!
//! # Source
//! ISO 32000-2, 8.2 (operators), 8.4 (graphics state), 9.3 (text state), 14.11.2 (boxes of a page).

mod area;
mod content;
mod page;
mod pen;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::code::Code;
use crate::pdf::{Budget, Dictionary, Object, View};

/// Pages that are searched; a family card has one or two.
const MAX_PAGES: usize = 64;

/// How deep the page tree may be.
const MAX_TREE_DEPTH: u32 = 16;

/// Notes on the pages of `view`.
pub(crate) fn notes(view: View<'_, '_>) -> BTreeSet<Code> {
    let mut found = BTreeSet::new();
    // A budget of its own: what cannot be searched to the end is no reason to judge nothing.
    let mut budget = Budget::small();
    let searched = search(view, &mut found, &mut budget);
    if searched.is_err() {
        found.insert(Code::PagesUnsearched);
    }
    found
}

fn search(view: View<'_, '_>, found: &mut BTreeSet<Code>, budget: &mut Budget) -> Result<(), Code> {
    let Some(root) = view.catalog(budget)?.get("Pages").cloned() else {
        return Ok(());
    };
    let mut pages = Vec::new();
    node(
        view,
        &root,
        &page::Inherited::default(),
        MAX_TREE_DEPTH,
        &mut pages,
        budget,
    )?;
    for (dictionary, inherited) in &pages {
        page::search(view, dictionary, inherited, found, budget)?;
    }
    Ok(())
}

fn node(
    view: View<'_, '_>,
    object: &Object,
    above: &page::Inherited,
    depth_left: u32,
    pages: &mut Vec<(Dictionary, page::Inherited)>,
    budget: &mut Budget,
) -> Result<(), Code> {
    let depth_left = depth_left.checked_sub(1).ok_or(Code::TooComplex)?;
    let Some(dictionary) = view.dictionary(object, budget)? else {
        return Ok(());
    };
    let inherited = above.with(&dictionary);
    let Some(kids) = dictionary.get("Kids") else {
        if pages.len() == MAX_PAGES {
            return Err(Code::TooComplex);
        }
        pages.push((dictionary, inherited));
        return Ok(());
    };
    for kid in view.array(kids, budget)?.unwrap_or_default() {
        node(view, &kid, &inherited, depth_left, pages, budget)?;
    }
    Ok(())
}
