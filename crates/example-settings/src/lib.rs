//! Holds the example settings of a program to the keys that it knows, in the tests of programs.
//!
//! The examples name every key, also those that are left out as a rule: an administrator has no other list of them.
#![expect(clippy::panic, reason = "a check that a test makes fails the test")]

use std::collections::{BTreeMap, BTreeSet};

/// A key that no settings know.
const NO_KEY: &str = "no_such_key = 0";

/// Compares what `example` shows in each table with what `complaint` says is known there: the program's own refusal of
/// settings with a key that it does not know.
///
/// # Panics
/// Where a key is shown and not known, or known and not shown.
pub fn assert_complete(name: &str, example: &str, complaint: impl Fn(&str) -> String) {
    let plain = |line: &str| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => setting.to_owned(),
        Some(_) | None => line.to_owned(),
    };
    let lines: Vec<String> = example.lines().map(plain).collect();
    let mut shown: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut known: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let ask = |at: usize| {
        let mut asked = lines.clone();
        asked.insert(at, NO_KEY.to_owned());
        expected(&complaint(&asked.join("\n")))
    };
    known.insert("", ask(0));
    let mut table = "";
    for (at, line) in lines.iter().enumerate() {
        if let Some(name) = opened(line) {
            table = name;
            let (within, key) = name.rsplit_once('.').unwrap_or(("", name));
            shown.entry(within).or_default().insert(key.to_owned());
            known.insert(table, ask(at + 1));
        } else if let Some(key) = given(line) {
            shown.entry(table).or_default().insert(key.to_owned());
        }
    }
    assert_eq!(shown, known, "{name}");
}

/// The name of the table that a line opens.
fn opened(line: &str) -> Option<&str> {
    let line = line.strip_prefix('[')?.strip_suffix(']')?;
    Some(line.trim_start_matches('[').trim_end_matches(']'))
}

/// The key that a line gives, commented out or not.
fn given(line: &str) -> Option<&str> {
    let (key, _value) = line.trim_start_matches(['#', ' ']).split_once(" = ")?;
    let is_key = key
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit());
    is_key.then_some(key)
}

/// What the program would have taken instead of a key that it does not know.
fn expected(complaint: &str) -> BTreeSet<String> {
    let (_before, after) = complaint
        .split_once("unknown field `no_such_key`, expected ")
        .unwrap_or_else(|| panic!("unknown keys are taken: {complaint}"));
    let names = after.split('`').skip(1).step_by(2);
    names.map(str::to_owned).collect()
}
