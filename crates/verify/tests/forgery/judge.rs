//! What the judge knows, and what it says of one file.

use std::collections::BTreeMap;

use loket_verify::{Policy, Report, Trust, Verdict, check};
use loket_wire::{Sha256Digest, Timestamp};

use crate::authority::{ISSUING, ROOT};
use crate::doc::signed_end;
use crate::signed::usual_list;

const ROOT_LIST: &[u8] = include_bytes!("../../../../tests/fixtures/trust/root.crl.pem");
const ISSUING_LIST: &[u8] = include_bytes!("../../../../tests/fixtures/trust/issuing.crl");

/// The moment of judging: after the expired official's certificate ended.
const AT: &str = "2026-11-22T00:00:00Z";

/// A judge with the trust of a machine.
#[derive(Debug)]
pub(crate) struct Judge {
    trust: Trust,
    at: Timestamp,
}

impl Judge {
    /// The trust of the fixtures.
    pub(crate) fn new() -> Self {
        Self::with(&[ISSUING_LIST])
    }

    /// The same with other lists of the issuing authority.
    pub(crate) fn with(lists: &[&[u8]]) -> Self {
        let known = [ROOT.as_bytes(), ISSUING.as_bytes(), ROOT_LIST];
        let files = known.into_iter().chain(lists.iter().copied());
        Self {
            trust: Trust::from_files(files).unwrap(),
            at: Timestamp::parse_rfc3339(AT).unwrap(),
        }
    }

    /// One that has `list` in the place of the issuing authority's.
    pub(crate) fn with_list(list: Option<&[u8]>) -> Self {
        match list {
            Some(list) => Self::with(&[list]),
            None => Self::with(&[&usual_list()]),
        }
    }

    pub(crate) fn report(&self, bytes: &[u8]) -> Report {
        check(bytes, &self.trust, &Policy::default(), self.at)
    }
}

/// How many files of each family there were, and what was found in them.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) families: BTreeMap<&'static str, usize>,
    pub(crate) controls: BTreeMap<&'static str, usize>,
    pub(crate) codes: BTreeMap<&'static str, usize>,
    pub(crate) wrong: Vec<String>,
}

impl Tally {
    /// A forged file: it must not be valid, and what may be printed of it must be what was signed.
    pub(crate) fn forged(
        &mut self,
        family: &'static str,
        name: &str,
        original: &[u8],
        report: &Report,
    ) {
        *self.families.entry(family).or_default() += 1;
        for code in codes(report) {
            *self.codes.entry(code).or_default() += 1;
        }
        if report.verdict == Verdict::Valid {
            self.say(format!("VALID {family}: {name}"));
        }
        self.printed(family, name, original, report);
    }

    /// A file without a forgery, made the same way: it must be judged as its original is.
    pub(crate) fn control(
        &mut self,
        family: &'static str,
        name: &str,
        report: &Report,
        expect: Verdict,
    ) {
        *self.controls.entry(family).or_default() += 1;
        if report.verdict != expect {
            let found = codes(report);
            self.say(format!(
                "CONTROL {family}: {name}: {:?} {found:?}",
                report.verdict
            ));
        }
    }

    /// Whatever may be printed are the bytes that somebody signed.
    pub(crate) fn printed(&mut self, family: &str, name: &str, original: &[u8], report: &Report) {
        let Some(revision) = &report.revision else {
            return;
        };
        let end = usize::try_from(revision.size_bytes).unwrap();
        let is_signed = end == signed_end(original)
            && original
                .get(..end)
                .is_some_and(|signed| revision.sha256 == Sha256Digest::of(signed));
        if !is_signed {
            self.wrong
                .push(format!("PRINTS {family}: {name}: {end} bytes"));
        }
    }

    /// Says what is wrong at once: the rest may take a while.
    fn say(&mut self, wrong: String) {
        println!("{wrong}");
        self.wrong.push(wrong);
    }

    /// Tells the figures, and fails where one file was judged wrong, files are missing, or a family had no control.
    pub(crate) fn settle(mut self, least: usize) {
        let forged: usize = self.families.values().sum();
        let controls: usize = self.controls.values().sum();
        println!("{forged} forgeries, {controls} controls");
        println!("by family: {:#?}", self.families);
        println!("controls: {:#?}", self.controls);
        println!("by code: {:#?}", self.codes);
        self.wrong.sort();
        let shown: Vec<&String> = self.wrong.iter().take(200).collect();
        let count = self.wrong.len();
        assert!(self.wrong.is_empty(), "{count} wrong: {shown:#?}");
        assert!(forged >= least, "{forged} forgeries");
        let families = self.families.keys();
        let without: Vec<_> = families
            .filter(|family| !self.controls.contains_key(*family))
            .collect();
        assert!(
            without.is_empty(),
            "families without a control: {without:?}"
        );
    }
}

pub(crate) fn codes(report: &Report) -> Vec<&'static str> {
    let of_signatures = report
        .signatures
        .iter()
        .flat_map(|signature| &signature.findings);
    let mut codes: Vec<&str> = of_signatures
        .chain(&report.findings)
        .map(|finding| finding.code.id())
        .collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}
