//! More than ten thousand forged documents, each made by a rule: none is ever valid.
//!
//! Every family has controls: the same writer and the same signer make a document without a forgery, and that one is
//! judged as its original is. Without them a generator that merely breaks files would pass.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a forgery that cannot be made fails the test"
)]

mod asn1;
mod authority;
mod bytes;
mod catalog;
mod containers;
mod dict;
mod doc;
mod edit;
mod form;
mod hierarchies;
mod hybrids;
mod judge;
mod judges;
mod originals;
mod pages;
mod settled;
mod signed;
mod signer;
mod update;

use std::collections::{BTreeMap, BTreeSet};

use loket_verify::Verdict;

use crate::authority::issuing;
use crate::doc::{Doc, signed_end};
use crate::edit::{Edit, Edits};
use crate::judge::{Judge, Tally, codes};
use crate::originals::{CARRIERS, ORIGINALS};
use crate::signed::{Signed, Workshop};
use crate::update::{Form, Update};

/// Fewer files would be less than the project promises: by updates, in the bytes as they stand, and by containers.
const LEAST_UPDATES: [usize; 2] = [5_000, 2_500];
const LEAST_BYTES: usize = 5_500;
const LEAST_CONTAINERS: usize = 2_000;
const _: () = assert!(
    LEAST_UPDATES[0] + LEAST_UPDATES[1] + LEAST_BYTES + LEAST_CONTAINERS >= 10_000,
    "ten thousand forgeries at least"
);

/// Originals that share the edits among them: each edit is made of every third one, written in another way each time.
const TURNS: usize = 3;

/// Ways to write an update behind a file with tables, the usual one first.
const BEHIND_TABLES: [Form; 6] = [
    Form::Table,
    Form::Stream,
    Form::Packed,
    Form::Hybrid,
    Form::Filtered,
    Form::PackedFiltered,
];

/// Ways to write an update behind a file with cross-reference streams.
const BEHIND_STREAMS: [Form; 5] = [
    Form::Packed,
    Form::Stream,
    Form::PackedFiltered,
    Form::Filtered,
    Form::Table,
];

#[test]
fn no_update_behind_tables_is_ever_valid() {
    let mut tally = Tally::default();
    let judge = Judge::new();
    for (index, doc) in docs().filter(|(_, doc)| !doc.has_streams) {
        updates(&doc, index, &judge, &mut tally);
    }
    tally.settle(LEAST_UPDATES[0]);
}

#[test]
fn no_update_behind_streams_is_ever_valid() {
    let mut tally = Tally::default();
    let judge = Judge::new();
    for (index, doc) in docs().filter(|(_, doc)| doc.has_streams) {
        updates(&doc, index, &judge, &mut tally);
    }
    tally.settle(LEAST_UPDATES[1]);
}

#[test]
fn no_edited_bytes_are_ever_valid() {
    let mut tally = Tally::default();
    let judge = Judge::new();
    for (index, doc) in docs() {
        edited_bytes(&doc, u64::try_from(index).unwrap(), &judge, &mut tally);
    }
    tally.settle(LEAST_BYTES);
}

#[test]
fn no_forged_container_is_ever_valid() {
    let mut tally = Tally::default();
    let workshop = Workshop::new();
    for (name, bytes) in ORIGINALS.iter().filter(|it| CARRIERS.contains(&it.0)) {
        containers(name, workshop.forgeries(bytes), &mut tally);
    }
    for (name, bytes) in ORIGINALS.iter().filter(|it| it.0.contains("hybrid")) {
        containers(name, workshop.hybrids(bytes), &mut tally);
    }
    tally.settle(LEAST_CONTAINERS);
}

/// Every original as a forger sees it, with its place among them.
fn docs() -> impl Iterator<Item = (usize, Doc)> {
    let originals = ORIGINALS.iter().enumerate();
    originals.map(|(index, (name, bytes))| (index, Doc::of(name, bytes)))
}

/// Updates behind the newest revision, and behind the signed one where an archive stood.
fn updates(doc: &Doc, turn: usize, judge: &Judge, tally: &mut Tally) {
    let original = doc.bytes.as_slice();
    let expect = judge.report(original).verdict;
    let signed = &original[..signed_end(original)];
    let bare = (signed.len() < original.len()).then(|| Doc::of(&doc.name, signed));
    let forms = forms(doc);
    let edits = all_edits(doc);
    let mine = |index: &usize| (index + turn).is_multiple_of(TURNS);
    for (index, edit) in edits.iter().enumerate().filter(|(index, _)| mine(index)) {
        // Another way to write it for each original that has it.
        let form = forms[(index + turn) / TURNS % forms.len()];
        let forged = edit.update.behind(doc, form);
        let name = format!("{}: {} ({form:?})", doc.name, edit.name);
        let report = judge.report(&forged);
        tally.forged(edit.family, &name, original, &report);
    }
    if expect == Verdict::Valid {
        let families: BTreeSet<_> = edits.iter().map(|edit| edit.family).collect();
        // Updates are not read where they are hybrid: nothing is proved by them.
        for form in forms.iter().filter(|form| **form != Form::Hybrid) {
            let report = judge.report(&archive(doc).behind(doc, *form));
            for family in &families {
                let name = format!("{} ({form:?})", doc.name);
                tally.control(family, &name, &report, Verdict::Valid);
            }
        }
        for edit in settled::updates(doc) {
            let name = format!("{}: {}", doc.name, edit.name);
            let report = judge.report(&edit.update.behind(doc, forms[0]));
            tally.control(edit.family, &name, &report, Verdict::Valid);
            tally.printed(edit.family, &name, original, &report);
        }
    }
    let Some(bare) = bare else {
        return;
    };
    let mut edits = Edits::default();
    pages::edits(&bare, &mut edits);
    form::edits(&bare, &mut edits);
    let mine = |index: &usize| (index + turn).is_multiple_of(TURNS * TURNS);
    for (index, edit) in edits.0.iter().enumerate().filter(|(index, _)| mine(index)) {
        let form = forms[(index + turn) / TURNS % forms.len()];
        let forged = edit.update.behind(&bare, form);
        let name = format!("{} without its archive: {} ({form:?})", doc.name, edit.name);
        tally.forged(edit.family, &name, original, &judge.report(&forged));
    }
}

/// Every change that an update can make.
fn all_edits(doc: &Doc) -> Vec<Edit> {
    let mut edits = Edits::default();
    pages::edits(doc, &mut edits);
    catalog::edits(doc, &mut edits);
    form::edits(doc, &mut edits);
    edits.0
}

const fn forms(doc: &Doc) -> &'static [Form] {
    if doc.has_streams {
        &BEHIND_STREAMS
    } else {
        &BEHIND_TABLES
    }
}

/// What an archive adds honestly: a store with one certificate more.
fn archive(doc: &Doc) -> Update {
    let store = doc.catalog().reference("/DSS");
    let known = store.map(|number| doc.dict(number)).unwrap_or_default();
    let (own, data) = (store.unwrap_or(doc.next + 1), doc.next);
    let update = Update::new().stream(data, "", &issuing()).object(
        own,
        known.with_item("/Certs", &format!("{data} 0 R")).text(),
    );
    if store.is_some() {
        return update;
    }
    let catalog = doc.catalog().with("/DSS", &format!("{own} 0 R"));
    update.object(doc.root, catalog.text())
}

fn edited_bytes(doc: &Doc, seed: u64, judge: &Judge, tally: &mut Tally) {
    let expect = judge.report(&doc.bytes);
    for forgery in bytes::forgeries(doc, seed) {
        let report = judge.report(&forgery.bytes);
        let name = format!("{}: {}", doc.name, forgery.name);
        // What was bent here was valid before.
        if expect.verdict == Verdict::Valid {
            tally.control(forgery.family, &name, &expect, Verdict::Valid);
        }
        tally.forged(forgery.family, &name, &doc.bytes, &report);
    }
}

fn containers(name: &str, made: Vec<Signed>, tally: &mut Tally) {
    let mut judges: BTreeMap<Option<Vec<u8>>, Judge> = BTreeMap::new();
    for made in made {
        let judge = judges
            .entry(made.list.clone())
            .or_insert_with(|| Judge::with_list(made.list.as_deref()));
        let report = judge.report(&made.forgery.bytes);
        let (family, of) = (
            made.forgery.family,
            format!("{name}: {}", made.forgery.name),
        );
        if made.is_honest {
            tally.control(family, &of, &report, Verdict::Valid);
        } else {
            tally.forged(family, &of, &made.forgery.bytes, &report);
        }
    }
}

#[test]
fn the_originals_are_judged_for_what_they_are() {
    let judge = Judge::new();
    for (name, bytes) in ORIGINALS {
        let report = judge.report(bytes);
        println!("{name}: {:?} {:?}", report.verdict, codes(&report));
    }
}
