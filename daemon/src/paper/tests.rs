use loket_kiosk_ui::ports::SheetVerdict;

use super::*;
use crate::identity::OsRandom;

fn told(sealing: &SealingKey, machine: &MachineId) -> ToldRecord {
    let job = JobId::from_parts(1, [1; 10]);
    let binding = RecordBinding {
        recipient: machine.as_str(),
        machine,
        job,
    };
    let public = sealing.public().unwrap();
    let mut random = OsRandom::default();
    ToldRecord {
        job_id: job,
        machine: machine.clone(),
        printed_at: "2026-11-26T00:00:00Z".to_owned(),
        sealed: BASE64.encode(&public.seal_record(&binding, b"any", &mut random).unwrap()),
    }
}

#[test]
fn what_central_tells_for_another_machine_does_not_open() {
    let key: (MachineId, SealingKey) = (
        "desa-contoh-1".parse().unwrap(),
        SealingKey::from_bytes([5; 32]),
    );
    assert_eq!(**opened(&told(&key.1, &key.0), &key).unwrap(), *b"any");
    let told = told(&key.1, &"desa-contoh-2".parse().unwrap());
    assert!(matches!(opened(&told, &key), Err(PaperFault::Broken)));
}

#[test]
fn words_of_the_child_are_looked_up() {
    let narrow = loket_paper::compare::CompareError::TooCoarse;
    assert_eq!(of_scan(narrow.code()), (narrow.code(), narrow.sentence()));
    let broken = RasterError::PictureBroken.code();
    assert_eq!(of_scan("anything").0, broken);
}

#[test]
fn a_report_has_the_words_that_scripts_know() {
    let key = SealingKey::from_bytes([5; 32]);
    let told = told(&key, &"desa-contoh-1".parse().unwrap());
    let held = Held {
        record: 0,
        page: 1,
        verdict: SheetVerdict::CannotTell,
        code: None,
        regions: Vec::new(),
        pictures: None,
    };
    let report = serde_json::to_value(answer(held, &told).report).unwrap();
    assert_eq!(report["verdict"], "cannot_tell");
    assert_eq!(report["machine"], "desa-contoh-1");
}
