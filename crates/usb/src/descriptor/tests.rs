use super::*;

/// Device descriptor of a composite device.
fn device() -> Vec<u8> {
    vec![18, 1, 0, 2, 0, 0, 0, 64, 0x09, 0x12, 1, 0, 0, 1, 1, 2, 3, 1]
}

fn configuration(value: u8, body: &[u8]) -> Vec<u8> {
    let [low, high] = u16::try_from(9 + body.len()).unwrap().to_le_bytes();
    [&[9, 2, low, high, 1, value, 0, 0xc0, 1], body].concat()
}

fn interface(number: u8, setting: u8, class: [u8; 3], endpoints: &[[u8; 4]]) -> Vec<u8> {
    let [class, subclass, protocol] = class;
    let count = u8::try_from(endpoints.len()).unwrap();
    let mut out = vec![9, 4, number, setting, count, class, subclass, protocol, 0];
    for [address, attributes, low, high] in endpoints {
        out.extend([7, 5, *address, *attributes, *low, *high, 0]);
    }
    out
}

const OUT: [u8; 4] = [0x01, 2, 0, 2];
const IN: [u8; 4] = [0x81, 2, 0, 2];
const IPP: [u8; 3] = [7, 1, 4];
const BOTH: [u8; 3] = [7, 1, 2];
const ONE_WAY: [u8; 3] = [7, 1, 1];

/// As on real devices: setting 0 prints raw bytes, setting 1 speaks HTTP; a scanner of its own kind beside them.
fn office_printer() -> Vec<u8> {
    let mut body = interface(0, 0, BOTH, &[OUT, IN]);
    body.extend(interface(0, 1, IPP, &[OUT, IN]));
    // Release 1.0, one descriptor, prints and scans.
    body.extend([10, 0x21, 0x00, 0x01, 1, 0, 0x03, 0x00, 0, 0]);
    body.extend(interface(
        1,
        0,
        [255, 204, 0],
        &[[0x02, 2, 0, 2], [0x82, 2, 0, 2]],
    ));
    body.extend(interface(2, 0, BOTH, &[[0x03, 2, 0, 2], [0x83, 2, 0, 2]]));
    body.extend(interface(2, 1, IPP, &[[0x03, 2, 0, 2], [0x83, 2, 0, 2]]));
    [device(), configuration(1, &body)].concat()
}

fn ticket_printer() -> Vec<u8> {
    [
        device(),
        configuration(1, &interface(0, 0, BOTH, &[OUT, IN])),
    ]
    .concat()
}

#[test]
fn settings_beside_the_current_one_are_found() {
    let found = functions(&office_printer(), 1).unwrap();
    assert_eq!(found.fault, None);
    let ipp = found
        .functions
        .iter()
        .find(|it| it.kind == FunctionKind::IppUsb)
        .unwrap();
    let places: Vec<(u8, u8)> = ipp
        .places
        .iter()
        .map(|it| (it.interface, it.setting))
        .collect();
    assert_eq!(places, [(0, 1), (2, 1)]);
    let capabilities = ipp.capabilities;
    assert!(capabilities.prints && capabilities.scans && !capabilities.faxes);
    let raw = found
        .functions
        .iter()
        .find(|it| it.kind == FunctionKind::RawPrinter)
        .unwrap();
    assert_eq!(raw.places.len(), 2);
    let input = raw.places[0].input.unwrap();
    assert_eq!((input.address, input.packet_len), (0x81, 512));
}

#[test]
fn a_printer_that_never_answers_has_no_place_to_read_from() {
    let body = interface(0, 0, ONE_WAY, &[OUT]);
    let found = functions(&[device(), configuration(1, &body)].concat(), 1).unwrap();
    assert_eq!(found.functions[0].places[0].input, None);
}

#[test]
fn of_two_settings_that_print_the_one_that_answers_is_taken() {
    let mut body = interface(0, 0, ONE_WAY, &[OUT]);
    body.extend(interface(0, 1, BOTH, &[OUT, IN]));
    let found = functions(&[device(), configuration(1, &body)].concat(), 1).unwrap();
    let places = &found.functions[0].places;
    assert_eq!((places.len(), places[0].setting), (1, 1));
}

#[test]
fn the_active_configuration_is_read_and_a_single_one_whatever_its_number() {
    let other = configuration(1, &interface(0, 0, [8, 6, 80], &[OUT, IN]));
    let printing = configuration(2, &interface(0, 0, BOTH, &[OUT, IN]));
    let both = [device(), other, printing.clone()].concat();
    assert_eq!(functions(&both, 1).unwrap(), Functions::default());
    assert_eq!(functions(&both, 2).unwrap().functions.len(), 1);
    assert_eq!(functions(&both, 3), Err(DescriptorFault::NoConfiguration));
    let single = [device(), printing].concat();
    assert_eq!(functions(&single, 9).unwrap().functions.len(), 1);
}

fn check_fault(class: [u8; 3], endpoints: &[[u8; 4]], fault: DescriptorFault) {
    let body = interface(3, 0, class, endpoints);
    let found = functions(&[device(), configuration(1, &body)].concat(), 1).unwrap();
    assert_eq!((found.functions, found.fault), (Vec::new(), Some(fault)));
}

#[test]
fn an_interface_that_cannot_work_is_refused_with_its_reason() {
    let interface = 3;
    let no_in = DescriptorFault::NoIn { interface };
    check_fault(IPP, &[OUT], no_in);
    check_fault(BOTH, &[OUT, [0x81, 3, 0, 2]], no_in);
    check_fault(IPP, &[IN], DescriptorFault::NoOut { interface });
    check_fault(ONE_WAY, &[], DescriptorFault::NoOut { interface });
    // Endpoint 0 is the control endpoint, whatever its attributes say.
    check_fault(
        ONE_WAY,
        &[[0x00, 2, 0, 2]],
        DescriptorFault::NoOut { interface },
    );
    check_fault(
        IPP,
        &[[1, 2, 0, 0], IN],
        DescriptorFault::PacketLen { interface, len: 0 },
    );
    check_fault(
        IPP,
        &[OUT, [0x81, 2, 1, 4]],
        DescriptorFault::PacketLen {
            interface,
            len: 1025,
        },
    );
}

#[test]
fn one_bad_interface_does_not_spoil_a_good_one() {
    let mut body = interface(0, 0, IPP, &[OUT]);
    body.extend(interface(1, 0, IPP, &[OUT, IN]));
    let found = functions(&[device(), configuration(1, &body)].concat(), 1).unwrap();
    assert_eq!(found.functions[0].places.len(), 1);
    assert_eq!(found.fault, Some(DescriptorFault::NoIn { interface: 0 }));
}

#[test]
fn what_claims_too_much_is_refused() {
    assert_eq!(functions(&[], 1), Err(DescriptorFault::NoDevice));
    assert_eq!(functions(&[0; 18], 1), Err(DescriptorFault::NoDevice));
    assert_eq!(
        functions(&device(), 1),
        Err(DescriptorFault::NoConfiguration)
    );
    let many: Vec<u8> = (0..300).flat_map(|_| interface(0, 0, IPP, &[])).collect();
    let bytes = [device(), configuration(1, &many)].concat();
    assert_eq!(functions(&bytes, 1), Err(DescriptorFault::TooMany));
    let many = interface(0, 0, IPP, &[OUT; 40]);
    let bytes = [device(), configuration(1, &many)].concat();
    assert_eq!(functions(&bytes, 1), Err(DescriptorFault::TooMany));
    let bytes = vec![0; MAX_DESCRIPTOR_BYTES + 1];
    assert_eq!(functions(&bytes, 1), Err(DescriptorFault::TooMany));
}

#[test]
fn a_broken_descriptor_ends_the_walk_and_what_stood_before_counts() {
    let whole = office_printer();
    let mut zero = whole.clone();
    // The length of the last interface descriptor.
    let at = whole.len() - 23;
    assert_eq!(zero[at..at + 2], [9, 4]);
    zero[at] = 0;
    for bytes in [&whole[..at + 3], &zero] {
        let found = functions(bytes, 1).unwrap();
        let ipp = found
            .functions
            .iter()
            .find(|it| it.kind == FunctionKind::IppUsb)
            .unwrap();
        assert_eq!(ipp.places.len(), 1);
    }
}

#[test]
fn fuzz_usb_descriptors_no_bytes_panic_and_what_is_found_can_be_used() {
    let (office, ticket) = (office_printer(), ticket_printer());
    loket_fuzz::fuzz("usb_descriptors", 300_000, &[&office, &ticket], |bytes| {
        for active in 0..3 {
            let Ok(found) = functions(bytes, active) else {
                continue;
            };
            for function in &found.functions {
                assert!(!function.places.is_empty());
                for (at, place) in function.places.iter().enumerate() {
                    let pipes = [Some(place.out), place.input];
                    let lens = pipes.iter().flatten().map(|pipe| pipe.packet_len);
                    assert!(lens.clone().all(|len| (1..=1024).contains(&len)));
                    assert!(place.out.address & DIRECTION_IN == 0);
                    assert!(
                        place
                            .input
                            .is_none_or(|pipe| pipe.address & DIRECTION_IN != 0)
                    );
                    assert!(place.input.is_some() || function.kind == FunctionKind::RawPrinter);
                    let same = |it: &Place| it.interface == place.interface;
                    assert!(!function.places[at + 1..].iter().any(same));
                }
            }
        }
    });
}
