//! One page: what it draws on, and with what.

use std::collections::BTreeSet;

use super::area::{Area, Matrix};
use super::content::{Word, Words};
use super::pen::Pen;
use crate::code::Code;
use crate::pdf::{Budget, Dictionary, Object, View};

/// Streams that one page's content may consist of.
const MAX_STREAMS: usize = 256;

/// How deep drawings may hold drawings.
const MAX_DRAWINGS: u32 = 8;

/// What a page has from the tree above it.
#[derive(Debug, Clone, Default)]
pub(super) struct Inherited {
    media: Option<Object>,
    crop: Option<Object>,
    resources: Option<Object>,
}

impl Inherited {
    pub(super) fn with(&self, node: &Dictionary) -> Self {
        let own = |key: &str, above: &Option<Object>| node.get(key).cloned().or(above.clone());
        Self {
            media: own("MediaBox", &self.media),
            crop: own("CropBox", &self.crop),
            resources: own("Resources", &self.resources),
        }
    }
}

/// Looks for what nobody sees on one page.
pub(super) fn search(
    view: View<'_, '_>,
    page: &Dictionary,
    inherited: &Inherited,
    found: &mut BTreeSet<Code>,
    budget: &mut Budget,
) -> Result<(), Code> {
    let mut sheet = Area::EVERYWHERE;
    for each in [&inherited.media, &inherited.crop].into_iter().flatten() {
        sheet = sheet.and(area(view, each, budget)?.unwrap_or(Area::EVERYWHERE));
    }
    let Some(contents) = page.get("Contents") else {
        return Ok(());
    };
    let streams = if let Object::Array(items) = view.resolve(contents, budget)? {
        items
    } else {
        vec![contents.clone()]
    };
    if streams.len() > MAX_STREAMS {
        return Err(Code::TooComplex);
    }
    let mut content = Vec::new();
    for stream in &streams {
        if let Some(stream) = view.stream(stream, budget)? {
            content.extend(stream.decoded(budget)?);
            content.push(b'\n');
        }
    }
    let resources = resources(view, inherited.resources.as_ref(), budget)?;
    let mut drawing = Drawing {
        view,
        found,
        budget,
        seen: BTreeSet::new(),
    };
    drawing.draw(&content, &resources, &mut Pen::on(sheet), MAX_DRAWINGS)
}

/// What is drawn, with the means to look up what it names.
pub(super) struct Drawing<'s, 'f, 'a> {
    view: View<'f, 'a>,
    found: &'s mut BTreeSet<Code>,
    budget: &'s mut Budget,
    /// Drawings that are being drawn.
    seen: BTreeSet<u32>,
}

impl Drawing<'_, '_, '_> {
    fn draw(
        &mut self,
        content: &[u8],
        resources: &Dictionary,
        pen: &mut Pen,
        depth_left: u32,
    ) -> Result<(), Code> {
        for word in Words::of(content) {
            self.budget.spend(8)?;
            match word {
                Word::Number(value) => pen.number(value),
                Word::Name(name) => pen.name(name),
                Word::Text => pen.text(),
                Word::Operator(operator) => {
                    match operator {
                        b"gs" => self.settings(resources, pen)?,
                        b"Do" => self.drawn(resources, pen, depth_left)?,
                        _other => {}
                    }
                    let covered = pen.operator(operator, self.found);
                    self.budget.spend(covered)?;
                }
            }
        }
        Ok(())
    }

    /// What `kind` of the resources has under the name that was said last.
    fn named(&mut self, resources: &Dictionary, kind: &str, pen: &Pen) -> Result<Object, Code> {
        let Some(all) = resources.get(kind) else {
            return Ok(Object::Null);
        };
        let Object::Dictionary(all) = self.view.resolve(all, self.budget)? else {
            return Ok(Object::Null);
        };
        let mut entries = all.iter();
        let found = entries.find(|(key, _value)| *key == pen.said());
        Ok(found.map_or(Object::Null, |(_key, value)| value.clone()))
    }

    fn settings(&mut self, resources: &Dictionary, pen: &mut Pen) -> Result<(), Code> {
        let named = self.named(resources, "ExtGState", pen)?;
        let Object::Dictionary(state) = self.view.resolve(&named, self.budget)? else {
            return Ok(());
        };
        if let Some(alpha) = state.get("ca").and_then(number) {
            pen.alpha(alpha);
        }
        if let Some(mode) = state.get("BM") {
            pen.blends(*mode != Object::Name(b"Normal".to_vec()));
        }
        Ok(())
    }

    fn drawn(
        &mut self,
        resources: &Dictionary,
        pen: &mut Pen,
        depth_left: u32,
    ) -> Result<(), Code> {
        let named = self.named(resources, "XObject", pen)?;
        let Object::Reference(id) = named else {
            return Ok(());
        };
        let Some(stream) = self.view.stream(&named, self.budget)? else {
            return Ok(());
        };
        let facts = &stream.dictionary;
        if facts.name("Subtype") == Some(b"Image") {
            let masks = ["SMask", "Mask", "ImageMask"];
            let is_whole = !masks.iter().any(|key| facts.get(key).is_some());
            let covered = pen.picture(is_whole, self.found);
            return self.budget.spend(covered);
        }
        if facts.name("Subtype") != Some(b"Form") || !self.seen.insert(id.number) {
            return Ok(());
        }
        let depth_left = depth_left.checked_sub(1).ok_or(Code::TooComplex)?;
        let matrix = match facts.get("Matrix") {
            Some(matrix) => numbers(self.view, matrix, self.budget)?,
            None => None,
        };
        let matrix = matrix.map_or(Matrix::UNMOVED, Matrix);
        let clip = match facts.get("BBox") {
            Some(clip) => numbers(self.view, clip, self.budget)?,
            None => None,
        };
        let own = match facts.get("Resources") {
            Some(own) => self::resources(self.view, Some(own), self.budget)?,
            None => resources.clone(),
        };
        let content = stream.decoded(self.budget)?;
        let before = pen.enter(matrix, clip);
        self.draw(&content, &own, pen, depth_left)?;
        pen.leave(before);
        self.seen.remove(&id.number);
        Ok(())
    }
}

fn resources(
    view: View<'_, '_>,
    object: Option<&Object>,
    budget: &mut Budget,
) -> Result<Dictionary, Code> {
    let found = match object {
        Some(object) => view.resolve(object, budget)?,
        None => Object::Null,
    };
    Ok(if let Object::Dictionary(found) = found {
        found
    } else {
        Dictionary::default()
    })
}

fn number(object: &Object) -> Option<f64> {
    if let Object::Integer(value) = object {
        return i32::try_from(*value).ok().map(f64::from);
    }
    let Object::Real(text) = object else {
        return None;
    };
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn numbers<const COUNT: usize>(
    view: View<'_, '_>,
    object: &Object,
    budget: &mut Budget,
) -> Result<Option<[f64; COUNT]>, Code> {
    let Object::Array(items) = view.resolve(object, budget)? else {
        return Ok(None);
    };
    let mut values = Vec::new();
    for item in items.iter().take(COUNT) {
        values.extend(number(&view.resolve(item, budget)?));
    }
    Ok(values.try_into().ok())
}

fn area(view: View<'_, '_>, object: &Object, budget: &mut Budget) -> Result<Option<Area>, Code> {
    let numbers = numbers(view, object, budget)?;
    Ok(numbers.map(|[left, bottom, right, top]| Area::around(&[(left, bottom), (right, top)])))
}
