use super::*;

/// As a reader of a section has it.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Usb {
    init_reset: Option<String>,
    max_interfaces: Option<u8>,
}

fn text(matched: &str, quirk: &str) -> String {
    format!("[match]\n{matched}\n[[quirk]]\n{quirk}\nreason = \"r\"\nsource = \"s\"\n")
}

fn profiles(texts: &[(&str, String)]) -> Profiles {
    let mut profiles = Profiles::none();
    for (name, text) in texts {
        profiles.add(name, text).unwrap();
    }
    profiles
}

const SEEN: Seen<'_> = Seen {
    usb: Some(UsbId {
        vendor: 0x03f0,
        product: 0x7a12,
    }),
    model: Some("HP OfficeJet Pro 8710"),
};

#[test]
fn each_value_comes_from_the_profile_that_means_the_device_most_exactly() {
    let profiles = profiles(&[
        (
            "model",
            text(
                "model = [\"HP OfficeJet Pro 8710\"]",
                "set.usb.init_reset = \"soft\"\nset.usb.max_interfaces = 1",
            ),
        ),
        (
            "ids",
            text("usb = [\"03f0:7a12\"]", "set.usb.init_reset = \"hard\""),
        ),
        (
            "maker",
            text(
                "usb = [\"03f0:*\"]",
                "set.usb.init_reset = \"none\"\nset.print.x = 1",
            ),
        ),
        (
            "other",
            text("usb = [\"04a9:*\"]", "set.usb.max_interfaces = 9"),
        ),
    ]);
    let effective = profiles.for_device(SEEN);
    let usb: Usb = effective.section("usb").unwrap();
    assert_eq!(
        usb,
        Usb {
            init_reset: Some("hard".to_owned()),
            max_interfaces: Some(1)
        }
    );
    let from = |key: &str| {
        let mut origins = effective.origins().iter();
        origins
            .find(|it| it.key == key)
            .map(|it| it.profile.as_str())
    };
    assert_eq!(from("init_reset"), Some("ids"));
    assert_eq!(from("max_interfaces"), Some("model"));
    assert_eq!(from("x"), Some("maker"));
}

#[test]
fn both_kinds_of_pattern_must_fit_where_both_are_named() {
    let profiles = profiles(&[(
        "b210",
        text(
            "usb = [\"0924:42ea\"]\nmodel = [\"Xerox B210*\"]",
            "set.usb.init_reset = \"hard\"",
        ),
    )]);
    let ids = Some(UsbId {
        vendor: 0x0924,
        product: 0x42ea,
    });
    let fits = |usb, model| !profiles.for_device(Seen { usb, model }).is_empty();
    assert!(fits(ids, Some("Xerox B210")));
    assert!(!fits(ids, Some("Xerox B215")));
    assert!(!fits(ids, None));
    assert!(!fits(None, Some("Xerox B210")));
    assert!(!fits(SEEN.usb, Some("Xerox B210")));
}

#[test]
fn a_later_profile_of_the_same_name_replaces_the_shipped_one_and_of_the_same_exactness_wins() {
    let matched = "model = [\"HP OfficeJet Pro 8710\"]";
    let mut profiles = profiles(&[
        ("one", text(matched, "set.usb.max_interfaces = 1")),
        ("two", text(matched, "set.usb.max_interfaces = 2")),
    ]);
    let count = |profiles: &Profiles| {
        let usb: Usb = profiles.for_device(SEEN).section("usb").unwrap();
        usb.max_interfaces
    };
    assert_eq!(count(&profiles), Some(2));
    profiles
        .add("two", &text(matched, "set.usb.init_reset = \"soft\""))
        .unwrap();
    assert_eq!(count(&profiles), Some(1));
    assert_eq!(profiles.names().collect::<Vec<_>>(), ["one", "two"]);
}

#[test]
fn what_its_reader_does_not_know_is_an_error_that_names_the_profile() {
    let profiles = profiles(&[("odd", text("usb = [\"03f0:*\"]", "set.usb.no_such_key = 1"))]);
    let error = profiles.for_device(SEEN).section::<Usb>("usb").unwrap_err();
    assert!(error.to_string().contains("odd"), "{error}");
    let nothing: Usb = profiles.for_device(SEEN).section("print").unwrap();
    assert_eq!(nothing, Usb::default());
}

#[test]
fn a_profile_that_breaks_a_rule_is_refused_and_nothing_changes() {
    let sound = text("usb = [\"03f0:*\"]", "set.usb.max_interfaces = 1");
    let broken = [
        String::new(),
        "[match]\nusb = [\"03f0:*\"]\n".to_owned(),
        sound.replace("usb = [\"03f0:*\"]", ""),
        sound.replace("03f0:*", "3f0"),
        sound.replace("usb = [\"03f0:*\"]", "model = [\"\"]"),
        sound.replace("reason = \"r\"", "reason = \" \""),
        sound.replace("source = \"s\"", ""),
        sound.replace(
            "source = \"s\"",
            &format!("source = \"{}\"", "s".repeat(501)),
        ),
        sound.replace("set.usb.max_interfaces = 1", "set.usb = 1"),
        sound.replace("set.usb.max_interfaces = 1", "set = {}"),
        sound.replace("set.usb.max_interfaces = 1", "set.usb = {}"),
        sound.replace("set.usb", "why = 1\nset.usb"),
        format!("{sound}[[quirk]]\nset.usb.max_interfaces = 2\nreason = \"r\"\nsource = \"s\"\n"),
        format!("{sound}#{}", "x".repeat(MAX_TEXT_BYTES)),
        sound.replace(
            "[\"03f0:*\"]",
            &format!("{:?}", vec!["03f0:*"; MAX_PATTERNS + 1]),
        ),
    ];
    let mut profiles = profiles(&[("sound", sound)]);
    let before = format!("{profiles:?}");
    for text in broken {
        let refused = profiles.add("sound", &text);
        assert!(
            refused.is_err_and(|error| error.to_string().contains("sound")),
            "{text}"
        );
        assert_eq!(format!("{profiles:?}"), before);
    }
}

#[test]
fn every_profile_of_the_folder_is_shipped_and_sound() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../firmware-config/devices");
    let profiles = Profiles::shipped().unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "the folder itself is what this test is about"
    )]
    let mut there: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
        .collect();
    there.sort_unstable();
    assert_eq!(profiles.names().collect::<Vec<_>>(), there);
}

#[test]
fn fuzz_device_profiles_no_text_is_a_panic() {
    let seeds: Vec<&[u8]> = SHIPPED
        .iter()
        .map(|(_name, text)| text.as_bytes())
        .collect();
    loket_fuzz::fuzz("device_profiles", 2_000, &seeds, |bytes| {
        let mut profiles = Profiles::none();
        if profiles.add("any", &String::from_utf8_lossy(bytes)).is_ok() {
            drop(profiles.for_device(SEEN).section::<Usb>("usb"));
        }
    });
}
