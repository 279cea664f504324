//! Bundles that are taken, refused, cut off in the middle and found again.

use loket_verify::{Code, Policy, Verdict};
use loket_wire::sign::SigningKey;
use loket_wire::{Blob, MachineId};
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;

use super::*;

const ROOT: &[u8] = include_bytes!("../../../tests/fixtures/trust/root.pem");
const ISSUING: &[u8] = include_bytes!("../../../tests/fixtures/trust/issuing.pem");
const LIST: &[u8] = include_bytes!("../../../tests/fixtures/trust/issuing.crl");
const SIGNED: &[u8] = include_bytes!("../../../tests/fixtures/kk-sample-bb.pdf");
const REVOKED: &[u8] = include_bytes!("../../../tests/fixtures/kk-sample-revoked.pdf");

/// 2026-11-26, in the time of the fixtures.
const NOW: Timestamp = Timestamp::from_unix_ms(1_795_651_200_000);

const fn now() -> Now {
    Now {
        wall: NOW,
        trusted: true,
        floor: Timestamp::UNIX_EPOCH,
    }
}

/// A machine whose folder holds what `files` names, and a central.
struct Bench {
    dir: tempfile::TempDir,
    central: SigningKey,
    source: TrustSource,
    /// What its bundles say of official hosts.
    hosts: Option<HostRules>,
}

fn key() -> SigningKey {
    let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    SigningKey::ed25519_from_pkcs8(pair.as_ref()).unwrap()
}

impl Bench {
    fn new(source: TrustSource, files: &[(&str, &[u8])]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("trust")).unwrap();
        for (name, bytes) in files {
            fs::write(dir.path().join("trust").join(name), bytes).unwrap();
        }
        Self {
            dir,
            central: key(),
            source,
            hosts: None,
        }
    }

    /// As a start of the program opens it.
    fn open(&self) -> Arc<TrustStore> {
        let folder = TrustFolder::open(self.dir.path().join("trust")).unwrap();
        let central = Some(self.central.verifying_key());
        TrustStore::open(folder, self.source, self.dir.path(), central)
    }

    fn bundle(&self, serial: u64, items: &[&[u8]]) -> (TrustNotice, Vec<u8>) {
        self.bundle_at(serial, NOW, items)
    }

    fn bundle_at(
        &self,
        serial: u64,
        made_at: Timestamp,
        items: &[&[u8]],
    ) -> (TrustNotice, Vec<u8>) {
        let bundle = TrustBundle {
            serial,
            made_at,
            policy: None,
            hosts: self.hosts.clone(),
            items: items.iter().map(|item| item.to_vec()).collect(),
        };
        let sealed = bundle.seal(&self.central).unwrap();
        (notice(serial, &sealed), sealed)
    }
}

fn notice(serial: u64, sealed: &[u8]) -> TrustNotice {
    let machine: MachineId = "desa-contoh-1".parse().unwrap();
    TrustNotice {
        machine,
        serial,
        bundle: Blob {
            sha256: Sha256Digest::of(sealed),
            size_bytes: u64::try_from(sealed.len()).unwrap(),
        },
    }
}

fn take(store: &TrustStore, (notice, sealed): &(TrustNotice, Vec<u8>)) -> Result<(), Refused> {
    let prepared = store.prepare(notice, sealed, now())?;
    store.replace(prepared.unwrap())
}

fn judge(store: &TrustStore, document: &[u8]) -> (Verdict, bool) {
    let report = loket_verify::check(document, &store.current(), &Policy::default(), NOW);
    let findings = report.signatures.iter().flat_map(|it| &it.findings);
    let is_revoked = findings
        .into_iter()
        .any(|it| matches!(it.code, Code::Revoked | Code::RevokedKey));
    (report.verdict, is_revoked)
}

#[test]
fn a_list_that_central_sends_revokes_a_signer_with_nobody_at_the_machine() {
    let bench = Bench::new(
        TrustSource::Bundle,
        &[("root.pem", ROOT), ("issuing.pem", ISSUING)],
    );
    let store = bench.open();
    assert_eq!(store.serial(), Some(0));
    assert_eq!(judge(&store, REVOKED), (Verdict::Valid, false), "control");
    take(&store, &bench.bundle(7, &[LIST])).unwrap();
    assert_eq!(store.serial(), Some(7));
    assert_eq!(judge(&store, REVOKED), (Verdict::Indeterminate, true));
    assert_eq!(judge(&store, SIGNED).0, Verdict::Valid);
    assert!(store.standing().unwrap().ends_at.is_some());
    // A start finds the same.
    let again = bench.open();
    assert_eq!(again.standing(), store.standing());
    assert_eq!(judge(&again, REVOKED), (Verdict::Indeterminate, true));
}

#[test]
fn an_anchor_of_central_counts_where_the_settings_say_so_and_nowhere_else() {
    for (source, verdict) in [
        (TrustSource::Folder, Verdict::Indeterminate),
        (TrustSource::Bundle, Verdict::Indeterminate),
        (TrustSource::BundleWithAnchors, Verdict::Valid),
    ] {
        let bench = Bench::new(source, &[]);
        let store = bench.open();
        assert_eq!(judge(&store, SIGNED).0, Verdict::Indeterminate, "control");
        let (notice, sealed) = bench.bundle(1, &[ROOT, ISSUING, LIST]);
        if let Some(prepared) = store.prepare(&notice, &sealed, now()).unwrap() {
            store.replace(prepared).unwrap();
        }
        assert_eq!(judge(&store, SIGNED).0, verdict, "{source:?}");
        assert_eq!(store.takes_bundles(), source != TrustSource::Folder);
    }
}

#[test]
fn what_is_refused_leaves_the_bundle_before_as_it_is() {
    let bench = Bench::new(
        TrustSource::Bundle,
        &[("root.pem", ROOT), ("issuing.pem", ISSUING)],
    );
    let store = bench.open();
    take(&store, &bench.bundle(7, &[LIST])).unwrap();
    let kept = fs::read(bench.dir.path().join(FILE)).unwrap();
    let day = Duration::from_secs(86_400);
    let foreign = Bench {
        central: key(),
        ..Bench::new(TrustSource::Bundle, &[])
    };
    let mut altered = bench.bundle(8, &[LIST]);
    altered.1[40] ^= 1;
    let mut swapped = bench.bundle(8, &[LIST]);
    swapped.1 = bench.bundle(9, &[LIST]).1;
    swapped.0.bundle = notice(8, &swapped.1).bundle;
    let cases = [
        ("an older one", bench.bundle(6, &[LIST]), "M-108"),
        ("altered on the way", altered, "M-109"),
        ("another than was announced", swapped, "M-109"),
        ("somebody else's", foreign.bundle(8, &[LIST]), "M-109"),
        ("no certificate", bench.bundle(8, &[LIST, b"half"]), "M-109"),
        (
            "of a wrong clock",
            bench.bundle_at(8, NOW.saturating_add(day * 2), &[LIST]),
            "M-109",
        ),
    ];
    for (what, sent, code) in cases {
        let refused = take(&store, &sent).unwrap_err();
        assert_eq!(refused.code(), Some(code), "{what}: {refused}");
        assert_eq!(store.serial(), Some(7), "{what}");
        assert_eq!(fs::read(bench.dir.path().join(FILE)).unwrap(), kept);
    }
    assert_eq!(
        judge(&bench.open(), REVOKED),
        (Verdict::Indeterminate, true)
    );
    // The same again changes nothing, and the next one is taken.
    take(&store, &bench.bundle(7, &[LIST])).unwrap();
    take(
        &store,
        &bench.bundle_at(8, NOW.saturating_add(day / 2), &[]),
    )
    .unwrap();
    assert_eq!(judge(&store, REVOKED), (Verdict::Valid, false));
}

/// The steps are: nothing written, written by half, written whole, renamed.
#[test]
fn a_crash_at_any_step_comes_back_with_one_of_the_two() {
    let bench = Bench::new(
        TrustSource::Bundle,
        &[("root.pem", ROOT), ("issuing.pem", ISSUING)],
    );
    take(&bench.open(), &bench.bundle(7, &[LIST])).unwrap();
    let (next, sealed) = bench.bundle(8, &[]);
    for cut in [0, 1, sealed.len() / 2, sealed.len()] {
        fs::write(bench.dir.path().join(PART), &sealed[..cut]).unwrap();
        let store = bench.open();
        assert_eq!(store.serial(), Some(7), "{cut}");
        assert_eq!(judge(&store, REVOKED), (Verdict::Indeterminate, true));
    }
    let prepared = bench.open().prepare(&next, &sealed, now()).unwrap();
    assert_eq!(bench.open().serial(), Some(7), "not replaced yet");
    bench.open().replace(prepared.unwrap()).unwrap();
    assert_eq!(bench.open().serial(), Some(8));
}

#[test]
fn a_bundle_that_rotted_on_disk_counts_for_nothing_and_the_next_one_is_taken() {
    let bench = Bench::new(
        TrustSource::Bundle,
        &[("root.pem", ROOT), ("issuing.pem", ISSUING)],
    );
    take(&bench.open(), &bench.bundle(7, &[LIST])).unwrap();
    let path = bench.dir.path().join(FILE);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let store = bench.open();
    assert_eq!(store.serial(), Some(0), "central sends the newest again");
    assert_eq!(judge(&store, SIGNED).0, Verdict::Valid, "the folder counts");
    take(&store, &bench.bundle(7, &[LIST])).unwrap();
    assert_eq!(judge(&store, REVOKED), (Verdict::Indeterminate, true));
}

#[test]
fn a_folder_that_changes_is_joined_with_the_bundle_anew() {
    let bench = Bench::new(TrustSource::Bundle, &[("issuing.pem", ISSUING)]);
    let store = bench.open();
    take(&store, &bench.bundle(7, &[LIST])).unwrap();
    assert_eq!(judge(&store, SIGNED).0, Verdict::Indeterminate);
    fs::write(bench.dir.path().join("trust/root.pem"), ROOT).unwrap();
    assert_eq!(judge(&store, SIGNED).0, Verdict::Valid);
    assert_eq!(judge(&store, REVOKED), (Verdict::Indeterminate, true));
    assert!(Arc::ptr_eq(&store.current(), &store.current()));
}

#[test]
fn who_follows_hears_of_each_bundle_that_counts_once() {
    let bench = Bench::new(TrustSource::Bundle, &[("root.pem", ROOT)]);
    let store = bench.open();
    let mut following = store.follow().unwrap();
    assert!(!following.has_changed().unwrap());
    take(&store, &bench.bundle(7, &[LIST])).unwrap();
    assert!(following.has_changed().unwrap());
    assert_eq!(*following.borrow_and_update(), 7);
    take(&store, &bench.bundle(7, &[LIST])).unwrap();
    drop(store.current());
    assert!(!following.has_changed().unwrap());
    let folder = TrustFolder::open(bench.dir.path().join("trust")).unwrap();
    assert!(TrustStore::of_folder(folder).follow().is_none());
}

/// Rules that begin at a moment, with one host.
fn rules(valid_from: Timestamp, host: &str) -> HostRules {
    let official = loket_wire::OfficialHost {
        host: host.to_owned(),
        sub_domains: false,
    };
    HostRules {
        valid_from,
        official: vec![official],
        words: Vec::new(),
        reserved: Vec::new(),
    }
}

#[test]
fn a_new_official_host_comes_with_a_bundle_and_counts_from_its_day() {
    let mut bench = Bench::new(TrustSource::Bundle, &[("root.pem", ROOT)]);
    let store = bench.open();
    let host_at = |store: &TrustStore, at: Timestamp| {
        let hosts = store.hosts(at).unwrap();
        hosts.official[0].host.clone()
    };
    let built_in = host_at(&store, NOW);
    assert!(built_in.ends_with(".kemendagri.go.id"), "{built_in}");
    let day = Duration::from_secs(86_400);
    bench.hosts = Some(rules(NOW.saturating_add(day), "kk.contoh.invalid"));
    take(&store, &bench.bundle(7, &[])).unwrap();
    assert_eq!(host_at(&store, NOW), built_in, "it has not begun");
    let later = NOW.saturating_add(day);
    assert_eq!(host_at(&store, later), "kk.contoh.invalid");
    assert_eq!(
        host_at(&bench.open(), later),
        "kk.contoh.invalid",
        "after a start"
    );
    // A machine's own list of a later day counts over central's.
    let own = "version = 1\nvalid_from = \"2027-01-01T00:00:00Z\"\n\
               [[official]]\nhost = \"own.contoh.invalid\"\n";
    fs::write(bench.dir.path().join("trust/qr-hosts.toml"), own).unwrap();
    let next_year = Timestamp::parse_rfc3339("2027-01-01T00:00:00Z").unwrap();
    assert_eq!(host_at(&store, next_year), "own.contoh.invalid");
    assert_eq!(host_at(&store, later), "kk.contoh.invalid");
}

#[test]
fn what_counts_is_as_old_as_the_bundle_and_a_broken_folder_is_told() {
    let bench = Bench::new(TrustSource::Bundle, &[("root.pem", ROOT)]);
    let store = bench.open();
    assert_eq!((store.folder_fault(), store.bundle_fault()), (None, None));
    take(&store, &bench.bundle(7, &[ISSUING])).unwrap();
    assert_eq!(store.current().as_of(), Some(NOW));
    assert_eq!(judge(&store, SIGNED).0, Verdict::Valid);
    fs::write(bench.dir.path().join("trust/half.crl"), "half a list").unwrap();
    assert_eq!(
        judge(&store, SIGNED).0,
        Verdict::Valid,
        "what was last good"
    );
    assert!(store.folder_fault().unwrap().contains("revocation list"));
    fs::remove_file(bench.dir.path().join("trust/half.crl")).unwrap();
    fs::write(bench.dir.path().join(FILE), b"rotten").unwrap();
    let again = bench.open();
    assert!(again.bundle_fault().unwrap().contains("signature"));
}
