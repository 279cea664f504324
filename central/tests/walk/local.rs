//! What a person printed by hand at a machine, as central shows it: who, what, where.

use loket_wire::{
    Class, JobId, JobReport, JobState, LocalJob, LocalRevision, Report, Service, Timestamp,
};
use serde_json::{Value, json};

use crate::console::Browser;
use crate::described::Described;
use crate::machine::Linked;
use crate::rig::{Rig, fixture};
use crate::{client_of, job_id, order};

const GIVEN: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);

fn hand() -> JobId {
    JobId::from_parts(1_790_000_000_000, [9; 10])
}

/// Says that officer Wati printed this revision by hand.
async fn print_by_hand(machine: &mut Linked, revision: &str, last: JobState) {
    let revision = LocalRevision {
        sha256: loket_wire::Sha256Digest::parse(revision).unwrap(),
        size_bytes: 40_000,
        page_count: 1,
    };
    let mut seq = 0;
    for (state, actor, revision) in [
        (JobState::Journalled, Some("officer:wati"), None),
        (JobState::Printing, None, Some(revision)),
        (last, None, Some(revision)),
    ] {
        let local = LocalJob {
            reference: "LOKAL-090909090909".parse().unwrap(),
            service: Service::new("lokal").unwrap(),
            class: Class::Controlled,
            given_at: GIVEN,
            not_after: Timestamp::from_unix_ms(4_000_000_000_000),
            by: Some("wati".to_owned()),
            printer: Some("a4".to_owned()),
            revision,
        };
        seq = machine.say(Report::Job(JobReport {
            job_id: hand(),
            state,
            reason: None,
            attempt: Some(1),
            sheet_count: None,
            actor: actor.map(str::to_owned),
            at: GIVEN,
            clock_trusted: true,
            local: Some(Box::new(local)),
        }));
    }
    machine.until_acked(seq).await;
}

#[tokio::test]
async fn what_was_printed_by_hand_is_listed_with_who_did_it_and_counted_apart() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let it = client_of(&rig, "it").await;
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let answer = operator
        .bring(&fixture("kk-sample-bb.pdf"), &order("desa-contoh-1"), None)
        .await;
    let ordered = job_id(&answer);
    machine.order().await;
    let revision = answer.json()["revision_sha256"]
        .as_str()
        .unwrap()
        .to_owned();
    print_by_hand(&mut machine, &revision, JobState::Printed).await;

    let path = format!("/api/v1/jobs/{}", hand());
    let shown = it.get(&path).await.json();
    let local = json!({ "by": "wati", "printer": "a4", "given_at": GIVEN.to_string() });
    for (key, expect) in [
        ("state", json!("printed")),
        ("origin", json!("local")),
        ("local", local),
        ("machine", json!("desa-contoh-1")),
        ("office", json!("kec-contoh")),
        ("revision_sha256", json!(revision)),
        ("page_count", json!(1)),
        ("document_sha256", Value::Null),
        ("due_at", Value::Null),
        ("is_overdue_at_end", Value::Null),
        ("offer_count", json!(0)),
        ("same_document", json!([ordered])),
    ] {
        assert_eq!(shown[key], expect, "{key}");
    }
    let described = Described::by(&it).await;
    let schema = &described.document["components"]["schemas"]["Job"];
    described.validate("a job given by hand", schema, &shown);
    let order = it.get(&format!("/api/v1/jobs/{ordered}")).await.json();
    assert_eq!(order["origin"], "central");
    assert_eq!(order["local"], Value::Null);
    assert_eq!(
        order["same_document"],
        json!([hand()]),
        "somebody may see it"
    );
    let history = it.get(&format!("{path}/history")).await.json();
    let first = &history["rows"][0];
    assert_eq!(first["kind"], "given-by-hand");
    assert_eq!(first["actor"], "officer:wati@desa-contoh-1");
    for (query, expect) in [("local", json!(hand())), ("central", json!(ordered))] {
        let path = format!("/api/v1/jobs?origin={query}");
        let listed = it.get(&path).await.json();
        let jobs = listed["jobs"].as_array().unwrap();
        assert_eq!(jobs.len(), 1, "{listed}");
        assert_eq!(jobs[0]["job_id"], expect);
    }
    assert_eq!(it.get("/api/v1/jobs?origin=x").await.status, 400);
    let numbers = it.get("/metrics").await.text;
    for line in [
        "loket_jobs{state=\"printed\"} 0",
        "loket_jobs_by_hand{state=\"printed\"} 1",
        "loket_reports_quarantined_total 0",
    ] {
        assert!(numbers.lines().any(|found| found == line), "{line}");
    }
}

#[tokio::test]
async fn the_console_marks_what_was_printed_by_hand_and_lists_it_alone() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let it = Browser::of(&rig, "it").await;
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let answer = operator
        .bring(&fixture("kk-sample-bb.pdf"), &order("desa-contoh-1"), None)
        .await;
    let ordered = job_id(&answer);
    machine.order().await;
    let revision = answer.json()["revision_sha256"]
        .as_str()
        .unwrap()
        .to_owned();
    print_by_hand(&mut machine, &revision, JobState::Printed).await;

    let (by_hand, by_order) = (format!("/jobs/{}", hand()), format!("/jobs/{ordered}"));
    let said = "cetak langsung di mesin oleh petugas wati";
    for (view, shows_hand, shows_order) in [
        ("langsung", true, false),
        ("langsung-semua", true, false),
        ("semua", true, true),
        ("berjalan", false, true),
        ("tercetak", false, false),
        ("lewat", false, false),
        ("perlu", false, false),
    ] {
        let list = it.open(&format!("/?lihat={view}")).await.text;
        assert_eq!(list.contains(&by_hand), shows_hand, "{view}");
        assert_eq!(list.contains(&by_order), shows_order, "{view}");
        assert_eq!(list.contains(said), shows_hand, "{view}");
        assert!(
            list.contains("<b>1</b><span>cetak langsung hari ini</span>")
                && list.contains("<b>0</b><span>tercetak hari ini</span>"),
            "{view}: {list}"
        );
    }
    let page = it.open(&by_hand).await.text;
    assert!(page.contains(said) && page.contains("printer a4"), "{page}");
    assert!(page.contains("petugas wati lewat mesin desa-contoh-1"));
    assert!(page.contains(&by_order), "the same document, ordered");
    let page = it.open(&by_order).await.text;
    assert_eq!(
        beside(&page),
        "<span class=\"mark good\">tercetak</span> cetak langsung di mesin"
    );
    assert!(page.contains(&by_hand) && !page.contains(said));
}

/// What a job's page says of another job of its document, before that one's number.
fn beside(page: &str) -> &str {
    let from = page.split("<dt>Dokumen yang sama</dt><dd>").nth(1).unwrap();
    from.split(": <a").next().unwrap()
}

#[tokio::test]
async fn a_sheet_by_hand_that_never_came_out_is_not_said_to_be_printed() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let it = Browser::of(&rig, "it").await;
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let answer = operator
        .bring(&fixture("kk-sample-bb.pdf"), &order("desa-contoh-1"), None)
        .await;
    let revision = answer.json()["revision_sha256"]
        .as_str()
        .unwrap()
        .to_owned();
    machine.order().await;
    print_by_hand(&mut machine, &revision, JobState::Failed).await;
    let (by_hand, ordered) = (format!("/jobs/{}", hand()), job_id(&answer));
    let page = it.open(&format!("/jobs/{ordered}")).await.text;
    let said = "<span class=\"mark bad\">gagal</span> cetak langsung di mesin";
    assert_eq!(beside(&page), said);
    let page = it.open(&by_hand).await.text;
    assert!(beside(&page).ends_with("</span> perintah pusat"), "{page}");

    // The tile counts what was printed, and its list is of just that.
    let today = it.open("/?lihat=langsung").await.text;
    assert!(
        today.contains("<b>0</b><span>cetak langsung hari ini</span>"),
        "{today}"
    );
    assert!(!today.contains(&by_hand), "{today}");
    assert!(today.contains("href=\"/?lihat=langsung-semua\""));
    let all = it.open("/?lihat=langsung-semua").await.text;
    assert!(all.contains(&by_hand), "{all}");
}

#[tokio::test]
async fn a_sheet_by_hand_of_which_nobody_knows_needs_a_person() {
    let rig = Rig::start().await;
    let it = Browser::of(&rig, "it").await;
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    print_by_hand(&mut machine, &"0a".repeat(32), JobState::Unknown).await;
    let page = it.open("/?lihat=perlu").await.text;
    assert!(page.contains(&format!("/jobs/{}", hand())), "{page}");
    let page = it.open(&format!("/jobs/{}", hand())).await.text;
    assert!(
        page.contains("Minta petugas di kantor itu melihat"),
        "{page}"
    );
    assert!(!page.contains("kirim ulang"), "central has nothing to send");
}
