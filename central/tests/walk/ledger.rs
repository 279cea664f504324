//! What central forgets, what it has no room for, and how an auditor checks what it says.

use std::time::Duration;

use loket_store::{
    Actor, Inserted, Intake, JobFacts, KEPT_A_CODE, LEDGER_KEPT, NewJob, Note, SqliteStore,
    Store as _, StoreError,
};
use loket_wire::topic::Channel;
use loket_wire::{JobId, JobState, Sha256Digest, Timestamp};
use serde_json::json;

use crate::client::{Answer, Client};
use crate::described::Described;
use crate::lost::{held_since_last_week, without_an_hour_of_listening};
use crate::rig::{DEADLINE, Rig, fixture};
use crate::{client_of, job_id, order, print, state};

fn store_of(rig: &Rig) -> std::path::PathBuf {
    rig.home.path().join("state/central.db")
}

fn settings(rig: &Rig, more: &str) {
    let path = rig.home.path().join("central.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}{more}")).unwrap();
}

async fn run_again(rig: &mut Rig, client: &Client) -> Client {
    rig.run().await;
    Client {
        address: rig.api,
        ..client.clone()
    }
}

async fn bring(client: &Client, key: &str) -> Answer {
    let document = fixture("kk-sample-bb.pdf");
    client
        .bring(&document, &order("desa-contoh-1"), Some(key))
        .await
}

/// The order of a new sheet of the same document.
fn again(job: JobId) -> String {
    let mut text: serde_json::Value = serde_json::from_str(&order("desa-contoh-1")).unwrap();
    text["reprint_of"] = json!({ "job": job, "reason": "rusak" });
    text.to_string()
}

fn has_line(text: &str, wanted: &str) -> bool {
    text.lines().any(|line| line == wanted)
}

#[tokio::test]
async fn a_short_disk_takes_no_new_document_and_reports_go_on() {
    let mut rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let it = client_of(&rig, "it").await;
    let machine = rig.enrol("desa-contoh-1", 11);
    let job = job_id(&bring(&operator, "first").await);
    let fine = it.get("/metrics").await.text;
    for name in [
        "loket_store_bytes{part=\"used\"} ",
        "loket_store_bytes{part=\"log\"} ",
        "loket_store_room_for_jobs_bytes ",
        "loket_disk_free_bytes ",
    ] {
        assert!(
            fine.lines().any(|line| line.starts_with(name)),
            "{name} in {fine}"
        );
    }
    assert!(has_line(&fine, "loket_store_limit_bytes 137438953472"));
    rig.stop().await;

    // No disk has so much.
    settings(&rig, "[store]\ndisk_reserve_mib = 8796093022208\n");
    let operator = run_again(&mut rig, &operator).await;
    let refused = operator
        .bring(&fixture("kk-sample-bb.pdf"), &again(job), None)
        .await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (507, "StorageFull")
    );
    let known = bring(&operator, "first").await;
    assert_eq!(job_id(&known), job, "what was taken before is answered");
    let page = operator.get("/console/live").await.text;
    assert!(page.contains("(DiskFull)"), "{page}");
    let folder = rig.home.path().join("state/documents");
    assert_eq!(
        std::fs::read_dir(&folder).unwrap().count(),
        2,
        "nothing of the refused document stays"
    );
    let mut machine = rig.moved(machine).connect().await;
    assert_eq!(machine.order().await.job_id, job);
    print(&mut machine, job).await;
    assert_eq!(state(&operator, job).await, "printed");
}

/// A job that is nothing but its row.
fn row(number: u64, machine: &str, at: Timestamp) -> NewJob {
    let digest = Sha256Digest::of(&number.to_be_bytes());
    let mut random = [0; 10];
    for (to, from) in random.iter_mut().zip(digest.as_bytes()) {
        *to = *from;
    }
    NewJob {
        facts: JobFacts {
            id: JobId::from_parts(u64::try_from(at.unix_ms()).unwrap(), random),
            reference: format!("R-{number}").parse().unwrap(),
            service: loket_wire::Service::new("kk").unwrap(),
            class: loket_wire::Class::Controlled,
            release: loket_wire::Release::Now,
            machine: machine.parse().unwrap(),
            office: crate::rig::OFFICE.parse().unwrap(),
            not_after: at.saturating_add(Duration::from_secs(86_400)),
        },
        intake: Intake {
            due_at: at,
            document_sha256: digest,
            revision_sha256: digest,
            content_sha256: digest,
            page_count: 1,
            size_bytes: 40_000,
            blob: loket_wire::Blob {
                sha256: digest,
                size_bytes: 40_016,
            },
            reprint_of: None,
        },
        idempotency_key: None,
        folder_sha256: None,
    }
}

/// Fills a store of 1 MiB with jobs of that machine, until it takes no more.
fn fill(rig: &Rig, first: JobId, machine: &str) -> SqliteStore {
    let store = SqliteStore::open_bounded(&store_of(rig), 1024 * 1024).unwrap();
    let now = store.job(first).unwrap().unwrap().job.created_at;
    let actor = Actor::central();
    let full = (1..)
        .map(|number| store.insert_job(&row(number, machine, now), &actor, now))
        .find_map(Result::err);
    assert!(matches!(full, Some(StoreError::Reserved)), "{full:?}");
    store
}

/// Writes lines into what room is left, until not even the shortest finds any.
fn fill_the_rest(store: &SqliteStore) {
    for length in [60, 1] {
        let did = Note::Did {
            action: "x".repeat(length),
        };
        let now = Timestamp::from_unix_ms(1_790_000_000_000);
        let full = std::iter::repeat_with(|| store.note(&did, None, &Actor::central(), now))
            .find_map(Result::err);
        assert!(matches!(full, Some(StoreError::Full)), "{full:?}");
    }
}

#[tokio::test]
async fn a_store_full_to_the_last_page_acknowledges_nothing_that_it_has_not_kept() {
    let mut rig = Rig::start_with(|settings| format!("{settings}[store]\nmax_mib = 1\n")).await;
    let operator = client_of(&rig, "operator").await;
    let _absent = rig.enrol("desa-contoh-2", 12);
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let job = job_id(&bring(&operator, "first").await);
    machine.order().await;
    let seq = machine.report(job, JobState::Journalled, None);
    machine.until_acked(seq).await;
    {
        let store = SqliteStore::open_bounded(&store_of(&rig), 1024 * 1024).unwrap();
        let now = store.job(job).unwrap().unwrap().job.created_at;
        store
            .upsert_machine(&rig.record("desa-contoh-2"), now)
            .unwrap();
    }
    fill_the_rest(&fill(&rig, job, "desa-contoh-2"));

    let heard = || async {
        let metrics = operator.get("/metrics").await.text;
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix("loket_messages_total "));
        line.unwrap().parse::<u64>().unwrap()
    };
    let before = heard().await;
    let seq = machine.report(job, JobState::Printed, None);
    let read = async { while heard().await == before {} };
    tokio::time::timeout(DEADLINE, read)
        .await
        .expect("central reads");
    assert_eq!(state(&operator, job).await, "journalled");

    // With room again the report comes through, though the machine does not say it again.
    rig.stop().await;
    let path = rig.home.path().join("central.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("max_mib = 1\n", "max_mib = 8\n")).unwrap();
    let operator = run_again(&mut rig, &operator).await;
    machine.until_acked(seq).await;
    assert_eq!(state(&operator, job).await, "printed");
}

#[tokio::test]
async fn a_full_store_takes_no_new_document_and_reports_go_on() {
    let mut rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let machine = rig.enrol("desa-contoh-1", 11);
    let job = job_id(&bring(&operator, "first").await);
    rig.stop().await;
    settings(&rig, "[store]\nmax_mib = 1\n");
    fill(&rig, job, "desa-contoh-1");
    let operator = run_again(&mut rig, &operator).await;
    let other = again(job);
    let refused = operator
        .bring(&fixture("kk-sample-bb.pdf"), &other, None)
        .await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (507, "StorageFull"),
        "{refused:?}"
    );
    let page = operator.get("/console/live").await.text;
    assert!(page.contains("(StoreFull)"), "{page}");
    let mut machine = rig.moved(machine).connect().await;
    let seq = machine.report(job, JobState::Rejected, Some(loket_wire::Reason::Malformed));
    machine.until_acked(seq).await;
    assert_eq!(state(&operator, job).await, "rejected");
}

#[tokio::test]
async fn where_nothing_can_be_written_down_every_door_says_so_in_words_that_fit() {
    let mut rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let _absent = rig.enrol("desa-contoh-1", 11);
    let job = job_id(&bring(&operator, "first").await);
    rig.stop().await;
    settings(&rig, "[store]\nmax_mib = 1\n");
    fill_the_rest(&fill(&rig, job, "desa-contoh-1"));
    let operator = run_again(&mut rig, &operator).await;
    let mut described = Described::by(&operator).await;
    let sign_in = format!("token={}", operator.token);
    for (path, form) in [
        ("/api/v1/jobs/{id}/cancel", ""),
        ("/jobs/{id}/cancel", ""),
        ("/login", sign_in.as_str()),
    ] {
        let address = path.replace("{id}", &job.to_string());
        let refused = operator.form(&address, &[], form).await;
        let said = (refused.status, refused.code());
        assert_eq!(said, (507, "StorageFull".to_owned()), "{path}");
        described.judge(path, "post", &refused);
        let message = refused.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains("permintaan ini tidak dapat dicatat"));
        assert!(!message.contains("dokumen baru tidak diterima"), "{path}");
    }
}

/// A machine that is written off stands for good, so what cannot be written down is not done.
#[tokio::test]
async fn a_machine_is_not_written_off_where_that_cannot_be_written_down() {
    let mut rig = Rig::prepare(without_an_hour_of_listening).await;
    let dead = rig.enrol("desa-contoh-1", 11);
    let job = held_since_last_week(&rig, &dead);
    let token = rig.token("it").await;
    settings(&rig, "[store]\nmax_mib = 1\n");
    fill_the_rest(&fill(&rig, job, "desa-contoh-1"));
    rig.run().await;
    let it = Client {
        address: rig.api,
        token,
        tls: None,
    };
    // The link stands, so the silence is the machine's own.
    let linked =
        async { while it.get("/api/v1/brokers").await.json()["brokers"][0]["is_up"] != true {} };
    tokio::time::timeout(DEADLINE, linked)
        .await
        .expect("the link comes up");
    let mut described = Described::by(&it).await;
    for (path, form) in [
        ("/machines/{id}/write-off", "sure=yes"),
        ("/api/v1/machines/{id}/write-off", ""),
    ] {
        let address = path.replace("{id}", "desa-contoh-1");
        let refused = it.form(&address, &[], form).await;
        let said = (refused.status, refused.code());
        assert_eq!(said, (507, "StorageFull".to_owned()), "{path}: {refused:?}");
        described.judge(path, "post", &refused);
        assert_eq!(state(&it, job).await, "held");
    }
}

/// Puts central's store as it stood long ago in its place, with one job that ended then and one that was left; answers
/// the first and the head that was noted then.
async fn years_ago(rig: &Rig, young: JobId) -> (JobId, String) {
    let now = {
        let store = SqliteStore::open(&store_of(rig)).unwrap();
        store.job(young).unwrap().unwrap().job.created_at
    };
    let then = now
        .saturating_sub(LEDGER_KEPT)
        .saturating_sub(Duration::from_secs(86_400));
    for name in ["central.db", "central.db-wal", "central.db-shm"] {
        std::fs::remove_file(rig.home.path().join("state").join(name)).ok();
    }
    std::fs::remove_dir_all(rig.home.path().join("state/documents")).unwrap();
    let (old, left) = (row(1, "desa-contoh-1", then), row(2, "desa-contoh-1", then));
    let store = SqliteStore::open(&store_of(rig)).unwrap();
    store
        .upsert_machine(&rig.record("desa-contoh-1"), then)
        .unwrap();
    let actor = Actor::central();
    for new in [&old, &left] {
        let inserted = store.insert_job(new, &actor, then).unwrap();
        assert_eq!(inserted, Inserted::Created);
    }
    store.request_cancel(old.facts.id, &actor, then).unwrap();
    store.mark_secrets_dropped(old.facts.id, then).unwrap();
    drop(store);
    let checked = rig.command(&["check-history"]).await;
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    (old.facts.id, head_of(&checked))
}

#[tokio::test]
async fn what_is_past_its_time_is_forgotten_and_the_history_still_verifies() {
    let mut rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let _machine = rig.enrol("desa-contoh-1", 11);
    let young = job_id(&bring(&operator, "first").await);
    rig.stop().await;
    let (old, noted) = years_ago(&rig, young).await;
    let auditor = run_again(&mut rig, &operator).await;
    let token = rig.token("auditor").await;
    let auditor = Client { token, ..auditor };
    let gone = format!("/api/v1/jobs/{old}");
    let forgotten = async { while auditor.get(&gone).await.status != 404 {} };
    tokio::time::timeout(DEADLINE, forgotten)
        .await
        .expect("central forgets");
    let sealed = async {
        loop {
            let verdict = auditor.get("/api/v1/history/verdict").await.json();
            assert_eq!(verdict["verdict"], "intact", "{verdict}");
            if verdict["removed_up_to"] != 0 {
                return verdict;
            }
        }
    };
    let verdict = tokio::time::timeout(DEADLINE, sealed)
        .await
        .expect("central seals");

    // Beside the running central, and with a head that was noted before anything was removed.
    let checked = rig.command(&["check-history", "--head", &noted]).await;
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    let said = String::from_utf8(checked.stdout.clone()).unwrap();
    let removed = format!("lines up to {} were removed", verdict["removed_up_to"]);
    assert!(said.contains(&removed) && said.contains("agrees"), "{said}");
    let first = noted.replacen(noted.split(':').next().unwrap(), "1", 1);
    let past = rig.command(&["check-history", "--head", &first]).await;
    assert_eq!(past.status.code(), Some(2), "{past:?}");
    let foreign = head_of(&checked).replacen(':', ":0000", 1);
    let foreign = &foreign[..foreign.len() - 4];
    let other = rig.command(&["check-history", "--head", foreign]).await;
    assert_eq!(other.status.code(), Some(1), "{other:?}");
    rig.stop().await;
    alter(&rig);
    let broken = rig.command(&["check-history"]).await;
    assert_eq!(broken.status.code(), Some(1), "{broken:?}");
    assert_eq!(code_of(&rig, &["check-history", "--head", "12"]).await, 64);
    std::fs::remove_file(store_of(&rig)).unwrap();
    assert_eq!(code_of(&rig, &["check-history"]).await, 66);
}

async fn code_of(rig: &Rig, args: &[&str]) -> i32 {
    rig.command(args).await.status.code().unwrap()
}

/// The head as the command printed it.
fn head_of(output: &std::process::Output) -> String {
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    let line = said.lines().find_map(|line| line.strip_prefix("head "));
    line.unwrap_or_else(|| panic!("no head in {said}"))
        .to_owned()
}

/// Makes the newest seal claim another cut, in the bytes of the file.
fn alter(rig: &Rig) {
    let path = store_of(rig);
    let mut bytes = std::fs::read(&path).unwrap();
    let word = b"\"line_count\":";
    let at = bytes
        .windows(word.len())
        .rposition(|found| found == word)
        .expect("the seal is in the file");
    let digit = &mut bytes[at + word.len()];
    *digit = if *digit == b'9' { b'8' } else { b'9' };
    std::fs::write(&path, bytes).unwrap();
}

#[tokio::test]
async fn a_machine_that_sends_rubbish_fills_its_quota_and_is_named() {
    let rig = Rig::start().await;
    let it = client_of(&rig, "it").await;
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let epoch = machine.machine.epoch;
    let count = u64::from(KEPT_A_CODE) + 6;
    for _ in 0..count {
        machine.seq += 1;
        let body = json!({ "epoch": epoch, "seq": machine.seq, "report": { "kind": "weather" } });
        let channel = Channel::Event("weather".to_owned());
        machine.publish(&channel, body.to_string().as_bytes());
        machine.until_acked(machine.seq).await;
    }
    let known = it.get("/api/v1/machines").await.json();
    assert_eq!(known["machines"][0]["set_aside_count"], count);
    assert_eq!(known["machines"][0]["counted_only_count"], 6);
    let metrics = it.get("/metrics").await.text;
    for line in [
        format!("loket_reports_quarantined_total {count}"),
        "loket_reports_counted_only_total{machine=\"desa-contoh-1\"} 6".to_owned(),
    ] {
        assert!(has_line(&metrics, &line), "{line} in {metrics}");
    }
}
