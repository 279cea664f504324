use super::*;
use crate::fake::FakeDevice;

fn printer(serial: Option<&str>, port: u8) -> Plugged {
    FakeDevice::http(1, 64, |_request| Vec::new()).plugged(serial, port)
}

fn address(text: &str) -> DeviceAddress {
    text.parse().unwrap()
}

#[test]
fn addresses_read_as_they_are_written() {
    for text in [
        "ippusb://04B8:1234/X9A70012",
        "ippusb://04B8:1234/X9A70012?port=1-2.3",
        "usb://0519:0003/?port=1-4",
        "usb://0519:0003/",
        "ippusb://04B8:1234/%25%20%2F%C3%A9?port=12-1.2.3.4.5.6",
    ] {
        assert_eq!(address(text).to_string(), text);
    }
    assert_eq!(address("usb://0519:abcd"), address("usb://0519:ABCD/"));
}

#[test]
fn what_is_no_address_is_refused_with_its_reason() {
    let long = format!("usb://0519:0003/{}", "1".repeat(5_000));
    let serial = format!("usb://0519:0003/{}", "1".repeat(400));
    for (text, fault) in [
        ("", AddressFault::Scheme),
        ("http://04B8:1234/X", AddressFault::Scheme),
        ("usb:04B8:1234", AddressFault::Scheme),
        ("usb://4B8:1234/", AddressFault::Model),
        ("usb://04B8/", AddressFault::Model),
        ("usb://+4B8:1234/", AddressFault::Model),
        ("usb://04B8:1234/a b", AddressFault::Serial),
        ("usb://04B8:1234/%4", AddressFault::Serial),
        ("usb://04B8:1234/%zz", AddressFault::Serial),
        ("usb://04B8:1234/%FF", AddressFault::Serial),
        ("usb://04B8:1234/X?socket=1", AddressFault::Port),
        ("usb://04B8:1234/X?port=", AddressFault::Port),
        ("usb://04B8:1234/X?port=1", AddressFault::Port),
        ("usb://04B8:1234/X?port=1-", AddressFault::Port),
        ("usb://04B8:1234/X?port=01-2", AddressFault::Port),
        ("usb://04B8:1234/X?port=1-2.0", AddressFault::Port),
        ("usb://04B8:1234/X?port=1-1.2.3.4.5.6.7", AddressFault::Port),
        (&long, AddressFault::TooLong),
        (&serial, AddressFault::TooLong),
    ] {
        assert_eq!(text.parse::<DeviceAddress>(), Err(fault), "{text}");
    }
}

#[test]
fn each_of_several_devices_gets_an_address_of_its_own() {
    let plugged = [
        printer(Some("A"), 1),
        printer(Some("B"), 2),
        printer(Some("B"), 3),
        printer(None, 4),
        printer(Some(""), 5),
    ];
    let of = |at: usize| DeviceAddress::of(&plugged[at], FunctionKind::IppUsb, &plugged);
    let written: Vec<String> = (0..5).map(|at| of(at).to_string()).collect();
    let expected = ["A", "B?port=1-2", "B?port=1-3", "?port=1-4", "?port=1-5"];
    assert_eq!(
        written,
        expected.map(|it| format!("ippusb://1209:0001/{it}"))
    );
    for (at, device) in plugged.iter().enumerate() {
        assert_eq!(of(at).choose(&plugged), Ok(device));
    }
}

#[test]
fn of_two_devices_that_fit_none_is_taken_and_both_are_named() {
    let plugged = [printer(Some("A"), 1), printer(Some("A"), 2)];
    let candidates = [
        "ippusb://1209:0001/A?port=1-1".to_owned(),
        "ippusb://1209:0001/A?port=1-2".to_owned(),
    ];
    for asked in ["ippusb://1209:0001/A", "ippusb://1209:0001/"] {
        let error = address(asked).choose(&plugged).unwrap_err();
        let expected = UsbError::Ambiguous {
            address: asked.to_owned(),
            candidates: candidates.to_vec(),
        };
        assert_eq!(error, expected);
        assert!(
            error
                .to_string()
                .contains("A?port=1-1 and ippusb://1209:0001/A?port=1-2")
        );
    }
}

#[test]
fn another_device_of_the_same_model_is_not_taken_for_the_one_that_is_missing() {
    let plugged = [printer(Some("B"), 1)];
    let error = address("ippusb://1209:0001/A")
        .choose(&plugged)
        .unwrap_err();
    let UsbError::NotThere { instead, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(instead, &["ippusb://1209:0001/B".to_owned()]);
    let moved = address("ippusb://1209:0001/B?port=1-2").choose(&plugged);
    assert!(matches!(moved, Err(UsbError::NotThere { .. })));
    let other = address("ippusb://1209:0002/B").choose(&plugged);
    assert_eq!(
        other,
        Err(UsbError::NotThere {
            address: "ippusb://1209:0002/B".to_owned(),
            instead: Vec::new()
        })
    );
}

#[test]
fn a_device_without_the_interface_is_told_apart_from_one_that_lies() {
    let mut plugged = [printer(Some("A"), 1)];
    let asked = address("usb://1209:0001/A");
    let error = asked.choose(&plugged).unwrap_err();
    assert_eq!(error.keyword(), "usb-no-such-interface");
    plugged[0].fault = Some(crate::descriptor::DescriptorFault::NoIn { interface: 0 });
    let error = asked.choose(&plugged).unwrap_err();
    assert_eq!(error.keyword(), "usb-bad-descriptor");
}

#[test]
fn settings_hold_addresses_as_text() {
    #[derive(Debug, Deserialize, Serialize, PartialEq)]
    struct Settings {
        printer: DeviceAddress,
    }
    let text = "printer = \"ippusb://04B8:1234/X?port=1-2\"\n";
    let settings: Settings = toml::from_str(text).unwrap();
    assert_eq!(toml::to_string(&settings).unwrap(), text);
    let wrong = toml::from_str::<Settings>("printer = \"lpt1\"").unwrap_err();
    assert!(
        wrong.to_string().contains("must begin with ippusb://"),
        "{wrong}"
    );
}

#[test]
fn fuzz_usb_addresses_no_text_panics_and_what_is_read_is_written_so_that_it_reads_the_same() {
    let good: [&[u8]; 3] = [
        b"ippusb://04B8:1234/X9A7%20012?port=1-2.3",
        b"usb://0519:0003/",
        b"ippusb://1209:0001/%C3%A9",
    ];
    loket_fuzz::fuzz("usb_addresses", 500_000, &good, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(read) = text.parse::<DeviceAddress>() {
            assert_eq!(read.to_string().parse(), Ok(read));
        }
    });
}
