//! Whether the codes on a paper are those of the document that it is said to be.

use crate::payload::Payload;
use crate::rule::Rule;

/// What comparing the codes of a paper with those of its document gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// For each code on the paper, whether the document has it too.
    pub matches: Vec<bool>,
    /// What there is to say, in the order of the rules; nothing where neither has a code.
    pub findings: Vec<Rule>,
}

impl Comparison {
    /// Whether paper and document say the same: `None` where a code was not read and none contradicts.
    #[must_use]
    pub fn agrees(&self) -> Option<bool> {
        let has = |rule: Rule| self.findings.contains(&rule);
        if has(Rule::NotOfDocument) || has(Rule::DocumentWithout) || has(Rule::Repeated) {
            return Some(false);
        }
        (has(Rule::OfDocument) && !has(Rule::NotOnPaper)).then_some(true)
    }
}

/// Compares what was read on a paper with what was read on the rendered signed revision of its document.
///
/// Codes are compared byte by byte: two addresses that a browser takes for one are two codes, since an office prints
/// what the document holds. The order does not count, how often one stands there does.
#[must_use]
pub fn compare(on_paper: &[&Payload], of_document: &[&Payload]) -> Comparison {
    let count = |codes: &[&Payload], code: &Payload| codes.iter().filter(|it| **it == code).count();
    let matches: Vec<bool> = on_paper
        .iter()
        .map(|code| of_document.contains(code))
        .collect();
    let mut findings = Vec::new();
    if matches.iter().any(|matches| *matches) {
        findings.push(Rule::OfDocument);
    }
    if matches.iter().any(|matches| !matches) {
        findings.push(if of_document.is_empty() {
            Rule::DocumentWithout
        } else {
            Rule::NotOfDocument
        });
    }
    if of_document
        .iter()
        .any(|code| count(on_paper, code) < count(of_document, code))
    {
        findings.push(Rule::NotOnPaper);
    }
    let twice = |code: &&Payload| {
        let of_document = count(of_document, code);
        of_document > 0 && count(on_paper, code) > of_document
    };
    if on_paper.iter().any(twice) {
        findings.push(Rule::Repeated);
    }
    findings.sort_unstable();
    Comparison { matches, findings }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(paper: &str, document: &str, findings: &[Rule], agrees: Option<bool>) {
        let codes = |text: &str| -> Vec<Payload> {
            text.split_whitespace()
                .map(|code| Payload::of(code.as_bytes()))
                .collect()
        };
        let (paper, document) = (codes(paper), codes(document));
        let (paper, document): (Vec<_>, Vec<_>) =
            (paper.iter().collect(), document.iter().collect());
        let comparison = compare(&paper, &document);
        assert_eq!(comparison.findings, findings);
        assert_eq!(comparison.agrees(), agrees);
        assert_eq!(comparison.matches.len(), paper.len());
    }

    #[test]
    fn the_same_codes_in_any_order_agree() {
        check("a", "a", &[Rule::OfDocument], Some(true));
        check("a b", "b a", &[Rule::OfDocument], Some(true));
        check("a a", "a a", &[Rule::OfDocument], Some(true));
    }

    #[test]
    fn a_code_that_was_pasted_over_or_added_disagrees() {
        check(
            "x",
            "a",
            &[Rule::NotOfDocument, Rule::NotOnPaper],
            Some(false),
        );
        check(
            "a x",
            "a",
            &[Rule::OfDocument, Rule::NotOfDocument],
            Some(false),
        );
        check("x", "", &[Rule::DocumentWithout], Some(false));
        check("a a", "a", &[Rule::OfDocument, Rule::Repeated], Some(false));
    }

    #[test]
    fn a_code_that_was_not_read_proves_nothing() {
        check("", "a", &[Rule::NotOnPaper], None);
        check("a", "a b", &[Rule::OfDocument, Rule::NotOnPaper], None);
        check("", "", &[], None);
    }

    #[test]
    fn a_payload_is_the_same_byte_by_byte_alone() {
        check(
            "https://a.example/X",
            "https://A.example/X",
            &[Rule::NotOfDocument, Rule::NotOnPaper],
            Some(false),
        );
    }
}
