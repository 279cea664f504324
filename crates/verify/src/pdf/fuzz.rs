//! Files from a seed, and honest files that were altered.

use std::collections::BTreeMap;

use super::tests::{Draft, ROOT};
use super::{Budget, File, Object, ObjectId, View};
use crate::code::Code;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/fixtures/", $name, ".pdf")).as_slice()
    };
}

/// Small ones, so that an alteration seldom lands inside a stream, of every kind of structure.
const HONEST: [&[u8]; 17] = [
    fixture!("originals/unsigned-hybrid"),
    fixture!("originals/unsigned-hybrid-one"),
    fixture!("originals/unsigned-hybrid-word"),
    fixture!("producers/fpdf2"),
    fixture!("producers/mupdf-object-streams"),
    fixture!("producers/mupdf-update-of-mupdf"),
    fixture!("producers/mupdf-update-of-mupdf-object-streams"),
    fixture!("producers/pdfbox-update"),
    fixture!("producers/pikepdf-streams"),
    fixture!("producers/pyhanko-update-of-qpdf-linearized-object-streams"),
    fixture!("producers/pyhanko-update-of-qpdf-object-streams"),
    fixture!("producers/pypdf-update-of-reportlab"),
    fixture!("producers/qpdf-linearized"),
    fixture!("producers/qpdf-linearized-object-streams"),
    fixture!("producers/qpdf-object-streams"),
    fixture!("producers/reportlab"),
    fixture!("producers/signpdf"),
];

/// Some ten seconds each without optimisation.
const ALTERED_CASES: u64 = 6_000;
const MADE_CASES: u64 = 1_500;

/// Every object of a view; a stream with its bytes, and what its filters make of them.
fn objects(view: View<'_, '_>, budget: &mut Budget) -> BTreeMap<u32, (Object, Vec<u8>)> {
    let numbers: Vec<u32> = view.numbers().map(|(number, _entry)| number).collect();
    let read = numbers.into_iter().map(|number| {
        let (_revision, entry) = view.entry(number).unwrap();
        let generation = super::history::generation(entry).unwrap();
        let reference = Object::Reference(ObjectId { number, generation });
        // Every byte was gone through, so nothing is found out later.
        let object = view.resolve(&reference, budget).unwrap();
        let stream = view.stream(&reference, budget).ok().flatten();
        let bytes = stream.map(|stream| {
            let decoded = stream.decoded(&mut Budget::new());
            [stream.raw, &decoded.unwrap_or_default()].concat()
        });
        (number, (object, bytes.unwrap_or_default()))
    });
    read.collect()
}

/// What is cut off behind a revision shows the same as the view of that revision.
pub(super) fn each_revision_is_the_file_cut_there(bytes: &[u8]) -> Result<usize, Code> {
    let mut budget = Budget::new();
    let file = File::open(bytes, &mut budget)?;
    for (index, revision) in file.revisions().iter().enumerate() {
        // A linearized file says its length, which counts the last end of line.
        let ends = revision.ends.into_iter();
        let ends = ends.skip(usize::from(revision.front.is_some()));
        for end in ends {
            let cut = bytes.get(..end).unwrap();
            let cut = match File::open(cut, &mut Budget::new()) {
                Ok(cut) => cut,
                Err(code) => panic!("{code}"),
            };
            assert_eq!(cut.revisions().len(), index + 1);
            assert_eq!(cut.latest().trailer(), file.view(index).trailer());
            let (shown, cut) = (file.view(index), cut.latest());
            assert_eq!(objects(shown, &mut budget), objects(cut, &mut budget));
        }
    }
    Ok(file.revisions().len())
}

#[test]
fn fuzz_altered_files() {
    let mut taken = 0_u64;
    loket_fuzz::fuzz("altered-files", ALTERED_CASES, &HONEST, |bytes| {
        taken += u64::from(each_revision_is_the_file_cut_there(bytes).is_ok());
    });
    assert!(taken > 0, "control: some are still read");
}

/// What one revision of a made file does.
fn make(
    mut draft: Draft,
    shown: &mut BTreeMap<u32, String>,
    freed: &mut Vec<u32>,
    seeded: &mut loket_fuzz::Seeded,
    revision: u64,
) -> Draft {
    let is_stream = seeded.below(2) == 1;
    let mut packed: Vec<(u32, String)> = Vec::new();
    let mut numbers: Vec<u32> = (0..seeded.below(6))
        .map(|_| below(seeded, 20) + 2)
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.retain(|number| !freed.contains(number));
    for number in numbers {
        let text = format!("({})", seeded.below(1_000_000));
        match seeded.below(4) {
            0 if shown.contains_key(&number) => {
                draft = draft.entry(number, 0, 0, 1);
                shown.remove(&number);
                freed.push(number);
                continue;
            }
            1 if is_stream => packed.push((number, text.clone())),
            _ => draft = draft.raw("\n% a note\r\n").object(number, &text),
        }
        shown.insert(number, text);
    }
    let base = u32::try_from(100 + 10 * revision).unwrap();
    if !is_stream {
        return draft.table(ROOT);
    }
    let packed: Vec<(u32, &str)> = packed
        .iter()
        .map(|(at, text)| (*at, text.as_str()))
        .collect();
    draft.pack(base, "", &packed).xref_stream(base + 1, ROOT)
}

pub(super) fn below(seeded: &mut loket_fuzz::Seeded, end: u64) -> u32 {
    u32::try_from(seeded.below(end)).unwrap()
}

/// Files that follow the rules are read, and each revision shows what was made.
#[test]
fn fuzz_made_files() {
    loket_fuzz::fuzz_from("made-files", MADE_CASES, |seeded| {
        let mut draft = Draft::new().object(1, "<< /Type /Catalog >>");
        let (mut shown, mut freed, mut expect) = (BTreeMap::new(), Vec::new(), Vec::new());
        for revision in 0..1 + seeded.below(6) {
            draft = make(draft, &mut shown, &mut freed, seeded, revision);
            expect.push(shown.clone());
        }
        let read = each_revision_is_the_file_cut_there(&draft.bytes);
        assert_eq!(read, Ok(expect.len()));
        let mut budget = Budget::new();
        let file = File::open(&draft.bytes, &mut budget).unwrap();
        for (index, expect) in expect.iter().enumerate() {
            let view = file.view(index);
            let found = objects(view, &mut budget).into_iter();
            let found: BTreeMap<u32, String> = found
                .filter(|(number, _)| (2..100).contains(number))
                .map(|(number, (object, _))| {
                    let text = view.bytes(&object).unwrap();
                    (number, format!("({})", text.escape_ascii()))
                })
                .collect();
            assert_eq!(&found, expect, "revision {index}");
        }
    });
}
