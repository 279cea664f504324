use std::collections::BTreeMap;

use loket_dns_sd::RecordFault;

use super::*;

fn settings(uri: &str) -> PrinterConfig {
    PrinterConfig {
        name: "a4".to_owned(),
        uri: uri.to_owned(),
        pinned_spki_sha256: None,
        trusts_impressions: None,
        idle_poll_ms: None,
        exercise: None,
    }
}

fn announced(service: Service) -> Announced {
    Announced {
        name: "Ruang Pelayanan".to_owned(),
        service,
        host: Some("epson1234.local".to_owned()),
        addresses: ["192.168.1.20", "2001:db8::20"]
            .map(|it| it.parse().unwrap())
            .to_vec(),
        port: 631,
        path: "ipp/print".to_owned(),
        make_and_model: Some("HP Laser 107a".to_owned()),
        formats: vec!["application/pdf".to_owned()],
        uuid: None,
    }
}

fn told(printer: &Announced, uris: &[&str]) -> OnNetwork {
    let printers: Vec<PrinterConfig> = uris.iter().map(|it| settings(it)).collect();
    of(printer, &printers, &Profiles::none())
}

#[test]
fn a_printer_of_the_settings_is_known_by_address_or_host_port_and_path() {
    let printer = announced(Service::Ipp);
    for (uri, state) in [
        ("ipp://192.168.1.20/ipp/print", "in-settings"),
        ("ipp://192.168.1.20:631/ipp/print", "in-settings"),
        ("ipp://[2001:db8::20]/ipp/print", "in-settings"),
        ("ipp://EPSON1234.local/ipp/print", "in-settings"),
        ("ipp://192.168.1.21/ipp/print", "not-in-settings"),
        ("ipp://192.168.1.20:8631/ipp/print", "not-in-settings"),
        ("ipp://192.168.1.20/ipp/print2", "not-in-settings"),
        ("ipps://192.168.1.20/ipp/print", "not-in-settings"),
        ("ippusb://04B8:1234/X9", "not-in-settings"),
    ] {
        assert_eq!(told(&printer, &[uri]).state, state, "{uri}");
    }
    assert_eq!(told(&printer, &[]).state, "not-in-settings");
}

/// The address that is told can be written into settings as it is.
#[test]
fn the_next_action_holds_an_address_that_settings_take() {
    for service in Service::ALL {
        let printer = told(&announced(service), &[]);
        assert_eq!(printer.needs_pin, service == Service::Ipps);
        let line = printer.next();
        let (_before, rest) = line.split_once("uri = \"").unwrap();
        let (uri, _after) = rest.split_once('"').unwrap();
        let uri = PrinterUri::parse(uri).unwrap();
        assert_eq!((uri.host(), uri.port()), ("192.168.1.20", 631));
        assert_eq!(uri.path(), "/ipp/print");
    }
}

#[test]
fn a_printer_that_takes_nothing_that_is_sent_is_not_recommended() {
    let mut printer = announced(Service::Ipp);
    for (formats, takes) in [
        (vec!["application/pdf"], "pdf"),
        (vec!["image/urf"], "raster"),
        (vec!["application/vnd.hp-pcl"], "neither"),
        (vec![], "unsaid"),
    ] {
        printer.formats = formats.into_iter().map(str::to_owned).collect();
        let seen = told(&printer, &[]);
        assert_eq!(seen.takes, takes);
        assert_eq!(seen.next().contains("uri ="), takes != "neither");
    }
}

#[test]
fn what_a_device_profile_says_of_its_model_is_told() {
    let mut profiles = Profiles::none();
    let profile = "[match]\nmodel = [\"HP Laser 107*\"]\n[[quirk]]\nset.print.trusts_impressions = false\n\
        reason = \"counts jams as sheets\"\nsource = \"this test\"\n";
    profiles.add("hp", profile).unwrap();
    let seen = of(&announced(Service::Ipp), &[], &profiles);
    assert_eq!(seen.quirks.len(), 1);
    assert!(told(&announced(Service::Ipp), &[]).quirks.is_empty());
}

#[test]
fn what_could_not_be_used_is_told_by_code_and_fails_nothing() {
    let mut searched = Searched {
        seconds: 5,
        interface: None,
        printers: Vec::new(),
        notes: Vec::new(),
    };
    let found = Found {
        printers: vec![announced(Service::Ipp)],
        faults: BTreeMap::from([(RecordFault::Path, 2), (RecordFault::Port, 1)]),
        is_cut: true,
    };
    searched.take(&found, &[], &Profiles::none());
    let json = serde_json::to_value(&searched).unwrap();
    let notes: Vec<(&str, &str)> = json["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["code"].as_str().unwrap(), it["detail"].as_str().unwrap()))
        .collect();
    assert_eq!(
        notes.iter().map(|it| it.0).collect::<Vec<_>>(),
        ["L-115", "L-115", "L-116"]
    );
    assert!(notes[0].1.starts_with("port-unusable (1)"), "{notes:?}");
    assert!(notes[1].1.starts_with("path-unusable (2)"), "{notes:?}");
    assert_eq!(searched.exit(), Exit::Done);
    searched
        .notes
        .push(Note::new(Trouble::SearchFailed, "no network"));
    assert_eq!(searched.exit(), Exit::Unavailable);
}
