//! What pdfsig and pyHanko say of the same files; each disagreement stands in docs/verification-judges.md with its rule.
#![expect(
    clippy::disallowed_methods,
    reason = "other programs judge files, so files and processes are what this test is about"
)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use loket_verify::{Report, Verdict};

use crate::doc::Doc;
use crate::judge::{Judge, codes};
use crate::originals::{CARRIERS, ORIGINALS};
use crate::signed::Workshop;
use crate::{all_edits, bytes, forms};

/// Where the disagreements stand, from this package's folder.
const TABLE: &str = "../../docs/verification-judges.md";

/// Makes the test write the table instead of comparing it.
const WRITE_VARIABLE: &str = "LOKET_WRITE";

/// The moment as of which pyHanko judges; ours is the same.
const MOMENT: &str = "2026-11-22T00:00:00+00:00";

/// Originals whose forgeries are shown to the others, one of each family.
const SHOWN: [&str; 3] = [
    "pyhanko-bt-table",
    "pyhanko-lt-stream",
    "pyhanko-p2-bt-stream",
];

/// A file that all three judge.
struct Case {
    name: String,
    family: &'static str,
    bytes: Vec<u8>,
    list: Option<Vec<u8>>,
}

/// Every honest file, and one forgery of each family and shown original.
fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = ORIGINALS
        .iter()
        .map(|(name, bytes)| Case {
            name: (*name).to_owned(),
            family: "honest",
            bytes: bytes.to_vec(),
            list: None,
        })
        .collect();
    for (position, shown) in SHOWN.iter().enumerate() {
        let (_, bytes) = ORIGINALS.iter().find(|(name, _)| name == shown).unwrap();
        let mut families: BTreeMap<&str, Vec<Case>> = BTreeMap::new();
        for case in forgeries(&Doc::of(shown, bytes)) {
            families.entry(case.family).or_default().push(case);
        }
        for (_, mut family) in families {
            // Another place in the family for each original.
            let chosen = family.len() * position / SHOWN.len();
            cases.push(family.swap_remove(chosen));
        }
    }
    cases
}

fn forgeries(doc: &Doc) -> Vec<Case> {
    let mut cases = Vec::new();
    for edit in all_edits(doc) {
        cases.push(Case {
            name: format!("{}: {}: {}", doc.name, edit.family, edit.name),
            family: edit.family,
            bytes: edit.update.behind(doc, forms(doc)[0]),
            list: None,
        });
    }
    let mut add = |forgery: bytes::Forgery, list| {
        cases.push(Case {
            name: format!("{}: {}: {}", doc.name, forgery.family, forgery.name),
            family: forgery.family,
            bytes: forgery.bytes,
            list,
        });
    };
    for forgery in bytes::forgeries(doc, 7) {
        add(forgery, None);
    }
    if CARRIERS.contains(&doc.name.as_str()) {
        let made = Workshop::new().forgeries(&doc.bytes);
        // The others know the usual lists alone.
        for made in made
            .into_iter()
            .filter(|made| !made.is_honest && made.list.is_none())
        {
            add(made.forgery, None);
        }
    }
    cases
}

#[test]
fn every_disagreement_with_pdfsig_and_pyhanko_stands_in_the_table_with_its_rule() {
    let cases = cases();
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = cases
        .iter()
        .enumerate()
        .map(|(index, case)| {
            let path = folder.path().join(format!("{index}.pdf"));
            std::fs::write(&path, &case.bytes).unwrap();
            path
        })
        .collect();
    let theirs = pyhanko(&paths);
    let store = store(folder.path());
    let mut table = String::from(HEAD);
    let mut rows = 0;
    for ((case, path), pyhanko) in cases.iter().zip(&paths).zip(theirs) {
        let judge = case
            .list
            .as_deref()
            .map_or_else(Judge::new, |list| Judge::with(&[list]));
        let report = judge.report(&case.bytes);
        let pdfsig = pdfsig(path, &store);
        let ours = report.verdict == Verdict::Valid;
        if ours == pdfsig && ours == (pyhanko == "valid") {
            continue;
        }
        rows += 1;
        row(&mut table, case, &report, pdfsig, &pyhanko);
    }
    table += &format!(
        "\n{} files were shown to all three; they disagree on {rows}.\n",
        cases.len()
    );
    if std::env::var_os(WRITE_VARIABLE).is_some() {
        std::fs::write(TABLE, &table).unwrap();
    }
    let written = std::fs::read_to_string(TABLE).unwrap();
    assert_eq!(written, table, "write it anew with {WRITE_VARIABLE}=1");
}

fn row(table: &mut String, case: &Case, report: &Report, pdfsig: bool, pyhanko: &str) {
    let said = |valid: bool| if valid { "valid" } else { "not valid" };
    let ours = format!("{:?} {}", report.verdict, codes(report).join(" ")).to_lowercase();
    let ours = ours.replace("v-", "V-");
    let rule = if report.verdict == Verdict::Valid {
        honest_rule(&case.name)
    } else if case.family == "honest" {
        refused_rule(report)
    } else {
        forged_rule(case.family)
    };
    assert!(
        !rule.is_empty(),
        "no rule for {}: {ours}, pdfsig {pdfsig}, pyHanko {pyhanko}",
        case.name
    );
    let name = case.name.replace('|', "/").replace('\n', " ");
    *table += &format!(
        "| {name} | {} | {} | {pyhanko} | {rule} |\n",
        ours.trim(),
        said(pdfsig)
    );
}

const HEAD: &str = "# What other judges say

Made by the test `every_disagreement_with_pdfsig_and_pyhanko_stands_in_the_table_with_its_rule` (`LOKET_WRITE=1` writes
it anew). pdfsig and pyHanko judge every honest file under `tests/fixtures/originals/` and one forgery of each family on
three of them, with the same certificates and revocation lists. A line stands here where one of them answers otherwise
than `verify`; pdfsig counts as saying *valid* where it calls the first signature valid and its certificate trusted,
pyHanko where the bottom line of every signature is good. *error* is an exception that pyHanko let out.

| file | verify | pdfsig | pyHanko | rule |
|---|---|---|---|---|
";

/// Why a forgery is refused that somebody else accepts, or that another refuses without saying so.
fn forged_rule(family: &str) -> &'static str {
    match family {
        "archive store"
        | "actions"
        | "catalog"
        | "contents swap"
        | "duplicate keys"
        | "empty signature field"
        | "font swap"
        | "form"
        | "form field"
        | "freed objects"
        | "information"
        | "names"
        | "optional content"
        | "overlay annotation"
        | "page keys"
        | "page tree"
        | "permissions"
        | "resources"
        | "shadow objects"
        | "signature added"
        | "signature rewritten"
        | "signature widget"
        | "stream overwrite"
        | "structure" => {
            "Behind the office's signature nothing may follow but archive data (ADR 0031); pdfsig looks at no update, \
             pyHanko allows what a form may be filled with."
        }
        "previous table" | "trailer" => {
            "A file is read as it is written or not at all: no table is guessed or repaired, for a printer may repair it otherwise."
        }
        "bytes behind" | "cut short" | "header" => {
            "Every byte of the file belongs to a revision that ends as the format says; what sticks to it is not archive data."
        }
        "byte range" | "container digits" | "container text" | "gap" | "wrapping" => {
            "The signed bytes are all but the container, which has one spelling; the range says so to the byte."
        }
        "flipped bits" => "A changed byte is a changed document.",
        "signature container" => {
            "One signer, nothing inside, PAdES attributes, and nothing beside them that nobody signed (RFC 5652, ETSI EN 319 122-1)."
        }
        "time stamps" => {
            "A time stamp counts when it is about this signature and by an authority made for stamps alone (RFC 3161); a false one is no harmless extra."
        }
        "certificates" => {
            "The chain holds by RFC 5280 at the proven time, and its end is meant for documents."
        }
        _other => "",
    }
}

/// Why an honest file is valid here that somebody else does not call so.
fn honest_rule(name: &str) -> &'static str {
    if name.contains("expired") {
        "The time stamp proves that the signature is older than the end of its certificate, which is what archive data is for \
         (ETSI EN 319 102-1, 5.6.3); pdfsig looks at the certificate as of today, pyHanko finds no proof of existence."
    } else if name.contains("ocsp") {
        "The certificate names a responder; pdfsig asks it over the network and gets no answer, verify reads the answer in the file."
    } else if name.contains("libreoffice") {
        "The signer ends the time of signing with an apostrophe behind its Z; that time is a claim, and pyHanko goes no further."
    } else {
        "The file is as its signer made it; the other judge stumbles over its structure or wants another profile."
    }
}

/// Why an honest file is not valid here though somebody else calls it so.
fn refused_rule(report: &Report) -> &'static str {
    let codes = codes(report);
    let has = |code: &str| codes.contains(&code);
    if has("V-301") {
        "A container holds one signer's entry (ETSI EN 319 142-1, 5.3); this signer writes two."
    } else if has("V-304") {
        "PAdES baseline wants the signer's certificate named in the signed attributes (ESS signingCertificateV2); this signer leaves it out."
    } else if has("V-402") || has("V-436") {
        "The certificate has ended, and nothing proves that the signature is older."
    } else {
        "Behind the first signature stands more than archive data: another signature changes the document as the office signed it."
    }
}

/// A store of certificates that pdfsig reads.
fn store(folder: &Path) -> PathBuf {
    let store = folder.join("nss");
    std::fs::create_dir(&store).unwrap();
    let named = format!("sql:{}", store.display());
    let trust = "../../tests/fixtures/trust";
    let (root, issuing) = (format!("{trust}/root.pem"), format!("{trust}/issuing.pem"));
    let lines: [&[&str]; 3] = [
        &["-N", "--empty-password", "-d", &named],
        &["-A", "-n", "root", "-t", "C,C,C", "-d", &named, "-i", &root],
        &[
            "-A", "-n", "issuing", "-t", ",,", "-d", &named, "-i", &issuing,
        ],
    ];
    for line in lines {
        let status = Command::new("certutil").args(line).status();
        let status = status.expect("certutil runs; Debian package libnss3-tools");
        assert!(status.success(), "certutil {line:?}");
    }
    store
}

/// Whether pdfsig calls the first signature valid and trusted.
fn pdfsig(path: &Path, store: &Path) -> bool {
    let mut command = Command::new("pdfsig");
    command.arg("-nssdir").arg(store).arg(path);
    let said = command
        .output()
        .expect("pdfsig runs; Debian package poppler-utils");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let first = said.split("Signature #2").next().unwrap_or_default();
    first.contains("Signature is Valid.") && first.contains("Certificate is Trusted.")
}

/// What pyHanko says of each file, all in one process.
fn pyhanko(paths: &[PathBuf]) -> Vec<String> {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../loket-peers/bin/python");
    let mut child = Command::new(&python)
        .args([
            "-B",
            "../../tests/peers/judge_pyhanko.py",
            "../../tests/fixtures/trust",
            MOMENT,
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!(
                "start {} ({error}): cargo xtask test --only packages",
                python.display()
            )
        });
    let lines: String = paths
        .iter()
        .map(|path| format!("{}\n", path.display()))
        .collect();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    let said = child.wait_with_output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let verdicts: Vec<String> = said
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["verdict"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(verdicts.len(), paths.len(), "pyHanko answers for each file");
    verdicts
}
