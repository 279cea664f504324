//! Who refers to whom, so that every path to a changed object can be looked at.
//!
//! It starts at the trailer and follows every reference; what nothing leads to is not in it. With
//! each revision only what the revision touched is read again, so the whole history of a file
//! costs about as much as reading it once.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::Code;
use crate::pdf::{Budget, Entry, Object, ObjectId, View};

/// The trailer among the sources: no object in use has number 0.
pub(super) const TRAILER: u32 = 0;

/// References from one object to another that are remembered; an honest family card has about
/// 50, a tagged document of 100 pages some 20,000. Each takes some 20 bytes.
const MAX_REFERENCES: usize = 128 * 1024;

/// Steps of an object and of each that it refers to, beside those of reading it.
const NODE_STEPS: usize = 128;
const REFERENCE_STEPS: usize = 64;

/// The references of a file as it stood at the end of one revision, by object number.
#[derive(Debug, Default)]
pub(super) struct Graph {
    forward: BTreeMap<u32, BTreeMap<u32, u32>>,
    backward: BTreeMap<u32, BTreeSet<u32>>,
    size: usize,
}

impl Graph {
    /// Reads everything that the trailer of `view` leads to; `look` sees each object once.
    pub(super) fn of(
        view: View<'_, '_>,
        look: &mut dyn FnMut(u32, &Object),
        budget: &mut Budget,
    ) -> Result<Self, Code> {
        let mut graph = Self::default();
        graph.follow(view, vec![TRAILER], look, budget)?;
        Ok(graph)
    }

    /// Goes on to the next revision, which touched the objects `touched`.
    pub(super) fn update(
        &mut self,
        view: View<'_, '_>,
        touched: impl Iterator<Item = u32>,
        budget: &mut Budget,
    ) -> Result<(), Code> {
        let mut again = vec![TRAILER];
        again.extend(touched.filter(|number| *number != TRAILER));
        again.retain(|number| self.forget(*number));
        self.follow(view, again, &mut |_number, _object| {}, budget)
    }

    /// What refers to `target`, and how often.
    pub(super) fn sources(&self, target: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let sources = self.backward.get(&target).into_iter().flatten();
        sources.map(move |source| {
            let targets = self.forward.get(source);
            let count = targets.and_then(|targets| targets.get(&target));
            (*source, count.copied().unwrap_or_default())
        })
    }

    /// Drops what `number` refers to; says whether it was known.
    fn forget(&mut self, number: u32) -> bool {
        let Some(targets) = self.forward.remove(&number) else {
            return false;
        };
        self.size = self.size.saturating_sub(targets.len());
        for target in targets.keys() {
            if let Some(sources) = self.backward.get_mut(target) {
                sources.remove(&number);
            }
        }
        true
    }

    fn follow(
        &mut self,
        view: View<'_, '_>,
        mut queue: Vec<u32>,
        look: &mut dyn FnMut(u32, &Object),
        budget: &mut Budget,
    ) -> Result<(), Code> {
        while let Some(number) = queue.pop() {
            if self.forward.contains_key(&number) {
                continue;
            }
            let object = if number == TRAILER {
                Object::Dictionary(view.trailer().clone())
            } else {
                object(view, number, budget)?
            };
            look(number, &object);
            let mut targets = BTreeMap::new();
            collect(&object, &mut targets);
            let steps = targets.len().saturating_mul(REFERENCE_STEPS);
            budget.spend(steps.saturating_add(NODE_STEPS))?;
            self.size = self.size.saturating_add(targets.len());
            if self.size > MAX_REFERENCES {
                return Err(Code::TooComplex);
            }
            for target in targets.keys() {
                self.backward.entry(*target).or_default().insert(number);
                if !self.forward.contains_key(target) {
                    queue.push(*target);
                }
            }
            self.forward.insert(number, targets);
        }
        Ok(())
    }
}

/// The object `number` as it is in use, whatever generation a reference names.
pub(super) fn object(view: View<'_, '_>, number: u32, budget: &mut Budget) -> Result<Object, Code> {
    match reference(view, number) {
        Some(reference) => view.resolve(&reference, budget),
        None => Ok(Object::Null),
    }
}

/// A reference to the object `number` with the generation that it has; none if it is not in use.
pub(super) fn reference(view: View<'_, '_>, number: u32) -> Option<Object> {
    let (_revision, entry) = view.entry(number)?;
    let generation = match entry {
        Entry::Free { .. } => return None,
        Entry::Used { generation, .. } => generation,
        Entry::Packed { .. } => 0,
    };
    Some(Object::Reference(ObjectId { number, generation }))
}

fn collect(object: &Object, targets: &mut BTreeMap<u32, u32>) {
    if let Object::Reference(id) = object {
        let count = targets.entry(id.number).or_default();
        *count = count.saturating_add(1);
    } else if let Object::Array(items) = object {
        for item in items {
            collect(item, targets);
        }
    } else if let Object::Dictionary(dictionary) = object {
        for (_key, value) in dictionary.iter() {
            collect(value, targets);
        }
    }
}
