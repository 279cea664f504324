//! What people read of jobs whose machine does not come back, and how the IT team says that it will not.

use crate::console::Browser;
use crate::described::Described;
use crate::lost::{held_since_last_week, without_an_hour_of_listening};
use crate::rig::{Rig, fixture};
use crate::{client_of, job_id, order, state};

const DEAD: &str = "/?lihat=semua&mesin=desa-contoh-1";
const WRITE_OFF: &str = "/machines/desa-contoh-1/write-off";
const SUMMARY: &str = "Nyatakan mesin desa-contoh-1 tidak dipakai lagi";

#[tokio::test]
async fn a_dead_machine_is_declared_out_of_use_from_its_page_and_its_jobs_say_the_way_there() {
    let mut rig = Rig::prepare(without_an_hour_of_listening).await;
    let dead = rig.enrol("desa-contoh-1", 11);
    let job = held_since_last_week(&rig, &dead);
    rig.run().await;
    // The link stands, so the silence is the machine's own.
    let _there = rig.enrol("desa-contoh-2", 12).connect().await;
    let (clerk, it, auditor) = (
        Browser::of(&rig, "operator").await,
        Browser::of(&rig, "it").await,
        Browser::of(&rig, "auditor").await,
    );
    let path = format!("/jobs/{job}");
    for (browser, does) in [
        (&clerk, "minta tim TI pusat menyatakan mesin itu"),
        (&auditor, "minta tim TI pusat menyatakan mesin itu"),
        (&it, "nyatakan mesin itu tidak dipakai lagi di halaman"),
    ] {
        let page = browser.open(&path).await.text;
        assert!(page.contains("Mesin desa-contoh-1 tidak terdengar sejak"));
        assert!(page.contains(does), "{does}: {page}");
        assert!(!page.contains("melepas"), "nobody can: {page}");
        let leads = page.contains(">Ke halaman mesin desa-contoh-1</a>");
        assert_eq!(leads, does.starts_with("nyatakan"));
        let machine = browser.open(DEAD).await.text;
        assert_eq!(machine.contains(SUMMARY), does.starts_with("nyatakan"));
    }
    let page = it.open("/?lihat=semua&mesin=desa-contoh-2").await.text;
    assert!(!page.contains("tidak dipakai lagi"), "it is there: {page}");

    let page = it.open(DEAD).await.text;
    for said in [
        "Mesin ini tidak akan mencetak lagi.",
        "menunggu jawaban operator pusat",
        "Telepon kantor itu dahulu.",
        "tercatat atas nama Anda",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let foreign = [
        ("cookie", it.cookie.as_str()),
        ("origin", "http://lain.example"),
    ];
    let refused = it.client.form(WRITE_OFF, &foreign, "sure=yes").await;
    assert_eq!(
        (refused.status, refused.code()),
        (403, "ForeignForm".to_owned())
    );
    let reader = client_of(&rig, "auditor").await;
    let mut described = Described::by(&reader).await;
    for (browser, form, status, said) in [
        (&clerk, "sure=yes", 403, "NotAllowed"),
        (&it, "", 400, "FormMalformed"),
        (&it, "sure=yes", 200, "1 pekerjaan sekarang menunggu"),
        (&it, "sure=yes", 200, "Tidak ada pekerjaan lain"),
    ] {
        let answer = browser.submit(WRITE_OFF, form).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.text.contains(said), "{answer:?}");
        described.judge("/machines/{id}/write-off", "post", &answer);
        let is_first = said.starts_with('1');
        assert_eq!(answer.text.contains(&format!("href=\"{path}\"")), is_first);
        if status != 200 {
            assert_eq!(state(&reader, job).await, "held");
        }
    }
    let page = clerk.open(&path).await.text;
    assert!(page.contains("value=\"found-none\"") && page.contains("jawab di bawah"));
    for browser in [&it, &auditor] {
        let page = browser.open(&path).await.text;
        assert!(!page.contains("di bawah"), "there is no form: {page}");
        assert!(page.contains("Operator pusat menelepon kantor tujuan"));
    }
}

#[tokio::test]
async fn a_machine_whose_record_is_gone_is_said_to_be_so_on_its_jobs() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let clerk = Browser::of(&rig, "operator").await;
    let machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let brought = operator
        .bring(&fixture("kk-sample-bb.pdf"), &order("desa-contoh-1"), None)
        .await;
    let path = format!("/jobs/{}", job_id(&brought));
    let page = clerk.open(&path).await.text;
    assert!(!page.contains("tidak terdaftar"), "{page}");
    assert!(page.contains("berangkat sendiri"), "{page}");
    std::fs::remove_file(rig.home.path().join("machines/desa-contoh-1.json")).unwrap();
    let page = clerk.open(&path).await.text;
    assert!(
        page.contains("Mesin desa-contoh-1 tidak terdaftar lagi"),
        "{page}"
    );
    assert!(page.contains("batalkan pekerjaan ini lalu kirim ke mesin lain"));
    assert!(!page.contains("berangkat sendiri"), "{page}");
    drop(machine);
}

#[tokio::test]
async fn on_later_pages_of_the_front_nothing_is_said_of_what_needs_a_person() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let it = Browser::of(&rig, "it").await;
    let _absent = rig.enrol("desa-contoh-1", 11);
    let mut order: serde_json::Value = serde_json::from_str(&order("desa-contoh-1")).unwrap();
    let document = fixture("kk-sample-bb.pdf");
    for at in 0..2 {
        let text = order.to_string();
        let job = job_id(&operator.bring(&document, &text, None).await);
        order["reference"] = serde_json::json!(format!("KK-LAGI-{at}"));
        order["reprint_of"] = serde_json::json!({ "job": job, "reason": "kertas rusak" });
    }
    let page = operator.get("/api/v1/jobs?limit=1").await.json();
    let next = page["next_before"].as_str().unwrap();
    let first = it.open("/").await.text;
    assert!(first.contains("Perlu tindakan") && first.contains("Tidak ada pekerjaan yang perlu"));
    let second = it.open(&format!("/?lihat=depan&sebelum={next}")).await.text;
    assert!(
        !second.contains("Tidak ada pekerjaan yang perlu"),
        "{second}"
    );
    assert!(!second.contains("Semua mesin baik"), "{second}");
    assert!(second.contains("data-key=\"jobs\"") && second.contains("KK-"));
}

#[tokio::test]
async fn a_page_of_machines_beyond_the_last_blames_no_machine() {
    let rig = Rig::start().await;
    let it = Browser::of(&rig, "it").await;
    let machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let page = it.open("/?lihat=mesin&halaman=99").await.text;
    assert!(page.contains("Tidak ada mesin di halaman ini."), "{page}");
    assert!(!page.contains("tidak dikenal"), "{page}");
    let page = it.open("/?lihat=semua&mesin=desa-lain-9").await.text;
    assert!(page.contains("Mesin ini tidak dikenal."), "{page}");
    drop(machine);
}
