//! One revision beside the one before it: what it touched, and which rule explains that.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{self, Graph};
use super::kind;
use super::lock::Terms;
use super::same::{differences, same_value};
use super::{archive, catalog, form, pages};
use crate::code::Code;
use crate::pdf::{Budget, Entry, File, Object, Revision, Section, View};

/// What a revision did to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touch {
    Added,
    Overridden,
    Freed,
}

/// The rules by which a change is explained, as the report names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    Catalog,
    Archive,
    TimeStamp,
    Form,
    Page,
    Information,
    Metadata,
    Container,
    Signature,
}

impl Rule {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Archive => "archive",
            Self::TimeStamp => "time_stamp",
            Self::Form => "form",
            Self::Page => "page",
            Self::Information => "information",
            Self::Metadata => "metadata",
            Self::Container => "container",
            Self::Signature => "signature",
        }
    }
}

/// A revision under examination.
pub(super) struct Step<'s, 'f, 'a> {
    pub(super) file: &'f File<'a>,
    pub(super) old: View<'f, 'a>,
    pub(super) new: View<'f, 'a>,
    pub(super) revision: &'f Revision,
    pub(super) terms: &'s Terms,
    pub(super) graph: &'s Graph,
    pub(super) touched: BTreeMap<u32, Touch>,
    pub(super) codes: BTreeSet<Code>,
    pub(super) rules: BTreeSet<Rule>,
    /// New fields that a rule let in, until they are met among the annotations of a page.
    pub(super) widgets: BTreeSet<u32>,
    /// Streams of the security store that were looked at, also by earlier revisions.
    pub(super) archived: BTreeSet<u32>,
    explained: BTreeSet<u32>,
    /// Objects of which it does not matter what leads to them.
    open: BTreeSet<u32>,
    /// How often a rule accepted a reference from the first object to the second.
    cleared: BTreeMap<(u32, u32), u32>,
}

impl<'s, 'f, 'a> Step<'s, 'f, 'a> {
    pub(super) fn new(
        file: &'f File<'a>,
        index: usize,
        revision: &'f Revision,
        terms: &'s Terms,
        graph: &'s Graph,
        archived: BTreeSet<u32>,
    ) -> Self {
        let old = file.view(index.saturating_sub(1));
        Self {
            file,
            old,
            new: file.view(index),
            revision,
            terms,
            graph,
            touched: touched(old, revision),
            codes: BTreeSet::new(),
            rules: BTreeSet::new(),
            widgets: BTreeSet::new(),
            archived,
            explained: BTreeSet::new(),
            open: BTreeSet::new(),
            cleared: BTreeMap::new(),
        }
    }

    /// Applies every rule; whatever is left then is a change that nothing explains.
    pub(super) fn judge(&mut self, budget: &mut Budget) -> Result<(), Code> {
        self.trailer();
        self.containers(budget)?;
        catalog::information(self, budget)?;
        if let Some((holder, old, new)) = catalog::catalog(self, budget)? {
            archive::archive(self, holder, old.get("DSS"), new.get("DSS"), budget)?;
            form::form(
                self,
                holder,
                old.get("AcroForm"),
                new.get("AcroForm"),
                budget,
            )?;
        }
        pages::pages(self, budget)?;
        self.rest(budget)
    }

    pub(super) fn count(&self, touch: Touch) -> usize {
        self.touched
            .values()
            .filter(|other| **other == touch)
            .count()
    }

    pub(super) fn refuse(&mut self, code: Code) {
        self.codes.insert(code);
    }

    /// Says that `rule` accounts for the object `number`, if this revision touched it.
    pub(super) fn explain(&mut self, number: u32, rule: Rule) {
        if self.touched.contains_key(&number) && self.explained.insert(number) {
            self.rules.insert(rule);
        }
    }

    /// Says that it does not matter what leads to `number`, which was there before.
    pub(super) fn open_paths(&mut self, number: u32) {
        if self.touched.get(&number) == Some(&Touch::Overridden) {
            self.open.insert(number);
        }
    }

    pub(super) fn is_explained(&self, number: u32) -> bool {
        self.explained.contains(&number)
    }

    /// Accepts the reference `value` in the object `holder`.
    pub(super) fn clear(&mut self, holder: u32, value: &Object) {
        let Object::Reference(id) = value else {
            return;
        };
        if self.touched.contains_key(&id.number) {
            let count = self.cleared.entry((holder, id.number)).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Accepts `value` in the object `holder` and explains what it leads to by `rule`; gives the
    /// object that holds what was found, and that itself.
    pub(super) fn enter(
        &mut self,
        holder: u32,
        value: &Object,
        rule: Rule,
        budget: &mut Budget,
    ) -> Result<(u32, Object), Code> {
        let Object::Reference(id) = value else {
            return Ok((holder, value.clone()));
        };
        self.clear(holder, value);
        self.explain(id.number, rule);
        Ok((id.number, self.new.resolve(value, budget)?))
    }

    /// Accepts the length of a stream, which may stand in an object of its own.
    pub(super) fn length(
        &mut self,
        holder: u32,
        length: Option<&Object>,
        budget: &mut Budget,
    ) -> Result<(), Code> {
        if let Some(length @ Object::Reference(_)) = length {
            let (_, value) = self.enter(holder, length, Rule::Container, budget)?;
            if !matches!(value, Object::Integer(_)) {
                self.refuse(Code::ChangedStructure);
            }
        }
        Ok(())
    }

    fn trailer(&mut self) {
        let (old, new) = (self.old.trailer(), self.new.trailer());
        for (key, before, after) in differences(old, new) {
            let code = match key {
                // What describes the cross-reference section itself.
                b"Prev" | b"Type" | b"W" | b"Index" | b"Length" | b"Filter" | b"DecodeParms" => {
                    continue;
                }
                // `catalog::information` looks into it.
                b"Info" => continue,
                b"Size" if old.integer("Size") <= new.integer("Size") => continue,
                b"ID" if is_same_document(before, after) => continue,
                b"Root" => Code::ChangedCatalog,
                // A writer need not repeat what no standard knows.
                _private if after.is_none() && key != b"ID" && key != b"Size" => continue,
                _other => Code::ChangedStructure,
            };
            self.refuse(code);
        }
        // An update that updates nothing has no honest writer.
        if self.touched.is_empty() {
            self.refuse(Code::ChangedStructure);
        }
    }

    /// Cross-reference and object streams: what the reader needs, and nothing else refers to.
    fn containers(&mut self, budget: &mut Budget) -> Result<(), Code> {
        let mut containers = BTreeSet::new();
        if let Section::Stream { id, .. } = self.revision.section {
            containers.insert(id.number);
        }
        for entry in self.revision.entries.values() {
            if let Entry::Packed { stream, .. } = entry {
                containers.insert(*stream);
            }
        }
        for number in containers {
            // An older container that is replaced takes with it what was packed into it.
            if self.touched.get(&number) != Some(&Touch::Added) {
                continue;
            }
            let object = graph::object(self.new, number, budget)?;
            let Object::Dictionary(dictionary) = object else {
                continue;
            };
            let kind = dictionary.name("Type");
            let extends = dictionary.get("Extends").is_some();
            if matches!(kind, Some(b"XRef" | b"ObjStm")) && !extends {
                self.explain(number, Rule::Container);
            }
        }
        Ok(())
    }

    fn rest(&mut self, budget: &mut Budget) -> Result<(), Code> {
        let touched: Vec<(u32, Touch)> = self
            .touched
            .iter()
            .map(|(number, touch)| (*number, *touch))
            .collect();
        for (number, touch) in touched {
            let is_explained = self.explained.contains(&number) && touch != Touch::Freed;
            if !(is_explained && self.is_cleared(number)) {
                let code = kind::of(self, number, touch, budget)?;
                self.refuse(code);
            }
        }
        Ok(())
    }

    /// Whether a rule accepted each reference to `number`.
    fn is_cleared(&self, number: u32) -> bool {
        self.open.contains(&number) || self.uncleared(number).next().is_none()
    }

    /// What refers to `number` without a rule that accepted it.
    pub(super) fn uncleared(&self, number: u32) -> impl Iterator<Item = u32> + '_ {
        let sources = self.graph.sources(number);
        let uncleared = sources
            .filter(move |(source, count)| self.cleared.get(&(*source, number)) != Some(count));
        uncleared.map(|(source, _count)| source)
    }
}

/// What `revision` did to each object that it names, beside what was there before.
fn touched(old: View<'_, '_>, revision: &Revision) -> BTreeMap<u32, Touch> {
    let mut touched = BTreeMap::new();
    for (number, entry) in &revision.entries {
        let was_there = !matches!(old.entry(*number), None | Some((_, Entry::Free { .. })));
        let is_there = !matches!(entry, Entry::Free { .. });
        let touch = match (was_there, is_there) {
            (false, false) => continue,
            (false, true) => Touch::Added,
            (true, true) => Touch::Overridden,
            (true, false) => Touch::Freed,
        };
        touched.insert(*number, touch);
    }
    if let Section::Stream { id, .. } = revision.section {
        touched.entry(id.number).or_insert(Touch::Added);
    }
    touched
}

/// Whether two file identifiers name the same document: the first half stays, the second tells
/// the versions apart. A file without one may get one.
fn is_same_document(old: Option<&Object>, new: Option<&Object>) -> bool {
    let Some(Object::Array(new)) = new else {
        return false;
    };
    let are_texts = new.iter().all(|half| matches!(half, Object::Text(_)));
    let is_pair = new.len() == 2 && are_texts;
    let Some(Object::Array(old)) = old else {
        return is_pair && old.is_none();
    };
    is_pair && same_value(old.first(), new.first())
}
