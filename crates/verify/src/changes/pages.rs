//! Pages: they stay as they are, but for the widgets of new fields among their annotations.

use std::collections::BTreeSet;

use super::graph;
use super::same::differences;
use super::step::{Rule, Step, Touch};
use crate::code::Code;
use crate::pdf::{Budget, Dictionary, Object};

/// Compares each page that this revision rewrote, and each array of annotations.
pub(super) fn pages(step: &mut Step<'_, '_, '_>, budget: &mut Budget) -> Result<(), Code> {
    let overridden: Vec<u32> = step
        .touched
        .iter()
        .filter(|(number, touch)| **touch == Touch::Overridden && !step.is_explained(**number))
        .map(|(number, _touch)| *number)
        .collect();
    let mut placed = BTreeSet::new();
    let mut arrays = Vec::new();
    for number in overridden {
        let old = graph::object(step.old, number, budget)?;
        let new = graph::object(step.new, number, budget)?;
        if let (Object::Dictionary(old), Object::Dictionary(new)) = (&old, &new)
            && old.name("Type") == Some(b"Page")
        {
            page(step, number, (old, new), &mut placed, budget)?;
        } else if matches!((old, new), (Object::Array(_), Object::Array(_))) {
            arrays.push(number);
        }
    }
    for number in arrays {
        array(step, number, &mut placed, budget)?;
    }
    Ok(())
}

fn page(
    step: &mut Step<'_, '_, '_>,
    number: u32,
    (old, new): (&Dictionary, &Dictionary),
    placed: &mut BTreeSet<u32>,
    budget: &mut Budget,
) -> Result<(), Code> {
    step.explain(number, Rule::Page);
    // As it was but for `/Annots`, which means something in a page alone: it does not matter
    // what leads to it.
    step.open_paths(number);
    for (key, _old, _new) in differences(old, new) {
        match key {
            b"Annots" => {}
            b"Contents" => step.refuse(Code::ChangedContent),
            b"Resources" => step.refuse(Code::ChangedResources),
            b"AA" => step.refuse(Code::ChangedAction),
            _other => step.refuse(Code::ChangedPages),
        }
    }
    annotations(
        step,
        number,
        (old.get("Annots"), new.get("Annots")),
        placed,
        budget,
    )
}

/// An array of annotations that stands on its own, of a page that was not rewritten.
fn array(
    step: &mut Step<'_, '_, '_>,
    number: u32,
    placed: &mut BTreeSet<u32>,
    budget: &mut Budget,
) -> Result<(), Code> {
    let graph = step.graph;
    let mut sources = graph.sources(number);
    let (Some((page, 1)), None) = (sources.next(), sources.next()) else {
        return Ok(());
    };
    if step.is_explained(number) {
        return Ok(());
    }
    let Object::Dictionary(page_now) = graph::object(step.new, page, budget)? else {
        return Ok(());
    };
    let value = page_now.get("Annots");
    let leads_here = matches!(value, Some(Object::Reference(id)) if id.number == number);
    if page_now.name("Type") == Some(b"Page") && leads_here {
        annotations(step, page, (value, value), placed, budget)?;
    }
    Ok(())
}

fn annotations(
    step: &mut Step<'_, '_, '_>,
    page: u32,
    (old, new): (Option<&Object>, Option<&Object>),
    placed: &mut BTreeSet<u32>,
    budget: &mut Budget,
) -> Result<(), Code> {
    let before = match old {
        Some(old) => step.old.array(old, budget)?.unwrap_or_default(),
        None => Vec::new(),
    };
    let (holder, after) = match new {
        Some(new) => step.enter(page, new, Rule::Page, budget)?,
        None => (page, Object::Array(Vec::new())),
    };
    let Object::Array(after) = after else {
        step.refuse(Code::ChangedAnnotation);
        return Ok(());
    };
    let Some(added) = after.strip_prefix(before.as_slice()) else {
        step.refuse(Code::ChangedAnnotation);
        return Ok(());
    };
    for annotation in added {
        let is_widget = matches!(annotation, Object::Reference(id)
            if step.widgets.contains(&id.number) && placed.insert(id.number));
        if is_widget {
            step.clear(holder, annotation);
        } else {
            step.refuse(Code::ChangedAnnotation);
        }
    }
    Ok(())
}
