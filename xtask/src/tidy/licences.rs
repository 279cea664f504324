//! Licences of everything in the build: an expression of allowed ones, or a named exception.

use super::{Rule, Violation};
use crate::metadata::{Metadata, Package};

const ALLOWED: Rule = Rule {
    name: "licence of others",
    reason: "a regency must be able to ship and change the whole image without asking anyone",
};

/// Licences, by their SPDX name, that ask for no more than a notice, or for changes to one file.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Packages whose licence field says less than their files: name and reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

pub(super) fn check(metadata: &Metadata) -> Vec<Violation> {
    let packages = metadata.packages.iter();
    let unknown = packages.filter(|it| !EXCEPTIONS.iter().any(|(name, _)| *name == it.name));
    unknown.filter_map(refusal).collect()
}

fn refusal(package: &Package) -> Option<Violation> {
    let what = match package.license.as_deref() {
        None => format!("{} names no licence", package.name),
        Some(licence) if !allowed(licence) => format!("{} is under {licence}", package.name),
        Some(_) => return None,
    };
    Some(Violation::new(&ALLOWED, "Cargo.lock", 1, what))
}

/// Whether an SPDX expression, or the older spelling with `/`, can be met by allowed licences.
fn allowed(expression: &str) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    either(&mut rest) == Some(true) && rest.is_empty()
}

/// `both (OR both)*`; nothing where the expression is malformed.
fn either(rest: &mut &[&str]) -> Option<bool> {
    let mut met = both(rest)?;
    while take(rest, "OR") {
        met |= both(rest)?;
    }
    Some(met)
}

/// `one (AND one)*`.
fn both(rest: &mut &[&str]) -> Option<bool> {
    let mut met = one(rest)?;
    while take(rest, "AND") {
        met &= one(rest)?;
    }
    Some(met)
}

/// A licence with or without its exception, or an expression in brackets.
fn one(rest: &mut &[&str]) -> Option<bool> {
    if take(rest, "(") {
        let met = either(rest)?;
        return take(rest, ")").then_some(met);
    }
    let (name, after) = rest.split_first()?;
    *rest = after;
    if !take(rest, "WITH") {
        return Some(LICENCES.contains(name));
    }
    let (exception, after) = rest.split_first()?;
    *rest = after;
    Some(LICENCES.contains(&format!("{name} WITH {exception}").as_str()))
}

fn take(rest: &mut &[&str], word: &str) -> bool {
    match rest.split_first() {
        Some((first, after)) if *first == word => {
            *rest = after;
            true
        }
        Some(_) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_found;
    use super::*;

    fn check(expression: &str, expected: bool) {
        assert_eq!(allowed(expression), expected, "{expression}");
    }

    #[test]
    fn an_expression_passes_where_one_way_through_it_is_allowed() {
        check("MIT", true);
        check("MIT/Apache-2.0", true);
        check("MIT OR GPL-3.0", true);
        check("Apache-2.0 WITH LLVM-exception OR GPL-2.0", true);
        check("(MIT OR Apache-2.0) AND Unicode-3.0", true);
    }

    #[test]
    fn an_expression_that_needs_another_licence_is_refused() {
        check("GPL-3.0", false);
        check("MIT AND GPL-3.0", false);
        check("(MIT OR Apache-2.0) AND OpenSSL", false);
        check("MIT WITH Strange-exception", false);
        check("", false);
        check("(MIT", false);
        check("MIT MIT", false);
    }

    #[test]
    fn a_package_without_an_allowed_licence_is_found() {
        let metadata = Metadata::planted(&[("a", "MIT"), ("b", "GPL-3.0"), ("c", "")], &[]);
        assert_found(&super::check(&metadata), &[&ALLOWED, &ALLOWED]);
    }
}
