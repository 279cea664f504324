//! The offices file while central runs: changed, broken, mended.

use loket_wire::Timestamp;
use serde_json::{Value, json};

use crate::client::Client;
use crate::rig::{OFFICE, Rig, fixture};
use crate::{client_of, job_id};

/// An office whose every weekday is a working day, and which has no day off but these.
fn offices(name: &str, machine: &str, holidays: &[String]) -> String {
    format!(
        "version = 1\n[[office]]\nid = \"{OFFICE}\"\nname = \"{name}\"\nzone = \"WIB\"\n\
         working_days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]\n\
         holidays = {holidays:?}\ndefault_machine = \"{machine}\"\n"
    )
}

/// Orders for the office, whichever machine that means.
async fn bring(operator: &Client, document: &str) -> Value {
    let mut order: Value = serde_json::from_slice(&fixture("order.json")).unwrap();
    order.as_object_mut().unwrap().remove("machine");
    order["office"] = json!(OFFICE);
    let answer = operator
        .bring(&fixture(document), &order.to_string(), None)
        .await;
    let id = job_id(&answer);
    operator.get(&format!("/api/v1/jobs/{id}")).await.json()
}

/// Whole days from the intake to the moment when it is due.
fn days(job: &Value) -> i64 {
    let at = |name: &str| Timestamp::parse_rfc3339(job[name].as_str().unwrap()).unwrap();
    (at("due_at").unix_ms() - at("created_at").unix_ms()) / 86_400_000
}

#[tokio::test]
async fn a_changed_offices_file_counts_for_what_comes_and_a_broken_one_for_nothing() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let (_one, _two) = (
        rig.enrol("desa-contoh-1", 11),
        rig.enrol("desa-contoh-2", 12),
    );
    let write = |text: &str| std::fs::write(rig.home.path().join("offices.toml"), text).unwrap();
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(7));
    let mut today = jiff::Timestamp::now().to_zoned(zone).date();
    let mut next = || {
        today = today.tomorrow().unwrap();
        today.to_string()
    };

    write(&offices("Kecamatan Lama", "desa-contoh-1", &[]));
    let first = bring(&operator, "kk-sample-bb.pdf").await;
    assert_eq!(
        (days(&first), &first["machine"]),
        (1, &json!("desa-contoh-1"))
    );

    write(&offices(
        "Kecamatan Baru",
        "desa-contoh-2",
        &[next(), next(), next()],
    ));
    let second = bring(&operator, "kk-sample-bt.pdf").await;
    assert_eq!(
        (days(&second), &second["machine"]),
        (4, &json!("desa-contoh-2"))
    );
    let path = format!("/api/v1/jobs/{}", first["job_id"].as_str().unwrap());
    let kept = operator.get(&path).await.json();
    assert_eq!(
        kept["due_at"], first["due_at"],
        "a due time that was said stays"
    );

    let broken = offices("Kecamatan Rusak", "desa-contoh-1", &["besok".to_owned()]);
    write(&broken);
    let third = bring(&operator, "variants/kk-sample-p256.pdf").await;
    assert_eq!(
        (days(&third), &third["machine"]),
        (4, &json!("desa-contoh-2"))
    );
    let told = operator.get("/?lihat=mesin").await.text;
    assert!(
        told.contains("kode OfficesCalendar") && !told.contains("Kecamatan Rusak"),
        "{told}"
    );

    write(&offices("Kecamatan Pulih", "desa-contoh-1", &[]));
    let mended = operator.get("/?lihat=semua").await.text;
    assert!(mended.contains("Kecamatan Pulih") && !mended.contains("OfficesCalendar"));
}
