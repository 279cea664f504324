//! What honest signers and archivers write behind a signature, let through by its rule.

use loket_verify::{ChangeLevel, Changes, Code, Coverage, Verdict};
use loket_wire::Sha256Digest;

use crate::update::{Update, stamp};
use crate::{ARCHIVED, ARCHIVED_TWICE, CERTIFIED, LIST, SIGNED, STAMPED, TWICE};
use crate::{changes, judge, judge_with};

/// Judges an update that must be let through, and gives the rules that explained it.
fn explained(name: &str, document: &[u8]) -> Vec<&'static str> {
    let report = judge(document);
    let signature = &report.signatures[0];
    assert_eq!(signature.changes, Changes::Archived, "{name}: {report:?}");
    let heavy = changes(&report)
        .into_iter()
        .filter(|code| *code != Code::MetadataChanged);
    assert_eq!(heavy.collect::<Vec<_>>(), [], "{name}");
    let revisions = signature.revisions.iter();
    revisions
        .flat_map(|revision| revision.explained_by.clone())
        .collect()
}

#[test]
fn evidence_behind_the_signature_is_let_through_and_not_printed() {
    for document in [ARCHIVED, ARCHIVED_TWICE] {
        let rules = explained("pyHanko", document);
        for rule in ["catalog", "archive", "information"] {
            assert!(rules.contains(&rule), "{rules:?}");
        }
    }
    let report = judge(ARCHIVED);
    assert_eq!(report.verdict, Verdict::Valid, "{report:?}");
    assert_eq!(report.signatures[0].coverage, Coverage::Revision);
    let printed = report.revision.clone().unwrap();
    let end = usize::try_from(printed.size_bytes).unwrap();
    assert!(end < ARCHIVED.len());
    assert_eq!(printed.sha256, Sha256Digest::of(&ARCHIVED[..end]));
    assert!(ARCHIVED[..end].ends_with(b"%%EOF\n"));
    let [revision] = report.signatures[0].revisions.as_slice() else {
        panic!("one revision: {report:?}");
    };
    assert_eq!(
        (
            revision.index,
            revision.added,
            revision.overridden,
            revision.freed
        ),
        (2, 7, 2, 0)
    );
}

#[test]
fn a_document_time_stamp_brings_a_field_that_nobody_sees() {
    let rules = explained("pyHanko", ARCHIVED_TWICE);
    for rule in ["time_stamp", "form", "page"] {
        assert!(rules.contains(&rule), "{rules:?}");
    }
}

#[test]
fn what_other_writers_do_is_let_through() {
    let value = stamp("DocTimeStamp", "ETSI.RFC3161");
    let widget = "<< /Type /Annot /Subtype /Widget /FT /Sig /T (S2) /F 4 /P 5 0 R \
                  /Rect [0.0 0 0 0.0] /V 31 0 R /AP << /N 32 0 R >> >>";
    let stamped = Update::on(SIGNED)
        .edit(5, "[ 12 0 R ]", "[ 12 0 R 30 0 R ]")
        .edit(11, "[ 12 0 R ]", "[ 12 0 R 30 0 R ]")
        .object(30, widget)
        .object(31, &value)
        .stream(
            32,
            "/Type /XObject /Subtype /Form /BBox [0 0 0 0] /Resources << >>",
            b"",
        );
    let evidence =
        |store: &str| Update::on(SIGNED).edit(6, "/Lang", &format!("/DSS {store} /Lang"));
    let cases = [
        ("the catalog once more", Update::on(SIGNED).copy(6)),
        ("the form once more", Update::on(SIGNED).copy(11)),
        ("the page once more", Update::on(SIGNED).copy(5)),
        ("the information once more", Update::on(SIGNED).copy(7)),
        (
            "an object that never was stays free",
            Update::on(SIGNED).copy(6).free(50),
        ),
        (
            "evidence in place",
            evidence("<< /Type /DSS /CRLs [ 30 0 R ] >>").stream(30, "", LIST),
        ),
        (
            "evidence in objects of its own",
            evidence("31 0 R")
                .object(31, "<< /CRLs 32 0 R /VRI 33 0 R >>")
                .object(32, "[ 30 0 R ]")
                .object(33, "<< /0123456789ABCDEF0123456789ABCDEF01234567 34 0 R >>")
                .object(34, "<< /CRL 32 0 R /TU (D:20240124030000Z) >>")
                .stream(30, "", LIST),
        ),
        (
            "extension of Adobe",
            Update::on(SIGNED).edit(
                6,
                "/ESIC",
                "/ADBE << /BaseVersion /1.7 /ExtensionLevel 5 >> /ESIC",
            ),
        ),
        (
            "metadata",
            Update::on(SIGNED)
                .edit(6, "/Lang", "/Metadata 30 0 R /Lang")
                .stream(30, "/Type /Metadata /Subtype /XML", b"<x:xmpmeta/>"),
        ),
        (
            "moment and program",
            Update::on(SIGNED).edit(7, "/Producer (", "/Producer (Arsip "),
        ),
        ("a stamp with a blank picture", stamped.clone()),
        ("a stamp on no page", stamped.clone().copy(5)),
    ];
    for (name, update) in cases {
        assert!(!explained(name, &update.build()).is_empty(), "{name}");
    }
}

#[test]
fn the_same_in_another_spelling_is_the_same() {
    let cases = [
        (
            "version up",
            Update::on(SIGNED).edit(6, "/Version /1.7", "/Version /2.0"),
        ),
        (
            "a number in another spelling",
            Update::on(SIGNED).edit(5, "[ 0 0 ", "[ 0.0 00 "),
        ),
        (
            "a string in another spelling",
            Update::on(SIGNED).edit(6, "(id)", "<6964>"),
        ),
    ];
    for (name, update) in cases {
        assert!(!explained(name, &update.build()).is_empty(), "{name}");
    }
}

#[test]
fn evidence_may_follow_whatever_was_certified() {
    let update = Update::on(CERTIFIED)
        .edit(6, "/Lang", "/DSS << /CRLs [ 30 0 R ] >> /Lang")
        .stream(30, "", LIST);
    let report = judge(&update.build());
    assert_eq!(report.verdict, Verdict::Valid, "{report:?}");
    assert_eq!(report.signatures[0].changes, Changes::Archived);
}

#[test]
fn a_second_signature_needs_a_rule_of_the_office() {
    let sealed = judge(TWICE);
    assert_eq!(sealed.verdict, Verdict::Indeterminate, "{sealed:?}");
    assert_eq!(sealed.signatures[0].changes, Changes::SignedAgain);
    assert_eq!(changes(&sealed), [Code::SignedAgain]);
    let open = judge_with(TWICE, ChangeLevel::FurtherSignatures);
    assert_eq!(open.verdict, Verdict::Valid, "{open:?}");
    let end = usize::try_from(open.revision.unwrap().size_bytes).unwrap();
    assert_eq!(end, TWICE.len(), "both signatures are printed");
}

#[test]
fn a_document_without_updates_has_no_changes() {
    for document in [SIGNED, STAMPED, CERTIFIED] {
        let report = judge(document);
        assert_eq!(report.signatures[0].changes, Changes::None);
        assert_eq!(report.signatures[0].revisions, []);
        assert!(
            report.has(Code::FontStandard),
            "the sample's fonts are not embedded"
        );
    }
}
