use loket_wire::{HostRules, OfficialHost, Timestamp};
use proptest::prelude::*;

use super::*;

const OFFICIAL: &str = "layananonline.dukcapil.kemendagri.go.id";

fn hosts(sub_domains: bool) -> Hosts {
    let rules = HostRules {
        valid_from: Timestamp::UNIX_EPOCH,
        official: vec![OfficialHost {
            host: OFFICIAL.to_owned(),
            sub_domains,
        }],
        words: vec!["dukcapil".to_owned(), "kemendagri".to_owned()],
        reserved: vec!["go.id".to_owned()],
    };
    Hosts::new(&rules).unwrap()
}

#[track_caller]
fn check(payload: &str, class: Class, rule: Rule) {
    let judged = classify(payload.as_bytes(), &hosts(false));
    assert_eq!(
        (judged.class, judged.rule),
        (class, rule),
        "{payload}: {judged:?}"
    );
    assert_eq!(judged.findings.first(), Some(&judged.rule));
    let shown = matches!(class, Class::OfficialHost | Class::LookAlike);
    assert!(shown || judged.host.is_none(), "{judged:?}");
}

#[test]
fn the_official_host_is_official_in_https_alone() {
    check(
        "https://layananonline.dukcapil.kemendagri.go.id/Terpusat/Pindai/CONTOH_1",
        Class::OfficialHost,
        Rule::ExactHost,
    );
    check(
        "HTTPS://LAYANANONLINE.DUKCAPIL.KEMENDAGRI.GO.ID/X",
        Class::OfficialHost,
        Rule::ExactHost,
    );
    check(
        "https://layananonline.dukcapil.kemendagri.go.id:443/x",
        Class::OfficialHost,
        Rule::ExactHost,
    );
    check(
        "http://layananonline.dukcapil.kemendagri.go.id/x",
        Class::OtherScheme,
        Rule::PlainHttp,
    );
    check(
        "https://layananonline.dukcapil.kemendagri.go.id:8443/x",
        Class::OtherHost,
        Rule::OtherPort,
    );
    check(
        "https://admin@layananonline.dukcapil.kemendagri.go.id/x",
        Class::UserInfo,
        Rule::UserInfo,
    );
}

#[test]
fn a_host_below_an_official_one_is_official_where_the_rules_say_so() {
    let below = b"https://a.layananonline.dukcapil.kemendagri.go.id/x";
    let judged = classify(below, &hosts(true));
    assert_eq!(
        (judged.class, judged.rule),
        (Class::OfficialHost, Rule::SubDomain)
    );
    let judged = classify(below, &hosts(false));
    assert_eq!(
        (judged.class, judged.rule),
        (Class::OtherHost, Rule::UnknownHost)
    );
    let glued = b"https://xlayananonline.dukcapil.kemendagri.go.id/x";
    assert_eq!(classify(glued, &hosts(true)).class, Class::LookAlike);
}

#[track_caller]
fn like(payload: &str, rule: Rule) {
    check(payload, Class::LookAlike, rule);
}

#[test]
fn what_is_made_to_be_taken_for_it_is_a_look_alike() {
    like(
        "https://layanan0nline.dukcapil.kemendagri.go.id/x",
        Rule::SameLooks,
    );
    like(
        "https://layananonline.dukcapiI.kemendagri.go.id/x",
        Rule::SameLooks,
    );
    like(
        "https://layananonline.dukcapil.kernendagri.go.id/x",
        Rule::SameLooks,
    );
    // Cyrillic a, in the open and in punycode.
    like(
        "https://lаyananonline.dukcapil.kemendagri.go.id/x",
        Rule::SameLooks,
    );
    like(
        "https://xn--lyananonline-x9j.dukcapil.kemendagri.go.id/x",
        Rule::SameLooks,
    );
    like(
        "https://layananonline.dukcapil-kemendagri.go.id/x",
        Rule::Separators,
    );
    like(
        "https://layanan-online.dukcapil.kemendagri.go.id/x",
        Rule::Separators,
    );
    like(
        "https://layananonlinedukcapil.kemendagri.go.id/x",
        Rule::Separators,
    );
    like(
        "https://layananonline.dukcapil.kemendagr.go.id/x",
        Rule::NearlySame,
    );
    like(
        "https://layananonlin.dukcapil.kemendagir.go.id/x",
        Rule::NearlySame,
    );
    like(
        "https://layananonline.dukcapil.kemendagri.com/x",
        Rule::OtherTopLevel,
    );
    like(
        "https://layananonline.dukcapil.kemendagri.my.id/x",
        Rule::OtherTopLevel,
    );
    like(
        "https://layananonline.dukcapil.kemendagri.example.com/x",
        Rule::OtherTopLevel,
    );
    like(
        "https://layananonline-dukcapil-kemendagri.com/x",
        Rule::OtherTopLevel,
    );
}

#[test]
fn an_official_host_in_the_wrong_place_makes_a_look_alike() {
    like(
        "https://layananonline.dukcapil.kemendagri.go.id.contoh.example/x",
        Rule::OfficialInside,
    );
    like(
        "https://layananonline-dukcapil-kemendagri-go-id.example/x",
        Rule::OfficialInside,
    );
    like("https://cek-dukcapil.example/x", Rule::OfficialWord);
    like("https://dukcapi1.example/x", Rule::OfficialWord);
    like(
        "https://layananonline.dukcapil.kemendagri.go.id./x",
        Rule::OddSpelling,
    );
    like(
        r"https:\\layananonline.dukcapil.kemendagri.go.id\x",
        Rule::OddSpelling,
    );
    like(
        "https:layananonline.dukcapil.kemendagri.go.id/x",
        Rule::OddSpelling,
    );
    like(
        "https://layananonline。dukcapil。kemendagri。go。id/x",
        Rule::OddSpelling,
    );
    like(
        "https://layananonline.dukcapil.kemendagri.go%2Eid/x",
        Rule::OddSpelling,
    );
    like(
        "https://layananonline.dukcapil.kemendagri.go.id@contoh.example/x",
        Rule::OfficialInUserInfo,
    );
    like(
        "https://contoh.example/layananonline.dukcapil.kemendagri.go.id/Terpusat",
        Rule::OfficialInPath,
    );
    like(
        "https://contoh.example/?u=layananonline%2Edukcapil%2Ekemendagri%2Ego%2Eid",
        Rule::OfficialInPath,
    );
    like(
        "https://contoh.example/#layananonline.dukcapil.kemendagri.go.id",
        Rule::OfficialInPath,
    );
}

#[test]
fn other_hosts_are_other_hosts() {
    let other = |payload: &str| check(payload, Class::OtherHost, Rule::UnknownHost);
    other("https://contoh.example/x");
    other("https://kk.contoh.invalid/Terpusat/Pindai/CONTOH");
    other("https://disdukcapil.contohkota.go.id/x"); // a word of the offices among state bodies
    other("https://www.go.id/");
}

#[test]
fn a_number_in_the_place_of_a_host_is_found_in_every_spelling() {
    let ip = |payload: &str, rule: Rule| check(payload, Class::RawIp, rule);
    ip("https://192.0.2.7/x", Rule::IpDotted);
    ip("http://192.0.2.7/x", Rule::IpDotted);
    ip("https://3221225991/x", Rule::IpDisguised);
    ip("https://0xC0000207/x", Rule::IpDisguised);
    ip("https://0300.0.02.07/x", Rule::IpDisguised);
    ip("https://0xc0.0.2.7/x", Rule::IpDisguised);
    ip("https://192.519/x", Rule::IpDisguised);
    ip("https://127.1/x", Rule::IpDisguised);
    ip("https://１９２.0.2.7/x", Rule::IpDisguised);
    ip("https://%31%39%32.0.2.7/x", Rule::IpDisguised);
    ip("https://[2001:db8::7]/x", Rule::IpSix);
    ip("https://[::1]/x", Rule::IpSix);
    ip("https://[::ffff:192.0.2.7]/x", Rule::IpMapped);
    ip("https://[::ffff:c000:207]/x", Rule::IpMapped);
    ip("https://192.0.2.256/x", Rule::IpBroken);
    ip("https://1.2.3.4.5/x", Rule::IpBroken);
    ip("https://[2001:db8::7/x", Rule::IpBroken);
    // The number weighs most, whatever stands around it.
    ip(
        "https://layananonline.dukcapil.kemendagri.go.id@192.0.2.7/x",
        Rule::IpDotted,
    );
}

#[test]
fn user_names_foreign_letters_and_other_schemes_are_named() {
    check(
        "https://a:b@contoh.example/",
        Class::UserInfo,
        Rule::UserInfo,
    );
    check("https://xn--bcher-kva.example/", Class::Idn, Rule::Idn);
    check("https://bücher.example/", Class::Idn, Rule::Idn);
    check("https://xn--a.example/", Class::Idn, Rule::IdnRefused);
    let scheme = |payload: &str, rule: Rule| check(payload, Class::OtherScheme, rule);
    scheme("http://contoh.example/", Rule::PlainHttp);
    scheme("javascript:alert(1)", Rule::Script);
    scheme("JaVaScRiPt://x/%0aalert(1)", Rule::Script);
    scheme("data:text/html,<b>x</b>", Rule::DataInside);
    scheme("intent://x#Intent;scheme=https;end", Rule::AppCall);
    scheme("tel:+620000", Rule::Telephone);
    scheme("SMSTO:0:hai", Rule::Telephone);
    scheme("WIFI:T:WPA;S:contoh;P:x;;", Rule::Network);
    scheme("file:///etc/hosts", Rule::FileAddress);
    scheme("geo:0,0", Rule::UnknownScheme);
    scheme("bitcoin:x", Rule::UnknownScheme);
}

#[test]
fn what_is_no_address_is_named_too() {
    check("", Class::Empty, Rule::Empty);
    check("   ", Class::Empty, Rule::Empty);
    check("Kartu keluarga contoh", Class::NotAUrl, Rule::PlainText);
    check("{\"a\":1}", Class::NotAUrl, Rule::PlainText);
    check(
        "layananonline.dukcapil.kemendagri.go.id/x",
        Class::NotAUrl,
        Rule::NoScheme,
    );
    check(
        "layananonline.dukcapil.kemendagri.go.id:443/x",
        Class::NotAUrl,
        Rule::NoScheme,
    );
    check("https://", Class::NotAUrl, Rule::BrokenAddress);
    check("https://a:99999/", Class::NotAUrl, Rule::BrokenAddress);
    check(&"7".repeat(7_089), Class::TooLong, Rule::TooLong);
    check(
        "https://contoh.example/\0",
        Class::Binary,
        Rule::ControlCharacters,
    );
    check(
        "https://contoh.example/\u{202e}x",
        Class::Binary,
        Rule::InvisibleCharacters,
    );
    check(
        "https://lay\u{200b}anan.example/",
        Class::Binary,
        Rule::InvisibleCharacters,
    );
    let judged = classify(b"\xff\xfe", &hosts(false));
    assert_eq!((judged.class, judged.rule), (Class::Binary, Rule::NotText));
}

#[test]
fn all_rules_that_matched_are_told() {
    let judged = classify(b"http://a:b@192.0.2.7/", &hosts(false));
    assert_eq!(
        judged.findings,
        [Rule::IpDotted, Rule::UserInfo, Rule::PlainHttp]
    );
}

#[test]
fn the_host_of_official_and_look_alike_addresses_alone_is_told() {
    let host = |payload: &str| classify(payload.as_bytes(), &hosts(false)).host;
    assert_eq!(
        host("https://LAYANANONLINE.dukcapil.kemendagri.go.id/x").as_deref(),
        Some(OFFICIAL)
    );
    assert_eq!(
        host("https://cek-dukcapil.example/x").as_deref(),
        Some("cek-dukcapil.example")
    );
    assert_eq!(host("https://contoh.example/x"), None);
}

proptest! {
    #[test]
    fn nothing_is_official_that_does_not_begin_with_the_official_host(text in ".{0,80}") {
        let judged = classify(text.as_bytes(), &hosts(true));
        prop_assert_ne!(judged.class, Class::OfficialHost);
    }

    #[test]
    fn an_official_payload_is_official_whatever_token_follows(token in "[A-Za-z0-9_-]{0,80}") {
        let text = format!("https://{OFFICIAL}/Terpusat/Pindai/{token}");
        prop_assert_eq!(classify(text.as_bytes(), &hosts(false)).class, Class::OfficialHost);
    }
}

#[test]
fn fuzz_qr_payloads() {
    let good: Vec<&[u8]> = vec![
        b"https://layananonline.dukcapil.kemendagri.go.id/Terpusat/Pindai/CONTOH_1",
        "https://lаyananonline.dukcapil.kemendagri.go.id:8443/a?b#c".as_bytes(),
        b"https://xn--lyananonline-x9j.dukcapil.kemendagri.go.id@0x7f.1/%2e%2E",
        b"https://[::ffff:192.0.2.7]:443/\\..\\x",
        b"WIFI:T:WPA;S:contoh;P:x;;",
        b"intent://x#Intent;scheme=https;end",
    ];
    let hosts = hosts(true);
    let mut official = 0_u64;
    loket_fuzz::fuzz("qr_payloads", 60_000, &good, |bytes| {
        let judged = classify(bytes, &hosts);
        assert_eq!(judged.rule.class(), Some(judged.class));
        assert!(judged.findings.contains(&judged.rule));
        if judged.class == Class::OfficialHost {
            official += 1;
            let host = judged.host.unwrap();
            assert!(host == OFFICIAL || host.ends_with(&format!(".{OFFICIAL}")));
            let start = bytes.get(..8).unwrap().to_ascii_lowercase();
            assert_eq!(start, b"https://", "an official address begins as one");
        }
    });
    assert!(
        official > 100,
        "honest payloads were among them: {official}"
    );
}
