//! What must hold when parts die, lie, or are replaced.

use loket_link::{FetchError, FetchTarget};
use loket_wire::topic::Channel;
use loket_wire::{Epoch, JobId, JobState, Report};
use serde_json::{Value, json};

use crate::client::Client;
use crate::machine::fetch;
use crate::rig::{Authority, DEADLINE, Rig, fixture};
use crate::{client_of, job_id, order, print, state};

async fn bring(client: &Client, machine: &str) -> JobId {
    job_id(
        &client
            .bring(&fixture("kk-sample-bb.pdf"), &order(machine), None)
            .await,
    )
}

/// Asks until the only machine is `expected`.
async fn until_connectivity(client: &Client, expected: &str) -> Value {
    loop {
        let known = client.get("/api/v1/machines").await.json()["machines"][0].clone();
        if known["connectivity"] == expected {
            return known;
        }
    }
}

#[tokio::test]
async fn an_order_lost_with_a_wiped_broker_is_offered_again_and_printed_once() {
    let mut rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let job = bring(&operator, "desa-contoh-1").await;
    let lost = machine.order().await;
    rig.wipe_broker().await;
    machine.reconnected().await;
    let again = machine.order().await;
    assert_eq!((again.job_id, &again.envelope), (job, &lost.envelope));
    print(&mut machine, job).await;
    assert_eq!(state(&operator, job).await, "printed");
}

#[tokio::test]
async fn jobs_that_cannot_be_offered_keep_no_other_machine_waiting() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let broken = rig.enrol("desa-contoh-1", 11);
    let mut last = None;
    // More than one round of offers holds.
    for number in 0..20 {
        let mut text: Value = serde_json::from_str(&order("desa-contoh-1")).unwrap();
        text["reference"] = json!(format!("R-{number}"));
        if let Some(job) = last {
            text["reprint_of"] = json!({ "job": job, "reason": "rusak" });
        }
        let document = fixture("kk-sample-bb.pdf");
        last = Some(job_id(
            &operator.bring(&document, &text.to_string(), None).await,
        ));
    }
    let folder = rig.home.path().join("state/documents");
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|suffix| suffix == "key") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let _broken = broken.connect().await;
    until_connectivity(&operator, "online").await;

    let mut machine = rig.enrol("desa-contoh-2", 12).connect().await;
    let mut text: Value = serde_json::from_str(&order("desa-contoh-2")).unwrap();
    text["reprint_of"] = json!({ "job": last, "reason": "rusak" });
    let document = fixture("kk-sample-bb.pdf");
    let job = job_id(&operator.bring(&document, &text.to_string(), None).await);
    assert_eq!(machine.order().await.job_id, job);
    print(&mut machine, job).await;
}

#[tokio::test]
async fn a_restarted_central_knows_its_jobs_and_erases_what_no_job_owns() {
    let mut rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let machine = rig.enrol("desa-contoh-1", 11);
    let job = bring(&operator, "desa-contoh-1").await;
    let folder = rig.home.path().join("state/documents");
    let orphan = JobId::from_parts(1_790_000_000_000, [9; 10]);
    for suffix in ["blob", "key", "key.part"] {
        std::fs::write(folder.join(format!("{orphan}.{suffix}")), b"cut intake").unwrap();
    }
    rig.stop().await;
    rig.run().await;
    assert_eq!(
        std::fs::read_dir(&folder).unwrap().count(),
        2,
        "the job's blob and key alone"
    );
    let operator = Client {
        address: rig.api,
        ..operator
    };
    assert_eq!(state(&operator, job).await, "created");
    let mut machine = machine.connect().await;
    assert_eq!(machine.order().await.job_id, job);
    print(&mut machine, job).await;
    rig.stop().await;
    rig.run().await;
    let operator = Client {
        address: rig.api,
        ..operator
    };
    assert_eq!(state(&operator, job).await, "printed");
}

#[tokio::test]
async fn a_lost_journal_makes_jobs_unknown_until_somebody_says_what_was_seen() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let job = bring(&operator, "desa-contoh-1").await;
    machine.order().await;
    let seq = machine.report(job, JobState::Journalled, None);
    machine.until_acked(seq).await;
    let path = format!("/api/v1/jobs/{job}/answer");
    let answer = |word: &str| json!({ "answer": word }).to_string().into_bytes();
    let json_type = [("content-type", "application/json")];
    let early = operator
        .send(hyper::Method::POST, &path, &json_type, answer("printed"))
        .await;
    assert_eq!(
        (early.status, early.code().as_str()),
        (409, "NotForCentralToAnswer")
    );

    machine.machine.epoch = Epoch::from_bytes([7; 16]);
    (machine.seq, machine.session_seq) = (0, 2);
    machine.holds_answers = true;
    machine.say_sync(Vec::new());
    // Central asks before it believes: until the answer comes, nothing has become of the job.
    let asked = machine.ack().await;
    assert!(asked.hello.is_some());
    assert_eq!(state(&operator, job).await, "journalled");
    machine.answer(&asked);
    // After the loss it asks once more: whether the machine holds a copy.
    machine.holds_answers = false;
    while machine.ack().await.hello.is_some() {}
    let lost = operator.get(&format!("/api/v1/jobs/{job}")).await.json();
    assert_eq!(
        (&lost["state"], &lost["reason"]),
        (&json!("unknown"), &json!("journal-lost"))
    );
    let told = operator
        .send(hyper::Method::POST, &path, &json_type, answer("found-none"))
        .await;
    assert_eq!(
        (told.status, &told.json()["state"]),
        (200, &json!("failed"))
    );
}

#[tokio::test]
async fn a_machine_that_vanishes_is_late_by_its_will() {
    let rig = Rig::start().await;
    let it = client_of(&rig, "it").await;
    let machine = rig.enrol("desa-contoh-1", 11).connect().await;
    until_connectivity(&it, "online").await;
    drop(machine);
    let known = until_connectivity(&it, "late").await;
    assert!(known["since"].is_string() && known["last_seen"].is_string());
}

#[tokio::test]
async fn a_machine_cannot_speak_of_anothers_job_nor_with_numbers_beyond_reason() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let _owner = rig.enrol("desa-contoh-1", 11);
    let mut liar = rig.enrol("desa-contoh-2", 12).connect().await;
    let job = bring(&operator, "desa-contoh-1").await;
    let seq = liar.report(job, JobState::Printed, None);
    liar.until_acked(seq).await;
    assert_eq!(state(&operator, job).await, "created");

    let body = json!({ "epoch": liar.machine.epoch, "seq": u64::MAX, "report": { "kind": "x" } });
    liar.publish(&Channel::Event("x".to_owned()), body.to_string().as_bytes());
    liar.publish(&Channel::Sync, b"{\"epoch\":1}");
    liar.publish(&Channel::Heartbeat, b"[]");
    // What comes behind is heard all the same.
    let seq = liar.say(Report::Quarantine(loket_wire::event::QuarantineReport {
        code: "W-102".to_owned(),
        payload_sha256: loket_wire::Sha256Digest::of(b""),
        size_bytes: 0,
    }));
    liar.until_acked(seq).await;
}

#[tokio::test]
async fn documents_go_to_enrolled_keys_of_our_authority_alone() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let machine = rig.enrol("desa-contoh-1", 11);
    let job = bring(&operator, "desa-contoh-1").await;
    assert!(machine.fetch(job, 0).await.is_ok());
    let forbidden = |outcome: Result<Vec<u8>, FetchError>| {
        assert!(matches!(outcome, Err(FetchError::Forbidden)), "{outcome:?}");
    };

    let replaced = rig.authority.issue("desa-contoh-1", 12);
    forbidden(fetch(&machine.with_certificate(&rig.authority, &replaced), job, 0).await);
    for name in ["central", "broker", "desa-lain-9"] {
        let pair = rig.authority.issue(name, 13);
        forbidden(fetch(&machine.with_certificate(&rig.authority, &pair), job, 0).await);
    }
    // Signed by another authority under the same name, or by none at all: TLS itself refuses.
    let foreign = rig.authority.impostor();
    let pair = foreign.issue("desa-contoh-1", 11);
    let target = machine.with_certificate(&rig.authority, &pair);
    assert!(!matches!(
        fetch(&target, job, 0).await,
        Ok(_) | Err(FetchError::Forbidden)
    ));
    let target = FetchTarget {
        tls: Some(rig.authority.anonymous_tls()),
        ..target
    };
    assert!(!matches!(
        fetch(&target, job, 0).await,
        Ok(_) | Err(FetchError::Forbidden)
    ));

    std::fs::remove_file(rig.home.path().join("machines/desa-contoh-1.json")).unwrap();
    forbidden(machine.fetch(job, 0).await);
    let known = operator.get("/api/v1/machines").await.json();
    assert_eq!(known["machines"][0]["is_enrolled"], false);
    let page = operator.get("/console/live?lihat=mesin").await.text;
    assert!(page.contains("tidak terdaftar"));
}

#[tokio::test]
async fn a_record_that_the_authority_did_not_sign_opens_nothing() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let _machine = rig.enrol("desa-contoh-1", 11);
    let path = rig.home.path().join("machines/desa-contoh-1.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let authority = Authority::new();
    std::fs::write(&path, authority.resign(&text)).unwrap();
    let answer = operator
        .bring(&fixture("kk-sample-bb.pdf"), &order("desa-contoh-1"), None)
        .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (422, "MachineUnknown")
    );
}

#[tokio::test]
async fn a_disk_that_takes_nothing_loses_nothing() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let _machine = rig.enrol("desa-contoh-1", 11);
    let folder = rig.home.path().join("state/documents");
    std::fs::remove_dir(&folder).unwrap();
    std::fs::write(&folder, b"no folder").unwrap();
    let answer = operator
        .bring(&fixture("kk-sample-bb.pdf"), &order("desa-contoh-1"), None)
        .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (500, "StorageFailed")
    );
    std::fs::remove_file(&folder).unwrap();
    std::fs::create_dir(&folder).unwrap();
    bring(&operator, "desa-contoh-1").await;
}

#[tokio::test]
async fn two_centrals_never_share_a_state() {
    let rig = Rig::start().await;
    let output = rig.command(&["run"]).await;
    assert_eq!(output.status.code(), Some(75), "{output:?}");
}

#[tokio::test]
async fn the_program_serves_until_sigterm_and_ends_well() {
    let rig = Rig::prepare(|settings| settings).await;
    let (mut child, mut lines) = rig.spawn();
    let api = loop {
        let line = tokio::time::timeout(DEADLINE, lines.next_line())
            .await
            .unwrap();
        let line = line.unwrap().expect("the program lives");
        if let Some((_before, address)) = line.split_once("api=") {
            break address.split_whitespace().next().unwrap().parse().unwrap();
        }
    };
    let nobody = Client {
        address: api,
        token: String::new(),
        tls: None,
    };
    assert_eq!(nobody.get("/healthz").await.json()["status"], "ok");
    let killed = tokio::process::Command::new("sh")
        .args(["-c", &format!("kill -TERM {}", child.id().unwrap())])
        .status()
        .await
        .unwrap();
    assert!(killed.success());
    let ended = tokio::time::timeout(DEADLINE, child.wait())
        .await
        .expect("it ends")
        .unwrap();
    assert_eq!(ended.code(), Some(0));
}

#[tokio::test]
async fn a_sync_that_a_broker_kept_makes_no_job_unknown() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let job = bring(&operator, "desa-contoh-1").await;
    machine.order().await;
    let seq = machine.report(job, JobState::Journalled, None);
    machine.until_acked(seq).await;
    machine.open = vec![loket_wire::OpenJob {
        job_id: job,
        state: JobState::Journalled,
        local: None,
    }];
    // More than a list of those taken would hold, and then the first one again.
    for session_seq in 2..80 {
        machine.session_seq = session_seq;
        machine.say_sync(machine.open.clone());
        machine.until_acked(seq).await;
    }
    (machine.seq, machine.session_seq) = (0, 1);
    machine.say_sync(Vec::new());
    (machine.seq, machine.session_seq) = (seq, 80);
    // Central asks, the machine answers, and only then there is something to acknowledge.
    let asked = machine.ack().await;
    assert!(asked.hello.is_some() && asked.seq == 0, "{asked:?}");
    machine.until_acked(seq).await;
    assert_eq!(state(&operator, job).await, "journalled");
}

#[tokio::test]
async fn an_order_that_a_machine_cannot_read_is_over_at_once() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let job = bring(&operator, "desa-contoh-1").await;
    machine.order().await;
    let seq = machine.report(job, JobState::Rejected, Some(loket_wire::Reason::Malformed));
    machine.until_acked(seq).await;
    assert_eq!(state(&operator, job).await, "rejected");
}

#[tokio::test]
async fn a_whole_heartbeat_brings_centrals_time_and_a_short_one_is_a_sign_of_life() {
    let rig = Rig::start().await;
    let (it, operator) = (
        client_of(&rig, "it").await,
        client_of(&rig, "operator").await,
    );
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let heartbeat = |open_job_count| loket_wire::Heartbeat {
        session_seq: 1,
        at: loket_wire::Timestamp::UNIX_EPOCH,
        clock_trusted: false,
        clock_offset_ms: None,
        up_time_s: 1,
        open_job_count,
        outbox_count: 0,
        spool_bytes: 0,
        disk_free_bytes: None,
        certificate_days_left: None,
        link_sent_bytes: Some(31_000),
        link_received_bytes: Some(12_500),
        troubles: Vec::new(),
        trust_serial: None,
        trust_made_at: None,
        judged: None,
        devices: Vec::new(),
    };
    let whole = loket_wire::presence::encode(&heartbeat(7)).unwrap();
    machine.publish(&Channel::Heartbeat, &whole);
    let ack = machine.ack().await;
    assert_eq!((ack.seq, ack.hello, ack.command_seq), (0, None, Some(0)));
    assert_eq!(ack.session_seq, Some(1), "the heartbeat's connection");
    let beat = loket_wire::Beat {
        session_seq: 1,
        at: loket_wire::Timestamp::UNIX_EPOCH,
    };
    let short = loket_wire::presence::encode(&beat).unwrap();
    machine.publish(&Channel::Heartbeat, &short);
    // What comes behind shows that it was read: counted, and not dropped.
    machine.publish(&Channel::Heartbeat, &whole);
    machine.ack().await;
    let known = until_connectivity(&it, "online").await;
    assert_eq!(known["heartbeat"]["open_job_count"], 7);
    assert_eq!(known["heartbeat"]["link_sent_bytes"], 31_000);
    assert_eq!(known["heartbeat"]["link_received_bytes"], 12_500);
    // An order is the first command: from then on acknowledgements say that it came before them.
    operator
        .bring(&fixture("kk-sample-bb.pdf"), &order("desa-contoh-1"), None)
        .await;
    assert_eq!(machine.order().await.seq, 1);
    machine.publish(&Channel::Heartbeat, &whole);
    assert_eq!(machine.ack().await.command_seq, Some(1));
    let metrics = it.get("/metrics").await.text;
    assert!(
        metrics
            .lines()
            .any(|line| line == "loket_messages_dropped_total 0")
    );
}
