//! A revocation list that is replaced while programs run counts from then on, at the machine and at central.

use std::path::Path;

use anyhow::{Context as _, ensure};
use loket_demo::http;
use loket_demo::site::text;
use loket_tests::world::{Build, World, fixture, order_again};
use rcgen::{
    CertificateRevocationListParams, Issuer, KeyIdMethod, KeyPair, PKCS_RSA_SHA256,
    RevocationReason, RevokedCertParams, SerialNumber, date_time_ymd,
};
use serde_json::Value;

const ID: &str = "desa-contoh-1";

/// The signer of the sample, as tests/fixtures/make_sample_kk.py numbers it.
const SIGNER: u64 = 1_004;

/// The authority's list with the sample's signer on it.
pub(crate) fn revoking_list() -> anyhow::Result<Vec<u8>> {
    let key = String::from_utf8(fixture("keys/issuing.key.pem")?)?;
    let key = KeyPair::from_pem_and_sign_algo(&key, &PKCS_RSA_SHA256)?;
    let authority = String::from_utf8(fixture("trust/issuing.pem")?)?;
    let issuer = Issuer::from_ca_cert_pem(&authority, key)?;
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 1, 1),
        next_update: date_time_ymd(2060, 1, 1),
        crl_number: SerialNumber::from(1_000_u64),
        issuing_distribution_point: None,
        revoked_certs: vec![RevokedCertParams {
            serial_number: SerialNumber::from(SIGNER),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        }],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    Ok(list.signed_by(&issuer)?.der().to_vec())
}

/// Puts a file in the place of another at once, as a download of lists does.
pub(crate) fn replace(folder: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let new = folder.join(format!("{name}.new"));
    std::fs::write(&new, bytes)?;
    std::fs::rename(new, folder.join(name)).context("replace a list")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_replaced_counts_at_the_machine_and_at_central_without_a_start()
-> anyhow::Result<()> {
    let mut world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    // A trust folder of the machine's own, so that each side is asked alone.
    let own = station.machine.home.join("trust");
    let common = world.site.path("trust");
    std::fs::create_dir(&own)?;
    for file in std::fs::read_dir(&common)? {
        let file = file?;
        std::fs::copy(file.path(), own.join(file.file_name()))?;
    }
    let settings = std::fs::read_to_string(station.machine.config())?;
    let moved = settings.replace(&format!("{common:?}"), &format!("{:?}", text(&own)));
    ensure!(moved != settings, "set another folder: {settings}");
    std::fs::write(station.machine.config(), moved)?;
    let mut daemon = world.site.start_machine(&station.machine)?;

    let document = fixture("kk-sample-bb.pdf")?;
    let mut previous: Option<String> = None;
    let good = std::fs::read(own.join("issuing.crl"))?;
    let revoking = revoking_list()?;
    for (number, (list, end)) in [
        (&good, "printed"),
        (&revoking, "rejected"),
        (&good, "printed"),
    ]
    .into_iter()
    .enumerate()
    {
        replace(&own, "issuing.crl", list)?;
        let order = order_again(ID, &format!("KK-{number}"), "now", previous.as_deref());
        let job = world.order_as(&document, &order).await?;
        let seen = world.wait(&job, &["printed", "rejected", "failed"]).await?;
        ensure!(seen["state"] == end, "list {number}: {seen}");
        if end == "rejected" {
            ensure!(seen["reason"] == "signature-indeterminate", "{seen}");
        } else {
            // What is printed again must be named; of a job that was refused there is no sheet.
            previous = Some(job);
        }
    }
    ensure!(station.printed().await?.sheets == 2);
    daemon.check()?;

    replace(&common, "issuing.crl", &revoking)?;
    let order = order_again(ID, "KK-9", "now", previous.as_deref());
    let (at, token) = (world.site.api(), &world.tokens.operator);
    let answer = http::post_document(&at, token, &document, &order, None).await?;
    let said: Value = serde_json::from_slice(&answer.body)?;
    ensure!(
        answer.status == 422 && said["code"] == "SignatureIndeterminate",
        "{said}"
    );
    let findings = said["detail"]["findings"].as_array();
    ensure!(
        findings.is_some_and(|all| all.iter().any(|it| it == "V-413")),
        "{said}"
    );
    world.central.check()?;
    Ok(())
}
