//! What opens an envelope, and that nothing else does.

use super::*;

struct Seeded(u64);

impl Randomness for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = self.0.to_be_bytes()[0];
        }
    }
}

fn job(n: u8) -> JobId {
    JobId::from_parts(1_790_000_000_000, [n; 10])
}

fn binding(recipient: &str) -> Binding<'_> {
    Binding {
        recipient,
        job: job(1),
        epoch: Epoch::from_bytes([3; 16]),
        not_after: Timestamp::from_unix_ms(1_800_000_000_000),
    }
}

#[test]
fn an_envelope_opens_for_its_key_and_binding_alone() {
    let mut random = Seeded(7);
    let key = SealingKey::generate(&mut random);
    let public = key.public().unwrap();
    assert_eq!(SealingPublic::parse(&public.to_string()).unwrap(), public);
    let secrets = Secrets::new("KK SITI".to_owned(), None, b"%PDF-document", 1, &mut random);
    let bound = binding("desa-contoh-1");
    let envelope = public.seal(&bound, &secrets, &mut random).unwrap();
    assert!(key.open(&bound, &envelope).unwrap() == secrets);

    let others = [
        binding("desa-contoh-2"),
        Binding {
            job: job(2),
            ..bound
        },
        Binding {
            epoch: Epoch::from_bytes([4; 16]),
            ..bound
        },
        Binding {
            not_after: Timestamp::from_unix_ms(1),
            ..bound
        },
    ];
    for other in others {
        assert_eq!(key.open(&other, &envelope).unwrap_err(), SealError::Altered);
    }
    let stranger = SealingKey::generate(&mut random);
    assert_eq!(
        stranger.open(&bound, &envelope).unwrap_err(),
        SealError::OtherKey
    );
    let mut bent = envelope.clone();
    bent.ct = format!("{}AAAA", &bent.ct[..bent.ct.len() - 4]);
    assert_eq!(key.open(&bound, &bent).unwrap_err(), SealError::Altered);
    let json = serde_json::to_string(&envelope).unwrap();
    assert!(!json.contains("SITI"));
    assert_eq!(serde_json::from_str::<Envelope>(&json).unwrap(), envelope);
}

#[test]
fn a_document_opens_for_its_job_and_unbent() {
    let mut random = Seeded(8);
    let document = b"%PDF-1.7 a document".to_vec();
    let secrets = Secrets::new(String::new(), None, &document, 1, &mut random);
    let blob = secrets.seal_document(job(1), &document).unwrap();
    let size = u64::try_from(document.len()).unwrap();
    assert_eq!(
        u64::try_from(blob.len()).unwrap(),
        size + BLOB_OVERHEAD_BYTES
    );
    assert_eq!(*secrets.open_document(job(1), &blob).unwrap(), document);
    assert_eq!(
        secrets.open_document(job(2), &blob).unwrap_err(),
        SealError::Altered
    );
    for at in 0..blob.len() {
        let mut bent = blob.clone();
        bent[at] ^= 1;
        assert_eq!(
            secrets.open_document(job(1), &bent).unwrap_err(),
            SealError::Altered
        );
    }
    assert_eq!(
        secrets.open_document(job(1), b"").unwrap_err(),
        SealError::Altered
    );
}

#[test]
fn secrets_show_nothing_of_themselves() {
    let secrets = Secrets::new("SITI".to_owned(), None, b"", 1, &mut Seeded(9));
    assert_eq!(format!("{secrets:?}"), "Secrets(..)");
}

#[test]
fn a_record_opens_for_its_key_reader_machine_and_job_alone_and_unbent() {
    let mut random = Seeded(10);
    let key = SealingKey::generate(&mut random);
    let public = key.public().unwrap();
    let (machine, other) = (
        "desa-contoh-1".parse().unwrap(),
        "desa-contoh-2".parse().unwrap(),
    );
    let bound = RecordBinding {
        recipient: AUDIT,
        machine: &machine,
        job: job(1),
    };
    let sealed = public.seal_record(&bound, b"a sheet", &mut random).unwrap();
    assert_eq!(*key.open_record(&bound, &sealed).unwrap(), b"a sheet");
    let others = [
        RecordBinding {
            recipient: "desa-contoh-1",
            ..bound
        },
        RecordBinding {
            machine: &other,
            ..bound
        },
        RecordBinding {
            job: job(2),
            ..bound
        },
    ];
    for other in others {
        let opened = key.open_record(&other, &sealed);
        assert_eq!(opened.unwrap_err(), SealError::Altered);
    }
    let stranger = SealingKey::generate(&mut random);
    let opened = stranger.open_record(&bound, &sealed);
    assert_eq!(opened.unwrap_err(), SealError::OtherKey);
    for at in 0..sealed.len() {
        let mut bent = sealed.clone();
        bent[at] ^= 1;
        assert!(key.open_record(&bound, &bent).is_err(), "byte {at}");
        assert!(key.open_record(&bound, &sealed[..at]).is_err(), "cut {at}");
    }
}
