//! Another encoder's bytes beside ours: crate escpos writes the commands that both have.

use std::cell::RefCell;

use escpos::driver::Driver;
use escpos::printer::Printer;
use escpos::utils::{
    DebugMode, JustifyMode, Protocol, QRCodeCorrectionLevel, QRCodeModel, QRCodeOption,
    RealTimeStatusRequest, RealTimeStatusResponse,
};
use loket_ticket_printer::{Fault, PrinterStatus, Profile, QrBy, Question, render};

use crate::bench::{ADDRESS, ticket};

/// Keeps what is written.
#[derive(Debug, Default)]
struct Kept(RefCell<Vec<u8>>);

impl Driver for Kept {
    fn name(&self) -> String {
        "kept".to_owned()
    }

    fn write(&self, data: &[u8]) -> escpos::errors::Result<()> {
        self.0.borrow_mut().extend_from_slice(data);
        Ok(())
    }

    fn read(&self, _buf: &mut [u8]) -> escpos::errors::Result<usize> {
        Ok(0)
    }

    fn flush(&self) -> escpos::errors::Result<()> {
        Ok(())
    }
}

/// What the other encoder writes.
fn theirs(write: impl FnOnce(&mut Printer<Kept>)) -> Vec<u8> {
    let mut printer = Printer::new(Kept::default(), Protocol::default(), None);
    printer.debug_mode(None::<DebugMode>);
    write(&mut printer);
    printer.print().unwrap();
    printer.driver().0.into_inner()
}

fn has(ours: &[u8], theirs: &[u8]) -> bool {
    !theirs.is_empty() && ours.windows(theirs.len()).any(|window| window == theirs)
}

#[test]
fn commands_that_both_have_are_the_same_bytes() {
    let profile = Profile {
        qr: QrBy::Native,
        ..Profile::plain_80mm()
    };
    let ours = render(&ticket("A-007"), &profile);
    let qr = theirs(|it| {
        let option = QRCodeOption::new(QRCodeModel::Model2, 6, QRCodeCorrectionLevel::M);
        it.qrcode_option(ADDRESS, option).unwrap();
    });
    assert!(has(&ours, &qr), "{}", qr.escape_ascii());
    for (name, bytes) in [
        (
            "init",
            theirs(|it| {
                it.init().unwrap();
            }),
        ),
        (
            "center",
            theirs(|it| {
                it.justify(JustifyMode::CENTER).unwrap();
            }),
        ),
        (
            "left",
            theirs(|it| {
                it.justify(JustifyMode::LEFT).unwrap();
            }),
        ),
        (
            "size",
            theirs(|it| {
                it.size(8, 8).unwrap();
            }),
        ),
        (
            "bold",
            theirs(|it| {
                it.bold(true).unwrap();
            }),
        ),
        (
            "feeds",
            theirs(|it| {
                it.feeds(5).unwrap();
            }),
        ),
    ] {
        assert!(has(&ours, &bytes), "{name}: {}", bytes.escape_ascii());
    }
    let copy = render(&ticket("A-007").copy(), &profile);
    let reverse = theirs(|it| {
        it.reverse(true).unwrap();
    });
    assert!(has(&copy, &reverse) && !has(&ours, &reverse));
}

/// Every answer to each of the four questions means the same to both.
#[test]
fn states_told_at_once_mean_the_same_to_both() {
    let fine = [0x12; 4];
    let asked = [
        RealTimeStatusRequest::Printer,
        RealTimeStatusRequest::OfflineCause,
        RealTimeStatusRequest::ErrorCause,
        RealTimeStatusRequest::RollPaperSensor,
    ];
    for (at, (question, asked)) in Question::ALL.into_iter().zip(asked).enumerate() {
        for answer in (0..=u8::MAX).filter(|byte| byte & 0x93 == 0x12) {
            let told = RealTimeStatusResponse::parse(asked, answer).unwrap();
            let is = |response| told.get(&response).copied();
            let mut answers = fine;
            answers[at] = answer;
            let ours = PrinterStatus::of(answers);
            let has = |fault| ours.faults.contains(&fault);
            match question {
                Question::Printer => {
                    assert_eq!(
                        is(RealTimeStatusResponse::Online),
                        Some(!has(Fault::Offline))
                    );
                }
                Question::OfflineCause => {
                    assert_eq!(
                        is(RealTimeStatusResponse::CoverClosed),
                        Some(!has(Fault::CoverOpen))
                    );
                    let ended = is(RealTimeStatusResponse::PrintingStopsDueToPaperEnd);
                    assert_eq!(ended, Some(has(Fault::PaperEnd)));
                    assert_eq!(
                        is(RealTimeStatusResponse::ErrorOccurred),
                        Some(has(Fault::Failure))
                    );
                }
                Question::ErrorCause => {
                    let cutter = is(RealTimeStatusResponse::AutocutterErrorOccurred);
                    assert_eq!(cutter, Some(has(Fault::Cutter)));
                    let broken = is(RealTimeStatusResponse::UnrecoverableErrorOccurred);
                    assert_eq!(broken, Some(has(Fault::Broken)));
                    let hot = is(RealTimeStatusResponse::AutoRecoverableErrorOccurred);
                    assert_eq!(hot, Some(has(Fault::TooHot)));
                }
                Question::Paper => {
                    let present = is(RealTimeStatusResponse::RollPaperEndSensorPaperPresent);
                    assert_eq!(present, Some(!has(Fault::PaperEnd)));
                    let adequate = is(RealTimeStatusResponse::RollPaperNearEndSensorPaperAdequate);
                    assert_eq!(adequate, Some(!has(Fault::PaperLow)));
                }
            }
        }
    }
}
