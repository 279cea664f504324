//! A machine whose journal was set back holds what central thinks lost: it is asked, and only then is *none* taken.

use hyper::Method;
use loket_store::{SqliteStore, Store as _};
use loket_wire::{Epoch, Event, JobId, JobState, OpenJob, Reason, Sync as MachineSync, Timestamp};
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::described::Described;
use crate::machine::Machine;
use crate::presence::now;
use crate::refusals::job_of_last_week;
use crate::rig::{Rig, fixture};
use crate::{client_of, job_id, order, state};

async fn answer(client: &Client, job: JobId, word: &str) -> Answer {
    let path = format!("/api/v1/jobs/{job}/answer");
    let body = json!({ "answer": word }).to_string().into_bytes();
    let json_type = [("content-type", "application/json")];
    client.send(Method::POST, &path, &json_type, body).await
}

fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

async fn known(client: &Client, job: JobId) -> Value {
    client.get(&format!("/api/v1/jobs/{job}")).await.json()
}

#[tokio::test]
async fn none_is_taken_only_after_a_machine_that_was_set_back_called_its_copy_off() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let document = fixture("kk-sample-bb.pdf");
    let brought = operator
        .bring(&document, &order("desa-contoh-1"), None)
        .await;
    let job = job_id(&brought);
    machine.order().await;
    machine.report(job, JobState::Held, None);
    let seq = machine.report(job, JobState::Printing, None);
    machine.until_acked(seq).await;

    // Back to where it held the job; what it prints of it, nobody heard.
    (machine.seq, machine.session_seq) = (1, 2);
    machine.open = vec![OpenJob {
        job_id: job,
        state: JobState::Held,
        local: None,
    }];
    machine.say_sync(machine.open.clone());
    assert!(machine.ack().await.hello.is_some(), "central asks first");
    assert_eq!(machine.cancel().await, job);
    let lost = known(&operator, job).await;
    assert_eq!(lost["reason"], "journal-lost");
    assert_eq!(lost["machine_copy"], "held");
    let early = answer(&operator, job, "found-none").await;
    assert_eq!(refused(&early), (409, "MachineHoldsCopy".to_owned()));
    assert_eq!(early.json()["detail"]["reason_code"], "D-109");
    let mut described = Described::by(&operator).await;
    described.judge("/api/v1/jobs/{id}/answer", "post", &early);
    let form = format!("/jobs/{job}/answer");
    let by_form = operator.form(&form, &[], "answer=found-none").await;
    assert_eq!(refused(&by_form), (409, "MachineHoldsCopy".to_owned()));
    described.judge("/jobs/{id}/answer", "post", &by_form);
    let page = operator.get(&format!("/console/jobs/{job}")).await.text;
    assert!(page.contains("Kertas sudah tercetak"));
    assert!(!page.contains("value=\"found-none\""), "{page}");

    // What it says of itself from now on, if it is asked, lists the job no more.
    machine.open.clear();
    let seq = machine.report(job, JobState::Cancelled, Some(Reason::ByCentral));
    machine.until_acked(seq).await;
    let gone = known(&operator, job).await;
    assert_eq!(
        (&gone["state"], &gone["machine_copy"]),
        (&json!("unknown"), &json!("gone")),
        "the copy's end says nothing of an earlier sheet"
    );
    let page = operator.get(&format!("/console/jobs/{job}")).await.text;
    assert!(page.contains("value=\"found-none\""));
    let told = answer(&operator, job, "found-none").await;
    assert_eq!(
        (told.status, &told.json()["state"]),
        (200, &json!("failed"))
    );
    let again = operator
        .bring(&document, &order("desa-contoh-1"), None)
        .await;
    job_id(&again);
}

#[tokio::test]
async fn a_machine_that_is_sending_is_waited_for_and_a_sheet_may_be_seen_meanwhile() {
    let rig = Rig::start().await;
    let operator = client_of(&rig, "operator").await;
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let document = fixture("kk-sample-bb.pdf");
    let brought = operator
        .bring(&document, &order("desa-contoh-1"), None)
        .await;
    let job = job_id(&brought);
    machine.order().await;
    machine.report(job, JobState::Held, None);
    let seq = machine.report(job, JobState::Printing, None);
    machine.until_acked(seq).await;
    (machine.seq, machine.session_seq) = (1, 2);
    machine.open = vec![OpenJob {
        job_id: job,
        state: JobState::Printing,
        local: None,
    }];
    machine.say_sync(machine.open.clone());
    assert!(machine.ack().await.hello.is_some());
    machine.cancel().await;
    let refusal = Some(Reason::AlreadySending);
    let seq = machine.report(job, JobState::Printing, refusal);
    machine.until_acked(seq).await;
    let early = answer(&operator, job, "found-none").await;
    assert_eq!(refused(&early), (409, "MachineHoldsCopy".to_owned()));
    let seen = answer(&operator, job, "printed").await;
    assert_eq!(
        (seen.status, &seen.json()["state"]),
        (200, &json!("printed"))
    );
    // How the copy ends calls no sheet back.
    let seq = machine.report(job, JobState::Failed, Some(Reason::PrinterRefused));
    machine.until_acked(seq).await;
    assert_eq!(state(&operator, job).await, "printed");
}

/// A job that its machine took a week ago, and then was never heard again.
pub(crate) fn held_since_last_week(rig: &Rig, machine: &Machine) -> JobId {
    let job = job_of_last_week(rig, machine);
    let store = SqliteStore::open(&rig.home.path().join("state/central.db")).unwrap();
    let at = store.job(job).unwrap().unwrap().job.created_at;
    let sync = MachineSync {
        epoch: machine.epoch,
        session_seq: 1,
        last_command_seq: 0,
        first_event_seq: None,
        last_event_seq: 0,
        open_jobs: Vec::new(),
        is_complete: true,
        hello: None,
        trust_serial: None,
    };
    store.ingest_sync(&machine.id, &sync, Some(at), at).unwrap();
    store.mark_offered(job, machine.epoch, at).unwrap();
    let held = Event {
        epoch: machine.epoch,
        seq: 1,
        report: loket_wire::Report::Job(loket_wire::JobReport {
            job_id: job,
            state: JobState::Held,
            reason: None,
            attempt: None,
            sheet_count: None,
            actor: None,
            local: None,
            at: Timestamp::from_unix_ms(1_790_000_000_000),
            clock_trusted: false,
        }),
    };
    store.ingest_event(&machine.id, &held, at).unwrap();
    job
}

/// Its last table is that of the timings.
/// The same job, and then the machine came back once without its journal and was heard a moment ago. Whether it holds a
/// copy is not known, and the question is due.
pub(crate) fn lost_since_last_week(rig: &Rig, machine: &Machine) -> JobId {
    let job = held_since_last_week(rig, machine);
    let store = SqliteStore::open(&rig.home.path().join("state/central.db")).unwrap();
    let at = store.job(job).unwrap().unwrap().job.created_at;
    let sync = MachineSync {
        epoch: Epoch::from_bytes([9; 16]),
        session_seq: 2,
        last_command_seq: 0,
        first_event_seq: None,
        last_event_seq: 0,
        open_jobs: vec![OpenJob {
            job_id: job,
            state: JobState::Held,
            local: None,
        }],
        is_complete: true,
        hello: None,
        trust_serial: None,
    };
    store.ingest_sync(&machine.id, &sync, Some(at), at).unwrap();
    let lost = store.job(job).unwrap().unwrap().job;
    assert_eq!(lost.reason, Some(Reason::JournalLost));
    assert!(lost.copy.is_some(), "{lost:?}");
    store.record_link_seen(&machine.id, now()).unwrap();
    job
}

pub(crate) fn without_an_hour_of_listening(settings: String) -> String {
    settings + "listened_ms = 0\n"
}

#[tokio::test]
async fn a_central_that_was_not_linked_for_an_hour_takes_no_silence_for_the_machines_own() {
    let mut rig = Rig::prepare(|settings| settings).await;
    let silent = rig.enrol("desa-contoh-1", 11);
    let job = held_since_last_week(&rig, &silent);
    rig.run().await;
    let it = client_of(&rig, "it").await;
    // The link stands; central was down before, and the machine may have run all the while.
    let _there = rig.enrol("desa-contoh-2", 12).connect().await;
    let path = "/api/v1/machines/desa-contoh-1/write-off";
    let just_started = it.post(path).await;
    let deaf = (409, "CentralNotListening".to_owned());
    assert_eq!(refused(&just_started), deaf);
    assert_eq!(state(&it, job).await, "held");
    Described::by(&it)
        .await
        .judge("/api/v1/machines/{id}/write-off", "post", &just_started);
    // One that was heard is told as that first: waiting for central would not help.
    let there = it.post("/api/v1/machines/desa-contoh-2/write-off").await;
    assert_eq!(refused(&there), (409, "MachineStillThere".to_owned()));

    // Without any broker no span of listening is long enough.
    rig.stop().await;
    let path_of_settings = rig.home.path().join("central.toml");
    let settings = std::fs::read_to_string(&path_of_settings).unwrap();
    std::fs::write(&path_of_settings, without_an_hour_of_listening(settings)).unwrap();
    rig.broker.kill().await;
    rig.run().await;
    let it = Client {
        address: rig.api,
        ..it
    };
    assert_eq!(refused(&it.post(path).await), deaf);
    assert_eq!(state(&it, job).await, "held");
}

#[tokio::test]
async fn a_machine_that_never_comes_back_is_written_off_by_it_alone() {
    let mut rig = Rig::prepare(without_an_hour_of_listening).await;
    let broken = rig.enrol("desa-contoh-1", 11);
    let job = held_since_last_week(&rig, &broken);
    rig.run().await;
    let (operator, it) = (
        client_of(&rig, "operator").await,
        client_of(&rig, "it").await,
    );
    let early = answer(&operator, job, "found-none").await;
    assert_eq!(refused(&early), (409, "NotForCentralToAnswer".to_owned()));
    let path = |machine: &str| format!("/api/v1/machines/{machine}/write-off");
    let by_operator = operator.post(&path("desa-contoh-1")).await;
    assert_eq!(refused(&by_operator), (403, "NotAllowed".to_owned()));
    let stranger = it.post(&path("desa-lain-9")).await;
    assert_eq!(refused(&stranger), (422, "MachineUnknown".to_owned()));
    // One that is there answers for itself.
    let _there = rig.enrol("desa-contoh-2", 12).connect().await;
    let there = it.post(&path("desa-contoh-2")).await;
    assert_eq!(refused(&there), (409, "MachineStillThere".to_owned()));

    let written_off = it.post(&path("desa-contoh-1")).await;
    assert_eq!(written_off.status, 200);
    assert_eq!(written_off.json()["jobs"], json!([job]));
    assert_eq!(known(&operator, job).await["reason"], "journal-lost");
    let history = it.get(&format!("/api/v1/jobs/{job}/history")).await.json();
    let rows = history["rows"].as_array().unwrap();
    let row = rows
        .iter()
        .find(|row| row["kind"] == "written-off")
        .unwrap();
    assert_eq!(row["actor"], "token:it");
    let told = answer(&operator, job, "found-none").await;
    assert_eq!(
        (told.status, &told.json()["state"]),
        (200, &json!("failed"))
    );
}
