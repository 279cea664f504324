//! What `check` says of signature containers that each break one rule.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a fixture that is not as expected fails the test"
)]

use loket_verify::{Code, Policy, Trust, Verdict, check};
use loket_wire::Timestamp;

macro_rules! fixture {
    ($name:expr) => {
        include_bytes!(concat!("../../../tests/fixtures/", $name)).as_slice()
    };
}

struct Broken {
    name: &'static str,
    container: &'static [u8],
    verdict: Verdict,
    codes: &'static [Code],
}

macro_rules! containers {
    ($($name:literal $verdict:ident [$($code:ident)*];)+) => {
        [$(Broken {
            name: $name,
            container: fixture!(concat!("containers/", $name, ".der")),
            verdict: Verdict::$verdict,
            codes: &[$(Code::$code),*],
        },)+]
    };
}

static CONTAINERS: &[Broken] = &containers! {
    "honest" Valid [TimeClaimed];
    "without-ess" Invalid [AttributeMissing];
    "ess-of-another" Invalid [SignerBinding];
    "ess-twice" Invalid [CmsMalformed];
    "without-digest" Invalid [AttributeMissing];
    "without-content-type" Invalid [AttributeMissing];
    "content-type-other" Invalid [CmsMalformed];
    "digest-of-another" Invalid [DigestMismatch];
    "key-of-another" Invalid [SignatureBroken];
    "algorithms-disagree" Invalid [AlgorithmsDisagree];
    "digest-disagrees" Invalid [AlgorithmsDisagree];
    "two-signers" Invalid [CmsMalformed];
    "no-signer" Invalid [CmsMalformed];
    "content-inside" Invalid [CmsMalformed];
    "two-digests" Invalid [CmsMalformed];
    "version-three" Invalid [CmsMalformed];
    "without-certificate" Indeterminate [SignerMissing];
    "extra-certificate" Indeterminate [Unvouched TimeClaimed];
    "extra-root" Valid [TimeClaimed];
    "extra-attribute" Indeterminate [Unvouched TimeClaimed];
    "unsigned-empty" Indeterminate [Unvouched TimeClaimed];
    "signer-followed" Invalid [CmsMalformed];
    "extra-list" Indeterminate [Unvouched TimeClaimed];
    "leaf-plain" Valid [TimeClaimed];
    "leaf-as-authority" Indeterminate [AuthorityUsage RevocationUnknown TimeClaimed];
    "path-too-long" Indeterminate [AuthorityUsage RevocationUnknown TimeClaimed];
    "authority-signs" Indeterminate [SignerUsage TimeClaimed];
    "usage-other" Indeterminate [SignerUsage TimeClaimed];
    "server-key" Indeterminate [SignerUsage TimeClaimed];
    "mail-key" Valid [TimeClaimed];
    "critical-unknown" Indeterminate [CriticalExtension TimeClaimed];
    "issuer-forged" Indeterminate [NoChain TimeClaimed];
    "stamp" Valid [];
    "stamp-of-another" Indeterminate [TimeClaimed StampBroken];
    "stamp-by-signer" Indeterminate [TimeClaimed StampUntrusted];
};

/// The signed sample with another container in its gap.
fn spliced(container: &[u8]) -> Vec<u8> {
    let mut document = fixture!("kk-sample-bb.pdf").to_vec();
    let key = b"/Contents <";
    let start = document
        .windows(key.len())
        .position(|window| window == key)
        .unwrap()
        + key.len();
    let length = document[start..]
        .iter()
        .position(|byte| *byte == b'>')
        .unwrap();
    document[start..start + length].fill(b'0');
    let digits: String = container.iter().map(|byte| format!("{byte:02X}")).collect();
    document[start..start + digits.len()].copy_from_slice(digits.as_bytes());
    document
}

#[test]
fn each_container_gets_its_verdict_and_codes() {
    let trust = Trust::from_files([
        fixture!("trust/root.pem"),
        fixture!("trust/issuing.pem"),
        fixture!("trust/root.crl.pem"),
        fixture!("trust/issuing.crl"),
    ])
    .unwrap();
    let at = Timestamp::parse_rfc3339("2026-11-22T00:00:00Z").unwrap();
    let mut wrong = Vec::new();
    for broken in CONTAINERS {
        let report = check(&spliced(broken.container), &trust, &Policy::default(), at);
        let signature = &report.signatures[0];
        let codes: Vec<Code> = signature
            .findings
            .iter()
            .map(|finding| finding.code)
            // Who may sign for an office is what tests/signers.rs is about, and the page what tests/changes is about.
            .filter(|code| *code != Code::SignersUnset && code.id() < "V-600")
            .collect();
        if (report.verdict, codes.as_slice()) != (broken.verdict, broken.codes) {
            wrong.push((broken.name, report.verdict, codes));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The value at the start of `der` as header and content.
fn parts(der: &[u8]) -> (u8, &[u8]) {
    let (header, length) = match der[1] {
        0x82 => (4, usize::from(u16::from_be_bytes([der[2], der[3]]))),
        0x81 => (3, usize::from(der[2])),
        short => (2, usize::from(short)),
    };
    (der[0], &der[header..header + length])
}

/// A value without its length, around what `content` holds.
fn without_length(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, 0x80], content, &[0, 0]].concat()
}

/// As Bouncy Castle writes it: ContentInfo, its content and SignedData have no lengths.
fn in_ber(container: &[u8]) -> Vec<u8> {
    let (info, content) = parts(container);
    let kind_length = 2 + usize::from(content[1]);
    let (kind, tagged) = content.split_at(kind_length);
    let (tag, data) = parts(tagged);
    let (sequence, members) = parts(data);
    let data = without_length(sequence, members);
    let tagged = without_length(tag, &data);
    without_length(info, &[kind, &tagged].concat())
}

#[test]
fn a_container_without_lengths_is_judged_as_the_one_with_them() {
    let trust = Trust::from_files([fixture!("trust/root.pem"), fixture!("trust/issuing.pem")]);
    let trust = trust.unwrap();
    let at = Timestamp::parse_rfc3339("2026-11-22T00:00:00Z").unwrap();
    for broken in CONTAINERS {
        let judge = |container: &[u8]| check(&spliced(container), &trust, &Policy::default(), at);
        let (der, ber) = (judge(broken.container), judge(&in_ber(broken.container)));
        assert_eq!(ber.verdict, der.verdict, "{}", broken.name);
        assert_eq!(
            ber.signatures[0].findings, der.signatures[0].findings,
            "{}",
            broken.name
        );
    }
    let honest = in_ber(CONTAINERS[0].container);
    let open = &honest[..honest.len() - 1];
    let report = check(&spliced(open), &trust, &Policy::default(), at);
    // The padding's zeros end it.
    assert_eq!(report.verdict, Verdict::Valid);
    let mut followed = honest.clone();
    followed.push(1);
    let report = check(&spliced(&followed), &trust, &Policy::default(), at);
    assert!(report.has(Code::Padding), "{report:?}");
}
