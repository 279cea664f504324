use std::sync::Arc;

use bytes::BytesMut;
use loket_fuzz::fuzz;

use super::super::description::PACKET_BYTES;
use super::super::faults::PortRequest;
use super::super::port::{ByteSink, Port};
use super::super::wire::read_command;
use super::super::wire::tests::submit;
use super::*;

/// Some ten seconds without optimisation.
const CASES: u64 = 200_000;

/// An answer as the host reads it: its number, its status, how much moved, and the bytes.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    seq: u32,
    status: i32,
    moved: u32,
    bytes: Vec<u8>,
}

fn answer(seq: u32, status: i32, moved: u32, bytes: &[u8]) -> Answer {
    Answer {
        seq,
        status,
        moved,
        bytes: bytes.to_vec(),
    }
}

impl Device {
    fn answered(&mut self) -> Vec<Answer> {
        let field =
            |frame: &Bytes, at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
        let answers = std::mem::take(&mut self.answers);
        let submits = answers.iter().filter(|frame| frame[3] == 3);
        submits
            .map(|frame| Answer {
                seq: field(frame, 4),
                status: i32::from_be_bytes(frame[20..24].try_into().unwrap()),
                moved: field(frame, 24),
                bytes: frame[48..].to_vec(),
            })
            .collect()
    }

    fn bring(&mut self, seq: u32, endpoint: u8, data: &[u8]) {
        self.hear(Command::Submit(Submit {
            seq,
            endpoint,
            is_in: false,
            len: data.len(),
            ends_with_zero_packet: false,
            setup: Setup::default(),
            data: Bytes::copy_from_slice(data),
        }));
    }

    fn ask(&mut self, seq: u32, endpoint: u8, len: usize) {
        self.hear(Command::Submit(Submit {
            seq,
            endpoint,
            is_in: true,
            len,
            ends_with_zero_packet: false,
            setup: Setup::default(),
            data: Bytes::new(),
        }));
    }

    fn say_now(&mut self, interface: usize, said: &'static [u8]) {
        let restarts = self.setting(interface).1;
        self.say(interface, restarts, Bytes::from_static(said));
    }

    /// A control request, and its answer; none where it stays open.
    fn request(
        &mut self,
        kind: u8,
        request: u8,
        value: u16,
        index: u16,
        length: u16,
    ) -> Option<Answer> {
        self.answers.clear();
        self.hear(Command::Submit(Submit {
            seq: 999,
            endpoint: 0,
            is_in: kind & 0x80 != 0,
            len: length.into(),
            ends_with_zero_packet: false,
            setup: Setup {
                kind,
                request,
                value,
                index,
                length,
            },
            data: Bytes::new(),
        }));
        let mut answered = self.answered();
        answered.retain(|answer| answer.seq == 999);
        answered.pop()
    }
}

/// A printer with two pairs, configured.
fn device(knobs: UsbKnobs) -> Device {
    let port: Arc<dyn Port> = Arc::new(ByteSink::default());
    let mut device = Device::new(Description::ipp_usb("A-1", 2, &port, &port), knobs);
    device.request(0x00, 9, 1, 0, 0).unwrap();
    device
}

fn trigger(direction: Direction, after_bytes: u64, fault: Fault) -> Trigger {
    Trigger {
        interface: 0,
        direction,
        after_bytes,
        fault,
    }
}

#[test]
fn descriptors_are_given_up_to_the_length_asked_for() {
    let mut device = device(UsbKnobs::default());
    let whole = device.request(0x80, 6, 0x0100, 0, 64).unwrap();
    assert_eq!((whole.status, whole.bytes.len()), (0, 18));
    assert_eq!(
        device.request(0x80, 6, 0x0100, 0, 8).unwrap().bytes,
        whole.bytes[..8]
    );
    // No device qualifier: it knows one speed.
    assert_eq!(device.request(0x80, 6, 0x0600, 0, 10).unwrap().status, -32);
}

#[test]
fn the_printer_class_is_asked_by_its_own_requests() {
    let mut device = device(UsbKnobs::default());
    let id = device.request(0xa1, 0, 0, 0, 1023).unwrap().bytes;
    assert!(id[2..].starts_with(b"MFG:Loket;"));
    assert_eq!(device.request(0xa1, 1, 0, 0, 1).unwrap().bytes, [0x18]);
    device
        .knobs
        .control
        .insert(PortRequest::DeviceId, ControlFault::Stall);
    assert_eq!(device.request(0xa1, 0, 0, 0, 1023).unwrap().status, -32);
    device
        .knobs
        .control
        .insert(PortRequest::DeviceId, ControlFault::Silence);
    assert_eq!(device.request(0xa1, 0, 0, 0, 1023), None);
    device.hear(Command::Unlink { seq: 1000, of: 999 });
    assert_eq!(device.answered(), [answer(999, -104, 0, b"")]);
    assert_eq!(device.report().device_id_requests, 3);
}

#[test]
fn an_alternate_setting_that_does_not_exist_is_refused() {
    let mut device = device(UsbKnobs::default());
    assert_eq!(device.request(0x01, 11, 1, 0, 0).unwrap().status, 0);
    assert_eq!(device.request(0x81, 10, 0, 0, 1).unwrap().bytes, [1]);
    assert_eq!(device.request(0x01, 11, 2, 0, 0).unwrap().status, -32);
    assert_eq!(device.request(0x01, 11, 0, 7, 0).unwrap().status, -32);
}

#[test]
fn a_device_that_is_not_configured_moves_no_bytes() {
    let mut device = device(UsbKnobs::default());
    device.request(0x00, 9, 0, 0, 0).unwrap();
    device.bring(1, 1, b"abc");
    assert_eq!(device.answered(), [answer(1, -32, 0, b"")]);
}

#[test]
fn bytes_that_nobody_reads_fill_the_buffer_and_then_wait() {
    let mut device = device(UsbKnobs::default());
    device.bring(1, 1, &[7; 20_000]);
    assert_eq!(device.answered(), []);
    assert_eq!(device.take(0).len(), 16 * 1024);
    assert_eq!(device.answered(), [answer(1, 0, 20_000, b"")]);
    assert_eq!(device.report().interfaces[0].received_bytes, 20_000);
}

#[test]
fn a_request_taken_back_says_how_far_it_came() {
    let mut device = device(UsbKnobs::default());
    device.bring(1, 1, &[7; 20_000]);
    device.hear(Command::Unlink { seq: 2, of: 1 });
    assert_eq!(device.answers.len(), 2);
    assert_eq!(device.answered(), [answer(1, -104, 16 * 1024, b"")]);
    assert_eq!(device.report().unlinked, 1);
    // What was answered before is taken back in vain.
    device.hear(Command::Unlink { seq: 3, of: 1 });
    assert_eq!(device.report().unlinked, 1);
}

#[test]
fn what_the_device_says_ends_a_request_by_a_short_packet() {
    let mut device = device(UsbKnobs::default());
    device.ask(1, 1, 4096);
    device.ask(2, 1, 4096);
    device.say_now(0, b"abc");
    assert_eq!(device.answered(), [answer(1, 0, 3, b"abc")]);
    device.say_now(0, &[1; PACKET_BYTES]);
    assert_eq!(device.answered(), [answer(2, 0, 512, &[1; 512])]);
}

#[test]
fn whole_packets_without_an_empty_one_leave_the_host_waiting() {
    let mut device = device(UsbKnobs {
        ends_with_zero_packet: false,
        ..UsbKnobs::default()
    });
    device.ask(1, 1, 4096);
    device.say_now(0, &[1; PACKET_BYTES]);
    assert_eq!(device.answered(), []);
    device.hear(Command::Unlink { seq: 2, of: 1 });
    assert_eq!(device.answered(), [answer(1, -104, 512, &[1; 512])]);
}

#[test]
fn empty_packets_are_counted_and_given() {
    let mut device = device(UsbKnobs {
        stray_zero_packets: 1,
        ..UsbKnobs::default()
    });
    device.bring(1, 1, b"");
    assert_eq!(device.answered(), [answer(1, 0, 0, b"")]);
    assert_eq!(device.report().interfaces[0].zero_packets, 1);
    device.ask(2, 1, 512);
    device.ask(3, 1, 512);
    device.say_now(0, b"a");
    assert_eq!(
        device.answered(),
        [answer(2, 0, 0, b""), answer(3, 0, 1, b"a")]
    );
}

#[test]
fn a_packet_longer_than_what_is_asked_for_is_babble() {
    let mut device = device(UsbKnobs::default());
    device.ask(1, 1, 100);
    device.say_now(0, &[1; 300]);
    assert_eq!(device.answered(), [answer(1, -75, 0, b"")]);
}

#[test]
fn a_stall_comes_behind_its_byte_and_lasts_until_it_is_cleared() {
    let mut device = device(UsbKnobs::default());
    device.arm(trigger(Direction::Out, 1000, Fault::Stall));
    device.bring(1, 1, &[7; 4096]);
    device.bring(2, 1, b"abc");
    assert_eq!(
        device.answered(),
        [answer(1, -32, 1000, b""), answer(2, -32, 0, b"")]
    );
    assert_eq!(device.request(0x82, 0, 0, 0x01, 2).unwrap().bytes, [1, 0]);
    device.request(0x02, 1, 0, 0x01, 0).unwrap();
    device.bring(3, 1, b"abc");
    assert_eq!(device.answered(), [answer(3, 0, 3, b"")]);
    let report = &device.report().interfaces[0];
    assert_eq!((report.halts_cleared, report.faults_fired), (1, 1));
}

#[test]
fn a_silent_interface_is_healed_by_no_less_than_its_knob_says() {
    let mut device = device(UsbKnobs {
        heals: Heals::Device,
        ..UsbKnobs::default()
    });
    device.arm(trigger(Direction::Out, 0, Fault::Silence));
    device.bring(1, 1, b"abc");
    device.request(0x21, 2, 0, 0, 0).unwrap();
    assert_eq!(device.answered(), []);
    // The other pair has no trouble.
    device.bring(2, 2, b"abc");
    assert_eq!(device.answered(), [answer(2, 0, 3, b"")]);
    device.answers.clear();
    device.hear(Command::Submit(Submit {
        seq: 3,
        endpoint: 0,
        is_in: false,
        len: 0,
        ends_with_zero_packet: false,
        setup: Setup {
            request: 9,
            value: 1,
            ..Setup::default()
        },
        data: Bytes::new(),
    }));
    assert_eq!(
        device.answered(),
        [answer(1, 0, 3, b""), answer(3, 0, 0, b"")]
    );
}

#[test]
fn a_reply_is_cut_in_the_middle_and_the_next_one_is_whole_after_a_reset() {
    let mut device = device(UsbKnobs::default());
    device.arm(trigger(Direction::In, 600, Fault::Cut));
    device.ask(1, 1, 4096);
    device.ask(2, 1, 4096);
    device.say_now(0, &[1; 2000]);
    device.say_now(0, b"more");
    assert_eq!(device.answered(), [answer(1, 0, 600, &[1; 600])]);
    device.request(0x21, 2, 0, 0, 0).unwrap();
    device.say_now(0, b"next");
    assert_eq!(device.answered(), [answer(2, 0, 4, b"next")]);
}

#[test]
fn bytes_from_before_a_restart_do_not_come_after_it() {
    let mut device = device(UsbKnobs::default());
    device.say_now(0, b"old");
    let before = device.setting(0).1;
    device.request(0x21, 2, 0, 0, 0).unwrap();
    device.say(0, before, Bytes::from_static(b"late"));
    device.ask(1, 1, 512);
    assert_eq!(device.answered(), []);
    device.say_now(0, b"new");
    assert_eq!(device.answered(), [answer(1, 0, 3, b"new")]);
}

#[test]
fn the_plug_is_pulled_behind_its_byte() {
    let mut device = device(UsbKnobs::default());
    device.arm(trigger(Direction::Out, 700, Fault::Unplug));
    device.bring(1, 1, &[7; 699]);
    assert!(!device.is_unplugged());
    device.bring(2, 1, &[7; 699]);
    assert!(device.is_unplugged());
    // What was under way does not arrive behind it.
    device.bring(3, 1, &[7; 699]);
    device.take(0);
    assert_eq!(device.report().interfaces[0].received_bytes, 700);
    assert_eq!(device.answered(), [answer(1, 0, 699, b"")]);
}

#[test]
fn a_host_that_asks_without_end_loses_the_device() {
    let mut device = device(UsbKnobs::default());
    for seq in 0..=1024 {
        assert!(!device.is_unplugged());
        device.ask(seq, 1, 512);
    }
    assert!(device.is_unplugged());
}

#[test]
fn fuzz_usbip_requests_of_a_host() {
    let stream = |frames: &[BytesMut]| frames.concat();
    let good = [
        stream(&[submit(1, 0, true, 18, b""), submit(2, 1, false, 3, b"abc")]),
        stream(&[submit(3, 1, true, 512, b""), submit(4, 2, true, 512, b"")]),
        {
            let mut configure = submit(5, 0, false, 0, b"");
            configure[40..48].copy_from_slice(&[0, 9, 1, 0, 0, 0, 0, 0]);
            stream(&[configure, submit(6, 1, false, 600, &[1; 600])])
        },
    ];
    let good: Vec<&[u8]> = good.iter().map(Vec::as_slice).collect();
    fuzz("usbip", CASES, &good, |bytes| {
        let mut device = device(UsbKnobs::default());
        device.arm(trigger(Direction::Out, 500, Fault::Stall));
        let mut come = BytesMut::from(bytes);
        while let Ok(Some(command)) = read_command(&mut come) {
            device.hear(command);
            device.take(0);
            device.say_now(0, b"said");
        }
    });
}
